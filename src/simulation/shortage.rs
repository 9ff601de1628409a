//! A system that is short of something, in place of one that has all it needs:
//! accepting and connecting pause, and go on by themselves.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};

use super::Undo;
use crate::endpoint::Endpoint;
use crate::monitor::{DisconnectReason, Monitor, MonitorEvent};
use crate::options::SocketOptions;
use crate::socket::{PullSocket, PushSocket};
use crate::transport::simulated::{self, Connecting, Network};
use crate::transport::{Stream, memory};

const ENDPOINT: &str = "tcp://127.0.0.1:1000";

/// What Linux says, by number.
const SHORTAGES: [(&str, i32); 5] =
    [("ENOMEM", 12), ("ENFILE", 23), ("EMFILE", 24), ("ECONNABORTED", 103), ("ENOBUFS", 105)];

/// The pauses before it accepts again, in milliseconds.
const PAUSES: [u64; 10] = [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000];

/// A network whose calls fail for a while, and then do not.
#[derive(Debug, Clone, Default)]
struct Short(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    error: i32,
    /// How many calls are still to fail.
    accepts_to_fail: usize,
    connects_to_fail: usize,
    /// How many calls there were that did not have to wait.
    accepts: usize,
    connects: usize,
    backlog: VecDeque<Duplex>,
    waker: Option<Waker>,
}

/// A stream, which says nothing of itself.
struct Duplex(Stream);

impl std::fmt::Debug for Duplex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Duplex")
    }
}

/// The ends of a connection. Whoever writes at one wakes a task, and that whoever
/// reads at the other: as with a system, nobody is woken from within a write.
fn pair() -> (Stream, Stream) {
    let ((near, one), (other, far)) = (memory::pair(), memory::pair());
    for (mut from, mut to) in [(one.read, other.write), (other.read, one.write)] {
        tokio::spawn(async move {
            let _ = tokio::io::copy(&mut from, &mut to).await;
            let _ = to.shutdown().await;
        });
    }
    (near, far)
}

impl Short {
    /// Takes the place of the system for this thread.
    fn new(error: i32) -> (Self, Undo) {
        let short = Self::default();
        short.with(|state| state.error = error);
        simulated::set(Some(Arc::new(short.clone())));
        (short, Undo)
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap())
    }
}

impl State {
    fn error(&self) -> io::Error {
        io::Error::from_raw_os_error(self.error)
    }

    fn connect(&mut self) -> io::Result<Stream> {
        self.connects += 1;
        if self.connects_to_fail > 0 {
            self.connects_to_fail -= 1;
            return Err(self.error());
        }
        let (near, far) = pair();
        self.backlog.push_back(Duplex(far));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        Ok(near)
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        // As in a system: without a connection there is nothing to fail.
        if self.backlog.is_empty() {
            self.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.accepts += 1;
        if self.accepts_to_fail > 0 {
            self.accepts_to_fail -= 1;
            return Poll::Ready(Err(self.error()));
        }
        Poll::Ready(Ok(self.backlog.pop_front().expect("there is one").0))
    }
}

impl Network for Short {
    fn connect(&self, _: &Endpoint) -> Connecting {
        let result = self.with(State::connect);
        Box::pin(async { result })
    }

    fn listen(&self, _: &Endpoint) {}

    fn poll_accept(&self, _: &Endpoint, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        self.with(|state| state.poll_accept(cx))
    }

    fn stop_listening(&self, _: &Endpoint) {}
}

async fn within<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(60), future).await.expect("it takes too long")
}

/// The first event from here on for which `pick` has something.
async fn find<T>(monitor: &mut Monitor, pick: impl Fn(MonitorEvent) -> Option<T>) -> T {
    loop {
        let event = within(monitor.recv()).await.expect("the socket lives");
        if let Some(found) = pick(event) {
            return found;
        }
    }
}

async fn accept_failed(monitor: &mut Monitor) -> (Option<i32>, Duration) {
    find(monitor, |event| match event {
        MonitorEvent::AcceptFailed { error, retry_in, .. } => {
            Some((error.raw_os_error(), retry_in))
        }
        _ => None,
    })
    .await
}

/// Somebody dials, and the system cannot accept so many times.
async fn recovers(short: &Short, pull: &PullSocket, error: i32) {
    short.with(|state| (state.accepts, state.accepts_to_fail) = (0, PAUSES.len()));
    let (mut monitor, start) = (pull.monitor(), Instant::now());
    let push = PushSocket::new();
    push.connect(ENDPOINT).unwrap();
    within(push.send("arrives")).await.unwrap();
    for pause in PAUSES.map(Duration::from_millis) {
        assert_eq!(accept_failed(&mut monitor).await, (Some(error), pause));
    }
    assert_eq!(within(pull.recv()).await.unwrap(), "arrives".into());
    let paused = start.elapsed().as_millis() as u64;
    let expected = PAUSES.iter().sum::<u64>();
    assert!((expected..expected + 50).contains(&paused), "{paused} ms, not {expected}");
    // No call that the pauses do not explain: nobody runs in circles.
    assert_eq!(short.with(|state| state.accepts), PAUSES.len() + 1);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_cannot_accept_pauses_and_recovers() {
    for (name, error) in SHORTAGES {
        println!("{name}");
        let (short, _undo) = Short::new(error);
        let pull = PullSocket::new();
        pull.bind(ENDPOINT).await.unwrap();
        let before = PushSocket::new();
        before.connect(ENDPOINT).unwrap();
        within(before.send("first")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "first".into());
        recovers(&short, &pull, error).await;
        // The pauses begin with the short one again.
        recovers(&short, &pull, error).await;
        within(before.send("still here")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "still here".into());
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_there_is_served_while_nobody_else_can_be_accepted() {
    let (short, _undo) = Short::new(24);
    let (pull, push) = (PullSocket::new(), PushSocket::new());
    pull.bind(ENDPOINT).await.unwrap();
    push.connect(ENDPOINT).unwrap();
    within(push.send("first")).await.unwrap();
    within(pull.recv()).await.unwrap();
    short.with(|state| state.accepts_to_fail = usize::MAX);
    let mut monitor = pull.monitor();
    let newcomer = PushSocket::new();
    newcomer.connect(ENDPOINT).unwrap();
    for number in 0..20 {
        accept_failed(&mut monitor).await;
        within(push.send(number.to_string())).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
    }
    // It can be closed as well.
    drop(newcomer);
    within(pull.close()).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_cannot_be_dialled_is_dialled_again_and_reached() {
    const FAILURES: usize = 20;
    for (name, error) in SHORTAGES {
        println!("{name}");
        let (short, _undo) = Short::new(error);
        short.with(|state| state.connects_to_fail = FAILURES);
        let pull = PullSocket::new();
        pull.bind(ENDPOINT).await.unwrap();
        let longest = Duration::from_secs(1);
        let options = SocketOptions::new().reconnect_interval_max(longest);
        let push = PushSocket::with_options(options);
        let mut monitor = push.monitor();
        push.connect(ENDPOINT).unwrap();
        within(push.send("arrives")).await.unwrap();
        let mut least = Duration::from_millis(100);
        for _ in 0..FAILURES {
            let (said, delay) = find(&mut monitor, |event| match event {
                MonitorEvent::Retrying { reason, delay, .. } => Some((reason, delay)),
                _ => None,
            })
            .await;
            let DisconnectReason::Transport(said) = said else { panic!("{said}") };
            assert_eq!(said.raw_os_error(), Some(error));
            assert!((least..=2 * least).contains(&delay), "{delay:?}, not {least:?}");
            least = (2 * least).min(longest);
        }
        assert_eq!(within(pull.recv()).await.unwrap(), "arrives".into());
        assert_eq!(short.with(|state| state.connects), FAILURES + 1);
    }
}
