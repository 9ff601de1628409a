//! A task that computes and seldom awaits, on a runtime with several workers:
//! what it asked for is done meanwhile. (On `current_thread` nobody could.)

use std::thread;
use std::time::{Duration, Instant};

use ferromq::{
    MonitorEvent, PubSocket, PullSocket, PushSocket, SocketOptions, SubSocket, XPubSocket,
};

use crate::common::events::Events;
use crate::common::{Transport, within};

/// How long such a task computes, or sleeps without telling tokio.
const LONG: Duration = Duration::from_millis(500);

/// Something that the task asked for happened while it computed.
fn at_once(since: Instant, what: &str) {
    assert!(since.elapsed() < LONG * 4 / 5, "{what}: after {:?}", since.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_subscriber_that_polls_between_computations_hears_nearly_everything() {
    const POLLS: usize = 60;
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
            (0..POLLS).filter(compute).count()
        });
        while !polling.is_finished() {
            within(publisher.send("tick")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let heard = polling.await.unwrap();
        assert!(heard >= POLLS / 2, "{transport:?}: {heard} of {POLLS}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_worker_sends_is_delivered_while_it_computes_on() {
    for transport in Transport::ALL {
        let pull = PullSocket::new();
        let at = pull.bind(transport.any()).await.unwrap();
        let worker = tokio::spawn(async move {
            let push = PushSocket::new();
            push.connect(at).unwrap();
            for result in ["first", "second"] {
                push.send(result).await.unwrap();
                thread::sleep(LONG);
            }
        });
        for result in ["first", "second"] {
            let since = Instant::now();
            assert_eq!(within(pull.recv()).await.unwrap(), result.into());
            if result == "first" {
                at_once(since, "the first result");
            } else {
                // It had to be computed.
                assert!(since.elapsed() < LONG * 9 / 5, "{transport:?}: {:?}", since.elapsed());
            }
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
        let since = Instant::now();
        let worker = tokio::spawn(async move {
            for number in 0..100 {
                push.send(number.to_string()).await.unwrap();
            }
            thread::sleep(LONG);
        });
        for number in 0..100 {
            assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
        }
        at_once(since, "the burst");
        within(worker).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_that_computes_keeps_its_heartbeats() {
    let heartbeat = || {
        SocketOptions::new()
            .heartbeat_interval(Duration::from_millis(50))
            .heartbeat_timeout(Duration::from_millis(250))
    };
    for transport in Transport::STREAMS {
        let (pull, push) =
            (PullSocket::with_options(heartbeat()), PushSocket::with_options(heartbeat()));
        let (mut ours, mut theirs) = (Events::from(pull.monitor()), Events::from(push.monitor()));
        let at = pull.bind(transport.any()).await.unwrap();
        let worker = tokio::spawn(async move {
            push.connect(at).unwrap();
            push.send("computing").await.unwrap();
            thread::sleep(2 * LONG);
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
        let since = Instant::now();
        let server = tokio::spawn({
            let (pull, at) = (pull.clone(), at.clone());
            async move {
                pull.bind(at).await.unwrap();
                thread::sleep(LONG);
            }
        });
        let is_listening = |event| matches!(event, MonitorEvent::Listening { .. }).then_some(());
        events.find(is_listening).await;
        push.connect(&at).unwrap();
        within(push.send("m")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "m".into());
        at_once(since, "a message");
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
        let since = Instant::now();
        let subscriber = tokio::spawn(async move {
            sub.subscribe("topic").unwrap();
            thread::sleep(LONG);
            sub.unsubscribe("topic").unwrap();
            thread::sleep(LONG);
        });
        assert_eq!(within(publisher.recv()).await.unwrap(), "\u{1}topic".into());
        at_once(since, "a subscription");
        assert_eq!(within(publisher.recv()).await.unwrap(), "\0topic".into());
        assert!(since.elapsed() < LONG * 9 / 5, "{transport:?}: {:?}", since.elapsed());
        within(subscriber).await.unwrap();
    }
}
