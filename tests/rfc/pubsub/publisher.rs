//! RFC 29, what "The PUB Socket Type" and "The XPUB Socket Type" say alike.
//! Every test is run for both.

use ferromq::{DropCause, Message, PubSocket, SubSocket, XPubSocket};

use super::{Publishes, Subscribes, everything_until, heard};
use crate::support::{Net, Receives, narrow, numbered, plain};
use crate::wire::Wire;

/// Makes a test of a check for each type.
macro_rules! for_pub_and_xpub {
    ($($check:ident as $of_pub:ident, $of_xpub:ident;)*) => {$(
        #[tokio::test]
        async fn $of_pub() {
            $check::<PubSocket>().await;
        }

        #[tokio::test]
        async fn $of_xpub() {
            $check::<XPubSocket>().await;
        }
    )*};
}

for_pub_and_xpub! {
    one_queue_each as pub_shall_maintain_a_queue_for_each_subscriber,
        xpub_shall_maintain_a_queue_for_each_subscriber;
    queue_when_connecting as pub_shall_create_a_queue_when_connecting,
        xpub_shall_create_a_queue_when_connecting;
    queue_across_connections as departs_pub_maintains_the_queue_but_not_the_subscriptions,
        departs_xpub_maintains_the_queue_but_not_the_subscriptions;
    destroyed_queue as pub_shall_destroy_the_queue_of_a_subscriber_that_disconnects,
        xpub_shall_destroy_the_queue_of_a_subscriber_that_disconnects;
    unmodified as pub_shall_not_modify_messages, xpub_shall_not_modify_messages;
    binary_comparison as pub_shall_compare_the_start_of_the_first_frame,
        xpub_shall_compare_the_start_of_the_first_frame;
    drop_when_full as pub_shall_drop_for_a_subscriber_that_is_full,
        xpub_shall_drop_for_a_subscriber_that_is_full;
    never_blocks as pub_shall_not_block_on_sending, xpub_shall_not_block_on_sending;
    requests as pub_shall_receive_subscribe_and_unsubscribe_requests,
        xpub_shall_receive_subscribe_and_unsubscribe_requests;
}

/// "SHALL maintain a single outgoing message queue for each connected
/// subscriber." (PUB) One that does not read loses only what is its own.
async fn one_queue_each<P: Publishes>() {
    let net = Net::inproc();
    let mut publisher = net.bound::<P>(narrow()).await;
    let idle = heard::<SubSocket>(&net, narrow(), &mut publisher).await;
    let busy = heard::<SubSocket>(&net, narrow(), &mut publisher).await;
    for number in 0..10 {
        publisher.try_put(numbered(number)).unwrap();
        assert_eq!(busy.get().await, numbered(number));
    }
    for number in 0..2 {
        assert_eq!(idle.get().await, numbered(number));
    }
    assert!(idle.try_recv().unwrap_err().is_would_block());
}

/// "SHALL create a queue when initiating an outgoing connection to a
/// subscriber" — also to one that is not there yet.
async fn queue_when_connecting<P: Publishes>() {
    let net = Net::inproc();
    let place = net.reserve();
    let publisher = net.connecting::<P>(plain(), &place.endpoint);
    let sub = net.bound_at::<SubSocket>(&place.endpoint.to_string(), plain()).await;
    sub.subscribe("").unwrap();
    publisher.try_put("Hello".into()).unwrap();
    assert_eq!(sub.get().await, "Hello".into());
}

/// "and SHALL maintain the queue whether or not the connection is established."
/// What waits in it goes out on the next connection; but subscriptions end with
/// theirs, so what is published in between is for nobody.
async fn queue_across_connections<P: Publishes>() {
    let net = Net::tcp();
    let trap = crate::wire::Trap::new().await;
    let mut publisher = net.connecting::<P>(plain().send_hwm(0), &trap.endpoint());
    publisher.try_put("for nobody".into()).unwrap();
    let mut sub = trap.accept().await;
    sub.shake_hands("SUB").await;
    sub.send(b"\x04\x0A\x09SUBSCRIBE").await;
    sub.sync().await;
    // More than any kernel takes on its way to one that does not read.
    let large = Message::from(vec![0; 1 << 20]);
    for _ in 0..64 {
        publisher.try_put(large.clone()).unwrap();
    }
    publisher.try_put("last".into()).unwrap();
    drop(sub);
    publisher.left().await;
    publisher.try_put("for nobody".into()).unwrap();
    let mut sub = trap.accept().await;
    sub.shake_hands("SUB").await;
    let mut count = 0;
    loop {
        let frame = sub.frame().await;
        if frame.body.len() < 1 << 20 {
            assert_eq!(frame.body, b"last");
            break;
        }
        count += 1;
    }
    assert!((1..64).contains(&count), "{count}");
    sub.send(b"\x04\x0A\x09SUBSCRIBE").await;
    sub.sync().await;
    publisher.try_put("again".into()).unwrap();
    sub.expect(b"\x00\x05again").await;
}

/// "SHALL create a queue when a subscriber connects to it. If this subscriber
/// disconnects, the PUB socket SHALL destroy its queue and SHALL discard any
/// messages it contains."
async fn destroyed_queue<P: Publishes>() {
    let net = Net::tcp();
    let mut publisher = net.bound::<P>(plain().send_hwm(0)).await;
    let mut leaving = Wire::join(&publisher.endpoint(), "SUB").await;
    leaving.send(b"\x04\x0A\x09SUBSCRIBE").await;
    leaving.sync().await;
    let stale = Message::from(vec![0; 1 << 20]);
    for _ in 0..64 {
        publisher.try_put(stale.clone()).unwrap();
    }
    drop(leaving);
    publisher.left().await;
    assert!(publisher.lost(DropCause::PeerLeft) > 0);
    let mut next = Wire::join(&publisher.endpoint(), "SUB").await;
    next.send(b"\x04\x0A\x09SUBSCRIBE").await;
    next.sync().await;
    publisher.try_put("fresh".into()).unwrap();
    next.expect(b"\x00\x05fresh").await;
}

/// "SHALL not modify outgoing messages in any way."
async fn unmodified<P: Publishes>() {
    let net = Net::inproc();
    let mut publisher = net.bound::<P>(plain()).await;
    let sub = heard::<SubSocket>(&net, plain(), &mut publisher).await;
    let mut wire = {
        let bound = publisher.listen("tcp://127.0.0.1:*").await;
        let mut wire = Wire::join(&bound, "SUB").await;
        wire.send(b"\x04\x0A\x09SUBSCRIBE").await;
        wire.sync().await;
        wire
    };
    let messages: [(Message, &[u8]); 4] = [
        (Message::new(), b"\x00\x00"),
        (["", "", ""].into(), b"\x01\x00\x01\x00\x00\x00"),
        (b"\x01subscribed?".into(), b"\x00\x0C\x01subscribed?"),
        (["topic", "\0\u{7F}"].into(), b"\x01\x05topic\x00\x02\x00\x7F"),
    ];
    for (message, octets) in messages {
        publisher.try_put(message.clone()).unwrap();
        assert_eq!(sub.get().await, message);
        wire.expect(octets).await;
    }
}

/// "SHALL perform a binary comparison of the subscription against the start of
/// the first frame of the message."
async fn binary_comparison<P: Publishes>() {
    let net = Net::tcp();
    let publisher = net.bound::<P>(plain()).await;
    let mut sub = Wire::join(&publisher.endpoint(), "SUB").await;
    sub.send(b"\x04\x0D\x09SUBSCRIBEA\x00\xFF\x04\x0B\x09SUBSCRIBEz").await;
    sub.sync().await;
    let messages: [&[&[u8]]; 9] = [
        &[b"A"],                       // shorter
        &[b"a\x00\xFF"],               // another case
        &[b"A\x00\xFE"],               // another octet
        &[b"xA\x00\xFF"],              // not at the start
        &[b"other", b"A\x00\xFF"],     // not in the first frame
        &[],                           // nothing
        &[b"A\x00\xFF"],               // the same
        &[b"A\x00\xFF\x00", b"other"], // longer
        &[b"z"],
    ];
    for frames in messages {
        let frames: Vec<Vec<u8>> = frames.iter().map(|frame| frame.to_vec()).collect();
        publisher.try_put(Message::from(frames)).unwrap();
    }
    sub.expect(b"\x00\x03A\x00\xFF\x01\x04A\x00\xFF\x00\x00\x05other\x00\x01z").await;
}

/// "SHALL silently drop the message if the queue for a subscriber is full." It
/// is counted, once for each subscriber that misses it.
async fn drop_when_full<P: Publishes>() {
    let net = Net::inproc();
    let mut publisher = net.bound::<P>(plain().send_hwm(3)).await;
    let one = heard::<SubSocket>(&net, plain().recv_hwm(2), &mut publisher).await;
    let other = heard::<SubSocket>(&net, plain().recv_hwm(2), &mut publisher).await;
    for number in 0..9 {
        publisher.try_put(numbered(number)).unwrap();
    }
    assert_eq!(publisher.lost(DropCause::PeerFull), 2 * 4);
    for sub in [&one, &other] {
        for number in 0..5 {
            assert_eq!(sub.get().await, numbered(number));
        }
        assert!(sub.try_recv().unwrap_err().is_would_block());
    }
}

/// "SHALL NOT block on sending." Neither without subscribers nor with one that
/// never reads.
async fn never_blocks<P: Publishes>() {
    let net = Net::tcp();
    let publisher = net.bound::<P>(narrow()).await;
    publisher.try_put("for nobody".into()).unwrap();
    let mut sub = Wire::join(&publisher.endpoint(), "SUB").await;
    sub.send(b"\x04\x0A\x09SUBSCRIBE").await;
    sub.sync().await;
    let large = Message::from(vec![0; 1 << 20]);
    for _ in 0..64 {
        publisher.try_put(large.clone()).unwrap();
    }
    assert!(publisher.lost(DropCause::PeerFull) > 0);
}

/// "SHALL receive subscribe and unsubscribe requests from subscribers depending
/// on the transport protocol used." Over inproc they are no octets.
async fn requests<P: Publishes>() {
    let net = Net::inproc();
    let mut publisher = net.bound::<P>(plain()).await;
    let sub = net.connected::<SubSocket>(plain(), &mut publisher).await;
    let publish = || {
        for text in ["a", "b", "c", "end"] {
            publisher.try_put(text.into()).unwrap();
        }
    };
    sub.wants("end");
    publish();
    sub.wants("a");
    sub.wants("b");
    publish();
    sub.cancels("a");
    publish();
    assert_eq!(everything_until(&*sub, "end").await, [""; 0]);
    // What came while it was subscribed to and is not any more is filtered.
    assert_eq!(everything_until(&*sub, "end").await, ["b"]);
    assert_eq!(everything_until(&*sub, "end").await, ["b"]);
}

/// "SHALL only send messages." (PUB)
/// "SHALL silently discard any messages that subscribers send it." (PUB)
#[tokio::test]
async fn pub_shall_only_send_and_discard_what_subscribers_send() {
    let net = Net::tcp();
    let publisher = net.bound::<PubSocket>(plain()).await;
    let mut sub = Wire::join(&publisher.endpoint(), "SUB").await;
    sub.send(b"\x04\x0A\x09SUBSCRIBE\x00\x05Hello\x01\x01A\x00\x01B").await;
    sub.sync().await;
    assert_eq!(publisher.dropped(DropCause::Discarded), 2);
    publisher.try_send("still here").unwrap();
    sub.expect(b"\x00\x0Astill here").await;
}
