//! rzmq, without io_uring: it does without that unless it is asked for.

use std::sync::OnceLock;

use bytes::Bytes;
use rzmq::socket::options::{LAST_ENDPOINT, SUBSCRIBE};
use rzmq::{Context, Msg, SocketType};

use super::{Peer, Receives, Sends, Socket};

pub struct Rzmq;

pub struct RzmqSocket {
    socket: rzmq::Socket,
    subscribes: bool,
}

fn open(socket_type: SocketType) -> RzmqSocket {
    static CONTEXT: OnceLock<Context> = OnceLock::new();
    let context = CONTEXT.get_or_init(|| Context::new().expect("context"));
    let subscribes = matches!(socket_type, SocketType::Sub);
    RzmqSocket { socket: context.socket(socket_type).expect("socket"), subscribes }
}

impl RzmqSocket {
    async fn subscribe(&self) {
        if self.subscribes {
            self.socket.set_option_raw(SUBSCRIBE, b"").await.expect("subscribe");
        }
    }
}

impl Socket for RzmqSocket {
    async fn bind(&mut self) -> String {
        self.subscribe().await;
        self.socket.bind("tcp://127.0.0.1:0").await.expect("bind");
        let endpoint = self.socket.get_option(LAST_ENDPOINT).await.expect("endpoint");
        let endpoint = String::from_utf8(endpoint).expect("an endpoint is UTF-8");
        endpoint.trim_end_matches('\0').to_owned()
    }

    async fn connect(&mut self, endpoint: &str) {
        self.subscribe().await;
        self.socket.connect(endpoint).await.expect("connect");
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

impl Peer for Rzmq {
    type Push = RzmqSocket;
    type Pull = RzmqSocket;
    type Pub = RzmqSocket;
    type Sub = RzmqSocket;
    type Req = RzmqSocket;
    type Rep = RzmqSocket;

    fn push() -> RzmqSocket {
        open(SocketType::Push)
    }

    fn pull() -> RzmqSocket {
        open(SocketType::Pull)
    }

    fn publisher() -> RzmqSocket {
        open(SocketType::Pub)
    }

    fn sub() -> RzmqSocket {
        open(SocketType::Sub)
    }

    fn req() -> RzmqSocket {
        open(SocketType::Req)
    }

    fn rep() -> RzmqSocket {
        open(SocketType::Rep)
    }
}
