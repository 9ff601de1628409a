//! [`Queue`]: one direction of a pipe between two sockets of one process.
//!
//! It knows neither sockets nor peers: each method says what its caller has to
//! tell whom once no lock is held.

use std::collections::VecDeque;

use super::uncounted::Uncounted;
use super::weights::{Marks, Weights};
use crate::mark::Mark;
use crate::message::Message;
use crate::peer::Subscription;
use crate::pipe::{
    Backlog, Hand, InHand, Item, NeedsFlush, Next, Refused, Traits, free, free_messages,
};
use crate::sync::{Lock, Rank};

/// What one side sends and the other takes.
///
/// Somebody flushes whenever it becomes non-empty, and whoever takes from it
/// goes on until it is empty: so only the push that ends the emptiness needs a
/// flush.
#[derive(Debug)]
pub(super) struct Queue {
    state: Lock<State>,
    /// Messages that receivers took in one batch and still have in hand. They
    /// count against the mark.
    pub(super) in_hand: InHand,
    /// What a REQ had not asked for.
    pub(super) strays: Uncounted,
    /// What newer messages took the place of.
    pub(super) conflated: Uncounted,
    /// Octets that a sender which has left had left unread, and that are no more.
    pub(super) freed: Uncounted,
}

#[derive(Debug)]
struct State {
    life: Life,
    taker: Taker,
    keep: Keep,
    mark: Mark,
    weights: Weights,
    /// Whether a sender was refused for want of room and is to be told of some.
    wanted: bool,
    messages: VecDeque<Message>,
    /// Only for a pattern that takes at once; to others they mean nothing.
    controls: VecDeque<Control>,
    /// Messages that have left the queue, to find the places of `controls`.
    passed: usize,
    /// How many were taken, and the most that have ever waited as those who take found
    /// them.
    taken: u64,
    most: usize,
    /// How many octets of those the bound on what departed peers left is charged with.
    charged: usize,
}

/// A subscription among the messages.
#[derive(Debug)]
struct Control {
    /// It follows as many messages.
    place: usize,
    change: Subscription,
}

/// How far the two sides are with each other.
///
/// ```text
///   Waiting ──► Meeting ──► Open ──► Ended
///      └───────────┴──────────────────▲
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Nobody is at the other end. Subscriptions are forgotten: they are
    /// replayed when somebody is.
    Waiting,
    /// Somebody is, and is not told of anything yet.
    Meeting,
    Open,
    /// Nothing is taken in any more. What is there may be taken out.
    Ended,
}

/// Who takes what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taker {
    /// Receivers, in batches.
    Receivers,
    /// Nobody: REQ has asked nothing, so that nothing can be a reply.
    Nobody,
    /// The pattern, as it comes. Nobody is handing anything over.
    Pattern,
    /// The pattern, and one who flushes is handing over, until nothing is left.
    PatternNow,
}

impl Taker {
    pub(super) fn of(traits: &Traits) -> Self {
        match traits {
            Traits { takes_at_once: true, .. } => Self::Pattern,
            Traits { asks: true, .. } => Self::Nobody,
            _ => Self::Receivers,
        }
    }
}

/// Which messages wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// All, up to the mark.
    All,
    /// The newest (`conflate`).
    Last,
}

/// How many messages that are left unread are weighed; others weigh as much on
/// average.
const WEIGHED: usize = 10_000;

/// For how many messages a queue that was emptied keeps memory: as many as the default
/// marks of both sides let wait, since it is soon filled again.
const KEPT: usize = 2048;

/// How many messages are taken at once: an eighth of the mark, so that what is
/// in hand leaves the greater part of it to the queue. Whoever waits for room is
/// then always told when that has been taken.
fn batch(mark: Mark) -> usize {
    (mark.limit() / 8).max(1)
}

impl Queue {
    pub(super) fn new(marks: Marks, keep: Keep, taker: Taker) -> Self {
        let state = State {
            life: Life::Waiting,
            taker,
            keep,
            mark: marks.messages,
            weights: Weights::new(marks.octets),
            wanted: false,
            messages: VecDeque::new(),
            controls: VecDeque::new(),
            passed: 0,
            taken: 0,
            most: 0,
            charged: 0,
        };
        Self {
            state: Lock::new(Rank::Outward, state),
            in_hand: InHand::default(),
            strays: Uncounted::default(),
            conflated: Uncounted::default(),
            freed: Uncounted::default(),
        }
    }

    /// Somebody is at the other end, so that marks and taker are known.
    pub(super) fn meet(&self, marks: Marks, keep: Keep, taker: Option<Taker>) {
        let mut state = self.state.lock();
        if state.life == Life::Ended {
            return;
        }
        state.life = Life::Meeting;
        state.mark = marks.messages;
        state.weights.meet(marks.octets);
        state.keep = keep;
        state.taker = taker.unwrap_or(state.taker);
        if taker == Some(Taker::Nobody) {
            let _ = self.strays.add(state.clear());
        }
        if keep == Keep::Last {
            let older = state.messages.len().saturating_sub(1);
            state.messages.drain(..older);
            state.passed += older;
            let _ = self.conflated.add(older);
        }
    }

    /// Both sides are told of everything from now on. Whether a sender waits for
    /// room that the mark of the second made.
    #[must_use]
    pub(super) fn open(&self) -> bool {
        let mut state = self.state.lock();
        if state.life != Life::Ended {
            state.life = Life::Open;
        }
        let room = state.wanted && self.admits(&state);
        state.wanted &= !room;
        room
    }

    /// Takes nothing in any more. What is there stays.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.life = Life::Ended;
        // Nobody knows when it will be taken, and the room for more never is.
        state.messages.shrink_to_fit();
        state.controls.shrink_to_fit();
    }

    /// Takes nothing in any more and forgets what is there; says how many
    /// messages that were.
    pub(super) fn discard(&self) -> usize {
        let mut state = self.state.lock();
        state.life = Life::Ended;
        let (messages, controls) =
            (std::mem::take(&mut state.messages), std::mem::take(&mut state.controls));
        let count = messages.len();
        state.passed += count;
        state.weights.clear();
        let freed = std::mem::take(&mut state.charged);
        drop(state);
        let _ = self.freed.add(freed);
        free(controls.len(), controls);
        free_messages(count, messages);
        count
    }

    /// The sender has left: what of it is unread counts against the bound from now
    /// on, until it is [no more](Self::freed).
    pub(super) fn charge(&self, backlog: &Backlog) {
        let mut state = self.state.lock();
        if state.charged > 0 || state.taker != Taker::Receivers {
            return;
        }
        let messages = &state.messages;
        let looked_at = messages.len().min(WEIGHED);
        let octets: usize = messages.iter().take(WEIGHED).map(Message::weight).sum();
        state.charged = octets / looked_at.max(1) * state.messages.len();
        // Before anybody can take of it, and give that back.
        backlog.add(state.charged);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state.lock().is_empty()
    }

    /// Whether nothing is there and nothing will be.
    pub(super) fn is_spent(&self) -> bool {
        let state = self.state.lock();
        state.life == Life::Ended && state.is_empty()
    }

    // The sender's side.

    /// Whether no mark is in the way of a message, nor that the receivers are behind
    /// with what others left. Whoever asks in vain is told when that changes; so
    /// `is_behind` is asked under the lock that [`catch_up`](Self::catch_up) takes.
    pub(super) fn has_room(&self, is_behind: impl FnOnce() -> bool) -> bool {
        let mut state = self.state.lock();
        let room = self.admits(&state) && !is_behind();
        state.wanted |= !room;
        room
    }

    pub(super) fn push(
        &self,
        message: &mut Message,
        is_behind: impl FnOnce() -> bool,
    ) -> Result<NeedsFlush, Refused> {
        let mut state = self.state.lock();
        if state.life == Life::Ended {
            return Err(Refused::Gone);
        }
        if state.taker == Taker::Nobody {
            drop(state);
            return Ok(self.strays.add(1));
        }
        if !self.admits(&state) || is_behind() {
            state.wanted = true;
            return Err(Refused::Full);
        }
        let is_news = state.is_news();
        let replaced = match state.keep {
            Keep::All => 0,
            Keep::Last => state.messages.len(),
        };
        if replaced > 0 {
            state.messages.clear();
            state.weights.clear();
            state.passed += replaced;
        }
        let comes_near = state.weights.add(message) && state.keep == Keep::All;
        state.messages.push_back(std::mem::take(message));
        let is_half_full = comes_near || state.messages.len() == state.mark.limit().div_ceil(2);
        drop(state);
        match self.conflated.add(replaced) {
            NeedsFlush::No if is_half_full && !is_news => Ok(NeedsFlush::NearMark),
            NeedsFlush::No => Ok(NeedsFlush::when(is_news)),
            needs => Ok(needs),
        }
    }

    /// How many messages were taken, how many wait, and how many did at most.
    pub(super) fn counts(&self) -> (u64, usize, usize) {
        let state = self.state.lock();
        let queued = state.messages.len();
        (state.taken, queued, state.most.max(queued))
    }

    pub(super) fn control(&self, change: Subscription) -> NeedsFlush {
        let mut state = self.state.lock();
        let counts = matches!(state.taker, Taker::Pattern | Taker::PatternNow)
            && matches!(state.life, Life::Meeting | Life::Open);
        if !counts {
            return NeedsFlush::No;
        }
        let is_news = state.is_news();
        let place = state.passed + state.messages.len();
        state.controls.push_back(Control { place, change });
        NeedsFlush::when(is_news)
    }

    // The receiver's side.

    /// A reply may come from now on; what came before is none, and is counted
    /// with a flush.
    pub(super) fn expect_reply(&self) -> NeedsFlush {
        let mut state = self.state.lock();
        state.taker = Taker::Receivers;
        let strays = state.clear();
        let freed = std::mem::take(&mut state.charged);
        drop(state);
        let _ = self.freed.add(freed);
        self.strays.add(strays)
    }

    /// Nothing that comes from now on is a reply, nor is what is there.
    pub(super) fn expect_nothing(&self) {
        let mut state = self.state.lock();
        state.taker = Taker::Nobody;
        let strays = state.clear();
        let freed = std::mem::take(&mut state.charged);
        drop(state);
        let _ = self.freed.add(freed);
        let _ = self.strays.add(strays);
    }

    /// Gives a batch to receivers, of at most `limit`. Says also whether the
    /// sender is to be told that there is room.
    pub(super) fn take(&self, hand: &mut Hand, limit: usize) -> (Next, bool) {
        let mut state = self.state.lock();
        state.most = state.most.max(state.messages.len());
        let most = state.messages.len().min(limit).min(batch(state.mark));
        let State { weights, messages, .. } = &mut *state;
        let count = weights.take(messages, most, hand.is_empty());
        state.taken += count as u64;
        if count == state.messages.len() {
            hand.push_all(&mut state.messages);
        } else {
            state.messages.drain(..count).for_each(|message| hand.push(message));
        }
        let freed = state.free(hand);
        // The first of them is received at once.
        self.in_hand.set(hand.len().saturating_sub(1));
        state.trim();
        let next = match (state.messages.is_empty(), state.life) {
            (false, _) => Next::More,
            (true, Life::Ended) => Next::Gone,
            (true, _) => Next::Empty,
        };
        let wanted = state.take_wanted();
        drop(state);
        let _ = self.freed.add(freed);
        (next, wanted)
    }

    /// Receivers have caught up with what others left: whether the sender was
    /// refused meanwhile and is to be told.
    pub(super) fn catch_up(&self) -> bool {
        let mut state = self.state.lock();
        let room = state.wanted && self.admits(&state);
        state.wanted &= !room;
        room
    }

    /// Whether the caller is to hand over what is there to a pattern that takes
    /// it as it comes. If so it has to go on until [`next_item`](Self::next_item)
    /// has nothing more.
    #[must_use]
    pub(super) fn begin_to_deliver(&self) -> bool {
        let mut state = self.state.lock();
        let begins = state.taker == Taker::Pattern && !state.is_empty();
        if begins {
            state.taker = Taker::PatternNow;
        }
        begins
    }

    /// The next item to hand over, and whether the sender is to be told that
    /// there is room.
    pub(super) fn next_item(&self) -> Option<(Item, bool)> {
        let mut state = self.state.lock();
        let item = state.next_item();
        state.trim();
        if item.is_none() {
            // Under the same lock as the look: what comes next is news again.
            state.taker = Taker::Pattern;
        }
        Some((item?, state.take_wanted()))
    }

    fn admits(&self, state: &State) -> bool {
        if state.keep == Keep::Last {
            return true;
        }
        let waiting = state.messages.len();
        // Receivers write `in_hand` for each message, on other threads maybe. It
        // is read where it can matter, which is close to the mark.
        (state.mark.admits(waiting.saturating_add(batch(state.mark)))
            || state.mark.admits(waiting.saturating_add(self.in_hand.get())))
            && state.weights.admits(|| self.in_hand.get() > 0)
    }
}

impl State {
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.controls.is_empty()
    }

    /// Whether one more thing here is one that nobody looks for yet.
    fn is_news(&self) -> bool {
        self.life == Life::Open && self.is_empty()
    }

    /// What is in `hand` was taken: how many octets that the bound is charged with
    /// are no more.
    fn free(&mut self, hand: &Hand) -> usize {
        if self.charged == 0 {
            return 0;
        }
        let left = match self.messages.is_empty() {
            true => 0,
            false => self.charged.saturating_sub(hand.weight()),
        };
        std::mem::replace(&mut self.charged, left) - left
    }

    /// Gives back memory that only a long queue needs, once it is empty.
    #[inline]
    fn trim(&mut self) {
        if self.messages.is_empty() && self.messages.capacity() > KEPT {
            self.messages.shrink_to(KEPT);
        }
        if self.controls.is_empty() && self.controls.capacity() > KEPT {
            self.controls.shrink_to(KEPT);
        }
    }

    /// Whether a sender waits for room and is to be told of some now. Half of
    /// the mark at a time, and when it runs dry: one wake-up for many messages,
    /// and a mark of one does not deadlock.
    fn take_wanted(&mut self) -> bool {
        let room = self.wanted
            && self.mark.is_half_free(self.messages.len())
            && self.weights.is_half_free();
        self.wanted &= !room;
        room
    }

    fn next_item(&mut self) -> Option<Item> {
        if self.controls.front().is_some_and(|control| control.place <= self.passed) {
            return self.controls.pop_front().map(|it| Item::Subscription(it.change));
        }
        let message = self.messages.pop_front()?;
        self.weights.remove(&message);
        self.passed += 1;
        self.taken += 1;
        Some(Item::Message(message))
    }

    /// Forgets everything; says how many messages that were.
    fn clear(&mut self) -> usize {
        let count = self.messages.len();
        self.messages.clear();
        self.weights.clear();
        self.controls.clear();
        self.passed += count;
        self.trim();
        count
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::options::SocketOptions;

    fn capacity(queue: &Queue) -> usize {
        let state = queue.state.lock();
        state.messages.capacity() + state.controls.capacity()
    }

    #[test]
    fn a_queue_that_has_ended_holds_no_more_memory_than_what_is_unread() {
        let queue = Queue::new(Marks::NONE, Keep::All, Taker::Receivers);
        for _ in 0..1000 {
            assert!(queue.push(&mut Message::new(), || false).is_ok());
        }
        for _ in 0..99 {
            let _ = queue.take(&mut Hand::default(), 10);
        }
        assert!(capacity(&queue) >= 1000);
        queue.end();
        assert!(capacity(&queue) <= 20, "{}", capacity(&queue));
        assert!(!queue.is_spent());
        assert_eq!(queue.discard(), 10);
        assert_eq!(capacity(&queue), 0);
        assert!(queue.is_spent());
    }

    #[test]
    fn a_queue_that_was_long_and_is_emptied_keeps_little_memory() {
        let many = 100 * KEPT;
        for taker in [Taker::Receivers, Taker::Pattern] {
            let queue = Queue::new(Marks::NONE, Keep::All, taker);
            for _ in 0..many {
                assert!(queue.push(&mut Message::new(), || false).is_ok());
            }
            let mut hand = Hand::default();
            match taker {
                Taker::Receivers => {
                    while queue.take(&mut hand, 64).0 == Next::More {
                        hand.clear();
                    }
                    assert!(!hand.is_empty() && hand.is_handy());
                }
                _ => while queue.next_item().is_some() {},
            }
            assert!(capacity(&queue) <= KEPT, "{taker:?}: {}", capacity(&queue));
        }
    }

    #[test]
    fn a_sender_that_finds_the_others_behind_is_told_when_they_are_not() {
        for _ in 0..1000 {
            let queue = Queue::new(Marks::NONE, Keep::All, Taker::Receivers);
            let behind = AtomicBool::new(true);
            let (pushed, told) = std::thread::scope(|scope| {
                let pushing = scope.spawn(|| {
                    queue.push(&mut Message::new(), || behind.load(Ordering::SeqCst)).is_ok()
                });
                behind.store(false, Ordering::SeqCst);
                let told = queue.catch_up();
                (pushing.join().unwrap(), told)
            });
            assert!(pushed || told);
        }
    }

    #[test]
    fn what_is_charged_is_given_back_when_it_is_cleared_away() {
        let backlog = Backlog::new(&SocketOptions::new());
        let queue = Queue::new(Marks::NONE, Keep::All, Taker::Receivers);
        for _ in 0..10 {
            assert!(queue.push(&mut vec![0; 8 << 20].into(), || false).is_ok());
        }
        queue.end();
        queue.charge(&backlog);
        assert!(backlog.is_full());
        queue.expect_nothing();
        assert!(backlog.remove(queue.freed.take()));
        // It is nothing that receivers take, so it is not charged.
        queue.charge(&backlog);
        assert!(!backlog.is_full());
    }

    #[test]
    fn what_is_empty_is_charged_with_what_it_takes_to_keep_it() {
        let backlog = Backlog::new(&SocketOptions::new());
        let empty = 1_000;
        for _ in 0..(64 << 20) / (empty * size_of::<Message>()) + 1 {
            assert!(!backlog.is_full());
            let queue = Queue::new(Marks::NONE, Keep::All, Taker::Receivers);
            for _ in 0..empty {
                assert!(queue.push(&mut Message::default(), || false).is_ok());
            }
            queue.end();
            queue.charge(&backlog);
        }
        assert!(backlog.is_full());
    }

    #[test]
    fn a_batch_leaves_most_of_the_mark_to_the_queue() {
        let of = |limit| batch(Mark::from_option(limit));
        assert_eq!([1, 2, 15, 16, 2000].map(of), [1, 1, 1, 2, 250]);
        assert!(batch(Mark::UNLIMITED) > 1 << 20);
    }
}
