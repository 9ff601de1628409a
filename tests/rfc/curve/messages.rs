//! "The MESSAGE Command", both ways.

use ferromq::{
    DisconnectReason, Message, MonitorEvent, PeerFault, PullSocket, PushSocket, RouterSocket,
};

use super::raw::{Client, PULL, PUSH, Server};
use super::{client_options, keys, server_options};
use crate::support::{Net, Node, Receives, soon};
use crate::wire::{Trap, frame};

async fn lost<S>(node: &mut Node<S>) -> PeerFault {
    let reason = node.event(|event| match event {
        MonitorEvent::Disconnected { reason, .. } => Some(reason),
        _ => None,
    });
    match reason.await {
        DisconnectReason::Fault(fault) => fault,
        reason => panic!("{reason}"),
    }
}

/// "This command SHALL be at least 33 octets long" "The nonce SHALL be implicitly
/// prefixed with the 16 characters "CurveZMQMESSAGES" (from server) or
/// "CurveZMQMESSAGEC" (from client)" "A value of 1 indicates that more messages will
/// follow."
#[tokio::test]
async fn messages_shall_be_sealed_frame_by_frame() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let push = net.connecting::<PushSocket>(client_options(&server), &trap.endpoint());
    let message: Message = ["", "a"].into_iter().collect();
    push.try_send(message.clone()).unwrap();
    let mut it = Server::join(&trap, &server, PULL).await;
    assert_eq!(it.receive().await, (3, b"\x01".to_vec()));
    assert_eq!(it.receive().await, (4, b"\x00a".to_vec()));
    let push = net.bound::<PushSocket>(server_options(&server)).await;
    let (mut it, _) = Client::join(&push.endpoint(), &server, PULL).await;
    soon(push.send(message)).await.unwrap();
    let first = it.wire.frame().await;
    assert_eq!((first.flags, first.body.len()), (0, 33));
    assert_eq!(it.receive().await, (3, b"\x00a".to_vec()));
}

/// The same sentences, the other way.
#[tokio::test]
async fn messages_shall_be_opened_frame_by_frame() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let pull = net.connecting::<PullSocket>(client_options(&server), &trap.endpoint());
    let mut it = Server::join(&trap, &server, PUSH).await;
    let octets = [it.message(2, b"\x01"), it.message(3, b"\x00a")].concat();
    it.wire.send(&octets).await;
    assert_eq!(pull.get().await, ["", "a"].into_iter().collect());
    let pull = net.bound::<PullSocket>(server_options(&server)).await;
    let (mut it, _) = Client::join(&pull.endpoint(), &server, PUSH).await;
    let large = vec![7; 100_000];
    let octets = [it.message(3, b"\x01"), it.message(4, &[&[0], &large[..]].concat())].concat();
    it.wire.send(&octets).await;
    let received = pull.get().await;
    assert_eq!(received.iter().map(|frame| frame.len()).collect::<Vec<_>>(), [0, 100_000]);
}

/// "Bits 7-1: Reserved. These bits are reserved for future use and MUST be zero." Bit
/// 1 says that it is a command, as with libzmq, which has heartbeats and subscriptions
/// in CURVE. The others are zero in what we send, and not looked at.
#[tokio::test]
async fn departs_bit_1_is_for_commands_and_the_others_are_not_looked_at() {
    let (net, server) = (Net::tcp(), keys());
    let pull = net.bound::<PullSocket>(server_options(&server)).await;
    let (mut it, _) = Client::join(&pull.endpoint(), &server, PUSH).await;
    let ping = it.message(3, b"\x02\x04PING\x00\x00sync");
    it.wire.send(&ping).await;
    assert_eq!(it.receive().await, (2, b"\x02\x04PONGsync".to_vec()));
    let message = it.message(4, b"\xFCHello");
    it.wire.send(&message).await;
    assert_eq!(pull.get().await, "Hello".into());
}

/// "The recipient SHALL validate all fields and SHALL reject and disconnect from peers
/// who send malformed MESSAGE commands. A server SHALL NOT send an ERROR command in
/// response to an invalid MESSAGE command." "The server SHALL verify that a client
/// connection does use correctly incrementing short nonces, and SHALL disconnect
/// clients that reuse a short nonce."
#[tokio::test]
async fn the_server_shall_disconnect_after_an_invalid_message() {
    let (net, server) = (Net::tcp(), keys());
    let mut pull = net.bound::<PullSocket>(server_options(&server)).await;
    for case in 0..9 {
        let (mut it, _) = Client::join(&pull.endpoint(), &server, PUSH).await;
        let good = it.message(3, b"\0good");
        let mut bad = it.message(4, b"\0bad");
        match case {
            0 => bad = good.clone(),
            1 => bad = it.message(2, b"\0bad"),
            2 => *bad.last_mut().unwrap() ^= 1,
            3 => bad[2] ^= 1,
            4 => bad = it.message(4, b""),
            5 => bad = frame(0, b"bad"),
            6 => bad = frame(0x04, b"\x04PING\x00\x00"),
            // As if many were left out; and of nobody.
            7 => bad[10..18].fill(0xFF),
            _ => bad = frame(0, &[0; 33]),
        }
        it.wire.send(&[good, bad, it.message(5, b"\0later")].concat()).await;
        assert_eq!(it.wire.end().await, b"", "{case}");
        assert_eq!(pull.get().await, "good".into(), "{case}");
        let fault = lost(&mut pull).await;
        let is_expected = match case {
            0 | 1 | 7 => fault == PeerFault::Replayed,
            2 => fault == PeerFault::NotAuthentic { command: "MESSAGE" },
            _ => fault == PeerFault::MalformedCommand,
        };
        assert!(is_expected, "{case}: {fault}");
        assert!(pull.try_get().unwrap_err().is_would_block(), "{case}");
    }
}

/// "The client SHALL verify that a server connection does use correctly incrementing
/// short nonces, and SHALL disconnect from servers that reuse a short nonce." READY
/// has the first of them.
#[tokio::test]
async fn the_client_shall_disconnect_after_an_invalid_message() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    for (numbers, received) in
        [([1, 2], false), ([2, 2], true), ([2, 1], true), ([2, 4], true), ([3, 2], false)]
    {
        let mut pull = net.connecting::<PullSocket>(client_options(&server), &trap.endpoint());
        let mut it = Server::join(&trap, &server, PUSH).await;
        let octets = numbers.map(|number| it.message(number, b"\0Hello")).concat();
        it.wire.send(&octets).await;
        assert_eq!(it.wire.end().await, b"");
        assert_eq!(lost(&mut pull).await, PeerFault::Replayed);
        if received {
            assert_eq!(pull.get().await, "Hello".into());
        }
        assert!(pull.try_get().unwrap_err().is_would_block());
    }
}

/// Nothing of what is said can be read, nor who says it, by who has no key.
#[tokio::test]
async fn nothing_shall_be_sent_in_the_clear() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let own = keys();
    let id = ferromq::RoutingId::new("my-secret-name").unwrap();
    let options = client_options(&server)
        .curve_client(own.clone(), *server.public())
        .routing_id(id)
        .metadata("X-Secret", "my-secret-data");
    let router = net.connecting::<RouterSocket>(options, &trap.endpoint());
    let mut it = Server::accept(&trap, &server).await;
    it.greet().await;
    let metadata = it.metadata.escape_ascii().to_string();
    assert!(metadata.contains("my-secret-name") && metadata.contains("my-secret-data"));
    let ready = it.ready(1, b"\x0BSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x01d");
    it.say(&ready).await;
    let octets = it.message(2, b"\0Hello");
    it.wire.send(&octets).await;
    let (id, _) = soon(router.recv()).await.unwrap();
    soon(router.send_to(&id, "my-secret-message")).await.unwrap();
    let message = it.wire.frame().await.body;
    for said in [&it.hello, &it.initiate, &message] {
        assert!(!said.windows(9).any(|window| window == b"my-secret"));
        assert!(!said.windows(32).any(|window| window == own.public().as_bytes()));
    }
}
