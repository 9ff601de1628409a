//! What an XPUB or PUB keeps for its peers is bounded, and no XSUB asks for more.

use crate::error::SubscribeError;
use crate::mark::Mark;
use crate::options::XPubVerbosity;
use crate::pattern::SendRefusal;
use crate::pattern::pubsub::interest::Bounds;
use crate::pattern::pubsub::pending::{Account, Entry, Pending};

use super::*;

#[test]
fn a_peer_beyond_a_bound_is_rejected_and_harms_nobody() {
    let bounded = || options().max_subscriptions(2).max_subscription_bytes(100);
    let too_many = Unwelcome::TooManySubscriptions { limit: 2 };
    let too_large = Unwelcome::SubscriptionsTooLarge { limit: 100 };
    let beyond: [(&[usize], Unwelcome); 3] =
        [(&[101], too_large), (&[1, 2, 3], too_many), (&[60, 41], too_large)];
    for (lengths, why) in beyond {
        let xpub = XPub::new(&bounded());
        let (greedy, modest) = (attach(&xpub, 10), join(&xpub, 10));
        up(&xpub, &greedy);
        subscribe(&xpub, &modest, "a");
        for &length in lengths {
            assert_eq!(greedy.rejected(), None);
            let topic = Subscription::Subscribe(vec![b'a'; length].into());
            // Again and again is not more.
            deliver(&xpub, &greedy, Item::Subscription(topic.clone()));
            deliver(&xpub, &greedy, Item::Subscription(topic));
        }
        assert_eq!(greedy.rejected(), Some(why));
        subscribe(&xpub, &greedy, "a");
        send(&xpub, text(vec![b'a'; 100]));
        assert_eq!((greedy.take_sent().len(), modest.take_sent().len()), (0, 1));
        // What it has on its next connection counts anew.
        xpub.down(&greedy);
        up(&xpub, &greedy);
        subscribe(&xpub, &greedy, "a");
        send(&xpub, text("a"));
        assert_eq!(greedy.take_sent().len(), 1);
    }
}

/// What all may have together, in each of the ways of a publisher.
fn bounded_together(topics: usize, octets: usize) -> [XPub; 4] {
    let total = || {
        let total = options().max_subscriptions_total(topics);
        total.max_subscription_bytes_total(octets)
    };
    [
        XPub::new(&total()),
        XPub::new(&total().xpub_verbosity(XPubVerbosity::All)),
        XPub::new(&total().xpub_manual(true)),
        XPub::publisher(&total()),
    ]
}

#[test]
fn whoever_takes_all_peers_beyond_a_bound_is_rejected_and_gives_back_what_it_had() {
    let too_many = Unwelcome::TooManySubscriptionsTotal { limit: 3 };
    let too_large = Unwelcome::SubscriptionsTotalTooLarge { limit: 100 };
    for (topics, octets, length, why) in [(3, 0, 1, too_many), (0, 100, 30, too_large)] {
        for xpub in bounded_together(topics, octets) {
            let (modest, greedy) = (join(&xpub, 10), join(&xpub, 10));
            let topic = |first: &str| format!("{first:<length$}");
            subscribe(&xpub, &modest, topic("a"));
            // The same topic counts for each who has it; again and again is not more.
            for name in ["a", "b", "a", "b"] {
                subscribe(&xpub, &greedy, topic(name));
            }
            assert_eq!(greedy.rejected(), None);
            subscribe(&xpub, &modest, topic("a"));
            subscribe(&xpub, &greedy, topic("cc"));
            assert_eq!((modest.rejected(), greedy.rejected()), (None, Some(why)));
            // There is room for others at once, though nothing was forgotten yet.
            for name in ["c", "d"] {
                subscribe(&xpub, &modest, topic(name));
            }
            assert_eq!(modest.rejected(), None);
            subscribe(&xpub, &modest, topic("ee"));
            assert_eq!(modest.rejected(), Some(why));
            for peer in [&modest, &greedy] {
                xpub.detach(peer);
            }
            while xpub.tidy(&mut Touched::default()) {}
            assert!(xpub.is_clean());
        }
    }
}

#[test]
fn a_topic_that_is_cancelled_makes_room_for_another() {
    for xpub in bounded_together(1, 0) {
        let (one, other) = (join(&xpub, 10), join(&xpub, 10));
        for peer in [&one, &other, &one] {
            subscribe(&xpub, peer, "a");
            // Only the first of them undoes anything.
            cancel(&xpub, peer, "a");
            cancel(&xpub, peer, "a");
        }
        subscribe(&xpub, &one, "b");
        assert_eq!((one.rejected(), other.rejected()), (None, None));
        subscribe(&xpub, &other, "b");
        let too_many = Unwelcome::TooManySubscriptionsTotal { limit: 1 };
        assert_eq!((one.rejected(), other.rejected()), (None, Some(too_many)));
    }
}

/// Those who left a million behind are not in the way of those who are here.
#[test]
fn what_those_have_who_left_gives_way() {
    const MOST: usize = 10_000;
    for xpub in bounded_together(MOST, 0) {
        let leaving = join(&xpub, 10);
        for number in 0..MOST {
            subscribe(&xpub, &leaving, number.to_string());
        }
        xpub.detach(&leaving);
        let coming = join(&xpub, 10);
        for number in 0..MOST {
            subscribe(&xpub, &coming, format!("again {number}"));
            assert_eq!(coming.rejected(), None, "{number}");
        }
        subscribe(&xpub, &coming, "one more");
        assert!(coming.rejected().is_some());
    }
}

#[test]
fn zero_is_no_bound() {
    let publisher = XPub::publisher(&options().max_subscriptions(0).max_subscription_bytes(0));
    let peer = join(&publisher, 10);
    subscribe(&publisher, &peer, vec![b'a'; (64 << 20) + 1]);
    subscribe(&publisher, &peer, "b");
    assert_eq!(peer.rejected(), None);
}

#[test]
fn user_messages_are_bounded_by_the_receive_mark() {
    let xpub = XPub::new(&options().recv_hwm(2).recv_hwm_bytes(100));
    let peer = join(&xpub, 10);
    let large = text(vec![b'x'; 100]);
    // An empty queue admits a message of any size.
    assert!(deliver(&xpub, &peer, Item::Message(large.clone())).readable);
    let dropped = Delivered { readable: false, discarded: 1 };
    assert_eq!(deliver(&xpub, &peer, Item::Message(text("x"))), dropped);
    assert!(subscribe(&xpub, &peer, "a").readable);
    assert_eq!(received(&xpub), [large, text("\u{1}a")]);
    for body in ["1", "2"] {
        assert!(deliver(&xpub, &peer, Item::Message(text(body))).readable);
    }
    assert_eq!(deliver(&xpub, &peer, Item::Message(text("3"))), dropped);
}

/// Between two of them a peer may have sent any number of commands.
#[test]
fn a_user_message_keeps_no_more_than_it_counts_for() {
    let xpub = XPub::new(&options());
    let peer = join(&xpub, 10);
    let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
    for message in [Message::from(chunk.slice(..3)), Message::from(vec![chunk.slice(..1); 2])] {
        assert!(deliver(&xpub, &peer, Item::Message(message)).readable);
    }
    assert!(chunk.is_unique());
    assert_eq!(received(&xpub), [text("xxx"), Message::from(["x", "x"])]);
}

#[test]
fn notices_are_bounded_in_number_and_octets() {
    for (notice, count) in [("\0".into(), 1_000_000), (Bytes::from(vec![0; 65_537]), 1039)] {
        let mut pending = Pending::new(&options());
        let (mut own, mut other) = (Account::default(), Account::default());
        for _ in 0..count {
            pending.push(Entry::Notice(notice.clone()), None, &mut own);
        }
        assert_eq!((pending.len(), pending.take_dropped()), (count, 0));
        pending.push(Entry::Notice(notice.clone()), None, &mut own);
        assert_eq!((pending.len(), pending.take_dropped()), (count, 1));
        // Messages have their own share, and so have others.
        pending.push(Entry::Message(text("x")), None, &mut own);
        pending.push(Entry::Notice(notice.clone()), None, &mut other);
        assert_eq!((pending.len(), pending.take_dropped()), (count + 2, 0));
        // Whoever has less has room when some was taken.
        let (taken, _) = pending.pop().unwrap();
        own.release(&taken);
        pending.push(Entry::Notice(notice.clone()), None, &mut own);
        assert_eq!(pending.take_dropped(), 1);
        pending.push(Entry::Notice(notice.clone()), None, &mut other);
        assert_eq!(pending.take_dropped(), 0);
    }
}

/// Whoever may have little may leave little.
#[test]
fn notices_are_bounded_by_what_a_peer_may_subscribe_to() {
    for (subscriptions, notices) in [(1000, 2000), (700_000, 1_000_000), (2_000_000, 2_000_000)] {
        let mut pending = Pending::new(&options().max_subscriptions(subscriptions));
        let mut own = Account::default();
        for _ in 0..=notices {
            pending.push(Entry::Notice("\0".into()), None, &mut own);
        }
        assert_eq!((pending.len(), pending.take_dropped()), (notices, 1));
    }
}

/// A peer that subscribes and cancels for ever fills no more than its share of the
/// store, and nor does one that sends what nobody takes.
#[test]
fn whoever_floods_the_store_takes_nobody_elses_room() {
    let floods: [fn(&XPub, &FakePeer); 2] = [
        |xpub, greedy| {
            let topic = Bytes::from_static(&[b'x'; 64 * 1024]);
            subscribe(xpub, greedy, topic.clone());
            deliver(xpub, greedy, Item::Subscription(Subscription::Cancel(topic)));
        },
        |xpub, greedy| {
            deliver(xpub, greedy, Item::Message(text("greedy")));
        },
    ];
    for (number, flood) in floods.into_iter().enumerate() {
        let xpub = XPub::new(&options().recv_hwm(1000).xpub_verbosity(XPubVerbosity::All));
        let (greedy, modest) = (attach(&xpub, 10), join(&xpub, 10));
        up(&xpub, &greedy);
        for _ in 0..2000 {
            flood(&xpub, &greedy);
        }
        assert!(subscribe(&xpub, &modest, "modest").readable, "{number}");
        assert!(deliver(&xpub, &modest, Item::Message(text("modest"))).readable, "{number}");
        // What is taken makes room for everybody again.
        let heard = received(&xpub);
        let of_modest = heard.iter().filter(|message| message[0].ends_with(b"modest"));
        assert_eq!(of_modest.count(), 2, "{number}: {} in all", heard.len());
        // What those leave who go counts as theirs no more, and is given back.
        flood(&xpub, &greedy);
        xpub.detach(&greedy);
        xpub.detach(&modest);
        received(&xpub);
        assert!(xpub.is_clean());
    }
}

#[test]
fn a_topic_may_have_all_the_octets_that_a_peer_may() {
    let publisher = XPub::publisher(&options());
    let peer = join(&publisher, 10);
    let mut topic = vec![b'a'; 64 << 20];
    deliver(&publisher, &peer, Item::Subscription(Subscription::Subscribe(topic.clone().into())));
    send(&publisher, text(topic.clone()));
    assert_eq!(peer.take_sent().len(), 1);
    topic.push(b'a');
    deliver(&publisher, &peer, Item::Subscription(Subscription::Subscribe(topic.into())));
    assert_eq!(peer.rejected(), Some(Unwelcome::SubscriptionsTooLarge { limit: 64 << 20 }));
}

#[test]
fn xsub_refuses_what_a_publisher_would_turn_it_away_for() {
    let bounds = Bounds { topics: Mark::from_option(2), octets: Mark::from_option(10) };
    let xsub = XSub::bounded(bounds);
    let peer = join(&xsub, 0);
    change(&xsub, subscription("12345"));
    let refused = |topic| xsub.subscribe(subscription(topic), &mut Touched::default());
    assert_eq!(refused("123456"), Err(SubscribeError::TooLarge { limit: 10 }));
    change(&xsub, subscription("1"));
    assert_eq!(refused("2"), Err(SubscribeError::TooMany { limit: 2 }));
    // What it has already is no more.
    change(&xsub, subscription("12345"));
    let too_many = SendRefusal::Subscription(SubscribeError::TooMany { limit: 2 });
    assert_eq!(route(&xsub, text("\u{1}2")), Routed::Refused(too_many));
    let told = ["12345", "1", "12345"].map(subscription);
    assert_eq!(peer.take_controls(), told);
    // Room comes back with a cancellation, and only with the last.
    for _ in 0..2 {
        assert!(refused("2").is_err());
        change(&xsub, cancellation("12345"));
    }
    send(&xsub, text("\u{1}123456789"));
    assert_eq!(peer.take_controls(), [cancellation("12345"), subscription("123456789")]);
}

#[test]
fn only_an_xpub_in_manual_mode_decides() {
    let mut touched = Touched::default();
    for publisher in [XPub::new(&options()), XPub::publisher(&options().xpub_manual(true))] {
        for change in [subscription("a"), cancellation("a")] {
            let refused = publisher.subscribe(change, &mut touched);
            assert_eq!(refused, Err(SubscribeError::NotManual));
        }
    }
}
