//! [`Socket`], [`Receive`] and [`Transmit`]: sockets of any type, for code that does not
//! care which.

use super::Closed;
use super::core::Core;
use super::streams::{Incoming, Outgoing};
use crate::endpoint::{Endpoint, IntoEndpoint};
use crate::error::{BindError, ConnectError, RecvError, SendError};
use crate::message::Message;
use crate::monitor::Monitor;
use crate::pattern::Delivery;
use crate::socket_type::SocketType;
use crate::stats::SocketStats;

pub(crate) mod sealed {
    use super::Core;

    /// What makes the traits those of our sockets only.
    pub trait HasCore: Send + Sync {
        fn core(&self) -> CoreRef<'_>;
    }

    /// What is behind a socket; for this crate alone.
    pub struct CoreRef<'a>(pub(crate) &'a Core);
}

/// A socket of any type.
///
/// Its calls are those of the types themselves, which need no trait; this one is for code
/// that is generic. It is implemented for the sockets of this crate only.
///
/// ```
/// use ferromq::{ConnectError, Socket};
///
/// fn connect_all(socket: &impl Socket, endpoints: &[&str]) -> Result<(), ConnectError> {
///     endpoints.iter().try_for_each(|endpoint| socket.connect(*endpoint))
/// }
/// ```
pub trait Socket: sealed::HasCore {
    /// The type of this socket.
    fn socket_type(&self) -> SocketType {
        self.core().0.socket_type()
    }

    /// Listens on an endpoint and returns it resolved.
    ///
    /// # Errors
    /// As [`bind`](crate::PushSocket::bind).
    fn bind(
        &self,
        endpoint: impl IntoEndpoint,
    ) -> impl Future<Output = Result<Endpoint, BindError>> + Send {
        self.core().0.bind(endpoint.into_endpoint())
    }

    /// Connects to an endpoint in the background and keeps it connected.
    ///
    /// # Errors
    /// As [`connect`](crate::PushSocket::connect).
    fn connect(&self, endpoint: impl IntoEndpoint) -> Result<(), ConnectError> {
        self.core().0.connect(endpoint.into_endpoint())
    }

    /// Closes the socket and waits until what it had accepted is delivered or given up.
    fn close(&self) -> impl Future<Output = Closed> + Send {
        self.core().0.close()
    }

    /// What happens to its connections from now on.
    fn monitor(&self) -> Monitor {
        self.core().0.monitor()
    }

    /// What it has done.
    fn stats(&self) -> SocketStats {
        self.core().0.stats()
    }
}

/// A socket that receives: all but PUB and PUSH.
///
/// ```
/// use ferromq::{Receive, RecvError};
///
/// async fn print(socket: &impl Receive) -> Result<(), RecvError> {
///     loop {
///         println!("{:?}", socket.recv_raw().await?);
///     }
/// }
/// ```
pub trait Receive: Socket {
    /// Receives a message, waiting until there is one. That of a ROUTER begins with the id
    /// of its sender, as libzmq has it.
    ///
    /// # Errors
    /// As [`recv`](crate::PullSocket::recv).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    fn recv_raw(&self) -> impl Future<Output = Result<Message, RecvError>> + Send {
        async { self.core().0.recv().await.map(raw) }
    }

    /// Its messages as a stream, until it is closed. The stream keeps the socket open: give
    /// it a clone to go on with, for streams beside each other share the messages.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use ferromq::{PullSocket, PushSocket, Receive};
    /// use futures_util::StreamExt;
    ///
    /// let (push, pull) = (PushSocket::new(), PullSocket::new());
    /// push.connect(pull.bind("tcp://127.0.0.1:*").await?)?;
    /// for number in 1..=3 {
    ///     push.send(number.to_string()).await?;
    /// }
    /// let first: Vec<_> = pull.into_stream().take(3).collect().await;
    /// assert_eq!(first, ["1", "2", "3"].map(|text| Ok(text.into())));
    /// # Ok::<_, ferromq::Error>(()) }).unwrap();
    /// ```
    fn into_stream(self) -> Incoming
    where
        Self: Sized + 'static,
    {
        Incoming::new(self)
    }

    /// The same if there is a message.
    ///
    /// # Errors
    /// Also when there is none for now ([`RecvError::is_would_block`]).
    fn try_recv_raw(&self) -> Result<Message, RecvError> {
        self.core().0.try_recv().map(raw)
    }
}

/// A socket that sends: all but PULL and SUB.
///
/// ```
/// use ferromq::{SendError, Transmit};
///
/// async fn count(socket: &impl Transmit) -> Result<(), SendError> {
///     for number in 1..=10 {
///         socket.send_raw(number.to_string()).await?;
///     }
///     Ok(())
/// }
/// ```
pub trait Transmit: Socket {
    /// Sends a message. That for a ROUTER begins with the id of the peer that it is for.
    ///
    /// # Errors
    /// As [`send`](crate::PushSocket::send).
    ///
    /// # Cancel safety
    /// Dropping the future means that the message was not sent.
    fn send_raw(
        &self,
        message: impl Into<Message>,
    ) -> impl Future<Output = Result<(), SendError>> + Send {
        self.core().0.send(None, message.into())
    }

    /// The socket as a sink of messages.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use ferromq::{PullSocket, PushSocket, Transmit};
    /// use futures_util::{SinkExt, stream};
    ///
    /// let (push, pull) = (PushSocket::new(), PullSocket::new());
    /// push.connect(pull.bind("tcp://127.0.0.1:*").await?)?;
    /// let mut sink = push.into_sink();
    /// sink.send_all(&mut stream::iter(["1", "2", "3"].map(Ok))).await?;
    /// for number in ["1", "2", "3"] {
    ///     assert_eq!(pull.recv().await?, number.into());
    /// }
    /// # Ok::<_, ferromq::Error>(()) }).unwrap();
    /// ```
    fn into_sink(self) -> Outgoing
    where
        Self: Sized + 'static,
    {
        Outgoing::new(self)
    }

    /// The same if somebody can take it now.
    ///
    /// # Errors
    /// Gives the message back, also when `send_raw` would have to wait.
    fn try_send_raw(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.core().0.try_send(None, message.into())
    }
}

/// What a receiver gets in libzmq's form.
pub(crate) fn raw(delivery: Delivery) -> Message {
    let Delivery { mut message, from, .. } = delivery;
    if let Some(id) = from {
        message.push_front(id);
    }
    message
}
