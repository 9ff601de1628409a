//! Peers that begin a handshake and do not go on.

use std::time::{Duration, Instant};

use ferromq::{DisconnectReason, PullSocket, SocketOptions};

use crate::case::{Case, Outcome, run};
use crate::child::descriptors;
use crate::raw::{Raw, prelude};
use crate::victim::{End, Scene, Side, meet, next_end, probe, within};

const LIMIT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_stalled_handshake_ends_in_time() {
    let options = SocketOptions::new().handshake_timeout(LIMIT);
    for side in Side::BOTH {
        for heard in [0, 1, 10, 11, 12, 63, 64, 65, 80] {
            let begin = Instant::now();
            let Scene { pull, mut monitor, endpoint, mut raw } = meet(side, &options).await;
            raw.send(&prelude("PUSH")[..heard]).await;
            let end = next_end(&mut monitor).await;
            assert!(
                matches!(end, End::Handshake(DisconnectReason::HandshakeTimeout)),
                "{side:?}, {heard} octets: {end:?}"
            );
            assert!(begin.elapsed() >= LIMIT);
            raw.closed().await;
            assert!(probe(&pull, &endpoint).await.is_empty());
        }
    }
}

/// The time is for all of the handshake: octets that trickle in buy no more.
#[tokio::test]
async fn a_trickle_does_not_prolong_a_handshake() {
    let options = SocketOptions::new().handshake_timeout(LIMIT);
    for side in Side::BOTH {
        let Scene { pull, mut monitor, endpoint, mut raw } = meet(side, &options).await;
        let trickle = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            let mut sent = 0;
            for octet in prelude("PUSH") {
                if raw.0.write_all(&[octet]).await.is_err() {
                    break;
                }
                sent += 1;
                tokio::time::sleep(LIMIT / 3).await;
            }
            sent
        });
        let end = next_end(&mut monitor).await;
        assert!(matches!(end, End::Handshake(DisconnectReason::HandshakeTimeout)), "{end:?}");
        // Saying it all would have taken thirty times as long.
        assert!(within(trickle).await.unwrap() < prelude("PUSH").len());
        assert!(probe(&pull, &endpoint).await.is_empty());
    }
}

#[tokio::test]
async fn a_handshake_may_break_off_anywhere() {
    let octets = prelude("PUSH");
    let cases = (0..octets.len())
        .map(|len| {
            let outcome = Outcome::Leaves(Vec::new());
            Case::new(format!("{len} octets"), [octets[..len].to_vec()], outcome)
        })
        .collect();
    run(cases).await;
}

/// Whoever floods a listener with handshakes loses the oldest of them.
#[tokio::test]
async fn too_many_handshakes_cost_the_oldest() {
    const PENDING: usize = 1024;
    const BEYOND: usize = 76;
    assert!(
        descriptors() > 2 * (PENDING + BEYOND) + 200,
        "this test needs more descriptors than `ulimit -n` allows"
    );
    let pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peers = Vec::new();
    let mut refused = 0;
    for number in 0..PENDING + BEYOND {
        let mut peer = Raw::connect(&endpoint).await;
        // Its greeting shows that it was accepted, and keeps the order.
        peer.read(64).await;
        peers.push(peer);
        if number >= PENDING {
            let end = next_end(&mut monitor).await;
            assert!(matches!(end, End::Handshake(DisconnectReason::TooManyPending)), "{end:?}");
            refused += 1;
            peers[refused - 1].closed().await;
        }
    }
    assert_eq!(refused, BEYOND);
    // A good peer comes in, at the cost of the one that is the oldest now.
    let mut oldest = peers.remove(BEYOND);
    assert!(probe(&pull, &endpoint).await.is_empty());
    assert!(matches!(
        next_end(&mut monitor).await,
        End::Handshake(DisconnectReason::TooManyPending)
    ));
    oldest.closed().await;
    let mut newest = peers.pop().unwrap();
    newest.send(&[prelude("PUSH"), crate::raw::frame(0, "late")].concat()).await;
    assert_eq!(within(pull.recv()).await.unwrap(), "late".into());
}
