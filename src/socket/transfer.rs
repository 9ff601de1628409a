//! Sending and receiving: the only place that waits in the mute state.
//!
//! Both try first, without registering anywhere. What a caller owes the other
//! tasks for a long run of calls that never waited is paid at the start of the
//! next call, before anything is accepted or taken, so a dropped future never
//! lost or doubled a message.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};

use super::core::{Core, Peer, lock};
use super::waiters::Parked;
use crate::error::{RecvError, SendError, SendErrorKind};
use crate::message::Message;
use crate::pattern::{Before, Delivery, Routed, SendRefusal, Touched};
use crate::peer::DropCause;
use crate::pipe::{Next, PeerKey};
use crate::routing::{Listed, NextTurn};
use crate::routing_id::RoutingId;
use crate::socket_type::SocketType;

/// How many calls may go by before one lets other tasks run: about what the
/// default high-water mark lets gather, so that batches are as long as that.
const CALLS: u32 = 1024;

/// The same for a pattern that drops: a quarter of the default mark, so that a
/// burst is not lost only since nobody else got to run.
const CALLS_IF_DROPPING: u32 = 256;

/// How many peers or discarded messages one look may go through.
const LOOKS: usize = 256;

/// How many messages in a row make a stream.
const STREAMING: u32 = 64;

/// How many looks `try_recv` takes, which cannot let others run in between.
const TRY_LOOKS: usize = 64;

/// What offering a message to the pattern came to.
enum Offer {
    Done,
    /// Nobody can take it now.
    Mute(Message),
    Refused(SendError),
}

/// What one look for a message came to.
#[derive(PartialEq, Eq)]
enum Look {
    Found,
    Nothing,
    /// More to look through; others first.
    Busy,
}

impl Core {
    /// Sends a message, waiting while nobody can take it.
    #[inline]
    pub(crate) async fn send(
        &self,
        to: Option<&RoutingId>,
        message: Message,
    ) -> Result<(), SendError> {
        let calls = if self.is_dropping() { CALLS_IF_DROPPING } else { CALLS };
        if is_due(&self.sent, calls) {
            tokio::task::yield_now().await;
        }
        match self.offer(to, message) {
            Offer::Done => Ok(()),
            Offer::Mute(message) => self.send_when_possible(to, message).await,
            Offer::Refused(error) => Err(error),
        }
    }

    /// Waits for somebody who can take the message.
    async fn send_when_possible(
        &self,
        to: Option<&RoutingId>,
        mut message: Message,
    ) -> Result<(), SendError> {
        loop {
            // Registered before the next try, so that room that comes between
            // that try and the wait is not missed.
            let mut room = pin!(self.senders.notified());
            room.as_mut().enable();
            message = match self.offer(to, message) {
                Offer::Done => return Ok(()),
                Offer::Mute(message) => message,
                Offer::Refused(error) => return Err(error),
            };
            room.await;
        }
    }

    /// Sends a message if somebody can take it now.
    pub(crate) fn try_send(
        &self,
        to: Option<&RoutingId>,
        message: Message,
    ) -> Result<(), SendError> {
        match self.offer(to, message) {
            Offer::Done => Ok(()),
            Offer::Mute(message) => Err(SendError::new(SendErrorKind::WouldBlock, message)),
            Offer::Refused(error) => Err(error),
        }
    }

    /// Whether a full peer misses messages rather than making `send` wait.
    fn is_dropping(&self) -> bool {
        use SocketType::{Pub, Rep, Router, XPub, XSub};
        matches!(self.socket_type, Pub | XPub | XSub | Router | Rep)
    }

    /// Offers a message to the pattern.
    fn offer(&self, to: Option<&RoutingId>, message: Message) -> Offer {
        if self.is_closed() {
            return Offer::Refused(SendError::new(SendErrorKind::Closed, message));
        }
        let mut touched = Touched::default();
        let turn = self.lockstep.as_ref().map(lock);
        let routed = self.pattern.send(to, message, &mut touched);
        let is_next_turn = turn.is_some() && matches!(routed, Routed::Done { .. });
        drop(turn);
        touched.flush();
        // What came was told to a receiver that was out of turn; another that
        // waits is in turn now.
        if is_next_turn && self.receivers.any() && !lock(&self.ready).is_empty() {
            self.receivers.wake_one();
        }
        match routed {
            Routed::Done { lost, cause } => {
                self.losses.add(cause, lost);
                Offer::Done
            }
            Routed::Mute(message) => Offer::Mute(message),
            Routed::Refused(message, refusal) => {
                let kind = match refusal {
                    SendRefusal::OutOfTurn => SendErrorKind::OutOfTurn,
                    SendRefusal::Unroutable => SendErrorKind::Unroutable,
                    SendRefusal::NoRoutingId => SendErrorKind::NoRoutingId,
                };
                Offer::Refused(SendError::new(kind, message))
            }
        }
    }

    /// Receives a message, waiting until there is one.
    #[inline]
    pub(crate) async fn recv(&self) -> Result<Delivery, RecvError> {
        if is_due(&self.received, CALLS) {
            tokio::task::yield_now().await;
        }
        let mut delivery = Delivery::default();
        if self.look(&mut delivery)? != Look::Found {
            self.recv_parked(&mut delivery).await?;
        }
        Ok(delivery)
    }

    async fn recv_parked(&self, delivery: &mut Delivery) -> Result<(), RecvError> {
        if self.was_streaming() {
            // More is most likely on its way; looking once more, a little
            // later, is cheaper than to wait and be woken.
            tokio::task::yield_now().await;
            if self.look(delivery)? == Look::Found {
                return Ok(());
            }
        }
        let _leaving = Leaving { core: self, parked: Some(self.receivers.park()) };
        loop {
            // Counted as waiting and registered before the look, so that what
            // comes between the look and the wait is not missed.
            let mut event = pin!(self.receivers.notified());
            event.as_mut().enable();
            match self.look(delivery)? {
                Look::Found => return Ok(()),
                Look::Nothing => event.await,
                Look::Busy => tokio::task::yield_now().await,
            }
        }
    }

    /// Whether many messages were received since a receiver last had to wait.
    fn was_streaming(&self) -> bool {
        let received = self.received.load(Ordering::Relaxed);
        let waited_at = self.waited_at.swap(received, Ordering::Relaxed);
        received.wrapping_sub(waited_at) >= STREAMING
    }

    /// Receives a message if there is one.
    pub(crate) fn try_recv(&self) -> Result<Delivery, RecvError> {
        let mut delivery = Delivery::default();
        for _ in 0..TRY_LOOKS {
            match self.look(&mut delivery)? {
                Look::Found => return Ok(delivery),
                Look::Nothing => break,
                Look::Busy => {}
            }
        }
        Err(RecvError::WouldBlock)
    }

    /// Looks for a message once; what it finds is in `delivery`.
    fn look(&self, delivery: &mut Delivery) -> Result<Look, RecvError> {
        for _ in 0..LOOKS {
            if self.is_closed() {
                return Err(RecvError::Closed);
            }
            let turn = self.lockstep.as_ref().map(lock);
            match self.pattern.before_recv() {
                Before::Proceed => {}
                Before::Ready(ready) => {
                    *delivery = ready;
                    // There may be more in store for others who wait.
                    self.receivers.wake_one();
                    return Ok(Look::Found);
                }
                Before::Wait => return Ok(Look::Nothing),
                Before::OutOfTurn => return Err(RecvError::OutOfTurn),
                Before::PeerLeft => return Err(RecvError::PeerLeft),
            }
            let mut ready = lock(&self.ready);
            let next = ready.next_turn(&mut delivery.message);
            let found = match next {
                None => return Ok(Look::Nothing),
                Some(NextTurn::InHand(key)) => {
                    // ROUTER: before anybody can find that the sender has no
                    // more to say, and forget its name.
                    let held = (self.socket_type == SocketType::Router).then_some(ready);
                    let accepted = self.accept(key, delivery);
                    drop(held);
                    // There is more, if only another look at that peer.
                    if self.receivers.any() {
                        self.receivers.wake_one();
                    }
                    accepted
                }
                Some(NextTurn::Read(listed)) => {
                    drop(ready);
                    self.read(listed, delivery)
                }
            };
            drop(turn);
            if found {
                return Ok(Look::Found);
            }
        }
        Ok(Look::Busy)
    }

    /// Reads from the peer whose turn it is; says whether a receiver gets what
    /// is in `delivery` then.
    fn read(&self, mut listed: Listed<Peer>, delivery: &mut Delivery) -> bool {
        let key = listed.peer.pipe.key;
        let inlet = &listed.peer.pipe.inlet;
        let next = match self.lockstep {
            None => inlet.try_batch(&mut listed.stash),
            // REQ must be able to tell what came before its request.
            Some(_) => inlet.try_next(),
        };
        let (found, more) = match next {
            // Its bind or connect was taken back, and what it still has to say
            // while it lingers is for nobody.
            Next::Message { more, .. } if listed.peer.dismissed.load(Ordering::SeqCst) => {
                self.losses.add(DropCause::Unread, 1);
                (false, more)
            }
            Next::Message { message, more } => {
                delivery.message = message;
                (self.accept(key, delivery), more)
            }
            Next::Empty => (false, false),
            Next::Busy => (false, true),
            Next::Gone => {
                self.end_turn(listed, false);
                self.reap(key);
                return false;
            }
        };
        self.end_turn(listed, more);
        found
    }

    /// Asks the pattern whether and how a receiver sees a message.
    fn accept(&self, from: PeerKey, delivery: &mut Delivery) -> bool {
        let accepted = self.pattern.accept(from, delivery);
        if !accepted && self.socket_type != SocketType::Sub {
            // What SUB filters was not meant for it and is not lost.
            self.losses.add(DropCause::Discarded, 1);
        }
        accepted
    }

    fn end_turn(&self, mut listed: Listed<Peer>, more: bool) {
        let mut ready = lock(&self.ready);
        if listed.peer.dismissed.load(Ordering::SeqCst) {
            self.losses.add(DropCause::Unread, listed.stash.drain(..).count());
        }
        let told = ready.end_turn(listed, more);
        let left = !ready.is_empty();
        drop(ready);
        // One event may have brought more than one message.
        if left && self.receivers.wake_one() {
            return;
        }
        // The engine was told that this turn's holder would look again. It will
        // not, and nobody waits: commands and the end of the stream are the
        // engine's to see.
        if let Some(peer) = told {
            peer.pipe.inlet.leave();
        }
    }
}

/// Counts a call; says whether it is time to let other tasks run, after many
/// calls that did not wait.
#[inline]
fn is_due(calls: &AtomicU32, limit: u32) -> bool {
    // Not one atomic step: that several tasks lose count of some is no harm.
    let count = calls.load(Ordering::Relaxed);
    calls.store(count.wrapping_add(1), Ordering::Relaxed);
    count % limit == limit - 1
}

/// A receiver that stops waiting, with a message or because its future was
/// dropped. What is still listed is left to the engines, who see to commands
/// and the end of the stream if no other receiver comes.
struct Leaving<'a> {
    core: &'a Core,
    parked: Option<Parked<'a>>,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        // Not counted any more before the look: what is listed after it finds
        // nobody waiting and goes to the engine by itself.
        drop(self.parked.take());
        for peer in lock(&self.core.ready).iter() {
            peer.pipe.inlet.leave();
        }
    }
}
