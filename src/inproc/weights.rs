//! [`Marks`]: how much may wait in one direction of a pipe, and [`Weights`]: how many
//! octets do, where these have a mark.

use std::collections::VecDeque;

use crate::mark::Mark;
use crate::message::Message;
use crate::options::SocketOptions;

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    pub(super) messages: Mark,
    pub(super) octets: Mark,
}

impl Marks {
    /// Of one who does not wait for anybody yet.
    pub(super) const NONE: Self = Self { messages: Mark::UNLIMITED, octets: Mark::UNLIMITED };

    /// Of one who sends, as long as nobody receives.
    pub(super) fn of(sender: &SocketOptions) -> Self {
        Self { messages: sender.send_hwm, octets: sender.send_hwm_bytes }
    }

    /// Those of both.
    pub(super) fn of_both(sender: &SocketOptions, receiver: &SocketOptions) -> Self {
        Self {
            messages: sender.send_hwm.and(receiver.recv_hwm),
            octets: sender.send_hwm_bytes.and(receiver.recv_hwm_bytes),
        }
    }
}

/// What the messages of a queue weigh together. Without a mark, none is weighed.
#[derive(Debug)]
pub(super) struct Weights {
    mark: Mark,
    waiting: usize,
    /// What receivers took in their last batch, less the first, which is received at
    /// once. It counts as long as they have any of it in hand.
    in_hand: usize,
}

impl Weights {
    pub(super) fn new(mark: Mark) -> Self {
        Self { mark, waiting: 0, in_hand: 0 }
    }

    /// There are two now who have a mark. What was weighed before is right with the
    /// new one, for if it has none there is none.
    pub(super) fn meet(&mut self, mark: Mark) {
        self.mark = mark;
    }

    fn of(&self, message: &Message) -> usize {
        if self.mark.is_unlimited() { 0 } else { message.weight() }
    }

    /// A message was put in; whether half of the mark is reached with it.
    pub(super) fn add(&mut self, message: &Message) -> bool {
        let before = self.waiting;
        self.waiting += self.of(message);
        self.mark.is_half_free(before) && !self.mark.is_half_free(self.waiting)
    }

    /// The next message was taken out.
    pub(super) fn remove(&mut self, message: &Message) {
        self.waiting = self.waiting.saturating_sub(self.of(message));
    }

    /// All messages were taken out.
    pub(super) fn clear(&mut self) {
        self.waiting = 0;
    }

    /// How many of these, and of at most so many, receivers are to take in one batch.
    /// What is in hand is an eighth of the mark at most, as with messages, if there was
    /// nothing: so that there is room for whoever is told so at half of the mark.
    pub(super) fn take(
        &mut self,
        messages: &VecDeque<Message>,
        most: usize,
        begins: bool,
    ) -> usize {
        if self.mark.is_unlimited() {
            return most;
        }
        if begins {
            self.in_hand = 0;
        }
        let mut count = 0;
        for message in messages.iter().take(most) {
            let weight = message.weight();
            let held = if begins && count == 0 { 0 } else { weight };
            if count > 0 && self.in_hand + held > self.mark.limit() / 8 {
                break;
            }
            self.in_hand += held;
            self.waiting = self.waiting.saturating_sub(weight);
            count += 1;
        }
        count
    }

    /// Whether one more message may come, of any size. Whether there is any in hand is
    /// asked where it can matter.
    pub(super) fn admits(&self, has_in_hand: impl FnOnce() -> bool) -> bool {
        self.mark.admits(self.waiting.saturating_add(self.in_hand))
            || self.mark.admits(self.waiting) && !has_in_hand()
    }

    pub(super) fn is_half_free(&self) -> bool {
        self.mark.is_half_free(self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_size(size: usize) -> Message {
        vec![b'x'; size].into()
    }

    #[test]
    fn without_a_mark_nothing_is_weighed() {
        let mut weights = Weights::new(Mark::UNLIMITED);
        assert!(!weights.add(&of_size(1 << 20)));
        assert_eq!((weights.waiting, weights.take(&VecDeque::new(), 7, true)), (0, 7));
        assert!(weights.admits(|| unreachable!()) && weights.is_half_free());
    }

    #[test]
    fn a_message_of_any_size_comes_in_below_the_mark() {
        let mut weights = Weights::new(Mark::from_option(1000));
        assert!(!weights.add(&of_size(500)) && weights.admits(|| false));
        assert!(weights.add(&of_size(400)) && weights.admits(|| false));
        assert!(!weights.add(&of_size(1 << 20)) && !weights.admits(|| false));
        weights.remove(&of_size(500));
        weights.remove(&of_size(400));
        assert!(!weights.admits(|| false));
        weights.remove(&of_size(1 << 20));
        assert!(weights.admits(|| false) && weights.is_half_free());
    }

    #[test]
    fn what_is_in_hand_counts_until_all_of_it_is_received() {
        let mut weights = Weights::new(Mark::from_option(1000));
        let messages: VecDeque<_> = [1000, 60, 60, 60, 60].map(of_size).into();
        for message in &messages {
            weights.add(message);
        }
        // The first is received at once; of the others as many as an eighth has.
        assert_eq!(weights.take(&messages, 64, true), 3);
        assert_eq!((weights.waiting, weights.in_hand), (120, 120));
        weights.add(&of_size(800));
        assert!(!weights.admits(|| true) && weights.admits(|| false));
        // No more than is asked for, and one at least.
        assert_eq!(weights.take(&[700, 60].map(of_size).into(), 1, true), 1);
        assert_eq!(weights.take(&[700, 60].map(of_size).into(), 2, false), 1);
    }
}
