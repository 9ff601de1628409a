//! [`Pending`]: what an XPUB has for its application, in the order it came.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::mark::Mark;
use crate::message::Message;
use crate::options::{Limits, SocketOptions};
use crate::routing::Slot;

/// How many notices wait at most, and how many octets of them: as many as one
/// peer may cause by subscribing to all it can, but no less than by default. (They
/// are of all peers, and one that is dropped is a topic that a proxy never hears of.)
fn notices(limits: &Limits) -> Limit {
    let least = Limits::default();
    let count = limits.subscriptions.max(least.subscriptions);
    let octets = limits.subscription_octets.max(least.subscription_octets);
    Limit { count, octets: octets.and(count) }
}

/// The connection of a peer that asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) slot: Slot,
    /// Counts the connections of a socket: a request of one is not a request of
    /// the next, nor of another peer in its slot.
    pub(super) session: u32,
}

#[derive(Debug)]
pub(super) enum Entry {
    /// A message that a subscriber sent upstream.
    Message(Message),
    /// A subscription or cancellation, and whose it was, if it was a request
    /// that the application is to decide on.
    Notice(Bytes, Option<Asker>),
}

/// Smaller messages lie in buffers with other things that a peer sent, up to as large
/// as this.
const SHARED: usize = 64 * 1024;

impl Entry {
    /// With memory of its own, so that it keeps no more than it counts for: between
    /// small messages a peer may send as many commands as it likes.
    fn detached(self) -> Self {
        match self {
            Self::Message(message) if message.size() < SHARED => Self::Message(message.compact()),
            other => other,
        }
    }
}

/// A bounded store; what does not fit is dropped and counted.
#[derive(Debug)]
pub(super) struct Pending {
    entries: Chunked<Entry>,
    messages: Gauge,
    notices: Gauge,
    dropped: usize,
    /// Whether nobody takes anything any more.
    is_closed: bool,
}

impl Pending {
    pub(super) fn new(options: &SocketOptions) -> Self {
        // RFC 29: SHOULD constrain incoming and outgoing queue sizes to a
        // runtime-configurable limit.
        let messages = Limit { count: options.recv_hwm, octets: options.recv_hwm_bytes };
        Self {
            entries: Chunked::new(),
            messages: Gauge::new(messages),
            notices: Gauge::new(notices(&options.limits)),
            dropped: 0,
            is_closed: false,
        }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        if self.is_closed {
            self.dropped += usize::from(matches!(entry, Entry::Message(_)));
            return;
        }
        let (gauge, octets) = self.gauge(&entry);
        if gauge.admit(octets) {
            self.entries.push(entry.detached());
        } else {
            self.dropped += 1;
        }
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        if self.is_closed {
            return None;
        }
        let entry = self.entries.pop()?;
        let (gauge, octets) = self.gauge(&entry);
        gauge.release(octets);
        Some(entry)
    }

    /// From now on nobody takes anything; says how many messages nobody took. What
    /// is kept is freed with the socket.
    pub(super) fn close(&mut self) -> usize {
        let left = if self.is_closed { 0 } else { self.messages.count };
        self.is_closed = true;
        left
    }

    pub(super) fn len(&self) -> usize {
        self.messages.count + self.notices.count
    }

    /// How many entries were dropped since the last call.
    pub(super) fn take_dropped(&mut self) -> usize {
        std::mem::take(&mut self.dropped)
    }

    fn gauge(&mut self, entry: &Entry) -> (&mut Gauge, usize) {
        match entry {
            Entry::Message(message) => (&mut self.messages, message.weight()),
            Entry::Notice(notice, _) => (&mut self.notices, notice.len()),
        }
    }
}

/// A queue in pieces: one of a million entries in a row would be copied to a
/// larger place, and given back, in a single step.
#[derive(Debug)]
struct Chunked<T>(VecDeque<VecDeque<T>>);

impl<T> Chunked<T> {
    const CHUNK: usize = 256;

    fn new() -> Self {
        Self(VecDeque::new())
    }

    fn push(&mut self, entry: T) {
        match self.0.back_mut() {
            Some(last) if last.len() < Self::CHUNK => last.push_back(entry),
            _ => self.0.push_back(VecDeque::from([entry])),
        }
    }

    fn pop(&mut self) -> Option<T> {
        let is_last = self.0.len() == 1;
        let first = self.0.front_mut()?;
        let entry = first.pop_front();
        // A small one is kept for what comes next.
        if first.is_empty() && !(is_last && first.capacity() < Self::CHUNK) {
            self.0.pop_front();
        }
        entry
    }
}

/// How many entries may wait, and how many octets in them.
#[derive(Debug, Clone, Copy)]
struct Limit {
    count: Mark,
    octets: Mark,
}

/// How many entries wait, and how many octets in them.
#[derive(Debug)]
struct Gauge {
    count: usize,
    octets: usize,
    limit: Limit,
}

impl Gauge {
    fn new(limit: Limit) -> Self {
        Self { count: 0, octets: 0, limit }
    }

    /// Counts an entry, if it fits. Where there is none yet, any does.
    fn admit(&mut self, octets: usize) -> bool {
        let left = self.limit.octets.limit().saturating_sub(self.octets);
        let fits = self.count == 0 || (self.limit.count.admits(self.count) && octets <= left);
        if fits {
            self.count += 1;
            self.octets += octets;
        }
        fits
    }

    fn release(&mut self, octets: usize) {
        self.count -= 1;
        self.octets -= octets;
    }
}
