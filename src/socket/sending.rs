//! Sending: the only place that waits in the mute state.
//!
//! A send tries first, without registering anywhere. What a caller owes the other
//! tasks for a long run of calls that never waited is paid at the start of the next
//! call, before anything is accepted, so a dropped future never lost or doubled a
//! message.
//!
//! **Who writes.** The first message after a quiet time is written by its sender,
//! here and now: no task has to be woken for it. One that follows at once is left
//! to the connection's task, which writes it with those that come meanwhile: a
//! system call for each would cost more than everything else together. It is quiet
//! again when a receiver has to wait, or when the task found a single message to
//! write.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::attendant::Pace;
use super::core::Core;
use super::waiters::Waiting;
use crate::engine::nudge;
use crate::error::{SendError, SendErrorKind, SubscribeError};
use crate::message::{MAX_FRAMES, Message};
use crate::pattern::{Routed, SendRefusal, Touched};
use crate::pipe::Flush;
use crate::tasks::{poll_yield, poll_yield_to_all};

/// How many messages may be pushed before a sender lets other tasks run: about
/// what the default high-water mark lets gather, so that batches are as long as
/// that.
const PUSHES: u32 = 1024;

/// The same for each peer, where there are several: each is to get a batch, or the
/// cost of a message would grow with their number. In turns of no more than so many
/// altogether, it may be a large one.
const PUSHES_PER_PEER: u32 = 64;
const MORE_PER_PEER: u32 = 256;
const TOGETHER: u32 = 16 * 1024;

/// For how many peers that holds: however many more there are, it may all go to one, and
/// nobody else is to wait for that.
const PEERS_AT_MOST: u32 = 1024;

/// How many pushes one message that is dropped for a full peer stands for: a
/// sender that never let others run would drop all that follows as well. Not so
/// many that one stuck peer slows down the others.
const PUSHES_PER_DROP: u32 = 16;

/// What offering a message to the pattern came to. Unless it is done, the message is
/// as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    Done,
    /// Nobody can take it now.
    Mute,
    Refused(SendErrorKind),
}

impl Offer {
    /// What the caller gets, who gets the message back if it is not sent. `Mute` is an
    /// error for one who does not wait.
    fn into_result(self, message: Message) -> Result<(), SendError> {
        match self {
            Self::Done => Ok(()),
            Self::Mute => Err(SendError::new(SendErrorKind::WouldBlock, message)),
            Self::Refused(kind) => Err(SendError::new(kind, message)),
        }
    }
}

/// A message that is being sent.
#[must_use = "futures do nothing unless polled"]
pub(crate) struct Sending<'a> {
    core: &'a Core,
    to: Option<&'a [u8]>,
    message: Message,
    stage: Stage,
    waiting: Option<Waiting<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begins,
    /// What was owed is paid, or nothing was and the message was offered in vain.
    Begun,
    /// The message is taken, or was given back.
    Done,
}

impl Future for Sending<'_> {
    type Output = Result<(), SendError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.stage == Stage::Begins && !this.core.owes_yield() {
            match this.core.offer(this.to, &mut this.message) {
                Offer::Done => {
                    this.stage = Stage::Done;
                    return Poll::Ready(Ok(()));
                }
                Offer::Mute => {}
                Offer::Refused(kind) => return Poll::Ready(Err(this.refused(kind))),
            }
        }
        this.poll_slowly(cx)
    }
}

impl Sending<'_> {
    fn poll_slowly(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let core = self.core;
        let former = std::mem::replace(&mut self.stage, Stage::Begun);
        assert!(former != Stage::Done, "a send was polled after it had ended");
        if former == Stage::Begins && core.owes_yield() {
            core.pushed.store(0, Ordering::Relaxed);
            // To go on before the transports take more would only lose more.
            return if core.traits.drops { poll_yield_to_all(cx) } else { poll_yield(cx) };
        }
        let is_woken = match &mut self.waiting {
            Some(waiting) => waiting.take_wake(),
            None => former == Stage::Begun,
        };
        let mut offer = Offer::Mute;
        if is_woken {
            offer = core.offer(self.to, &mut self.message);
        }
        if offer == Offer::Mute {
            let waiting = self.waiting.get_or_insert_with(|| core.senders.wait());
            waiting.line_up(cx.waker());
            // Once more, so that room that came between the last try and this is not
            // missed.
            offer = core.offer(self.to, &mut self.message);
        }
        if offer == Offer::Mute {
            if !core.is_deserted() {
                return Poll::Pending;
            }
            offer = Offer::Refused(SendErrorKind::RuntimeEnded);
        }
        self.waiting = None;
        self.stage = Stage::Done;
        Poll::Ready(match offer {
            Offer::Refused(kind) => Err(self.refused(kind)),
            _ => Ok(()),
        })
    }

    /// Gives the message back.
    fn refused(&mut self, kind: SendErrorKind) -> SendError {
        self.stage = Stage::Done;
        SendError::new(kind, std::mem::take(&mut self.message))
    }
}

impl Core {
    /// Sends a message, waiting while nobody can take it.
    #[inline]
    pub(crate) fn send<'a>(&'a self, to: Option<&'a [u8]>, message: Message) -> Sending<'a> {
        Sending { core: self, to, message, stage: Stage::Begins, waiting: None }
    }

    /// Sends a message if somebody can take it now.
    pub(crate) fn try_send(
        &self,
        to: Option<&[u8]>,
        mut message: Message,
    ) -> Result<(), SendError> {
        let offer = match self.offer(to, &mut message) {
            Offer::Mute if self.is_deserted() => Offer::Refused(SendErrorKind::RuntimeEnded),
            offer => offer,
        };
        offer.into_result(message)
    }

    /// Whether others are to run before the next message is accepted.
    #[inline]
    fn owes_yield(&self) -> bool {
        let pushed = self.pushed.load(Ordering::Relaxed);
        pushed >= PUSHES && self.owes_yield_for_peers(pushed)
    }

    fn owes_yield_for_peers(&self, pushed: u32) -> bool {
        pushed >= pushes_of(self.peers.load(Ordering::Relaxed))
    }

    /// Notes the work that was done for the next call to pay, and has done what
    /// is owed to the lines.
    #[inline]
    pub(super) fn flush(&self, touched: Touched, alone: Flush) {
        let pushed = match touched.is_near_mark() && self.traits.drops {
            // A burst is not to be lost only since nobody else got to run.
            true => u32::MAX,
            // A call that reaches nobody is work as well.
            false => touched.pushed().max(1),
        };
        self.note_pushed(pushed);
        if touched.is_settled() {
            return;
        }
        if touched.flush_by(alone, |line| self.attendant.note(line)) {
            // The task that was woken must not have to wait for this one to await.
            nudge();
        }
    }

    fn note_pushed(&self, count: u32) {
        // Not one atomic step: that several tasks lose count is no harm.
        let pushed = self.pushed.load(Ordering::Relaxed).saturating_add(count);
        self.pushed.store(pushed, Ordering::Relaxed);
    }

    /// How to flush the line that a message went to, if it is just one.
    fn how_to_flush(&self) -> Flush {
        let may_write = self.traits.lockstep
            || self.may_write.load(Ordering::Relaxed)
                && self.may_write.swap(false, Ordering::Relaxed)
                // With several that a receiver is about to answer it is not quiet.
                && !self.ready.lock().has_several();
        if may_write { Flush::Here } else { Flush::Task }
    }

    /// Offers a message to the pattern.
    fn offer(&self, to: Option<&[u8]>, message: &mut Message) -> Offer {
        if self.is_closed() {
            return Offer::Refused(SendErrorKind::Closed);
        }
        if !message.is_single() && self.has_too_many_frames(to, message) {
            return Offer::Refused(SendErrorKind::TooManyFrames);
        }
        let mut touched = Touched::default();
        let routed = match &self.lockstep {
            None => self.pattern.send(to, message, &mut touched),
            Some(lockstep) => {
                let turn = lockstep.lock();
                let routed = self.pattern.send(to, message, &mut touched);
                drop(turn);
                return self.offered_in_turn(routed, touched);
            }
        };
        if matches!(routed, Routed::Sent) && touched.is_plain() {
            touched.forget();
            self.note_pushed(1);
            return Offer::Done;
        }
        self.offered(routed, touched)
    }

    fn has_too_many_frames(&self, to: Option<&[u8]>, message: &Message) -> bool {
        // The id in front, which tells a ROUTER where it goes, goes nowhere.
        let own = usize::from(self.traits.names_peers && to.is_none());
        message.len() > MAX_FRAMES + own
    }

    /// REQ and REP: if it was sent, or is lost, it is a receiver's turn.
    fn offered_in_turn(&self, routed: Routed, touched: Touched) -> Offer {
        let is_over = matches!(routed, Routed::Sent | Routed::Dropped { .. });
        let offer = self.offered(routed, touched);
        if is_over && self.receivers.any() && !self.ready.lock().is_empty() {
            self.call_next();
        }
        offer
    }

    /// What came meanwhile was told to nobody, since no receiver was in turn. One is now;
    /// and where several wait, somebody is to see whether it comes.
    #[cold] // Those who only send would pay for it.
    fn call_next(&self) {
        if self.wake_receivers(1) > 1 {
            self.attendant.start(Pace::Slow);
        }
    }

    /// The pattern has said what became of a message: does what is owed.
    fn offered(&self, routed: Routed, touched: Touched) -> Offer {
        let alone = if touched.is_settled() { Flush::Task } else { self.how_to_flush() };
        self.flush(touched, alone);
        match routed {
            Routed::Sent => Offer::Done,
            Routed::Dropped { lost, cause } => {
                self.counters.lost.add(cause, lost);
                let lost = u32::try_from(lost).unwrap_or(u32::MAX);
                self.note_pushed(lost.saturating_mul(PUSHES_PER_DROP));
                Offer::Done
            }
            Routed::Mute => Offer::Mute,
            Routed::Refused(refusal) => Offer::Refused(kind_of(refusal)),
        }
    }
}

/// How many messages may be pushed to so many peers before others run.
fn pushes_of(peers: u32) -> u32 {
    let peers = peers.min(PEERS_AT_MOST);
    (peers * PUSHES_PER_PEER).max((peers * MORE_PER_PEER).min(TOGETHER))
}

fn kind_of(refusal: SendRefusal) -> SendErrorKind {
    match refusal {
        SendRefusal::OutOfTurn => SendErrorKind::OutOfTurn,
        SendRefusal::Unroutable => SendErrorKind::Unroutable,
        SendRefusal::NoRoutingId => SendErrorKind::NoRoutingId,
        SendRefusal::TooManyFrames => SendErrorKind::TooManyFrames,
        SendRefusal::Subscription(SubscribeError::TooMany { .. }) => {
            SendErrorKind::TooManySubscriptions
        }
        SendRefusal::Subscription(_) => SendErrorKind::SubscriptionsTooLarge,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_has_a_batch_before_others_run_but_not_of_any_number() {
        assert_eq!([1, 32, 64, 100].map(pushes_of), [256, 8192, TOGETHER, TOGETHER]);
        assert_eq!(pushes_of(1000), 1000 * PUSHES_PER_PEER);
        assert_eq!([10_000, u32::MAX].map(pushes_of), [PEERS_AT_MOST * PUSHES_PER_PEER; 2]);
    }
}
