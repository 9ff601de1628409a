//! Where a socket dials, somebody else may come to the endpoint: neither what was meant
//! for who was there before nor what that one said is taken for the newcomer's.

use ferromq::{
    DealerSocket, DropCause, Endpoint, RepSocket, RouterSocket, RoutingId, SocketOptions,
};

use crate::common::events::Events;
use crate::common::{Transport, quick, within};

fn id(name: &str) -> RoutingId {
    RoutingId::new(name.to_owned()).unwrap()
}

/// Somebody at an endpoint.
async fn comes(name: &str, endpoint: &Endpoint) -> DealerSocket {
    let dealer = DealerSocket::with_options(SocketOptions::new().routing_id(id(name)));
    dealer.bind(endpoint).await.unwrap();
    dealer
}

#[tokio::test]
async fn what_a_router_sent_to_one_is_not_for_the_next() {
    for transport in Transport::STREAMS {
        let endpoint = transport.known();
        let router = RouterSocket::with_options(quick().router_mandatory(true));
        let mut events = Events::from(router.monitor());
        let alice = comes("alice", &endpoint).await;
        router.connect(&endpoint).unwrap();
        events.ready().await;
        for message in ["first", "second"] {
            alice.send(message).await.unwrap();
        }
        assert_eq!(within(router.recv()).await.unwrap(), (id("alice"), "first".into()));
        alice.close().await;
        events.disconnected().await;
        within(router.send_to(&id("alice"), "secret")).await.unwrap();

        let bob = comes("bob", &endpoint).await;
        events.ready().await;
        // Said before she left, and said to be hers.
        let (from, message, peer) = within(router.recv_with_peer()).await.unwrap();
        assert_eq!((&from, message), (&id("alice"), "second".into()));
        assert_eq!(peer.routing_id, Some(from));
        within(router.send_to(&id("alice"), "secret")).await.unwrap_err();
        within(router.send_to(&id("bob"), "hello")).await.unwrap();
        assert_eq!(within(bob.recv()).await.unwrap(), "hello".into());
        bob.send("third").await.unwrap();
        assert_eq!(within(router.recv()).await.unwrap(), (id("bob"), "third".into()));
        assert_eq!(router.dropped(DropCause::PeerLeft), 1);
    }
}

/// One who comes back as the same finds what waits.
#[tokio::test]
async fn what_a_router_sent_waits_for_the_same_peer() {
    for transport in Transport::STREAMS {
        let endpoint = transport.known();
        let router = RouterSocket::with_options(quick());
        let mut events = Events::from(router.monitor());
        let alice = comes("alice", &endpoint).await;
        router.connect(&endpoint).unwrap();
        events.ready().await;
        alice.close().await;
        events.disconnected().await;
        within(router.send_to(&id("alice"), "secret")).await.unwrap();
        let alice = comes("alice", &endpoint).await;
        assert_eq!(within(alice.recv()).await.unwrap(), "secret".into());
        assert_eq!(router.dropped(DropCause::PeerLeft), 0);
    }
}

/// When a reply is given to a client that leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    BeforeTheNextOneComes,
    AfterThat,
}

#[tokio::test]
async fn a_reply_is_for_who_asked() {
    for transport in Transport::STREAMS {
        for when in [Reply::BeforeTheNextOneComes, Reply::AfterThat] {
            let endpoint = transport.known();
            let rep = RepSocket::with_options(quick());
            let mut events = Events::from(rep.monitor());
            let alice = comes("alice", &endpoint).await;
            rep.connect(&endpoint).unwrap();
            events.ready().await;
            // The second is unread when she leaves.
            for request in ["first", "second"] {
                alice.send(["", request]).await.unwrap();
            }
            assert_eq!(within(rep.recv()).await.unwrap(), "first".into());
            alice.close().await;
            events.disconnected().await;
            if when == Reply::BeforeTheNextOneComes {
                rep.send("for alice").await.unwrap();
            }
            let bob = comes("bob", &endpoint).await;
            events.ready().await;
            if when == Reply::AfterThat {
                rep.send("for alice").await.unwrap();
            }
            assert_eq!(within(rep.recv()).await.unwrap(), "second".into());
            rep.send("for alice, too").await.unwrap();
            bob.send(["", "third"]).await.unwrap();
            assert_eq!(within(rep.recv()).await.unwrap(), "third".into());
            rep.send("for bob").await.unwrap();
            assert_eq!(within(bob.recv()).await.unwrap(), ["", "for bob"].into());
            let lost = [DropCause::PeerLeft, DropCause::Unroutable].map(|why| rep.dropped(why));
            assert_eq!(lost.iter().sum::<u64>(), 2, "{transport:?} {when:?}: {lost:?}");
        }
    }
}

#[cfg(feature = "plain")]
mod plain {
    use bytes::Bytes;
    use ferromq::{Candidate, Credentials, Message, PubSocket, Verdict, XSubSocket};

    use super::*;

    fn policy(candidate: &Candidate) -> Verdict {
        match candidate.credentials() {
            Credentials::Plain(who) => Verdict::accept_as(String::from_utf8_lossy(who.username())),
            _ => Verdict::deny("nobody"),
        }
    }

    /// Somebody who shows all that comes, whether it is wanted or not.
    async fn listens(name: &str, topic: &str, endpoint: &Endpoint) -> XSubSocket {
        // Two messages are more than this side takes, and what the system does.
        let options = SocketOptions::new().recv_hwm(1).recv_buffer(4096);
        let sub = XSubSocket::with_options(options.plain_client(name, ""));
        sub.bind(endpoint).await.unwrap();
        sub.subscribe(topic).unwrap();
        sub
    }

    /// What it hears first, of what is sent until its subscription is there.
    async fn first(publisher: &PubSocket, sub: &XSubSocket, topic: &'static str) -> Message {
        within(async {
            loop {
                publisher.send(topic).await.unwrap();
                tokio::select! {
                    first = sub.recv() => break first.unwrap(),
                    () = tokio::task::yield_now() => {}
                }
            }
        })
        .await
    }

    #[tokio::test]
    async fn what_was_published_for_one_is_not_for_the_next() {
        for transport in Transport::STREAMS {
            let endpoint = transport.known();
            let options = quick().plain_server(policy).send_buffer(4096);
            let publisher = PubSocket::with_options(options);
            let mut events = Events::from(publisher.monitor());
            let alice = listens("alice", "private", &endpoint).await;
            publisher.connect(&endpoint).unwrap();
            events.ready().await;
            first(&publisher, &alice, "private").await;
            let body = Bytes::from(vec![0; 1 << 20]);
            for _ in 0..100 {
                publisher.send([Bytes::from_static(b"private"), body.clone()]).await.unwrap();
            }
            alice.close().await;
            events.disconnected().await;
            let bob = listens("bob", "public", &endpoint).await;
            events.ready().await;
            assert_eq!(first(&publisher, &bob, "public").await, "public".into());
            assert!(publisher.dropped(DropCause::PeerLeft) > 0);
        }
    }
}
