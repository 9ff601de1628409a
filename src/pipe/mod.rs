//! The way to one peer and back: [`Outlet`], [`Inlet`], and the [`SocketSide`]
//! that the far ends report to.
//!
//! Patterns see only these traits, so tcp, ipc and inproc peers mix in one
//! socket. Everything here is synchronous and knows no octets.
//!
//! Sending has two phases: [`Outlet::push`] under the pattern's lock, then
//! [`Outlet::flush`] with no lock held. Since only the holder of the pattern's
//! lock appends, "has room" stays true while it is held; that is what makes
//! round-robin exact. Whoever makes room in a full outlet reports it through
//! [`SocketSide::room`], after unlocking.
//!
//! Lock order: pattern, then outlet. A `SocketSide` method may take any lock
//! of the socket, so it is called with no lock of a pipe held.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::message::Message;
use crate::monitor::MonitorEvent;
use crate::peer::{DropCause, PeerInfo, Subscription};

mod bell;
mod inproc;
mod touched;

pub(crate) use bell::Bell;
pub(crate) use inproc::{InprocEnd, sum_of_marks};
pub(crate) use touched::Touched;

/// Names one pipe for as long as the process runs; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PeerKey(u64);

impl PeerKey {
    /// A key that no other pipe has.
    pub(crate) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Names one `bind` or `connect` of a socket; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct EndpointKey(u64);

impl EndpointKey {
    /// A key that no other endpoint has.
    pub(crate) fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Why an outlet did not take a message, which it gives back.
#[derive(Debug)]
pub(crate) enum Refused {
    /// At its high-water mark; [`SocketSide::room`] follows when it is not.
    Full(Message),
    /// The peer has left for good.
    Gone(Message),
}

/// Whether an outlet has something that nobody has been told of yet: if so,
/// call [`Outlet::flush`] once the pattern's lock is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[repr(usize)] // As wide as a word: see benches/LOG.md.
pub(crate) enum NeedsFlush {
    Yes,
    No,
}

/// The way towards one peer.
pub(crate) trait Outlet: Send + Sync {
    /// Whether [`push`](Self::push) would take a message now. If not, then
    /// [`SocketSide::room`] follows as after [`Refused::Full`].
    fn has_room(&self) -> bool;

    /// Takes a message, or gives it back. Call it under the pattern's lock.
    fn push(&self, message: Message) -> Result<NeedsFlush, Refused>;

    /// Takes a subscription or a cancellation. It is never refused and no
    /// high-water mark applies. While the connection is down it is forgotten,
    /// since the pattern replays what holds when it is up again.
    fn control(&self, subscription: Subscription) -> NeedsFlush;

    /// Sends what was pushed, or wakes whoever does. Call it with no lock held.
    fn flush(&self);

    /// Sends what is queued, until the deadline if there is one, then ends the
    /// pipe for good. New messages are refused from now on.
    fn close(&self, deadline: Option<Instant>);

    /// Ends the connection from our side: what is queued is dropped (counted).
    /// An accepted peer is gone then; an endpoint we connect to is redialled
    /// slowly.
    fn reject(&self);
}

/// What an [`Inlet`] has.
#[derive(Debug)]
pub(crate) enum Next {
    /// A message; with `more` there is at least another look to take at once.
    Message { message: Message, more: bool },
    /// Nothing now. The inlet is armed: [`SocketSide::readable`] follows.
    Empty,
    /// No message yet, though enough work for one turn: take another later.
    Busy,
    /// Nothing, ever again: the peer has left and all it sent was taken.
    Gone,
}

/// The way from one peer.
pub(crate) trait Inlet: Send + Sync {
    /// Takes the next message, reading from the transport where that does not
    /// wait.
    fn try_next(&self) -> Next;

    /// As [`try_next`](Self::try_next), and puts what more is at hand without
    /// reading, up to some number, into `rest`.
    fn try_batch(&self, rest: &mut VecDeque<Message>) -> Next {
        let _ = rest;
        self.try_next()
    }

    /// Whether [`try_next`](Self::try_next) will be [`Next::Gone`] from now on.
    fn is_spent(&self) -> bool;

    /// Nobody is receiving at the moment, though this inlet is listed: somebody
    /// else must see to commands and the end of the stream.
    fn leave(&self);

    /// Forgets what was not received and reads no more; says how many whole
    /// messages that were.
    fn discard(&self) -> usize;
}

/// One peer as a socket and its pattern see it.
#[derive(Clone)]
pub(crate) struct Pipe {
    pub(crate) key: PeerKey,
    pub(crate) outlet: Arc<dyn Outlet>,
    pub(crate) inlet: Arc<dyn Inlet>,
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What a peer sent, where the pattern takes it as it comes
/// (see [`SocketSide::deliver`]).
#[derive(Debug)]
pub(crate) enum Item {
    Message(Message),
    Subscription(Subscription),
}

/// Why a socket does not want a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwelcome {
    /// PAIR has its one peer already.
    AlreadyPaired,
    /// Another peer of this ROUTER has the same routing id.
    DuplicateRoutingId,
    /// The socket is closing.
    Closing,
}

/// The socket, as the far ends of its pipes see it.
pub(crate) trait SocketSide: Send + Sync {
    /// A pipe enters routing: for an endpoint we connect to at once (or, with
    /// `immediate`, when it is first up), for an accepted peer right before
    /// [`up`](Self::up). It belongs to one bind or connect, and ends with it.
    fn attach(&self, pipe: Pipe, owner: EndpointKey) -> Result<(), Unwelcome>;

    /// The handshake with the peer is done. Subscriptions are replayed into the
    /// outlet before this returns.
    fn up(&self, key: PeerKey, peer: &PeerInfo) -> Result<(), Unwelcome>;

    /// The connection was lost; the pipe waits for the next one.
    fn down(&self, key: PeerKey);

    /// The pipe takes no more messages, ever. What came in stays readable.
    fn detach(&self, key: PeerKey);

    /// The pipe's inlet has something. Says whether a receiver was waiting for
    /// it; if not, the caller sees to it that commands and the end of the
    /// stream are noticed.
    fn readable(&self, key: PeerKey) -> bool;

    /// The pipe's outlet was full and no longer is.
    fn room(&self, key: PeerKey);

    /// Whether the pattern takes items as they come, through
    /// [`deliver`](Self::deliver), rather than through receivers.
    fn takes_at_once(&self) -> bool;

    /// An item for a pattern that takes them as they come; for the others only
    /// subscriptions come this way, and mean nothing.
    fn deliver(&self, key: PeerKey, item: Item);

    /// Counts messages that were lost.
    fn lost(&self, cause: DropCause, count: usize);

    /// Tells whoever monitors the socket.
    fn emit(&self, event: MonitorEvent);
}
