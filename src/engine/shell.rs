//! [`Shell`]: the task of one connection in traffic. It writes what waits, reads
//! what is its duty, and keeps the time; bounded work per turn.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::bell::Calls;
use super::clock::now;
use super::line::StreamLine;
use super::reader::Pulled;
use super::wire::{Beat, Closing, Signs};
use super::writer::Wrote;
use crate::monitor::DisconnectReason;
use crate::pipe::{By, Item, NeedsFlush, Peer, SocketSide};
use crate::tasks::{poll_yield, poll_yield_to_all};

/// How long a connection that has written keeps the memory for it.
const REST: Duration = Duration::from_secs(1);

/// How often what a broken transport still has is read for, at its end.
const LAST_LOOKS: usize = 16;

/// A connection in traffic, besides its callers.
pub(super) struct Shell<'a> {
    line: &'a StreamLine,
    peer: &'a Arc<Peer>,
    side: Arc<dyn SocketSide>,
    /// Whether the pattern takes what comes, piece by piece.
    takes_at_once: bool,
    /// Made when there is a time to wait for: an idle connection has none.
    timer: Option<Pin<Box<Sleep>>>,
    /// When to give back the memory of busy times; and whether it was used to
    /// write since somebody thought of that.
    rest_at: Option<Instant>,
    has_written: bool,
    /// Whether nobody has read all that was there at first. The task does so: a
    /// connection that begins is nothing that receivers are to be woken for.
    begins: bool,
    /// How far reading has come, where it is this task's duty.
    pulled: Pulled,
    items: Vec<Item>,
    /// Calls that came at the end of the last turn.
    calls: Calls,
    /// Whether the user has closed this line, which lingers.
    is_closing: bool,
}

impl<'a> Shell<'a> {
    pub(super) fn new(
        line: &'a StreamLine,
        peer: &'a Arc<Peer>,
        side: Arc<dyn SocketSide>,
        takes_at_once: bool,
    ) -> Self {
        Self {
            line,
            peer,
            side,
            takes_at_once,
            timer: None,
            rest_at: None,
            has_written: false,
            begins: true,
            pulled: Pulled::All,
            items: Vec::new(),
            calls: Calls::default(),
            is_closing: false,
        }
    }

    /// Runs the connection until it ends.
    pub(super) async fn run(mut self) -> DisconnectReason {
        let reason = poll_fn(|cx| self.poll_turn(cx)).await;
        if matches!(reason, DisconnectReason::Transport(_)) {
            self.read_rest();
        }
        reason
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<DisconnectReason> {
        let calls = std::mem::take(&mut self.calls) | self.listen(cx);
        let mut writes_again = false;
        // What must be read is, even if nothing can be written any more.
        if calls.has(Calls::READ) {
            self.read();
        }
        if let Some(reason) = self.ended() {
            return Poll::Ready(reason);
        }
        match self.line.write(By::Task, cx) {
            Wrote::Failed(error) => {
                return Poll::Ready(DisconnectReason::Transport(Arc::new(error)));
            }
            Wrote::Some => writes_again = true,
            Wrote::All => self.has_written = true,
            Wrote::Blocked | Wrote::NotMine => {}
        }
        let wake_at = match self.on_time(calls) {
            Ok(wake_at) => wake_at,
            Err(reason) => return Poll::Ready(reason),
        };
        self.calls = self.listen(cx);
        // After a whole turn others come first.
        if self.pulled == Pulled::More && self.calls.has(Calls::READ) {
            return poll_yield(cx);
        }
        if writes_again {
            // If others keep this worker for long, the attendant writes; so what follows
            // may gather meanwhile (see benches/LOG.md).
            return poll_yield_to_all(cx);
        }
        if !self.calls.is_none() || self.poll_timer(wake_at, cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// What this task was called for since the last time; without a call, the next
    /// one wakes it.
    fn listen(&self, cx: &mut Context<'_>) -> Calls {
        match self.line.bell.poll_rung(cx) {
            Poll::Ready(calls) => calls,
            Poll::Pending => Calls::default(),
        }
    }

    /// Why the connection is over, if it is.
    fn ended(&self) -> Option<DisconnectReason> {
        if let Some(why) = self.line.take_rejected() {
            return Some(DisconnectReason::TurnedAway(why));
        }
        let ended = self.line.inward.lock().ended().cloned()?;
        // A peer that will say no more may still take our last messages: one that
        // is closing, too, reads on for a while.
        let may_write_on = self.is_closing && matches!(ended, DisconnectReason::PeerClosed);
        (!may_write_on).then_some(ended)
    }

    /// Whether this task is the one to read.
    fn is_on_duty(&self) -> bool {
        self.begins || self.line.is_for_task(self.peer)
    }

    /// Reads what nobody else will.
    fn read(&mut self) {
        if !self.is_on_duty() {
            // Whatever was left to read is a receiver's now.
            self.pulled = Pulled::All;
            return;
        }
        self.pulled = match (self.takes_at_once, self.is_closing) {
            (true, _) => self.deliver(),
            (false, true) => self.line.read_away(),
            (false, false) => self.read_ahead(),
        };
        match self.pulled {
            Pulled::More => self.line.bell.ring(Calls::READ),
            // The next event says who reads.
            Pulled::All | Pulled::Over => self.begins = false,
            // Nothing is armed that would bring one. With nothing for receivers
            // either, this task reads on when it is called.
            Pulled::HeldBack => {}
        }
    }

    fn read_ahead(&mut self) -> Pulled {
        let (pulled, found) = self.line.read_ahead_of();
        if found {
            self.begins = false;
            self.line.found(&*self.side, self.peer);
        }
        pulled
    }

    fn deliver(&mut self) -> Pulled {
        let pulled = self.line.read_items(&mut self.items);
        for item in self.items.drain(..) {
            self.side.deliver(self.peer, item);
        }
        if pulled == Pulled::All {
            // Most peers subscribe once, and that is all they ever send.
            self.items = Vec::new();
        }
        pulled
    }

    /// Reads what a broken transport still has, up to the marks. Also where that is a
    /// receiver's duty: if none ever comes, the transport would be kept for it.
    fn read_rest(&mut self) {
        if !(self.takes_at_once || self.is_closing) {
            if self.line.read_rest_ahead(LAST_LOOKS) {
                self.line.found(&*self.side, self.peer);
            }
            return;
        }
        for _ in 0..LAST_LOOKS {
            self.read();
            if self.pulled != Pulled::More {
                return;
            }
        }
    }

    /// What the clock asks for. Gives the next time to look.
    fn on_time(&mut self, calls: Calls) -> Result<Option<Instant>, DisconnectReason> {
        let now = now();
        let lingers = self.on_closing(now)?;
        let beats = self.on_beat(now)?;
        self.on_rest(calls, now);
        Ok([lingers, beats, self.rest_at].into_iter().flatten().min())
    }

    /// The end of lingering.
    fn on_closing(&mut self, now: Instant) -> Result<Option<Instant>, DisconnectReason> {
        let closing = self.line.outward.lock().closing(now);
        match closing {
            Closing::No => Ok(None),
            Closing::Done => Err(DisconnectReason::ByUs),
            Closing::Lingering(deadline) => {
                if !std::mem::replace(&mut self.is_closing, true) {
                    self.line.read_alone();
                }
                Ok(deadline)
            }
        }
    }

    /// Heartbeats.
    fn on_beat(&mut self, now: Instant) -> Result<Option<Instant>, DisconnectReason> {
        let heard = self.line.inward.lock().take_heard();
        let is_held_back = self.pulled == Pulled::HeldBack && self.is_on_duty();
        let is_unread = self.peer.duty.is_of_receiver() || self.pulled == Pulled::More;
        let (beat, ttl, deadline) = {
            let mut pulse = self.line.pulse.lock();
            let Some(pulse) = pulse.as_mut() else { return Ok(None) };
            pulse.on_look(Signs { heard, is_unread, is_held_back }, now);
            (pulse.poll(now), pulse.ttl(), pulse.next_deadline())
        };
        let needs_flush = match beat {
            Beat::Nothing => NeedsFlush::No,
            Beat::Expired => return Err(DisconnectReason::HeartbeatTimeout),
            Beat::Ping => self.line.outward.lock().ping(ttl),
            Beat::Pong => self.line.outward.lock().pong(bytes::Bytes::new()),
        };
        if needs_flush == NeedsFlush::Yes {
            self.line.bell.ring(Calls::WRITE);
        }
        Ok(deadline)
    }

    /// Memory of busy times, which an idle connection does not keep.
    fn on_rest(&mut self, calls: Calls, now: Instant) {
        let mut is_kept = calls.has(Calls::REST) || self.has_written;
        if self.rest_at.is_some_and(|at| at <= now) {
            self.rest_at = None;
            is_kept = self.line.rest(std::mem::take(&mut self.has_written));
        }
        if is_kept && self.rest_at.is_none() {
            self.rest_at = now.checked_add(REST);
        }
    }

    fn poll_timer(&mut self, wake_at: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(wake_at) = wake_at else {
            self.timer = None;
            return Poll::Pending;
        };
        let wake_at = tokio::time::Instant::from_std(wake_at);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(wake_at)));
        if timer.deadline() != wake_at {
            timer.as_mut().reset(wake_at);
        }
        timer.as_mut().poll(cx)
    }
}
