//! RFC 29, what "The SUB Socket Type" and "The XSUB Socket Type" say alike.
//! Every test is run for both.

use std::collections::HashSet;

use ferromq::{DropCause, Message, SubSocket, XPubSocket, XSubSocket};

use super::{Subscribes, subscribed};
use crate::support::{Net, Receives, numbered, plain, soon};
use crate::wire::{Trap, Wire};

/// Makes tests of a check for each type and transport.
macro_rules! for_sub_and_xsub {
    ($($check:ident as $of_sub:ident, $of_xsub:ident;)*) => {$(
        for_sub_and_xsub!(@ $check, $of_sub, SubSocket);
        for_sub_and_xsub!(@ $check, $of_xsub, XSubSocket);
    )*};
    (@ $check:ident, $name:ident, $socket:ident) => {
        mod $name {
            #[tokio::test]
            async fn inproc() {
                super::$check::<super::$socket>(crate::support::Net::inproc()).await;
            }

            #[tokio::test]
            async fn tcp() {
                super::$check::<super::$socket>(crate::support::Net::tcp()).await;
            }
        }
    };
}

for_sub_and_xsub! {
    queue_when_connecting as sub_shall_create_a_queue_when_connecting,
        xsub_shall_create_a_queue_when_connecting;
    kept as departs_sub_keeps_what_a_departed_publisher_sent,
        departs_xsub_keeps_what_a_departed_publisher_sent;
    fair as sub_shall_receive_fair_queued, xsub_shall_receive_fair_queued;
    unmodified as sub_shall_not_modify_messages, xsub_shall_not_modify_messages;
    delivered as sub_shall_deliver_to_the_application, xsub_shall_deliver_to_the_application;
}

/// "SHALL create a queue when initiating an outgoing connection to a publisher"
/// — also to one that is not there yet: it will hear of the subscriptions.
async fn queue_when_connecting<S: Subscribes>(net: Net) {
    let place = net.reserve();
    let sub = net.connecting::<S>(plain(), &place.endpoint);
    sub.wants("");
    let xpub = net.bound_at::<XPubSocket>(&place.endpoint.to_string(), plain()).await;
    assert_eq!(xpub.get().await, "\u{1}".into());
    xpub.try_send("Hello").unwrap();
    assert_eq!(sub.get().await, "Hello".into());
}

/// "If this publisher disconnects, the SUB socket SHALL destroy its queue and
/// SHALL discard any messages it contains."
async fn kept<S: Subscribes>(net: Net) {
    let mut sub = net.bound::<S>(plain()).await;
    sub.wants("");
    let xpub = net.connected::<XPubSocket>(plain(), &mut sub).await;
    assert_eq!(xpub.get().await, "\u{1}".into());
    for number in 0..3 {
        xpub.try_send(numbered(number)).unwrap();
    }
    let _ = soon(xpub.close()).await;
    sub.left().await;
    for number in 0..3 {
        assert_eq!(sub.get().await, numbered(number));
    }
}

/// "SHALL receive incoming messages from its publishers using a fair-queuing
/// strategy."
async fn fair<S: Subscribes>(net: Net) {
    let mut sub = net.bound::<S>(plain()).await;
    sub.wants("");
    let mut publishers = Vec::new();
    for who in 0..5 {
        let xpub = net.connected::<XPubSocket>(plain(), &mut sub).await;
        assert_eq!(xpub.get().await, "\u{1}".into());
        for number in 0..3 {
            xpub.try_send([who.to_string(), number.to_string()]).unwrap();
        }
        publishers.push(xpub);
    }
    // When all of them have left, all they sent is there.
    for xpub in &publishers {
        let _ = soon(xpub.close()).await;
        sub.left().await;
    }
    for number in 0..3 {
        let mut seen = HashSet::new();
        for _ in &publishers {
            let message = sub.get().await;
            assert_eq!(message[1], number.to_string());
            seen.insert(message[0].clone());
        }
        assert_eq!(seen.len(), publishers.len(), "one of each");
    }
}

/// "SHALL not modify incoming messages in any way."
async fn unmodified<S: Subscribes>(net: Net) {
    let (xpub, sub) = subscribed::<S>(&net, plain(), plain()).await;
    let messages: [Message; 5] = [
        Message::new(),
        ["", "", ""].into(),
        "\u{1}like a subscription".into(),
        (0..=255).collect::<Vec<u8>>().into(),
        vec![7; 1 << 20].into(),
    ];
    for message in messages {
        xpub.try_send(message.clone()).unwrap();
        assert_eq!(sub.get().await, message);
    }
}

/// "SHALL deliver messages to its calling application."
async fn delivered<S: Subscribes>(net: Net) {
    let (xpub, sub) = subscribed::<S>(&net, plain(), plain()).await;
    for number in 0..500 {
        xpub.try_send(numbered(number)).unwrap();
    }
    for number in 0..500 {
        assert_eq!(sub.get().await, numbered(number));
    }
    assert_eq!(xpub.dropped(DropCause::PeerFull), 0);
}

/// "and SHALL maintain the queue whether or not the connection is established."
/// What came in stays there, and each new connection hears of the
/// subscriptions, once for each topic.
async fn maintained<S: Subscribes>() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let mut sub = net.connecting::<S>(plain(), &trap.endpoint());
    sub.wants("A");
    sub.wants("A");
    let mut publisher = trap.accept().await;
    publisher.shake_hands("PUB").await;
    publisher.expect(b"\x04\x0B\x09SUBSCRIBEA").await;
    publisher.send(b"\x00\x07A first").await;
    drop(publisher);
    sub.left().await;
    let mut publisher = trap.accept().await;
    publisher.shake_hands("PUB").await;
    publisher.expect(b"\x04\x0B\x09SUBSCRIBEA").await;
    publisher.send(b"\x00\x08A second").await;
    assert_eq!(sub.get().await, "A first".into());
    assert_eq!(sub.get().await, "A second".into());
}

#[tokio::test]
async fn sub_shall_maintain_the_queue_whether_or_not_connected() {
    maintained::<SubSocket>().await;
}

#[tokio::test]
async fn xsub_shall_maintain_the_queue_whether_or_not_connected() {
    maintained::<XSubSocket>().await;
}

/// "SHALL silently discard messages if the queue for a publisher is full." It
/// stops reading instead, and nothing is lost: with a mark of one message, all
/// of 20 MB that were sent before the first was received.
async fn pushes_back<S: Subscribes>() {
    let net = Net::tcp();
    let sub = net.bound::<S>(plain().recv_hwm(1)).await;
    sub.wants("");
    let mut publisher = Wire::join(&sub.endpoint(), "PUB").await;
    let (begun, wait) = tokio::sync::oneshot::channel();
    let mut begun = Some(begun);
    let sending = async {
        for number in 0..2000_u16 {
            let mut body = vec![0; 10_000];
            body[..2].copy_from_slice(&number.to_be_bytes());
            publisher.send(&crate::wire::frame(0, &body)).await;
            if number == 20 {
                begun.take().map(|begun| begun.send(()));
            }
        }
    };
    let receiving = async {
        soon(wait).await.unwrap();
        for number in 0..2000_u16 {
            assert_eq!(sub.get().await[0][..2], number.to_be_bytes());
        }
    };
    tokio::join!(sending, receiving);
}

#[tokio::test]
async fn departs_sub_pushes_back_when_its_queue_is_full() {
    pushes_back::<SubSocket>().await;
}

#[tokio::test]
async fn departs_xsub_pushes_back_when_its_queue_is_full() {
    pushes_back::<XSubSocket>().await;
}

/// "SHALL maintain a single incoming message queue for each connected
/// publisher." (SUB) One that fills its own takes nothing of another's; over
/// inproc that is the sum of both marks.
async fn one_queue_each<S: Subscribes>() {
    let net = Net::inproc();
    let mut sub = net.bound::<S>(plain().recv_hwm(2)).await;
    sub.wants("");
    let full = net.connected::<XPubSocket>(plain().send_hwm(2), &mut sub).await;
    let other = net.connected::<XPubSocket>(plain().send_hwm(2), &mut sub).await;
    for number in 0..8 {
        full.try_send(numbered(number)).unwrap();
    }
    for number in 0..4 {
        other.try_send(numbered(number)).unwrap();
    }
    assert_eq!(full.dropped(DropCause::PeerFull), 4);
    assert_eq!(other.dropped(DropCause::PeerFull), 0);
}

#[tokio::test]
async fn sub_shall_maintain_a_queue_for_each_publisher() {
    one_queue_each::<SubSocket>().await;
}

#[tokio::test]
async fn xsub_shall_maintain_a_queue_for_each_publisher() {
    one_queue_each::<XSubSocket>().await;
}

/// "MAY be connected to any number of PUB or XPUB publishers, and SHALL only
/// receive messages." (SUB) All a publisher hears are subscriptions.
#[tokio::test]
async fn sub_shall_only_receive() {
    let net = Net::tcp();
    let sub = net.bound::<SubSocket>(plain()).await;
    sub.subscribe("A").unwrap();
    let mut publisher = Wire::join(&sub.endpoint(), "PUB").await;
    publisher.expect(b"\x04\x0B\x09SUBSCRIBEA").await;
    publisher.send(b"\x00\x01A").await;
    assert_eq!(sub.get().await, "A".into());
    sub.unsubscribe("A").unwrap();
    publisher.expect(b"\x04\x08\x06CANCELA").await;
    publisher.finish().await;
    assert_eq!(publisher.end().await, b"");
}

/// "MAY, depending on the transport, filter messages according to
/// subscriptions, using a prefix match algorithm." SUB does, XSUB does not:
/// what a publisher sends unasked.
#[tokio::test]
async fn sub_may_filter_and_xsub_does_not() {
    let net = Net::tcp();
    let sub = net.bound::<SubSocket>(plain()).await;
    let xsub = net.bound::<XSubSocket>(plain()).await;
    sub.subscribe("A").unwrap();
    let messages = b"\x00\x01B\x01\x00\x00\x01A\x00\x02Ab\x00\x01A";
    for endpoint in [sub.endpoint(), xsub.endpoint()] {
        let mut publisher = Wire::join(&endpoint, "PUB").await;
        publisher.send(messages).await;
        publisher.finish().await;
    }
    for message in ["Ab", "A"] {
        assert_eq!(sub.get().await, message.into());
    }
    for message in ["B".into(), ["", "A"].into(), "Ab".into(), Message::from("A")] {
        assert_eq!(xsub.get().await, message);
    }
}
