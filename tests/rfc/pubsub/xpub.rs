//! RFC 29, "The XPUB Socket Type", where it says more than PUB.

use ferromq::{DropCause, Message, SubSocket, XPubSocket, XSubSocket};

use super::{another, subscribed};
use crate::support::{Net, Receives, narrow, numbered, plain, soon, until};

over_inproc_and_tcp!(
    departs_xpub_receives_in_the_order_of_arrival,
    xpub_shall_deliver_messages_to_the_application,
    xpub_shall_deliver_subscriptions_to_the_application,
    xpub_may_normalize_identical_subscriptions,
    xpub_shall_unsubscribe_for_a_peer_that_disconnects,
    departs_xpub_keeps_what_a_departed_peer_sent,
);

/// "SHALL maintain a double queue for each connected subscriber, allowing
/// outgoing and incoming messages to be queued independently."
#[tokio::test]
async fn xpub_shall_maintain_a_double_queue() {
    let net = Net::inproc();
    let (xpub, xsub) = subscribed::<XSubSocket>(&net, narrow(), narrow()).await;
    for _ in 0..4 {
        xpub.try_send("out").unwrap();
    }
    assert_eq!(xpub.dropped(DropCause::PeerFull), 2);
    for number in 0..3 {
        xsub.try_send(numbered(number)).unwrap();
        assert_eq!(xpub.get().await, numbered(number));
    }
    for _ in 0..2 {
        assert_eq!(xsub.get().await, "out".into());
    }
}

/// "SHALL receive incoming messages from its subscribers using a fair-queuing
/// strategy." Messages and subscriptions are received in the order in which
/// they came: a message never overtakes a subscription that a peer made before.
async fn departs_xpub_receives_in_the_order_of_arrival(net: Net) {
    let mut xpub = net.bound::<XPubSocket>(plain()).await;
    let one = net.connected::<XSubSocket>(plain(), &mut xpub).await;
    let other = net.connected::<XSubSocket>(plain(), &mut xpub).await;
    for number in 0..3 {
        one.subscribe(number.to_string()).unwrap();
        one.try_send(numbered(number)).unwrap();
    }
    // Over tcp these have arrived when it has left.
    let _ = soon(one.close()).await;
    xpub.left().await;
    other.try_send("other").unwrap();
    let mut came = Vec::new();
    while came.last() != Some(&Message::from("other")) {
        came.push(xpub.get().await);
    }
    let of_one: Vec<_> = came.iter().take(6).map(|message| message[0].to_vec()).collect();
    let subscriptions: Vec<_> = of_one.iter().filter(|octets| octets[0] == 1).collect();
    let messages: Vec<_> = of_one.iter().filter(|octets| octets[0] != 1).collect();
    assert_eq!(subscriptions, [b"\x010", b"\x011", b"\x012"]);
    assert_eq!(messages, [b"0", b"1", b"2"]);
}

/// "SHALL deliver these messages to its calling application." Those beyond its
/// mark are dropped and counted, since an XPUB must hear of subscriptions;
/// these have no mark.
#[tokio::test]
async fn departs_xpub_drops_what_is_not_received() {
    let net = Net::inproc();
    let mut xpub = net.bound::<XPubSocket>(plain().recv_hwm(2)).await;
    let xsub = net.connected::<XSubSocket>(plain(), &mut xpub).await;
    for number in 0..5 {
        xsub.try_send(numbered(number)).unwrap();
    }
    xsub.subscribe("A").unwrap();
    assert_eq!(xpub.dropped(DropCause::Discarded), 3);
    for message in [numbered(0), numbered(1), "\u{1}A".into()] {
        assert_eq!(xpub.get().await, message);
    }
}

/// "SHALL deliver these messages to its calling application."
async fn xpub_shall_deliver_messages_to_the_application(net: Net) {
    let mut xpub = net.bound::<XPubSocket>(plain()).await;
    let xsub = net.connected::<XSubSocket>(plain(), &mut xpub).await;
    let messages: [Message; 4] =
        [Message::new(), "text".into(), ["\u{1}two", "frames"].into(), vec![2; 100_000].into()];
    for message in messages {
        xsub.try_send(message.clone()).unwrap();
        assert_eq!(xpub.get().await, message);
    }
}

/// "SHALL deliver these commands to its calling application."
async fn xpub_shall_deliver_subscriptions_to_the_application(net: Net) {
    let mut xpub = net.bound::<XPubSocket>(plain()).await;
    let sub = net.connected::<SubSocket>(plain(), &mut xpub).await;
    sub.subscribe("topic").unwrap();
    assert_eq!(xpub.get().await, "\u{1}topic".into());
    sub.subscribe("").unwrap();
    assert_eq!(xpub.get().await, "\u{1}".into());
    sub.unsubscribe("topic").unwrap();
    assert_eq!(xpub.get().await, "\0topic".into());
    sub.unsubscribe("").unwrap();
    assert_eq!(xpub.get().await, "\0".into());
    // libzmq's test_xpub_topic: both sides of the limit of a short frame.
    for size in [244, 245, 246, 247, 60_000] {
        let topic = "t".repeat(size);
        sub.subscribe(&topic).unwrap();
        assert_eq!(xpub.get().await, format!("\u{1}{topic}").into());
        sub.unsubscribe(&topic).unwrap();
        assert_eq!(xpub.get().await, format!("\0{topic}").into());
    }
}

/// "MAY, depending on configuration, normalize commands delivered to its calling
/// application so that multiple identical subscriptions result in a single
/// command only."
async fn xpub_may_normalize_identical_subscriptions(net: Net) {
    let mut xpub = net.bound::<XPubSocket>(plain()).await;
    let one = net.connected::<SubSocket>(plain(), &mut xpub).await;
    one.subscribe("A").unwrap();
    assert_eq!(xpub.get().await, "\u{1}A".into());
    one.subscribe("A").unwrap();
    let other = net.connected::<SubSocket>(plain(), &mut xpub).await;
    other.subscribe("A").unwrap();
    other.subscribe("B").unwrap();
    assert_eq!(xpub.get().await, "\u{1}B".into());
    other.unsubscribe("A").unwrap();
    other.unsubscribe("B").unwrap();
    assert_eq!(xpub.get().await, "\0B".into());
    one.unsubscribe("A").unwrap();
    one.unsubscribe("A").unwrap();
    assert_eq!(xpub.get().await, "\0A".into());
}

/// "SHALL, if the subscriber peer disconnects prematurely, generate a suitable
/// unsubscribe request for the calling application." One for each topic that
/// nobody else has.
async fn xpub_shall_unsubscribe_for_a_peer_that_disconnects(net: Net) {
    let mut xpub = net.bound::<XPubSocket>(plain()).await;
    let staying = net.connected::<SubSocket>(plain(), &mut xpub).await;
    staying.subscribe("both").unwrap();
    assert_eq!(xpub.get().await, "\u{1}both".into());
    let leaving = net.connected::<SubSocket>(plain(), &mut xpub).await;
    for topic in ["both", "one", "two"] {
        leaving.subscribe(topic).unwrap();
    }
    for topic in ["one", "two"] {
        assert_eq!(xpub.get().await, format!("\u{1}{topic}").into());
    }
    drop(leaving);
    let mut ended = [xpub.get().await, xpub.get().await];
    ended.sort_by_key(|message| message[0].clone());
    assert_eq!(ended, ["\0one".into(), "\0two".into()]);
    staying.unsubscribe("both").unwrap();
    assert_eq!(xpub.get().await, "\0both".into());
}

/// "If this subscriber disconnects, the XPUB socket SHALL destroy its double
/// queue and SHALL discard any messages it contains." What came in is received,
/// before the end of its subscriptions.
async fn departs_xpub_keeps_what_a_departed_peer_sent(net: Net) {
    let (mut xpub, xsub) = subscribed::<XSubSocket>(&net, plain(), plain()).await;
    // XSUB lingers for nothing: over tcp this must be on its way before it ends.
    xsub.try_send("last words").unwrap();
    if net.over == crate::support::Over::Tcp {
        assert_eq!(xpub.get().await, "last words".into());
        xsub.try_send("again").unwrap();
        until(|| xpub.try_recv().is_ok_and(|message| message == "again".into())).await;
        drop(xsub);
        assert_eq!(xpub.get().await, "\0".into());
    } else {
        drop(xsub);
        assert_eq!(xpub.get().await, "last words".into());
        assert_eq!(xpub.get().await, "\0".into());
    }
    let next = another::<SubSocket>(&net, plain(), &mut xpub).await;
    xpub.try_send("fresh").unwrap();
    assert_eq!(next.get().await, "fresh".into());
}
