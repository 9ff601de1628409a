//! Matching of topics against the subscriptions of a publisher.
//!
//! The trie is private: this takes its source file in as it is, so that the
//! library needs no door for it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use routing::subscription_trie::SubscriptionTrie;

#[path = "../src/routing"]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod routing {
    pub(crate) mod subscription_trie;
}

/// Topics as applications make them: a few parts, much in common.
fn topic(number: usize) -> String {
    format!("sensors.{:02}.room-{:03}.{number}", number % 50, number % 997)
}

fn trie(topics: usize) -> SubscriptionTrie<u64> {
    let mut trie = SubscriptionTrie::new();
    for number in 0..topics {
        trie.insert(topic(number).as_bytes(), &(number as u64));
    }
    trie
}

fn matching(c: &mut Criterion) {
    let mut group = c.benchmark_group("trie/match");
    for topics in [1, 1_000, 100_000] {
        let trie = trie(topics);
        for (name, octets) in [("hit", topic(topics / 2)), ("miss", "sensors.07.hall".into())] {
            group.bench_function(BenchmarkId::new(name, topics), |b| {
                b.iter(|| {
                    let mut found = 0;
                    trie.matches(black_box(octets.as_bytes()), |key| found += key);
                    found
                });
            });
        }
    }
}

fn changing(c: &mut Criterion) {
    let mut group = c.benchmark_group("trie/subscribe_and_cancel");
    for topics in [1_000, 100_000] {
        let mut trie = trie(topics);
        let topic = topic(topics + 1);
        group.bench_function(BenchmarkId::from_parameter(topics), |b| {
            b.iter(|| {
                trie.insert(black_box(topic.as_bytes()), &u64::MAX);
                trie.remove(black_box(topic.as_bytes()), &u64::MAX)
            });
        });
    }
}

criterion_group!(benches, matching, changing);
criterion_main!(benches);
