//! libzmq never dials again after an ERROR: one that may be welcome later is told
//! nothing, keeps coming back, and gets in when its place is free.

use ferromq::{DisconnectReason, MonitorEvent, PairSocket, RouterSocket, SocketType, Unwelcome};
use tokio::time::Instant;

use crate::pair::Transport;
use crate::peer::spell;
use crate::{event, interop, within};

/// How often it comes back in vain.
const TIMES: usize = 2;

fn refused(why: Unwelcome) -> impl Fn(&MonitorEvent) -> Option<()> {
    move |event| match event {
        MonitorEvent::HandshakeFailed { reason: DisconnectReason::TurnedAway(it), .. } => {
            assert_eq!(*it, why);
            Some(())
        }
        _ => None,
    }
}

fn ready(event: &MonitorEvent) -> Option<()> {
    matches!(event, MonitorEvent::Ready { .. }).then_some(())
}

#[test]
fn a_second_pair_of_libzmq_gets_in_when_the_first_leaves() {
    interop(async |mut peer| {
        for transport in [Transport::Tcp, Transport::Ipc] {
            let ours = PairSocket::new();
            let mut monitor = ours.monitor();
            let at = ours.bind(transport.anywhere()).await.unwrap().to_string();
            let first = peer.socket(SocketType::Pair, "").await;
            let second = peer.socket(SocketType::Pair, "").await;
            first.connect(&at).await;
            event("the first", &mut monitor, ready).await;
            let start = Instant::now();
            second.connect(&at).await;
            // It was never ready, so this waits in its queue.
            second.send("kept").await;
            for _ in 0..=TIMES {
                let refused = refused(Unwelcome::AlreadyPaired);
                event("the second comes back", &mut monitor, refused).await;
            }
            // Not at once: it was kept for a second each time.
            assert!(start.elapsed().as_secs() >= TIMES as u64, "{:?}", start.elapsed());
            first.send("first").await;
            let received = within("a message of the first", ours.recv()).await;
            assert_eq!(received.unwrap(), "first".into());
            first.close().await;
            event("the second gets in", &mut monitor, ready).await;
            let received = within("what it had", ours.recv()).await;
            assert_eq!(received.unwrap(), "kept".into());
            ours.send("welcome").await.unwrap();
            second.expect("welcome").await;
            second.close().await;
            ours.close().await;
        }
    });
}

#[test]
fn a_second_dealer_of_libzmq_with_a_name_gets_in_when_the_first_leaves() {
    interop(async |mut peer| {
        let ours = RouterSocket::new();
        let mut monitor = ours.monitor();
        let at = ours.bind("tcp://127.0.0.1:*").await.unwrap().to_string();
        let name = format!("ROUTING_ID={}", spell(b"same"));
        let first = peer.socket(SocketType::Dealer, &name).await;
        let second = peer.socket(SocketType::Dealer, &name).await;
        first.connect(&at).await;
        event("the first", &mut monitor, ready).await;
        second.connect(&at).await;
        second.send("kept").await;
        for _ in 0..=TIMES {
            let refused = refused(Unwelcome::RoutingIdTaken);
            event("the second comes back", &mut monitor, refused).await;
        }
        first.close().await;
        event("the second gets in", &mut monitor, ready).await;
        let (id, message) = within("what it had", ours.recv()).await.unwrap();
        assert_eq!(message, "kept".into());
        ours.send_to(&id, "welcome").await.unwrap();
        second.expect("welcome").await;
        second.close().await;
    });
}
