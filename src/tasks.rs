//! [`Tasks`]: counts the tasks of a socket or a context, so that somebody can
//! wait for the last to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A count of running tasks, shared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    running: AtomicUsize,
    none_left: Notify,
}

/// One running task; it counts until this is dropped.
#[derive(Debug)]
pub(crate) struct TaskGuard(Tasks);

impl Tasks {
    /// Counts one more task.
    pub(crate) fn enter(&self) -> TaskGuard {
        self.0.running.fetch_add(1, Ordering::SeqCst);
        TaskGuard(self.clone())
    }

    /// Waits until no task is left.
    pub(crate) async fn wait(&self) {
        loop {
            let mut none_left = std::pin::pin!(self.0.none_left.notified());
            // Enabled before the look, so that a task that ends between the
            // look and the wait is not missed.
            none_left.as_mut().enable();
            if self.0.running.load(Ordering::SeqCst) == 0 {
                return;
            }
            none_left.await;
        }
    }
}

impl Drop for TaskGuard {
    fn drop(&mut self) {
        let inner = &self.0.0;
        if inner.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            inner.none_left.notify_waiters();
        }
    }
}
