//! [`SocketOptions`]: what a socket is made with.

mod check;
mod connections;
mod limits;
mod security;

use std::time::Duration;

use bytes::Bytes;

use crate::mark::Mark;
use crate::message::Message;
use crate::routing_id::RoutingId;
use crate::security::{Policy, Security};

pub use check::OptionError;
pub(crate) use limits::Limits;

/// How long a socket keeps trying to deliver what it accepted, once it is
/// closed or dropped, or an endpoint is disconnected (`ZMQ_LINGER`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(alias = "ZMQ_LINGER")]
pub enum Linger {
    /// Until everything is delivered.
    Forever,
    /// At most this long. Zero gives up at once.
    For(Duration),
}

/// At most this long.
impl From<Duration> for Linger {
    fn from(time: Duration) -> Self {
        Self::For(time)
    }
}

/// The options of a socket: chainable setters over libzmq's defaults.
///
/// A socket takes its options when it is made and keeps them, so none can be
/// set too late. An option that means nothing to a socket type is ignored by
/// it; each says which types it is for.
///
/// ```
/// use std::time::Duration;
/// use ferromq::{PushSocket, SocketOptions};
///
/// let push = PushSocket::with_options(
///     SocketOptions::new().send_hwm(10_000).linger(Duration::from_secs(1)),
/// );
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct SocketOptions {
    pub(crate) send_hwm: Mark,
    pub(crate) send_hwm_bytes: Mark,
    pub(crate) recv_hwm: Mark,
    pub(crate) recv_hwm_bytes: Mark,
    pub(crate) linger: Option<Linger>,
    pub(crate) immediate: bool,
    pub(crate) conflate: bool,
    pub(crate) reconnect_interval: Duration,
    pub(crate) reconnect_interval_max: Duration,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) handshake_timeout: Option<Duration>,
    pub(crate) heartbeat_interval: Option<Duration>,
    pub(crate) heartbeat_timeout: Option<Duration>,
    pub(crate) heartbeat_ttl: Duration,
    pub(crate) max_message_size: Option<usize>,
    pub(crate) limits: Limits,
    pub(crate) backlog: u32,
    pub(crate) tcp_keepalive: Option<bool>,
    pub(crate) tcp_keepalive_idle: Option<Duration>,
    pub(crate) tcp_keepalive_interval: Option<Duration>,
    pub(crate) tcp_keepalive_count: Option<u32>,
    pub(crate) send_buffer: Option<usize>,
    pub(crate) recv_buffer: Option<usize>,
    pub(crate) ipv6: bool,
    pub(crate) type_of_service: u8,
    pub(crate) routing_id: Option<RoutingId>,
    pub(crate) metadata: Vec<(String, Bytes)>,
    pub(crate) router_mandatory: bool,
    pub(crate) router_handover: bool,
    pub(crate) probe_router: bool,
    pub(crate) req_relaxed: bool,
    pub(crate) req_correlate: bool,
    pub(crate) xpub_verbosity: XPubVerbosity,
    pub(crate) xpub_manual: bool,
    pub(crate) xpub_nodrop: bool,
    pub(crate) xpub_welcome: Option<Message>,
    pub(crate) security: Security,
    pub(crate) null_policy: Option<Policy>,
    pub(crate) zap_domain: String,
    pub(crate) zap_enforce_domain: bool,
}

/// Which subscription changes an XPUB tells the application.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum XPubVerbosity {
    /// The first subscription to a topic, and the end of the last.
    #[default]
    Changes,
    /// Every subscription, and the end of the last (`ZMQ_XPUB_VERBOSE`).
    #[doc(alias = "ZMQ_XPUB_VERBOSE")]
    Subscriptions,
    /// Every subscription and every cancellation (`ZMQ_XPUB_VERBOSER`).
    #[doc(alias = "ZMQ_XPUB_VERBOSER")]
    All,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            send_hwm: Mark::from_option(1000),
            send_hwm_bytes: Mark::UNLIMITED,
            recv_hwm: Mark::from_option(1000),
            recv_hwm_bytes: Mark::from_option(16 << 20),
            linger: None,
            immediate: false,
            conflate: false,
            reconnect_interval: Duration::from_millis(100),
            reconnect_interval_max: Duration::ZERO,
            connect_timeout: None,
            handshake_timeout: Some(Duration::from_secs(30)),
            heartbeat_interval: None,
            heartbeat_timeout: None,
            heartbeat_ttl: Duration::ZERO,
            max_message_size: None,
            limits: Limits::default(),
            backlog: 100,
            tcp_keepalive: None,
            tcp_keepalive_idle: None,
            tcp_keepalive_interval: None,
            tcp_keepalive_count: None,
            send_buffer: None,
            recv_buffer: None,
            ipv6: false,
            type_of_service: 0,
            routing_id: None,
            metadata: Vec::new(),
            router_mandatory: false,
            router_handover: false,
            probe_router: false,
            req_relaxed: false,
            req_correlate: false,
            xpub_verbosity: XPubVerbosity::Changes,
            xpub_manual: false,
            xpub_nodrop: false,
            xpub_welcome: None,
            security: Security::default(),
            null_policy: None,
            zap_domain: String::new(),
            zap_enforce_domain: false,
        }
    }
}

/// Queues and closing.
impl SocketOptions {
    /// The defaults, which are libzmq's where it has the option.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many messages may wait to be sent to one peer. Default 1000; 0 for
    /// no limit (`ZMQ_SNDHWM`).
    ///
    /// At the mark a socket waits or drops, as its type prescribes. Over tcp
    /// and ipc the mark counts every message that the system has not taken as
    /// a whole; over inproc it is the sum of this and the peer's
    /// [`recv_hwm`](Self::recv_hwm).
    #[doc(alias = "ZMQ_SNDHWM")]
    pub fn send_hwm(mut self, messages: usize) -> Self {
        self.send_hwm = Mark::from_option(messages);
        self
    }

    /// How many octets may wait to be sent to one peer. Default 0, no limit.
    /// libzmq has no such option.
    ///
    /// At it a socket does what it does at [`send_hwm`](Self::send_hwm), at
    /// whichever of both it comes to first. Below it a message of any size is
    /// taken, so that what waits may be more by one message: a peer that does not
    /// read costs at most the mark and one message, and eight octets for each that
    /// waits.
    ///
    /// Over tcp and ipc it counts every message that the system has not taken as
    /// a whole, with all its octets, also those in front of its frames (before
    /// CURVE seals them). Over inproc a message counts for the memory that it
    /// keeps, and the mark is the sum of this and the peer's
    /// [`recv_hwm_bytes`](Self::recv_hwm_bytes).
    pub fn send_hwm_bytes(mut self, octets: usize) -> Self {
        self.send_hwm_bytes = Mark::from_option(octets);
        self
    }

    /// How many messages of one peer may wait to be received before the socket
    /// stops reading from it. Default 1000; 0 for no limit (`ZMQ_RCVHWM`).
    ///
    /// Over tcp and ipc a receiver reads for itself, and as long as it keeps
    /// coming little is read ahead of it. When no receiver has come for about a
    /// millisecond, the socket reads on by itself until so many messages wait, or
    /// [`recv_hwm_bytes`](Self::recv_hwm_bytes). (It may be some milliseconds for REQ
    /// and REP, or after one was woken and has not come; on a `current_thread` runtime
    /// it may be as soon as the other tasks had their turn.) What lies undecoded in the
    /// one buffer of the connection comes on top. After that the peer is held back: the
    /// rest waits in the kernel and with the peer.
    ///
    /// XPUB, which reads on to hear of subscriptions, drops and counts what one peer sends
    /// beyond this mark, and what all together send beyond twice the mark. PUSH and PUB
    /// receive nothing.
    #[doc(alias = "ZMQ_RCVHWM")]
    pub fn recv_hwm(mut self, messages: usize) -> Self {
        self.recv_hwm = Mark::from_option(messages);
        self
    }

    /// How many octets of one peer may wait to be received before the socket
    /// stops reading from it. Default 16 MiB; 0 for no limit. libzmq has no
    /// such option.
    ///
    /// A message counts for the memory that it keeps, which may be more than
    /// its own octets; where none waits, one of any size is read. For XPUB, what one peer
    /// sends beyond this is dropped, and what all together send beyond twice this. Over
    /// inproc it only adds to the [`send_hwm_bytes`](Self::send_hwm_bytes) of a peer that
    /// has set that.
    ///
    /// What peers have left unread that are gone has a bound for all of them
    /// together: four times this or 64 MiB, whichever is more. There nothing is
    /// read ahead of other peers until receivers have caught up; over inproc,
    /// these find the socket full.
    pub fn recv_hwm_bytes(mut self, octets: usize) -> Self {
        self.recv_hwm_bytes = Mark::from_option(octets);
        self
    }

    /// How long to go on delivering after `close`, `disconnect` or drop.
    /// Default [`Linger::Forever`], for SUB and XSUB zero (`ZMQ_LINGER`).
    ///
    /// Over inproc there is nothing to wait for: what was sent is with the
    /// receiver already, and what waits for a name that nobody has bound is
    /// given up, and counted, at once.
    #[doc(alias = "ZMQ_LINGER")]
    pub fn linger(mut self, linger: impl Into<Linger>) -> Self {
        self.linger = Some(linger.into());
        self
    }

    /// Whether an endpoint takes messages only while it is connected. Default
    /// false: messages wait for a peer that is not there yet
    /// (`ZMQ_IMMEDIATE`).
    #[doc(alias = "ZMQ_IMMEDIATE")]
    pub fn immediate(mut self, immediate: bool) -> Self {
        self.immediate = immediate;
        self
    }

    /// Whether each queue holds only the newest message. Default false. For
    /// PUSH, PULL, PUB, SUB and DEALER and for messages of one frame; the
    /// high-water marks, those in octets too, mean nothing then (`ZMQ_CONFLATE`).
    #[doc(alias = "ZMQ_CONFLATE")]
    pub fn conflate(mut self, conflate: bool) -> Self {
        self.conflate = conflate;
        self
    }

    /// The largest message to accept from a peer, in octets of all its frames
    /// together, inclusive. Default `None`, no limit. A peer that sends a
    /// larger one is disconnected (`ZMQ_MAXMSGSIZE`, which counts frames). Commands have
    /// bounds of their own: 64 KiB, or a topic of 64 MiB where topics have a use. Over
    /// inproc there is no such bound.
    #[doc(alias = "ZMQ_MAXMSGSIZE")]
    pub fn max_message_size(mut self, octets: impl Into<Option<usize>>) -> Self {
        self.max_message_size = octets.into();
        self
    }
}

/// Request-reply.
impl SocketOptions {
    /// The name under which ROUTER peers know this socket, for REQ, DEALER and
    /// ROUTER. Default none: each ROUTER assigns one (`ZMQ_ROUTING_ID`).
    ///
    /// It has to differ from those of the other peers of a ROUTER. One that
    /// comes second is turned away and dials again once a second; what is sent
    /// on it meanwhile waits. (If the ROUTER is the one that dials, what the
    /// second has sent by then is lost, and the ROUTER counts it.) See
    /// [`router_handover`](Self::router_handover).
    #[doc(alias = "ZMQ_ROUTING_ID")]
    pub fn routing_id(mut self, id: RoutingId) -> Self {
        self.routing_id = Some(id);
        self
    }

    /// ROUTER: whether a message to an unknown peer is an error, and one to a
    /// full peer waits. Default false: both are dropped
    /// (`ZMQ_ROUTER_MANDATORY`).
    #[doc(alias = "ZMQ_ROUTER_MANDATORY")]
    pub fn router_mandatory(mut self, mandatory: bool) -> Self {
        self.router_mandatory = mandatory;
        self
    }

    /// ROUTER: whether a new peer takes a routing id over from the one that
    /// has it. Default false: the newcomer is turned away
    /// (`ZMQ_ROUTER_HANDOVER`).
    #[doc(alias = "ZMQ_ROUTER_HANDOVER")]
    pub fn router_handover(mut self, handover: bool) -> Self {
        self.router_handover = handover;
        self
    }

    /// REQ, DEALER, ROUTER: whether each new connection starts with an empty
    /// message, so that a ROUTER learns of this socket. Default false
    /// (`ZMQ_PROBE_ROUTER`).
    #[doc(alias = "ZMQ_PROBE_ROUTER")]
    pub fn probe_router(mut self, probe: bool) -> Self {
        self.probe_router = probe;
        self
    }

    /// REQ: whether `send` may abandon a request whose reply has not come.
    /// Default false. Use it with [`req_correlate`](Self::req_correlate), or a
    /// late reply may be taken for the answer to the new request
    /// (`ZMQ_REQ_RELAXED`).
    #[doc(alias = "ZMQ_REQ_RELAXED")]
    pub fn req_relaxed(mut self, relaxed: bool) -> Self {
        self.req_relaxed = relaxed;
        self
    }

    /// REQ: whether requests carry a number that replies must repeat, which
    /// any REP or ROUTER does that keeps envelopes. Default false
    /// (`ZMQ_REQ_CORRELATE`).
    #[doc(alias = "ZMQ_REQ_CORRELATE")]
    pub fn req_correlate(mut self, correlate: bool) -> Self {
        self.req_correlate = correlate;
        self
    }
}

/// Publish-subscribe.
impl SocketOptions {
    /// XPUB: which subscription changes `recv` reports. Default
    /// [`XPubVerbosity::Changes`] (`ZMQ_XPUB_VERBOSE`, `ZMQ_XPUB_VERBOSER`).
    #[doc(alias = "ZMQ_XPUB_VERBOSE")]
    #[doc(alias = "ZMQ_XPUB_VERBOSER")]
    pub fn xpub_verbosity(mut self, verbosity: XPubVerbosity) -> Self {
        self.xpub_verbosity = verbosity;
        self
    }

    /// XPUB: whether the application decides what a subscriber gets, by
    /// calling `subscribe` and `unsubscribe` after it received the request.
    /// Default false (`ZMQ_XPUB_MANUAL`).
    #[doc(alias = "ZMQ_XPUB_MANUAL")]
    pub fn xpub_manual(mut self, manual: bool) -> Self {
        self.xpub_manual = manual;
        self
    }

    /// PUB, XPUB: whether `send` waits while a matching subscriber is full,
    /// instead of dropping for it. Default false (`ZMQ_XPUB_NODROP`).
    #[doc(alias = "ZMQ_XPUB_NODROP")]
    pub fn xpub_nodrop(mut self, nodrop: bool) -> Self {
        self.xpub_nodrop = nodrop;
        self
    }

    /// PUB, XPUB: a message that each new subscriber gets first (it still
    /// passes the subscriber's own filter). Default none
    /// (`ZMQ_XPUB_WELCOME_MSG`).
    #[doc(alias = "ZMQ_XPUB_WELCOME_MSG")]
    pub fn xpub_welcome(mut self, message: impl Into<Message>) -> Self {
        self.xpub_welcome = Some(message.into());
        self
    }
}
