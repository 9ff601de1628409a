//! [`BindFailure`]: why an endpoint cannot be bound.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::endpoint::{Address, EndpointError};
use crate::error::Unsupported;

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
    #[error("there is no network interface {0:?} with an address of a family that is enabled")]
    NoSuchInterface(String),
    /// What is at the path is not ours to remove.
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

/// Why the transport of `address` was not compiled in.
pub(super) fn missing(address: &Address) -> Unsupported {
    match address {
        Address::Tcp(_) => Unsupported::Feature("tcp"),
        Address::Ipc(_) if cfg!(not(unix)) => Unsupported::Ipc,
        Address::Ipc(_) => Unsupported::Feature("ipc"),
        Address::Inproc(_) => Unsupported::NoByteStream,
    }
}
