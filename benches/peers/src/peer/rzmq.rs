//! rzmq on tokio, without its io_uring backend and so without TCP_CORK, which is
//! part of that.
//!
//! As its guide and its benchmarks recommend: the adaptive throttle is off; what
//! floods batches more at a time, while what makes round trips keeps the default;
//! PUB waits (`XPUB_NODROP`); and ROUTER and DEALER add no delimiter, except over
//! inproc, where they do not understand each other without.
//!
//! Each socket has a context of its own, except over inproc, which needs one, and
//! they connect one after the other: hundreds in one context, or at once, outrun the
//! bus that tells of every connection, and then sockets close. Even so a thousand
//! subscribers over ipc, and hundreds of peers over inproc, are not all served:
//! these runs fail.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use rzmq::socket::options::{
    ADAPTIVE_THROTTLE, AUTO_DELIMITER, LAST_ENDPOINT, RCVBATCH_BYTES, RCVBATCH_COUNT,
    SNDBATCH_BYTES, SNDBATCH_COUNT, SUBSCRIBE, XPUB_NODROP,
};
use rzmq::{Context, Msg, SocketType};

use super::{Echoes, Missing, Peer, Receives, Sends, Socket};
use crate::cell::{Cell, Pattern, Transport};
use crate::setup::{Role, Setup};

/// The time between two that connect.
const PACE: Duration = Duration::from_millis(1);

/// There is no PAIR.
pub fn can(cell: Cell) -> bool {
    cell.pattern != Pattern::Pair
}

pub struct Rzmq;

pub struct RzmqSocket {
    socket: rzmq::Socket,
    _context: Context,
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
        Role::Pair => unreachable!("there is no PAIR"),
    }
}

fn context(setup: &Setup) -> Context {
    let context = || Context::new().expect("context");
    static SHARED: OnceLock<Context> = OnceLock::new();
    match setup.cell.transport {
        Transport::Tcp | Transport::Ipc => context(),
        Transport::Inproc => SHARED.get_or_init(context).clone(),
    }
}

impl RzmqSocket {
    async fn set(&self, option: i32, value: i32) {
        self.socket.set_option(option, value).await.expect("option");
    }

    #[cfg(feature = "curve")]
    async fn encrypt(&self, setup: &Setup) {
        use crate::cell::Side;
        use crate::keys::Keys;
        use rzmq::socket::options::{CURVE_SECRET_KEY, CURVE_SERVER, CURVE_SERVER_KEY};

        let Some(Keys { server, client }) = &setup.keys else { return };
        let key = async |option, key: &str| {
            self.socket.set_option_raw(option, key.as_bytes()).await.expect("key");
        };
        match setup.side {
            Side::One => {
                self.set(CURVE_SERVER, 1).await;
                key(CURVE_SECRET_KEY, &server.secret).await;
            }
            Side::Many => {
                key(CURVE_SECRET_KEY, &client.secret).await;
                key(CURVE_SERVER_KEY, &server.public).await;
            }
        }
    }

    #[cfg(not(feature = "curve"))]
    async fn encrypt(&self, _: &Setup) {}

    async fn configure(&self, setup: &Setup) {
        self.set(ADAPTIVE_THROTTLE, 0).await;
        self.encrypt(setup).await;
        match setup.role() {
            Role::Pub => self.set(XPUB_NODROP, 1).await,
            Role::Sub => {
                let topic = setup.topic();
                self.socket.set_option_raw(SUBSCRIBE, topic.as_bytes()).await.expect("subscribe");
            }
            Role::Dealer | Role::Router if setup.cell.transport != Transport::Inproc => {
                self.set(AUTO_DELIMITER, 0).await;
            }
            _ => {}
        }
        if matches!(setup.role(), Role::Push | Role::Pull | Role::Pub | Role::Sub) {
            for count in [SNDBATCH_COUNT, RCVBATCH_COUNT] {
                self.set(count, 512).await;
            }
            for bytes in [SNDBATCH_BYTES, RCVBATCH_BYTES] {
                self.set(bytes, 1024 * 1024).await;
            }
        }
    }
}

impl Socket for RzmqSocket {
    async fn open(setup: &Setup) -> Self {
        let context = context(setup);
        let socket = context.socket(socket_type(setup.role())).expect("socket");
        let socket = Self { socket, _context: context };
        socket.configure(setup).await;
        match setup.binds() {
            Some(endpoint) => {
                socket.socket.bind(endpoint).await.expect("bind");
                let endpoint = socket.socket.get_option(LAST_ENDPOINT).await.expect("endpoint");
                let endpoint = String::from_utf8(endpoint).expect("an endpoint is UTF-8");
                setup.bound(endpoint.trim_end_matches('\0').to_owned());
            }
            None => {
                tokio::time::sleep(setup.number as u32 * PACE).await;
                socket.socket.connect(&setup.endpoint().await).await.expect("connect");
            }
        }
        socket
    }
}

impl Sends for RzmqSocket {
    async fn send(&mut self, body: &Bytes) {
        self.socket.send(Msg::from_bytes(body.clone())).await.expect("send");
    }
}

impl Receives for RzmqSocket {
    async fn recv(&mut self) -> usize {
        self.socket.recv().await.expect("recv").size()
    }
}

impl Echoes for RzmqSocket {
    async fn echo(&mut self) -> usize {
        let frames = self.socket.recv_multipart().await.expect("recv");
        let size = frames.last().expect("a body").size();
        self.socket.send_multipart(frames).await.expect("send");
        size
    }
}

impl Peer for Rzmq {
    type Push = RzmqSocket;
    type Pull = RzmqSocket;
    type Pub = RzmqSocket;
    type Sub = RzmqSocket;
    type Req = RzmqSocket;
    type Rep = RzmqSocket;
    type Dealer = RzmqSocket;
    type Router = RzmqSocket;
    type Pair = Missing;
}
