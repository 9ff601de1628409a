//! The implementations, one small module each. To add one: write the module,
//! give it a [`Kind`], and a line in [`role`](crate::role).

pub mod ferromq;
pub mod libzmq;

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

/// Which implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ferromq,
    Libzmq,
}

impl Kind {
    /// All of them; ratios are to the last.
    pub const ALL: [Self; 2] = [Self::Ferromq, Self::Libzmq];

    /// The one that the others are compared to.
    pub const REFERENCE: Self = Self::Libzmq;

    pub fn is_on_tokio(self) -> bool {
        self != Self::Libzmq
    }

    /// With its version.
    pub fn describe(self) -> String {
        match self {
            Self::Ferromq => format!("ferromq {}", ferromq::version()),
            Self::Libzmq => format!("libzmq {}", libzmq::version()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ferromq => "ferromq",
            Self::Libzmq => "libzmq",
        })
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let named = |kind: &Self| kind.to_string() == name;
        Self::ALL.into_iter().find(named).ok_or_else(|| format!("no such implementation: {name}"))
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
