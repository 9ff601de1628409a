//! Sending and receiving: the only place that waits in the mute state.
//!
//! Both try first, without registering anywhere. What a caller owes the other
//! tasks for a long run of calls that never waited is paid at the start of the
//! next call, before anything is accepted or taken, so a dropped future never
//! lost or doubled a message.
//!
//! **Who writes.** The first message after a quiet time is written by its sender,
//! here and now: no task has to be woken for it. One that follows at once is left
//! to the connection's task, which writes it with those that come meanwhile: a
//! system call for each would cost more than everything else together. It is quiet
//! again when a receiver has to wait, or when the task found a single message to
//! write.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::attendant::Pace;
use super::core::Core;
use crate::engine::nudge;
use crate::error::{RecvError, SendError, SendErrorKind, SubscribeError};
use crate::message::{MAX_FRAMES, Message};
use crate::pattern::{Before, Delivery, Routed, SendRefusal, Touched};
use crate::peer::DropCause;
use crate::pipe::{Flush, Next, Peer};
use crate::routing::{Listed, NextTurn};
use crate::routing_id::RoutingId;
use crate::sync::Lock;

/// How many messages may be pushed before a sender lets other tasks run: about
/// what the default high-water mark lets gather, so that batches are as long as
/// that.
const PUSHES: u32 = 1024;

/// The same for each peer, where there are many: each is to get a batch, or the
/// cost of a message would grow with their number.
const PUSHES_PER_PEER: u32 = 64;

/// How many pushes one message that is dropped for a full peer stands for: a
/// sender that never let others run would drop all that follows as well. Not so
/// many that one stuck peer slows down the others.
const PUSHES_PER_DROP: u32 = 16;

/// How many receives may go by before one lets other tasks run.
const RECEIVES: u32 = 1024;

/// How many peers or discarded messages one look may go through.
const LOOKS: usize = 16;

/// How many messages a receiver takes in hand of a peer.
const HAND: usize = 64;

/// How many messages in a row make a stream.
const STREAMING: u32 = 64;

/// How many looks `try_recv` takes, which cannot let others run in between.
const TRY_LOOKS: usize = 64;

/// What offering a message to the pattern came to. Unless it is done, the message is
/// as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    Done,
    /// Nobody can take it now, or others are to run first.
    Mute,
    Refused(SendErrorKind),
}

impl Offer {
    /// What the caller gets, who gets the message back if it is not sent. `Mute` is an
    /// error for one who does not wait.
    fn into_result(self, message: Message) -> Result<(), SendError> {
        match self {
            Self::Done => Ok(()),
            Self::Mute => Err(SendError::new(SendErrorKind::WouldBlock, message)),
            Self::Refused(kind) => Err(SendError::new(kind, message)),
        }
    }
}

/// What one look for a message came to.
#[derive(PartialEq, Eq)]
enum Look {
    Found,
    Nothing,
    /// More to look through; others first.
    Busy,
}

impl Core {
    /// Sends a message if nothing is owed and somebody can take it, which is the most
    /// common case. If this is `Mute`, [`send`](Self::send) waits for that.
    #[inline]
    pub(super) fn send_at_once(&self, to: Option<&RoutingId>, message: &mut Message) -> Offer {
        if self.owes_yield() { Offer::Mute } else { self.offer(to, message) }
    }

    /// Sends a message, waiting while nobody can take it.
    pub(crate) async fn send(
        &self,
        to: Option<&RoutingId>,
        mut message: Message,
    ) -> Result<(), SendError> {
        if self.owes_yield() {
            self.pushed.store(0, Ordering::Relaxed);
            tokio::task::yield_now().await;
            let offer = self.offer(to, &mut message);
            if offer != Offer::Mute {
                return offer.into_result(message);
            }
        }
        loop {
            // Registered before the next try, so that room that comes between
            // that try and the wait is not missed.
            let mut room = pin!(self.senders.notified());
            room.as_mut().enable();
            let offer = self.offer(to, &mut message);
            if offer != Offer::Mute {
                return offer.into_result(message);
            }
            room.await;
        }
    }

    /// Sends a message if somebody can take it now.
    pub(crate) fn try_send(
        &self,
        to: Option<&RoutingId>,
        mut message: Message,
    ) -> Result<(), SendError> {
        self.offer(to, &mut message).into_result(message)
    }

    /// Whether others are to run before the next message is accepted.
    #[inline]
    fn owes_yield(&self) -> bool {
        let pushed = self.pushed.load(Ordering::Relaxed);
        pushed >= PUSHES && self.owes_yield_to_all(pushed)
    }

    fn owes_yield_to_all(&self, pushed: u32) -> bool {
        pushed >= self.peers.load(Ordering::Relaxed).saturating_mul(PUSHES_PER_PEER)
    }

    /// Notes the work that was done for the next call to pay, and has done what
    /// is owed to the lines.
    #[inline]
    pub(super) fn flush(&self, touched: Touched, alone: Flush) {
        let pushed = match touched.is_near_mark() && self.traits.drops {
            // A burst is not to be lost only since nobody else got to run.
            true => u32::MAX,
            // A call that reaches nobody is work as well.
            false => touched.pushed().max(1),
        };
        self.note_pushed(pushed);
        if touched.is_settled() {
            return;
        }
        if touched.flush_by(alone, |line| self.attendant.note(line)) {
            // The task that was woken must not have to wait for this one to await.
            nudge();
        }
    }

    fn note_pushed(&self, count: u32) {
        // Not one atomic step: that several tasks lose count is no harm.
        let pushed = self.pushed.load(Ordering::Relaxed).saturating_add(count);
        self.pushed.store(pushed, Ordering::Relaxed);
    }

    /// How to flush the line that a message went to, if it is just one.
    fn how_to_flush(&self) -> Flush {
        let may_write = self.traits.lockstep
            || self.may_write.load(Ordering::Relaxed)
                && self.may_write.swap(false, Ordering::Relaxed);
        if may_write { Flush::Here } else { Flush::Task }
    }

    /// Offers a message to the pattern.
    fn offer(&self, to: Option<&RoutingId>, message: &mut Message) -> Offer {
        if self.is_closed() {
            return Offer::Refused(SendErrorKind::Closed);
        }
        // The id in front, which tells a ROUTER where it goes, goes nowhere.
        let own = usize::from(self.traits.names_peers && to.is_none());
        if message.len() > MAX_FRAMES + own {
            return Offer::Refused(SendErrorKind::TooManyFrames);
        }
        let mut touched = Touched::default();
        let turn = self.lockstep.as_ref().map(Lock::lock);
        let routed = self.pattern.send(to, message, &mut touched);
        let is_next_turn = turn.is_some() && matches!(routed, Routed::Sent);
        drop(turn);
        let alone = if touched.is_settled() { Flush::Task } else { self.how_to_flush() };
        self.flush(touched, alone);
        // What came was told to a receiver that was out of turn; another that
        // waits is in turn now.
        if is_next_turn && self.receivers.any() && !self.ready.lock().is_empty() {
            self.receivers.wake_one();
        }
        match routed {
            Routed::Sent => Offer::Done,
            Routed::Dropped { lost, cause } => {
                self.counters.lost.add(cause, lost);
                let lost = u32::try_from(lost).unwrap_or(u32::MAX);
                self.note_pushed(lost.saturating_mul(PUSHES_PER_DROP));
                Offer::Done
            }
            Routed::Mute => Offer::Mute,
            Routed::Refused(refusal) => Offer::Refused(kind_of(refusal)),
        }
    }

    /// Receives a message if one is in hand and nothing is to be asked, which is the
    /// most common case. If not, [`recv`](Self::recv) finds out what there is.
    #[inline]
    pub(crate) fn recv_at_once(&self) -> Option<Message> {
        let received = self.received.load(Ordering::Relaxed);
        if !self.traits.passes || self.is_closed() || is_last(received, RECEIVES) {
            return None;
        }
        let message = self.ready.lock().take_in_hand()?;
        self.received.store(received.wrapping_add(1), Ordering::Relaxed);
        // There is more, if only another look at that peer.
        if self.receivers.any() {
            self.receivers.wake_one();
        }
        Some(message)
    }

    /// Receives a message, waiting until there is one.
    pub(crate) async fn recv(&self) -> Result<Delivery, RecvError> {
        if is_due(&self.received, RECEIVES) {
            tokio::task::yield_now().await;
        }
        let mut delivery = Delivery::default();
        if self.look(&mut delivery)? != Look::Found {
            self.recv_parked(&mut delivery).await?;
        }
        Ok(delivery)
    }

    async fn recv_parked(&self, delivery: &mut Delivery) -> Result<(), RecvError> {
        self.may_write.store(true, Ordering::Relaxed);
        if self.was_streaming() {
            // More is most likely on its way; looking once more, a little
            // later, is cheaper than to wait and be woken.
            tokio::task::yield_now().await;
            if self.look(delivery)? == Look::Found {
                return Ok(());
            }
        }
        let _parked = self.receivers.park();
        loop {
            // Counted as waiting and registered before the look, so that what
            // comes between the look and the wait is not missed.
            let mut event = pin!(self.receivers.notified());
            event.as_mut().enable();
            match self.look(delivery)? {
                Look::Found => return Ok(()),
                Look::Nothing => event.await,
                Look::Busy => tokio::task::yield_now().await,
            }
        }
    }

    /// Whether many messages were received since a receiver last had to wait.
    fn was_streaming(&self) -> bool {
        let received = self.received.load(Ordering::Relaxed);
        let waited_at = self.waited_at.swap(received, Ordering::Relaxed);
        received.wrapping_sub(waited_at) >= STREAMING
    }

    /// Receives a message if there is one.
    pub(crate) fn try_recv(&self) -> Result<Delivery, RecvError> {
        let mut delivery = Delivery::default();
        // For the attendant this is a receive, whatever it finds.
        is_due(&self.received, RECEIVES);
        for _ in 0..TRY_LOOKS {
            match self.look(&mut delivery)? {
                Look::Found => return Ok(delivery),
                Look::Nothing => break,
                Look::Busy => {}
            }
        }
        Err(RecvError::WouldBlock)
    }

    /// Looks for a message once; what it finds is in `delivery`.
    fn look(&self, delivery: &mut Delivery) -> Result<Look, RecvError> {
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
                    drop(ready);
                    // There is more, if only another look at that peer.
                    if self.receivers.any() {
                        self.receivers.wake_one();
                    }
                    accepted
                }
                Some(NextTurn::Read(listed)) => {
                    drop(ready);
                    self.read(listed, delivery)
                }
            };
            drop(turn);
            if found {
                return Ok(Look::Found);
            }
        }
        Ok(Look::Busy)
    }

    /// Reads from the peer whose turn it is; says whether a receiver gets what
    /// is in `delivery` then.
    fn read(&self, mut listed: Listed, delivery: &mut Delivery) -> bool {
        // REQ must be able to tell what came before its request.
        let limit = if self.lockstep.is_some() { 1 } else { HAND };
        let next = listed.peer.line.take(&mut listed.hand, limit);
        if listed.peer.is_dismissed() {
            // Its bind or connect was taken back, and what it still has to say
            // while it lingers is for nobody.
            self.counters.lost.add(DropCause::Unread, listed.hand.drain(..).count());
        }
        let found = match listed.hand.pop_front() {
            Some(message) => {
                listed.peer.note_in_hand(listed.hand.len());
                delivery.message = message;
                self.accept(&listed.peer, delivery)
            }
            None => false,
        };
        self.end_turn(listed, next);
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

    fn end_turn(&self, mut listed: Listed, next: Next) {
        let peer = Arc::clone(&listed.peer);
        let mut ready = self.ready.lock();
        if peer.is_dismissed() {
            self.counters.lost.add(DropCause::Unread, listed.hand.drain(..).count());
        }
        // One that has left is taken off once nothing of it is in hand.
        let is_over = next == Next::Gone && listed.hand.is_empty();
        let more = next == Next::More || (next == Next::Gone && !is_over);
        ready.end_turn(listed, more, self.attendant.tick());
        let is_reaped = is_over && ready.retire(&peer);
        let left = !ready.is_empty();
        drop(ready);
        if is_reaped {
            self.reap(&peer);
        }
        if left {
            // One event may have brought more than one message.
            self.receivers.wake_one();
            // Where they take turns, `list` counted on whoever has just read, for others
            // as well.
            let pace = if self.lockstep.is_some() { Pace::Slow } else { Pace::Fast };
            if (peer.duty.is_listed() || self.lockstep.is_some()) && self.attendant.start(pace) {
                // As after a send: the receiver may compute for a while now.
                nudge();
            }
        }
    }
}

fn kind_of(refusal: SendRefusal) -> SendErrorKind {
    match refusal {
        SendRefusal::OutOfTurn => SendErrorKind::OutOfTurn,
        SendRefusal::Unroutable => SendErrorKind::Unroutable,
        SendRefusal::NoRoutingId => SendErrorKind::NoRoutingId,
        SendRefusal::TooManyFrames => SendErrorKind::TooManyFrames,
        SendRefusal::Subscription(SubscribeError::TooMany { .. }) => {
            SendErrorKind::TooManySubscriptions
        }
        SendRefusal::Subscription(_) => SendErrorKind::SubscriptionsTooLarge,
    }
}

#[inline]
fn is_last(count: u32, limit: u32) -> bool {
    count % limit == limit - 1
}

/// Counts a call; says whether it is time to let other tasks run, after many
/// calls that did not wait.
#[inline]
fn is_due(calls: &AtomicU32, limit: u32) -> bool {
    // Not one atomic step: that several tasks lose count of some is no harm.
    let count = calls.load(Ordering::Relaxed);
    calls.store(count.wrapping_add(1), Ordering::Relaxed);
    is_last(count, limit)
}
