//! Receiving: looking for a message, and waiting for one.
//!
//! A receive looks first, without registering anywhere. What a caller owes the other
//! tasks for a long run of calls that never waited is paid at the start of the next
//! call, before anything is taken, so a dropped future never lost a message.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::attendant::Pace;
use super::core::Core;
use super::waiters::Waiting;
use crate::engine::nudge;
use crate::error::RecvError;
use crate::message::Message;
use crate::pattern::{Before, Delivery};
use crate::peer::DropCause;
use crate::pipe::{Next, Peer, SocketSide};
use crate::routing::{Listed, NextTurn};
use crate::sync::{Held, Lock};
use crate::tasks::poll_yield;

/// How many peers or discarded messages one look may go through.
const LOOKS: usize = 16;

/// How many messages a receiver takes in hand of a peer.
const HAND: usize = 64;

/// How many looks `try_recv` takes, which cannot let others run in between.
const TRY_LOOKS: usize = 64;

/// What one look for a message came to.
#[derive(PartialEq, Eq)]
enum Look {
    Found,
    Nothing,
    /// More to look through; others first.
    Busy,
}

/// The lock on whose turn it is, where receiving and sending take turns.
type HeldTurn<'a> = Held<'a, ()>;

/// A receive that has begun.
#[must_use = "futures do nothing unless polled"]
pub(crate) struct Receiving<'a> {
    core: &'a Core,
    stage: Stage,
    /// Whether all that is known of the sender is wanted as well.
    asks_who: bool,
    waiting: Option<Waiting<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begins,
    /// What was owed is paid.
    Looks,
    /// More is most likely on its way; looking once more, a little later, is cheaper
    /// than to wait and be woken.
    LooksAgain,
    Waits,
    Done,
}

impl Future for Receiving<'_> {
    type Output = Result<Delivery, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut delivery = Delivery::default();
        match self.get_mut().poll_into(cx, &mut delivery) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(found) => Poll::Ready(found.map(|()| delivery)),
        }
    }
}

/// A receive of which only the message is wanted.
#[must_use = "futures do nothing unless polled"]
pub(crate) struct ReceivingMessage<'a>(Receiving<'a>);

impl Future for ReceivingMessage<'_> {
    type Output = Result<Message, RecvError>;

    #[inline(always)] // Or it is one call more for each message.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.0.stage == Stage::Begins && self.0.core.may_recv_at_once() {
            self.0.poll_at_once(cx)
        } else {
            self.0.poll_message(cx)
        }
    }
}

impl Receiving<'_> {
    /// The shortest way, if a message is in hand.
    #[inline(never)]
    fn poll_at_once(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        let mut message = Message::default();
        if self.core.recv_at_once(&mut message) {
            self.stage = Stage::Done;
            return Poll::Ready(Ok(message));
        }
        self.poll_message(cx)
    }

    /// What is not the shortest way must not be part of it: it costs a fast receive as
    /// much as its largest frame on the stack.
    #[inline(never)]
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        let mut delivery = Delivery::default();
        match self.poll_into(cx, &mut delivery) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(found) => Poll::Ready(found.map(|()| delivery.message)),
        }
    }

    /// Ready once `delivery` is what was received, and the receive has ended.
    fn poll_into(
        &mut self,
        cx: &mut Context<'_>,
        delivery: &mut Delivery,
    ) -> Poll<Result<(), RecvError>> {
        let found = match self.poll_look(cx, delivery) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(found) => found,
        };
        self.waiting = None;
        self.stage = Stage::Done;
        Poll::Ready(found)
    }

    /// Ready once `delivery` is what was received.
    fn poll_look(
        &mut self,
        cx: &mut Context<'_>,
        delivery: &mut Delivery,
    ) -> Poll<Result<(), RecvError>> {
        let core = self.core;
        assert!(self.stage != Stage::Done, "a receive was polled after it had ended");
        if self.stage == Stage::Begins {
            self.stage = Stage::Looks;
            core.receipts.note();
            if core.receipts.owes_yield() && core.is_batch_over() {
                core.receipts.note_yield();
                return poll_yield(cx);
            }
        }
        if self.stage == Stage::Looks && core.receipts.have_just_waited() {
            // So has this one most likely.
            self.stage = Stage::Waits;
        }
        if matches!(self.stage, Stage::Looks | Stage::LooksAgain) {
            if core.look(delivery, self.asks_who)? == Look::Found {
                return Poll::Ready(Ok(()));
            }
            if self.stage == Stage::Looks && core.receipts.are_streaming() {
                core.note_wait();
                self.stage = Stage::LooksAgain;
                return poll_yield(cx);
            }
            self.stage = Stage::Waits;
        }
        self.poll_wait(cx, delivery)
    }

    /// Looks as one that waits, which is woken when there is something to look for.
    #[inline]
    fn poll_wait(
        &mut self,
        cx: &mut Context<'_>,
        delivery: &mut Delivery,
    ) -> Poll<Result<(), RecvError>> {
        let core = self.core;
        let has_waited = self.waiting.is_some();
        let waiting = self.waiting.get_or_insert_with(|| core.receivers.wait());
        if waiting.take_wake() && core.look_on(delivery, self.asks_who)? == Look::Found {
            return Poll::Ready(Ok(()));
        }
        // Counted as waiting and lined up before the look, so that what comes between
        // the look and the wait is not missed.
        waiting.line_up(cx.waker());
        let looked = match has_waited {
            true => core.look_on(delivery, self.asks_who)?,
            false => core.look_to_the_end(delivery, self.asks_who)?,
        };
        match looked {
            Look::Found => Poll::Ready(Ok(())),
            Look::Nothing => {
                core.note_wait();
                Poll::Pending
            }
            Look::Busy => poll_yield(cx),
        }
    }
}

impl Core {
    /// Whether a message that is in hand can be received with nothing to be asked, which
    /// is the most common case.
    #[inline]
    fn may_recv_at_once(&self) -> bool {
        self.traits.passes && !self.is_closed() && !self.receipts.owes_yield_at_once()
    }

    /// Receives a message if one is in hand.
    #[inline]
    fn recv_at_once(&self, message: &mut Message) -> bool {
        if !self.ready.lock().take_in_hand(message) {
            return false;
        }
        self.receipts.note();
        // There is more, if only another look at that peer.
        self.receivers.wake_one();
        true
    }

    /// As [`recv`](Self::recv), where only the message is wanted.
    #[inline]
    pub(crate) fn recv_message(&self) -> ReceivingMessage<'_> {
        ReceivingMessage(self.recv())
    }

    /// Receives a message, waiting until there is one.
    #[inline]
    pub(crate) fn recv(&self) -> Receiving<'_> {
        Receiving { core: self, stage: Stage::Begins, asks_who: false, waiting: None }
    }

    /// The same, with all that is known of the sender.
    pub(crate) fn recv_with_peer(&self) -> Receiving<'_> {
        Receiving { asks_who: true, ..self.recv() }
    }

    /// Whether it is time for others, who are owed it: each peer that has something to
    /// read has had its share, and the next message is not in hand.
    fn is_batch_over(&self) -> bool {
        if self.receipts.owes_yield_at_once() {
            return true;
        }
        let ready = self.ready.lock();
        !ready.has_in_hand() && self.receipts.are_enough_for(ready.len())
    }

    /// A receiver has to wait: it is quiet.
    fn note_wait(&self) {
        self.receipts.note_wait();
        self.may_write.store(true, Ordering::Relaxed);
    }

    /// Receives a message if there is one.
    pub(crate) fn try_recv(&self) -> Result<Delivery, RecvError> {
        self.try_look(false)
    }

    /// The same, with all that is known of the sender.
    pub(crate) fn try_recv_with_peer(&self) -> Result<Delivery, RecvError> {
        self.try_look(true)
    }

    fn try_look(&self, asks_who: bool) -> Result<Delivery, RecvError> {
        let mut delivery = Delivery::default();
        // For the attendant this is a receive, whatever it finds. What is owed to others
        // by now stays owed.
        self.receipts.note();
        for _ in 0..TRY_LOOKS {
            match self.look_to_the_end(&mut delivery, asks_who)? {
                Look::Found => return Ok(delivery),
                Look::Nothing => break,
                Look::Busy => {}
            }
        }
        Err(RecvError::WouldBlock)
    }

    /// Looks as one who waits if there is nothing, unless nothing will ever be.
    #[inline]
    fn look_to_the_end(&self, delivery: &mut Delivery, asks_who: bool) -> Result<Look, RecvError> {
        match self.look(delivery, asks_who)? {
            Look::Nothing if self.is_deserted_and_read() => self.look_deserted(delivery, asks_who),
            looked => Ok(looked),
        }
    }

    /// The last look: what came before nobody was left is found now.
    #[cold]
    fn look_deserted(&self, delivery: &mut Delivery, asks_who: bool) -> Result<Look, RecvError> {
        // What those who left leave to be told of: no task sees to it any more.
        let is_more = self.tidy();
        match self.look(delivery, asks_who)? {
            Look::Nothing if is_more => Ok(Look::Busy),
            Look::Nothing => Err(RecvError::RuntimeEnded),
            looked => Ok(looked),
        }
    }

    /// Looks as one who has waited. Where they take turns, it is woken out of its turn
    /// when a runtime has ended, which is no error of its own.
    #[inline]
    fn look_on(&self, delivery: &mut Delivery, asks_who: bool) -> Result<Look, RecvError> {
        match self.look_to_the_end(delivery, asks_who) {
            Err(RecvError::OutOfTurn) if self.is_deserted_and_read() => {
                Err(RecvError::RuntimeEnded)
            }
            Err(RecvError::OutOfTurn) if self.may_be_deserted() => Ok(Look::Nothing),
            looked => looked,
        }
    }

    /// Looks for a message once; what it finds is in `delivery`.
    fn look(&self, delivery: &mut Delivery, asks_who: bool) -> Result<Look, RecvError> {
        for _ in 0..LOOKS {
            if self.is_closed() {
                return Err(RecvError::Closed);
            }
            let turn = self.lockstep.as_ref().map(Lock::lock);
            match self.pattern.before_recv() {
                Before::Proceed => {}
                Before::Ready(ready) => {
                    *delivery = ready;
                    // There may be more in store for others who wait.
                    self.receivers.wake_one();
                    return Ok(Look::Found);
                }
                Before::Wait => return Ok(Look::Nothing),
                Before::Busy => return Ok(Look::Busy),
                Before::OutOfTurn => return Err(RecvError::OutOfTurn),
                Before::PeerLeft => return Err(RecvError::PeerLeft),
            }
            let mut ready = self.ready.lock();
            let found = match ready.next_turn(&mut delivery.message) {
                None => return Ok(Look::Nothing),
                Some(NextTurn::InHand(peer)) => {
                    let accepted = self.accept(peer, delivery);
                    if asks_who {
                        delivery.info = Some(peer.info_in_hand());
                    }
                    drop(ready);
                    drop(turn);
                    // There is more, if only another look at that peer.
                    self.receivers.wake_one();
                    accepted
                }
                Some(NextTurn::Read(listed)) => {
                    drop(ready);
                    self.read(listed, delivery, turn, asks_who)
                }
            };
            if found {
                return Ok(Look::Found);
            }
            // What was not accepted is freed here, where no lock is held.
            delivery.message = Message::default();
        }
        Ok(Look::Busy)
    }

    /// Reads from the peer whose turn it is, while it is a receiver's turn; says
    /// whether a receiver gets what is in `delivery` then.
    fn read(
        &self,
        mut listed: Listed,
        delivery: &mut Delivery,
        turn: Option<HeldTurn<'_>>,
        asks_who: bool,
    ) -> bool {
        let peer = Arc::clone(&listed.peer);
        // REQ must be able to tell what came before its request.
        let limit = if self.lockstep.is_some() { 1 } else { HAND };
        // Since this peer was heard others were read from: there is enough to do, and what
        // answers several messages at once goes out at once.
        let is_busy = self.context.note_read().wrapping_sub(listed.reads_before) > 1;
        let next = peer.line.take(&mut listed.hand, limit);
        peer.counters.note_received(listed.hand.len());
        if peer.is_dismissed() {
            // Its bind or connect was taken back, and what it still has to say
            // while it lingers is for nobody.
            self.counters.lost.add(DropCause::Unread, listed.hand.clear());
        }
        if asks_who {
            delivery.info = Some(peer.info_in_hand());
        }
        let message = listed.hand.pop();
        let found = message.is_some_and(|message| {
            let left = listed.hand.len();
            if left > 0 && is_busy {
                self.may_write.store(false, Ordering::Relaxed);
            }
            peer.note_in_hand(left);
            delivery.message = message;
            self.accept(&peer, delivery)
        });
        let is_left = self.end_turn(listed, next);
        drop(turn);
        if self.lockstep.is_some() {
            peer.line.settle();
        }
        if is_left {
            self.call_others(&peer);
        }
        found
    }

    /// Asks the pattern whether and how a receiver sees a message.
    fn accept(&self, from: &Arc<Peer>, delivery: &mut Delivery) -> bool {
        let accepted = self.pattern.accept(from, delivery);
        if !accepted && !self.traits.filters {
            self.counters.lost.add(DropCause::Discarded, 1);
        }
        accepted
    }

    /// Says whether anything is left for others.
    fn end_turn(&self, mut listed: Listed, next: Next) -> bool {
        let peer = Arc::clone(&listed.peer);
        let mut ready = self.ready.lock();
        let unread = peer.is_dismissed().then(|| std::mem::take(&mut listed.hand));
        // What others read counts from now on: this one's own read makes nobody busy.
        listed.reads_before = self.context.reads();
        // One that has left is taken off once nothing of it is in hand.
        let is_over = next == Next::Gone && listed.hand.is_empty();
        let more = next == Next::More || (next == Next::Gone && !is_over);
        ready.end_turn(listed, more);
        let is_reaped = is_over && ready.retire(&peer);
        let left = !ready.is_empty();
        drop(ready);
        if let Some(unread) = unread {
            self.counters.lost.add(DropCause::Unread, unread.len());
        }
        if is_reaped {
            self.reap(&peer);
        }
        left
    }

    /// After a read from `peer`, something is left for others.
    fn call_others(&self, peer: &Peer) {
        // One event may have brought more than one message.
        self.wake_receivers(1);
        // Where they take turns, `list` counted on whoever has just read, for others
        // as well.
        let pace = if self.lockstep.is_some() { Pace::Slow } else { Pace::Fast };
        if (peer.duty.is_listed() || self.lockstep.is_some()) && self.attendant.start(pace) {
            // As after a send: the receiver may compute for a while now.
            nudge();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::options::SocketOptions;
    use crate::socket_type::SocketType;

    /// Whether a receiver finds that there is enough to do when it has received so much
    /// that each of so many peers was read from several times.
    async fn is_busy_with(peers: usize) -> bool {
        let context = Context::new();
        let core = |socket_type| Core::new(socket_type, SocketOptions::new(), &context);
        let ours = core(SocketType::Pull);
        let endpoint = ours.bind("inproc://busy".parse()).await.unwrap();
        let theirs: Vec<_> = (0..peers).map(|_| core(SocketType::Push)).collect();
        for push in &theirs {
            push.connect(Ok(endpoint.clone())).unwrap();
            (0..10 * HAND).for_each(|_| push.try_send(None, "m".into()).unwrap());
        }
        (0..5 * HAND * peers).for_each(|_| drop(ours.try_recv().unwrap()));
        !ours.may_write.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn reads_of_others_tell_that_there_is_enough_to_do_and_own_reads_do_not() {
        assert!(!is_busy_with(1).await);
        assert!(is_busy_with(3).await);
    }
}
