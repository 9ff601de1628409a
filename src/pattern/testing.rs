//! How the tests of all patterns drive them.

use crate::message::Message;
use crate::pattern::{Delivery, Pattern, Routed, Touched};
use crate::peer::{PeerInfo, Unwelcome};
use crate::routing::testing::FakePeer;
use crate::routing_id::RoutingId;

/// Sends, and flushes what was touched.
pub(crate) fn send(pattern: &dyn Pattern, message: Message) -> Routed {
    send_to(pattern, None, message)
}

/// The same, to a peer where the pattern names them. What is not sent is as it was.
pub(crate) fn send_to(pattern: &dyn Pattern, to: Option<&[u8]>, mut message: Message) -> Routed {
    let mut touched = Touched::default();
    let whole = message.clone();
    let routed = pattern.send(to, &mut message, &mut touched);
    if matches!(routed, Routed::Mute | Routed::Refused(_)) {
        assert_eq!(message, whole);
    }
    touched.flush();
    routed
}

/// Whether a message was sent and nothing was lost.
pub(crate) fn is_sent(routed: &Routed) -> bool {
    matches!(routed, Routed::Sent)
}

/// The peer's handshake is done; it named itself `id`, or not if that is empty.
pub(crate) fn up(pattern: &dyn Pattern, peer: &FakePeer, id: &str) -> Result<(), Unwelcome> {
    let routing_id = RoutingId::new(id.as_bytes().to_vec()).ok();
    let info = PeerInfo { routing_id, ..PeerInfo::default() };
    let mut touched = Touched::default();
    let welcome = pattern.up(&peer.peer, &info, &mut touched);
    touched.flush();
    welcome
}

/// What a receiver sees of a message from a peer, if anything.
pub(crate) fn accept(pattern: &dyn Pattern, from: &FakePeer, message: Message) -> Option<Delivery> {
    let mut delivery = Delivery { message, ..Delivery::default() };
    pattern.accept(&from.peer, &mut delivery).then_some(delivery)
}
