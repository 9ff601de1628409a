//! A runtime that ends takes its endpoints with it; the same endpoints are had
//! again in another runtime, on every socket type.

use ferromq::{
    DealerSocket, DisconnectReason, DropCause, MonitorEvent, PairSocket, PubSocket, PullSocket,
    PushSocket, RecvError, RepSocket, ReqSocket, RouterSocket, RoutingId, SocketOptions, SubSocket,
    XPubSocket, XSubSocket,
};
use tokio::runtime::{Builder, Runtime};

use crate::common::events::Events;
use crate::common::log::Log;
use crate::common::{Transport, quick, within};

fn runtime(multi: bool) -> Runtime {
    match multi {
        true => Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
        false => Builder::new_current_thread().enable_all().build().unwrap(),
    }
}

fn named(name: &str) -> SocketOptions {
    quick().routing_id(RoutingId::new(name.to_owned()).unwrap())
}

/// A socket is connected, and bound, in a runtime that ends; then again in another,
/// where `talk` has it and its peer exchange something.
macro_rules! again {
    ($socket:expr, $peer:expr, |$ours:ident, $theirs:ident| $talk:block) => {
        for transport in Transport::STREAMS {
            for multi in [false, true] {
                let (first, second) = (runtime(multi), runtime(false));
                {
                    let ($ours, $theirs) = ($socket, $peer);
                    let at = second.block_on($theirs.bind(transport.known())).unwrap();
                    first.block_on(async { $ours.connect(&at) }).unwrap();
                    drop(first);
                    second.block_on(async {
                        $ours.connect(&at).unwrap();
                        within(async { $talk }).await;
                        $ours.disconnect(&at).unwrap();
                        $ours.disconnect(&at).unwrap_err();
                    });
                }

                let (first, at) = (runtime(multi), transport.known());
                let ($ours, $theirs) = ($socket, $peer);
                first.block_on($ours.bind(&at)).unwrap();
                second.block_on(async { $theirs.connect(&at) }).unwrap();
                drop(first);
                second.block_on(async {
                    within($ours.bind(&at)).await.unwrap();
                    within(async { $talk }).await;
                    within($ours.unbind(&at)).await.unwrap();
                    within($ours.unbind(&at)).await.unwrap_err();
                });
            }
        }
    };
}

fn all_of<T>(socket: T, subscribe: impl Fn(&T)) -> T {
    subscribe(&socket);
    socket
}

fn sub() -> SubSocket {
    all_of(SubSocket::with_options(quick()), |sub| sub.subscribe("").unwrap())
}

fn xsub() -> XSubSocket {
    all_of(XSubSocket::with_options(quick()), |xsub| xsub.subscribe("").unwrap())
}

#[test]
fn push_and_pull_are_there_again() {
    again!(PushSocket::with_options(quick()), PullSocket::with_options(quick()), |push, pull| {
        push.send("m").await.unwrap();
        assert_eq!(pull.recv().await.unwrap(), "m".into());
    });
    again!(PullSocket::with_options(quick()), PushSocket::with_options(quick()), |pull, push| {
        push.send("m").await.unwrap();
        assert_eq!(pull.recv().await.unwrap(), "m".into());
    });
}

#[test]
fn pair_is_there_again() {
    again!(PairSocket::with_options(quick()), PairSocket::with_options(quick()), |one, other| {
        one.send("m").await.unwrap();
        assert_eq!(other.recv().await.unwrap(), "m".into());
        other.send("n").await.unwrap();
        assert_eq!(one.recv().await.unwrap(), "n".into());
    });
}

#[test]
fn req_and_rep_are_there_again() {
    again!(ReqSocket::with_options(quick()), RepSocket::with_options(quick()), |req, rep| {
        req.send("question").await.unwrap();
        assert_eq!(rep.recv().await.unwrap(), "question".into());
        rep.send("answer").await.unwrap();
        assert_eq!(req.recv().await.unwrap(), "answer".into());
    });
    again!(RepSocket::with_options(quick()), ReqSocket::with_options(quick()), |rep, req| {
        req.send("question").await.unwrap();
        assert_eq!(rep.recv().await.unwrap(), "question".into());
        rep.send("answer").await.unwrap();
        assert_eq!(req.recv().await.unwrap(), "answer".into());
    });
}

#[test]
fn dealer_and_router_are_there_again() {
    let router = || RouterSocket::with_options(quick());
    again!(DealerSocket::with_options(named("d")), router(), |dealer, router| {
        dealer.send("m").await.unwrap();
        let (id, message) = router.recv().await.unwrap();
        assert_eq!((id.as_bytes().as_ref(), message), (&b"d"[..], "m".into()));
        router.send_to(&id, "n").await.unwrap();
        assert_eq!(dealer.recv().await.unwrap(), "n".into());
    });
    again!(router(), DealerSocket::with_options(named("d")), |router, dealer| {
        dealer.send("m").await.unwrap();
        let (id, message) = router.recv().await.unwrap();
        assert_eq!((id.as_bytes().as_ref(), message), (&b"d"[..], "m".into()));
        router.send_to(&id, "n").await.unwrap();
        assert_eq!(dealer.recv().await.unwrap(), "n".into());
    });
}

#[test]
fn publishers_and_subscribers_are_there_again() {
    let publisher = || PubSocket::with_options(quick());
    again!(publisher(), sub(), |publisher, sub| { published(&publisher, sub.recv()).await });
    again!(sub(), publisher(), |sub, publisher| { published(&publisher, sub.recv()).await });
    again!(XPubSocket::with_options(quick()), xsub(), |publisher, xsub| {
        assert_eq!(publisher.recv().await.unwrap(), "\u{1}".into());
        publisher.send("m").await.unwrap();
        assert_eq!(xsub.recv().await.unwrap(), "m".into());
    });
    again!(xsub(), XPubSocket::with_options(quick()), |xsub, publisher| {
        assert_eq!(publisher.recv().await.unwrap(), "\u{1}".into());
        publisher.send("m").await.unwrap();
        assert_eq!(xsub.recv().await.unwrap(), "m".into());
    });
}

/// PUB does not tell when it has a subscriber: it publishes until that hears it.
async fn published(
    publisher: &PubSocket,
    recv: impl Future<Output = Result<ferromq::Message, RecvError>>,
) {
    let mut recv = std::pin::pin!(recv);
    loop {
        publisher.send("m").await.unwrap();
        let wait = std::time::Duration::from_millis(5);
        if let Ok(received) = tokio::time::timeout(wait, recv.as_mut()).await {
            return assert_eq!(received.unwrap(), "m".into());
        }
    }
}

/// The endpoint is gone, the socket is not: others of it go on.
#[test]
fn a_dead_endpoint_holds_up_nobody() {
    for transport in Transport::STREAMS {
        let (first, second) = (runtime(false), runtime(false));
        let push = PushSocket::with_options(quick().send_hwm(5));
        let pull = PullSocket::new();
        first.block_on(async { push.connect(transport.known()) }).unwrap();
        let at = second.block_on(async {
            let at = pull.bind(transport.any()).await.unwrap();
            push.connect(&at).unwrap();
            at
        });
        // Its turn in the rotation went with it.
        drop(first);
        second.block_on(async {
            for number in 0..50 {
                within(push.send(number.to_string())).await.unwrap();
                assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
            }
            push.disconnect(&at).unwrap();
        });
    }
}

#[test]
fn a_sender_that_waits_for_a_dead_endpoint_gets_through_when_it_is_there_again() {
    let (first, second) = (runtime(false), runtime(false));
    let (push, pull) = (PushSocket::with_options(quick().send_hwm(1)), PullSocket::new());
    let at = Transport::Tcp.known();
    first.block_on(async {
        push.connect(&at).unwrap();
        within(push.send("lost")).await.unwrap();
    });
    let sender = push.clone();
    let waiting = second.spawn(async move { sender.send("kept").await });
    second.block_on(tokio::task::yield_now());
    drop(first);
    second.block_on(async {
        pull.bind(&at).await.unwrap();
        push.connect(&at).unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "kept".into());
        within(waiting).await.unwrap().unwrap();
    });
    assert_eq!(push.dropped(DropCause::LingerExpired), 1);
}

#[test]
fn req_learns_that_the_endpoint_it_asked_is_dead() {
    let (first, second) = (runtime(false), runtime(false));
    let (req, rep) = (ReqSocket::with_options(quick()), RepSocket::new());
    let at = second.block_on(rep.bind("tcp://127.0.0.1:0")).unwrap();
    first.block_on(async {
        req.connect(&at).unwrap();
        within(req.send("question")).await.unwrap();
    });
    let asking = req.clone();
    let waiting = second.spawn(async move { asking.recv().await });
    second.block_on(tokio::task::yield_now());
    drop(first);
    second.block_on(async {
        assert_eq!(within(waiting).await.unwrap(), Err(RecvError::PeerLeft));
        req.connect(&at).unwrap();
        within(req.send("again")).await.unwrap();
        while within(rep.recv()).await.unwrap() != "again".into() {
            within(rep.send("nobody hears it")).await.unwrap();
        }
        within(rep.send("answer")).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), "answer".into());
    });
}

#[test]
fn the_monitor_tells_that_a_runtime_has_ended() {
    for immediate in [false, true] {
        // The second runs by itself.
        let (first, second) = (runtime(false), runtime(true));
        let (router, dealer) =
            (RouterSocket::new(), DealerSocket::with_options(quick().immediate(immediate)));
        let mut events = Events::from(dealer.monitor());
        let at = second.block_on(router.bind("tcp://127.0.0.1:0")).unwrap();
        let waiting = Transport::Tcp.known();
        let listening = first.block_on(async {
            dealer.connect(&waiting).unwrap();
            events.retrying().await;
            dealer.connect(&at).unwrap();
            let bound = dealer.bind("tcp://127.0.0.1:0").await.unwrap();
            events.ready().await;
            bound
        });
        drop(first);
        // In which order is the runtime's affair.
        let (mut ended, mut closed) = (Vec::new(), Vec::new());
        second.block_on(async {
            while ended.is_empty() || closed.len() < 3 {
                match events.next().await {
                    MonitorEvent::Disconnected { endpoint, reason, .. } => {
                        let is_so = matches!(reason, DisconnectReason::RuntimeEnded);
                        assert!(is_so, "{reason:?}");
                        ended.push(endpoint);
                    }
                    MonitorEvent::Closed { endpoint } => closed.push(endpoint),
                    _ => {}
                }
            }
        });
        assert_eq!(ended, std::slice::from_ref(&at));
        for endpoint in [at, waiting, listening] {
            assert!(closed.contains(&endpoint), "{endpoint}: {closed:?}");
        }
    }
}

#[test]
fn what_was_accepted_for_a_dead_endpoint_is_counted_and_logged() {
    for transport in Transport::STREAMS {
        let (first, push) = (runtime(false), PushSocket::with_options(quick()));
        first.block_on(async {
            push.connect(transport.known()).unwrap();
            for _ in 0..7 {
                within(push.send("m")).await.unwrap();
            }
        });
        let log = Log::default();
        tracing::subscriber::with_default(log.clone(), || drop(first));
        assert_eq!(push.dropped(DropCause::LingerExpired), 7);
        assert_eq!(log.warnings(), 1, "{:?}", log.lines());
    }
}

/// A runtime that ends after the socket was closed, or an endpoint taken back, is
/// nothing to warn of.
#[test]
fn the_orderly_end_of_a_runtime_is_not_logged() {
    let (first, push) = (runtime(false), PushSocket::with_options(quick()));
    first.block_on(async {
        let at = Transport::Tcp.known();
        push.connect(&at).unwrap();
        push.disconnect(&at).unwrap();
        let _ = within(push.close()).await;
    });
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || drop(first));
    assert_eq!(log.warnings(), 0, "{:?}", log.lines());
}
