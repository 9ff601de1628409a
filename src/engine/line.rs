//! [`StreamLine`]: the way to one peer over a byte stream, and back.
//!
//! The wire, its locks, and the transport between them: here octets are moved.
//! A receiver reads and a caller of `send` writes with the same code as the
//! connection's task. What the wire wants done outside is done once its locks are
//! released.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};
use std::time::Instant;

use super::bell::{Bell, Calls};
use super::clock::now;
use super::reader::{Incoming, Pulled};
use super::wire::{Flight, Inward, Orders, Outward, Pulse, Uncounted};
use super::writer::{Writer, Wrote};
use crate::message::Message;
use crate::peer::{DropCause, Subscription, Unwelcome};
use crate::pipe::{
    Backlog, By, Duty, Flush, Hand, InHand, Line, Link, NeedsFlush, Next, Peer, Refused,
    SocketSide, Who,
};
use crate::stats::Traffic;
use crate::sync::{Lock, Rank};
use crate::transport::ReadHalf;
use crate::zmtp::Receiving;

/// What the patterns push into and read from, and the connection's task works
/// on.
pub(super) struct StreamLine {
    pub(super) side: Weak<dyn SocketSide>,
    pub(super) peer: Weak<Peer>,
    pub(super) outward: Lock<Outward>,
    pub(super) inward: Lock<Incoming>,
    /// The writing half of the session that is up. Locked while a batch is
    /// written, which never waits.
    pub(super) writer: Lock<Option<Writer>>,
    /// The heartbeat of the session that is up.
    pub(super) pulse: Lock<Option<Pulse>>,
    /// Wakes the one task that serves this line.
    pub(super) bell: Bell,
    /// Why the socket does not want this peer any more.
    rejected: Lock<Option<Unwelcome>>,
    /// What the transport calls when it has octets.
    pub(super) waker: Waker,
    /// Whether the transport has said since the last read that there is something.
    pub(super) is_readable: AtomicBool,
    /// What peers that have left this socket left unread.
    pub(super) backlog: Arc<Backlog>,
    pub(super) conflate: bool,
    /// How many messages a receiver has in hand. They count against the marks.
    pub(super) in_hand: InHand,
    /// Whether the task waits until there are none.
    pub(super) waits_for_hand: AtomicBool,
    /// Whether this side or the other sends PINGs, as far as we know.
    pub(super) has_heartbeats: AtomicBool,
    /// Whether somebody watches over what is left to the task.
    is_watched: AtomicBool,
    /// Whether the task reads everything, and receivers nothing: the pattern takes
    /// messages as they come, only the last one counts, or the line is closing.
    reads_alone: AtomicBool,
}

impl StreamLine {
    /// A new peer of an endpoint, and its line.
    pub(super) fn new(link: &Link) -> (Arc<Peer>, Arc<Self>) {
        let (options, traits) = (&*link.options, link.traits);
        let duty = if traits.takes_at_once { Duty::of_task() } else { Duty::of_receivers() };
        let (mut line, in_hand) = (None, InHand::default());
        let peer = Arc::new_cyclic(|peer| {
            let new = Arc::new_cyclic(|me: &Weak<Self>| Self {
                side: Arc::downgrade(&link.side),
                peer: peer.clone(),
                outward: Lock::new(Rank::Outward, Outward::new(options, traits)),
                inward: Lock::new(Rank::Inward, Inward::new(options, traits)),
                writer: Lock::new(Rank::Writer, None),
                pulse: Lock::new(Rank::Leaf, None),
                bell: Bell::default(),
                rejected: Lock::new(Rank::Leaf, None),
                waker: Waker::from(Arc::new(ReadWaker(me.clone()))),
                is_readable: AtomicBool::new(false),
                backlog: Arc::clone(&link.backlog),
                conflate: options.conflate,
                in_hand: in_hand.clone(),
                waits_for_hand: AtomicBool::new(false),
                has_heartbeats: AtomicBool::new(false),
                is_watched: AtomicBool::new(false),
                reads_alone: AtomicBool::new(options.conflate || traits.takes_at_once),
            });
            line = Some(Arc::clone(&new));
            Peer::new(link.owner, duty, new, in_hand.clone())
        });
        (peer, line.expect("it was made with its peer"))
    }

    /// A connection is up, as far as the patterns are concerned: subscriptions
    /// are taken.
    pub(super) fn set_up(&self) {
        *self.rejected.lock() = None;
        self.outward.lock().session_up();
    }

    /// A session has a heart from now on.
    pub(super) fn beat(&self, pulse: Pulse, may_ask: bool) {
        self.has_heartbeats.store(may_ask || pulse.is_beating(), Ordering::Relaxed);
        *self.pulse.lock() = Some(pulse);
    }

    /// Octets come from here from now on.
    pub(super) fn read_from(&self, read: Box<dyn ReadHalf>, receiving: Receiving, session: u32) {
        self.inward.lock().session_up(read, receiving, session);
        self.bell.set_up();
    }

    /// Why the socket rejected the peer, if it did.
    pub(super) fn take_rejected(&self) -> Option<Unwelcome> {
        self.rejected.lock().take()
    }

    /// Counts lost messages, if any and if anybody is left to count them.
    #[inline]
    pub(super) fn lost(&self, cause: DropCause, count: usize) {
        if count > 0 {
            self.tell_lost(cause, count);
        }
    }

    #[cold]
    fn tell_lost(&self, cause: DropCause, count: usize) {
        if let (Some(side), Some(peer)) = (self.side.upgrade(), self.peer.upgrade()) {
            side.lost(&peer, cause, count);
        }
    }

    /// Whether it is the task's to read now.
    pub(super) fn is_for_task(&self, peer: &Peer) -> bool {
        self.is_read_alone() || peer.duty.is_ahead()
    }

    /// Whether nobody but the task reads.
    pub(super) fn is_read_alone(&self) -> bool {
        self.reads_alone.load(Ordering::SeqCst)
    }

    /// From now on the task reads, whatever comes.
    pub(super) fn read_alone(&self) {
        self.reads_alone.store(true, Ordering::SeqCst);
        self.bell.ring(Calls::READ);
    }

    /// Something was read ahead: receivers are to know.
    pub(super) fn found(&self, side: &dyn SocketSide, peer: &Arc<Peer>) {
        if peer.duty.found() {
            side.readable(peer);
        }
    }

    /// There may be something to read: tells who is to do it.
    pub(super) fn event(&self) {
        if self.is_read_alone() {
            self.bell.ring(Calls::READ);
            return;
        }
        let Some(peer) = self.peer.upgrade() else { return };
        match peer.duty.event() {
            Who::Nobody => {}
            Who::Task => self.bell.ring(Calls::READ),
            Who::Receivers => {
                if let Some(side) = self.side.upgrade() {
                    side.readable(&peer);
                }
            }
        }
    }

    /// Does what the wire asks for. Called with no lock held.
    #[inline]
    pub(super) fn act(&self, orders: Orders, uncounted: &Uncounted) {
        if !orders.is_none() || !uncounted.is_none() {
            self.carry_out(orders, uncounted);
        }
    }

    #[cold]
    fn carry_out(&self, orders: Orders, uncounted: &Uncounted) {
        self.lost(DropCause::Discarded, uncounted.strays);
        self.lost(DropCause::Conflated, uncounted.conflated);
        let mut calls = Calls::default();
        if let Some(context) = orders.pong {
            if self.outward.lock().pong(context) == NeedsFlush::Yes {
                calls = calls | Calls::WRITE;
            }
        }
        if let Some((at, ttl)) = orders.ping {
            // The first of them was read before anybody knew that it matters when.
            let at = at.unwrap_or_else(now);
            self.has_heartbeats.store(true, Ordering::Relaxed);
            let sooner = self.pulse.lock().as_mut().is_some_and(|pulse| pulse.on_ping(ttl, at));
            if sooner {
                calls = calls | Calls::LOOK;
            }
        }
        if orders.ended || orders.released {
            calls = calls | Calls::LOOK;
        }
        if orders.kept {
            calls = calls | Calls::REST;
        }
        if !calls.is_none() {
            self.bell.ring(calls);
        }
    }

    /// Gives back the memory of busy times: that of writing, if `has_written` does
    /// not say that it is in use, and that of reading. Says whether it has to be
    /// called again.
    pub(super) fn rest(&self, has_written: bool) -> bool {
        if !has_written {
            if let Some(writer) = self.writer.lock().as_mut() {
                writer.rest();
            }
            self.outward.lock().shrink();
        }
        self.inward.lock().rest() || has_written
    }

    /// Somebody was refused, and there is room now.
    pub(super) fn room(&self) {
        if let (Some(side), Some(peer)) = (self.side.upgrade(), self.peer.upgrade()) {
            side.room(&peer);
        }
    }

    /// Takes the writer from those who might use it.
    pub(super) fn end_writing(&self) -> Option<Writer> {
        self.writer.lock().take()
    }

    /// The connection is over; what it had not written waits for the next one. True
    /// if there is room then for somebody who was refused.
    pub(super) fn set_down(&self, flight: Flight) -> bool {
        let settled = self.outward.lock().session_lost(flight);
        *self.pulse.lock() = None;
        self.lost(DropCause::CutInTransit, usize::from(settled.cut));
        self.lost(DropCause::Conflated, settled.conflated);
        self.bell.set_down();
        settled.room
    }
}

impl Line for StreamLine {
    fn has_room(&self) -> bool {
        self.outward.lock().has_room()
    }

    fn push(&self, message: &mut Message) -> Result<NeedsFlush, Refused> {
        self.outward.lock().push(message)
    }

    fn push_shared(&self, message: &Message) -> Result<NeedsFlush, Refused> {
        self.outward.lock().push_shared(message)
    }

    fn traffic(&self) -> Traffic {
        let bytes_in = self.inward.lock().octets();
        Traffic { bytes_in, ..self.outward.lock().traffic() }
    }

    fn forget(&self) {
        let leftover = self.outward.lock().forget();
        self.lost(DropCause::PeerLeft, leftover.unsent);
        self.lost(DropCause::Conflated, leftover.conflated);
    }

    // What comes before it is written is discarded then, see `fence`.
    fn ask(&self, message: &mut Message) -> Result<NeedsFlush, Refused> {
        self.push(message)
    }

    fn answered(&self) {
        self.inward.lock().expect(false);
    }

    fn control(&self, subscription: Subscription) -> NeedsFlush {
        self.outward.lock().control(subscription)
    }

    fn flush(&self, how: Flush) -> bool {
        if how == Flush::Here {
            // If the transport takes no more, the task will ask it again and wait.
            let mut cx = Context::from_waker(Waker::noop());
            if matches!(self.write(By::Caller, &mut cx), Wrote::All | Wrote::NotMine) {
                return false;
            }
        }
        // While no connection is up, the next one looks by itself.
        self.bell.ring_if_up(Calls::WRITE)
    }

    fn leave(&self) -> bool {
        // In traffic it is watched, which a load finds out at no cost to others.
        !self.is_watched.load(Ordering::SeqCst) && !self.is_watched.swap(true, Ordering::SeqCst)
    }

    fn watch(&self) -> bool {
        let overdue = self.outward.lock().overdue();
        match overdue {
            Some(true) => drop(self.flush(Flush::Here)),
            Some(false) => {}
            None => {
                self.is_watched.store(false, Ordering::SeqCst);
                // Something may have been left in this very moment.
                let is_left = self.outward.lock().overdue().is_some();
                return is_left && self.leave();
            }
        }
        true
    }

    fn take(&self, hand: &mut Hand, limit: usize) -> Next {
        let pulled = self.pull_with(|line, inward, orders| {
            let mut filling = inward.filling(hand, limit);
            let pulled = line.fill(inward, &mut filling, orders);
            let (taken, session) = (filling.taken, filling.session);
            line.in_hand.set_session(session);
            line.in_hand.set(hand.len());
            inward.end_look(taken);
            pulled
        });
        match pulled {
            Pulled::All => Next::Empty,
            Pulled::More | Pulled::HeldBack => Next::More,
            Pulled::Over => Next::Gone,
        }
    }

    fn has_heartbeats(&self) -> bool {
        self.has_heartbeats.load(Ordering::Relaxed)
    }

    fn hand_empty(&self) {
        // Not for each: its task would read one message for each.
        let waits = &self.waits_for_hand;
        if waits.load(Ordering::SeqCst) && waits.swap(false, Ordering::SeqCst) {
            self.bell.ring(Calls::READ);
        }
    }

    fn is_spent(&self) -> bool {
        self.inward.lock().is_spent()
    }

    fn read_ahead(&self) {
        self.bell.ring(Calls::READ);
    }

    fn discard(&self) -> usize {
        let (dropped, freed) = {
            let mut inward = self.inward.lock();
            (inward.discard(), inward.take_freed())
        };
        self.free(freed);
        dropped
    }

    fn close(&self, deadline: Option<Instant>) {
        let was_gone = {
            let mut outward = self.outward.lock();
            outward.close(deadline);
            outward.is_gone()
        };
        if was_gone {
            // Nobody else will, since its task has ended.
            self.lost(DropCause::Unread, self.discard());
        }
        self.bell.ring(Calls::LOOK);
    }

    fn reject(&self, why: Unwelcome) {
        self.rejected.lock().get_or_insert(why);
        self.bell.ring(Calls::LOOK);
    }
}

/// What a transport calls when it has octets.
///
/// It holds the line weakly, since the transport, which the line owns, holds it.
struct ReadWaker(Weak<StreamLine>);

impl Wake for ReadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(line) = self.0.upgrade() {
            line.is_readable.store(true, Ordering::Relaxed);
            line.event();
        }
    }
}
