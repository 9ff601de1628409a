//! [`Interest`]: the subscriptions of all peers, a set per peer within bounds.

use std::collections::BTreeSet;

use crate::error::SubscribeError;
use crate::mark::Mark;
use crate::options::Limits;
use crate::peer::Unwelcome;
use crate::routing::{Inserted, Removed, Slot, SubscriptionTrie, TopicId};

/// What somebody may subscribe to. Honest subscribers stay far below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) topics: Mark,
    /// The sum of the lengths of the topics.
    pub(super) octets: Mark,
}

impl Bounds {
    pub(super) const NONE: Self = Self { topics: Mark::UNLIMITED, octets: Mark::UNLIMITED };

    /// What a publisher allows one peer if its options do not say otherwise.
    pub(super) fn of_peer_by_default() -> Self {
        Self::of_peer(&Limits::default())
    }

    /// What a publisher allows one peer.
    pub(super) fn of_peer(limits: &Limits) -> Self {
        Self { topics: limits.subscriptions, octets: limits.subscription_octets }
    }

    /// What it allows all of them together.
    pub(super) fn of_all(limits: &Limits) -> Self {
        Self { topics: limits.subscriptions_total, octets: limits.subscription_octets_total }
    }

    /// Whether one that has so much may have another topic.
    pub(super) fn admit(self, held: Share, topic: &[u8]) -> Result<(), TooMuch> {
        if !self.topics.admits(held.topics) {
            return Err(TooMuch::Topics { limit: self.topics.limit() });
        }
        if topic.len() > self.octets.room(held.octets) {
            return Err(TooMuch::Octets { limit: self.octets.limit() });
        }
        Ok(())
    }
}

/// How many topics somebody has, and how many octets of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) topics: usize,
    pub(super) octets: usize,
}

impl Share {
    fn add(&mut self, octets: usize) {
        self.topics += 1;
        self.octets += octets;
    }

    fn take(&mut self, octets: usize) {
        self.topics -= 1;
        self.octets -= octets;
    }
}

/// Somebody wants more than the bounds allow; says which bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooMuch {
    Topics {
        limit: usize,
    },
    Octets {
        limit: usize,
    },
    /// The same of all peers together.
    AllTopics {
        limit: usize,
    },
    AllOctets {
        limit: usize,
    },
}

impl TooMuch {
    /// Whether others have what this one lacks.
    pub(super) fn is_of_all(self) -> bool {
        matches!(self, Self::AllTopics { .. } | Self::AllOctets { .. })
    }

    fn of_all(self) -> Self {
        match self {
            Self::Topics { limit } | Self::AllTopics { limit } => Self::AllTopics { limit },
            Self::Octets { limit } | Self::AllOctets { limit } => Self::AllOctets { limit },
        }
    }
}

impl From<TooMuch> for Unwelcome {
    fn from(too_much: TooMuch) -> Self {
        match too_much {
            TooMuch::Topics { limit } => Self::TooManySubscriptions { limit },
            TooMuch::Octets { limit } => Self::SubscriptionsTooLarge { limit },
            TooMuch::AllTopics { limit } => Self::TooManySubscriptionsTotal { limit },
            TooMuch::AllOctets { limit } => Self::SubscriptionsTotalTooLarge { limit },
        }
    }
}

impl From<TooMuch> for SubscribeError {
    fn from(too_much: TooMuch) -> Self {
        match too_much {
            TooMuch::Topics { limit } | TooMuch::AllTopics { limit } => Self::TooMany { limit },
            TooMuch::Octets { limit } | TooMuch::AllOctets { limit } => Self::TooLarge { limit },
        }
    }
}

/// The topics of one peer, so that all of them are found when it leaves.
#[derive(Debug, Default)]
pub(super) struct Topics {
    // Ordered, not hashed: a table of a million would be copied to a larger one
    // in a single step.
    ids: BTreeSet<TopicId>,
    octets: usize,
}

impl Topics {
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    fn held(&self) -> Share {
        Share { topics: self.ids.len(), octets: self.octets }
    }
}

/// How much may be forgotten, or told, in one step: so many topics, or so many
/// octets of them, and at least one.
#[derive(Debug)]
pub(super) struct Step {
    topics: usize,
    octets: usize,
}

impl Step {
    /// For a call that has nothing else to do: some dozen microseconds, for there may
    /// be a hundred of them, one for each peer that has just left.
    pub(super) const WHOLE: Self = Self { topics: 32, octets: 2 << 10 };
    /// For one that looks for something, perhaps some dozen times in a row.
    pub(super) const PART: Self = Self { topics: 16, octets: 1 << 10 };
    /// For one of which there are many: more than it could add itself.
    pub(super) const ALONG: Self = Self { topics: 2, octets: 128 };
    /// For a publisher that has to hear of all topics, which is less work.
    pub(super) const REPLAY: Self = Self { topics: 1024, octets: 64 << 10 };

    pub(super) fn is_done(&self) -> bool {
        self.topics == 0 || self.octets == 0
    }

    pub(super) fn spend(&mut self, octets: usize) {
        self.topics = self.topics.saturating_sub(1);
        self.octets = self.octets.saturating_sub(octets);
    }
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
    /// What one peer may have, and all together.
    of_peer: Bounds,
    of_all: Bounds,
    /// What all have together, with those who have left until that is forgotten.
    held: Share,
}

impl Interest {
    pub(super) fn new(of_peer: Bounds, of_all: Bounds) -> Self {
        Self { trie: SubscriptionTrie::new(), of_peer, of_all, held: Share::default() }
    }

    /// Without bounds.
    pub(super) fn unbounded() -> Self {
        Self::new(Bounds::NONE, Bounds::NONE)
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
            self.held.add(topic.len());
        }
        Ok(inserted)
    }

    /// Takes a topic from those of a peer.
    pub(super) fn remove(&mut self, slot: Slot, topics: &mut Topics, topic: &[u8]) -> Removed {
        let Some(id) = self.trie.find(topic).filter(|id| topics.ids.remove(id)) else {
            return Removed { existed: false, last: false };
        };
        topics.octets -= topic.len();
        self.held.take(topic.len());
        self.trie.remove_id(id, &slot)
    }

    /// Takes topics of a peer that has left, as many as the step allows.
    pub(super) fn forget(
        &mut self,
        slot: Slot,
        topics: &mut Topics,
        farewell: Farewell,
        step: &mut Step,
        mut tell: impl FnMut(&[u8]),
    ) {
        let mut topic = Vec::new();
        while !step.is_done() {
            // The highest first, since the trie gives back its end.
            let Some(id) = topics.ids.pop_last() else { return };
            let subscribers = self.trie.subscribers(id);
            if subscribers.binary_search(&slot).is_err() {
                // It was forgotten with others; see `settle`.
                step.spend(0);
                continue;
            }
            let told = match farewell {
                Farewell::Silent => false,
                Farewell::Last => subscribers.len() == 1,
                Farewell::Every => true,
            };
            if told {
                self.trie.topic(id, &mut topic);
                tell(&topic);
            }
            let octets = self.trie.topic_len(id);
            step.spend(octets);
            self.held.take(octets);
            self.trie.remove_id(id, &slot);
        }
    }

    /// Takes a topic that only peers have who have left, if it is one.
    pub(super) fn settle(&mut self, topic: &[u8], has_left: impl Fn(Slot) -> bool) -> bool {
        let Some(id) = self.trie.find(topic) else { return false };
        let all_left = self.trie.subscribers(id).iter().all(|&slot| has_left(slot));
        if all_left {
            while let Some(&slot) = self.trie.subscribers(id).last() {
                self.held.take(topic.len());
                self.trie.remove_id(id, &slot);
            }
        }
        all_left
    }

    /// Visits every peer with a topic that `octets` starts with.
    pub(super) fn matches(&self, octets: &[u8], visit: impl FnMut(Slot)) {
        self.trie.matches(octets, visit);
    }

    /// What all have together.
    #[cfg(test)]
    pub(super) fn held(&self) -> Share {
        self.held
    }

    /// How many nodes there are, the root among them.
    pub(super) fn nodes(&self) -> usize {
        self.trie.node_count()
    }

    /// The bound that one more topic would go beyond, if any.
    fn exceeds(&self, topics: &Topics, topic: &[u8]) -> Option<TooMuch> {
        if self.trie.is_full() {
            return Some(TooMuch::Topics { limit: topics.ids.len() });
        }
        let of_peer = self.of_peer.admit(topics.held(), topic);
        let of_all = || self.of_all.admit(self.held, topic).map_err(TooMuch::of_all);
        of_peer.and_then(|()| of_all()).err()
    }
}
