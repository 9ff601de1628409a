//! Peers that leave many topics behind: nothing of them is matched any more, and
//! they are forgotten in steps.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::options::XPubVerbosity;

/// More topics than a few steps forget.
const MANY: usize = 5_000;

fn subscribe_to(pattern: &dyn Pattern, peer: &FakePeer, topic: String) {
    deliver(pattern, peer, Item::Subscription(Subscription::Subscribe(topic.into())));
}

/// A peer with many topics.
fn heavy(pattern: &dyn Pattern) -> FakePeer {
    let peer = join(pattern, 10);
    for number in 0..MANY {
        subscribe_to(pattern, &peer, format!("heavy.{number}"));
    }
    peer
}

/// Forgets all there is to forget; says in how many calls.
fn tidy(pattern: &dyn Pattern) -> usize {
    let mut touched = Touched::default();
    1 + std::iter::from_fn(|| pattern.tidy(&mut touched).then_some(())).count()
}

#[test]
fn who_left_matches_nobody_and_is_forgotten_in_steps() {
    let publisher = XPub::publisher(&options());
    let leaving = heavy(&publisher);
    publisher.detach(&leaving);
    // Whoever comes now gets nothing of it.
    let newcomer = join(&publisher, 10);
    assert_eq!(send(&publisher, text("heavy.4")), 0);
    assert_eq!((leaving.take_sent(), newcomer.take_sent()), (vec![], vec![]));
    subscribe(&publisher, &newcomer, "heavy.4");
    send(&publisher, text("heavy.4"));
    assert_eq!(newcomer.take_sent(), texts(["heavy.4"]));
    // One step was taken when it left.
    let steps = MANY / 32;
    assert!((steps - 2..=steps).contains(&tidy(&publisher)));
    assert_eq!(tidy(&publisher), 1);
    send(&publisher, text("heavy.4"));
    assert_eq!(newcomer.take_sent(), texts(["heavy.4"]));
    publisher.detach(&newcomer);
    assert!(publisher.is_clean());
}

#[test]
fn who_comes_back_has_only_what_it_asks_for_anew() {
    let publisher = XPub::publisher(&options());
    let peer = heavy(&publisher);
    for _ in 0..2 {
        publisher.down(&peer);
        up(&publisher, &peer);
        subscribe(&publisher, &peer, "heavy.7");
        for body in ["heavy.8", "heavy.7"] {
            send(&publisher, text(body));
        }
        assert_eq!(peer.take_sent(), texts(["heavy.7"]));
        cancel(&publisher, &peer, "heavy.7");
        send(&publisher, text("heavy.7"));
        assert_eq!(peer.take_sent(), []);
        subscribe(&publisher, &peer, "heavy.9");
    }
    tidy(&publisher);
    send(&publisher, text("heavy.9"));
    assert_eq!(peer.take_sent(), texts(["heavy.9"]));
    publisher.detach(&peer);
    assert!(publisher.is_clean());
}

#[test]
fn long_topics_make_shorter_steps() {
    let publisher = XPub::publisher(&options());
    let peer = join(&publisher, 10);
    for number in 0..10 {
        subscribe_to(&publisher, &peer, format!("{number:0>20000}"));
    }
    publisher.down(&peer);
    assert_eq!(tidy(&publisher), 9);
}

#[test]
fn those_who_only_send_or_deliver_forget_as_well() {
    let publisher = XPub::publisher(&options());
    let peer = heavy(&publisher);
    publisher.detach(&peer);
    for _ in 0..MANY / 2 {
        send(&publisher, text("x"));
    }
    assert!(publisher.is_clean());
    publisher.detach(&heavy(&publisher));
    let other = join(&publisher, 10);
    for _ in 0..MANY / 2 {
        subscribe(&publisher, &other, "x");
    }
    publisher.detach(&other);
    assert!(publisher.is_clean());
}

#[test]
fn whoever_receives_hears_of_all_that_left() {
    for verbosity in [XPubVerbosity::Changes, XPubVerbosity::All] {
        let xpub = XPub::new(&options().xpub_verbosity(verbosity));
        let peer = heavy(&xpub);
        received(&xpub);
        xpub.detach(&peer);
        let mut cancelled = received(&xpub);
        cancelled.sort_unstable_by(|a, b| a.first().cmp(b.first()));
        cancelled.dedup();
        assert_eq!(cancelled.len(), MANY);
        assert!(cancelled.iter().all(|notice| notice.first().starts_with(b"\0heavy.")));
        assert!(xpub.is_clean());
    }
}

#[test]
fn requests_of_who_left_are_taken_back_and_decide_nothing() {
    let xpub = XPub::new(&options().xpub_manual(true));
    let (leaving, other) = (heavy(&xpub), join(&xpub, 10));
    change(&xpub, subscription("nobody has asked yet"));
    while let Some(request) = recv(&xpub) {
        change(&xpub, Subscription::Subscribe(request.first().slice(1..)));
    }
    xpub.detach(&leaving);
    subscribe(&xpub, &other, "heavy.1");
    let mut cancelled = 0;
    while let Some(notice) = recv(&xpub) {
        let topic = notice.first().slice(1..);
        match notice.first()[0] {
            1 => change(&xpub, Subscription::Subscribe(topic)),
            _ => {
                change(&xpub, Subscription::Cancel(topic));
                cancelled += 1;
            }
        }
    }
    assert_eq!(cancelled, MANY);
    send(&xpub, text("heavy.1"));
    assert_eq!((leaving.take_sent(), other.take_sent()), (vec![], texts(["heavy.1"])));
    xpub.detach(&other);
    received(&xpub);
    assert!(xpub.is_clean());
}

/// What peers do, three of them with three topics.
#[derive(Debug, Clone, Copy)]
enum Act {
    Subscribe(usize, usize),
    Cancel(usize, usize),
    ComeBack(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..3usize, 0..3usize).prop_map(|(peer, topic)| Act::Subscribe(peer, topic)),
        2 => (0..3usize, 0..3usize).prop_map(|(peer, topic)| Act::Cancel(peer, topic)),
        2 => (0..3usize).prop_map(Act::ComeBack),
    ]
}

/// What the application hears of each topic, in order.
fn heard(verbosity: XPubVerbosity, acts: &[Act], at_once: bool) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let xpub = XPub::new(&options().xpub_verbosity(verbosity));
    let peers = [(); 3].map(|()| join(&xpub, 10));
    if !at_once {
        // What is left of it has to be forgotten before anything else is.
        xpub.detach(&heavy(&xpub));
    }
    let topics = ["a", "b", "c"];
    for &act in acts {
        match act {
            Act::Subscribe(peer, topic) => drop(subscribe(&xpub, &peers[peer], topics[topic])),
            Act::Cancel(peer, topic) => drop(cancel(&xpub, &peers[peer], topics[topic])),
            Act::ComeBack(peer) => {
                xpub.down(&peers[peer]);
                up(&xpub, &peers[peer]);
            }
        }
    }
    for peer in &peers {
        xpub.detach(peer);
    }
    let mut heard = BTreeMap::<_, Vec<u8>>::new();
    for notice in received(&xpub) {
        let (kind, topic) = notice.first().split_first().expect("it says what it is");
        if topic.len() == 1 {
            heard.entry(topic.to_vec()).or_default().push(*kind);
        }
    }
    assert!(xpub.is_clean());
    heard
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn the_application_hears_the_same_as_if_they_were_forgotten_at_once(
        acts in prop::collection::vec(act(), 0..15),
        subscriptions in any::<bool>(),
    ) {
        let verbosity = match subscriptions {
            true => XPubVerbosity::Subscriptions,
            false => XPubVerbosity::Changes,
        };
        prop_assert_eq!(heard(verbosity, &acts, true), heard(verbosity, &acts, false));
    }
}
