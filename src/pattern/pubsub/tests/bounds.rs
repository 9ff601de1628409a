//! What an XPUB or PUB keeps for its peers is bounded.

use crate::pattern::pubsub::interest::Bounds;
use crate::pattern::pubsub::pending::{Entry, Pending};

use super::*;

#[test]
fn a_peer_beyond_a_bound_is_rejected_and_harms_nobody() {
    let bounds = Bounds { topics: 2, octets: 100, topic: 60 };
    let beyond: [&[usize]; 3] = [&[61], &[1, 2, 3], &[60, 41]];
    for lengths in beyond {
        let xpub = XPub::bounded(&options(), bounds);
        let (greedy, modest) = (attach(&xpub, 10), join(&xpub, 10));
        up(&xpub, &greedy);
        subscribe(&xpub, &modest, "a");
        for &length in lengths {
            assert_eq!(greedy.outlet.with(|state| state.rejected), 0);
            let topic = Subscription::Subscribe(vec![b'a'; length].into());
            // Again and again is not more.
            deliver(&xpub, &greedy, Item::Subscription(topic.clone()));
            deliver(&xpub, &greedy, Item::Subscription(topic));
        }
        assert_eq!(greedy.outlet.with(|state| state.rejected), 1);
        subscribe(&xpub, &greedy, "a");
        send(&xpub, text(vec![b'a'; 100]));
        assert_eq!((greedy.outlet.take().len(), modest.outlet.take().len()), (0, 1));
        // What it has on its next connection counts anew.
        xpub.down(greedy.key);
        up(&xpub, &greedy);
        subscribe(&xpub, &greedy, "a");
        send(&xpub, text("a"));
        assert_eq!(greedy.outlet.take().len(), 1);
    }
}

#[test]
fn user_messages_are_bounded_by_the_receive_mark() {
    let xpub = XPub::new(&options().recv_hwm(2).recv_hwm_bytes(10));
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

#[test]
fn notices_are_bounded_in_number_and_octets() {
    for (notice, count) in [("\0".into(), 1_000_000), (Bytes::from(vec![0; 65_537]), 1039)] {
        let mut pending = Pending::new(&options());
        for _ in 0..count {
            pending.push(Entry::Notice(notice.clone(), None));
        }
        assert_eq!((pending.len(), pending.take_dropped()), (count, 0));
        pending.push(Entry::Notice(notice.clone(), None));
        assert_eq!((pending.len(), pending.take_dropped()), (count, 1));
        // Messages have their own share.
        pending.push(Entry::Message(text("x")));
        pending.pop();
        pending.push(Entry::Notice(notice.clone(), None));
        assert_eq!((pending.len(), pending.take_dropped()), (count + 1, 0));
    }
}

#[test]
fn a_topic_of_64_kib_is_within_bounds() {
    let publisher = XPub::publisher(&options());
    let peer = join(&publisher, 10);
    let topic = vec![b'a'; 64 << 10];
    deliver(&publisher, &peer, Item::Subscription(Subscription::Subscribe(topic.clone().into())));
    send(&publisher, text(topic.clone()));
    assert_eq!(peer.outlet.take().len(), 1);
    let longer = [topic, vec![b'a']].concat();
    deliver(&publisher, &peer, Item::Subscription(Subscription::Subscribe(longer.into())));
    assert_eq!(peer.outlet.with(|state| state.rejected), 1);
}
