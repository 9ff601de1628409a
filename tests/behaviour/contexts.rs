//! Contexts that do the I/O of their sockets, and sockets that block. No test here has a
//! runtime unless it says so.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ferromq::{
    BindError, Context, Endpoint, Linger, MonitorEvent, RecvError, SocketOptions, SocketType,
    SubSocket, XPubSocket, blocking,
};
use tokio::runtime::Builder;

use crate::common::log::Log;
use crate::common::{Transport, quick, within};

const SOON: Duration = Duration::from_secs(20);

fn runtime() -> tokio::runtime::Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn every_type_works_without_a_runtime() {
    for transport in Transport::ALL {
        let context = Context::with_threads(1).unwrap();
        macro_rules! socket {
            ($name:ident) => {
                blocking::$name::new_in(&context, SocketOptions::new())
            };
        }
        let (rep, req) = (socket!(RepSocket), socket!(ReqSocket));
        req.connect(rep.bind(transport.any()).unwrap()).unwrap();
        req.send("ask").unwrap();
        assert_eq!(rep.recv_timeout(SOON).unwrap(), "ask".into());
        rep.send("answer").unwrap();
        assert_eq!(req.recv_timeout(SOON).unwrap(), "answer".into());

        let (router, dealer) = (socket!(RouterSocket), socket!(DealerSocket));
        dealer.connect(router.bind(transport.any()).unwrap()).unwrap();
        dealer.send("ask").unwrap();
        let (id, asked) = router.recv_timeout(SOON).unwrap();
        router.send_to(&id, asked).unwrap();
        assert_eq!(dealer.recv().unwrap(), "ask".into());

        let (xpub, sub) = (socket!(XPubSocket), socket!(SubSocket));
        sub.connect(xpub.bind(transport.any()).unwrap()).unwrap();
        sub.subscribe("news").unwrap();
        assert_eq!(xpub.recv_timeout(SOON).unwrap(), "\x01news".into());
        xpub.send("news of today").unwrap();
        assert_eq!(sub.recv_timeout(SOON).unwrap(), "news of today".into());

        let (pull, push) = (socket!(PullSocket), socket!(PushSocket));
        push.connect(pull.bind(transport.any()).unwrap()).unwrap();
        for number in 0..3000 {
            push.send(number.to_string()).unwrap();
            if number >= 500 {
                assert_eq!(pull.recv_timeout(SOON).unwrap(), (number - 500).to_string().into());
            }
        }
        let pairs = [socket!(PairSocket), socket!(PairSocket)];
        pairs[0].connect(pairs[1].bind(transport.any()).unwrap()).unwrap();
        pairs[0].send("hello").unwrap();
        assert_eq!(pairs[1].recv_timeout(SOON).unwrap(), "hello".into());
        assert_eq!(pairs[1].socket_type(), SocketType::Pair);
    }
}

#[test]
fn a_timeout_changes_nothing() {
    let (pull, push) = (blocking::PullSocket::new(), blocking::PushSocket::new());
    let soon = Duration::from_millis(20);
    assert!(pull.recv_timeout(soon).unwrap_err().is_would_block());
    let error = push.send_timeout("work", soon).unwrap_err();
    assert!(error.is_would_block());
    push.connect(pull.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
    push.send(error.into_message()).unwrap();
    push.send("more").unwrap();
    assert_eq!(pull.recv_timeout(SOON).unwrap(), "work".into());
    assert_eq!(pull.recv_timeout(SOON).unwrap(), "more".into());
    assert!(pull.recv_timeout(soon).unwrap_err().is_would_block());
}

/// A script: it connects, sends and returns.
#[test]
fn the_last_handle_waits_until_all_has_gone_out() {
    for transport in Transport::STREAMS {
        let (told, hear) = mpsc::channel::<Endpoint>();
        let receiving = thread::spawn(move || {
            let pull = blocking::PullSocket::new();
            told.send(pull.bind(transport.any()).unwrap()).unwrap();
            (0..1000).map(|_| pull.recv_timeout(SOON).unwrap().size()).sum::<usize>()
        });
        let at = hear.recv().unwrap();
        let context = Context::with_threads(1).unwrap();
        let push = blocking::PushSocket::new_in(&context, SocketOptions::new());
        push.connect(&at).unwrap();
        for _ in 0..1000 {
            push.send(vec![7; 10_000]).unwrap();
        }
        drop((push, context));
        assert_eq!(receiving.join().unwrap(), 10_000_000);
    }
}

/// The same with a socket for async, whose context is dropped before it.
#[test]
fn a_socket_keeps_the_threads_of_its_context() {
    let pull = blocking::PullSocket::new();
    let at = pull.bind("tcp://127.0.0.1:*").unwrap();
    let context = Context::with_threads(2).unwrap();
    let push = ferromq::PushSocket::new_in(&context, SocketOptions::new());
    drop(context);
    runtime().block_on(async {
        push.connect(&at).unwrap();
        push.send("from a runtime that ends").await.unwrap();
    });
    // Of the next one.
    runtime().block_on(async {
        push.send("from another").await.unwrap();
        drop(push);
    });
    assert_eq!(pull.recv_timeout(SOON).unwrap(), "from a runtime that ends".into());
    assert_eq!(pull.recv_timeout(SOON).unwrap(), "from another".into());
}

#[test]
fn the_end_of_a_program_is_not_held_up_for_ever() {
    let log = Log::default();
    for (linger, least, most) in [
        (Linger::For(Duration::ZERO), 0, 3000),
        (Linger::For(Duration::from_millis(300)), 300, 4000),
        (Linger::Forever, 5000, 15_000),
    ] {
        let context = Context::with_threads(1).unwrap();
        let push = ferromq::PushSocket::new_in(&context, quick().linger(linger));
        // Nobody is there, and nobody comes.
        push.connect("tcp://127.0.0.1:1").unwrap();
        push.try_send("lost").unwrap();
        let since = Instant::now();
        tracing::subscriber::with_default(log.clone(), || drop((push, context)));
        let took = since.elapsed().as_millis();
        assert!((least..most).contains(&took), "{linger:?}: {took} ms");
        assert_eq!(log.warnings(), usize::from(linger == Linger::Forever), "{:?}", log.lines());
    }
}

#[test]
fn a_context_may_be_dropped_in_a_task() {
    let pull = blocking::PullSocket::new();
    let at = pull.bind("tcp://127.0.0.1:*").unwrap();
    runtime().block_on(async {
        let context = Context::with_threads(1).unwrap();
        let push = ferromq::PushSocket::new_in(&context, SocketOptions::new());
        push.connect(&at).unwrap();
        push.send("m").await.unwrap();
    });
    assert_eq!(pull.recv_timeout(SOON).unwrap(), "m".into());
}

#[test]
fn a_shutdown_ends_every_call() {
    let context = Context::with_threads(1).unwrap();
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let pull = blocking::PullSocket::new_in(&context, SocketOptions::new());
            pull.bind("tcp://127.0.0.1:*").unwrap();
            thread::spawn(move || pull.recv())
        })
        .collect();
    let push = blocking::PushSocket::new_in(&context, SocketOptions::new());
    let sending = push.clone();
    let sending = thread::spawn(move || sending.send("nobody takes it"));
    context.shutdown();
    for waiting in waiting {
        assert!(matches!(waiting.join().unwrap(), Err(RecvError::Closed)));
    }
    assert!(sending.join().unwrap().unwrap_err().is_closed());
    // Also of sockets that are made later.
    let late = blocking::PullSocket::new_in(&context, SocketOptions::new());
    assert!(matches!(late.bind("tcp://127.0.0.1:*"), Err(BindError::Closed)));
    assert!(matches!(late.try_recv(), Err(RecvError::Closed)));
}

#[tokio::test]
async fn closing_a_context_delivers_what_was_accepted() {
    let pull = ferromq::PullSocket::new();
    let at = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let context = Context::new();
    let push = ferromq::PushSocket::new_in(&context, SocketOptions::new());
    push.connect(&at).unwrap();
    for _ in 0..100 {
        push.send("m").await.unwrap();
    }
    within(context.close()).await;
    assert!(push.send("late").await.unwrap_err().is_closed());
    for _ in 0..100 {
        assert_eq!(within(pull.recv()).await.unwrap(), "m".into());
    }
}

/// Without threads of its context a blocking socket says what it lacks.
#[test]
fn a_context_without_threads_is_an_error_at_bind() {
    let pull = blocking::PullSocket::new_in(&Context::new(), SocketOptions::new());
    assert!(matches!(pull.bind("tcp://127.0.0.1:*"), Err(BindError::NoRuntime)));
}

/// A task that never awaits: only threads of their own keep its connections alive.
#[test]
fn heartbeats_go_on_while_the_caller_computes() {
    let context = Context::with_threads(1).unwrap();
    let beating = SocketOptions::new()
        .heartbeat_interval(Duration::from_millis(50))
        .heartbeat_timeout(Duration::from_millis(300));
    let publisher = XPubSocket::new_in(&context, SocketOptions::new());
    let sub = SubSocket::with_options(beating);
    let (publisher, at) = runtime().block_on(async move {
        let at = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
        (publisher, at)
    });
    let mut monitor = sub.monitor();
    let hearing = thread::spawn(move || {
        runtime().block_on(async {
            sub.subscribe("").unwrap();
            sub.connect(&at).unwrap();
            within(sub.recv()).await.unwrap()
        })
    });
    while !matches!(monitor.recv_timeout(SOON).unwrap(), MonitorEvent::Ready { .. }) {}
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(1) {
        std::hint::spin_loop();
    }
    runtime().block_on(async {
        within(publisher.recv()).await.unwrap();
        publisher.send("still here").await.unwrap();
    });
    assert_eq!(hearing.join().unwrap(), "still here".into());
    while let Some(event) = monitor.recv_timeout(Duration::from_millis(10)) {
        assert!(!matches!(event, MonitorEvent::Retrying { .. }), "{event:?}");
    }
}
