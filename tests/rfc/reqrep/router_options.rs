//! The options of ROUTER, after libzmq's test_router_mandatory, _hwm,
//! test_router_handover and test_probe_router.

use std::pin::pin;

use ferromq::{
    DealerSocket, DisconnectReason, Message, ReqSocket, RouterSocket, SendErrorKind, SocketOptions,
};

use super::id;
use crate::support::{Net, Over, Receives, is_pending, narrow, plain, soon};

over_inproc_and_tcp!(
    mandatory_refuses_a_peer_that_left,
    without_handover_the_newcomer_is_turned_away,
    handover_gives_the_name_to_the_newcomer,
    probes_tell_a_router_of_its_peers,
);

fn named(name: &str) -> SocketOptions {
    SocketOptions::new().routing_id(id(name))
}

async fn mandatory_refuses_a_peer_that_left(net: Net) {
    let mut router = net.bound::<RouterSocket>(plain().router_mandatory(true)).await;
    let unknown = router.try_send_to(&id("peer"), "too early").unwrap_err();
    assert_eq!(unknown.kind(), SendErrorKind::Unroutable);
    let dealer = net.connected::<DealerSocket>(named("peer"), &mut router).await;
    soon(router.send_to(&id("peer"), "Hello")).await.unwrap();
    assert_eq!(dealer.get().await, "Hello".into());
    let _ = soon(dealer.close()).await;
    router.left().await;
    let gone = soon(router.send_to(&id("peer"), "too late")).await.unwrap_err();
    assert_eq!(gone.kind(), SendErrorKind::Unroutable);
    assert_eq!(gone.into_message(), "too late".into());
}

/// RFC 28, ROUTER: "SHALL NOT block on sending." With `router_mandatory` it
/// does, for a peer that is full: who wants nothing dropped has to wait.
#[tokio::test]
async fn departs_mandatory_waits_for_room() {
    let net = Net::inproc();
    let mut router = net.bound::<RouterSocket>(narrow().router_mandatory(true)).await;
    let dealer = net.connected::<DealerSocket>(narrow().routing_id(id("full")), &mut router).await;
    for _ in 0..2 {
        router.try_send_to(&id("full"), "out").unwrap();
    }
    assert!(router.try_send_to(&id("full"), "out").unwrap_err().is_would_block());
    let name = id("full");
    let mut sending = pin!(router.send_to(&name, "waited"));
    assert!(is_pending(sending.as_mut()).await);
    for _ in 0..2 {
        assert_eq!(dealer.get().await, "out".into());
    }
    soon(sending).await.unwrap();
    assert_eq!(dealer.get().await, "waited".into());
}

/// The same over tcp, where the kernel takes some first: never dropped, never
/// "unroutable".
#[tokio::test]
async fn mandatory_loses_nothing_to_a_slow_peer() {
    let net = Net::tcp();
    let mut router = net.bound::<RouterSocket>(narrow().router_mandatory(true)).await;
    let dealer = net.connected::<DealerSocket>(narrow().routing_id(id("slow")), &mut router).await;
    let sending = async {
        for number in 0..500 {
            let message = Message::from([vec![0; 64 << 10], number.to_string().into_bytes()]);
            soon(router.send_to(&id("slow"), message)).await.unwrap();
        }
    };
    let receiving = async {
        for number in 0..500 {
            assert_eq!(dealer.get().await[1], number.to_string());
        }
    };
    tokio::join!(sending, receiving);
}

async fn without_handover_the_newcomer_is_turned_away(net: Net) {
    let mut router = net.bound::<RouterSocket>(plain()).await;
    let first = net.connected::<DealerSocket>(named("X"), &mut router).await;
    let second = DealerSocket::new_in(net.context(), named("X"));
    let connected = second.connect(router.endpoint());
    assert_eq!(connected.is_err(), net.over == Over::Inproc);
    let reason = router.failed().await;
    assert!(matches!(reason, DisconnectReason::TurnedAway(_)), "{reason}");
    soon(router.send_to(&id("X"), "Hello")).await.unwrap();
    assert_eq!(first.get().await, "Hello".into());
    first.try_send("back").unwrap();
    assert_eq!(soon(router.recv()).await.unwrap(), (id("X"), "back".into()));
}

async fn handover_gives_the_name_to_the_newcomer(net: Net) {
    let mut router = net.bound::<RouterSocket>(plain().router_handover(true)).await;
    let first = net.connected::<DealerSocket>(named("X"), &mut router).await;
    first.try_send("from first").unwrap();
    assert_eq!(soon(router.recv()).await.unwrap(), (id("X"), "from first".into()));
    let second = net.connected::<DealerSocket>(named("X"), &mut router).await;
    soon(router.send_to(&id("X"), "Hello")).await.unwrap();
    assert_eq!(second.get().await, "Hello".into());
    second.try_send("from second").unwrap();
    assert_eq!(soon(router.recv()).await.unwrap(), (id("X"), "from second".into()));
    assert!(first.try_recv().unwrap_err().is_would_block());
}

/// Each new connection begins with an empty message: a ROUTER that has heard
/// nothing else knows whom it can send to.
async fn probes_tell_a_router_of_its_peers(net: Net) {
    let router = net.bound::<RouterSocket>(plain()).await;
    let endpoint = router.endpoint();
    let probing = |name| named(name).probe_router(true);
    let dealer = net.connecting::<DealerSocket>(probing("dealer"), &endpoint);
    assert_eq!(soon(router.recv()).await.unwrap(), (id("dealer"), Message::new()));
    soon(router.send_to(&id("dealer"), "Hello")).await.unwrap();
    assert_eq!(dealer.get().await, "Hello".into());
    let _req = net.connecting::<ReqSocket>(probing("req"), &endpoint);
    assert_eq!(soon(router.recv()).await.unwrap(), (id("req"), Message::new()));
    let other = net.connecting::<RouterSocket>(probing("router"), &endpoint);
    assert_eq!(soon(router.recv()).await.unwrap(), (id("router"), Message::new()));
    soon(router.send_to(&id("router"), "Hello")).await.unwrap();
    assert_eq!(other.get().await, "Hello".into());
    // One that does not name itself is known by a name of five octets.
    let _nameless = net.connecting::<DealerSocket>(plain().probe_router(true), &endpoint);
    let (from, message) = soon(router.recv()).await.unwrap();
    assert_eq!((from.as_bytes().len(), from.as_bytes()[0], message), (5, 0, Message::new()));
}

/// An event tells of what is so already: who has heard that a peer is gone
/// cannot send to it any more. On several threads, where the two could differ.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_peer_is_unroutable_when_its_end_is_told() {
    let net = Net::tcp();
    let mut router = net.bound::<RouterSocket>(plain().router_mandatory(true)).await;
    for _ in 0..200 {
        let dealer = net.connected::<DealerSocket>(named("peer"), &mut router).await;
        drop(dealer);
        router.left().await;
        let gone = router.try_send_to(&id("peer"), "too late").unwrap_err();
        assert_eq!(gone.kind(), SendErrorKind::Unroutable);
    }
}
