//! The traffic of CURVE: each frame in a MESSAGE of its own (RFC 26).
//!
//! ```text
//! message = "\x07MESSAGE" nonce8 Box[flags body]
//! ```
//! The flags in the box are MORE 0x01 and COMMAND 0x02: those of libzmq's messages,
//! not those of ZMTP's frames. (RFC 26 knows MORE only.)

use std::ops::Range;

use super::boxes::{Keyed, SharedKey, TAG};
use super::not_authentic;
use crate::fault::PeerFault;
use crate::message::strip::{COMMAND, MORE};
use crate::zmtp::seal::{Open, Seal, Seals};

const NAME: &[u8; 8] = b"\x07MESSAGE";
/// Where the box starts.
const BOX: usize = NAME.len() + 8;
/// Where the body starts, once it is opened.
const BODY: usize = BOX + TAG + 1;

const SEALED_MORE: u8 = 0x01;
const SEALED_COMMAND: u8 = 0x02;

/// Which of the two we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// Both halves of a session, where each side goes on counting from the last number
/// of its handshake.
pub(super) fn seals(session: &SharedKey, we: Side, ours: u64, theirs: u64) -> Seals {
    #[cfg(test)]
    super::tap::note(session);
    let (own, other) = (session.keyed(we.nonce()), session.keyed(we.other().nonce()));
    Seals {
        seal: Some(Box::new(Sealer { key: own, last: ours })),
        open: Some(Box::new(Opener::new(other, theirs))),
    }
}

impl Side {
    /// What the nonces of its frames begin with.
    pub(super) fn nonce(self) -> &'static [u8; 16] {
        match self {
            Self::Client => b"CurveZMQMESSAGEC",
            Self::Server => b"CurveZMQMESSAGES",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

#[derive(Debug)]
struct Sealer {
    key: Keyed,
    /// The last number. There are enough for a million frames a second in half a
    /// million years.
    last: u64,
}

impl Seal for Sealer {
    fn overhead(&self) -> usize {
        BODY
    }

    fn seal(&mut self, flags: u8, body: &[u8], out: &mut Vec<u8>) {
        self.last = self.last.saturating_add(1);
        let start = out.len();
        out.extend_from_slice(NAME);
        out.extend_from_slice(&self.last.to_be_bytes());
        out.extend_from_slice(&[0; TAG]);
        out.push(sealed_flags(flags));
        out.extend_from_slice(body);
        let sealed = out.get_mut(start.saturating_add(BOX)..);
        match sealed.and_then(|sealed| sealed.split_first_chunk_mut()) {
            Some((tag, plain)) => *tag = self.key.seal(self.last, plain),
            // It cannot be; rather nothing than anything in plain.
            None => out.truncate(start),
        }
    }
}

#[derive(Debug)]
pub(super) struct Opener {
    key: Keyed,
    /// The last number that was right.
    last: u64,
}

impl Opener {
    pub(super) fn new(key: Keyed, last: u64) -> Self {
        Self { key, last }
    }
}

impl Open for Opener {
    fn overhead(&self) -> usize {
        BODY
    }

    fn open(&mut self, sealed: &mut [u8]) -> Result<(u8, Range<usize>), PeerFault> {
        let len = sealed.len();
        let rest = match sealed.split_first_chunk_mut() {
            Some((name, rest)) if name == NAME => rest,
            _ => return Err(PeerFault::MalformedCommand),
        };
        let (number, rest) = rest.split_first_chunk_mut().ok_or(PeerFault::MalformedCommand)?;
        let (tag, plain) = rest.split_first_chunk_mut().ok_or(PeerFault::MalformedCommand)?;
        let number = u64::from_be_bytes(*number);
        // RFC 26: a sequential number; the peer SHALL verify that it increments correctly.
        // One that comes again is a replay; where one is left out, somebody has taken a
        // frame away. (libzmq takes a gap, and never leaves one.)
        if self.last.checked_add(1) != Some(number) {
            return Err(PeerFault::Replayed);
        }
        self.key.open(number, tag, plain).map_err(|_| not_authentic("MESSAGE"))?;
        self.last = number;
        let flags = *plain.first().ok_or(PeerFault::MalformedCommand)?;
        Ok((plain_flags(flags), BODY..len))
    }
}

fn sealed_flags(flags: u8) -> u8 {
    let more = if flags & MORE != 0 { SEALED_MORE } else { 0 };
    let command = if flags & COMMAND != 0 { SEALED_COMMAND } else { 0 };
    more | command
}

fn plain_flags(sealed: u8) -> u8 {
    let more = if sealed & SEALED_MORE != 0 { MORE } else { 0 };
    let command = if sealed & SEALED_COMMAND != 0 { COMMAND } else { 0 };
    more | command
}
