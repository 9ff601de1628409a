//! High-water marks: exact counts, who waits and who drops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromq::{
    DealerSocket, DropCause, Linger, PairSocket, PubSocket, PullSocket, PushSocket, ReqSocket,
    SocketOptions, SubSocket, XPubSocket, XSubSocket,
};

use crate::common::events::Events;
use crate::common::{Transport, within};

fn lose(options: SocketOptions) -> SocketOptions {
    options.linger(Linger::For(Duration::ZERO))
}

/// How many messages a socket accepts before it would have to wait.
fn fill(mut try_send: impl FnMut(String) -> Result<(), ferromq::SendError>, most: usize) -> usize {
    for count in 0..most {
        if let Err(error) = try_send(count.to_string()) {
            assert!(error.is_would_block());
            assert_eq!(error.into_message(), count.to_string().into());
            return count;
        }
    }
    most
}

#[tokio::test]
async fn inproc_has_the_sum_of_both_marks() {
    for (send, recv, sum) in [(1000, 1000, 2000), (1, 1, 2), (3, 5, 8), (0, 5, 9000), (5, 0, 9000)]
    {
        for bind_first in [true, false] {
            let push = PushSocket::with_options(SocketOptions::new().send_hwm(send));
            let pull = PullSocket::with_options(SocketOptions::new().recv_hwm(recv));
            let endpoint = Transport::Inproc.known();
            if bind_first {
                pull.bind(&endpoint).await.unwrap();
                push.connect(&endpoint).unwrap();
            } else {
                push.connect(&endpoint).unwrap();
                pull.bind(&endpoint).await.unwrap();
            }
            let case = format!("{send} + {recv}, bind first: {bind_first}");
            assert_eq!(fill(|body| push.try_send(body), 9000), sum, "{case}");
            for number in 0..sum {
                assert_eq!(pull.try_recv().unwrap(), number.to_string().into(), "{case}");
            }
            assert!(pull.try_recv().is_err(), "{case}");
            // Once empty, there is as much room again.
            assert_eq!(fill(|body| push.try_send(body), 9000), sum, "{case}, again");
        }
    }
}

#[tokio::test]
async fn inproc_counts_what_was_not_received_and_nothing_else() {
    // However many are taken at once, below the surface.
    let (push, pull) = (PushSocket::new(), PullSocket::new());
    push.connect(pull.bind(Transport::Inproc.any()).await.unwrap()).unwrap();
    for received in [2000, 1, 700, 2000] {
        // Nobody is refused, so that no peer is passed over until half is free.
        (0..2000).for_each(|_| push.try_send("m").unwrap());
        (0..received).for_each(|_| drop(pull.try_recv().unwrap()));
        (0..received).for_each(|_| push.try_send("m").unwrap());
        assert!(push.try_send("m").unwrap_err().is_would_block(), "{received} received");
        while pull.try_recv().is_ok() {}
    }
}

#[tokio::test]
async fn inproc_waiting_for_a_binder_is_freed_by_its_mark() {
    let push = PushSocket::with_options(SocketOptions::new().send_hwm(2));
    let endpoint = Transport::Inproc.known();
    push.connect(&endpoint).unwrap();
    assert_eq!(fill(|body| push.try_send(body), 10), 2);
    let sender = push.clone();
    let waiting = tokio::spawn(async move { sender.send("third").await });
    tokio::task::yield_now().await;
    let pull = PullSocket::with_options(SocketOptions::new().recv_hwm(1));
    pull.bind(&endpoint).await.unwrap();
    // 2 + 1: the third has its place although nobody has received any.
    within(waiting).await.unwrap().unwrap();
    assert!(push.try_send("fourth").unwrap_err().is_would_block());
}

#[tokio::test]
async fn a_peer_that_does_not_exist_yet_gets_exactly_so_many() {
    for transport in Transport::ALL {
        for mark in [1, 7, 1000] {
            let options = || lose(SocketOptions::new().send_hwm(mark));
            let never = transport.known();
            let push = PushSocket::with_options(options());
            push.connect(&never).unwrap();
            assert_eq!(fill(|body| push.try_send(body), 2000), mark, "{transport:?} PUSH");
            let dealer = DealerSocket::with_options(options());
            dealer.connect(transport.known()).unwrap();
            assert_eq!(fill(|body| dealer.try_send(body), 2000), mark, "{transport:?} DEALER");
            let pair = PairSocket::with_options(options());
            pair.connect(transport.known()).unwrap();
            assert_eq!(fill(|body| pair.try_send(body), 2000), mark, "{transport:?} PAIR");
        }
        let endless = PushSocket::with_options(lose(SocketOptions::new().send_hwm(0)));
        endless.connect(transport.known()).unwrap();
        assert_eq!(fill(|body| endless.try_send(body), 20_000), 20_000);
    }
}

#[tokio::test]
async fn without_a_peer_there_is_no_room() {
    assert_eq!(fill(|body| PushSocket::new().try_send(body), 1), 0);
    assert_eq!(fill(|body| DealerSocket::new().try_send(body), 1), 0);
    assert_eq!(fill(|body| PairSocket::new().try_send(body), 1), 0);
    assert_eq!(fill(|body| ReqSocket::new().try_send(body), 1), 0);
    // These drop, as nobody subscribes.
    assert_eq!(fill(|body| PubSocket::new().try_send(body), 3), 3);
    assert_eq!(fill(|body| XPubSocket::new().try_send(body), 3), 3);
    assert_eq!(fill(|body| XSubSocket::new().try_send(body), 3), 3);
}

#[tokio::test]
async fn a_mark_counts_messages_and_not_frames() {
    let push = PushSocket::with_options(lose(SocketOptions::new().send_hwm(3)));
    push.connect(Transport::Tcp.known()).unwrap();
    for _ in 0..3 {
        push.try_send(vec!["frame"; 10]).unwrap();
    }
    assert!(push.try_send("more").unwrap_err().is_would_block());
}

#[tokio::test]
async fn pub_drops_for_a_full_subscriber_and_counts() {
    // test_hwm_pubsub over inproc, where the mark is exact.
    let publisher = XPubSocket::with_options(SocketOptions::new().send_hwm(5));
    let sub = SubSocket::with_options(SocketOptions::new().recv_hwm(5));
    let endpoint = publisher.bind(Transport::Inproc.any()).await.unwrap();
    sub.subscribe("").unwrap();
    sub.connect(&endpoint).unwrap();
    assert_eq!(within(publisher.recv()).await.unwrap(), "\u{1}".into());
    for number in 0..25 {
        publisher.try_send(number.to_string()).unwrap();
    }
    assert_eq!(publisher.dropped(DropCause::PeerFull), 15);
    for number in 0..10 {
        assert_eq!(within(sub.recv()).await.unwrap(), number.to_string().into());
    }
    assert!(sub.try_recv().unwrap_err().is_would_block());
    publisher.try_send("room again").unwrap();
    assert_eq!(within(sub.recv()).await.unwrap(), "room again".into());
}

#[tokio::test]
async fn pub_never_waits_for_a_subscriber_that_does_not_read() {
    for transport in Transport::STREAMS {
        let publisher = XPubSocket::with_options(SocketOptions::new().send_hwm(10));
        let sub = SubSocket::with_options(SocketOptions::new().recv_hwm(10));
        let endpoint = publisher.bind(transport.any()).await.unwrap();
        sub.subscribe("").unwrap();
        sub.connect(&endpoint).unwrap();
        within(publisher.recv()).await.unwrap();
        let big = vec![b'x'; 64 * 1024];
        let mut sent = 0;
        while publisher.dropped(DropCause::PeerFull) == 0 {
            within(publisher.send(big.clone())).await.unwrap();
            sent += 1;
            tokio::task::yield_now().await;
        }
        // What was not dropped comes whole and in order.
        for _ in 0..sent - 1 {
            assert_eq!(within(sub.recv()).await.unwrap()[0].len(), big.len());
        }
    }
}

#[tokio::test]
async fn nodrop_waits_until_the_subscriber_has_room() {
    let options = SocketOptions::new().send_hwm(3).xpub_nodrop(true);
    let publisher = XPubSocket::with_options(options);
    let sub = SubSocket::with_options(SocketOptions::new().recv_hwm(2));
    let endpoint = publisher.bind(Transport::Inproc.any()).await.unwrap();
    sub.subscribe("a").unwrap();
    sub.connect(&endpoint).unwrap();
    within(publisher.recv()).await.unwrap();
    assert_eq!(fill(|body| publisher.try_send(format!("a{body}")).map_err(strip), 20), 5);
    // Others are not held up.
    publisher.try_send("b").unwrap();
    let sender = publisher.clone();
    let waiting = tokio::spawn(async move { sender.send("a5").await });
    for number in 0..6 {
        assert_eq!(within(sub.recv()).await.unwrap(), format!("a{number}").into());
    }
    within(waiting).await.unwrap().unwrap();
    assert_eq!(publisher.dropped(DropCause::PeerFull), 0);
}

/// The error for the body alone, which `fill` compares.
fn strip(error: ferromq::SendError) -> ferromq::SendError {
    let body = String::from_utf8(error.into_message()[0].to_vec()).unwrap();
    PushSocket::new().try_send(body[1..].to_owned()).unwrap_err()
}

#[tokio::test]
async fn nodrop_no_longer_waits_for_whoever_unsubscribed_or_left() {
    for leave in [false, true] {
        let options = SocketOptions::new().send_hwm(1).xpub_nodrop(true);
        let publisher = XPubSocket::with_options(options);
        let sub = SubSocket::with_options(SocketOptions::new().recv_hwm(1));
        let endpoint = publisher.bind(Transport::Inproc.any()).await.unwrap();
        sub.subscribe("a").unwrap();
        sub.connect(&endpoint).unwrap();
        within(publisher.recv()).await.unwrap();
        assert_eq!(fill(|body| publisher.try_send(format!("a{body}")).map_err(strip), 9), 2);
        let sender = publisher.clone();
        let waiting = tokio::spawn(async move { sender.send("a").await });
        tokio::task::yield_now().await;
        if leave {
            let _ = within(sub.close()).await;
        } else {
            sub.unsubscribe("a").unwrap();
        }
        within(waiting).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn push_waits_for_any_peer_that_is_free() {
    for transport in Transport::ALL {
        let push = PushSocket::with_options(lose(SocketOptions::new().send_hwm(2)));
        // This one is never there: full after two.
        push.connect(transport.known()).unwrap();
        let pull = PullSocket::with_options(SocketOptions::new().recv_hwm(2));
        let endpoint = pull.bind(transport.any()).await.unwrap();
        let mut events = Events::from(push.monitor());
        push.connect(&endpoint).unwrap();
        if transport != Transport::Inproc {
            events.ready().await;
        }
        let sender = push.clone();
        let sending = tokio::spawn(async move {
            for number in 0..100 {
                sender.send(number.to_string()).await.unwrap();
            }
        });
        // All but the two of the absent peer come.
        for _ in 0..98 {
            within(pull.recv()).await.unwrap();
        }
        within(sending).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_waiting_senders_all_make_progress() {
    const SENDERS: usize = 8;
    const EACH: usize = 500;
    for transport in Transport::ALL {
        let push = PushSocket::with_options(SocketOptions::new().send_hwm(1));
        let pulls: Vec<_> =
            (0..2).map(|_| PullSocket::with_options(SocketOptions::new().recv_hwm(1))).collect();
        for pull in &pulls {
            push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        }
        let sent = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for _ in 0..SENDERS {
            let (push, sent) = (push.clone(), Arc::clone(&sent));
            tasks.push(tokio::spawn(async move {
                for _ in 0..EACH {
                    push.send("m").await.unwrap();
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        let received = Arc::new(AtomicUsize::new(0));
        let mut receivers = Vec::new();
        for pull in pulls {
            let received = Arc::clone(&received);
            receivers.push(tokio::spawn(async move {
                while pull.recv().await.is_ok() {
                    received.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        for task in tasks {
            within(task).await.unwrap();
        }
        assert_eq!(within(push.close()).await.undelivered, 0);
        within(async {
            while received.load(Ordering::Relaxed) < SENDERS * EACH {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(received.load(Ordering::Relaxed), SENDERS * EACH, "{transport:?}");
        receivers.iter().for_each(|task| task.abort());
    }
}
