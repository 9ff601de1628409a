//! "The NULL Security Mechanism".

use ferromq::{
    DealerSocket, DisconnectReason, PairSocket, PeerFault, PullSocket, PushSocket, RouterSocket,
    SocketOptions,
};

use crate::support::{Net, Receives, Socket, plain};
use crate::wire::{Trap, Wire, command, ready};

const READY_OF_PUSH: &[u8] =
    b"\x04\x29\x05READY\x0BSocket-Type\x00\x00\x00\x04PUSH\x09X-Ferromq\x00\x00\x00\x011";

/// "To complete a NULL security handshake, both peers SHALL send each other a
/// READY command." (RFC 23)
/// "the client SHALL send a READY command and then wait for a READY command in
/// reply." (RFC 37) No message goes out before the reply.
#[tokio::test]
async fn the_client_shall_send_ready_and_wait_for_ready() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let push = net.connecting::<PushSocket>(plain(), &trap.endpoint());
    push.try_send("Hello").unwrap();
    let mut pull = trap.accept().await;
    pull.greet().await;
    pull.expect(READY_OF_PUSH).await;
    // It is waiting: a handshake that is given up here ends without a message.
    pull.finish().await;
    assert_eq!(pull.end().await, b"");
    let mut pull = trap.accept().await;
    pull.shake_hands("PULL").await;
    pull.expect(b"\x00\x05Hello").await;
}

/// "If there is no error, it MUST send a READY command in reply." (RFC 37, the
/// server)
#[tokio::test]
async fn the_server_must_reply_with_ready() {
    let net = Net::tcp();
    let pull = net.bound::<PullSocket>(plain()).await;
    let mut push = Wire::dial(&pull.endpoint()).await;
    push.greet().await;
    push.send(b"\x04\x1A\x05READY\x0BSocket-Type\x00\x00\x00\x04PUSH").await;
    push.expect(
        b"\x04\x29\x05READY\x0BSocket-Type\x00\x00\x00\x04PULL\x09X-Ferromq\x00\x00\x00\x011",
    )
    .await;
}

/// "Note that to avoid deadlocks, each peer MUST send its READY command before
/// attempting to receive a READY from the other peer." (RFC 23) On both sides,
/// but for a ROUTER and a PAIR that accept.
#[tokio::test]
async fn each_peer_must_send_ready_before_receiving_it() {
    let net = Net::tcp();
    let dealer = net.bound::<DealerSocket>(plain()).await;
    let mut peer = Wire::dial(&dealer.endpoint()).await;
    peer.greet().await;
    peer.expect(
        b"\x04\x38\x05READY\x0BSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x00\
        \x09X-Ferromq\x00\x00\x00\x011",
    )
    .await;
    let trap = Trap::new().await;
    let _push = net.connecting::<PushSocket>(plain(), &trap.endpoint());
    let mut peer = trap.accept().await;
    peer.greet().await;
    peer.expect(READY_OF_PUSH).await;
    let _router = net.connecting::<RouterSocket>(plain(), &trap.endpoint());
    let mut peer = trap.accept().await;
    peer.greet().await;
    assert!(peer.frame().await.body.starts_with(b"\x05READY"));
}

/// The body of the first command of a socket that accepts, once it has heard
/// this READY; to who has not said one it says nothing.
async fn answer<S: Socket>(net: &Net, heard: &[u8]) -> Vec<u8> {
    let socket = net.bound::<S>(plain()).await;
    let mut silent = Wire::dial(&socket.endpoint()).await;
    silent.greet().await;
    silent.finish().await;
    assert_eq!(silent.end().await, b"");
    let mut peer = Wire::dial(&socket.endpoint()).await;
    peer.greet().await;
    peer.send(heard).await;
    peer.frame().await.body
}

/// The same sentence. A ROUTER has one peer of a name and a PAIR has one peer:
/// whether they take a peer in, they know when they have heard it. (For them,
/// who accept, RFC 37 has it that way.)
#[tokio::test]
async fn departs_a_router_and_a_pair_that_accept_judge_before_they_are_ready() {
    let net = Net::tcp();
    let (dealer, pair) = (ready(&[("Socket-Type", b"DEALER")]), ready(&[("Socket-Type", b"PAIR")]));
    assert!(answer::<RouterSocket>(&net, &dealer).await.starts_with(b"\x05READY"));
    assert!(answer::<PairSocket>(&net, &pair).await.starts_with(b"\x05READY"));
    // Who is refused was never told that they are ready.
    assert!(answer::<RouterSocket>(&net, &pair).await.starts_with(b"\x05ERROR"));
    assert!(answer::<PairSocket>(&net, &dealer).await.starts_with(b"\x05ERROR"));
}

/// "The name SHALL be 1 to 255 characters. Zero-sized names are not valid."
#[tokio::test]
async fn names_shall_be_1_to_255_characters() {
    let longest = "N".repeat(255);
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(plain()).await;
    let mut push = Wire::dial(&pull.endpoint()).await;
    push.greet().await;
    push.send(&ready(&[("Socket-Type", b"PUSH"), ("x", b"short"), (&longest, b"long")])).await;
    let metadata = pull.ready().await.metadata;
    assert_eq!(metadata, [("x".to_owned(), "short".into()), (longest, "long".into())]);
    let mut push = Wire::dial(&pull.endpoint()).await;
    push.greet().await;
    push.send(&ready(&[("Socket-Type", b"PUSH"), ("", b"nameless")])).await;
    let reason = pull.failed().await;
    assert!(matches!(reason, DisconnectReason::Fault(PeerFault::MalformedMetadata)), "{reason}");
    push.end().await;
}

/// "The case (upper or lower) of names SHALL NOT be significant."
/// "Metadata names SHALL be case-insensitive."
#[tokio::test]
async fn the_case_of_names_shall_not_be_significant() {
    let net = Net::tcp();
    let mut dealer = net.bound::<DealerSocket>(plain()).await;
    for (kind, identity) in [("socket-type", "IDENTITY"), ("SOCKET-TYPE", "identity")] {
        let mut peer = Wire::dial(&dealer.endpoint()).await;
        peer.greet().await;
        peer.send(&ready(&[(kind, b"ROUTER"), (identity, b"peer")])).await;
        let info = dealer.ready().await;
        assert_eq!(info.socket_type, Some(ferromq::SocketType::Router));
        assert_eq!(info.routing_id.map(|id| id.as_bytes().clone()), Some("peer".into()));
    }
    // It is what decides, however it is written.
    let mut peer = Wire::dial(&dealer.endpoint()).await;
    peer.greet().await;
    peer.send(&ready(&[("sOCKET-tYPE", b"PUSH")])).await;
    dealer.failed().await;
}

/// "The value SHALL be 0 to 2,147,483,647 (2^31-1 or INT32_MAX in C/C++) octets
/// of opaque binary data." A handshake is at most 8 KiB here, which is plenty;
/// one that claims more is closed before it is read.
#[tokio::test]
async fn departs_values_are_0_octets_to_what_fits_into_8_kib() {
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(plain()).await;
    let large = vec![0xFF; 8000];
    let mut push = Wire::dial(&pull.endpoint()).await;
    push.greet().await;
    push.send(&ready(&[("Socket-Type", b"PUSH"), ("X-0", b""), ("X-1", &large)])).await;
    let metadata = pull.ready().await.metadata;
    assert_eq!(metadata, [("X-0".to_owned(), "".into()), ("X-1".to_owned(), large.into())]);
    // Sizes beyond the end of the command.
    for size in [[0, 0, 0, 5], [0x7F, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF]] {
        let mut push = Wire::dial(&pull.endpoint()).await;
        push.greet().await;
        push.send(&command(&[&b"\x05READY\x0BSocket-Type"[..], &size, b"PUSH"].concat())).await;
        pull.failed().await;
        push.end().await;
    }
    let mut push = Wire::dial(&pull.endpoint()).await;
    push.greet().await;
    push.send(b"\x06\x00\x00\x00\x00\x80\x00\x00\x00\x05READY").await;
    let reason = pull.failed().await;
    assert!(
        matches!(reason, DisconnectReason::Fault(PeerFault::HandshakeTooLarge { .. })),
        "{reason}"
    );
}

/// "The value size field SHALL be four octets, in network byte order."
#[tokio::test]
async fn the_size_of_a_value_shall_be_four_octets_in_network_order() {
    let net = Net::tcp();
    let value = vec![b'v'; 0x0102];
    let options = SocketOptions::new().metadata("X-long", value.clone());
    let mut pull = net.bound::<PullSocket>(options).await;
    let mut push = Wire::dial(&pull.endpoint()).await;
    push.greet().await;
    let body = push.frame().await.body;
    let head = b"\x05READY\x0BSocket-Type\x00\x00\x00\x04PULL\x06X-long\x00\x00\x01\x02";
    assert!(body.starts_with(&[&head[..], &value].concat()));
    push.send(&ready(&[("Socket-Type", b"PUSH"), ("X-long", &value)])).await;
    assert_eq!(pull.ready().await.metadata, [("X-long".to_owned(), value.into())]);
    push.send(b"\x00\x05Hello").await;
    assert_eq!(pull.get().await, "Hello".into());
}
