//! [`StreamLine`]: the way to one peer over a byte stream, and back.
//!
//! The wire, its locks, and the transport between them: here octets are moved.
//! A receiver reads and a caller of `send` writes with the same code as the
//! connection's task. What the wire wants done outside is done once its locks are
//! released.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Instant;

use tokio::io::AsyncReadExt;
use tokio::task::unconstrained;

use super::bell::{Bell, Calls};
use super::clock::now;
use super::wire::{
    Budget, Counting, Drained, Flight, Hand, Inward, Items, Orders, Outward, Pulse, Sink, Uncounted,
};
use super::writer::{Report, Writer, Wrote};
use crate::message::Message;
use crate::monitor::DisconnectReason;
use crate::peer::{DropCause, Subscription, Unwelcome};
use crate::pipe::{
    Backlog, By, Duty, Flush, Item, Line, Link, NeedsFlush, Next, Peer, Refused, Rest, SocketSide,
    Who,
};
use crate::sync::{Lock, Rank};
use crate::transport::ReadHalf;
use crate::zmtp::Receiving;

/// What one look of a receiver may cost.
const LOOK: Budget = Budget { items: 256, octets: 1 << 20 };

/// What one turn of the task may cost. Items may be subscriptions, which cost
/// most, and every peer may have as much to do.
const TURN: Budget = Budget { items: 64, octets: 256 * 1024 };

/// How many stale messages or reads are looked through at most: a peer may send
/// without end.
const STALE: Budget = Budget { items: 10_000, octets: 16 << 20 };

/// What the patterns push into and read from, and the connection's task works
/// on.
pub(super) struct StreamLine {
    pub(super) side: Weak<dyn SocketSide>,
    peer: Weak<Peer>,
    pub(super) outward: Lock<Outward>,
    pub(super) inward: Lock<Inward<Box<dyn ReadHalf>>>,
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
    waker: Waker,
    /// What peers that have left this socket left unread.
    backlog: Arc<Backlog>,
    conflate: bool,
    /// Whether the task reads everything, and receivers nothing: the pattern takes
    /// messages as they come, only the last one counts, or the line is closing.
    reads_alone: AtomicBool,
}

/// How reading went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulled {
    /// All that came is taken; an event follows.
    All,
    /// There is more.
    More,
    /// There may be more, and the marks do not allow to look.
    HeldBack,
    /// Nothing will come any more.
    Over,
}

impl StreamLine {
    /// A new peer of an endpoint, and its line.
    pub(super) fn new(link: &Link) -> (Arc<Peer>, Arc<Self>) {
        let (options, traits) = (&*link.options, link.traits);
        let duty = if traits.takes_at_once { Duty::of_task() } else { Duty::of_receivers() };
        let mut line = None;
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
                backlog: Arc::clone(&link.backlog),
                conflate: options.conflate,
                reads_alone: AtomicBool::new(options.conflate || traits.takes_at_once),
            });
            line = Some(Arc::clone(&new));
            Peer::new(link.owner, duty, new)
        });
        (peer, line.expect("it was made with its peer"))
    }

    /// A connection is up, as far as the patterns are concerned: subscriptions
    /// are taken.
    pub(super) fn set_up(&self) {
        *self.rejected.lock() = None;
        self.outward.lock().session_up();
    }

    /// Octets come from here from now on.
    pub(super) fn read_from(&self, read: Box<dyn ReadHalf>, receiving: Receiving) {
        self.inward.lock().session_up(read, receiving);
        self.bell.set_up();
    }

    /// Why the socket rejected the peer, if it did.
    pub(super) fn take_rejected(&self) -> Option<Unwelcome> {
        self.rejected.lock().take()
    }

    /// Counts lost messages, if any and if anybody is left to count them.
    pub(super) fn lost(&self, cause: DropCause, count: usize) {
        if count == 0 {
            return;
        }
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

    /// Ends the peer for good: nothing more comes. What it left unread counts
    /// against the socket's bound until somebody takes it.
    pub(super) fn end_reading(&self) {
        let left = {
            let mut inward = self.inward.lock();
            inward.close();
            inward.charge()
        };
        self.backlog.add(left);
    }

    /// Reads for a pattern that takes items as they come.
    pub(super) fn read_items(&self, items: &mut Vec<Item>) -> Pulled {
        self.pull_with(|line, inward, orders| {
            let mut sink = Items { items, limit: TURN.items };
            line.pull(inward, &mut sink, &mut { TURN }, orders)
        })
    }

    /// Reads ahead of the receivers, up to the marks. True if there is something
    /// for them.
    pub(super) fn read_ahead_of(&self) -> (Pulled, bool) {
        let behind = self.backlog.is_full();
        let mut found = false;
        let pulled = self.pull_with(|line, inward, orders| {
            let pulled = line.pull_ahead(inward, behind, orders);
            found = inward.has_ahead();
            pulled
        });
        (pulled, found)
    }

    /// Reads and drops, for a socket that is closing. If neither of two closing
    /// sockets read, each would wait for the other to take its last messages.
    pub(super) fn read_away(&self) -> Pulled {
        let mut sink = Counting::default();
        let pulled = self.pull_with(|line, inward, orders| {
            sink.messages = inward.drop_ahead();
            line.pull(inward, &mut sink, &mut { TURN }, orders)
        });
        self.lost(DropCause::Unread, sink.messages);
        pulled
    }

    /// Gives back what the bound on unread messages was charged.
    fn free(&self, octets: usize) {
        if self.backlog.remove(octets) {
            if let Some(side) = self.side.upgrade() {
                side.caught_up();
            }
        }
    }

    /// Drops every message that has come so far, also what the system holds, and
    /// takes those that come from now on: a request is about to be written.
    pub(super) fn fence(&self) -> (Uncounted, Orders) {
        let mut inward = self.inward.lock();
        let mut orders = Orders::default();
        inward.expect(false);
        let mut budget = STALE;
        loop {
            let drained = inward.drain(&mut Counting::default(), &mut budget, &mut orders);
            if drained != Drained::Starved || !read_now(&mut inward) {
                break;
            }
        }
        inward.expect(true);
        (inward.take_uncounted(), orders)
    }

    /// Does something under the lock of what comes, and then what that asks for.
    fn pull_with(
        &self,
        work: impl FnOnce(&Self, &mut Inward<Box<dyn ReadHalf>>, &mut Orders) -> Pulled,
    ) -> Pulled {
        let mut orders = Orders::default();
        let mut inward = self.inward.lock();
        let pulled = work(self, &mut inward, &mut orders);
        let (uncounted, freed) = (inward.take_uncounted(), inward.take_freed());
        drop(inward);
        self.act(orders, &uncounted);
        self.free(freed);
        pulled
    }

    /// Decodes into a sink, reading as long as it wants more.
    fn pull(
        &self,
        inward: &mut Inward<Box<dyn ReadHalf>>,
        sink: &mut impl Sink,
        budget: &mut Budget,
        orders: &mut Orders,
    ) -> Pulled {
        loop {
            match inward.drain(sink, budget, orders) {
                Drained::Enough => return Pulled::More,
                Drained::Quiet => return Pulled::All,
                Drained::Over => return Pulled::Over,
                Drained::Starved => match self.read(inward, orders) {
                    Poll::Pending => return Pulled::All,
                    Poll::Ready(count) => budget.octets = budget.octets.saturating_sub(count),
                },
            }
        }
    }

    fn pull_ahead(
        &self,
        inward: &mut Inward<Box<dyn ReadHalf>>,
        behind: bool,
        orders: &mut Orders,
    ) -> Pulled {
        let mut budget = TURN;
        while !(behind || inward.is_full()) {
            match inward.read_ahead(&mut budget, orders) {
                Drained::Enough if !inward.is_full() => return Pulled::More,
                Drained::Enough => {}
                Drained::Quiet => return Pulled::All,
                Drained::Over => return Pulled::Over,
                Drained::Starved => match self.read(inward, orders) {
                    Poll::Pending => return Pulled::All,
                    Poll::Ready(count) => budget.octets = budget.octets.saturating_sub(count),
                },
            }
        }
        inward.hold_back(true);
        Pulled::HeldBack
    }

    /// Fills a receiver's hand.
    fn fill(
        &self,
        inward: &mut Inward<Box<dyn ReadHalf>>,
        mut hand: Hand<'_>,
        orders: &mut Orders,
    ) -> Pulled {
        inward.take_ahead(&mut hand);
        // With `conflate` only the task reads, since the message that counts is
        // the last of all that have come.
        if self.conflate {
            return if inward.is_spent() { Pulled::Over } else { Pulled::All };
        }
        let pulled = self.pull(inward, &mut hand, &mut { LOOK }, orders);
        // When all is decoded and the last read was short, the transport is armed
        // at once, which costs no system call then.
        if pulled == Pulled::More && hand.is_full() && !inward.has_more() {
            return match self.read(inward, orders) {
                Poll::Pending => Pulled::All,
                Poll::Ready(_) => Pulled::More,
            };
        }
        pulled
    }

    /// Reads once. Without anything to read, the transport is armed.
    fn read(&self, inward: &mut Inward<Box<dyn ReadHalf>>, orders: &mut Orders) -> Poll<usize> {
        let mut cx = Context::from_waker(&self.waker);
        match poll_read(inward, &mut cx) {
            Poll::Pending => {
                inward.idle();
                Poll::Pending
            }
            Poll::Ready(Ok((0, _))) => {
                inward.end_reading(DisconnectReason::PeerClosed, orders);
                Poll::Ready(0)
            }
            Poll::Ready(Ok((count, filled))) => {
                inward.received(count, filled, now(), orders);
                Poll::Ready(count)
            }
            Poll::Ready(Err(error)) => {
                inward.end_reading(DisconnectReason::Transport(Arc::new(error)), orders);
                Poll::Ready(0)
            }
        }
    }

    /// Does what the wire asks for. Called with no lock held.
    pub(super) fn act(&self, orders: Orders, uncounted: &Uncounted) {
        self.lost(DropCause::Discarded, uncounted.strays);
        self.lost(DropCause::Conflated, uncounted.conflated);
        let mut calls = Calls::default();
        if let Some(context) = orders.pong {
            if self.outward.lock().pong(context) == NeedsFlush::Yes {
                calls = calls | Calls::WRITE;
            }
        }
        if let Some((at, ttl)) = orders.ping {
            let sooner = self.pulse.lock().as_mut().is_some_and(|pulse| pulse.on_ping(ttl, at));
            if sooner {
                calls = calls | Calls::LOOK;
            }
        }
        if orders.ended || orders.released {
            calls = calls | Calls::LOOK;
        }
        if !calls.is_none() {
            self.bell.ring(calls);
        }
    }

    /// Writes what waits, if it is `by`'s to do.
    pub(super) fn write(&self, by: By, cx: &mut Context<'_>) -> Wrote {
        if !self.outward.lock().claim(by) {
            return Wrote::NotMine;
        }
        let mut report = Report::default();
        let wrote = {
            let mut writer = self.writer.lock();
            match writer.as_mut() {
                Some(writer) => writer.turn(self, by, cx, &mut report),
                None => {
                    self.outward.lock().rest(Rest::Later);
                    Wrote::NotMine
                }
            }
        };
        self.settle(by, report);
        wrote
    }

    /// Does what writing brought about. Called with no lock held.
    fn settle(&self, by: By, report: Report) {
        if let Some(pulse) = self.pulse.lock().as_mut() {
            report.tell(pulse);
        }
        self.act(report.orders, &report.uncounted);
        self.lost(DropCause::Conflated, report.settled.conflated);
        let Some(side) = self.side.upgrade() else { return };
        if by == By::Task && report.messages <= 1 {
            side.calm();
        }
        if let Some(event) = report.ready {
            side.emit(event);
        }
        if report.settled.room {
            if let Some(peer) = self.peer.upgrade() {
                side.room(&peer);
            }
        }
        if report.fenced {
            // From now on replies are received; whoever looked before saw none.
            self.event();
        }
    }

    /// Gives back the memory that writing took in busy times.
    pub(super) fn rest(&self) {
        if let Some(writer) = self.writer.lock().as_mut() {
            writer.rest();
        }
        self.outward.lock().shrink();
    }

    /// Takes the writer from those who might use it.
    pub(super) fn end_writing(&self) -> Option<Writer> {
        self.writer.lock().take()
    }

    /// The connection is over; what it had not written waits for the next one.
    pub(super) fn set_down(&self, flight: Flight) {
        let cut = self.outward.lock().session_lost(flight);
        *self.pulse.lock() = None;
        self.lost(DropCause::CutInTransit, usize::from(cut));
        if self.bell.set_down().has(Calls::SWEEP) {
            self.pass_sweep();
        }
    }

    /// The task that was to look after the others will not.
    pub(super) fn pass_sweep(&self) {
        if let Some(side) = self.side.upgrade() {
            side.pass_sweep();
        }
    }
}

/// Polls the newest transport, without a buffer if most likely it has nothing.
fn poll_read(
    inward: &mut Inward<Box<dyn ReadHalf>>,
    cx: &mut Context<'_>,
) -> Poll<std::io::Result<(usize, bool)>> {
    // Outside the cooperative budget: it would wake the connection, not the task,
    // and whoever reads here bounds its own work.
    if !inward.was_filled() {
        let Some(read) = inward.source() else { return Poll::Pending };
        let readable = pin!(unconstrained(poll_fn(|cx| read.poll_readable(cx))));
        ready!(readable.poll(cx))?;
    }
    let Some((read, mut space)) = inward.reading() else { return Poll::Pending };
    let capacity = space.limit();
    let reading = pin!(unconstrained(read.read_buf(&mut space)));
    let count = ready!(reading.poll(cx))?;
    Poll::Ready(Ok((count, count == capacity)))
}

/// Reads what the system holds at this moment, also what the runtime has not
/// heard of; false if there is nothing. The end and errors are left to the next
/// ordinary read.
fn read_now(inward: &mut Inward<Box<dyn ReadHalf>>) -> bool {
    let Some((read, mut space)) = inward.reading() else { return false };
    let mut octets = [0; 4096];
    let limit = space.limit().min(octets.len());
    let count = read.read_now(&mut octets[..limit]).unwrap_or(0);
    bytes::BufMut::put_slice(&mut space, &octets[..count]);
    count > 0
}

impl Line for StreamLine {
    fn has_room(&self) -> bool {
        self.outward.lock().has_room()
    }

    fn push(&self, message: Message) -> Result<NeedsFlush, Refused> {
        self.outward.lock().push(message)
    }

    // What comes before it is written is discarded then, see `fence`.
    fn ask(&self, message: Message) -> Result<NeedsFlush, Refused> {
        self.outward.lock().push(message)
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

    fn take(&self, hand: &mut VecDeque<Message>, limit: usize) -> Next {
        let pulled = self.pull_with(|line, inward, orders| {
            line.fill(inward, Hand { messages: hand, limit }, orders)
        });
        match pulled {
            Pulled::All => Next::Empty,
            Pulled::More | Pulled::HeldBack => Next::More,
            Pulled::Over => Next::Gone,
        }
    }

    fn is_spent(&self) -> bool {
        self.inward.lock().is_spent()
    }

    fn read_ahead(&self) {
        self.bell.ring(Calls::READ);
    }

    fn sweep_soon(&self) -> bool {
        self.bell.ring_if_up(Calls::SWEEP)
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
        self.outward.lock().close(deadline);
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
            line.event();
        }
    }
}
