//! [`Hand`]: what a receiver took of a line in one go, and [`InHand`]: how much of it
//! is left.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::message::Message;
use crate::message::strip::{Strip, put};

/// For how many messages an empty hand may keep memory: about what is taken in one go.
const SLOTS: usize = 128;

/// Messages that a receiver took of a line in one go, in their order, so that not each
/// one costs a look at the line.
#[derive(Debug, Default)]
pub(crate) struct Hand {
    /// The first of them, as far as they are of one frame.
    strip: Strip,
    /// Those behind.
    others: VecDeque<Message>,
}

impl Hand {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.strip.len() + self.others.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// [Puts](put) the first there. As a result it would be moved several times on its
    /// way to a receiver.
    #[inline(always)]
    pub(crate) fn pop_into(&mut self, message: &mut Message) -> bool {
        if self.strip.len() > 0 {
            return self.strip.next_into(message);
        }
        let Some(first) = self.others.pop_front() else { return false };
        put(message, first);
        true
    }

    /// Takes the first.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Message> {
        if self.strip.len() > 0 { self.strip.next() } else { self.others.pop_front() }
    }

    pub(crate) fn push(&mut self, message: Message) {
        self.others.push_back(message);
    }

    pub(crate) fn push_strip(&mut self, strip: Strip) {
        if self.is_empty() {
            self.strip = strip;
        } else {
            self.others.extend(strip);
        }
    }

    /// Takes all of a queue, which gets memory to fill in exchange if there is any. That
    /// of a queue which was long once stays where it is.
    pub(crate) fn push_all(&mut self, queue: &mut VecDeque<Message>) {
        if self.is_empty() && queue.capacity() <= SLOTS {
            std::mem::swap(&mut self.others, queue);
        } else {
            self.others.append(queue);
        }
    }

    /// Drops all; says how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        let count = self.len();
        self.strip = Strip::default();
        self.others.clear();
        count
    }

    /// Whether there is memory to fill.
    pub(crate) fn has_memory(&self) -> bool {
        self.others.capacity() > 0
    }

    /// Whether that is worth keeping, and not too much to be kept.
    pub(crate) fn is_handy(&self) -> bool {
        self.has_memory() && self.others.capacity() <= SLOTS
    }

    /// The sum of what they [weigh](Message::weight), where none came as a strip.
    pub(crate) fn weight(&self) -> usize {
        debug_assert_eq!(self.strip.len(), 0, "these are not weighed");
        self.others.iter().map(Message::weight).sum()
    }
}

/// How many of the messages that [`Line::take`](super::Line::take) gave no receiver
/// has got yet. They count against the high-water mark, so the line looks here; it is
/// no method of the line since it is noted for every message.
#[derive(Debug, Clone, Default)]
pub(crate) struct InHand(Arc<Held>);

#[derive(Debug, Default)]
struct Held {
    count: AtomicUsize,
    /// The session that all of them came in: not in the hand itself, which is moved about
    /// with every turn.
    session: AtomicU32,
}

impl InHand {
    #[inline]
    pub(crate) fn get(&self) -> usize {
        self.0.count.load(Ordering::SeqCst)
    }

    pub(crate) fn session(&self) -> u32 {
        self.0.session.load(Ordering::Relaxed)
    }

    /// What was just taken came in this session. Until all of it is received nothing
    /// else is taken.
    #[inline]
    pub(crate) fn set_session(&self, session: u32) {
        self.0.session.store(session, Ordering::Relaxed);
    }

    /// There are so many. That there are none is [told](super::Line::hand_empty) as
    /// well.
    #[inline]
    pub(crate) fn set(&self, count: usize) {
        let order = if count == 0 { Ordering::SeqCst } else { Ordering::Relaxed };
        self.0.count.store(count, order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_trades_memory_with_a_short_queue_and_takes_none_of_a_long_one() {
        let mut hand = Hand::default();
        let mut queue = VecDeque::with_capacity(SLOTS);
        queue.push_back(Message::from("1"));
        hand.push_all(&mut queue);
        assert!(queue.is_empty() && queue.capacity() == 0 && hand.has_memory());
        hand.pop();
        let mut long = VecDeque::with_capacity(100 * SLOTS);
        long.push_back(Message::from("2"));
        hand.push_all(&mut long);
        assert_eq!((hand.pop(), long.len()), (Some(Message::from("2")), 0));
        assert!(long.capacity() >= 100 * SLOTS && hand.is_handy());
        // However it came to be long itself.
        (0..=SLOTS).for_each(|_| hand.push(Message::new()));
        hand.clear();
        assert!(hand.has_memory() && !hand.is_handy());
    }
}
