//! The public sockets: one type per ZeroMQ socket type, each with just the
//! calls that make sense for it.
//!
//! All are thin handles on one [`Core`], which joins a pattern with its peers.
//! What several types share is written once, in [`methods`].

use std::sync::Arc;

mod attendant;
mod core;
mod deserted;
mod endpoints;
mod methods;
mod pubsub;
mod pushpull;
mod receipts;
mod receiving;
mod reqrep;
mod sending;
mod waiters;
mod zap;

pub(crate) use self::core::Core;
pub use endpoints::Closed;
pub use pubsub::{PubSocket, SubSocket, XPubSocket, XSubSocket};
pub use pushpull::{PairSocket, PullSocket, PushSocket};
pub use reqrep::{DealerSocket, RepSocket, ReqSocket, RouterSocket};

/// Closes a socket when its last handle is dropped.
#[derive(Clone)]
struct Handle(Arc<Owner>);

struct Owner(Arc<Core>);

impl Handle {
    fn new(core: Arc<Core>) -> Self {
        Self(Arc::new(Owner(core)))
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
        // Listeners stop as they are dropped; everything else lingers.
        drop(self.0.begin_close());
    }
}
