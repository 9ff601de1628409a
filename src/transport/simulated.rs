//! A network that exists in a test only, in place of the system's.

use std::cell::RefCell;
use std::fmt::Debug;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Stream;
use crate::endpoint::Endpoint;

/// A connection that is being made.
pub(crate) type Connecting = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

/// What the system is to others: it connects whom it likes.
pub(crate) trait Network: Debug + Send + Sync {
    fn connect(&self, endpoint: &Endpoint) -> Connecting;
    fn listen(&self, endpoint: &Endpoint);
    fn poll_accept(&self, endpoint: &Endpoint, cx: &mut Context<'_>) -> Poll<io::Result<Stream>>;
    fn stop_listening(&self, endpoint: &Endpoint);
}

thread_local! {
    static NETWORK: RefCell<Option<Arc<dyn Network>>> = const { RefCell::new(None) };
}

/// From now on this thread binds and connects there, or in the system again.
pub(crate) fn set(network: Option<Arc<dyn Network>>) {
    NETWORK.set(network);
}

pub(super) fn network() -> Option<Arc<dyn Network>> {
    NETWORK.with_borrow(Clone::clone)
}

/// What listens in a simulated network.
#[derive(Debug)]
pub(crate) struct Listener {
    network: Arc<dyn Network>,
    endpoint: Endpoint,
}

impl Listener {
    pub(super) fn bind(network: Arc<dyn Network>, endpoint: &Endpoint) -> Self {
        network.listen(endpoint);
        Self { network, endpoint: endpoint.clone() }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        self.network.poll_accept(&self.endpoint, cx)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.network.stop_listening(&self.endpoint);
    }
}
