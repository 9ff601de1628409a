//! [`Ahead`]: what is read ahead of the receivers.

use std::collections::VecDeque;

use super::sinks::{Filling, Sink};
use crate::mark::Mark;
use crate::message::Message;
use crate::message::strip::{Extent, Strip};
use crate::pipe::free_messages;

/// What one read buffer holds. A message that is read ahead keeps the one alive
/// that it was read into, with whatever commands came along: what comes beyond
/// this, and is of no message, counts with the next one.
pub(super) const CHUNK: usize = 64 * 1024;

/// What a frame takes on the wire besides its body, at most.
const FRAMING: usize = 9;

/// How many pieces an idle connection may keep room for.
const FEW: usize = 4;

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

/// Messages that were read ahead of the receivers, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Store {
    pieces: VecDeque<Piece>,
    messages: usize,
    octets: usize,
    /// The sessions that the first of them, the last, and the next one came in.
    first: u32,
    last: u32,
    next: u32,
}

#[derive(Debug)]
struct Piece {
    /// How many octets it counts for.
    weight: usize,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Message(Message),
    Strip(Strip),
    /// Those behind came in this session.
    Session(u32),
}

impl Store {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(super) fn messages(&self) -> usize {
        self.messages
    }

    /// How many octets they count for.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    fn push(&mut self, weight: usize, messages: usize, kept: Kept) {
        if self.next != self.last {
            self.change_session();
        }
        // To keep a piece takes something, however few its octets are.
        let weight = weight.max(size_of::<Piece>());
        self.octets = self.octets.saturating_add(weight);
        self.messages = self.messages.saturating_add(messages);
        self.pieces.push_back(Piece { weight, kept });
    }

    #[cold]
    fn change_session(&mut self) {
        self.last = self.next;
        if self.is_empty() {
            self.first = self.next;
        } else {
            self.pieces.push_back(Piece { weight: 0, kept: Kept::Session(self.next) });
        }
    }

    /// Moves messages into a receiver's hand until that is full.
    pub(super) fn take(&mut self, hand: &mut Filling<'_>) {
        if self.is_empty() || !hand.begin(self.first) {
            return;
        }
        while !hand.is_full() {
            let Some(Piece { weight, kept }) = self.pieces.pop_front() else { return };
            self.octets = self.octets.saturating_sub(weight);
            match kept {
                Kept::Session(session) => {
                    self.first = session;
                    if !hand.begin(session) {
                        return;
                    }
                }
                Kept::Message(message) => {
                    self.messages = self.messages.saturating_sub(1);
                    hand.message(message);
                }
                Kept::Strip(mut strip) => {
                    let (messages, octets) = hand.room();
                    let (first, extent) = strip.split_front(messages, octets);
                    self.messages = self.messages.saturating_sub(extent.messages);
                    hand.strip(first, extent);
                    if strip.len() > 0 {
                        let weight = weight.saturating_sub(own_weight(extent));
                        self.octets = self.octets.saturating_add(weight);
                        self.pieces.push_front(Piece { weight, kept: Kept::Strip(strip) });
                    }
                }
            }
        }
    }

    /// Drops all in place, where there is one as a rule; says how many messages that
    /// were.
    fn forget(&mut self) -> usize {
        self.pieces.clear();
        self.octets = 0;
        self.first = self.last;
        std::mem::take(&mut self.messages)
    }

    /// Drops all; says how many messages that were.
    pub(super) fn clear(&mut self) -> usize {
        if self.is_empty() {
            return 0;
        }
        let session = self.next;
        let empty = Self { first: session, last: session, next: session, ..Self::default() };
        let Self { pieces, messages, .. } = std::mem::replace(self, empty);
        free_messages(pieces.len(), pieces);
        messages
    }

    /// Gives back the room for more than there is.
    pub(super) fn shrink(&mut self) {
        self.pieces.shrink_to_fit();
    }

    /// Gives back the memory of busy times, if nothing is there.
    pub(super) fn rest(&mut self) {
        if self.pieces.is_empty() && self.pieces.capacity() > FEW {
            self.pieces = VecDeque::new();
        }
    }
}

/// What is read ahead of the receivers, while it grows.
pub(super) struct Ahead {
    pub(super) limits: Limits,
    pub(super) store: Store,
    /// Messages and octets in a receiver's hand.
    pub(super) in_hand: (usize, usize),
    /// Octets read that are not of a message which was kept.
    pub(super) since_kept: usize,
    pub(super) conflated: usize,
}

impl Ahead {
    /// What messages count for whose own weight is this, with what was read along.
    fn weight(&mut self, own: usize, frames: usize) -> usize {
        let accounted = frames.saturating_mul(FRAMING).saturating_add(own);
        let others = self.since_kept.saturating_sub(accounted);
        self.since_kept = others.min(CHUNK);
        own.saturating_add(others.saturating_sub(self.since_kept).min(CHUNK))
    }
}

/// What a strip weighs by itself: its bodies, or half of all its octets where headers
/// are most of it. Otherwise empty messages would weigh nothing.
fn own_weight(extent: Extent) -> usize {
    extent.bodies.max(extent.len / 2)
}

impl Sink for Ahead {
    fn room(&self) -> (usize, usize) {
        let (messages, octets) = self.in_hand;
        let (kept, weight) = (self.store.messages, self.store.octets);
        self.limits.room(kept.saturating_add(messages), weight.saturating_add(octets))
    }

    fn begin(&mut self, session: u32) -> bool {
        self.store.next = session;
        true
    }

    fn message(&mut self, message: Message) {
        if self.limits.conflate {
            self.conflated = self.conflated.saturating_add(self.store.forget());
        }
        let weight = self.weight(message.weight(), message.len());
        self.store.push(weight, 1, Kept::Message(message));
    }

    fn strip(&mut self, strip: Strip, extent: Extent) {
        if self.limits.conflate {
            let (mut last, older) = (strip, extent.messages.saturating_sub(1));
            self.conflated = self.conflated.saturating_add(older);
            drop(last.split_front(older, usize::MAX));
            return last.for_each(|message| self.message(message));
        }
        let weight = self.weight(own_weight(extent), extent.messages);
        self.store.push(weight, extent.messages, Kept::Strip(strip));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::engine::wire::sinks::Taken;
    use crate::pipe::Hand;

    fn ahead(octets: usize) -> Ahead {
        let limits = Limits {
            messages: Mark::UNLIMITED,
            octets: Mark::from_option(octets),
            conflate: false,
        };
        Ahead { limits, store: Store::default(), in_hand: (0, 0), since_kept: 0, conflated: 0 }
    }

    #[test]
    fn empty_messages_reach_the_mark_too() {
        let mut ahead = ahead(1000);
        let empties = Bytes::from_static(&[0; 200]);
        let mut messages = 0;
        while !ahead.is_full() {
            let extent = Extent::of(&empties, 10, 100, 1000);
            messages += extent.messages;
            ahead.strip(Strip::new(empties.clone(), extent.messages), extent);
        }
        assert_eq!(messages, 1000);
        assert_eq!(ahead.store.messages(), 1000);
    }

    /// What is kept, and what that takes.
    type Offer = (&'static str, fn(&mut Ahead), usize);

    /// Such as come between commands: none can be in one piece with another.
    #[test]
    fn pieces_of_next_to_nothing_count_for_what_it_takes_to_keep_them() {
        const MARK: usize = 100_000;
        let piece = size_of::<Piece>();
        let strip = |ahead: &mut Ahead| {
            let extent = Extent { len: 2, messages: 1, bodies: 0 };
            ahead.strip(Strip::new(Bytes::from_static(&[0, 0]), 1), extent);
        };
        let offers: [Offer; 3] = [
            ("an empty one", |ahead| ahead.message(Message::default()), piece),
            ("two frames", |ahead| ahead.message(Message::from(["a", ""])), 200),
            ("a strip of one", strip, piece),
        ];
        for (case, offer, takes) in offers {
            let mut ahead = ahead(MARK);
            while !ahead.is_full() {
                offer(&mut ahead);
            }
            let taken = ahead.store.messages() * takes;
            assert!(taken <= MARK + takes, "{case}: {taken}");
            // It is all given back.
            let mut hand = Hand::default();
            while ahead.store.messages() > 0 {
                let most_octets = Mark::UNLIMITED;
                let taken = Taken::default();
                ahead.store.take(&mut Filling {
                    hand: &mut hand,
                    limit: 1000,
                    most_octets,
                    taken,
                    session: 0,
                });
                hand.clear();
            }
            assert_eq!(ahead.store.octets(), 0, "{case}");
        }
    }
}
