//! [`Outbox`]: what waits to be written to one peer.
//!
//! It holds encoded frames of whole messages, which are the same octets in
//! every version and under every mechanism, so a reconnect encodes nothing
//! again. What belongs to one session (commands, the form of a subscription)
//! waits in the lane and is rendered when a batch is taken.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::lane::Lane;
use crate::message::Message;
use crate::options::SocketOptions;
use crate::peer::Subscription;
use crate::pipe::{NeedsFlush, Refused};
use crate::zmtp::{Encoded, Sending};

#[derive(Debug)]
pub(super) struct Outbox {
    hwm: usize,
    conflate: bool,
    out: Mutex<Out>,
}

#[derive(Debug, Default)]
struct Out {
    queue: Encoded,
    lane: Lane,
    phase: Phase,
    /// Whether a session is up, which is when the lane takes anything.
    up: bool,
    /// Whether the writer was told that there is something; it will look until
    /// there is nothing, then clear this. One wake-up per batch.
    scheduled: bool,
    /// Whether the batch that was taken last has messages and is not known to be
    /// written.
    under_way: bool,
    /// Whether somebody was refused for want of room.
    wanted: bool,
    /// Messages that newer ones replaced and nobody counted yet.
    conflated: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// Closing by the user: send what is queued, until then.
    Closing(Option<Instant>),
    Gone,
}

/// What closing an outbox has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    No,
    /// Something is left to send, until the deadline if there is one.
    Lingering(Option<Instant>),
    /// Nothing is left, or nothing may be sent any more.
    Done,
}

/// What [`Outbox::take`] found besides the batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// Report room: somebody was refused before.
    pub(super) room: bool,
    /// Messages replaced by newer ones, to be counted.
    pub(super) conflated: usize,
}

/// A batch on its way to the transport: commands first, then messages.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) commands: Vec<u8>,
    pub(super) commands_written: usize,
    pub(super) messages: Encoded,
    /// Whether there is more in it than a PING and a PONG.
    pub(super) is_awaited: bool,
}

impl Batch {
    pub(super) fn is_written(&self) -> bool {
        self.commands_written == self.commands.len() && self.messages.remaining() == 0
    }
}

impl Outbox {
    pub(super) fn new(options: &SocketOptions) -> Self {
        Self { hwm: options.send_hwm, conflate: options.conflate, out: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_room(&self) -> bool {
        let mut out = self.lock();
        let room = self.conflate || self.hwm == 0 || out.queue.messages() < self.hwm;
        // Whoever asks and is told "no" waits for room just as one refused.
        out.wanted |= !room;
        room
    }

    pub(super) fn push(&self, message: Message) -> Result<NeedsFlush, Refused> {
        let mut out = self.lock();
        if out.phase != Phase::Open {
            return Err(Refused::Gone(message));
        }
        if self.conflate {
            out.conflated += out.queue.messages();
            out.queue.clear();
        } else if self.hwm != 0 && out.queue.messages() >= self.hwm {
            out.wanted = true;
            return Err(Refused::Full(message));
        }
        out.queue.push(message);
        Ok(out.schedule())
    }

    pub(super) fn control(&self, change: Subscription) -> NeedsFlush {
        let mut out = self.lock();
        if !out.up {
            return NeedsFlush::No;
        }
        out.lane.subscription(change);
        out.schedule()
    }

    pub(super) fn pong(&self, context: Bytes) -> NeedsFlush {
        let mut out = self.lock();
        if !out.up {
            // A receiver has come to the PING of a connection that is lost.
            return NeedsFlush::No;
        }
        out.lane.pong(context);
        out.schedule()
    }

    /// Owes the peer a PING that asks to be given up after so much silence.
    pub(super) fn ping(&self, ttl: Duration) -> NeedsFlush {
        let mut out = self.lock();
        out.lane.ping(ttl);
        out.schedule()
    }

    /// A session is up: the lane takes subscriptions from now on. The session
    /// looks for a batch by itself at first.
    pub(super) fn session_up(&self) {
        let mut out = self.lock();
        out.up = true;
        out.scheduled = true;
    }

    /// The session is over. What it had not written goes back to the front;
    /// says whether a message was cut in the middle and is lost.
    pub(super) fn session_down(&self, batch: Batch) -> bool {
        let mut out = self.lock();
        out.up = false;
        out.under_way = false;
        out.lane = Lane::default();
        let (mut rest, cut) = batch.messages.recover();
        if self.conflate && !out.queue.is_empty() {
            out.conflated += rest.messages();
        } else if !rest.is_empty() {
            rest.append(std::mem::take(&mut out.queue));
            out.queue = rest;
        }
        cut
    }

    /// Moves what waits into `batch`, which must be written. With nothing to
    /// move, the next push needs a flush again.
    pub(super) fn take(&self, batch: &mut Batch, sending: &Sending) -> Taken {
        batch.commands.clear();
        batch.commands_written = 0;
        batch.messages.clear();
        let mut out = self.lock();
        std::mem::swap(&mut out.queue, &mut batch.messages);
        let subscriptions = out.lane.take_subscriptions();
        let (ping, pong) = (out.lane.take_ping(), out.lane.take_pong());
        let commands = !subscriptions.is_empty() || ping.is_some() || pong.is_some();
        out.under_way = !batch.messages.is_empty();
        out.scheduled = commands || out.under_way;
        batch.is_awaited = out.under_way || !subscriptions.is_empty();
        let taken = Taken {
            room: std::mem::take(&mut out.wanted),
            conflated: std::mem::take(&mut out.conflated),
        };
        drop(out);
        for change in &subscriptions {
            sending.subscription(change, &mut batch.commands);
        }
        if let Some(ttl) = ping {
            sending.ping(ttl, &mut batch.commands);
        }
        if let Some(context) = pong {
            sending.pong(&context, &mut batch.commands);
        }
        taken
    }

    /// Whether a message waits to be written, here or in the batch taken last.
    pub(super) fn has_unsent(&self) -> bool {
        let out = self.lock();
        out.under_way || !out.queue.is_empty()
    }

    /// Lets what is queued go out until the deadline, and refuses the rest.
    pub(super) fn close(&self, deadline: Option<Instant>) {
        let mut out = self.lock();
        out.phase = match out.phase {
            Phase::Open => Phase::Closing(deadline),
            // An endpoint that was disconnected before its socket is closed
            // lingers no longer for that. Without a deadline is for ever.
            Phase::Closing(former) => Phase::Closing(match (former, deadline) {
                (Some(former), Some(deadline)) => Some(former.min(deadline)),
                (former, deadline) => former.or(deadline),
            }),
            Phase::Gone => Phase::Gone,
        };
    }

    /// How long closing may still take.
    pub(super) fn time_left(&self, now: Instant) -> Duration {
        match self.lock().phase {
            Phase::Closing(Some(deadline)) => deadline.saturating_duration_since(now),
            _ => Duration::MAX,
        }
    }

    /// Where closing stands; a batch `under_way` counts as queued. PING and
    /// PONG are not waited for: a peer that reads nothing would keep a socket
    /// that has nothing to say from closing.
    pub(super) fn closing(&self, now: Instant, under_way: bool) -> Closing {
        let out = self.lock();
        let empty = !under_way && out.queue.is_empty() && !out.lane.has_subscriptions();
        match out.phase {
            Phase::Open => Closing::No,
            Phase::Gone => Closing::Done,
            Phase::Closing(_) if empty => Closing::Done,
            Phase::Closing(Some(deadline)) if deadline <= now => Closing::Done,
            Phase::Closing(deadline) => Closing::Lingering(deadline),
        }
    }

    /// Ends it for good; says how many messages were left and how many had
    /// been replaced by newer ones and not been counted.
    pub(super) fn end(&self) -> (usize, usize) {
        let mut out = self.lock();
        out.phase = Phase::Gone;
        out.up = false;
        out.lane = Lane::default();
        let left = std::mem::take(&mut out.queue).messages();
        (left, std::mem::take(&mut out.conflated))
    }
}

impl Out {
    fn schedule(&mut self) -> NeedsFlush {
        match std::mem::replace(&mut self.scheduled, true) {
            true => NeedsFlush::No,
            false => NeedsFlush::Yes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox() -> Outbox {
        Outbox::new(&SocketOptions::new())
    }

    #[test]
    fn a_pong_that_cannot_be_written_keeps_nobody_from_closing() {
        let outbox = outbox();
        outbox.session_up();
        assert_eq!(outbox.pong(Bytes::new()), NeedsFlush::No);
        outbox.close(None);
        assert_eq!(outbox.closing(Instant::now(), false), Closing::Done);
    }

    #[test]
    fn the_ping_of_a_lost_connection_is_not_answered_on_the_next() {
        let outbox = outbox();
        outbox.session_up();
        assert!(!outbox.session_down(Batch::default()));
        assert_eq!(outbox.pong(Bytes::new()), NeedsFlush::No);
        assert!(outbox.lock().lane.take_pong().is_none());
    }

    #[test]
    fn closing_twice_does_not_linger_for_longer() {
        let outbox = outbox();
        let now = Instant::now();
        let [soon, later] = [1, 2].map(|seconds| now + Duration::from_secs(seconds));
        assert!(outbox.push(Message::from("m")).is_ok());
        outbox.close(None);
        outbox.close(Some(soon));
        outbox.close(Some(later));
        outbox.close(None);
        assert_eq!(outbox.closing(now, false), Closing::Lingering(Some(soon)));
        assert_eq!(outbox.closing(soon, false), Closing::Done);
    }

    #[test]
    fn subscriptions_and_messages_are_waited_for() {
        let outbox = outbox();
        outbox.session_up();
        let _ = outbox.control(Subscription::Subscribe(Bytes::new()));
        outbox.close(None);
        assert_eq!(outbox.closing(Instant::now(), false), Closing::Lingering(None));
    }
}
