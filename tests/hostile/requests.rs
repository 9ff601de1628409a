//! REP and malformed requests.

use ferromq::{DropCause, Endpoint, RepSocket, ReqSocket};

use crate::raw::{MORE, Raw, frame};
use crate::victim::{PROBES, within};

async fn bound() -> (RepSocket, Endpoint) {
    let rep = RepSocket::new();
    let endpoint = rep.bind("tcp://127.0.0.1:*").await.unwrap();
    (rep, endpoint)
}

/// A good peer asks 100 times.
async fn probe(rep: &RepSocket, endpoint: &Endpoint) {
    let req = ReqSocket::new();
    req.connect(endpoint).unwrap();
    for number in 0..PROBES {
        within(req.send(format!("{number}"))).await.unwrap();
        assert_eq!(within(rep.recv()).await.unwrap(), format!("{number}").into());
        within(rep.send("reply")).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), "reply".into());
    }
}

/// RFC 28: a request is an envelope, a delimiter and one frame at least.
#[tokio::test]
async fn malformed_requests_are_skipped() {
    let (rep, endpoint) = bound().await;
    let mut raw = Raw::join(&endpoint, "REQ").await;
    raw.send(&frame(0, "no delimiter")).await;
    raw.send(&[frame(MORE, "none"), frame(0, "either")].concat()).await;
    raw.send(&frame(0, "")).await;
    raw.send(&[frame(MORE, "delimiter at last"), frame(0, "")].concat()).await;
    raw.send(&[frame(MORE, ""), frame(0, "good")].concat()).await;
    assert_eq!(within(rep.recv()).await.unwrap(), "good".into());
    assert_eq!(rep.dropped(DropCause::Discarded), 4);
    within(rep.send("reply")).await.unwrap();
    assert_eq!(raw.frame().await, (MORE, Vec::new()));
    assert_eq!(raw.frame().await, (0, b"reply".to_vec()));
    probe(&rep, &endpoint).await;
}

#[tokio::test]
async fn an_envelope_of_10_000_frames_comes_back() {
    let (rep, endpoint) = bound().await;
    let mut raw = Raw::join(&endpoint, "DEALER").await;
    let envelope: Vec<u8> = (0..10_000).flat_map(|n: u32| frame(MORE, n.to_be_bytes())).collect();
    raw.send(&[envelope, frame(MORE, ""), frame(0, "deep")].concat()).await;
    assert_eq!(within(rep.recv()).await.unwrap(), "deep".into());
    within(rep.send("reply")).await.unwrap();
    for number in 0..10_000u32 {
        assert_eq!(raw.frame().await, (MORE, number.to_be_bytes().to_vec()));
    }
    assert_eq!(raw.frame().await, (MORE, Vec::new()));
    assert_eq!(raw.frame().await, (0, b"reply".to_vec()));
    probe(&rep, &endpoint).await;
}

/// An asker that leaves costs its reply; one that does not read costs no more.
#[tokio::test]
async fn askers_that_leave_cost_nobody_else() {
    let (rep, endpoint) = bound().await;
    for _ in 0..10 {
        let mut raw = Raw::join(&endpoint, "REQ").await;
        raw.send(&[frame(MORE, ""), frame(0, "question")].concat()).await;
        assert_eq!(within(rep.recv()).await.unwrap(), "question".into());
        raw.reset();
        within(rep.send("reply")).await.unwrap();
    }
    probe(&rep, &endpoint).await;
}

/// Requests of one that never waits for its reply are served in turn with those
/// of others, and what it does not read is dropped.
#[tokio::test]
async fn an_impatient_asker_takes_its_turn() {
    let (rep, endpoint) = bound().await;
    let mut raw = Raw::join(&endpoint, "DEALER").await;
    raw.send(&[frame(MORE, ""), frame(0, "impatient")].concat().repeat(5_000)).await;
    let serving = tokio::spawn({
        let rep = rep.clone();
        async move {
            loop {
                let request = within(rep.recv()).await.unwrap();
                within(rep.send(request)).await.unwrap();
            }
        }
    });
    let req = ReqSocket::new();
    req.connect(&endpoint).unwrap();
    for number in 0..PROBES {
        within(req.send(format!("{number}"))).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), format!("{number}").into());
    }
    serving.abort();
}
