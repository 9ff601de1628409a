//! What a peer sent before it left stays readable, on each receiving type; and
//! nothing of it stays when that was received.

use ferromq::{
    Context, DealerSocket, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket, RouterSocket,
    RoutingId, SocketOptions, SubSocket, XPubSocket, XSubSocket,
};
use tokio::io::AsyncWriteExt;

use crate::common::events::Events;
use crate::common::{Transport, quick, raw, within};

const COUNT: usize = 300;

/// Sends and leaves; then receives it all.
macro_rules! leaves {
    ($sender:expr, $receiver:expr, $make:expr, |$received:ident| $body:expr) => {
        for transport in Transport::ALL {
            let (sender, receiver) = ($sender, $receiver);
            let mut events = Events::from(receiver.monitor());
            sender.connect(receiver.bind(transport.any()).await.unwrap()).unwrap();
            for number in 0..COUNT {
                within(sender.send($make(number))).await.unwrap();
            }
            assert_eq!(within(sender.close()).await.undelivered, 0);
            if transport != Transport::Inproc {
                events.ready().await;
            }
            for number in 0..COUNT {
                let $received = within(receiver.recv()).await.unwrap();
                assert_eq!($body, number.to_string(), "{transport:?}");
            }
            assert!(receiver.try_recv().unwrap_err().is_would_block(), "{transport:?}");
        }
    };
}

fn text(message: &ferromq::Message) -> String {
    String::from_utf8(message[0].to_vec()).unwrap()
}

fn plain(number: usize) -> String {
    number.to_string()
}

#[tokio::test]
async fn pull_dealer_and_pair_read_on() {
    leaves!(PushSocket::new(), PullSocket::new(), plain, |message| text(&message));
    leaves!(DealerSocket::new(), DealerSocket::new(), plain, |message| text(&message));
    leaves!(PairSocket::new(), PairSocket::new(), plain, |message| text(&message));
}

#[tokio::test]
async fn router_reads_on_and_still_knows_the_name() {
    let options = || SocketOptions::new().routing_id(RoutingId::new("gone").unwrap());
    leaves!(DealerSocket::with_options(options()), RouterSocket::new(), plain, |received| {
        assert_eq!(received.0, RoutingId::new("gone").unwrap());
        text(&received.1)
    });
}

#[tokio::test]
async fn rep_serves_what_came() {
    for transport in Transport::ALL {
        let (dealer, rep) = (DealerSocket::new(), RepSocket::new());
        dealer.connect(rep.bind(transport.any()).await.unwrap()).unwrap();
        for number in 0..COUNT {
            within(dealer.send(["".to_owned(), number.to_string()])).await.unwrap();
        }
        assert_eq!(within(dealer.close()).await.undelivered, 0);
        for number in 0..COUNT {
            let request = within(rep.recv()).await.unwrap();
            assert_eq!(request, number.to_string().into(), "{transport:?}");
            within(rep.send("nobody hears it")).await.unwrap();
        }
    }
}

#[tokio::test]
async fn sub_reads_on() {
    for transport in Transport::ALL {
        let (publisher, sub) = (XPubSocket::new(), SubSocket::new());
        let endpoint = publisher.bind(transport.any()).await.unwrap();
        sub.subscribe("").unwrap();
        sub.connect(&endpoint).unwrap();
        assert_eq!(within(publisher.recv()).await.unwrap(), "\u{1}".into());
        for number in 0..COUNT {
            within(publisher.send(number.to_string())).await.unwrap();
        }
        assert_eq!(within(publisher.close()).await.undelivered, 0);
        for number in 0..COUNT {
            assert_eq!(within(sub.recv()).await.unwrap(), number.to_string().into());
        }
    }
}

/// Lets peers come, send something, and leave; then receives it all. Says how
/// much memory that leaves behind, once it was done before.
macro_rules! leaves_behind {
    ($receiver:expr, $sender:ty, $message:expr) => {{
        const PEERS: usize = 2000;
        let receiver = $receiver;
        let endpoint = receiver.bind(Transport::Inproc.any()).await.unwrap();
        let round = || {
            for _ in 0..PEERS {
                let sender = <$sender>::new();
                sender.connect(&endpoint).unwrap();
                sender.try_send($message).unwrap();
            }
            for _ in 0..PEERS {
                receiver.try_recv().unwrap();
            }
            assert!(receiver.try_recv().unwrap_err().is_would_block());
        };
        // What lists have grown to is kept for the next peers.
        round();
        allocation_counter::measure(round).bytes_current
    }};
}

#[tokio::test]
async fn peers_that_came_and_went_leave_nothing_behind() {
    // Some dozens of octets each would show.
    const FEW: i64 = 64 * 1024;
    let sub = SubSocket::new();
    sub.subscribe("").unwrap();
    let xsub = XSubSocket::new();
    xsub.subscribe("").unwrap();
    for (name, octets) in [
        ("PULL", leaves_behind!(PullSocket::new(), PushSocket, "m")),
        ("DEALER", leaves_behind!(DealerSocket::new(), DealerSocket, "m")),
        ("ROUTER", leaves_behind!(RouterSocket::new(), DealerSocket, "m")),
        ("PAIR", leaves_behind!(PairSocket::new(), PairSocket, "m")),
        ("SUB", leaves_behind!(sub, PubSocket, "m")),
        ("XSUB", leaves_behind!(xsub, XPubSocket, "m")),
    ] {
        assert!(octets < FEW, "{name}: {octets} octets");
    }
}

#[tokio::test]
async fn peers_that_came_and_went_silently_leave_nothing_behind_where_nobody_receives() {
    // Of its own: what others keep in a list that all share is not what these leave.
    let context = Context::new();
    let pull = PullSocket::new_in(&context, SocketOptions::new());
    let endpoint = pull.bind(Transport::Inproc.any()).await.unwrap();
    let round = || {
        for _ in 0..2000 {
            let push = PushSocket::new_in(&context, SocketOptions::new());
            push.connect(&endpoint).unwrap();
        }
    };
    round();
    let octets = allocation_counter::measure(round).bytes_current;
    assert!(octets < 4096, "{octets} octets");
}

#[tokio::test]
async fn a_fault_later_in_the_stream_takes_nothing_back() {
    let pull = PullSocket::with_options(quick().max_message_size(10));
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut peer = raw::connect(&endpoint).await;
    raw::shake_hands(&mut peer, raw::READY_PUSH).await;
    within(peer.write_all(b"\0\x05first\0\x06second\0\x0btoo large..")).await.unwrap();
    let reason = events.disconnected().await;
    assert!(matches!(reason, ferromq::DisconnectReason::Fault(_)), "{reason:?}");
    assert_eq!(within(pull.recv()).await.unwrap(), "first".into());
    assert_eq!(within(pull.recv()).await.unwrap(), "second".into());
    assert!(pull.try_recv().unwrap_err().is_would_block());
}

#[tokio::test]
async fn a_message_that_was_cut_is_never_seen() {
    let pull = PullSocket::new();
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut peer = raw::connect(&endpoint).await;
    raw::shake_hands(&mut peer, raw::READY_PUSH).await;
    within(peer.write_all(b"\0\x05whole\x01\x04half\0\x09of a")).await.unwrap();
    drop(peer);
    events.disconnected().await;
    assert_eq!(within(pull.recv()).await.unwrap(), "whole".into());
    assert!(pull.try_recv().unwrap_err().is_would_block());
}
