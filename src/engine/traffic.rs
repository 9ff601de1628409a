//! One connection in traffic: moves batches out, sees to what receivers leave
//! unread, keeps the heart beating. Bounded work per turn.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::AsyncWrite;
use tokio::time::Sleep;

use super::connection::now;
use super::inbox::NextItem;
use super::outbox::{Batch, Closing};
use super::stream_pipe::StreamPipe;
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::peer::DropCause;
use crate::pipe::{NeedsFlush, SocketSide};
use crate::zmtp::{Heartbeat, HeartbeatAction, Sending};

/// How many buffers one write hands to the system at most.
const SLICES: usize = 256;

/// How many batches or reads one turn may take before others get theirs.
const TURN: usize = 16;

/// How soon the engine looks at octets that a receiver left unread.
const WATCH: Duration = Duration::from_millis(20);

/// The sending half of a connection in traffic, and the eyes of the other.
pub(super) struct Traffic<'a> {
    pipe: &'a StreamPipe,
    side: Arc<dyn SocketSide>,
    write: Pin<Box<dyn AsyncWrite + Send>>,
    sending: Sending,
    batch: Batch,
    heartbeat: Heartbeat,
    heartbeat_ttl: Duration,
    /// The next look at an inbox that is watched.
    watch_at: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    peer_ttl: Option<Duration>,
    /// When the peer was last heard, as far as the heartbeat knows.
    heard: Option<Instant>,
    /// Whether a first batch was taken.
    started: bool,
    /// Told once that batch is out, so that a SUB is ready when its
    /// subscriptions are on their way.
    ready: Option<MonitorEvent>,
}

/// How a connection in traffic ended, with what must outlive it.
pub(super) struct Ended {
    pub(super) reason: DisconnectReason,
    pub(super) batch: Batch,
    pub(super) write: Pin<Box<dyn AsyncWrite + Send>>,
}

impl<'a> Traffic<'a> {
    pub(super) fn new(
        pipe: &'a StreamPipe,
        side: Arc<dyn SocketSide>,
        write: Pin<Box<dyn AsyncWrite + Send>>,
        sending: Sending,
        heartbeat: Heartbeat,
        heartbeat_ttl: Duration,
        ready: MonitorEvent,
    ) -> Self {
        Self {
            pipe,
            side,
            write,
            sending,
            batch: Batch::default(),
            heartbeat,
            heartbeat_ttl,
            watch_at: None,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            peer_ttl: None,
            heard: None,
            started: false,
            ready: Some(ready),
        }
    }

    /// Runs the connection until it ends.
    pub(super) async fn run(mut self) -> Ended {
        self.pipe.pump.store(true, Ordering::SeqCst);
        let reason = poll_fn(|cx| self.poll_turn(cx)).await;
        if self.pipe.reads_at_once && matches!(reason, DisconnectReason::Transport(_)) {
            self.read_rest();
        }
        // The handshake was done, however soon the end came.
        self.announce();
        Ended { reason, batch: self.batch, write: self.write }
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<DisconnectReason> {
        for _ in 0..TURN {
            // Before the looks: whoever rings after them wakes this task.
            let rung = self.pipe.bell.poll_rung(cx).is_ready();
            let busy = self.attend();
            if let Some(reason) = self.pipe.inbox.ended() {
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
        due && if self.side.takes_at_once() { self.deliver() } else { self.pump() }
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

    /// Writes batches until there is nothing to write (ready) or the transport
    /// takes no more.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        for _ in 0..TURN {
            while !self.batch.is_written() {
                let written = ready!(self.poll_write_some(cx))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
            }
            ready!(self.write.as_mut().poll_flush(cx))?;
            if self.started {
                self.announce();
            }
            self.take_batch();
            self.started = true;
            if self.batch.is_written() {
                self.announce();
                return Poll::Ready(Ok(()));
            }
        }
        self.pipe.bell.ring();
        Poll::Pending
    }

    /// The first batch, with the subscriptions that were replayed, is out.
    fn announce(&mut self) {
        if let Some(event) = self.ready.take() {
            self.side.emit(event);
        }
    }

    fn take_batch(&mut self) {
        let pipe = self.pipe;
        let was_request = pipe.asks && !self.batch.messages.is_empty();
        let taken = pipe.outbox.take(&mut self.batch, &self.sending);
        if was_request && !self.side.readable(pipe.key) {
            // From now on replies are received. Nobody waits for one, and what
            // came meanwhile was not looked at.
            pipe.pump.store(true, Ordering::SeqCst);
            pipe.bell.ring();
        }
        if pipe.asks && !self.batch.messages.is_empty() {
            let stale = pipe.inbox.discard_stale(&mut |request| pipe.on_request(request));
            pipe.lost(DropCause::Discarded, stale);
        }
        self.pipe.lost(DropCause::Conflated, taken.conflated);
        if taken.room {
            self.side.room(self.pipe.key);
        }
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let batch = &mut self.batch;
        let commands = &batch.commands[batch.commands_written..];
        // Small messages lie in one piece; only large ones need many slices.
        let (mut few, mut many);
        let slices: &mut [IoSlice<'_>] = if batch.messages.is_one_piece() {
            few = [IoSlice::new(&[]); 2];
            &mut few
        } else {
            many = [IoSlice::new(&[]); SLICES];
            &mut many
        };
        let first = usize::from(!commands.is_empty());
        slices[0] = IoSlice::new(commands);
        let count = first + batch.messages.chunks_vectored(&mut slices[first..]);
        let written = ready!(self.write.as_mut().poll_write_vectored(cx, &slices[..count]))?;
        let of_commands = written.min(commands.len());
        batch.commands_written += of_commands;
        batch.messages.advance(written - of_commands);
        Poll::Ready(Ok(written))
    }

    /// What the clock asks for: heartbeats, and the end of lingering. Gives the
    /// next time to look.
    fn on_time(&mut self, written: bool) -> Result<Option<Instant>, DisconnectReason> {
        let now = now();
        let mut next = self.watch_at;
        match self.pipe.outbox.closing(now, !written && self.batch.is_awaited) {
            Closing::No => {}
            Closing::Done => return Err(DisconnectReason::ByUs),
            Closing::Lingering(deadline) => next = earlier(next, deadline),
        }
        let peer_ttl = self.pipe.peer_ttl();
        if let Some(ttl) = peer_ttl.filter(|_| peer_ttl != self.peer_ttl) {
            self.heartbeat.on_peer_ttl(ttl, now);
        }
        self.peer_ttl = peer_ttl;
        let (heard, unread) = self.pipe.inbox.heard();
        let heard = if unread { Some(now) } else { heard };
        // What was heard once is no sign of life for ever.
        if let Some(at) = heard.filter(|_| heard > self.heard) {
            self.heard = heard;
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
