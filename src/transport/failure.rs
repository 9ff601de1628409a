//! [`BindFailure`]: why an endpoint cannot be bound.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::endpoint::{Address, Endpoint, EndpointError, IpcAddress};
use crate::error::Unsupported;

/// Why an endpoint cannot be bound.
#[cfg_attr(not(all(feature = "tcp", feature = "ipc")), allow(dead_code))]
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

/// Whether this build and this platform have the transport of an endpoint.
pub(crate) fn check_supported(endpoint: &Endpoint) -> Result<(), Unsupported> {
    let linux = cfg!(any(target_os = "linux", target_os = "android"));
    let missing = match endpoint.address() {
        Address::Tcp(_) if cfg!(not(feature = "tcp")) => Unsupported::Feature("tcp"),
        Address::Ipc(_) if cfg!(not(feature = "ipc")) => Unsupported::Feature("ipc"),
        Address::Ipc(_) if cfg!(not(unix)) => Unsupported::Ipc,
        Address::Ipc(IpcAddress::Abstract(_)) if !linux => Unsupported::AbstractName,
        Address::Inproc(_) if cfg!(not(feature = "inproc")) => Unsupported::Feature("inproc"),
        _ => return Ok(()),
    };
    Err(missing)
}
