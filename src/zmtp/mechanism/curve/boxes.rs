//! NaCl's boxes, composed of X25519, HSalsa20, Salsa20 and Poly1305. This is the
//! only place that touches a cipher; none of them is ours.
//!
//! ```text
//! shared  = HSalsa20(X25519(secret, public), 0)                  crypto_box_beforenm
//! box     = Poly1305(cipher) cipher                              16 octets more
//! cipher  = plain ⊕ XSalsa20(shared, nonce) from octet 32 on
//! ```
//! XSalsa20 is Salsa20 with a key that the first 16 octets of the nonce make. In the
//! traffic of CURVE these are always the same, so that key is made once
//! ([`Keyed`]), which saves each small frame a third of the work.

use cryptoxide::mac::Mac;
use cryptoxide::poly1305::Poly1305;
use salsa20::SalsaCore;
use salsa20::cipher::consts::U10;
use salsa20::cipher::{Block, KeyIvInit, StreamCipherCore};
use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::security::{CurvePublicKey, CurveSecretKey};

/// How many octets more a box has than what is in it.
pub(super) const TAG: usize = 16;

/// What a box that does not open is: made with other keys, or changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAuthentic;

/// What two keypairs have in common.
pub(super) struct SharedKey(Zeroizing<[u8; 32]>);

impl SharedKey {
    /// Of our secret key and their public one; nothing, if theirs is one of the few
    /// with which the result would be no secret.
    pub(super) fn agree(ours: &CurveSecretKey, theirs: &CurvePublicKey) -> Option<Self> {
        let secret = StaticSecret::from(*ours.as_bytes());
        let shared = secret.diffie_hellman(&PublicKey::from(*theirs.as_bytes()));
        shared.was_contributory().then(|| Self(hsalsa(shared.as_bytes(), &[0; 16])))
    }

    /// For nonces that begin with this.
    pub(super) fn keyed(&self, prefix: &[u8; 16]) -> Keyed {
        Keyed(hsalsa(&self.0, prefix))
    }

    /// A box of `plain` with a nonce of a name and random octets.
    pub(super) fn seal(&self, nonce: (&[u8; 8], &[u8; 16]), plain: &[u8]) -> Vec<u8> {
        let (keyed, rest) = self.with_nonce(nonce);
        keyed.seal_vec(rest, plain)
    }

    /// What is in a box with such a nonce.
    pub(super) fn open(
        &self,
        nonce: (&[u8; 8], &[u8; 16]),
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotAuthentic> {
        let (keyed, rest) = self.with_nonce(nonce);
        keyed.open_vec(rest, sealed)
    }

    #[cfg(test)]
    pub(super) fn octets(&self) -> &[u8; 32] {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn of_octets(octets: [u8; 32]) -> Self {
        Self(Zeroizing::new(octets))
    }

    fn with_nonce(&self, (name, random): (&[u8; 8], &[u8; 16])) -> (Keyed, u64) {
        let mut prefix = [0; 16];
        let (front, back) = prefix.split_at_mut(8);
        let (middle, rest) = random.split_at(8);
        front.copy_from_slice(name);
        back.copy_from_slice(middle);
        let mut counter = [0; 8];
        counter.copy_from_slice(rest);
        (self.keyed(&prefix), u64::from_be_bytes(counter))
    }
}

/// A key for boxes whose nonces differ in the last eight octets only: a number.
pub(super) struct Keyed(Zeroizing<[u8; 32]>);

impl Keyed {
    /// Seals `plain` where it is; the tag belongs in front of it.
    pub(super) fn seal(&self, number: u64, plain: &mut [u8]) -> [u8; TAG] {
        let stream = self.stream(number);
        let mac = stream.mac();
        stream.apply(plain);
        tag(mac, plain)
    }

    /// Opens `sealed` where it is. It stays as it was if it does not open.
    pub(super) fn open(
        &self,
        number: u64,
        tag: &[u8; TAG],
        sealed: &mut [u8],
    ) -> Result<(), NotAuthentic> {
        let stream = self.stream(number);
        if !bool::from(self::tag(stream.mac(), sealed).ct_eq(tag)) {
            return Err(NotAuthentic);
        }
        stream.apply(sealed);
        Ok(())
    }

    /// The box of `plain`, with its tag in front.
    pub(super) fn seal_vec(&self, number: u64, plain: &[u8]) -> Vec<u8> {
        let mut sealed = [&[0; TAG], plain].concat();
        let tag = self.seal(number, &mut sealed[TAG..]);
        sealed[..TAG].copy_from_slice(&tag);
        sealed
    }

    /// What is in a box.
    pub(super) fn open_vec(
        &self,
        number: u64,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotAuthentic> {
        let (tag, sealed) = sealed.split_first_chunk().ok_or(NotAuthentic)?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        self.open(number, tag, &mut plain)?;
        Ok(plain)
    }

    fn stream(&self, number: u64) -> KeyStream {
        let mut later = Salsa20::new((&*self.0).into(), &number.to_be_bytes().into());
        let mut first = Zeroizing::new(Block::<Salsa20>::default());
        later.write_keystream_block(&mut first);
        KeyStream { first, later }
    }
}

/// Salsa20 by the block: the cipher that hands out octets keeps a block of its own, and
/// copies each part of one there and back.
type Salsa20 = SalsaCore<U10>;

/// The key stream of one box.
///
/// ```text
/// │      first block      │  later  …
/// │key of the MAC│  ⊕  the box      …
/// 0              32      64
/// ```
struct KeyStream {
    first: Zeroizing<Block<Salsa20>>,
    later: Salsa20,
}

/// How much of the stream is the key of the authenticator.
const MAC_KEY: usize = 32;

impl KeyStream {
    fn mac(&self) -> Poly1305 {
        let (key, _) = self.first.split_first_chunk().expect("a block is larger");
        Poly1305::new(key)
    }

    fn apply(self, octets: &mut [u8]) {
        let (_, first) = self.first.split_at(MAC_KEY);
        let (front, rest) = octets.split_at_mut(octets.len().min(first.len()));
        front.iter_mut().zip(first).for_each(|(octet, key)| *octet ^= key);
        self.later.apply_keystream_partial(rest.into());
    }
}

fn tag(mut mac: Poly1305, sealed: &[u8]) -> [u8; TAG] {
    let mut tag = [0; TAG];
    mac.input(sealed);
    mac.raw_result(&mut tag);
    tag
}

fn hsalsa(key: &[u8; 32], input: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(salsa20::hsalsa::<U10>(key.into(), input.into()).into())
}

impl std::fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedKey(..)")
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyed(..)")
    }
}
