//! The greeting: what is one, what is none, and whom to refuse for it.

use crate::case::{Case, Outcome, refused, run, serves};
use crate::raw::{Raw, frame, greeting, greeting_of, noise, prelude, ready};
use crate::victim::{Scene, Side, meet, next_ready, probe, within};
use ferromq::SocketOptions;

#[tokio::test]
async fn greetings_come_in_any_segments() {
    let octets = prelude("PUSH");
    let dribbled = octets.iter().map(|octet| vec![*octet]);
    let coalesced = [octets.clone(), frame(0, "at once")].concat();
    run(vec![
        Case::new("dribbled", dribbled, serves()),
        Case::new("coalesced", [coalesced], Outcome::Serves(vec!["at once".into()])),
    ])
    .await;
}

#[tokio::test]
async fn what_is_no_greeting_is_refused() {
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03aaaaaaaaaaaaaaaaaaaaaaaa";
    let mut signed = noise(7, 1 << 20);
    signed[..12].copy_from_slice(&[0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1]);
    let mut noisy = noise(1, 1 << 20);
    noisy[0] = 0x5A;
    // ZMTP 1.0 with an identity of 300 octets starts with FF, too.
    let long_identity = [&[0xFF, 0, 0, 0, 0, 0, 0, 1, 45, 0][..], &[b'i'; 300]].concat();
    run(vec![
        Case::new("http", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()], refused("NotZmtp")),
        Case::new("tls", [hello.to_vec()], refused("NotZmtp")),
        Case::new("1 MiB of noise", [noisy], refused("NotZmtp")),
        Case::new("noise with a signature", [signed], refused("MechanismMismatch")),
        Case::new("64 times FF", [vec![0xFF; 64]], refused("MechanismMismatch")),
        Case::new("64 times 00", [vec![0; 64]], refused("NotZmtp")),
        Case::new("ZMTP 1.0", [b"\x01\0\x07\0sneaky".to_vec()], refused("NotZmtp")),
        Case::new("ZMTP 1.0 with an identity", [long_identity], refused("NotZmtp")),
        Case::new(
            "ZMTP 2.0",
            [b"\xFF\0\0\0\0\0\0\0\x01\x7F\x01\x08".to_vec()],
            refused("TooOld { major: 1 }"),
        ),
        Case::new(
            "version 0",
            [b"\xFF\0\0\0\0\0\0\0\x01\x7F\0".to_vec()],
            refused("TooOld { major: 0 }"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn later_versions_and_what_is_not_significant_are_accepted() {
    let mut cases: Vec<_> = [(3, 0), (3, 1), (3, 9), (4, 0), (255, 255)]
        .into_iter()
        .map(|(major, minor)| {
            let octets = [greeting_of(major, minor, b"NULL"), ready("PUSH")].concat();
            Case::new(format!("version {major}.{minor}"), [octets], serves())
        })
        .collect();
    let mut padded = prelude("PUSH");
    padded[1..9].fill(0xA5);
    padded[33..64].fill(0xFF);
    cases.push(Case::new("padding", [padded], serves()));
    let mut as_server = prelude("PUSH");
    as_server[32] = 1;
    cases.push(Case::new("as-server", [as_server], serves()));
    run(cases).await;
}

#[tokio::test]
async fn another_mechanism_is_refused() {
    let cases = [
        ("PLAIN", "PLAIN"),
        ("CURVE", "CURVE"),
        ("null", "null"),
        ("NUL", "NUL"),
        ("NULLNULLNULLNULLNULL", "NULLNULLNULLNULLNULL"),
        ("NULL\0NULL", "NULL"),
        ("", ""),
        ("\x1b[31mred", "\\\\x1b[31mred"),
    ];
    let case = |(mechanism, theirs): (&str, &str)| {
        let octets = [greeting_of(3, 1, mechanism.as_bytes()), ready("PUSH")].concat();
        let fault = format!("MechanismMismatch {{ ours: \"NULL\", theirs: \"{theirs}\"");
        Case::new(mechanism, [octets], refused(&fault))
    };
    run(cases.into_iter().map(case).collect()).await;
}

/// Without that, two peers that both wait would wait forever.
#[tokio::test]
async fn our_greeting_waits_for_nothing() {
    for side in Side::BOTH {
        for heard in [0, 10, 11, 12, 63] {
            let Scene { pull, mut monitor, endpoint, mut raw } =
                meet(side, &SocketOptions::new()).await;
            raw.send(&greeting()[..heard]).await;
            let ours = raw.read(64).await;
            assert_eq!(ours[..12], [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1], "{side:?}");
            assert_eq!(ours[12..], greeting()[12..], "{side:?}");
            raw.send(&[&greeting()[heard..], &ready("PUSH"), &frame(0, "hello")].concat()).await;
            next_ready(&mut monitor).await;
            assert_eq!(within(pull.recv()).await.unwrap(), "hello".into());
            assert!(probe(&pull, &endpoint).await.is_empty());
        }
    }
}

/// A refused peer hears the greeting, and so can see whom it met.
#[tokio::test]
async fn who_is_refused_for_its_mechanism_hears_our_greeting() {
    for side in Side::BOTH {
        let Scene { pull, endpoint, raw: Raw(stream), .. } =
            meet(side, &SocketOptions::new()).await;
        let mut raw = Raw(stream);
        raw.send(&greeting_of(3, 1, b"PLAIN")).await;
        assert_eq!(raw.closed().await, greeting(), "{side:?}");
        assert!(probe(&pull, &endpoint).await.is_empty());
    }
}
