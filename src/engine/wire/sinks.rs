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
    /// What is in it.
    pub(crate) octets: usize,
    pub(crate) most_octets: Mark,
}

impl Sink for Filling<'_> {
    #[inline]
    fn room(&self) -> (usize, usize) {
        let messages = self.limit.saturating_sub(self.hand.len());
        (messages, self.most_octets.room(self.octets))
    }

    #[inline]
    fn message(&mut self, message: Message) {
        self.octets += message.weight();
        self.hand.push(message);
    }

    #[inline]
    fn strip(&mut self, strip: Strip, extent: Extent) {
        self.octets += extent.bodies;
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
        self.messages += 1;
    }

    fn strip(&mut self, _: Strip, extent: Extent) {
        self.messages += extent.messages;
    }
}
