//! What a message costs: allocations, and work that must not grow with peers or
//! topics that are not concerned.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ferromq::{
    Context, MonitorEvent, PullSocket, PushSocket, RepSocket, ReqSocket, SocketOptions, SubSocket,
    XPubSocket,
};

const BODY: &[u8] = &[b'x'; 64];

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("this takes too long")
}

/// The options of who binds and of who connects, with each mechanism.
fn mechanisms() -> Vec<(&'static str, [SocketOptions; 2])> {
    vec![
        ("NULL", [SocketOptions::new(), SocketOptions::new()]),
        #[cfg(feature = "curve")]
        ("CURVE", curve()),
    ]
}

#[cfg(feature = "curve")]
fn curve() -> [SocketOptions; 2] {
    use ferromq::{CurveKeypair, Policy};

    let [server, client] = [(); 2].map(|()| CurveKeypair::generate().unwrap());
    let key = *server.public();
    let bound = SocketOptions::new().curve_server(server, Policy::allow_any());
    [bound, SocketOptions::new().curve_client(client, key)]
}

/// A PUSH and a PULL over tcp that have exchanged enough to have their buffers.
async fn warm_pair([bound, connected]: [SocketOptions; 2]) -> (PushSocket, PullSocket) {
    let push = PushSocket::with_options(connected);
    let pull = PullSocket::with_options(bound);
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
    for (name, options) in mechanisms() {
        let (push, _pull) = warm_pair(options).await;
        let allocations = allocation_counter::measure(|| {
            for _ in 0..500 {
                push.try_send(Bytes::from_static(BODY)).unwrap();
            }
        });
        assert_eq!(allocations.count_total, 0, "{name}");
    }
}

#[tokio::test]
async fn receiving_a_small_message_allocates_nothing_of_its_own() {
    for (name, options) in mechanisms() {
        let (push, pull) = warm_pair(options).await;
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
        assert!(received > 300, "{received} of 500 came in one batch, {name}");
        assert!(
            allocations.count_total <= received / 50,
            "{} allocations for {received} messages, {name}",
            allocations.count_total
        );
    }
}

/// Both ends, with all that their tasks do, on this thread.
#[test]
fn a_flood_allocates_nothing_for_each_message() {
    const MESSAGES: u64 = 50_000;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (name, options) in mechanisms() {
        let (push, pull) = runtime.block_on(warm_pair(options));
        let flood = async || {
            let send = async {
                for _ in 0..MESSAGES {
                    push.send(Bytes::from_static(BODY)).await.unwrap();
                }
            };
            let receive = async {
                for _ in 0..MESSAGES {
                    pull.recv().await.unwrap();
                }
            };
            tokio::join!(send, receive);
        };
        runtime.block_on(soon(flood()));
        let allocations =
            allocation_counter::measure(|| runtime.block_on(soon(flood()))).count_total;
        // What batches need: a buffer, a queue that grows.
        assert!(allocations <= MESSAGES / 50, "{allocations} for {MESSAGES}, {name}");
    }
}

/// Both ends are on this thread, with all tasks of theirs.
#[test]
fn a_round_trip_allocates_nothing() {
    const TRIPS: u64 = 1000;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let endpoints = ["tcp://127.0.0.1:*", "ipc://*", "inproc://round trips"];
    let each = |endpoint| mechanisms().into_iter().map(move |it| (endpoint, it));
    for (endpoint, (name, [bound, connected])) in endpoints.into_iter().flat_map(each) {
        let rep = RepSocket::with_options(bound);
        let req = ReqSocket::with_options(connected);
        let trips = async || {
            for _ in 0..TRIPS {
                req.send(Bytes::from_static(BODY)).await.unwrap();
                let request = rep.recv().await.unwrap();
                rep.send(request).await.unwrap();
                assert_eq!(req.recv().await.unwrap().first(), BODY);
            }
        };
        runtime.block_on(async {
            req.connect(rep.bind(endpoint).await.unwrap()).unwrap();
            soon(trips()).await;
        });
        let allocations =
            allocation_counter::measure(|| runtime.block_on(soon(trips()))).count_total;
        // A buffer now and then: one of 8 KiB holds 80 sealed messages.
        assert!(allocations <= TRIPS / 25, "{allocations} in {TRIPS} over {endpoint}, {name}");
    }
}

/// The shortest of several runs of each, in turns: noise only ever adds, and what
/// slows the machine down slows both.
fn shortest(mut alone: impl FnMut(), mut crowded: impl FnMut()) -> [Duration; 2] {
    let mut shortest = [Duration::MAX; 2];
    for _ in 0..15 {
        for (which, work) in [&mut alone as &mut dyn FnMut(), &mut crowded].into_iter().enumerate()
        {
            let start = Instant::now();
            work();
            shortest[which] = shortest[which].min(start.elapsed());
        }
    }
    shortest
}

/// Growth with a thousand bystanders would show as a factor of hundreds; that their
/// memory does not fit into the caches of a busy machine, as one of a few.
fn assert_same([alone, crowded]: [Duration; 2]) {
    assert!(crowded < alone * 25, "{alone:?} alone, {crowded:?} in a crowd");
}

#[tokio::test]
async fn receiving_costs_the_same_among_a_thousand_idle_peers() {
    let context = Context::new();
    let scene = async |idle: usize| {
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
        move || {
            for _ in 0..1000 {
                pushes[0].try_send(Bytes::from_static(BODY)).unwrap();
                pull.try_recv().unwrap();
            }
        }
    };
    assert_same(shortest(scene(0).await, scene(1000).await));
}

#[tokio::test]
async fn sending_in_turn_costs_the_same_for_a_thousand_peers() {
    let context = Context::new();
    let scene = async |peers: usize| {
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
        move || {
            for count in 0..1000 {
                push.try_send(Bytes::from_static(BODY)).unwrap();
                pulls[count % peers].try_recv().unwrap();
            }
        }
    };
    assert_same(shortest(scene(1).await, scene(1000).await));
}

#[tokio::test]
async fn publishing_costs_by_matches_not_by_topics_or_peers() {
    let context = Context::new();
    let scene = async |others: usize| {
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
        move || {
            for _ in 0..1000 {
                publisher.try_send(Bytes::from_static(b"0.0")).unwrap();
                subscribers[0].try_recv().unwrap();
            }
        }
    };
    assert_same(shortest(scene(0).await, scene(1000).await));
}

/// How many times this thread has asked the system to write.
#[cfg(target_os = "linux")]
fn writes() -> usize {
    let counters = std::fs::read_to_string("/proc/thread-self/io").unwrap();
    let writes = counters.lines().find_map(|line| line.strip_prefix("syscw: "));
    writes.unwrap().parse().unwrap()
}

/// Messages that go to many peers in turn are written in batches, as those that go
/// to one are: a write for each message would cost more than all else.
#[cfg(target_os = "linux")]
async fn writes_for(peers: usize, messages: usize, bind: bool) -> usize {
    let push = PushSocket::new();
    let mut monitor = push.monitor();
    let mut pulls = Vec::new();
    let at = push.bind("tcp://127.0.0.1:*").await.unwrap();
    for _ in 0..peers {
        let pull = PullSocket::new();
        if bind {
            pull.connect(&at).unwrap();
        } else {
            push.connect(pull.bind("tcp://127.0.0.1:*").await.unwrap()).unwrap();
        }
        while !matches!(soon(monitor.recv()).await, Some(MonitorEvent::Ready { .. })) {}
        pulls.push(pull);
    }
    let before = writes();
    let receiving: Vec<_> = pulls
        .into_iter()
        .map(|pull| {
            tokio::spawn(async move {
                for _ in 0..messages / peers {
                    soon(pull.recv()).await.unwrap();
                }
            })
        })
        .collect();
    for _ in 0..messages {
        soon(push.send(Bytes::from_static(BODY))).await.unwrap();
    }
    for task in receiving {
        soon(task).await.unwrap();
    }
    writes() - before
}

/// One thread, so that its counter sees all, and so that batches do not depend on
/// how busy the machine is.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn messages_to_many_peers_are_written_in_batches() {
    for bind in [true, false] {
        for (peers, messages) in [(1, 16_000), (10, 16_000), (200, 16_000), (1000, 64_000)] {
            // Descriptors of both ends.
            let writes = writes_for(peers, messages, bind).await;
            assert!(writes > 0, "writes are not counted");
            assert!(writes * 8 <= messages, "{peers} peers: {writes} writes, {messages} messages");
        }
    }
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
