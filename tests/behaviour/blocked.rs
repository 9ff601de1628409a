//! A runtime that is blocked for seconds, by a task that computes or by whoever forgot
//! that it must not: what has come meanwhile is read before a peer is given up for its
//! silence. Each side has a thread and a runtime of its own.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use ferromq::{
    DisconnectReason, Endpoint, Monitor, MonitorEvent, PairSocket, PullSocket, PushSocket,
    SocketOptions,
};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

use crate::common::events::{Events, name};
use crate::common::{Transport, quick, within};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn beating(interval: u64, timeout: u64) -> SocketOptions {
    quick().heartbeat_interval(ms(interval)).heartbeat_timeout(ms(timeout))
}

/// A runtime, and how many threads block it.
#[derive(Debug, Clone, Copy)]
enum Flavor {
    CurrentThread,
    MultiThread(usize),
}

impl Flavor {
    const ALL: [Self; 3] = [Self::CurrentThread, Self::MultiThread(1), Self::MultiThread(2)];

    fn runtime(self) -> Runtime {
        match self {
            Self::CurrentThread => Builder::new_current_thread().enable_all().build().unwrap(),
            Self::MultiThread(workers) => {
                Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap()
            }
        }
    }

    /// Blocks all of its threads for so long. Called in a task of its own.
    async fn block(self, time: Duration) {
        let workers = match self {
            Self::CurrentThread => return thread::sleep(time),
            Self::MultiThread(workers) => workers,
        };
        let all = Arc::new(Barrier::new(workers));
        let block = |_| {
            let all = Arc::clone(&all);
            tokio::spawn(async move {
                all.wait();
                thread::sleep(time);
            })
        };
        for task in (0..workers).map(block).collect::<Vec<_>>() {
            task.await.unwrap();
        }
    }
}

/// Runs all of these at once, each in a thread of its own.
fn all_at_once<T: Send>(cases: impl IntoIterator<Item = T>, run: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| run(case));
        }
    });
}

/// What has happened to the connections of a socket so far.
async fn so_far(monitor: &mut Monitor) -> Vec<String> {
    let mut events = Vec::new();
    while let Ok(event) = timeout(Duration::ZERO, monitor.recv()).await {
        events.push(name(&event.expect("the socket lives")));
    }
    events
}

/// Of the one that is blocked: what it wants of its peer.
const PATIENCE: (u64, u64) = (100, 200);

/// For how long it is blocked: many times as long.
const BLOCKED: Duration = ms(1500);

/// What the healthy one does. It is patient in any case: what it does if it is not,
/// is another test.
#[derive(Debug, Clone, Copy)]
enum Healthy {
    /// Says nothing but what it is asked.
    Answers,
    /// Sends PINGs, so that octets wait for whoever is blocked; they ask for a TTL, which
    /// is another clock that runs out.
    Beats,
}

impl Healthy {
    fn options(self) -> SocketOptions {
        match self {
            Self::Answers => quick(),
            Self::Beats => beating(50, 60_000).heartbeat_ttl(ms(300)),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Case {
    flavor: Flavor,
    transport: Transport,
    healthy: Healthy,
    is_bound: bool,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for flavor in Flavor::ALL {
        for transport in Transport::STREAMS {
            for healthy in [Healthy::Answers, Healthy::Beats] {
                for is_bound in [false, true] {
                    cases.push(Case { flavor, transport, healthy, is_bound });
                }
            }
        }
    }
    cases
}

/// One binds and the other connects.
async fn join(socket: &PairSocket, at: &Endpoint, is_bound: bool) -> Events {
    let events = Events::from(socket.monitor());
    match is_bound {
        true => drop(socket.bind(at).await.unwrap()),
        false => socket.connect(at).unwrap(),
    }
    events
}

#[test]
fn one_that_was_blocked_does_not_give_up_a_healthy_peer() {
    all_at_once(cases(), |case| {
        let at = case.transport.known();
        thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = Flavor::CurrentThread.runtime();
                runtime.block_on(answer(
                    PairSocket::with_options(case.healthy.options()),
                    &at,
                    !case.is_bound,
                ));
            });
            case.flavor.runtime().block_on(async {
                tokio::spawn(be_blocked(case, at.clone())).await.unwrap();
            });
        });
    });
}

/// The healthy side sends back what it receives, until it is told to end.
async fn answer(socket: PairSocket, at: &Endpoint, is_bound: bool) {
    drop(join(&socket, at, is_bound).await);
    loop {
        let message = within(socket.recv()).await.unwrap();
        let is_end = message == "end".into();
        within(socket.send(message)).await.unwrap();
        if is_end {
            within(socket.close()).await;
            return;
        }
    }
}

/// The side that is blocked now and then.
async fn be_blocked(case: Case, at: Endpoint) {
    let socket = PairSocket::with_options(beating(PATIENCE.0, PATIENCE.1));
    let mut monitor = socket.monitor();
    join(&socket, &at, case.is_bound).await.ready().await;
    let _ = so_far(&mut monitor).await;
    for number in 0..2 {
        let question = number.to_string();
        within(socket.send(&*question)).await.unwrap();
        case.flavor.block(BLOCKED).await;
        assert_eq!(within(socket.recv()).await.unwrap(), question.into(), "{case:?}");
        // Its clocks run out now, if they do at all.
        sleep(ms(2 * PATIENCE.1 + PATIENCE.0)).await;
        assert_eq!(so_far(&mut monitor).await, [""; 0], "{case:?}");
    }
    within(socket.send("end")).await.unwrap();
    assert_eq!(within(socket.recv()).await.unwrap(), "end".into(), "{case:?}");
    within(socket.close()).await;
}

/// Who is healthy cannot know that the other is merely blocked: it gives it up when its
/// own time is over, dials it again, and what it accepts meanwhile arrives.
#[test]
fn a_healthy_peer_gives_up_one_that_is_blocked_and_comes_back() {
    let cases =
        Flavor::ALL.into_iter().flat_map(|flavor| Transport::STREAMS.map(|it| (flavor, it)));
    all_at_once(cases, |(flavor, transport)| {
        let (at, case) = (transport.known(), format!("{flavor:?}, {transport:?}"));
        let (given_up, is_given_up) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                Flavor::CurrentThread.runtime().block_on(lose_patience(&at, given_up, &case));
            });
            flavor.runtime().block_on(async {
                let received = receive_after_a_block(flavor, at.clone());
                tokio::spawn(received).await.unwrap();
            });
            // It did not wait until the other was there again.
            is_given_up.recv().unwrap();
        });
    });
}

/// How many messages are sent while the other is blocked.
const MEANWHILE: usize = 100;

async fn lose_patience(at: &Endpoint, given_up: std::sync::mpsc::Sender<()>, case: &str) {
    let options = beating(50, 200).handshake_timeout(ms(500));
    let push = PushSocket::with_options(options);
    let mut events = Events::from(push.monitor());
    push.connect(at).unwrap();
    events.ready().await;
    within(push.send("block")).await.unwrap();
    let reason = events.disconnected().await;
    assert!(matches!(reason, DisconnectReason::HeartbeatTimeout), "{case}: {reason:?}");
    given_up.send(()).unwrap();
    for number in 0..MEANWHILE {
        within(push.send(number.to_string())).await.unwrap();
    }
    events.ready().await;
    assert_eq!(within(push.close()).await.undelivered, 0, "{case}");
}

async fn receive_after_a_block(flavor: Flavor, at: Endpoint) {
    let pull = PullSocket::new();
    pull.bind(&at).await.unwrap();
    assert_eq!(within(pull.recv()).await.unwrap(), "block".into());
    flavor.block(BLOCKED).await;
    for number in 0..MEANWHILE {
        assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
    }
}

/// Handshakes that are cut short by a block, wherever they are at that moment.
#[cfg(all(feature = "plain", feature = "curve"))]
mod handshakes {
    use ferromq::{Candidate, CurveKeypair, Verdict};

    use super::*;

    /// What the blocked side allows for a handshake, and how much longer it is blocked.
    const LIMIT: Duration = ms(1000);
    const BLOCKED: Duration = ms(2500);

    #[derive(Debug, Clone, Copy)]
    enum Mechanism {
        Null,
        Plain,
        Curve,
    }

    impl Mechanism {
        /// The options of a server and of its client.
        fn options(self) -> [SocketOptions; 2] {
            let allow = |_: &Candidate| Verdict::accept();
            match self {
                Self::Null => [quick(), quick()],
                Self::Plain => {
                    [quick().plain_server(allow), quick().plain_client("name", "password")]
                }
                Self::Curve => {
                    let [server, client] = [(); 2].map(|()| CurveKeypair::generate().unwrap());
                    let key = *server.public();
                    [quick().curve_server(server, allow), quick().curve_client(client, key)]
                }
            }
        }
    }

    /// The octets of the other side wait in the socket, and more will come as soon as
    /// these are answered: it is not to blame.
    #[test]
    fn a_handshake_that_a_block_interrupts_goes_on() {
        let mut cases = Vec::new();
        for mechanism in [Mechanism::Null, Mechanism::Plain, Mechanism::Curve] {
            for is_bound in [false, true] {
                cases.extend([0, 1, 2, 4, 8].map(|turns| (mechanism, is_bound, turns)));
            }
        }
        all_at_once(cases, |(mechanism, is_bound, turns)| {
            let (at, [server, client]) = (Transport::Tcp.known(), mechanism.options());
            let (mine, theirs) = if is_bound { (server, client) } else { (client, server) };
            let case = format!("{mechanism:?}, bound: {is_bound}, after {turns} turns");
            thread::scope(|scope| {
                scope.spawn(|| {
                    let socket = PairSocket::with_options(theirs);
                    Flavor::CurrentThread.runtime().block_on(answer(socket, &at, !is_bound));
                });
                let socket = PairSocket::with_options(mine.handshake_timeout(LIMIT));
                let runtime = Flavor::CurrentThread.runtime();
                runtime.block_on(be_blocked(socket, &at, is_bound, turns, &case));
            });
        });
    }

    async fn be_blocked(
        socket: PairSocket,
        at: &Endpoint,
        is_bound: bool,
        turns: usize,
        case: &str,
    ) {
        let mut events = join(&socket, at, is_bound).await;
        let has_begun = |event: MonitorEvent| {
            let has_begun =
                matches!(event, MonitorEvent::Connected { .. } | MonitorEvent::Accepted { .. });
            has_begun.then_some(())
        };
        events.find(has_begun).await;
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        thread::sleep(BLOCKED);
        let next = name(&events.next().await);
        assert_eq!(next, "ready", "{case}");
        within(socket.send("end")).await.unwrap();
        assert_eq!(within(socket.recv()).await.unwrap(), "end".into(), "{case}");
        within(socket.close()).await;
    }
}
