//! Errors, one type per operation, and [`Error`] which they all convert into.
//!
//! Each says who is at fault: the call (a wrong endpoint, out of turn), the
//! system, or nobody (closed, full, empty). What a peer does wrong never fails
//! a call; it costs the peer its connection and becomes a monitor event.

use std::fmt;

use thiserror::Error;

use crate::endpoint::{Endpoint, EndpointError};
use crate::message::Message;
use crate::options::OptionError;
use crate::routing_id::InvalidRoutingId;
use crate::security::NetworkError;
#[cfg(feature = "curve")]
use crate::security::{CertificateError, KeyError, z85};
use crate::socket_type::SocketType;

/// Why [`bind`](crate::PullSocket::bind) failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// The endpoint is not one, or cannot be bound.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Another socket has the address, file or name.
    #[error("{endpoint} is in use")]
    AddressInUse {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// There is no such network interface, or it has no address of the wanted
    /// family.
    #[error("cannot bind {endpoint}: no network interface {name} with a fitting address")]
    NoSuchInterface {
        /// The endpoint.
        endpoint: Endpoint,
        /// The name that was looked for.
        name: String,
    },
    /// There is something at the path that is not a socket, and not ours to
    /// remove.
    #[error("cannot bind {endpoint}: the file exists and is not a socket")]
    NotASocket {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// This build has no such transport.
    #[error("cannot bind {endpoint}: {reason}")]
    NotSupported {
        /// The endpoint.
        endpoint: Endpoint,
        /// Which feature or platform it needs.
        reason: Unsupported,
    },
    /// The system did not allow it; it says why as the source of this error.
    #[error("cannot bind {endpoint}")]
    Io {
        /// The endpoint.
        endpoint: Endpoint,
        /// What the system said.
        source: std::io::Error,
    },
    /// The options contradict each other or cannot be sent.
    #[error(transparent)]
    Options(#[from] OptionError),
    /// The call was made outside a tokio runtime.
    #[error("bind must be called within a tokio runtime")]
    NoRuntime,
    /// The tokio runtime was built by hand and without its drivers, which tcp
    /// and ipc need.
    #[error("the tokio runtime has no driver for I/O or for time: build it with `enable_all`")]
    NoDrivers,
    /// The socket is closed.
    #[error("the socket is closed")]
    Closed,
}

/// Why [`connect`](crate::PushSocket::connect) failed. A peer that cannot be
/// reached is no error: the socket keeps trying.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The endpoint is not one, or cannot be connected to.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// This build has no such transport.
    #[error("cannot connect to {endpoint}: {reason}")]
    NotSupported {
        /// The endpoint.
        endpoint: Endpoint,
        /// Which feature or platform it needs.
        reason: Unsupported,
    },
    /// A PAIR socket has its one peer already: this one or, over inproc, the
    /// one at the endpoint.
    #[error("a PAIR socket has one peer, and one of the two has it already")]
    AlreadyPaired,
    /// The inproc name is bound by a socket of a type that does not fit.
    #[error("a {ours} socket cannot talk to the {theirs} socket at {endpoint}")]
    Incompatible {
        /// The endpoint.
        endpoint: Endpoint,
        /// The type of this socket.
        ours: SocketType,
        /// The type of the socket that has bound the name.
        theirs: SocketType,
    },
    /// The peer at the inproc name turned this socket away: another has its
    /// routing id, or it is just being closed.
    #[error("the socket at {endpoint} turned this one away")]
    TurnedAway {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// The options contradict each other or cannot be sent.
    #[error(transparent)]
    Options(#[from] OptionError),
    /// The call was made outside a tokio runtime.
    #[error("connect must be called within a tokio runtime")]
    NoRuntime,
    /// The tokio runtime was built by hand and without its drivers, which tcp
    /// and ipc need.
    #[error("the tokio runtime has no driver for I/O or for time: build it with `enable_all`")]
    NoDrivers,
    /// The socket is closed.
    #[error("the socket is closed")]
    Closed,
}

/// Why [`unbind`](crate::PullSocket::unbind) or
/// [`disconnect`](crate::PushSocket::disconnect) failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// What was given is not an endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The socket has no such endpoint. A wildcard port or path is released by
    /// the endpoint that `bind` returned, for each bind of it is another one.
    #[error("this socket has not bound or connected {endpoint}")]
    NotFound {
        /// The endpoint.
        endpoint: Endpoint,
    },
}

/// Why a subscription was not taken. What a peer would refuse is refused here,
/// before it could cost the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The topics of one socket, this one included, may have so many bytes
    /// together and no more: a publisher turns away whoever wants more.
    #[error("the topics of a subscriber may have {limit} bytes together")]
    TooLarge {
        /// How many bytes they may have together.
        limit: usize,
    },
    /// One socket may subscribe to so many topics and no more.
    #[error("a subscriber may have {limit} topics")]
    TooMany {
        /// How many topics it may have.
        limit: usize,
    },
    /// Only an XPUB in manual mode decides on subscriptions
    /// ([`xpub_manual`](crate::SocketOptions::xpub_manual)).
    #[error("this XPUB is not in manual mode, so there is no subscription to decide on")]
    NotManual,
}

/// Why a transport is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// Its cargo feature is off.
    #[error("this build of ferromq is without {0}: enable its cargo feature `{0}`")]
    Feature(&'static str),
    /// The platform has no Unix domain sockets.
    #[error("ipc needs Unix domain sockets, which ferromq does not use on this platform")]
    Ipc,
    /// The platform has no abstract socket names.
    #[error("ipc names that start with @ exist on Linux only")]
    AbstractName,
    /// Inproc is not made of octets.
    #[error("inproc is no byte stream")]
    NoByteStream,
}

impl From<Unsupported> for std::io::Error {
    fn from(reason: Unsupported) -> Self {
        Self::new(std::io::ErrorKind::Unsupported, reason)
    }
}

/// Why a message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
#[repr(usize)] // As wide as a word: see benches/LOG.md.
pub enum SendErrorKind {
    /// Nobody can take it now; only `try_send` says so, `send` waits.
    #[error("no peer can take a message now")]
    WouldBlock,
    /// REQ must receive the reply first; REP has no request to answer.
    #[error("sending is out of turn: REQ has yet to receive the reply, or REP a request")]
    OutOfTurn,
    /// ROUTER with `router_mandatory`: no peer has this routing id.
    #[error("no peer has the routing id that was named")]
    Unroutable,
    /// A raw ROUTER message is a routing id and at least one more frame.
    #[error("the message names no peer: a routing id and at least one more frame are needed")]
    NoRoutingId,
    /// It has more frames than a peer would take: 1,000,000.
    #[error("the message has more frames than a peer would take")]
    TooManyFrames,
    /// XSUB: the message is a subscription to one topic more than a publisher
    /// would take ([`SubscribeError::TooMany`]).
    #[error("the message subscribes to one topic more than a publisher would take")]
    TooManySubscriptions,
    /// XSUB: the message is a subscription that makes the topics longer than a
    /// publisher would take ([`SubscribeError::TooLarge`]).
    #[error("the message subscribes to more bytes of topics than a publisher would take")]
    SubscriptionsTooLarge,
    /// Every runtime in which the socket was bound or connected has ended, and
    /// each bind and connect with it: nobody will come who could take the message.
    /// A new `bind` or `connect`, in a runtime that lives, brings it back.
    #[error("the runtimes in which the socket was bound or connected have ended")]
    RuntimeEnded,
    /// The socket is closed.
    #[error("the socket is closed")]
    Closed,
}

/// A message that was not sent, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct SendError {
    kind: SendErrorKind,
    message: Message,
}

impl SendError {
    pub(crate) fn new(kind: SendErrorKind, message: Message) -> Self {
        Self { kind, message }
    }

    /// Why it was not sent.
    pub fn kind(&self) -> SendErrorKind {
        self.kind
    }

    /// Whether `try_send` found nobody who can take a message now.
    pub fn is_would_block(&self) -> bool {
        self.kind == SendErrorKind::WouldBlock
    }

    /// Whether the socket is closed.
    pub fn is_closed(&self) -> bool {
        self.kind == SendErrorKind::Closed
    }

    /// Whether an XSUB refused a message since it is a subscription that a
    /// publisher would refuse.
    pub fn is_subscription(&self) -> bool {
        use SendErrorKind::{SubscriptionsTooLarge, TooManySubscriptions};
        matches!(self.kind, TooManySubscriptions | SubscriptionsTooLarge)
    }

    /// The message, as it was given.
    ///
    /// ```
    /// use ferromq::PushSocket;
    ///
    /// let error = PushSocket::new().try_send("work").unwrap_err(); // Nobody is there.
    /// assert_eq!(*error.message(), "work".into());
    /// ```
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The same to keep, to be sent again.
    pub fn into_message(self) -> Message {
        self.message
    }
}

impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for SendError {}

/// Why nothing was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
#[repr(usize)] // As wide as a word: see benches/LOG.md.
pub enum RecvError {
    /// Nothing is there now; only `try_recv` says so, `recv` waits.
    #[error("no message is there now")]
    WouldBlock,
    /// REQ has asked nothing; REP must answer first.
    #[error("receiving is out of turn: REQ has yet to send a request, or REP the reply")]
    OutOfTurn,
    /// REQ: the peer that was asked has left, so its reply can never come. The
    /// socket may send again.
    #[error("the peer that was asked has left, so no reply can come")]
    PeerLeft,
    /// Every runtime in which the socket was bound or connected has ended, and
    /// each bind and connect with it: all that came was received, and nothing more
    /// will. A new `bind` or `connect`, in a runtime that lives, brings it back.
    #[error("the runtimes in which the socket was bound or connected have ended")]
    RuntimeEnded,
    /// The socket is closed.
    #[error("the socket is closed")]
    Closed,
}

impl RecvError {
    /// Whether `try_recv` found nothing for now.
    pub fn is_would_block(self) -> bool {
        self == Self::WouldBlock
    }

    /// Whether the socket is closed.
    pub fn is_closed(self) -> bool {
        self == Self::Closed
    }
}

/// Why waiting for peers came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WaitError {
    /// Every runtime in which the socket was bound or connected has ended, and
    /// each bind and connect with it: nobody will come.
    #[error("the runtimes in which the socket was bound or connected have ended")]
    RuntimeEnded,
    /// The socket is closed.
    #[error("the socket is closed")]
    Closed,
}

/// Any error of this crate, for functions that do several things.
///
/// Its `Debug` prints what `Display` prints, and the sources behind it, since
/// that is what a program shows whose `main` returns it.
#[derive(Error)]
#[non_exhaustive]
#[allow(missing_docs)] // The names say it.
pub enum Error {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Recv(#[from] RecvError),
    #[error(transparent)]
    Wait(#[from] WaitError),
    #[error(transparent)]
    Subscribe(#[from] SubscribeError),
    #[error(transparent)]
    RoutingId(#[from] InvalidRoutingId),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[cfg(feature = "curve")]
    #[error(transparent)]
    Key(#[from] KeyError),
    #[cfg(feature = "curve")]
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[cfg(feature = "curve")]
    #[error(transparent)]
    Z85(#[from] z85::Z85Error),
    #[error(transparent)]
    Options(#[from] OptionError),
    /// An error of the program around the sockets.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_printed_once() {
        let source = std::io::Error::other("no such device");
        let endpoint: Endpoint = "tcp://127.0.0.1:1".parse().expect("an endpoint");
        let error = Error::from(BindError::Io { endpoint, source });
        assert_eq!(error.to_string(), "cannot bind tcp://127.0.0.1:1");
        assert_eq!(format!("{error:?}"), "cannot bind tcp://127.0.0.1:1: no such device");
    }

    #[test]
    fn errors_of_other_calls_become_one() {
        #[cfg(feature = "curve")]
        {
            let text = z85::decode("0").map_err(Error::from).unwrap_err();
            assert_eq!(text.to_string(), "Z85 text has a multiple of 5 characters, not 1");
        }
        let options = OptionError::MetadataName { len: 0 };
        assert!(matches!(Error::from(options.clone()), Error::Options(it) if it == options));
    }

    #[test]
    fn errors_are_small_enough_to_return() {
        assert!(size_of::<Error>() <= 96, "{}", size_of::<Error>());
        assert!(size_of::<Result<(), SendError>>() <= 56);
    }
}
