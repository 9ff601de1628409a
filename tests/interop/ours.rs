//! [`Ours`]: a ferromq socket whose type is a value, for tables of types.

use ferromq::{
    Closed, DealerSocket, Endpoint, Message, Monitor, PairSocket, PubSocket, PullSocket,
    PushSocket, RepSocket, ReqSocket, RouterSocket, SocketOptions, SocketType, SubSocket,
    XPubSocket, XSubSocket,
};

macro_rules! ours {
    ($($kind:ident($socket:ident)),+) => {
        pub(crate) enum Ours {
            $($kind($socket)),+
        }

        impl Ours {
            pub(crate) fn new(kind: SocketType, options: SocketOptions) -> Self {
                match kind {
                    $(SocketType::$kind => Self::$kind($socket::with_options(options)),)+
                    other => panic!("no test for {other}"),
                }
            }

            pub(crate) async fn bind(&self, endpoint: &str) -> Endpoint {
                let bound = match self { $(Self::$kind(socket) => socket.bind(endpoint).await),+ };
                bound.unwrap_or_else(|error| panic!("{error}"))
            }

            pub(crate) fn connect(&self, endpoint: &str) {
                let connected = match self { $(Self::$kind(socket) => socket.connect(endpoint)),+ };
                connected.unwrap_or_else(|error| panic!("{error}"));
            }

            pub(crate) async fn close(&self) -> Closed {
                match self { $(Self::$kind(socket) => socket.close().await),+ }
            }

            pub(crate) fn monitor(&self) -> Monitor {
                match self { $(Self::$kind(socket) => socket.monitor()),+ }
            }
        }
    };
}

ours!(
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
    Pair(PairSocket)
);

impl Ours {
    /// Sends; a ROUTER takes the first frame for the routing id.
    pub(crate) async fn send(&self, message: Message) {
        let sent = match self {
            Self::Req(socket) => socket.send(message).await,
            Self::Rep(socket) => socket.send(message).await,
            Self::Router(socket) => socket.send_raw(message).await,
            Self::Dealer(socket) => socket.send(message).await,
            Self::Pub(socket) => socket.send(message).await,
            Self::XPub(socket) => socket.send(message).await,
            Self::XSub(socket) => socket.send(message).await,
            Self::Push(socket) => socket.send(message).await,
            Self::Pair(socket) => socket.send(message).await,
            Self::Sub(_) | Self::Pull(_) => panic!("this socket does not send"),
        };
        sent.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Receives; from a ROUTER with the routing id as the first frame.
    pub(crate) async fn recv(&self) -> Message {
        let received = match self {
            Self::Req(socket) => socket.recv().await,
            Self::Rep(socket) => socket.recv().await,
            Self::Router(socket) => socket.recv_raw().await,
            Self::Dealer(socket) => socket.recv().await,
            Self::Sub(socket) => socket.recv().await,
            Self::XPub(socket) => socket.recv().await,
            Self::XSub(socket) => socket.recv().await,
            Self::Pull(socket) => socket.recv().await,
            Self::Pair(socket) => socket.recv().await,
            Self::Pub(_) | Self::Push(_) => panic!("this socket does not receive"),
        };
        received.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Subscribes a SUB or XSUB to everything; others are left alone.
    pub(crate) fn subscribe_to_all(&self) {
        match self {
            Self::Sub(socket) => socket.subscribe("").expect("subscribe"),
            Self::XSub(socket) => socket.subscribe("").expect("subscribe"),
            _ => {}
        }
    }
}
