//! REQ and REP: whose turn it is, with several tasks, lost peers and strays.

use std::future::{Future, poll_fn};
use std::task::Poll;

use ferromq::{
    DealerSocket, DropCause, Message, RecvError, RepSocket, ReqSocket, RouterSocket, RoutingId,
    SendErrorKind, SocketOptions,
};

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::common::cable::Cable;
use crate::common::events::Events;
use crate::common::{Transport, quick, raw, within};

/// So many tasks that receive, of which the first has the request of the first of two
/// peers.
async fn receive_one_of_two(
    transport: Transport,
    rep: &RepSocket,
    tasks: usize,
    [one, other]: [&ReqSocket; 2],
) -> JoinSet<Result<Message, RecvError>> {
    let endpoint = rep.bind(transport.any()).await.unwrap();
    one.connect(&endpoint).unwrap();
    other.connect(&endpoint).unwrap();
    let mut receiving = receive_in_tasks(rep, tasks).await;
    within(one.send("one")).await.unwrap();
    let received = within(receiving.join_next()).await.unwrap().unwrap();
    assert_eq!(received.unwrap(), "one".into());
    receiving
}

/// So many tasks that wait for a request.
async fn receive_in_tasks(rep: &RepSocket, tasks: usize) -> JoinSet<Result<Message, RecvError>> {
    let mut receiving = JoinSet::new();
    for _ in 0..tasks {
        let rep = rep.clone();
        receiving.spawn(async move { rep.recv().await });
    }
    tokio::task::yield_now().await;
    receiving
}

#[tokio::test]
async fn a_request_that_came_out_of_turn_is_not_forgotten() {
    for transport in Transport::ALL {
        let (rep, one, other) = (RepSocket::new(), ReqSocket::new(), ReqSocket::new());
        let mut receiving = receive_one_of_two(transport, &rep, 3, [&one, &other]).await;
        within(other.send("other")).await.unwrap();
        within(rep.send("answer")).await.unwrap();
        let received = within(receiving.join_next()).await.unwrap().unwrap();
        assert_eq!(received.unwrap(), "other".into(), "{transport:?}");
    }
}

/// To receivers that wait it is no event: it would be an error to them.
#[tokio::test]
async fn a_request_that_comes_out_of_turn_is_no_error_to_those_that_wait() {
    for transport in Transport::STREAMS {
        let (rep, one) = (RepSocket::new(), ReqSocket::new());
        let endpoint = rep.bind(transport.any()).await.unwrap();
        one.connect(&endpoint).unwrap();
        let mut other = raw::join_tightly(&endpoint, raw::READY_DEALER).await;
        let mut receiving = receive_in_tasks(&rep, 3).await;
        within(one.send("one")).await.unwrap();
        let received = within(receiving.join_next()).await.unwrap().unwrap();
        assert_eq!(received.unwrap(), "one".into());
        let request = [raw::frame(true, b""), raw::frame(false, b"other")].concat();
        within(other.write_all(&request)).await.unwrap();
        // It was read, as far as it can be now.
        raw::barrier(&mut other).await;
        assert!(receiving.try_join_next().is_none(), "{transport:?}");
        within(rep.send("answer")).await.unwrap();
        let received = within(receiving.join_next()).await.unwrap().unwrap();
        assert_eq!(received.unwrap(), "other".into(), "{transport:?}");
    }
}

/// The first that waits when it is a receiver's turn again is not polled, the next is.
#[tokio::test]
async fn a_request_that_came_out_of_turn_waits_for_no_receive_that_is_kept() {
    for transport in Transport::STREAMS {
        let (rep, one) = (RepSocket::new(), ReqSocket::new());
        let endpoint = rep.bind(transport.any()).await.unwrap();
        one.connect(&endpoint).unwrap();
        let mut other = raw::join_tightly(&endpoint, raw::READY_DEALER).await;
        let mut first = receive_in_tasks(&rep, 1).await;
        let mut kept = Box::pin(rep.recv());
        assert!(poll_fn(|cx| Poll::Ready(kept.as_mut().poll(cx).is_pending())).await);
        let mut last = receive_in_tasks(&rep, 1).await;
        within(one.send("one")).await.unwrap();
        let received = within(first.join_next()).await.unwrap().unwrap();
        assert_eq!(received.unwrap(), "one".into());
        let request = [raw::frame(true, b""), raw::frame(false, b"other")].concat();
        within(other.write_all(&request)).await.unwrap();
        // Its task has read it, so that the attendant has nothing to see to any more.
        raw::barrier(&mut other).await;
        within(rep.send("answer")).await.unwrap();
        let received = within(last.join_next()).await.unwrap().unwrap();
        assert_eq!(received.unwrap(), "other".into(), "{transport:?}");
        drop(kept);
    }
}

/// Nor is it if the answer before it is lost, since its asker has left.
#[tokio::test]
async fn a_request_is_not_forgotten_when_the_reply_before_it_is_lost() {
    for transport in Transport::ALL {
        let (rep, one, other) = (RepSocket::new(), ReqSocket::new(), ReqSocket::new());
        let mut events = Events::from(rep.monitor());
        let mut receiving = receive_one_of_two(transport, &rep, 10, [&one, &other]).await;
        within(other.send("other")).await.unwrap();
        within(one.close()).await;
        events.disconnected().await;
        within(rep.send("answer")).await.unwrap();
        assert_eq!(rep.dropped(DropCause::Unroutable), 1, "{transport:?}");
        let received = within(receiving.join_next()).await.unwrap().unwrap();
        assert_eq!(received.unwrap(), "other".into(), "{transport:?}");
    }
}

/// Each may be the only one that is polled: the first of them is woken, and kept.
#[tokio::test]
async fn a_receive_of_a_rep_that_is_kept_keeps_no_request_from_others() {
    for transport in Transport::STREAMS {
        let (rep, req) = (RepSocket::new(), ReqSocket::new());
        req.connect(rep.bind(transport.any()).await.unwrap()).unwrap();
        let mut kept: Vec<_> = (0..3).map(|_| Box::pin(rep.recv())).collect();
        for receive in &mut kept {
            let waits = poll_fn(|cx| Poll::Ready(receive.as_mut().poll(cx).is_pending()));
            assert!(waits.await);
        }
        let mut receiving = receive_in_tasks(&rep, 3).await;
        within(req.send("question")).await.unwrap();
        let received = within(receiving.join_next()).await.unwrap().unwrap();
        assert_eq!(received.unwrap(), "question".into(), "{transport:?}");
        // It is no event for the others, which are not in turn.
        within(rep.send("answer")).await.unwrap();
        within(req.recv()).await.unwrap();
        assert!(receiving.try_join_next().is_none(), "{transport:?}");
    }
}

#[tokio::test]
async fn out_of_turn_is_an_error_at_once_and_changes_nothing() {
    for transport in Transport::ALL {
        let (req, rep) = (ReqSocket::new(), RepSocket::new());
        req.connect(rep.bind(transport.any()).await.unwrap()).unwrap();
        for round in 0..3 {
            assert_eq!(within(req.recv()).await.unwrap_err(), RecvError::OutOfTurn);
            assert_eq!(req.try_recv().unwrap_err(), RecvError::OutOfTurn);
            let error = within(rep.send("early")).await.unwrap_err();
            assert_eq!(error.kind(), SendErrorKind::OutOfTurn);
            assert_eq!(error.into_message(), "early".into());

            within(req.send("question")).await.unwrap();
            let error = within(req.send(["again", "whole"])).await.unwrap_err();
            assert_eq!(error.kind(), SendErrorKind::OutOfTurn);
            assert_eq!(error.into_message(), ["again", "whole"].into());

            assert_eq!(within(rep.recv()).await.unwrap(), "question".into());
            assert_eq!(within(rep.recv()).await.unwrap_err(), RecvError::OutOfTurn);
            let answer = format!("answer {round}");
            within(rep.send(answer.clone())).await.unwrap();
            assert_eq!(within(req.recv()).await.unwrap(), answer.into(), "{transport:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_tasks_one_has_the_turn() {
    for transport in Transport::ALL {
        let (req, rep) = (ReqSocket::new(), RepSocket::new());
        req.connect(rep.bind(transport.any()).await.unwrap()).unwrap();
        let server = tokio::spawn(async move {
            while let Ok(request) = rep.recv().await {
                rep.send(request).await.unwrap();
            }
        });
        let mut clients = Vec::new();
        for client in 0..4 {
            let req = req.clone();
            clients.push(tokio::spawn(async move {
                let mut rounds = 0;
                while rounds < 100 {
                    let question = format!("{client} {rounds}");
                    match req.send(question.clone()).await {
                        // Whoever asked has the turn alone until the answer.
                        Ok(()) => {
                            assert_eq!(req.recv().await.unwrap(), question.into());
                            rounds += 1;
                        }
                        Err(error) => {
                            assert_eq!(error.kind(), SendErrorKind::OutOfTurn);
                            tokio::task::yield_now().await;
                        }
                    }
                }
            }));
        }
        for client in clients {
            within(client).await.unwrap();
        }
        server.abort();
    }
}

#[tokio::test]
async fn req_is_told_when_the_accepted_peer_it_asked_leaves() {
    for transport in Transport::ALL {
        let (req, rep) = (ReqSocket::new(), RepSocket::new());
        let endpoint = req.bind(transport.any()).await.unwrap();
        rep.connect(&endpoint).unwrap();
        within(req.send("question")).await.unwrap();
        within(rep.recv()).await.unwrap();
        let asker = req.clone();
        let waiting = tokio::spawn(async move { asker.recv().await });
        tokio::task::yield_now().await;
        let _ = within(rep.close()).await;
        let error = within(waiting).await.unwrap().unwrap_err();
        assert_eq!(error, RecvError::PeerLeft, "{transport:?}");
        // And may ask the next.
        let next = RepSocket::new();
        next.connect(&endpoint).unwrap();
        within(req.send("once more")).await.unwrap();
        assert_eq!(within(next.recv()).await.unwrap(), "once more".into());
        within(next.send("answer")).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), "answer".into());
    }
}

#[tokio::test]
async fn a_reply_that_came_before_its_peer_left_is_received() {
    for transport in Transport::ALL {
        let (req, rep) = (ReqSocket::new(), RepSocket::new());
        rep.connect(req.bind(transport.any()).await.unwrap()).unwrap();
        within(req.send("question")).await.unwrap();
        within(rep.recv()).await.unwrap();
        within(rep.send("answer")).await.unwrap();
        let _ = within(rep.close()).await;
        assert_eq!(within(req.recv()).await.unwrap(), "answer".into(), "{transport:?}");
    }
}

#[tokio::test]
async fn req_waits_across_reconnects_for_the_endpoint_it_asked() {
    let options = || quick().routing_id(RoutingId::new("asker").unwrap());
    let (req, router) = (ReqSocket::with_options(options()), RouterSocket::new());
    let bind = router.bind("tcp://127.0.0.1:0").await.unwrap();
    let cable = Cable::to(&bind).await;
    let (mut events, mut heard) = (Events::from(req.monitor()), Events::from(router.monitor()));
    req.connect(cable.endpoint()).unwrap();
    within(req.send("question")).await.unwrap();
    let (id, question) = within(router.recv()).await.unwrap();
    events.ready().await;
    cable.cut();
    events.disconnected().await;
    events.ready().await;
    assert_eq!(req.try_recv().unwrap_err(), RecvError::WouldBlock);
    assert_eq!(req.try_send("another").unwrap_err().kind(), SendErrorKind::OutOfTurn);
    // Twice: before the cut and after it.
    heard.all_ready(2).await;
    within(router.send_to(&id, question)).await.unwrap();
    assert_eq!(within(req.recv()).await.unwrap(), "question".into());
}

#[tokio::test]
async fn relaxed_req_may_ask_again_and_correlate_keeps_replies_apart() {
    for transport in Transport::ALL {
        let options = SocketOptions::new().req_relaxed(true).req_correlate(true);
        let (req, router) = (ReqSocket::with_options(options), RouterSocket::new());
        req.connect(router.bind(transport.any()).await.unwrap()).unwrap();
        within(req.send("first")).await.unwrap();
        within(req.send("second")).await.unwrap();
        let (id, mut first) = within(router.recv()).await.unwrap();
        let (_, mut second) = within(router.recv()).await.unwrap();
        assert_eq!((first.len(), second.len()), (3, 3));
        assert_ne!(first[0], second[0], "{transport:?}: the numbers differ");
        for (message, body) in [(&mut first, "late"), (&mut second, "timely")] {
            message.pop_back();
            message.push_back(body);
        }
        within(router.send_to(&id, first)).await.unwrap();
        within(router.send_to(&id, second)).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), "timely".into(), "{transport:?}");
        assert_eq!(req.dropped(DropCause::Discarded), 1);
    }
}

#[tokio::test]
async fn req_discards_and_counts_strays() {
    for transport in Transport::ALL {
        let (req, router) = (ReqSocket::new(), RouterSocket::new());
        req.connect(router.bind(transport.any()).await.unwrap()).unwrap();
        within(req.send("question")).await.unwrap();
        let (id, _) = within(router.recv()).await.unwrap();
        // Without the delimiter, and then as it should be, twice.
        within(router.send_to(&id, "malformed")).await.unwrap();
        within(router.send_to(&id, ["", "answer"])).await.unwrap();
        within(router.send_to(&id, ["", "double"])).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), "answer".into(), "{transport:?}");
        // Over inproc the double is there as well, and is of no use from now on.
        let discarded = if transport == Transport::Inproc { 2 } else { 1 };
        assert_eq!(req.dropped(DropCause::Discarded), discarded, "{transport:?}");
        within(req.send("next")).await.unwrap();
        within(router.recv()).await.unwrap();
        within(router.send_to(&id, ["", "its answer"])).await.unwrap();
        let answer = within(req.recv()).await.unwrap();
        // Over a transport the double may still have been on its way when the
        // next request went out; over inproc it had come before.
        if transport == Transport::Inproc {
            assert_eq!(answer, "its answer".into());
            assert_eq!(req.dropped(DropCause::Discarded), 2);
        }
    }
}

#[tokio::test]
async fn req_takes_no_reply_that_was_read_before_its_request() {
    early_reply(true).await;
}

#[tokio::test]
async fn req_takes_no_reply_that_the_kernel_had_before_its_request() {
    early_reply(false).await;
}

async fn early_reply(process: bool) {
    let (listener, endpoint) = raw::listener().await;
    let req = ReqSocket::new();
    let mut events = Events::from(req.monitor());
    req.connect(&endpoint).unwrap();
    let mut peer = raw::accept(&listener).await;
    raw::shake_hands(&mut peer, raw::READY_ROUTER).await;
    events.ready().await;
    within(peer.write_all(b"\x01\0\0\x05early")).await.unwrap();
    if process {
        // Once PONG is there, what came before PING was read.
        within(peer.write_all(b"\x04\x07\x04PING\0\0")).await.unwrap();
        assert_eq!(raw::read_frame(&mut peer).await, (4, b"\x04PONG".to_vec()));
    }
    within(req.send("question")).await.unwrap();
    let [delimiter, question] =
        [raw::read_frame(&mut peer).await, raw::read_frame(&mut peer).await];
    assert_eq!((delimiter, question), ((1, vec![]), (0, b"question".to_vec())));
    within(peer.write_all(b"\x01\0\0\x06answer")).await.unwrap();
    assert_eq!(within(req.recv()).await.unwrap(), "answer".into());
    assert_eq!(req.dropped(DropCause::Discarded), 1);
}

#[tokio::test]
async fn rep_skips_malformed_requests_and_forgets_askers_that_left() {
    for transport in Transport::ALL {
        let (rep, dealer, other) = (RepSocket::new(), DealerSocket::new(), DealerSocket::new());
        let mut events = Events::from(rep.monitor());
        let endpoint = rep.bind(transport.any()).await.unwrap();
        dealer.connect(&endpoint).unwrap();
        events.ready().await;
        within(dealer.send("no delimiter")).await.unwrap();
        within(dealer.send(["x", "y", "", "request"])).await.unwrap();
        assert_eq!(within(rep.recv()).await.unwrap(), "request".into());
        assert_eq!(rep.dropped(DropCause::Discarded), 1, "{transport:?}");
        within(rep.send("reply")).await.unwrap();
        assert_eq!(within(dealer.recv()).await.unwrap(), ["x", "y", "", "reply"].into());

        within(dealer.send(["", "and then left"])).await.unwrap();
        assert_eq!(within(rep.recv()).await.unwrap(), "and then left".into());
        let _ = within(dealer.close()).await;
        if transport != Transport::Inproc {
            events.disconnected().await;
        }
        within(rep.send("to nobody")).await.unwrap();
        assert_eq!(rep.dropped(DropCause::Unroutable), 1, "{transport:?}");
        other.connect(&endpoint).unwrap();
        within(other.send(["", "next"])).await.unwrap();
        assert_eq!(within(rep.recv()).await.unwrap(), "next".into());
    }
}
