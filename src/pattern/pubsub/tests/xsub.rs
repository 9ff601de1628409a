//! XSUB and SUB: one test per SHALL of RFC 29, then how subscriptions count.

use crate::pattern::SendRefusal;

use super::*;

fn accepted(pattern: &XSub, peer: &FakePeer, body: &'static str) -> bool {
    accept(pattern, peer, text(body)).is_some()
}

#[test]
fn sub_shall_only_receive_messages() {
    let sub = XSub::sub();
    let peer = join(&sub, 10);
    assert_eq!(route(&sub, text("\u{1}a")), Routed::Refused(SendRefusal::OutOfTurn));
    assert!(peer.take_sent().is_empty() && peer.take_controls().is_empty());
}

#[test]
fn xsub_shall_accept_subscription_commands_from_its_application() {
    let xsub = XSub::new();
    let peer = join(&xsub, 0);
    send(&xsub, text("\u{1}a"));
    send(&xsub, text("\0a"));
    send(&xsub, text("\0a"));
    assert_eq!(peer.take_controls(), [subscription("a"), cancellation("a")]);
}

#[test]
fn xsub_shall_send_subscriptions_to_each_publisher_once_it_is_up() {
    for xsub in [XSub::new(), XSub::sub()] {
        let (early, late) = (join(&xsub, 0), attach(&xsub, 0));
        for topic in ["b", "a", "b", "c"] {
            change(&xsub, subscription(topic));
        }
        change(&xsub, cancellation("c"));
        // Every SUBSCRIBE is sent, as libzmq does, and the last CANCEL.
        let all = [
            subscription("b"),
            subscription("a"),
            subscription("b"),
            subscription("c"),
            cancellation("c"),
        ];
        assert_eq!(early.take_controls(), all);
        assert_eq!(late.take_controls(), []);
        // Each topic once, now and whenever it comes back.
        for _ in 0..2 {
            up(&xsub, &late);
            assert_eq!(late.take_controls(), [subscription("a"), subscription("b")]);
            xsub.down(&late);
            change(&xsub, subscription("d"));
            change(&xsub, cancellation("d"));
            assert_eq!(late.take_controls(), []);
        }
    }
}

#[test]
fn subscriptions_are_counted_here_and_cancelled_once() {
    let sub = XSub::sub();
    let peer = join(&sub, 0);
    change(&sub, subscription("a"));
    change(&sub, subscription("a"));
    peer.take_controls();
    change(&sub, cancellation("x"));
    change(&sub, cancellation("a"));
    assert_eq!(peer.take_controls(), []);
    assert!(accepted(&sub, &peer, "a"));
    change(&sub, cancellation("a"));
    change(&sub, cancellation("a"));
    assert_eq!(peer.take_controls(), [cancellation("a")]);
    assert!(!accepted(&sub, &peer, "a"));
}

#[test]
fn sub_filters_what_publishers_send_beyond_its_subscriptions() {
    let sub = XSub::sub();
    let peer = join(&sub, 0);
    assert!(!accepted(&sub, &peer, "") && !accepted(&sub, &peer, "abc"));
    change(&sub, subscription("ab"));
    assert!(accepted(&sub, &peer, "ab") && accepted(&sub, &peer, "abc"));
    assert!(!accepted(&sub, &peer, "a") && !accepted(&sub, &peer, "b"));
    change(&sub, subscription(""));
    assert!(accepted(&sub, &peer, "") && accepted(&sub, &peer, "x"));
    change(&sub, cancellation(""));
    assert!(!accepted(&sub, &peer, "x") && accepted(&sub, &peer, "abc"));
}

#[test]
fn xsub_shall_deliver_messages_unmodified_and_unfiltered() {
    let xsub = XSub::new();
    let peer = join(&xsub, 0);
    let delivery = accept(&xsub, &peer, frames(["a", "b"])).expect("XSUB takes all");
    assert_eq!((delivery.message, delivery.from), (frames(["a", "b"]), None));
}

#[test]
fn xsub_shall_send_all_messages_to_all_connected_publishers() {
    let xsub = XSub::new();
    let (here, dialled) = (join(&xsub, 10), attach(&xsub, 10));
    // Several frames make no subscription.
    let messages = [text("hello"), frames(["\u{1}a", "b"]), text("")];
    for message in messages.clone() {
        assert_eq!(send(&xsub, message), 0);
    }
    assert_eq!(here.take_sent(), messages);
    assert_eq!(dialled.take_sent(), messages);
    xsub.detach(&here);
    send(&xsub, text("x"));
    assert_eq!((here.take_sent().len(), dialled.take_sent().len()), (0, 1));
}

#[test]
fn xsub_shall_silently_drop_the_message_if_the_queue_for_a_publisher_is_full() {
    let xsub = XSub::new();
    let (small, large) = (join(&xsub, 1), join(&xsub, 2));
    let lost: Vec<usize> = ["1", "2", "3"].map(|body| send(&xsub, text(body))).into();
    assert_eq!(lost, [0, 1, 2]);
    assert_eq!(small.take_sent(), texts(["1"]));
    assert_eq!(large.take_sent(), texts(["1", "2"]));
}

#[test]
fn xsub_shall_not_block_on_sending() {
    let xsub = XSub::new();
    assert_eq!(send(&xsub, text("nobody is here")), 0);
    let gone = join(&xsub, 10);
    gone.depart();
    assert_eq!(send(&xsub, text("gone")), 0);
    assert_eq!(gone.place.get(), None);
}

#[test]
fn a_forwarder_passes_messages_and_subscriptions_on() {
    let (publisher, front) = (XPub::publisher(&options()), XSub::new());
    let (back, sub) = (XPub::new(&options()), XSub::sub());
    let (up, down) = (Link::new(&front, &publisher), Link::new(&sub, &back));
    change(&sub, subscription(""));
    down.carry();
    for notice in received(&back) {
        send(&front, notice);
    }
    up.carry();
    send(&publisher, text(""));
    for message in up.carry() {
        send(&back, message);
    }
    assert_eq!(down.carry(), texts([""]));
}

#[test]
fn verbose_publishers_see_every_subscription_of_a_counting_subscriber() {
    let verbose = options().xpub_verbosity(crate::XPubVerbosity::All);
    let (xpub, sub) = (XPub::new(&verbose), XSub::sub());
    let link = Link::new(&sub, &xpub);
    for step in [subscription("A"), subscription("A"), cancellation("A"), cancellation("A")] {
        change(&sub, step);
    }
    link.carry();
    assert_eq!(received(&xpub), texts(["\u{1}A", "\u{1}A", "\0A"]));
}

/// The rest of the replay, in steps.
fn tidy(pattern: &XSub) -> bool {
    let mut touched = Touched::default();
    let more = pattern.tidy(&mut touched);
    touched.flush();
    more
}

fn numbered(number: usize) -> Bytes {
    format!("{number:05}").into()
}

#[test]
fn many_subscriptions_are_sent_in_steps_and_changes_are_not_lost_between() {
    let sub = XSub::sub();
    for number in 0..3000 {
        change(&sub, Subscription::Subscribe(numbered(number)));
    }
    let (early, late) = (join(&sub, 0), join(&sub, 0));
    let told = |peer: &FakePeer| -> Vec<_> {
        peer.take_controls().into_iter().map(|change| change.topic().clone()).collect()
    };
    let first: Vec<_> = (0..1024).map(numbered).collect();
    assert_eq!((told(&early), told(&late)), (first.clone(), first));
    // What was told is changed, and what is still to be told.
    for number in [5, 2000] {
        change(&sub, Subscription::Cancel(numbered(number)));
        change(&sub, Subscription::Subscribe(format!("{number:05}x").into()));
    }
    let changes = [Subscription::Cancel(numbered(5)), subscription("00005x")];
    assert_eq!((early.take_controls(), late.take_controls()), (changes.to_vec(), changes.to_vec()));
    // One of them is lost on the way.
    sub.down(&late);
    assert!(tidy(&sub) && !tidy(&sub) && !tidy(&sub));
    let mut rest: Vec<_> = (1024..3000).map(numbered).collect();
    rest[2000 - 1024] = "02000x".into();
    assert_eq!((told(&early), told(&late)), (rest.clone(), vec![]));
    // It begins anew.
    up(&sub, &late);
    while tidy(&sub) {}
    let mut all: Vec<_> = (0..1024).map(numbered).chain(rest).collect();
    all[5] = "00005x".into();
    assert_eq!(told(&late), all);
    change(&sub, subscription("a"));
    assert_eq!((told(&early), told(&late)), (vec!["a".into()], vec!["a".into()]));
}

#[test]
fn a_replay_ends_with_its_peer() {
    let xsub = XSub::new();
    for number in 0..3000 {
        change(&xsub, Subscription::Subscribe(numbered(number)));
    }
    let (detached, gone) = (join(&xsub, 1), join(&xsub, 1));
    xsub.detach(&detached);
    gone.depart();
    send(&xsub, text("x"));
    assert!(!tidy(&xsub));
    assert_eq!((detached.take_controls().len(), gone.take_controls().len()), (1024, 1024));
}
