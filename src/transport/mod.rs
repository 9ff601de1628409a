//! Byte streams: who listens, who connects, and the addresses of both. The
//! only place that opens sockets.
//!
//! `inproc` is no byte stream, and a room of its own. Ask
//! [`check_supported`] first whether a transport is there at all.

mod drivers;
mod failure;

#[cfg(all(unix, feature = "ipc"))]
mod ipc;
#[cfg(test)]
pub(crate) mod memory;
#[cfg(feature = "tcp")]
mod race;
#[cfg(feature = "tcp")]
mod resolve;
#[cfg(test)]
pub(crate) mod simulated;
#[cfg(feature = "tcp")]
mod tcp;
#[cfg(any(feature = "tcp", all(unix, feature = "ipc")))]
mod tuning;

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(any(feature = "tcp", all(unix, feature = "ipc")))]
use crate::endpoint::Address;
use crate::endpoint::Endpoint;
use crate::error::Unsupported;
use crate::options::SocketOptions;

pub(crate) use drivers::has_drivers;
pub(crate) use failure::{BindFailure, check_supported};

/// An open connection: octets in, octets out.
pub(crate) struct Stream {
    pub(crate) read: Box<dyn ReadHalf>,
    pub(crate) write: Box<dyn AsyncWrite + Send + Unpin>,
    /// Where the peer is, printed: `tcp://192.0.2.1:40123`. A Unix domain
    /// socket that connects has no name, so there it is our own endpoint.
    pub(crate) address: String,
    pub(crate) origin: Origin,
}

/// The half of a byte stream that octets come from.
pub(crate) trait ReadHalf: AsyncRead + Send + Unpin {
    /// Whether there may be something to read, without a buffer to read it into.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Reads what the system holds at this moment, also what the runtime has
    /// not heard of yet.
    ///
    /// # Errors
    /// `WouldBlock` when it holds nothing.
    fn read_now(&mut self, octets: &mut [u8]) -> io::Result<usize>;
}

/// Whom to charge a connection to.
#[cfg_attr(not(all(unix, feature = "tcp", feature = "ipc")), allow(dead_code))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// A host; one that comes by IPv4 to an IPv6 socket is known by IPv4.
    #[cfg_attr(not(feature = "tcp"), allow(dead_code))]
    Tcp(IpAddr),
    /// This machine.
    Local,
}

impl Origin {
    /// The address of the host, if it came by one.
    pub(crate) fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(ip) => Some(ip),
            Self::Local => None,
        }
    }
}

/// A bound endpoint. Dropping it closes it and removes the file it made.
#[derive(Debug)]
pub(crate) enum Listener {
    #[cfg(feature = "tcp")]
    Tcp(tcp::Listener),
    #[cfg(all(unix, feature = "ipc"))]
    Ipc(ipc::Listener),
    #[cfg(test)]
    Simulated(simulated::Listener),
}

#[cfg_attr(
    not(any(feature = "tcp", all(unix, feature = "ipc"))),
    allow(unused_variables, clippy::unused_async)
)]
impl Listener {
    /// Starts to listen. Names of interfaces are resolved, names of hosts are
    /// not, so this never waits for the network.
    ///
    /// # Errors
    /// When the endpoint cannot be bound; nothing is left behind then.
    pub(crate) async fn bind(
        endpoint: &Endpoint,
        options: &SocketOptions,
    ) -> Result<Self, BindFailure> {
        endpoint.check_bind()?;
        #[cfg(test)]
        if let Some(network) = simulated::network() {
            return Ok(Self::Simulated(simulated::Listener::bind(network, endpoint)));
        }
        match endpoint.address() {
            #[cfg(feature = "tcp")]
            Address::Tcp(address) => tcp::Listener::bind(&address.target, options).map(Self::Tcp),
            #[cfg(all(unix, feature = "ipc"))]
            Address::Ipc(address) => ipc::Listener::bind(address, options).await.map(Self::Ipc),
            _ => Err(Unsupported::NoByteStream.into()),
        }
    }

    /// What is bound: the real address, port and path instead of `*`.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        match *self {
            #[cfg(feature = "tcp")]
            Self::Tcp(ref listener) => listener.endpoint(),
            #[cfg(all(unix, feature = "ipc"))]
            Self::Ipc(ref listener) => listener.endpoint(),
            #[cfg(test)]
            Self::Simulated(ref listener) => listener.endpoint(),
        }
    }

    /// The next connection, for one task at a time: the last that asked is
    /// woken.
    ///
    /// # Errors
    /// When the system cannot give one now, as for want of file descriptors.
    /// The connection stays in its queue, so that the error comes again at
    /// once: pause before the next call. What concerns one connection only is
    /// no error here.
    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        match *self {
            #[cfg(feature = "tcp")]
            Self::Tcp(ref listener) => listener.poll_accept(cx),
            #[cfg(all(unix, feature = "ipc"))]
            Self::Ipc(ref listener) => listener.poll_accept(cx),
            #[cfg(test)]
            Self::Simulated(ref listener) => listener.poll_accept(cx),
        }
    }

    /// Waits for the next connection; dropping the future loses none.
    #[cfg(test)]
    pub(crate) async fn accept(&self) -> io::Result<Stream> {
        std::future::poll_fn(|cx| self.poll_accept(cx)).await
    }
}

/// Connects once, for a host of several addresses to the first that answers. It
/// takes as long as the system lets it; deadlines, for all addresses together,
/// are the caller's.
///
/// # Errors
/// When nobody is reached; for a host of several addresses, what came last.
/// An endpoint that nobody could connect to, as one with port 0, is
/// `InvalidInput`, and a transport that is not there `Unsupported`.
///
/// # Cancel safety
/// Dropping the future gives the attempt up.
#[cfg_attr(
    not(any(feature = "tcp", all(unix, feature = "ipc"))),
    allow(unused_variables, clippy::unused_async)
)]
pub(crate) async fn connect(endpoint: &Endpoint, options: &SocketOptions) -> io::Result<Stream> {
    endpoint.check_connect().map_err(|e| io::Error::new(ErrorKind::InvalidInput, e))?;
    #[cfg(test)]
    if let Some(network) = simulated::network() {
        return network.connect(endpoint).await;
    }
    match endpoint.address() {
        #[cfg(feature = "tcp")]
        Address::Tcp(address) => tcp::connect(address, options).await,
        #[cfg(all(unix, feature = "ipc"))]
        Address::Ipc(address) => ipc::connect(address, options).await,
        _ => Err(Unsupported::NoByteStream.into()),
    }
}

/// Whether an error of `accept` concerns only the connection that was to be
/// accepted, which is gone, and says nothing of the next one.
#[cfg(any(feature = "tcp", all(unix, feature = "ipc")))]
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::Interrupted
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn endpoints_of_the_other_role_are_refused() {
        let options = SocketOptions::new();
        let with_source = "tcp://127.0.0.1:0;127.0.0.1:1".parse().unwrap();
        let failure = Listener::bind(&with_source, &options).await.unwrap_err();
        assert!(matches!(failure, BindFailure::Endpoint(_)));
        for text in ["tcp://*:5555", "tcp://127.0.0.1:0", "ipc://*"] {
            let error = connect(&text.parse().unwrap(), &options).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
        }
    }

    #[cfg(all(target_os = "linux", any(feature = "tcp", feature = "ipc")))]
    #[test]
    fn what_the_system_lacks_concerns_all_connections() {
        let error = io::Error::from_raw_os_error;
        for (lacks, number) in [("ENOMEM", 12), ("ENFILE", 23), ("EMFILE", 24), ("ENOBUFS", 105)] {
            assert!(!is_of_one_connection(&error(number)), "{lacks}");
        }
        // ECONNABORTED, ECONNRESET
        assert!(is_of_one_connection(&error(103)) && is_of_one_connection(&error(104)));
    }

    #[tokio::test]
    async fn inproc_is_no_byte_stream() {
        let (endpoint, options) = ("inproc://a".parse().unwrap(), SocketOptions::new());
        let failure = Listener::bind(&endpoint, &options).await.unwrap_err();
        assert!(matches!(failure, BindFailure::Unsupported(Unsupported::NoByteStream)));
        let error = connect(&endpoint, &options).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
