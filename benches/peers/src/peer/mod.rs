//! The implementations, one small module each. To add one: write the module,
//! give it a [`Kind`], and a line in [`role`](crate::role).

pub mod ferromq;
pub mod libzmq;
#[cfg(feature = "omq")]
pub mod omq;
pub mod raw;
#[cfg(feature = "rzmq")]
pub mod rzmq;
#[cfg(feature = "zmqrs")]
pub mod zmqrs;

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

/// Which implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Raw,
    Ferromq,
    #[cfg(feature = "omq")]
    Omq,
    #[cfg(feature = "rzmq")]
    Rzmq,
    #[cfg(feature = "zmqrs")]
    ZmqRs,
    Libzmq,
}

impl Kind {
    /// All that were built in.
    pub const ALL: &[Self] = &[
        Self::Raw,
        Self::Ferromq,
        #[cfg(feature = "omq")]
        Self::Omq,
        #[cfg(feature = "rzmq")]
        Self::Rzmq,
        #[cfg(feature = "zmqrs")]
        Self::ZmqRs,
        Self::Libzmq,
    ];

    /// The one that the others are compared to.
    pub const REFERENCE: Self = Self::Libzmq;

    pub fn is_on_tokio(self) -> bool {
        self != Self::Libzmq
    }

    /// With its version.
    pub fn describe(self) -> String {
        match self {
            Self::Raw => "raw TCP of tokio".into(),
            Self::Ferromq => format!("ferromq {}", ferromq::version()),
            #[cfg(feature = "omq")]
            Self::Omq => "omq-tokio 0.33".into(),
            #[cfg(feature = "rzmq")]
            Self::Rzmq => "rzmq 0.5".into(),
            #[cfg(feature = "zmqrs")]
            Self::ZmqRs => "zeromq 0.7".into(),
            Self::Libzmq => format!("libzmq {}", libzmq::version()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw",
            Self::Ferromq => "ferromq",
            #[cfg(feature = "omq")]
            Self::Omq => "omq",
            #[cfg(feature = "rzmq")]
            Self::Rzmq => "rzmq",
            #[cfg(feature = "zmqrs")]
            Self::ZmqRs => "zmqrs",
            Self::Libzmq => "libzmq",
        })
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let named = |kind: &Self| kind.to_string() == name;
        Self::ALL.iter().copied().find(named).ok_or_else(|| format!("no such implementation: {name}"))
    }
}

/// The sockets of one implementation, with their default options.
pub trait Peer: 'static {
    type Push: Sends;
    type Pull: Receives;
    type Pub: Sends;
    /// Subscribed to everything.
    type Sub: Receives;
    type Req: Sends + Receives;
    type Rep: Sends + Receives;

    /// Messages will have this size.
    fn prepare(_size: usize) {}

    fn push() -> Self::Push;
    fn pull() -> Self::Pull;
    fn publisher() -> Self::Pub;
    fn sub() -> Self::Sub;
    fn req() -> Self::Req;
    fn rep() -> Self::Rep;
}

/// Errors end the run, so they panic.
pub trait Socket: Send + 'static {
    /// Binds port 0 of the loopback and gives the endpoint.
    fn bind(&mut self) -> impl Future<Output = String> + Send;
    fn connect(&mut self, endpoint: &str) -> impl Future<Output = ()> + Send;
}

pub trait Sends: Socket {
    /// Sends one message of one frame, in the cheapest way there is to send the
    /// same octets again and again.
    fn send(&mut self, body: &Bytes) -> impl Future<Output = ()> + Send;
}

pub trait Receives: Socket {
    /// Receives a message and gives its length.
    fn recv(&mut self) -> impl Future<Output = usize> + Send;
}
