//! Many clients whose listener goes and comes back.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ferromq::{Endpoint, Monitor, MonitorEvent, SocketOptions, SubSocket, XPubSocket};
use tokio::time::{Instant, sleep, timeout};

use crate::child;
use crate::common::{Transport, eventually, within};
use crate::figures::{Held, processor_time};

/// How many are there, and how often the listener goes, in the short form.
const CLIENTS: u64 = 100;
const BOUNCES: usize = 3;

/// The same where `FERROMQ_BOUNCE` says how many clients.
const LONG_BOUNCES: usize = 50;

/// How long all may take to be back.
const BACK: Duration = Duration::from_secs(5);

/// How long the listener is away, every other time: long enough for each client to dial in
/// vain, and some do twice.
const AWAY: Duration = Duration::from_millis(250);

/// What has the time of each dial, of some clients: a monitor takes much memory.
const WATCHED: usize = 50;

const NAME: &str = "bounce::all_are_back_after_each_bounce_spread_out_and_nothing_leaks";

#[test]
fn all_are_back_after_each_bounce_spread_out_and_nothing_leaks() {
    match child::role() {
        None => child::run_alone(NAME),
        Some(_) => {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(2).enable_all().build().unwrap().block_on(bounce());
        }
    }
}

async fn bounce() {
    let clients = crate::long("FERROMQ_BOUNCE");
    let bounces = if clients.is_some() { LONG_BOUNCES } else { BOUNCES };
    let clients = clients.unwrap_or(CLIENTS);
    let at = Transport::Tcp.known();
    let heard = Arc::new(AtomicU64::new(0));
    let mut server = listen(&at, clients).await;
    let mut monitors = Vec::new();
    for number in 0..clients {
        let monitor = connect(&at, number, Arc::clone(&heard));
        monitors.extend(monitor);
    }
    all_back(&server, clients).await;
    tell_all(&server, clients, &heard).await;
    let before = Held::now();
    let mut seen = Seen::default();
    let (since, used) = (Instant::now(), processor_time());
    for number in 0..bounces {
        within(server.close()).await;
        if number % 2 == 1 {
            sleep(AWAY).await;
        }
        server = listen(&at, clients).await;
        seen.add(&all_back(&server, clients).await);
        tell_all(&server, clients, &heard).await;
        is_as_before(before).await;
    }
    let load = (processor_time() - used).as_secs_f64() / since.elapsed().as_secs_f64();
    let delays = dialled_after(monitors).await;
    eprintln!(
        "bounce: {clients} clients, {bounces} bounces; {before:?} before and after each; back \
         after {:?} at most, 80% of them over {:?}; {} dials after {:?} to {:?}; {load:.2} of a \
         processor",
        seen.last,
        seen.spread,
        delays.len(),
        delays[0],
        delays[delays.len() - 1],
    );
    assert!(load < 1.0, "{load:.2} of a processor");
    assert!(seen.last < BACK, "all are back only after {:?}", seen.last);
    is_spread(&delays);
    // They are dialled after 100 to 200 ms. A process that has no processor for a while
    // finds more of them at once, but not each time.
    assert!(seen.spread > Duration::from_millis(40), "80% came within {:?}", seen.spread);
}

/// All of them may come before one is accepted. Where there is no room for that, the system
/// lets clients wait for one second, three and seven.
async fn listen(at: &Endpoint, clients: u64) -> XPubSocket {
    let backlog = u32::try_from(clients).unwrap();
    let server = XPubSocket::with_options(SocketOptions::new().backlog(backlog));
    server.bind(at).await.unwrap();
    server
}

/// A client that counts what it hears. One that is watched says when it dials.
fn connect(at: &Endpoint, number: u64, heard: Arc<AtomicU64>) -> Option<Monitor> {
    let sub = SubSocket::new();
    let monitor = (number < WATCHED as u64).then(|| sub.monitor());
    sub.subscribe(format!("{number}.")).unwrap();
    sub.connect(at).unwrap();
    tokio::spawn(async move {
        let mut last = None;
        loop {
            let message = sub.recv().await.unwrap();
            assert_ne!(last, Some(message[1].clone()), "it came twice");
            last = Some(message[1].clone());
            heard.fetch_add(1, Ordering::SeqCst);
        }
    });
    monitor
}

/// Waits until all have subscribed. Says when each has, from now on.
async fn all_back(server: &XPubSocket, clients: u64) -> Vec<Duration> {
    let (since, mut times, mut who) = (Instant::now(), Vec::new(), HashSet::new());
    while times.len() < clients as usize {
        let subscribed = within(server.recv()).await.unwrap();
        assert_eq!(subscribed[0][0], 1, "one has left: {subscribed:?}");
        assert!(who.insert(subscribed[0].clone()), "one has come twice: {subscribed:?}");
        times.push(since.elapsed());
    }
    times
}

/// Each of them hears what is for it.
async fn tell_all(server: &XPubSocket, clients: u64, heard: &AtomicU64) {
    static ROUND: AtomicU64 = AtomicU64::new(0);
    let (round, before) = (ROUND.fetch_add(1, Ordering::Relaxed), heard.load(Ordering::SeqCst));
    for number in 0..clients {
        let message = [format!("{number}."), round.to_string()];
        within(server.send(message)).await.unwrap();
    }
    eventually(|| heard.load(Ordering::SeqCst) >= before + clients).await;
}

/// Soon there are as many descriptors and tasks as before.
async fn is_as_before(before: Held) {
    let settled = async {
        while Held::now() != before {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let settled = timeout(crate::common::DEADLINE, settled).await;
    assert!(settled.is_ok(), "{:?} in place of {before:?}", Held::now());
}

/// How they have come back.
#[derive(Default)]
struct Seen {
    /// How long the last took, in the worst case.
    last: Duration,
    /// In what time 80% of them came, in the best case.
    spread: Duration,
}

impl Seen {
    fn add(&mut self, times: &[Duration]) {
        let tenth = times.len() / 10;
        self.last = self.last.max(times[times.len() - 1]);
        self.spread = self.spread.max(times[times.len() - 1 - tenth] - times[tenth]);
    }
}

/// After what times those that are watched have dialled again, in their order.
async fn dialled_after(monitors: Vec<Monitor>) -> Vec<Duration> {
    let mut delays = Vec::new();
    for mut monitor in monitors {
        while let Ok(event) = timeout(Duration::ZERO, monitor.recv()).await {
            if let Some(MonitorEvent::Retrying { delay, .. }) = event {
                delays.push(delay);
            }
        }
    }
    delays.sort();
    delays
}

/// No tenth of the time between 100 and 200 ms has more than a quarter of the dials.
fn is_spread(delays: &[Duration]) {
    let mut tenths = [0; 10];
    for delay in delays {
        let beyond = delay.checked_sub(Duration::from_millis(100)).expect("not before that");
        tenths[beyond.as_millis() as usize / 10] += 1;
    }
    assert!(tenths.iter().all(|&count| 4 * count < delays.len()), "not spread: {tenths:?}");
}
