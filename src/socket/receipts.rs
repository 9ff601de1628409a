//! [`Receipts`]: how many receives there were, and what follows from that.

use std::sync::atomic::{AtomicU32, Ordering};

/// How many receives may go by before one lets other tasks run.
const RECEIVES: u32 = 1024;

/// The same for each peer, where there are many: as all take turns, each has had as
/// many by then, and what is sent to it meanwhile, one message for each maybe, goes out
/// in one write.
const RECEIVES_PER_PEER: u32 = 8;

/// How many more that are in hand may go before: what answers a batch is to be one.
const IN_HAND: u32 = 16 * 1024;

/// How many messages in a row make a stream.
const STREAMING: u32 = 64;

/// Counts the receives of a socket. No step is atomic with another: that several tasks
/// lose count of some is no harm.
#[derive(Debug)]
pub(super) struct Receipts {
    count: AtomicU32,
    /// At which count others are to run before the next.
    yields_at: AtomicU32,
    /// At which count a receiver last had to wait.
    waited_at: AtomicU32,
}

impl Default for Receipts {
    fn default() -> Self {
        Self {
            count: AtomicU32::new(0),
            yields_at: AtomicU32::new(RECEIVES),
            waited_at: AtomicU32::new(0),
        }
    }
}

impl Receipts {
    /// How many there were, modulo 2^32.
    #[inline]
    pub(super) fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    /// There was one more.
    #[inline]
    pub(super) fn note(&self) {
        self.count.store(self.count().wrapping_add(1), Ordering::Relaxed);
    }

    /// Whether others are to run now, after many receives that did not wait: unless the
    /// next is in hand.
    #[inline]
    pub(super) fn owes_yield(&self) -> bool {
        self.is_past(0)
    }

    /// Whether they are to run even if it is.
    #[inline]
    pub(super) fn owes_yield_at_once(&self) -> bool {
        self.is_past(IN_HAND)
    }

    #[inline]
    fn is_past(&self, more: u32) -> bool {
        let past = self.count().wrapping_sub(self.yields_at.load(Ordering::Relaxed));
        // More than half of the range is less than nothing.
        past.wrapping_sub(more) <= u32::MAX / 2
    }

    /// Others run now, of a socket with so many peers.
    pub(super) fn yields(&self, peers: u32) {
        let next = RECEIVES.max(peers.saturating_mul(RECEIVES_PER_PEER).min(u32::MAX / 4));
        self.yields_at.store(self.count().wrapping_add(next), Ordering::Relaxed);
    }

    /// Whether there were many since a receiver last had to wait.
    pub(super) fn are_streaming(&self) -> bool {
        self.since_waited() >= STREAMING
    }

    /// Whether the one before this one had to wait.
    pub(super) fn have_just_waited(&self) -> bool {
        self.since_waited() == 1
    }

    fn since_waited(&self) -> u32 {
        self.count().wrapping_sub(self.waited_at.load(Ordering::Relaxed))
    }

    /// A receiver has to wait.
    pub(super) fn wait(&self) {
        self.waited_at.store(self.count(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many receives there are until others run.
    fn run(receipts: &Receipts) -> u32 {
        (0..).take_while(|_| !receipts.owes_yield()).inspect(|_| receipts.note()).count() as u32
    }

    #[test]
    fn others_run_after_many_and_each_peer_has_its_share() {
        let receipts = Receipts::default();
        assert_eq!(run(&receipts), RECEIVES);
        // What is owed stays owed, however it goes on.
        receipts.note();
        assert!(receipts.owes_yield() && !receipts.owes_yield_at_once());
        (0..IN_HAND).for_each(|_| receipts.note());
        assert!(receipts.owes_yield_at_once());
        receipts.yields(10);
        assert_eq!(run(&receipts), RECEIVES);
        receipts.yields(1000);
        assert_eq!(run(&receipts), 1000 * RECEIVES_PER_PEER);
        receipts.yields(u32::MAX);
        assert!(!receipts.owes_yield());
    }

    #[test]
    fn counts_may_wrap() {
        let receipts = Receipts::default();
        receipts.count.store(u32::MAX - 10, Ordering::Relaxed);
        receipts.yields(1);
        receipts.wait();
        assert_eq!(run(&receipts), RECEIVES);
        assert!(receipts.are_streaming() && !receipts.have_just_waited());
    }
}
