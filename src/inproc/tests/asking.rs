//! Requests: only what comes after one may be its reply.

use super::*;

/// A REQ and whoever answers it.
fn asking() -> (Arc<Socket>, Arc<Socket>) {
    let (req, rep) = (Socket::new(&ASKS, SocketOptions::new()), Socket::plain());
    joined(&req, &rep);
    (req, rep)
}

#[test]
fn what_comes_while_nothing_is_asked_is_discarded_as_it_comes() {
    let (req, rep) = asking();
    assert!(rep.send("early") && rep.send("early"));
    assert_eq!(req.lost(DropCause::Discarded), 2);
    assert!(req.receive_all().is_empty());
    assert!(req.ask("question"));
    assert_eq!(rep.receive_all(), ["question"]);
    rep.send("answer");
    assert_eq!(req.receive_all(), ["answer"]);
    assert_eq!(req.lost(DropCause::Discarded), 2);
}

#[test]
fn it_takes_no_room_either() {
    let req = Socket::new(&ASKS, SocketOptions::new().recv_hwm(1));
    let rep = Socket::new(&PLAIN, SocketOptions::new().send_hwm(1));
    joined(&req, &rep);
    assert_eq!(rep.fill(), 10_000);
    assert_eq!(req.lost(DropCause::Discarded), 10_000);
    req.ask("question");
    assert_eq!(rep.fill(), 2);
}

#[test]
fn what_came_for_the_last_request_is_no_reply_to_the_next() {
    let (req, rep) = asking();
    req.ask("first");
    rep.send("to the first");
    // Relaxed: it does not wait for that.
    req.ask("second");
    assert_eq!(req.lost(DropCause::Discarded), 1);
    rep.send("to the second");
    assert_eq!(req.receive_all(), ["to the second"]);
}

#[test]
fn what_follows_the_reply_is_discarded() {
    let (req, rep) = asking();
    req.ask("question");
    for answer in ["answer", "double", "triple"] {
        rep.send(answer);
    }
    assert_eq!(req.receive_batch(1).expect("a batch"), ["answer"]);
    req.answered();
    rep.send("late");
    assert_eq!(req.lost(DropCause::Discarded), 3);
    assert!(req.receive_all().is_empty());
    // The fence is up until the next request.
    req.ask("next");
    rep.send("its answer");
    assert_eq!(req.receive_all(), ["its answer"]);
}

#[test]
fn what_was_discarded_with_the_pattern_locked_is_counted_at_the_latest_with_the_end() {
    let (req, rep) = asking();
    req.ask("question");
    for answer in ["answer", "double"] {
        rep.send(answer);
    }
    assert_eq!(req.receive_batch(1).expect("a batch"), ["answer"]);
    req.answered();
    rep.line().close(None);
    assert_eq!(req.lost(DropCause::Discarded), 1);
}

#[test]
fn a_request_that_waited_for_somebody_to_bind_is_answered() {
    let (req, rep) = (Socket::new(&ASKS, SocketOptions::new()), Socket::plain());
    let registry = Registry::default();
    req.connect(&registry);
    assert!(req.ask("question"));
    rep.bind(&registry);
    assert_eq!(rep.receive_all(), ["question"]);
    rep.send("answer");
    assert_eq!(req.receive_all(), ["answer"]);
}

#[test]
fn what_waited_for_one_who_asks_was_not_asked_for() {
    let (req, router) = (Socket::new(&ASKS, SocketOptions::new()), Socket::plain());
    let registry = Registry::default();
    router.connect(&registry);
    router.send("early");
    req.bind(&registry);
    assert_eq!(req.lost(DropCause::Discarded), 1);
    req.ask("question");
    router.send("answer");
    assert_eq!(req.receive_all(), ["answer"]);
}

#[test]
fn a_request_that_finds_no_room_asks_nothing() {
    let req = Socket::new(&ASKS, SocketOptions::new().send_hwm(1));
    let rep = Socket::new(&PLAIN, SocketOptions::new().recv_hwm(1));
    joined(&req, &rep);
    assert!(req.send("probe") && req.send("probe"));
    assert!(!req.ask("question"));
    rep.send("unasked");
    assert_eq!(req.lost(DropCause::Discarded), 1);
    rep.receive_all();
    // Whoever was refused is told.
    assert_eq!(req.log(), ["room"]);
    // Nor does one to somebody who has left.
    let line = req.line();
    rep.line().close(None);
    assert!(matches!(line.ask(&mut "question".into()), Err(Refused::Gone)));
}
