//! [`Receipts`]: how many receives there were, and what follows from that.

use std::sync::atomic::{AtomicU32, Ordering};

/// How many receives may go by before one lets other tasks run.
const RECEIVES: u32 = 1024;

/// The same for each peer that has something to read, where there are many: as all take
/// turns, each has had as many by then, and what is sent to it meanwhile, one message for
/// each maybe, goes out in one write. No more than so many altogether.
const RECEIVES_PER_PEER: u32 = 8;
const TOGETHER: u32 = 16 * 1024;

/// After how many they run even if the next is in hand: what answers a batch is to be one.
const AT_ONCE: u32 = 24 * 1024;

/// How many messages in a row make a stream.
const STREAMING: u32 = 64;

/// Counts the receives of a socket. No step is atomic with another: that several tasks
/// lose count of some is no harm, even if one that is late sets the count back by all that
/// others received meanwhile.
#[derive(Debug)]
pub(super) struct Receipts {
    count: AtomicU32,
    /// At which count others last ran.
    yielded_at: AtomicU32,
    /// After how many more they are to run again.
    budget: AtomicU32,
    /// At which count a receiver last had to wait.
    waited_at: AtomicU32,
}

impl Default for Receipts {
    fn default() -> Self {
        Self {
            count: AtomicU32::new(0),
            yielded_at: AtomicU32::new(0),
            budget: AtomicU32::new(RECEIVES),
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
        self.since_yield() >= self.budget.load(Ordering::Relaxed)
    }

    /// Whether they are to run even if it is.
    #[inline]
    pub(super) fn owes_yield_at_once(&self) -> bool {
        self.since_yield() >= AT_ONCE
    }

    /// How many there were since others last ran. A count that was set back is below
    /// that, and this is a great many then: they run too soon, and all is well again.
    #[inline]
    fn since_yield(&self) -> u32 {
        self.count().wrapping_sub(self.yielded_at.load(Ordering::Relaxed))
    }

    /// So many peers have something to read: whether each has had its share. If not,
    /// nothing is owed until then.
    pub(super) fn are_enough_for(&self, peers: usize) -> bool {
        let peers = u32::try_from(peers).unwrap_or(u32::MAX);
        let budget = peers.saturating_mul(RECEIVES_PER_PEER).clamp(RECEIVES, TOGETHER);
        self.budget.store(budget, Ordering::Relaxed);
        self.owes_yield()
    }

    /// Others run now.
    pub(super) fn note_yield(&self) {
        self.budget.store(RECEIVES, Ordering::Relaxed);
        self.yielded_at.store(self.count(), Ordering::Relaxed);
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
    pub(super) fn note_wait(&self) {
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
        (0..AT_ONCE).for_each(|_| receipts.note());
        assert!(receipts.owes_yield() && receipts.owes_yield_at_once());
        receipts.note_yield();
        assert_eq!(run(&receipts), RECEIVES);
        assert!(receipts.are_enough_for(10));
        // Each of a thousand is to have its share as well, but not of any number.
        assert!(!receipts.are_enough_for(1000));
        assert_eq!(RECEIVES + run(&receipts), 1000 * RECEIVES_PER_PEER);
        assert!(!receipts.are_enough_for(usize::MAX));
        run(&receipts);
        assert!(receipts.are_enough_for(usize::MAX));
        assert_eq!(receipts.since_yield(), TOGETHER);
        // How many it is the next time shows then.
        receipts.note_yield();
        assert_eq!(run(&receipts), RECEIVES);
    }

    #[test]
    fn counts_may_wrap() {
        let receipts = Receipts::default();
        receipts.count.store(u32::MAX - 10, Ordering::Relaxed);
        receipts.note_yield();
        receipts.note_wait();
        assert_eq!(run(&receipts), RECEIVES);
        assert!(receipts.are_streaming() && !receipts.have_just_waited());
    }

    /// As by those who only try, and never let others run.
    #[test]
    fn what_is_owed_for_half_of_the_range_is_still_owed() {
        let receipts = Receipts::default();
        for count in [RECEIVES, u32::MAX / 2, u32::MAX / 2 + 2 * RECEIVES, u32::MAX - 1] {
            receipts.count.store(count, Ordering::Relaxed);
            assert!(receipts.owes_yield(), "{count}");
        }
    }

    /// Others do not have to wait until the count is again where it was.
    #[test]
    fn a_count_that_is_set_back_is_owed_for_at_once() {
        let receipts = Receipts::default();
        receipts.count.store(1_000_000, Ordering::Relaxed);
        receipts.note_yield();
        receipts.count.store(1, Ordering::Relaxed);
        assert!(receipts.owes_yield() && receipts.owes_yield_at_once());
        receipts.note_yield();
        assert_eq!(run(&receipts), RECEIVES);
    }
}
