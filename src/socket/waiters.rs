//! [`Waiters`]: the tasks that wait in a socket.
//!
//! A list of wakers and tickets in place of `tokio::sync::Notify`: its futures are
//! several times as large, must stay where they are, and are copied with every call
//! that never waits.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use crate::sync::{Lock, Rank};

/// Tasks that wait, those first that have waited longest.
#[derive(Debug)]
pub(super) struct Waiters {
    /// How many there are, with those that were woken and take a last look. Whoever has
    /// something for them finds out here, at no cost to others, that nobody waits.
    count: AtomicUsize,
    line: Lock<WaitingLine>,
}

#[derive(Debug, Default)]
struct WaitingLine {
    /// In the order of their tickets.
    wakers: VecDeque<(Ticket, Waker)>,
    last: Ticket,
}

/// A place in the line; never given twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Ticket(u64);

impl Default for Waiters {
    fn default() -> Self {
        let line = Lock::new(Rank::Leaf, WaitingLine::default());
        Self { count: AtomicUsize::new(0), line }
    }
}

impl Waiters {
    /// Counts a task as waiting. It must look once more after it has
    /// [lined up](Waiting::line_up), since what came before was told to nobody.
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.count.fetch_add(1, Ordering::SeqCst);
        Waiting { waiters: self, ticket: None, is_in_line: false }
    }

    /// Wakes the first, if any waits; says how many do.
    #[inline]
    pub(super) fn wake_one(&self) -> usize {
        self.wake(1)
    }

    /// Wakes the first so many, as far as there are any; says how many wait.
    #[inline]
    pub(super) fn wake(&self, most: usize) -> usize {
        let waiting = self.count.load(Ordering::SeqCst);
        if waiting > 0 {
            self.wake_first(most);
        }
        waiting
    }

    #[inline]
    fn wake_first(&self, most: usize) {
        for _ in 0..most {
            if !self.wake_next() {
                return;
            }
        }
    }

    /// Wakes the first of those that were not woken yet; false if there is none.
    pub(super) fn wake_next(&self) -> bool {
        let first = self.line.lock().wakers.pop_front();
        if let Some((_, waker)) = first {
            waker.wake();
            return true;
        }
        false
    }

    /// Wakes all.
    pub(super) fn wake_all(&self) {
        if !self.any() {
            return;
        }
        let all = std::mem::take(&mut self.line.lock().wakers);
        for (_, waker) in all {
            waker.wake();
        }
    }

    #[inline]
    pub(super) fn any(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 0
    }
}

/// A task that waits, or was woken and takes a last look. When it waits no more, a
/// wake-up that it did not use goes to another.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    waiters: &'a Waiters,
    /// Its place in the line, which it keeps if it was woken for nothing.
    ticket: Option<Ticket>,
    /// Whether it stands there, or was woken and does not know yet.
    is_in_line: bool,
}

impl Waiting<'_> {
    /// It is to be woken from now on, if it is not already.
    pub(super) fn line_up(&mut self, waker: &Waker) {
        // To clone or drop a waker is to call code of others, so not under the lock.
        let mut waker = waker.clone();
        let line = &mut *self.waiters.line.lock();
        let ticket = *self.ticket.get_or_insert_with(|| {
            line.last.0 += 1;
            line.last
        });
        match line.find(ticket) {
            Ok(place) => std::mem::swap(&mut line.wakers[place].1, &mut waker),
            Err(place) => line.wakers.insert(place, (ticket, waker)),
        }
        self.is_in_line = true;
    }

    /// Whether it was woken, and uses that now.
    pub(super) fn take_wake(&mut self) -> bool {
        let (true, Some(ticket)) = (self.is_in_line, self.ticket) else { return false };
        self.is_in_line = self.waiters.line.lock().find(ticket).is_ok();
        !self.is_in_line
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.waiters.count.fetch_sub(1, Ordering::SeqCst);
        let (true, Some(ticket)) = (self.is_in_line, self.ticket) else { return };
        let unused = {
            let line = &mut *self.waiters.line.lock();
            line.find(ticket).ok().and_then(|place| line.wakers.remove(place))
        };
        if unused.is_none() {
            self.waiters.wake_one();
        }
    }
}

impl WaitingLine {
    /// The place of a ticket, or that where it belongs.
    fn find(&self, ticket: Ticket) -> Result<usize, usize> {
        self.wakers.binary_search_by_key(&ticket, |(ticket, _)| *ticket)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn counts<const N: usize>() -> ([Arc<Count>; N], [Waker; N]) {
        let counts = [(); N].map(|()| Arc::new(Count::default()));
        let wakers = counts.each_ref().map(|count| Waker::from(Arc::clone(count)));
        (counts, wakers)
    }

    fn of<const N: usize>(counts: &[Arc<Count>; N]) -> [usize; N] {
        counts.each_ref().map(|count| count.0.load(Ordering::SeqCst))
    }

    #[test]
    fn those_are_woken_first_that_have_waited_longest() {
        let (waiters, (counts, [a, b])) = (Waiters::default(), counts());
        assert_eq!(waiters.wake_one(), 0);
        let (mut first, mut second) = (waiters.wait(), waiters.wait());
        first.line_up(&a);
        second.line_up(&b);
        // Once more is the same place.
        first.line_up(&a);
        assert_eq!(waiters.wake_one(), 2);
        assert_eq!(of(&counts), [1, 0]);
        assert!(first.take_wake() && !second.take_wake());
        // Woken for nothing, it stands where it stood.
        first.line_up(&a);
        waiters.wake_one();
        assert_eq!(of(&counts), [2, 0]);
        // One that comes anew stands behind the other.
        assert!(first.take_wake());
        drop(first);
        let mut third = waiters.wait();
        third.line_up(&a);
        waiters.wake_one();
        assert_eq!(of(&counts), [2, 1]);
    }

    #[test]
    fn a_wake_up_that_is_not_used_goes_to_another() {
        let (waiters, (counts, [a, b])) = (Waiters::default(), counts());
        let (mut first, mut second) = (waiters.wait(), waiters.wait());
        first.line_up(&a);
        second.line_up(&b);
        waiters.wake_one();
        drop(first);
        assert_eq!(of(&counts), [1, 1]);
        // One that was used does not.
        let mut third = waiters.wait();
        third.line_up(&a);
        assert!(second.take_wake());
        drop(second);
        assert_eq!(of(&counts), [1, 1]);
        // Nor does one leave a gap that was not woken at all.
        drop(third);
        assert!(!waiters.any());
        assert!(waiters.line.lock().wakers.is_empty());
    }

    #[test]
    fn all_are_woken_and_the_newest_waker_of_each() {
        let (waiters, (counts, [a, b, c])) = (Waiters::default(), counts());
        let (mut first, mut second) = (waiters.wait(), waiters.wait());
        first.line_up(&a);
        second.line_up(&b);
        first.line_up(&c);
        waiters.wake_all();
        assert_eq!(of(&counts), [0, 1, 1]);
        assert!(first.take_wake() && second.take_wake());
        waiters.wake_all();
        assert_eq!(of(&counts), [0, 1, 1]);
    }
}
