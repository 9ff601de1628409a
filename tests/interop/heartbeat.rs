//! Heartbeats: idle connections stay, silent peers are given up.

use std::time::Duration;

use ferromq::{DealerSocket, DisconnectReason, Monitor, MonitorEvent, SocketOptions, SocketType};
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep, timeout_at};

use crate::pair::{Case, Heartbeat, Pair, Transport};
use crate::peer::Remote;
use crate::{event, interop, interop_on, within};

const INTERVAL: Duration = Duration::from_millis(50);
const TTL: Duration = Duration::from_secs(1);

#[test]
fn idle_pairs_stay_connected_for_longer_than_the_timeout() {
    interop(async |mut peer| {
        // One side alone sends PING: only PONG is a sign of life then.
        let timeout = Duration::from_secs(3);
        let ours = Heartbeat { ours: Some(INTERVAL), theirs: None, timeout };
        let theirs = Heartbeat { ours: None, theirs: Some(INTERVAL), timeout };
        let mut pairs = Vec::new();
        for case in Case::all(true).chain(Case::all(false)) {
            let heartbeat = if case.we_bind { ours } else { theirs };
            pairs.push(Pair::open(case, &mut peer, case.transport.anywhere(), heartbeat).await);
        }
        stay_while_idle(pairs, timeout + 10 * INTERVAL).await;
    });
}

/// Nothing happens to them for so long, and then they still talk.
pub(crate) async fn stay_while_idle(mut pairs: Vec<Pair>, how_long: Duration) {
    // No settling: this is the time in which a PONG that is missing would end its
    // connection.
    let end = Instant::now() + how_long;
    for pair in &mut pairs {
        if let Ok(event) = timeout_at(end, pair.monitor.recv()).await {
            panic!("{}: while idle: {event:?}", pair.case);
        }
    }
    for pair in pairs {
        assert!(!pair.they_disconnected().await, "{}: libzmq gave up", pair.case);
        pair.exchange(&"still here".into()).await;
        pair.close().await;
    }
}

#[test]
fn we_give_up_a_libzmq_that_does_not_answer() {
    interop(async |mut peer| {
        for transport in [Transport::Tcp, Transport::Ipc] {
            let theirs = peer.socket(SocketType::Dealer, "").await;
            let options = SocketOptions::new().heartbeat_interval(INTERVAL).heartbeat_timeout(TTL);
            let (ours, mut monitor) = connect(options, &theirs, transport).await;
            peer.signal("STOP").await;
            gives_up(&mut monitor).await;
            peer.signal("CONT").await;
            talk_again(&ours, &theirs, &mut monitor).await;
        }
    });
}

#[test]
fn we_give_up_a_libzmq_after_the_ttl_it_asked_for() {
    interop(async |mut peer| {
        // The timeout is long: it is not for libzmq to give up.
        let options = format!(
            "HEARTBEAT_IVL={} HEARTBEAT_TTL={} HEARTBEAT_TIMEOUT=60000",
            INTERVAL.as_millis(),
            TTL.as_millis()
        );
        let theirs = peer.socket(SocketType::Dealer, &options).await;
        let (ours, mut monitor) = connect(SocketOptions::new(), &theirs, Transport::Tcp).await;
        let silence = async {
            loop {
                // In this time it is to send the PING that carries the TTL; if
                // it was too slow, once more.
                sleep(4 * INTERVAL).await;
                peer.signal("STOP").await;
                let given_up = tokio::time::timeout(4 * TTL, gives_up(&mut monitor)).await;
                peer.signal("CONT").await;
                if given_up.is_ok() {
                    return;
                }
            }
        };
        within("we give it up", silence).await;
        talk_again(&ours, &theirs, &mut monitor).await;
    });
}

#[test]
fn libzmq_gives_us_up_after_the_ttl_we_ask_for() {
    // On this runtime our sockets are silent while the thread sleeps.
    interop_on(&mut Builder::new_current_thread(), async |mut peer| {
        let theirs = peer.socket(SocketType::Dealer, "").await;
        // The timeout is long: it is not for us to give up.
        let options = SocketOptions::new()
            .heartbeat_interval(INTERVAL)
            .heartbeat_timeout(Duration::from_secs(60))
            .heartbeat_ttl(TTL);
        let (ours, mut monitor) = connect(options, &theirs, Transport::Tcp).await;
        let silence = async {
            loop {
                // In this time we send the PING that carries the TTL; if it
                // was too slow, once more.
                sleep(4 * INTERVAL).await;
                std::thread::sleep(3 * TTL);
                if theirs.event("DISCONNECTED", INTERVAL).await {
                    return;
                }
            }
        };
        within("libzmq gives us up", silence).await;
        talk_again(&ours, &theirs, &mut monitor).await;
    });
}

/// Connects to their socket and waits for the handshake.
async fn connect(
    options: SocketOptions,
    theirs: &Remote,
    transport: Transport,
) -> (DealerSocket, Monitor) {
    let ours = DealerSocket::with_options(options);
    let mut monitor = ours.monitor();
    ours.connect(theirs.bind(transport.anywhere()).await).expect("connect");
    ready(&mut monitor).await;
    (ours, monitor)
}

async fn ready(monitor: &mut Monitor) {
    let is_ready = |event: &MonitorEvent| matches!(event, MonitorEvent::Ready { .. }).then_some(());
    event("the handshake", monitor, is_ready).await;
}

/// Waits until a connection ends, which must be for silence.
async fn gives_up(monitor: &mut Monitor) {
    let reason = event("the end of the connection", monitor, |event| match event {
        MonitorEvent::Disconnected { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    let reason = reason.await;
    assert!(matches!(reason, DisconnectReason::HeartbeatTimeout), "{reason}");
}

/// Waits until the connection is there again, and uses it.
async fn talk_again(ours: &DealerSocket, theirs: &Remote, monitor: &mut Monitor) {
    ready(monitor).await;
    ours.send("again").await.expect("send");
    theirs.expect("again").await;
}
