//! [`Bell`]: wakes the one task that serves a connection, once per batch, and
//! says what for.

use std::ops::BitOr;
use std::task::{Context, Poll, Waker};

use crate::sync::{Lock, Rank};

/// What a task is asked to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Calls(u8);

impl Calls {
    /// Write what waits.
    pub(super) const WRITE: Self = Self(1);
    /// Read: it is the task's duty.
    pub(super) const READ: Self = Self(2);
    /// Look whether the connection is to end, and at the time.
    pub(super) const LOOK: Self = Self(4);
    /// Give back memory after a while.
    pub(super) const REST: Self = Self(8);

    pub(super) const ALL: Self = Self(1 | 2 | 4);

    pub(super) fn has(self, call: Self) -> bool {
        self.0 & call.0 != 0
    }

    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Calls {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A set of calls that one task waits on and anybody may add to.
///
/// ```text
///            ring                poll (waiting task)
///   silent ───────► rung      silent: store waker, Pending
///     ▲               │       rung:   Ready with the calls, silent again
///     └─────poll──────┘
/// ```
/// Ringing before the wait, during it, or many times over is all the same: the
/// next poll is ready, once.
#[derive(Debug)]
pub(super) struct Bell(Lock<State>);

#[derive(Debug, Default)]
struct State {
    calls: Calls,
    waiting: Option<Waker>,
    /// Whether a connection is up, whose task does as it is called.
    up: bool,
}

impl Default for Bell {
    fn default() -> Self {
        Self(Lock::new(Rank::Leaf, State::default()))
    }
}

impl Bell {
    /// Makes the next poll ready and wakes the task that waits for it.
    pub(super) fn ring(&self, call: Calls) {
        let waiting = {
            let mut state = self.0.lock();
            state.calls = state.calls | call;
            state.waiting.take()
        };
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Rings, if a connection is up. False if not: then nobody would do it.
    pub(super) fn ring_if_up(&self, call: Calls) -> bool {
        let waiting = {
            let mut state = self.0.lock();
            if !state.up {
                return false;
            }
            state.calls = state.calls | call;
            state.waiting.take()
        };
        if let Some(waker) = waiting {
            waker.wake();
        }
        true
    }

    /// A connection is up: there is everything to do at first.
    pub(super) fn set_up(&self) {
        let mut state = self.0.lock();
        state.up = true;
        state.calls = Calls::ALL;
    }

    /// The connection is down.
    pub(super) fn set_down(&self) {
        let mut state = self.0.lock();
        state.up = false;
        state.calls = Calls::default();
    }

    /// Ready if the bell was rung since the last time it was.
    pub(super) fn poll_rung(&self, cx: &mut Context<'_>) -> Poll<Calls> {
        let mut state = self.0.lock();
        let calls = std::mem::take(&mut state.calls);
        if !calls.is_none() {
            state.waiting = None;
            return Poll::Ready(calls);
        }
        match &state.waiting {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            _ => state.waiting = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_ring_before_the_wait_is_not_lost() {
        let bell = Bell::default();
        let mut cx = Context::from_waker(Waker::noop());
        bell.ring(Calls::READ);
        bell.ring(Calls::WRITE);
        let Poll::Ready(calls) = bell.poll_rung(&mut cx) else { panic!("it was rung") };
        assert!(calls.has(Calls::READ) && calls.has(Calls::WRITE) && !calls.has(Calls::LOOK));
        assert!(bell.poll_rung(&mut cx).is_pending());
    }

    #[test]
    fn a_ring_during_the_wait_wakes_once() {
        let bell = Bell::default();
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        assert!(bell.poll_rung(&mut cx).is_pending());
        bell.ring(Calls::READ);
        bell.ring(Calls::READ);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert!(bell.poll_rung(&mut cx).is_ready());
    }

    #[test]
    fn what_nobody_will_do_is_not_asked_for() {
        let bell = Bell::default();
        assert!(!bell.ring_if_up(Calls::WRITE));
        bell.set_up();
        assert!(bell.ring_if_up(Calls::WRITE));
        bell.set_down();
        assert!(!bell.ring_if_up(Calls::WRITE));
    }
}
