//! The same sockets for programs without async: each call blocks its thread.
//!
//! ```
//! use ferromq::blocking::{RepSocket, ReqSocket};
//!
//! fn main() -> Result<(), ferromq::Error> {
//!     let rep = RepSocket::new();
//!     let req = ReqSocket::new();
//!     req.connect(rep.bind("tcp://127.0.0.1:*")?)?;
//!     req.send("Hello")?;
//!     assert_eq!(rep.recv()?, "Hello".into());
//!     rep.send("World")?;
//!     assert_eq!(req.recv()?, "World".into());
//!     Ok(())
//! }
//! ```
//!
//! What is said at the types of the same name holds here, too; `send` and `recv` of
//! several threads on one socket as well, since they take `&self`. What differs:
//!
//! - **Their I/O is done by threads of their context**: one thread for all that are not
//!   given a [`Context`], or those of the context
//!   [with threads](Context::with_threads) that they are made in. They need no
//!   runtime, and may be used in one, in `spawn_blocking` say.
//! - **Dropping the last handle waits** until what the socket has accepted has gone out, for
//!   as long as its [`linger`](crate::SocketOptions::linger) says, but 5 s at most. So a
//!   program that connects, sends and returns from `main` loses nothing.
//! - **Timeouts are arguments**: `send_timeout`, `recv_timeout`. One that ran out is the
//!   error of a call that does not wait ([`RecvError::is_would_block`],
//!   [`SendError::is_would_block`]), and changes nothing.
//!
//! There is always a way to the other half: [`PushSocket::as_async`] and the like.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::context::Context;
use crate::endpoint::{Endpoint, IntoEndpoint};
use crate::error::{BindError, ConnectError, RecvError, ReleaseError, SendError, SubscribeError};
use crate::message::Message;
use crate::monitor::{Monitor, MonitorEvent};
use crate::options::SocketOptions;
use crate::peer::{DropCause, PeerInfo};
use crate::routing_id::RoutingId;
use crate::socket::{self, Closed};
use crate::socket_type::SocketType;

mod methods;
mod wait;

use methods::{common_methods, recv_methods, send_methods, subscribe_methods};
use wait::wait;

/// How long the end of a program may be held up by what has not gone out.
const PATIENCE: Duration = Duration::from_secs(5);

/// The context of blocking sockets that were not given one.
fn context() -> &'static Context {
    static CONTEXT: OnceLock<Option<Context>> = OnceLock::new();
    let own = CONTEXT.get_or_init(|| Context::with_threads(1).ok());
    // Without a thread `bind` and `connect` will say that there is no runtime.
    own.as_ref().unwrap_or_else(|| Context::global())
}

/// A socket that is flushed when its last handle goes.
struct Flushed<S: Flush>(S);

trait Flush {
    /// Closes the socket and waits a while.
    fn flush(&self);
}

impl<S: Flush> Drop for Flushed<S> {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Waits without a limit.
fn wait_for<F: Future>(future: F) -> F::Output {
    wait(future, None).expect("without a limit it ends with the future")
}

macro_rules! sockets {
    ($($(#[$doc:meta])* $name:ident: $($methods:ident)*;)*) => {$(
        $(#[$doc])*
        #[doc = concat!("[`", stringify!($name), "`](socket::", stringify!($name), ") for programs without async.")]
        #[derive(Clone)]
        pub struct $name(Arc<Flushed<socket::$name>>);

        common_methods!($name);
        $($methods!($name);)*
    )*};
}

sockets! {
    ReqSocket: send_methods recv_methods;
    RepSocket: send_methods recv_methods;
    DealerSocket: send_methods recv_methods;
    RouterSocket: ;
    PubSocket: send_methods;
    SubSocket: recv_methods subscribe_methods;
    XPubSocket: send_methods recv_methods subscribe_methods;
    XSubSocket: send_methods recv_methods subscribe_methods;
    PushSocket: send_methods;
    PullSocket: recv_methods;
    PairSocket: send_methods recv_methods;
}

impl RouterSocket {
    /// Receives a message and the id of the peer that sent it, waiting until there is one.
    ///
    /// # Errors
    /// When the socket is closed.
    pub fn recv(&self) -> Result<(RoutingId, Message), RecvError> {
        wait_for(self.0.0.recv())
    }

    /// The same, waiting for so long at most (`ZMQ_RCVTIMEO`).
    ///
    /// # Errors
    /// As [`recv`](Self::recv), and when nothing came in that time
    /// ([`RecvError::is_would_block`]).
    pub fn recv_timeout(&self, limit: Duration) -> Result<(RoutingId, Message), RecvError> {
        wait(self.0.0.recv(), Some(limit)).unwrap_or(Err(RecvError::WouldBlock))
    }

    /// Receives a message and the id of its sender if there is one (`ZMQ_DONTWAIT`).
    ///
    /// # Errors
    /// Also when there is none for now ([`RecvError::is_would_block`]).
    pub fn try_recv(&self) -> Result<(RoutingId, Message), RecvError> {
        self.0.0.try_recv()
    }

    /// Receives a message, the id of its sender, and what is known of that
    /// (`zmq_msg_gets`).
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_with_peer(&self) -> Result<(RoutingId, Message, Arc<PeerInfo>), RecvError> {
        wait_for(self.0.0.recv_with_peer())
    }

    /// Receives in libzmq's form, for proxies: the id is the first frame.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_raw(&self) -> Result<Message, RecvError> {
        wait_for(self.0.0.recv_raw())
    }

    /// Sends in libzmq's form, for proxies: the first frame is the id.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to), and when there is no frame after the id.
    pub fn send_raw(&self, message: impl Into<Message>) -> Result<(), SendError> {
        wait_for(self.0.0.send_raw(message))
    }

    /// Sends a message to the peer with this id, if that needs no waiting
    /// (`ZMQ_DONTWAIT`).
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to), and when it would have to wait.
    pub fn try_send_to(
        &self,
        id: &RoutingId,
        message: impl Into<Message>,
    ) -> Result<(), SendError> {
        self.0.0.try_send_to(id, message)
    }

    /// Sends a message to the peer with this id.
    ///
    /// # Errors
    /// As [`send_to`](crate::RouterSocket::send_to): the message is given back.
    pub fn send_to(
        &self,
        id: &(impl AsRef<[u8]> + ?Sized),
        message: impl Into<Message>,
    ) -> Result<(), SendError> {
        wait_for(self.0.0.send_to(id, message))
    }
}

impl Monitor {
    /// Waits for the next event, blocking the thread; `None` once the socket is gone, or
    /// when nothing has happened for so long.
    pub fn recv_timeout(&mut self, limit: Duration) -> Option<MonitorEvent> {
        wait(self.recv(), Some(limit)).flatten()
    }
}
