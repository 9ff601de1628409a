//! RFC 30: PUSH and PULL.

use ferromq::{DropCause, PullSocket, PushSocket};

use crate::checks;
use crate::support::{Net, Receives, narrow, numbered, plain, soon, until};
use crate::wire::Wire;

over_inproc_and_tcp!(
    push_shall_not_filter_or_modify_messages,
    push_shall_maintain_a_queue_for_each_peer,
    push_shall_create_the_queue_when_connecting,
    push_shall_destroy_the_queue_of_a_peer_that_disconnects,
    push_shall_route_round_robin,
    push_shall_block_without_available_peers,
    push_shall_not_discard_messages_it_cannot_queue,
    pull_shall_not_filter_or_modify_messages,
    departs_pull_keeps_what_a_departed_peer_sent,
    pull_shall_receive_fair_queued,
    pull_shall_deliver_to_the_application,
);

/// "MAY be connected to any number of PULL peers, and SHALL only send
/// messages." What a peer sends nonetheless changes nothing. (That PUSH has no
/// `recv` is a documentation test of it.)
#[tokio::test]
async fn push_shall_only_send() {
    let net = Net::tcp();
    let push = net.bound::<PushSocket>(plain()).await;
    let mut pull = Wire::join(&push.endpoint(), "PULL").await;
    pull.send(b"\x00\x05Hello").await;
    until(|| push.dropped(DropCause::Discarded) == 1).await;
    push.try_send("work").unwrap();
    pull.expect(b"\x00\x04work").await;
}

/// "SHALL not filter or modify outgoing messages in any way."
async fn push_shall_not_filter_or_modify_messages(net: Net) {
    checks::passes_unmodified::<PushSocket, PullSocket>(net).await;
}

/// "SHALL maintain an outgoing message queue for each connected peer." One
/// that does not read keeps its own messages, not those of others.
async fn push_shall_maintain_a_queue_for_each_peer(net: Net) {
    let mut push = net.bound::<PushSocket>(plain()).await;
    let idle = net.connected::<PullSocket>(plain(), &mut push).await;
    let busy = net.connected::<PullSocket>(plain(), &mut push).await;
    for number in 0..100 {
        push.try_send(numbered(number)).unwrap();
    }
    for number in (1..100).step_by(2) {
        assert_eq!(busy.get().await, numbered(number));
    }
    for number in (0..100).step_by(2) {
        assert_eq!(idle.get().await, numbered(number));
    }
}

/// "SHALL create this queue when initiating an outgoing connection to a peer"
async fn push_shall_create_the_queue_when_connecting(net: Net) {
    checks::queues_before_the_connection::<PushSocket, PullSocket>(net).await;
}

/// "and SHALL maintain the queue whether or not the connection is established."
#[tokio::test]
async fn push_shall_maintain_the_queue_whether_or_not_connected() {
    checks::queues_while_the_connection_is_down::<PushSocket, PullSocket>().await;
}

/// "SHALL create this queue when a peer connects to it. If this peer
/// disconnects, the PUSH socket SHALL destroy its queue and SHALL discard any
/// messages it contains."
async fn push_shall_destroy_the_queue_of_a_peer_that_disconnects(net: Net) {
    checks::destroys_the_queue_of_one_that_leaves::<PushSocket, PullSocket>(net).await;
}

/// "SHALL consider a peer as available only when it has a outgoing queue that
/// is not full."
#[tokio::test]
async fn push_shall_consider_a_peer_available_only_with_room() {
    checks::passes_over_full_peers::<PushSocket, PullSocket>().await;
}

/// "SHALL route outgoing messages to available peers using a round-robin
/// strategy."
async fn push_shall_route_round_robin(net: Net) {
    checks::routes_in_turn::<PushSocket, PullSocket>(net).await;
}

/// "SHALL block on sending, or return a suitable error, when it has no
/// available peers."
async fn push_shall_block_without_available_peers(net: Net) {
    checks::waits_for_a_peer::<PushSocket, PullSocket>(net).await;
}

/// "SHALL not accept further messages when it has no available peers."
#[tokio::test]
async fn push_shall_not_accept_messages_without_available_peers() {
    checks::accepts_no_more_than_fits::<PushSocket, PullSocket>().await;
}

/// "SHALL NOT discard messages that it cannot queue."
async fn push_shall_not_discard_messages_it_cannot_queue(net: Net) {
    checks::discards_nothing::<PushSocket, PullSocket>(net).await;
}

/// "MAY be connected to any number of PUSH peers, and SHALL only receive
/// messages." Between its handshake and its end it says nothing.
#[tokio::test]
async fn pull_shall_only_receive() {
    let net = Net::tcp();
    let pull = net.bound::<PullSocket>(plain()).await;
    let mut push = Wire::join(&pull.endpoint(), "PUSH").await;
    push.send(b"\x00\x05Hello").await;
    assert_eq!(pull.get().await, "Hello".into());
    push.finish().await;
    assert_eq!(push.end().await, b"");
}

/// "SHALL not filter or modify incoming messages in any way."
async fn pull_shall_not_filter_or_modify_messages(net: Net) {
    checks::passes_unmodified::<PushSocket, PullSocket>(net).await;
}

/// "SHALL maintain an incoming queue for each connected peer." One peer that
/// fills its queue takes nothing of another's.
#[tokio::test]
async fn pull_shall_maintain_a_queue_for_each_peer() {
    let net = Net::inproc();
    let mut pull = net.bound::<PullSocket>(narrow()).await;
    let full = net.connected::<PushSocket>(narrow(), &mut pull).await;
    let other = net.connected::<PushSocket>(narrow(), &mut pull).await;
    while full.try_send("full").is_ok() {}
    other.try_send("other").unwrap();
    other.try_send("other").unwrap();
    assert!(other.try_send("other").unwrap_err().is_would_block());
}

/// "SHALL create this queue when initiating an outgoing connection to a peer,
/// and SHALL maintain the queue whether or not the connection is established."
/// What came in stays there when the connection is lost, before what the next
/// one brings.
#[tokio::test]
async fn pull_shall_maintain_the_queue_whether_or_not_connected() {
    let net = Net::tcp();
    let place = net.reserve();
    let endpoint = place.endpoint.to_string();
    let mut former = net.bound_at::<PushSocket>(&endpoint, plain()).await;
    let mut pull = net.connected::<PullSocket>(plain(), &mut former).await;
    former.try_send("before").unwrap();
    let _ = soon(former.close()).await;
    pull.left().await;
    let mut push = net.bound_at::<PushSocket>(&endpoint, plain()).await;
    push.ready().await;
    push.try_send("after").unwrap();
    assert_eq!(pull.get().await, "before".into());
    assert_eq!(pull.get().await, "after".into());
}

/// "If this peer disconnects, the PULL socket SHALL destroy its queue and SHALL
/// discard any messages it contains."
async fn departs_pull_keeps_what_a_departed_peer_sent(net: Net) {
    checks::keeps_what_one_that_left_had_sent::<PushSocket, PullSocket>(net).await;
}

/// "SHALL receive incoming messages from its peers using a fair-queuing
/// strategy."
async fn pull_shall_receive_fair_queued(net: Net) {
    checks::receives_in_turn::<PushSocket, PullSocket>(net).await;
}

/// "SHALL deliver these to its calling application."
async fn pull_shall_deliver_to_the_application(net: Net) {
    checks::delivers_everything::<PushSocket, PullSocket>(net).await;
}
