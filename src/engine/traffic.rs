//! One connection in traffic: moves batches out, sees to what receivers leave
//! unread, keeps the heart beating. Bounded work per turn.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use super::clock::now;
use super::inbox::NextItem;
use super::outbox::Closing;
use super::stream_pipe::StreamPipe;
use super::writer::Writer;
use crate::monitor::DisconnectReason;
use crate::peer::DropCause;
use crate::pipe::{NeedsFlush, SocketSide};
use crate::zmtp::{Heartbeat, HeartbeatAction};

/// How many batches or reads one turn may take before others get theirs.
const TURN: usize = 16;

/// How soon the engine looks at octets that a receiver left unread.
const WATCH: Duration = Duration::from_millis(20);

/// What a connection in traffic needs besides its callers.
pub(super) struct Traffic<'a> {
    pipe: &'a StreamPipe,
    side: Arc<dyn SocketSide>,
    heartbeat: Heartbeat,
    heartbeat_ttl: Duration,
    /// The next look at an inbox that is watched.
    watch_at: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    peer_ttl: Option<Duration>,
    /// Whether the user has closed this pipe, which lingers.
    is_closing: bool,
}

impl<'a> Traffic<'a> {
    pub(super) fn new(
        pipe: &'a StreamPipe,
        side: Arc<dyn SocketSide>,
        heartbeat: Heartbeat,
        heartbeat_ttl: Duration,
    ) -> Self {
        Self {
            pipe,
            side,
            heartbeat,
            heartbeat_ttl,
            watch_at: None,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            peer_ttl: None,
            is_closing: false,
        }
    }

    /// Runs the connection until it ends.
    pub(super) async fn run(mut self) -> DisconnectReason {
        self.pipe.pump.store(true, Ordering::SeqCst);
        let reason = poll_fn(|cx| self.poll_turn(cx)).await;
        if self.pipe.reads_at_once && matches!(reason, DisconnectReason::Transport(_)) {
            self.read_rest();
        }
        reason
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<DisconnectReason> {
        for _ in 0..TURN {
            // Before the looks: whoever rings after them wakes this task.
            let rung = self.pipe.bell.poll_rung(cx).is_ready();
            let busy = self.attend();
            if let Some(reason) = self.pipe.inbox.ended().filter(|it| !self.may_write_on(it)) {
                return Poll::Ready(reason);
            }
            if self.pipe.rejected.swap(false, Ordering::SeqCst) {
                return Poll::Ready(DisconnectReason::TurnedAway("the socket rejected the peer"));
            }
            let written = match self.poll_write(cx) {
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(DisconnectReason::Transport(Arc::new(error)));
                }
                written => written.is_ready(),
            };
            let wake_at = match self.on_time(written) {
                Ok(deadline) => deadline,
                Err(reason) => return Poll::Ready(reason),
            };
            let timed_out = self.poll_timer(wake_at, cx).is_ready();
            if !(rung || busy || timed_out) {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether a peer that will say no more may still take our last messages: one
    /// that is closing, too, reads on for a while.
    fn may_write_on(&self, reason: &DisconnectReason) -> bool {
        self.is_closing && matches!(reason, DisconnectReason::PeerClosed)
    }

    /// Reads what nobody else will. Says whether there is more to do at once.
    fn attend(&mut self) -> bool {
        let pipe = self.pipe;
        let mut due = pipe.pump.swap(false, Ordering::SeqCst);
        if pipe.watch.swap(false, Ordering::SeqCst) && self.watch_at.is_none() {
            self.watch_at = Some(now() + WATCH);
        }
        if self.watch_at.is_some_and(|at| at <= now()) {
            due |= pipe.inbox.still_watched();
            self.watch_at = due.then(|| now() + WATCH);
        }
        due && match (self.side.takes_at_once(), self.is_closing) {
            (true, _) => self.deliver(),
            (false, false) => self.pump(),
            (false, true) => self.pump_away(),
        }
    }

    /// Reads what a broken transport still has, where nobody else would.
    fn read_rest(&mut self) {
        for _ in 0..TURN {
            let more = if self.side.takes_at_once() { self.deliver() } else { self.pump() };
            if !more {
                return;
            }
        }
    }

    fn pump(&mut self) -> bool {
        let pipe = self.pipe;
        let pumped = pipe.inbox.pump(&mut |request| pipe.on_request(request));
        pipe.lost(DropCause::Conflated, pumped.conflated);
        if pumped.readable {
            self.side.readable(pipe.key);
        }
        if pumped.more {
            pipe.pump.store(true, Ordering::SeqCst);
        }
        pumped.more
    }

    fn pump_away(&mut self) -> bool {
        let pipe = self.pipe;
        let pumped = pipe.inbox.pump_away(&mut |request| pipe.on_request(request));
        pipe.lost(DropCause::Unread, pumped.count);
        if pumped.more {
            pipe.pump.store(true, Ordering::SeqCst);
        }
        pumped.more
    }

    fn deliver(&mut self) -> bool {
        let pipe = self.pipe;
        for _ in 0..TURN * TURN {
            match pipe.inbox.next_item(&mut |request| pipe.on_request(request)) {
                NextItem::Item(item) => self.side.deliver(pipe.key, item),
                NextItem::Nothing => return false,
                NextItem::Busy => break,
            }
        }
        pipe.pump.store(true, Ordering::SeqCst);
        true
    }

    /// Writes what there is. A caller of `send` may be doing so at the moment; it
    /// rings if it leaves anything.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.pipe.writer().as_mut() {
            Some(writer) => writer.poll_write(self.pipe, &*self.side, cx),
            None => Poll::Ready(Ok(())),
        }
    }

    /// What the clock asks for: heartbeats, and the end of lingering. Gives the
    /// next time to look.
    fn on_time(&mut self, written: bool) -> Result<Option<Instant>, DisconnectReason> {
        let now = now();
        let mut next = self.watch_at;
        let is_awaited = !written && self.pipe.writer().as_ref().is_some_and(Writer::is_awaited);
        match self.pipe.outbox.closing(now, is_awaited) {
            Closing::No => {}
            Closing::Done => return Err(DisconnectReason::ByUs),
            Closing::Lingering(deadline) => {
                next = earlier(next, deadline);
                if !std::mem::replace(&mut self.is_closing, true) {
                    self.pipe.pump.store(true, Ordering::SeqCst);
                    self.pipe.bell.ring();
                }
            }
        }
        let peer_ttl = self.pipe.peer_ttl();
        if let Some(ttl) = peer_ttl.filter(|_| peer_ttl != self.peer_ttl) {
            self.heartbeat.on_peer_ttl(ttl, now);
        }
        self.peer_ttl = peer_ttl;
        let (heard, unread) = self.pipe.inbox.heard();
        if let Some(at) = if unread { Some(now) } else { heard } {
            self.heartbeat.on_activity(at);
        }
        match self.heartbeat.poll(now) {
            HeartbeatAction::Nothing => {}
            HeartbeatAction::Expired => return Err(DisconnectReason::HeartbeatTimeout),
            HeartbeatAction::SendPing => {
                if self.pipe.outbox.ping(self.heartbeat_ttl) == NeedsFlush::Yes {
                    self.pipe.bell.ring();
                }
            }
        }
        Ok(earlier(next, self.heartbeat.next_deadline()))
    }

    fn poll_timer(&mut self, wake_at: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(wake_at) = wake_at else { return Poll::Pending };
        let wake_at = tokio::time::Instant::from_std(wake_at);
        if self.timer.deadline() != wake_at {
            self.timer.as_mut().reset(wake_at);
        }
        self.timer.as_mut().poll(cx)
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
