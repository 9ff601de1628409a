use super::*;
use crate::pattern::testing::{accept, is_sent, send, up};
use crate::routing::testing::{FakePeer, message};

fn req_with(options: SocketOptions, peers: &[&FakePeer]) -> Req {
    let req = Req::new(&options);
    for peer in peers {
        req.attach(peer).unwrap();
    }
    req
}

/// What a receiver sees of a message, if REQ receives at all and keeps it.
fn receive<'a>(
    req: &Req,
    from: &FakePeer,
    frames: impl IntoIterator<Item = &'a str>,
) -> Option<Message> {
    assert!(matches!(req.before_recv(), Before::Proceed));
    accept(req, from, message(frames)).map(|delivery| delivery.message)
}

fn is_idle(req: &Req) -> bool {
    matches!(req.before_recv(), Before::OutOfTurn)
}

#[test]
fn req_sends_and_then_receives_exactly_one_message_at_a_time() {
    let peer = FakePeer::connected(10);
    let req = req_with(SocketOptions::new(), &[&peer]);
    for _ in 0..2 {
        assert!(is_idle(&req));
        assert!(is_sent(&send(&req, message(["ask", "me"]))));
        let again = send(&req, message(["again", "!"]));
        assert_eq!(again, Routed::Refused(SendRefusal::OutOfTurn));
        assert_eq!(receive(&req, &peer, ["", "reply"]), Some(message(["reply"])));
    }
    assert!(is_idle(&req));
    assert!(accept(&req, &peer, message(["", "second reply"])).is_none());
    assert_eq!(peer.take_sent(), vec![message(["", "ask", "me"]); 2]);
}

#[test]
fn req_prefixes_the_outgoing_message_with_an_empty_delimiter_frame() {
    let peer = FakePeer::connected(10);
    for frames in [vec![""], vec!["a"], vec!["", "a", ""]] {
        let req = req_with(SocketOptions::new(), &[&peer]);
        assert!(is_sent(&send(&req, message(frames.clone()))));
        let wire = [vec![""], frames].concat();
        assert_eq!(peer.take_sent(), [message(wire)]);
    }
}

#[test]
fn req_routes_outgoing_messages_round_robin() {
    let peers: Vec<_> = (0..5).map(|_| FakePeer::connected(10)).collect();
    let req = req_with(SocketOptions::new(), &peers.iter().collect::<Vec<_>>());
    for body in ["a", "b"] {
        for peer in &peers {
            assert!(is_sent(&send(&req, message([body]))));
            assert_eq!(peer.take_sent(), [message(["", body])]);
            assert!(receive(&req, peer, ["", "reply"]).is_some());
        }
    }
}

#[test]
fn req_is_mute_without_connected_peers_and_discards_nothing() {
    for correlate in [false, true] {
        let req = req_with(SocketOptions::new().req_correlate(correlate), &[]);
        let whole = message(["m", "", "n"]);
        assert_eq!(send(&req, whole.clone()), Routed::Mute);
        assert!(is_idle(&req));

        let [full, departed] = [0, 10].map(FakePeer::connected);
        departed.depart();
        req.attach(&full).unwrap();
        req.attach(&departed).unwrap();
        assert_eq!(send(&req, whole.clone()), Routed::Mute);
        assert!(is_idle(&req));
    }
}

#[test]
fn req_tries_a_full_peer_again_when_it_has_room() {
    let [a, b] = [1, 10].map(FakePeer::connected);
    let req = req_with(SocketOptions::new().req_relaxed(true), &[&a, &b]);
    for _ in 0..3 {
        assert!(is_sent(&send(&req, message(["m"]))));
    }
    assert_eq!(a.take_sent().len(), 1);
    req.room(&a);
    for _ in 0..2 {
        assert!(is_sent(&send(&req, message(["m"]))));
    }
    assert_eq!((a.take_sent().len(), b.take_sent().len()), (1, 3));
}

#[test]
fn req_accepts_a_message_only_from_the_peer_it_asked() {
    let [asked, other] = [10, 10].map(FakePeer::connected);
    let req = req_with(SocketOptions::new(), &[&asked, &other]);
    assert!(is_sent(&send(&req, message(["m"]))));
    assert_eq!(receive(&req, &other, ["", "stray"]), None);
    assert_eq!(receive(&req, &asked, ["", "reply"]), Some(message(["reply"])));
}

#[test]
fn req_discards_malformed_replies_and_waits_on() {
    let peer = FakePeer::connected(10);
    let req = req_with(SocketOptions::new(), &[&peer]);
    assert!(is_sent(&send(&req, message(["m"]))));
    for malformed in [vec![""], vec!["a"], vec!["a", "b"], vec!["a", "", "b"]] {
        assert_eq!(receive(&req, &peer, malformed), None);
    }
    assert_eq!(receive(&req, &peer, ["", "A", "B", ""]), Some(message(["A", "B", ""])));
}

#[test]
fn req_takes_nothing_that_came_before_the_request_for_its_reply() {
    let [asked, other] = [10, 10].map(FakePeer::connected);
    let req = req_with(SocketOptions::new(), &[&asked, &other]);
    assert!(is_sent(&send(&req, message(["m"]))));
    // The line of the one that is asked is told so, and discards what came
    // before; what the other says is no reply whenever it comes.
    assert!(asked.is_asked() && !other.is_asked());
}

#[test]
fn req_takes_nothing_for_its_reply_that_came_after_it() {
    let peer = FakePeer::connected(10);
    let req = req_with(SocketOptions::new(), &[&peer]);
    assert!(is_sent(&send(&req, message(["m"]))));
    assert_eq!(receive(&req, &peer, ["malformed"]), None);
    assert!(peer.is_asked());
    assert!(receive(&req, &peer, ["", "reply"]).is_some());
    assert!(!peer.is_asked());
}

#[test]
fn req_asks_nothing_of_a_peer_that_refuses_the_request() {
    let [full, departed, asked] = [0, 10, 10].map(FakePeer::accepted);
    departed.depart();
    let req = req_with(SocketOptions::new(), &[&full, &departed, &asked]);
    assert!(is_sent(&send(&req, message(["m"]))));
    assert_eq!([&full, &departed, &asked].map(FakePeer::is_asked), [false, false, true]);
    assert_eq!(asked.take_sent(), [message(["", "m"])]);
}

#[test]
fn req_learns_that_the_peer_it_asked_has_left() {
    let [asked, other] = [10, 10].map(FakePeer::accepted);
    let req = req_with(SocketOptions::new(), &[&asked, &other]);
    assert!(is_sent(&send(&req, message(["m"]))));
    req.detach(&other);
    req.drained(&other);
    req.detach(&asked);
    // Its reply may still be in the line.
    assert!(matches!(req.before_recv(), Before::Proceed));
    req.drained(&asked);
    assert_eq!(send(&req, message(["m"])), Routed::Refused(SendRefusal::OutOfTurn));
    assert!(matches!(req.before_recv(), Before::PeerLeft));
    assert!(is_idle(&req));
    assert_eq!(send(&req, message(["m"])), Routed::Mute);
}

#[test]
fn req_takes_a_reply_that_came_before_its_peer_left() {
    let peer = FakePeer::accepted(10);
    let req = req_with(SocketOptions::new(), &[&peer]);
    assert!(is_sent(&send(&req, message(["m"]))));
    req.detach(&peer);
    assert!(receive(&req, &peer, ["", "reply"]).is_some());
    req.drained(&peer);
    assert!(is_idle(&req));
}

#[test]
fn req_asks_no_peer_that_is_drained() {
    let [drained, over, asked] = [10, 10, 10].map(FakePeer::accepted);
    let req = req_with(SocketOptions::new(), &[&drained, &over, &asked]);
    req.drained(&drained);
    over.depart();
    assert!(is_sent(&send(&req, message(["m"]))));
    assert_eq!(asked.take_sent().len(), 1);
}

#[test]
fn req_waits_for_an_endpoint_that_it_asked_across_reconnects() {
    let peer = FakePeer::connected(10);
    let req = req_with(SocketOptions::new(), &[&peer]);
    up(&req, &peer, "").unwrap();
    assert!(is_sent(&send(&req, message(["m"]))));
    req.down(&peer);
    assert!(matches!(req.before_recv(), Before::Proceed));
    up(&req, &peer, "").unwrap();
    assert!(receive(&req, &peer, ["", "reply"]).is_some());
}

#[test]
fn relaxed_req_abandons_a_request_and_discards_its_reply() {
    let [first, second] = [10, 10].map(FakePeer::connected);
    let req = req_with(SocketOptions::new().req_relaxed(true), &[&first, &second]);
    assert!(is_sent(&send(&req, message(["1"]))));
    assert!(is_sent(&send(&req, message(["2"]))));
    assert_eq!(receive(&req, &first, ["", "late"]), None);
    assert_eq!(receive(&req, &second, ["", "reply"]), Some(message(["reply"])));
    // Resending disturbs neither the order nor the connections.
    assert!(is_sent(&send(&req, message(["3"]))));
    assert_eq!(first.take_sent(), [message(["", "1"]), message(["", "3"])]);
    assert_eq!(first.rejected(), None);
}

#[test]
fn relaxed_req_awaits_nothing_more_of_the_peer_it_asked_first() {
    let [first, second] = [10, 10].map(FakePeer::connected);
    let req = req_with(SocketOptions::new().req_relaxed(true), &[&first, &second]);
    assert!(is_sent(&send(&req, message(["1"]))));
    assert!(first.is_asked());
    assert!(is_sent(&send(&req, message(["2"]))));
    assert!(!first.is_asked() && second.is_asked());
}

#[test]
fn relaxed_req_that_asks_a_peer_again_awaits_its_reply() {
    let peer = FakePeer::connected(10);
    let req = req_with(SocketOptions::new().req_relaxed(true), &[&peer]);
    for _ in 0..2 {
        assert!(is_sent(&send(&req, message(["m"]))));
        assert!(peer.is_asked());
    }
    assert!(receive(&req, &peer, ["", "reply"]).is_some());
}

#[test]
fn relaxed_req_keeps_its_request_when_the_next_cannot_be_sent() {
    let peer = FakePeer::connected(1);
    let req = req_with(SocketOptions::new().req_relaxed(true), &[&peer]);
    assert!(is_sent(&send(&req, message(["1"]))));
    assert_eq!(send(&req, message(["2"])), Routed::Mute);
    assert!(peer.is_asked());
    assert_eq!(receive(&req, &peer, ["", "reply"]), Some(message(["reply"])));
}

#[test]
fn relaxed_req_sends_again_when_its_peer_has_left() {
    let [asked, other] = [10, 10].map(FakePeer::accepted);
    let req = req_with(SocketOptions::new().req_relaxed(true), &[&asked, &other]);
    assert!(is_sent(&send(&req, message(["1"]))));
    req.drained(&asked);
    assert!(is_sent(&send(&req, message(["2"]))));
    assert!(receive(&req, &other, ["", "reply"]).is_some());
}

#[test]
fn correlating_req_accepts_only_the_number_of_its_request() {
    let peer = FakePeer::connected(10);
    let req = req_with(SocketOptions::new().req_correlate(true).req_relaxed(true), &[&peer]);
    let mut sent = Vec::new();
    for _ in 0..2 {
        assert!(is_sent(&send(&req, message(["m"]))));
        sent.extend(peer.take_sent());
    }
    let number = |request: &Message| u32::from_be_bytes(request.first()[..].try_into().unwrap());
    assert_eq!(number(&sent[0]).wrapping_add(1), number(&sent[1]));
    assert_eq!((sent[1].len(), sent[1][1].len(), &sent[1][2][..]), (3, 0, &b"m"[..]));

    assert_eq!(receive(&req, &peer, ["", "no number"]), None);
    assert_eq!(receive(&req, &peer, ["numb", "no delimiter"]), None);
    assert!(accept(&req, &peer, sent[0].clone()).is_none());
    let delivery = accept(&req, &peer, sent[1].clone()).unwrap();
    assert_eq!(delivery.message, message(["m"]));
}

#[test]
fn req_probes_each_connection_if_told_to() {
    let peer = FakePeer::connected(10);
    let req = req_with(SocketOptions::new().probe_router(true), &[&peer]);
    up(&req, &peer, "").unwrap();
    assert_eq!(peer.take_sent(), [message([""])]);
    assert!(is_idle(&req));
}
