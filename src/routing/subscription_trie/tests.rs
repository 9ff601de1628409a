//! The trie against a naive model, and at its bounds.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn matching(trie: &SubscriptionTrie<u32>, octets: &[u8]) -> Vec<u32> {
    let mut found = Vec::new();
    trie.matches(octets, |key| found.push(key));
    found.sort_unstable();
    found
}

#[test]
fn a_subscription_is_compared_with_the_start_of_the_frame() {
    let mut trie = SubscriptionTrie::new();
    trie.insert(b"", &1);
    trie.insert(b"ab", &2);
    trie.insert(b"abc", &3);
    trie.insert(b"b", &4);
    assert_eq!(matching(&trie, b""), [1]);
    assert_eq!(matching(&trie, b"a"), [1]);
    assert_eq!(matching(&trie, b"abd"), [1, 2]);
    assert_eq!(matching(&trie, b"abcd"), [1, 2, 3]);
    assert_eq!(matching(&trie, b"\0"), [1]);
    assert!(trie.matches_any(b"x"));
    trie.remove(b"", &1);
    assert!(!trie.matches_any(b"x") && !trie.matches_any(b"a"));
    assert!(trie.matches_any(b"abx"));
}

#[test]
fn names_of_topics_outlive_splits_and_joins() {
    let mut trie = SubscriptionTrie::new();
    let long = trie.insert(b"abcdef", &1).id;
    let mut topic = Vec::new();
    trie.insert(b"abX", &1);
    trie.insert(b"abcd", &1);
    trie.topic(long, &mut topic);
    assert_eq!(topic, b"abcdef");
    trie.remove(b"abX", &1);
    trie.remove(b"abcd", &1);
    trie.topic(long, &mut topic);
    assert_eq!(topic, b"abcdef");
    assert_eq!(trie.find(b"abcdef"), Some(long));
    assert_eq!(trie.nodes.len(), 2);
    assert_eq!(trie.remove_id(long, &1), Removed { existed: true, last: true });
    assert_eq!(trie.remove_id(long, &1), Removed { existed: false, last: false });
    assert_eq!(trie.nodes.len(), 1);
}

#[test]
fn long_topics_need_no_stack() {
    let run = || {
        let mut trie = SubscriptionTrie::new();
        let longest = vec![b'a'; 64 << 10];
        // A chain of nodes, the deepest shape there is.
        for length in (0..4_000).chain([longest.len()]) {
            assert!(trie.insert(&longest[..length], &7u32).first);
        }
        let mut found = 0;
        trie.matches(&longest, |_| found += 1);
        assert_eq!(found, 4_001);
        let mut topic = Vec::new();
        trie.topic(trie.find(&longest).expect("it was inserted"), &mut topic);
        assert_eq!(topic, longest);
        assert!(trie.remove(&longest, &7).last);
        for length in 0..2_000 {
            assert!(trie.remove(&longest[..length * 2], &7).last);
        }
    };
    let thread = std::thread::Builder::new().stack_size(128 << 10).spawn(run);
    assert!(thread.expect("a thread starts").join().is_ok());
}

#[test]
fn a_node_has_at_most_256_children_and_forgets_them() {
    let mut trie = SubscriptionTrie::new();
    for first in 0..=255u8 {
        for second in 0..=255u8 {
            trie.insert(&[first, second, first], &1u32);
        }
    }
    assert_eq!(trie.nodes.len(), 1 + 256 + 65_536);
    assert!(trie.matches_any(&[3, 4, 3]) && !trie.matches_any(&[3, 4, 4]));
    for first in 0..=255u8 {
        for second in 0..=255u8 {
            assert!(trie.remove(&[first, second, first], &1).last);
        }
    }
    assert_eq!(trie.nodes.len(), 1);
}

#[test]
fn a_node_is_small() {
    assert!(std::mem::size_of::<Option<Node<u32>>>() <= 48);
}

#[test]
fn the_longest_topic_is_cut_and_mended_for_little() {
    let mut trie = SubscriptionTrie::new();
    let longest = vec![b'a'; 64 << 20];
    let id = trie.insert(&longest, &1u32).id;
    let nodes = 1 + longest.len() / LABEL;
    assert_eq!((trie.nodes.len(), trie.topic_len(id)), (nodes, longest.len()));
    // Each of these cuts it, and mends it again: without the limit of a label
    // that would copy 60 GiB.
    for length in (1..=32_000).step_by(63) {
        assert!(trie.insert(&longest[..length], &2).first);
        assert!(trie.remove(&longest[..length], &2).last);
    }
    assert_eq!(trie.nodes.len(), nodes);
    assert_eq!((matching(&trie, &longest), trie.find(&longest)), (vec![1], Some(id)));
    let mut topic = Vec::new();
    trie.topic(id, &mut topic);
    assert!(topic == longest);
    assert!(trie.remove_id(id, &1).last);
    assert_eq!(trie.nodes.len(), 1);
}

/// A topic, each octet of which is there `times` times.
fn stretched(topic: &[u8], times: usize) -> Vec<u8> {
    topic.iter().flat_map(|&octet| std::iter::repeat_n(octet, times)).collect()
}

proptest! {
    #[test]
    fn behaves_like_a_map_of_sets(
        steps in prop::collection::vec(
            (any::<bool>(), prop::collection::vec(0u8..3, 0..6), 0u32..4), 0..200),
        probes in prop::collection::vec(prop::collection::vec(0u8..3, 0..8), 1..10),
        times in prop::sample::select(vec![1, 1, 1, 1, 1, 1, 900, LABEL]),
    ) {
        let mut trie = SubscriptionTrie::new();
        let mut model: BTreeMap<Vec<u8>, BTreeSet<u32>> = BTreeMap::new();
        for (subscribe, topic, key) in steps {
            let topic = stretched(&topic, times);
            let set = model.entry(topic.clone()).or_default();
            if subscribe {
                let first = set.is_empty();
                let new = set.insert(key);
                let inserted = trie.insert(&topic, &key);
                prop_assert_eq!((inserted.new, inserted.first), (new, first));
                let mut name = Vec::new();
                trie.topic(inserted.id, &mut name);
                prop_assert_eq!(&name, &topic);
            } else {
                let existed = set.remove(&key);
                let last = existed && set.is_empty();
                prop_assert_eq!(trie.remove(&topic, &key), Removed { existed, last });
            }
            if model[&topic].is_empty() {
                model.remove(&topic);
            }
            let octets: usize = model.keys().map(Vec::len).sum();
            prop_assert!(trie.nodes.len() <= 1 + 2 * model.len() + 2 * octets / LABEL);
        }
        for probe in probes {
            let probe = stretched(&probe, times);
            let mut expected: Vec<u32> = (model.iter())
                .filter(|(topic, _)| probe.starts_with(topic))
                .flat_map(|(_, keys)| keys.iter().copied())
                .collect();
            expected.sort_unstable();
            prop_assert_eq!(trie.matches_any(&probe), !expected.is_empty());
            prop_assert_eq!(matching(&trie, &probe), expected);
        }
        for (topic, keys) in &model {
            let id = trie.find(topic).expect("the model has it");
            prop_assert_eq!(trie.subscribers(id), keys.iter().copied().collect::<Vec<_>>());
        }
    }
}
