//! [`Endpoint`]: where a socket binds or connects.
//!
//! One grammar serves both roles; what only one of them can use is refused by
//! `check_bind` and `check_connect`.
//!
//! ```text
//! endpoint = "tcp://" [ source ";" ] host ":" port
//!          | "ipc://" ( path | "@" name | "*" )
//!          | "inproc://" name
//! source   = host ":" port
//! host     = "*" | IPv4 | "[" IPv6 [ "%" zone ] "]" | name
//! port     = "*" | 0..65535
//! ```

mod error;
mod into;
mod ipc;
mod tcp;

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

pub use error::{EndpointError, EndpointFault};
pub use into::IntoEndpoint;
pub(crate) use ipc::IpcAddress;
pub(crate) use tcp::{Host, HostPort, TcpAddress};

/// The most octets an inproc name can have.
const MAX_INPROC_NAME: usize = 256;

/// Where a socket binds or connects.
///
/// | endpoint | bind | connect |
/// |---|---|---|
/// | `tcp://127.0.0.1:5555`, `tcp://[::1]:5555` | this address | this address |
/// | `tcp://*:5555` | every interface | – |
/// | `tcp://127.0.0.1:*` (or port 0) | a free port | – |
/// | `tcp://eth0:5555`, `tcp://[fe80::1%eth0]:5555` | this interface | the zone only |
/// | `tcp://name.example:5555` | `localhost` only | looked up each time |
/// | `tcp://10.0.0.2:0;10.0.0.1:5555` | – | from the first to the second |
/// | `ipc:///tmp/app.sock` | this path | this path |
/// | `ipc://@app` | abstract name, Linux | abstract name, Linux |
/// | `ipc://*` | a new path | – |
/// | `inproc://workers` | this name | this name |
///
/// Text is parsed with [`FromStr`] and printed again by `Display`; equal
/// endpoints print alike. What takes an endpoint takes anything that is
/// [`IntoEndpoint`].
///
/// ```
/// use ferromq::Endpoint;
///
/// let endpoint: Endpoint = "tcp://[::1]:5555".parse()?;
/// assert_eq!(endpoint.port(), Some(5555));
/// assert_eq!(endpoint.to_string(), "tcp://[::1]:5555");
///
/// let error = "localhost:5555".parse::<Endpoint>().unwrap_err();
/// assert!(error.to_string().contains("did you mean tcp://localhost:5555?"));
/// # Ok::<(), ferromq::EndpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint(Arc<Address>);

/// An endpoint taken apart, for those who open it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Address {
    Tcp(TcpAddress),
    Ipc(IpcAddress),
    /// The name.
    Inproc(String),
}

impl Endpoint {
    /// The transport: `"tcp"`, `"ipc"` or `"inproc"`.
    pub fn scheme(&self) -> &'static str {
        match *self.0 {
            Address::Tcp(_) => "tcp",
            Address::Ipc(_) => "ipc",
            Address::Inproc(_) => "inproc",
        }
    }

    /// The port of a tcp endpoint; 0 is a free one, chosen by `bind`, which
    /// returns the endpoint with the real port.
    pub fn port(&self) -> Option<u16> {
        match &*self.0 {
            Address::Tcp(tcp) => Some(tcp.target.port),
            _ => None,
        }
    }

    /// The IP address and port of a tcp endpoint that has no name to be looked
    /// up. `*` has none; bound, it becomes `0.0.0.0` or `[::]`, which have.
    ///
    /// ```
    /// # use ferromq::Endpoint;
    /// let endpoint: Endpoint = "tcp://127.0.0.1:5555".parse()?;
    /// assert_eq!(endpoint.socket_addr(), "127.0.0.1:5555".parse().ok());
    /// # Ok::<(), ferromq::EndpointError>(())
    /// ```
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match &*self.0 {
            Address::Tcp(tcp) => tcp.target.socket_addr(),
            _ => None,
        }
    }

    /// The path of an ipc endpoint in the file system.
    pub fn path(&self) -> Option<&Path> {
        match &*self.0 {
            Address::Ipc(IpcAddress::Path(path)) => Some(Path::new(path)),
            _ => None,
        }
    }

    /// The name of an inproc endpoint.
    pub fn inproc_name(&self) -> Option<&str> {
        match &*self.0 {
            Address::Inproc(name) => Some(name),
            _ => None,
        }
    }

    /// The endpoint taken apart.
    pub(crate) fn address(&self) -> &Address {
        &self.0
    }

    /// Whether each bind of it is of another endpoint: a port or a path that
    /// the system chooses.
    pub(crate) fn is_chosen_by_bind(&self) -> bool {
        match &*self.0 {
            Address::Tcp(tcp) => tcp.target.port == 0,
            Address::Ipc(ipc) => *ipc == IpcAddress::Any,
            Address::Inproc(_) => false,
        }
    }

    /// Refuses what can only be connected to.
    pub(crate) fn check_bind(&self) -> Result<(), EndpointError> {
        match &*self.0 {
            Address::Tcp(tcp) if tcp.source.is_some() => {
                Err(EndpointError::new(&self.to_string(), EndpointFault::SourceOfBind))
            }
            _ => Ok(()),
        }
    }

    /// Refuses what can only be bound.
    pub(crate) fn check_connect(&self) -> Result<(), EndpointError> {
        let fault = match &*self.0 {
            Address::Tcp(tcp) if tcp.target.host == Host::Any => EndpointFault::WildcardHost,
            Address::Tcp(tcp) if tcp.target.port == 0 => EndpointFault::WildcardPort,
            Address::Ipc(IpcAddress::Any) => EndpointFault::WildcardPath,
            _ => return Ok(()),
        };
        Err(EndpointError::new(&self.to_string(), fault))
    }

    /// What `FromStr` does, without the search for a correction.
    fn parse(text: &str) -> Result<Self, EndpointFault> {
        let (scheme, rest) = text.split_once("://").ok_or(EndpointFault::NoTransport)?;
        let address = match scheme {
            "tcp" => Address::Tcp(TcpAddress::parse(rest)?),
            "ipc" => Address::Ipc(IpcAddress::parse(rest)?),
            "inproc" => Address::Inproc(parse_inproc(rest)?),
            "" => return Err(EndpointFault::NoTransport),
            _ => return Err(EndpointFault::UnknownTransport(scheme.into())),
        };
        Ok(Self(Arc::new(address)))
    }
}

fn parse_inproc(name: &str) -> Result<String, EndpointFault> {
    match name.len() {
        0 => Err(EndpointFault::MissingName),
        1..=MAX_INPROC_NAME => Ok(name.into()),
        length => Err(EndpointFault::TooLong { length, limit: MAX_INPROC_NAME }),
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text).map_err(|fault| EndpointError::new(text, fault))
    }
}

impl From<TcpAddress> for Endpoint {
    fn from(address: TcpAddress) -> Self {
        Self(Arc::new(Address::Tcp(address)))
    }
}

impl From<IpcAddress> for Endpoint {
    fn from(address: IpcAddress) -> Self {
        Self(Arc::new(Address::Ipc(address)))
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        TcpAddress { source: None, target: address.into() }.into()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Address::Tcp(tcp) => write!(f, "tcp://{tcp}"),
            Address::Ipc(ipc) => write!(f, "ipc://{ipc}"),
            Address::Inproc(name) => write!(f, "inproc://{name}"),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({:?})", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn endpoints_print_as_they_are_written() {
        for text in [
            "tcp://127.0.0.1:5555",
            "tcp://*:5555",
            "tcp://eth0:0",
            "tcp://[::1]:5555",
            "tcp://[fe80::1%eth0]:5555",
            "tcp://[::ffff:1.2.3.4]:1",
            "tcp://name.example:65535",
            "tcp://10.0.0.2:0;10.0.0.1:5555",
            "tcp://*:40000;[::1]:5555",
            "ipc:///tmp/app.sock",
            "ipc://relative/app.sock",
            "ipc://@app",
            "ipc://*",
            "inproc://workers",
            "inproc://a b://c;d\n",
        ] {
            assert_eq!(endpoint(text).to_string(), text);
        }
    }

    #[test]
    fn equal_endpoints_print_alike() {
        assert_eq!(endpoint("tcp://::1:5555").to_string(), "tcp://[::1]:5555");
        assert_eq!(endpoint("tcp://*:*").to_string(), "tcp://*:0");
        assert_eq!(endpoint("tcp://1.2.3.4:0080"), endpoint("tcp://1.2.3.4:80"));
    }

    #[test]
    fn accessors_tell_what_there_is() {
        let tcp = endpoint("tcp://[fe80::1%3]:9");
        assert_eq!((tcp.scheme(), tcp.port()), ("tcp", Some(9)));
        assert_eq!(tcp.socket_addr(), "[fe80::1%3]:9".parse().ok());
        assert_eq!(endpoint("tcp://name:9").socket_addr(), None);
        assert_eq!(endpoint("tcp://[fe80::1%eth0]:9").socket_addr(), None);
        assert_eq!(endpoint("ipc:///a").path(), Some(Path::new("/a")));
        assert_eq!(endpoint("ipc://@a").path(), None);
        assert_eq!(format!("{:?}", endpoint("inproc://a")), r#"Endpoint("inproc://a")"#);
    }

    #[test]
    fn inproc_names_have_1_to_256_octets() {
        let fault = |text: &str| Endpoint::parse(text).unwrap_err();
        assert_eq!(fault("inproc://"), EndpointFault::MissingName);
        assert!(Endpoint::parse(&format!("inproc://{}", "n".repeat(256))).is_ok());
        let long = EndpointFault::TooLong { length: 257, limit: 256 };
        assert_eq!(fault(&format!("inproc://{}", "n".repeat(257))), long);
    }

    #[test]
    fn what_one_role_cannot_use_is_refused_there() {
        for text in ["tcp://*:5555", "tcp://1.2.3.4:*", "tcp://1.2.3.4:0", "ipc://*"] {
            assert!(endpoint(text).check_bind().is_ok(), "{text}");
            assert!(endpoint(text).check_connect().is_err(), "{text}");
        }
        let with_source = endpoint("tcp://eth0:*;1.2.3.4:5555");
        assert!(with_source.check_connect().is_ok());
        let error = with_source.check_bind().unwrap_err();
        assert_eq!(error.fault(), &EndpointFault::SourceOfBind);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_refused_with_an_example_or_survives_printing(
            text in "((tcp|ipc|inproc|x)://)?([0-9a-f:.%;@*\\[\\]/-]{0,12}(:[0-9*]{0,5})?|\\PC{0,20})",
        ) {
            match text.parse::<Endpoint>() {
                Ok(endpoint) => assert_eq!(endpoint.to_string().parse(), Ok(endpoint)),
                Err(error) => assert!(error.example().parse::<Endpoint>().is_ok()),
            }
        }
    }
}
