//! The blocks that patterns are made of, each written once.
//!
//! They hold no locks of their own: a pattern keeps them inside its own.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use crate::pipe::PeerKey;

mod envelope;
mod fair_queue;
mod load_balancer;
mod routing_table;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use envelope::Envelope;
pub(crate) use fair_queue::{FairQueue, Listing, Turn};
pub(crate) use load_balancer::LoadBalancer;
pub(crate) use routing_table::{IdTaken, RoutingTable};

/// A map by pipe, for paths taken once per message.
pub(crate) type PeerMap<V> = HashMap<PeerKey, V, BuildHasherDefault<PeerHasher>>;

/// Hashes a [`PeerKey`] with one multiplication. We number the pipes ourselves,
/// so no peer can choose keys that collide.
#[derive(Debug, Default)]
pub(crate) struct PeerHasher(u64);

impl Hasher for PeerHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.write_u64(octet.into());
        }
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 over the golden ratio: neighbours end up far apart, also in the
        // high bits, which the map uses too.
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

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
