//! Dropping futures: polled some times and then given up, they lose nothing,
//! double nothing, and change no turn.

use std::collections::HashSet;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ferromq::{
    DealerSocket, Linger, PairSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket,
    RoutingId, SocketOptions,
};

use crate::common::events::Events;
use crate::common::{Transport, quick, within};

/// Polls a future so many times, letting everything else run in between, then
/// drops it; what it came to, if it did.
async fn give_up_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

const POLLS: usize = 6;

#[tokio::test]
async fn a_send_that_is_given_up_was_not_sent() {
    for transport in Transport::STREAMS.into_iter().chain([Transport::Inproc]) {
        let push = PushSocket::with_options(quick().send_hwm(2));
        let endpoint = transport.known();
        push.connect(&endpoint).unwrap();
        let mut expected = Vec::new();
        // With room, and without: what was accepted is what was said to be.
        for polls in 0..POLLS {
            for body in [format!("a{polls}"), format!("b{polls}")] {
                if let Some(sent) = give_up_after(polls, push.send(body.clone())).await {
                    sent.unwrap();
                    expected.push(body);
                }
            }
        }
        assert_eq!(expected, ["a1", "b1"], "{transport:?}");
        let pull = PullSocket::new();
        pull.bind(&endpoint).await.unwrap();
        within(push.send("last")).await.unwrap();
        for body in [expected, vec!["last".into()]].concat() {
            assert_eq!(within(pull.recv()).await.unwrap(), body.into(), "{transport:?}");
        }
        assert!(pull.try_recv().is_err());
    }
}

#[tokio::test]
async fn a_send_that_is_given_up_takes_no_turn() {
    for transport in Transport::ALL {
        let push = PushSocket::new();
        let pulls = [PullSocket::new(), PullSocket::new()];
        let mut events = Events::from(push.monitor());
        for pull in &pulls {
            push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        }
        events.all_ready(2).await;
        for round in 0..10 {
            assert!(give_up_after(0, push.send("never")).await.is_none());
            within(push.send(round.to_string())).await.unwrap();
            let pull = &pulls[round % 2];
            assert_eq!(within(pull.recv()).await.unwrap(), round.to_string().into());
        }
    }
}

#[tokio::test]
async fn a_receive_that_is_given_up_loses_nothing() {
    for transport in Transport::ALL {
        let (push, pull) = (PushSocket::new(), PullSocket::new());
        push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        let mut next = 0;
        for polls in 0..POLLS {
            for _ in 0..20 {
                // While there is nothing, while something comes, and after.
                assert!(give_up_after(polls, pull.recv()).await.is_none(), "{transport:?}");
                within(push.send(next.to_string())).await.unwrap();
                let received = match give_up_after(polls, pull.recv()).await {
                    Some(received) => received,
                    None => within(pull.recv()).await,
                };
                assert_eq!(received.unwrap(), next.to_string().into(), "{transport:?}");
                next += 1;
            }
        }
    }
}

#[tokio::test]
async fn lockstep_calls_that_are_given_up_change_no_turn() {
    for transport in Transport::ALL {
        let (req, rep) = (ReqSocket::new(), RepSocket::new());
        req.connect(rep.bind(transport.any()).await.unwrap()).unwrap();
        for polls in 0..POLLS {
            assert!(give_up_after(0, req.send("never")).await.is_none());
            within(req.send("question")).await.unwrap();
            let question = match give_up_after(polls, rep.recv()).await {
                Some(question) => question,
                None => within(rep.recv()).await,
            };
            assert_eq!(question.unwrap(), "question".into());
            assert!(give_up_after(polls, req.recv()).await.is_none());
            assert!(give_up_after(0, rep.send("never")).await.is_none());
            within(rep.send("answer")).await.unwrap();
            let answer = match give_up_after(polls, req.recv()).await {
                Some(answer) => answer,
                None => within(req.recv()).await,
            };
            assert_eq!(answer.unwrap(), "answer".into(), "{transport:?}");
        }
        // A REQ without a peer waits; given up, it has not asked.
        let lone = ReqSocket::new();
        assert!(give_up_after(POLLS, lone.send("never")).await.is_none());
        assert_eq!(lone.try_recv().unwrap_err(), ferromq::RecvError::OutOfTurn);
    }
}

#[tokio::test]
async fn a_send_to_a_full_peer_that_is_given_up_was_not_sent() {
    let id = RoutingId::new("d").unwrap();
    let options = SocketOptions::new().router_mandatory(true).send_hwm(1);
    let router = RouterSocket::with_options(options);
    let endpoint = router.bind(Transport::Inproc.any()).await.unwrap();
    let options = SocketOptions::new().routing_id(id.clone()).recv_hwm(1);
    let dealer = DealerSocket::with_options(options);
    dealer.connect(&endpoint).unwrap();
    for polls in 0..POLLS {
        while router.try_send_to(&id, "fill").is_ok() {}
        assert!(give_up_after(polls, router.send_to(&id, "never")).await.is_none());
        for _ in 0..2 {
            assert_eq!(within(dealer.recv()).await.unwrap(), "fill".into());
        }
        assert!(dealer.try_recv().is_err());
    }
}

#[tokio::test]
async fn a_bind_that_is_given_up_binds_nothing() {
    for transport in Transport::ALL {
        for polls in 0..POLLS {
            let (socket, other) = (PullSocket::new(), PullSocket::new());
            let endpoint = transport.known();
            match give_up_after(polls, socket.bind(&endpoint)).await {
                Some(bound) => within(socket.unbind(bound.unwrap())).await.unwrap(),
                None => assert!(within(socket.unbind(&endpoint)).await.is_err()),
            }
            other.bind(&endpoint).await.unwrap_or_else(|error| panic!("{polls}: {error}"));
        }
    }
}

#[tokio::test]
async fn an_unbind_that_was_polled_releases() {
    for transport in Transport::ALL {
        for polls in 0..POLLS {
            let (socket, other) = (PullSocket::new(), PullSocket::new());
            let endpoint = socket.bind(transport.known()).await.unwrap();
            let _ = give_up_after(polls, socket.unbind(&endpoint)).await;
            if polls == 0 {
                within(socket.unbind(&endpoint)).await.unwrap();
            }
            // It may be done in the background, soon.
            within(async {
                while other.bind(&endpoint).await.is_err() {
                    tokio::task::yield_now().await;
                }
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_close_that_was_polled_flushes_in_the_background() {
    for transport in Transport::ALL {
        for polls in 1..POLLS {
            let (push, pull) = (PushSocket::new(), PullSocket::new());
            push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
            for number in 0..100 {
                push.try_send(number.to_string()).unwrap();
            }
            let _ = give_up_after(polls, push.close()).await;
            assert!(push.try_send("closed").is_err());
            for number in 0..100 {
                assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
            }
        }
    }
}

/// A generator of numbers, the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_cancelled_calls_loses_and_doubles_nothing() {
    const CALLS: usize = 2000;
    for transport in Transport::ALL {
        let small = || SocketOptions::new().send_hwm(4).recv_hwm(4);
        let (one, other) = (PairSocket::with_options(small()), PairSocket::with_options(small()));
        one.connect(other.bind(transport.any()).await.unwrap()).unwrap();
        let sending = tokio::spawn(async move {
            let (mut random, mut sent) = (Random(0x5eed), Vec::new());
            for number in 0..CALLS {
                let patience = Duration::from_micros(random.next() % 60);
                let polls = random.next() as usize % 4;
                let done = match random.next() % 3 {
                    0 => give_up_after(polls, one.send(number.to_string())).await,
                    1 => tokio::select! {
                        biased;
                        () = tokio::time::sleep(patience) => None,
                        done = one.send(number.to_string()) => Some(done),
                    },
                    _ => tokio::time::timeout(patience, one.send(number.to_string())).await.ok(),
                };
                if let Some(done) = done {
                    done.unwrap();
                    sent.push(number);
                }
            }
            one.send("end").await.unwrap();
            (one, sent)
        });
        let (mut random, mut received) = (Random(0xfeed), Vec::new());
        within(async {
            loop {
                let patience = Duration::from_micros(random.next() % 60);
                let polls = random.next() as usize % 4;
                let done = match random.next() % 2 {
                    0 => give_up_after(polls, other.recv()).await,
                    _ => tokio::time::timeout(patience, other.recv()).await.ok(),
                };
                let Some(message) = done else { continue };
                let message = message.unwrap();
                match std::str::from_utf8(&message[0]).unwrap() {
                    "end" => return,
                    number => received.push(number.parse::<usize>().unwrap()),
                }
            }
        })
        .await;
        let (_, sent) = within(sending).await.unwrap();
        let distinct: HashSet<_> = received.iter().collect();
        assert_eq!(distinct.len(), received.len(), "{transport:?}: something came twice");
        assert_eq!(received, sent, "{transport:?}");
        assert!(sent.len() > CALLS / 10 && sent.len() < CALLS, "{}", sent.len());
    }
}

#[tokio::test]
async fn a_monitor_loses_no_event_to_a_receive_that_was_given_up() {
    let lost = Linger::For(Duration::ZERO);
    let pull = PullSocket::with_options(SocketOptions::new().linger(lost));
    let mut monitor = pull.monitor();
    for _ in 0..POLLS {
        assert!(give_up_after(2, monitor.recv()).await.is_none());
        let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
        assert!(give_up_after(0, monitor.recv()).await.is_none());
        within(pull.unbind(&endpoint)).await.unwrap();
        let mut events = Vec::new();
        for _ in 0..2 {
            events.push(crate::common::events::name(&within(monitor.recv()).await.unwrap()));
        }
        assert_eq!(events, ["listening", "closed"]);
    }
}

/// A future that has begun to wait in one task goes on in another, which is the one
/// to be woken.
#[tokio::test]
async fn a_call_that_waits_may_go_on_in_another_task() {
    for transport in Transport::STREAMS.into_iter().chain([Transport::Inproc]) {
        let endpoint = transport.known();
        let push: &'static PushSocket =
            Box::leak(Box::new(PushSocket::with_options(quick().send_hwm(1))));
        let pull: &'static PullSocket = Box::leak(Box::new(PullSocket::new()));
        let [mut sending, mut receiving] = [true, false].map(|sends| {
            let call: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = match sends {
                true => Box::pin(async { push.send("late").await.unwrap() }),
                false => Box::pin(async { drop(pull.recv().await.unwrap()) }),
            };
            call
        });
        for call in [&mut sending, &mut receiving] {
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        let elsewhere = [tokio::spawn(sending), tokio::spawn(receiving)];
        tokio::task::yield_now().await;
        push.connect(&endpoint).unwrap();
        pull.bind(&endpoint).await.unwrap();
        for call in elsewhere {
            within(call).await.unwrap();
        }
        within(push.close()).await;
        within(pull.close()).await;
    }
}

#[tokio::test]
#[should_panic(expected = "polled after it had ended")]
async fn a_send_that_has_ended_sends_nothing_more() {
    let (push, pull) = (PushSocket::new(), PullSocket::new());
    push.connect(pull.bind("inproc://ended").await.unwrap()).unwrap();
    let mut sending = pin!(push.send("once"));
    within(sending.as_mut()).await.unwrap();
    let _ = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}
