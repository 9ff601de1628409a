//! What comes of the octets of a peer once traffic began.

use bytes::{BufMut, Bytes};

use super::input::Plan;
use crate::PeerFault;
use crate::zmtp::{Incoming, Receiving};

/// The memory that a connection may hold beside what its peer sent: a chunk
/// for reading and one more for the frame that does not fit into it.
const READ_BUFFER: usize = 160 * 1024;

/// How much more than was received of it a body may take, and what a peer that has sent
/// as much before may make a connection take at once.
const STEPS: usize = 8;
const TRUSTED: usize = 1024 * 1024;

/// What one octet of a peer counts for at most: the smallest frame has two, and
/// takes memory to be held.
const WEIGHT: usize = 1 + size_of::<Bytes>() / 2;

/// What came, and the fault that ended it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) events: Vec<Incoming>,
    pub(super) fault: Option<PeerFault>,
}

/// Reads `octets` in the steps of `plan`, as the engine does.
pub(super) fn receive(mut receiving: Receiving, mut octets: &[u8], plan: Plan) -> Received {
    let mut steps = plan.steps();
    let mut received = Received::default();
    let given = receiving.buffered();
    let (mut sent, mut delivered) = (given, 0);
    loop {
        loop {
            // As the engine does: first those of one frame, as many as come first.
            let (strip, extent) = receiving.take_strip(steps(), usize::MAX);
            assert_eq!(strip.len(), extent.messages);
            for message in strip {
                let event = Incoming::Message(message);
                delivered += wire_size(&event);
                received.events.push(event);
            }
            if extent.messages > 0 {
                continue;
            }
            match receiving.next() {
                Ok(Some(event)) => {
                    delivered += wire_size(&event);
                    received.events.push(event);
                }
                Ok(None) => break,
                Err(fault) => {
                    assert_eq!(receiving.next(), Err(fault.clone()), "a fault is for good");
                    received.fault = Some(fault);
                    return received;
                }
            }
            assert!(delivered + receiving.buffered() <= WEIGHT * sent, "more than was sent");
        }
        assert_eq!(receiving.next(), Ok(None), "nothing comes of no octets");
        if octets.is_empty() {
            return received;
        }
        let held = receiving.buffered().max(given);
        let mut space = receiving.space();
        let capacity = space.get_ref().capacity();
        let trusted = delivered.min(TRUSTED);
        let most = STEPS * held + trusted + READ_BUFFER;
        assert!(capacity <= most, "{capacity} octets of memory for {held}");
        let count = steps().min(octets.len()).min(space.remaining_mut());
        assert_ne!(count, 0, "there is no room to read into");
        let (now, later) = octets.split_at(count);
        space.put_slice(now);
        sent += count;
        octets = later;
        assert!(delivered + receiving.buffered() <= WEIGHT * sent, "more than was sent");
    }
}

/// The fewest octets that this can have come from.
fn wire_size(event: &Incoming) -> usize {
    match event {
        Incoming::Message(message) => message.size() + 2 * message.len(),
        Incoming::Subscription(subscription) => subscription.topic().len() + b"__\x06CANCEL".len(),
        Incoming::Ping { context, .. } => context.len() + b"__\x04PING__".len(),
        Incoming::Pong => b"__\x04PONG".len(),
    }
}
