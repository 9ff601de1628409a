//! RFC 29, "The XSUB Socket Type", where it says more than SUB.

use ferromq::{DropCause, Message, XPubSocket, XSubSocket};

use super::subscribed;
use crate::support::{Net, Receives, narrow, numbered, plain};
use crate::wire::Wire;

over_inproc_and_tcp!(
    xsub_shall_not_modify_outgoing_messages,
    xsub_shall_send_to_all_publishers,
    xsub_shall_accept_subscriptions_from_the_application,
);

/// "SHALL maintain a double queue for each connected publisher, allowing
/// outgoing and incoming messages to be queued independently."
#[tokio::test]
async fn xsub_shall_maintain_a_double_queue() {
    let net = Net::inproc();
    let (xpub, xsub) = subscribed::<XSubSocket>(&net, narrow(), narrow()).await;
    for _ in 0..4 {
        xpub.try_send("in").unwrap();
    }
    assert_eq!(xpub.dropped(DropCause::PeerFull), 2);
    for number in 0..3 {
        xsub.try_send(numbered(number)).unwrap();
        assert_eq!(xpub.get().await, numbered(number));
    }
    for _ in 0..2 {
        assert_eq!(xsub.get().await, "in".into());
    }
}

/// "SHALL not modify outgoing messages in any way."
async fn xsub_shall_not_modify_outgoing_messages(net: Net) {
    let mut xpub = net.bound::<XPubSocket>(plain()).await;
    let xsub = net.connected::<XSubSocket>(plain(), &mut xpub).await;
    let messages: [Message; 5] = [
        Message::new(),
        ["", "", ""].into(),
        ["\u{1}not", "a subscription"].into(),
        "\u{2}neither".into(),
        vec![7; 1 << 20].into(),
    ];
    for message in messages {
        xsub.try_send(message.clone()).unwrap();
        assert_eq!(xpub.get().await, message);
    }
}

/// "SHALL send all messages to all connected publishers."
async fn xsub_shall_send_to_all_publishers(net: Net) {
    let mut xsub = net.bound::<XSubSocket>(plain()).await;
    let mut publishers = Vec::new();
    for _ in 0..3 {
        publishers.push(net.connected::<XPubSocket>(plain(), &mut xsub).await);
    }
    for number in 0..10 {
        xsub.try_send(numbered(number)).unwrap();
    }
    for xpub in &publishers {
        for number in 0..10 {
            assert_eq!(xpub.get().await, numbered(number));
        }
    }
}

/// "SHALL silently drop the message if the outgoing queue for a publisher is
/// full." It is counted.
/// "SHALL NOT block on sending."
#[tokio::test]
async fn xsub_shall_drop_without_blocking_what_does_not_fit() {
    let net = Net::tcp();
    let xsub = net.bound::<XSubSocket>(narrow()).await;
    xsub.try_send("to nobody").unwrap();
    let mut publisher = Wire::join(&xsub.endpoint(), "XPUB").await;
    publisher.sync().await;
    let large = Message::from(vec![7; 1 << 20]);
    for _ in 0..64 {
        xsub.try_send(large.clone()).unwrap();
    }
    assert!(xsub.dropped(DropCause::PeerFull) > 0);
}

/// "SHALL accept subscription commands from its calling application." As
/// messages, and as calls.
async fn xsub_shall_accept_subscriptions_from_the_application(net: Net) {
    let mut xpub = net.bound::<XPubSocket>(plain()).await;
    let xsub = net.connected::<XSubSocket>(plain(), &mut xpub).await;
    xsub.try_send("\u{1}A").unwrap();
    assert_eq!(xpub.get().await, "\u{1}A".into());
    xsub.subscribe("B").unwrap();
    assert_eq!(xpub.get().await, "\u{1}B".into());
    for text in ["C", "A", "B"] {
        xpub.try_send(text).unwrap();
    }
    assert_eq!(xsub.get().await, "A".into());
    assert_eq!(xsub.get().await, "B".into());
    xsub.try_send("\0A").unwrap();
    assert_eq!(xpub.get().await, "\0A".into());
    xsub.unsubscribe("B").unwrap();
    assert_eq!(xpub.get().await, "\0B".into());
}

/// "SHALL send subscribe and unsubscribe requests to publishers depending on
/// the transport protocol used." Every subscription, and the end of the last.
#[tokio::test]
async fn xsub_shall_send_subscriptions_to_publishers() {
    let net = Net::tcp();
    let xsub = net.bound::<XSubSocket>(plain()).await;
    xsub.try_send("\u{1}A").unwrap();
    let mut one = Wire::join(&xsub.endpoint(), "XPUB").await;
    one.expect(b"\x04\x0B\x09SUBSCRIBEA").await;
    let mut other = Wire::join(&xsub.endpoint(), "PUB").await;
    other.expect(b"\x04\x0B\x09SUBSCRIBEA").await;
    xsub.subscribe("A").unwrap();
    xsub.unsubscribe("A").unwrap();
    xsub.try_send("\0A").unwrap();
    xsub.subscribe("B").unwrap();
    for publisher in [&mut one, &mut other] {
        publisher.expect(b"\x04\x0B\x09SUBSCRIBEA\x04\x08\x06CANCELA\x04\x0B\x09SUBSCRIBEB").await;
    }
}

/// "When closing a connection to a publisher SHOULD send unsubscribe requests
/// for all subscriptions." The end of the connection says as much.
#[tokio::test]
async fn departs_xsub_ends_its_subscriptions_with_the_connection() {
    let net = Net::tcp();
    let xsub = net.bound::<XSubSocket>(plain()).await;
    xsub.subscribe("A").unwrap();
    let mut publisher = Wire::join(&xsub.endpoint(), "XPUB").await;
    publisher.expect(b"\x04\x0B\x09SUBSCRIBEA").await;
    drop(xsub);
    assert_eq!(publisher.end().await, b"");
}
