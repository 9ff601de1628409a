//! [`Writer`]: the sending half of one connection in traffic.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::outbox::Batch;
use super::stream_pipe::StreamPipe;
use crate::monitor::MonitorEvent;
use crate::peer::DropCause;
use crate::pipe::SocketSide;
use crate::zmtp::Sending;

/// How many buffers one write hands to the system at most.
const SLICES: usize = 256;

/// How many batches are written before others get their turn.
const BATCHES: usize = 16;

/// Takes batches from the outbox and writes them.
///
/// The connection's task drives it. For REQ and REP the caller of `send` does
/// so too, when nothing is under way: one message goes out in either direction
/// at a time, so there is never a batch to wait for.
pub(super) struct Writer {
    transport: Pin<Box<dyn AsyncWrite + Send>>,
    sending: Sending,
    batch: Batch,
    /// Whether a first batch was taken.
    started: bool,
    /// Told once that batch is out, so that a SUB is ready when its
    /// subscriptions are on their way.
    ready: Option<MonitorEvent>,
}

impl Writer {
    pub(super) fn new(
        transport: Pin<Box<dyn AsyncWrite + Send>>,
        sending: Sending,
        ready: MonitorEvent,
    ) -> Self {
        Self { transport, sending, batch: Batch::default(), started: false, ready: Some(ready) }
    }

    /// Whether everything that was taken is written.
    pub(super) fn is_idle(&self) -> bool {
        self.started && self.batch.is_written()
    }

    /// Whether what is not written yet is something that closing waits for.
    pub(super) fn is_awaited(&self) -> bool {
        self.batch.is_awaited
    }

    /// What was not written, and the transport.
    pub(super) fn into_parts(self) -> (Batch, Pin<Box<dyn AsyncWrite + Send>>) {
        (self.batch, self.transport)
    }

    /// Writes batches until there is nothing to write (ready) or the transport
    /// takes no more.
    pub(super) fn poll_write(
        &mut self,
        pipe: &StreamPipe,
        side: &dyn SocketSide,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        for _ in 0..BATCHES {
            while !self.batch.is_written() {
                let written = ready!(self.poll_write_some(cx))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
            }
            ready!(self.transport.as_mut().poll_flush(cx))?;
            if self.started {
                self.announce(side);
            }
            self.take_batch(pipe, side);
            self.started = true;
            if self.batch.is_written() {
                self.announce(side);
                return Poll::Ready(Ok(()));
            }
        }
        pipe.bell.ring();
        Poll::Pending
    }

    /// The first batch, with the subscriptions that were replayed, is out; or
    /// the connection has ended before that, its handshake done all the same.
    pub(super) fn announce(&mut self, side: &dyn SocketSide) {
        if let Some(event) = self.ready.take() {
            side.emit(event);
        }
    }

    fn take_batch(&mut self, pipe: &StreamPipe, side: &dyn SocketSide) {
        let was_request = pipe.asks && !self.batch.messages.is_empty();
        let taken = pipe.outbox.take(&mut self.batch, &self.sending);
        if was_request && !side.readable(pipe.key) {
            // From now on replies are received. Nobody waits for one, and what
            // came meanwhile was not looked at.
            pipe.pump.store(true, Ordering::SeqCst);
            pipe.bell.ring();
        }
        if pipe.asks && !self.batch.messages.is_empty() {
            let stale = pipe.inbox.discard_stale(&mut |request| pipe.on_request(request));
            pipe.lost(DropCause::Discarded, stale);
        }
        pipe.lost(DropCause::Conflated, taken.conflated);
        if taken.room {
            side.room(pipe.key);
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
        let written = ready!(self.transport.as_mut().poll_write_vectored(cx, &slices[..count]))?;
        let of_commands = written.min(commands.len());
        batch.commands_written += of_commands;
        batch.messages.advance(written - of_commands);
        Poll::Ready(Ok(written))
    }
}
