//! What all who take part share: when they stop, and when the churn pauses.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromq::Context;
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use crate::common::within;

pub(crate) struct Scene {
    /// The sockets that stay and those that visit them over inproc.
    pub(crate) context: Context,
    /// Whoever comes and goes has it for one visit; so nobody is there for whoever has
    /// it for writing.
    pub(crate) gate: RwLock<()>,
    is_visited: AtomicBool,
    goes_on: AtomicBool,
    stayers: Mutex<JoinSet<()>>,
    visitors: Mutex<JoinSet<()>>,
    servers: Mutex<JoinSet<()>>,
    /// Messages received by those who stay, and what has happened to them.
    pub(crate) received: AtomicU64,
    pub(crate) visits: AtomicU64,
    pub(crate) cuts: AtomicU64,
    pub(crate) killed: AtomicU64,
}

impl Scene {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            context: Context::new(),
            gate: RwLock::new(()),
            is_visited: AtomicBool::new(true),
            goes_on: AtomicBool::new(true),
            stayers: Mutex::default(),
            visitors: Mutex::default(),
            servers: Mutex::default(),
            received: AtomicU64::new(0),
            visits: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            killed: AtomicU64::new(0),
        })
    }

    /// Somebody who stays to the end.
    pub(crate) fn stays(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.stayers.lock().unwrap().spawn(work);
    }

    /// Somebody who stays and serves whoever asks.
    pub(crate) fn serves(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.servers.lock().unwrap().spawn(work);
    }

    /// Something that is done again and again, with pauses of about so many milliseconds,
    /// unless the churn pauses.
    pub(crate) fn repeats<F>(
        self: &Arc<Self>,
        pause: u64,
        mut visit: impl FnMut(u64) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send,
    {
        let scene = Arc::clone(self);
        self.visitors.lock().unwrap().spawn(async move {
            let mut random = Random::new();
            for number in 0.. {
                {
                    let _turn = scene.gate.read().await;
                    if !scene.is_visited.load(Ordering::SeqCst) {
                        return;
                    }
                    visit(number).await;
                }
                // How often they come is what this case is about.
                tokio::time::sleep(Duration::from_millis(pause / 2 + random.below(pause))).await;
            }
        });
    }

    pub(crate) fn goes_on(&self) -> bool {
        self.goes_on.load(Ordering::SeqCst)
    }

    /// A panic of anybody who has ended so far is one here.
    pub(crate) fn check(&self) {
        for all in [&self.stayers, &self.visitors, &self.servers] {
            while let Some(ended) = all.lock().unwrap().try_join_next() {
                ended.unwrap();
            }
        }
    }

    /// Ends all: first those who come and go, then those who stay.
    pub(crate) async fn end(&self) {
        self.is_visited.store(false, Ordering::SeqCst);
        within(join_all(&self.visitors)).await;
        self.goes_on.store(false, Ordering::SeqCst);
        within(join_all(&self.stayers)).await;
        self.check();
        self.servers.lock().unwrap().abort_all();
    }
}

async fn join_all(all: &Mutex<JoinSet<()>>) {
    let mut all = std::mem::take(&mut *all.lock().unwrap());
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }
}

/// A generator of numbers, another one for each that is made, and the same in each run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        static SEED: AtomicU64 = AtomicU64::new(0x5eed);
        Self(SEED.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed) | 1)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    /// A size: most are small.
    pub(crate) fn size(&mut self) -> usize {
        let bound =
            [16, 16, 300, 5000, 100_000][[0, 0, 0, 1, 1, 1, 2, 2, 3, 4][self.below(10) as usize]];
        self.below(bound) as usize
    }
}

/// Makes a call until it is done. Most of its futures are dropped before that, at once,
/// after a poll or after a while.
pub(crate) async fn fickly<F: Future>(
    random: &mut Random,
    mut call: impl FnMut() -> F,
) -> F::Output {
    loop {
        let patience = Duration::from_micros(random.below(3000));
        let done = match random.below(5) {
            0 => {
                drop(call());
                None
            }
            1 => tokio::select! {
                biased;
                done = call() => Some(done),
                () = tokio::task::yield_now() => None,
            },
            2 => tokio::select! {
                () = tokio::time::sleep(patience) => None,
                done = call() => Some(done),
            },
            3 => tokio::time::timeout(patience, call()).await.ok(),
            _ => Some(within(call()).await),
        };
        if let Some(done) = done {
            return done;
        }
    }
}
