//! ferromq itself.

use bytes::Bytes;
use ferromq::{
    DealerSocket, Monitor, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket,
    RoutingId, SocketOptions, SubSocket,
};

use super::{Peer, Receives, Sends, Socket};

pub struct Ferromq;

pub fn version() -> &'static str {
    "of this tree"
}

/// A socket that tells when its peers are there.
pub trait Watched: Socket {
    fn monitor(&self) -> Monitor;
}

macro_rules! sockets {
    ($($socket:ident: $($role:ident)*;)+) => {$(
        impl Socket for $socket {
            async fn bind(&mut self) -> String {
                $socket::bind(self, "tcp://127.0.0.1:0").await.expect("bind").to_string()
            }

            async fn connect(&mut self, endpoint: &str) {
                $socket::connect(self, endpoint).expect("connect");
            }
        }

        impl Watched for $socket {
            fn monitor(&self) -> Monitor {
                $socket::monitor(self)
            }
        }
        $(sockets!(@$role $socket);)*
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
    DealerSocket: Sends Receives;
    RouterSocket:;
}

impl Receives for RouterSocket {
    async fn recv(&mut self) -> usize {
        RouterSocket::recv(self).await.expect("recv").1.size()
    }
}

/// A ROUTER that sends to each of its peers in turn and waits for the full ones.
pub struct RouterTo {
    router: RouterSocket,
    ids: Vec<RoutingId>,
    next: usize,
}

impl RouterTo {
    pub fn new(ids: Vec<RoutingId>) -> Self {
        let options = SocketOptions::new().router_mandatory(true);
        Self { router: RouterSocket::with_options(options), ids, next: 0 }
    }
}

impl Socket for RouterTo {
    async fn bind(&mut self) -> String {
        Socket::bind(&mut self.router).await
    }

    async fn connect(&mut self, endpoint: &str) {
        Socket::connect(&mut self.router, endpoint).await;
    }
}

impl Watched for RouterTo {
    fn monitor(&self) -> Monitor {
        self.router.monitor()
    }
}

impl Sends for RouterTo {
    async fn send(&mut self, body: &Bytes) {
        self.router.send_to(&self.ids[self.next], body.clone()).await.expect("send");
        self.next = (self.next + 1) % self.ids.len();
    }
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
