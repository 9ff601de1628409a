//! The greeting: 64 octets each way that settle version and mechanism
//! (RFC 37, "Greeting").

use crate::fault::PeerFault;

/// The length of a greeting.
pub(crate) const GREETING_LEN: usize = 64;

/// Where the parts of a greeting start.
const SIGNATURE_END: usize = 9;
const MAJOR: usize = 10;
const MINOR: usize = 11;
const MECHANISM: usize = 12;
const AS_SERVER: usize = 32;

/// The length of the mechanism's name, padded with zeros.
const MECHANISM_LEN: usize = AS_SERVER - MECHANISM;

/// Our greeting. It goes out as a whole at once: RFC 37 allows it, and a peer
/// that waits for parts of it before it goes on never waits for us.
pub(crate) fn greeting(mechanism: &str, is_server: bool) -> [u8; GREETING_LEN] {
    let mut octets = [0; GREETING_LEN];
    octets[0] = 0xFF;
    // RFC 37: padding is not significant. libzmq writes the length a ZMTP 1.0
    // frame would have, which is 1 without a routing id.
    octets[SIGNATURE_END - 1] = 0x01;
    octets[SIGNATURE_END] = 0x7F;
    octets[MAJOR] = 3;
    octets[MINOR] = 1;
    octets[MECHANISM..AS_SERVER].copy_from_slice(&padded(mechanism));
    // RFC 24, 26: the server SHALL say that it is one. libzmq never does, so
    // nobody can insist on it.
    octets[AS_SERVER] = u8::from(is_server);
    octets
}

/// The name of a mechanism as the greeting has it.
fn padded(mechanism: &str) -> [u8; MECHANISM_LEN] {
    let mut octets = [0; MECHANISM_LEN];
    for (octet, letter) in octets.iter_mut().zip(mechanism.bytes()) {
        *octet = letter;
    }
    octets
}

/// A peer's greeting, as far as it came.
///
/// ```text
/// octet 0    FF                                 else not ZMTP
/// octet 9    bit 0 set                          else not ZMTP
/// octet 10   the version, 3 or later            else too old
/// octet 12   the mechanism, 20 octets           else a mismatch
/// octet 32   as-server, filler                  not looked at
/// ```
///
/// Each is judged as soon as it is there.
#[derive(Debug)]
pub(crate) struct PeerGreeting {
    mechanism: &'static str,
    octets: [u8; GREETING_LEN],
    len: usize,
}

impl PeerGreeting {
    /// The greeting of a peer that has to name `mechanism`.
    pub(crate) fn new(mechanism: &'static str) -> Self {
        Self { mechanism, octets: [0; GREETING_LEN], len: 0 }
    }

    /// Takes what belongs to the greeting off the front of `input`. Returns
    /// the minor version to speak, once the greeting is complete.
    ///
    /// # Errors
    /// When it can no longer become a greeting that we accept.
    pub(crate) fn feed(&mut self, input: &mut &[u8]) -> Result<Option<u8>, PeerFault> {
        let free = self.octets.get_mut(self.len..).unwrap_or_default();
        let (taken, rest) = input.split_at(free.len().min(input.len()));
        for (octet, new) in free.iter_mut().zip(taken) {
            *octet = *new;
        }
        *input = rest;
        self.len = self.len.saturating_add(taken.len());
        self.judge()?;
        Ok((self.len == GREETING_LEN).then(|| self.minor()))
    }

    fn judge(&self) -> Result<(), PeerFault> {
        let octets = self.octets.get(..self.len).unwrap_or_default();
        if octets.first().is_some_and(|first| *first != 0xFF) {
            return Err(PeerFault::NotZmtp);
        }
        // RFC 37 has 7F here; libzmq looks at bit 0 only. Clear, it is a frame
        // of ZMTP 1.0, which has no greeting.
        if octets.get(SIGNATURE_END).is_some_and(|last| last & 1 == 0) {
            return Err(PeerFault::NotZmtp);
        }
        // RFC 37: a peer SHALL accept higher versions, and MAY refuse lower
        // ones, which we do.
        match octets.get(MAJOR) {
            Some(&major) if major < 3 => return Err(PeerFault::TooOld { major }),
            _ => {}
        }
        // RFC 37: the mechanism SHALL match exactly.
        match octets.get(MECHANISM..AS_SERVER) {
            Some(theirs) if theirs != padded(self.mechanism) => Err(self.mismatch(theirs)),
            _ => Ok(()),
        }
    }

    fn mismatch(&self, theirs: &[u8]) -> PeerFault {
        let name = theirs.split(|octet| *octet == 0).next().unwrap_or_default();
        PeerFault::MechanismMismatch { ours: self.mechanism, theirs: PeerFault::text(name) }
    }

    /// The minor version that both speak. Whatever is later than 3.1 accepts
    /// 3.1.
    fn minor(&self) -> u8 {
        if self.octets[MAJOR] == 3 && self.octets[MINOR] == 0 { 0 } else { 1 }
    }
}
