//! REQ, REP, DEALER and ROUTER (RFC 28).

use std::sync::Arc;

use super::methods::{common_methods, recv_methods, send_methods};
use super::{Closed, CoreRef, Handle, HasCore, Receive, Socket, Transmit};
use crate::context::Context;
use crate::endpoint::{Endpoint, IntoEndpoint};
use crate::error::{BindError, ConnectError, RecvError, ReleaseError, SendError, WaitError};
use crate::message::Message;
use crate::monitor::Monitor;
use crate::options::{Linger, SocketOptions};
use crate::pattern::Delivery;
use crate::peer::{DropCause, PeerInfo};
use crate::routing_id::RoutingId;
use crate::socket_type::SocketType;
use crate::stats::SocketStats;

/// Asks, then receives the answer, in strict alternation.
///
/// ```text
///   REQ ── request ──► REP
///       ◄─── reply ───
/// ```
/// Each request goes to the next of its peers, and only that peer's reply
/// counts; strays are discarded. `send` and `recv` out of turn fail at once and
/// change nothing. If the peer that was asked was accepted by this socket and
/// leaves, `recv` fails with [`RecvError::PeerLeft`] and the socket may ask
/// again; if this socket connects to it, `recv` goes on waiting across
/// reconnects. A timeout does not end the turn: use the options
/// [`req_relaxed`](SocketOptions::req_relaxed) and
/// [`req_correlate`](SocketOptions::req_correlate) to ask again after one.
///
/// | | |
/// |---|---|
/// | Peers | REP, ROUTER |
/// | Direction | sends, then receives |
/// | Outgoing | round-robin |
/// | Incoming | from the peer that was asked |
/// | In the mute state | waits |
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use ferromq::{RepSocket, ReqSocket};
///
/// let (rep, req) = (RepSocket::new(), ReqSocket::new());
/// req.connect(rep.bind("tcp://127.0.0.1:0").await?)?;
/// req.send("Hello").await?;
/// assert_eq!(rep.recv().await?, "Hello".into());
/// rep.send("World").await?;
/// assert_eq!(req.recv().await?, "World".into());
/// # Ok::<_, ferromq::Error>(()) }).unwrap();
/// ```
/// With a timeout, asking again:
/// ```no_run
/// # async fn ask() -> Result<Option<ferromq::Message>, ferromq::Error> {
/// use std::time::Duration;
///
/// use ferromq::{ReqSocket, SocketOptions};
///
/// let options = SocketOptions::new().req_relaxed(true).req_correlate(true);
/// let req = ReqSocket::with_options(options);
/// req.connect("tcp://127.0.0.1:5555")?;
/// for _ in 0..3 {
///     req.send("Hello").await?;
///     if let Ok(reply) = tokio::time::timeout(Duration::from_secs(1), req.recv()).await {
///         return Ok(Some(reply?));
///     }
/// }
/// Ok(None)
/// # }
/// ```
#[derive(Clone)]
pub struct ReqSocket(Handle);

common_methods!(ReqSocket, Req);
send_methods!(ReqSocket);
recv_methods!(ReqSocket);

/// Receives a request, then answers it, in strict alternation.
///
/// ```text
///   REQ ──┐
///   REQ ──┼──► REP              fair-queued; the answer goes to who asked
///   REQ ──┘
/// ```
/// Requests may have come through any number of ROUTER–DEALER brokers: REP
/// keeps the envelope and puts it before the answer. Malformed requests are
/// skipped. If the asker has left, the answer is dropped and counted.
///
/// | | |
/// |---|---|
/// | Peers | REQ, DEALER |
/// | Direction | receives, then sends |
/// | Incoming | fair-queued |
/// | Outgoing | to the peer that asked |
/// | In the mute state | drops |
///
/// There is an example at [`ReqSocket`].
#[derive(Clone)]
pub struct RepSocket(Handle);

common_methods!(RepSocket, Rep);
send_methods!(RepSocket);
recv_methods!(RepSocket);

/// Sends to its peers in turn and receives from all of them, with no order
/// between the two: an asynchronous REQ.
///
/// A DEALER that talks to REP puts an empty frame before its message, as REQ
/// does: `Message::from(["", "request"])`.
///
/// | | |
/// |---|---|
/// | Peers | ROUTER, REP, DEALER |
/// | Direction | both |
/// | Outgoing | round-robin |
/// | Incoming | fair-queued |
/// | In the mute state | waits |
///
/// There is an example at [`RouterSocket`].
#[derive(Clone)]
pub struct DealerSocket(Handle);

common_methods!(DealerSocket, Dealer);

impl DealerSocket {
    /// Who does its I/O.
    pub(crate) fn context(&self) -> &Context {
        &self.0.context
    }
}

send_methods!(DealerSocket);
recv_methods!(DealerSocket);

/// Knows its peers by their [`RoutingId`]: receives with the id of the sender,
/// and sends to the id it is told.
///
/// ```text
///   DEALER "a" ◄──┐
///   DEALER "b" ◄──┼──► ROUTER   recv gives (id, message), send_to takes both
///   REQ    "c" ◄──┘
/// ```
/// Peers choose their id with the option
/// [`routing_id`](SocketOptions::routing_id), or get one. A message to a peer
/// that is unknown or full is dropped and counted, unless
/// [`router_mandatory`](SocketOptions::router_mandatory) is set: then the first
/// is an error and the second waits. What a REQ sends reaches ROUTER with its
/// empty delimiter frame in front.
///
/// | | |
/// |---|---|
/// | Peers | DEALER, REQ, ROUTER |
/// | Direction | both |
/// | Outgoing | to the peer that is named |
/// | Incoming | fair-queued |
/// | In the mute state | drops (waits, with `router_mandatory`) |
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use ferromq::{DealerSocket, RouterSocket};
///
/// let (router, dealer) = (RouterSocket::new(), DealerSocket::new());
/// dealer.connect(router.bind("tcp://127.0.0.1:0").await?)?;
/// dealer.send("ping").await?;
/// let (id, message) = router.recv().await?;
/// assert_eq!(message, "ping".into());
/// router.send_to(&id, "pong").await?;
/// assert_eq!(dealer.recv().await?, "pong".into());
/// # Ok::<_, ferromq::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct RouterSocket(Handle);

common_methods!(RouterSocket, Router);

impl Receive for RouterSocket {}
impl Transmit for RouterSocket {}

impl RouterSocket {
    /// Receives a message and the id of the peer that sent it, waiting until
    /// there is one.
    ///
    /// # Errors
    /// When the socket is closed, or every runtime in which it was bound or
    /// connected has ended ([`RecvError::RuntimeEnded`]).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn recv(&self) -> Result<(RoutingId, Message), RecvError> {
        self.0.recv().await.map(|it| (it.from.expect("a ROUTER names every peer"), it.message))
    }

    /// Receives a message and the id of its sender if there is one
    /// (`ZMQ_DONTWAIT`).
    ///
    /// # Errors
    /// Also when there is none for now ([`RecvError::is_would_block`]).
    #[doc(alias = "ZMQ_DONTWAIT")]
    pub fn try_recv(&self) -> Result<(RoutingId, Message), RecvError> {
        self.0.try_recv().map(|it| (it.from.expect("a ROUTER names every peer"), it.message))
    }

    /// Receives a message, the id of the peer that sent it, and what is known of that
    /// peer: what it said of itself in the handshake, where it is, and what a
    /// [`Policy`](crate::Policy) had to say of it, such as its user id (`zmq_msg_gets`).
    ///
    /// ```
    /// use ferromq::{Error, RouterSocket};
    ///
    /// async fn log(router: &RouterSocket) -> Result<(), Error> {
    ///     let (id, message, peer) = router.recv_with_peer().await?;
    ///     let user = peer.user_id.as_deref().unwrap_or("somebody");
    ///     println!("{user}, {id}, at {}: {message:?}", peer.address);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// When the socket is closed, or every runtime in which it was bound or
    /// connected has ended ([`RecvError::RuntimeEnded`]).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    #[doc(alias = "zmq_msg_gets")]
    pub async fn recv_with_peer(&self) -> Result<(RoutingId, Message, Arc<PeerInfo>), RecvError> {
        self.0.recv_with_peer().await.map(known)
    }

    /// The same if there is a message (`ZMQ_DONTWAIT`).
    ///
    /// # Errors
    /// Also when there is none for now ([`RecvError::is_would_block`]).
    #[doc(alias = "ZMQ_DONTWAIT")]
    pub fn try_recv_with_peer(&self) -> Result<(RoutingId, Message, Arc<PeerInfo>), RecvError> {
        self.0.try_recv_with_peer().map(known)
    }

    /// Receives in libzmq's form, for proxies: the id is the first frame.
    ///
    /// # Errors
    /// When the socket is closed, or every runtime in which it was bound or
    /// connected has ended ([`RecvError::RuntimeEnded`]).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn recv_raw(&self) -> Result<Message, RecvError> {
        let (id, mut message) = self.recv().await?;
        message.push_front(id.as_bytes().clone());
        Ok(message)
    }

    /// Sends a message to the peer with this id: one that [`recv`](Self::recv) gave, or
    /// text or octets that the peer has chosen as its
    /// [`routing_id`](SocketOptions::routing_id).
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use ferromq::{DealerSocket, RouterSocket, RoutingId, SocketOptions};
    ///
    /// let router = RouterSocket::new();
    /// let name = RoutingId::new("worker-1")?;
    /// let worker = DealerSocket::with_options(SocketOptions::new().routing_id(name));
    /// worker.connect(router.bind("tcp://127.0.0.1:*").await?)?;
    /// router.wait_for_peers(1).await?;
    /// router.send_to("worker-1", "task").await?;
    /// assert_eq!(worker.recv().await?, "task".into());
    /// # Ok::<_, ferromq::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Gives the message back when the socket is closed, when the message has
    /// more than 1,000,000 frames (the id does not count) or, with
    /// [`router_mandatory`](SocketOptions::router_mandatory), when no peer has
    /// the id, or has it no more since its runtime has ended.
    ///
    /// # Cancel safety
    /// Dropping the future means that the message was not sent.
    pub fn send_to<'a>(
        &'a self,
        id: &'a (impl AsRef<[u8]> + ?Sized),
        message: impl Into<Message>,
    ) -> impl Future<Output = Result<(), SendError>> + Send + 'a {
        self.0.send(Some(id.as_ref()), message.into())
    }

    /// Sends a message to the peer with this id, if that needs no waiting
    /// (`ZMQ_DONTWAIT`).
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to), and when it would have to wait.
    #[doc(alias = "ZMQ_DONTWAIT")]
    pub fn try_send_to(
        &self,
        id: &(impl AsRef<[u8]> + ?Sized),
        message: impl Into<Message>,
    ) -> Result<(), SendError> {
        self.0.try_send(Some(id.as_ref()), message.into())
    }

    /// Sends in libzmq's form, for proxies: the first frame is the id.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to), and when there is no frame after the id.
    ///
    /// # Cancel safety
    /// Dropping the future means that the message was not sent.
    pub fn send_raw(
        &self,
        message: impl Into<Message>,
    ) -> impl Future<Output = Result<(), SendError>> + Send + '_ {
        self.0.send(None, message.into())
    }
}

/// What a ROUTER receives, with all that is known of the sender.
fn known(delivery: Delivery) -> (RoutingId, Message, Arc<PeerInfo>) {
    let Delivery { message, from, info } = delivery;
    (from.expect("a ROUTER names every peer"), message, info.unwrap_or_default())
}
