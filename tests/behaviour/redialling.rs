//! What waits while a connection is down, and for how long it is down.

use std::collections::HashSet;
use std::time::Duration;

use ferromq::{DisconnectReason, DropCause, PullSocket, PushSocket, SocketOptions};
use tokio::io::AsyncWriteExt;

use crate::common::cable::{Cable, abrupt};
use crate::common::events::Events;
use crate::common::{Transport, quick, raw, within};

#[tokio::test]
async fn what_a_connecting_socket_queued_survives_in_order() {
    for transport in Transport::STREAMS {
        let bind = transport.known();
        let (push, pull) = (PushSocket::with_options(quick()), PullSocket::new());
        let mut events = Events::from(push.monitor());
        pull.bind(&bind).await.unwrap();
        push.connect(&bind).unwrap();
        events.ready().await;
        let _ = within(pull.close()).await;
        events.disconnected().await;
        for number in 0..1000 {
            within(push.send(number.to_string())).await.unwrap();
        }
        let pull = PullSocket::new();
        pull.bind(&bind).await.unwrap();
        for number in 0..1000 {
            assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
        }
        assert_eq!(within(push.close()).await.undelivered, 0);
        assert!(pull.try_recv().is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_cut_doubles_anything() {
    let (push, pull) = (PushSocket::with_options(quick()), PullSocket::new());
    let bind = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let cable = Cable::to(&bind).await;
    push.connect(cable.endpoint()).unwrap();
    let sender = push.clone();
    let sending = tokio::spawn(async move { send_all(&sender).await });
    // The connections are different peers to the bound socket, so that what
    // the old one brought may come after what the next one did.
    let mut seen = HashSet::new();
    within(async {
        loop {
            // The last ones may be among those that a cut destroys.
            let message = match tokio::time::timeout(Duration::from_secs(1), pull.recv()).await {
                Ok(message) => message.unwrap(),
                Err(_) if sending.is_finished() => break,
                Err(_) => continue,
            };
            let number = number(&message);
            assert!(seen.insert(number), "{number} came twice");
            if seen.len() % 2500 == 0 && seen.len() < COUNT / 2 {
                cable.cut();
            }
        }
    })
    .await;
    assert!(!seen.is_empty());
    let _ = within(push.close()).await;
    // Nobody left for good and no linger ran out.
    assert_eq!(push.dropped(DropCause::PeerLeft) + push.dropped(DropCause::LingerExpired), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_connects_receives_in_order_across_cuts() {
    let (push, pull) = (PushSocket::new(), PullSocket::with_options(quick()));
    let bind = push.bind("tcp://127.0.0.1:0").await.unwrap();
    let cable = Cable::to(&bind).await;
    pull.connect(cable.endpoint()).unwrap();
    let sending = tokio::spawn(async move { send_all(&push).await });
    let (mut last, mut received) = (None, 0);
    within(async {
        while last < Some(COUNT - 1) {
            // The last ones may be among those that a cut destroys.
            let message = match tokio::time::timeout(Duration::from_secs(1), pull.recv()).await {
                Ok(message) => message.unwrap(),
                Err(_) if sending.is_finished() => break,
                Err(_) => continue,
            };
            let number = number(&message);
            assert!(last < Some(number), "{number} after {last:?}");
            (last, received) = (Some(number), received + 1);
            if received % 2500 == 0 && number < COUNT / 2 {
                cable.cut();
            }
        }
    })
    .await;
    assert!(received > COUNT / 4, "{received}");
}

const COUNT: usize = 20_000;

async fn send_all(push: &PushSocket) {
    for number in 0..COUNT {
        push.send(number.to_string()).await.unwrap();
    }
}

fn number(message: &ferromq::Message) -> usize {
    std::str::from_utf8(&message[0]).unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_queue_of_an_accepted_peer_is_destroyed_and_counted() {
    // Over a raw connection that reads nothing, so that much is queued.
    let push = PushSocket::with_options(SocketOptions::new().send_hwm(50));
    let mut events = Events::from(push.monitor());
    let endpoint = push.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut peer = raw::connect(&endpoint).await;
    raw::shake_hands(&mut peer, raw::READY_PULL).await;
    events.ready().await;
    let big = vec![0; 256 * 1024];
    // Until a batch is stuck in the writer and the queue behind it is full.
    within(async {
        loop {
            match push.try_send(big.clone()) {
                Ok(()) => tokio::task::yield_now().await,
                Err(_) => {
                    for _ in 0..10 {
                        tokio::task::yield_now().await;
                    }
                    if push.try_send(big.clone()).is_err() {
                        break;
                    }
                }
            }
        }
    })
    .await;
    abrupt(&peer);
    drop(peer);
    events.disconnected().await;
    // The mark counts what a writer has taken, so that the one that was cut is
    // among the fifty.
    let cut = push.dropped(DropCause::CutInTransit);
    let destroyed = push.dropped(DropCause::PeerLeft) + cut;
    assert!(destroyed >= 50, "{destroyed}");
    assert!(cut <= 1);
    assert!(push.try_send("nobody").unwrap_err().is_would_block());
}

#[tokio::test]
async fn a_lost_endpoint_is_dialled_at_the_interval() {
    let options = SocketOptions::new().reconnect_interval(Duration::from_millis(20));
    let push = PushSocket::with_options(options);
    let mut events = Events::from(push.monitor());
    push.connect(Transport::Tcp.known()).unwrap();
    for _ in 0..4 {
        let (reason, delay) = events.retrying().await;
        assert!(matches!(reason, DisconnectReason::Transport(_)), "{reason:?}");
        // The interval, and at most as much of jitter.
        let expected = Duration::from_millis(20)..Duration::from_millis(40);
        assert!(expected.contains(&delay), "{delay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_maximum_the_delay_doubles_up_to_it() {
    let options = SocketOptions::new()
        .reconnect_interval(Duration::from_millis(100))
        .reconnect_interval_max(Duration::from_secs(1));
    let push = PushSocket::with_options(options);
    let mut events = Events::from(push.monitor());
    push.connect(Transport::Tcp.known()).unwrap();
    for expected in [100, 200, 400, 800, 1000, 1000] {
        let (_, delay) = events.retrying().await;
        let expected = Duration::from_millis(expected);
        assert!(delay >= expected && delay <= 2 * expected, "{delay:?}, not {expected:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_stays_up_makes_up_for_former_refusals() {
    let (listener, endpoint) = raw::listener().await;
    // Time jumps whenever all wait: no limit may be what it jumps to.
    let push = PushSocket::with_options(SocketOptions::new().handshake_timeout(None));
    let mut events = Events::from(push.monitor());
    push.connect(&endpoint).unwrap();
    for (up, expected) in [(0, 1000), (0, 2000), (1900, 4000), (10_000, 1000), (0, 2000)] {
        let mut peer = raw::accept(&listener).await;
        raw::shake_hands(&mut peer, raw::READY_PULL).await;
        events.ready().await;
        tokio::time::sleep(Duration::from_millis(up)).await;
        // A frame larger than there can be.
        within(peer.write_all(b"\x02\xff\xff\xff\xff\xff\xff\xff\xff")).await.unwrap();
        let (reason, delay) = events.retrying().await;
        assert!(matches!(reason, DisconnectReason::Fault(_)), "{reason:?}");
        let expected = Duration::from_millis(expected);
        assert!(delay >= expected && delay <= expected * 5 / 4, "{delay:?}, not {expected:?}");
    }
}
