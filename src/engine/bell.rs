//! [`Bell`]: wakes the one task that serves a pipe, once per batch.

use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// A level that one task waits on and anybody may raise.
///
/// ```text
///            ring                poll (waiting task)
///   silent ───────► rung      silent: store waker, Pending
///     ▲               │       rung:   Ready, silent again
///     └─────poll──────┘
/// ```
/// Ringing before the wait, during it, or many times over is all the same: the
/// next poll is ready, once.
#[derive(Debug, Default)]
pub(crate) struct Bell(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rung: bool,
    waiting: Option<Waker>,
}

impl Bell {
    /// Makes the next poll ready and wakes the task that waits for it.
    pub(crate) fn ring(&self) {
        let waiting = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.rung = true;
            state.waiting.take()
        };
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Ready if the bell was rung since the last time it was.
    pub(crate) fn poll_rung(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut state.rung) {
            state.waiting = None;
            return Poll::Ready(());
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
        bell.ring();
        bell.ring();
        assert!(bell.poll_rung(&mut cx).is_ready());
        assert!(bell.poll_rung(&mut cx).is_pending());
    }

    #[test]
    fn a_ring_during_the_wait_wakes_once() {
        let bell = Bell::default();
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        assert!(bell.poll_rung(&mut cx).is_pending());
        bell.ring();
        bell.ring();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert!(bell.poll_rung(&mut cx).is_ready());
    }
}
