//! RFC 28, "The ROUTER Socket Type".

use std::collections::HashSet;

use ferromq::{DealerSocket, DropCause, Message, RouterSocket, SendErrorKind, SocketOptions};

use super::id;
use crate::checks;
use crate::support::{Net, Over, Receives, narrow, plain, soon};
use crate::wire::Wire;

over_inproc_and_tcp!(
    router_shall_destroy_the_queue_of_a_peer_that_disconnects,
    departs_router_keeps_what_a_departed_peer_sent,
    router_shall_identify_each_queue_uniquely,
    router_should_allow_peers_to_specify_their_identity,
    router_shall_receive_fair_queued,
    router_shall_prefix_messages_with_the_identity,
    router_shall_deliver_to_the_application,
    router_shall_use_the_first_frame_as_identity,
    router_shall_drop_or_refuse_what_has_no_queue,
);

fn named(name: &str) -> SocketOptions {
    SocketOptions::new().routing_id(id(name))
}

/// "SHALL maintain a double queue for each connected peer, allowing outgoing
/// and incoming messages to be queued independently." One peer's queue is full;
/// it is still heard, and another is still sent to.
#[tokio::test]
async fn router_shall_maintain_a_double_queue_for_each_peer() {
    let net = Net::inproc();
    let mut router = net.bound::<RouterSocket>(narrow().router_mandatory(true)).await;
    let full = net.connected::<DealerSocket>(narrow().routing_id(id("full")), &mut router).await;
    let other = net.connected::<DealerSocket>(narrow().routing_id(id("other")), &mut router).await;
    for _ in 0..2 {
        router.try_send_to(&id("full"), "out").unwrap();
    }
    assert!(router.try_send_to(&id("full"), "out").unwrap_err().is_would_block());
    router.try_send_to(&id("other"), "out").unwrap();
    for dealer in [&full, &other] {
        dealer.try_send("back").unwrap();
        assert_eq!(router.get().await, "back".into());
        assert_eq!(dealer.get().await, "out".into());
    }
}

/// "SHALL create a double queue when initiating an outgoing connection to a
/// peer, and SHALL maintain the double queue whether or not the connection is
/// established." It can be named, and so sent to, when the peer has said its
/// identity; from then on it is kept while the connection is down.
#[tokio::test]
async fn departs_router_maintains_the_queue_once_the_peer_has_been_there() {
    let net = Net::tcp();
    let place = net.reserve();
    let endpoint = place.endpoint.to_string();
    let mut router = net.connecting::<RouterSocket>(plain(), &place.endpoint);
    router.try_send_to(&id("peer"), "too early").unwrap();
    assert_eq!(router.dropped(DropCause::Unroutable), 1);
    let former = net.bound_at::<DealerSocket>(&endpoint, named("peer")).await;
    router.ready().await;
    let _ = soon(former.close()).await;
    router.left().await;
    router.try_send_to(&id("peer"), "in between").unwrap();
    assert_eq!(router.dropped(DropCause::Unroutable), 1);
    let dealer = net.bound_at::<DealerSocket>(&endpoint, named("peer")).await;
    assert_eq!(dealer.get().await, "in between".into());
}

/// "SHALL create a double queue when a peer connects to it. If this peer
/// disconnects, the ROUTER socket SHALL destroy its double queue and SHALL
/// discard any messages it contains." libzmq has this test and does not run it.
async fn router_shall_destroy_the_queue_of_a_peer_that_disconnects(net: Net) {
    let mut router = net.bound::<RouterSocket>(plain().send_hwm(0)).await;
    if net.over == Over::Inproc {
        let leaving = net.connected::<DealerSocket>(named("peer"), &mut router).await;
        router.try_send_to(&id("peer"), "stale").unwrap();
        let _ = soon(leaving.close()).await;
        assert_eq!(leaving.dropped(DropCause::Unread), 1);
    } else {
        let leaving = Wire::join_as(&router.endpoint(), "DEALER", &id("peer")).await;
        router.ready().await;
        // More than any kernel takes on its way to one that does not read.
        let stale = Message::from(vec![0; 1 << 20]);
        for _ in 0..64 {
            router.try_send_to(&id("peer"), stale.clone()).unwrap();
        }
        drop(leaving);
        router.left().await;
        assert!(router.dropped(DropCause::PeerLeft) > 0);
    }
    router.try_send_to(&id("peer"), "to nobody").unwrap();
    assert_eq!(router.dropped(DropCause::Unroutable), 1);
    let next = net.connected::<DealerSocket>(named("peer"), &mut router).await;
    router.try_send_to(&id("peer"), "fresh").unwrap();
    assert_eq!(next.get().await, "fresh".into());
}

/// The same sentence, of incoming messages: they are received, under the name
/// their sender had.
async fn departs_router_keeps_what_a_departed_peer_sent(net: Net) {
    checks::keeps_what_one_that_left_had_sent::<DealerSocket, RouterSocket>(Net::new(net.over))
        .await;
    let mut router = net.bound::<RouterSocket>(plain()).await;
    let dealer = net.connected::<DealerSocket>(named("peer"), &mut router).await;
    dealer.try_send("last words").unwrap();
    let _ = soon(dealer.close()).await;
    router.left().await;
    assert_eq!(soon(router.recv()).await.unwrap(), (id("peer"), "last words".into()));
}

/// "SHALL identify each double queue using a unique \"identity\" binary
/// string." Those that ROUTER makes start with a zero octet.
async fn router_shall_identify_each_queue_uniquely(net: Net) {
    let mut router = net.bound::<RouterSocket>(plain()).await;
    let mut dealers = Vec::new();
    let mut ids = HashSet::new();
    for number in 0..20 {
        let options = if number == 7 { named("peer") } else { plain() };
        let dealer = net.connected::<DealerSocket>(options, &mut router).await;
        dealer.try_send("who am I").unwrap();
        let (id, _) = soon(router.recv()).await.unwrap();
        assert_eq!(id.as_bytes().first() == Some(&0), number != 7, "{id:?}");
        router.try_send_to(&id, id.as_bytes().clone()).unwrap();
        assert_eq!(dealer.get().await[0], id.as_bytes());
        ids.insert(id);
        dealers.push(dealer);
    }
    assert_eq!(ids.len(), 20);
}

/// "SHOULD allow the peer to specify its identity explicitly through the
/// Identity metadata property."
async fn router_should_allow_peers_to_specify_their_identity(net: Net) {
    let mut router = net.bound::<RouterSocket>(plain()).await;
    let dealer = net.connected::<DealerSocket>(named("peer"), &mut router).await;
    router.try_send_to(&id("peer"), "unasked").unwrap();
    assert_eq!(dealer.get().await, "unasked".into());
}

/// "SHALL receive incoming messages from its peers using a fair-queuing
/// strategy."
async fn router_shall_receive_fair_queued(net: Net) {
    checks::receives_in_turn::<DealerSocket, RouterSocket>(net).await;
}

/// "SHALL prefix each incoming message with a frame containing the identity of
/// the originating double queue." `recv` gives it beside the message, `recv_raw`
/// as that frame.
async fn router_shall_prefix_messages_with_the_identity(net: Net) {
    let router = net.bound::<RouterSocket>(plain()).await;
    let dealer = net.connecting::<DealerSocket>(named("peer"), &router.endpoint());
    dealer.try_send(["one", "two"]).unwrap();
    assert_eq!(soon(router.recv_raw()).await.unwrap(), Message::from(["peer", "one", "two"]));
    dealer.try_send(["one", "two"]).unwrap();
    assert_eq!(soon(router.recv()).await.unwrap(), (id("peer"), Message::from(["one", "two"])));
}

/// "SHALL deliver the resulting messages to its calling application."
async fn router_shall_deliver_to_the_application(net: Net) {
    checks::delivers_everything::<DealerSocket, RouterSocket>(net).await;
}

/// "SHALL remove the first frame from each outgoing message and use this as the
/// identity of a double queue." (`send_raw`; `send_to` takes both apart.)
/// "SHALL route the message to the outgoing queue if that queue exists, and has
/// space."
async fn router_shall_use_the_first_frame_as_identity(net: Net) {
    let mut router = net.bound::<RouterSocket>(plain()).await;
    let one = net.connected::<DealerSocket>(named("one"), &mut router).await;
    let other = net.connected::<DealerSocket>(named("other"), &mut router).await;
    soon(router.send_raw(["other", "to other", ""])).await.unwrap();
    soon(router.send_raw(["one", "to one", "other"])).await.unwrap();
    soon(router.send_to(&id("one"), "more")).await.unwrap();
    assert_eq!(other.get().await, Message::from(["to other", ""]));
    assert_eq!(one.get().await, Message::from(["to one", "other"]));
    assert_eq!(one.get().await, "more".into());
    let nothing = soon(router.send_raw("one")).await.unwrap_err();
    assert_eq!(nothing.kind(), SendErrorKind::NoRoutingId);
}

/// "SHALL either silently drop the message, or return an error, depending on
/// configuration, if the queue does not exist"
async fn router_shall_drop_or_refuse_what_has_no_queue(net: Net) {
    let drops = net.bound::<RouterSocket>(plain()).await;
    soon(drops.send_to(&id("nobody"), "lost")).await.unwrap();
    assert_eq!(drops.dropped(DropCause::Unroutable), 1);
    let refuses = net.bound::<RouterSocket>(plain().router_mandatory(true)).await;
    let refused = soon(refuses.send_raw(["nobody", "kept"])).await.unwrap_err();
    assert_eq!(refused.kind(), SendErrorKind::Unroutable);
    assert_eq!(refused.into_message(), Message::from(["nobody", "kept"]));
    assert_eq!(refuses.dropped(DropCause::Unroutable), 0);
}

/// "or is full."
/// "SHALL NOT block on sending."
#[tokio::test]
async fn router_shall_drop_without_blocking_what_does_not_fit() {
    let net = Net::inproc();
    let mut router = net.bound::<RouterSocket>(narrow()).await;
    let dealer = net.connected::<DealerSocket>(narrow().routing_id(id("full")), &mut router).await;
    for _ in 0..10 {
        router.try_send_to(&id("full"), "out").unwrap();
    }
    assert_eq!(router.dropped(DropCause::PeerFull), 8);
    for _ in 0..2 {
        assert_eq!(dealer.get().await, "out".into());
    }
    assert!(dealer.try_recv().unwrap_err().is_would_block());
}
