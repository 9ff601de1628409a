//! ROUTER and the names its peers choose.

use ferromq::{
    DealerSocket, DisconnectReason, Endpoint, Message, RouterSocket, RoutingId, SocketOptions,
    Unwelcome,
};

use crate::raw::{COMMAND, Raw, command, command_body, frame, greeting, property, ready_as};
use crate::victim::{End, PROBES, next_end, next_ready, within};

async fn bound(options: SocketOptions) -> (RouterSocket, Endpoint) {
    let router = RouterSocket::with_options(options);
    let endpoint = router.bind("tcp://127.0.0.1:*").await.unwrap();
    (router, endpoint)
}

async fn join_as(endpoint: &Endpoint, identity: &str) -> Raw {
    let mut raw = Raw::connect(endpoint).await;
    raw.shake(&[greeting(), ready_as("DEALER", identity)].concat()).await;
    raw
}

fn id(name: &str) -> RoutingId {
    RoutingId::try_from(name).unwrap()
}

/// A good peer exchanges 100 messages; says what else was received.
async fn probe(router: &RouterSocket, endpoint: &Endpoint) -> Vec<(RoutingId, Message)> {
    let dealer = DealerSocket::with_options(SocketOptions::new().routing_id(id("probe")));
    dealer.connect(endpoint).unwrap();
    let mut others = Vec::new();
    for number in 0..PROBES {
        let text = Message::from(format!("{number}"));
        within(dealer.send(text.clone())).await.unwrap();
        loop {
            let (from, message) = within(router.recv()).await.expect("a peer never fails a call");
            if from == id("probe") {
                assert_eq!(message, text);
                break;
            }
            others.push((from, message));
        }
        within(router.send_to(&id("probe"), text.clone())).await.unwrap();
        assert_eq!(within(dealer.recv()).await.unwrap(), text);
    }
    others
}

/// The peer that has a name keeps it, and others are sent away.
#[tokio::test]
async fn a_name_that_is_taken_is_refused() {
    let (router, endpoint) = bound(SocketOptions::new()).await;
    let mut monitor = router.monitor();
    let mut first = join_as(&endpoint, "X").await;
    next_ready(&mut monitor).await;
    let mut second = Raw::connect(&endpoint).await;
    second.send(&[greeting(), ready_as("DEALER", "X"), frame(0, "I am X")].concat()).await;
    let end = next_end(&mut monitor).await;
    assert!(matches!(end, End::Handshake(DisconnectReason::TurnedAway(_))), "{end:?}");
    // It was never ready, and not told why: libzmq would not come back.
    assert_eq!(second.closed().await.len(), greeting().len());
    second.refused(&frame(0, "I am X")).await;
    let announced =
        [property("Socket-Type", "DEALER"), property("Identity", "X"), property("X-Ferromq", "1")];
    let mut third = Raw::connect(&endpoint).await;
    third.send(&[greeting(), command("READY", announced.concat())].concat()).await;
    third.read(greeting().len()).await;
    let error = command_body("ERROR", b"\x10Routing-Id-Taken");
    assert_eq!(third.frame().await, (COMMAND, error));
    assert!(third.closed().await.is_empty());
    within(router.send_to(&id("X"), "for the first")).await.unwrap();
    assert_eq!(first.frame().await, (0, b"for the first".to_vec()));
    assert!(probe(&router, &endpoint).await.is_empty());
}

/// With handover the newcomer has the name, and the former peer nothing more to
/// say.
#[tokio::test]
async fn a_name_is_handed_over_if_the_option_says_so() {
    let (router, endpoint) = bound(SocketOptions::new().router_handover(true)).await;
    let mut monitor = router.monitor();
    let mut first = join_as(&endpoint, "X").await;
    next_ready(&mut monitor).await;
    first.send(&frame(0, "of the first")).await;
    first.barrier().await;
    // Half of a message is under way when the name is taken.
    first.send(&frame(1, "half")).await;
    let mut second = join_as(&endpoint, "X").await;
    let end = next_end(&mut monitor).await;
    assert!(matches!(end, End::Traffic(DisconnectReason::TurnedAway(_))), "{end:?}");
    first.closed().await;
    first.refused(&frame(0, "of the first, too late")).await;
    within(router.send_to(&id("X"), "for the second")).await.unwrap();
    assert_eq!(second.frame().await, (0, b"for the second".to_vec()));
    assert_eq!(probe(&router, &endpoint).await, [(id("X"), "of the first".into())]);
}

/// Nobody can choose the name of a peer that has an automatic one, no more than
/// any other that is taken.
#[tokio::test]
async fn an_automatic_name_cannot_be_chosen() {
    let (router, endpoint) = bound(SocketOptions::new()).await;
    let mut monitor = router.monitor();
    let mut nameless = join_as(&endpoint, "").await;
    next_ready(&mut monitor).await;
    nameless.send(&frame(0, "hello")).await;
    let (automatic, _) = within(router.recv()).await.unwrap();
    assert_eq!((automatic.as_bytes().len(), automatic.as_bytes()[0]), (5, 0));
    let ready = ready_with(automatic.as_bytes());
    let mut thief = Raw::connect(&endpoint).await;
    thief.send(&[greeting(), ready].concat()).await;
    let end = next_end(&mut monitor).await;
    let taken = DisconnectReason::TurnedAway(Unwelcome::RoutingIdTaken);
    assert!(matches!(&end, End::Handshake(why) if why.to_string() == taken.to_string()), "{end:?}");
    thief.closed().await;
    within(router.send_to(&automatic, "still yours")).await.unwrap();
    assert_eq!(nameless.frame().await, (0, b"still yours".to_vec()));
    assert!(probe(&router, &endpoint).await.is_empty());
}

fn ready_with(identity: &[u8]) -> Vec<u8> {
    let properties = [property("Socket-Type", "DEALER"), property("Identity", identity)];
    command("READY", properties.concat())
}

/// Names of one and of 255 octets, of any octets, stand for their peers.
#[tokio::test]
async fn odd_names_are_names() {
    let (router, endpoint) = bound(SocketOptions::new()).await;
    let longest = "n".repeat(255);
    for name in ["a", "\x1b[31m", "a\0b", longest.as_str()] {
        let mut raw = join_as(&endpoint, name).await;
        raw.send(&frame(0, "hello")).await;
        let (from, message) = within(router.recv()).await.unwrap();
        assert_eq!((from, message), (id(name), "hello".into()));
        within(router.send_to(&id(name), "reply")).await.unwrap();
        assert_eq!(raw.frame().await, (0, b"reply".to_vec()));
    }
    assert!(probe(&router, &endpoint).await.is_empty());
}

/// A peer that comes and goes leaves its name behind for the next.
#[tokio::test]
async fn a_name_is_free_again_when_its_peer_has_left() {
    let (router, endpoint) = bound(SocketOptions::new()).await;
    let mut monitor = router.monitor();
    for round in 0..20 {
        let mut raw = Raw::connect(&endpoint).await;
        let text = format!("{round}");
        raw.send(&[greeting(), ready_as("DEALER", "X"), frame(0, &text)].concat()).await;
        next_ready(&mut monitor).await;
        raw.finish().await;
        assert!(matches!(next_end(&mut monitor).await, End::Traffic(DisconnectReason::PeerClosed)));
    }
    let others = probe(&router, &endpoint).await;
    assert_eq!(others.len(), 20);
    assert!(others.iter().all(|(from, _)| *from == id("X")));
}
