//! REQ and replies that are none.

use ferromq::{DropCause, Endpoint, RecvError, RepSocket, ReqSocket};

use crate::raw::{MORE, Raw, frame, prelude};
use crate::victim::{PROBES, eventually, listen, within};

fn reply(text: &str) -> Vec<u8> {
    [frame(MORE, ""), frame(0, text)].concat()
}

async fn bound() -> (ReqSocket, Endpoint) {
    let req = ReqSocket::new();
    let endpoint = req.bind("tcp://127.0.0.1:*").await.unwrap();
    (req, endpoint)
}

/// Reads a request, delimiter and all.
async fn request(raw: &mut Raw) -> Vec<u8> {
    assert_eq!(raw.frame().await, (MORE, Vec::new()));
    raw.frame().await.1
}

/// Once the bad peer is gone, a good one answers 100 times.
async fn probe(req: &ReqSocket, endpoint: &Endpoint) {
    let rep = RepSocket::new();
    rep.connect(endpoint).unwrap();
    for number in 0..PROBES {
        within(req.send(format!("{number}"))).await.unwrap();
        assert_eq!(within(rep.recv()).await.unwrap(), format!("{number}").into());
        within(rep.send("reply")).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), "reply".into());
    }
}

#[tokio::test]
async fn a_reply_without_delimiter_is_discarded() {
    let (req, endpoint) = bound().await;
    let mut raw = Raw::join(&endpoint, "REP").await;
    within(req.send("question")).await.unwrap();
    assert_eq!(request(&mut raw).await, b"question");
    raw.send(&frame(0, "no delimiter")).await;
    raw.send(&[frame(MORE, "x"), frame(MORE, ""), frame(0, "address")].concat()).await;
    raw.send(&frame(0, "")).await;
    raw.send(&reply("good")).await;
    assert_eq!(within(req.recv()).await.unwrap(), "good".into());
    assert_eq!(req.dropped(DropCause::Discarded), 3);
    raw.finish().await;
    raw.closed().await;
    probe(&req, &endpoint).await;
}

/// What came before the request is not its reply.
#[tokio::test]
async fn an_early_reply_is_not_taken() {
    let (req, endpoint) = bound().await;
    let mut raw = Raw::connect(&endpoint).await;
    raw.shake(&[prelude("REP"), reply("in the first segment")].concat()).await;
    raw.send(&reply("early").repeat(500)).await;
    raw.barrier().await;
    within(req.send("question")).await.unwrap();
    assert_eq!(request(&mut raw).await, b"question");
    raw.send(&reply("good")).await;
    assert_eq!(within(req.recv()).await.unwrap(), "good".into());
    assert_eq!(req.dropped(DropCause::Discarded), 501);
}

/// Not even what is still in the kernel.
#[tokio::test]
async fn an_early_reply_that_nobody_has_read_is_not_taken() {
    let (req, endpoint) = bound().await;
    let mut raw = Raw::join(&endpoint, "REP").await;
    raw.barrier().await;
    raw.send(&reply("early").repeat(10)).await;
    within(req.send("question")).await.unwrap();
    assert_eq!(request(&mut raw).await, b"question");
    raw.send(&reply("good")).await;
    assert_eq!(within(req.recv()).await.unwrap(), "good".into());
}

/// A request may wait for its peer; what the peer says before it can have heard
/// the request is not its reply.
#[tokio::test]
async fn a_reply_to_a_request_that_still_waits_is_not_taken() {
    let (listener, attacker) = listen().await;
    let req = ReqSocket::new();
    req.connect(attacker).unwrap();
    within(req.send("question")).await.unwrap();
    let mut raw = Raw::accept(&listener).await;
    raw.shake(&[prelude("REP"), reply("early")].concat()).await;
    assert_eq!(request(&mut raw).await, b"question");
    raw.send(&reply("good")).await;
    assert_eq!(within(req.recv()).await.unwrap(), "good".into());
}

#[tokio::test]
async fn a_second_reply_is_not_taken_for_the_next_request() {
    let (req, endpoint) = bound().await;
    let mut raw = Raw::join(&endpoint, "REP").await;
    for number in 0..100 {
        within(req.send(format!("{number}"))).await.unwrap();
        assert_eq!(request(&mut raw).await, format!("{number}").into_bytes());
        raw.send(&reply(&format!("{number}")).repeat(3)).await;
        raw.barrier_of_replies(&req, number).await;
        assert_eq!(within(req.recv()).await.unwrap(), format!("{number}").into());
    }
}

impl Raw {
    /// Sees to it that all replies have reached the victim.
    async fn barrier_of_replies(&mut self, req: &ReqSocket, number: u64) {
        self.barrier().await;
        assert_eq!(req.dropped(DropCause::Discarded), 2 * number);
    }
}

/// Only who was asked may answer.
#[tokio::test]
async fn a_reply_of_another_is_discarded() {
    let (req, endpoint) = bound().await;
    let mut asked = Raw::join(&endpoint, "REP").await;
    asked.barrier().await;
    let mut other = Raw::join(&endpoint, "REP").await;
    other.barrier().await;
    within(req.send("question")).await.unwrap();
    assert_eq!(request(&mut asked).await, b"question");
    let receiving = tokio::spawn({
        let req = req.clone();
        async move { within(req.recv()).await }
    });
    other.send(&reply("from another")).await;
    eventually(|| req.dropped(DropCause::Discarded) == 1).await;
    asked.send(&reply("good")).await;
    assert_eq!(within(receiving).await.unwrap().unwrap(), "good".into());
}

/// An accepted peer that leaves with the request is told of; no other is asked
/// the same.
#[tokio::test]
async fn a_peer_that_leaves_with_the_request_is_told_of() {
    let (req, endpoint) = bound().await;
    let mut raw = Raw::join(&endpoint, "REP").await;
    within(req.send("question")).await.unwrap();
    assert_eq!(request(&mut raw).await, b"question");
    raw.reset();
    assert_eq!(within(req.recv()).await, Err(RecvError::PeerLeft));
    probe(&req, &endpoint).await;
}
