//! libzmq through the crate `zmq`, which builds its own copy of it. Calls
//! block the thread; libzmq's I/O thread does the rest.

use bytes::Bytes;
use zmq::{Context, Message, SocketType};

use super::{Peer, Receives, Sends, Socket};

pub struct Libzmq;

pub struct ZmqSocket {
    socket: zmq::Socket,
    message: Message,
}

pub fn version() -> String {
    let (major, minor, patch) = zmq::version();
    format!("{major}.{minor}.{patch}")
}

fn open(socket_type: SocketType) -> ZmqSocket {
    let socket = Context::new().socket(socket_type).expect("socket");
    ZmqSocket { socket, message: Message::new() }
}

impl Socket for ZmqSocket {
    async fn bind(&mut self) -> String {
        self.socket.bind("tcp://127.0.0.1:*").expect("bind");
        let endpoint = self.socket.get_last_endpoint().expect("endpoint");
        endpoint.expect("an endpoint is UTF-8")
    }

    async fn connect(&mut self, endpoint: &str) {
        self.socket.connect(endpoint).expect("connect");
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

impl Peer for Libzmq {
    type Push = ZmqSocket;
    type Pull = ZmqSocket;
    type Pub = ZmqSocket;
    type Sub = ZmqSocket;
    type Req = ZmqSocket;
    type Rep = ZmqSocket;

    fn push() -> ZmqSocket {
        open(SocketType::PUSH)
    }

    fn pull() -> ZmqSocket {
        open(SocketType::PULL)
    }

    fn publisher() -> ZmqSocket {
        open(SocketType::PUB)
    }

    fn sub() -> ZmqSocket {
        let sub = open(SocketType::SUB);
        sub.socket.set_subscribe(b"").expect("subscribe");
        sub
    }

    fn req() -> ZmqSocket {
        open(SocketType::REQ)
    }

    fn rep() -> ZmqSocket {
        open(SocketType::REP)
    }
}
