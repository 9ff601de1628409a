//! What a connection keeps while it is idle, on both sides.

use std::time::Duration;

use bytes::Bytes;
use ferromq::{MonitorEvent, PullSocket, PushSocket};
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep, timeout};

const CONNECTIONS: usize = 100;

/// What the two ends of a connection may take, with a socket for it, and their
/// tasks. A buffer of 8 KiB would be too much.
const NEW: i64 = 24 * 1024;

/// What they may take more after they were busy: what the next message needs, and
/// their share of what the sockets keep.
const MORE: i64 = 2 * 1024;

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future).await.expect("this takes too long")
}

/// Octets that this thread, on which everything runs, has allocated and not freed
/// when the work is done.
fn kept<T>(runtime: &Runtime, work: impl Future<Output = T>) -> (T, i64) {
    let mut output = None;
    let measured = allocation_counter::measure(|| output = Some(runtime.block_on(work)));
    (output.unwrap(), measured.bytes_current)
}

/// Waits until no more than this is kept; says what is in the end.
fn settle(runtime: &Runtime, mut kept_now: i64, most: i64) -> i64 {
    let since = Instant::now();
    while kept_now > most && since.elapsed() < Duration::from_secs(10) {
        kept_now += kept(runtime, async { sleep(Duration::from_millis(50)).await }).1;
    }
    kept_now
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A PULL and those that push to it, connected.
async fn meet(endpoint: &str) -> (PullSocket, Vec<PushSocket>) {
    let pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind(endpoint).await.unwrap();
    let mut pushes = Vec::new();
    for _ in 0..CONNECTIONS {
        let push = PushSocket::new();
        push.connect(&endpoint).unwrap();
        while !matches!(soon(monitor.recv()).await, Some(MonitorEvent::Ready { .. })) {}
        pushes.push(push);
    }
    (pull, pushes)
}

/// Every connection is busy in every way: what is sent waits to be written, is read
/// ahead since nobody receives, and is received at last.
async fn be_busy(pull: &PullSocket, pushes: &[PushSocket]) {
    const COUNT: usize = 500;
    let body = Bytes::from_static(&[b'x'; 1000]);
    for push in pushes {
        for _ in 0..COUNT {
            soon(push.send(body.clone())).await.unwrap();
        }
    }
    // While nobody receives, it is all read ahead.
    sleep(Duration::from_millis(100)).await;
    for _ in 0..COUNT * pushes.len() {
        soon(pull.recv()).await.unwrap();
    }
}

#[test]
fn an_idle_connection_keeps_no_buffer() {
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*"] {
        let runtime = runtime();
        let ((pull, pushes), new) = kept(&runtime, meet(endpoint));
        let new = settle(&runtime, new, NEW * CONNECTIONS as i64);
        assert!(new <= NEW * CONNECTIONS as i64, "{endpoint}: {new} when new");
        let ((), after) = kept(&runtime, be_busy(&pull, &pushes));
        let after = settle(&runtime, after, MORE * CONNECTIONS as i64);
        assert!(after <= MORE * CONNECTIONS as i64, "{endpoint}: {after} more after");
        drop((pull, pushes));
    }
}
