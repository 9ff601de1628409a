//! [`Writer`]: the writing half of one connection in traffic.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::bell::Calls;
use super::clock::now;
use super::line::StreamLine;
use super::wire::{Flight, Orders, Pulse, Settled, Uncounted};
use crate::monitor::MonitorEvent;
use crate::peer::DropCause;
use crate::pipe::{By, Rest};
use crate::zmtp::Sending;

/// How many buffers one write hands to the system at most.
const SLICES: usize = 256;

/// How many octets are written in a turn before others get theirs.
const TURN: usize = 1 << 20;

/// How many octets of messages an octet of commands is as much work as: small
/// ones are taken from where they wait in their order, and rendered.
const COMMANDS: usize = 32;

/// The writing half of a transport.
pub(super) type Transport = Pin<Box<dyn AsyncWrite + Send>>;

/// Takes batches from what waits and writes them: the connection's task, or a
/// caller of `send` while nothing is under way.
pub(super) struct Writer {
    transport: Transport,
    sending: Sending,
    flight: Flight,
    /// Whether a first batch was taken.
    started: bool,
    /// Told once that batch is out, so that a SUB is ready when its
    /// subscriptions are on their way.
    ready: Option<MonitorEvent>,
    /// What a caller met; the task is to know.
    failure: Option<io::Error>,
}

/// How a turn of writing went.
pub(super) enum Wrote {
    /// Nothing waits any more.
    All,
    /// There is more.
    Some,
    /// The transport takes no more for now.
    Blocked,
    /// It is somebody else's to write, or there is nothing.
    NotMine,
    Failed(io::Error),
}

/// What a turn of writing brought about, for whoever called to act on.
#[derive(Default)]
pub(super) struct Report {
    pub(super) settled: Settled,
    pub(super) orders: Orders,
    pub(super) uncounted: Uncounted,
    pub(super) ready: Option<MonitorEvent>,
    /// What came before a request was discarded, or too much to look through: what
    /// is left may be its reply.
    pub(super) fenced: bool,
    pub(super) messages: usize,
    octets: usize,
    /// How much work it was, in octets of messages.
    work: usize,
    ping: bool,
    is_blocked: bool,
}

impl Report {
    /// Tells the heart what was written.
    pub(super) fn tell(&self, pulse: &mut Pulse) {
        if pulse.is_beating() {
            pulse.on_written(self.octets, self.ping, self.is_blocked, now());
        }
    }
}

impl Writer {
    pub(super) fn new(transport: Transport, sending: Sending, ready: MonitorEvent) -> Self {
        Self {
            transport,
            sending,
            flight: Flight::default(),
            started: false,
            ready: Some(ready),
            failure: None,
        }
    }

    /// Gives back the memory of busy times.
    pub(super) fn rest(&mut self) {
        self.flight.rest();
    }

    /// What was not written, the transport, and what is still to be announced.
    pub(super) fn into_parts(self) -> (Flight, Transport, Option<MonitorEvent>) {
        (self.flight, self.transport, self.ready)
    }

    /// Writes batches until there is nothing to write, the transport takes no
    /// more, or it is others' turn. To be called by whoever has claimed that.
    pub(super) fn turn(
        &mut self,
        line: &StreamLine,
        by: By,
        cx: &mut Context<'_>,
        report: &mut Report,
    ) -> Wrote {
        if let Some(error) = self.failure.take() {
            line.outward.lock().rest(Rest::Blocked);
            return Wrote::Failed(error);
        }
        let (how, wrote) = match self.write_batches(line, cx, report) {
            Poll::Ready(Ok(true)) => (Rest::Done, Wrote::All),
            Poll::Ready(Ok(false)) => (Rest::Later, Wrote::Some),
            Poll::Pending => (Rest::Blocked, Wrote::Blocked),
            Poll::Ready(Err(error)) if by == By::Task => (Rest::Blocked, Wrote::Failed(error)),
            Poll::Ready(Err(error)) => {
                self.failure = Some(error);
                (Rest::Blocked, Wrote::Blocked)
            }
        };
        report.is_blocked = how == Rest::Blocked;
        let (is_more, room) = line.outward.lock().rest(how);
        report.settled.room |= room;
        match wrote {
            // Something came between the last look and now.
            Wrote::All if is_more => Wrote::Some,
            wrote => wrote,
        }
    }

    /// True when nothing waits any more, false when it is others' turn.
    fn write_batches(
        &mut self,
        line: &StreamLine,
        cx: &mut Context<'_>,
        report: &mut Report,
    ) -> Poll<io::Result<bool>> {
        let mut is_over = false;
        loop {
            if is_over || self.flight.is_written() && !self.take(line, report) {
                ready!(self.transport.as_mut().poll_flush(cx))?;
                return Poll::Ready(Ok(true));
            }
            if report.work >= TURN {
                return Poll::Ready(Ok(false));
            }
            let written = ready!(self.poll_write_some(cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            report.octets += written;
            report.work += written;
            let progress = self.flight.advance(written);
            report.ping |= progress.ping;
            let (settled, is_last) = line.outward.lock().written(progress, &self.flight);
            // Unless the first batch was only what a session begins with.
            is_over = is_last && self.ready.is_none();
            report.settled.add(settled);
            report.messages += progress.messages;
        }
    }

    /// Takes the next batch; false if nothing waits.
    fn take(&mut self, line: &StreamLine, report: &mut Report) -> bool {
        let taken = line.outward.lock().take(&mut self.flight, &self.sending);
        report.work += COMMANDS * self.flight.command_octets();
        if self.ready.is_some() && (self.started || !taken) {
            report.ready = self.ready.take();
        }
        self.started = true;
        if self.flight.is_request() {
            line.fence(report);
        }
        taken
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // Small messages lie in one piece; only large ones need many slices.
        let (mut few, mut many);
        let slices: &mut [IoSlice<'_>] = if self.flight.is_few_pieces() {
            few = [IoSlice::new(&[]); 2];
            &mut few
        } else {
            many = [IoSlice::new(&[]); SLICES];
            &mut many
        };
        let count = self.flight.chunks(&mut self.sending, slices);
        self.transport.as_mut().poll_write_vectored(cx, &slices[..count])
    }
}

impl StreamLine {
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
        self.settle(by, &mut report);
        wrote
    }

    /// Does what writing brought about. Called with no lock held.
    fn settle(&self, by: By, report: &mut Report) {
        if self.has_heartbeats.load(Ordering::Relaxed) {
            if let Some(pulse) = self.pulse.lock().as_mut() {
                report.tell(pulse);
            }
        }
        if by == By::Caller && report.ping {
            // The task has waited for that since it was due, without a timer.
            self.bell.ring(Calls::LOOK);
        }
        self.act(std::mem::take(&mut report.orders), &report.uncounted);
        self.lost(DropCause::Conflated, report.settled.conflated);
        let is_calm = by == By::Task && report.messages <= 1;
        if is_calm || report.ready.is_some() {
            let Some(side) = self.side.upgrade() else { return };
            if is_calm {
                side.calm();
            }
            if let Some(event) = report.ready.take() {
                side.emit(event);
            }
        }
        if report.settled.room {
            self.room();
        }
        if report.fenced {
            // Nothing else may tell receivers of that.
            self.event();
        }
    }
}
