//! A hundred peers that send all they can, and one that wants an answer in time.
//!
//! The hundred are in a process of their own, one thread of it, so that what they
//! cost is the victim's work and not theirs. The good peer is a blocking thread of
//! this process with a bare stream: its round trips go through the victim's
//! application and nothing else of ours.
//! ```text
//! cargo test --release --test hostile fairness -- --nocapture
//! FERROMQ_FAIRNESS=10 cargo test --release --test hostile fairness -- --nocapture
//! ```
//! The first says what it has measured; the second takes ten times as many rounds,
//! of every victim with every kind of flood, on both kinds of runtime.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ferromq::{
    Endpoint, Message, Monitor, MonitorEvent, PullSocket, RepSocket, RouterSocket, SocketOptions,
    XPubSocket,
};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Builder;

use crate::raw::{COMMAND, MORE, command, frame, noise, prelude};

/// What is not optimised takes ten times as long.
const IS_SLOW: bool = cfg!(debug_assertions);

const ATTACKERS: usize = if IS_SLOW { 20 } else { 100 };
const ROUND_TRIPS: usize = if IS_SLOW { 30 } else { 300 };

/// What the 99th of a hundred round trips may take here, where the other tests run at
/// the same time. On two cores that have nothing else to do it is to be less than 20 ms,
/// and was 9.5 ms at most (2026-11-27, each victim with all kinds at once, REP with each by
/// itself); a peer that everybody waits for would make it seconds.
const BOUND: Duration = Duration::from_millis(if IS_SLOW { 500 } else { 60 });

/// How long a single round trip may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Held by the one that measures: two floods would be a hundred peers more.
static TURN: Mutex<()> = Mutex::new(());

/// Names the threads of each measurement.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// Tells a process of this test what it is to do.
const FLOOD: &str = "FERROMQ_HOSTILE_FLOOD";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Rep,
    Router,
    Pull,
    XPub,
}

impl Victim {
    const ALL: [Self; 4] = [Self::Rep, Self::Router, Self::Pull, Self::XPub];

    /// The type of its peers.
    fn peer(self) -> &'static str {
        match self {
            Self::Rep | Self::Router => "DEALER",
            Self::Pull => "PUSH",
            Self::XPub => "XSUB",
        }
    }
}

/// What they send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flood {
    /// Subscriptions and cancellations, a thousand topics each.
    Churn,
    /// Ever more topics, until they are thrown out, and again.
    Hoard,
    Pings,
    /// Frames of any size and commands of any name, in the right form.
    Garbage,
    /// Messages of nothing.
    Tiny,
    /// Messages of a million frames with nothing in them.
    Frames,
    /// Each of them something else.
    Mixed,
}

impl Flood {
    /// Those of which an answer is due in [`BOUND`].
    const KINDS: [Self; 5] = [Self::Churn, Self::Hoard, Self::Pings, Self::Garbage, Self::Tiny];

    fn parse(name: &str) -> Self {
        let all = [&Self::KINDS[..], &[Self::Frames, Self::Mixed]].concat();
        all.into_iter().find(|flood| format!("{flood:?}") == name).expect("a kind of flood")
    }

    /// What the attacker of this number sends.
    fn of(self, number: usize) -> Self {
        if self == Self::Mixed { Self::KINDS[number % Self::KINDS.len()] } else { self }
    }

    /// What the attacker of this number sends in turn, some dozens of KiB at a time.
    fn chunks(self, number: usize) -> Vec<Vec<u8>> {
        let topics = |name, chunk: usize| {
            let topic = |index| command(name, format!("{number}/{chunk}/{index}"));
            (0..1000).flat_map(topic).collect()
        };
        match self {
            Self::Churn => vec![topics("SUBSCRIBE", 0), topics("CANCEL", 0)],
            Self::Hoard => (0..11).map(|chunk| topics("SUBSCRIBE", chunk)).collect(),
            Self::Pings => vec![command("PING", b"\0\x0asixteen octets!!").repeat(2000)],
            Self::Garbage => (0..4).map(|seed| garbage((4 * number + seed) as u64)).collect(),
            // An envelope and an empty frame are a request.
            Self::Tiny => vec![[frame(MORE, ""), frame(0, "")].concat().repeat(8000)],
            Self::Frames => {
                let part = frame(MORE, "").repeat(10_000);
                let last = [&part[2..], &frame(0, "")].concat();
                [vec![part; 99], vec![last]].concat()
            }
            Self::Mixed => unreachable!("each sends something else"),
        }
    }
}

fn garbage(seed: u64) -> Vec<u8> {
    let mut octets = Vec::new();
    for pair in noise(seed.wrapping_mul(0x9e37_79b9) + 1, 2000).chunks(2) {
        let body = noise(u64::from(pair[1]), usize::from(pair[1]));
        octets.extend(match pair[0] % 4 {
            0 => frame(0, body),
            1 => [frame(MORE, &body), frame(0, "")].concat(),
            2 => command("WHATEVER", body),
            _ => frame(COMMAND, [&b"\x01J"[..], &body].concat()),
        });
    }
    octets
}

/// The process of the attackers; it ends with this.
struct Attackers(Child);

impl Attackers {
    fn against(endpoint: &Endpoint, victim: Victim, flood: Flood) -> Self {
        let what = format!("{} {} {flood:?}", endpoint.port().unwrap(), victim.peer());
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "fairness::flood", "--nocapture"])
            .env(FLOOD, what)
            .stdout(Stdio::null())
            .spawn();
        Self(child.expect("the test runs itself"))
    }
}

impl Drop for Attackers {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The attackers, in a process that another test has started.
#[test]
fn flood() {
    let Ok(what) = std::env::var(FLOOD) else { return };
    let [port, peer, flood] = what.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let (port, flood): (u16, _) = (port.parse().unwrap(), Flood::parse(flood));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let prepare = |number| (prelude(peer), flood.of(number).chunks(number));
    let prepared: Vec<_> = (0..ATTACKERS).map(prepare).collect();
    runtime.block_on(async {
        for (prelude, chunks) in prepared {
            tokio::spawn(attack(port, prelude, chunks));
        }
        std::future::pending::<()>().await;
    });
}

/// Sends without end, and comes back when it is thrown out.
async fn attack(port: u16, prelude: Vec<u8>, chunks: Vec<Vec<u8>>) {
    loop {
        let Ok(mut stream) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await else {
            continue;
        };
        let mut result = stream.write_all(&prelude).await;
        for chunk in chunks.iter().cycle() {
            if result.is_err() {
                break;
            }
            // One after the other, so that all of them get to send.
            tokio::task::yield_now().await;
            result = stream.write_all(chunk).await;
        }
    }
}

/// What the application of a victim and the good peer have between them.
#[derive(Clone, Default)]
struct Shared {
    /// What the good peer waits for.
    expected: Arc<AtomicUsize>,
    /// The last of it that PULL has received, which has no way to answer.
    pulled: Arc<AtomicUsize>,
}

/// The number in what the good peer sends.
fn number(message: &Message) -> Option<usize> {
    let body = std::str::from_utf8(message.first()).ok()?;
    body.strip_prefix("good ")?.parse().ok()
}

/// Begins to serve.
async fn serve(victim: Victim, shared: Shared) -> (Endpoint, Monitor) {
    let options = SocketOptions::for_untrusted_peers();
    let anywhere = "tcp://127.0.0.1:*";
    match victim {
        Victim::Rep => {
            let rep = RepSocket::with_options(options);
            let begun = (rep.bind(anywhere).await.unwrap(), rep.monitor());
            tokio::spawn(async move {
                while let Ok(request) = rep.recv().await {
                    let _ = rep.send(request).await;
                }
            });
            begun
        }
        Victim::Router => {
            let router = RouterSocket::with_options(options);
            let begun = (router.bind(anywhere).await.unwrap(), router.monitor());
            tokio::spawn(async move {
                while let Ok((peer, message)) = router.recv().await {
                    if number(&message).is_some() {
                        let _ = router.send_to(&peer, message).await;
                    }
                }
            });
            begun
        }
        Victim::Pull => {
            let pull = PullSocket::with_options(options);
            let begun = (pull.bind(anywhere).await.unwrap(), pull.monitor());
            tokio::spawn(async move {
                while let Ok(message) = pull.recv().await {
                    if let Some(number) = number(&message) {
                        shared.pulled.store(number, Ordering::SeqCst);
                    }
                }
            });
            begun
        }
        Victim::XPub => {
            let publisher = XPubSocket::with_options(options);
            let begun = (publisher.bind(anywhere).await.unwrap(), publisher.monitor());
            let hearing = publisher.clone();
            tokio::spawn(async move { while hearing.recv().await.is_ok() {} });
            tokio::spawn(async move {
                let mut ticks = tokio::time::interval(Duration::from_millis(1));
                loop {
                    ticks.tick().await;
                    let body = format!("good {}", shared.expected.load(Ordering::SeqCst));
                    let _ = publisher.send(body).await;
                }
            });
            begun
        }
    }
}

/// A peer that wants an answer to each message; of XPUB, the first message to each
/// topic, once a millisecond.
struct Good {
    stream: TcpStream,
    victim: Victim,
    shared: Shared,
    workers: Workers,
}

impl Good {
    fn join(endpoint: &Endpoint, victim: Victim, shared: Shared, workers: Workers) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", endpoint.port().unwrap())).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&prelude(victim.peer())).unwrap();
        stream.read_exact(&mut [0; 64]).unwrap();
        let mut good = Self { stream, victim, shared, workers };
        good.frame();
        good
    }

    /// The body of the next frame.
    fn frame(&mut self) -> Vec<u8> {
        let mut header = [0; 2];
        self.stream.read_exact(&mut header).expect("an answer");
        let mut body = vec![0; usize::from(header[1])];
        self.stream.read_exact(&mut body).expect("an answer");
        if body.starts_with(b"\x04PING") {
            self.stream.write_all(&command("PONG", "")).unwrap();
        }
        body
    }

    fn round_trip(&mut self, number: usize) -> Duration {
        let body = format!("good {number}");
        let octets = match self.victim {
            Victim::Rep => [frame(MORE, ""), frame(0, &body)].concat(),
            Victim::XPub => command("SUBSCRIBE", &body),
            Victim::Router | Victim::Pull => frame(0, &body),
        };
        self.shared.expected.store(number, Ordering::SeqCst);
        let (start, waited) = (Instant::now(), self.workers.waited());
        self.stream.write_all(&octets).unwrap();
        match self.victim {
            Victim::Pull => self.await_pulled(number),
            _ => while self.frame() != body.as_bytes() {},
        }
        let took = start.elapsed();
        // Not for a processor that others have.
        let took = took.saturating_sub(self.workers.waited() - waited);
        if self.victim == Victim::XPub {
            self.stream.write_all(&command("CANCEL", &body)).unwrap();
        }
        took
    }

    fn await_pulled(&self, number: usize) {
        let start = Instant::now();
        while self.shared.pulled.load(Ordering::SeqCst) != number {
            assert!(start.elapsed() < PATIENCE, "it does not arrive");
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    /// So long took the 99th of a hundred, of a round.
    fn p99(&mut self, round: usize) -> Duration {
        let numbers = 1 + ROUND_TRIPS * round..=ROUND_TRIPS * (round + 1);
        let mut times: Vec<_> = numbers.map(|number| self.round_trip(number)).collect();
        times.sort_unstable();
        times[ROUND_TRIPS * 99 / 100]
    }
}

/// The threads that serve.
#[derive(Clone)]
struct Workers(Vec<PathBuf>);

impl Workers {
    /// Those of this process that have the name.
    fn named(name: &str) -> Self {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let paths = tasks.map(|task| task.unwrap().path());
        let is_it = |path: &PathBuf| {
            std::fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name)
        };
        Self(paths.filter(is_it).collect())
    }

    /// For how long each of them, on average, could have run and had no processor: other
    /// tests have it, and whatever else this machine does.
    fn waited(&self) -> Duration {
        let nanoseconds = self.0.iter().map(|path| {
            let stat = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
            stat.split_whitespace().nth(1).map_or(0, |field| field.parse::<u64>().unwrap())
        });
        Duration::from_nanos(nanoseconds.sum::<u64>() / self.0.len() as u64)
    }
}

/// Waits until all have been let in.
async fn all_there(monitor: &mut Monitor) {
    for ready in 0..ATTACKERS {
        let next =
            async { while !matches!(monitor.recv().await, Some(MonitorEvent::Ready { .. })) {} };
        let waited = tokio::time::timeout(Duration::from_secs(30), next).await;
        assert!(waited.is_ok(), "{ready} of {ATTACKERS} came in");
    }
}

/// What the round trips took, the median of several rounds. The victim has a runtime
/// of its own, which ends with it.
fn measure(threads: usize, victim: Victim, flood: Flood, rounds: usize) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let name = format!("fair-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(threads).thread_name(&name).enable_all().build().unwrap();
    let shared = Shared::default();
    let (endpoint, mut monitor) = runtime.block_on(serve(victim, shared.clone()));
    let attackers = Attackers::against(&endpoint, victim, flood);
    runtime.block_on(all_there(&mut monitor));
    let mut good = Good::join(&endpoint, victim, shared, Workers::named(&name));
    let mut p99s: Vec<_> = (0..rounds).map(|round| good.p99(round)).collect();
    p99s.sort_unstable();
    drop(attackers);
    runtime.shutdown_background();
    let (median, worst) = (p99s[rounds / 2], p99s[rounds - 1]);
    println!("{victim:?}, {flood:?}, {threads} threads: p99 {median:?}, at worst {worst:?}");
    if !is_long() {
        assert!(median < BOUND, "{victim:?}, {flood:?}, {threads} threads: {median:?}");
    }
}

fn is_long() -> bool {
    long_form().is_some()
}

/// As many rounds as somebody asks for.
fn long_form() -> Option<usize> {
    std::env::var("FERROMQ_FAIRNESS").ok().map(|times| 3 * times.parse::<usize>().unwrap())
}

#[test]
fn a_good_peer_is_answered_in_time_among_a_hundred_that_send_all_kinds() {
    let rounds = long_form().unwrap_or(3);
    for victim in Victim::ALL {
        measure(2, victim, Flood::Mixed, rounds);
    }
}

#[test]
fn a_good_peer_is_answered_in_time_whatever_a_hundred_send() {
    match long_form() {
        None => Flood::KINDS.into_iter().for_each(|flood| measure(2, Victim::XPub, flood, 3)),
        Some(rounds) => {
            for (victim, threads) in Victim::ALL.into_iter().flat_map(|it| [(it, 1), (it, 2)]) {
                for flood in Flood::KINDS.into_iter().chain([Flood::Frames]) {
                    measure(threads, victim, flood, rounds);
                }
            }
        }
    }
}
