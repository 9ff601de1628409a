use super::*;
use crate::pattern::testing::{self, accept, is_sent, send, up};
use crate::routing::testing::{FakePeer, message};
use crate::routing_id::RoutingId;

fn router_with(options: SocketOptions, peers: &[(&FakePeer, &str)]) -> Router {
    let router = Router::new(&options);
    for (peer, id) in peers {
        router.attach(peer).unwrap();
        up(&router, peer, id).unwrap();
    }
    router
}

/// Who sent a message, as the application sees it.
fn name(router: &Router, peer: &FakePeer) -> Option<RoutingId> {
    accept(router, peer, message(["m"]))?.from
}

fn id(octets: &'static str) -> RoutingId {
    RoutingId::new(octets.as_bytes()).unwrap()
}

fn send_to(router: &Router, to: &RoutingId, whole: Message) -> Routed {
    testing::send_to(router, Some(to.as_bytes()), whole)
}

#[test]
fn router_identifies_each_peer_by_a_unique_id() {
    let peers: Vec<_> = (0..100).map(|_| FakePeer::accepted(10)).collect();
    let named: Vec<_> = peers.iter().map(|peer| (peer, "")).collect();
    let router = router_with(SocketOptions::new(), &named);
    for peer in &peers {
        let automatic = name(&router, peer).unwrap();
        assert_eq!((automatic.as_bytes().len(), automatic.as_bytes()[0]), (5, 0));
        assert!(is_sent(&send_to(&router, &automatic, message(["m"]))));
        assert_eq!(peer.take_sent(), [message(["m"])]);
    }
}

#[test]
fn router_lets_the_peer_specify_its_id() {
    let [a, b] = [10, 10].map(FakePeer::accepted);
    let router = router_with(SocketOptions::new(), &[(&a, "A"), (&b, "B")]);
    assert_eq!((name(&router, &a), name(&router, &b)), (Some(id("A")), Some(id("B"))));
}

#[test]
fn router_delivers_each_message_with_the_id_of_its_sender() {
    let peer = FakePeer::accepted(10);
    let router = router_with(SocketOptions::new(), &[(&peer, "A")]);
    for frames in [vec![""], vec!["", "body"], vec!["a", "", "b"]] {
        let delivery = accept(&router, &peer, message(frames.clone())).unwrap();
        assert_eq!((delivery.from, delivery.message), (Some(id("A")), message(frames)));
    }
}

#[test]
fn router_removes_the_first_frame_and_routes_by_it() {
    let [a, b] = [10, 10].map(FakePeer::accepted);
    let router = router_with(SocketOptions::new(), &[(&a, "A"), (&b, "B")]);
    assert!(is_sent(&send(&router, message(["B", "", "body"]))));
    assert!(is_sent(&send(&router, message(["A", ""]))));
    assert!(is_sent(&send_to(&router, &id("A"), message(["A", "x"]))));
    assert_eq!(a.take_sent(), [message([""]), message(["A", "x"])]);
    assert_eq!(b.take_sent(), [message(["", "body"])]);
}

#[test]
fn router_refuses_a_lone_id_frame() {
    let peer = FakePeer::accepted(10);
    let router = router_with(SocketOptions::new(), &[(&peer, "A")]);
    let refused = send(&router, message(["A"]));
    assert_eq!(refused, Routed::Refused(SendRefusal::NoRoutingId));
    assert!(peer.take_sent().is_empty());
}

#[test]
fn router_drops_a_message_if_the_queue_does_not_exist() {
    let peer = FakePeer::accepted(10);
    let router = router_with(SocketOptions::new(), &[(&peer, "A")]);
    let unknown = send(&router, message(["B", "m"]));
    assert!(matches!(unknown, Routed::Dropped { lost: 1, cause: DropCause::Unroutable }));
    peer.depart();
    let gone = send(&router, message(["A", "m"]));
    assert!(matches!(gone, Routed::Dropped { lost: 1, cause: DropCause::Unroutable }));
}

#[test]
fn router_does_not_block_on_sending_and_drops_a_message_if_the_queue_is_full() {
    let peer = FakePeer::accepted(0);
    let router = router_with(SocketOptions::new(), &[(&peer, "A")]);
    let full = send(&router, message(["A", "m"]));
    assert!(matches!(full, Routed::Dropped { lost: 1, cause: DropCause::PeerFull }));
}

#[test]
fn mandatory_router_gives_back_what_it_cannot_route() {
    let peer = FakePeer::accepted(0);
    let router = router_with(SocketOptions::new().router_mandatory(true), &[(&peer, "A")]);
    let to_b = message(["B", "m", "n"]);
    let unroutable = Routed::Refused(SendRefusal::Unroutable);
    assert_eq!(send(&router, to_b), unroutable);
    assert_eq!(send_to(&router, &id("B"), message(["m"])), unroutable);
    let to_a = message(["A", "m", "n"]);
    assert_eq!(send(&router, to_a.clone()), Routed::Mute);
    assert_eq!(send_to(&router, &id("A"), message(["m"])), Routed::Mute);
}

#[test]
fn mandatory_router_sends_to_a_full_peer_once_it_has_room() {
    let peer = FakePeer::accepted(1);
    let router = router_with(SocketOptions::new().router_mandatory(true), &[(&peer, "A")]);
    assert!(is_sent(&send(&router, message(["A", "1"]))));
    assert_eq!(send(&router, message(["A", "2"])), Routed::Mute);
    peer.take_sent();
    router.room(&peer);
    assert!(is_sent(&send(&router, message(["A", "2"]))));
}

#[test]
fn router_gives_a_connection_no_name_before_its_handshake() {
    let peer = FakePeer::connected(10);
    let router = router_with(SocketOptions::new(), &[]);
    router.attach(&peer).unwrap();
    assert!(matches!(send(&router, message(["A", "m"])), Routed::Dropped { lost: 1, .. }));
    assert_eq!(name(&router, &peer), None);
    up(&router, &peer, "A").unwrap();
    assert!(is_sent(&send(&router, message(["A", "m"]))));
}

#[test]
fn router_maintains_a_queue_and_its_id_whether_or_not_it_is_connected() {
    let [endpoint, rival] = [10, 10].map(FakePeer::connected);
    let router = router_with(SocketOptions::new(), &[(&endpoint, "A")]);
    router.down(&endpoint);
    assert!(is_sent(&send(&router, message(["A", "between"]))));
    router.attach(&rival).unwrap();
    assert_eq!(up(&router, &rival, "A"), Err(Unwelcome::RoutingIdTaken));
    up(&router, &endpoint, "A").unwrap();
    assert!(is_sent(&send(&router, message(["A", "after"]))));
    assert_eq!(endpoint.take_sent(), [message(["between"]), message(["after"])]);
}

#[test]
fn router_knows_an_endpoint_by_the_name_of_its_last_handshake() {
    let endpoint = FakePeer::connected(10);
    let router = router_with(SocketOptions::new(), &[(&endpoint, "A")]);
    router.down(&endpoint);
    assert!(is_sent(&send(&router, message(["A", "between"]))));
    up(&router, &endpoint, "B").unwrap();
    let lost = send(&router, message(["A", "m"]));
    assert!(matches!(lost, Routed::Dropped { lost: 1, cause: DropCause::Unroutable }));
    assert!(is_sent(&send(&router, message(["B", "after"]))));
    // The queue is the endpoint's, whoever is there.
    assert_eq!(endpoint.take_sent(), [message(["between"]), message(["after"])]);
    assert_eq!(name(&router, &endpoint), Some(id("B")));
    // Its former name is free.
    let newcomer = FakePeer::accepted(10);
    router.attach(&newcomer).unwrap();
    up(&router, &newcomer, "A").unwrap();
    assert!(is_sent(&send(&router, message(["A", "m"]))));
    assert_eq!((endpoint.take_sent().len(), newcomer.take_sent().len()), (0, 1));
}

#[test]
fn router_routes_by_any_octets_that_a_peer_is_named() {
    let [zeros, one] = [10, 10].map(FakePeer::accepted);
    let router = router_with(SocketOptions::new(), &[(&zeros, "\0\0"), (&one, "\x01\0")]);
    assert_eq!(name(&router, &zeros), Some(id("\0\0")));
    assert!(is_sent(&send(&router, message(["\0\0", "m"]))));
    assert!(is_sent(&send_to(&router, &id("\x01\0"), message(["n"]))));
    assert_eq!(zeros.take_sent(), [message(["m"])]);
    assert_eq!(one.take_sent(), [message(["n"])]);
}

#[test]
fn octets_that_cannot_be_an_id_are_unroutable() {
    let long = "x".repeat(256);
    for octets in ["", &long] {
        let lenient = router_with(SocketOptions::new(), &[]);
        let lost = send(&lenient, message([octets, "m"]));
        assert!(matches!(lost, Routed::Dropped { lost: 1, cause: DropCause::Unroutable }));
        let strict = router_with(SocketOptions::new().router_mandatory(true), &[]);
        let refused = send(&strict, message([octets, "m"]));
        assert_eq!(refused, Routed::Refused(SendRefusal::Unroutable));
    }
}

#[test]
fn router_destroys_the_queue_of_a_peer_that_disconnects() {
    let [old, new] = [10, 10].map(FakePeer::accepted);
    let router = router_with(SocketOptions::new(), &[(&old, "A")]);
    router.detach(&old);
    let lost = send(&router, message(["A", "m"]));
    assert!(matches!(lost, Routed::Dropped { lost: 1, cause: DropCause::Unroutable }));
    // What it sent is still its own.
    assert_eq!(name(&router, &old), Some(id("A")));
    router.attach(&new).unwrap();
    up(&router, &new, "A").unwrap();
    router.drained(&old);
    assert_eq!((name(&router, &old), name(&router, &new)), (Some(id("A")), Some(id("A"))));
    assert!(is_sent(&send(&router, message(["A", "m"]))));
    assert_eq!((old.take_sent().len(), new.take_sent().len()), (0, 1));
}

#[test]
fn router_turns_a_duplicate_id_away_and_the_first_keeps_working() {
    let [first, second] = [10, 10].map(FakePeer::accepted);
    let router = router_with(SocketOptions::new(), &[(&first, "X")]);
    router.attach(&second).unwrap();
    assert_eq!(up(&router, &second, "X"), Err(Unwelcome::RoutingIdTaken));
    router.detach(&second);
    assert!(is_sent(&send(&router, message(["X", "m"]))));
    assert_eq!((first.take_sent().len(), second.take_sent().len()), (1, 0));
    assert_eq!((name(&router, &first), name(&router, &second)), (Some(id("X")), None));
    assert_eq!(first.rejected(), None);
}

#[test]
fn router_handover_gives_the_id_to_the_newcomer() {
    let [first, second] = [10, 10].map(FakePeer::accepted);
    let router = router_with(SocketOptions::new().router_handover(true), &[(&first, "X")]);
    router.attach(&second).unwrap();
    up(&router, &second, "X").unwrap();
    assert_eq!(first.rejected(), Some(Unwelcome::RoutingIdTakenOver));
    assert_eq!(second.rejected(), None);
    assert!(is_sent(&send(&router, message(["X", "m"]))));
    // What the first sent before is still delivered under its id.
    assert_eq!((name(&router, &first), name(&router, &second)), (Some(id("X")), Some(id("X"))));
    router.detach(&first);
    router.drained(&first);
    assert!(is_sent(&send(&router, message(["X", "m"]))));
    assert_eq!((first.take_sent().len(), second.take_sent().len()), (0, 2));
}

#[test]
fn endpoint_that_lost_its_id_claims_it_anew_when_it_is_up_again() {
    let [endpoint, rival] = [FakePeer::connected(10), FakePeer::accepted(10)];
    let router = router_with(SocketOptions::new().router_handover(true), &[(&endpoint, "X")]);
    router.attach(&rival).unwrap();
    up(&router, &rival, "X").unwrap();
    router.down(&endpoint);
    up(&router, &endpoint, "X").unwrap();
    assert_eq!(rival.rejected(), Some(Unwelcome::RoutingIdTakenOver));
    assert!(is_sent(&send(&router, message(["X", "m"]))));
    assert_eq!(endpoint.take_sent(), [message(["m"])]);
}

#[test]
fn router_probes_each_connection_if_told_to() {
    for (probe, probes) in [(false, 0), (true, 1)] {
        let peer = FakePeer::connected(10);
        let _router = router_with(SocketOptions::new().probe_router(probe), &[(&peer, "")]);
        assert_eq!(peer.take_sent(), vec![message([""]); probes]);
    }
}
