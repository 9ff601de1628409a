//! RFC 24, which has no SHALL: a sentence of "Implementation" each.

use std::time::Duration;

use ferromq::{
    Candidate, Credentials, Denial, DisconnectReason, Mechanism, MonitorEvent, PeerFault, Policy,
    PullSocket, PushSocket, SocketOptions, Verdict,
};

use crate::support::{Net, Node, Receives};
use crate::wire::{Trap, Wire, command, frame, greeting_of, ready};

const HELLO: &[u8] = b"\x04\x13\x05HELLO\x05admin\x06secret";
const WELCOME: &[u8] = b"\x04\x08\x07WELCOME";
const INITIATE: &[u8] =
    b"\x04\x2C\x08INITIATE\x0BSocket-Type\x00\x00\x00\x04PUSH\x09X-Ferromq\x00\x00\x00\x011";
const READY: &[u8] =
    b"\x04\x29\x05READY\x0BSocket-Type\x00\x00\x00\x04PULL\x09X-Ferromq\x00\x00\x00\x011";
const ERROR_400: &[u8] = b"\x04\x0A\x05ERROR\x03400";

fn policy(candidate: &Candidate) -> Verdict {
    match candidate.credentials() {
        Credentials::Plain(who) if who.is("admin", "secret") => Verdict::accept_as("admin"),
        _ => Verdict::deny("wrong name or password"),
    }
}

fn server() -> SocketOptions {
    SocketOptions::new().plain_server(policy)
}

fn client() -> SocketOptions {
    SocketOptions::new()
        .plain_client("admin", "secret")
        .reconnect_interval(Duration::from_millis(1))
}

async fn dial(pull: &Node<PullSocket>) -> Wire {
    let mut wire = Wire::dial(&pull.endpoint()).await;
    wire.greet_with(&greeting_of("PLAIN", false)).await;
    wire
}

async fn accept(trap: &Trap) -> Wire {
    let mut wire = trap.accept().await;
    wire.greet_with(&greeting_of("PLAIN", true)).await;
    wire
}

/// "The PLAIN mechanism uses the greeting as-server field to identify which peer is
/// "client" and which peer is "server"."
#[tokio::test]
async fn as_server_says_which_peer_is_the_server() {
    let net = Net::tcp();
    let pull = net.bound::<PullSocket>(server()).await;
    let mut wire = Wire::dial(&pull.endpoint()).await;
    assert_eq!(wire.greet_with(&greeting_of("PLAIN", false)).await[32], 1);
    let trap = Trap::new().await;
    let _push = net.connecting::<PushSocket>(client(), &trap.endpoint());
    let mut wire = trap.accept().await;
    assert_eq!(wire.greet_with(&greeting_of("PLAIN", true)).await[32], 0);
}

/// The same sentence. libzmq never says that it is a server, so a client does not
/// insist on it; nor a server that a client is none.
#[tokio::test]
async fn departs_as_server_is_not_looked_at() {
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(server()).await;
    let mut wire = Wire::dial(&pull.endpoint()).await;
    wire.greet_with(&greeting_of("PLAIN", true)).await;
    wire.send(HELLO).await;
    wire.expect(WELCOME).await;
    wire.send(INITIATE).await;
    pull.ready().await;
    let trap = Trap::new().await;
    let _push = net.connecting::<PushSocket>(client(), &trap.endpoint());
    let mut wire = trap.accept().await;
    wire.greet_with(&greeting_of("PLAIN", false)).await;
    wire.expect(HELLO).await;
}

/// "The client authenticates itself to the server by sending a HELLO command." Of
/// that nothing is sent to a peer that has not greeted.
#[tokio::test]
async fn the_client_sends_hello() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let _push = net.connecting::<PushSocket>(client(), &trap.endpoint());
    let mut silent = trap.accept().await;
    silent.take(64).await;
    silent.finish().await;
    assert_eq!(silent.end().await, b"");
    accept(&trap).await.expect(HELLO).await;
}

/// "The server accepts or rejects this authentication. If it accepts it, it replies
/// with a WELCOME command." "The server responds with a READY command."
#[tokio::test]
async fn the_server_replies_with_welcome_and_ready() {
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(server()).await;
    let mut wire = dial(&pull).await;
    wire.send(HELLO).await;
    wire.expect(WELCOME).await;
    wire.send(INITIATE).await;
    wire.expect(READY).await;
    let peer = pull.ready().await;
    assert_eq!((peer.mechanism, peer.user_id.as_deref()), (Mechanism::Plain, Some("admin")));
}

/// "Otherwise, it closes the connection." It says `400` before, as the grammar has
/// it: "( S:welcome | S:error )".
#[tokio::test]
async fn the_server_closes_the_connection_of_who_is_rejected() {
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(server()).await;
    for body in
        [&b"\x05HELLO\x05admin\x06Secret"[..], b"\x05HELLO\x00\x00", b"\x05HELLO\x05admin\x00"]
    {
        let mut wire = dial(&pull).await;
        wire.send(&command(body)).await;
        assert_eq!(wire.end().await, ERROR_400);
        let reason = pull.failed().await;
        let DisconnectReason::Fault(PeerFault::Denied { how: Denial::Unauthorized, reason }) =
            reason
        else {
            panic!("{reason}");
        };
        assert_eq!(reason, "wrong name or password");
    }
    assert!(pull.try_get().unwrap_err().is_would_block());
}

/// "The client then sends an INITIATE command, which the server parses and
/// validates."
#[tokio::test]
async fn the_server_validates_initiate() {
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(server()).await;
    for metadata in
        [&b"\x00"[..], b"\x0BSocket-Type\x00\x00\x00\x03SUB", b"\x01x\x00\x00\x00\x05abc"]
    {
        let mut wire = dial(&pull).await;
        wire.send(HELLO).await;
        wire.expect(WELCOME).await;
        wire.send(&command(&[b"\x08INITIATE", metadata].concat())).await;
        assert_eq!(wire.end().await, ERROR_400);
        let reason = pull.failed().await;
        assert!(matches!(reason, DisconnectReason::Fault(_)), "{reason}");
    }
}

/// "The client MAY send messages after receiving a READY command from the server."
/// Before, it sends none.
#[tokio::test]
async fn the_client_sends_messages_after_ready() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let push = net.connecting::<PushSocket>(client(), &trap.endpoint());
    push.try_send("Hello").unwrap();
    let mut wire = accept(&trap).await;
    wire.expect(HELLO).await;
    wire.send(WELCOME).await;
    wire.expect(INITIATE).await;
    // It is waiting: a handshake that is given up here ends without a message.
    wire.finish().await;
    assert_eq!(wire.end().await, b"");
    let mut wire = accept(&trap).await;
    wire.expect(HELLO).await;
    wire.send(WELCOME).await;
    wire.expect(INITIATE).await;
    wire.send(READY).await;
    wire.expect(b"\x00\x05Hello").await;
}

/// "The server MAY start to send messages immediately after sending a READY command."
/// Before, it sends none.
#[tokio::test]
async fn the_server_sends_messages_after_ready() {
    let net = Net::tcp();
    let push = net.bound::<PushSocket>(server()).await;
    let mut wire = Wire::dial(&push.endpoint()).await;
    wire.greet_with(&greeting_of("PLAIN", false)).await;
    wire.send(HELLO).await;
    wire.expect(WELCOME).await;
    assert!(push.try_send("too early").unwrap_err().is_would_block());
    wire.send(&command(b"\x08INITIATE\x0BSocket-Type\x00\x00\x00\x04PULL")).await;
    assert!(wire.frame().await.body.starts_with(b"\x05READY"));
    crate::support::soon(push.send("Hello")).await.unwrap();
    wire.expect(b"\x00\x05Hello").await;
}

/// "plain = C:hello ( S:welcome | S:error ) C:initiate ( S:ready | S:error )
/// *( C:message | S:message )" A message of who has not been let in is received by
/// nobody, nor is it kept.
#[tokio::test]
async fn messages_come_after_the_handshake_only() {
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(server()).await;
    let ready = ready(&[("Socket-Type", b"PUSH")]);
    for said in [&b""[..], INITIATE, &ready, WELCOME] {
        let mut wire = dial(&pull).await;
        wire.send(&[said, &frame(0, b"\x08sneaky!!")].concat()).await;
        assert_eq!(wire.end().await, b"");
        let reason = pull.failed().await;
        assert!(
            matches!(reason, DisconnectReason::Fault(PeerFault::UnexpectedInHandshake { .. })),
            "{reason}"
        );
    }
    assert!(pull.try_get().unwrap_err().is_would_block());
    // One that has been let in has all it says received, also in one piece.
    let mut wire = dial(&pull).await;
    wire.send(&[HELLO, INITIATE, &frame(0, b"Hello")].concat()).await;
    assert_eq!(pull.get().await, "Hello".into());
    wire.expect(&[WELCOME, READY].concat()).await;
}

/// "username = OCTET *VCHAR" "password = OCTET *VCHAR" Any octets are let through to
/// the policy, which knows what it has set.
#[tokio::test]
async fn departs_names_and_passwords_are_any_octets() {
    let net = Net::tcp();
    let odd = [0_u8, 0xFF, b'\n'];
    let policy = move |candidate: &Candidate| match candidate.credentials() {
        Credentials::Plain(who) if who.is(odd, vec![0x80; 255]) => Verdict::accept(),
        _ => Verdict::deny("another"),
    };
    let mut pull = net.bound::<PullSocket>(SocketOptions::new().plain_server(policy)).await;
    let options = SocketOptions::new().plain_client(odd, vec![0x80; 255]);
    net.connected::<PushSocket>(options, &mut pull).await;
}

/// "hello = command-size %d5 "HELLO" username password" Nothing comes after, and the
/// lengths add up.
#[tokio::test]
async fn hello_is_as_long_as_it_says() {
    let net = Net::tcp();
    let mut pull =
        net.bound::<PullSocket>(SocketOptions::new().plain_server(Policy::allow_any())).await;
    for body in [
        &b"\x05HELLO"[..],
        b"\x05HELLO\x05admin",
        b"\x05HELLO\x05admin\x07secret",
        b"\x05HELLO\x05admin\x05secret",
        b"\x05HELLO\xFFadmin\x06secret",
    ] {
        let mut wire = dial(&pull).await;
        wire.send(&command(body)).await;
        assert_eq!(wire.end().await, b"");
        let reason = pull.failed().await;
        assert!(matches!(reason, DisconnectReason::Fault(PeerFault::MalformedCommand)), "{reason}");
    }
}

/// "welcome = command-size %d7 "WELCOME""
#[tokio::test]
async fn welcome_has_nothing_after_its_name() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let mut push = net.connecting::<PushSocket>(client(), &trap.endpoint());
    let mut wire = accept(&trap).await;
    wire.expect(HELLO).await;
    wire.send(&command(b"\x07WELCOME\x00")).await;
    assert_eq!(wire.end().await, b"");
    let reason = push.failed().await;
    assert!(matches!(reason, DisconnectReason::Fault(PeerFault::MalformedCommand)), "{reason}");
}

/// "( S:ready | S:error )" and, of RFC 23, "not re-connecting using the same security
/// credentials": as after any ERROR it does, slowly.
#[tokio::test]
async fn departs_the_client_comes_back_slowly_after_error() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let mut push = net.connecting::<PushSocket>(client(), &trap.endpoint());
    let mut wire = accept(&trap).await;
    wire.expect(HELLO).await;
    wire.send(ERROR_400).await;
    assert_eq!(wire.end().await, b"");
    let (reason, delay) = push
        .event(|event| match event {
            MonitorEvent::Retrying { reason, delay, .. } => Some((reason, delay)),
            _ => None,
        })
        .await;
    let DisconnectReason::Fault(PeerFault::RefusedUs { reason }) = reason else {
        panic!("{reason}");
    };
    assert_eq!(reason, "400");
    assert!(delay >= Duration::from_secs(1), "{delay:?}");
}

/// RFC 23: "The mechanism SHALL match exactly." A password is said to nobody who
/// wants none, or another one.
#[tokio::test]
async fn the_password_is_not_said_to_who_wants_no_plain() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let mut push = net.connecting::<PushSocket>(
        client().reconnect_interval(Duration::from_millis(1)),
        &trap.endpoint(),
    );
    let mut wire = trap.accept().await;
    let theirs = [greeting_of("NULL", true), greeting_of("NULL", false)].concat();
    wire.send(&theirs).await;
    wire.take(64).await;
    assert_eq!(wire.end().await, b"");
    let reason = push.failed().await;
    let expected = PeerFault::MechanismMismatch { ours: "PLAIN", theirs: "NULL".into() };
    assert!(matches!(&reason, DisconnectReason::Fault(fault) if *fault == expected), "{reason}");
}
