//! [`Inward`]: what comes from one peer, octets to messages.
//!
//! Sessions form a chain: messages of a lost connection stay readable, before
//! those of the next one. `R` is what octets are read from; it is only kept here,
//! and the shell reads.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::BytesMut;
use bytes::buf::Limit;

use super::ahead::{Ahead, CHUNK, Limits, Store};
use super::orders::{Budget, Drained, Orders, Uncounted};
use super::session::{ALL, Session};
use super::sinks::{Filling, Sink, Taken};
use crate::mark::Mark;
use crate::monitor::DisconnectReason;
use crate::options::SocketOptions;
use crate::pipe::{Hand, Traits};
use crate::zmtp::{Incoming, Receiving};

/// How many octets a receiver takes in hand at most, besides the message that
/// goes beyond: what is taken and not used at once gets cold, and the allocator
/// goes and gets memory for it again and again.
const HAND: Mark = Mark::from_option(CHUNK);

/// How many other items a subscription costs as much as, once it is in a trie and the
/// application is told. A hundred peers that do nothing but subscribe would keep the
/// next one waiting for as long as it takes to see to a turn of each.
const SUBSCRIPTION: usize = 16;

/// How many lost connections of one endpoint may have unread octets; beyond that
/// the oldest loses what it still had in the kernel.
const ORPHANS: usize = 16;

/// What comes from one peer. Kept under one lock.
pub(crate) struct Inward<R> {
    limits: Limits,
    /// The oldest first; only the last may be up.
    sessions: VecDeque<Session<R>>,
    /// What was read ahead of the receivers.
    ahead: Store,
    /// What the last look put into a receiver's hand.
    taken: Taken,
    /// How many octets of those the bound on what departed peers left is charged with.
    charged: usize,
    /// Octets read that are not of a message which was kept.
    since_kept: usize,
    /// Octets read altogether.
    octets: u64,
    /// No session will come any more.
    is_closed: bool,
    /// Whether the peer is held back at a mark.
    is_held_back: bool,
    /// Whether memory is kept that is to be given back, and whether it was used
    /// since somebody thought of that.
    is_kept: bool,
    is_busy: bool,
    /// Whether messages are for anybody: REQ takes only what comes after a
    /// request.
    expects: bool,
    uncounted: Uncounted,
}

impl<R> Inward<R> {
    pub(crate) fn new(options: &SocketOptions, traits: &Traits) -> Self {
        Self {
            limits: Limits {
                messages: options.recv_hwm,
                octets: options.recv_hwm_bytes,
                conflate: options.conflate,
            },
            sessions: VecDeque::new(),
            ahead: Store::default(),
            taken: Taken::default(),
            charged: 0,
            since_kept: 0,
            octets: 0,
            is_closed: false,
            is_held_back: false,
            is_kept: false,
            is_busy: false,
            expects: !traits.asks,
            uncounted: Uncounted::default(),
        }
    }

    /// A new connection: its messages come after those of the former ones.
    pub(crate) fn session_up(&mut self, read: R, receiving: Receiving, number: u32) {
        self.keep_rest();
        if self.sessions.len() > ORPHANS {
            if let Some(oldest) = self.sessions.front_mut() {
                oldest.read = None;
            }
            self.keep_rest();
        }
        self.is_held_back = false;
        // One as a rule, and by itself it would have room for four.
        self.sessions.reserve_exact(1);
        // What came with the end of the handshake.
        self.note_octets(receiving.buffered());
        self.sessions.push_back(Session {
            number,
            read: Some(read),
            receiving: Some(receiving),
            filled: true,
            read_at: None,
            heard: None,
            ended: None,
        });
    }

    /// No further connection will come: once the rest is read, it is over.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        self.keep_rest();
        self.ahead.shrink();
    }

    /// Whether nothing will come any more.
    pub(crate) fn is_spent(&self) -> bool {
        self.is_closed && self.ahead.is_empty() && self.sessions.is_empty()
    }

    /// Drops what was not received, and reads no more; says how many whole
    /// messages that were.
    pub(crate) fn discard(&mut self) -> usize {
        self.is_closed = true;
        let mut dropped = self.drop_ahead();
        for mut session in self.sessions.drain(..) {
            dropped = session.count_messages().saturating_add(dropped);
        }
        dropped
    }

    /// Ends the newest connection from our side and gives what it was read from.
    /// Whole messages that were read stay readable.
    pub(crate) fn stop_reading(&mut self, reason: &DisconnectReason) -> Option<R> {
        let mut session = self.sessions.pop_back()?;
        let read = session.read.take();
        session.ended.get_or_insert_with(|| reason.clone());
        self.sessions.push_back(session);
        read
    }

    /// What decodes the newest connection, for whoever reads the rest of it in
    /// order to drop it.
    pub(crate) fn take_receiving(&mut self) -> Option<Receiving> {
        self.sessions.back_mut()?.receiving.take()
    }

    /// Why the newest connection ended, if it did.
    pub(crate) fn ended(&self) -> Option<&DisconnectReason> {
        self.sessions.back()?.ended.as_ref()
    }

    /// When the peer was last heard, since the last call.
    pub(crate) fn take_heard(&mut self) -> Option<Instant> {
        self.sessions.back_mut()?.heard.take()
    }

    /// The peer has left: says how many octets of it are unread, and counts from
    /// now on how many [are no more](Self::take_freed).
    pub(crate) fn charge(&mut self) -> usize {
        self.charged = self.ahead.octets();
        self.charged
    }

    /// How many octets of what a departed peer left were taken, or dropped, since
    /// the last call.
    pub(crate) fn take_freed(&mut self) -> usize {
        let freed = self.charged.saturating_sub(self.ahead.octets());
        self.charged = self.charged.saturating_sub(freed);
        freed
    }

    /// Whether the marks allow no more to be read ahead, if `in_hand` messages of
    /// the last look are still in hand.
    pub(crate) fn is_full(&self, in_hand: usize) -> bool {
        let octets = self.ahead.octets().saturating_add(self.taken.octets_left(in_hand));
        let messages = self.ahead.messages().saturating_add(in_hand);
        let (messages, octets) = self.limits.room(messages, octets);
        messages == 0 || octets == 0
    }

    /// What a receiver takes in hand at most: what is there counts against the
    /// marks as well.
    pub(crate) fn filling<'a>(&self, hand: &'a mut Hand, limit: usize) -> Filling<'a> {
        let Limits { messages: most, octets, .. } = self.limits;
        let most_octets = octets.min(HAND);
        Filling {
            hand,
            limit: limit.min(most.limit()),
            most_octets,
            taken: Taken::default(),
            session: 0,
        }
    }

    /// A look of a receiver is over, and it has this in hand.
    pub(crate) fn end_look(&mut self, taken: Taken) {
        self.taken = taken;
        self.since_kept = 0;
    }

    /// Notes whether the peer is held back; says whether that is news.
    pub(crate) fn hold_back(&mut self, held: bool) -> bool {
        std::mem::replace(&mut self.is_held_back, held) != held
    }

    /// REQ: a request is about to be written, or its reply was taken. What came
    /// before either is for nobody.
    pub(crate) fn expect(&mut self, expects: bool) {
        self.expects = expects;
        let dropped = self.drop_ahead();
        self.uncounted.add_strays(dropped);
        while self.sessions.len() > 1 {
            let Some(mut older) = self.sessions.pop_front() else { break };
            self.uncounted.add_strays(older.count_messages());
        }
    }

    pub(crate) fn take_uncounted(&mut self) -> Uncounted {
        std::mem::take(&mut self.uncounted)
    }

    /// Whether more is at hand without waiting, as far as can be told without
    /// reading.
    pub(crate) fn has_more(&self) -> bool {
        let Some(front) = self.sessions.front() else { return !self.ahead.is_empty() };
        let is_last = self.sessions.len() == 1;
        !self.ahead.is_empty()
            || !is_last
            || front.ended.is_some()
            || front.filled
            || front.receiving.as_ref().is_some_and(|receiving| receiving.buffered() > 0)
    }

    /// Moves messages that were read ahead into a receiver's hand.
    pub(crate) fn take_ahead(&mut self, hand: &mut Filling<'_>) {
        self.ahead.take(hand);
    }

    /// Whether the last read filled the buffer, so that there may be more.
    pub(crate) fn was_filled(&self) -> bool {
        self.sessions.front().is_some_and(|session| session.filled)
    }

    /// Whether something was read ahead and is not taken.
    pub(crate) fn has_ahead(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Decodes what is there, into a sink.
    #[inline]
    pub(crate) fn drain(
        &mut self,
        sink: &mut impl Sink,
        budget: &mut Budget,
        orders: &mut Orders,
    ) -> Drained {
        if !self.begin(sink) {
            return Drained::Enough;
        }
        while !sink.is_full() && !budget.is_spent() {
            let is_newest = self.sessions.len() == 1;
            let Some(session) = self.sessions.front_mut() else {
                return if self.is_closed { Drained::Over } else { Drained::Quiet };
            };
            if session.is_starved() {
                return Drained::Starved;
            }
            let (strip, extent) = session.take_strip(sink.room(), budget.items);
            if extent.messages > 0 {
                budget.items = budget.items.saturating_sub(extent.messages);
                match self.expects {
                    true => sink.strip(strip, extent),
                    false => self.uncounted.add_strays(extent.messages),
                }
                continue;
            }
            match session.next_within(&mut budget.frames) {
                Ok(Some(Incoming::Message(message))) if self.expects => sink.message(message),
                Ok(Some(Incoming::Message(_))) => self.uncounted.add_strays(1),
                Ok(Some(Incoming::Subscription(change))) => {
                    sink.subscription(change);
                    budget.items = budget.items.saturating_sub(SUBSCRIPTION - 1);
                }
                Ok(Some(Incoming::Pong)) => {}
                // That of a connection which is lost needs no answer.
                Ok(Some(Incoming::Ping { ttl, context })) if is_newest => {
                    orders.pong = Some(context);
                    orders.ping = Some((session.read_at, ttl));
                }
                Ok(Some(Incoming::Ping { .. })) => {}
                Ok(None) if budget.is_spent() => return Drained::Enough,
                Ok(None) if session.read.is_some() => return Drained::Starved,
                Ok(None) if is_newest && !self.is_closed => return Drained::Quiet,
                Ok(None) => {
                    drop(self.sessions.pop_front());
                    if !self.begin(sink) {
                        return Drained::Enough;
                    }
                }
                Err(fault) => {
                    session.fail(fault);
                    orders.ended |= is_newest;
                }
            }
            budget.items = budget.items.saturating_sub(1);
        }
        Drained::Enough
    }

    /// Tells a sink whose messages come next; false if it can take none of them for now.
    #[inline]
    fn begin(&self, sink: &mut impl Sink) -> bool {
        self.sessions.front().is_none_or(|session| sink.begin(session.number))
    }

    /// As [`drain`](Self::drain), into what is read ahead of the receivers, up to
    /// the marks, while so many messages are in hand.
    pub(crate) fn read_ahead(
        &mut self,
        in_hand: usize,
        budget: &mut Budget,
        orders: &mut Orders,
    ) -> Drained {
        let mut ahead = self.lend_ahead();
        ahead.in_hand = (in_hand, self.taken.octets_left(in_hand));
        let drained = self.drain(&mut ahead, budget, orders);
        self.return_ahead(ahead);
        drained
    }

    fn lend_ahead(&mut self) -> Ahead {
        Ahead {
            limits: self.limits,
            store: std::mem::take(&mut self.ahead),
            in_hand: (0, 0),
            since_kept: self.since_kept,
            conflated: 0,
        }
    }

    fn return_ahead(&mut self, ahead: Ahead) {
        self.ahead = ahead.store;
        self.since_kept = ahead.since_kept;
        self.uncounted.add_conflated(ahead.conflated);
    }

    /// What to read from, and where to, when [`drain`](Self::drain) has nothing
    /// more.
    pub(crate) fn reading(&mut self) -> Option<(&mut R, Limit<&mut BytesMut>)> {
        let session = self.sessions.front_mut()?;
        Some((session.read.as_mut()?, session.receiving.as_mut()?.space()))
    }

    /// What to read from, where the shell only wants to know whether there is
    /// anything.
    pub(crate) fn source(&mut self) -> Option<&mut R> {
        self.sessions.front_mut()?.read.as_mut()
    }

    /// So many octets were read.
    pub(crate) fn note_octets(&mut self, count: usize) {
        self.octets = self.octets.wrapping_add(count as u64);
    }

    /// How many octets were read altogether.
    pub(crate) fn octets(&self) -> u64 {
        self.octets
    }

    /// So many octets were read; `filled` if they were all there was room for. The time
    /// is for heartbeats.
    pub(crate) fn received(
        &mut self,
        count: usize,
        filled: bool,
        at: Option<Instant>,
        orders: &mut Orders,
    ) {
        self.since_kept = self.since_kept.saturating_add(count);
        self.note_octets(count);
        self.is_busy = true;
        orders.released |= self.hold_back(false);
        if let Some(session) = self.sessions.front_mut() {
            session.filled = filled;
            session.read_at = at;
            session.heard = at.or(session.heard);
        }
    }

    /// The transport has nothing more for now. What it was read into is kept for a
    /// while: who orders that calls [`rest`](Self::rest) later.
    pub(crate) fn idle(&mut self, orders: &mut Orders) {
        if let Some(session) = self.sessions.front_mut() {
            session.filled = false;
            orders.kept |= !std::mem::replace(&mut self.is_kept, true);
        }
    }

    /// Gives back the memory of busy times. If anything was read since the last
    /// call it is kept for longer: true.
    pub(crate) fn rest(&mut self) -> bool {
        self.is_kept = std::mem::take(&mut self.is_busy);
        if !self.is_kept {
            let receiving = self.sessions.iter_mut().filter_map(|it| it.receiving.as_mut());
            receiving.for_each(Receiving::rest);
            self.ahead.rest();
        }
        self.is_kept
    }

    /// Nothing more can be read from the oldest connection.
    pub(crate) fn end_reading(&mut self, reason: DisconnectReason, orders: &mut Orders) {
        orders.ended |= self.sessions.len() == 1;
        if let Some(session) = self.sessions.front_mut() {
            session.read = None;
            session.ended.get_or_insert(reason);
        }
    }

    /// Drops what was read ahead; says how many messages that were.
    pub(crate) fn drop_ahead(&mut self) -> usize {
        self.ahead.clear()
    }

    /// Keeps the whole messages of connections that are read no more. So one that
    /// comes and goes leaves nothing but those behind.
    fn keep_rest(&mut self) {
        let mut ahead = self.lend_ahead();
        while self.sessions.front().is_some_and(|session| session.read.is_none()) {
            let Some(mut session) = self.sessions.pop_front() else { break };
            if !self.expects {
                self.uncounted.add_strays(session.count_messages());
                continue;
            }
            ahead.begin(session.number);
            loop {
                let (strip, extent) = session.take_strip(ALL, usize::MAX);
                if extent.messages > 0 {
                    ahead.strip(strip, extent);
                }
                match session.next_within(&mut { usize::MAX }) {
                    Ok(Some(Incoming::Message(message))) => ahead.message(message),
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => break,
                }
            }
        }
        self.return_ahead(ahead);
    }
}
