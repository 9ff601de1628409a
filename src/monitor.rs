//! [`Monitor`]: what happens to a socket's connections, as a stream of events.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::broadcast;

use crate::endpoint::Endpoint;
use crate::error::RecvError;
use crate::fault::PeerFault;
use crate::peer::{PeerInfo, Unwelcome};

/// How many events a [`Monitor`] may fall behind.
const CAPACITY: usize = 1024;

/// Something that happened to an endpoint or a connection of a socket
/// (`zmq_socket_monitor`).
///
/// A connection's life is `Accepted` or `Connected` when the transport stands,
/// `Ready` when the handshake is done, `Disconnected` when it ends; or
/// `HandshakeFailed` in place of the last two. Over inproc there is no transport
/// and nobody is dialled again: it knows neither `Accepted` nor `Connected`, nor
/// `AcceptFailed` and `Retrying`.
///
/// # Peers that are turned away
///
/// | What happens | The socket that does not want the other | The other |
/// |---|---|---|
/// | ROUTER: the routing id is taken; PAIR: it has its peer; [`max_connections`](crate::SocketOptions::max_connections): there is no place | `HandshakeFailed`, [`TurnedAway`](DisconnectReason::TurnedAway) | ferromq: `HandshakeFailed`, [`RefusedUs`](PeerFault::RefusedUs) with `Routing-Id-Taken`, `Already-Paired` or `Too-Many-Connections`, and `Retrying` about a second later; libzmq: closed after a second |
/// | the same, but it has dialled the other | the same, and `Retrying` | `Ready`, then `Disconnected` |
/// | the socket type or the mechanism does not fit, the metadata is malformed | `HandshakeFailed`, [`Fault`](DisconnectReason::Fault) | ferromq: `HandshakeFailed` with a `Fault`, and `Retrying` after ever longer pauses |
/// | the mechanism does not fit, and the other is libzmq | `HandshakeFailed`, mostly [`PeerClosed`](DisconnectReason::PeerClosed): libzmq closes before it has said which mechanism it wants, NULL among them | libzmq: `HANDSHAKE_FAILED_PROTOCOL` |
/// | a [`Policy`](crate::Policy) does not let it in | `HandshakeFailed`, `Fault`, [`Denied`](PeerFault::Denied) with the reason | ferromq: `HandshakeFailed`, `Fault`, `RefusedUs` with `400`, or `500` if the policy could not decide, and `Retrying` after ever longer pauses; libzmq: `HANDSHAKE_FAILED_AUTH` with CURVE, `HANDSHAKE_FAILED_PROTOCOL` with PLAIN, and it does not come back |
/// | the same, for now ([`Temporary`](crate::Denial::Temporary)) | the same | it is told nothing and comes back. ferromq: `HandshakeFailed`, `Fault`, [`NotAnswered`](PeerFault::NotAnswered), with NULL `PeerClosed` |
/// | CURVE: the client has another key in mind than the server's | `HandshakeFailed`, `Fault`, [`NotAuthentic`](PeerFault::NotAuthentic) | it is told nothing and comes back. ferromq: `HandshakeFailed`, `Fault`, `NotAnswered`, and `Retrying` after pauses of up to a second |
/// | a subscriber wants more than a publisher allows one, or all together | `Disconnected`, `TurnedAway`, which names the bound | `Disconnected` |
/// | `router_handover`: another takes its routing id over | `Disconnected`, `TurnedAway` | `Disconnected` |
/// | inproc: any of these | `HandshakeFailed` or `Disconnected`, `TurnedAway` | the same; if it was just connecting, `connect` is an error as well |
#[derive(Debug, Clone)]
#[non_exhaustive]
#[doc(alias = "zmq_socket_monitor")]
pub enum MonitorEvent {
    /// The socket listens here; wildcards are resolved (`ZMQ_EVENT_LISTENING`).
    #[doc(alias = "ZMQ_EVENT_LISTENING")]
    Listening {
        /// The endpoint, resolved.
        endpoint: Endpoint,
    },
    /// A peer connected to one of our listeners (`ZMQ_EVENT_ACCEPTED`).
    #[doc(alias = "ZMQ_EVENT_ACCEPTED")]
    Accepted {
        /// Our endpoint.
        endpoint: Endpoint,
        /// The peer's address as the transport prints it.
        address: String,
    },
    /// A listener could not accept; it tries again after `retry_in`
    /// (`ZMQ_EVENT_ACCEPT_FAILED`).
    #[doc(alias = "ZMQ_EVENT_ACCEPT_FAILED")]
    AcceptFailed {
        /// Our endpoint.
        endpoint: Endpoint,
        /// What the system said.
        error: Arc<io::Error>,
        /// The pause before it tries again.
        retry_in: Duration,
    },
    /// Our attempt to connect succeeded (`ZMQ_EVENT_CONNECTED`).
    #[doc(alias = "ZMQ_EVENT_CONNECTED")]
    Connected {
        /// The endpoint that was given to `connect`.
        endpoint: Endpoint,
        /// The peer's address as the transport prints it.
        address: String,
    },
    /// A handshake is done: the peer takes part in routing
    /// (`ZMQ_EVENT_HANDSHAKE_SUCCEEDED`). Over inproc, where there is neither,
    /// two sockets have met.
    #[doc(alias = "ZMQ_EVENT_HANDSHAKE_SUCCEEDED")]
    Ready {
        /// Our endpoint, or the one given to `connect`.
        endpoint: Endpoint,
        /// The peer.
        peer: PeerInfo,
    },
    /// A connection ended before its handshake was done
    /// (`ZMQ_EVENT_HANDSHAKE_FAILED_*`). Over inproc, one of two sockets did not
    /// want the other, or the one that connects has given up waiting for somebody
    /// to bind the name.
    HandshakeFailed {
        /// Our endpoint, or the one given to `connect`.
        endpoint: Endpoint,
        /// The peer's address, as `Accepted` or `Connected` had it. Over inproc the
        /// endpoint; empty if nobody has bound the name.
        address: String,
        /// Why.
        reason: DisconnectReason,
    },
    /// A connection ended after its handshake (`ZMQ_EVENT_DISCONNECTED`). By
    /// now what was lost with it is counted.
    #[doc(alias = "ZMQ_EVENT_DISCONNECTED")]
    Disconnected {
        /// Our endpoint, or the one given to `connect`.
        endpoint: Endpoint,
        /// The peer's address, as in the [`PeerInfo`] of `Ready`.
        address: String,
        /// Why.
        reason: DisconnectReason,
    },
    /// An endpoint is dialled again after a pause (`ZMQ_EVENT_CONNECT_RETRIED`).
    #[doc(alias = "ZMQ_EVENT_CONNECT_RETRIED")]
    Retrying {
        /// The endpoint given to `connect`.
        endpoint: Endpoint,
        /// What failed.
        reason: DisconnectReason,
        /// The pause.
        delay: Duration,
    },
    /// An endpoint no longer listens (`ZMQ_EVENT_CLOSED`), or is no longer
    /// connected to since the tokio runtime in which that was asked for has ended.
    #[doc(alias = "ZMQ_EVENT_CLOSED")]
    Closed {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// This monitor was too slow and missed as many events.
    Lagged {
        /// How many.
        missed: u64,
    },
}

/// Why a connection ended or could not be made.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The system could not connect, or the connection broke.
    #[error("the transport failed: {0}")]
    Transport(Arc<io::Error>),
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// The attempt to connect took longer than allowed.
    #[error("connecting took too long")]
    ConnectTimeout,
    /// The handshake took longer than allowed.
    #[error("the handshake took too long")]
    HandshakeTimeout,
    /// Nothing was heard for longer than the heartbeat allows.
    #[error("the peer was silent for too long")]
    HeartbeatTimeout,
    /// The peer broke the protocol, does not fit us or does not want us, or a policy of
    /// ours does not want it. Whose fault that is, [`PeerFault::is_of_peer`] tells.
    #[error("{}: {_0}", if _0.is_of_peer() { "the peer is at fault" } else { "the peer" })]
    Fault(PeerFault),
    /// We had to give up its handshake: too many are pending.
    #[error("too many handshakes are pending")]
    TooManyPending,
    /// This socket did not want it, or no longer does.
    #[error("the socket turned the peer away: {0}")]
    TurnedAway(Unwelcome),
    /// We closed it: `disconnect`, `unbind` or `close`.
    #[error("closed by this side")]
    ByUs,
    /// The tokio runtime that served it has ended. Connecting to the endpoint or
    /// binding it again, in another runtime, takes its place.
    #[error("the tokio runtime of this connection has ended")]
    RuntimeEnded,
}

/// A stream of a socket's [`MonitorEvent`]s, from the moment it was asked for.
///
/// It never slows the socket down: if it is not read, it loses the oldest
/// events beyond 1024 and reports [`MonitorEvent::Lagged`]. It does not keep
/// the socket open.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use ferromq::{MonitorEvent, PullSocket};
///
/// let pull = PullSocket::new();
/// let mut monitor = pull.monitor();
/// let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
/// match monitor.recv().await {
///     Some(MonitorEvent::Listening { endpoint: at }) => assert_eq!(at, endpoint),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<_, ferromq::Error>(()) }).unwrap();
/// ```
pub struct Monitor(Events);

enum Events {
    Here(broadcast::Receiver<MonitorEvent>),
    /// The next one is waited for. What waits stays, so that whoever does may give up.
    Awaited(Awaited),
    /// Only between the two.
    Nowhere,
}

type Next = Result<MonitorEvent, broadcast::error::RecvError>;
type Awaited =
    Pin<Box<dyn Future<Output = (Next, broadcast::Receiver<MonitorEvent>)> + Send + Sync>>;

impl Monitor {
    /// Waits for the next event; `None` once the socket is gone. A monitor is also a
    /// [`Stream`].
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    pub async fn recv(&mut self) -> Option<MonitorEvent> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// The next event, if there is one.
    ///
    /// ```
    /// use ferromq::{PullSocket, RecvError};
    ///
    /// let pull = PullSocket::new();
    /// let mut monitor = pull.monitor();
    /// assert_eq!(monitor.try_recv().unwrap_err(), RecvError::WouldBlock);
    /// drop(pull);
    /// assert_eq!(monitor.try_recv().unwrap_err(), RecvError::Closed);
    /// ```
    ///
    /// # Errors
    /// [`RecvError::WouldBlock`] if there is none now, [`RecvError::Closed`] once the
    /// socket is gone.
    pub fn try_recv(&mut self) -> Result<MonitorEvent, RecvError> {
        match self.poll_event(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(event)) => Ok(event),
            Poll::Ready(None) => Err(RecvError::Closed),
            Poll::Pending => Err(RecvError::WouldBlock),
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<MonitorEvent>> {
        let mut awaited = match std::mem::replace(&mut self.0, Events::Nowhere) {
            Events::Awaited(awaited) => awaited,
            Events::Here(events) => next_of(events),
            Events::Nowhere => unreachable!("it is put back at once"),
        };
        match awaited.as_mut().poll(cx) {
            Poll::Pending => {
                self.0 = Events::Awaited(awaited);
                Poll::Pending
            }
            Poll::Ready((next, events)) => {
                self.0 = Events::Here(events);
                Poll::Ready(match next {
                    Ok(event) => Some(event),
                    Err(broadcast::error::RecvError::Lagged(missed)) => {
                        Some(MonitorEvent::Lagged { missed })
                    }
                    Err(broadcast::error::RecvError::Closed) => None,
                })
            }
        }
    }
}

/// Waits for one event.
fn next_of(mut events: broadcast::Receiver<MonitorEvent>) -> Awaited {
    Box::pin(async move {
        let next = events.recv().await;
        (next, events)
    })
}

impl Stream for Monitor {
    type Item = MonitorEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<MonitorEvent>> {
        self.get_mut().poll_event(cx)
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").finish_non_exhaustive()
    }
}

/// A line for people to read.
impl fmt::Display for MonitorEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { endpoint } => write!(f, "{endpoint}: listening"),
            Self::Accepted { endpoint, address } => write!(f, "{endpoint}: accepted {address}"),
            Self::AcceptFailed { endpoint, error, retry_in } => {
                write!(f, "{endpoint}: cannot accept: {error}; again in {retry_in:?}")
            }
            Self::Connected { endpoint, address } => {
                write!(f, "{endpoint}: connected to {address}")
            }
            Self::Ready { endpoint, peer } => write!(f, "{endpoint}: ready: {}", Who(peer)),
            Self::HandshakeFailed { endpoint, address, reason } => {
                write!(f, "{endpoint}: no handshake with {address}: {reason}")
            }
            Self::Disconnected { endpoint, address, reason } => {
                write!(f, "{endpoint}: {address} is gone: {reason}")
            }
            Self::Retrying { endpoint, reason, delay } => {
                write!(f, "{endpoint}: {reason}; dialled again in {delay:?}")
            }
            Self::Closed { endpoint } => write!(f, "{endpoint}: closed"),
            Self::Lagged { missed } => write!(f, "{missed} events were missed"),
        }
    }
}

/// A peer in a few words.
struct Who<'a>(&'a PeerInfo);

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PeerInfo { socket_type, routing_id, address, user_id, .. } = self.0;
        if let Some(user) = user_id {
            write!(f, "{user:?}, ")?;
        }
        match socket_type {
            Some(socket_type) => write!(f, "{socket_type}")?,
            None => write!(f, "peer")?,
        }
        if let Some(id) = routing_id {
            write!(f, " {id}")?;
        }
        write!(f, " at {address}")
    }
}

/// Where a socket's lower rooms report events. The channel is made for the
/// first monitor: most sockets never have one.
#[derive(Debug, Default)]
pub(crate) struct MonitorSink(OnceLock<broadcast::Sender<MonitorEvent>>);

impl MonitorSink {
    pub(crate) fn emit(&self, event: MonitorEvent) {
        if let Some(sender) = self.0.get() {
            // Every monitor may be gone again: not an error.
            let _ = sender.send(event);
        }
    }

    pub(crate) fn subscribe(&self) -> Monitor {
        let sender = self.0.get_or_init(|| broadcast::Sender::new(CAPACITY));
        Monitor(Events::Here(sender.subscribe()))
    }
}
