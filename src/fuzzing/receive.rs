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
pub(super) fn receive(receiving: Receiving, octets: &[u8], plan: Plan) -> Received {
    let mut reading = Reading::new(receiving);
    reading.read(octets, &mut plan.steps());
    reading.received
}

/// The traffic of a peer while it is read, as the engine does.
pub(super) struct Reading {
    receiving: Receiving,
    pub(super) received: Received,
    /// What came before the first read, and all that came.
    given: usize,
    sent: usize,
    delivered: usize,
}

impl Reading {
    pub(super) fn new(receiving: Receiving) -> Self {
        let given = receiving.buffered();
        Self { receiving, received: Received::default(), given, sent: given, delivered: 0 }
    }

    /// Reads octets in these steps, after those that are there.
    pub(super) fn read(&mut self, mut octets: &[u8], steps: &mut impl FnMut() -> usize) {
        while self.take_all(steps) && !octets.is_empty() {
            let count = self.read_once(octets, steps());
            octets = &octets[count..];
        }
    }

    /// Takes what came of the octets so far; false after a fault.
    fn take_all(&mut self, steps: &mut impl FnMut() -> usize) -> bool {
        if self.received.fault.is_some() {
            return false;
        }
        loop {
            // As the engine does: first those of one frame, as many as come first.
            let (strip, extent) = self.receiving.take_strip(steps(), usize::MAX);
            assert_eq!(strip.len(), extent.messages);
            for message in strip {
                self.deliver(Incoming::Message(message));
            }
            if extent.messages > 0 {
                continue;
            }
            match self.receiving.next() {
                Ok(Some(event)) => self.deliver(event),
                Ok(None) => break,
                Err(fault) => {
                    let again = self.receiving.next();
                    assert_eq!(again, Err(fault.clone()), "a fault is for good");
                    self.received.fault = Some(fault);
                    return false;
                }
            }
            self.is_bounded();
        }
        assert_eq!(self.receiving.next(), Ok(None), "nothing comes of no octets");
        true
    }

    fn deliver(&mut self, event: Incoming) {
        self.delivered += wire_size(&event);
        self.received.events.push(event);
    }

    /// Reads up to so many octets. Returns how many there was room for.
    fn read_once(&mut self, octets: &[u8], step: usize) -> usize {
        let held = self.receiving.buffered().max(self.given);
        let mut space = self.receiving.space();
        let capacity = space.get_ref().capacity();
        let trusted = self.delivered.min(TRUSTED);
        let most = STEPS * held + trusted + READ_BUFFER;
        assert!(capacity <= most, "{capacity} octets of memory for {held}");
        let count = step.min(octets.len()).min(space.remaining_mut());
        assert_ne!(count, 0, "there is no room to read into");
        space.put_slice(&octets[..count]);
        self.sent += count;
        self.is_bounded();
        count
    }

    fn is_bounded(&self) {
        let held = self.delivered + self.receiving.buffered();
        assert!(held <= WEIGHT * self.sent, "more than was sent");
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
