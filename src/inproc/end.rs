//! [`InprocEnd`]: a pipe between two sockets of one process.
//!
//! Two queues, no octets, no task: what one side pushes is what the other side
//! takes. The high-water mark of each direction is the sum of the sender's and
//! the receiver's.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Instant;

use super::{Inlet, Item, NeedsFlush, Next, Outlet, PeerKey, Pipe, Refused, SocketSide};
use crate::message::Message;
use crate::peer::{DropCause, Subscription};

/// One direction.
#[derive(Debug, Default)]
struct Queue(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    messages: usize,
    /// Zero: no limit.
    hwm: usize,
    conflate: bool,
    /// Whether the receiver was told and will look until there is nothing.
    told: bool,
    /// Whether a sender was refused for want of room.
    wanted: bool,
    /// The sender has ended: once empty, nothing will come.
    ended: bool,
    /// The receiver has ended: nothing is taken any more.
    gone: bool,
}

/// One side's end: its outlet and its inlet.
pub(crate) struct InprocEnd {
    key: PeerKey,
    side: OnceLock<Weak<dyn SocketSide>>,
    incoming: Arc<Queue>,
    outgoing: Arc<Queue>,
    other: OnceLock<Weak<InprocEnd>>,
    /// Keeps the order of items for a pattern that takes them at once.
    delivering: Mutex<()>,
    up: AtomicBool,
    closed: AtomicBool,
}

/// A high-water mark as options give it: zero is none.
pub(crate) fn sum_of_marks(send: usize, recv: usize) -> usize {
    if send == 0 || recv == 0 { 0 } else { send.saturating_add(recv) }
}

impl InprocEnd {
    /// The two ends of a new pipe. The first may be used at once, with a
    /// high-water mark of its own; the second has no socket yet.
    pub(crate) fn pair(side: &Arc<dyn SocketSide>, send_hwm: usize) -> (Arc<Self>, Arc<Self>) {
        let there = Arc::new(Queue::default());
        let back = Arc::new(Queue::default());
        there.lock().hwm = send_hwm;
        let near = Self::new(Arc::clone(&back), Arc::clone(&there));
        let far = Self::new(there, back);
        let _ = near.side.set(Arc::downgrade(side));
        let _ = near.other.set(Arc::downgrade(&far));
        let _ = far.other.set(Arc::downgrade(&near));
        (near, far)
    }

    fn new(incoming: Arc<Queue>, outgoing: Arc<Queue>) -> Arc<Self> {
        Arc::new(Self {
            key: PeerKey::unique(),
            side: OnceLock::new(),
            incoming,
            outgoing,
            other: OnceLock::new(),
            delivering: Mutex::default(),
            up: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        })
    }

    /// Gives this end, the second of a pair, its socket, and both queues their
    /// final marks: `incoming` messages towards it, `outgoing` from it.
    pub(crate) fn settle(
        &self,
        side: &Arc<dyn SocketSide>,
        incoming: usize,
        outgoing: usize,
        conflate: bool,
    ) {
        let _ = self.side.set(Arc::downgrade(side));
        for (queue, hwm) in [(&self.incoming, incoming), (&self.outgoing, outgoing)] {
            let mut state = queue.lock();
            state.hwm = hwm;
            state.conflate = conflate;
        }
        // Messages may have waited for the second mark.
        let room = self.incoming.lock().take_wanted();
        if room {
            self.report_room();
        }
    }

    /// Tells the sender that there is room for what it was refused.
    fn report_room(&self) {
        if let Some(other) = self.other() {
            if let Some(side) = other.side() {
                side.room(other.key);
            }
        }
    }

    pub(crate) fn key(&self) -> PeerKey {
        self.key
    }

    /// This end as its socket's pattern sees it.
    pub(crate) fn as_pipe(self: &Arc<Self>) -> Pipe {
        Pipe {
            key: self.key,
            outlet: Arc::clone(self) as Arc<dyn Outlet>,
            inlet: Arc::clone(self) as Arc<dyn Inlet>,
        }
    }

    /// Whether its socket has ended it.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Both sockets are there: subscriptions are taken from now on.
    pub(crate) fn set_up(&self) {
        self.up.store(true, Ordering::SeqCst);
    }

    fn side(&self) -> Option<Arc<dyn SocketSide>> {
        self.side.get()?.upgrade()
    }

    fn other(&self) -> Option<Arc<InprocEnd>> {
        self.other.get()?.upgrade()
    }

    /// Hands over what came in, or says that it is there.
    pub(crate) fn on_incoming(&self) {
        let Some(side) = self.side() else { return };
        if self.incoming.lock().items.is_empty() {
            return;
        }
        if !side.takes_at_once() {
            side.readable(self.key);
            return;
        }
        let _order = self.delivering.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(item) = self.take() {
            side.deliver(self.key, item);
        }
    }

    /// Takes an item; reports room to the sender if it waits for some.
    fn take(&self) -> Option<Item> {
        let mut queue = self.incoming.lock();
        let item = queue.items.pop_front();
        if matches!(item, Some(Item::Message(_))) {
            queue.messages -= 1;
        }
        if queue.items.is_empty() {
            queue.told = false;
        }
        // Half of the mark at a time, and when it runs dry: one wake-up for
        // many messages, and a mark of one does not deadlock.
        let room = queue.wanted && queue.messages <= queue.hwm / 2;
        if room {
            queue.wanted = false;
        }
        drop(queue);
        if room {
            self.report_room();
        }
        item
    }

    /// Ends this side; the other may still take what was sent to it.
    fn end(&self) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        self.outgoing.lock().ended = true;
        let unread = self.discard();
        if let Some(side) = self.side() {
            side.detach(self.key);
            if unread > 0 {
                side.lost(DropCause::Unread, unread);
            }
        }
        if let Some(other) = self.other() {
            if let Some(side) = other.side() {
                side.detach(other.key);
            }
        }
    }

    /// Whether its socket has given this end up.
    pub(crate) fn has_ended(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Forgets this pipe whose other end never got a socket; says how many
    /// messages waited in it.
    pub(crate) fn abandon(&self) -> usize {
        self.closed.store(true, Ordering::SeqCst);
        self.outgoing.lock().clear()
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_room(&mut self) -> bool {
        let room = self.is_below_mark();
        self.wanted |= !room;
        room
    }

    fn is_below_mark(&self) -> bool {
        self.conflate || self.hwm == 0 || self.messages < self.hwm
    }

    /// Whether somebody was refused for want of room and there is some now.
    fn take_wanted(&mut self) -> bool {
        let room = self.wanted && self.is_below_mark();
        self.wanted &= !room;
        room
    }

    fn add(&mut self, item: Item) -> NeedsFlush {
        self.items.push_back(item);
        match std::mem::replace(&mut self.told, true) {
            true => NeedsFlush::No,
            false => NeedsFlush::Yes,
        }
    }

    fn clear(&mut self) -> usize {
        self.items.clear();
        self.ended = true;
        self.gone = true;
        std::mem::take(&mut self.messages)
    }
}

impl Outlet for InprocEnd {
    fn has_room(&self) -> bool {
        self.outgoing.lock().has_room()
    }

    fn push(&self, message: Message) -> Result<NeedsFlush, Refused> {
        let mut queue = self.outgoing.lock();
        if queue.gone || queue.ended {
            return Err(Refused::Gone(message));
        }
        if !queue.has_room() {
            return Err(Refused::Full(message));
        }
        let replaced = if queue.conflate { std::mem::take(&mut queue.messages) } else { 0 };
        if replaced > 0 {
            queue.items.retain(|item| matches!(item, Item::Subscription(_)));
        }
        queue.messages += 1;
        let needs = queue.add(Item::Message(message));
        drop(queue);
        if replaced > 0 {
            if let Some(side) = self.side() {
                side.lost(DropCause::Conflated, replaced);
            }
        }
        Ok(needs)
    }

    fn control(&self, subscription: Subscription) -> NeedsFlush {
        if !self.up.load(Ordering::SeqCst) {
            return NeedsFlush::No;
        }
        let mut queue = self.outgoing.lock();
        if queue.gone {
            return NeedsFlush::No;
        }
        queue.add(Item::Subscription(subscription))
    }

    fn flush(&self) {
        if let Some(other) = self.other() {
            other.on_incoming();
        }
    }

    fn close(&self, _deadline: Option<Instant>) {
        // What was sent is in the receiver's hands already.
        self.end();
    }

    fn reject(&self) {
        self.end();
    }
}

impl Inlet for InprocEnd {
    fn try_next(&self) -> Next {
        loop {
            match self.take() {
                Some(Item::Message(message)) => {
                    let more = !self.incoming.lock().items.is_empty();
                    return Next::Message { message, more };
                }
                // Subscriptions mean nothing to a pattern that receives.
                Some(Item::Subscription(_)) => {}
                None if self.incoming.lock().ended => return Next::Gone,
                None => return Next::Empty,
            }
        }
    }

    fn is_spent(&self) -> bool {
        let queue = self.incoming.lock();
        queue.ended && queue.items.is_empty()
    }

    fn leave(&self) {}

    fn discard(&self) -> usize {
        self.incoming.lock().clear()
    }
}
