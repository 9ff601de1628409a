//! ferromq itself, with its default options. Only PUB has another one: with
//! `xpub_nodrop` it waits for a subscriber that is full.

use bytes::Bytes;
use ferromq::{
    DealerSocket, Monitor, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, RoutingId, SocketOptions, SubSocket,
};

use super::{Echoes, Peer, Receives, Sends, Socket};
#[cfg(feature = "curve")]
use crate::cell::Side;
#[cfg(feature = "curve")]
use crate::keys::{Keys, Pair};
use crate::setup::Setup;

pub struct Ferromq;

/// What all types of socket have.
pub trait Attach {
    fn bind(&self, endpoint: &str) -> impl Future<Output = String> + Send;
    fn connect(&self, endpoint: &str);
    fn monitor(&self) -> Monitor;
}

#[cfg(feature = "curve")]
fn options(setup: &Setup) -> SocketOptions {
    use ferromq::{CurveKeypair, Policy};

    let Some(Keys { server, client }) = &setup.keys else { return SocketOptions::new() };
    let pair = |pair: &Pair| {
        CurveKeypair::from_secret(pair.secret.parse().expect("a secret key was generated"))
    };
    match setup.side {
        Side::One => SocketOptions::new().curve_server(pair(server), Policy::allow_any()),
        Side::Many => {
            let server = server.public.parse().expect("a key was generated");
            SocketOptions::new().curve_client(pair(client), server)
        }
    }
}

#[cfg(not(feature = "curve"))]
fn options(_: &Setup) -> SocketOptions {
    SocketOptions::new()
}

async fn attach<S: Attach>(socket: S, setup: &Setup) -> S {
    match setup.binds() {
        Some(endpoint) => setup.bound(socket.bind(endpoint).await),
        None => socket.connect(&setup.endpoint().await),
    }
    socket
}

macro_rules! attach {
    ($($socket:ident),+) => {$(
        impl Attach for $socket {
            async fn bind(&self, endpoint: &str) -> String {
                $socket::bind(self, endpoint).await.expect("bind").to_string()
            }

            fn connect(&self, endpoint: &str) {
                $socket::connect(self, endpoint).expect("connect");
            }

            fn monitor(&self) -> Monitor {
                $socket::monitor(self)
            }
        }
    )+};
}

macro_rules! open {
    ($($socket:ident),+) => {$(
        impl Socket for $socket {
            async fn open(setup: &Setup) -> Self {
                attach($socket::with_options(options(setup)), setup).await
            }
        }
    )+};
}

macro_rules! sends {
    ($($socket:ident),+) => {$(
        impl Sends for $socket {
            async fn send(&mut self, body: &Bytes) {
                $socket::send(self, body.clone()).await.expect("send");
            }
        }
    )+};
}

macro_rules! receives {
    ($($socket:ident),+) => {$(
        impl Receives for $socket {
            async fn recv(&mut self) -> usize {
                $socket::recv(self).await.expect("recv").size()
            }
        }
    )+};
}

attach!(PushSocket, PullSocket, PubSocket, SubSocket, ReqSocket, RepSocket);
attach!(DealerSocket, RouterSocket, PairSocket);
open!(PushSocket, PullSocket, ReqSocket, RepSocket, DealerSocket, RouterSocket, PairSocket);
sends!(PushSocket, PubSocket, ReqSocket, RepSocket, DealerSocket, PairSocket);
receives!(PullSocket, SubSocket, ReqSocket, RepSocket, DealerSocket, PairSocket);

impl Socket for PubSocket {
    async fn open(setup: &Setup) -> Self {
        attach(PubSocket::with_options(options(setup).xpub_nodrop(true)), setup).await
    }
}

impl Socket for SubSocket {
    async fn open(setup: &Setup) -> Self {
        let sub = SubSocket::with_options(options(setup));
        sub.subscribe(setup.topic()).expect("subscribe");
        attach(sub, setup).await
    }
}

impl Echoes for RouterSocket {
    async fn echo(&mut self) -> usize {
        let (id, message) = self.recv().await.expect("recv");
        let size = message.size();
        self.send_to(&id, message).await.expect("send");
        size
    }
}

impl Peer for Ferromq {
    type Push = PushSocket;
    type Pull = PullSocket;
    type Pub = PubSocket;
    type Sub = SubSocket;
    type Req = ReqSocket;
    type Rep = RepSocket;
    type Dealer = DealerSocket;
    type Router = RouterSocket;
    type Pair = PairSocket;
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

    pub async fn send(&mut self, body: &Bytes) {
        self.router.send_to(&self.ids[self.next], body.clone()).await.expect("send");
        self.next = (self.next + 1) % self.ids.len();
    }
}

impl Attach for RouterTo {
    async fn bind(&self, endpoint: &str) -> String {
        Attach::bind(&self.router, endpoint).await
    }

    fn connect(&self, endpoint: &str) {
        Attach::connect(&self.router, endpoint);
    }

    fn monitor(&self) -> Monitor {
        self.router.monitor()
    }
}
