//! RFC 28, "The REQ Socket Type".

use std::pin::pin;

use ferromq::{
    DropCause, Message, RecvError, RepSocket, ReqSocket, RouterSocket, SendErrorKind, SocketOptions,
};

use super::id;
use crate::checks;
use crate::support::{Net, Node, Receives, is_pending, numbered, plain, soon, until};
use crate::wire::Wire;

over_inproc_and_tcp!(
    req_shall_send_and_then_receive_one_message_at_a_time,
    req_shall_prefix_requests_with_an_empty_delimiter,
    req_shall_route_requests_round_robin,
    req_shall_block_without_connected_peers,
    req_shall_not_discard_messages_it_cannot_send,
    req_shall_accept_replies_only_from_the_peer_it_asked,
    req_shall_discard_replies_from_other_peers,
    req_shall_discard_replies_from_before_the_request,
);

/// A REQ that names itself, so that ROUTERs can write to it unasked.
fn named() -> SocketOptions {
    SocketOptions::new().routing_id(id("req"))
}

/// "SHALL send and then receive exactly one message at a time." Out of turn,
/// both fail at once and change nothing.
async fn req_shall_send_and_then_receive_one_message_at_a_time(net: Net) {
    let rep = net.bound::<RepSocket>(plain()).await;
    let req = net.connecting::<ReqSocket>(plain(), &rep.endpoint());
    for number in 0..3 {
        assert_eq!(req.try_recv(), Err(RecvError::OutOfTurn));
        assert_eq!(soon(req.recv()).await, Err(RecvError::OutOfTurn));
        soon(req.send(numbered(number))).await.unwrap();
        let refused = soon(req.send("again")).await.unwrap_err();
        assert_eq!(refused.kind(), SendErrorKind::OutOfTurn);
        assert_eq!(refused.into_message(), "again".into());
        let refused = req.try_send("again").unwrap_err();
        assert_eq!(refused.kind(), SendErrorKind::OutOfTurn);
        assert_eq!(rep.get().await, numbered(number));
        rep.try_send(["reply", "to"]).unwrap();
        assert_eq!(req.get().await, Message::from(["reply", "to"]));
    }
}

/// "The request and reply messages SHALL have this format on the wire: A
/// delimiter, consisting of an empty frame, added by the REQ socket. One or
/// more data frames, comprising the message visible to the application."
#[tokio::test]
async fn requests_and_replies_shall_have_a_delimiter_and_data_frames() {
    let net = Net::tcp();
    let req = net.bound::<ReqSocket>(plain()).await;
    let mut rep = Wire::join(&req.endpoint(), "REP").await;
    soon(req.send(["Hello", ""])).await.unwrap();
    rep.expect(b"\x01\x00\x01\x05Hello\x00\x00").await;
    rep.send(b"\x01\x00\x01\x05World\x00\x01!").await;
    assert_eq!(req.get().await, Message::from(["World", "!"]));
    // What has another format is no reply: without delimiter, without data,
    // with something before the delimiter.
    soon(req.send("Hello")).await.unwrap();
    rep.expect(b"\x01\x00\x00\x05Hello").await;
    rep.send(b"\x00\x05World\x00\x00\x01\x01X\x01\x00\x00\x05World").await;
    rep.send(b"\x01\x00\x00\x06really").await;
    assert_eq!(req.get().await, "really".into());
    assert_eq!(req.dropped(DropCause::Discarded), 3);
}

/// "SHALL prefix the outgoing message with an empty delimiter frame."
async fn req_shall_prefix_requests_with_an_empty_delimiter(net: Net) {
    let router = net.bound::<RouterSocket>(plain()).await;
    let req = net.connecting::<ReqSocket>(plain(), &router.endpoint());
    soon(req.send(["one", "two"])).await.unwrap();
    assert_eq!(router.get().await, Message::from(["", "one", "two"]));
}

/// "SHALL route outgoing messages to connected peers using a round-robin
/// strategy." libzmq's test_spec_req: each of five REPs gets one request.
async fn req_shall_route_requests_round_robin(net: Net) {
    let mut req = net.bound::<ReqSocket>(plain()).await;
    let mut reps = Vec::new();
    for _ in 0..5 {
        reps.push(net.connected::<RepSocket>(plain(), &mut req).await);
    }
    for round in 0..2 {
        for rep in &reps {
            soon(req.send(numbered(round))).await.unwrap();
            assert_eq!(rep.get().await, numbered(round));
            rep.try_send("reply").unwrap();
            assert_eq!(req.get().await, "reply".into());
        }
    }
}

/// "SHALL block on sending, or return a suitable error, when it has no
/// connected peers."
async fn req_shall_block_without_connected_peers(net: Net) {
    checks::waits_for_a_peer::<ReqSocket, RepSocket>(net).await;
}

/// "SHALL NOT discard messages that it cannot send to a connected peer." It
/// gives them back, or sends them later, once.
async fn req_shall_not_discard_messages_it_cannot_send(net: Net) {
    let req = net.bound::<ReqSocket>(plain()).await;
    for _ in 0..3 {
        let refused = req.try_send(["kept", "whole"]).unwrap_err();
        assert!(refused.is_would_block());
        assert_eq!(refused.into_message(), Message::from(["kept", "whole"]));
    }
    let mut sending = pin!(req.send(["kept", "whole"]));
    assert!(is_pending(sending.as_mut()).await);
    let rep = net.connecting::<RepSocket>(plain(), &req.endpoint());
    soon(sending).await.unwrap();
    assert_eq!(rep.get().await, Message::from(["kept", "whole"]));
    rep.try_send("reply").unwrap();
    assert_eq!(req.get().await, "reply".into());
    assert!(rep.try_recv().unwrap_err().is_would_block());
}

/// A REQ whose next request is for the first of two ROUTERs.
async fn between_two(net: &Net) -> (Node<ReqSocket>, Node<RouterSocket>, Node<RouterSocket>) {
    let mut req = net.bound::<ReqSocket>(named()).await;
    let asked = net.connected::<RouterSocket>(plain(), &mut req).await;
    let other = net.connected::<RouterSocket>(plain(), &mut req).await;
    (req, asked, other)
}

/// Sends a stray to a REQ that is receiving, then the reply.
async fn stray_then_reply(req: &Node<ReqSocket>, asked: &RouterSocket, other: &RouterSocket) {
    let before = req.dropped(DropCause::Discarded);
    let answering = async {
        soon(other.send_to(&id("req"), ["", "stray"])).await.unwrap();
        until(|| req.dropped(DropCause::Discarded) > before).await;
        soon(asked.send_to(&id("req"), ["", "reply"])).await.unwrap();
    };
    let (reply, ()) = tokio::join!(req.get(), answering);
    assert_eq!(reply, "reply".into());
}

/// "SHALL accept an incoming message only from the last peer that it sent a
/// request to." libzmq has this test ("only listens to current peer") and does
/// not run it.
async fn req_shall_accept_replies_only_from_the_peer_it_asked(net: Net) {
    let (req, one, other) = between_two(&net).await;
    for _ in 0..2 {
        for (asked, idle) in [(&one, &other), (&other, &one)] {
            soon(req.send("request")).await.unwrap();
            assert_eq!(asked.get().await, Message::from(["", "request"]));
            stray_then_reply(&req, asked, idle).await;
        }
    }
}

/// "SHALL discard silently any messages received from other peers." Nobody is
/// told but the counter, and the peer is asked again in its turn.
async fn req_shall_discard_replies_from_other_peers(net: Net) {
    let (req, asked, other) = between_two(&net).await;
    soon(req.send("request")).await.unwrap();
    stray_then_reply(&req, &asked, &other).await;
    assert_eq!(req.dropped(DropCause::Discarded), 1);
    soon(req.send("next")).await.unwrap();
    assert_eq!(other.get().await, Message::from(["", "next"]));
    soon(other.send_to(&id("req"), ["", "reply"])).await.unwrap();
    assert_eq!(req.get().await, "reply".into());
}

/// The same sentences: what came before the request cannot be its reply, not
/// even from the peer that is asked.
async fn req_shall_discard_replies_from_before_the_request(net: Net) {
    let mut req = net.bound::<ReqSocket>(named()).await;
    let router = net.connected::<RouterSocket>(plain(), &mut req).await;
    soon(req.send("first")).await.unwrap();
    assert_eq!(router.get().await, Message::from(["", "first"]));
    soon(router.send_to(&id("req"), ["", "reply"])).await.unwrap();
    soon(router.send_to(&id("req"), ["", "duplicate"])).await.unwrap();
    assert_eq!(req.get().await, "reply".into());
    let replying = async {
        assert_eq!(router.get().await, Message::from(["", "second"]));
        soon(router.send_to(&id("req"), ["", "second reply"])).await.unwrap();
    };
    soon(req.send("second")).await.unwrap();
    let (reply, ()) = tokio::join!(req.get(), replying);
    assert_eq!(reply, "second reply".into());
    assert_eq!(req.dropped(DropCause::Discarded), 1);
}

/// The same again: when the peer that was asked has left, no other may answer
/// for it (libzmq takes a reply of any peer then).
#[tokio::test]
async fn req_shall_not_accept_a_reply_when_the_peer_it_asked_has_left() {
    let net = Net::tcp();
    let mut req = net.bound::<ReqSocket>(plain()).await;
    let asked = net.connected::<RepSocket>(plain(), &mut req).await;
    let mut other = Wire::join(&req.endpoint(), "REP").await;
    req.ready().await;
    soon(req.send("request")).await.unwrap();
    assert_eq!(asked.get().await, "request".into());
    let _ = soon(asked.close()).await;
    req.left().await;
    other.send(b"\x01\x00\x00\x05stray").await;
    other.sync().await;
    assert_eq!(soon(req.recv()).await, Err(RecvError::PeerLeft));
    soon(req.send("next")).await.unwrap();
    other.expect(b"\x01\x00\x00\x04next").await;
    other.send(b"\x01\x00\x00\x05reply").await;
    assert_eq!(req.get().await, "reply".into());
    assert_eq!(req.dropped(DropCause::Discarded), 1);
}
