//! [`Inbox`]: what comes from one peer, read by whoever needs it.
//!
//! The receiver reads: it decodes from the buffer, and when that is empty it
//! polls the transport itself, so octets are decoded while they are warm and
//! no task stands between. The engine reads too, with the same code
//! ([`Inbox::pump`]), when no receiver waits, so that PING, subscriptions and
//! the end of the stream are seen; it stops at a bound.
//!
//! Sessions form a chain: messages of a lost connection stay readable, before
//! those of the next one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncReadExt;

use super::connection::now;
use crate::message::Message;
use crate::monitor::DisconnectReason;
use crate::options::SocketOptions;
use crate::peer::Subscription;
use crate::pipe::{Item, Next, weight};
use crate::transport::ReadHalf;
use crate::zmtp::{Incoming, Receiving};

/// How much the engine reads ahead of the receiver at most, in octets. Reading
/// further would only move the queue out of the kernel into cold memory.
const READ_AHEAD: usize = 256 * 1024;

/// How many messages a receiver takes in hand at once.
const BATCH: usize = 64;

/// How many reads or commands one turn may take without coming to a message.
const TURN: usize = 64;

/// How many stale messages or reads are looked through at most.
const STALE: usize = 10_000;

/// How many lost connections of one endpoint may have unread messages; beyond
/// that the oldest loses what it still had in the kernel.
const ORPHANS: usize = 16;

pub(super) struct Inbox {
    limits: Limits,
    inner: Mutex<In>,
    /// Whether the engine looks after this inbox from time to time, since
    /// octets may have been left unread in it.
    watched: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    messages: usize,
    octets: usize,
    conflate: bool,
}

#[derive(Default)]
struct In {
    sessions: VecDeque<Session>,
    /// No session will come any more.
    gone: bool,
}

/// The receiving side of one connection.
struct Session {
    read: Option<Box<dyn ReadHalf>>,
    receiving: Receiving,
    waker: Waker,
    /// Whether the transport will call the waker. Set before it is polled and
    /// cleared by the waker.
    armed: Arc<AtomicBool>,
    /// Messages read ahead of the receiver.
    ahead: VecDeque<Message>,
    ahead_octets: usize,
    /// Whether the last read filled the buffer, so that there may be more.
    filled: bool,
    heard: Option<Instant>,
    ended: Option<DisconnectReason>,
}

/// What the peer asked of the engine.
#[derive(Debug)]
pub(super) enum Request {
    Pong(Bytes),
    /// Give the peer up after this much silence.
    Ttl(Duration),
    /// The connection is over.
    Ended,
    /// The receiver leaves octets unread: look after them.
    Watch,
}

/// How [`Inbox::pump`] went.
#[derive(Debug, Default)]
pub(super) struct Pumped {
    /// Messages are there for receivers.
    pub(super) readable: bool,
    /// More can be read at once.
    pub(super) more: bool,
    /// Older messages replaced by newer ones.
    pub(super) conflated: usize,
}

/// What [`Inbox::next_item`] has.
#[derive(Debug)]
pub(super) enum NextItem {
    Item(Item),
    /// Nothing now: armed, or ended.
    Nothing,
    /// Enough work for one turn without coming to an item.
    Busy,
}

/// One step of a session.
enum Step {
    Message(Message),
    Subscription(Subscription),
    /// A command was dealt with, or octets came in: go on.
    Progress,
    /// Armed.
    Pending,
    Ended,
}

impl Inbox {
    pub(super) fn new(options: &SocketOptions) -> Self {
        let or_max = |limit: usize| if limit == 0 { usize::MAX } else { limit };
        Self {
            limits: Limits {
                messages: or_max(options.recv_hwm),
                octets: or_max(options.recv_hwm_bytes).min(READ_AHEAD),
                conflate: options.conflate,
            },
            inner: Mutex::default(),
            watched: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, In> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection: its messages come after those of the former ones.
    pub(super) fn session_up(
        &self,
        read: Box<dyn ReadHalf>,
        receiving: Receiving,
        waker: impl FnOnce(Arc<AtomicBool>) -> Waker,
    ) {
        let armed = Arc::<AtomicBool>::default();
        let mut inner = self.lock();
        if inner.sessions.len() > ORPHANS {
            if let Some(oldest) = inner.sessions.front_mut() {
                oldest.read = None;
            }
        }
        inner.sessions.push_back(Session {
            read: Some(read),
            receiving,
            waker: waker(Arc::clone(&armed)),
            armed,
            ahead: VecDeque::new(),
            ahead_octets: 0,
            filled: true,
            heard: None,
            ended: None,
        });
        inner.merge_spent();
    }

    /// No further connection will come: once the rest is read, the inbox is
    /// spent.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.gone = true;
        inner.merge_spent();
    }

    pub(super) fn is_spent(&self) -> bool {
        let inner = self.lock();
        inner.gone && inner.sessions.iter().all(Session::is_spent)
    }

    /// Drops what was not received and reads no more.
    pub(super) fn discard(&self) -> usize {
        let mut inner = self.lock();
        inner.gone = true;
        inner.sessions.drain(..).map(|session| session.ahead.len()).sum()
    }

    /// Ends the newest connection from our side and gives its reading half.
    /// Whole messages that were read stay readable.
    pub(super) fn stop_reading(&self, reason: &DisconnectReason) -> Option<Box<dyn ReadHalf>> {
        let mut inner = self.lock();
        let session = inner.sessions.back_mut()?;
        let read = session.read.take();
        while let (None, Ok(Some(incoming))) = (&session.ended, session.receiving.next()) {
            if let Incoming::Message(message) = incoming {
                session.keep(message, self.limits.conflate);
            }
        }
        session.ended.get_or_insert_with(|| reason.clone());
        read
    }

    /// Drops every message that has come so far, also what the system holds;
    /// says how many. Stops at a bound, since a peer may send without end.
    pub(super) fn discard_stale(&self, requests: &mut dyn FnMut(Request)) -> usize {
        let mut inner = self.lock();
        let older = inner.sessions.len().saturating_sub(1);
        let mut count: usize = inner.sessions.drain(..older).map(|it| it.ahead.len()).sum();
        let Some(session) = inner.sessions.back_mut() else { return count };
        count += session.ahead.drain(..).count();
        session.ahead_octets = 0;
        for _ in 0..STALE {
            match session.read_step(requests) {
                Step::Message(_) => count += 1,
                Step::Subscription(_) | Step::Progress => {}
                Step::Pending if session.read_now() => {}
                Step::Pending | Step::Ended => break,
            }
        }
        count
    }

    /// Why the newest connection ended, if it did.
    pub(super) fn ended(&self) -> Option<DisconnectReason> {
        self.lock().sessions.back().and_then(|session| session.ended.clone())
    }

    /// When the peer was last heard since the last call, and whether octets may be waiting unread,
    /// in which case its silence means nothing.
    pub(super) fn heard(&self) -> (Option<Instant>, bool) {
        match self.lock().sessions.back_mut() {
            Some(session) => (session.heard.take(), !session.is_armed()),
            None => (None, false),
        }
    }

    /// The next message for a receiver.
    pub(super) fn try_next(&self, requests: &mut dyn FnMut(Request)) -> Next {
        self.try_some(None, requests)
    }

    /// The next message for a receiver, and those at hand behind it.
    pub(super) fn try_batch(
        &self,
        rest: &mut VecDeque<Message>,
        requests: &mut dyn FnMut(Request),
    ) -> Next {
        self.try_some(Some(rest), requests)
    }

    fn try_some(
        &self,
        rest: Option<&mut VecDeque<Message>>,
        requests: &mut dyn FnMut(Request),
    ) -> Next {
        let mut inner = self.lock();
        for _ in 0..TURN {
            let Some(session) = inner.sessions.front_mut() else {
                return if inner.gone { Next::Gone } else { Next::Empty };
            };
            match session.take_step(self.limits.conflate, requests) {
                Step::Message(message) => {
                    if let Some(rest) = rest {
                        session.take_decoded(rest, requests);
                    }
                    let more = match self.limits.conflate {
                        true => false,
                        false => session.has_more(requests) || inner.sessions.len() > 1,
                    };
                    drop(inner);
                    if more {
                        self.watch(requests);
                    }
                    return Next::Message { message, more };
                }
                Step::Subscription(_) | Step::Progress => {}
                Step::Pending => return Next::Empty,
                Step::Ended if inner.sessions.len() > 1 || inner.gone => {
                    inner.sessions.pop_front();
                }
                Step::Ended => return Next::Empty,
            }
        }
        drop(inner);
        self.watch(requests);
        Next::Busy
    }

    /// Asks the engine to look after octets that a receiver may leave unread.
    pub(super) fn watch(&self, requests: &mut dyn FnMut(Request)) {
        if !self.watched.swap(true, Ordering::SeqCst) {
            requests(Request::Watch);
        }
    }

    /// Whether the engine still has to look: not once the inbox is armed, or
    /// full, which a receiver that reads on will undo.
    pub(super) fn still_watched(&self) -> bool {
        // Cleared before the look: a receiver that changes things after it asks
        // for a watch again.
        self.watched.store(false, Ordering::SeqCst);
        let idle = self.lock().sessions.back().is_none_or(|session| {
            session.is_full(&self.limits) || session.is_armed() || session.ended.is_some()
        });
        if !idle {
            self.watched.store(true, Ordering::SeqCst);
        }
        !idle
    }

    /// Reads ahead for the receivers, up to the bound.
    pub(super) fn pump(&self, requests: &mut dyn FnMut(Request)) -> Pumped {
        let mut inner = self.lock();
        let mut pumped = Pumped::default();
        let Some(session) = inner.sessions.back_mut() else { return pumped };
        for _ in 0..TURN {
            if session.is_full(&self.limits) {
                break;
            }
            match session.read_step(requests) {
                Step::Message(message) => {
                    pumped.conflated += session.keep(message, self.limits.conflate);
                    pumped.readable = true;
                }
                Step::Subscription(_) => {}
                Step::Progress => pumped.more = true,
                Step::Pending | Step::Ended => {
                    pumped.more = false;
                    return pumped;
                }
            }
        }
        pumped.more = !session.is_full(&self.limits);
        pumped
    }

    /// Reads for a pattern that takes items as they come.
    pub(super) fn next_item(&self, requests: &mut dyn FnMut(Request)) -> NextItem {
        let mut inner = self.lock();
        let Some(session) = inner.sessions.back_mut() else { return NextItem::Nothing };
        for _ in 0..TURN {
            match session.read_step(requests) {
                Step::Message(message) => return NextItem::Item(Item::Message(message)),
                Step::Subscription(change) => return NextItem::Item(Item::Subscription(change)),
                Step::Progress => {}
                Step::Pending | Step::Ended => return NextItem::Nothing,
            }
        }
        NextItem::Busy
    }
}

impl In {
    /// Joins sessions that have ended and are wholly decoded with the next one,
    /// so that a peer which comes and goes does not pile them up.
    fn merge_spent(&mut self) {
        while self.sessions.len() > 1 && self.sessions[0].ended.is_some() {
            let Some(mut spent) = self.sessions.pop_front() else { return };
            let Some(next) = self.sessions.front_mut() else { return };
            spent.ahead.append(&mut next.ahead);
            next.ahead = spent.ahead;
            next.ahead_octets += spent.ahead_octets;
        }
    }
}

impl Session {
    fn is_spent(&self) -> bool {
        self.ended.is_some() && self.ahead.is_empty()
    }

    fn is_armed(&self) -> bool {
        self.armed.load(Ordering::SeqCst)
    }

    fn is_full(&self, limits: &Limits) -> bool {
        !limits.conflate
            && (self.ahead.len() >= limits.messages || self.ahead_octets >= limits.octets)
    }

    fn keep(&mut self, message: Message, conflate: bool) -> usize {
        let replaced = if conflate { self.ahead.len() } else { 0 };
        if conflate {
            self.ahead.clear();
            self.ahead_octets = 0;
        }
        self.ahead_octets += weight(&message);
        self.ahead.push_back(message);
        replaced
    }

    /// A step of a receiver: what was read ahead, then what can be read now.
    /// With `conflate` only the engine reads, since the message that counts is
    /// the last of all that have come.
    fn take_step(&mut self, conflate: bool, requests: &mut dyn FnMut(Request)) -> Step {
        if let Some(message) = self.ahead.pop_front() {
            self.ahead_octets = self.ahead_octets.saturating_sub(weight(&message));
            return Step::Message(message);
        }
        if conflate && self.ended.is_none() {
            return Step::Pending;
        }
        self.read_step(requests)
    }

    /// Moves messages that need no reading to `rest`, up to a batch.
    fn take_decoded(&mut self, rest: &mut VecDeque<Message>, requests: &mut dyn FnMut(Request)) {
        while rest.len() < BATCH {
            if let Some(message) = self.ahead.pop_front() {
                self.ahead_octets = self.ahead_octets.saturating_sub(message.size());
                rest.push_back(message);
                continue;
            }
            match self.decode(requests) {
                Some(Step::Message(message)) => rest.push_back(message),
                Some(Step::Subscription(_) | Step::Progress) => {}
                _ => return,
            }
        }
    }

    /// Decodes what is buffered; with nothing whole there, reads once.
    fn read_step(&mut self, requests: &mut dyn FnMut(Request)) -> Step {
        match self.decode(requests) {
            Some(step) => step,
            None => self.read(requests),
        }
    }

    /// Decodes one thing of what is buffered, if one is there as a whole.
    #[inline]
    fn decode(&mut self, requests: &mut dyn FnMut(Request)) -> Option<Step> {
        if self.ended.is_some() {
            return Some(Step::Ended);
        }
        Some(match self.receiving.next() {
            Ok(Some(Incoming::Message(message))) => Step::Message(message),
            Ok(Some(Incoming::Subscription(change))) => Step::Subscription(change),
            Ok(Some(Incoming::Pong)) => Step::Progress,
            Ok(Some(Incoming::Ping { ttl, context })) => {
                requests(Request::Pong(context));
                requests(Request::Ttl(ttl));
                Step::Progress
            }
            Ok(None) => return None,
            Err(fault) => self.end(DisconnectReason::Fault(fault), requests),
        })
    }

    /// Reads once; without anything to read, the transport is armed.
    fn read(&mut self, requests: &mut dyn FnMut(Request)) -> Step {
        match self.poll_read() {
            Poll::Pending => Step::Pending,
            Poll::Ready(Ok(0)) => self.end(DisconnectReason::PeerClosed, requests),
            Poll::Ready(Ok(_)) => Step::Progress,
            Poll::Ready(Err(error)) => {
                self.end(DisconnectReason::Transport(Arc::new(error)), requests)
            }
        }
    }

    fn end(&mut self, reason: DisconnectReason, requests: &mut dyn FnMut(Request)) -> Step {
        self.ended = Some(reason);
        self.read = None;
        requests(Request::Ended);
        Step::Ended
    }

    /// Whether the receiver should look again at once. When all is decoded and
    /// the last read was short, the transport is armed instead, which costs no
    /// system call then.
    fn has_more(&mut self, requests: &mut dyn FnMut(Request)) -> bool {
        if !self.ahead.is_empty() || self.ended.is_some() {
            return true;
        }
        if self.receiving.buffered() > 0 || self.filled {
            return true;
        }
        !matches!(self.read(requests), Step::Pending)
    }

    /// Reads what the runtime has not heard of yet; false if there is nothing.
    fn read_now(&mut self) -> bool {
        let Some(read) = self.read.as_mut() else { return false };
        let mut octets = [0; 4096];
        let mut space = self.receiving.space();
        let limit = space.limit().min(octets.len());
        // The end and errors are left to the next ordinary read.
        let count = read.read_now(&mut octets[..limit]).unwrap_or(0);
        bytes::BufMut::put_slice(&mut space, &octets[..count]);
        count > 0
    }

    fn poll_read(&mut self) -> Poll<std::io::Result<usize>> {
        let Some(read) = self.read.as_mut() else { return Poll::Ready(Ok(0)) };
        self.armed.store(true, Ordering::SeqCst);
        let mut cx = Context::from_waker(&self.waker);
        let mut space = self.receiving.space();
        let capacity = space.limit();
        // Outside the cooperative budget: it would wake the connection, not the
        // task, and whoever reads here bounds its own work.
        let reading = std::pin::pin!(tokio::task::unconstrained(read.read_buf(&mut space)));
        let result = std::future::Future::poll(reading, &mut cx);
        if let Poll::Ready(result) = &result {
            self.armed.store(false, Ordering::SeqCst);
            if let Ok(read) = result {
                self.filled = *read == capacity;
                self.heard = Some(now());
            }
        }
        result
    }
}
