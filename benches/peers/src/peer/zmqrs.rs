//! zmq.rs, the crate `zeromq`. Its `connect` waits for the handshake.

use bytes::Bytes;
use zeromq::{SocketRecv, SocketSend, ZmqMessage};

use super::{Peer, Receives, Sends, Socket};

pub struct ZmqRs;

macro_rules! sockets {
    ($($socket:ident: $($role:ident)*;)+) => {$(
        impl Socket for zeromq::$socket {
            async fn bind(&mut self) -> String {
                let bound = zeromq::Socket::bind(self, "tcp://127.0.0.1:0").await;
                bound.expect("bind").to_string()
            }

            async fn connect(&mut self, endpoint: &str) {
                zeromq::Socket::connect(self, endpoint).await.expect("connect");
            }
        }
        $(sockets!(@$role $socket);)*
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
                let message = SocketRecv::recv(self).await.expect("recv");
                message.iter().map(|frame| frame.len()).sum()
            }
        }
    };
}

sockets! {
    PushSocket: Sends;
    PullSocket: Receives;
    PubSocket: Sends;
    ReqSocket: Sends Receives;
    RepSocket: Sends Receives;
}

/// Subscribes once it is bound, since that is an asynchronous call.
pub struct Sub(zeromq::SubSocket);

impl Socket for Sub {
    async fn bind(&mut self) -> String {
        let bound = zeromq::Socket::bind(&mut self.0, "tcp://127.0.0.1:0").await;
        self.0.subscribe("").await.expect("subscribe");
        bound.expect("bind").to_string()
    }

    async fn connect(&mut self, endpoint: &str) {
        zeromq::Socket::connect(&mut self.0, endpoint).await.expect("connect");
        self.0.subscribe("").await.expect("subscribe");
    }
}

impl Receives for Sub {
    async fn recv(&mut self) -> usize {
        let message = SocketRecv::recv(&mut self.0).await.expect("recv");
        message.iter().map(|frame| frame.len()).sum()
    }
}

impl Peer for ZmqRs {
    type Push = zeromq::PushSocket;
    type Pull = zeromq::PullSocket;
    type Pub = zeromq::PubSocket;
    type Sub = Sub;
    type Req = zeromq::ReqSocket;
    type Rep = zeromq::RepSocket;

    fn push() -> Self::Push {
        zeromq::Socket::new()
    }

    fn pull() -> Self::Pull {
        zeromq::Socket::new()
    }

    fn publisher() -> Self::Pub {
        zeromq::Socket::new()
    }

    fn sub() -> Sub {
        Sub(zeromq::Socket::new())
    }

    fn req() -> Self::Req {
        zeromq::Socket::new()
    }

    fn rep() -> Self::Rep {
        zeromq::Socket::new()
    }
}
