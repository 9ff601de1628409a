//! omq-tokio, its driver on the caller's runtime.

use bytes::Bytes;
use omq_tokio::{Message, Options, SocketType};

use super::{Peer, Receives, Sends, Socket};

pub struct Omq;

pub struct OmqSocket {
    socket: omq_tokio::Socket,
    subscribes: bool,
}

fn open(socket_type: SocketType) -> OmqSocket {
    let socket = omq_tokio::Socket::new(socket_type, Options::default());
    OmqSocket { socket, subscribes: socket_type == SocketType::Sub }
}

impl OmqSocket {
    async fn subscribe(&self) {
        if self.subscribes {
            self.socket.subscribe("").await.expect("subscribe");
        }
    }
}

impl Socket for OmqSocket {
    async fn bind(&mut self) -> String {
        self.subscribe().await;
        self.socket.bind("tcp://127.0.0.1:0").await.expect("bind").to_string()
    }

    async fn connect(&mut self, endpoint: &str) {
        self.subscribe().await;
        self.socket.connect(endpoint).await.expect("connect");
    }
}

impl Sends for OmqSocket {
    async fn send(&mut self, body: &Bytes) {
        self.socket.send(Message::single(body.clone())).await.expect("send");
    }
}

impl Receives for OmqSocket {
    async fn recv(&mut self) -> usize {
        self.socket.recv().await.expect("recv").byte_len()
    }
}

impl Peer for Omq {
    type Push = OmqSocket;
    type Pull = OmqSocket;
    type Pub = OmqSocket;
    type Sub = OmqSocket;
    type Req = OmqSocket;
    type Rep = OmqSocket;

    fn push() -> OmqSocket {
        open(SocketType::Push)
    }

    fn pull() -> OmqSocket {
        open(SocketType::Pull)
    }

    fn publisher() -> OmqSocket {
        open(SocketType::Pub)
    }

    fn sub() -> OmqSocket {
        open(SocketType::Sub)
    }

    fn req() -> OmqSocket {
        open(SocketType::Req)
    }

    fn rep() -> OmqSocket {
        open(SocketType::Rep)
    }
}
