//! A task that computes and seldom awaits, on a runtime with several workers:
//! what it asked for is done meanwhile. (On `current_thread` nobody could.)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ferromq::{
    MonitorEvent, PubSocket, PullSocket, PushSocket, SocketOptions, SubSocket, XPubSocket,
};

use crate::common::events::Events;
use crate::common::{Transport, within};

/// How long a task computes at most: nobody may wait for that.
const LONG: Duration = Duration::from_secs(10);

/// Whether what a task asked for has happened.
#[derive(Clone, Default)]
struct Seen(Arc<AtomicBool>);

impl Seen {
    fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Computes until it has happened, and tells tokio nothing of it.
    fn compute(&self, what: &str) {
        let since = Instant::now();
        while !self.0.load(Ordering::SeqCst) {
            assert!(since.elapsed() < LONG, "{what} did not happen while its task computed");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subscriber_that_polls_between_computations_hears_what_comes() {
    const POLLS: usize = 1000;
    for transport in Transport::ALL {
        let publisher = PubSocket::new();
        let at = publisher.bind(transport.any()).await.unwrap();
        let polling = tokio::spawn(async move {
            let sub = SubSocket::new();
            sub.subscribe("").unwrap();
            sub.connect(at).unwrap();
            let compute = |_: &usize| {
                thread::sleep(Duration::from_millis(10));
                sub.try_recv().is_ok()
            };
            (0..POLLS).filter(compute).take(20).count()
        });
        while !polling.is_finished() {
            within(publisher.send("tick")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(polling.await.unwrap(), 20, "{transport:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_worker_sends_is_delivered_while_it_computes_on() {
    for transport in Transport::ALL {
        let pull = PullSocket::new();
        let at = pull.bind(transport.any()).await.unwrap();
        let results = ["first", "second"].map(|result| (result, Seen::default()));
        let worker = tokio::spawn({
            let results = results.clone();
            async move {
                let push = PushSocket::new();
                push.connect(at).unwrap();
                for (result, seen) in results {
                    push.send(result).await.unwrap();
                    seen.compute(result);
                }
            }
        });
        for (result, seen) in results {
            assert_eq!(within(pull.recv()).await.unwrap(), result.into(), "{transport:?}");
            seen.set();
        }
        within(worker).await.unwrap();
    }
}

/// Several at once, and with a burst: not only the one message that a caller may
/// write itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_burst_is_delivered_while_its_sender_computes() {
    for transport in Transport::ALL {
        let pull = PullSocket::new();
        let at = pull.bind(transport.any()).await.unwrap();
        let push = PushSocket::new();
        let mut events = Events::from(pull.monitor());
        push.connect(at).unwrap();
        events.ready().await;
        let seen = Seen::default();
        let worker = tokio::spawn({
            let seen = seen.clone();
            async move {
                for number in 0..100 {
                    push.send(number.to_string()).await.unwrap();
                }
                seen.compute("the burst");
            }
        });
        for number in 0..100 {
            assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
        }
        seen.set();
        within(worker).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_that_computes_keeps_its_heartbeats() {
    let heartbeat = || {
        SocketOptions::new()
            .heartbeat_interval(Duration::from_millis(50))
            .heartbeat_timeout(Duration::from_secs(1))
    };
    for transport in Transport::STREAMS {
        let (pull, push) =
            (PullSocket::with_options(heartbeat()), PushSocket::with_options(heartbeat()));
        let (mut ours, mut theirs) = (Events::from(pull.monitor()), Events::from(push.monitor()));
        let at = pull.bind(transport.any()).await.unwrap();
        let worker = tokio::spawn(async move {
            push.connect(at).unwrap();
            push.send("computing").await.unwrap();
            thread::sleep(Duration::from_millis(2500));
            push.send("done").await.unwrap();
            let _ = push.close().await;
        });
        for message in ["computing", "done"] {
            assert_eq!(within(pull.recv()).await.unwrap(), message.into());
        }
        within(worker).await.unwrap();
        // One connection, which ended when the worker closed it.
        assert!(ours.disconnected().await.to_string().contains("peer closed"), "{transport:?}");
        let is_ready = |event| matches!(event, MonitorEvent::Ready { .. }).then_some(());
        theirs.find(is_ready).await;
        assert!(theirs.disconnected().await.to_string().contains("this side"), "{transport:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_that_binds_and_computes_is_reached_meanwhile() {
    for transport in Transport::ALL {
        let at = transport.known();
        let (push, pull) = (PushSocket::new(), PullSocket::new());
        let mut events = Events::from(pull.monitor());
        let seen = Seen::default();
        let server = tokio::spawn({
            let (pull, at, seen) = (pull.clone(), at.clone(), seen.clone());
            async move {
                pull.bind(at).await.unwrap();
                seen.compute("a message");
            }
        });
        let is_listening = |event| matches!(event, MonitorEvent::Listening { .. }).then_some(());
        events.find(is_listening).await;
        push.connect(&at).unwrap();
        within(push.send("m")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "m".into());
        seen.set();
        within(server).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subscription_of_one_that_computes_is_heard_meanwhile() {
    for transport in Transport::ALL {
        let publisher = XPubSocket::new();
        let at = publisher.bind(transport.any()).await.unwrap();
        let sub = SubSocket::new();
        let mut events = Events::from(sub.monitor());
        sub.connect(at).unwrap();
        events.ready().await;
        let [first, second] = [(); 2].map(|()| Seen::default());
        let subscriber = tokio::spawn({
            let (first, second) = (first.clone(), second.clone());
            async move {
                sub.subscribe("topic").unwrap();
                first.compute("a subscription");
                sub.unsubscribe("topic").unwrap();
                second.compute("its end");
            }
        });
        assert_eq!(within(publisher.recv()).await.unwrap(), "\u{1}topic".into());
        first.set();
        assert_eq!(within(publisher.recv()).await.unwrap(), "\0topic".into());
        second.set();
        within(subscriber).await.unwrap();
    }
}
