//! The implementations, one small module each, which says at its top how it is
//! set up and why. To add one: write the module, give it a [`Kind`], and a line in
//! [`end`](crate::end).

pub mod channel;
pub mod ferromq;
pub mod libzmq;
#[cfg(feature = "monocoque")]
pub mod monocoque;
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

use crate::cell::Cell;
use crate::setup::Setup;

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
    #[cfg(feature = "monocoque")]
    Monocoque,
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
        #[cfg(feature = "monocoque")]
        Self::Monocoque,
        Self::Libzmq,
    ];

    /// Whether it runs on any runtime of tokio.
    pub fn has_modes(self) -> bool {
        match self {
            Self::Libzmq => false,
            #[cfg(feature = "monocoque")]
            Self::Monocoque => false,
            _ => true,
        }
    }

    /// Whether it is one of those that ferromq is measured against.
    pub fn is_peer(self) -> bool {
        !matches!(self, Self::Raw | Self::Ferromq)
    }

    /// Whether it has what the cell needs.
    pub fn can(self, cell: Cell) -> bool {
        match self {
            Self::Raw => raw::can(cell),
            Self::Ferromq | Self::Libzmq => true,
            #[cfg(feature = "omq")]
            Self::Omq => true,
            #[cfg(feature = "rzmq")]
            Self::Rzmq => rzmq::can(cell),
            #[cfg(feature = "zmqrs")]
            Self::ZmqRs => zmqrs::can(cell),
            #[cfg(feature = "monocoque")]
            Self::Monocoque => monocoque::can(cell),
        }
    }

    /// Whether it can encrypt: as it was built.
    pub fn has_curve(self) -> bool {
        match self {
            Self::Libzmq => libzmq::has_curve(),
            Self::Ferromq => cfg!(feature = "curve"),
            #[cfg(feature = "omq")]
            Self::Omq => cfg!(feature = "curve"),
            #[cfg(feature = "rzmq")]
            Self::Rzmq => cfg!(feature = "curve"),
            _ => false,
        }
    }

    /// With its version.
    pub fn describe(self) -> String {
        match self {
            Self::Raw => "raw streams of tokio".into(),
            Self::Ferromq => "ferromq of this tree".into(),
            #[cfg(feature = "omq")]
            Self::Omq => "omq-tokio 0.33".into(),
            #[cfg(feature = "rzmq")]
            Self::Rzmq => "rzmq 0.5".into(),
            #[cfg(feature = "zmqrs")]
            Self::ZmqRs => "zeromq 0.7".into(),
            #[cfg(feature = "monocoque")]
            Self::Monocoque => "monocoque-rs 0.4".into(),
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
            #[cfg(feature = "monocoque")]
            Self::Monocoque => "monocoque",
            Self::Libzmq => "libzmq",
        })
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let named = |kind: &Self| kind.to_string() == name;
        let wrong = || format!("no such implementation, or not built: {name}");
        Self::ALL.iter().copied().find(named).ok_or_else(wrong)
    }
}

/// The sockets of one implementation. One that it does not have is
/// [`Missing`], and [`Kind::can`] says so.
pub trait Peer: 'static {
    type Push: Sends;
    type Pull: Receives;
    type Pub: Sends;
    type Sub: Receives;
    type Req: Sends + Receives;
    type Rep: Sends + Receives;
    type Dealer: Sends + Receives;
    type Router: Echoes;
    type Pair: Sends + Receives;
}

/// Errors end the run, so they panic. Whether the futures are `Send` is seen
/// where an implementation is started: those of monocoque are not.
pub trait Socket: Sized {
    /// Opens it and binds or connects it.
    fn open(setup: &Setup) -> impl Future<Output = Self>;
}

pub trait Sends: Socket {
    /// Sends one message of one frame, in the cheapest way there is to send the
    /// same octets again and again.
    fn send(&mut self, body: &Bytes) -> impl Future<Output = ()>;

    /// Sends what it keeps back until there is more, if it does such a thing.
    fn flush(&mut self) -> impl Future<Output = ()> {
        async {}
    }
}

pub trait Receives: Socket {
    /// Receives a message and gives its length.
    fn recv(&mut self) -> impl Future<Output = usize>;
}

/// ROUTER.
pub trait Echoes: Socket {
    /// Receives a message, sends it back to where it is from and gives its length.
    fn echo(&mut self) -> impl Future<Output = usize>;
}

/// A socket that an implementation does not have.
pub enum Missing {}

impl Socket for Missing {
    async fn open(_: &Setup) -> Self {
        unreachable!("nobody asks for what there is not")
    }
}

impl Sends for Missing {
    async fn send(&mut self, _: &Bytes) {
        match *self {}
    }
}

impl Receives for Missing {
    async fn recv(&mut self) -> usize {
        match *self {}
    }
}

impl Echoes for Missing {
    async fn echo(&mut self) -> usize {
        match *self {}
    }
}
