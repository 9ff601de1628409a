//! What is left when one of the two leaves.

use super::*;

#[test]
fn both_are_told_after_it_is_out_of_routing() {
    let [connector, binder] = [(); 2].map(|()| Socket::plain());
    for (leaving, left) in [(&connector, &binder), (&binder, &connector)] {
        joined(&connector, &binder);
        leaving.line().close(None);
        assert_eq!(leaving.log(), ["detach", "disconnected: by us"]);
        assert_eq!(left.log(), ["detach", "disconnected: peer closed"]);
        // Nothing was unread, so both have forgotten it though nobody receives.
        for socket in [leaving, left] {
            let state = socket.state();
            assert!(state.roster.is_empty() && state.ready.is_empty());
        }
    }
}

#[test]
fn what_came_before_stays_readable_and_then_the_peer_is_forgotten() {
    let [push, pull] = [(); 2].map(|()| Socket::plain());
    joined(&push, &pull);
    for number in 0..3 {
        push.send(&number.to_string());
    }
    let line = push.line();
    line.close(None);
    assert!(matches!(line.push(&mut "late".into()), Err(Refused::Gone)));
    assert!(push.state().roster.is_empty());
    assert_eq!(pull.state().roster.len(), 1);
    assert_eq!(pull.receive_batch(2).expect("a batch"), numbers(0..2));
    assert_eq!(pull.state().roster.len(), 1);
    // The last of it and the end are seen in one look.
    assert_eq!(pull.receive_batch(2).expect("a batch"), ["2"]);
    assert!(pull.state().roster.is_empty() && pull.state().ready.is_empty());
}

#[test]
fn who_takes_its_own_back_discards_what_it_has_not_read() {
    let [push, pull] = [(); 2].map(|()| Socket::plain());
    joined(&push, &pull);
    for number in 0..7 {
        push.send(&number.to_string());
    }
    pull.line().close(None);
    assert_eq!(pull.lost(DropCause::Unread), 7);
    assert!(pull.receive_all().is_empty() && pull.state().roster.is_empty());
    assert!(!push.state().log.is_empty() && push.state().roster.is_empty());
}

#[test]
fn also_if_the_other_was_first_to_leave() {
    let [push, pull] = [(); 2].map(|()| Socket::plain());
    joined(&push, &pull);
    push.send("0");
    push.line().close(None);
    pull.log();
    pull.line().close(None);
    assert_eq!(pull.lost(DropCause::Unread), 1);
    assert!(pull.state().roster.is_empty() && pull.state().ready.is_empty());
    // The end was told before.
    assert_eq!(pull.log(), ["detach"]);
}

#[test]
fn a_peer_that_is_rejected_is_told_why_and_what_it_sent_stays() {
    let [dealer, router] = [(); 2].map(|()| Socket::plain());
    joined(&dealer, &router);
    dealer.send("from the first");
    router.send("to the first");
    router.line().reject(Unwelcome::RoutingIdTakenOver);
    for socket in [&dealer, &router] {
        assert_eq!(socket.log(), ["detach", "disconnected: RoutingIdTakenOver"]);
        assert!(!socket.send("late"));
    }
    assert_eq!(router.receive_all(), ["from the first"]);
    assert_eq!(dealer.receive_all(), ["to the first"]);
    assert!(dealer.state().roster.is_empty() && router.state().roster.is_empty());
}

#[test]
fn who_leaves_while_a_receiver_reads_is_looked_at_again() {
    let [push, pull] = [(); 2].map(|()| Socket::plain());
    joined(&push, &pull);
    push.send("0");
    let peer = pull.state().ready.pop_front().expect("it was listed");
    peer.duty.take();
    let mut hand = Hand::default();
    assert_eq!(peer.line.take(&mut hand, 10), Next::Empty);
    push.line().close(None);
    assert!(peer.duty.give_back(false));
    assert_eq!(peer.line.take(&mut hand, 10), Next::Gone);
}

#[test]
fn a_peer_can_be_discarded_before_it_is_closed() {
    let [push, pull] = [(); 2].map(|()| Socket::plain());
    joined(&push, &pull);
    push.send("0");
    assert_eq!(pull.line().discard(), 1);
    assert!(!push.send("1"));
    pull.line().close(None);
    assert_eq!(pull.lost(DropCause::Unread), 0);
    assert!(pull.state().roster.is_empty());
}

#[test]
fn a_waiting_sender_hears_that_the_other_has_left() {
    let push = Socket::new(&PLAIN, SocketOptions::new().send_hwm(1));
    let pull = Socket::new(&PLAIN, SocketOptions::new().recv_hwm(1));
    joined(&push, &pull);
    assert_eq!(push.fill(), 2);
    pull.line().close(None);
    assert_eq!(push.log(), ["detach", "disconnected: peer closed"]);
}

/// Peers come, send something or nothing, and go: in the end nothing is left of
/// any of them.
fn churn(traits: &'static Traits, unread: usize) {
    const ROUNDS: usize = 500;
    let ours = Socket::new(traits, SocketOptions::new());
    let registry = Registry::default();
    ours.bind(&registry);
    let mut ends = Vec::new();
    for _ in 0..ROUNDS {
        let theirs = Socket::plain();
        let owner = theirs.connect(&registry);
        ends.extend([&ours, &theirs].map(|it| Arc::downgrade(&it.peer())));
        for number in 0..unread {
            assert!(theirs.send(&number.to_string()));
        }
        registry.release(NAME, owner);
        theirs.line().close(None);
        assert!(theirs.state().roster.is_empty());
    }
    if unread > 0 {
        assert_eq!(ours.state().roster.len(), ROUNDS);
        assert_eq!(ours.receive_all().len(), ROUNDS * unread);
    }
    let state = ours.state();
    assert!(state.roster.is_empty() && state.ready.is_empty());
    assert!(ends.iter().all(|end| end.strong_count() == 0));
}

#[test]
fn peers_that_come_and_go_leave_nothing_behind() {
    churn(&PLAIN, 0);
    churn(&PLAIN, 1);
    churn(&PLAIN, 20);
    churn(&AT_ONCE, 0);
    churn(&ASKS, 0);
}
