//! The boxes are those of NaCl: the vectors of its tests (`tests/box.c`,
//! `tests/secretbox.c`, `tests/core1.c`, `tests/onetimeauth.c`).

use super::super::boxes::{Keyed, NotAuthentic, TAG};
use super::*;

const ALICE_SECRET: &str = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
const ALICE_PUBLIC: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
const BOB_SECRET: &str = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
const BOB_PUBLIC: &str = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
const NONCE: &str = "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37";

const MESSAGE: &str = "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecba\
    af33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2\
    f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848\
    645e0705";
const BOX: &str = "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea716\
    4d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eee\
    e314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b379\
    73f622a43d14a6599b1f654cb45a74e355a5";

fn octets(hex: &str) -> Vec<u8> {
    let octet = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(octet).collect()
}

fn pair(secret: &str, public: &str) -> CurveKeypair {
    let secret = CurveSecretKey::try_from(&octets(secret)[..]).unwrap();
    CurveKeypair::new(key(&octets(public)), secret).unwrap()
}

fn alice() -> CurveKeypair {
    pair(ALICE_SECRET, ALICE_PUBLIC)
}

fn bob() -> CurveKeypair {
    pair(BOB_SECRET, BOB_PUBLIC)
}

/// The nonce as ours are: eight octets that are a name, and sixteen.
fn nonce() -> ([u8; 8], [u8; 16]) {
    let nonce = octets(NONCE);
    (nonce[..8].try_into().unwrap(), nonce[8..].try_into().unwrap())
}

#[test]
fn the_box_of_nacl() {
    let (name, rest) = nonce();
    let (message, sealed) = (octets(MESSAGE), octets(BOX));
    assert_eq!((message.len(), sealed.len()), (131, 131 + TAG));
    let (ours, theirs) = (shared(&alice(), bob().public()), shared(&bob(), alice().public()));
    assert_eq!(ours.seal((&name, &rest), &message), sealed);
    assert_eq!(theirs.open((&name, &rest), &sealed).as_deref(), Ok(&message));
    // What one has sealed it can open as well, for both have the same key.
    assert_eq!(ours.open((&name, &rest), &sealed).as_deref(), Ok(&message));
}

#[test]
fn the_box_of_nacl_by_its_number() {
    let nonce = octets(NONCE);
    let number = u64::from_be_bytes(nonce[16..].try_into().unwrap());
    let keyed = shared(&alice(), bob().public()).keyed(&nonce[..16].try_into().unwrap());
    let (message, sealed) = (octets(MESSAGE), octets(BOX));
    assert_eq!(keyed.seal_vec(number, &message), sealed);
    let mut in_place = message.clone();
    assert_eq!(keyed.seal(number, &mut in_place)[..], sealed[..TAG]);
    assert_eq!(in_place, sealed[TAG..]);
    keyed.open(number, sealed[..TAG].try_into().unwrap(), &mut in_place).unwrap();
    assert_eq!(in_place, message);
}

fn some_key() -> Keyed {
    shared(&keys(CLIENT), keys(SERVER).public()).keyed(b"0123456789abcdef")
}

#[test]
fn what_is_sealed_is_opened_at_every_length() {
    let keyed = some_key();
    for len in 0..=300 {
        let plain: Vec<u8> = (0..len).map(|at| at as u8).collect();
        let sealed = keyed.seal_vec(len, &plain);
        assert_eq!(sealed.len(), plain.len() + TAG);
        assert_eq!(keyed.open_vec(len, &sealed).as_deref(), Ok(&plain));
        assert_eq!(keyed.open_vec(len + 1, &sealed), Err(NotAuthentic));
        let shorter = keyed.open_vec(len, &sealed[..sealed.len() - 1]);
        assert_eq!(shorter, Err(NotAuthentic));
        assert_eq!(keyed.open_vec(len, &[&sealed[..], b"\0"].concat()), Err(NotAuthentic));
    }
}

#[test]
fn a_box_shorter_than_its_tag_does_not_open() {
    for len in 0..TAG {
        assert_eq!(some_key().open_vec(1, &vec![0; len]), Err(NotAuthentic));
    }
}

#[test]
fn no_bit_of_a_box_can_be_changed_and_what_does_not_open_stays_as_it_was() {
    let keyed = some_key();
    let sealed = keyed.seal_vec(7, b"attack at dawn");
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(keyed.open_vec(7, &changed), Err(NotAuthentic), "{bit}");
        let (tag, body) = changed.split_first_chunk_mut::<TAG>().unwrap();
        let before = body.to_vec();
        assert_eq!(keyed.open(7, tag, body), Err(NotAuthentic));
        assert_eq!(body, before);
    }
    assert_eq!(keyed.open_vec(7, &sealed).as_deref(), Ok(&b"attack at dawn".to_vec()));
}

#[test]
fn no_octet_of_the_nonce_can_be_another() {
    let (name, rest) = nonce();
    let key = shared(&alice(), bob().public());
    let sealed = key.seal((&name, &rest), b"plain");
    for at in 0..8 {
        let mut other = name;
        other[at] ^= 0x80;
        assert_eq!(key.open((&other, &rest), &sealed), Err(NotAuthentic));
    }
    for at in 0..16 {
        let mut other = rest;
        other[at] ^= 0x01;
        assert_eq!(key.open((&name, &other), &sealed), Err(NotAuthentic));
    }
}

#[test]
fn others_do_not_open_it() {
    let (name, rest) = nonce();
    let sealed = shared(&alice(), bob().public()).seal((&name, &rest), b"plain");
    for (ours, theirs) in [(bob(), keys(OTHER)), (keys(OTHER), alice()), (keys(OTHER), bob())] {
        let opened = shared(&ours, theirs.public()).open((&name, &rest), &sealed);
        assert_eq!(opened, Err(NotAuthentic));
    }
}

#[test]
fn keys_with_which_nothing_is_a_secret_are_refused() {
    for octets in LOW_ORDER {
        let weak = CurvePublicKey::from_bytes(octets);
        assert!(SharedKey::agree(keys(CLIENT).secret(), &weak).is_none(), "{weak}");
        // The last bit is not part of the key.
        let mut octets = octets;
        octets[31] |= 0x80;
        let weak = CurvePublicKey::from_bytes(octets);
        assert!(SharedKey::agree(keys(CLIENT).secret(), &weak).is_none(), "{weak}");
    }
}

/// HSalsa20 of what X25519 gives is checked by the box; this is the same key by name:
/// `firstkey` of core1, with which `tests/secretbox.c` makes the box above.
#[test]
fn the_shared_key_is_the_firstkey_of_nacl() {
    let first = octets("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
    let first: [u8; 32] = first.try_into().unwrap();
    assert_eq!(shared(&alice(), bob().public()).octets(), &first);
    let nonce = octets(NONCE);
    let number = u64::from_be_bytes(nonce[16..].try_into().unwrap());
    let keyed = SharedKey::of_octets(first).keyed(&nonce[..16].try_into().unwrap());
    assert_eq!(keyed.seal_vec(number, &octets(MESSAGE)), octets(BOX));
}

#[test]
fn no_key_is_shown() {
    let shared = shared(&alice(), bob().public());
    assert_eq!(format!("{shared:?} {:?}", shared.keyed(&[0; 16])), "SharedKey(..) Keyed(..)");
}
