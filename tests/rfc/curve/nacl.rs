//! `crypto_box` of NaCl, of XSalsa20 as a whole.

use ferromq::CurveKeypair;
use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit;
use salsa20::XSalsa20;
use salsa20::cipher::consts::U10;
use salsa20::cipher::{KeyIvInit, StreamCipher};
use x25519_dalek::{PublicKey, StaticSecret};

pub(super) type Key = [u8; 32];

/// A nonce of sixteen octets that are known and eight that are said.
pub(super) fn short(prefix: &[u8; 16], number: u64) -> [u8; 24] {
    [&prefix[..], &number.to_be_bytes()].concat().try_into().unwrap()
}

/// A nonce of eight octets that are known and sixteen that are said.
pub(super) fn long(prefix: &[u8; 8], said: &[u8]) -> [u8; 24] {
    [&prefix[..], said].concat().try_into().unwrap()
}

fn key_stream(ours: &CurveKeypair, theirs: &Key, nonce: &[u8; 24]) -> (XSalsa20, Poly1305) {
    let secret = StaticSecret::from(*ours.secret().as_bytes());
    let shared = secret.diffie_hellman(&PublicKey::from(*theirs));
    let key: Key = salsa20::hsalsa::<U10>(shared.as_bytes().into(), (&[0; 16]).into()).into();
    let mut cipher = XSalsa20::new((&key).into(), nonce.into());
    let mut first = [0; 32];
    cipher.apply_keystream(&mut first);
    (cipher, Poly1305::new((&first).into()))
}

pub(super) fn seal(ours: &CurveKeypair, theirs: &Key, nonce: &[u8; 24], plain: &[u8]) -> Vec<u8> {
    let (mut cipher, mac) = key_stream(ours, theirs, nonce);
    let mut sealed = plain.to_vec();
    cipher.apply_keystream(&mut sealed);
    let tag: [u8; 16] = mac.compute_unpadded(&sealed).into();
    [&tag[..], &sealed].concat()
}

/// What is in a box, which has to be one.
#[track_caller]
pub(super) fn open(ours: &CurveKeypair, theirs: &Key, nonce: &[u8; 24], sealed: &[u8]) -> Vec<u8> {
    let (mut cipher, mac) = key_stream(ours, theirs, nonce);
    let (tag, body) = sealed.split_at(16);
    let expected: [u8; 16] = mac.compute_unpadded(body).into();
    assert_eq!(tag, expected, "the box does not open");
    let mut plain = body.to_vec();
    cipher.apply_keystream(&mut plain);
    plain
}
