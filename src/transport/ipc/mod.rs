//! `ipc://`: Unix domain sockets.

mod file;

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::task::{Context, Poll, ready};

use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::net::unix::OwnedReadHalf;
use tokio::net::{UnixListener, UnixStream};

use self::file::{PrivateDirectory, SocketFile};
use super::tuning::Tuning;
use super::{BindFailure, Origin, ReadHalf, Stream, is_of_one_connection};
use crate::endpoint::{Endpoint, IntoEndpoint, IpcAddress};
use crate::error::Unsupported;
use crate::options::SocketOptions;

/// A bound ipc endpoint.
#[derive(Debug)]
pub(crate) struct Listener {
    // Dropped first: while we still listen nobody takes the path for abandoned
    // and puts a socket of their own there.
    _file: Option<SocketFile>,
    listener: UnixListener,
    endpoint: Endpoint,
    tuning: Tuning,
}

impl Listener {
    pub(super) async fn bind(
        address: &IpcAddress,
        options: &SocketOptions,
    ) -> Result<Self, BindFailure> {
        match address {
            IpcAddress::Path(path) => {
                file::remove_abandoned(Path::new(path)).await?;
                Self::bind_file(Path::new(path), address.clone().into(), None, options)
            }
            IpcAddress::Any => {
                let directory = PrivateDirectory::create()?;
                let path = directory.path().join("sock");
                let endpoint = path.as_path().into_endpoint()?;
                Self::bind_file(&path, endpoint, Some(directory), options)
            }
            IpcAddress::Abstract(name) => {
                let socket = bind_socket(&abstract_address(name)?)?;
                Self::listen(socket, None, address.clone().into(), options)
            }
        }
    }

    fn bind_file(
        path: &Path,
        endpoint: Endpoint,
        directory: Option<PrivateDirectory>,
        options: &SocketOptions,
    ) -> Result<Self, BindFailure> {
        let socket = bind_socket(&SockAddr::unix(path)?)?;
        let file = SocketFile::own(path, directory)?;
        Self::listen(socket, Some(file), endpoint, options)
    }

    fn listen(
        socket: Socket,
        file: Option<SocketFile>,
        endpoint: Endpoint,
        options: &SocketOptions,
    ) -> Result<Self, BindFailure> {
        socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
        let listener = UnixListener::from_std(socket.into())?;
        let tuning = Tuning::new(options);
        Ok(Self { _file: file, listener, endpoint, tuning })
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        loop {
            match ready!(self.listener.poll_accept(cx)) {
                Ok((stream, _)) => {
                    return Poll::Ready(Ok(finish(stream, &self.endpoint, &self.tuning)));
                }
                Err(error) if is_of_one_connection(&error) => {
                    tracing::debug!(endpoint = %self.endpoint, %error, "a connection was lost before it was accepted");
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

pub(super) async fn connect(address: &IpcAddress, options: &SocketOptions) -> io::Result<Stream> {
    let stream = match address {
        IpcAddress::Path(path) => UnixStream::connect(path).await?,
        IpcAddress::Abstract(name) => UnixStream::connect(abstract_path(name)?).await?,
        IpcAddress::Any => return Err(io::ErrorKind::InvalidInput.into()),
    };
    Ok(finish(stream, &address.clone().into(), &Tuning::new(options)))
}

fn bind_socket(address: &SockAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn abstract_address(name: &str) -> Result<SockAddr, BindFailure> {
    Ok(SockAddr::unix(abstract_path(name)?)?)
}

/// The name as tokio and socket2 take it: a path that starts with a zero octet.
fn abstract_path(name: &str) -> Result<std::path::PathBuf, Unsupported> {
    if cfg!(any(target_os = "linux", target_os = "android")) {
        Ok(OsStr::from_bytes(&[b"\0", name.as_bytes()].concat()).into())
    } else {
        Err(Unsupported::AbstractName)
    }
}

fn finish(stream: UnixStream, endpoint: &Endpoint, tuning: &Tuning) -> Stream {
    tuning.set_buffers(&SockRef::from(&stream));
    let (read, write) = stream.into_split();
    Stream {
        read: Box::new(read),
        write: Box::new(write),
        address: endpoint.to_string(),
        origin: Origin::Local,
    }
}

impl ReadHalf for OwnedReadHalf {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsRef::<UnixStream>::as_ref(self).poll_read_ready(cx)
    }

    fn read_now(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        (&*SockRef::from(AsRef::<UnixStream>::as_ref(self))).read(octets)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::transport::{self, memory::exchange};

    async fn bind(endpoint: impl IntoEndpoint) -> Result<transport::Listener, BindFailure> {
        transport::Listener::bind(&endpoint.into_endpoint().unwrap(), &SocketOptions::new()).await
    }

    /// Connects and passes octets both ways.
    async fn meet(listener: &transport::Listener) {
        let options = SocketOptions::new();
        let (left, right) =
            tokio::join!(transport::connect(listener.endpoint(), &options), listener.accept());
        let (left, right) = (left.unwrap(), right.unwrap());
        assert_eq!(left.address, listener.endpoint().to_string());
        assert_eq!(right.origin, Origin::Local);
        exchange(left, right).await;
    }

    /// A socket file on which nobody listens.
    fn abandon(path: &Path) {
        drop(std::os::unix::net::UnixListener::bind(path).unwrap());
        assert!(path.exists());
    }

    #[tokio::test]
    async fn peers_meet_at_a_path_and_closing_removes_it() {
        let directory = PrivateDirectory::create().unwrap();
        let path = directory.path().join("a");
        let listener = bind(&path).await.unwrap();
        assert_eq!(listener.endpoint().path(), Some(&*path));
        meet(&listener).await;
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn the_wildcard_is_a_new_path_that_vanishes() {
        let (one, other) = (bind("ipc://*").await.unwrap(), bind("ipc://*").await.unwrap());
        assert_ne!(one.endpoint(), other.endpoint());
        meet(&one).await;
        let directory = one.endpoint().path().unwrap().parent().unwrap().to_owned();
        assert!(directory.exists());
        drop(one);
        assert!(!directory.exists());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn peers_meet_at_an_abstract_name() {
        let name = format!("ipc://@ferromq-test-{}", std::process::id());
        let listener = bind(&name).await.unwrap();
        meet(&listener).await;
        let failure = bind(&name).await.unwrap_err();
        assert!(matches!(failure, BindFailure::AddressInUse { .. }), "{failure:?}");
    }

    #[tokio::test]
    async fn an_abandoned_socket_is_replaced() {
        let directory = PrivateDirectory::create().unwrap();
        let path = directory.path().join("a");
        abandon(&path);
        meet(&bind(&path).await.unwrap()).await;
    }

    #[tokio::test]
    async fn a_live_listener_is_not_robbed() {
        let directory = PrivateDirectory::create().unwrap();
        let path = directory.path().join("a");
        let first = bind(&path).await.unwrap();
        let failure = bind(&path).await.unwrap_err();
        assert!(matches!(failure, BindFailure::AddressInUse { .. }), "{failure:?}");
        // The connection that asked whether somebody is there.
        drop(first.accept().await.unwrap());
        meet(&first).await;
    }

    #[tokio::test]
    async fn a_listener_whose_queue_is_full_is_not_robbed() {
        let directory = PrivateDirectory::create().unwrap();
        let path = directory.path().join("a");
        let endpoint = path.as_path().into_endpoint().unwrap();
        let options = SocketOptions::new().backlog(1);
        let _first = transport::Listener::bind(&endpoint, &options).await.unwrap();
        for _ in 0..4 {
            let failure = bind(&path).await.unwrap_err();
            assert!(matches!(failure, BindFailure::AddressInUse { .. }), "{failure:?}");
        }
    }

    #[tokio::test]
    async fn what_is_not_a_socket_stays_untouched() {
        let directory = PrivateDirectory::create().unwrap();
        let [socket, file, folder, link] =
            ["socket", "file", "folder", "link"].map(|name| directory.path().join(name));
        abandon(&socket);
        fs::write(&file, "precious").unwrap();
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(&socket, &link).unwrap();
        for path in [&file, &folder, &link] {
            let failure = bind(path).await.unwrap_err();
            assert!(matches!(failure, BindFailure::NotASocket(found) if found == *path));
        }
        assert_eq!(fs::read(&file).unwrap(), b"precious");
        for path in [&link, &socket, &file] {
            fs::remove_file(path).unwrap();
        }
        fs::remove_dir(folder).unwrap();
    }

    #[tokio::test]
    async fn a_file_that_took_the_place_of_ours_is_left() {
        let directory = PrivateDirectory::create().unwrap();
        let path = directory.path().join("a");
        let first = bind(&path).await.unwrap();
        fs::remove_file(&path).unwrap();
        let second = bind(&path).await.unwrap();
        drop(first);
        meet(&second).await;
        drop(second);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_missing_directory_and_a_missing_listener_are_errors() {
        let failure = bind("ipc:///nonexistent/ferromq").await.unwrap_err();
        assert!(matches!(failure, BindFailure::Io { .. }), "{failure:?}");
        let options = SocketOptions::new();
        let endpoint = "ipc:///nonexistent/ferromq".parse().unwrap();
        let error = transport::connect(&endpoint, &options).await.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
