//! "Version Negotiation", "Topology" and "Authentication and Confidentiality".

use ferromq::{PullSocket, PushSocket, SubSocket};

use crate::support::{Net, Receives, plain};
use crate::wire::{GREETING, Trap, Wire, greeting, ready};

/// A PULL takes a message of a PUSH with this greeting.
async fn is_accepted(octets: &[u8; 64]) {
    let net = Net::tcp();
    let pull = net.bound::<PullSocket>(plain()).await;
    let mut push = Wire::dial(&pull.endpoint()).await;
    push.send(octets).await;
    push.take(64).await;
    push.send(&ready(&[("Socket-Type", b"PUSH")])).await;
    push.send(b"\x00\x05Hello").await;
    assert_eq!(pull.get().await, "Hello".into());
}

/// A PULL closes the connection of a peer that begins like this; it delivers
/// nothing and serves the next peer. Gives what it had sent.
async fn is_refused(octets: &[u8]) -> Vec<u8> {
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(plain()).await;
    let mut refused = Wire::dial(&pull.endpoint()).await;
    refused.send(octets).await;
    pull.failed().await;
    let sent = refused.end().await;
    let push = net.connected::<PushSocket>(plain(), &mut pull).await;
    push.try_send("Hello").unwrap();
    assert_eq!(pull.get().await, "Hello".into());
    assert!(pull.try_recv().unwrap_err().is_would_block());
    sent
}

/// "the peer SHALL send its entire greeting (64 octets)" It does so at once,
/// whether it accepted the connection or made it: nobody waits for the other.
#[tokio::test]
async fn a_peer_shall_send_its_entire_greeting() {
    let net = Net::tcp();
    let pull = net.bound::<PullSocket>(plain()).await;
    let mut peer = Wire::dial(&pull.endpoint()).await;
    let trap = Trap::new().await;
    let _push = net.connecting::<PushSocket>(plain(), &trap.endpoint());
    for wire in [&mut peer, &mut trap.accept().await] {
        let octets = wire.take(64).await;
        assert_eq!((octets[0], octets[9]), (0xFF, 0x7F), "signature");
        assert_eq!(octets[10..12], [3, 1], "version");
        assert_eq!(&octets[12..32], b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "mechanism");
        assert_eq!(octets[32..], [0; 32], "as-server and filler");
    }
}

/// "and SHALL expect a matching 64 octet greeting." What follows waits until
/// the last of them, however they come.
#[tokio::test]
async fn a_peer_shall_expect_64_octets() {
    let net = Net::tcp();
    let pull = net.bound::<PullSocket>(plain()).await;
    let mut push = Wire::dial(&pull.endpoint()).await;
    push.take(64).await;
    for octet in GREETING {
        push.send(&[octet]).await;
    }
    assert!(push.frame().await.body.starts_with(b"\x05READY"));
    // The rest in one segment: handshake and message.
    push.send(&[&ready(&[("Socket-Type", b"PUSH")])[..], b"\x00\x05Hello"].concat()).await;
    assert_eq!(pull.get().await, "Hello".into());
    let mut push = Wire::dial(&pull.endpoint()).await;
    push.send(&[&GREETING[..], &ready(&[("Socket-Type", b"PUSH")]), b"\x00\x00"].concat()).await;
    assert_eq!(pull.get().await, "".into());
}

/// "A peer SHALL NOT assign any significance to the padding field and MUST NOT
/// validate this nor interpret it in any way whatsoever."
#[tokio::test]
async fn a_peer_shall_not_assign_significance_to_the_padding() {
    for padding in [[0; 8], [0xFF; 8], [0, 0, 0, 0, 0, 0, 0, 1], *b"\x7F\xFF\x00NULL\x03"] {
        let mut octets = GREETING;
        octets[1..9].copy_from_slice(&padding);
        is_accepted(&octets).await;
    }
}

/// "A peer MUST accept higher protocol versions as valid. That is, a ZMTP peer
/// MUST accept protocol versions greater or equal to 3.0." (RFC 23; RFC 37 says
/// 3.1.)
#[tokio::test]
async fn a_peer_must_accept_higher_versions() {
    for (major, minor) in [(3, 0), (3, 1), (3, 2), (3, 255), (4, 0), (255, 255)] {
        is_accepted(&greeting(&[(10, major), (11, minor)])).await;
    }
}

/// "A peer SHALL always use its own protocol (including framing) when talking to
/// an equal or higher protocol peer." So one of version 4.0 gets what belongs to
/// 3.1.
#[tokio::test]
async fn a_peer_shall_use_its_own_protocol_with_a_higher_one() {
    let net = Net::tcp();
    let sub = net.bound::<SubSocket>(plain()).await;
    sub.subscribe("A").unwrap();
    let mut publisher = Wire::dial(&sub.endpoint()).await;
    publisher.send(&greeting(&[(10, 4), (11, 0)])).await;
    assert_eq!(publisher.take(64).await[10..12], [3, 1]);
    publisher.send(&ready(&[("Socket-Type", b"PUB")])).await;
    assert!(publisher.frame().await.body.starts_with(b"\x05READY"));
    publisher.expect(b"\x04\x0B\x09SUBSCRIBEA").await;
}

/// "If a peer cannot downgrade its protocol to match its peer, it MUST close the
/// connection." ZMTP 1.0, 2.0, and none at all.
#[tokio::test]
async fn a_peer_must_close_what_it_cannot_downgrade_to() {
    is_refused(b"\x01\x00\x06\x00sneaky").await;
    is_refused(b"\xFF\x00\x00\x00\x00\x00\x00\x00\x01\x7F\x01\x08\x00\x00\x00\x06sneaky").await;
    is_refused(b"\xFF\x00\x00\x00\x00\x00\x00\x00\x01\x7F\x02").await;
    is_refused(b"GET / HTTP/1.1\r\n\r\n").await;
}

/// "An implementation MUST guard against downgrade attacks, which may take the
/// form of crafting a ZMTP 1.0 or 2.0 protocol header, or asking for a less
/// secure mechanism than the application has requested." Of a header that would
/// do, nothing that follows is taken for a message.
#[tokio::test]
async fn a_peer_must_guard_against_downgrades() {
    let header = b"\xFF\x00\x00\x00\x00\x00\x00\x00\x01\x7F\x01\x08";
    let sent = is_refused(&[&header[..], b"\x00\x00\x00\x06sneaky"].concat()).await;
    assert_eq!(sent.get(..64).map(|octets| octets[10]), Some(3), "it speaks 3.1 only");
    assert_eq!(sent.get(64..), Some(&b""[..]));
}

/// "If the chosen security mechanism does not specify a client and server
/// topology, the as-server field SHALL have no significance"
#[tokio::test]
async fn as_server_shall_have_no_significance() {
    is_accepted(&greeting(&[(32, 1)])).await;
}

/// "When a peer uses the NULL security mechanism, the as-server field MUST be
/// zero." Whether it accepted the connection or made it.
#[tokio::test]
async fn as_server_must_be_zero() {
    let net = Net::tcp();
    let pull = net.bound::<PullSocket>(plain()).await;
    let mut peer = Wire::dial(&pull.endpoint()).await;
    assert_eq!(peer.take(64).await[32], 0);
    let trap = Trap::new().await;
    let _push = net.connecting::<PushSocket>(plain(), &trap.endpoint());
    assert_eq!(trap.accept().await.take(64).await[32], 0);
}

/// "Mechanism names SHALL consist only of uppercase letters A to Z, digits, and
/// embedded hyphens or underscores." Ours, padded with zeros.
#[tokio::test]
async fn mechanism_names_shall_consist_of_a_small_alphabet() {
    let net = Net::tcp();
    let pull = net.bound::<PullSocket>(plain()).await;
    let octets = Wire::dial(&pull.endpoint()).await.take(64).await;
    let name: Vec<u8> = octets[12..32].iter().copied().take_while(|octet| *octet != 0).collect();
    assert!(name.iter().all(|octet| matches!(octet, b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_')));
    assert_eq!(octets[12 + name.len()..32], vec![0; 20 - name.len()]);
}

/// "A peer that reads a full greeting, including mechanism, MUST also send a
/// full greeting including mechanism." Even to one that it refuses.
#[tokio::test]
async fn a_peer_must_send_a_full_greeting_for_a_full_one() {
    let sent = is_refused(&greeting(&[(12, b'X')])).await;
    assert_eq!(sent.get(..64).map(|octets| &octets[12..16]), Some(&b"NULL"[..]));
}

/// "If the mechanism that the peer received does not exactly match the mechanism
/// it sent, it MUST close the connection."
#[tokio::test]
async fn a_peer_must_close_on_another_mechanism() {
    for name in [&b"PLAIN"[..], b"CURVE", b"null", b"NULLX", b"NUL", b"", b"NULL\0X", &[b'N'; 20]] {
        let mut octets = GREETING;
        octets[12..32].fill(0);
        octets[12..12 + name.len()].copy_from_slice(name);
        is_refused(&octets).await;
    }
}
