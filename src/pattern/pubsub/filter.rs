//! [`Filter`]: whether a SUB wants a message.
//!
//! Asked for every message received, by receivers that must not wait for one
//! another; so it has a lock of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::routing::SubscriptionTrie;

pub(super) struct Filter {
    /// Whether the empty topic, which matches everything, is subscribed to.
    everything: AtomicBool,
    topics: RwLock<SubscriptionTrie<()>>,
}

impl Filter {
    pub(super) fn new() -> Self {
        let topics = RwLock::new(SubscriptionTrie::new());
        Self { everything: AtomicBool::new(false), topics }
    }

    pub(super) fn add(&self, topic: &[u8]) {
        if topic.is_empty() {
            self.everything.store(true, Ordering::Release);
        } else {
            let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
            topics.insert(topic, &());
        }
    }

    pub(super) fn remove(&self, topic: &[u8]) {
        if topic.is_empty() {
            self.everything.store(false, Ordering::Release);
        } else {
            let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
            topics.remove(topic, &());
        }
    }

    pub(super) fn wants(&self, octets: &[u8]) -> bool {
        if self.everything.load(Ordering::Acquire) {
            return true;
        }
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.matches_any(octets)
    }
}
