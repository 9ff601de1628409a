//! [`FairQueue`]: whose turn it is to be read from (RFC 28, 29, 30:
//! "incoming messages SHALL be received in a fair-queued fashion").

use std::collections::VecDeque;
use std::sync::Arc;

use crate::message::Message;
use crate::pipe::{Hand, Peer};

/// How many empty hands are kept for reuse.
const SPARE_HANDS: usize = 8;

/// How many turns may be over in a tick of the attendant's clock, even if receivers are
/// slow.
const TURNS_PER_TICK: u32 = 4;

/// How many of the first peers are looked at, where all would be too many.
const LOOKED_AT: usize = 16;

/// A peer with something to read, and what was read of it already.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) peer: Arc<Peer>,
    /// Messages in hand, so that not each one costs a look at the peer.
    pub(crate) hand: Hand,
    /// The tick at which it was listed, or its last turn was over. What is in hand of one
    /// that is alone is received outside of turns.
    turn_at: u32,
    /// The tick at which it was listed, or last read from: a turn with a message that
    /// was in hand shows nothing of what came behind.
    read_at: u32,
    /// How many reads there had been of all sockets when an event listed it, or when
    /// it was last read from.
    pub(crate) reads_before: u32,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum NextTurn<'a> {
    /// A message was in hand: whose it is.
    InHand(&'a Arc<Peer>),
    /// A peer to be read from; its hand is empty. [`FairQueue::end_turn`] must
    /// follow.
    Read(Listed),
}

/// The peers that have something to read, in the order of their turns. However
/// many messages are in hand of each, a turn is one message.
///
/// Which peers are listed follows their [`Duty`](crate::pipe::Duty): a peer is
/// here while that says `Listed` or `Ahead`. Between an event that lists a peer
/// and its [`push`](Self::push) there may be a moment.
#[derive(Debug, Default)]
pub(crate) struct FairQueue {
    listed: VecDeque<Listed>,
    /// Hands of peers that are listed no more, so that a peer that sends one
    /// message at a time costs no allocation for each.
    spare: Vec<Hand>,
    /// The tick of the attendant's clock.
    tick: u32,
}

impl FairQueue {
    /// Puts a peer at the end. Its duty has just said that this is for the
    /// receivers.
    pub(crate) fn push(&mut self, peer: Arc<Peer>, reads_before: u32) {
        let (hand, tick) = (Hand::default(), self.tick);
        let listed = Listed { peer, hand, turn_at: tick, read_at: tick, reads_before };
        self.listed.push_back(listed);
    }

    /// As [`next_turn`](Self::next_turn), if a message of the first peer is in hand.
    #[inline(always)] // Once for every message, and from two places.
    pub(crate) fn take_in_hand(&mut self, message: &mut Message) -> bool {
        let Some(first) = self.listed.front_mut() else { return false };
        if !first.hand.pop_into(message) {
            return false;
        }
        let left = first.hand.len();
        first.peer.note_in_hand(left);
        if left == 0 {
            self.empty_hand();
        }
        self.pass_on();
        true
    }

    /// Whether a message of the first peer is in hand.
    pub(crate) fn has_in_hand(&self) -> bool {
        self.listed.front().is_some_and(|first| !first.hand.is_empty())
    }

    /// The last message in hand of the first peer was taken, and nobody may come for
    /// more for a long time.
    #[inline(never)]
    fn empty_hand(&mut self) {
        if let Some(first) = self.listed.front_mut() {
            let hand = std::mem::take(&mut first.hand);
            self.put_away(hand);
        }
    }

    /// Keeps the memory of a hand, if that of few others is kept and it is not much.
    fn put_away(&mut self, hand: Hand) {
        if self.spare.len() < SPARE_HANDS && hand.is_handy() {
            self.spare.push(hand);
        }
    }

    /// The turn of the first peer is over.
    #[inline]
    fn pass_on(&mut self) {
        if self.listed.len() > 1 {
            // Not by `rotate_left`, which is dearer unless the queue fills its memory.
            if let Some(first) = self.listed.pop_front() {
                self.listed.push_back(Listed { turn_at: self.tick, ..first });
            }
        }
    }

    /// Gives the first peer its turn. If a message of it is in hand, the turn is
    /// over with that, and the message is in `message`, where nothing of worth may be:
    /// to free it is not for here.
    #[inline]
    pub(crate) fn next_turn(&mut self, message: &mut Message) -> Option<NextTurn<'_>> {
        if self.take_in_hand(message) {
            return self.listed.back().map(|last| NextTurn::InHand(&last.peer));
        }
        let mut listed = self.listed.pop_front()?;
        listed.peer.duty.take();
        if !listed.hand.has_memory() {
            listed.hand = self.spare.pop().unwrap_or_default();
        }
        Some(NextTurn::Read(listed))
    }

    /// Ends a turn. With `more` to be had, with messages in hand, or if something
    /// happened meanwhile, the peer goes to the end of the queue.
    pub(crate) fn end_turn(&mut self, listed: Listed, more: bool) {
        if listed.peer.duty.give_back(more || !listed.hand.is_empty()) {
            self.listed.push_back(Listed { turn_at: self.tick, read_at: self.tick, ..listed });
        } else {
            self.put_away(listed.hand);
        }
    }

    /// Takes a peer that has nothing more to be read out of the queue, or says
    /// no: a message of it is in hand, a receiver reads from it, or it is on its
    /// way into the queue. This looks at every peer that is listed, which
    /// departures can afford.
    #[must_use]
    pub(crate) fn retire(&mut self, peer: &Arc<Peer>) -> bool {
        let place = self.listed.iter().position(|listed| Arc::ptr_eq(&listed.peer, peer));
        let Some(index) = place else { return !peer.duty.is_held() && !peer.duty.is_listed() };
        if !self.listed[index].hand.is_empty() {
            return false;
        }
        self.listed.remove(index);
        peer.duty.retire()
    }

    /// So many ticks later, hands peers that no receiver came for to their tasks: all
    /// that are listed, or those for at least `older_than` ticks, but at most `limit`.
    /// Where many wait for their turns it takes longer until each has had it. Only one
    /// that may send heartbeats has to be seen to before, and although receivers take
    /// what is in hand of it.
    /// Their lines are to be told ([`Line::read_ahead`](crate::pipe::Line)) once
    /// the lock is released. They stay in the queue.
    #[must_use]
    pub(crate) fn hand_over(
        &mut self,
        ticks: u32,
        older_than: Option<u32>,
        limit: usize,
    ) -> Vec<Arc<Peer>> {
        self.tick = self.tick.wrapping_add(ticks);
        let turns = u32::try_from(self.listed.len()).unwrap_or(u32::MAX) / TURNS_PER_TICK;
        let is_due = |listed: &&Listed| {
            let Some(ticks) = older_than else { return true };
            let is_past = |tick, most| self.tick.wrapping_sub(tick) >= most;
            is_past(listed.turn_at, ticks.saturating_add(turns))
                || is_past(listed.read_at, ticks) && listed.peer.line.has_heartbeats()
        };
        let due = self.listed.iter().filter(is_due).map(|listed| &listed.peer);
        due.filter(|peer| peer.duty.hand_over()).take(limit).cloned().collect()
    }

    /// Whether any peer waits for a receiver and was not handed over.
    pub(crate) fn has_listed(&self) -> bool {
        self.listed.iter().any(|listed| listed.peer.duty.is_listed())
    }

    /// Whether several peers wait for a receiver, as far as a short look tells. Those that
    /// were handed over do not: none has come for them.
    pub(crate) fn has_several(&self) -> bool {
        let first = self.listed.iter().take(LOOKED_AT);
        first.filter(|listed| listed.peer.duty.is_listed()).nth(1).is_some()
    }

    /// How many peers are in the queue.
    pub(crate) fn len(&self) -> usize {
        self.listed.len()
    }

    /// Whether no peer is in the queue.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// The peers that are in the queue.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.listed.iter().map(|listed| &listed.peer)
    }

    /// Takes what is in hand of the peers that `is_meant`, to be freed elsewhere.
    #[must_use]
    pub(crate) fn discard(&mut self, is_meant: impl Fn(&Peer) -> bool) -> Vec<Hand> {
        let meant = self.listed.iter_mut().filter(|listed| is_meant(&listed.peer));
        meant.map(|listed| std::mem::take(&mut listed.hand)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipe::Who;
    use crate::routing::testing::FakePeer;

    /// Something happened at the peer.
    fn event(queue: &mut FairQueue, peer: &FakePeer) -> Who {
        event_at(queue, peer, 0)
    }

    fn event_at(queue: &mut FairQueue, peer: &FakePeer, tick: u32) -> Who {
        let who = peer.duty.event();
        if who == Who::Receivers {
            queue.tick = tick;
            queue.push(Arc::clone(peer), 0);
        }
        who
    }

    /// A queue in which so many peers are listed.
    fn queue_of<const N: usize>() -> (FairQueue, [FakePeer; N]) {
        let (mut queue, peers) = (FairQueue::default(), [(); N].map(|()| FakePeer::accepted(1)));
        for peer in &peers {
            assert_eq!(event(&mut queue, peer), Who::Receivers);
        }
        (queue, peers)
    }

    /// Hands over at this tick.
    fn hand_over(
        queue: &mut FairQueue,
        tick: u32,
        older_than: Option<u32>,
        limit: usize,
    ) -> Vec<Arc<Peer>> {
        queue.hand_over(tick.wrapping_sub(queue.tick), older_than, limit)
    }

    fn read(queue: &mut FairQueue) -> Listed {
        match queue.next_turn(&mut Message::new()) {
            Some(NextTurn::Read(listed)) => listed,
            other => panic!("{other:?}"),
        }
    }

    /// Whose message was in hand.
    fn in_hand(queue: &mut FairQueue) -> Arc<Peer> {
        match queue.next_turn(&mut Message::new()) {
            Some(NextTurn::InHand(peer)) => Arc::clone(peer),
            other => panic!("{other:?}"),
        }
    }

    fn keys(peers: &[Arc<Peer>]) -> Vec<crate::pipe::PeerKey> {
        peers.iter().map(|peer| peer.key).collect()
    }

    #[test]
    fn peers_with_more_alternate() {
        let (mut queue, peers) = queue_of::<3>();
        for turn in 0..6 {
            let listed = read(&mut queue);
            assert_eq!(listed.peer.key, peers[turn % 3].key);
            queue.end_turn(listed, true);
        }
    }

    #[test]
    fn messages_in_hand_alternate_too() {
        let (mut queue, peers) = queue_of::<2>();
        for mut listed in [read(&mut queue), read(&mut queue)] {
            ["1", "2"].into_iter().for_each(|text| listed.hand.push(Message::from(text)));
            queue.end_turn(listed, false);
        }
        for turn in 0..4 {
            assert_eq!(in_hand(&mut queue).key, peers[turn % 2].key);
        }
        // Each gets another look: there may be more.
        drop(read(&mut queue));
        drop(read(&mut queue));
    }

    #[test]
    fn a_peer_is_listed_once() {
        let (mut queue, [a]) = queue_of();
        assert_eq!(event(&mut queue, &a), Who::Nobody);
        let listed = read(&mut queue);
        assert!(queue.next_turn(&mut Message::new()).is_none());
        queue.end_turn(listed, false);
        assert!(queue.is_empty());
    }

    #[test]
    fn an_event_during_the_turn_is_not_lost() {
        let (mut queue, [a]) = queue_of();
        let listed = read(&mut queue);
        assert_eq!(event(&mut queue, &a), Who::Nobody);
        queue.end_turn(listed, false);
        let listed = read(&mut queue);
        queue.end_turn(listed, false);
        assert!(queue.is_empty());
    }

    #[test]
    fn what_is_in_hand_keeps_a_peer_listed_when_there_is_no_more() {
        let (mut queue, [a]) = queue_of();
        let mut listed = read(&mut queue);
        listed.hand.push(Message::from("1"));
        queue.end_turn(listed, false);
        assert!(a.duty.is_listed());
        assert_eq!(in_hand(&mut queue).key, a.key);
        assert_eq!(event(&mut queue, &a), Who::Nobody);
        assert_eq!(queue.iter().count(), 1);
    }

    #[test]
    fn a_hand_is_used_again() {
        let (mut queue, [a]) = queue_of();
        let mut listed = read(&mut queue);
        listed.hand.push(Message::from("1"));
        listed.hand.pop();
        queue.end_turn(listed, false);
        event(&mut queue, &a);
        assert!(read(&mut queue).hand.has_memory());
    }

    #[test]
    fn a_hand_that_was_large_is_not_kept() {
        let (mut queue, [a]) = queue_of();
        let mut listed = read(&mut queue);
        (0..1000).for_each(|_| listed.hand.push(Message::new()));
        listed.hand.clear();
        queue.end_turn(listed, false);
        event(&mut queue, &a);
        assert!(!read(&mut queue).hand.has_memory());
    }

    #[test]
    fn a_peer_retires_unless_a_message_is_in_hand_or_it_is_being_read() {
        let (mut queue, [a, b]) = queue_of();
        assert!(queue.retire(&FakePeer::accepted(1)));
        assert!(queue.retire(&a));
        let mut listed = read(&mut queue);
        assert!(queue.is_empty());
        assert!(!queue.retire(&b));
        listed.hand.push(Message::from("1"));
        queue.end_turn(listed, false);
        assert!(!queue.retire(&b));
        in_hand(&mut queue);
        assert!(queue.retire(&b));
        assert!(queue.next_turn(&mut Message::new()).is_none());
        // As if nothing had been: the next event lists it.
        assert_eq!(event(&mut queue, &b), Who::Receivers);
    }

    #[test]
    fn a_peer_that_is_about_to_be_listed_does_not_retire() {
        let (mut queue, a) = (FairQueue::default(), FakePeer::accepted(1));
        assert_eq!(a.duty.event(), Who::Receivers);
        assert!(!queue.retire(&a));
        queue.push(Arc::clone(&a), 0);
        assert!(queue.retire(&a));
    }

    #[test]
    fn what_is_in_hand_of_some_is_discarded() {
        let (mut queue, [a, b]) = queue_of();
        for mut listed in [read(&mut queue), read(&mut queue)] {
            ["1", "2"].into_iter().for_each(|text| listed.hand.push(Message::from(text)));
            queue.end_turn(listed, false);
        }
        let mut discarded = || queue.discard(|peer| peer.key == a.key)[0].len();
        assert_eq!([discarded(), discarded()], [2, 0]);
        let listed = read(&mut queue);
        assert_eq!(listed.peer.key, a.key);
        assert_eq!(in_hand(&mut queue).key, b.key);
    }

    #[test]
    fn those_that_no_receiver_came_for_are_handed_over_once() {
        let (mut queue, [a, b, c]) = queue_of();
        assert!(queue.has_listed());
        assert_eq!(keys(&hand_over(&mut queue, 0, None, 2)), [a.key, b.key]);
        assert!(queue.has_listed());
        assert_eq!(keys(&hand_over(&mut queue, 0, None, 2)), [c.key]);
        assert!(!queue.has_listed() && !queue.is_empty());
        assert!(hand_over(&mut queue, 0, None, 2).is_empty());
        // Their tasks see to what happens now.
        assert_eq!(event(&mut queue, &a), Who::Task);
        assert_eq!(queue.iter().count(), 3);
    }

    #[test]
    fn those_that_are_handed_over_are_no_sign_that_there_is_much_to_do() {
        let (mut queue, [_, b, _]) = queue_of();
        assert!(queue.has_several());
        assert_eq!(hand_over(&mut queue, 0, None, 2).len(), 2);
        assert!(!queue.has_several());
        // A receiver comes for two of them after all.
        for more in [true, true] {
            let listed = read(&mut queue);
            queue.end_turn(listed, more);
        }
        assert!(queue.has_several());
        assert!(b.duty.is_listed());
    }

    #[test]
    fn only_those_that_were_listed_for_a_while_are_handed_over() {
        let (mut queue, [old, young]) =
            (FairQueue::default(), [(); 2].map(|()| FakePeer::accepted(1)));
        // The ticks may wrap meanwhile.
        event_at(&mut queue, &old, u32::MAX);
        event_at(&mut queue, &young, 1);
        assert!(hand_over(&mut queue, 1, Some(3), 10).is_empty());
        assert_eq!(keys(&hand_over(&mut queue, 2, Some(3), 10)), [old.key]);
        assert_eq!(keys(&hand_over(&mut queue, 4, Some(3), 10)), [young.key]);
    }

    #[test]
    fn where_many_wait_for_their_turns_they_have_more_time() {
        let mut queue = FairQueue::default();
        let peers = [(); 40].map(|()| FakePeer::accepted(1));
        for peer in &peers {
            event(&mut queue, peer);
        }
        assert!(hand_over(&mut queue, 11, Some(2), 100).is_empty());
        assert_eq!(hand_over(&mut queue, 12, Some(2), 100).len(), 40);
    }

    #[test]
    fn one_that_is_read_from_waits_anew() {
        let (mut queue, [a]) = queue_of();
        let listed = read(&mut queue);
        queue.tick = 5;
        queue.end_turn(listed, true);
        assert!(hand_over(&mut queue, 6, Some(2), 10).is_empty());
        assert_eq!(keys(&hand_over(&mut queue, 7, Some(2), 10)), [a.key]);
    }

    /// However many messages a read brings, each is a turn.
    #[test]
    fn one_whose_messages_are_received_in_turn_is_not_handed_over() {
        let (mut queue, peers) = queue_of::<2>();
        for mut listed in [read(&mut queue), read(&mut queue)] {
            ["1", "2", "3"].into_iter().for_each(|text| listed.hand.push(Message::from(text)));
            queue.end_turn(listed, false);
        }
        for tick in 1..4 {
            assert!(hand_over(&mut queue, tick, Some(2), 10).is_empty());
            in_hand(&mut queue);
            in_hand(&mut queue);
        }
        assert_eq!(keys(&hand_over(&mut queue, 5, Some(2), 10)), peers.each_ref().map(|it| it.key));
    }

    /// Its PING waits behind what is in hand, however fast that is received.
    #[test]
    fn one_with_heartbeats_is_handed_over_although_it_has_turns_with_what_is_in_hand() {
        let (mut queue, [a, b]) = queue_of::<2>();
        a.have_heartbeats();
        for mut listed in [read(&mut queue), read(&mut queue)] {
            ["1", "2", "3"].into_iter().for_each(|text| listed.hand.push(Message::from(text)));
            queue.end_turn(listed, true);
        }
        in_hand(&mut queue);
        in_hand(&mut queue);
        assert!(hand_over(&mut queue, 1, Some(2), 10).is_empty());
        in_hand(&mut queue);
        in_hand(&mut queue);
        assert_eq!(keys(&hand_over(&mut queue, 2, Some(2), 10)), [a.key]);
        // What is in hand is received as before, and then whatever its task has read.
        assert_eq!(in_hand(&mut queue).key, a.key);
        assert_eq!(in_hand(&mut queue).key, b.key);
        let listed = read(&mut queue);
        assert_eq!(listed.peer.key, a.key);
        queue.end_turn(listed, true);
        // That was a read.
        assert!(hand_over(&mut queue, 3, Some(2), 10).is_empty());
    }

    /// One that is alone needs no heartbeats for that: nobody waits for its turn.
    #[test]
    fn one_that_is_alone_is_handed_over_although_what_is_in_hand_is_received() {
        let (mut queue, [a]) = queue_of();
        let mut listed = read(&mut queue);
        ["1", "2"].into_iter().for_each(|text| listed.hand.push(Message::from(text)));
        queue.end_turn(listed, true);
        queue.tick = 1;
        in_hand(&mut queue);
        assert_eq!(keys(&hand_over(&mut queue, 2, Some(2), 10)), [a.key]);
        assert_eq!(in_hand(&mut queue).key, a.key);
    }

    #[test]
    fn a_receiver_takes_over_from_the_task() {
        let (mut queue, [a]) = queue_of();
        assert_eq!(hand_over(&mut queue, 0, None, 10).len(), 1);
        let listed = read(&mut queue);
        assert!(a.duty.is_held());
        queue.end_turn(listed, true);
        assert!(queue.has_listed());
    }

    #[test]
    fn one_that_was_handed_over_retires_too() {
        let (mut queue, [a]) = queue_of();
        assert_eq!(hand_over(&mut queue, 0, None, 10).len(), 1);
        assert!(queue.retire(&a));
        assert!(queue.is_empty());
        assert_eq!(event(&mut queue, &a), Who::Receivers);
    }
}
