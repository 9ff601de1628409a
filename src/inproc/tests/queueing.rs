//! Queues: order, marks, room, and what only the newest is kept of.

use super::*;

fn with_marks(send: usize, recv: usize) -> SocketOptions {
    SocketOptions::new().send_hwm(send).recv_hwm(recv)
}

#[test]
fn messages_come_in_order_and_one_event_tells_of_many() {
    let [push, pull] = [(); 2].map(|()| Socket::plain());
    joined(&push, &pull);
    assert_eq!(push.push("0").expect("room"), NeedsFlush::Yes);
    assert_eq!(push.push("1").expect("room"), NeedsFlush::No);
    assert!(pull.state().ready.is_empty());
    push.line().flush(Flush::Here);
    assert_eq!(push.push("2").expect("room"), NeedsFlush::No);
    assert_eq!(pull.receive_all(), numbers(0..3));
    // Empty again: the next is news.
    assert_eq!(push.push("3").expect("room"), NeedsFlush::Yes);
}

#[test]
fn what_comes_while_a_receiver_reads_is_not_left() {
    let [push, pull] = [(); 2].map(|()| Socket::plain());
    joined(&push, &pull);
    push.send("0");
    let peer = pull.state().ready.pop_front().expect("it was listed");
    peer.duty.take();
    let mut hand = Hand::default();
    assert_eq!(peer.line.take(&mut hand, 10), Next::Empty);
    // Between its look and its leaving.
    push.send("1");
    assert!(pull.state().ready.is_empty());
    assert!(peer.duty.give_back(false));
}

#[test]
fn what_was_left_to_a_task_that_does_not_exist_is_still_in_the_list() {
    let [push, pull] = [(); 2].map(|()| Socket::plain());
    joined(&push, &pull);
    push.send("0");
    let peer = pull.peer();
    assert!(peer.duty.hand_over());
    peer.line.read_ahead();
    // Who was told of the first finds the second, too.
    push.send("1");
    assert_eq!(pull.receive_all(), numbers(0..2));
    push.send("2");
    assert_eq!(pull.receive_all(), ["2"]);
}

#[test]
fn the_mark_is_the_sum_of_both() {
    for (send, recv, sum) in [(1, 1, 2), (3, 5, 8), (1000, 1000, 2000), (0, 5, 10_000)] {
        let [push, pull] = joined_with(with_marks(send, 1), with_marks(1, recv));
        assert_eq!(push.fill(), sum, "{send} + {recv}");
        assert_eq!(pull.receive_all(), numbers(0..sum));
        assert_eq!(push.fill(), sum, "{send} + {recv}, again");
    }
}

#[test]
fn what_receivers_have_in_hand_counts_against_the_mark() {
    let [push, pull] = joined_with(with_marks(40, 1), with_marks(1, 40));
    assert_eq!(push.fill(), 80);
    // An eighth of the mark at a time, the first of which is received.
    let (peer, batch) = pull.take_batch(usize::MAX).expect("a batch");
    assert_eq!(batch.len(), 10);
    assert_eq!(push.fill(), 1);
    peer.note_in_hand(5);
    assert_eq!(push.fill(), 4);
    peer.note_in_hand(0);
    assert_eq!(push.fill(), 5);
    // No more at a time than is asked for.
    assert_eq!(pull.take_batch(3).expect("a batch").1.len(), 3);
    assert_eq!(push.fill(), 1);
}

#[test]
fn a_full_hand_is_added_to() {
    let [push, pull] = [(); 2].map(|()| Socket::plain());
    joined(&push, &pull);
    for number in 1..4 {
        push.send(&number.to_string());
    }
    let mut hand = Hand::default();
    hand.push(Message::from("0"));
    assert_eq!(pull.line().take(&mut hand, 2), Next::More);
    assert_eq!(pull.line().take(&mut hand, 2), Next::Empty);
    let taken = std::iter::from_fn(|| hand.pop()).map(|message| text(&message));
    assert_eq!(taken.collect::<Vec<_>>(), numbers(0..4));
}

#[test]
fn room_is_told_at_half_of_the_mark_and_once() {
    let [push, pull] = joined_with(with_marks(4, 1), with_marks(1, 4));
    assert_eq!(push.fill(), 8);
    assert!(!push.line().has_room());
    for told in [false, false, false, true, false] {
        pull.receive_batch(1);
        let expected: &[&str] = if told { &["room"] } else { &[] };
        assert_eq!(push.log(), expected);
    }
    // Nobody was refused since.
    pull.receive_all();
    assert!(push.log().is_empty());
}

/// Two that are joined, with these options.
fn joined_with(push: SocketOptions, pull: SocketOptions) -> [Arc<Socket>; 2] {
    let sockets = [push, pull].map(|options| Socket::new(&PLAIN, options));
    joined(&sockets[0], &sockets[1]);
    sockets
}

fn with_octets(send: usize, recv: usize) -> SocketOptions {
    let options = SocketOptions::new().send_hwm(0).recv_hwm(0);
    options.send_hwm_bytes(send).recv_hwm_bytes(recv)
}

/// A message that weighs so much.
fn of_weight(weight: usize) -> String {
    "x".repeat(weight)
}

impl Socket {
    /// How many messages of this weight it can send before it is refused.
    fn fill_with(&self, weight: usize) -> usize {
        (0..10_000).take_while(|_| self.send(&of_weight(weight))).count()
    }
}

#[test]
fn the_mark_in_octets_is_the_sum_of_both_and_admits_one_more() {
    for (send, recv, count) in [(1, 1, 1), (1000, 1000, 2), (1001, 1000, 3), (1000, 0, 10_000)] {
        let [pull, push] = [with_octets(1, recv), with_octets(send, 1)]
            .map(|options| Socket::new(&PLAIN, options));
        joined(&push, &pull);
        assert_eq!(push.fill_with(1000), count, "{send} + {recv}");
        assert_eq!(pull.receive_all().len(), count, "{send} + {recv}");
        assert_eq!(push.fill_with(1000), count, "{send} + {recv}, again");
    }
    // Whoever sends has to ask for it.
    let [pull, push] = [with_octets(1, 1), with_octets(0, 1)];
    let [pull, push] = [pull, push].map(|options| Socket::new(&PLAIN, options));
    joined(&push, &pull);
    assert_eq!(push.fill_with(1000), 10_000);
}

#[test]
fn octets_that_receivers_have_in_hand_count_until_all_are_received() {
    let [push, pull] = joined_with(with_octets(4000, 1), with_octets(1, 4000));
    assert_eq!(push.fill_with(100), 80);
    // An eighth of the mark at a time, and the first, which is received.
    let (peer, batch) = pull.take_batch(usize::MAX).expect("a batch");
    assert_eq!(batch.len(), 11);
    assert_eq!(push.fill_with(100), 1);
    peer.note_in_hand(1);
    assert_eq!(push.fill_with(100), 0);
    peer.note_in_hand(0);
    assert_eq!(push.fill_with(100), 10);
}

#[test]
fn room_for_octets_is_told_at_half_of_the_mark_and_once() {
    let [push, pull] = joined_with(with_octets(400, 1), with_octets(1, 400));
    assert_eq!(push.fill_with(100), 8);
    assert!(!push.line().has_room());
    for told in [false, false, false, true, false] {
        pull.receive_batch(1);
        let expected: &[&str] = if told { &["room"] } else { &[] };
        assert_eq!(push.log(), expected);
    }
    // A single one of any size, and whoever waits is told when that is received.
    pull.receive_all();
    assert!(push.send(&of_weight(1 << 20)) && !push.send("more"));
    assert_eq!(pull.receive_all().len(), 1);
    assert_eq!(push.log(), ["room"]);
}

#[test]
fn octets_that_wait_for_nobody_yet_have_the_mark_of_one_until_somebody_comes() {
    let push = Socket::new(&PLAIN, with_octets(200, 1));
    let pull = Socket::new(&PLAIN, with_octets(1, 300));
    let registry = Registry::default();
    push.connect(&registry);
    assert_eq!(push.fill_with(100), 2);
    pull.bind(&registry);
    assert_eq!(push.log(), ["attach", "up", "room", "ready"]);
    assert_eq!(push.fill_with(100), 3);
    assert_eq!(pull.receive_all().len(), 5);
}

#[test]
fn what_is_cleared_away_makes_room_for_octets() {
    let req = Socket::new(&ASKS, with_octets(0, 1));
    let rep = Socket::new(&PLAIN, with_octets(99, 0));
    joined(&req, &rep);
    assert!(req.ask("first"));
    assert_eq!(rep.fill_with(100), 1);
    assert!(rep.log().iter().all(|entry| entry != "room"));
    // It is relaxed, and what came for the first is no reply to the next.
    assert!(req.ask("second"));
    assert!(rep.log().contains(&"room".to_owned()));
    assert_eq!(rep.fill_with(100), 1);
}

#[test]
fn a_pattern_that_takes_at_once_makes_room_for_octets() {
    let publisher = Socket::new(&AT_ONCE, with_octets(0, 1));
    let sub = Socket::new(&PLAIN, with_octets(99, 0));
    joined(&sub, &publisher);
    assert_eq!(sub.fill_with(1000), 10_000);
}

#[test]
fn who_waits_for_nobody_yet_has_its_own_mark_until_somebody_comes() {
    let push = Socket::new(&PLAIN, with_marks(2, 1));
    let pull = Socket::new(&PLAIN, with_marks(1, 3));
    let registry = Registry::default();
    push.connect(&registry);
    assert_eq!(push.fill(), 2);
    pull.bind(&registry);
    assert_eq!(push.log(), ["attach", "up", "room", "ready"]);
    assert_eq!(push.fill(), 3);
    assert_eq!(pull.receive_all(), ["0", "1", "0", "1", "2"]);
}

#[test]
fn the_newest_takes_the_place_of_others() {
    let last = || SocketOptions::new().conflate(true).send_hwm(1);
    let [push, pull] = [Socket::new(&PLAIN, last()), Socket::plain()];
    joined(&push, &pull);
    assert!(["0", "1", "2"].iter().all(|text| push.send(text)));
    assert_eq!(pull.receive_all(), ["2"]);
    assert_eq!(push.lost(DropCause::Conflated), 2);
    push.send("3");
    assert_eq!(pull.receive_all(), ["3"]);
}

#[test]
fn a_binder_that_keeps_the_newest_gets_the_newest_of_what_waited() {
    let pull = Socket::new(&PLAIN, SocketOptions::new().conflate(true));
    let (push, registry) = (Socket::plain(), Registry::default());
    push.connect(&registry);
    assert!(["0", "1", "2"].iter().all(|text| push.send(text)));
    pull.bind(&registry);
    assert_eq!(pull.receive_all(), ["2"]);
    assert_eq!(push.lost(DropCause::Conflated), 2);
}

#[test]
fn subscriptions_mean_nothing_to_receivers() {
    let [sub, other] = [(); 2].map(|()| Socket::plain());
    joined(&sub, &other);
    sub.subscribe("topic");
    assert!(other.state().ready.is_empty());
    sub.send("0");
    assert_eq!(other.receive_all(), ["0"]);
}
