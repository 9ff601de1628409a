//! The blocks that patterns are made of, each written once.
//!
//! They hold no locks of their own: a pattern, or the socket, keeps them inside
//! its own.

use crate::random::random;

mod distributor;
mod envelope;
mod fair_queue;
mod load_balancer;
mod routing_table;
mod subscription_trie;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use distributor::{Distributor, Slot};
pub(crate) use envelope::Envelope;
pub(crate) use fair_queue::{FairQueue, Listed, NextTurn};
pub(crate) use load_balancer::LoadBalancer;
pub(crate) use routing_table::{IdTaken, RoutingTable};
pub(crate) use subscription_trie::{Inserted, Removed, SubscriptionTrie, TopicId};

/// Where to start counting when others should not guess it.
pub(crate) fn random_start() -> u32 {
    random() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_starts_somewhere_else_each_time() {
        let starts: Vec<_> = (0..4).map(|_| random_start()).collect();
        assert!(starts.iter().any(|start| *start != starts[0]));
    }
}
