//! [`Interest`]: the subscriptions of all peers, a set per peer within bounds.

use std::collections::HashSet;

use crate::error::SubscribeError;
use crate::peer::Unwelcome;
use crate::routing::{Inserted, OwnKeys, Removed, Slot, SubscriptionTrie, TopicId};

/// What one peer may subscribe to. Honest subscribers stay far below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) topics: usize,
    /// The sum of the lengths of its topics.
    pub(super) octets: usize,
}

impl Bounds {
    pub(super) const PEER: Self = Self { topics: 1_000_000, octets: 64 << 20 };
    pub(super) const NONE: Self = Self { topics: usize::MAX, octets: usize::MAX };

    /// Whether one that has so many topics and octets of them may have another.
    pub(super) fn admit(self, topics: usize, octets: usize, topic: &[u8]) -> Result<(), TooMuch> {
        if topics >= self.topics {
            return Err(TooMuch::Topics { limit: self.topics });
        }
        if topic.len() > self.octets.saturating_sub(octets) {
            return Err(TooMuch::Octets { limit: self.octets });
        }
        Ok(())
    }
}

/// Somebody wants more than the bounds allow; says which bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooMuch {
    Topics { limit: usize },
    Octets { limit: usize },
}

impl From<TooMuch> for Unwelcome {
    fn from(too_much: TooMuch) -> Self {
        match too_much {
            TooMuch::Topics { limit } => Self::TooManySubscriptions { limit },
            TooMuch::Octets { limit } => Self::SubscriptionsTooLarge { limit },
        }
    }
}

impl From<TooMuch> for SubscribeError {
    fn from(too_much: TooMuch) -> Self {
        match too_much {
            TooMuch::Topics { limit } => Self::TooMany { limit },
            TooMuch::Octets { limit } => Self::TooLarge { limit },
        }
    }
}

/// The topics of one peer, so that all of them are found when it leaves.
#[derive(Debug, Default)]
pub(super) struct Topics {
    ids: HashSet<TopicId, OwnKeys>,
    octets: usize,
}

/// Which topics somebody hears of when a peer that had them leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    Silent,
    /// Those that no other peer has.
    Last,
    Every,
}

/// The subscriptions of all peers.
#[derive(Debug)]
pub(super) struct Interest {
    trie: SubscriptionTrie<Slot>,
    bounds: Bounds,
}

impl Interest {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { trie: SubscriptionTrie::new(), bounds }
    }

    /// Adds a topic to those of a peer. They are a set: however often it
    /// subscribes, one cancellation undoes it.
    pub(super) fn add(
        &mut self,
        slot: Slot,
        topics: &mut Topics,
        topic: &[u8],
    ) -> Result<Inserted, TooMuch> {
        let known = || self.trie.find(topic).is_some_and(|id| topics.ids.contains(&id));
        if let Some(too_much) = self.exceeds(topics, topic).filter(|_| !known()) {
            return Err(too_much);
        }
        let inserted = self.trie.insert(topic, &slot);
        if inserted.new {
            topics.ids.insert(inserted.id);
            topics.octets += topic.len();
        }
        Ok(inserted)
    }

    /// Takes a topic from those of a peer.
    pub(super) fn remove(&mut self, slot: Slot, topics: &mut Topics, topic: &[u8]) -> Removed {
        let Some(id) = self.trie.find(topic).filter(|id| topics.ids.remove(id)) else {
            return Removed { existed: false, last: false };
        };
        topics.octets -= topic.len();
        if topics.ids.len() < topics.ids.capacity() / 8 {
            topics.ids.shrink_to(topics.ids.len() * 2);
        }
        self.trie.remove_id(id, &slot)
    }

    /// Takes all topics of a peer, at a cost that depends on them alone.
    pub(super) fn clear(
        &mut self,
        slot: Slot,
        topics: Topics,
        farewell: Farewell,
        mut tell: impl FnMut(&[u8]),
    ) {
        let mut topic = Vec::new();
        for id in topics.ids {
            let told = match farewell {
                Farewell::Silent => false,
                Farewell::Last => self.trie.subscribers(id).len() == 1,
                Farewell::Every => true,
            };
            if told {
                self.trie.topic(id, &mut topic);
                tell(&topic);
            }
            self.trie.remove_id(id, &slot);
        }
    }

    /// Visits every peer with a topic that `octets` starts with.
    pub(super) fn matches(&self, octets: &[u8], visit: impl FnMut(Slot)) {
        self.trie.matches(octets, visit);
    }

    /// The bound that one more topic would go beyond, if any.
    fn exceeds(&self, topics: &Topics, topic: &[u8]) -> Option<TooMuch> {
        if self.trie.is_full() {
            return Some(TooMuch::Topics { limit: topics.ids.len() });
        }
        self.bounds.admit(topics.ids.len(), topics.octets, topic).err()
    }
}
