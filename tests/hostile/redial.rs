//! Sockets that connect to servers that speak garbage, or nothing.

use std::time::{Duration, Instant};

use ferromq::{DisconnectReason, Monitor, MonitorEvent, PullSocket, PushSocket, SocketOptions};
use tokio::net::TcpListener;

use crate::raw::{Raw, frame, greeting_of, header, prelude, ready};
use crate::victim::{PROBES, listen, within};

/// Waits until the socket is about to dial again.
async fn next_retry(monitor: &mut Monitor) -> (DisconnectReason, Duration) {
    loop {
        let event = within(monitor.recv()).await.expect("the socket lives");
        if let MonitorEvent::Retrying { reason, delay, .. } = event {
            return (reason, delay);
        }
    }
}

async fn connecting(endpoint: &str) -> (PullSocket, Monitor) {
    let pull = PullSocket::new();
    let monitor = pull.monitor();
    pull.connect(endpoint).unwrap();
    (pull, monitor)
}

/// A good server takes the place of the bad one, and is found.
async fn probe(pull: &PullSocket, listener: TcpListener, endpoint: &str) {
    drop(listener);
    let push = PushSocket::new();
    push.bind(endpoint).await.unwrap();
    for number in 0..PROBES {
        within(push.send(format!("{number}"))).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), format!("{number}").into());
    }
}

/// A server that breaks the protocol will do so again: it is dialled slowly.
#[tokio::test]
async fn a_server_that_speaks_garbage_is_dialled_slowly() {
    let wrong_type = [greeting_of(3, 1, b"NULL"), ready("PUB")].concat();
    let wrong_traffic = [prelude("PUSH"), header(0, 1 << 63)].concat();
    for said in [b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), wrong_type, wrong_traffic] {
        let (listener, endpoint) = listen().await;
        let (pull, mut monitor) = connecting(&endpoint).await;
        let mut raw = Raw::accept(&listener).await;
        raw.send(&said).await;
        let (reason, delay) = next_retry(&mut monitor).await;
        assert!(matches!(reason, DisconnectReason::Fault(_)), "{reason:?}");
        assert!(delay >= Duration::from_secs(1) && delay <= Duration::from_millis(1250));
        let begin = Instant::now();
        let next = Raw::accept(&listener).await;
        // The pause began a moment before the event was seen.
        assert!(begin.elapsed() > Duration::from_millis(900), "{:?}", begin.elapsed());
        drop((raw, next));
        probe(&pull, listener, &endpoint).await;
    }
}

/// A server that closes at once may be about to come back.
#[tokio::test]
async fn a_server_that_closes_at_once_is_dialled_soon() {
    let (listener, endpoint) = listen().await;
    let (pull, mut monitor) = connecting(&endpoint).await;
    for round in 0..5 {
        let mut raw = Raw::accept(&listener).await;
        match round % 3 {
            0 => drop(raw),
            1 => raw.reset(),
            _ => {
                raw.send(&prelude("PUSH")[..70]).await;
                drop(raw);
            }
        }
        let (reason, delay) = next_retry(&mut monitor).await;
        assert!(
            matches!(reason, DisconnectReason::PeerClosed | DisconnectReason::Transport(_)),
            "{reason:?}"
        );
        assert!(delay >= Duration::from_millis(100) && delay <= Duration::from_millis(200));
    }
    probe(&pull, listener, &endpoint).await;
}

/// A server that says nothing is given up in time, and dialled soon.
#[tokio::test]
async fn a_server_that_says_nothing_is_dialled_again() {
    let (listener, endpoint) = listen().await;
    let options = SocketOptions::new().handshake_timeout(Duration::from_millis(100));
    let pull = PullSocket::with_options(options);
    let mut monitor = pull.monitor();
    pull.connect(&endpoint).unwrap();
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(Raw::accept(&listener).await);
        let (reason, delay) = next_retry(&mut monitor).await;
        assert!(matches!(reason, DisconnectReason::HandshakeTimeout), "{reason:?}");
        assert!(delay <= Duration::from_millis(200));
    }
    drop(silent);
    probe(&pull, listener, &endpoint).await;
}

/// What one connection brought is received before what the next one does, and
/// a message that was cut is not.
#[tokio::test]
async fn messages_of_lost_connections_come_in_order() {
    let (listener, endpoint) = listen().await;
    let (pull, _) = connecting(&endpoint).await;
    for round in 0..5 {
        let mut raw = Raw::welcome(&listener, "PUSH").await;
        for number in 0..100 {
            raw.send(&frame(0, format!("{round}.{number}"))).await;
        }
        raw.send(&header(0, 100)[..1 + round % 2]).await;
    }
    for round in 0..5 {
        for number in 0..100 {
            let expected = format!("{round}.{number}").into();
            assert_eq!(within(pull.recv()).await.unwrap(), expected);
        }
    }
    probe(&pull, listener, &endpoint).await;
}

/// What waits for an endpoint goes out once the peer behaves, each message
/// once.
#[tokio::test]
async fn messages_wait_for_a_server_that_behaves() {
    let (listener, endpoint) = listen().await;
    let push = PushSocket::new();
    let mut monitor = push.monitor();
    push.connect(&endpoint).unwrap();
    for number in 0..10 {
        within(push.send(format!("{number}"))).await.unwrap();
    }
    for _ in 0..3 {
        let mut raw = Raw::accept(&listener).await;
        raw.read(64).await;
        drop(raw);
        next_retry(&mut monitor).await;
    }
    let mut raw = Raw::welcome(&listener, "PULL").await;
    for number in 0..10 {
        assert_eq!(raw.frame().await, (0, format!("{number}").into_bytes()));
    }
}
