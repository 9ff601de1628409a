//! Pure-Rust, tokio-native ZeroMQ: typed sockets that connect, reconnect, queue
//! and route by themselves, and talk to libzmq peers in any language.
//!
//! ```
//! use ferromq::{RepSocket, ReqSocket};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ferromq::Error> {
//! let rep = RepSocket::new();
//! let endpoint = rep.bind("tcp://127.0.0.1:*").await?;
//! let req = ReqSocket::new();
//! req.connect(&endpoint)?;
//! req.send("Hello").await?;
//! assert_eq!(rep.recv().await?, "Hello".into());
//! rep.send("World").await?;
//! assert_eq!(req.recv().await?, "World".into());
//! # Ok(()) }
//! ```
//!
//! # Which socket
//!
//! | To | use | and |
//! |---|---|---|
//! | ask and be answered | [`ReqSocket`] | [`RepSocket`] |
//! | the same, many at a time | [`DealerSocket`] | [`RouterSocket`] |
//! | tell everybody who cares | [`PubSocket`] | [`SubSocket`] |
//! | forward that | [`XPubSocket`] | [`XSubSocket`] |
//! | share work out and collect it | [`PushSocket`] | [`PullSocket`] |
//! | join two tasks or threads | [`PairSocket`] | [`PairSocket`] |
//!
//! A socket has only the calls that make sense for it: a PULL that sends does
//! not compile. Calls take `&self`; sockets are `Send`, `Sync` and cheap to
//! clone, and several tasks may send and receive on one socket at once.
//!
//! On top of sockets there are [`Requester`] and [`Service`] (requests as futures),
//! [`Proxy`], and `blocking`, the same sockets without async. What goes on is told by
//! [`stats`](PushSocket::stats), [`peers`](PushSocket::peers) and
//! [`monitor`](PushSocket::monitor).
//!
//! # What to know
//!
//! - **One socket, many peers.** A socket may bind and connect any number of
//!   [`Endpoint`]s over `tcp://`, `ipc://` and `inproc://`, in any order.
//!   [`connect`](PushSocket::connect) returns at once and keeps trying.
//! - **`Ok` from `send`** means that the socket has accepted the message: it is
//!   queued for a peer, or dropped and counted where the pattern drops. Queues
//!   hold 1000 messages a peer ([`SocketOptions::send_hwm`], and
//!   [`send_hwm_bytes`](SocketOptions::send_hwm_bytes) if that is set); then PUSH,
//!   REQ, DEALER and PAIR wait, the others drop. See [`DropCause`].
//! - **[`close`](PushSocket::close)** waits until what was accepted is handed
//!   to the system. Dropping a socket does the same in the background, as long
//!   as the runtime lives; [`Context::wait_closed`] waits for that. A context
//!   with threads of its own (`Context::with_threads`) sees to it by itself.
//! - **Limits.** What a peer would refuse is refused at once, with the message
//!   given back: 1,000,000 frames in a message, 1,000,000 subscriptions or 64 MiB
//!   of topics for one subscriber.
//! - **Peers that nobody trusts.** By default, as with libzmq, any number of them may
//!   come, with messages of any size. [`SocketOptions::for_untrusted_peers`] bounds what
//!   each of them and all together take up. Who may come in at all: [`guide::security`].
//! - **Bad peers** cost only their own connection. They never fail a call; see
//!   [`monitor`](PushSocket::monitor) for what happens to connections, which is
//!   also logged through `tracing`. `debug`: the life of connections. `info`: a peer that
//!   is denied or not authentic. `warn`: an endpoint whose peer does not take us (once,
//!   until it does), a listener that cannot accept, a runtime or a context that ended with
//!   messages. `error`: a policy or a handler that panicked.
//! - **The runtime** in which `bind` or `connect` is called carries that
//!   endpoint; with its end a tcp or ipc endpoint is dead, which a monitor tells,
//!   and may be bound or connected again in another. Once no other endpoint is left,
//!   a call that would wait fails ([`RecvError::RuntimeEnded`],
//!   [`SendErrorKind::RuntimeEnded`]). For these two transports it needs its
//!   drivers (`enable_all`), as `#[tokio::main]` and `Runtime::new` have them;
//!   without, `bind` and `connect` are errors.
//!
//! # Tasks that compute
//!
//! Sockets do their work in tasks of their own. On a runtime with several workers
//! (`multi_thread`) another worker does it while the task that asked for it
//! computes and does not await: what it sent goes out, what it connects to, binds
//! or subscribes to is seen to, heartbeats go on. On `current_thread` there is no
//! other worker, so all that stands still until the task awaits something:
//! let it await now and then, `tokio::task::yield_now` if there is nothing else, or
//! compute in `spawn_blocking`.
//!
//! # Cancel safety
//!
//! Every future here may be dropped at any time, so `tokio::time::timeout` and
//! `select!` are safe with all of them:
//!
//! | dropping | means |
//! |---|---|
//! | `recv` | no message is lost: it is taken in the very poll that returns it |
//! | `send` | the message was not sent: it is accepted in the very poll that returns `Ok` |
//! | `bind` | nothing is bound |
//! | `unbind`, `close` | once polled, it happens; only the waiting stops |
//! | `Monitor::recv`, `wait_closed` | nothing is lost, nothing changes |
//!
//! No dropped future changes whose turn it is, on either side of a pattern.
//!
//! # The house
//!
//! Two towers stand on a shared vocabulary. The protocol tower knows octets and
//! no sockets; the pattern tower knows messages and no octets (but for a strip of
//! messages that are not cut up yet). They meet in the wire. All these are synchronous, without tokio and without a clock.
//!
//! ```text
//!              blocking
//!                  │
//!               socket   context               waits, binds, connects, closes
//!           ┌─────┴┬────────┐
//!        engine  inproc  pattern               connections; a process; one strategy per type
//!      ┌────┴───┐   │    routing               the blocks of strategies
//!  transport  wire  │       │                  tcp, ipc; octets ⇄ messages of one peer
//!             ┌─┴──┐│       │
//!           zmtp  pipe──────┘                  RFC 23/37, sans-IO; the way to one peer
//!             └─┬──┘
//!   message · endpoint · options · peer · error · monitor      vocabulary
//! ```
//! `send` asks the pattern for a peer under one short lock and encodes into the
//! buffer of its line. The first message after a quiet time is written then and
//! there; for others the connection's task is woken once, and writes what has
//! gathered with one call. `recv` takes its turn at a peer and decodes from what
//! was read, or reads by itself; no task and no channel stand between. When no
//! receiver comes, the task reads ahead of it, up to the marks.
//!
//! # Status
//!
//! ZMTP 3.1 and 3.0 with the mechanisms NULL, PLAIN and CURVE, the latter behind the
//! features `plain` and `curve`: see [`guide::security`]. Older peers are refused. Where
//! ferromq departs from an RFC, and why, is listed in [`guide::departures`].
#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
#![deny(clippy::unwrap_used)]

// Vocabulary: what everything else talks about.
mod endpoint;
mod error;
mod fault;
mod mark;
mod message;
mod monitor;
mod options;
mod peer;
mod printable;
mod properties;
mod random;
mod routing_id;
mod security;
mod socket_type;
mod stats;
mod sync;

// The protocol tower: octets, no sockets.
mod zmtp;

// The pattern tower: messages, no octets.
mod pattern;
mod pipe;
mod routing;

// Byte streams, and what moves messages over them; queues within the process.
mod engine;
mod inproc;
mod tasks;
#[cfg(feature = "threads")]
mod threads;
mod transport;

// Where the towers meet.
mod context;
mod socket;

// Between two sockets, and on top of one.
mod proxy;
mod request;

// For those who do not await.
#[cfg(feature = "threads")]
pub mod blocking;

// Text.
pub mod guide;

// What breaks it, hopefully: only in tests and under cargo-fuzz.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;

// Two sockets and a network that does what it likes: only in tests.
#[cfg(all(test, feature = "tcp"))]
#[allow(clippy::unwrap_used)]
mod simulation;

pub use context::Context;
pub use endpoint::{Endpoint, EndpointError, EndpointFault, IntoEndpoint};
pub use error::{
    BindError, ConnectError, Error, RecvError, ReleaseError, SendError, SendErrorKind,
    SubscribeError, Unsupported, WaitError,
};
pub use fault::PeerFault;
pub use message::{FrameCountError, Frames, IntoFrame, IntoFrames, Message};
#[cfg(feature = "json")]
pub use message::{Json, JsonError};
pub use monitor::{DisconnectReason, Monitor, MonitorEvent};
pub use options::{Linger, OptionError, SocketOptions, XPubVerbosity};
pub use peer::{DropCause, PeerInfo, Unwelcome};
pub use proxy::{Control, Proxy, ProxyError, ProxyStats, proxy};
pub use request::{Request, RequestError, Requester, Service};
pub use routing_id::{InvalidRoutingId, RoutingId};
pub use security::{
    AddressList, Answer, Authenticator, Candidate, Credentials, Denial, Grant, Mechanism, Network,
    NetworkError, Policy, Verdict,
};
#[cfg(feature = "curve")]
pub use security::{
    CertificateDir, CertificateError, CertificateFault, CurveCertificate, CurveKeypair,
    CurvePublicKey, CurveSecretKey, KeyError, KeyList, z85,
};
#[cfg(feature = "plain")]
pub use security::{PlainCredentials, UserList};
pub use socket::{
    Closed, DealerSocket, Incoming, Outgoing, PairSocket, PubSocket, PullSocket, PushSocket,
    Receive, RepSocket, ReqSocket, RouterSocket, Socket, SubSocket, Transmit, Upstream, XPubSocket,
    XSubSocket,
};
pub use socket_type::SocketType;
pub use stats::{Lost, PeerStats, SocketStats, Traffic};

/// The programs of the README, compiled and run.
#[cfg(all(doctest, feature = "curve"))]
#[doc = include_str!("../README.md")]
struct Readme;
