//! The options of XPUB, after libzmq's test_xpub_verbose, test_xpub_nodrop and
//! test_xpub_welcome_msg. Manual mode is in `manual`.

use std::pin::pin;

use ferromq::{DropCause, Message, PubSocket, SocketOptions, SubSocket, XPubSocket, XPubVerbosity};

use super::{another, heard, subscribed, verbose};
use crate::support::{Net, Receives, is_pending, numbered, plain, soon};

over_inproc_and_tcp!(
    verbose_tells_of_every_subscription,
    verboser_tells_of_every_cancellation_too,
    cancellations_of_what_nobody_subscribed_to_are_never_told,
    nodrop_loses_nothing,
    welcome_comes_before_anything_else,
);

async fn verbose_tells_of_every_subscription(net: Net) {
    let mut xpub = net.bound::<XPubSocket>(verbose()).await;
    let one = net.connected::<SubSocket>(plain(), &mut xpub).await;
    let other = net.connected::<SubSocket>(plain(), &mut xpub).await;
    for sub in [&one, &one, &other] {
        sub.subscribe("A").unwrap();
        assert_eq!(xpub.get().await, "\u{1}A".into());
    }
    // The end is told once, when nobody has the topic any more.
    one.unsubscribe("A").unwrap();
    one.unsubscribe("A").unwrap();
    one.subscribe("B").unwrap();
    assert_eq!(xpub.get().await, "\u{1}B".into());
    other.unsubscribe("A").unwrap();
    assert_eq!(xpub.get().await, "\0A".into());
}

async fn verboser_tells_of_every_cancellation_too(net: Net) {
    let verboser = plain().xpub_verbosity(XPubVerbosity::All);
    let mut xpub = net.bound::<XPubSocket>(verboser).await;
    let one = net.connected::<SubSocket>(plain(), &mut xpub).await;
    let other = net.connected::<SubSocket>(plain(), &mut xpub).await;
    for sub in [&one, &other] {
        sub.subscribe("A").unwrap();
        assert_eq!(xpub.get().await, "\u{1}A".into());
    }
    one.unsubscribe("A").unwrap();
    assert_eq!(xpub.get().await, "\0A".into());
    // One that leaves has not cancelled: it is told all the same.
    drop(other);
    assert_eq!(xpub.get().await, "\0A".into());
}

async fn cancellations_of_what_nobody_subscribed_to_are_never_told(net: Net) {
    for verbosity in [XPubVerbosity::Changes, XPubVerbosity::Subscriptions, XPubVerbosity::All] {
        let mut xpub = net.bound::<XPubSocket>(plain().xpub_verbosity(verbosity)).await;
        let sub = net.connected::<SubSocket>(plain(), &mut xpub).await;
        sub.unsubscribe("never").unwrap();
        let xsub = net.connected::<ferromq::XSubSocket>(plain(), &mut xpub).await;
        xsub.try_send("\0never").unwrap();
        xsub.try_send("\u{1}A").unwrap();
        assert_eq!(xpub.get().await, "\u{1}A".into());
    }
}

/// RFC 29, PUB and XPUB: "SHALL NOT block on sending." With `xpub_nodrop` they
/// do, for a subscriber that wants the message and is full.
#[tokio::test]
async fn departs_nodrop_waits_for_room() {
    let net = Net::inproc();
    let nodrop = || SocketOptions::new().send_hwm(3).xpub_nodrop(true);
    let mut publisher = net.bound::<PubSocket>(nodrop()).await;
    let sub = heard::<SubSocket>(&net, plain().recv_hwm(2), &mut publisher).await;
    let quiet = net.connected::<SubSocket>(plain().recv_hwm(2), &mut publisher).await;
    quiet.subscribe("quiet").unwrap();
    for number in 0..5 {
        publisher.try_send(numbered(number)).unwrap();
    }
    let refused = publisher.try_send("5").unwrap_err();
    assert!(refused.is_would_block());
    let mut sending = pin!(publisher.send("5"));
    assert!(is_pending(sending.as_mut()).await);
    for number in 0..5 {
        assert_eq!(sub.get().await, numbered(number));
    }
    soon(sending).await.unwrap();
    assert_eq!(sub.get().await, "5".into());
    assert_eq!(publisher.dropped(DropCause::PeerFull), 0);
}

/// libzmq's test_hwm_pubsub: 6000 messages through narrow queues.
async fn nodrop_loses_nothing(net: Net) {
    let nodrop = SocketOptions::new().send_hwm(20).xpub_nodrop(true);
    let (xpub, sub) = subscribed::<SubSocket>(&net, nodrop, plain().recv_hwm(20)).await;
    let sending = async {
        for number in 0..6000 {
            soon(xpub.send(numbered(number))).await.unwrap();
        }
    };
    let receiving = async {
        for number in 0..6000 {
            assert_eq!(sub.get().await, numbered(number));
        }
    };
    tokio::join!(sending, receiving);
    assert_eq!(xpub.dropped(DropCause::PeerFull), 0);
}

/// It passes the subscriber's own filter, so one that did not ask for it does
/// not see it.
async fn welcome_comes_before_anything_else(net: Net) {
    let welcome = verbose().xpub_welcome(["W", "welcome"]);
    let mut xpub = net.bound::<XPubSocket>(welcome).await;
    let one = another::<SubSocket>(&net, plain(), &mut xpub).await;
    let deaf = net.connected::<SubSocket>(plain(), &mut xpub).await;
    deaf.subscribe("X").unwrap();
    assert_eq!(xpub.get().await, "\u{1}X".into());
    xpub.try_send("X").unwrap();
    assert_eq!(deaf.get().await, "X".into());
    for message in [Message::from(["W", "welcome"]), "X".into()] {
        assert_eq!(one.get().await, message);
    }
    assert!(one.try_recv().unwrap_err().is_would_block());
}
