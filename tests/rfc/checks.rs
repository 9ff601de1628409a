//! What several patterns promise in the same words, checked once for each.

use std::collections::HashSet;
use std::pin::pin;

use ferromq::{DropCause, Message};

use crate::support::{
    Net, Node, Over, Receives, Sends, Socket, is_pending, narrow, numbered, plain, soon,
};
use crate::wire::Wire;

/// How many peers there are.
const PEERS: usize = 5;

async fn joined<R: Socket>(net: &Net, to: &mut Node<impl Socket>) -> Vec<Node<R>> {
    let mut peers = Vec::new();
    for _ in 0..PEERS {
        peers.push(net.connected::<R>(plain(), to).await);
    }
    peers
}

/// Messages that a careless implementation would change.
fn odd_messages() -> Vec<Message> {
    let every_octet: Vec<u8> = (0..=255).collect();
    let mut messages = vec![
        Message::new(),
        Message::from(["", "", ""]),
        Message::from(["", "data"]),
        Message::from(["data", ""]),
        Message::from(every_octet),
        Message::from((0..100).map(|number| number.to_string()).collect::<Vec<_>>()),
    ];
    for size in [1, 254, 255, 256, 65_535, 65_536, 1 << 20] {
        messages.push(Message::from(vec![size as u8; size]));
    }
    messages
}

/// What is sent arrives as it was, in order, all of it.
pub(crate) async fn passes_unmodified<S: Sends, R: Receives>(net: Net) {
    let mut receiver = net.bound::<R>(plain()).await;
    let sender = net.connected::<S>(plain(), &mut receiver).await;
    for message in odd_messages() {
        soon(sender.put(message.clone())).await.unwrap();
        assert_eq!(receiver.get().await, message);
    }
}

/// Nothing is kept back from the application.
pub(crate) async fn delivers_everything<S: Sends, R: Receives>(net: Net) {
    let mut receiver = net.bound::<R>(plain()).await;
    let sender = net.connected::<S>(plain(), &mut receiver).await;
    for number in 0..500 {
        soon(sender.put(numbered(number))).await.unwrap();
    }
    for number in 0..500 {
        assert_eq!(receiver.get().await, numbered(number));
    }
}

/// 2N messages over N peers: each gets two, in its turn.
pub(crate) async fn routes_in_turn<S: Sends, R: Receives>(net: Net) {
    let mut sender = net.bound::<S>(plain()).await;
    let receivers = joined::<R>(&net, &mut sender).await;
    for number in 0..2 * PEERS {
        soon(sender.put(numbered(number))).await.unwrap();
    }
    for (turn, receiver) in receivers.iter().enumerate() {
        assert_eq!(receiver.get().await, numbered(turn));
        assert_eq!(receiver.get().await, numbered(PEERS + turn));
    }
}

/// Without a peer, sending waits or fails, and the message is not lost.
pub(crate) async fn waits_for_a_peer<S: Sends, R: Receives>(net: Net) {
    let sender = net.bound::<S>(plain()).await;
    let refused = sender.try_put("first".into()).unwrap_err();
    assert!(refused.is_would_block());
    assert_eq!(refused.into_message(), "first".into());
    let mut sending = pin!(sender.put("first".into()));
    assert!(is_pending(sending.as_mut()).await);
    let receiver = net.connecting::<R>(plain(), &sender.endpoint());
    soon(sending).await.unwrap();
    assert_eq!(receiver.get().await, "first".into());
}

/// A peer that is full is passed over, and back in the rotation when it is not.
/// Both marks are one, so over inproc a peer holds two messages.
pub(crate) async fn passes_over_full_peers<S: Sends, R: Receives>() {
    let net = Net::inproc();
    let mut sender = net.bound::<S>(narrow()).await;
    let idle = net.connected::<R>(narrow(), &mut sender).await;
    let busy = net.connected::<R>(narrow(), &mut sender).await;
    for number in 0..4 {
        sender.try_put(numbered(number)).unwrap();
    }
    assert!(sender.try_put(numbered(4)).unwrap_err().is_would_block());
    for number in [1, 3] {
        assert_eq!(busy.get().await, numbered(number));
    }
    for number in [4, 5] {
        sender.try_put(numbered(number)).unwrap();
    }
    assert!(sender.try_put(numbered(6)).unwrap_err().is_would_block());
    for number in [4, 5] {
        assert_eq!(busy.get().await, numbered(number));
    }
    for number in [0, 2] {
        assert_eq!(idle.get().await, numbered(number));
    }
}

/// With all peers full, nothing is accepted until one has room.
pub(crate) async fn accepts_no_more_than_fits<S: Sends, R: Receives>() {
    let net = Net::inproc();
    let mut sender = net.bound::<S>(plain().send_hwm(2)).await;
    let receiver = net.connected::<R>(plain().recv_hwm(3), &mut sender).await;
    for number in 0..5 {
        sender.try_put(numbered(number)).unwrap();
    }
    let refused = sender.try_put(numbered(5)).unwrap_err();
    assert!(refused.is_would_block());
    let mut sending = pin!(sender.put(refused.into_message()));
    assert!(is_pending(sending.as_mut()).await);
    assert!(is_pending(sending.as_mut()).await);
    for number in 0..5 {
        assert_eq!(receiver.get().await, numbered(number));
    }
    soon(sending).await.unwrap();
    assert_eq!(receiver.get().await, numbered(5));
}

/// However narrow the queues are, nothing is lost and no order changes.
pub(crate) async fn discards_nothing<S: Sends, R: Receives>(net: Net) {
    let mut sender = net.bound::<S>(narrow()).await;
    let receiver = net.connected::<R>(narrow(), &mut sender).await;
    let sending = async {
        for number in 0..500 {
            let message = Message::from([vec![0; 10_000], number.to_string().into_bytes()]);
            soon(sender.put(message)).await.unwrap();
        }
    };
    let receiving = async {
        for number in 0..500 {
            assert_eq!(receiver.get().await[1], number.to_string());
        }
    };
    tokio::join!(sending, receiving);
}

/// What is sent before anybody is there waits for whoever comes.
pub(crate) async fn queues_before_the_connection<S: Sends, R: Receives>(net: Net) {
    let place = net.reserve();
    let sender = net.connecting::<S>(plain(), &place.endpoint);
    for number in 0..3 {
        sender.try_put(numbered(number)).unwrap();
    }
    let receiver = net.bound_at::<R>(&place.endpoint.to_string(), plain()).await;
    for number in 0..3 {
        assert_eq!(receiver.get().await, numbered(number));
    }
}

/// What is sent while a connection is down waits for it to be up again. (Over
/// inproc there is no coming back.)
pub(crate) async fn queues_while_the_connection_is_down<S: Sends, R: Receives>() {
    let net = Net::tcp();
    let place = net.reserve();
    let endpoint = place.endpoint.to_string();
    let mut former = net.bound_at::<R>(&endpoint, plain()).await;
    let mut sender = net.connected::<S>(plain(), &mut former).await;
    former.end().await;
    sender.left().await;
    for number in 0..3 {
        sender.try_put(numbered(number)).unwrap();
    }
    let receiver = net.bound_at::<R>(&endpoint, plain()).await;
    for number in 0..3 {
        assert_eq!(receiver.get().await, numbered(number));
    }
}

/// What waits for a peer that connected to us goes with it: another one, and
/// the same one again, starts anew. libzmq has this test and does not run it.
pub(crate) async fn destroys_the_queue_of_one_that_leaves<S: Sends, R: Receives>(net: Net) {
    let mut sender = net.bound::<S>(plain().send_hwm(0)).await;
    match net.over {
        Over::Inproc => {
            let leaving = net.connected::<R>(plain(), &mut sender).await;
            sender.try_put("stale".into()).unwrap();
            leaving.end().await;
            assert_eq!(leaving.lost(DropCause::Unread), 1);
        }
        Over::Tcp => {
            let leaving = Wire::join(&sender.endpoint(), R::TYPE).await;
            sender.ready().await;
            // More than any kernel takes on its way to one that does not read.
            let stale = Message::from(vec![0; 1 << 20]);
            for _ in 0..64 {
                sender.try_put(stale.clone()).unwrap();
            }
            drop(leaving);
            sender.left().await;
            assert!(sender.lost(DropCause::PeerLeft) > 0);
        }
    }
    assert!(sender.try_put("nobody".into()).unwrap_err().is_would_block());
    let next = net.connected::<R>(plain(), &mut sender).await;
    sender.try_put("fresh".into()).unwrap();
    assert_eq!(next.get().await, "fresh".into());
}

/// Departs: whole messages of a peer that has left are still received.
pub(crate) async fn keeps_what_one_that_left_had_sent<S: Sends, R: Receives>(net: Net) {
    let mut receiver = net.bound::<R>(plain()).await;
    let sender = net.connected::<S>(plain(), &mut receiver).await;
    for number in 0..3 {
        sender.try_put(numbered(number)).unwrap();
    }
    sender.end().await;
    receiver.left().await;
    for number in 0..3 {
        assert_eq!(receiver.get().await, numbered(number));
    }
    assert!(receiver.try_get().unwrap_err().is_would_block());
}

/// The two directions do not wait for each other.
pub(crate) async fn queues_are_independent<S: Sends + Receives>() {
    let net = Net::inproc();
    let mut one = net.bound::<S>(narrow()).await;
    let other = net.connected::<S>(narrow(), &mut one).await;
    for _ in 0..2 {
        one.try_put("out".into()).unwrap();
    }
    assert!(one.try_put("out".into()).unwrap_err().is_would_block());
    for _ in 0..2 {
        other.try_put("back".into()).unwrap();
        assert_eq!(one.get().await, "back".into());
    }
    for _ in 0..2 {
        assert_eq!(other.get().await, "out".into());
    }
}

/// N peers with messages queued: one of each before the second of any.
pub(crate) async fn receives_in_turn<S: Sends, R: Receives>(net: Net) {
    let mut receiver = net.bound::<R>(plain()).await;
    let senders = joined::<S>(&net, &mut receiver).await;
    for (who, sender) in senders.iter().enumerate() {
        for number in 0..3 {
            sender.try_put(Message::from([who.to_string(), number.to_string()])).unwrap();
        }
    }
    // When all of them have left, all they sent is there.
    for sender in &senders {
        sender.end().await;
        receiver.left().await;
    }
    for number in 0..3 {
        let mut seen = HashSet::new();
        for _ in 0..PEERS {
            let message = receiver.get().await;
            assert_eq!(message[1], number.to_string());
            seen.insert(message[0].clone());
        }
        assert_eq!(seen.len(), PEERS, "one of each");
    }
}
