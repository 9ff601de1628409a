//! The public sockets: one type per ZeroMQ socket type, each with just the
//! calls that make sense for it.
//!
//! All are thin handles on one [`Core`], which joins a pattern with its peers.
//! What several types share is written once, in [`methods`].

use std::sync::Arc;

use crate::context::{Context, Shut};
use crate::options::SocketOptions;
use crate::socket_type::SocketType;

mod attendant;
mod core;
mod deserted;
mod endpoints;
mod generic;
mod methods;
mod presence;
mod pubsub;
mod pushpull;
mod receipts;
mod receiving;
mod reqrep;
mod sending;
mod streams;
mod waiters;
mod zap;

pub(crate) use self::core::Core;
pub(crate) use self::generic::raw;
use self::generic::sealed::{CoreRef, HasCore};
pub use endpoints::Closed;
pub use generic::{Receive, Socket, Transmit};
pub use pubsub::{PubSocket, SubSocket, Upstream, XPubSocket, XSubSocket};
pub use pushpull::{PairSocket, PullSocket, PushSocket};
pub use reqrep::{DealerSocket, RepSocket, ReqSocket, RouterSocket};
pub use streams::{Incoming, Outgoing};

/// Closes a socket when its last handle is dropped.
#[derive(Clone)]
struct Handle(Arc<Owner>);

/// The context goes after the socket: it may be the last that waits for what that has
/// accepted.
struct Owner(Arc<Core>, #[allow(dead_code)] Context);

impl Handle {
    fn new(socket_type: SocketType, options: SocketOptions, context: &Context) -> Self {
        let core = Core::new(socket_type, options, context);
        Self(Arc::new(Owner(core, context.clone())))
    }
}

impl std::ops::Deref for Handle {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.0.0
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.shut();
    }
}
