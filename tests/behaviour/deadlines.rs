//! Limits of time on the way to a connection.

use std::time::Duration;

use ferromq::{DisconnectReason, PullSocket, PushSocket, SocketOptions};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::common::events::Events;
use crate::common::{quick, raw, within};

#[tokio::test]
async fn a_peer_that_trickles_its_greeting_has_one_deadline_for_all_of_it() {
    let limit = Duration::from_millis(150);
    let pull = PullSocket::with_options(SocketOptions::new().handshake_timeout(limit));
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut slow = raw::connect(&endpoint).await;
    let since = Instant::now();
    let trickle = tokio::spawn(async move {
        // An octet now and then, each well within the limit.
        for octet in raw::GREETING {
            if slow.write_all(&[octet]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        slow
    });
    assert!(matches!(events.handshake_failed().await, DisconnectReason::HandshakeTimeout));
    let took = since.elapsed();
    assert!(took >= limit - Duration::from_millis(10), "{took:?}");
    // The whole greeting would have taken 64 * 20 ms.
    assert!(!trickle.is_finished(), "{took:?}");
    trickle.abort();
}

#[tokio::test]
async fn a_listener_that_says_nothing_fails_the_handshake_and_is_dialled_again() {
    let (listener, endpoint) = raw::listener().await;
    let options = quick().handshake_timeout(Duration::from_millis(50));
    let push = PushSocket::with_options(options);
    let mut events = Events::from(push.monitor());
    push.connect(&endpoint).unwrap();
    let silent = raw::accept(&listener).await;
    assert_eq!(
        events.names(3).await,
        ["connected", "handshake failed: handshake timeout", "retrying: handshake timeout"]
    );
    let mut next = raw::accept(&listener).await;
    raw::shake_hands(&mut next, raw::READY_PULL).await;
    events.ready().await;
    drop(silent);
}

#[tokio::test]
async fn one_silent_peer_holds_up_nobody_else() {
    let pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let silent: Vec<_> = [raw::connect(&endpoint).await, raw::connect(&endpoint).await].into();
    let push = PushSocket::new();
    push.connect(&endpoint).unwrap();
    within(push.send("through")).await.unwrap();
    assert_eq!(within(pull.recv()).await.unwrap(), "through".into());
    drop(silent);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_attempt_to_connect_may_take_so_long() {
    // A listener whose queue is full answers nothing: the kernel drops SYNs.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut filling = Vec::new();
    for _ in 0..4 {
        filling.push(tokio::spawn(tokio::net::TcpStream::connect(address)));
    }
    let options = quick().connect_timeout(Duration::from_millis(100));
    let push = PushSocket::with_options(options);
    let mut events = Events::from(push.monitor());
    push.connect(format!("tcp://{address}")).unwrap();
    let reason = events
        .find(|event| match event {
            ferromq::MonitorEvent::Retrying { reason, .. } => Some(reason),
            _ => None,
        })
        .await;
    assert!(matches!(reason, DisconnectReason::ConnectTimeout), "{reason:?}");
    filling.iter().for_each(|task| task.abort());
}
