//! What a message costs: allocations, and work that must not grow with peers or
//! topics that are not concerned.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ferromq::{
    Context, MonitorEvent, PullSocket, PushSocket, SocketOptions, SubSocket, XPubSocket,
};

const BODY: &[u8] = &[b'x'; 64];

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("this takes too long")
}

/// A PUSH and a PULL over tcp that have exchanged enough to have their buffers.
async fn warm_pair() -> (PushSocket, PullSocket) {
    let (push, pull) = (PushSocket::new(), PullSocket::new());
    push.connect(pull.bind("tcp://127.0.0.1:*").await.unwrap()).unwrap();
    for _ in 0..10 {
        for _ in 0..900 {
            soon(push.send(Bytes::from_static(BODY))).await.unwrap();
        }
        for _ in 0..900 {
            soon(pull.recv()).await.unwrap();
        }
    }
    (push, pull)
}

#[tokio::test]
async fn sending_a_small_message_allocates_nothing() {
    let (push, _pull) = warm_pair().await;
    let allocations = allocation_counter::measure(|| {
        for _ in 0..500 {
            push.try_send(Bytes::from_static(BODY)).unwrap();
        }
    });
    assert_eq!(allocations.count_total, 0);
}

#[tokio::test]
async fn receiving_a_small_message_allocates_nothing_of_its_own() {
    let (push, pull) = warm_pair().await;
    for _ in 0..500 {
        push.try_send(Bytes::from_static(BODY)).unwrap();
    }
    // The first one has come, so the batch it was written with has, too.
    soon(pull.recv()).await.unwrap();
    let mut received = 1;
    let allocations = allocation_counter::measure(|| {
        while pull.try_recv().is_ok() {
            received += 1;
        }
    });
    // One read buffer serves many messages.
    assert!(received > 300, "{received} of 500 came in one batch");
    assert!(
        allocations.count_total <= received / 50,
        "{} allocations for {received} messages",
        allocations.count_total
    );
}

/// The shortest of several runs of `work`: noise only ever adds.
fn shortest(mut work: impl FnMut()) -> Duration {
    let run = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..15).map(|_| run(&mut work)).min().unwrap()
}

/// Growth with a thousand bystanders would show as a factor of hundreds.
fn assert_same(alone: Duration, crowded: Duration) {
    assert!(crowded < alone * 6, "{alone:?} alone, {crowded:?} in a crowd");
}

#[tokio::test]
async fn receiving_costs_the_same_among_a_thousand_idle_peers() {
    let context = Context::new();
    let mut times = Vec::new();
    for idle in [0, 1000] {
        let pull = PullSocket::new_in(&context, SocketOptions::new());
        let name = format!("inproc://idle-{idle}");
        pull.bind(&name).await.unwrap();
        let pushes: Vec<_> = (0..=idle)
            .map(|_| {
                let push = PushSocket::new_in(&context, SocketOptions::new());
                push.connect(&name).unwrap();
                push
            })
            .collect();
        times.push(shortest(|| {
            for _ in 0..1000 {
                pushes[0].try_send(Bytes::from_static(BODY)).unwrap();
                pull.try_recv().unwrap();
            }
        }));
    }
    assert_same(times[0], times[1]);
}

#[tokio::test]
async fn sending_in_turn_costs_the_same_for_a_thousand_peers() {
    let context = Context::new();
    let mut times = Vec::new();
    for peers in [1, 1000] {
        let push = PushSocket::new_in(&context, SocketOptions::new());
        let name = format!("inproc://turn-{peers}");
        push.bind(&name).await.unwrap();
        let pulls: Vec<_> = (0..peers)
            .map(|_| {
                let pull = PullSocket::new_in(&context, SocketOptions::new());
                pull.connect(&name).unwrap();
                pull
            })
            .collect();
        times.push(shortest(|| {
            for count in 0..1000 {
                push.try_send(Bytes::from_static(BODY)).unwrap();
                pulls[count % peers].try_recv().unwrap();
            }
        }));
    }
    assert_same(times[0], times[1]);
}

#[tokio::test]
async fn publishing_costs_by_matches_not_by_topics_or_peers() {
    let context = Context::new();
    let mut times = Vec::new();
    for others in [0, 1000] {
        let publisher = XPubSocket::new_in(&context, SocketOptions::new());
        let name = format!("inproc://topics-{others}");
        publisher.bind(&name).await.unwrap();
        let subscribers: Vec<_> = (0..=others)
            .map(|number| {
                let sub = SubSocket::new_in(&context, SocketOptions::new());
                sub.connect(&name).unwrap();
                for topic in 0..10 {
                    sub.subscribe(format!("{number}.{topic}")).unwrap();
                }
                sub
            })
            .collect();
        times.push(shortest(|| {
            for _ in 0..1000 {
                publisher.try_send(Bytes::from_static(b"0.0")).unwrap();
                subscribers[0].try_recv().unwrap();
            }
        }));
    }
    assert_same(times[0], times[1]);
}

#[tokio::test]
async fn a_monitor_that_nobody_reads_costs_no_memory_without_end() {
    let pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut monitor = pull.monitor();
    for _ in 0..400 {
        let push = PushSocket::new();
        push.connect(&endpoint).unwrap();
        push.send("x").await.unwrap();
        soon(pull.recv()).await.unwrap();
        let _ = soon(push.close()).await;
    }
    // 400 connections have made some 1200 events, of which 1024 are kept.
    let first = soon(monitor.recv()).await;
    assert!(matches!(first, Some(MonitorEvent::Lagged { missed }) if missed > 0), "{first:?}");
}
