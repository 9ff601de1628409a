//! The blocks that patterns are made of, each written once.
//!
//! They hold no locks of their own: a pattern keeps them inside its own.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::pipe::PeerKey;

mod distributor;
mod envelope;
mod fair_queue;
mod load_balancer;
mod own_keys;
mod routing_table;
mod subscription_trie;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use distributor::{Distributor, Slot};
pub(crate) use envelope::Envelope;
pub(crate) use fair_queue::{FairQueue, Listed, Listing, NextTurn, Turn};
pub(crate) use load_balancer::LoadBalancer;
pub(crate) use own_keys::OwnKeys;
pub(crate) use routing_table::{IdTaken, RoutingTable};
pub(crate) use subscription_trie::{Inserted, Removed, SubscriptionTrie, TopicId};

/// A map by pipe, for paths taken once per message.
pub(crate) type PeerMap<V> = HashMap<PeerKey, V, OwnKeys>;

/// Where to start counting when others should not guess it.
pub(crate) fn random_start() -> u32 {
    // The only source of randomness in std; each one is keyed anew.
    RandomState::new().hash_one(0_u8) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_a_row_do_not_collide() {
        let mut map = PeerMap::default();
        let keys: Vec<_> = (0..1000).map(|_| PeerKey::unique()).collect();
        for (value, key) in keys.iter().enumerate() {
            map.insert(*key, value);
        }
        for (value, key) in keys.iter().enumerate() {
            assert_eq!(map.get(key), Some(&value));
        }
    }

    #[test]
    fn counting_starts_somewhere_else_each_time() {
        let starts: Vec<_> = (0..4).map(|_| random_start()).collect();
        assert!(starts.iter().any(|start| *start != starts[0]));
    }
}
