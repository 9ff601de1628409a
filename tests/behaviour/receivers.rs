//! Several tasks that receive from one socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferromq::{PullSocket, PushSocket, RepSocket, ReqSocket, SocketOptions, SubSocket, XPubSocket};
use tokio::io::AsyncWriteExt;

use crate::common::events::Events;
use crate::common::{Transport, raw, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_receivers_share_all_messages() {
    const COUNT: usize = 5000;
    for transport in Transport::ALL {
        let (push, pull) = (PushSocket::new(), PullSocket::new());
        push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        let received = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let (pull, received) = (pull.clone(), Arc::clone(&received));
            tasks.push(tokio::spawn(async move {
                let mut numbers = Vec::new();
                while let Ok(message) = pull.recv().await {
                    let text = std::str::from_utf8(&message[0]).unwrap().to_owned();
                    numbers.push(text.parse::<usize>().unwrap());
                    received.fetch_add(1, Ordering::SeqCst);
                }
                numbers
            }));
        }
        for number in 0..COUNT {
            within(push.send(number.to_string())).await.unwrap();
        }
        within(async {
            while received.load(Ordering::SeqCst) < COUNT {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let _ = within(pull.close()).await;
        let mut all = Vec::new();
        for task in tasks {
            let numbers = within(task).await.unwrap();
            // Each sees its share in the order of sending.
            assert!(numbers.is_sorted(), "{transport:?}");
            all.extend(numbers);
        }
        all.sort_unstable();
        assert_eq!(all, (0..COUNT).collect::<Vec<_>>(), "{transport:?}");
    }
}

/// There is one thread, and one peer sends without end. Those that are there and say
/// nothing do not count.
#[tokio::test]
async fn others_run_as_often_beside_peers_that_are_quiet() {
    const COUNT: usize = 20_000;
    let options = || SocketOptions::new().send_hwm(0).recv_hwm(0);
    let pull = PullSocket::with_options(options());
    let endpoint = pull.bind(Transport::Inproc.any()).await.unwrap();
    let peers: Vec<_> = (0..1000).map(|_| PushSocket::with_options(options())).collect();
    for push in &peers {
        push.connect(&endpoint).unwrap();
    }
    for _ in 0..COUNT {
        peers[0].try_send("m").unwrap();
    }
    let turns = Arc::new(AtomicUsize::new(0));
    let others = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move {
            loop {
                turns.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        }
    });
    let (mut run, mut longest, mut before) = (0, 0, 0);
    for _ in 0..COUNT {
        within(pull.recv()).await.unwrap();
        let now = turns.load(Ordering::SeqCst);
        run = if now == before { run + 1 } else { 0 };
        longest = longest.max(run);
        before = now;
    }
    others.abort();
    // As many as one peer may say in a row, and what is in hand then.
    assert!(longest < 1200, "{longest} messages were received in a row");
}

#[tokio::test]
async fn receivers_that_wait_are_woken_in_turn() {
    for transport in Transport::ALL {
        let (push, pull) = (PushSocket::new(), PullSocket::new());
        push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        for receiver in 0..2 {
            let (pull, tell) = (pull.clone(), tell.clone());
            tokio::spawn(async move {
                while pull.recv().await.is_ok() {
                    tell.send(receiver).unwrap();
                }
            });
        }
        let mut counts = [0; 2];
        for _ in 0..200 {
            // One at a time, so that both wait when it comes.
            within(push.send("m")).await.unwrap();
            counts[within(told.recv()).await.unwrap()] += 1;
            tokio::task::yield_now().await;
        }
        assert!(counts.iter().all(|count| *count >= 50), "{transport:?}: {counts:?}");
        let _ = within(pull.close()).await;
    }
}

#[tokio::test]
async fn a_receive_that_is_dropped_passes_its_wake_on() {
    for transport in Transport::ALL {
        let (push, pull) = (PushSocket::new(), PullSocket::new());
        push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        for round in 0..100 {
            let mut first = Box::pin(pull.recv());
            let mut second = Box::pin(pull.recv());
            let (one, other) = (Wakes::default(), Wakes::default());
            assert!(one.poll(&mut first).is_pending());
            assert!(other.poll(&mut second).is_pending());
            within(push.send(round.to_string())).await.unwrap();
            // Until one of the two is woken; then that one goes away.
            within(async {
                while one.count() + other.count() == 0 {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            let left = if one.count() > 0 {
                drop(first);
                second
            } else {
                drop(second);
                first
            };
            assert_eq!(within(left).await.unwrap(), round.to_string().into(), "{transport:?}");
        }
    }
}

/// Futures of this socket that wait, and that nobody polls any more.
macro_rules! stuck {
    ($socket:expr, $count:expr) => {{
        let futures: Vec<_> = (0..$count)
            .map(|_| {
                let mut future = Box::pin($socket.recv());
                assert!(Wakes::default().poll(&mut future).is_pending());
                future
            })
            .collect();
        futures
    }};
}

#[tokio::test]
async fn a_receive_that_is_kept_and_not_polled_keeps_nothing_from_the_others() {
    for transport in Transport::ALL {
        for count in [1, 10] {
            let (push, pull) = (PushSocket::new(), PullSocket::new());
            push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
            let kept = stuck!(pull, count);
            for round in 0..3 {
                let receiver = pull.clone();
                let receiving = tokio::spawn(async move { receiver.recv().await });
                tokio::task::yield_now().await;
                within(push.send(round.to_string())).await.unwrap();
                let message = within(receiving).await.unwrap().unwrap();
                assert_eq!(message, round.to_string().into(), "{transport:?}, {count}");
            }
            drop(kept);
        }
    }
}

#[tokio::test]
async fn the_same_holds_for_what_a_pattern_has_in_store() {
    for transport in Transport::ALL {
        let (publisher, sub) = (XPubSocket::new(), SubSocket::new());
        sub.connect(publisher.bind(transport.any()).await.unwrap()).unwrap();
        let kept = stuck!(publisher, 3);
        let receiver = publisher.clone();
        let receiving = tokio::spawn(async move { receiver.recv().await });
        tokio::task::yield_now().await;
        sub.subscribe("topic").unwrap();
        let notice = within(receiving).await.unwrap().unwrap();
        assert_eq!(notice, "\u{1}topic".into(), "{transport:?}");
        drop(kept);
    }
}

/// One that serves again and again, with a receive beside it that nobody polls.
#[tokio::test]
async fn a_rep_goes_on_serving_beside_a_receive_that_is_not_polled() {
    for transport in Transport::STREAMS {
        let rep = RepSocket::new();
        let endpoint = rep.bind(transport.any()).await.unwrap();
        let kept = stuck!(rep, 2);
        let server = rep.clone();
        let serving = tokio::spawn(async move {
            while let Ok(request) = server.recv().await {
                server.send(request).await.unwrap();
            }
        });
        let asking = ["a", "b"].map(|name| {
            let req = ReqSocket::new();
            req.connect(&endpoint).unwrap();
            async move {
                for _ in 0..10 {
                    req.send(name).await.unwrap();
                    assert_eq!(req.recv().await.unwrap(), name.into());
                }
            }
        });
        for asked in asking.map(tokio::spawn) {
            within(asked).await.unwrap();
        }
        drop(kept);
        within(rep.close()).await;
        within(serving).await.unwrap();
    }
}

#[tokio::test]
async fn a_rep_whose_receive_is_kept_and_not_polled_still_serves() {
    for transport in Transport::STREAMS {
        let (req, rep) = (ReqSocket::new(), RepSocket::new());
        req.connect(rep.bind(transport.any()).await.unwrap()).unwrap();
        let kept = stuck!(rep, 3);
        let server = rep.clone();
        let serving = tokio::spawn(async move {
            let request = server.recv().await.unwrap();
            server.send(request).await.unwrap();
        });
        tokio::task::yield_now().await;
        within(req.send("?")).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), "?".into(), "{transport:?}");
        within(serving).await.unwrap();
        drop(kept);
    }
}

/// A receiver that comes for one of two requests, and then works on that, is not
/// counted on for the other.
#[tokio::test]
async fn a_rep_that_works_sees_who_leaves_meanwhile() {
    for transport in Transport::STREAMS {
        let rep = RepSocket::new();
        let endpoint = rep.bind(transport.any()).await.unwrap();
        let mut events = Events::from(rep.monitor());
        let asking = ["a", "b"].map(|name| (name, ReqSocket::new()));
        for (_, req) in &asking {
            req.connect(&endpoint).unwrap();
            events.ready().await;
        }
        // So that nothing is unread of either, and the clock, if there was one, has
        // stopped.
        for (name, req) in &asking {
            within(req.send(*name)).await.unwrap();
            let request = within(rep.recv()).await.unwrap();
            within(rep.send(request)).await.unwrap();
            within(req.recv()).await.unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let server = rep.clone();
        let serving = tokio::spawn(async move { server.recv().await.unwrap() });
        tokio::task::yield_now().await;
        for (name, req) in &asking {
            within(req.send(*name)).await.unwrap();
        }
        let request = within(serving).await.unwrap();
        let (kept, left): (Vec<_>, Vec<_>) =
            asking.into_iter().partition(|(name, _)| request == (*name).into());
        drop(left);
        events.disconnected().await;
        drop(kept);
    }
}

/// Nobody else receives: the message waits for whoever does later, and what the
/// peer asks meanwhile is answered.
#[tokio::test]
async fn a_peer_whose_message_nobody_takes_is_answered() {
    for transport in Transport::STREAMS {
        let pull = PullSocket::new();
        let endpoint = pull.bind(transport.any()).await.unwrap();
        let mut peer = raw::join_tightly(&endpoint, raw::READY_PUSH).await;
        let kept = stuck!(pull, 1);
        for round in 0..3 {
            within(peer.write_all(&raw::frame(false, b"m"))).await.unwrap();
            raw::barrier(&mut peer).await;
            if round == 1 {
                assert_eq!(pull.try_recv().unwrap(), "m".into(), "{transport:?}");
            }
        }
        for _ in 0..2 {
            assert_eq!(within(pull.recv()).await.unwrap(), "m".into(), "{transport:?}");
        }
        drop(kept);
    }
}

/// A waker that counts.
#[derive(Default)]
struct Wakes(Arc<Count>);

#[derive(Default)]
struct Count(AtomicUsize);

impl std::task::Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wakes {
    fn poll<F: Future + Unpin>(&self, future: &mut F) -> std::task::Poll<F::Output> {
        let waker = std::task::Waker::from(Arc::clone(&self.0));
        std::pin::Pin::new(future).poll(&mut std::task::Context::from_waker(&waker))
    }

    fn count(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }
}
