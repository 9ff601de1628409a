//! [`AnySocket`]: a socket whose type the command line has named.

use ferromq::{
    Closed, DealerSocket, Endpoint, Message, Monitor, PairSocket, Proxy, PubSocket, PullSocket,
    PushSocket, Receive as _, RepSocket, ReqSocket, RouterSocket, SocketOptions, SocketStats,
    SocketType, SubSocket, Transmit as _, XPubSocket, XSubSocket,
};

use crate::args::Ends;
use crate::failure::{Failure, complain};

/// One of the socket types.
#[derive(Clone)]
pub(crate) enum AnySocket {
    Req(ReqSocket),
    Rep(RepSocket),
    Router(RouterSocket),
    Dealer(DealerSocket),
    Pub(PubSocket),
    Sub(SubSocket),
    XPub(XPubSocket),
    XSub(XSubSocket),
    Push(PushSocket),
    Pull(PullSocket),
    Pair(PairSocket),
}

/// The same call on the socket within, whatever its type.
macro_rules! with {
    ($any:expr, $socket:ident => $call:expr) => {
        match $any {
            AnySocket::Req($socket) => $call,
            AnySocket::Rep($socket) => $call,
            AnySocket::Router($socket) => $call,
            AnySocket::Dealer($socket) => $call,
            AnySocket::Pub($socket) => $call,
            AnySocket::Sub($socket) => $call,
            AnySocket::XPub($socket) => $call,
            AnySocket::XSub($socket) => $call,
            AnySocket::Push($socket) => $call,
            AnySocket::Pull($socket) => $call,
            AnySocket::Pair($socket) => $call,
        }
    };
}

/// A call that only those who send have; `otherwise` for the rest.
macro_rules! with_sender {
    ($any:expr, $socket:ident => $call:expr, $otherwise:expr) => {
        match $any {
            AnySocket::Sub(_) | AnySocket::Pull(_) => $otherwise,
            AnySocket::Req($socket) => $call,
            AnySocket::Rep($socket) => $call,
            AnySocket::Router($socket) => $call,
            AnySocket::Dealer($socket) => $call,
            AnySocket::Pub($socket) => $call,
            AnySocket::XPub($socket) => $call,
            AnySocket::XSub($socket) => $call,
            AnySocket::Push($socket) => $call,
            AnySocket::Pair($socket) => $call,
        }
    };
}

/// A call that only those who receive have; `otherwise` for the rest.
macro_rules! with_receiver {
    ($any:expr, $socket:ident => $call:expr, $otherwise:expr) => {
        match $any {
            AnySocket::Pub(_) | AnySocket::Push(_) => $otherwise,
            AnySocket::Req($socket) => $call,
            AnySocket::Rep($socket) => $call,
            AnySocket::Router($socket) => $call,
            AnySocket::Dealer($socket) => $call,
            AnySocket::Sub($socket) => $call,
            AnySocket::XPub($socket) => $call,
            AnySocket::XSub($socket) => $call,
            AnySocket::Pull($socket) => $call,
            AnySocket::Pair($socket) => $call,
        }
    };
}

impl AnySocket {
    pub(crate) fn new(socket_type: SocketType, options: SocketOptions) -> Result<Self, Failure> {
        Ok(match socket_type {
            SocketType::Req => Self::Req(ReqSocket::with_options(options)),
            SocketType::Rep => Self::Rep(RepSocket::with_options(options)),
            SocketType::Router => Self::Router(RouterSocket::with_options(options)),
            SocketType::Dealer => Self::Dealer(DealerSocket::with_options(options)),
            SocketType::Pub => Self::Pub(PubSocket::with_options(options)),
            SocketType::Sub => Self::Sub(SubSocket::with_options(options)),
            SocketType::XPub => Self::XPub(XPubSocket::with_options(options)),
            SocketType::XSub => Self::XSub(XSubSocket::with_options(options)),
            SocketType::Push => Self::Push(PushSocket::with_options(options)),
            SocketType::Pull => Self::Pull(PullSocket::with_options(options)),
            SocketType::Pair => Self::Pair(PairSocket::with_options(options)),
            other => return Err(Failure::said(format!("there is no {other} here"))),
        })
    }

    /// Binds and connects all endpoints, and says which ones the system chose.
    pub(crate) async fn open(&self, ends: &Ends) -> Result<(), Failure> {
        self.open_as("", ends).await
    }

    /// The same, for one of several sockets, which goes by a name.
    pub(crate) async fn open_as(&self, name: &str, ends: &Ends) -> Result<(), Failure> {
        for endpoint in &ends.bind {
            let bound = self.bind(endpoint).await?;
            if bound != *endpoint {
                complain(&format!("{name}listening on {bound}"));
            }
        }
        for endpoint in &ends.connect {
            with!(self, socket => socket.connect(endpoint))?;
        }
        Ok(())
    }

    /// Listens, and says where.
    pub(crate) async fn bind(&self, endpoint: &Endpoint) -> Result<Endpoint, Failure> {
        Ok(with!(self, socket => socket.bind(endpoint).await)?)
    }

    /// Subscribes SUB and XSUB; without any prefix, to everything.
    pub(crate) fn subscribe(&self, prefixes: &[String]) -> Result<(), Failure> {
        let everything = [String::new()];
        let prefixes = if prefixes.is_empty() { &everything } else { prefixes };
        for prefix in prefixes {
            match self {
                Self::Sub(socket) => socket.subscribe(prefix)?,
                Self::XSub(socket) => socket.subscribe(prefix)?,
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) async fn send(&self, message: Message) -> Result<(), Failure> {
        with_sender!(self, socket => Ok(socket.send_raw(message).await?), Err(self.cannot("send")))
    }

    pub(crate) async fn recv(&self) -> Result<Message, Failure> {
        with_receiver!(self, socket => Ok(socket.recv_raw().await?), Err(self.cannot("receive")))
    }

    /// A message, if there is one.
    pub(crate) fn try_recv(&self) -> Option<Message> {
        with_receiver!(self, socket => socket.try_recv_raw().ok(), None)
    }

    pub(crate) async fn wait_for_peers(&self, count: usize) -> Result<(), Failure> {
        Ok(with!(self, socket => socket.wait_for_peers(count).await)?)
    }

    /// Waits for those who want a topic; for others than publishers, not at all.
    pub(crate) async fn wait_for_subscribers(
        &self,
        topic: &[u8],
        count: usize,
    ) -> Result<(), Failure> {
        match self {
            Self::Pub(socket) => socket.wait_for_subscribers(topic, count).await?,
            Self::XPub(socket) => socket.wait_for_subscribers(topic, count).await?,
            _ => {}
        }
        Ok(())
    }

    pub(crate) async fn close(&self) -> Closed {
        with!(self, socket => socket.close().await)
    }

    pub(crate) fn monitor(&self) -> Monitor {
        with!(self, socket => socket.monitor())
    }

    pub(crate) fn stats(&self) -> SocketStats {
        with!(self, socket => socket.stats())
    }

    /// What forwards between this socket and another one.
    pub(crate) fn proxy(&self, backend: &Self) -> Proxy {
        with!(self, front => with!(backend, back => Proxy::new(front, back)))
    }

    /// Has a proxy copy to this socket.
    pub(crate) fn capture(&self, proxy: Proxy) -> Result<Proxy, Failure> {
        Ok(with_sender!(self, socket => proxy.capture(socket), return Err(self.cannot("send"))))
    }

    fn cannot(&self, what: &str) -> Failure {
        Failure::said(format!("a {} cannot {what}", with!(self, socket => socket.socket_type())))
    }
}
