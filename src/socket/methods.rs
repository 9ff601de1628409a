//! The calls that several socket types share, written once.
//!
//! Macros and not a trait, so that users import nothing and each type's page
//! shows exactly what it can do.

/// What every socket has: making, binding, connecting, closing.
macro_rules! common_methods {
    ($name:ident, $kind:ident) => {
        impl $name {
            /// A socket with the default options, in the default context.
            pub fn new() -> Self {
                Self::with_options(SocketOptions::new())
            }

            /// A socket with these options, in the default context.
            pub fn with_options(options: SocketOptions) -> Self {
                Self::new_in(Context::global(), options)
            }

            /// A socket with these options, in a context of its own choice:
            /// only sockets of one context meet over `inproc://`.
            pub fn new_in(context: &Context, options: SocketOptions) -> Self {
                Self(Handle::new(SocketType::$kind, options, context))
            }

            /// Listens on an endpoint and returns it resolved: for port 0 or
            /// `*` with the real port, for `ipc://*` with the real path. A
            /// socket may bind and connect any number of endpoints, in any
            /// order (`zmq_bind`).
            ///
            /// On a `current_thread` runtime nobody is accepted while a task
            /// computes: [Tasks that compute](crate#tasks-that-compute).
            ///
            /// # Errors
            /// When the endpoint is no endpoint or not one to bind, is in use,
            /// the system does not allow it, the socket is closed, or there is
            /// no tokio runtime; when the socket's options contradict each
            /// other or cannot be sent ([`OptionError`](crate::OptionError));
            /// when this build or platform has no such transport.
            ///
            /// For tcp and ipc also when the runtime lacks a driver: one that
            /// is built by hand needs `enable_all`. Tokio tells that by a
            /// panic, which this call turns into the error; the panic hook
            /// still prints it, and a program whose panics abort ends there.
            ///
            /// # Cancel safety
            /// Dropping the future binds nothing.
            #[doc(alias = "zmq_bind")]
            pub async fn bind(&self, endpoint: impl IntoEndpoint) -> Result<Endpoint, BindError> {
                self.0.bind(endpoint.into_endpoint()).await
            }

            /// Connects to an endpoint in the background and keeps it
            /// connected: returns at once, whether or not anybody is there yet.
            /// What is sent meanwhile waits, unless the option
            /// [`immediate`](SocketOptions::immediate) is set (`zmq_connect`).
            ///
            /// A peer that turns this socket away, be it a ROUTER that knows
            /// another of its routing id or a PAIR that has its peer, is
            /// dialled once a second until it takes it in; one that does not
            /// fit (another socket type, another mechanism) more and more
            /// slowly, up to once a minute. What is sent meanwhile waits.
            ///
            /// On a `current_thread` runtime it does not begin before the task
            /// awaits something:
            /// [Tasks that compute](crate#tasks-that-compute).
            ///
            /// REQ, DEALER, PUB and SUB ignore an endpoint that they are
            /// connecting to already; for the others each call makes a
            /// connection more.
            ///
            /// The work is done by tasks of the runtime in which this is
            /// called. A `current_thread` runtime lets them run only when the
            /// program awaits: one that computes, or polls with `try_recv`,
            /// and does not await hears and sends nothing, not even
            /// heartbeats. `multi_thread` has other workers for that.
            ///
            /// # Errors
            /// When the endpoint is no endpoint or not one to connect to, the
            /// socket is closed, or there is no tokio runtime; when the socket's
            /// options contradict each other or cannot be sent
            /// ([`OptionError`](crate::OptionError)); when this build or
            /// platform has no such transport; when it is a PAIR and has its
            /// peer; and over inproc when the socket that has bound the name
            /// does not fit or turns this one away. A peer that
            /// cannot be reached is no error; [`monitor`](Self::monitor) tells.
            ///
            /// For tcp and ipc also when the runtime lacks a driver: one that
            /// is built by hand needs `enable_all`. Tokio tells that by a
            /// panic, which this call turns into the error; the panic hook
            /// still prints it, and a program whose panics abort ends there.
            #[doc(alias = "zmq_connect")]
            pub fn connect(&self, endpoint: impl IntoEndpoint) -> Result<(), ConnectError> {
                self.0.connect(endpoint.into_endpoint())
            }

            /// Stops listening on an endpoint, as [`bind`](Self::bind) returned
            /// it or as it was given, and ends the connections that came of it:
            /// what was accepted for them goes out under linger, what they sent
            /// and nobody has received is discarded. The address is free when
            /// this returns, as it is when the last handle of a socket has been
            /// dropped (`zmq_unbind`).
            ///
            /// # Errors
            /// When the socket has not bound it. A port or a path that `bind`
            /// chose (`:0`, `:*`, `ipc://*`) goes by what `bind` returned only:
            /// each bind of it is another one.
            ///
            /// # Cancel safety
            /// Once polled, the endpoint is released even if the future is
            /// dropped.
            #[doc(alias = "zmq_unbind")]
            pub async fn unbind(&self, endpoint: impl IntoEndpoint) -> Result<(), ReleaseError> {
                self.0.unbind(endpoint.into_endpoint()).await
            }

            /// Disconnects an endpoint, as it was given to
            /// [`connect`](Self::connect): what was accepted for it goes out in
            /// the background under linger, what it sent and nobody has received
            /// is discarded (`zmq_disconnect`).
            ///
            /// # Errors
            /// When the socket has not connected it.
            #[doc(alias = "zmq_disconnect")]
            pub fn disconnect(&self, endpoint: impl IntoEndpoint) -> Result<(), ReleaseError> {
                self.0.disconnect(endpoint.into_endpoint())
            }

            /// Closes the socket, for all its clones, and waits until what it
            /// had accepted is handed to the system or given up, as the option
            /// [`linger`](SocketOptions::linger) says. Says how many messages
            /// were given up (`zmq_close`).
            ///
            /// # Cancel safety
            /// Once polled, the socket is closed; dropping the future leaves
            /// the rest to the background.
            #[doc(alias = "zmq_close")]
            pub async fn close(&self) -> Closed {
                self.0.close().await
            }

            /// The same with another linger than its options say: a duration, zero not to
            /// wait at all, or [`Linger::Forever`].
            ///
            /// ```
            /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
            /// use std::time::Duration;
            #[doc = concat!("use ferromq::", stringify!($name), ";")]
            ///
            #[doc = concat!("let socket = ", stringify!($name), "::new();")]
            /// let closed = socket.close_with(Duration::from_secs(1)).await;
            /// assert_eq!(closed.undelivered, 0);
            /// # });
            /// ```
            ///
            /// # Cancel safety
            /// As [`close`](Self::close).
            pub async fn close_with(&self, linger: impl Into<Linger>) -> Closed {
                self.0.close_with(linger.into()).await
            }

            /// The options it was made with.
            pub fn options(&self) -> &SocketOptions {
                self.0.options()
            }

            /// What it is bound and connected to, in that order of time; as
            /// [`unbind`](Self::unbind) and [`disconnect`](Self::disconnect) take them
            /// (`ZMQ_LAST_ENDPOINT`).
            #[doc(alias = "ZMQ_LAST_ENDPOINT")]
            pub fn endpoints(&self) -> Vec<Endpoint> {
                self.0.endpoints()
            }

            /// A stream of what happens to this socket's connections from now
            /// on (`zmq_socket_monitor`).
            #[doc(alias = "zmq_socket_monitor")]
            pub fn monitor(&self) -> Monitor {
                self.0.monitor()
            }

            /// The peers that are connected now, in the order in which they came.
            ///
            /// ```
            /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
            #[doc = concat!("use ferromq::", stringify!($name), ";")]
            ///
            #[doc = concat!("let socket = ", stringify!($name), "::new();")]
            /// for peer in socket.peers() {
            ///     println!("{:?} at {}", peer.socket_type, peer.address);
            /// }
            /// # });
            /// ```
            pub fn peers(&self) -> Vec<Arc<PeerInfo>> {
                self.0.connected_peers()
            }

            /// Waits until so many peers are connected. Those who send before their peers
            /// are there need not sleep: with this nobody is a slow joiner, and the first
            /// of several workers does not get all the work.
            ///
            /// ```
            /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
            /// use ferromq::{PullSocket, PushSocket};
            ///
            /// let push = PushSocket::new();
            /// let endpoint = push.bind("tcp://127.0.0.1:*").await?;
            /// let workers = [PullSocket::new(), PullSocket::new()];
            /// for worker in &workers {
            ///     worker.connect(&endpoint)?;
            /// }
            /// push.wait_for_peers(2).await?;
            /// push.send("one for the first").await?;
            /// push.send("one for the second").await?;
            /// for worker in &workers {
            ///     worker.recv().await?;
            /// }
            /// # Ok::<_, ferromq::Error>(()) }).unwrap();
            /// ```
            ///
            /// # Errors
            /// When the socket is closed, or every runtime in which it was bound or
            /// connected has ended.
            ///
            /// # Cancel safety
            /// Dropping the future changes nothing.
            pub async fn wait_for_peers(&self, count: usize) -> Result<(), WaitError> {
                self.0.wait_for_peers(count).await
            }

            /// What this socket has done, and does at the moment, in numbers: messages and
            /// bytes of each peer, what waits, what was lost and why.
            ///
            /// ```
            /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
            #[doc = concat!("use ferromq::", stringify!($name), ";")]
            ///
            #[doc = concat!("let socket = ", stringify!($name), "::new();")]
            /// let stats = socket.stats();
            /// assert_eq!(stats.lost.total(), 0);
            /// println!("{stats}");
            /// # });
            /// ```
            pub fn stats(&self) -> SocketStats {
                self.0.stats()
            }

            /// How many messages this socket has lost for a cause, so far. To
            /// watch for losses of any kind, sum over [`DropCause::ALL`].
            pub fn dropped(&self, cause: DropCause) -> u64 {
                self.0.dropped(cause)
            }

            /// The type of this socket (`ZMQ_TYPE`).
            #[doc(alias = "ZMQ_TYPE")]
            pub fn socket_type(&self) -> SocketType {
                self.0.socket_type()
            }
        }

        impl HasCore for $name {
            fn core(&self) -> CoreRef<'_> {
                CoreRef(&self.0)
            }
        }

        impl Socket for $name {}

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("endpoints", &self.0.endpoints())
                    .field("peers", &self.0.connected_peers().len())
                    .finish_non_exhaustive()
            }
        }
    };
}

/// `send` and `try_send`.
macro_rules! send_methods {
    ($name:ident) => {
        impl Transmit for $name {}

        impl $name {
            /// Sends a message. While nobody can take it, `send` waits or drops
            /// it, as the pattern says. `Ok` means that the socket has accepted
            /// it (`zmq_msg_send`).
            ///
            /// On a `current_thread` runtime it may not go out before the task
            /// awaits something:
            /// [Tasks that compute](crate#tasks-that-compute).
            ///
            /// # Errors
            /// Gives the message back when the socket is closed, when the message
            /// has more than 1,000,000 frames (with those that REQ and REP put in
            /// front) or, for REQ and REP, when it is not this socket's turn to
            /// send. Also where it would wait for ever, since every runtime in
            /// which the socket was bound or connected has ended
            /// ([`SendErrorKind::RuntimeEnded`](crate::SendErrorKind::RuntimeEnded)).
            ///
            /// # Cancel safety
            /// The message is accepted in the very poll that returns `Ok`:
            /// dropping the future before means that it was not sent and will
            /// not be. A retry after a timeout never doubles it.
            #[doc(alias = "zmq_msg_send")]
            pub fn send(
                &self,
                message: impl Into<Message>,
            ) -> impl Future<Output = Result<(), SendError>> + Send + '_ {
                self.0.send(None, message.into())
            }

            /// Sends a message if somebody can take it now (`ZMQ_DONTWAIT`).
            ///
            /// # Errors
            /// Gives the message back, also when `send` would have to wait
            /// ([`SendError::is_would_block`]).
            #[doc(alias = "ZMQ_DONTWAIT")]
            pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SendError> {
                self.0.try_send(None, message.into())
            }
        }
    };
}

/// `recv` and `try_recv`.
macro_rules! recv_methods {
    ($name:ident) => {
        impl Receive for $name {}

        impl $name {
            /// Receives a message, waiting until there is one (`zmq_msg_recv`).
            ///
            /// It shares a buffer of up to 64 KiB with others. To keep a small one for
            /// long, [`Message::compact`] it.
            ///
            /// # Errors
            /// When the socket is closed or, for REQ and REP, when it is not
            /// this socket's turn to receive; for REQ also when the peer that
            /// was asked has left. Once all that came was received, also when
            /// every runtime in which the socket was bound or connected has ended
            /// ([`RecvError::RuntimeEnded`]). What peers do wrong is never an error
            /// here.
            ///
            /// # Cancel safety
            /// Dropping the future loses nothing: a message is taken in the
            /// very poll that returns it. Poll a future that has begun to wait, or
            /// drop it: if it is merely kept, a message that it was woken for reaches
            /// other receivers some milliseconds later. (Over inproc, for REQ and REP or
            /// behind sixteen such futures, only when something else happens; so it is
            /// with the error that the peer which was asked has left.)
            #[doc(alias = "zmq_msg_recv")]
            pub fn recv(&self) -> impl Future<Output = Result<Message, RecvError>> + Send + '_ {
                self.0.recv_message()
            }

            /// Receives a message if there is one (`ZMQ_DONTWAIT`). It reads from
            /// connections that are up, but on a `current_thread` runtime none
            /// comes up, and nothing new is heard of, unless the program awaits
            /// from time to time.
            ///
            /// # Errors
            /// Also when there is none for now ([`RecvError::is_would_block`]).
            #[doc(alias = "ZMQ_DONTWAIT")]
            pub fn try_recv(&self) -> Result<Message, RecvError> {
                self.0.try_recv().map(|delivery| delivery.message)
            }

            /// Receives up to `limit` messages at the end of `messages`, waiting until there
            /// is one; says how many. Those that are there at once come together.
            ///
            /// A loop of `try_recv` until there is nothing reads on as long as peers send,
            /// which may be for ever; this ends.
            ///
            /// ```
            /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
            #[doc = concat!("use ferromq::{Error, ", stringify!($name), "};")]
            ///
            #[doc = concat!("async fn batch(socket: &", stringify!($name), ") -> Result<(), Error> {")]
            ///     let mut messages = Vec::new();
            ///     socket.recv_many(&mut messages, 100).await?;
            ///     println!("{} at once", messages.len());
            ///     Ok(())
            /// }
            /// # });
            /// ```
            ///
            /// # Errors
            /// As [`recv`](Self::recv), if there is no message before it.
            ///
            /// # Cancel safety
            /// Dropping the future loses nothing: messages are taken in the very poll that
            /// returns.
            pub async fn recv_many(
                &self,
                messages: &mut Vec<Message>,
                limit: usize,
            ) -> Result<usize, RecvError> {
                let before = messages.len();
                if limit > 0 {
                    messages.push(self.recv().await?);
                }
                while messages.len() - before < limit {
                    match self.try_recv() {
                        Ok(message) => messages.push(message),
                        Err(_) => break,
                    }
                }
                Ok(messages.len() - before)
            }

            /// Receives a message, and with it what is known of its sender: what it said
            /// of itself in the handshake, where it is, and what a
            /// [`Policy`](crate::Policy) had to say of it, such as its user id
            /// (`zmq_msg_gets`). It is the handshake of the connection that the message
            /// came on, also if the peer has left or come back as another since. (With
            /// what comes of nobody that is known, a cancellation that stands for several
            /// who left, an XPUB gives an empty `PeerInfo`.)
            ///
            /// ```
            /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
            #[doc = concat!("use ferromq::{Error, ", stringify!($name), "};")]
            ///
            #[doc = concat!("async fn log(socket: &", stringify!($name), ") -> Result<(), Error> {")]
            ///     let (message, peer) = socket.recv_with_peer().await?;
            ///     let user = peer.user_id.as_deref().unwrap_or("somebody");
            ///     println!("{user} at {}: {message:?}", peer.address);
            ///     Ok(())
            /// }
            /// # });
            /// ```
            ///
            /// # Errors
            /// As [`recv`](Self::recv).
            ///
            /// # Cancel safety
            /// As [`recv`](Self::recv): dropping the future loses nothing.
            #[doc(alias = "zmq_msg_gets")]
            pub async fn recv_with_peer(&self) -> Result<(Message, Arc<PeerInfo>), RecvError> {
                let delivery = self.0.recv_with_peer().await?;
                Ok((delivery.message, delivery.info.unwrap_or_default()))
            }

            /// The same if there is a message (`ZMQ_DONTWAIT`).
            ///
            /// # Errors
            /// As [`try_recv`](Self::try_recv).
            #[doc(alias = "ZMQ_DONTWAIT")]
            pub fn try_recv_with_peer(&self) -> Result<(Message, Arc<PeerInfo>), RecvError> {
                let delivery = self.0.try_recv_with_peer()?;
                Ok((delivery.message, delivery.info.unwrap_or_default()))
            }
        }
    };
}

pub(super) use {common_methods, recv_methods, send_methods};
