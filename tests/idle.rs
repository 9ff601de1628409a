//! What a connection keeps while it is idle, on both sides.
//!
//! With ten thousand of them (a release build; a process for each test, or the memory
//! of one is that of the next):
//!
//! ```text
//! ulimit -n 20000
//! for type in router dealer pull push pub sub; do for side in bound connecting; do
//!     FERROMQ_IDLE=9900 cargo test -q --release --test idle -- --nocapture $type::$side
//! done; done
//! ```

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use ferromq::{
    DealerSocket, Monitor, MonitorEvent, PubSocket, PullSocket, PushSocket, RouterSocket, SubSocket,
};
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep, timeout};

const CONNECTIONS: usize = 100;

/// What the two ends of a connection may take, with a socket for it, and their
/// tasks. A buffer of 8 KiB would be too much.
const NEW: i64 = 2 * SIDE;

/// What one end may take, with its tasks.
const SIDE: i64 = 8 * 1024;

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

/// Peers that are no sockets of ours: they have shaken hands and say nothing since.
/// They are in a thread of their own, whose memory does not count.
type Peers = JoinHandle<Vec<TcpStream>>;

/// How many connections one side is measured with.
fn connections() -> usize {
    std::env::var("FERROMQ_IDLE").map_or(200, |count| count.parse().unwrap())
}

/// Some tests at once would need many descriptors.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says what a peer says at first, and reads what it is told.
fn shake_hands(mut stream: TcpStream, socket_type: &str, then: &[u8]) -> TcpStream {
    let mut greeting = [0; 64];
    greeting[..16].copy_from_slice(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL");
    let mut ready = b"\x05READY\x0bSocket-Type\0\0\0".to_vec();
    ready.push(socket_type.len() as u8);
    ready.extend(socket_type.as_bytes());
    let frame = [&[4, ready.len() as u8], &*ready].concat();
    stream.write_all(&[&greeting, &*frame].concat()).unwrap();
    let mut start = [0; 64 + 2];
    stream.read_exact(&mut start).unwrap();
    stream.read_exact(&mut vec![0; start[65].into()]).unwrap();
    stream.write_all(then).unwrap();
    stream
}

/// Waits for so many connections.
async fn ready(monitor: &mut Monitor, count: usize) {
    for _ in 0..count {
        while !matches!(soon(monitor.recv()).await, Some(MonitorEvent::Ready { .. })) {}
    }
}

/// What the process has in memory at all, where that can be told.
fn resident() -> i64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    4096 * pages.split(' ').nth(1).map_or(0, |pages| pages.parse().unwrap())
}

/// One side must not keep more than it may, so long after so many have connected.
fn check(case: &str, runtime: &Runtime, meet: impl Future<Output = ()>) {
    let (count, before) = (connections() as i64, resident());
    let ((), new) = kept(runtime, meet);
    // Subscriptions may be on their way.
    let new = new + kept(runtime, async { sleep(Duration::from_millis(100)).await }).1;
    let is_long = std::env::var_os("FERROMQ_IDLE").is_some();
    let new = settle(runtime, new, if is_long { 0 } else { SIDE * count }) / count;
    if is_long {
        let resident = (resident() - before) / count;
        println!("{case}: {count} connections, {new} octets each; resident {resident}");
    }
    assert!(new <= SIDE, "{case}: {new} octets for each connection");
}

macro_rules! an_idle_side_keeps_little {
    ($($name:ident: $socket:expr, among $peer:literal, which say $then:literal;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn bound() {
                let (_turn, runtime, socket) = (one_at_a_time(), runtime(), $socket);
                let mut monitor = socket.monitor();
                let endpoint = runtime.block_on(socket.bind("tcp://127.0.0.1:*")).unwrap();
                let address = endpoint.to_string().replace("tcp://", "");
                let peers: Peers = thread::spawn(move || {
                    let streams = (0..connections()).map(|_| TcpStream::connect(&address).unwrap());
                    streams.map(|stream| shake_hands(stream, $peer, $then)).collect()
                });
                let case = concat!(stringify!($name), ", bound");
                check(case, &runtime, ready(&mut monitor, connections()));
                drop((peers.join().unwrap(), socket));
            }

            #[test]
            #[cfg_attr(not(target_os = "linux"), ignore = "127.1.2.3 is this machine on Linux")]
            fn connecting() {
                let (_turn, runtime, socket) = (one_at_a_time(), runtime(), $socket);
                let mut monitor = socket.monitor();
                let listener = TcpListener::bind("0.0.0.0:0").unwrap();
                let port = listener.local_addr().unwrap().port();
                let peers: Peers = thread::spawn(move || {
                    let streams = (0..connections()).map(|_| listener.accept().unwrap().0);
                    streams.map(|stream| shake_hands(stream, $peer, $then)).collect()
                });
                let case = concat!(stringify!($name), ", connecting");
                check(case, &runtime, async {
                    for index in 0..connections() {
                        // PUB and SUB connect to each endpoint once.
                        let (high, low) = (index / 250, 1 + index % 250);
                        socket.connect(&*format!("tcp://127.1.{high}.{low}:{port}")).unwrap();
                        ready(&mut monitor, 1).await;
                    }
                });
                drop((peers.join().unwrap(), socket));
            }
        }
    )*};
}

fn subscribed() -> SubSocket {
    let socket = SubSocket::new();
    socket.subscribe("a").unwrap();
    socket
}

an_idle_side_keeps_little! {
    router: RouterSocket::new(), among "DEALER", which say b"";
    dealer: DealerSocket::new(), among "ROUTER", which say b"";
    pull: PullSocket::new(), among "PUSH", which say b"";
    push: PushSocket::new(), among "PULL", which say b"";
    r#pub: PubSocket::new(), among "SUB", which say b"\x04\x0b\x09SUBSCRIBEa";
    sub: subscribed(), among "PUB", which say b"";
}
