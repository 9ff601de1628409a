//! ferromq itself.

use bytes::Bytes;
use ferromq::{PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket};

use super::{Peer, Receives, Sends, Socket};

pub struct Ferromq;

pub fn version() -> &'static str {
    "of this tree"
}

macro_rules! sockets {
    ($($socket:ident: $($role:ident)+;)+) => {$(
        impl Socket for $socket {
            async fn bind(&mut self) -> String {
                $socket::bind(self, "tcp://127.0.0.1:0").await.expect("bind").to_string()
            }

            async fn connect(&mut self, endpoint: &str) {
                $socket::connect(self, endpoint).expect("connect");
            }
        }
        $(sockets!(@$role $socket);)+
    )+};
    (@Sends $socket:ident) => {
        impl Sends for $socket {
            async fn send(&mut self, body: &Bytes) {
                $socket::send(self, body.clone()).await.expect("send");
            }
        }
    };
    (@Receives $socket:ident) => {
        impl Receives for $socket {
            async fn recv(&mut self) -> usize {
                $socket::recv(self).await.expect("recv").size()
            }
        }
    };
}

sockets! {
    PushSocket: Sends;
    PullSocket: Receives;
    PubSocket: Sends;
    SubSocket: Receives;
    ReqSocket: Sends Receives;
    RepSocket: Sends Receives;
}

impl Peer for Ferromq {
    type Push = PushSocket;
    type Pull = PullSocket;
    type Pub = PubSocket;
    type Sub = SubSocket;
    type Req = ReqSocket;
    type Rep = RepSocket;

    fn push() -> PushSocket {
        PushSocket::new()
    }

    fn pull() -> PullSocket {
        PullSocket::new()
    }

    fn publisher() -> PubSocket {
        PubSocket::new()
    }

    fn sub() -> SubSocket {
        let sub = SubSocket::new();
        sub.subscribe("").expect("subscribe");
        sub
    }

    fn req() -> ReqSocket {
        ReqSocket::new()
    }

    fn rep() -> RepSocket {
        RepSocket::new()
    }
}
