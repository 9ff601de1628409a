//! `tcp://`

use std::io::{self, Read};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::race::race;
use super::resolve::{self, Family};
use super::tuning::Tuning;
use super::{BindFailure, Origin, ReadHalf, Stream, is_of_one_connection};
use crate::endpoint::{Endpoint, Host, HostPort, TcpAddress};
use crate::options::SocketOptions;

/// A bound tcp endpoint.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    endpoint: Endpoint,
    tuning: Tuning,
}

impl Listener {
    pub(super) fn bind(at: &HostPort, options: &SocketOptions) -> Result<Self, BindFailure> {
        let prefers_v6 = match &at.host {
            Host::Any => options.ipv6,
            // Everybody reaches `localhost` by IPv4, by IPv6 only who enabled it.
            Host::Name(name) => options.ipv6 && !name.eq_ignore_ascii_case("localhost"),
            Host::V4(_) | Host::V6(..) => false,
        };
        if prefers_v6 {
            match Self::bind_in(at, Family::V6, options) {
                // The machine, or the interface, may be without IPv6.
                Err(BindFailure::NoSuchInterface(_) | BindFailure::Io { .. }) => {}
                result => return result,
            }
        }
        Self::bind_in(at, Family::V4, options)
    }

    fn bind_in(
        at: &HostPort,
        family: Family,
        options: &SocketOptions,
    ) -> Result<Self, BindFailure> {
        let address = resolve::local(at, family)?;
        let tuning = Tuning::new(options);
        let socket = open(address, &tuning)?;
        if address.is_ipv6() {
            socket.set_only_v6(!(options.ipv6 && address.ip().is_unspecified()))?;
        }
        reuse_address(&socket)?;
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
        let listener = TcpListener::from_std(socket.into())?;
        let endpoint = listener.local_addr()?.into();
        Ok(Self { listener, endpoint, tuning })
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        loop {
            match ready!(self.listener.poll_accept(cx)) {
                Ok((stream, peer)) => return Poll::Ready(Ok(finish(stream, peer, &self.tuning))),
                Err(error) if is_of_one_connection(&error) => {
                    tracing::debug!(endpoint = %self.endpoint, %error, "a connection was lost before it was accepted");
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A child process that is just being started holds a copy of every
        // descriptor until it has become the other program. Closing ours would
        // leave the port taken until then; a socket that was shut down does
        // not listen, whoever holds it. Where the system refuses, closing has
        // to do.
        let _ = SockRef::from(&self.listener).shutdown(Shutdown::Both);
    }
}

/// Connects to the first address of the host that answers.
pub(super) async fn connect(address: &TcpAddress, options: &SocketOptions) -> io::Result<Stream> {
    let targets = resolve::remote(&address.target, options.ipv6).await?;
    connect_to_any(targets, address.source.as_ref(), &Tuning::new(options)).await
}

async fn connect_to_any(
    targets: Vec<SocketAddr>,
    source: Option<&HostPort>,
    tuning: &Tuning,
) -> io::Result<Stream> {
    race(targets, |target| connect_to(target, source, tuning)).await
}

async fn connect_to(
    target: SocketAddr,
    source: Option<&HostPort>,
    tuning: &Tuning,
) -> io::Result<Stream> {
    let socket = open(target, tuning)?;
    if let Some(source) = source {
        let source = resolve::local(source, Family::of(target)).map_err(resolve::into_io)?;
        // A chosen port must be free again at once for the next attempt.
        if source.port() != 0 {
            reuse_address(&socket)?;
        }
        socket.bind(&source.into())?;
    }
    let stream = TcpSocket::from_std_stream(socket.into()).connect(target).await?;
    refuse_self(&stream)?;
    Ok(finish(stream, target, tuning))
}

/// A socket that connects to a port of its own machine on which nobody listens
/// can be given that very port by the system, and then meets itself. It would
/// keep the real listener from ever binding, so that nobody listens is what we
/// say, and the port is left without the wait that follows a proper close.
fn refuse_self(stream: &TcpStream) -> io::Result<()> {
    if stream.local_addr()? != stream.peer_addr()? {
        return Ok(());
    }
    SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
    Err(io::ErrorKind::ConnectionRefused.into())
}

fn open(address: SocketAddr, tuning: &Tuning) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    tuning.set_buffers(&SockRef::from(&socket));
    tuning.set_tcp(&SockRef::from(&socket), address.is_ipv6());
    Ok(socket)
}

/// On Unix, lets a restarted program bind while connections of the one before
/// still linger. On Windows the option would let others take a live port.
fn reuse_address(socket: &Socket) -> io::Result<()> {
    if cfg!(unix) { socket.set_reuse_address(true) } else { Ok(()) }
}

fn finish(stream: TcpStream, peer: SocketAddr, tuning: &Tuning) -> Stream {
    tuning.set_tcp(&SockRef::from(&stream), peer.is_ipv6());
    let ip: IpAddr = peer.ip().to_canonical();
    let peer = if ip.is_ipv4() { SocketAddr::new(ip, peer.port()) } else { peer };
    let (read, write) = stream.into_split();
    Stream {
        read: Box::new(read),
        write: Box::new(write),
        address: Endpoint::from(peer).to_string(),
        origin: Origin::Tcp(ip),
    }
}

impl ReadHalf for OwnedReadHalf {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsRef::<TcpStream>::as_ref(self).poll_read_ready(cx)
    }

    fn read_now(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        (&*SockRef::from(AsRef::<TcpStream>::as_ref(self))).read(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{self, memory::exchange};

    async fn bind(text: &str, options: &SocketOptions) -> Result<transport::Listener, BindFailure> {
        transport::Listener::bind(&text.parse().unwrap(), options).await
    }

    async fn connect(text: &str) -> io::Result<Stream> {
        transport::connect(&text.parse().unwrap(), &SocketOptions::new()).await
    }

    /// Whether this machine has IPv6.
    fn has_ipv6() -> bool {
        std::net::TcpListener::bind("[::1]:0").is_ok()
    }

    #[tokio::test]
    async fn a_wildcard_port_becomes_a_real_one() {
        let listener = bind("tcp://*:*", &SocketOptions::new()).await.unwrap();
        let endpoint = listener.endpoint();
        let port = endpoint.port().unwrap();
        assert_ne!(port, 0);
        assert_eq!(endpoint.to_string(), format!("tcp://0.0.0.0:{port}"));
    }

    #[tokio::test]
    async fn peers_meet_and_know_each_other() {
        let listener = bind("tcp://localhost:0", &SocketOptions::new()).await.unwrap();
        for host in ["127.0.0.1", "localhost", "0.0.0.0"] {
            let port = listener.endpoint().port().unwrap();
            let text = format!("tcp://{host}:{port}");
            let (left, right) = tokio::join!(connect(&text), listener.accept());
            let (left, right) = (left.unwrap(), right.unwrap());
            assert_eq!(left.address, format!("tcp://127.0.0.1:{port}"));
            assert!(right.address.starts_with("tcp://127.0.0.1:"));
            assert_eq!(right.origin, Origin::Tcp([127, 0, 0, 1].into()));
            exchange(left, right).await;
        }
    }

    #[tokio::test]
    async fn an_address_is_bound_once() {
        let first = bind("tcp://127.0.0.1:0", &SocketOptions::new()).await.unwrap();
        let text = first.endpoint().to_string();
        let failure = bind(&text, &SocketOptions::new()).await.unwrap_err();
        assert!(matches!(failure, BindFailure::AddressInUse { .. }), "{failure:?}");
        drop(first);
        bind(&text, &SocketOptions::new()).await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_comes_from_the_chosen_source() {
        let listener = bind("tcp://127.0.0.1:0", &SocketOptions::new()).await.unwrap();
        let port = listener.endpoint().port().unwrap();
        let source = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let text = format!("tcp://{source};127.0.0.1:{port}");
        let (left, right) = tokio::join!(connect(&text), listener.accept());
        assert_eq!(right.unwrap().address, format!("tcp://{source}"));
        drop(left.unwrap());
        let error = connect(&format!("tcp://nosuch0:0;127.0.0.1:{port}")).await.err().unwrap();
        assert!(error.to_string().contains("nosuch0"));
        assert!(connect(&format!("tcp://[::1]:0;127.0.0.1:{port}")).await.is_err());
    }

    /// A listener whose queue is full answers nothing: the kernel drops what
    /// asks for a connection.
    #[cfg(target_os = "linux")]
    async fn silent() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let (address, mut queue) = (listener.local_addr().unwrap(), Vec::new());
        let patience = Duration::from_millis(200);
        while let Ok(stream) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
            queue.push(stream.unwrap());
        }
        (address, listener, queue)
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn addresses_that_do_not_answer_do_not_hide_the_one_that_does() {
        let listener = bind("tcp://127.0.0.1:0", &SocketOptions::new()).await.unwrap();
        let alive = listener.endpoint().socket_addr().unwrap();
        let (silent, _listener, _queue) = silent().await;
        let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let tuning = Tuning::new(&SocketOptions::new());
        for targets in [vec![silent, alive], vec![refused, silent, silent, alive]] {
            // The system gives `silent` up only after two minutes.
            let connecting = connect_to_any(targets, None, &tuning);
            let connecting = tokio::time::timeout(Duration::from_secs(20), connecting);
            let (left, right) = tokio::join!(connecting, listener.accept());
            let left = left.unwrap().unwrap();
            assert_eq!(left.address, listener.endpoint().to_string());
            exchange(left, right.unwrap()).await;
        }
        let error = connect_to_any(vec![refused, refused], None, &tuning).await.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn a_socket_that_meets_itself_is_refused() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!("tcp://127.0.0.1:{port};127.0.0.1:{port}");
        let error = connect(&text).await.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        bind(&format!("tcp://127.0.0.1:{port}"), &SocketOptions::new()).await.unwrap();
    }

    #[tokio::test]
    async fn unknown_interfaces_and_foreign_addresses_are_refused() {
        let failure = bind("tcp://nosuch0:0", &SocketOptions::new()).await.unwrap_err();
        assert!(matches!(failure, BindFailure::NoSuchInterface(name) if name == "nosuch0"));
        let failure = bind("tcp://192.0.2.1:0", &SocketOptions::new()).await.unwrap_err();
        assert!(matches!(failure, BindFailure::Io { .. }), "{failure:?}");
    }

    #[tokio::test]
    async fn with_ipv6_the_wildcard_is_both_families() {
        if !has_ipv6() {
            return;
        }
        let listener = bind("tcp://*:0", &SocketOptions::new().ipv6(true)).await.unwrap();
        let port = listener.endpoint().port().unwrap();
        assert_eq!(listener.endpoint().to_string(), format!("tcp://[::]:{port}"));
        for host in ["127.0.0.1", "[::1]", "[::]"] {
            let text = format!("tcp://{host}:{port}");
            let (left, right) = tokio::join!(connect(&text), listener.accept());
            let (left, right) = (left.unwrap(), right.unwrap());
            let is_v4 = host == "127.0.0.1";
            assert!(matches!(right.origin, Origin::Tcp(ip) if ip.is_ipv4() == is_v4));
            exchange(left, right).await;
        }
    }

    #[test]
    fn options_reach_the_socket() {
        let options = SocketOptions::new()
            .tcp_keepalive(true)
            .tcp_keepalive_idle(Duration::from_secs(77))
            .send_buffer(100_000)
            .type_of_service(0x20);
        let address = "127.0.0.1:0".parse().unwrap();
        let plain = open(address, &Tuning::new(&SocketOptions::new())).unwrap();
        let tuned = open(address, &Tuning::new(&options)).unwrap();
        assert!(plain.tcp_nodelay().unwrap());
        assert!(!plain.keepalive().unwrap() && tuned.keepalive().unwrap());
        assert_ne!(plain.send_buffer_size().unwrap(), tuned.send_buffer_size().unwrap());
        #[cfg(target_os = "linux")]
        {
            assert_eq!(tuned.tcp_keepalive_time().unwrap(), Duration::from_secs(77));
            assert_eq!((plain.tos_v4().unwrap(), tuned.tos_v4().unwrap()), (0, 0x20));
        }
    }
}
