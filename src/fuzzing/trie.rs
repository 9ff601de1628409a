//! ```text
//! input = *( operation key topic )
//! topic = length *octet               or, for long ones, F0..FF octet
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::Input;
use crate::routing::{Removed, SubscriptionTrie, TopicId};

type Key = u8;

/// Who subscribes to what, and the name that the trie gave it.
type Model = BTreeMap<Vec<u8>, (TopicId, BTreeSet<Key>)>;

pub(super) fn run(mut input: Input<'_>) {
    let mut trie = SubscriptionTrie::new();
    let mut model = Model::new();
    while !input.is_empty() {
        let (operation, key) = (input.octet(), input.octet() % 8);
        let topic = topic(&mut input);
        match operation % 4 {
            0 | 1 => insert(&mut trie, &mut model, topic, key),
            2 => remove(&mut trie, &mut model, &topic, key),
            _ => look_up(&trie, &model, &topic),
        }
        // A long topic may need one more for each 2 KiB of it.
        let octets: usize = model.keys().map(Vec::len).sum();
        let limit = 1 + 2 * model.len() + octets / 2048;
        assert!(trie.node_count() <= limit, "{} nodes", trie.node_count());
        assert!(!trie.is_full());
    }
    let mut name = Vec::new();
    for (topic, (id, keys)) in &model {
        assert_eq!(trie.find(topic), Some(*id), "a name stays the same");
        assert!(trie.subscribers(*id).iter().eq(keys));
        trie.topic(*id, &mut name);
        assert_eq!(&name, topic);
        look_up(&trie, &model, topic);
    }
    while let Some((topic, (_, keys))) = model.first_key_value() {
        let (topic, key) = (topic.clone(), *keys.first().expect("it has a subscriber"));
        remove(&mut trie, &mut model, &topic, key);
    }
    assert_eq!(trie.node_count(), 1, "only the root is left");
}

fn topic(input: &mut Input<'_>) -> Vec<u8> {
    match usize::from(input.octet()) {
        length @ 0..0xF0 => input.take(length % 16).to_vec(),
        length => vec![input.octet(); (length - 0xEF) * 500],
    }
}

fn insert(trie: &mut SubscriptionTrie<Key>, model: &mut Model, topic: Vec<u8>, key: Key) {
    let inserted = trie.insert(&topic, &key);
    assert_eq!(inserted.first, !model.contains_key(&topic));
    let (id, keys) = model.entry(topic).or_insert((inserted.id, BTreeSet::new()));
    assert_eq!(inserted.id, *id);
    assert_eq!(inserted.new, keys.insert(key));
}

fn remove(trie: &mut SubscriptionTrie<Key>, model: &mut Model, topic: &[u8], key: Key) {
    let removed = trie.remove(topic, &key);
    let Some((id, keys)) = model.get_mut(topic) else {
        assert_eq!(removed, Removed { existed: false, last: false });
        assert_eq!(trie.find(topic), None);
        return;
    };
    let existed = keys.remove(&key);
    assert_eq!(removed, Removed { existed, last: existed && keys.is_empty() });
    if keys.is_empty() {
        // Its number may be that of a branch now, which nobody subscribes to.
        assert!(!trie.remove_id(*id, &key).existed);
        model.remove(topic);
    }
}

fn look_up(trie: &SubscriptionTrie<Key>, model: &Model, octets: &[u8]) {
    let mut found = Vec::new();
    trie.matches(octets, |key| found.push(key));
    found.sort_unstable();
    let topics = model.iter().filter(|(topic, _)| octets.starts_with(topic));
    let mut expected: Vec<Key> = topics.flat_map(|(_, (_, keys))| keys.iter().copied()).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(trie.matches_any(octets), !expected.is_empty());
    assert_eq!(trie.find(octets), model.get(octets).map(|(id, _)| *id));
}
