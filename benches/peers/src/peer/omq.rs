//! omq-tokio, its driver on the caller's runtime.
//!
//! As its own benchmarks do: small messages are made inline, others are cloned;
//! messages are received many at a time; PUB waits (`xpub_nodrop`); and REQ and REP
//! over tcp are its `exclusive` sockets, which it has for latency: the caller drives
//! them, and they have one peer. The others keep the throughput profile: with the
//! latency one, DEALER and ROUTER make a sixth of the round trips. As many
//! handshakes may be under way as there are peers: it turns others away. Its
//! `exclusive` sockets have no CURVE: there REQ and REP are the others, which choose the
//! latency profile by themselves.

use bytes::Bytes;
use omq_tokio::message::MAX_INLINE_MESSAGE;
use omq_tokio::{Message, Options, SocketType, exclusive};

use super::{Echoes, Peer, Receives, Sends, Socket};
use crate::cell::{Mechanism, Transport};
use crate::setup::{Role, Setup};

/// How many messages are received at a time.
const BATCH: usize = 256;

pub struct Omq;

pub struct OmqSocket {
    socket: omq_tokio::Socket,
    received: Vec<Message>,
}

fn socket_type(role: Role) -> SocketType {
    match role {
        Role::Push => SocketType::Push,
        Role::Pull => SocketType::Pull,
        Role::Pub => SocketType::Pub,
        Role::Sub => SocketType::Sub,
        Role::Req => SocketType::Req,
        Role::Rep => SocketType::Rep,
        Role::Dealer => SocketType::Dealer,
        Role::Router => SocketType::Router,
        Role::Pair => SocketType::Pair,
    }
}

#[cfg(feature = "curve")]
fn encrypt(options: Options, setup: &Setup) -> Options {
    use crate::cell::Side;
    use crate::keys::{Keys, Pair};
    use omq_tokio::{CurveKeypair, CurvePublicKey, CurveSecretKey};

    let Some(Keys { server, client }) = &setup.keys else { return options };
    let public = |key: &str| CurvePublicKey::from_z85(key).expect("a key was generated");
    let pair = |pair: &Pair| CurveKeypair {
        public: public(&pair.public),
        secret: CurveSecretKey::from_z85(&pair.secret).expect("a secret key was generated"),
    };
    match setup.side {
        Side::One => options.curve_server(pair(server)),
        Side::Many => options.curve_client(pair(client), public(&server.public)),
    }
}

#[cfg(not(feature = "curve"))]
fn encrypt(options: Options, _: &Setup) -> Options {
    options
}

fn message(body: &Bytes) -> Message {
    match body.len() {
        ..=MAX_INLINE_MESSAGE => Message::from_slice(body),
        _ => Message::single(body.clone()),
    }
}

impl Socket for OmqSocket {
    async fn open(setup: &Setup) -> Self {
        let options = Options { xpub_nodrop: true, ..Options::default() };
        let options = options.max_pending_handshakes(setup.cell.peers.max(128));
        let options = encrypt(options, setup);
        let socket = omq_tokio::Socket::new(socket_type(setup.role()), options);
        if setup.role() == Role::Sub {
            socket.subscribe(setup.topic()).await.expect("subscribe");
        }
        match setup.binds() {
            Some(endpoint) => {
                setup.bound(socket.bind(endpoint).await.expect("bind").to_string());
            }
            None => {
                let endpoint = setup.endpoint().await;
                socket.connect(endpoint.as_str()).await.expect("connect");
            }
        }
        Self { socket, received: Vec::with_capacity(BATCH) }
    }
}

impl Sends for OmqSocket {
    async fn send(&mut self, body: &Bytes) {
        self.socket.send(message(body)).await.expect("send");
    }
}

impl Receives for OmqSocket {
    async fn recv(&mut self) -> usize {
        if self.received.is_empty() {
            self.socket.recv_many_into(BATCH, &mut self.received).await.expect("recv");
        }
        // The last first: nobody looks at the order.
        self.received.pop().expect("there is one").byte_len()
    }
}

impl Echoes for OmqSocket {
    async fn echo(&mut self) -> usize {
        if self.received.is_empty() {
            self.socket.recv_many_into(BATCH, &mut self.received).await.expect("recv");
        }
        let message = self.received.pop().expect("there is one");
        // The first frame is the id.
        let size = message.part_slice(1).expect("a body").len();
        self.socket.send(message).await.expect("send");
        size
    }
}

/// REQ or REP.
pub enum Trip {
    Exclusive(Box<exclusive::Socket>),
    Shared(OmqSocket),
}

impl Socket for Trip {
    async fn open(setup: &Setup) -> Self {
        if setup.cell.transport != Transport::Tcp || setup.cell.mechanism != Mechanism::Null {
            return Self::Shared(OmqSocket::open(setup).await);
        }
        let (kind, options) = (socket_type(setup.role()), exclusive::Options::default());
        Self::Exclusive(Box::new(match setup.binds() {
            Some(endpoint) => {
                let bound = exclusive::Socket::bind(kind, endpoint, options).await;
                let (socket, endpoint) = bound.expect("bind");
                setup.bound(endpoint.to_string());
                socket
            }
            None => {
                let endpoint = setup.endpoint().await;
                let connected = exclusive::Socket::connect(kind, endpoint.as_str(), options).await;
                connected.expect("connect")
            }
        }))
    }
}

impl Sends for Trip {
    async fn send(&mut self, body: &Bytes) {
        match self {
            Self::Exclusive(socket) => socket.send(&message(body)).await.expect("send"),
            Self::Shared(socket) => socket.send(body).await,
        }
    }
}

impl Receives for Trip {
    async fn recv(&mut self) -> usize {
        match self {
            Self::Exclusive(socket) => socket.recv().await.expect("recv").byte_len(),
            Self::Shared(socket) => socket.recv().await,
        }
    }
}

impl Peer for Omq {
    type Push = OmqSocket;
    type Pull = OmqSocket;
    type Pub = OmqSocket;
    type Sub = OmqSocket;
    type Req = Trip;
    type Rep = Trip;
    type Dealer = OmqSocket;
    type Router = OmqSocket;
    type Pair = OmqSocket;
}
