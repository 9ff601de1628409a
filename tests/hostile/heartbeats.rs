//! Peers that fall silent, and ours that ask whether they are there.

use std::time::Duration;

use ferromq::{DisconnectReason, PullSocket, SocketOptions};

use crate::raw::{COMMAND, Raw, command, command_body, frame, greeting_of, prelude, ready};
use crate::victim::{End, Scene, Side, listen, meet, next_end, next_ready, probe, within};

const INTERVAL: Duration = Duration::from_millis(100);

fn beating() -> SocketOptions {
    SocketOptions::new().heartbeat_interval(INTERVAL)
}

#[tokio::test]
async fn a_peer_that_was_never_heard_is_given_up() {
    for side in Side::BOTH {
        let Scene { pull, mut monitor, endpoint, mut raw } = meet(side, &beating()).await;
        raw.shake(&prelude("PUSH")).await;
        let end = next_end(&mut monitor).await;
        assert!(matches!(end, End::Traffic(DisconnectReason::HeartbeatTimeout)), "{end:?}");
        let said = raw.closed().await;
        assert!(said.starts_with(&command("PING", b"\0\0")), "{}", said.escape_ascii());
        assert!(probe(&pull, &endpoint).await.is_empty());
    }
}

/// That it was heard once is no sign of life later.
#[tokio::test]
async fn a_peer_that_falls_silent_is_given_up() {
    for side in Side::BOTH {
        let Scene { pull, mut monitor, endpoint, mut raw } = meet(side, &beating()).await;
        raw.shake(&prelude("PUSH")).await;
        raw.send(&frame(0, "last words")).await;
        let end = next_end(&mut monitor).await;
        assert!(matches!(end, End::Traffic(DisconnectReason::HeartbeatTimeout)), "{end:?}");
        raw.closed().await;
        assert_eq!(probe(&pull, &endpoint).await, ["last words".into()]);
    }
}

/// The task that begins to read is relieved by a receiver before it is done.
#[tokio::test]
async fn a_peer_that_falls_silent_after_many_messages_is_given_up() {
    for side in Side::BOTH {
        let Scene { pull, mut monitor, mut raw, .. } = meet(side, &beating()).await;
        let receiver = pull.clone();
        let receiving = tokio::spawn(async move { while receiver.recv().await.is_ok() {} });
        let many = frame(0, "m").repeat(500);
        raw.shake(&[prelude("PUSH"), many].concat()).await;
        let end = next_end(&mut monitor).await;
        assert!(matches!(end, End::Traffic(DisconnectReason::HeartbeatTimeout)), "{end:?}");
        receiving.abort();
    }
}

/// Answered or not, whoever says anything is alive.
#[tokio::test]
async fn a_peer_that_answers_or_talks_is_kept() {
    for answer in [command("PONG", ""), frame(0, "I am here"), command("WHATEVER", "")] {
        let Scene { pull, mut monitor, endpoint, mut raw } = meet(Side::Bound, &beating()).await;
        raw.shake(&prelude("PUSH")).await;
        next_ready(&mut monitor).await;
        for _ in 0..5 {
            assert_eq!(raw.frame().await, (COMMAND, command_body("PING", b"\0\0")));
            raw.send(&answer).await;
        }
        let others = probe(&pull, &endpoint).await.len();
        assert!(others == 0 || others == 5, "{others}");
    }
}

/// ZMTP 3.0 has no PING: such a peer is not asked, and may be silent.
#[tokio::test]
async fn a_peer_of_3_0_is_not_asked() {
    let Scene { pull, mut monitor, endpoint, mut raw } = meet(Side::Bound, &beating()).await;
    raw.shake(&[greeting_of(3, 0, b"NULL"), ready("PUSH")].concat()).await;
    next_ready(&mut monitor).await;
    let ended = tokio::time::timeout(4 * INTERVAL, next_end(&mut monitor)).await;
    assert!(ended.is_err(), "{ended:?}");
    raw.send(&frame(0, "old and quiet")).await;
    raw.finish().await;
    assert!(raw.closed().await.is_empty(), "nothing was said to it");
    assert_eq!(probe(&pull, &endpoint).await, ["old and quiet".into()]);
}

/// What came after a silent connection is received, even if the peer keeps the
/// silent one open.
#[tokio::test]
async fn a_silent_connection_does_not_hold_up_the_next() {
    let (listener, attacker) = listen().await;
    let pull = PullSocket::with_options(beating());
    pull.connect(attacker).unwrap();
    let mut silent = Raw::welcome(&listener, "PUSH").await;
    silent.send(&frame(0, "one")).await;
    let mut next = Raw::welcome(&listener, "PUSH").await;
    next.send(&frame(0, "two")).await;
    for expected in ["one", "two"] {
        assert_eq!(within(pull.recv()).await.unwrap(), expected.into());
    }
    silent.refused(&frame(0, "too late")).await;
}

/// The TTL of one connection is not that of the next.
#[tokio::test]
async fn a_ttl_ends_with_its_connection() {
    let (listener, attacker) = listen().await;
    let pull = PullSocket::new();
    let mut monitor = pull.monitor();
    pull.connect(attacker).unwrap();
    let mut first = Raw::welcome(&listener, "PUSH").await;
    first.send(&command("PING", 1u16.to_be_bytes())).await;
    first.frame().await;
    drop(first);
    next_end(&mut monitor).await;
    let mut second = Raw::welcome(&listener, "PUSH").await;
    next_ready(&mut monitor).await;
    let ended = tokio::time::timeout(3 * INTERVAL, next_end(&mut monitor)).await;
    assert!(ended.is_err(), "{ended:?}");
    second.send(&frame(0, "alive")).await;
    assert_eq!(within(pull.recv()).await.unwrap(), "alive".into());
}
