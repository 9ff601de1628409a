//! [`BindFailure`]: why an endpoint cannot be bound.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::endpoint::{Address, EndpointError};

/// Why an endpoint cannot be bound.
#[derive(Debug, Error)]
pub(crate) enum BindFailure {
    /// The endpoint is for connect.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// Somebody listens there, or did a moment ago.
    #[error("the address is in use")]
    AddressInUse {
        /// What the system said.
        source: io::Error,
    },
    /// Bind looks up interfaces, not hosts.
    #[cfg_attr(not(feature = "tcp"), allow(dead_code))]
    #[error("there is no network interface {0:?} with an address of a family that is enabled")]
    NoSuchInterface(String),
    /// What is at the path is not ours to remove.
    #[cfg_attr(not(all(unix, feature = "ipc")), allow(dead_code))]
    #[error("{} exists and is not a socket", .0.display())]
    NotASocket(PathBuf),
    /// The transport is not there.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// Anything else that the system refuses.
    #[error("the system refuses it")]
    Io {
        /// What the system said.
        source: io::Error,
    },
}

impl From<io::Error> for BindFailure {
    fn from(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::AddressInUse { source },
            _ => Self::Io { source },
        }
    }
}

/// Why a transport is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Unsupported {
    /// Its cargo feature is off.
    #[error("this build of ferromq is without {0}: enable its cargo feature `{0}`")]
    Feature(&'static str),
    /// The platform has no Unix domain sockets.
    #[error("ipc needs Unix domain sockets, which ferromq does not use on this platform")]
    Ipc,
    /// The platform has no abstract socket names.
    #[cfg_attr(not(all(unix, feature = "ipc")), allow(dead_code))]
    #[error("ipc names that start with @ exist on Linux only")]
    AbstractName,
    /// Inproc is not made of octets.
    #[error("inproc is no byte stream")]
    NoByteStream,
}

impl Unsupported {
    /// Why the transport of `address` was not compiled in.
    pub(super) fn transport(address: &Address) -> Self {
        match address {
            Address::Tcp(_) => Self::Feature("tcp"),
            Address::Ipc(_) if cfg!(not(unix)) => Self::Ipc,
            Address::Ipc(_) => Self::Feature("ipc"),
            Address::Inproc(_) => Self::NoByteStream,
        }
    }
}

impl From<Unsupported> for io::Error {
    fn from(reason: Unsupported) -> Self {
        Self::new(io::ErrorKind::Unsupported, reason)
    }
}
