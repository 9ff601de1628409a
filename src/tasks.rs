//! [`spawn`], and [`Tasks`]: counts the tasks of a socket or a context, so that
//! somebody can wait for the last to end.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Starts a task on the runtime of the caller.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    #[cfg(test)]
    let task = adopted::adopt(task);
    tokio::spawn(task)
}

/// Starts a task on a runtime, which may have ended: then it ends at once.
pub(crate) fn spawn_on(runtime: &Handle, task: impl Future<Output = ()> + Send + 'static) {
    #[cfg(test)]
    let task = adopted::adopt(task);
    drop(runtime.spawn(task));
}

/// How many yields in a row may go to other tasks only.
const IN_A_ROW: usize = 8;

/// Pending once: whoever polls lets others run first.
///
/// Where there are other workers they may take the task meanwhile, which they may not
/// when it yields as tokio does: if this worker goes on with a task that computes, it
/// would have to wait for the end of that.
pub(crate) fn poll_yield<T>(cx: &mut Context<'_>) -> Poll<T> {
    static YIELDS: AtomicUsize = AtomicUsize::new(0);
    let has_others = Handle::try_current().is_ok_and(|it| it.metrics().num_workers() > 1);
    // Now and then as tokio does, for the sake of those who only do that: while this
    // worker has anything else to run they hardly get their turn.
    let is_in_turn = YIELDS.fetch_add(1, Ordering::Relaxed) % IN_A_ROW != 0;
    if has_others && is_in_turn && tokio::task::try_id().is_some() {
        cx.waker().wake_by_ref();
        return Poll::Pending;
    }
    poll_yield_to_all(cx)
}

/// As [`poll_yield`], to be awaited.
pub(crate) async fn let_others_run() {
    let mut is_first = true;
    poll_fn(|cx| if std::mem::take(&mut is_first) { poll_yield(cx) } else { Poll::Ready(()) })
        .await;
}

/// The same, where others includes timers and transports. A task that merely wakes
/// itself is polled some dozen times before tokio looks at those.
pub(crate) fn poll_yield_to_all<T>(cx: &mut Context<'_>) -> Poll<T> {
    let _ = pin!(tokio::task::yield_now()).poll(cx);
    Poll::Pending
}

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

    /// How many there are.
    #[cfg(feature = "threads")]
    pub(crate) fn running(&self) -> usize {
        self.0.running.load(Ordering::SeqCst)
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

/// Tasks that a test runs by itself, in an order of its own.
#[cfg(test)]
pub(crate) mod adopted {
    use std::cell::RefCell;
    use std::pin::Pin;

    use tokio::sync::oneshot;

    pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

    thread_local! {
        static ADOPTED: RefCell<Option<Vec<Task>>> = const { RefCell::new(None) };
    }

    /// From now on the tasks that this thread starts are kept for
    /// [`take`](self::take), or no longer.
    pub(crate) fn set(adopts: bool) {
        ADOPTED.set(adopts.then(Vec::new));
    }

    /// The tasks that were started since the last call.
    pub(crate) fn take() -> Vec<Task> {
        ADOPTED.with_borrow_mut(|tasks| tasks.as_mut().map(std::mem::take).unwrap_or_default())
    }

    /// What the runtime gets: the task, or one that waits for the end of it.
    pub(super) fn adopt(task: impl Future<Output = ()> + Send + 'static) -> Task {
        ADOPTED.with_borrow_mut(|tasks| {
            let Some(tasks) = tasks else { return Box::pin(task) as Task };
            let (end, ended) = oneshot::channel::<()>();
            tasks.push(Box::pin(async move {
                task.await;
                drop(end);
            }));
            Box::pin(async move { drop(ended.await) })
        })
    }
}
