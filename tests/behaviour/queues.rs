//! `immediate` and `conflate`: which messages wait, and for whom.

use std::time::Duration;

use ferromq::{DropCause, Linger, PubSocket, PullSocket, PushSocket, SocketOptions, SubSocket};
use tokio::io::AsyncWriteExt;

use crate::common::events::Events;
use crate::common::{Transport, quick, raw, within};

#[tokio::test]
async fn without_immediate_an_absent_peer_gets_its_share() {
    // test_immediate, case 1: half of ten arrive.
    for transport in Transport::ALL {
        let lost = Linger::For(Duration::ZERO);
        let push = PushSocket::with_options(SocketOptions::new().linger(lost));
        let pull = PullSocket::new();
        push.connect(transport.known()).unwrap();
        push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        for number in 0..10 {
            push.try_send(number.to_string()).unwrap();
        }
        for number in [1, 3, 5, 7, 9] {
            assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
        }
        assert_eq!(within(push.close()).await.undelivered, 5, "{transport:?}");
        assert!(pull.try_recv().is_err(), "{transport:?}");
    }
}

#[tokio::test]
async fn with_immediate_an_absent_peer_gets_nothing() {
    // Case 2: all ten arrive.
    for transport in Transport::ALL {
        let push = PushSocket::with_options(quick().immediate(true));
        let pull = PullSocket::new();
        push.connect(transport.known()).unwrap();
        assert!(push.try_send("nobody").unwrap_err().is_would_block(), "{transport:?}");
        push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        for number in 0..10 {
            within(push.send(number.to_string())).await.unwrap();
        }
        for number in 0..10 {
            assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
        }
        assert_eq!(within(push.close()).await.undelivered, 0, "{transport:?}");
    }
}

#[tokio::test]
async fn with_immediate_nothing_waits_for_a_peer_that_left() {
    // Case 3: would block once the peer is gone, works when it is back.
    for transport in Transport::STREAMS {
        let push = PushSocket::with_options(quick().immediate(true));
        let mut events = Events::from(push.monitor());
        let pull = PullSocket::new();
        let endpoint = transport.known();
        pull.bind(&endpoint).await.unwrap();
        push.connect(&endpoint).unwrap();
        within(push.send("first")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "first".into());
        let _ = within(pull.close()).await;
        events.disconnected().await;
        assert!(push.try_send("nobody").unwrap_err().is_would_block(), "{transport:?}");
        let sender = push.clone();
        let waiting = tokio::spawn(async move { sender.send("second").await });
        let pull = PullSocket::new();
        pull.bind(&endpoint).await.unwrap();
        within(waiting).await.unwrap().unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "second".into());
    }
}

fn conflating() -> SocketOptions {
    quick().conflate(true)
}

#[tokio::test]
async fn of_twenty_only_the_last_is_received() {
    // test_conflate: nobody is there until all are sent.
    for transport in Transport::ALL {
        let push = PushSocket::with_options(conflating());
        let pull = PullSocket::with_options(conflating());
        let endpoint = transport.known();
        if transport == Transport::Inproc {
            pull.bind(&endpoint).await.unwrap();
        }
        push.connect(&endpoint).unwrap();
        for number in 0..20 {
            push.try_send(number.to_string()).unwrap();
        }
        if transport != Transport::Inproc {
            pull.bind(&endpoint).await.unwrap();
        }
        assert_eq!(within(pull.recv()).await.unwrap(), "19".into(), "{transport:?}");
        assert!(pull.try_recv().is_err(), "{transport:?}");
        assert_eq!(within(push.close()).await.undelivered, 0);
        assert_eq!(push.dropped(DropCause::Conflated), 19, "{transport:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_conflates_keeps_the_newest() {
    let pull = PullSocket::with_options(conflating());
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut peer = raw::connect(&endpoint).await;
    raw::shake_hands(&mut peer, raw::READY_PUSH).await;
    let octets: Vec<u8> = (b'a'..=b't').flat_map(|letter| [0, 1, letter]).collect();
    within(peer.write_all(&octets)).await.unwrap();
    drop(peer);
    // Its end comes after all it sent.
    events.disconnected().await;
    assert_eq!(within(pull.recv()).await.unwrap(), "t".into());
    assert!(pull.try_recv().is_err());
    assert_eq!(pull.dropped(DropCause::Conflated), 19);
}

#[tokio::test]
async fn a_subscriber_that_conflates_ends_with_the_last() {
    let publisher = PubSocket::new();
    let endpoint = publisher.bind("tcp://127.0.0.1:0").await.unwrap();
    let sub = SubSocket::with_options(conflating());
    sub.subscribe("").unwrap();
    sub.connect(&endpoint).unwrap();
    let sending = publisher.clone();
    let task = tokio::spawn(async move {
        for number in 0_u64.. {
            if sending.send(number.to_string()).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    let mut last = None;
    for _ in 0..50 {
        let message = within(sub.recv()).await.unwrap();
        let number: u64 = String::from_utf8(message[0].to_vec()).unwrap().parse().unwrap();
        assert!(last < Some(number), "{number} after {last:?}");
        last = Some(number);
    }
    let _ = within(publisher.close()).await;
    within(task).await.unwrap();
}
