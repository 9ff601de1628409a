//! [`Gauge`]: what one socket has done so far, and [`Reading`]: what a process tells
//! its parent of all its sockets.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Aligned so that no two share a cache line: each is written by one task for
/// every message.
#[derive(Default)]
#[repr(align(128))]
pub struct Gauge {
    messages: AtomicU64,
    /// The round trips since the start. Locked for each and when it is read.
    trips: Mutex<Vec<Duration>>,
}

impl Gauge {
    /// Only one task does this, so it knows the number.
    pub fn set(&self, messages: u64) {
        self.messages.store(messages, Ordering::Relaxed);
    }

    pub fn trip(&self, time: Duration) {
        self.trips.lock().expect("nobody panics").push(time);
    }

    fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }
}

/// The sockets of one process. Two processes have one of the two ends each.
pub struct Gauges {
    pub one: Vec<Gauge>,
    pub many: Vec<Gauge>,
    begin: Instant,
    /// Whether every socket of both ends has had a message.
    are_all_there: AtomicBool,
}

/// What was counted at one moment.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Reading {
    /// The moment, in seconds.
    pub time: f64,
    /// Messages of the socket that is bound.
    pub one: u64,
    /// Messages of all that connect.
    pub many: u64,
    /// Whether every socket of this process has had a message.
    pub all_at_work: bool,
    pub trip: Option<Trip>,
}

/// A round trip, in microseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Trip {
    pub p50: f64,
    pub p99: f64,
}

impl Gauges {
    pub fn new(one: usize, many: usize) -> Self {
        let gauges = |count| (0..count).map(|_| Gauge::default()).collect();
        Self {
            one: gauges(one),
            many: gauges(many),
            begin: Instant::now(),
            are_all_there: false.into(),
        }
    }

    pub fn all_are_there(&self) -> Reading {
        self.are_all_there.store(true, Ordering::Relaxed);
        self.read()
    }

    pub fn are_all_there(&self) -> bool {
        self.are_all_there.load(Ordering::Relaxed)
    }

    pub fn read(&self) -> Reading {
        let sum = |gauges: &[Gauge]| gauges.iter().map(Gauge::messages).sum();
        Reading {
            time: self.begin.elapsed().as_secs_f64(),
            one: sum(&self.one),
            many: sum(&self.many),
            all_at_work: self.all().all(|gauge| gauge.messages() > 0),
            trip: None,
        }
    }

    /// Forgets the round trips of the warm-up.
    pub fn start(&self) -> Reading {
        self.take_trips();
        self.read()
    }

    /// With the round trips since the start.
    pub fn stop(&self) -> Reading {
        let reading = self.read();
        Reading { trip: Trip::of(self.take_trips()), ..reading }
    }

    fn all(&self) -> impl Iterator<Item = &Gauge> {
        self.one.iter().chain(&self.many)
    }

    fn take_trips(&self) -> Vec<Duration> {
        let take = |gauge: &Gauge| std::mem::take(&mut *gauge.trips.lock().expect("nobody panics"));
        self.all().flat_map(take).collect()
    }
}

impl Trip {
    fn of(mut trips: Vec<Duration>) -> Option<Self> {
        trips.sort_unstable();
        let part = |part: usize| Some(trips.get(trips.len() * part / 100)?.as_secs_f64() * 1e6);
        Some(Self { p50: part(50)?, p99: part(99)? })
    }
}
