//! libzmq through the crate `zmq`, which builds its own copy of it. Calls block
//! the thread, one for each socket; one I/O thread does the rest, as is its
//! default. All options are its defaults, except that as many
//! connections may wait to be accepted as there are peers. The crate has no call
//! for `ZMQ_XPUB_NODROP`, so PUB drops at its high-water mark.
//!
//! The crate builds libzmq without CURVE. That is compiled in if the compiler is told
//! to, and linked by the feature `libsodium` of this package, which needs libsodium
//! and its headers (on Debian `libsodium-dev`):
//!
//! ```text
//! CXXFLAGS="-DZMQ_HAVE_CURVE -DZMQ_USE_LIBSODIUM" cargo run --release \
//!     --manifest-path benches/peers/Cargo.toml --features peers,libsodium -- \
//!     --cell push-pull/tcp+curve/64
//! ```

use std::mem;
use std::sync::LazyLock;

use bytes::Bytes;
use zmq::{Context, Message, SNDMORE, SocketType};

use super::{Echoes, Peer, Receives, Sends, Socket};
use crate::cell::Side;
use crate::keys::Keys;
use crate::setup::{Role, Setup};

pub struct Libzmq;

pub struct ZmqSocket {
    socket: zmq::Socket,
    id: Message,
    message: Message,
}

pub fn version() -> String {
    let (major, minor, patch) = zmq::version();
    format!("{major}.{minor}.{patch}")
}

/// Whether it was built so.
pub fn has_curve() -> bool {
    zmq::has("curve") == Some(true)
}

fn encrypt(socket: &zmq::Socket, side: Side, Keys { server, client }: &Keys) -> zmq::Result<()> {
    match side {
        Side::One => {
            socket.set_curve_server(true)?;
            socket.set_curve_secretkey(server.secret.as_bytes())
        }
        Side::Many => {
            socket.set_curve_serverkey(server.public.as_bytes())?;
            socket.set_curve_publickey(client.public.as_bytes())?;
            socket.set_curve_secretkey(client.secret.as_bytes())
        }
    }
}

fn socket_type(role: Role) -> SocketType {
    match role {
        Role::Push => SocketType::PUSH,
        Role::Pull => SocketType::PULL,
        Role::Pub => SocketType::PUB,
        Role::Sub => SocketType::SUB,
        Role::Req => SocketType::REQ,
        Role::Rep => SocketType::REP,
        Role::Dealer => SocketType::DEALER,
        Role::Router => SocketType::ROUTER,
        Role::Pair => SocketType::PAIR,
    }
}

impl Socket for ZmqSocket {
    async fn open(setup: &Setup) -> Self {
        static CONTEXT: LazyLock<Context> = LazyLock::new(Context::new);
        let socket = CONTEXT.socket(socket_type(setup.role())).expect("socket");
        if setup.role() == Role::Sub {
            socket.set_subscribe(setup.topic().as_bytes()).expect("subscribe");
        }
        if let Some(keys) = &setup.keys {
            encrypt(&socket, setup.side, keys).expect("keys");
        }
        match setup.binds() {
            Some(endpoint) => {
                let backlog = i32::try_from(setup.cell.peers).expect("a few thousand");
                socket.set_backlog(backlog.max(100)).expect("backlog");
                socket.bind(endpoint).expect("bind");
                let endpoint = socket.get_last_endpoint().expect("endpoint");
                setup.bound(endpoint.expect("an endpoint is UTF-8"));
            }
            None => socket.connect(&setup.endpoint().await).expect("connect"),
        }
        Self { socket, id: Message::new(), message: Message::new() }
    }
}

impl Sends for ZmqSocket {
    async fn send(&mut self, body: &Bytes) {
        self.socket.send(&body[..], 0).expect("send");
    }
}

impl Receives for ZmqSocket {
    async fn recv(&mut self) -> usize {
        self.socket.recv(&mut self.message, 0).expect("recv");
        self.message.len()
    }
}

impl Echoes for ZmqSocket {
    async fn echo(&mut self) -> usize {
        self.socket.recv(&mut self.id, 0).expect("recv");
        self.socket.recv(&mut self.message, 0).expect("recv");
        let size = self.message.len();
        let take = |message: &mut Message| mem::replace(message, Message::new());
        self.socket.send(take(&mut self.id), SNDMORE).expect("send");
        self.socket.send(take(&mut self.message), 0).expect("send");
        size
    }
}

impl Peer for Libzmq {
    type Push = ZmqSocket;
    type Pull = ZmqSocket;
    type Pub = ZmqSocket;
    type Sub = ZmqSocket;
    type Req = ZmqSocket;
    type Rep = ZmqSocket;
    type Dealer = ZmqSocket;
    type Router = ZmqSocket;
    type Pair = ZmqSocket;
}
