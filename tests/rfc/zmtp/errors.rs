//! "Error Handling".

use std::time::Duration;

use ferromq::{DisconnectReason, MonitorEvent, PeerFault, PushSocket, SocketOptions};

use crate::support::{Net, Node};
use crate::wire::{Frame, Trap, Wire};

/// Redials at once, so that only a longer wait needs a reason.
fn eager() -> SocketOptions {
    SocketOptions::new().reconnect_interval(Duration::from_millis(1))
}

async fn retry(push: &mut Node<PushSocket>) -> (DisconnectReason, Duration) {
    push.event(|event| match event {
        MonitorEvent::Retrying { reason, delay, .. } => Some((reason, delay)),
        _ => None,
    })
    .await
}

/// "The peer SHALL treat an incoming ERROR command as fatal, and act by closing
/// the connection"
#[tokio::test]
async fn a_peer_shall_close_on_an_error_command() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let mut push = net.connecting::<PushSocket>(eager(), &trap.endpoint());
    let mut wire = trap.accept().await;
    wire.greet().await;
    wire.send(b"\x04\x0B\x05ERROR\x04Nope").await;
    let reason = push.failed().await;
    let DisconnectReason::Fault(PeerFault::RefusedUs { reason }) = reason else {
        panic!("{reason}");
    };
    assert_eq!(reason, "Nope");
    wire.end().await;
}

/// "and not re-connecting using the same security credentials." It does, from
/// time to time: whoever refuses may be repaired. From one second, doubling.
#[tokio::test]
async fn departs_a_peer_reconnects_slowly_after_an_error_command() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let mut push = net.connecting::<PushSocket>(eager(), &trap.endpoint());
    for least in [1, 2] {
        let mut wire = trap.accept().await;
        wire.greet().await;
        wire.send(b"\x04\x07\x05ERROR\x00").await;
        let (reason, delay) = retry(&mut push).await;
        assert!(matches!(reason, DisconnectReason::Fault(PeerFault::RefusedUs { .. })), "{reason}");
        assert!(delay >= Duration::from_secs(least), "{delay:?}");
    }
}

/// "The peer SHALL treat an unexpected connection close as a temporary error,
/// and SHOULD reconnect." Wherever it comes: before the greeting, within it,
/// before READY, in the traffic, in the middle of a frame.
#[tokio::test]
async fn a_peer_shall_treat_a_close_as_temporary() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let mut push = net.connecting::<PushSocket>(eager(), &trap.endpoint());
    for stage in 0..5 {
        let mut wire: Wire = trap.accept().await;
        match stage {
            0 => {}
            1 => wire.send(b"\xFF\x00\x00\x00").await,
            2 => wire.greet().await,
            3 => drop(wire.shake_hands("PULL").await),
            _ => {
                wire.shake_hands("PULL").await;
                wire.send(b"\x00\x05He").await;
            }
        }
        drop(wire);
        let (_, delay) = retry(&mut push).await;
        assert!(delay < Duration::from_millis(100), "{delay:?} at {stage}");
    }
    let mut wire = trap.accept().await;
    wire.shake_hands("PULL").await;
    push.try_send("still here").unwrap();
    let Frame { flags, body } = wire.frame().await;
    assert_eq!((flags, &body[..]), (0, &b"still here"[..]));
}
