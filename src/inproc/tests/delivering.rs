//! Patterns that take what comes at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;

fn at_once() -> Arc<Socket> {
    Socket::new(&AT_ONCE, SocketOptions::new())
}

fn delivered(socket: &Socket) -> Vec<String> {
    std::mem::take(&mut socket.state().delivered)
}

#[test]
fn whoever_flushes_hands_over_in_order() {
    let [sub, publisher] = [Socket::plain(), at_once()];
    joined(&sub, &publisher);
    sub.send("0");
    sub.subscribe("a");
    assert_eq!(delivered(&publisher), ["0", "+b\"a\""]);
    // What was pushed before anybody flushes stays in order, too.
    let line = sub.line();
    for number in ["1", "2"] {
        let _ = line.push(&mut number.into());
        let _ = line.control(Subscription::Subscribe("b".into()));
    }
    assert!(delivered(&publisher).is_empty());
    line.flush(Flush::Here);
    assert_eq!(delivered(&publisher), ["1", "+b\"b\"", "2", "+b\"b\""]);
}

#[test]
fn subscriptions_before_the_meeting_are_forgotten() {
    let [sub, publisher] = [Socket::plain(), at_once()];
    let registry = Registry::default();
    sub.connect(&registry);
    sub.subscribe("early");
    sub.send("0");
    publisher.bind(&registry);
    sub.subscribe("late");
    assert_eq!(delivered(&publisher), ["0", "+b\"late\""]);
}

#[test]
fn what_is_delivered_may_be_answered_at_once() {
    let [one, other] = [at_once(), at_once()];
    joined(&one, &other);
    other.state().echoes = true;
    for number in 0..3 {
        one.send(&number.to_string());
    }
    assert_eq!(delivered(&other), numbers(0..3));
    assert_eq!(delivered(&one), numbers(0..3));
}

#[test]
fn an_answer_to_an_answer_is_handed_over_by_the_one_who_is_about_it() {
    let [one, other] = [at_once(), at_once()];
    joined(&one, &other);
    other.state().echoes = true;
    one.state().echoes = true;
    // An endless game; it ends with the line of one of the two.
    let stop = one.line();
    let ending = thread::spawn({
        let other = Arc::clone(&other);
        move || {
            while other.state().delivered.len() < 1000 {
                thread::yield_now();
            }
            stop.close(None);
        }
    });
    one.send("ball");
    ending.join().expect("no panic");
    assert!(delivered(&one).len() >= 999);
}

#[test]
fn room_is_told_while_items_are_handed_over() {
    let push = Socket::new(&PLAIN, SocketOptions::new().send_hwm(1));
    let taker = Socket::new(&AT_ONCE, SocketOptions::new().recv_hwm(1));
    joined(&push, &taker);
    let line = push.line();
    while line.push(&mut "0".into()).is_ok() {}
    line.flush(Flush::Here);
    assert_eq!(push.log(), ["room"]);
    assert_eq!(delivered(&taker).len(), 2);
}

#[test]
fn many_who_flush_hand_over_each_item_once_and_one_at_a_time() {
    const EACH: usize = 500;
    let many = SocketOptions::new().send_hwm(0);
    let [sub, publisher] = [Socket::new(&PLAIN, many), at_once()];
    joined(&sub, &publisher);
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let line = sub.line();
                    let pushed = {
                        let _pattern = sub.pattern.lock();
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        line.push(&mut number.to_string().into())
                    };
                    sub.flush_if(pushed);
                }
            });
        }
    });
    assert_eq!(delivered(&publisher), numbers(0..4 * EACH));
}

#[test]
fn what_was_not_flushed_yet_is_handed_over_when_the_sender_leaves() {
    let [sub, publisher] = [Socket::plain(), at_once()];
    joined(&sub, &publisher);
    let _ = sub.push("0");
    sub.line().close(None);
    assert_eq!(delivered(&publisher), ["0"]);
    assert_eq!(publisher.log(), ["detach", "disconnected: peer closed"]);
    assert!(publisher.state().roster.is_empty());
}
