//! [`wait`]: a thread waits for a future, on no runtime at all.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Wakes a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    static WAKER: Waker = Waker::from(Arc::new(Unpark(thread::current())));
}

/// Waits until a future is ready, for so long at most if there is a limit; `None` is that
/// it was not. Works in every thread, that of an async runtime too, which it blocks.
pub(super) fn wait<F: Future>(future: F, limit: Option<Duration>) -> Option<F::Output> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let waker = WAKER.with(Waker::clone);
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        // It may also return without a reason: then the future is asked once more.
        match deadline {
            None => thread::park(),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return None;
                }
                thread::park_timeout(left);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn waits_for_what_another_thread_brings() {
        let (sender, receiver) = oneshot::channel();
        let bringing = thread::spawn(move || sender.send("it").expect("somebody waits"));
        assert_eq!(wait(receiver, None), Some(Ok("it")));
        bringing.join().expect("no panic");
    }

    #[test]
    fn gives_up_at_the_limit_and_not_before() {
        let since = Instant::now();
        assert_eq!(wait(pending::<()>(), Some(Duration::from_millis(20))), None);
        assert!(since.elapsed() >= Duration::from_millis(20));
        assert_eq!(wait(pending::<()>(), Some(Duration::ZERO)), None);
        assert_eq!(wait(ready(1), Some(Duration::ZERO)), Some(1));
        assert_eq!(wait(ready(1), Some(Duration::MAX)), Some(1));
    }
}
