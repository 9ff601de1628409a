//! monocoque-rs on tokio. Its sockets stay on one thread, so it has one mode, on a
//! current_thread runtime, as its guide says.
//!
//! Each of its sockets has one connection, made here from the stream. Those with
//! more are `PushFanOut`, `PullFanIn` and PUB, over tcp only; PUB writes in threads
//! of its own, and drops what they have no room for. As its guide recommends: what
//! floods coalesces its writes (nothing is flushed, since there is no last
//! message), DEALER and ROUTER buffer and flush before they wait, and messages are
//! received into a vector that is used again. Buffers have their default size, which
//! is larger than what its own benchmarks set.

use std::marker::PhantomData;
use std::mem;

use bytes::Bytes;
use compio_io::{AsyncRead, AsyncWrite};
use monocoque::rt::{TcpListener, TcpStream, UnixListener, UnixStream};
use monocoque::zmq::{
    DealerSocket, PairSocket, PubSocket, PullFanIn, PullSocket, PushFanOut, PushSocket, RepSocket,
    ReqSocket, RouterSocket, SocketOptions, SubSocket,
};

use super::{Echoes, Peer, Receives, Sends, Socket};
use crate::cell::{Cell, IN_FLIGHT, Pattern, Transport};
use crate::setup::Setup;

/// How much DEALER may have in flight: streams must hold it, as nobody reads for it
/// while it writes.
const MOST_IN_FLIGHT: usize = 256 * 1024;

pub fn can(cell: Cell) -> bool {
    if cell.pattern == Pattern::DealerRouter && cell.size * IN_FLIGHT > MOST_IN_FLIGHT {
        return false;
    }
    match cell.transport {
        Transport::Tcp => cell.pattern != Pattern::DealerRouter || cell.peers == 1,
        Transport::Ipc => cell.peers == 1 && cell.pattern != Pattern::PubSub,
        Transport::Inproc => false,
    }
}

pub type OverTcp = Monocoque<TcpStream>;
pub type OverIpc = Monocoque<UnixStream>;

pub struct Monocoque<S>(PhantomData<S>);

/// What a socket is made of.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Sized + 'static {
    fn accept(setup: &Setup, endpoint: &str) -> impl Future<Output = Self>;
    fn connect(endpoint: &str) -> impl Future<Output = Self>;
}

async fn listen(setup: &Setup, endpoint: &str) -> TcpListener {
    let listener = TcpListener::bind(endpoint.trim_start_matches("tcp://")).await.expect("bind");
    setup.bound(format!("tcp://{}", listener.local_addr().expect("address")));
    listener
}

impl Stream for TcpStream {
    async fn accept(setup: &Setup, endpoint: &str) -> Self {
        let listener = tokio::net::TcpListener::bind(endpoint.trim_start_matches("tcp://")).await;
        let listener = listener.expect("bind");
        setup.bound(format!("tcp://{}", listener.local_addr().expect("address")));
        without_delay(listener.accept().await.expect("accept").0)
    }

    async fn connect(endpoint: &str) -> Self {
        let address = endpoint.trim_start_matches("tcp://");
        without_delay(tokio::net::TcpStream::connect(address).await.expect("connect"))
    }
}

/// As its sockets do with the streams that they open themselves.
fn without_delay(stream: tokio::net::TcpStream) -> TcpStream {
    stream.set_nodelay(true).expect("nodelay");
    TcpStream::from_std(stream.into_std().expect("stream")).expect("stream")
}

impl Stream for UnixStream {
    async fn accept(setup: &Setup, endpoint: &str) -> Self {
        let path = endpoint.trim_start_matches("ipc://");
        let listener = UnixListener::bind(path).await.expect("bind");
        setup.bound(endpoint.to_owned());
        listener.accept().await.expect("accept").0
    }

    async fn connect(endpoint: &str) -> Self {
        Self::connect(endpoint.trim_start_matches("ipc://")).await.expect("connect")
    }
}

async fn stream<S: Stream>(setup: &Setup) -> S {
    match setup.binds() {
        Some(endpoint) => S::accept(setup, endpoint).await,
        None => S::connect(&setup.endpoint().await).await,
    }
}

/// For what floods.
fn coalescing() -> SocketOptions {
    SocketOptions::default().with_write_coalescing(true)
}

/// A socket of theirs, and what it receives into.
pub struct Single<T> {
    socket: T,
    frames: Vec<Bytes>,
}

macro_rules! open {
    ($($socket:ident: $options:expr;)+) => {$(
        impl<S: Stream> Socket for Single<$socket<S>> {
            async fn open(setup: &Setup) -> Self {
                let socket = $socket::with_options(stream(setup).await, $options).await;
                Self { socket: socket.expect("handshake"), frames: Vec::new() }
            }
        }
    )+};
}

macro_rules! receives {
    ($($socket:ident),+) => {$(
        impl<S: Stream> Receives for Single<$socket<S>> {
            async fn recv(&mut self) -> usize {
                assert!(self.socket.recv_into(&mut self.frames).await.expect("recv"));
                self.frames[0].len()
            }
        }
    )+};
}

open! {
    PushSocket: coalescing();
    PullSocket: SocketOptions::default();
    PairSocket: coalescing();
    ReqSocket: SocketOptions::default();
    RepSocket: SocketOptions::default();
    DealerSocket: SocketOptions::default();
    RouterSocket: SocketOptions::default();
}

receives!(PullSocket, SubSocket, ReqSocket, RepSocket, PairSocket);

impl<S: Stream> Sends for Single<PushSocket<S>> {
    async fn send(&mut self, body: &Bytes) {
        self.socket.send_one(body.clone()).await.expect("send");
    }
}

impl<S: Stream> Sends for Single<PairSocket<S>> {
    async fn send(&mut self, body: &Bytes) {
        self.socket.send(vec![body.clone()]).await.expect("send");
    }
}

impl<S: Stream> Sends for Single<ReqSocket<S>> {
    async fn send(&mut self, body: &Bytes) {
        self.socket.send_one(body.clone()).await.expect("send");
    }
}

impl<S: Stream> Sends for Single<RepSocket<S>> {
    async fn send(&mut self, body: &Bytes) {
        self.socket.send(vec![body.clone()]).await.expect("send");
    }
}

impl<S: Stream> Sends for Single<DealerSocket<S>> {
    async fn send(&mut self, body: &Bytes) {
        self.socket.send_buffered(vec![body.clone()]).expect("send");
    }
}

impl<S: Stream> Receives for Single<DealerSocket<S>> {
    async fn recv(&mut self) -> usize {
        if !self.socket.try_recv_into(&mut self.frames).expect("recv") {
            self.socket.flush().await.expect("flush");
            assert!(self.socket.recv_into(&mut self.frames).await.expect("recv"));
        }
        self.frames[0].len()
    }
}

impl<S: Stream> Echoes for Single<RouterSocket<S>> {
    async fn echo(&mut self) -> usize {
        if !self.socket.try_recv_into(&mut self.frames).expect("recv") {
            self.socket.flush().await.expect("flush");
            assert!(self.socket.recv_into(&mut self.frames).await.expect("recv"));
        }
        // The first frame is the id.
        let size = self.frames[1].len();
        self.socket.send_buffered(mem::take(&mut self.frames)).expect("send");
        size
    }
}

impl<S: Stream> Socket for Single<SubSocket<S>> {
    async fn open(setup: &Setup) -> Self {
        let socket = SubSocket::with_options(stream(setup).await, SocketOptions::default()).await;
        let mut socket = socket.expect("handshake");
        socket.subscribe(setup.topic().as_bytes()).await.expect("subscribe");
        Self { socket, frames: Vec::new() }
    }
}

pub enum Push<S: Stream> {
    Single(Box<Single<PushSocket<S>>>),
    Many(PushFanOut),
}

impl<S: Stream> Socket for Push<S> {
    async fn open(setup: &Setup) -> Self {
        let (Some(endpoint), 2..) = (setup.binds(), setup.cell.peers) else {
            return Self::Single(Box::new(Single::<PushSocket<S>>::open(setup).await));
        };
        let listener = listen(setup, endpoint).await;
        let fan = PushFanOut::accept_workers(&listener, setup.cell.peers, coalescing()).await;
        Self::Many(fan.expect("accept"))
    }
}

impl<S: Stream> Sends for Push<S> {
    async fn send(&mut self, body: &Bytes) {
        match self {
            Self::Single(single) => single.send(body).await,
            Self::Many(fan) => fan.send_one(body.clone()).await.expect("send"),
        }
    }
}

pub enum Pull<S: Stream> {
    Single(Box<Single<PullSocket<S>>>),
    Many(PullFanIn),
}

impl<S: Stream> Socket for Pull<S> {
    async fn open(setup: &Setup) -> Self {
        let (Some(endpoint), 2..) = (setup.binds(), setup.cell.peers) else {
            return Self::Single(Box::new(Single::<PullSocket<S>>::open(setup).await));
        };
        let (listener, options) = (listen(setup, endpoint).await, SocketOptions::default());
        let fan = PullFanIn::accept_workers(&listener, setup.cell.peers, options).await;
        Self::Many(fan.expect("accept"))
    }
}

impl<S: Stream> Receives for Pull<S> {
    async fn recv(&mut self) -> usize {
        match self {
            Self::Single(single) => single.recv().await,
            Self::Many(fan) => fan.recv().await.expect("recv").expect("a message")[0].len(),
        }
    }
}

impl Socket for PubSocket {
    async fn open(setup: &Setup) -> Self {
        let endpoint = setup.binds().expect("PUB binds");
        let bound = Self::bind(endpoint.trim_start_matches("tcp://")).await;
        let mut socket = bound.expect("bind");
        setup.bound(format!("tcp://{}", socket.local_addr().expect("address")));
        for _ in 0..setup.cell.peers {
            socket.accept_subscriber().await.expect("accept");
        }
        socket
    }
}

impl Sends for PubSocket {
    async fn send(&mut self, body: &Bytes) {
        self.send_frames(std::slice::from_ref(body)).await.expect("send");
    }
}

impl<S: Stream> Peer for Monocoque<S> {
    type Push = Push<S>;
    type Pull = Pull<S>;
    type Pub = PubSocket;
    type Sub = Single<SubSocket<S>>;
    type Req = Single<ReqSocket<S>>;
    type Rep = Single<RepSocket<S>>;
    type Dealer = Single<DealerSocket<S>>;
    type Router = Single<RouterSocket<S>>;
    type Pair = Single<PairSocket<S>>;
}
