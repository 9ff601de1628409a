//! The sockets to attack, and the probe that shows they are well.

use std::time::Duration;

use ferromq::{
    DisconnectReason, Endpoint, Message, Monitor, MonitorEvent, PullSocket, PushSocket,
    SocketOptions,
};
use tokio::net::TcpListener;

use crate::raw::Raw;

/// How long anything may take on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(30);

/// How many messages a probe exchanges.
pub(crate) const PROBES: usize = 100;

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("it takes too long")
}

/// Looks again and again until the condition holds.
pub(crate) async fn eventually(mut condition: impl FnMut() -> bool) {
    within(async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// Who connects.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    Bound,
    Connecting,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Bound, Self::Connecting];
}

/// A PULL that good peers reach at `endpoint`, and an attacker on its way to it.
pub(crate) struct Scene {
    pub(crate) pull: PullSocket,
    pub(crate) monitor: Monitor,
    pub(crate) endpoint: Endpoint,
    pub(crate) raw: Raw,
}

/// Brings a victim and an attacker together; nothing is said yet.
pub(crate) async fn meet(side: Side, options: &SocketOptions) -> Scene {
    let pull = PullSocket::with_options(options.clone());
    let monitor = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let raw = match side {
        Side::Bound => Raw::connect(&endpoint).await,
        Side::Connecting => {
            let (listener, attacker) = listen().await;
            pull.connect(attacker).unwrap();
            Raw::accept(&listener).await
        }
    };
    Scene { pull, monitor, endpoint, raw }
}

/// A listener for victims that connect, and its endpoint.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}

/// How a connection of the victim ended.
#[derive(Debug)]
pub(crate) enum End {
    Handshake(DisconnectReason),
    Traffic(DisconnectReason),
}

/// Waits until a connection of the victim ends.
pub(crate) async fn next_end(monitor: &mut Monitor) -> End {
    loop {
        match within(monitor.recv()).await.expect("the socket lives") {
            MonitorEvent::HandshakeFailed { reason, .. } => return End::Handshake(reason),
            MonitorEvent::Disconnected { reason, .. } => return End::Traffic(reason),
            _ => {}
        }
    }
}

/// Waits until a handshake of the victim is done.
pub(crate) async fn next_ready(monitor: &mut Monitor) {
    loop {
        match within(monitor.recv()).await.expect("the socket lives") {
            MonitorEvent::Ready { .. } => return,
            MonitorEvent::HandshakeFailed { reason, .. } => panic!("handshake failed: {reason}"),
            _ => {}
        }
    }
}

/// A good peer sends 100 messages, and all of them are received; says what else
/// was.
pub(crate) async fn probe(pull: &PullSocket, endpoint: &Endpoint) -> Vec<Message> {
    let push = PushSocket::new();
    push.connect(endpoint).unwrap();
    for number in 0..PROBES {
        within(push.send(format!("probe {number}"))).await.unwrap();
    }
    let mut others = Vec::new();
    let mut seen = 0;
    while seen < PROBES {
        let message = within(pull.recv()).await.expect("a peer never fails a call");
        if message == format!("probe {seen}").into() {
            seen += 1;
        } else {
            others.push(message);
        }
    }
    assert_eq!(within(push.close()).await.undelivered, 0);
    others
}
