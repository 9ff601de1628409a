//! Peers made up for the tests of blocks and patterns.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::message::Message;
use crate::peer::{Subscription, Unwelcome};
use crate::pipe::{Duty, EndpointKey, Flush, Hand, InHand, Line, NeedsFlush, Next, Peer, Refused};
use crate::sync::{Held, Lock, Rank};

/// A message of these frames.
pub(crate) fn message<'a>(frames: impl IntoIterator<Item = &'a str>) -> Message {
    let mut message = Message::new();
    for frame in frames {
        message.push_back(Bytes::copy_from_slice(frame.as_bytes()));
    }
    message.pop_front().expect("a message has a frame");
    message
}

/// A peer that records what it is sent and says what it is told to.
pub(crate) struct FakePeer {
    pub(crate) peer: Arc<Peer>,
    line: Arc<FakeLine>,
}

struct FakeLine {
    capacity: usize,
    state: Lock<State>,
}

#[derive(Default)]
struct State {
    sent: VecDeque<Message>,
    controls: Vec<Subscription>,
    unflushed_controls: usize,
    said: VecDeque<Message>,
    unflushed: usize,
    /// Whether the last message was sent as a request that waits for its reply.
    asked: bool,
    rejected: Option<Unwelcome>,
    left: bool,
    has_heartbeats: bool,
}

impl Deref for FakePeer {
    type Target = Arc<Peer>;

    fn deref(&self) -> &Arc<Peer> {
        &self.peer
    }
}

impl FakePeer {
    /// One that connected to us, with a high-water mark.
    pub(crate) fn accepted(capacity: usize) -> Self {
        Self::new(capacity)
    }

    /// One that we connect to.
    pub(crate) fn connected(capacity: usize) -> Self {
        Self::new(capacity)
    }

    fn new(capacity: usize) -> Self {
        let state = Lock::new(Rank::Outward, State::default());
        let line = Arc::new(FakeLine { capacity, state });
        let way = Arc::clone(&line) as Arc<dyn Line>;
        let peer = Peer::new(EndpointKey::unique(), Duty::of_receivers(), way, InHand::default());
        Self { peer: Arc::new(peer), line }
    }

    /// Takes what was sent and flushed, which makes room.
    pub(crate) fn take_sent(&self) -> Vec<Message> {
        let mut state = self.state();
        let flushed = state.sent.len() - state.unflushed;
        state.sent.drain(..flushed).collect()
    }

    /// Takes the subscriptions and cancellations that were sent and flushed.
    pub(crate) fn take_controls(&self) -> Vec<Subscription> {
        let mut state = self.state();
        let flushed = state.controls.len() - state.unflushed_controls;
        state.controls.drain(..flushed).collect()
    }

    /// Whether it was asked something and the reply was not taken yet.
    pub(crate) fn is_asked(&self) -> bool {
        self.state().asked
    }

    /// The peer goes for good; what it said stays readable.
    pub(crate) fn depart(&self) {
        self.state().left = true;
    }

    /// It may send heartbeats from now on.
    pub(crate) fn have_heartbeats(&self) {
        self.state().has_heartbeats = true;
    }

    /// Why it was rejected, if it was.
    pub(crate) fn rejected(&self) -> Option<Unwelcome> {
        self.state().rejected
    }

    fn state(&self) -> Held<'_, State> {
        self.line.state.lock()
    }
}

impl Line for FakeLine {
    fn has_room(&self) -> bool {
        self.state.lock().sent.len() < self.capacity
    }

    fn push(&self, message: &mut Message) -> Result<NeedsFlush, Refused> {
        let mut state = self.state.lock();
        if state.left {
            return Err(Refused::Gone);
        }
        if state.sent.len() >= self.capacity {
            return Err(Refused::Full);
        }
        state.sent.push_back(std::mem::take(message));
        state.unflushed += 1;
        Ok(NeedsFlush::Yes)
    }

    fn ask(&self, message: &mut Message) -> Result<NeedsFlush, Refused> {
        let asked = self.push(message);
        self.state.lock().asked |= asked.is_ok();
        asked
    }

    fn answered(&self) {
        self.state.lock().asked = false;
    }

    fn control(&self, change: Subscription) -> NeedsFlush {
        let mut state = self.state.lock();
        state.controls.push(change);
        state.unflushed_controls += 1;
        NeedsFlush::Yes
    }

    fn flush(&self, _: Flush) -> bool {
        let mut state = self.state.lock();
        state.unflushed = 0;
        state.unflushed_controls = 0;
        false
    }

    fn leave(&self) -> bool {
        true
    }

    fn take(&self, hand: &mut Hand, limit: usize) -> Next {
        let mut state = self.state.lock();
        let count = limit.min(state.said.len());
        state.said.drain(..count).for_each(|message| hand.push(message));
        match (state.said.is_empty(), state.left) {
            (false, _) => Next::More,
            (true, true) => Next::Gone,
            (true, false) => Next::Empty,
        }
    }

    fn has_heartbeats(&self) -> bool {
        self.state.lock().has_heartbeats
    }

    fn is_spent(&self) -> bool {
        let state = self.state.lock();
        state.left && state.said.is_empty()
    }

    fn discard(&self) -> usize {
        self.state.lock().said.drain(..).count()
    }

    fn close(&self, _deadline: Option<Instant>) {}

    fn reject(&self, why: Unwelcome) {
        self.state.lock().rejected = Some(why);
    }
}
