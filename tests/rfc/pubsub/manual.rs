//! Manual mode, after libzmq's test_xpub_manual.

use ferromq::{SocketOptions, SubSocket, XPubSocket, XSubSocket};

use super::everything_until;
use crate::support::{Net, Node, Receives, plain};

over_inproc_and_tcp!(
    the_application_subscribes_a_peer_to_something_else,
    the_application_ends_what_it_made,
    without_a_decision_nothing_is_sent,
    a_peer_that_leaves_takes_what_was_made_for_it,
    messages_from_upstream_come_between_requests,
);

async fn xpub(net: &Net) -> Node<XPubSocket> {
    net.bound::<XPubSocket>(SocketOptions::new().xpub_manual(true)).await
}

fn publish(xpub: &XPubSocket) {
    for text in ["A", "B", "C", "XA", "end"] {
        xpub.try_send(text).unwrap();
    }
}

/// A SUB that is subscribed to the message `publish` sends last, and asked for
/// `topics`.
async fn sub(net: &Net, xpub: &mut Node<XPubSocket>) -> Node<XSubSocket> {
    let sub = net.connected::<XSubSocket>(plain(), xpub).await;
    sub.subscribe("end").unwrap();
    assert_eq!(xpub.get().await, "\u{1}end".into());
    xpub.subscribe("end").unwrap();
    sub
}

async fn the_application_subscribes_a_peer_to_something_else(net: Net) {
    let mut xpub = xpub(&net).await;
    let sub = sub(&net, &mut xpub).await;
    sub.subscribe("A").unwrap();
    assert_eq!(xpub.get().await, "\u{1}A".into());
    xpub.subscribe("B").unwrap();
    xpub.subscribe("XA").unwrap();
    publish(&xpub);
    assert_eq!(everything_until(&*sub, "end").await, ["B", "XA"]);
}

async fn the_application_ends_what_it_made(net: Net) {
    let mut xpub = xpub(&net).await;
    let sub = sub(&net, &mut xpub).await;
    sub.subscribe("A").unwrap();
    assert_eq!(xpub.get().await, "\u{1}A".into());
    xpub.subscribe("XA").unwrap();
    sub.unsubscribe("A").unwrap();
    assert_eq!(xpub.get().await, "\0A".into());
    publish(&xpub);
    xpub.unsubscribe("XA").unwrap();
    publish(&xpub);
    assert_eq!(everything_until(&*sub, "end").await, ["XA"]);
    assert_eq!(everything_until(&*sub, "end").await, [""; 0]);
}

async fn without_a_decision_nothing_is_sent(net: Net) {
    let mut xpub = xpub(&net).await;
    let sub = sub(&net, &mut xpub).await;
    sub.subscribe("A").unwrap();
    assert_eq!(xpub.get().await, "\u{1}A".into());
    publish(&xpub);
    assert_eq!(everything_until(&*sub, "end").await, [""; 0]);
}

async fn a_peer_that_leaves_takes_what_was_made_for_it(net: Net) {
    let mut xpub = xpub(&net).await;
    let staying = sub(&net, &mut xpub).await;
    let leaving = net.connected::<SubSocket>(plain(), &mut xpub).await;
    for topic in ["A", "B"] {
        leaving.subscribe(topic).unwrap();
        assert_eq!(xpub.get().await, format!("\u{1}{topic}").into());
        xpub.subscribe(topic).unwrap();
    }
    drop(leaving);
    // What it had asked for is told; a cancellation now must not hit another.
    let mut ended = [xpub.get().await, xpub.get().await];
    ended.sort_by_key(|message| message[0].clone());
    assert_eq!(ended, ["\0A".into(), "\0B".into()]);
    xpub.unsubscribe("end").unwrap();
    publish(&xpub);
    assert_eq!(everything_until(&*staying, "end").await, [""; 0]);
}

async fn messages_from_upstream_come_between_requests(net: Net) {
    let mut xpub = xpub(&net).await;
    let sub = sub(&net, &mut xpub).await;
    sub.subscribe("A").unwrap();
    assert_eq!(xpub.get().await, "\u{1}A".into());
    sub.try_send(["upstream", "message"]).unwrap();
    assert_eq!(xpub.get().await, ["upstream", "message"].into());
    // It still is the last request that is decided on.
    xpub.subscribe("C").unwrap();
    publish(&xpub);
    assert_eq!(everything_until(&*sub, "end").await, ["C"]);
}
