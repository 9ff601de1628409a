//! [`Presence`]: which peers are connected, and those who wait for some.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use super::core::Core;
use super::waiters::Waiters;
use crate::error::WaitError;
use crate::peer::PeerInfo;
use crate::pipe::{Peer, PeerKey};
use crate::sync::{Lock, Rank};

/// The peers of a socket that are up.
pub(super) struct Presence {
    peers: Lock<BTreeMap<PeerKey, Arc<PeerInfo>>>,
    /// Woken when that changes, or what a peer subscribes to.
    pub(super) watchers: Waiters,
}

impl Default for Presence {
    fn default() -> Self {
        let peers = Lock::new(Rank::Leaf, BTreeMap::new());
        Self { peers, watchers: Waiters::default() }
    }
}

impl Presence {
    /// Says whether it was there before, on another connection.
    pub(super) fn up(&self, peer: &Peer) -> bool {
        let info = peer.info();
        self.peers.lock().insert(peer.key, info);
        self.watchers.wake_all();
        peer.was_up.swap(true, Ordering::Relaxed)
    }

    pub(super) fn has(&self, peer: &Peer) -> bool {
        self.peers.lock().contains_key(&peer.key)
    }

    pub(super) fn down(&self, peer: &Peer) {
        self.peers.lock().remove(&peer.key);
        self.watchers.wake_all();
    }
}

impl Core {
    /// Who is connected now, in the order in which they came.
    pub(crate) fn connected_peers(&self) -> Vec<Arc<PeerInfo>> {
        self.presence.peers.lock().values().cloned().collect()
    }

    /// Waits until there are so many.
    pub(crate) async fn wait_for_peers(&self, count: usize) -> Result<(), WaitError> {
        self.wait_until(|| self.presence.peers.lock().len() >= count).await
    }

    /// Waits until so many want messages with this topic.
    pub(crate) async fn wait_for_subscribers(
        &self,
        topic: &[u8],
        count: usize,
    ) -> Result<(), WaitError> {
        self.wait_until(|| self.pattern.subscribers(topic) >= count).await
    }

    /// Waits until something holds that peers bring about.
    async fn wait_until(&self, holds: impl Fn() -> bool) -> Result<(), WaitError> {
        let mut waiting = None;
        poll_fn(|cx| {
            // In line before the look, so that nothing is missed in between.
            waiting.get_or_insert_with(|| self.presence.watchers.wait()).line_up(cx.waker());
            if self.is_closed() {
                Poll::Ready(Err(WaitError::Closed))
            } else if holds() {
                Poll::Ready(Ok(()))
            } else if self.is_deserted() {
                Poll::Ready(Err(WaitError::RuntimeEnded))
            } else {
                Poll::Pending
            }
        })
        .await
    }
}
