//! A peer that is turned away is told why, comes back once a second, and gets in
//! with all it has when its place is free.

use std::time::Duration;

use ferromq::{
    DealerSocket, DisconnectReason, DropCause, Endpoint, PairSocket, PeerFault, RouterSocket,
    RoutingId, SocketOptions, Unwelcome,
};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::common::events::Events;
use crate::common::{Transport, eventually, raw, within};

/// READY of a PAIR that does not say that it is one of us.
const READY_PAIR: &[u8] = b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PAIR";

fn named(name: &str) -> SocketOptions {
    SocketOptions::new().routing_id(RoutingId::new(name.to_owned()).unwrap())
}

/// Both sides of a refusal that may pass, twice.
pub(crate) async fn is_refused(ours: &mut Events, theirs: &mut Events, why: Unwelcome, told: &str) {
    for _ in 0..2 {
        let reason = ours.handshake_failed().await;
        assert!(matches!(reason, DisconnectReason::TurnedAway(it) if it == why), "{reason:?}");
        let (reason, delay) = theirs.retrying().await;
        let is_told = |fault: &PeerFault| *fault == PeerFault::RefusedUs { reason: told.into() };
        assert!(matches!(&reason, DisconnectReason::Fault(it) if is_told(it)), "{reason:?}");
        // Once a second, and that does not grow.
        let expected = Duration::from_secs(1)..=Duration::from_millis(1250);
        assert!(expected.contains(&delay), "{delay:?}");
    }
}

async fn a_second_pair_gets_in(transport: Transport) {
    let (bound, first, second) = (PairSocket::new(), PairSocket::new(), PairSocket::new());
    let (mut ours, mut theirs) = (Events::from(bound.monitor()), Events::from(second.monitor()));
    let endpoint = bound.bind(transport.any()).await.unwrap();
    first.connect(&endpoint).unwrap();
    ours.ready().await;
    second.connect(&endpoint).unwrap();
    for number in 0..50 {
        within(second.send(number.to_string())).await.unwrap();
    }
    is_refused(&mut ours, &mut theirs, Unwelcome::AlreadyPaired, "Already-Paired").await;
    // The first is none the worse.
    within(first.send("first")).await.unwrap();
    assert_eq!(within(bound.recv()).await.unwrap(), "first".into());
    let _ = within(first.close()).await;
    for number in 0..50 {
        assert_eq!(within(bound.recv()).await.unwrap(), number.to_string().into());
    }
    within(bound.send("welcome")).await.unwrap();
    assert_eq!(within(second.recv()).await.unwrap(), "welcome".into());
    for cause in DropCause::ALL {
        assert_eq!((bound.dropped(cause), second.dropped(cause)), (0, 0), "{cause:?}");
    }
}

#[tokio::test]
async fn what_a_second_pair_sends_while_it_is_refused_arrives_when_the_first_leaves() {
    tokio::join!(a_second_pair_gets_in(Transport::Tcp), a_second_pair_gets_in(Transport::Ipc));
}

async fn a_second_dealer_gets_in(transport: Transport) {
    let router = RouterSocket::new();
    let dealer = || DealerSocket::with_options(named("same"));
    let (first, second) = (dealer(), dealer());
    let (mut ours, mut theirs) = (Events::from(router.monitor()), Events::from(second.monitor()));
    let endpoint = router.bind(transport.any()).await.unwrap();
    first.connect(&endpoint).unwrap();
    ours.ready().await;
    second.connect(&endpoint).unwrap();
    for number in 0..20 {
        within(second.send(number.to_string())).await.unwrap();
    }
    is_refused(&mut ours, &mut theirs, Unwelcome::RoutingIdTaken, "Routing-Id-Taken").await;
    let _ = within(first.close()).await;
    let same = RoutingId::new("same").unwrap();
    for number in 0..20 {
        let received = within(router.recv()).await.unwrap();
        assert_eq!(received, (same.clone(), number.to_string().into()));
    }
    within(router.send_to(&same, "welcome")).await.unwrap();
    assert_eq!(within(second.recv()).await.unwrap(), "welcome".into());
    for cause in DropCause::ALL {
        assert_eq!((router.dropped(cause), second.dropped(cause)), (0, 0), "{cause:?}");
    }
}

#[tokio::test]
async fn what_a_second_dealer_of_a_name_sends_arrives_when_the_first_leaves() {
    tokio::join!(a_second_dealer_gets_in(Transport::Tcp), a_second_dealer_gets_in(Transport::Ipc));
}

#[tokio::test]
async fn over_inproc_a_second_dealer_of_a_name_is_refused_at_once() {
    let (router, endpoint) = (RouterSocket::new(), Transport::Inproc.any());
    router.bind(&endpoint).await.unwrap();
    let (first, second) =
        (DealerSocket::with_options(named("same")), DealerSocket::with_options(named("same")));
    first.connect(&endpoint).unwrap();
    second.connect(&endpoint).unwrap_err();
    drop(first);
    second.connect(&endpoint).unwrap();
    within(second.send("in")).await.unwrap();
    assert_eq!(within(router.recv()).await.unwrap().1, "in".into());
}

/// A PAIR that has its peer.
async fn paired() -> (PairSocket, PairSocket, Events, Endpoint) {
    let (bound, first) = (PairSocket::new(), PairSocket::new());
    let mut events = Events::from(bound.monitor());
    let endpoint = bound.bind("tcp://127.0.0.1:0").await.unwrap();
    first.connect(&endpoint).unwrap();
    events.ready().await;
    (bound, first, events, endpoint)
}

/// libzmq never dials again after an ERROR, and again at once after an end.
#[tokio::test]
async fn a_stranger_is_told_nothing_of_what_may_pass_and_is_closed_after_a_second() {
    let (bound, _first, mut events, endpoint) = paired().await;
    let mut stranger = raw::connect(&endpoint).await;
    let start = Instant::now();
    within(stranger.write_all(&[&raw::GREETING[..], READY_PAIR, b"\0\x05early"].concat()))
        .await
        .unwrap();
    let reason = events.handshake_failed().await;
    assert!(matches!(reason, DisconnectReason::TurnedAway(Unwelcome::AlreadyPaired)), "{reason:?}");
    assert_eq!(raw::read_to_end(&mut stranger).await.len(), raw::GREETING.len());
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    eventually(|| bound.dropped(DropCause::Discarded) == 1).await;
}

#[tokio::test]
async fn everybody_is_told_at_once_of_what_lasts() {
    let (_bound, _first, mut events, endpoint) = paired().await;
    let mut stranger = raw::connect(&endpoint).await;
    within(stranger.write_all(&[&raw::GREETING[..], raw::READY_PULL].concat())).await.unwrap();
    let reason = events.handshake_failed().await;
    assert!(
        matches!(reason, DisconnectReason::Fault(PeerFault::IncompatibleSocketType { .. })),
        "{reason:?}"
    );
    let said = raw::read_to_end(&mut stranger).await;
    assert_eq!(said[64..], b"\x04\x1f\x05ERROR\x18Incompatible-Socket-Type"[..][..said.len() - 64]);
    assert!(said.len() > 64);
}

/// However it ends, whoever is kept waiting does not keep us waiting.
#[tokio::test]
async fn closing_does_not_wait_for_those_who_are_kept_waiting() {
    for unbind in [false, true] {
        let (bound, _first, mut events, endpoint) = paired().await;
        let mut stranger = raw::connect(&endpoint).await;
        within(stranger.write_all(&[&raw::GREETING[..], READY_PAIR].concat())).await.unwrap();
        events.handshake_failed().await;
        let start = Instant::now();
        if unbind {
            within(bound.unbind(&endpoint)).await.unwrap();
        }
        let _ = within(bound.close()).await;
        assert_eq!(raw::read_to_end(&mut stranger).await.len(), raw::GREETING.len());
        assert!(start.elapsed() < Duration::from_millis(800), "{:?}", start.elapsed());
    }
}

/// READY of a DEALER that names itself "same".
const READY_SAME: &[u8] =
    b"\x04\x2d\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\x04same";

/// A ROUTER that is connected to a DEALER "same", and where that is.
async fn connected() -> (RouterSocket, DealerSocket, Endpoint, Events) {
    let (router, first) = (RouterSocket::new(), DealerSocket::with_options(named("same")));
    let mut events = Events::from(router.monitor());
    let endpoint = first.bind("tcp://127.0.0.1:0").await.unwrap();
    router.connect(&endpoint).unwrap();
    events.ready().await;
    (router, first, endpoint, events)
}

/// A ROUTER that connects can judge a peer only after that was told READY.
#[tokio::test]
async fn what_a_bound_peer_sent_to_a_router_that_turns_it_away_is_counted() {
    let (router, _first, _, mut events) = connected().await;
    let (listener, endpoint) = raw::listener().await;
    router.connect(&endpoint).unwrap();
    let mut second = raw::accept(&listener).await;
    raw::shake_hands(&mut second, READY_SAME).await;
    events.handshake_failed().await;
    // It has not seen the end yet.
    within(second.write_all(&b"\0\x01m".repeat(20))).await.unwrap();
    raw::read_to_end(&mut second).await;
    drop(second);
    eventually(|| router.dropped(DropCause::Discarded) == 20).await;
}

/// The same between two of us, until the name is free.
#[tokio::test]
async fn what_a_bound_dealer_sends_arrives_at_a_router_or_is_counted() {
    const MESSAGES: u64 = 50;
    let (router, _first, at, mut ours) = connected().await;
    let second = DealerSocket::with_options(named("same"));
    let endpoint = second.bind("tcp://127.0.0.1:0").await.unwrap();
    let sending = {
        let second = second.clone();
        tokio::spawn(async move {
            for number in 0..MESSAGES {
                second.send(number.to_string()).await.unwrap();
            }
        })
    };
    router.connect(&endpoint).unwrap();
    for _ in 0..2 {
        let reason = ours.handshake_failed().await;
        let taken = Unwelcome::RoutingIdTaken;
        assert!(matches!(reason, DisconnectReason::TurnedAway(it) if it == taken), "{reason:?}");
    }
    router.disconnect(&at).unwrap();
    within(sending).await.unwrap();
    let mut arrived = 0;
    eventually(|| {
        arrived += u64::from(router.try_recv().is_ok());
        let lost = [DropCause::PeerLeft, DropCause::CutInTransit].map(|it| second.dropped(it));
        arrived + router.dropped(DropCause::Discarded) + lost.iter().sum::<u64>() == MESSAGES
    })
    .await;
}

/// As above: the second that it takes to part is not waited for.
#[tokio::test]
async fn a_router_that_closes_does_not_wait_for_a_peer_that_it_turned_away() {
    let (router, _first, _, mut events) = connected().await;
    let (listener, endpoint) = raw::listener().await;
    router.connect(&endpoint).unwrap();
    // It does not hang up.
    let mut second = raw::accept(&listener).await;
    raw::shake_hands(&mut second, READY_SAME).await;
    events.handshake_failed().await;
    let start = Instant::now();
    let _ = within(router.close()).await;
    assert!(start.elapsed() < Duration::from_millis(800), "{:?}", start.elapsed());
}
