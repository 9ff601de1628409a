//! The socket types, as the soak sees them: all alike.

use ferromq::{
    Context, DealerSocket, DropCause, Endpoint, Error, Message, Monitor, PairSocket, PubSocket,
    PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, SocketOptions, SubSocket,
    XPubSocket, XSubSocket,
};

pub(crate) type Done<T> = Result<T, Error>;

pub(crate) trait Socket: Clone + Send + Sync + 'static {
    fn make(context: &Context, options: SocketOptions) -> Self;
    fn bind(&self, at: &Endpoint) -> impl Future<Output = Done<Endpoint>> + Send;
    fn unbind(&self, at: &Endpoint) -> impl Future<Output = Done<()>> + Send;
    fn connect(&self, at: &Endpoint) -> Done<()>;
    fn monitor(&self) -> Monitor;
    /// Says how many messages were given up.
    fn close(&self) -> impl Future<Output = u64> + Send;
    fn dropped(&self, cause: DropCause) -> u64;
}

pub(crate) trait Sends: Socket {
    fn send(&self, message: Message) -> impl Future<Output = Done<()>> + Send;
}

pub(crate) trait Receives: Socket {
    fn recv(&self) -> impl Future<Output = Done<Message>> + Send;
}

macro_rules! sockets {
    ($($name:ident $(subscribes $all:literal)? $(sends $send:ident)? $(receives $recv:ident)?;)*) => {$(
        impl Socket for $name {
            fn make(context: &Context, options: SocketOptions) -> Self {
                let socket = $name::new_in(context, options);
                $(socket.subscribe($all).unwrap();)?
                socket
            }

            async fn bind(&self, at: &Endpoint) -> Done<Endpoint> {
                Ok($name::bind(self, at).await?)
            }

            async fn unbind(&self, at: &Endpoint) -> Done<()> {
                Ok($name::unbind(self, at).await?)
            }

            fn connect(&self, at: &Endpoint) -> Done<()> {
                Ok($name::connect(self, at)?)
            }

            fn monitor(&self) -> Monitor {
                $name::monitor(self)
            }

            async fn close(&self) -> u64 {
                $name::close(self).await.undelivered
            }

            fn dropped(&self, cause: DropCause) -> u64 {
                $name::dropped(self, cause)
            }
        }

        $(impl Sends for $name {
            async fn send(&self, message: Message) -> Done<()> {
                Ok($name::$send(self, message).await?)
            }
        })?

        $(impl Receives for $name {
            async fn recv(&self) -> Done<Message> {
                Ok($name::$recv(self).await?)
            }
        })?
    )*};
}

sockets! {
    ReqSocket sends send receives recv;
    RepSocket sends send receives recv;
    DealerSocket sends send receives recv;
    RouterSocket sends send_raw receives recv_raw;
    PubSocket sends send;
    SubSocket subscribes "" receives recv;
    XPubSocket sends send receives recv;
    XSubSocket subscribes "" receives recv;
    PushSocket sends send;
    PullSocket receives recv;
    PairSocket sends send receives recv;
}
