//! How many connections a bound endpoint has: one beyond the limit is turned away,
//! and gets in with all it has when another leaves.

use std::time::Duration;

use ferromq::{
    DealerSocket, DisconnectReason, DropCause, Endpoint, PullSocket, PushSocket, SocketOptions,
    Unwelcome,
};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::common::events::Events;
use crate::common::{Transport, eventually, raw, within};
use crate::refusing::is_refused;

/// What the peer is told.
const TOLD: &str = "Too-Many-Connections";

/// The options of the side that binds, and of those that connect.
type Sides = (SocketOptions, SocketOptions);

fn null() -> Sides {
    (SocketOptions::new(), SocketOptions::new())
}

#[cfg(feature = "plain")]
fn plain() -> Sides {
    let users = ferromq::UserList::new([("user", "secret")]);
    let client = SocketOptions::new().plain_client("user", "secret");
    (SocketOptions::new().plain_server(users), client)
}

#[cfg(feature = "curve")]
fn curve() -> Sides {
    use ferromq::{CurveKeypair, Policy};
    let [server, client] = [(); 2].map(|()| CurveKeypair::generate().unwrap());
    let key = *server.public();
    let server = SocketOptions::new().curve_server(server, Policy::allow_any());
    (server, SocketOptions::new().curve_client(client, key))
}

async fn a_third_gets_in_when_one_of_two_leaves(transport: Transport, (ours, theirs): Sides) {
    let pull = PullSocket::with_options(ours.max_connections(2));
    let [first, second, third] = [(); 3].map(|()| PushSocket::with_options(theirs.clone()));
    let (mut ours, mut theirs) = (Events::from(pull.monitor()), Events::from(third.monitor()));
    let endpoint = pull.bind(transport.any()).await.unwrap();
    first.connect(&endpoint).unwrap();
    second.connect(&endpoint).unwrap();
    ours.all_ready(2).await;
    third.connect(&endpoint).unwrap();
    for number in 0..50 {
        within(third.send(number.to_string())).await.unwrap();
    }
    is_refused(&mut ours, &mut theirs, Unwelcome::TooManyConnections { limit: 2 }, TOLD).await;
    // The others are none the worse.
    for socket in [&first, &second] {
        within(socket.send("here")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "here".into());
    }
    let _ = within(first.close()).await;
    for number in 0..50 {
        assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
    }
    within(second.send("still")).await.unwrap();
    assert_eq!(within(pull.recv()).await.unwrap(), "still".into());
    for cause in DropCause::ALL {
        assert_eq!((pull.dropped(cause), third.dropped(cause)), (0, 0), "{cause:?}");
    }
}

#[tokio::test]
async fn beyond_the_limit_a_newcomer_waits_until_another_leaves() {
    tokio::join!(
        a_third_gets_in_when_one_of_two_leaves(Transport::Tcp, null()),
        a_third_gets_in_when_one_of_two_leaves(Transport::Ipc, null()),
    );
}

#[cfg(feature = "plain")]
#[tokio::test]
async fn with_plain_beyond_the_limit_a_newcomer_waits_until_another_leaves() {
    a_third_gets_in_when_one_of_two_leaves(Transport::Tcp, plain()).await;
}

#[cfg(feature = "curve")]
#[tokio::test]
async fn with_curve_beyond_the_limit_a_newcomer_waits_until_another_leaves() {
    a_third_gets_in_when_one_of_two_leaves(Transport::Tcp, curve()).await;
}

/// A client has said all of itself before it knows who is there: what the peer
/// sends on that is counted.
#[cfg(feature = "curve")]
#[tokio::test]
async fn a_client_that_is_bound_has_no_more_connections_either() {
    let (server, client) = curve();
    let pull = PullSocket::with_options(client.max_connections(1));
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let [first, second] = [(); 2].map(|()| PushSocket::with_options(server.clone()));
    first.connect(&endpoint).unwrap();
    events.ready().await;
    second.connect(&endpoint).unwrap();
    within(second.send("early")).await.unwrap();
    let reason = events.handshake_failed().await;
    let full = Unwelcome::TooManyConnections { limit: 1 };
    assert!(matches!(reason, DisconnectReason::TurnedAway(why) if why == full), "{reason:?}");
    let cut = || second.dropped(DropCause::CutInTransit);
    eventually(|| pull.dropped(DropCause::Discarded) + cut() == 1).await;
    within(first.send("here")).await.unwrap();
    assert_eq!(within(pull.recv()).await.unwrap(), "here".into());
}

/// libzmq never dials again after an ERROR, so it is told nothing.
#[tokio::test]
async fn a_stranger_beyond_the_limit_is_closed_after_a_second() {
    let pull = PullSocket::with_options(SocketOptions::new().max_connections(1));
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut first = raw::connect(&endpoint).await;
    raw::shake_hands(&mut first, raw::READY_PUSH).await;
    events.ready().await;
    let mut second = raw::connect(&endpoint).await;
    let start = Instant::now();
    let said = [&raw::GREETING[..], raw::READY_PUSH, b"\0\x05early"].concat();
    within(second.write_all(&said)).await.unwrap();
    events.handshake_failed().await;
    assert_eq!(raw::read_to_end(&mut second).await.len(), raw::GREETING.len());
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    eventually(|| pull.dropped(DropCause::Discarded) == 1).await;
    within(first.write_all(b"\0\x04here")).await.unwrap();
    assert_eq!(within(pull.recv()).await.unwrap(), "here".into());
    // However the first ends, its place is free.
    drop(first);
    events.disconnected().await;
    let mut third = raw::connect(&endpoint).await;
    raw::shake_hands(&mut third, raw::READY_PUSH).await;
    events.ready().await;
}

/// Where to connect from, and to.
fn from(source: &str, endpoint: &Endpoint) -> String {
    format!("tcp://{source}:0;127.0.0.1:{}", endpoint.port().unwrap())
}

// All of 127.0.0.0/8 is this machine there.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_has_its_share_leaves_the_others_theirs() {
    let options = SocketOptions::new().max_connections_per_address(1);
    let pull = PullSocket::with_options(options);
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let [first, second, other] = [(); 3].map(|()| PushSocket::new());
    first.connect(&*from("127.0.0.1", &endpoint)).unwrap();
    events.ready().await;
    second.connect(&*from("127.0.0.1", &endpoint)).unwrap();
    let reason = events.handshake_failed().await;
    let full = Unwelcome::TooManyConnectionsOfAddress { limit: 1 };
    assert!(matches!(reason, DisconnectReason::TurnedAway(why) if why == full), "{reason:?}");
    other.connect(&*from("127.0.0.2", &endpoint)).unwrap();
    events.ready().await;
    for socket in [&first, &other] {
        within(socket.send("here")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "here".into());
    }
    let _ = within(first.close()).await;
    within(second.send("in")).await.unwrap();
    assert_eq!(within(pull.recv()).await.unwrap(), "in".into());
}

#[tokio::test]
async fn all_of_ipc_is_one_address() {
    let pull = PullSocket::with_options(SocketOptions::new().max_connections_per_address(1));
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("ipc://*").await.unwrap();
    let [first, second] = [(); 2].map(|()| PushSocket::new());
    first.connect(&endpoint).unwrap();
    events.ready().await;
    second.connect(&endpoint).unwrap();
    let reason = events.handshake_failed().await;
    let full = Unwelcome::TooManyConnectionsOfAddress { limit: 1 };
    assert!(matches!(reason, DisconnectReason::TurnedAway(why) if why == full), "{reason:?}");
}

/// Many at the same moment, on several threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_race_admits_one_too_many() {
    const PLACES: usize = 5;
    const PEERS: usize = 60;
    let dealer = DealerSocket::with_options(SocketOptions::new().max_connections(PLACES));
    let mut events = Events::from(dealer.monitor());
    let endpoint = dealer.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut peers = Vec::new();
    for _ in 0..PEERS {
        let mut peer = raw::connect(&endpoint).await;
        within(peer.write_all(&raw::GREETING)).await.unwrap();
        peers.push(peer);
    }
    for peer in &mut peers {
        peer.write_all(raw::READY_ROUTER).await.unwrap();
    }
    let (mut admitted, mut refused) = (0, 0);
    while admitted + refused < PEERS {
        match events.next().await {
            ferromq::MonitorEvent::Ready { .. } => admitted += 1,
            ferromq::MonitorEvent::HandshakeFailed { reason, .. } => {
                let full = Unwelcome::TooManyConnections { limit: PLACES };
                assert!(matches!(reason, DisconnectReason::TurnedAway(why) if why == full));
                refused += 1;
            }
            _ => {}
        }
    }
    assert_eq!((admitted, refused), (PLACES, PEERS - PLACES));
}

/// Each endpoint that is bound counts by itself, and what we dial does not count.
#[tokio::test]
async fn each_endpoint_has_places_of_its_own() {
    let dealer = DealerSocket::with_options(SocketOptions::new().max_connections(1));
    let mut events = Events::from(dealer.monitor());
    let mut peers = Vec::new();
    for transport in [Transport::Tcp, Transport::Tcp, Transport::Ipc] {
        let [accepted, dialled] = [(); 2].map(|()| DealerSocket::new());
        accepted.connect(dealer.bind(transport.any()).await.unwrap()).unwrap();
        dealer.connect(dialled.bind(transport.any()).await.unwrap()).unwrap();
        peers.extend([accepted, dialled]);
    }
    events.all_ready(peers.len()).await;
}
