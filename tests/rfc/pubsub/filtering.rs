//! RFC 23 and 37, "The Publish-Subscribe Pattern": subscriptions on the wire.

use ferromq::{PubSocket, SubSocket, XPubSocket, XSubSocket};

use crate::support::{Net, Receives, plain};
use crate::wire::{Trap, Wire, greeting, ready};

const SUBSCRIBE_ALL: &[u8] = b"\x04\x0A\x09SUBSCRIBE";
const SUBSCRIBE_A: &[u8] = b"\x04\x0B\x09SUBSCRIBEA";
const CANCEL_A: &[u8] = b"\x04\x08\x06CANCELA";

/// "When using ZMTP, message filtering SHALL happen at the publisher side (the
/// PUB or XPUB socket)." What does not match is never on the wire.
#[tokio::test]
async fn filtering_shall_happen_at_the_publisher() {
    let net = Net::tcp();
    let publisher = net.bound::<PubSocket>(plain()).await;
    let mut sub = Wire::join(&publisher.endpoint(), "SUB").await;
    publisher.try_send("A before").unwrap();
    sub.send(SUBSCRIBE_A).await;
    sub.sync().await;
    for text in ["B", "A", "B", "AB"] {
        publisher.try_send(text).unwrap();
    }
    sub.expect(b"\x00\x01A\x00\x02AB").await;
    // Nor is anything else.
    sub.sync().await;
}

/// "To create a subscription, the SUB or XSUB peer SHALL send a SUBSCRIBE
/// command" "To cancel a subscription, the SUB or XSUB peer SHALL send a CANCEL
/// command" (RFC 37)
#[tokio::test]
async fn subscriptions_shall_be_commands() {
    let net = Net::tcp();
    let sub = net.bound::<SubSocket>(plain()).await;
    let mut publisher = Wire::join(&sub.endpoint(), "PUB").await;
    sub.subscribe("A").unwrap();
    publisher.expect(SUBSCRIBE_A).await;
    sub.unsubscribe("A").unwrap();
    publisher.expect(CANCEL_A).await;
    sub.subscribe("").unwrap();
    publisher.expect(SUBSCRIBE_ALL).await;
    // 245 octets and the name make 255, the most a short frame holds.
    for (size, head) in [
        (245, &b"\x04\xFF\x09SUBSCRIBE"[..]),
        (246, b"\x06\x00\x00\x00\x00\x00\x00\x01\x00\x09SUBSCRIBE"),
    ] {
        let topic = "t".repeat(size);
        sub.subscribe(&topic).unwrap();
        publisher.expect(head).await;
        publisher.expect(topic.as_bytes()).await;
    }
}

/// "To create a subscription, the SUB or XSUB peer SHALL send a SUBSCRIBE
/// message" "To cancel a subscription, the SUB or XSUB peer SHALL send an
/// unsubscribe message" (RFC 23) To a peer that speaks ZMTP 3.0, that is.
#[tokio::test]
async fn subscriptions_shall_be_messages_to_a_zmtp_3_0_peer() {
    let net = Net::tcp();
    let sub = net.bound::<SubSocket>(plain()).await;
    let mut publisher = Wire::dial(&sub.endpoint()).await;
    publisher.send(&greeting(&[(11, 0)])).await;
    publisher.take(64).await;
    publisher.send(&ready(&[("Socket-Type", b"PUB")])).await;
    publisher.frame().await;
    sub.subscribe("A").unwrap();
    publisher.expect(b"\x00\x02\x01A").await;
    sub.unsubscribe("A").unwrap();
    publisher.expect(b"\x00\x02\x00A").await;
}

/// Both forms are understood from every peer, on one connection: libzmq's XSUB
/// sends messages even to peers of version 3.1.
#[tokio::test]
async fn both_forms_of_subscriptions_are_understood() {
    let net = Net::tcp();
    let xpub = net.bound::<XPubSocket>(plain()).await;
    let mut sub = Wire::join(&xpub.endpoint(), "XSUB").await;
    sub.send(SUBSCRIBE_A).await;
    assert_eq!(xpub.get().await, "\u{1}A".into());
    sub.send(b"\x00\x02\x00A\x00\x02\x01B").await;
    assert_eq!(xpub.get().await, "\0A".into());
    assert_eq!(xpub.get().await, "\u{1}B".into());
    sub.send(b"\x04\x08\x06CANCELB").await;
    assert_eq!(xpub.get().await, "\0B".into());
}

/// libzmq's test_mock_pub_sub: "A subscription of "A" SHALL match all messages
/// starting with "A"."
#[tokio::test]
async fn a_subscription_shall_match_all_messages_that_start_with_it() {
    let net = Net::tcp();
    let publisher = net.bound::<PubSocket>(plain()).await;
    let mut sub = Wire::join(&publisher.endpoint(), "SUB").await;
    sub.send(SUBSCRIBE_A).await;
    sub.sync().await;
    for text in ["", "A", "BA", "ALOL", "a"] {
        publisher.try_send(text).unwrap();
    }
    sub.expect(b"\x00\x01A\x00\x04ALOL").await;
    sub.sync().await;
}

/// "An empty subscription SHALL match all messages."
#[tokio::test]
async fn an_empty_subscription_shall_match_all_messages() {
    let net = Net::tcp();
    let publisher = net.bound::<PubSocket>(plain()).await;
    let mut sub = Wire::join(&publisher.endpoint(), "SUB").await;
    sub.send(SUBSCRIBE_ALL).await;
    sub.sync().await;
    for text in ["", "A", "\0"] {
        publisher.try_send(text).unwrap();
    }
    sub.expect(b"\x00\x00\x00\x01A\x00\x01\x00").await;
}

/// "Subscriptions SHALL be additive" "subscribing to "A" and "" is the same as
/// subscribing to "" alone." A message that matches twice comes once.
#[tokio::test]
async fn subscriptions_shall_be_additive() {
    let net = Net::tcp();
    let publisher = net.bound::<PubSocket>(plain()).await;
    let mut sub = Wire::join(&publisher.endpoint(), "SUB").await;
    sub.send(&[SUBSCRIBE_A, SUBSCRIBE_ALL].concat()).await;
    sub.sync().await;
    for text in ["A", "B"] {
        publisher.try_send(text).unwrap();
    }
    sub.expect(b"\x00\x01A\x00\x01B").await;
    sub.send(b"\x04\x07\x06CANCEL").await;
    sub.sync().await;
    for text in ["B", "A"] {
        publisher.try_send(text).unwrap();
    }
    sub.expect(b"\x00\x01A").await;
    sub.sync().await;
}

/// "and SHALL NOT be idempotent." "Subscribing to "A" and "A" counts as two
/// subscriptions, and would require two CANCEL commands to undo." They are a set
/// for the publisher, as for libzmq, whose SUB sends one CANCEL for any number
/// of SUBSCRIBEs; the subscriber counts.
#[tokio::test]
async fn departs_one_cancel_undoes_any_number_of_subscribes() {
    let net = Net::tcp();
    let publisher = net.bound::<PubSocket>(plain()).await;
    let mut wire = Wire::join(&publisher.endpoint(), "SUB").await;
    wire.send(&[SUBSCRIBE_A, SUBSCRIBE_A, CANCEL_A, SUBSCRIBE_A, CANCEL_A].concat()).await;
    wire.send(b"\x04\x0B\x09SUBSCRIBEB").await;
    wire.sync().await;
    for text in ["A", "B"] {
        publisher.try_send(text).unwrap();
    }
    wire.expect(b"\x00\x01B").await;
    // The other half: two calls need two calls.
    let trap = Trap::new().await;
    let sub = net.connecting::<XSubSocket>(plain(), &trap.endpoint());
    let mut publisher = trap.accept().await;
    publisher.shake_hands("PUB").await;
    publisher.sync().await;
    sub.subscribe("A").unwrap();
    sub.subscribe("A").unwrap();
    sub.unsubscribe("A").unwrap();
    sub.subscribe("B").unwrap();
    sub.unsubscribe("A").unwrap();
    publisher
        .expect(&[SUBSCRIBE_A, SUBSCRIBE_A, b"\x04\x0B\x09SUBSCRIBEB", CANCEL_A].concat())
        .await;
}
