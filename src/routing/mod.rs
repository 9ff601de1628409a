//! The blocks that patterns are built from, each written once.

mod distributor;
mod own_keys;
mod subscription_trie;

pub(crate) use distributor::{Distributor, Slot};
pub(crate) use own_keys::OwnKeys;
pub(crate) use subscription_trie::{Inserted, Removed, SubscriptionTrie, TopicId};
