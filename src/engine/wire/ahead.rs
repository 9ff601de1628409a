//! [`Ahead`]: what is read ahead of the receivers.

use std::collections::VecDeque;

use super::sinks::Sink;
use crate::mark::Mark;
use crate::message::Message;

/// What one read buffer holds. A message that is read ahead keeps the one alive
/// that it was read into, with whatever commands came along: what comes beyond
/// this, and is of no message, counts with the next one.
pub(super) const CHUNK: usize = 64 * 1024;

/// What a frame takes on the wire besides its body, at most.
const FRAMING: usize = 9;

/// How much may be read ahead of the receivers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) messages: Mark,
    pub(crate) octets: Mark,
    pub(crate) conflate: bool,
}

impl Limits {
    /// How much the marks leave when so much is read ahead.
    pub(super) fn room(&self, messages: usize, octets: usize) -> (usize, usize) {
        if self.conflate {
            return (usize::MAX, usize::MAX);
        }
        (self.messages.room(messages), self.octets.room(octets))
    }
}

/// What is read ahead of the receivers, while it grows.
pub(super) struct Ahead {
    pub(super) limits: Limits,
    pub(super) queue: VecDeque<(usize, Message)>,
    pub(super) octets: usize,
    /// Messages and octets in a receiver's hand.
    pub(super) in_hand: (usize, usize),
    pub(super) since_kept: usize,
    pub(super) conflated: usize,
}

impl Sink for Ahead {
    fn room(&self) -> (usize, usize) {
        let (messages, octets) = self.in_hand;
        self.limits.room(self.queue.len() + messages, self.octets + octets)
    }

    fn message(&mut self, message: Message) {
        if self.limits.conflate {
            self.conflated += self.queue.len();
            self.queue.clear();
            self.octets = 0;
        }
        let own = message.weight();
        let others = self.since_kept.saturating_sub(own + FRAMING * message.len());
        self.since_kept = others.min(CHUNK);
        let weight = own + (others - self.since_kept).min(CHUNK);
        self.octets += weight;
        self.queue.push_back((weight, message));
    }
}
