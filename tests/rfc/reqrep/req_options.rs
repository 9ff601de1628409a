//! The options of REQ, after libzmq's test_req_relaxed and test_req_correlate.

use ferromq::{DropCause, Message, RecvError, RepSocket, ReqSocket, RouterSocket, SocketOptions};

use crate::support::{Net, Receives, numbered, plain, soon};

over_inproc_and_tcp!(
    relaxed_asks_again_before_the_reply,
    relaxed_discards_a_reply_that_is_queued_already,
    relaxed_keeps_the_order_of_peers_and_their_connections,
    correlate_takes_only_the_reply_with_its_number,
    relaxed_and_correlate_answer_the_last_request,
);

fn relaxed() -> SocketOptions {
    SocketOptions::new().req_relaxed(true)
}

/// A second request may be sent; the reply to the first, given later, comes
/// from a peer that is no longer the one that was asked.
async fn relaxed_asks_again_before_the_reply(net: Net) {
    let mut req = net.bound::<ReqSocket>(relaxed()).await;
    let one = net.connected::<RepSocket>(plain(), &mut req).await;
    let other = net.connected::<RepSocket>(plain(), &mut req).await;
    soon(req.send("first")).await.unwrap();
    assert_eq!(one.get().await, "first".into());
    soon(req.send("second")).await.unwrap();
    assert_eq!(other.get().await, "second".into());
    one.try_send("reply to first").unwrap();
    other.try_send("reply to second").unwrap();
    assert_eq!(req.get().await, "reply to second".into());
    assert_eq!(req.try_recv(), Err(RecvError::OutOfTurn));
}

/// The reply to the first request has arrived when the second goes to the same
/// peer.
async fn relaxed_discards_a_reply_that_is_queued_already(net: Net) {
    let mut req = net.bound::<ReqSocket>(relaxed()).await;
    let rep = net.connected::<RepSocket>(plain(), &mut req).await;
    soon(req.send("first")).await.unwrap();
    assert_eq!(rep.get().await, "first".into());
    rep.try_send("reply to first").unwrap();
    let _ = soon(rep.close()).await;
    req.left().await;
    let next = net.connected::<RepSocket>(plain(), &mut req).await;
    soon(req.send("second")).await.unwrap();
    assert_eq!(next.get().await, "second".into());
    next.try_send("reply to second").unwrap();
    assert_eq!(req.get().await, "reply to second".into());
}

/// libzmq's issue 1690: asking again neither skips peers nor closes their
/// connections.
async fn relaxed_keeps_the_order_of_peers_and_their_connections(net: Net) {
    let mut req = net.bound::<ReqSocket>(relaxed().req_correlate(true)).await;
    let mut reps = Vec::new();
    for _ in 0..5 {
        reps.push(net.connected::<RepSocket>(plain(), &mut req).await);
    }
    for round in 0..3 {
        for rep in &reps {
            soon(req.send(numbered(round))).await.unwrap();
            assert_eq!(rep.get().await, numbered(round));
            rep.try_send("ignored").unwrap();
        }
    }
    soon(req.send("last")).await.unwrap();
    assert_eq!(reps[0].get().await, "last".into());
    reps[0].try_send("reply").unwrap();
    assert_eq!(req.get().await, "reply".into());
}

/// The number is a frame of four octets before the delimiter, another for each
/// request.
async fn correlate_takes_only_the_reply_with_its_number(net: Net) {
    let mut req = net.bound::<ReqSocket>(SocketOptions::new().req_correlate(true)).await;
    let router = net.connected::<RouterSocket>(plain(), &mut req).await;
    let mut former = None;
    for _ in 0..3 {
        soon(req.send("request")).await.unwrap();
        let (from, request) = soon(router.recv()).await.unwrap();
        assert_eq!((request.len(), request[0].len(), request[1].len()), (3, 4, 0));
        let number = request[0].clone();
        assert_ne!(former.replace(number.clone()), Some(number.clone()));
        let mut wrong = number.to_vec();
        wrong[0] ^= 1;
        let replies: [Message; 4] = [
            vec![wrong, vec![], b"wrong number".to_vec()].into(),
            ["", "no number"].into(),
            vec![number.to_vec(), b"no delimiter".to_vec()].into(),
            vec![number.to_vec(), vec![], b"right".to_vec()].into(),
        ];
        for reply in replies {
            soon(router.send_to(&from, reply)).await.unwrap();
        }
        assert_eq!(req.get().await, "right".into());
    }
    assert_eq!(req.dropped(DropCause::Discarded), 9);
}

/// libzmq's issue 1695: replies to requests that were given up pile up, and the
/// last one is still told from them.
async fn relaxed_and_correlate_answer_the_last_request(net: Net) {
    let rep = net.bound::<RepSocket>(plain()).await;
    let req = net.connecting::<ReqSocket>(relaxed().req_correlate(true), &rep.endpoint());
    for number in 0..5 {
        soon(req.send(numbered(number))).await.unwrap();
    }
    for number in 0..5 {
        assert_eq!(rep.get().await, numbered(number));
        rep.try_send(numbered(number)).unwrap();
    }
    assert_eq!(req.get().await, numbered(4));
    assert_eq!(req.dropped(DropCause::Discarded), 4);
}
