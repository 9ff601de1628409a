//! [`Sweep`]: sees to it that what lies ready for receivers is looked after when
//! none comes.
//!
//! While a peer is listed for receivers, its octets are theirs to read. If none
//! comes for about a millisecond, the peers' tasks read ahead of them, up to the
//! marks; if receivers come but not to this peer, its task does so after
//! [`PATIENCE`]. One task of the socket keeps the time for all of its peers, and
//! only while one is listed.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::core::Core;

/// The time between two looks.
const TICK: Duration = Duration::from_millis(1);

/// After how many ticks a peer's task reads ahead although receivers come, and
/// so sees its commands.
const PATIENCE: u32 = 20;

/// The same if receivers wait and do not come: they may not be polled.
const PATIENCE_IF_WAITING: u32 = 5;

/// How many peers are handed over at a time.
const AT_ONCE: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// Whether some task calls us from time to time.
    is_running: AtomicBool,
    /// Counts its calls.
    tick: AtomicU32,
    /// How many receives there had been at the last one.
    received: AtomicU32,
}

impl Sweep {
    /// The present tick.
    pub(super) fn tick(&self) -> u32 {
        self.tick.load(Ordering::Relaxed)
    }

    /// A peer was listed: somebody is to keep the time from now on. `ask` asks a
    /// task to, and says whether it will. True if a task was woken for it.
    pub(super) fn start(&self, ask: impl FnOnce() -> bool) -> bool {
        // Most times it runs already, which a load finds out at no cost to others.
        if self.is_running.load(Ordering::SeqCst) || self.is_running.swap(true, Ordering::SeqCst) {
            return false;
        }
        let asked = ask();
        if !asked {
            self.is_running.store(false, Ordering::SeqCst);
        }
        asked
    }

    /// The task that kept the time has ended.
    pub(super) fn pass(&self, ask: impl FnOnce() -> bool) {
        if !ask() {
            self.is_running.store(false, Ordering::SeqCst);
        }
    }
}

impl Core {
    pub(super) fn sweep_once(&self) -> Option<Duration> {
        let tick = self.sweep.tick.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let received = self.received.load(Ordering::Relaxed);
        let is_active = self.sweep.received.swap(received, Ordering::Relaxed) != received;
        let patience = match (is_active, self.receivers.any()) {
            (true, _) => Some(PATIENCE),
            (false, true) => Some(PATIENCE_IF_WAITING),
            (false, false) => None,
        };
        let (late, is_listed) = {
            let mut ready = self.ready.lock();
            (ready.hand_over(tick, patience, AT_ONCE), ready.has_listed())
        };
        if !is_active && !late.is_empty() {
            // Nobody is woken for what the tasks read now, so whoever waits is to
            // look before: it may have been kept from some by those that were woken
            // and are not polled, however many these are.
            self.receivers.wake_all();
        }
        for peer in late {
            peer.line.read_ahead();
        }
        if !is_active && is_listed && self.lockstep.is_none() {
            // The one that was woken does not come, so another is to. (Where they
            // take turns, that one may not be in turn.)
            self.receivers.wake_one();
        }
        if is_listed || self.is_listed_after_all() {
            return Some(TICK);
        }
        None
    }

    /// Stops sweeping, unless a peer was listed in this very moment.
    fn is_listed_after_all(&self) -> bool {
        self.sweep.is_running.store(false, Ordering::SeqCst);
        let is_listed = self.ready.lock().has_listed();
        is_listed && !self.sweep.is_running.swap(true, Ordering::SeqCst)
    }
}
