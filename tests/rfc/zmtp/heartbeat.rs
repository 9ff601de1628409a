//! RFC 37, "Connection Heartbeating".

use std::time::Duration;

use ferromq::{DisconnectReason, MonitorEvent, PullSocket, SocketOptions};

use crate::support::{Net, Node, Receives, plain};
use crate::wire::Wire;

async fn reason(pull: &mut Node<PullSocket>) -> DisconnectReason {
    pull.event(|event| match event {
        MonitorEvent::Disconnected { reason, .. } => Some(reason),
        _ => None,
    })
    .await
}

/// "When a peer receives a PING command it SHALL respond with a PONG command
/// that echoes the ping-context, which may be empty and MUST not exceed 16
/// octets" It cuts a longer one, as libzmq does.
#[tokio::test]
async fn a_peer_shall_answer_ping_with_pong() {
    let net = Net::tcp();
    let pull = net.bound::<PullSocket>(plain()).await;
    let mut push = Wire::join(&pull.endpoint(), "PUSH").await;
    push.send(b"\x04\x07\x04PING\x00\x00").await;
    push.expect(b"\x04\x05\x04PONG").await;
    push.send(b"\x04\x0A\x04PING\x00\x00LOL").await;
    push.expect(b"\x04\x08\x04PONGLOL").await;
    push.send(b"\x04\x17\x04PING\x00\x000123456789ABCDEF").await;
    push.expect(b"\x04\x15\x04PONG0123456789ABCDEF").await;
    push.send(b"\x04\x18\x04PING\x00\x000123456789ABCDEFX").await;
    push.expect(b"\x04\x15\x04PONG0123456789ABCDEF").await;
    // In between messages, to a socket nobody receives from.
    push.send(b"\x00\x05Hello\x04\x08\x04PING\x00\x00x\x00\x05World").await;
    push.expect(b"\x04\x06\x04PONGx").await;
    assert_eq!(pull.get().await, "Hello".into());
    assert_eq!(pull.get().await, "World".into());
}

/// "A peer SHOULD consider the connection dead [...] If it sends a PING command
/// and does not receive any traffic within some timeout." The PING carries the
/// TTL in tenths of seconds.
#[tokio::test]
async fn a_peer_should_give_up_one_that_does_not_answer() {
    let net = Net::tcp();
    let options = SocketOptions::new()
        .heartbeat_interval(Duration::from_millis(50))
        .heartbeat_ttl(Duration::from_millis(1200));
    let mut pull = net.bound::<PullSocket>(options).await;
    let mut push = Wire::join(&pull.endpoint(), "PUSH").await;
    push.expect(b"\x04\x07\x04PING\x00\x0C").await;
    let reason = reason(&mut pull).await;
    assert!(matches!(reason, DisconnectReason::HeartbeatTimeout), "{reason}");
    push.end().await;
}

/// "If it receives a PING command with a non-zero TTL and then does not receive
/// any further traffic within that TTL."
#[tokio::test]
async fn a_peer_should_give_up_one_that_is_silent_for_its_ttl() {
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(plain()).await;
    let mut push = Wire::join(&pull.endpoint(), "PUSH").await;
    push.send(b"\x04\x07\x04PING\x00\x01").await;
    push.expect(b"\x04\x05\x04PONG").await;
    let reason = reason(&mut pull).await;
    assert!(matches!(reason, DisconnectReason::HeartbeatTimeout), "{reason}");
    push.end().await;
}
