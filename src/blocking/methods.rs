//! The calls that several blocking sockets share.

/// What every socket has.
macro_rules! common_methods {
    ($name:ident) => {
        impl $name {
            /// A socket with the default options, in the context of blocking sockets.
            pub fn new() -> Self {
                Self::with_options(SocketOptions::new())
            }

            /// A socket with these options, in the context of blocking sockets.
            pub fn with_options(options: SocketOptions) -> Self {
                Self::new_in(context(), options)
            }

            /// A socket with these options, in a context of its own choice, which has to
            /// have [threads](Context::with_threads).
            pub fn new_in(context: &Context, options: SocketOptions) -> Self {
                Self(Arc::new(Flushed(socket::$name::new_in(context, options))))
            }

            /// The socket itself, for what is not here.
            pub fn as_async(&self) -> &socket::$name {
                &self.0.0
            }

            /// Listens on an endpoint and returns it resolved (`zmq_bind`).
            ///
            /// # Errors
            #[doc = concat!("As [`bind`](socket::", stringify!($name), "::bind).")]
            pub fn bind(&self, endpoint: impl IntoEndpoint) -> Result<Endpoint, BindError> {
                wait_for(self.0.0.bind(endpoint))
            }

            /// Connects to an endpoint in the background and keeps it connected
            /// (`zmq_connect`).
            ///
            /// # Errors
            #[doc = concat!("As [`connect`](socket::", stringify!($name), "::connect).")]
            pub fn connect(&self, endpoint: impl IntoEndpoint) -> Result<(), ConnectError> {
                self.0.0.connect(endpoint)
            }

            /// Stops listening on an endpoint (`zmq_unbind`).
            ///
            /// # Errors
            /// When the socket has not bound it.
            pub fn unbind(&self, endpoint: impl IntoEndpoint) -> Result<(), ReleaseError> {
                wait_for(self.0.0.unbind(endpoint))
            }

            /// Disconnects an endpoint (`zmq_disconnect`).
            ///
            /// # Errors
            /// When the socket has not connected it.
            pub fn disconnect(&self, endpoint: impl IntoEndpoint) -> Result<(), ReleaseError> {
                self.0.0.disconnect(endpoint)
            }

            /// Closes the socket, for all its clones, and waits until what it had accepted
            /// is handed to the system or given up, as the option
            /// [`linger`](SocketOptions::linger) says. Says how many messages were given up
            /// (`zmq_close`).
            pub fn close(&self) -> Closed {
                wait_for(self.0.0.close())
            }

            /// What happens to this socket's connections from now on
            /// (`zmq_socket_monitor`).
            pub fn monitor(&self) -> Monitor {
                self.0.0.monitor()
            }

            /// How many messages this socket has lost for a cause, so far.
            pub fn dropped(&self, cause: DropCause) -> u64 {
                self.0.0.dropped(cause)
            }

            /// The type of this socket (`ZMQ_TYPE`).
            pub fn socket_type(&self) -> SocketType {
                self.0.0.socket_type()
            }
        }

        impl Flush for socket::$name {
            fn flush(&self) {
                wait(self.close(), Some(PATIENCE));
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.0.fmt(f)
            }
        }
    };
}

/// `send`, `send_timeout` and `try_send`.
macro_rules! send_methods {
    ($name:ident) => {
        impl $name {
            /// Sends a message. While nobody can take it, this waits or drops it, as the
            /// pattern says (`zmq_msg_send`).
            ///
            /// # Errors
            #[doc = concat!("As [`send`](socket::", stringify!($name), "::send): the message is given back.")]
            pub fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
                wait_for(self.0.0.send(message))
            }

            /// The same, waiting for so long at most (`ZMQ_SNDTIMEO`).
            ///
            /// # Errors
            /// As [`send`](Self::send), and when nobody could take it in that time
            /// ([`SendError::is_would_block`]): then it was not sent.
            pub fn send_timeout(
                &self,
                message: impl Into<Message>,
                limit: Duration,
            ) -> Result<(), SendError> {
                // A send that is dropped drops its message, which the caller gets back.
                let message = message.into();
                match wait(self.0.0.send(message.clone()), Some(limit)) {
                    Some(sent) => sent,
                    None => self.0.0.try_send(message),
                }
            }

            /// Sends a message if somebody can take it now (`ZMQ_DONTWAIT`).
            ///
            /// # Errors
            /// Gives the message back, also when `send` would have to wait
            /// ([`SendError::is_would_block`]).
            pub fn try_send(&self, message: impl Into<Message>) -> Result<(), SendError> {
                self.0.0.try_send(message)
            }
        }
    };
}

/// `recv`, `recv_timeout`, `try_recv` and `recv_with_peer`.
macro_rules! recv_methods {
    ($name:ident) => {
        impl $name {
            /// Receives a message, waiting until there is one (`zmq_msg_recv`).
            ///
            /// # Errors
            #[doc = concat!("As [`recv`](socket::", stringify!($name), "::recv).")]
            pub fn recv(&self) -> Result<Message, RecvError> {
                wait_for(self.0.0.recv())
            }

            /// The same, waiting for so long at most (`ZMQ_RCVTIMEO`).
            ///
            /// # Errors
            /// As [`recv`](Self::recv), and when nothing came in that time
            /// ([`RecvError::is_would_block`]).
            pub fn recv_timeout(&self, limit: Duration) -> Result<Message, RecvError> {
                wait(self.0.0.recv(), Some(limit)).unwrap_or(Err(RecvError::WouldBlock))
            }

            /// Receives a message if there is one (`ZMQ_DONTWAIT`).
            ///
            /// # Errors
            /// Also when there is none for now ([`RecvError::is_would_block`]).
            pub fn try_recv(&self) -> Result<Message, RecvError> {
                self.0.0.try_recv()
            }

            /// Receives a message, and with it what is known of its sender
            /// (`zmq_msg_gets`).
            ///
            /// # Errors
            /// As [`recv`](Self::recv).
            pub fn recv_with_peer(&self) -> Result<(Message, Arc<PeerInfo>), RecvError> {
                wait_for(self.0.0.recv_with_peer())
            }
        }
    };
}

/// `subscribe` and `unsubscribe`.
macro_rules! subscribe_methods {
    ($name:ident) => {
        impl $name {
            #[doc = concat!("As [`subscribe`](socket::", stringify!($name), "::subscribe).")]
            ///
            /// # Errors
            /// As there.
            pub fn subscribe(&self, prefix: impl AsRef<[u8]>) -> Result<(), SubscribeError> {
                self.0.0.subscribe(prefix)
            }

            #[doc = concat!("As [`unsubscribe`](socket::", stringify!($name), "::unsubscribe).")]
            ///
            /// # Errors
            /// As there.
            pub fn unsubscribe(&self, prefix: impl AsRef<[u8]>) -> Result<(), SubscribeError> {
                self.0.0.unsubscribe(prefix)
            }
        }
    };
}

pub(super) use {common_methods, recv_methods, send_methods, subscribe_methods};
