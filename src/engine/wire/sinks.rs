//! [`Sink`]: where messages go as they are decoded.

use std::collections::VecDeque;

use crate::mark::Mark;
use crate::message::Message;
use crate::peer::Subscription;
use crate::pipe::Item;

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

    /// Means nothing to most.
    fn subscription(&mut self, change: Subscription) {
        drop(change);
    }
}

/// A receiver's hand: so many messages at most, and so many octets.
pub(crate) struct Hand<'a> {
    pub(crate) messages: &'a mut VecDeque<Message>,
    pub(crate) limit: usize,
    /// What is in it.
    pub(crate) octets: usize,
    pub(crate) most_octets: Mark,
}

impl Sink for Hand<'_> {
    #[inline]
    fn room(&self) -> (usize, usize) {
        let messages = self.limit.saturating_sub(self.messages.len());
        (messages, self.most_octets.room(self.octets))
    }

    #[inline]
    fn message(&mut self, message: Message) {
        self.octets += message.weight();
        self.messages.push_back(message);
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
}
