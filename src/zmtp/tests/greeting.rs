//! RFC 37, "Greeting".

use super::*;
use crate::zmtp::greeting::PeerGreeting;

/// What a greeting leads to, octet by octet: how many octets were needed, and
/// the minor version or the fault.
fn judge(octets: &[u8]) -> (usize, Result<Option<u8>, PeerFault>) {
    let mut greeting = PeerGreeting::new("NULL");
    for (index, octet) in octets.iter().enumerate() {
        let mut input = std::slice::from_ref(octet);
        match greeting.feed(&mut input) {
            Ok(None) => assert!(input.is_empty()),
            verdict => return (index + 1, verdict),
        }
    }
    (octets.len(), Ok(None))
}

fn changed(change: impl FnOnce(&mut [u8; 64])) -> [u8; 64] {
    let mut octets = *GREETING;
    change(&mut octets);
    octets
}

#[test]
fn our_greeting_is_that_of_libzmq_and_goes_out_whole_at_once() {
    let mut handshake = Handshake::new(config(SocketType::Pull));
    assert_eq!(&handshake.output()[..], GREETING);
    assert!(handshake.output().is_empty());
}

#[test]
fn versions_3_and_later_are_spoken_with() {
    for (major, minor, expected) in
        [(3, 0, 0), (3, 1, 1), (3, 2, 1), (3, 255, 1), (4, 0, 1), (255, 0, 1)]
    {
        let octets = changed(|octets| (octets[10], octets[11]) = (major, minor));
        assert_eq!(judge(&octets), (64, Ok(Some(expected))), "{major}.{minor}");
    }
}

#[test]
fn padding_as_server_and_filler_are_not_looked_at() {
    let octets = changed(|octets| {
        octets[1..9].fill(0xFF);
        octets[9] = 0x01;
        octets[32..].fill(0xFF);
    });
    assert_eq!(judge(&octets), (64, Ok(Some(1))));
}

#[test]
fn what_is_not_zmtp_is_refused_at_the_first_octet_that_says_so() {
    for octets in [&b"GET / HTTP/1.1\r\n"[..], b"\x16\x03\x01\x02\0\x01", b"\x01\0", &[0; 64]] {
        assert_eq!(judge(octets), (1, Err(PeerFault::NotZmtp)));
    }
    let octets = changed(|octets| octets[9] = 0x7E);
    assert_eq!(judge(&octets), (10, Err(PeerFault::NotZmtp)));
    // 64 times FF has a signature, a version, and no mechanism.
    let (needed, verdict) = judge(&[0xFF; 64]);
    assert_eq!(needed, 32);
    assert!(matches!(verdict, Err(PeerFault::MechanismMismatch { .. })));
}

#[test]
fn versions_before_3_are_refused_at_the_version() {
    for major in [0, 1, 2] {
        let octets = changed(|octets| octets[10] = major);
        assert_eq!(judge(&octets), (11, Err(PeerFault::TooOld { major })));
    }
}

#[test]
fn the_mechanism_has_to_match_exactly() {
    let mismatch = |mechanism: &[u8; 20]| match judge(&changed(|octets| {
        octets[12..32].copy_from_slice(mechanism);
    })) {
        (32, Err(PeerFault::MechanismMismatch { ours: "NULL", theirs })) => theirs,
        other => panic!("{other:?}"),
    };
    assert_eq!(mismatch(b"PLAIN\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "PLAIN");
    assert_eq!(mismatch(b"CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "CURVE");
    assert_eq!(mismatch(b"null\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "null");
    assert_eq!(mismatch(b"NULLNULLNULLNULLNULL"), "NULLNULLNULLNULLNULL");
    assert_eq!(mismatch(b"NULL                "), "NULL                ");
    assert_eq!(mismatch(b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0x"), "NULL");
    assert_eq!(mismatch(b"NUL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "NUL");
    assert_eq!(mismatch(&[0; 20]), "");
    assert_eq!(mismatch(b"\x1b[2J\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), r"\x1b[2J");
}

#[test]
fn a_greeting_may_come_in_any_two_pieces_and_takes_no_octet_more() {
    let mut octets = GREETING.to_vec();
    octets.push(0x04);
    for split in 0..=64 {
        let mut greeting = PeerGreeting::new("NULL");
        let (mut first, mut second) = octets.split_at(split);
        let minor = greeting.feed(&mut first).unwrap();
        assert_eq!(minor.is_some(), split == 64);
        assert!(first.is_empty());
        if split < 64 {
            assert_eq!(greeting.feed(&mut second), Ok(Some(1)));
        }
        assert_eq!(second, [0x04]);
    }
}
