//! What the client SHALL do.

use std::collections::HashSet;
use std::time::Duration;

use ferromq::{DisconnectReason, MonitorEvent, PeerFault, PullSocket, PushSocket};

use super::raw::{PULL, Server};
use super::{client_options, fault, keys};
use crate::support::Net;
use crate::wire::{Trap, greeting_of};

/// RFC 25: "The CURVE mechanism uses the greeting as-server field to identify which
/// peer is "client" and which peer is "server"."
#[tokio::test]
async fn as_server_says_which_peer_is_the_server() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let _push = net.connecting::<PushSocket>(client_options(&server), &trap.endpoint());
    let mut wire = trap.accept().await;
    let theirs = wire.greet_with(&greeting_of("CURVE", true)).await;
    assert_eq!(theirs, greeting_of_ours(false));
    let pull = net.bound::<PullSocket>(super::server_options(&server)).await;
    let mut wire = crate::wire::Wire::dial(&pull.endpoint()).await;
    let theirs = wire.greet_with(&greeting_of("CURVE", false)).await;
    assert_eq!(theirs, greeting_of_ours(true));
}

/// The same with what ours has in the padding, as libzmq.
fn greeting_of_ours(is_server: bool) -> [u8; 64] {
    let mut octets = greeting_of("CURVE", is_server);
    octets[8] = 1;
    octets
}

/// "The client SHALL send a HELLO command after opening the stream connection. This
/// command SHALL be 200 octets long" "The CurveZMQ version number, which SHALL be the
/// two octets 1 and 0." "This SHALL be 70 octets, all zero." (72, as the grammar has
/// it.) "The nonce SHALL be implicitly prefixed with the 16 characters
/// "CurveZMQHELLO---"" "This SHALL contain 64 zero octets"
#[tokio::test]
async fn the_client_shall_send_hello() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let _push = net.connecting::<PushSocket>(client_options(&server), &trap.endpoint());
    let it = Server::accept(&trap, &server).await;
    assert_eq!(it.hello.len(), 200);
    assert_eq!(&it.hello[..8], b"\x05HELLO\x01\x00");
    assert_eq!(it.hello[8..80], [0; 72]);
    let number = u64::from_be_bytes(it.hello[112..120].try_into().unwrap());
    let nonce = super::nacl::short(b"CurveZMQHELLO---", number);
    let signature = super::nacl::open(&it.keys, &it.client_short, &nonce, &it.hello[120..]);
    assert_eq!(signature, [0; 64]);
}

/// "The client SHALL generate a unique key pair for each connection it creates to a
/// server. It SHALL discard this key pair when it closes the connection"
#[tokio::test]
async fn the_client_shall_generate_a_key_pair_for_each_connection() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let _push = net.connecting::<PushSocket>(client_options(&server), &trap.endpoint());
    let mut seen = HashSet::new();
    for _ in 0..5 {
        assert!(seen.insert(Server::accept(&trap, &server).await.client_short));
    }
}

/// "This nonce SHALL be an incrementing integer, and unique to each command within a
/// connection."
#[tokio::test]
async fn the_nonces_of_the_client_shall_increment() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let push = net.connecting::<PushSocket>(client_options(&server), &trap.endpoint());
    for number in 0..5 {
        push.try_send(number.to_string()).unwrap();
    }
    let mut it = Server::join(&trap, &server, PULL).await;
    assert_eq!(it.hello[112..120], 1_u64.to_be_bytes());
    assert_eq!(it.initiate[105..113], 2_u64.to_be_bytes());
    for number in 0..5_u64 {
        assert_eq!(it.receive().await, (3 + number, format!("\0{number}").into_bytes()));
    }
}

/// "The client SHALL respond to a valid WELCOME with an INITIATE command. This command
/// SHALL be at least 257 octets long" with cookie, nonce, and in its box C, vouch and
/// metadata. (The prefixes SHALL be those by which the test opens the boxes.)
#[tokio::test]
async fn the_client_shall_respond_with_initiate() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let own = keys();
    let options = client_options(&server).curve_client(own.clone(), *server.public());
    let _push = net.connecting::<PushSocket>(options, &trap.endpoint());
    let mut it = Server::accept(&trap, &server).await;
    it.greet().await;
    assert_eq!(&it.initiate[..9], b"\x08INITIATE");
    assert_eq!(it.initiate[9..105], [9; 96], "the cookie");
    assert_eq!(it.client, *own.public().as_bytes());
    assert_eq!(it.metadata, b"\x0BSocket-Type\x00\x00\x00\x04PUSH\x09X-Ferromq\x00\x00\x00\x011");
    assert_eq!(it.initiate.len(), 257 + it.metadata.len());
}

/// "This nonce SHALL be unique for all INITIATE commands from this client permanent
/// key." It is in the box, with the key, so what is seen are the boxes.
#[tokio::test]
async fn the_vouch_shall_differ_each_time() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let _push = net.connecting::<PushSocket>(client_options(&server), &trap.endpoint());
    let mut seen = HashSet::new();
    for _ in 0..5 {
        let mut it = Server::accept(&trap, &server).await;
        it.greet().await;
        let number = super::nacl::short(b"CurveZMQINITIATE", 2);
        let plain = super::nacl::open(&it.short, &it.client_short, &number, &it.initiate[113..]);
        assert!(seen.insert(plain[32..48].to_vec()));
    }
}

/// "The client SHALL validate all fields and SHALL disconnect from servers that send
/// malformed WELCOME commands."
#[tokio::test]
async fn the_client_shall_disconnect_after_a_malformed_welcome() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let other = keys();
    for case in 0..6 {
        let mut push = net.connecting::<PushSocket>(client_options(&server), &trap.endpoint());
        let mut it = Server::accept(&trap, &server).await;
        let mut welcome = it.welcome();
        let short = it.short.public().as_bytes();
        match case {
            0 => drop(welcome.pop()),
            1 => welcome.push(0),
            2 => welcome[100] ^= 1,
            3 => welcome[20] ^= 1,
            4 => welcome = it.welcome_of(&[&short[..], &[9; 95]].concat()),
            // A server that has another key.
            _ => {
                it.keys = other.clone();
                welcome = it.welcome();
            }
        }
        it.say(&welcome).await;
        assert_eq!(it.wire.end().await, b"", "{case}");
        let fault = fault(&mut push).await;
        let is_expected = match case {
            4 => matches!(fault, PeerFault::MalformedCommand),
            _ => fault == PeerFault::NotAuthentic { command: "WELCOME" },
        };
        assert!(is_expected, "{case}: {fault}");
        drop(push);
    }
}

/// "The client SHALL validate all fields and SHALL disconnect from servers who send
/// malformed READY commands."
#[tokio::test]
async fn the_client_shall_disconnect_after_a_malformed_ready() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    for case in 0..6 {
        let mut push = net.connecting::<PushSocket>(client_options(&server), &trap.endpoint());
        let mut it = Server::accept(&trap, &server).await;
        it.greet().await;
        let mut ready = it.ready(1, PULL);
        match case {
            0 => drop(ready.pop()),
            1 => ready.push(0),
            2 => ready[20] ^= 1,
            3 => ready[13] ^= 1,
            4 => ready = it.ready(1, b"\x00"),
            _ => ready = it.ready(1, b"\x0BSocket-Type\x00\x00\x00\x03SUB"),
        }
        it.say(&ready).await;
        assert_eq!(it.wire.end().await, b"", "{case}");
        let fault = fault(&mut push).await;
        let is_expected = match case {
            4 => matches!(fault, PeerFault::MalformedMetadata),
            5 => matches!(fault, PeerFault::IncompatibleSocketType { .. }),
            _ => fault == PeerFault::NotAuthentic { command: "READY" },
        };
        assert!(is_expected, "{case}: {fault}");
        drop(push);
    }
}

/// "A client peer SHALL NOT send ERROR to the server." Whatever the server does: what
/// the tests above read to the end is nothing, and here it is the metadata.
#[tokio::test]
async fn a_client_shall_not_send_error() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let mut push = net.connecting::<PushSocket>(client_options(&server), &trap.endpoint());
    let mut it = Server::accept(&trap, &server).await;
    it.greet().await;
    let ready = it.ready(1, b"\x0BSocket-Type\x00\x00\x00\x03FOO");
    it.say(&ready).await;
    assert_eq!(it.wire.end().await, b"");
    assert_eq!(fault(&mut push).await, PeerFault::UnknownSocketType { name: "FOO".into() });
}

/// "This is considered a hard error, and the client SHALL NOT try to reconnect using
/// the same credentials." It does, slowly: who may come in may change.
#[tokio::test]
async fn departs_the_client_reconnects_slowly_after_error() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let mut push = net.connecting::<PushSocket>(client_options(&server), &trap.endpoint());
    for least in [1, 2] {
        let mut it = Server::accept(&trap, &server).await;
        it.greet().await;
        it.say(b"\x05ERROR\x03400").await;
        let (reason, delay) = push
            .event(|event| match event {
                MonitorEvent::Retrying { reason, delay, .. } => Some((reason, delay)),
                _ => None,
            })
            .await;
        let refused = PeerFault::RefusedUs { reason: "400".into() };
        assert!(matches!(&reason, DisconnectReason::Fault(it) if *it == refused), "{reason}");
        assert!(delay >= Duration::from_secs(least), "{delay:?}");
    }
}

/// "Either peer can silently close their side of the connection at any time […] the
/// disconnected peer MAY retry a connection after some suitable interval."
#[tokio::test]
async fn the_client_retries_soon_after_a_silent_close() {
    let (net, server, trap) = (Net::tcp(), keys(), Trap::new().await);
    let push = net.connecting::<PushSocket>(client_options(&server), &trap.endpoint());
    push.try_send("Hello").unwrap();
    drop(Server::accept(&trap, &server).await);
    let mut it = Server::accept(&trap, &server).await;
    it.greet().await;
    drop(it);
    let mut it = Server::join(&trap, &server, PULL).await;
    assert_eq!(it.receive().await, (3, b"\0Hello".to_vec()));
}
