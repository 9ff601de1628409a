//! A socket whose runtimes have all ended: what can still be received is received, and
//! then nobody waits for ever.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ferromq::{
    DealerSocket, DropCause, Endpoint, Message, PubSocket, PullSocket, PushSocket, RecvError,
    RepSocket, ReqSocket, RouterSocket, RoutingId, SendError, SendErrorKind, SocketOptions,
    SubSocket, XPubSocket,
};
use tokio::io::AsyncWriteExt;
use tokio::runtime::{Builder, Runtime};

use crate::common::events::Events;
use crate::common::{Transport, quick, raw, within};

fn runtime(is_multi: bool) -> Runtime {
    let mut builder = match is_multi {
        true => Builder::new_multi_thread(),
        false => Builder::new_current_thread(),
    };
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// The side that dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Dialled,
    Accepted,
}

/// Every kind of runtime, transport and way.
fn cases() -> impl Iterator<Item = (bool, Transport, Way)> {
    let kinds = [false, true].into_iter();
    kinds.flat_map(|is_multi| {
        let transports = Transport::STREAMS.into_iter();
        transports.flat_map(move |transport| {
            [Way::Dialled, Way::Accepted].map(|way| (is_multi, transport, way))
        })
    })
}

/// A DEALER in the runtime `home`, and its peer in another.
fn meet(home: &Runtime, other: &Runtime, transport: Transport, way: Way) -> [DealerSocket; 2] {
    let options = SocketOptions::new().recv_hwm(1).send_hwm(1);
    let [ours, theirs] = [(); 2].map(|()| DealerSocket::with_options(options.clone()));
    let mut events = Events::from(ours.monitor());
    let (binder, connector) = match way {
        Way::Dialled => ((other, &theirs), (home, &ours)),
        Way::Accepted => ((home, &ours), (other, &theirs)),
    };
    let endpoint = binder.0.block_on(binder.1.bind(transport.any())).unwrap();
    connector.0.block_on(async { connector.1.connect(&endpoint) }).unwrap();
    home.block_on(events.ready());
    [ours, theirs]
}

/// Ends a runtime, which would not be allowed within another.
fn end(home: Runtime) {
    std::thread::spawn(move || drop(home)).join().unwrap();
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// What a call comes to that waits when a runtime ends.
async fn when_it_ends<F: Future>(home: Runtime, waiting: F) -> F::Output {
    let mut waiting = pin!(waiting);
    assert!(poll_once(waiting.as_mut()).await.is_pending());
    let ending = std::thread::spawn(move || drop(home));
    let output = within(waiting).await;
    ending.join().unwrap();
    output
}

#[track_caller]
fn assert_ended(sent: Result<(), SendError>) {
    let error = sent.unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::RuntimeEnded);
    assert_eq!(error.into_message(), "m".into());
}

#[test]
fn a_receiver_that_waits_is_told() {
    for (is_multi, transport, way) in cases() {
        let (home, other) = (runtime(is_multi), runtime(true));
        let [ours, _theirs] = meet(&home, &other, transport, way);
        let received = other.block_on(when_it_ends(home, ours.recv()));
        assert_eq!(received, Err(RecvError::RuntimeEnded), "{is_multi} {transport:?} {way:?}");
    }
}

#[test]
fn all_receivers_that_wait_are_told() {
    for is_multi in [false, true] {
        let (home, other) = (runtime(is_multi), runtime(true));
        let [ours, _theirs] = meet(&home, &other, Transport::Tcp, Way::Accepted);
        let others: Vec<_> = (0..20)
            .map(|_| {
                let ours = ours.clone();
                other.spawn(async move { ours.recv().await })
            })
            .collect();
        let received = other.block_on(when_it_ends(home, ours.recv()));
        assert_eq!(received, Err(RecvError::RuntimeEnded));
        for task in others {
            assert_eq!(other.block_on(async { within(task).await }).unwrap(), received);
        }
    }
}

#[test]
fn a_sender_that_waits_for_a_peer_that_does_not_read_is_told() {
    for (is_multi, transport, way) in cases() {
        let (home, other) = (runtime(is_multi), runtime(true));
        let [ours, _theirs] = meet(&home, &other, transport, way);
        let sending = {
            let ours = ours.clone();
            other.spawn(async move {
                loop {
                    if let Err(error) = ours.send(vec![0; 1 << 20]).await {
                        return error;
                    }
                }
            })
        };
        end(home);
        let error = other.block_on(async { within(sending).await }).unwrap();
        assert_eq!(error.kind(), SendErrorKind::RuntimeEnded, "{is_multi} {transport:?} {way:?}");
        assert_eq!(error.into_message().size(), 1 << 20);
        assert!(ours.dropped(DropCause::LingerExpired) <= 1);
    }
}

#[test]
fn a_sender_that_waits_for_nobody_yet_is_told() {
    for is_multi in [false, true] {
        for transport in Transport::STREAMS {
            let (home, other) = (runtime(is_multi), runtime(true));
            let push = PushSocket::new();
            home.block_on(push.bind(transport.any())).unwrap();
            assert_ended(other.block_on(when_it_ends(home, push.send("m"))));
            // And with what is kept for an endpoint that never was there.
            let home = runtime(is_multi);
            let push = PushSocket::with_options(quick().send_hwm(1));
            home.block_on(async { push.connect(transport.known()) }).unwrap();
            push.try_send("first").unwrap();
            assert_ended(other.block_on(when_it_ends(home, push.send("m"))));
            assert_eq!(push.dropped(DropCause::LingerExpired), 1);
        }
    }
}

#[test]
fn whoever_comes_later_is_told_at_once() {
    for (is_multi, transport, way) in cases() {
        let (home, other) = (runtime(is_multi), runtime(true));
        let [ours, _theirs] = meet(&home, &other, transport, way);
        end(home);
        other.block_on(async {
            assert_eq!(within(ours.recv()).await, Err(RecvError::RuntimeEnded));
            assert_eq!(ours.try_recv(), Err(RecvError::RuntimeEnded));
            let with_peer = within(ours.recv_with_peer()).await;
            assert_eq!(with_peer.unwrap_err(), RecvError::RuntimeEnded);
            assert_ended(within(ours.send("m")).await);
            assert_ended(ours.try_send("m"));
        });
    }
}

#[test]
fn it_is_the_same_with_immediate() {
    for is_multi in [false, true] {
        for is_there in [false, true] {
            let (home, other) = (runtime(is_multi), runtime(true));
            let ours = DealerSocket::with_options(quick().immediate(true));
            let theirs = DealerSocket::new();
            let mut events = Events::from(ours.monitor());
            let mut at = Transport::Tcp.known();
            if is_there {
                at = other.block_on(theirs.bind("tcp://127.0.0.1:0")).unwrap();
            }
            home.block_on(async {
                ours.connect(&at).unwrap();
                match is_there {
                    true => drop(events.ready().await),
                    false => drop(events.retrying().await),
                }
            });
            let received = other.block_on(when_it_ends(home, ours.recv()));
            assert_eq!(received, Err(RecvError::RuntimeEnded), "{is_multi} {is_there}");
            assert_ended(ours.try_send("m"));
        }
    }
}

#[test]
fn what_had_come_is_received_first() {
    for is_multi in [false, true] {
        for way in [Way::Dialled, Way::Accepted] {
            let (home, other) = (runtime(is_multi), runtime(true));
            let pull = PullSocket::new();
            // Of which the first, when it is received, takes all others along.
            let peer = home.block_on(async {
                let mut peer = match way {
                    Way::Accepted => {
                        let at = pull.bind("tcp://127.0.0.1:0").await.unwrap();
                        raw::connect(&at).await
                    }
                    Way::Dialled => {
                        let (listener, at) = raw::listener().await;
                        pull.connect(&at).unwrap();
                        raw::accept(&listener).await
                    }
                };
                raw::shake_hands(&mut peer, raw::READY_PUSH).await;
                within(peer.write_all(&b"\0\x01m".repeat(10))).await.unwrap();
                assert_eq!(within(pull.recv()).await, Ok("m".into()));
                peer
            });
            end(home);
            other.block_on(async {
                for _ in 0..4 {
                    assert_eq!(within(pull.recv()).await, Ok("m".into()), "{is_multi} {way:?}");
                    assert_eq!(pull.try_recv(), Ok("m".into()), "{is_multi} {way:?}");
                }
                assert_eq!(within(pull.recv()).await, Ok("m".into()), "{is_multi} {way:?}");
                assert_eq!(within(pull.recv()).await, Err(RecvError::RuntimeEnded));
                assert_eq!(pull.try_recv(), Err(RecvError::RuntimeEnded));
            });
            drop(peer);
        }
    }
}

#[test]
fn a_new_connect_or_bind_brings_it_back() {
    for (is_multi, transport, way) in cases() {
        for connects in [false, true] {
            let (home, other) = (runtime(is_multi), runtime(true));
            let [ours, _theirs] = meet(&home, &other, transport, way);
            end(home);
            assert_ended(ours.try_send("m"));
            other.block_on(async {
                let peer = DealerSocket::new();
                let (binder, connector) = if connects { (&peer, &ours) } else { (&ours, &peer) };
                let at = within(binder.bind(transport.any())).await.unwrap();
                // Nobody is there yet, and somebody may come.
                if !connects {
                    assert!(ours.try_send("m").unwrap_err().is_would_block());
                    assert!(ours.try_recv().unwrap_err().is_would_block());
                }
                connector.connect(&at).unwrap();
                assert!(ours.try_recv().unwrap_err().is_would_block());
                within(ours.send("there")).await.unwrap();
                assert_eq!(within(peer.recv()).await, Ok("there".into()));
                within(peer.send("back")).await.unwrap();
                assert_eq!(within(ours.recv()).await, Ok("back".into()));
            });
            // And once more.
            end(other);
            assert_ended(ours.try_send("m"));
        }
    }
}

#[test]
fn it_is_told_when_the_last_runtime_ends_and_not_before() {
    for is_multi in [false, true] {
        let (first, second, other) = (runtime(is_multi), runtime(is_multi), runtime(true));
        let pull = PullSocket::new();
        first.block_on(pull.bind("tcp://127.0.0.1:0")).unwrap();
        second.block_on(pull.bind("tcp://127.0.0.1:0")).unwrap();
        other.block_on(async {
            let mut waiting = pin!(pull.recv());
            assert!(poll_once(waiting.as_mut()).await.is_pending());
            end(first);
            assert!(poll_once(waiting.as_mut()).await.is_pending());
            assert!(pull.try_recv().unwrap_err().is_would_block());
            assert_eq!(when_it_ends(second, waiting).await, Err(RecvError::RuntimeEnded));
        });
    }
}

#[test]
fn to_take_back_the_last_that_lives_is_to_be_told_as_well() {
    let (home, other) = (runtime(false), runtime(true));
    let pull = PullSocket::new();
    home.block_on(pull.bind("tcp://127.0.0.1:0")).unwrap();
    other.block_on(async {
        let at = pull.bind("tcp://127.0.0.1:0").await.unwrap();
        end(home);
        let mut waiting = pin!(pull.recv());
        assert!(poll_once(waiting.as_mut()).await.is_pending());
        within(pull.unbind(&at)).await.unwrap();
        assert_eq!(within(waiting).await, Err(RecvError::RuntimeEnded));
    });
    // Also if that one lingers for ever.
    let (home, dealer) = (runtime(false), DealerSocket::new());
    home.block_on(dealer.bind("tcp://127.0.0.1:0")).unwrap();
    other.block_on(async {
        let at = Transport::Tcp.known();
        dealer.connect(&at).unwrap();
        within(dealer.send("for nobody")).await.unwrap();
        end(home);
        let mut waiting = pin!(dealer.recv());
        assert!(poll_once(waiting.as_mut()).await.is_pending());
        dealer.disconnect(&at).unwrap();
        assert_eq!(within(waiting).await, Err(RecvError::RuntimeEnded));
        assert_ended(within(dealer.send("m")).await);
    });
}

#[test]
fn who_has_no_endpoint_or_one_in_the_process_waits() {
    let (home, other) = (runtime(false), runtime(true));
    let (lone, pair) = (DealerSocket::new(), DealerSocket::new());
    let name = Transport::Inproc.any();
    let at = home.block_on(pair.bind("tcp://127.0.0.1:0")).unwrap();
    home.block_on(pair.bind(&name)).unwrap();
    end(home);
    other.block_on(async {
        for socket in [&lone, &pair] {
            let (mut receiving, mut sending) = (pin!(socket.recv()), pin!(socket.send("m")));
            assert!(poll_once(receiving.as_mut()).await.is_pending());
            assert!(poll_once(sending.as_mut()).await.is_pending());
            assert!(socket.try_recv().unwrap_err().is_would_block());
            assert!(socket.try_send("m").unwrap_err().is_would_block());
        }
        // Nothing that is tied to a runtime is left.
        within(pair.unbind(&at)).await.unwrap();
        let peer = DealerSocket::new();
        peer.connect(&name).unwrap();
        within(peer.send("m")).await.unwrap();
        assert_eq!(within(pair.recv()).await, Ok("m".into()));
    });
}

#[test]
fn a_closed_socket_is_closed() {
    let (home, other) = (runtime(false), runtime(true));
    let dealer = DealerSocket::new();
    home.block_on(dealer.bind("tcp://127.0.0.1:0")).unwrap();
    end(home);
    other.block_on(async {
        let _ = within(dealer.close()).await;
        assert_eq!(within(dealer.recv()).await, Err(RecvError::Closed));
        assert_eq!(dealer.try_send("m").unwrap_err().kind(), SendErrorKind::Closed);
    });
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn where_they_take_turns_it_is_no_fault_of_those_who_wait() {
    for is_multi in [false, true] {
        let (home, other) = (runtime(is_multi), runtime(true));
        let (rep, req) = (RepSocket::new(), ReqSocket::new());
        let at = home.block_on(rep.bind("tcp://127.0.0.1:0")).unwrap();
        let (mut first, mut second) = (pin!(rep.recv()), pin!(rep.recv()));
        let woken = Arc::new(Woken::default());
        other.block_on(async { req.connect(&at) }).unwrap();
        home.block_on(async {
            assert!(poll_once(first.as_mut()).await.is_pending());
            let waker = Waker::from(Arc::clone(&woken));
            assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            within(req.send("request")).await.unwrap();
            assert_eq!(within(first).await, Ok("request".into()));
        });
        // It is the turn of one who sends when the runtime ends.
        assert!(!woken.0.load(Ordering::SeqCst));
        end(home);
        assert!(woken.0.load(Ordering::SeqCst));
        other.block_on(async {
            assert_eq!(within(second).await, Err(RecvError::RuntimeEnded));
            assert_eq!(within(rep.recv()).await, Err(RecvError::OutOfTurn));
            within(rep.send("reply")).await.unwrap();
            assert_eq!(within(rep.recv()).await, Err(RecvError::RuntimeEnded));
            assert_eq!(rep.try_recv(), Err(RecvError::RuntimeEnded));
        });
    }
}

#[test]
fn who_has_asked_hears_that_no_reply_can_come_and_cannot_ask_again() {
    for is_multi in [false, true] {
        let (home, other) = (runtime(is_multi), runtime(true));
        let (router, req) = (RouterSocket::new(), ReqSocket::new());
        let at = other.block_on(router.bind("tcp://127.0.0.1:0")).unwrap();
        home.block_on(async {
            req.connect(&at).unwrap();
            within(req.send("request")).await.unwrap();
            within(router.recv()).await.unwrap();
        });
        other.block_on(async {
            assert_eq!(when_it_ends(home, req.recv()).await, Err(RecvError::PeerLeft));
            assert_ended(within(req.send("m")).await);
            assert_ended(req.try_send("m"));
            assert_eq!(within(req.recv()).await, Err(RecvError::OutOfTurn));
        });
    }
}

#[test]
fn those_that_never_wait_to_send_do_not_now() {
    let (home, other) = (runtime(false), runtime(true));
    let (publisher, sub) = (PubSocket::new(), SubSocket::new());
    let (router, strict) = (
        RouterSocket::new(),
        RouterSocket::with_options(SocketOptions::new().router_mandatory(true)),
    );
    home.block_on(async {
        publisher.bind("tcp://127.0.0.1:0").await.unwrap();
        sub.bind("tcp://127.0.0.1:0").await.unwrap();
        router.bind("tcp://127.0.0.1:0").await.unwrap();
        strict.bind("tcp://127.0.0.1:0").await.unwrap();
    });
    end(home);
    other.block_on(async {
        within(publisher.send("m")).await.unwrap();
        assert_eq!(within(sub.recv()).await, Err(RecvError::RuntimeEnded));
        let id = RoutingId::new("somebody").unwrap();
        within(router.send_to(&id, "m")).await.unwrap();
        assert_eq!(router.dropped(DropCause::Unroutable), 1);
        let error = within(strict.send_to(&id, "m")).await.unwrap_err();
        assert_eq!(error.kind(), SendErrorKind::Unroutable);
        assert_eq!(within(strict.recv()).await.unwrap_err(), RecvError::RuntimeEnded);
    });
}

#[test]
fn a_publisher_hears_of_the_end_of_each_subscription_first() {
    // More than are forgotten in one piece.
    const TOPICS: usize = 20_000;
    for is_multi in [false, true] {
        let (home, other) = (runtime(is_multi), runtime(true));
        let (publisher, sub) = (XPubSocket::new(), SubSocket::new());
        let at: Endpoint = home.block_on(publisher.bind("tcp://127.0.0.1:0")).unwrap();
        for topic in 0..TOPICS {
            sub.subscribe(topic.to_string()).unwrap();
        }
        other.block_on(async { sub.connect(&at) }).unwrap();
        home.block_on(async {
            for _ in 0..TOPICS {
                assert_eq!(first_octet(&within(publisher.recv()).await.unwrap()), 1);
            }
        });
        end(home);
        other.block_on(async {
            for _ in 0..TOPICS {
                assert_eq!(first_octet(&within(publisher.recv()).await.unwrap()), 0);
            }
            assert_eq!(within(publisher.recv()).await, Err(RecvError::RuntimeEnded));
        });
    }
}

fn first_octet(message: &Message) -> u8 {
    message.first()[0]
}
