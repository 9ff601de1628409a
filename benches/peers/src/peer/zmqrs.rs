//! zmq.rs, the crate `zeromq`, as it is: it has no calls for batches, and its
//! queues of 100,000 messages cannot be changed. Its `connect` waits for the
//! handshake. PUB never waits, it drops, so its task gives way to the one
//! that writes.

use bytes::Bytes;
use zeromq::{SocketRecv, SocketSend, ZmqError, ZmqMessage};

use super::{Echoes, Missing, Peer, Receives, Sends, Socket};
use crate::cell::{Cell, Pattern, Transport};
use crate::setup::Setup;

/// PUB gives way once in so many messages.
const STRIDE: u32 = 64;

/// There is neither PAIR nor inproc.
pub fn can(cell: Cell) -> bool {
    cell.pattern != Pattern::Pair && cell.transport != Transport::Inproc
}

pub struct ZmqRs;

async fn attach<S: zeromq::Socket>(setup: &Setup) -> S {
    let mut socket = S::new();
    match setup.binds() {
        Some(endpoint) => {
            let bound = socket.bind(endpoint).await.expect("bind").to_string();
            setup.bound(bound);
        }
        None => socket.connect(&setup.endpoint().await).await.expect("connect"),
    }
    socket
}

macro_rules! sockets {
    ($($socket:ident: $($ability:ident)*;)+) => {$(
        impl Socket for zeromq::$socket {
            async fn open(setup: &Setup) -> Self {
                attach(setup).await
            }
        }
        $(sockets!(@$ability $socket);)*
    )+};
    (@Sends $socket:ident) => {
        impl Sends for zeromq::$socket {
            async fn send(&mut self, body: &Bytes) {
                SocketSend::send(self, ZmqMessage::from(body.clone())).await.expect("send");
            }
        }
    };
    (@Receives $socket:ident) => {
        impl Receives for zeromq::$socket {
            async fn recv(&mut self) -> usize {
                size(&SocketRecv::recv(self).await.expect("recv"))
            }
        }
    };
}

sockets! {
    PushSocket: ;
    PullSocket: Receives;
    ReqSocket: Sends Receives;
    RepSocket: Sends Receives;
    DealerSocket: Sends Receives;
    RouterSocket: ;
}

impl Sends for zeromq::PushSocket {
    async fn send(&mut self, body: &Bytes) {
        loop {
            match SocketSend::send(self, ZmqMessage::from(body.clone())).await {
                // Nobody has connected yet.
                Err(ZmqError::ReturnToSender { .. }) => tokio::task::yield_now().await,
                sent => return sent.expect("send"),
            }
        }
    }
}

/// Of the last frame.
fn size(message: &ZmqMessage) -> usize {
    message.iter().last().map_or(0, Bytes::len)
}

pub struct Pub {
    socket: zeromq::PubSocket,
    sent: u32,
}

impl Socket for Pub {
    async fn open(setup: &Setup) -> Self {
        Self { socket: attach(setup).await, sent: 0 }
    }
}

impl Sends for Pub {
    async fn send(&mut self, body: &Bytes) {
        self.socket.send(ZmqMessage::from(body.clone())).await.expect("send");
        self.sent += 1;
        if self.sent == STRIDE {
            self.sent = 0;
            tokio::task::yield_now().await;
        }
    }
}

pub struct Sub(zeromq::SubSocket);

impl Socket for Sub {
    async fn open(setup: &Setup) -> Self {
        let mut socket: zeromq::SubSocket = attach(setup).await;
        socket.subscribe(&setup.topic()).await.expect("subscribe");
        Self(socket)
    }
}

impl Receives for Sub {
    async fn recv(&mut self) -> usize {
        size(&self.0.recv().await.expect("recv"))
    }
}

impl Echoes for zeromq::RouterSocket {
    async fn echo(&mut self) -> usize {
        let message = self.recv().await.expect("recv");
        let size = size(&message);
        self.send(message).await.expect("send");
        size
    }
}

impl Peer for ZmqRs {
    type Push = zeromq::PushSocket;
    type Pull = zeromq::PullSocket;
    type Pub = Pub;
    type Sub = Sub;
    type Req = zeromq::ReqSocket;
    type Rep = zeromq::RepSocket;
    type Dealer = zeromq::DealerSocket;
    type Router = zeromq::RouterSocket;
    type Pair = Missing;
}
