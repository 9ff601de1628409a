//! [`Pending`]: the handshakes of one listener that are under way.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::debug;

use crate::monitor::DisconnectReason;
use crate::sync::Lock;
use crate::transport::Origin;

/// How many handshakes of one listener may be under way.
const PENDING: usize = 1024;

/// How long each of them has at least, as long as most come to a good end: thousands of
/// clients that come back at once wait for one another, in the system's backlog.
const GRACE: Duration = Duration::from_secs(1);

/// One of the handshakes under way. It is none any more once this is dropped, however
/// its task ends.
pub(super) struct Entry {
    of: Arc<Lock<Pending>>,
    number: u64,
    evicted: oneshot::Receiver<()>,
}

impl Entry {
    pub(super) fn new(pending: &Arc<Lock<Pending>>, origin: Origin) -> Self {
        let (number, evicted) = pending.lock().enter(origin);
        Self { of: Arc::clone(pending), number, evicted }
    }

    /// Waits until the handshake has to end: why.
    pub(super) async fn given_up(&mut self) -> DisconnectReason {
        match (&mut self.evicted).await {
            Ok(()) => DisconnectReason::TooManyPending,
            Err(_) => DisconnectReason::ByUs,
        }
    }

    /// The handshake has come to a good end.
    pub(super) fn came_in(self) {
        self.of.lock().note_came_in();
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.of.lock().leave(self.number);
    }
}

/// The handshakes under way, oldest first.
///
/// When there are too many, the oldest of the address that has most of them is
/// given up: whoever floods us pays, and a newcomer is never turned away. As long as
/// most come to a good end that is no flood: newcomers wait then until one has ended or
/// has had its time.
pub(super) struct Pending {
    next: u64,
    entries: VecDeque<Handshake>,
    by_origin: HashMap<Origin, usize>,
    /// How many came in and were not made up for by one that was given up.
    good: usize,
    /// The acceptor waits for one to end.
    waiting: Option<oneshot::Sender<()>>,
}

/// A handshake under way.
struct Handshake {
    number: u64,
    origin: Origin,
    since: Instant,
    /// Says that there are too many; dropping it ends the handshake since the listener
    /// ends.
    evict: oneshot::Sender<()>,
}

impl Default for Pending {
    fn default() -> Self {
        let (entries, by_origin) = Default::default();
        Self { next: 0, entries, by_origin, good: PENDING, waiting: None }
    }
}

impl Pending {
    /// If newcomers are to wait: until when at most, and what ends it earlier.
    pub(super) fn is_full_until(&mut self) -> Option<(Instant, oneshot::Receiver<()>)> {
        if self.entries.len() < PENDING || self.good < PENDING / 2 {
            return None;
        }
        let until = self.entries.get(self.next_to_go()?)?.since + GRACE;
        let (freed, when_freed) = oneshot::channel();
        self.waiting = Some(freed);
        (until > Instant::now()).then_some((until, when_freed))
    }

    fn enter(&mut self, origin: Origin) -> (u64, oneshot::Receiver<()>) {
        if self.entries.len() >= PENDING {
            self.evict();
        }
        let (evict, evicted) = oneshot::channel();
        let number = self.next;
        self.next += 1;
        *self.by_origin.entry(origin).or_default() += 1;
        self.entries.push_back(Handshake { number, origin, since: Instant::now(), evict });
        (number, evicted)
    }

    fn note_came_in(&mut self) {
        self.good = PENDING.min(self.good + 1);
    }

    fn leave(&mut self, number: u64) {
        if let Ok(index) = self.entries.binary_search_by_key(&number, |entry| entry.number) {
            self.remove(index);
        }
    }

    /// Which one is given up if one has to be.
    fn next_to_go(&self) -> Option<usize> {
        let (origin, _) = self.by_origin.iter().max_by_key(|(_, count)| **count)?;
        self.entries.iter().position(|entry| entry.origin == *origin)
    }

    fn evict(&mut self) {
        let Some(handshake) = self.next_to_go().and_then(|index| self.remove(index)) else {
            return;
        };
        debug!(origin = ?handshake.origin, "too many handshakes are pending");
        self.good = self.good.saturating_sub(1);
        // It may have ended by itself.
        let _ = handshake.evict.send(());
    }

    fn remove(&mut self, index: usize) -> Option<Handshake> {
        let handshake = self.entries.remove(index)?;
        if let Some(count) = self.by_origin.get_mut(&handshake.origin) {
            *count -= 1;
            if *count == 0 {
                self.by_origin.remove(&handshake.origin);
            }
        }
        self.waiting = None;
        Some(handshake)
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.by_origin.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::sync::Rank;

    fn address(last: u8) -> Origin {
        Origin::Tcp(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)))
    }

    #[test]
    fn the_oldest_of_whoever_floods_is_given_up() {
        let mut pending = Pending::default();
        let (_, mut honest) = pending.enter(address(1));
        let mut flood: Vec<_> = (1..PENDING).map(|_| pending.enter(address(2)).1).collect();
        let (_, mut newcomer) = pending.enter(address(3));
        assert_eq!(flood[0].try_recv(), Ok(()));
        for kept in [&mut honest, &mut newcomer, &mut flood[1]] {
            assert_eq!(kept.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        }
        assert_eq!(pending.entries.len(), PENDING);
    }

    fn full() -> (Pending, Vec<oneshot::Receiver<()>>) {
        let mut pending = Pending::default();
        let kept = (0..PENDING).map(|_| pending.enter(address(1)).1).collect();
        (pending, kept)
    }

    #[tokio::test(start_paused = true)]
    async fn newcomers_wait_until_one_has_ended_or_has_had_its_time() {
        let (mut pending, mut kept) = full();
        let (until, freed) = pending.is_full_until().expect("it is full");
        assert_eq!(until, Instant::now() + GRACE);
        pending.leave(7);
        freed.await.unwrap_err();
        assert!(pending.is_full_until().is_none(), "there is a place");
        kept.push(pending.enter(address(1)).1);
        assert!(pending.is_full_until().is_some());
        tokio::time::advance(GRACE).await;
        assert!(pending.is_full_until().is_none(), "they have had their time");
        kept.push(pending.enter(address(2)).1);
        assert_eq!(kept[0].try_recv(), Ok(()), "and it was the oldest's turn to go");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_flood_of_handshakes_that_end_in_nothing() {
        let (mut pending, mut kept) = full();
        for _ in 0..=PENDING / 2 {
            assert!(pending.is_full_until().is_some());
            kept.push(pending.enter(address(1)).1);
        }
        assert!(pending.is_full_until().is_none());
        // A few that come in do not change that.
        pending.note_came_in();
        kept.push(pending.enter(address(1)).1);
        kept.push(pending.enter(address(1)).1);
        assert!(pending.is_full_until().is_none());
        (0..PENDING).for_each(|_| pending.note_came_in());
        assert!(pending.is_full_until().is_some());
    }

    #[test]
    fn a_handshake_that_is_done_no_longer_counts() {
        let pending = Arc::new(Lock::new(Rank::Leaf, Pending::default()));
        drop(Entry::new(&pending, address(1)));
        // Also if its task does not get to say so.
        let entry = Entry::new(&pending, address(1));
        let panics = std::panic::AssertUnwindSafe(|| {
            let _entry = entry;
            panic!("on purpose");
        });
        std::panic::catch_unwind(panics).unwrap_err();
        // And one that was given up before does not count twice.
        let entry = Entry::new(&pending, address(1));
        let _kept = Entry::new(&pending, address(1));
        pending.lock().evict();
        drop(entry);
        let pending = pending.lock();
        assert_eq!((pending.entries.len(), pending.by_origin[&address(1)]), (1, 1));
    }
}
