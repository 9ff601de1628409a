//! Peers made up for the tests of blocks and patterns.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use crate::message::Message;
use crate::peer::Subscription;
use crate::pipe::{Inlet, NeedsFlush, Next, Outlet, PeerKey, Pipe, Refused};

/// A message of these frames.
pub(crate) fn message<'a>(frames: impl IntoIterator<Item = &'a str>) -> Message {
    let mut message = Message::new();
    for frame in frames {
        message.push_back(Bytes::copy_from_slice(frame.as_bytes()));
    }
    message.pop_front().expect("a message has a frame");
    message
}

/// Both ends of the way to a peer that records what it is sent and says what
/// it is told to.
pub(crate) struct FakePeer {
    pub(crate) key: PeerKey,
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sent: VecDeque<Message>,
    said: VecDeque<Message>,
    unflushed: usize,
    rejected: bool,
    left: bool,
    on_take: Option<Box<dyn Fn() + Send>>,
}

impl FakePeer {
    /// One that connected to us, with a high-water mark.
    pub(crate) fn accepted(capacity: usize) -> Arc<Self> {
        Self::new(capacity)
    }

    /// One that we connect to.
    pub(crate) fn connected(capacity: usize) -> Arc<Self> {
        Self::new(capacity)
    }

    fn new(capacity: usize) -> Arc<Self> {
        let state = Mutex::default();
        Arc::new(Self { key: PeerKey::unique(), capacity, state })
    }

    pub(crate) fn pipe(self: &Arc<Self>) -> Pipe {
        Pipe {
            key: self.key,
            outlet: Arc::clone(self) as Arc<dyn Outlet>,
            inlet: Arc::clone(self) as Arc<dyn Inlet>,
        }
    }

    /// Takes what was sent and flushed, which makes room.
    pub(crate) fn take_sent(&self) -> Vec<Message> {
        let mut state = self.state();
        let flushed = state.sent.len() - state.unflushed;
        state.sent.drain(..flushed).collect()
    }

    /// Puts a message into the inlet.
    pub(crate) fn say(&self, message: Message) {
        self.state().said.push_back(message);
    }

    /// How many messages the inlet still has.
    pub(crate) fn unread(&self) -> usize {
        self.state().said.len()
    }

    /// The peer goes for good; what it said stays readable.
    pub(crate) fn depart(&self) {
        self.state().left = true;
    }

    pub(crate) fn is_rejected(&self) -> bool {
        self.state().rejected
    }

    /// Calls `hook` whenever the inlet is looked at.
    pub(crate) fn on_take(&self, hook: impl Fn() + Send + 'static) {
        self.state().on_take = Some(Box::new(hook));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet for FakePeer {
    fn has_room(&self) -> bool {
        self.state().sent.len() < self.capacity
    }

    fn push(&self, message: Message) -> Result<NeedsFlush, Refused> {
        let mut state = self.state();
        if state.left {
            return Err(Refused::Gone(message));
        }
        if state.sent.len() >= self.capacity {
            return Err(Refused::Full(message));
        }
        state.sent.push_back(message);
        state.unflushed += 1;
        Ok(NeedsFlush::Yes)
    }

    fn control(&self, _: Subscription) -> NeedsFlush {
        NeedsFlush::No
    }

    fn flush(&self) {
        self.state().unflushed = 0;
    }

    fn close(&self, _deadline: Option<Instant>) {}

    fn reject(&self) {
        self.state().rejected = true;
    }
}

impl Inlet for FakePeer {
    fn try_next(&self) -> Next {
        let mut state = self.state();
        if let Some(hook) = &state.on_take {
            hook();
        }
        match state.said.pop_front() {
            Some(message) => Next::Message { message, more: !state.said.is_empty() },
            None if state.left => Next::Gone,
            None => Next::Empty,
        }
    }

    fn is_spent(&self) -> bool {
        let state = self.state();
        state.left && state.said.is_empty()
    }

    fn leave(&self) {}

    fn discard(&self) -> usize {
        self.state().said.drain(..).count()
    }
}
