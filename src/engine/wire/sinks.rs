//! [`Sink`]: where messages go as they are decoded.

use crate::mark::Mark;
use crate::message::Message;
use crate::message::strip::{Extent, Strip};
use crate::peer::Subscription;
use crate::pipe::{Hand, Item};

/// Takes what comes from a peer, one by one, until it has enough.
pub(crate) trait Sink {
    /// Whether it takes no more for now.
    fn is_full(&self) -> bool {
        let (messages, octets) = self.room();
        messages == 0 || octets == 0
    }

    /// How many messages it takes for now, and after how many octets no more.
    fn room(&self) -> (usize, usize);

    /// What follows came in this session; false if it can take none of it for now.
    fn begin(&mut self, _session: u32) -> bool {
        true
    }

    fn message(&mut self, message: Message);

    /// Messages of one frame each, no more than there is [`room`](Self::room) for.
    fn strip(&mut self, strip: Strip, _: Extent) {
        strip.for_each(|message| self.message(message));
    }

    /// Means nothing to most.
    fn subscription(&mut self, change: Subscription) {
        drop(change);
    }
}

/// With a strip of so many messages a look was worth while.
const MANY: usize = 16;

/// A receiver's hand that is filled: so many messages at most, and so many octets.
pub(crate) struct Filling<'a> {
    pub(crate) hand: &'a mut Hand,
    pub(crate) limit: usize,
    pub(crate) most_octets: Mark,
    pub(crate) taken: Taken,
    /// The session that all of them came in.
    pub(crate) session: u32,
}

/// What the last look put into a receiver's hand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Taken {
    messages: usize,
    octets: usize,
    /// Those of the last message, which alone may be large: after it there is no room
    /// for more. In a strip, which is of one read buffer, all are taken for equal.
    last: usize,
}

impl Taken {
    #[allow(
        clippy::arithmetic_side_effects,
        reason = "once for every message; all of it is in memory at the same time"
    )]
    fn add(&mut self, messages: usize, octets: usize, last: usize) {
        self.messages += messages;
        self.octets += octets;
        self.last = last;
    }

    /// About how many octets are left of it with so many messages.
    pub(super) fn octets_left(&self, messages: usize) -> usize {
        let Some(before_last) = messages.checked_sub(1) else { return 0 };
        let others = self.octets.saturating_sub(self.last).saturating_mul(before_last);
        let other_messages = self.messages.saturating_sub(1);
        self.last.saturating_add(others.checked_div(other_messages).unwrap_or(others))
    }
}

impl Sink for Filling<'_> {
    #[inline]
    fn room(&self) -> (usize, usize) {
        let messages = self.limit.saturating_sub(self.hand.len());
        (messages, self.most_octets.room(self.taken.octets))
    }

    /// A hand holds messages of one session only.
    #[inline]
    fn begin(&mut self, session: u32) -> bool {
        if self.hand.is_empty() {
            self.session = session;
        }
        let begins = self.session == session;
        if !begins {
            self.limit = 0;
        }
        begins
    }

    #[inline]
    fn message(&mut self, message: Message) {
        let weight = message.weight();
        self.taken.add(1, weight, weight);
        self.hand.push(message);
    }

    #[inline]
    fn strip(&mut self, strip: Strip, extent: Extent) {
        let each = extent.bodies.checked_div(extent.messages).unwrap_or_default();
        self.taken.add(extent.messages, extent.bodies, each);
        self.hand.push_strip(strip);
        if extent.messages >= MANY {
            // Another one would have to be cut up now.
            self.limit = 0;
        }
    }
}

/// What a pattern takes as it comes.
pub(crate) struct Items<'a> {
    pub(crate) items: &'a mut Vec<Item>,
    pub(crate) limit: usize,
}

impl Sink for Items<'_> {
    fn room(&self) -> (usize, usize) {
        (self.limit.saturating_sub(self.items.len()), usize::MAX)
    }

    fn message(&mut self, message: Message) {
        self.items.push(Item::Message(message));
    }

    fn subscription(&mut self, change: Subscription) {
        self.items.push(Item::Subscription(change));
    }
}

/// Counts messages and drops them.
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) messages: usize,
}

impl Sink for Counting {
    fn room(&self) -> (usize, usize) {
        (usize::MAX, usize::MAX)
    }

    fn message(&mut self, message: Message) {
        drop(message);
        self.messages = self.messages.saturating_add(1);
    }

    fn strip(&mut self, _: Strip, extent: Extent) {
        self.messages = self.messages.saturating_add(extent.messages);
    }
}
