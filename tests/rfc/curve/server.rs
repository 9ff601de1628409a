//! What the server SHALL do.

use std::collections::HashSet;

use ferromq::{
    Candidate, Denial, DisconnectReason, Mechanism, PeerFault, PullSocket, PushSocket,
    SocketOptions, Verdict,
};

use super::raw::{Client, PULL, PUSH};
use super::{fault, keys, server_options};
use crate::support::{Net, Receives, soon};
use crate::wire::Wire;

/// "The server SHALL respond to a valid HELLO command with a WELCOME command. This
/// command SHALL be 168 octets long" "This nonce SHALL be implicitly prefixed by the 8
/// characters "WELCOME-"" (by which the test opens it).
#[tokio::test]
async fn the_server_shall_respond_with_welcome() {
    let (net, server) = (Net::tcp(), keys());
    let pull = net.bound::<PullSocket>(server_options(&server)).await;
    let mut client = Client::dial(&pull.endpoint(), &server).await;
    assert_eq!(client.greet().await.len(), 168);
}

/// "When the server gets a valid HELLO command, it SHALL generate a new transient key
/// pair" "This nonce SHALL be unique for this server permanent key." "The server SHALL
/// generate a new cookie for each WELCOME command it sends."
#[tokio::test]
async fn keys_nonces_and_cookies_shall_be_new() {
    let (net, server) = (Net::tcp(), keys());
    let pull = net.bound::<PullSocket>(server_options(&server)).await;
    let (mut nonces, mut shorts, mut cookies) = (HashSet::new(), HashSet::new(), HashSet::new());
    for _ in 0..5 {
        let mut client = Client::dial(&pull.endpoint(), &server).await;
        assert!(nonces.insert(client.greet().await[8..24].to_vec()));
        assert!(shorts.insert(client.server_short));
        assert!(cookies.insert(client.cookie));
    }
}

/// "The server SHALL not keep this transient key pair" The connection keeps it, as it
/// keeps what else there is of it, so the cookie is of use in no other.
#[tokio::test]
async fn departs_the_server_keeps_its_key_pair_with_the_connection() {
    let (net, server) = (Net::tcp(), keys());
    let mut pull = net.bound::<PullSocket>(server_options(&server)).await;
    let mut first = Client::dial(&pull.endpoint(), &server).await;
    first.greet().await;
    let mut second = Client::dial(&pull.endpoint(), &server).await;
    second.short = first.short.clone();
    second.greet().await;
    // All that one needs who has no memory of the connection, there.
    let initiate = first.initiate(2, PUSH);
    second.say(&initiate).await;
    assert_eq!(second.wire.end().await, b"");
    assert_eq!(fault(&mut pull).await, PeerFault::NotAuthentic { command: "INITIATE" });
    first.say(&initiate).await;
    pull.ready().await;
}

/// "The server SHALL validate all fields and SHALL reject and disconnect clients who
/// send malformed HELLO commands."
#[tokio::test]
async fn the_server_shall_disconnect_after_a_malformed_hello() {
    let (net, server) = (Net::tcp(), keys());
    let mut pull = net.bound::<PullSocket>(server_options(&server)).await;
    for case in 0..8 {
        let mut client = Client::dial(&pull.endpoint(), &server).await;
        let mut hello = client.hello(1);
        match case {
            0 => drop(hello.pop()),
            1 => hello.push(0),
            2 => hello[6] = 2,
            3 => hello[7] = 1,
            4 => hello[90] ^= 1,
            5 => hello[119] ^= 1,
            6 => hello[150] ^= 1,
            _ => hello[80..112].fill(0),
        }
        client.say(&hello).await;
        assert_eq!(client.wire.end().await, b"", "{case}");
        let fault = fault(&mut pull).await;
        let is_expected = match case {
            2 | 3 => fault == PeerFault::MalformedCommand,
            7 => fault == PeerFault::WeakKey,
            _ => fault == PeerFault::NotAuthentic { command: "HELLO" },
        };
        assert!(is_expected, "{case}: {fault}");
    }
    let (_client, _) = Client::join(&pull.endpoint(), &server, PUSH).await;
    pull.ready().await;
}

/// The same sentence, and: the padding "SHALL be 70 octets, all zero". It has to be
/// there; what it is says nothing, and libzmq does not look at it.
#[tokio::test]
async fn departs_the_padding_of_hello_is_not_looked_at() {
    let (net, server) = (Net::tcp(), keys());
    let pull = net.bound::<PullSocket>(server_options(&server)).await;
    let mut client = Client::dial(&pull.endpoint(), &server).await;
    let mut hello = client.hello(1);
    hello[8..80].fill(0xFF);
    client.say(&hello).await;
    let welcome = client.wire.frame().await.body;
    // "ensures the HELLO command is larger than the WELCOME command"
    assert!(hello.len() > welcome.len());
    client.open_welcome(&welcome);
}

/// "the clients MUST know the server public key before they can connect."
#[tokio::test]
async fn clients_must_know_the_key_of_the_server() {
    let (net, server) = (Net::tcp(), keys());
    let mut pull = net.bound::<PullSocket>(server_options(&server)).await;
    let mut client = Client::dial(&pull.endpoint(), &keys()).await;
    let hello = client.hello(1);
    client.say(&hello).await;
    assert_eq!(client.wire.end().await, b"");
    assert_eq!(fault(&mut pull).await, PeerFault::NotAuthentic { command: "HELLO" });
}

/// "The server SHALL verify that a client connection does use correctly incrementing
/// short nonces, and SHALL disconnect clients that reuse a short nonce." (MESSAGE is
/// in `messages`.)
#[tokio::test]
async fn the_server_shall_verify_the_nonces_of_the_handshake() {
    let (net, server) = (Net::tcp(), keys());
    let mut pull = net.bound::<PullSocket>(server_options(&server)).await;
    for (first, second) in [(1, 1), (5, 4), (u64::MAX, 0)] {
        let mut client = Client::dial(&pull.endpoint(), &server).await;
        let hello = client.hello(first);
        client.say(&hello).await;
        let welcome = client.wire.frame().await.body;
        client.open_welcome(&welcome);
        let initiate = client.initiate(second, PUSH);
        client.say(&initiate).await;
        assert_eq!(client.wire.end().await, b"");
        assert_eq!(fault(&mut pull).await, PeerFault::Replayed);
    }
}

/// "The server SHALL validate all fields and SHALL reject and disconnect clients who
/// send malformed INITIATE commands."
#[tokio::test]
async fn the_server_shall_disconnect_after_a_malformed_initiate() {
    let (net, server) = (Net::tcp(), keys());
    let mut pull = net.bound::<PullSocket>(server_options(&server)).await;
    let other = keys();
    for case in 0..8 {
        let mut client = Client::dial(&pull.endpoint(), &server).await;
        client.greet().await;
        let mut initiate = client.initiate(2, PUSH);
        let (own, short) = (client.keys.clone(), client.short.public().as_bytes());
        let vouched = [&short[..], &client.server].concat();
        match case {
            0 => drop(initiate.pop()),
            1 => initiate.push(0),
            2 => initiate[30] ^= 1,
            3 => initiate[110] ^= 1,
            4 => initiate[150] ^= 1,
            // The vouch of somebody else; for another server; of another connection.
            5 => initiate = client.initiate_with(2, &other, &vouched, PUSH),
            6 => {
                let vouched = [&short[..], other.public().as_bytes()].concat();
                initiate = client.initiate_with(2, &own, &vouched, PUSH);
            }
            _ => {
                let vouched = [&other.public().as_bytes()[..], &client.server].concat();
                initiate = client.initiate_with(2, &own, &vouched, PUSH);
            }
        }
        client.say(&initiate).await;
        assert_eq!(client.wire.end().await, b"", "{case}");
        assert_eq!(fault(&mut pull).await, PeerFault::NotAuthentic { command: "INITIATE" });
    }
}

/// "The name SHALL be 1 to 255 characters. Zero-sized names are not valid." "The value
/// size field SHALL be four octets, in network order." What is malformed is told by an
/// ERROR, which "The server MAY" send.
#[tokio::test]
async fn the_server_shall_disconnect_after_malformed_metadata() {
    let (net, server) = (Net::tcp(), keys());
    let mut pull = net.bound::<PullSocket>(server_options(&server)).await;
    for metadata in [&b"\x00\x00\x00\x00\x00"[..], b"\x01x\x00\x00\x00\x05abc", b"\x01x\x00\x00"] {
        let mut client = Client::dial(&pull.endpoint(), &server).await;
        client.greet().await;
        let initiate = client.initiate(2, metadata);
        client.say(&initiate).await;
        assert_eq!(client.wire.end().await, b"\x04\x0A\x05ERROR\x03400");
        assert_eq!(fault(&mut pull).await, PeerFault::MalformedMetadata);
    }
    let longest = "N".repeat(255);
    let named = [&[0xFF], longest.as_bytes(), b"\x00\x00\x00\x00\x01n\x00\x00\x00\x01v"].concat();
    let (_client, _) = Client::join(&pull.endpoint(), &server, &named).await;
    let metadata = pull.ready().await.metadata;
    assert_eq!(metadata, [(longest, "".into()), ("n".to_owned(), "v".into())]);
}

/// "If the client passes authentication the server SHALL send a READY command" "This
/// command SHALL be at least 30 octets long" "The nonce SHALL be implicitly prefixed
/// with the 16 characters "CurveZMQREADY---"" "and MAY then immediately send MESSAGE
/// commands."
#[tokio::test]
async fn the_server_shall_send_ready_to_who_passes() {
    let (net, server) = (Net::tcp(), keys());
    let mut push = net.bound::<PushSocket>(server_options(&server)).await;
    let mut client = Client::dial(&push.endpoint(), &server).await;
    client.greet().await;
    assert!(push.try_send("too early").unwrap_err().is_would_block());
    let initiate = client.initiate(2, PULL);
    client.say(&initiate).await;
    let ready = client.wire.frame().await.body;
    let metadata = client.open_ready(&ready);
    assert_eq!(metadata, b"\x0BSocket-Type\x00\x00\x00\x04PUSH\x09X-Ferromq\x00\x00\x00\x011");
    assert_eq!(ready.len(), 30 + metadata.len());
    soon(push.send("Hello")).await.unwrap();
    assert_eq!(client.receive().await, (2, b"\0Hello".to_vec()));
    assert_eq!(push.ready().await.mechanism, Mechanism::Curve);
}

/// "To reject a client connection explicitly, a server SHALL send an ERROR command"
/// "A server SHALL indicate an authentication failure by sending an ERROR command back
/// to the client." "This command SHALL be 7 or more octets long". (Elsewhere "the
/// server SHALL not respond except by closing the connection", which it does at 300.)
#[tokio::test]
async fn the_server_shall_send_error_to_who_does_not_pass() {
    let net = Net::tcp();
    for (how, told) in [
        (Denial::Temporary, &b""[..]),
        (Denial::Unauthorized, b"\x04\x0A\x05ERROR\x03400"),
        (Denial::Internal, b"\x04\x0A\x05ERROR\x03500"),
    ] {
        let server = keys();
        let policy = move |_: &Candidate| Verdict::deny_with(how, "why");
        let options = SocketOptions::new().curve_server(server.clone(), policy);
        let mut pull = net.bound::<PullSocket>(options).await;
        let mut client = Client::dial(&pull.endpoint(), &server).await;
        client.greet().await;
        let initiate = client.initiate(2, PUSH);
        client.say(&initiate).await;
        let early = client.message(3, b"\0sneaky");
        client.wire.send(&early).await;
        assert_eq!(client.wire.end().await, told);
        let denied = PeerFault::Denied { how, reason: "why".into() };
        assert_eq!(fault(&mut pull).await, denied);
        assert!(pull.try_get().unwrap_err().is_would_block());
    }
}

/// "the server MAY authenticate the client based on its permanent public key C."
#[tokio::test]
async fn the_policy_sees_the_permanent_key() {
    let (net, server, known) = (Net::tcp(), keys(), keys());
    let allowed = *known.public();
    let policy = move |candidate: &Candidate| match candidate.credentials() {
        ferromq::Credentials::Curve(key) if *key == allowed => Verdict::accept_as("known"),
        _ => Verdict::deny("unknown"),
    };
    let options = SocketOptions::new().curve_server(server.clone(), policy);
    let mut pull = net.bound::<PullSocket>(options).await;
    let dial = |keys| SocketOptions::new().curve_client(keys, *server.public());
    let mut stranger = net.connecting::<PushSocket>(dial(keys()), &pull.endpoint());
    stranger.try_send("sneaky").unwrap();
    let reason = stranger.failed().await;
    let refused = PeerFault::RefusedUs { reason: "400".into() };
    assert!(matches!(&reason, DisconnectReason::Fault(it) if *it == refused), "{reason}");
    let friend = net.connecting::<PushSocket>(dial(known), &pull.endpoint());
    friend.try_send("Hello").unwrap();
    assert_eq!(pull.ready().await.user_id.as_deref(), Some("known"));
    assert_eq!(pull.get().await, "Hello".into());
    // Who claims the key of another, and cannot vouch for it.
    let mut liar = Client::dial(&pull.endpoint(), &server).await;
    liar.greet().await;
    let vouched = [&liar.short.public().as_bytes()[..], &liar.server].concat();
    let voucher = liar.keys.clone();
    let initiate = liar.claim(2, &allowed, &voucher, &vouched, PUSH);
    liar.say(&initiate).await;
    assert_eq!(liar.wire.end().await, b"");
}

/// "A client peer SHALL NOT send ERROR to the server." One that does is disconnected.
#[tokio::test]
async fn a_client_that_sends_error_is_disconnected() {
    let (net, server) = (Net::tcp(), keys());
    let mut pull = net.bound::<PullSocket>(server_options(&server)).await;
    let mut client = Client::dial(&pull.endpoint(), &server).await;
    client.greet().await;
    client.say(b"\x05ERROR\x00").await;
    assert_eq!(client.wire.end().await, b"");
    assert_eq!(fault(&mut pull).await, PeerFault::RefusedUs { reason: "".into() });
}

/// RFC 23: "The mechanism SHALL match exactly." Nobody gets a server to talk without
/// encryption.
#[tokio::test]
async fn nobody_comes_in_with_another_mechanism() {
    let (net, server) = (Net::tcp(), keys());
    let mut pull = net.bound::<PullSocket>(server_options(&server)).await;
    for mechanism in ["NULL", "PLAIN", "curve", "CURVE2", ""] {
        let mut wire = Wire::dial(&pull.endpoint()).await;
        let greeting = crate::wire::greeting_of(mechanism, false);
        let ready = crate::wire::ready(&[("Socket-Type", b"PUSH")]);
        wire.send(&[&greeting[..], &ready, b"\x00\x06sneaky"].concat()).await;
        wire.take(64).await;
        assert_eq!(wire.end().await, b"");
        let expected = PeerFault::MechanismMismatch { ours: "CURVE", theirs: mechanism.into() };
        assert_eq!(fault(&mut pull).await, expected);
    }
    assert!(pull.try_get().unwrap_err().is_would_block());
}
