//! NULL with a policy: our READY waits for the verdict.

use super::*;
use crate::security::{Credentials, Denial, Policy, Security, Verdict};

fn asking(socket_type: SocketType, judges: bool) -> Handshake {
    let security = Security::Null { policy: Some(Policy::deny_all()) };
    Handshake::new(HandshakeConfig { judges, security, ..config(socket_type) })
}

/// One that has the peer's greeting, its own taken.
fn greeted() -> Handshake {
    let mut handshake = asking(SocketType::Dealer, false);
    assert_eq!(&handshake.output()[..], GREETING, "NULL has no servers");
    handshake.feed(GREETING).unwrap();
    assert!(handshake.output().is_empty(), "READY waits");
    handshake
}

#[test]
fn ready_waits_for_the_verdict() {
    let mut handshake = greeted();
    let question = handshake.question().unwrap();
    assert!(matches!(question.credentials, Credentials::None));
    handshake.answer(Verdict::accept()).unwrap();
    assert!(handshake.question().is_none());
    assert_eq!(&handshake.output()[..], OUR_DEALER_READY);
    assert!(!handshake.is_done());
    handshake.feed(DEALER_READY).unwrap();
    assert!(handshake.is_done());
}

#[test]
fn what_comes_meanwhile_is_kept_wherever_it_is_split() {
    let octets = [&GREETING[..], DEALER_READY, b"\x00\x05Hello"].concat();
    for split in GREETING.len()..=octets.len() {
        let mut handshake = asking(SocketType::Dealer, false);
        handshake.feed(&octets[..split]).unwrap();
        assert!(!handshake.is_done() && handshake.introduction().is_none());
        handshake.answer(Verdict::accept_as("me")).unwrap();
        handshake.feed(&octets[split..]).unwrap();
        handshake.output();
        let (mut receiving, _, peer) = handshake.into_traffic();
        assert_eq!(peer.user_id.as_deref(), Some("me"));
        assert_eq!(receiving.next(), Ok(Some(Incoming::Message(message(&[b"Hello"])))));
    }
}

#[test]
fn two_that_have_policies_do_not_wait_for_each_other() {
    for judges in [false, true] {
        let mut one = asking(SocketType::Dealer, false);
        let mut two = asking(SocketType::Router, judges);
        for _ in 0..3 {
            two.feed(&one.output()).unwrap();
            one.feed(&two.output()).unwrap();
            for who in [&mut one, &mut two] {
                who.answer(Verdict::accept()).unwrap();
                who.admit();
            }
        }
        assert!(one.is_done() && two.is_done(), "{judges}");
    }
}

#[test]
fn who_is_denied_is_told_by_a_number_or_not_at_all() {
    for (how, told) in [
        (Denial::Temporary, &b""[..]),
        (Denial::Unauthorized, b"\x04\x0a\x05ERROR\x03400"),
        (Denial::Internal, b"\x04\x0a\x05ERROR\x03500"),
    ] {
        let mut handshake = greeted();
        handshake.feed(DEALER_READY).unwrap();
        let denied = PeerFault::Denied { how, reason: "why".into() };
        assert_eq!(handshake.answer(Verdict::deny_with(how, "why")), Err(denied.clone()));
        assert_eq!(&handshake.output()[..], told);
        assert_eq!(handshake.held(), 0);
        assert_eq!(handshake.answer(Verdict::accept()), Ok(()));
        assert_eq!(handshake.feed(DEALER_READY), Err(denied));
        assert!(handshake.output().is_empty() && !handshake.is_done());
    }
}

#[test]
fn a_fault_that_came_meanwhile_is_found_after_the_verdict() {
    let mut handshake = greeted();
    handshake.feed(b"\x04\x07\x05HELLO\0").unwrap();
    let fault = PeerFault::UnexpectedInHandshake { command: "HELLO".into() };
    assert_eq!(handshake.answer(Verdict::accept()), Err(fault.clone()));
    assert_eq!(handshake.feed(b"x"), Err(fault));
}

#[test]
fn without_a_question_an_answer_means_nothing() {
    let mut handshake = Handshake::new(config(SocketType::Dealer));
    handshake.output();
    assert_eq!(handshake.answer(Verdict::accept_as("me")), Ok(()));
    assert_eq!(handshake.answer(Verdict::deny("no")), Ok(()));
    handshake.feed(&[&GREETING[..], DEALER_READY].concat()).unwrap();
    handshake.output();
    let (.., peer) = handshake.into_traffic();
    assert_eq!(peer.user_id, None);
}
