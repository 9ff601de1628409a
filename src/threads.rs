//! [`Threads`]: the threads of a context that does its I/O itself.

use std::cell::Cell;
use std::io;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, EnterGuard, Handle, Runtime};
use tokio::time::timeout;
use tracing::warn;

use crate::tasks::Tasks;

/// How long the end of a program may be held up by what has not gone out.
const PATIENCE: Duration = Duration::from_secs(5);

thread_local! {
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// A runtime that ends with whoever is the last to have this.
pub(crate) struct Threads {
    /// Taken when it ends.
    runtime: Option<Runtime>,
    tasks: Tasks,
}

impl Threads {
    pub(crate) fn start(count: usize, tasks: Tasks) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(count)
            .thread_name("ferromq-io")
            .on_thread_start(|| IS_OURS.set(true))
            .enable_all()
            .build()?;
        Ok(Self { runtime: Some(runtime), tasks })
    }

    /// Where they do their work.
    pub(crate) fn io(&self) -> Io {
        let runtime = self.runtime.as_ref().map(Runtime::handle);
        Io(runtime.expect("it is taken by `drop` only").clone())
    }
}

/// Where I/O is done.
pub(crate) struct Io(Handle);

impl Io {
    /// As long as the guard is there, tasks are started and transports opened there.
    pub(crate) fn enter(&self) -> EnterGuard<'_> {
        self.0.enter()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        let tasks = self.tasks.clone();
        // A thread of its own, since we may be in a task of some runtime, where nothing
        // may be waited for.
        let thread = thread::Builder::new().name("ferromq-end".into());
        // One of our own threads has to go on meanwhile: a policy may have had the last
        // handle.
        let is_ours = IS_OURS.get();
        let ending = thread.spawn(move || {
            let left = end(runtime, &tasks);
            if is_ours {
                report(left);
            }
            left
        });
        if let (Ok(ending), false) = (ending, is_ours) {
            report(ending.join().unwrap_or_default());
        }
    }
}

/// Ends the runtime once its tasks have done what they had to; says how many have not.
/// Those count what is lost as they are dropped.
fn end(runtime: Runtime, tasks: &Tasks) -> usize {
    let in_time = runtime.block_on(async { timeout(PATIENCE, tasks.wait()).await });
    let left = if in_time.is_ok() { 0 } else { tasks.running() };
    runtime.shutdown_background();
    left
}

fn report(left: usize) {
    if left > 0 {
        warn!(tasks = left, "what sockets of a context had accepted has not gone out in time");
    }
}
