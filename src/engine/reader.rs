//! Reading: octets from the transport into the wire, and messages out of it, for
//! a receiver, a pattern, or ahead of either.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncReadExt;
use tokio::task::unconstrained;

use super::clock::now;
use super::line::StreamLine;
use super::wire::{Budget, Counting, Drained, Filling, Inward, Items, Orders, Sink};
use super::writer::Report;
use crate::monitor::DisconnectReason;
use crate::peer::DropCause;
use crate::pipe::Item;
use crate::transport::ReadHalf;

/// What comes from a peer, with what it is read from.
pub(super) type Incoming = Inward<Box<dyn ReadHalf>>;

/// What one look of a receiver may cost: a hand full of messages, and no more of what
/// is none, since whoever is next in turn waits for that.
const LOOK: Budget = Budget { items: 64, frames: 256, octets: 1 << 20 };

/// What one turn of the task may cost. Items may be subscriptions, which cost
/// most, and every peer may have as much to do.
const TURN: Budget = Budget { items: 64, frames: 256, octets: 256 * 1024 };

/// How many stale messages or reads are looked through at most: a peer may send
/// without end.
const STALE: Budget = Budget { items: 10_000, frames: 100_000, octets: 4 << 20 };

/// How many octets are read at a time where most likely there are none, and where
/// there were so many.
const FEW: usize = 64;
const MANY: usize = 16 * 1024;

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
    /// Ends the peer for good: nothing more comes. What it left unread counts
    /// against the socket's bound until somebody takes it.
    pub(super) fn end_reading(&self) {
        let uncounted = {
            let mut inward = self.inward.lock();
            inward.close();
            // Before anybody can take of it, and give that back.
            self.backlog.add(inward.charge());
            inward.take_uncounted()
        };
        self.act(Orders::default(), &uncounted);
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

    /// Reads ahead of the receivers, with so many looks at most, what a broken transport
    /// still has, and its end, also if the runtime has not heard of that. True if there
    /// is something for them.
    pub(super) fn read_rest_ahead(&self, looks: usize) -> bool {
        let behind = self.backlog.is_full();
        let mut found = false;
        for _ in 0..looks {
            let pulled = self.pull_with(|line, inward, orders| {
                let pulled = line.pull_ahead(inward, behind, orders);
                let is_more = pulled == Pulled::All && read_unheard(inward, orders);
                found = inward.has_ahead();
                if is_more { Pulled::More } else { pulled }
            });
            if pulled != Pulled::More {
                break;
            }
        }
        found
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
    pub(super) fn free(&self, octets: usize) {
        if self.backlog.remove(octets) {
            if let Some(side) = self.side.upgrade() {
                side.caught_up();
            }
        }
    }

    /// Drops every message that has come so far, also what the system holds, and
    /// takes those that come from now on: a request is about to be written. What that
    /// asks for is added to the report.
    pub(super) fn fence(&self, report: &mut Report) {
        let mut inward = self.inward.lock();
        inward.expect(false);
        let mut budget = STALE;
        loop {
            let drained = inward.drain(&mut Counting::default(), &mut budget, &mut report.orders);
            let count = match drained {
                Drained::Starved => read_now(&mut inward),
                _ => 0,
            };
            // If it took nothing, receivers are told of what comes as ever.
            report.fenced |= count > 0 || drained != Drained::Starved;
            if count == 0 {
                break;
            }
            budget.octets = budget.octets.saturating_sub(count);
        }
        inward.expect(true);
        let strays = inward.take_uncounted().strays;
        // Its task may have waited for these to be taken.
        report.fenced |= strays > 0;
        report.uncounted.strays += strays;
    }

    /// Does something under the lock of what comes, and then what that asks for.
    pub(super) fn pull_with(
        &self,
        work: impl FnOnce(&Self, &mut Incoming, &mut Orders) -> Pulled,
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
        inward: &mut Incoming,
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

    fn pull_ahead(&self, inward: &mut Incoming, behind: bool, orders: &mut Orders) -> Pulled {
        let mut budget = TURN;
        let in_hand = self.in_hand.get();
        while !(behind || inward.is_full(in_hand)) {
            match inward.read_ahead(in_hand, &mut budget, orders) {
                Drained::Enough if !inward.is_full(in_hand) => return Pulled::More,
                Drained::Enough => {}
                Drained::Quiet => return Pulled::All,
                Drained::Over => return Pulled::Over,
                Drained::Starved => match self.read(inward, orders) {
                    Poll::Pending => return Pulled::All,
                    Poll::Ready(count) => budget.octets = budget.octets.saturating_sub(count),
                },
            }
        }
        self.waits_for_hand.store(in_hand > 0, Ordering::SeqCst);
        if in_hand > 0 && self.in_hand.get() == 0 {
            // The last of them was taken meanwhile, and nobody was told.
            return Pulled::More;
        }
        inward.hold_back(true);
        Pulled::HeldBack
    }

    /// Fills a receiver's hand.
    pub(super) fn fill(
        &self,
        inward: &mut Incoming,
        hand: &mut Filling<'_>,
        orders: &mut Orders,
    ) -> Pulled {
        inward.take_ahead(hand);
        // With `conflate` only the task reads, since the message that counts is
        // the last of all that have come.
        if self.conflate {
            return if inward.is_spent() { Pulled::Over } else { Pulled::All };
        }
        let pulled = self.pull(inward, hand, &mut { LOOK }, orders);
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

    /// Whether the transport has said that there is something, since the last call.
    fn takes_readable(&self) -> bool {
        // It is a hint, and others are told in another way of what there is.
        let is_readable = self.is_readable.load(Ordering::Relaxed);
        if is_readable {
            self.is_readable.store(false, Ordering::Relaxed);
        }
        is_readable
    }

    /// Reads once. Without anything to read, the transport is armed.
    fn read(&self, inward: &mut Incoming, orders: &mut Orders) -> Poll<usize> {
        let mut cx = Context::from_waker(&self.waker);
        let may_be_empty = !inward.was_filled() && !self.takes_readable();
        match poll_read(inward, may_be_empty, &mut cx) {
            Poll::Pending => {
                inward.idle(orders);
                Poll::Pending
            }
            Poll::Ready(Ok((0, _))) => {
                inward.end_reading(DisconnectReason::PeerClosed, orders);
                Poll::Ready(0)
            }
            Poll::Ready(Ok((count, filled))) => {
                // Who needs to know when, if nobody may send heartbeats? Nor does a clock
                // come for free.
                let at = self.has_heartbeats.load(Ordering::Relaxed).then(now);
                inward.received(count, filled, at, orders);
                Poll::Ready(count)
            }
            Poll::Ready(Err(error)) => {
                inward.end_reading(DisconnectReason::Transport(Arc::new(error)), orders);
                Poll::Ready(0)
            }
        }
    }
}

/// Polls the newest transport, at first without a buffer if it may well have nothing.
fn poll_read(
    inward: &mut Incoming,
    may_be_empty: bool,
    cx: &mut Context<'_>,
) -> Poll<std::io::Result<(usize, bool)>> {
    // Outside the cooperative budget: it would wake the connection, not the task,
    // and whoever reads here bounds its own work.
    if may_be_empty {
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

/// Reads once, also what the runtime has not heard of: octets, the end or an error. False
/// if there is nothing.
fn read_unheard(inward: &mut Incoming, orders: &mut Orders) -> bool {
    let mut octets = [0; MANY];
    let Some((read, mut space)) = inward.reading() else { return false };
    let limit = space.limit().min(octets.len());
    debug_assert!(limit > 0, "an empty buffer would be taken for the end");
    match read.read_now(&mut octets[..limit]) {
        Ok(0) => inward.end_reading(DisconnectReason::PeerClosed, orders),
        Ok(count) => {
            bytes::BufMut::put_slice(&mut space, &octets[..count]);
            inward.note_octets(count);
        }
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return false,
        Err(error) => inward.end_reading(DisconnectReason::Transport(Arc::new(error)), orders),
    }
    true
}

/// Reads what the system holds at this moment, also what the runtime has not
/// heard of; says how many octets. The end and errors are left to the next
/// ordinary read.
fn read_now(inward: &mut Incoming) -> usize {
    // Nothing, as a rule, and a large buffer is not cleared for that.
    match read_into(inward, &mut [0; FEW]) {
        FEW => FEW + read_much(inward),
        count => count,
    }
}

#[cold]
fn read_much(inward: &mut Incoming) -> usize {
    read_into(inward, &mut [0; MANY])
}

fn read_into(inward: &mut Incoming, octets: &mut [u8]) -> usize {
    let Some((read, mut space)) = inward.reading() else { return 0 };
    let limit = space.limit().min(octets.len());
    let count = read.read_now(&mut octets[..limit]).unwrap_or(0);
    bytes::BufMut::put_slice(&mut space, &octets[..count]);
    inward.note_octets(count);
    count
}
