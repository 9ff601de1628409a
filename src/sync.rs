//! [`Lock`] and [`SharedLock`]: mutexes with a [`Rank`], so that every thread
//! takes them in one order.
//!
//! Whoever holds a lock may take only locks of a higher rank. Debug builds
//! check that at every lock, so that an order which could deadlock one day
//! fails in the first test that takes it. A lock that a panic left behind is
//! used as it is: each is held for short sections that leave a valid state at
//! every step.

use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub(crate) use std::sync::atomic;

/// The order of all locks, outermost first.
///
/// | rank | lock | guards | held across |
/// |---|---|---|---|
/// | `Names` | `inproc::Registry` | who has bound or awaits a name | nothing |
/// | `Endpoints` | `socket::Core` | binds and connects | nothing |
/// | `Lockstep` | `socket::Core` | REQ and REP: whose turn it is | one look, or one try to send |
/// | `Roster` | `socket::Core` | all peers of a socket | nothing |
/// | `Ready` | `socket::Core` | peers with something to read | what a pattern makes of a message in hand |
/// | `Pattern` | each pattern | its peers and their turns | pushes to peers |
/// | `Filter` | SUB | its own topics | nothing |
/// | `Name` | `pipe::Peer` | what a ROUTER calls it; who it was | nothing |
/// | `Writer` | `engine` | the writing half of a session | a turn of writes |
/// | `Inward` | `engine` | what comes from a peer | a turn of reads |
/// | `Outward` | `engine`, inproc | what waits for a peer | nothing |
/// | `Leaf` | here and there | a waker, a list of handles, who may come in | nothing |
///
/// No read or write waits for the transport.
///
/// No method of [`SocketSide`](crate::pipe::SocketSide) is called with a lock
/// from `Ready` on held, since it may take any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Names,
    Endpoints,
    Lockstep,
    Roster,
    Ready,
    Pattern,
    Filter,
    Name,
    Writer,
    Inward,
    Outward,
    Leaf,
}

/// A mutex with a rank.
#[derive(Debug)]
pub(crate) struct Lock<T> {
    rank: Rank,
    inner: Mutex<T>,
}

// What a panic leaves is used as it is, see above.
impl<T> UnwindSafe for Lock<T> {}
impl<T> RefUnwindSafe for Lock<T> {}

/// A lock that is held; dropping it releases it.
#[derive(Debug)]
pub(crate) struct Held<'a, T> {
    // In this order: released before it is forgotten.
    guard: MutexGuard<'a, T>,
    _order: order::Entered,
}

impl<T> Lock<T> {
    pub(crate) const fn new(rank: Rank, value: T) -> Self {
        Self { rank, inner: Mutex::new(value) }
    }

    /// What it guards, for who has it alone.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }

    /// Waits for the lock.
    #[inline]
    pub(crate) fn lock(&self) -> Held<'_, T> {
        let _order = order::enter(self.rank);
        Held { guard: self.inner.lock(), _order }
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Held<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

/// A lock that many may read at once, with a rank.
#[derive(Debug)]
pub(crate) struct SharedLock<T> {
    rank: Rank,
    inner: RwLock<T>,
}

impl<T> UnwindSafe for SharedLock<T> {}
impl<T> RefUnwindSafe for SharedLock<T> {}

/// A [`SharedLock`] that is held, to read or to write.
#[derive(Debug)]
pub(crate) struct HeldShared<G> {
    guard: G,
    _order: order::Entered,
}

impl<T> SharedLock<T> {
    pub(crate) const fn new(rank: Rank, value: T) -> Self {
        Self { rank, inner: RwLock::new(value) }
    }

    pub(crate) fn read(&self) -> HeldShared<RwLockReadGuard<'_, T>> {
        let _order = order::enter(self.rank);
        HeldShared { guard: self.inner.read(), _order }
    }

    pub(crate) fn write(&self) -> HeldShared<RwLockWriteGuard<'_, T>> {
        let _order = order::enter(self.rank);
        HeldShared { guard: self.inner.write(), _order }
    }
}

impl<G: Deref> Deref for HeldShared<G> {
    type Target = G::Target;

    fn deref(&self) -> &G::Target {
        &self.guard
    }
}

impl<G: DerefMut> DerefMut for HeldShared<G> {
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.guard
    }
}

/// What this thread holds, in debug builds.
#[cfg(debug_assertions)]
mod order {
    use std::cell::Cell;

    use super::Rank;

    thread_local! {
        /// A bit for each rank that is held.
        static HELD: Cell<u32> = const { Cell::new(0) };
    }

    /// A rank that this thread holds until this is dropped.
    #[derive(Debug)]
    pub(super) struct Entered(u32);

    /// # Panics
    /// When this thread holds a lock of this rank or a higher one.
    pub(super) fn enter(rank: Rank) -> Entered {
        let held = HELD.get();
        assert!(held >> (rank as u32) == 0, "{rank:?} is locked out of order: {held:#b} is held");
        let bit = 1 << (rank as u32);
        HELD.set(held | bit);
        Entered(bit)
    }

    impl Drop for Entered {
        fn drop(&mut self) {
            HELD.set(HELD.get() & !self.0);
        }
    }
}

#[cfg(not(debug_assertions))]
mod order {
    use super::Rank;

    #[derive(Debug)]
    pub(super) struct Entered;

    #[inline]
    pub(super) fn enter(_: Rank) -> Entered {
        Entered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_taken_in_the_order_of_their_ranks() {
        let (outer, inner) = (Lock::new(Rank::Pattern, 1), Lock::new(Rank::Outward, 2));
        let held = outer.lock();
        assert_eq!(*held + *inner.lock(), 3);
        drop(held);
        // Released, so that the order begins anew.
        drop(inner.lock());
        drop(outer.lock());
    }

    #[test]
    #[cfg(debug_assertions)]
    fn the_wrong_order_is_found_without_a_deadlock() {
        let (outer, inner) = (Lock::new(Rank::Pattern, ()), Lock::new(Rank::Outward, ()));
        let wrong = std::panic::catch_unwind(|| {
            let _inner = inner.lock();
            drop(outer.lock());
        });
        assert!(wrong.is_err());
        // What was held by the one that panicked is held no longer.
        drop(outer.lock());
        drop(inner.lock());
    }

    #[test]
    #[cfg(debug_assertions)]
    fn two_of_one_rank_are_not_held_together() {
        let [one, other] = [(); 2].map(|()| Lock::new(Rank::Outward, ()));
        let wrong = std::panic::catch_unwind(|| {
            let _one = one.lock();
            drop(other.lock());
        });
        assert!(wrong.is_err());
    }

    #[test]
    fn many_may_read_at_once() {
        let lock = std::sync::Arc::new(SharedLock::new(Rank::Filter, 1));
        let held = lock.read();
        let other = std::sync::Arc::clone(&lock);
        assert_eq!(std::thread::spawn(move || *other.read()).join().expect("no panic"), 1);
        drop(held);
        *lock.write() = 2;
        assert_eq!(*lock.read(), 2);
    }
}
