//! What tests of whole sockets share: deadlines, endpoints, and waiting for
//! events.
#![allow(dead_code)]

pub mod cable;
pub mod events;
pub mod log;
pub mod raw;

use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ferromq::{Context, Endpoint, SocketOptions};

/// How long anything may take. It is never waited for when all is well.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// The result of a future that must not take forever.
#[track_caller]
pub fn within<F: IntoFuture>(future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    let future = tokio::time::timeout(DEADLINE, future.into_future());
    async move {
        match future.await {
            Ok(output) => output,
            Err(_) => panic!("{caller}: took longer than {DEADLINE:?}"),
        }
    }
}

/// A number no other call in this process gets.
pub fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A transport, and endpoints of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Ipc,
    Inproc,
}

impl Transport {
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Ipc, Self::Inproc];
    pub const STREAMS: [Self; 2] = [Self::Tcp, Self::Ipc];

    /// An endpoint to bind that is always free.
    pub fn any(self) -> Endpoint {
        let text = match self {
            Self::Tcp => "tcp://127.0.0.1:0".to_owned(),
            Self::Ipc => "ipc://*".to_owned(),
            Self::Inproc => format!("inproc://behaviour-{}", unique()),
        };
        text.parse().expect("an endpoint")
    }

    /// An endpoint that is known before it is bound, and that nobody else uses.
    pub fn known(self) -> Endpoint {
        match self {
            Self::Tcp => unused_tcp(),
            Self::Ipc => format!("ipc://{}", temporary("sock").display()).parse().expect("one"),
            Self::Inproc => self.any(),
        }
    }
}

/// A path in the system's directory for temporary files where nothing is.
pub fn temporary(what: &str) -> PathBuf {
    std::env::temp_dir().join(format!("fmq-{}-{}-{what}", std::process::id(), unique()))
}

/// An address of this process alone: all of 127.0.0.0/8 is this machine, and
/// the port is below those the system gives out.
#[cfg(target_os = "linux")]
fn unused_tcp() -> Endpoint {
    let (process, number) = (std::process::id(), unique());
    let [a, b] = [1 + process % 250, process / 250 % 250];
    let (c, port) = (1 + number % 250, 20_000 + number / 250);
    format!("tcp://127.{a}.{b}.{c}:{port}").parse().expect("an endpoint")
}

/// Elsewhere, a port that was free a moment ago.
#[cfg(not(target_os = "linux"))]
fn unused_tcp() -> Endpoint {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    format!("tcp://127.0.0.1:{port}").parse().expect("an endpoint")
}

/// Options that dial again soon.
pub fn quick() -> SocketOptions {
    SocketOptions::new().reconnect_interval(Duration::from_millis(10))
}

/// A context of its own for a test.
pub fn isolated() -> Context {
    Context::new()
}

/// Looks again and again until the condition holds.
#[track_caller]
pub fn eventually(mut condition: impl FnMut() -> bool) -> impl Future<Output = ()> {
    within(async move {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
}
