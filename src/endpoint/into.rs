//! [`IntoEndpoint`]: what `bind` and `connect` take.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::{Endpoint, EndpointError, EndpointFault, Host, HostPort, IpcAddress, TcpAddress};

/// Something that says where to bind or to connect.
///
/// Text carries its transport (`"tcp://127.0.0.1:5555"`); addresses, pairs of
/// host and port, and paths need none.
///
/// ```
/// use std::net::Ipv6Addr;
/// use std::path::Path;
/// use ferromq::IntoEndpoint;
///
/// assert_eq!(("localhost", 5555).into_endpoint()?, "tcp://localhost:5555".parse()?);
/// assert_eq!((Ipv6Addr::LOCALHOST, 0).into_endpoint()?, "tcp://[::1]:0".parse()?);
/// assert_eq!(Path::new("/tmp/app.sock").into_endpoint()?, "ipc:///tmp/app.sock".parse()?);
/// # Ok::<(), ferromq::EndpointError>(())
/// ```
///
/// The trait is sealed: it cannot be implemented outside this crate.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an endpoint",
    note = "use text such as \"tcp://127.0.0.1:5555\", a `SocketAddr`, a pair of host and port, \
            or a path"
)]
pub trait IntoEndpoint: sealed::Sealed {
    /// The endpoint.
    ///
    /// # Errors
    /// When text is no endpoint, a host is neither a name nor an address, or a
    /// path is too long or not Unicode.
    fn into_endpoint(self) -> Result<Endpoint, EndpointError>;
}

mod sealed {
    pub trait Sealed {}
}

/// Implements [`IntoEndpoint`] for types, given what to do with one.
macro_rules! into_endpoint {
    ($($source:ty),+ => $convert:expr) => {$(
        impl sealed::Sealed for $source {}

        impl IntoEndpoint for $source {
            fn into_endpoint(self) -> Result<Endpoint, EndpointError> {
                $convert(self)
            }
        }
    )+};
}

into_endpoint!(Endpoint => Ok);
into_endpoint!(&Endpoint => |endpoint: &Endpoint| Ok(endpoint.clone()));
into_endpoint!(&str, &&str, &String => str::parse);
into_endpoint!(String => |text: String| text.parse());
into_endpoint!(SocketAddr, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16) => from_socket_addr);
into_endpoint!((&str, u16), (String, u16) => from_host);
into_endpoint!(&Path, PathBuf, &PathBuf => from_path);

fn from_socket_addr(address: impl Into<SocketAddr>) -> Result<Endpoint, EndpointError> {
    Ok(address.into().into())
}

fn from_host((host, port): (impl AsRef<str>, u16)) -> Result<Endpoint, EndpointError> {
    let host = host.as_ref();
    match Host::parse(host) {
        Ok(host) => Ok(TcpAddress { source: None, target: HostPort { host, port } }.into()),
        Err(fault) => Err(EndpointError::new(&format!("tcp://{host}:{port}"), fault)),
    }
}

fn from_path(path: impl AsRef<Path>) -> Result<Endpoint, EndpointError> {
    let path = path.as_ref();
    let address = path.to_str().ok_or(EndpointFault::NotUnicode).and_then(IpcAddress::from_path);
    match address {
        Ok(address) => Ok(address.into()),
        Err(fault) => Err(EndpointError::new(&format!("ipc://{}", path.display()), fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(source: impl IntoEndpoint) -> String {
        source.into_endpoint().unwrap().to_string()
    }

    #[test]
    fn text_addresses_and_paths_are_endpoints() {
        let text = String::from("inproc://a");
        assert_eq!(print(&text), text);
        assert_eq!(print(text.as_str()), text);
        assert_eq!(print(text.clone()), text);
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!(print(&endpoint), text);
        assert_eq!(print(("*", 1)), "tcp://*:1");
        assert_eq!(print(("::1", 1)), "tcp://[::1]:1");
        assert_eq!(print((String::from("[::1]"), 1)), "tcp://[::1]:1");
        assert_eq!(print((IpAddr::from([1, 2, 3, 4]), 0)), "tcp://1.2.3.4:0");
        let scoped: SocketAddr = "[fe80::1%7]:1".parse().unwrap();
        assert_eq!(print(scoped), "tcp://[fe80::1%7]:1");
        assert_eq!(print(PathBuf::from("/a")), "ipc:///a");
        assert_eq!(print(Path::new("*")), "ipc://./*");
    }

    #[test]
    fn bad_hosts_and_paths_are_refused() {
        let error = ("localhost:80", 1).into_endpoint().unwrap_err();
        assert_eq!(error.fault(), &EndpointFault::BadHost("localhost:80".into()));
        assert_eq!(Path::new("").into_endpoint().unwrap_err().fault(), &EndpointFault::MissingName);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_unicode_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/\xff"));
        assert_eq!(path.into_endpoint().unwrap_err().fault(), &EndpointFault::NotUnicode);
    }
}
