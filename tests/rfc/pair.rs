//! RFC 31: PAIR.

use ferromq::{DisconnectReason, PairSocket};

use crate::checks;
use crate::support::{Net, Over, Receives, plain, soon};

over_inproc_and_tcp!(
    pair_shall_not_filter_or_modify_messages,
    pair_shall_create_a_queue_when_connecting,
    pair_shall_destroy_the_queue_of_a_peer_that_disconnects,
    departs_pair_keeps_what_a_departed_peer_sent,
    pair_shall_block_without_an_available_peer,
    pair_shall_not_discard_messages_it_cannot_queue,
    pair_shall_receive_from_its_single_peer,
    pair_shall_deliver_to_the_application,
);

/// "SHALL not filter or modify outgoing or incoming messages in any way."
async fn pair_shall_not_filter_or_modify_messages(net: Net) {
    checks::passes_unmodified::<PairSocket, PairSocket>(net).await;
}

/// "SHALL maintain a double queue for its peer, allowing outgoing and incoming
/// messages to be queued independently."
#[tokio::test]
async fn pair_shall_maintain_a_double_queue() {
    checks::queues_are_independent::<PairSocket>().await;
}

/// "SHALL create a double queue when initiating an outgoing connection to a
/// peer"
async fn pair_shall_create_a_queue_when_connecting(net: Net) {
    checks::queues_before_the_connection::<PairSocket, PairSocket>(net).await;
}

/// "and SHALL maintain the double queue whether or not the connection is
/// established."
#[tokio::test]
async fn pair_shall_maintain_the_queue_whether_or_not_connected() {
    checks::queues_while_the_connection_is_down::<PairSocket, PairSocket>().await;
}

/// "SHALL create a double queue when a peer connects to it. If this peer
/// disconnects, the PAIR socket SHALL destroy its double queue and SHALL
/// discard any messages it contains."
async fn pair_shall_destroy_the_queue_of_a_peer_that_disconnects(net: Net) {
    checks::destroys_the_queue_of_one_that_leaves::<PairSocket, PairSocket>(net).await;
}

/// The same sentence, of incoming messages.
async fn departs_pair_keeps_what_a_departed_peer_sent(net: Net) {
    checks::keeps_what_one_that_left_had_sent::<PairSocket, PairSocket>(net).await;
}

/// "SHALL consider its peer as available only when it has a outgoing queue that
/// is not full."
/// "SHALL not accept further messages when it has no available peer."
#[tokio::test]
async fn pair_shall_not_accept_messages_when_its_peer_is_full() {
    checks::accepts_no_more_than_fits::<PairSocket, PairSocket>().await;
}

/// "SHALL block on sending, or return a suitable error, when it has no
/// available peer."
async fn pair_shall_block_without_an_available_peer(net: Net) {
    checks::waits_for_a_peer::<PairSocket, PairSocket>(net).await;
}

/// "SHALL NOT discard messages that it cannot queue."
async fn pair_shall_not_discard_messages_it_cannot_queue(net: Net) {
    checks::discards_nothing::<PairSocket, PairSocket>(net).await;
}

/// "MAY be connected to at most one PAIR peers"
/// "SHALL receive incoming messages from its single peer if it has one."
/// A second one is turned away; when the first has left, another may come.
async fn pair_shall_receive_from_its_single_peer(net: Net) {
    let mut pair = net.bound::<PairSocket>(plain()).await;
    let peer = net.connected::<PairSocket>(plain(), &mut pair).await;
    if net.over == Over::Tcp {
        let second = net.connecting::<PairSocket>(plain(), &pair.endpoint());
        second.try_send("second").unwrap();
        let reason = pair.failed().await;
        assert!(matches!(reason, DisconnectReason::TurnedAway(_)), "{reason}");
        drop(second);
    } else {
        let second = PairSocket::new_in(net.context(), plain());
        second.connect(pair.endpoint()).unwrap_err();
    }
    peer.try_send("peer").unwrap();
    assert_eq!(pair.get().await, "peer".into());
    let _ = soon(peer.close()).await;
    pair.left().await;
    let next = net.connected::<PairSocket>(plain(), &mut pair).await;
    next.try_send("next").unwrap();
    assert_eq!(pair.get().await, "next".into());
    assert!(pair.try_recv().unwrap_err().is_would_block());
}

/// "SHALL deliver these to its calling application."
async fn pair_shall_deliver_to_the_application(net: Net) {
    checks::delivers_everything::<PairSocket, PairSocket>(net).await;
}
