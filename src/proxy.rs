//! [`Proxy`]: forwards between two sockets, whole messages in both directions.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use tokio::sync::watch;

use crate::error::{RecvError, SendError};
use crate::message::Message;
use crate::socket::{Core, Socket, Transmit, raw};
use crate::socket_type::SocketType;

/// Forwards between two sockets until one of them is closed (`zmq_proxy`): what either
/// receives, the other sends. See [`Proxy`] for more.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use ferromq::{DealerSocket, RepSocket, ReqSocket, RouterSocket, proxy};
///
/// let (clients, workers) = (RouterSocket::new(), DealerSocket::new());
/// let (front, back) =
///     (clients.bind("tcp://127.0.0.1:*").await?, workers.bind("tcp://127.0.0.1:*").await?);
/// let queue = tokio::spawn(async move { proxy(&clients, &workers).await });
///
/// let (req, rep) = (ReqSocket::new(), RepSocket::new());
/// req.connect(front)?;
/// rep.connect(back)?;
/// req.send("question").await?;
/// assert_eq!(rep.recv().await?, "question".into());
/// rep.send("answer").await?;
/// assert_eq!(req.recv().await?, "answer".into());
/// queue.abort();
/// # Ok::<_, ferromq::Error>(()) }).unwrap();
/// ```
///
/// # Errors
/// As [`Proxy::run`].
///
/// # Cancel safety
/// As [`Proxy::run`].
#[doc(alias = "zmq_proxy")]
pub async fn proxy(frontend: &impl Socket, backend: &impl Socket) -> Result<(), ProxyError> {
    Proxy::new(frontend, backend).run().await
}

/// What forwards between two sockets (`zmq_proxy_steerable`).
///
/// ```text
///   DEALER ─┐                        ┌─ REP
///           ├─ ROUTER ─►  ◄─ DEALER ─┤        a queue: requests and replies
///   REQ    ─┘                        └─ REP
///
///   PUB ──── XSUB ─────►  ◄─ XPUB ───── SUB   a forwarder: messages, and subscriptions
///                                             the other way
///   PUSH ─── PULL ─────►     PUSH ───── PULL  a streamer
/// ```
/// Each direction moves by itself: where one side is full, the other direction goes on.
/// A direction that the types do not have (PULL to PUSH has one only) is left out.
/// A ROUTER's messages keep their ids, so that replies find their way back.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use ferromq::{Proxy, PullSocket, PushSocket};
///
/// let (from, to) = (PullSocket::new(), PushSocket::new());
/// let (front, back) =
///     (from.bind("tcp://127.0.0.1:*").await?, to.bind("tcp://127.0.0.1:*").await?);
/// let proxy = Proxy::new(&from, &to);
/// let control = proxy.control();
/// let running = tokio::spawn(async move { proxy.run().await });
///
/// let (push, pull) = (PushSocket::new(), PullSocket::new());
/// push.connect(front)?;
/// pull.connect(back)?;
/// push.send("work").await?;
/// assert_eq!(pull.recv().await?, "work".into());
/// assert_eq!(control.stats().to_backend, 1);
/// control.stop();
/// running.await.unwrap().unwrap();
/// # Ok::<_, ferromq::Error>(()) }).unwrap();
/// ```
#[must_use = "it does nothing before `run`"]
#[doc(alias = "zmq_proxy_steerable")]
pub struct Proxy {
    frontend: Arc<Core>,
    backend: Arc<Core>,
    capture: Option<Arc<Core>>,
    shared: Arc<Shared>,
}

/// Steers a [`Proxy`] that runs, from wherever it is needed.
#[derive(Clone)]
pub struct Control(Arc<Shared>);

/// How many messages a [`Proxy`] has forwarded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyStats {
    /// From the frontend to the backend.
    pub to_backend: u64,
    /// From the backend to the frontend.
    pub to_frontend: u64,
    /// Messages that the capture socket had no room for; they were forwarded.
    pub not_captured: u64,
}

/// Why a proxy has ended by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// A socket could not receive. (That it was closed is no error.)
    #[error("the {socket} of a proxy cannot receive: {source}")]
    Recv {
        /// Its type.
        socket: SocketType,
        /// Why.
        source: RecvError,
    },
    /// A socket could not send. (That it was closed is no error.)
    #[error("the {socket} of a proxy cannot send: {source}")]
    Send {
        /// Its type.
        socket: SocketType,
        /// Why, and the message.
        source: SendError,
    },
    /// Neither of them sends what the other receives.
    #[error("a {frontend} and a {backend} have nothing to forward")]
    NothingToForward {
        /// The type of one.
        frontend: SocketType,
        /// The type of the other.
        backend: SocketType,
    },
}

struct Shared {
    mode: watch::Sender<Mode>,
    to_backend: AtomicU64,
    to_frontend: AtomicU64,
    not_captured: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Runs,
    Paused,
    Stopped,
}

impl Proxy {
    /// What will forward between these two.
    pub fn new(frontend: &impl Socket, backend: &impl Socket) -> Self {
        let shared = Shared {
            mode: watch::Sender::new(Mode::Runs),
            to_backend: AtomicU64::new(0),
            to_frontend: AtomicU64::new(0),
            not_captured: AtomicU64::new(0),
        };
        Self {
            frontend: frontend.core().0.shared(),
            backend: backend.core().0.shared(),
            capture: None,
            shared: Arc::new(shared),
        }
    }

    /// A socket that gets a copy of each message: PUB, PUSH, DEALER or PAIR. It holds
    /// nothing up: what it has no room for is counted.
    pub fn capture(mut self, socket: &impl Transmit) -> Self {
        self.capture = Some(socket.core().0.shared());
        self
    }

    /// What steers it.
    pub fn control(&self) -> Control {
        Control(Arc::clone(&self.shared))
    }

    /// Forwards until it is [stopped](Control::stop) or one of the sockets is closed. The
    /// sockets stay open.
    ///
    /// # Errors
    /// When a socket fails for another reason than that: it is a REQ or REP, whose turn it
    /// is not, or its runtimes have ended.
    ///
    /// # Cancel safety
    /// Dropping the future ends it, and may lose one message of each direction, that one
    /// side has received and the other has no room for. [`Control::stop`] tries to
    /// deliver it first.
    pub async fn run(self) -> Result<(), ProxyError> {
        let Self { frontend, backend, shared, .. } = &self;
        let (there, back) = (lane(frontend, backend), lane(backend, frontend));
        if !there && !back {
            let (frontend, backend) = (frontend.socket_type(), backend.socket_type());
            return Err(ProxyError::NothingToForward { frontend, backend });
        }
        let mut there = pin!(self.carry(there, frontend, backend, &shared.to_backend));
        let mut back = pin!(self.carry(back, backend, frontend, &shared.to_frontend));
        poll_fn(|cx| match there.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(ended),
            Poll::Pending => back.as_mut().poll(cx),
        })
        .await
    }

    /// Forwards in one direction; never ends if there is none.
    async fn carry(
        &self,
        exists: bool,
        from: &Core,
        to: &Core,
        counter: &AtomicU64,
    ) -> Result<(), ProxyError> {
        if !exists {
            return std::future::pending().await;
        }
        let mut mode = self.shared.mode.subscribe();
        loop {
            if runs(&mut mode).await == Mode::Stopped {
                return Ok(());
            }
            let received = tokio::select! {
                biased;
                _ = mode.wait_for(|mode| *mode != Mode::Runs) => continue,
                received = from.recv() => received,
            };
            let message = match received {
                Ok(delivery) => raw(delivery),
                Err(RecvError::Closed) => return Ok(()),
                Err(source) => {
                    return Err(ProxyError::Recv { socket: from.socket_type(), source });
                }
            };
            self.copy(&message);
            if !forward(to, message, &mut mode).await? {
                return Ok(());
            }
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn copy(&self, message: &Message) {
        let Some(capture) = &self.capture else { return };
        if capture.try_send(None, message.clone()).is_err() {
            self.shared.not_captured.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sends a message on; false if that is the end. One that is stopped does not wait for
/// room.
async fn forward(
    to: &Core,
    message: Message,
    mode: &mut watch::Receiver<Mode>,
) -> Result<bool, ProxyError> {
    let sending = to.send(None, message);
    let sent = tokio::select! {
        biased;
        sent = sending => sent,
        _ = mode.wait_for(|mode| *mode == Mode::Stopped) => return Ok(false),
    };
    match sent {
        Ok(()) => Ok(true),
        Err(error) if error.is_closed() => Ok(false),
        Err(source) => Err(ProxyError::Send { socket: to.socket_type(), source }),
    }
}

/// Waits while it is paused.
async fn runs(mode: &mut watch::Receiver<Mode>) -> Mode {
    mode.wait_for(|mode| *mode != Mode::Paused).await.map_or(Mode::Stopped, |mode| *mode)
}

/// Whether what one receives can be sent by the other.
fn lane(from: &Core, to: &Core) -> bool {
    let receives = !matches!(from.socket_type(), SocketType::Pub | SocketType::Push);
    let sends = !matches!(to.socket_type(), SocketType::Sub | SocketType::Pull);
    receives && sends
}

impl Control {
    /// Forwards nothing until it is resumed. What comes waits in the sockets, up to their
    /// marks.
    pub fn pause(&self) {
        self.set(Mode::Paused);
    }

    /// Goes on.
    pub fn resume(&self) {
        self.set(Mode::Runs);
    }

    /// Ends the proxy for good; its `run` returns.
    pub fn stop(&self) {
        self.0.mode.send_replace(Mode::Stopped);
    }

    /// How much it has forwarded.
    pub fn stats(&self) -> ProxyStats {
        let [to_backend, to_frontend, not_captured] =
            [&self.0.to_backend, &self.0.to_frontend, &self.0.not_captured]
                .map(|counter| counter.load(Ordering::Relaxed));
        ProxyStats { to_backend, to_frontend, not_captured }
    }

    /// What was stopped stays so.
    fn set(&self, mode: Mode) {
        self.0.mode.send_if_modified(|now| {
            let changes = *now != Mode::Stopped && *now != mode;
            if changes {
                *now = mode;
            }
            changes
        });
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
