//! What is said of peers that a policy does not let in, and what of a policy that
//! fails.

use std::time::Duration;

use ferromq::{
    Candidate, Credentials, Denial, DisconnectReason, Endpoint, MonitorEvent, PeerFault, Policy,
    PullSocket, PushSocket, SocketOptions, Verdict,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::common::events::Events;
use crate::common::log::Log;
use crate::common::{Transport, quick, raw, within};

const ERROR_400: &[u8] = b"\x05ERROR\x03400";
const ERROR_500: &[u8] = b"\x05ERROR\x03500";

/// Lets in `admin` with his password. Fails over names that are no text.
fn policy(candidate: &Candidate) -> Verdict {
    let Credentials::Plain(who) = candidate.credentials() else { panic!("it is PLAIN") };
    std::str::from_utf8(who.username()).expect("a name is text");
    if who.is("admin", "secret") { Verdict::accept() } else { Verdict::deny("who is that") }
}

/// The same, some time later.
fn waiting_policy() -> Policy {
    Policy::from_async(|candidate| async move {
        tokio::task::yield_now().await;
        policy(&candidate)
    })
}

fn client() -> SocketOptions {
    quick().plain_client("admin", "secret")
}

/// Says a name and a password of five octets each.
async fn say_hello(stream: &mut TcpStream, name: &[u8; 5], password: &[u8; 5]) {
    let mut plain = raw::GREETING;
    plain[12..17].copy_from_slice(b"PLAIN");
    let hello = [b"\x04\x12\x05HELLO\x05", &name[..], b"\x05", password].concat();
    within(stream.write_all(&[&plain[..], &hello].concat())).await.unwrap();
}

async fn greeting(stream: &mut TcpStream) {
    within(stream.read_exact(&mut [0; 64])).await.unwrap();
}

/// Waits for the greeting of the other, and the command that follows it.
async fn hear(stream: &mut TcpStream) -> Vec<u8> {
    greeting(stream).await;
    raw::read_frame(stream).await.1
}

#[track_caller]
fn is_denied(reason: &DisconnectReason, how: Denial, why: &str) {
    let denied = PeerFault::Denied { how, reason: why.to_owned() };
    assert!(matches!(reason, DisconnectReason::Fault(fault) if *fault == denied), "{reason}");
}

async fn pulling(options: SocketOptions) -> (PullSocket, Events, Endpoint) {
    let pull = PullSocket::with_options(options);
    let events = Events::from(pull.monitor());
    let endpoint = pull.bind(Transport::Tcp.any()).await.unwrap();
    (pull, events, endpoint)
}

/// Somebody with the right password comes in.
async fn is_open(pull: &PullSocket, endpoint: &Endpoint) {
    let push = PushSocket::with_options(client());
    push.connect(endpoint).unwrap();
    within(push.send("in")).await.unwrap();
    assert_eq!(within(pull.recv()).await.unwrap(), "in".into());
}

/// One that is refused is heard out for a second. That is not to go into the time of
/// the handshake, or whoever guesses late is a peer that was merely slow.
#[tokio::test]
async fn a_guess_shortly_before_the_deadline_is_no_timeout() {
    for policy in [Policy::from(policy), waiting_policy()] {
        let brief = quick().handshake_timeout(Duration::from_millis(600));
        let (_pull, mut events, endpoint) = pulling(brief.plain_server(policy)).await;
        let mut stream = raw::connect(&endpoint).await;
        say_hello(&mut stream, b"admin", b"guess").await;
        assert_eq!(hear(&mut stream).await, ERROR_400);
        is_denied(&events.handshake_failed().await, Denial::Unauthorized, "who is that");
        drop(stream);
    }
}

/// Nor may what ends a handshake that is under way, too many of them or the end of the
/// listener, take the place of what was found out.
#[tokio::test]
async fn who_has_heard_that_it_is_denied_has_been_reported() {
    let options = quick().handshake_timeout(None).plain_server(policy);
    let (pull, mut events, endpoint) = pulling(options).await;
    let mut stream = raw::connect(&endpoint).await;
    say_hello(&mut stream, b"admin", b"guess").await;
    assert_eq!(hear(&mut stream).await, ERROR_400);
    within(pull.unbind(&endpoint)).await.unwrap();
    is_denied(&events.handshake_failed().await, Denial::Unauthorized, "who is that");
    drop(stream);
}

#[tokio::test]
async fn a_policy_that_panics_lets_nobody_in_and_harms_nobody_else() {
    for policy in [Policy::from(policy), waiting_policy(), Policy::allow_any().and(policy)] {
        let (pull, mut events, endpoint) = pulling(quick().plain_server(policy)).await;
        for _ in 0..3 {
            let mut stream = raw::connect(&endpoint).await;
            say_hello(&mut stream, b"adm\xffn", b"guess").await;
            assert_eq!(hear(&mut stream).await, ERROR_500);
            is_denied(&events.handshake_failed().await, Denial::Internal, "the policy panicked");
        }
        is_open(&pull, &endpoint).await;
    }
}

/// What a policy of this kind waits with may panic too when it is dropped.
#[tokio::test]
async fn a_policy_that_panics_when_it_is_given_up_harms_nobody_else() {
    struct Falls;
    impl Drop for Falls {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "on purpose");
        }
    }
    let policy = Policy::from_async(|candidate| async move {
        if !policy(&candidate).is_accept() {
            let _falls = Falls;
            std::future::pending::<()>().await;
        }
        Verdict::accept()
    });
    let options = quick().handshake_timeout(Duration::from_millis(300)).plain_server(policy);
    let (pull, mut events, endpoint) = pulling(options).await;
    let mut stream = raw::connect(&endpoint).await;
    say_hello(&mut stream, b"admin", b"guess").await;
    let reason = events.handshake_failed().await;
    assert!(matches!(reason, DisconnectReason::HandshakeTimeout), "{reason}");
    is_open(&pull, &endpoint).await;
}

#[tokio::test]
async fn a_server_that_dials_survives_the_panic_of_its_policy() {
    for immediate in [false, true] {
        let (listener, endpoint) = raw::listener().await;
        let push = PushSocket::with_options(quick().immediate(immediate).plain_server(policy));
        let mut events = Events::from(push.monitor());
        push.connect(&endpoint).unwrap();
        let mut stream = raw::accept(&listener).await;
        say_hello(&mut stream, b"adm\xffn", b"guess").await;
        assert_eq!(hear(&mut stream).await, ERROR_500);
        is_denied(&events.handshake_failed().await, Denial::Internal, "the policy panicked");
        drop((stream, listener));
        let pull = PullSocket::with_options(client());
        within(pull.bind(&endpoint)).await.unwrap();
        within(push.send("back")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "back".into());
    }
}

/// However a peer sends what it sends while a policy decides about it.
#[tokio::test]
async fn a_policy_is_given_up_when_a_peer_that_trickles_leaves() {
    struct Says(mpsc::UnboundedSender<()>);
    impl Drop for Says {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (sender, mut dropped) = mpsc::unbounded_channel();
    let policy = Policy::from_async(move |_| {
        let says = Says(sender.clone());
        async move {
            let _says = says;
            std::future::pending::<Verdict>().await
        }
    });
    let options = quick().handshake_timeout(None).plain_server(policy);
    let (_pull, mut events, endpoint) = pulling(options).await;
    let mut stream = raw::connect(&endpoint).await;
    stream.set_nodelay(true).unwrap();
    say_hello(&mut stream, b"admin", b"guess").await;
    for octet in *b"\x04\x40\x08INITIATE\x00" {
        // Each in a segment of its own, and a read.
        tokio::time::sleep(Duration::from_millis(20)).await;
        within(stream.write_all(&[octet])).await.unwrap();
    }
    // Having read all, or its end would be a reset.
    greeting(&mut stream).await;
    drop(stream);
    let reason = events.handshake_failed().await;
    assert!(matches!(reason, DisconnectReason::PeerClosed), "{reason}");
    within(dropped.recv()).await.unwrap();
}

/// The log has to name who guesses passwords, as the event does.
#[tokio::test]
async fn the_log_says_who_was_denied_and_from_where() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let (_pull, mut events, endpoint) = pulling(quick().plain_server(policy)).await;
    let mut stream = raw::connect(&endpoint).await;
    let from = format!("tcp://{}", stream.local_addr().unwrap());
    say_hello(&mut stream, b"admin", b"guess").await;
    let address = events
        .find(|event| match event {
            MonitorEvent::HandshakeFailed { address, .. } => Some(address),
            _ => None,
        })
        .await;
    assert_eq!(address, from);
    let lines = log.lines().join("\n");
    assert!(lines.contains("INFO") && lines.contains("who is that"), "{lines}");
    assert!(lines.contains(&format!("address={from}")), "{lines}");
}

/// No call fails for that, so the log says it to whoever watches no monitor: once.
#[tokio::test]
async fn the_log_of_a_client_says_once_that_it_is_not_let_in() {
    for (how, told) in [
        (Denial::Temporary, "are the keys or credentials right?"),
        (Denial::Unauthorized, "it does not let us in with these keys or credentials"),
    ] {
        let log = Log::default();
        let _guard = tracing::subscriber::set_default(log.clone());
        let policy = move |_: &Candidate| Verdict::deny_with(how, "nobody");
        let (_pull, _, endpoint) = pulling(quick().plain_server(policy)).await;
        let push = PushSocket::with_options(client());
        let mut events = Events::from(push.monitor());
        push.connect(&endpoint).unwrap();
        for _ in 0..2 {
            events.retrying().await;
        }
        let lines = log.lines();
        assert_eq!(log.warnings(), 1, "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("WARN") && line.contains(told)), "{lines:?}");
    }
}
