//! RFC 28, "The DEALER Socket Type".

use ferromq::{DealerSocket, RouterSocket};

use crate::checks;
use crate::support::Net;

over_inproc_and_tcp!(
    dealer_shall_not_filter_or_modify_messages,
    dealer_shall_create_a_queue_when_connecting,
    dealer_shall_destroy_the_queue_of_a_peer_that_disconnects,
    departs_dealer_keeps_what_a_departed_peer_sent,
    dealer_shall_route_round_robin,
    dealer_shall_block_without_available_peers,
    dealer_shall_not_discard_messages_it_cannot_queue,
    dealer_shall_receive_fair_queued,
    dealer_shall_deliver_to_the_application,
);

/// "SHALL not filter or modify outgoing or incoming messages in any way."
async fn dealer_shall_not_filter_or_modify_messages(net: Net) {
    checks::passes_unmodified::<DealerSocket, DealerSocket>(net).await;
}

/// "SHALL maintain a double queue for each connected peer, allowing outgoing
/// and incoming messages to be queued independently."
#[tokio::test]
async fn dealer_shall_maintain_a_double_queue() {
    checks::queues_are_independent::<DealerSocket>().await;
}

/// "SHALL create a double queue when initiating an outgoing connection to a
/// peer"
async fn dealer_shall_create_a_queue_when_connecting(net: Net) {
    checks::queues_before_the_connection::<DealerSocket, RouterSocket>(net).await;
}

/// "and SHALL maintain the double queue whether or not the connection is
/// established."
#[tokio::test]
async fn dealer_shall_maintain_the_queue_whether_or_not_connected() {
    checks::queues_while_the_connection_is_down::<DealerSocket, RouterSocket>().await;
}

/// "SHALL create a double queue when a peer connects to it. If this peer
/// disconnects, the DEALER socket SHALL destroy its double queue and SHALL
/// discard any messages it contains."
async fn dealer_shall_destroy_the_queue_of_a_peer_that_disconnects(net: Net) {
    checks::destroys_the_queue_of_one_that_leaves::<DealerSocket, DealerSocket>(net).await;
}

/// The same sentence, of incoming messages.
async fn departs_dealer_keeps_what_a_departed_peer_sent(net: Net) {
    checks::keeps_what_one_that_left_had_sent::<DealerSocket, DealerSocket>(net).await;
}

/// "SHALL consider a peer as available only when it has a outgoing queue that
/// is not full."
#[tokio::test]
async fn dealer_shall_consider_a_peer_available_only_with_room() {
    checks::passes_over_full_peers::<DealerSocket, RouterSocket>().await;
}

/// "SHALL route outgoing messages to available peers using a round-robin
/// strategy."
async fn dealer_shall_route_round_robin(net: Net) {
    checks::routes_in_turn::<DealerSocket, RouterSocket>(net).await;
}

/// "SHALL block on sending, or return a suitable error, when it has no
/// available peers."
async fn dealer_shall_block_without_available_peers(net: Net) {
    checks::waits_for_a_peer::<DealerSocket, RouterSocket>(net).await;
}

/// "SHALL not accept further messages when it has no available peers."
#[tokio::test]
async fn dealer_shall_not_accept_messages_without_available_peers() {
    checks::accepts_no_more_than_fits::<DealerSocket, RouterSocket>().await;
}

/// "SHALL NOT discard messages that it cannot queue."
async fn dealer_shall_not_discard_messages_it_cannot_queue(net: Net) {
    checks::discards_nothing::<DealerSocket, RouterSocket>(net).await;
}

/// "SHALL receive incoming messages from its peers using a fair-queuing
/// strategy."
async fn dealer_shall_receive_fair_queued(net: Net) {
    checks::receives_in_turn::<DealerSocket, DealerSocket>(net).await;
}

/// "SHALL deliver these to its calling application."
async fn dealer_shall_deliver_to_the_application(net: Net) {
    checks::delivers_everything::<DealerSocket, DealerSocket>(net).await;
}
