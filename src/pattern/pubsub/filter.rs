//! [`Filter`]: whether a SUB wants a message.
//!
//! Asked for every message received, by receivers that must not wait for one
//! another; so it has a lock of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::pipe::free;
use crate::routing::SubscriptionTrie;
use crate::sync::{Rank, SharedLock};

pub(super) struct Filter {
    /// Whether the empty topic, which matches everything, is subscribed to.
    everything: AtomicBool,
    topics: SharedLock<Topics>,
}

struct Topics(SubscriptionTrie<()>);

impl Drop for Topics {
    fn drop(&mut self) {
        let trie = std::mem::replace(&mut self.0, SubscriptionTrie::new());
        free(trie.node_count(), trie);
    }
}

impl Filter {
    pub(super) fn new() -> Self {
        let topics = SharedLock::new(Rank::Filter, Topics(SubscriptionTrie::new()));
        Self { everything: AtomicBool::new(false), topics }
    }

    pub(super) fn add(&self, topic: &[u8]) {
        if topic.is_empty() {
            self.everything.store(true, Ordering::Release);
        } else {
            self.topics.write().0.insert(topic, &());
        }
    }

    pub(super) fn remove(&self, topic: &[u8]) {
        if topic.is_empty() {
            self.everything.store(false, Ordering::Release);
        } else {
            self.topics.write().0.remove(topic, &());
        }
    }

    pub(super) fn wants(&self, octets: &[u8]) -> bool {
        if self.everything.load(Ordering::Acquire) {
            return true;
        }
        self.topics.read().0.matches_any(octets)
    }
}
