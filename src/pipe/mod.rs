//! The way to one peer and back: [`Peer`] and its [`Line`], and the
//! [`SocketSide`] that the far ends report to.
//!
//! Patterns see only these, so tcp, ipc and inproc peers mix in one socket.
//! Everything here is synchronous and knows no octets.
//!
//! Sending has two phases: [`Line::push`] under the pattern's lock, then
//! [`Line::flush`] with no lock held. Since only the holder of the pattern's
//! lock appends, "has room" stays true while it is held; that is what makes
//! round-robin exact. Whoever makes room in a full line reports it through
//! [`SocketSide::room`], after unlocking.
//!
//! The order of all locks stands at [`Rank`](crate::sync::Rank). A `SocketSide`
//! method may take any lock of the socket, so it is called with none held.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::message::Message;
use crate::monitor::MonitorEvent;
use crate::peer::{DropCause, PeerInfo, Subscription, Unwelcome};
use crate::security::Authenticator;
use crate::stats::Traffic;

mod backlog;
mod duty;
mod freeing;
mod hand;
mod handover;
mod link;
mod peer;
mod sessions;
mod touched;
mod traits;

pub(crate) use backlog::Backlog;
pub(crate) use duty::{Duty, Who};
pub(crate) use freeing::{free, free_messages};
pub(crate) use hand::{Hand, InHand};
pub(crate) use handover::{By, Handover, Rest};
pub(crate) use link::Link;
pub(crate) use peer::{Counters, Peer, PeerKey};
pub(crate) use touched::Touched;
pub(crate) use traits::Traits;

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

/// Why a line did not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// At its high-water mark; [`SocketSide::room`] follows when it is not.
    Full,
    /// The peer has left for good.
    Gone,
}

/// Whether a line has something that nobody has been told of yet: if so, call
/// [`Line::flush`] once the pattern's lock is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum NeedsFlush {
    Yes,
    No,
    /// No, and half of what may wait waits: let others write before it is all.
    NearMark,
    /// The same, and yes: what may be all is a single large message.
    YesNearMark,
}

impl NeedsFlush {
    pub(crate) fn when(needed: bool) -> Self {
        if needed { Self::Yes } else { Self::No }
    }

    pub(crate) fn and_near_mark(self) -> Self {
        match self {
            Self::Yes | Self::YesNearMark => Self::YesNearMark,
            Self::No | Self::NearMark => Self::NearMark,
        }
    }
}

/// Who flushes: one who sends to a single peer may write by itself; one that
/// sends to many would do a system call for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flush {
    /// Write here and now, if nothing is under way.
    Here,
    /// Let the connection's task write.
    Task,
}

/// What [`Line::take`] left behind, beside what it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// There may be more to take at once.
    More,
    /// Nothing now: an event follows (see [`Duty::event`]).
    Empty,
    /// Nothing, ever again: the peer has left and all it sent was taken.
    Gone,
}

/// The way to one peer and back.
pub(crate) trait Line: Send + Sync {
    /// Whether [`push`](Self::push) would take a message now. If not, then
    /// [`SocketSide::room`] follows as after [`Refused::Full`].
    fn has_room(&self) -> bool;

    /// Takes a message, or leaves it as it is. What is left of one that was taken is
    /// unspecified. Call it under the pattern's lock.
    fn push(&self, message: &mut Message) -> Result<NeedsFlush, Refused>;

    /// The same for a message that others get as well: it stays as it is.
    fn push_shared(&self, message: &Message) -> Result<NeedsFlush, Refused> {
        self.push(&mut message.clone())
    }

    /// As [`push`](Self::push), for a request: what came from the peer before
    /// this goes out is no reply to it, and is discarded (counted) when it does.
    fn ask(&self, message: &mut Message) -> Result<NeedsFlush, Refused> {
        self.push(message)
    }

    /// The reply to what was [asked](Self::ask) was taken: what comes from now
    /// on is none, and is discarded (counted) as it comes.
    fn answered(&self) {}

    /// After a request or a reply: counts what that has discarded under the pattern's
    /// lock, if nobody else may come to it. Call it with no lock held.
    fn settle(&self) {}

    /// Takes a subscription or a cancellation. It is never refused and no
    /// high-water mark applies. While the connection is down it is forgotten,
    /// since the pattern replays what holds when it is up again.
    fn control(&self, subscription: Subscription) -> NeedsFlush;

    /// Sends what was pushed, or tells whoever does. Call it with no lock held.
    /// True if a task was woken to do it.
    fn flush(&self, how: Flush) -> bool;

    /// What waits is left to the peer's own task, and the caller may compute for a
    /// while. True if somebody is to [watch](Self::watch) over it from now on.
    fn leave(&self) -> bool {
        false
    }

    /// Writes what waits if its task has not begun since the last time, and says
    /// whether to watch on.
    fn watch(&self) -> bool {
        false
    }

    /// Somebody else has come than who was there before: drops what waits to be sent
    /// (counted), since it was not meant for this one.
    fn forget(&self) {}

    /// Takes messages that came, at least one if there is any and at most
    /// `limit`, reading from the transport where that does not wait. The work of
    /// one call is bounded, so that it may be [`Next::More`] without a message.
    fn take(&self, hand: &mut Hand, limit: usize) -> Next;

    /// Whether what comes is to be seen soon although no receiver comes for it, since
    /// there may be heartbeats.
    fn has_heartbeats(&self) -> bool {
        false
    }

    /// The last message that was [in hand](InHand) was taken.
    fn hand_empty(&self) {}

    /// Whether [`take`](Self::take) will be [`Next::Gone`] from now on.
    fn is_spent(&self) -> bool;

    /// No receiver came for a while: the peer's own task, if it has one, reads
    /// ahead of them, and sees to commands and the end of the stream.
    fn read_ahead(&self) {}

    /// Forgets what was not received and reads no more; says how many whole
    /// messages that were.
    fn discard(&self) -> usize;

    /// What went out and what waits, and the bytes of both directions. (Messages that
    /// came in are counted by those who take them.)
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    /// Sends what is queued, until the deadline if there is one, then ends the
    /// line for good. New messages are refused from now on.
    fn close(&self, deadline: Option<Instant>);

    /// Ends the connection from our side: what is queued is dropped (counted).
    /// An accepted peer is gone then; an endpoint we connect to is redialled.
    fn reject(&self, why: Unwelcome);
}

/// What a peer sent, where the pattern takes it as it comes
/// (see [`SocketSide::deliver`]).
#[derive(Debug)]
pub(crate) enum Item {
    Message(Message),
    Subscription(Subscription),
}

/// The socket, as the far ends of its lines see it.
pub(crate) trait SocketSide: Send + Sync {
    /// A peer enters routing: for an endpoint we connect to at once (or, with
    /// `immediate`, when it is first up), for an accepted peer right before
    /// [`up`](Self::up).
    fn attach(&self, peer: &Arc<Peer>) -> Result<(), Unwelcome>;

    /// The handshake with the peer is done. Subscriptions are replayed into its
    /// line before this returns, or else while [`tidy`](Self::tidy) says that
    /// there is more to do.
    fn up(&self, peer: &Arc<Peer>, info: &PeerInfo) -> Result<(), Unwelcome>;

    /// The connection was lost; the peer waits for the next one.
    fn down(&self, peer: &Arc<Peer>);

    /// The peer takes no more messages, ever. What came in stays readable.
    fn detach(&self, peer: &Arc<Peer>);

    /// Goes on with what is too much for one call, a bounded piece of it: telling
    /// peers that came up of the subscriptions, forgetting those of peers that
    /// went down. True if there is more. Call it after [`up`](Self::up),
    /// [`down`](Self::down) and [`detach`](Self::detach), until there is none;
    /// where there is a task, others get their turn in between.
    fn tidy(&self) -> bool;

    /// There may be something to read from the peer: its duty was told of an
    /// event, and said that this is for the receivers.
    fn readable(&self, peer: &Arc<Peer>);

    /// The peer's line was full and no longer is.
    fn room(&self, peer: &Arc<Peer>);

    /// A task wrote for a sender, and it was a single message at most: the next one
    /// may be written by its sender.
    fn calm(&self);

    /// An item for a pattern that takes them as they come; for the others only
    /// subscriptions come this way, and mean nothing.
    fn deliver(&self, peer: &Arc<Peer>, item: Item);

    /// What departed peers left unread is below its bound again: the tasks of
    /// others may read on.
    fn caught_up(&self);

    /// A bind or connect has ended with its runtime, though nobody wanted that.
    fn runtime_ended(&self);

    /// Counts messages that were lost.
    fn lost(&self, peer: &Arc<Peer>, cause: DropCause, count: usize);

    /// Tells whoever monitors the socket.
    fn emit(&self, event: MonitorEvent);

    /// Who asks the ZAP handler (RFC 27) about peers.
    fn zap(&self) -> Arc<dyn Authenticator>;
}
