//! Runs the sockets of a process, a task each, in the ways there are. None of these
//! functions returns once the sockets are at work.

use std::error::Error;
use std::thread;

use tokio::runtime::Builder;

use crate::contestant::Mode;

/// On tokio, as the mode says. The first task is the one that may run in `block_on`.
pub fn on_tokio<F>(mode: Mode, tasks: impl IntoIterator<Item = F>) -> Result<(), Box<dyn Error>>
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = match mode {
        Mode::CurrentThread => Builder::new_current_thread().enable_all().build()?,
        Mode::MultiThread | Mode::BlockOn => Builder::new_multi_thread().enable_all().build()?,
    };
    let mut tasks = tasks.into_iter();
    let direct = if mode == Mode::BlockOn { tasks.next() } else { None };
    runtime.block_on(async {
        let spawned: Vec<_> = tasks.map(tokio::spawn).collect();
        if let Some(direct) = direct {
            direct.await;
        }
        for task in spawned {
            task.await?;
        }
        Ok(())
    })
}

/// On one thread, for tasks that cannot leave it.
#[cfg(feature = "monocoque")]
pub fn on_one_thread<F>(tasks: impl IntoIterator<Item = F>) -> Result<(), Box<dyn Error>>
where
    F: Future<Output = ()> + 'static,
{
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let spawned: Vec<_> = tasks.into_iter().map(|task| local.spawn_local(task)).collect();
    local.block_on(&runtime, async {
        for task in spawned {
            task.await?;
        }
        Ok(())
    })
}

/// Each on a thread of its own, for calls that block.
pub fn on_threads<T, F>(tasks: impl IntoIterator<Item = T>) -> Result<(), Box<dyn Error>>
where
    T: FnOnce() -> F + Send + 'static,
    F: Future<Output = ()>,
{
    let mut threads = Vec::new();
    for task in tasks {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        threads.push(thread::spawn(move || runtime.block_on(task())));
    }
    for thread in threads {
        thread.join().map_err(|_| "a socket failed")?;
    }
    Ok(())
}
