//! [`Session`]: the receiving side of one connection in traffic.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncReadExt;

use super::clock::now;
use crate::message::Message;
use crate::monitor::DisconnectReason;
use crate::peer::Subscription;
use crate::transport::ReadHalf;
use crate::zmtp::{Incoming, Receiving};

/// How many messages a receiver takes in hand at once.
const BATCH: usize = 64;

/// The largest buffer that small messages are read into.
const CHUNK: usize = 64 * 1024;

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) messages: usize,
    pub(super) octets: usize,
    pub(super) conflate: bool,
}

/// The receiving side of one connection.
pub(super) struct Session {
    read: Option<Box<dyn ReadHalf>>,
    receiving: Receiving,
    waker: Waker,
    /// Whether the transport will call the waker. Set before it is polled and
    /// cleared by the waker.
    armed: Arc<AtomicBool>,
    /// Messages read ahead of the receiver, and what each counts for.
    ahead: VecDeque<(usize, Message)>,
    ahead_octets: usize,
    /// Octets read since a message was last kept. A message may keep alive the
    /// buffer it was read into, with whatever commands came along with it.
    since_kept: usize,
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

/// One step of a session.
pub(super) enum Step {
    Message(Message),
    Subscription(Subscription),
    /// A command was dealt with, or octets came in: go on.
    Progress,
    /// Armed.
    Pending,
    Ended,
}

impl Session {
    pub(super) fn new(
        read: Box<dyn ReadHalf>,
        receiving: Receiving,
        waker: impl FnOnce(Arc<AtomicBool>) -> Waker,
    ) -> Self {
        let armed = Arc::<AtomicBool>::default();
        Self {
            read: Some(read),
            receiving,
            waker: waker(Arc::clone(&armed)),
            armed,
            ahead: VecDeque::new(),
            ahead_octets: 0,
            since_kept: 0,
            filled: true,
            heard: None,
            ended: None,
        }
    }

    /// Why it ended, if it did.
    pub(super) fn ended(&self) -> Option<&DisconnectReason> {
        self.ended.as_ref()
    }

    /// When the peer was last heard, since the last call.
    pub(super) fn take_heard(&mut self) -> Option<Instant> {
        self.heard.take()
    }

    /// Ends it from our side and gives its reading half; whole messages that
    /// were read stay.
    pub(super) fn stop_reading(
        &mut self,
        reason: &DisconnectReason,
        conflate: bool,
    ) -> Option<Box<dyn ReadHalf>> {
        let read = self.read.take();
        while let (None, Ok(Some(incoming))) = (&self.ended, self.receiving.next()) {
            if let Incoming::Message(message) = incoming {
                self.keep(message, conflate);
            }
        }
        self.ended.get_or_insert_with(|| reason.clone());
        read
    }

    fn pop_ahead(&mut self) -> Option<Message> {
        let (weight, message) = self.ahead.pop_front()?;
        self.ahead_octets -= weight;
        Some(message)
    }

    /// Drops what was read ahead; says how many messages that were.
    pub(super) fn drop_ahead(&mut self) -> usize {
        self.ahead_octets = 0;
        self.ahead.drain(..).count()
    }

    /// Puts what a former session had read ahead before what this one has.
    pub(super) fn put_ahead(&mut self, mut former: Self) {
        former.ahead.append(&mut self.ahead);
        self.ahead = former.ahead;
        self.ahead_octets += former.ahead_octets;
    }

    pub(super) fn is_spent(&self) -> bool {
        self.ended.is_some() && self.ahead.is_empty()
    }

    pub(super) fn is_armed(&self) -> bool {
        self.armed.load(Ordering::SeqCst)
    }

    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        !limits.conflate
            && (self.ahead.len() >= limits.messages || self.ahead_octets >= limits.octets)
    }

    pub(super) fn keep(&mut self, message: Message, conflate: bool) -> usize {
        let replaced = if conflate { self.ahead.len() } else { 0 };
        if conflate {
            self.ahead.clear();
            self.ahead_octets = 0;
        }
        let weight = message.weight().max(std::mem::take(&mut self.since_kept).min(CHUNK));
        self.ahead_octets += weight;
        self.ahead.push_back((weight, message));
        replaced
    }

    /// A step of a receiver: what was read ahead, then what can be read now.
    /// With `conflate` only the engine reads, since the message that counts is
    /// the last of all that have come.
    pub(super) fn take_step(&mut self, conflate: bool, requests: &mut dyn FnMut(Request)) -> Step {
        if let Some(message) = self.pop_ahead() {
            return Step::Message(message);
        }
        if conflate && self.ended.is_none() {
            return Step::Pending;
        }
        self.read_step(requests)
    }

    /// Moves messages that need no reading to `rest`, up to a batch.
    pub(super) fn take_decoded(
        &mut self,
        rest: &mut VecDeque<Message>,
        requests: &mut dyn FnMut(Request),
    ) {
        while rest.len() < BATCH {
            if let Some(message) = self.pop_ahead() {
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
    pub(super) fn read_step(&mut self, requests: &mut dyn FnMut(Request)) -> Step {
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
    pub(super) fn has_more(&mut self, requests: &mut dyn FnMut(Request)) -> bool {
        if !self.ahead.is_empty() || self.ended.is_some() {
            return true;
        }
        if self.receiving.buffered() > 0 || self.filled {
            return true;
        }
        !matches!(self.read(requests), Step::Pending)
    }

    /// Reads what the runtime has not heard of yet; false if there is nothing.
    pub(super) fn read_now(&mut self) -> bool {
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
                self.since_kept += *read;
                self.heard = Some(now());
            }
        }
        result
    }
}
