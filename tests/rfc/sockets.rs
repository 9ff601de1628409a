//! What socket types have in common, so that one check serves them all.

use ferromq::{
    Context, DealerSocket, DropCause, Endpoint, Message, Monitor, PairSocket, PubSocket,
    PullSocket, PushSocket, RecvError, RepSocket, ReqSocket, RouterSocket, SendError,
    SocketOptions, SubSocket, XPubSocket, XSubSocket,
};

use crate::support::soon;

/// What all sockets can do.
pub(crate) trait Socket: Sized {
    /// Its Socket-Type.
    const TYPE: &'static str;
    fn make(context: &Context, options: SocketOptions) -> Self;
    async fn listen(&self, endpoint: &str) -> Endpoint;
    fn join(&self, endpoint: &Endpoint);
    fn watch(&self) -> Monitor;
    fn lost(&self, cause: DropCause) -> u64;
    async fn end(&self);
}

/// A socket that sends to whomever its pattern chooses.
pub(crate) trait Sends: Socket {
    async fn put(&self, message: Message) -> Result<(), SendError>;
    fn try_put(&self, message: Message) -> Result<(), SendError>;
}

/// A socket that receives.
pub(crate) trait Receives: Socket {
    async fn get(&self) -> Message;
    fn try_get(&self) -> Result<Message, RecvError>;
}

macro_rules! sockets {
    ($($socket:ident = $name:literal),* $(,)?) => {$(
        impl Socket for $socket {
            const TYPE: &'static str = $name;
            fn make(context: &Context, options: SocketOptions) -> Self {
                Self::new_in(context, options)
            }
            async fn listen(&self, endpoint: &str) -> Endpoint {
                soon(self.bind(endpoint)).await.unwrap()
            }
            fn join(&self, endpoint: &Endpoint) {
                self.connect(endpoint).unwrap();
            }
            fn watch(&self) -> Monitor {
                self.monitor()
            }
            fn lost(&self, cause: DropCause) -> u64 {
                self.dropped(cause)
            }
            async fn end(&self) {
                let _ = soon(self.close()).await;
            }
        }
    )*};
}

macro_rules! senders {
    ($($socket:ident),*) => {$(
        impl Sends for $socket {
            async fn put(&self, message: Message) -> Result<(), SendError> {
                self.send(message).await
            }
            fn try_put(&self, message: Message) -> Result<(), SendError> {
                self.try_send(message)
            }
        }
    )*};
}

macro_rules! receivers {
    ($($socket:ident),*) => {$(
        impl Receives for $socket {
            async fn get(&self) -> Message {
                soon(self.recv()).await.unwrap()
            }
            fn try_get(&self) -> Result<Message, RecvError> {
                self.try_recv()
            }
        }
    )*};
}

sockets! {
    ReqSocket = "REQ", RepSocket = "REP", DealerSocket = "DEALER", RouterSocket = "ROUTER",
    PubSocket = "PUB", SubSocket = "SUB", XPubSocket = "XPUB", XSubSocket = "XSUB",
    PushSocket = "PUSH", PullSocket = "PULL", PairSocket = "PAIR",
}
senders!(ReqSocket, RepSocket, DealerSocket, PubSocket, XPubSocket, XSubSocket);
senders!(PushSocket, PairSocket);
receivers!(ReqSocket, RepSocket, DealerSocket, SubSocket, XPubSocket, XSubSocket);
receivers!(PullSocket, PairSocket);

/// ROUTER, for those who do not ask from whom.
impl Receives for RouterSocket {
    async fn get(&self) -> Message {
        soon(self.recv()).await.unwrap().1
    }
    fn try_get(&self) -> Result<Message, RecvError> {
        self.try_recv().map(|(_, message)| message)
    }
}
