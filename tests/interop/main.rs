//! Against real libzmq: every pair of socket types, over tcp and ipc.
//!
//! The other side is a Python process with pyzmq, which bundles libzmq. The
//! tests make a virtual environment for it by themselves; see [`python`].
#![cfg(unix)]

mod bulk;
mod guard;
mod heartbeat;
mod identity;
mod matrix;
mod ours;
mod pair;
mod peer;
mod python;
mod refusal;
mod restart;
#[cfg(all(feature = "plain", feature = "curve"))]
mod security;

use std::fmt::Display;
use std::time::Duration;

use ferromq::{Monitor, MonitorEvent};
use peer::Peer;
use tokio::runtime::Builder;

/// How long a test waits for anything. libzmq's side waits for less, so that
/// it is the one to say what it missed.
const DEADLINE: Duration = Duration::from_secs(45);

/// Runs a test with a libzmq process, if there is a Python to make one.
fn interop(test: impl AsyncFnOnce(Peer)) {
    interop_on(Builder::new_multi_thread().worker_threads(2), test);
}

fn interop_on(runtime: &mut Builder, test: impl AsyncFnOnce(Peer)) {
    let Some(python) = python::interpreter() else { return };
    let runtime = runtime.enable_all().build().expect("a tokio runtime");
    runtime.block_on(async { test(Peer::start(python)).await });
}

/// Waits, but not for ever.
async fn within<T>(what: impl Display, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, wait).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: waited {DEADLINE:?} in vain"),
    }
}

/// Reads events until one is wanted.
async fn event<T>(
    what: impl Display,
    monitor: &mut Monitor,
    wanted: impl Fn(&MonitorEvent) -> Option<T>,
) -> T {
    let search = async {
        loop {
            let event = monitor.recv().await.expect("the socket is there");
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    };
    within(what, search).await
}
