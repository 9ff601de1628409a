//! XPUB and PUB: one test per SHALL of RFC 29, then options.

use super::*;
use crate::options::XPubVerbosity;

fn xpub() -> XPub {
    XPub::new(&options())
}

#[test]
fn pub_shall_silently_discard_messages_that_subscribers_send() {
    let publisher = XPub::publisher(&options());
    let peer = join(&publisher, 10);
    let discarded = Delivered { readable: false, discarded: 1 };
    assert_eq!(deliver(&publisher, &peer, Item::Message(text("hello"))), discarded);
    assert!(matches!(publisher.before_recv(), Before::Wait));
}

#[test]
fn pub_shall_not_deliver_subscriptions_to_its_application() {
    let publisher =
        XPub::publisher(&options().xpub_verbosity(XPubVerbosity::All).xpub_manual(true));
    let peer = join(&publisher, 10);
    assert_eq!(subscribe(&publisher, &peer, "a"), Delivered::default());
    assert!(matches!(publisher.before_recv(), Before::Wait));
    send(&publisher, text("abc"));
    assert_eq!(peer.take_sent(), texts(["abc"]));
    publisher.detach(&peer);
    assert!(matches!(publisher.before_recv(), Before::Wait));
}

#[test]
fn xpub_shall_not_modify_outgoing_messages() {
    let xpub = xpub();
    let peers = [join(&xpub, 10), join(&xpub, 10)];
    for peer in &peers {
        subscribe(&xpub, peer, "");
    }
    assert_eq!(send(&xpub, frames(["\u{1}topic", "body"])), 0);
    for peer in &peers {
        assert_eq!(peer.take_sent(), [frames(["\u{1}topic", "body"])]);
    }
}

#[test]
fn xpub_shall_compare_the_subscription_with_the_start_of_the_first_frame() {
    let xpub = xpub();
    let peer = join(&xpub, 10);
    subscribe(&xpub, &peer, "ab");
    send(&xpub, frames(["a", "ab"]));
    send(&xpub, text("b"));
    send(&xpub, frames(["ab", "x"]));
    send(&xpub, text("abc"));
    assert_eq!(peer.take_sent(), [frames(["ab", "x"]), text("abc")]);
}

#[test]
fn xpub_sends_once_to_a_peer_with_several_matching_subscriptions() {
    let xpub = xpub();
    let (one, two) = (join(&xpub, 10), join(&xpub, 10));
    for topic in ["", "a", "ab"] {
        subscribe(&xpub, &one, topic);
    }
    subscribe(&xpub, &two, "ab");
    send(&xpub, text("abc"));
    send(&xpub, text("x"));
    assert_eq!(one.take_sent(), texts(["abc", "x"]));
    assert_eq!(two.take_sent(), texts(["abc"]));
}

#[test]
fn xpub_shall_silently_drop_the_message_if_the_queue_for_a_subscriber_is_full() {
    let xpub = xpub();
    let (small, large) = (join(&xpub, 1), join(&xpub, 3));
    subscribe(&xpub, &small, "");
    subscribe(&xpub, &large, "");
    let lost: Vec<usize> = ["1", "2", "3", "4"].map(|body| send(&xpub, text(body))).into();
    assert_eq!(lost, [0, 1, 1, 2]);
    assert_eq!(small.take_sent(), texts(["1"]));
    assert_eq!(large.take_sent(), texts(["1", "2", "3"]));
}

#[test]
fn xpub_shall_not_block_on_sending() {
    let xpub = xpub();
    assert_eq!(send(&xpub, text("nobody is here")), 0);
    let peer = join(&xpub, 0);
    assert_eq!(send(&xpub, text("nobody subscribes")), 0);
    subscribe(&xpub, &peer, "");
    assert_eq!(send(&xpub, text("full")), 1);
}

#[test]
fn xpub_shall_keep_the_queue_of_a_connected_subscriber_while_it_is_down() {
    let xpub = xpub();
    let peer = attach(&xpub, 10);
    up(&xpub, &peer);
    subscribe(&xpub, &peer, "a");
    send(&xpub, text("a1"));
    xpub.down(&peer);
    assert_eq!(received(&xpub), texts(["\u{1}a", "\0a"]));
    // Its subscriptions are unknown until it is back.
    send(&xpub, text("a2"));
    up(&xpub, &peer);
    subscribe(&xpub, &peer, "a");
    send(&xpub, text("a3"));
    assert_eq!(peer.take_sent(), texts(["a1", "a3"]));
    assert_eq!(received(&xpub), texts(["\u{1}a"]));
}

#[test]
fn xpub_shall_receive_subscribe_and_cancel_in_both_forms() {
    let xpub = xpub();
    let peer = join(&xpub, 10);
    let ready = Delivered { readable: true, discarded: 0 };
    assert_eq!(subscribe(&xpub, &peer, "a"), ready);
    assert_eq!(deliver(&xpub, &peer, Item::Message(text("\u{1}b"))), ready);
    assert_eq!(deliver(&xpub, &peer, Item::Message(text("\0a"))), ready);
    assert_eq!(cancel(&xpub, &peer, "b"), ready);
    assert_eq!(received(&xpub), texts(["\u{1}a", "\u{1}b", "\0a", "\0b"]));
    send(&xpub, text("ab"));
    assert_eq!(peer.take_sent(), []);
}

#[test]
fn xpub_shall_deliver_user_messages_to_its_application() {
    let xpub = xpub();
    let peer = join(&xpub, 10);
    // With more than one frame it is no subscription, whatever it starts with.
    for message in [text("\u{2}A"), frames(["\u{1}A", "B"]), text("")] {
        deliver(&xpub, &peer, Item::Message(message.clone()));
        assert_eq!(received(&xpub), [message]);
    }
    send(&xpub, text("A"));
    assert_eq!(peer.take_sent(), []);
}

#[test]
fn xpub_shall_generate_a_cancel_if_the_subscriber_disconnects() {
    let xpub = xpub();
    let (one, two) = (join(&xpub, 10), join(&xpub, 10));
    for topic in ["a", "b", "c"] {
        subscribe(&xpub, &one, topic);
    }
    subscribe(&xpub, &two, "b");
    received(&xpub);
    xpub.detach(&one);
    let mut cancelled = received(&xpub);
    cancelled.sort_by(|a, b| a.first().cmp(b.first()));
    assert_eq!(cancelled, texts(["\0a", "\0c"]));
    xpub.detach(&two);
    xpub.detach(&two);
    assert_eq!(received(&xpub), texts(["\0b"]));
}

#[test]
fn subscriptions_of_a_peer_are_a_set() {
    let xpub = xpub();
    let peer = join(&xpub, 10);
    for _ in 0..3 {
        subscribe(&xpub, &peer, "a");
    }
    cancel(&xpub, &peer, "a");
    send(&xpub, text("a"));
    assert_eq!(peer.take_sent(), []);
    assert_eq!(received(&xpub), texts(["\u{1}a", "\0a"]));
}

#[test]
fn cancelling_what_is_not_subscribed_to_is_never_forwarded() {
    for verbosity in [XPubVerbosity::Changes, XPubVerbosity::Subscriptions, XPubVerbosity::All] {
        let xpub = XPub::new(&options().xpub_verbosity(verbosity));
        let (one, two) = (join(&xpub, 10), join(&xpub, 10));
        subscribe(&xpub, &one, "a");
        received(&xpub);
        cancel(&xpub, &two, "a");
        cancel(&xpub, &one, "b");
        cancel(&xpub, &one, "");
        assert_eq!(received(&xpub), []);
    }
}

#[test]
fn verbosity_decides_which_changes_are_told() {
    let told = |verbosity| {
        let xpub = XPub::new(&options().xpub_verbosity(verbosity));
        let (one, two) = (join(&xpub, 10), join(&xpub, 10));
        subscribe(&xpub, &one, "a");
        subscribe(&xpub, &two, "a");
        subscribe(&xpub, &two, "a");
        cancel(&xpub, &one, "a");
        subscribe(&xpub, &one, "a");
        cancel(&xpub, &one, "a");
        xpub.detach(&two);
        received(&xpub)
    };
    assert_eq!(told(XPubVerbosity::Changes), texts(["\u{1}a", "\0a"]));
    let subscriptions = texts(["\u{1}a", "\u{1}a", "\u{1}a", "\u{1}a", "\0a"]);
    assert_eq!(told(XPubVerbosity::Subscriptions), subscriptions);
    let all = texts(["\u{1}a", "\u{1}a", "\u{1}a", "\0a", "\u{1}a", "\0a", "\0a"]);
    assert_eq!(told(XPubVerbosity::All), all);
}

#[test]
fn nodrop_is_exact_and_all_or_nothing() {
    let xpub = XPub::new(&options().xpub_nodrop(true));
    let (full, other, stranger) = (join(&xpub, 2000), join(&xpub, 5000), join(&xpub, 0));
    subscribe(&xpub, &full, "");
    subscribe(&xpub, &other, "");
    subscribe(&xpub, &stranger, "only this");
    for _ in 0..2000 {
        assert_eq!(send(&xpub, text("x")), 0);
    }
    for _ in 0..3 {
        assert_eq!(route(&xpub, text("x")), Routed::Mute);
    }
    assert_eq!(other.take_sent().len(), 2000);
    assert_eq!(full.take_sent().len(), 2000);
    xpub.room(&full);
    assert_eq!(send(&xpub, text("x")), 0);
    assert_eq!((full.take_sent().len(), other.take_sent().len()), (1, 1));
}

#[test]
fn a_welcome_message_comes_first_on_every_connection() {
    let publisher = XPub::publisher(&options().xpub_welcome(text("W")));
    let peer = attach(&publisher, 10);
    assert_eq!(peer.take_sent(), []);
    up(&publisher, &peer);
    subscribe(&publisher, &peer, "");
    send(&publisher, text("1"));
    assert_eq!(peer.take_sent(), texts(["W", "1"]));
    publisher.down(&peer);
    up(&publisher, &peer);
    assert_eq!(peer.take_sent(), texts(["W"]));
}

#[test]
fn a_peer_that_turns_out_to_have_left_is_removed() {
    let xpub = xpub();
    let (gone, here) = (join(&xpub, 10), join(&xpub, 10));
    subscribe(&xpub, &gone, "a");
    subscribe(&xpub, &here, "");
    received(&xpub);
    gone.depart();
    assert_eq!(send(&xpub, text("a")), 0);
    assert_eq!(here.take_sent(), texts(["a"]));
    assert_eq!(received(&xpub), texts(["\0a"]));
    xpub.detach(&gone);
    assert_eq!(received(&xpub), []);
}
