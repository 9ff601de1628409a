//! Messages with what is known of their senders.

use std::time::Duration;

use ferromq::{
    Candidate, Context, DealerSocket, Linger, PairSocket, PeerInfo, PullSocket, PushSocket,
    RepSocket, ReqSocket, RouterSocket, RoutingId, SocketOptions, SocketType, SubSocket, Verdict,
    XPubSocket, XSubSocket,
};

use crate::common::events::Events;
use crate::common::{Transport, within};

fn named(name: &'static str) -> SocketOptions {
    let id = RoutingId::new(name).unwrap();
    SocketOptions::new().metadata("X-Name", name).routing_id(id)
}

fn name(peer: &PeerInfo) -> &[u8] {
    let property = peer.metadata.iter().find(|(name, _)| name == "X-Name");
    property.map_or(&[], |(_, value)| value)
}

#[tokio::test]
async fn each_message_comes_with_its_sender() {
    for transport in Transport::ALL {
        let context = Context::new();
        let pull = PullSocket::new_in(&context, SocketOptions::new());
        let endpoint = pull.bind(transport.any()).await.unwrap();
        let senders = ["a", "b"].map(|name| PushSocket::new_in(&context, named(name)));
        for sender in &senders {
            sender.connect(&endpoint).unwrap();
        }
        for number in 0..200 {
            for (sender, name) in senders.iter().zip(["a", "b"]) {
                sender.send([name.to_owned(), format!("{number}")]).await.unwrap();
            }
        }
        for number in 0..400 {
            let (message, peer) = match number % 2 {
                0 => within(pull.recv_with_peer()).await.unwrap(),
                _ => loop {
                    match pull.try_recv_with_peer() {
                        Err(error) if error.is_would_block() => tokio::task::yield_now().await,
                        received => break received.unwrap(),
                    }
                },
            };
            assert_eq!(name(&peer), &message[0][..]);
            assert_eq!(peer.socket_type, Some(SocketType::Push));
            assert!(peer.address.starts_with(endpoint.scheme()), "{}", peer.address);
        }
    }
}

#[tokio::test]
async fn whoever_comes_to_an_endpoint_later_is_not_taken_for_who_was_there() {
    for transport in Transport::STREAMS {
        let endpoint = transport.known();
        let first = PushSocket::with_options(named("a"));
        first.bind(&endpoint).await.unwrap();
        let options = SocketOptions::new().reconnect_interval(Duration::from_millis(1));
        let pull = PullSocket::with_options(options);
        let mut events = Events::from(pull.monitor());
        pull.connect(&endpoint).unwrap();
        let mut sender = first;
        // What is received at once, and what is unread when the next one comes.
        let names = ["a", "b", "b", "c", "a"];
        for (index, own) in names.into_iter().enumerate() {
            if index > 0 {
                sender = PushSocket::with_options(named(own));
                sender.bind(&endpoint).await.unwrap();
            }
            events.ready().await;
            for _ in 0..4 {
                sender.send(own).await.unwrap();
            }
            let (message, peer) = within(pull.recv_with_peer()).await.unwrap();
            assert_eq!(name(&peer), &message[0][..]);
            sender.close().await;
            events.disconnected().await;
        }
        for _ in 0..names.len() * 3 {
            let (message, peer) = within(pull.recv_with_peer()).await.unwrap();
            assert_eq!(name(&peer), &message[0][..]);
        }
    }
}

#[tokio::test]
async fn every_type_that_receives_has_it() {
    for transport in Transport::ALL {
        let context = Context::new();
        let rep = RepSocket::new_in(&context, named("rep"));
        let req = ReqSocket::new_in(&context, named("req"));
        req.connect(rep.bind(transport.any()).await.unwrap()).unwrap();
        req.send("?").await.unwrap();
        assert_eq!(name(&within(rep.recv_with_peer()).await.unwrap().1), b"req");
        rep.send("!").await.unwrap();
        assert_eq!(name(&within(req.recv_with_peer()).await.unwrap().1), b"rep");

        let router = RouterSocket::new_in(&context, named("router"));
        let dealer = DealerSocket::new_in(&context, named("dealer"));
        dealer.connect(router.bind(transport.any()).await.unwrap()).unwrap();
        dealer.send("?").await.unwrap();
        let (id, _, peer) = within(router.recv_with_peer()).await.unwrap();
        assert_eq!((name(&peer), &id.as_bytes()[..]), (&b"dealer"[..], &b"dealer"[..]));
        router.send_to(&id, "!").await.unwrap();
        assert_eq!(name(&within(dealer.recv_with_peer()).await.unwrap().1), b"router");

        let publisher = XPubSocket::new_in(&context, named("xpub"));
        let sub = SubSocket::new_in(&context, named("sub"));
        sub.connect(publisher.bind(transport.any()).await.unwrap()).unwrap();
        sub.subscribe("n").unwrap();
        let (notice, peer) = within(publisher.recv_with_peer()).await.unwrap();
        assert_eq!((name(&peer), &notice[0][..]), (&b"sub"[..], &b"\x01n"[..]));
        publisher.send("news").await.unwrap();
        assert_eq!(name(&within(sub.recv_with_peer()).await.unwrap().1), b"xpub");

        let pairs = ["left", "right"].map(|name| PairSocket::new_in(&context, named(name)));
        pairs[0].connect(pairs[1].bind(transport.any()).await.unwrap()).unwrap();
        pairs[0].send("?").await.unwrap();
        assert_eq!(name(&within(pairs[1].recv_with_peer()).await.unwrap().1), b"left");
    }
}

/// The notices and messages of one who has left, and the cancellations that the leaving
/// itself is.
#[tokio::test]
async fn an_xpub_knows_whose_a_subscription_was() {
    for transport in Transport::ALL {
        let context = Context::new();
        let publisher = XPubSocket::new_in(&context, SocketOptions::new());
        let endpoint = publisher.bind(transport.any()).await.unwrap();
        let mut events = Events::from(publisher.monitor());
        for who in ["first", "second"] {
            let xsub = XSubSocket::new_in(&context, named(who).linger(Linger::Forever));
            xsub.connect(&endpoint).unwrap();
            xsub.subscribe(who).unwrap();
            within(xsub.send(format!("from {who}"))).await.unwrap();
            events.ready().await;
            within(xsub.close()).await;
            // The next one may be where it was.
            events.disconnected().await;
        }
        let mut heard = Vec::new();
        while heard.len() < 6 {
            let (message, peer) = within(publisher.recv_with_peer()).await.unwrap();
            let text = String::from_utf8(message[0].to_vec()).unwrap();
            assert!(text.ends_with(std::str::from_utf8(name(&peer)).unwrap()), "{text:?} {peer:?}");
            heard.push(text);
        }
        heard.sort();
        let all = ["\0first", "\0second", "\x01first", "\x01second", "from first", "from second"];
        assert_eq!(heard, all);
    }
}

#[tokio::test]
async fn what_a_policy_says_of_a_peer_comes_with_its_messages() {
    let policy = |peer: &Candidate| {
        assert!(peer.ip().is_some_and(|ip| ip.is_loopback()));
        Verdict::accept_as("alice").with_property("team", "blue")
    };
    let pull = PullSocket::with_options(SocketOptions::new().null_policy(policy));
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let push = PushSocket::with_options(SocketOptions::new().linger(Linger::Forever));
    push.connect(endpoint).unwrap();
    push.send("m").await.unwrap();
    let (_, peer) = within(pull.recv_with_peer()).await.unwrap();
    assert_eq!(peer.user_id.as_deref(), Some("alice"));
    assert_eq!(peer.granted, [("team".to_owned(), "blue".into())]);
}
