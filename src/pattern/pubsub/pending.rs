//! [`Pending`]: what an XPUB has for its application, in the order it came.
//!
//! Its bounds are shared by dynamic thresholds, as switches share their buffers: nobody
//! has more in store than there is room left. So one peer alone may fill half of it,
//! two have a third each, and someone who has little in store finds room, whoever
//! floods the others.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::mark::Mark;
use crate::message::Message;
use crate::options::{Limits, SocketOptions};
use crate::routing::Slot;

/// How many notices one peer may have in store, and how many octets of them: as many as
/// it may cause by subscribing to all it can, and where that is little, by taking it all
/// back as well. (One that is dropped is a topic that a proxy never hears of.)
fn notices(limits: &Limits) -> Limit {
    let most = Limits::default();
    let all = |own: Mark, most: Mark| own.max(own.times(2).min(most));
    let count = all(limits.subscriptions, most.subscriptions);
    let octets = all(limits.subscription_octets, most.subscription_octets);
    Limit { count, octets: octets.and(count) }
}

/// The connection of a peer that sent something or asked for it.
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
    /// A subscription or cancellation.
    Notice(Bytes),
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
    entries: Chunked<(Entry, Option<Asker>)>,
    messages: Gauge,
    notices: Gauge,
    dropped: usize,
    /// Whether nobody takes anything any more.
    is_closed: bool,
}

/// What one peer has in store, or all together who have left.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    messages: Amount,
    notices: Amount,
}

impl Account {
    /// Takes over what somebody has.
    pub(super) fn inherit(&mut self, other: Self) {
        self.messages.add(other.messages);
        self.notices.add(other.notices);
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// An entry was taken that counted here.
    pub(super) fn release(&mut self, entry: &Entry) {
        let (amount, octets) = match entry {
            Entry::Message(message) => (&mut self.messages, message.weight()),
            Entry::Notice(notice) => (&mut self.notices, notice.len()),
        };
        amount.take(octets);
    }
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

    /// Stores what somebody sent or asked for, on its account.
    pub(super) fn push(&mut self, entry: Entry, from: Option<Asker>, account: &mut Account) {
        if self.is_closed {
            self.dropped += usize::from(matches!(entry, Entry::Message(_)));
            return;
        }
        let (gauge, amount, octets) = match &entry {
            Entry::Message(message) => {
                (&mut self.messages, &mut account.messages, message.weight())
            }
            Entry::Notice(notice) => (&mut self.notices, &mut account.notices, notice.len()),
        };
        if gauge.admit(octets, amount) {
            self.entries.push((entry.detached(), from));
        } else {
            self.dropped += 1;
        }
    }

    /// Takes the next entry, and says whose it was. It is to be
    /// [released](Account::release) from the account that it counts in.
    pub(super) fn pop(&mut self) -> Option<(Entry, Option<Asker>)> {
        if self.is_closed {
            return None;
        }
        let (entry, from) = self.entries.pop()?;
        match &entry {
            Entry::Message(message) => self.messages.all.take(message.weight()),
            Entry::Notice(notice) => self.notices.all.take(notice.len()),
        }
        Some((entry, from))
    }

    /// From now on nobody takes anything; says how many messages nobody took. What
    /// is kept is freed with the socket.
    pub(super) fn close(&mut self) -> usize {
        let left = if self.is_closed { 0 } else { self.messages.all.count };
        self.is_closed = true;
        left
    }

    pub(super) fn len(&self) -> usize {
        self.messages.all.count + self.notices.all.count
    }

    /// How many entries were dropped since the last call.
    pub(super) fn take_dropped(&mut self) -> usize {
        std::mem::take(&mut self.dropped)
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

/// How many entries one peer may have in store, and how many octets in them.
#[derive(Debug, Clone, Copy)]
struct Limit {
    count: Mark,
    octets: Mark,
}

/// How many entries wait, and how many octets in them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Amount {
    count: usize,
    octets: usize,
}

impl Amount {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.octets += other.octets;
    }

    fn take(&mut self, octets: usize) {
        self.count -= 1;
        self.octets -= octets;
    }
}

/// What all have in store, and how much that may be.
#[derive(Debug)]
struct Gauge {
    all: Amount,
    /// Twice what one peer alone may have: it may fill half.
    limit: Limit,
}

impl Gauge {
    fn new(of_one: Limit) -> Self {
        let limit = Limit { count: of_one.count.times(2), octets: of_one.octets.times(2) };
        Self { all: Amount::default(), limit }
    }

    /// Counts an entry of somebody who has `own` in store, if it fits. Where there is
    /// none yet, any does.
    fn admit(&mut self, octets: usize, own: &mut Amount) -> bool {
        let one = Amount { count: 1, octets };
        let (mut all, mut its) = (self.all, *own);
        all.add(one);
        its.add(one);
        let fits = its.count <= self.limit.count.room(all.count)
            && its.octets <= self.limit.octets.room(all.octets);
        if fits || self.all.count == 0 {
            (self.all, *own) = (all, its);
            return true;
        }
        false
    }
}
