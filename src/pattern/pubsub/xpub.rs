//! [`XPub`]: the publishing side, XPUB and PUB.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::{Before, Delivered, Delivery, Pattern, Routed, Touched};
use crate::peer::{DropCause, PeerInfo, Subscription};
use crate::pipe::{Item, PeerKey, Pipe, Unwelcome};
use crate::routing_id::RoutingId;

use super::as_subscription;
use super::interest::Bounds;
use super::pending::Entry;
use super::subscribers::{Exposure, Subscribers};

/// An XPUB, or a PUB, whose application hears nothing.
pub(crate) struct XPub {
    exposure: Exposure,
    /// Whether a send waits while a subscriber is full.
    nodrop: bool,
    welcome: Option<Message>,
    /// Who subscribes to what. Held while a message is pushed, so that having
    /// room stays true from the look to the push.
    state: Mutex<Subscribers>,
}

impl XPub {
    /// An XPUB.
    pub(crate) fn new(options: &SocketOptions) -> Self {
        let exposure = match options.xpub_manual {
            true => Exposure::Requests,
            false => Exposure::Changes(options.xpub_verbosity),
        };
        Self::with_bounds(options, exposure, Bounds::PEER)
    }

    /// A PUB.
    pub(crate) fn publisher(options: &SocketOptions) -> Self {
        Self::with_bounds(options, Exposure::Nothing, Bounds::PEER)
    }

    fn with_bounds(options: &SocketOptions, exposure: Exposure, bounds: Bounds) -> Self {
        let state = Subscribers::new(options, exposure, bounds);
        Self {
            exposure,
            nodrop: options.xpub_nodrop,
            welcome: options.xpub_welcome.clone(),
            state: Mutex::new(state),
        }
    }

    #[cfg(test)]
    pub(super) fn bounded(options: &SocketOptions, bounds: Bounds) -> Self {
        let exposure = Self::new(options).exposure;
        Self::with_bounds(options, exposure, bounds)
    }

    fn lock(&self) -> MutexGuard<'_, Subscribers> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pattern for XPub {
    // RFC 29: SHALL create a double queue when initiating an outgoing connection
    // to a subscriber, and SHALL maintain the double queue whether or not the
    // connection is established.
    // RFC 29: SHALL create a double queue when a subscriber connects to it.
    fn attach(&self, pipe: &Pipe) -> Result<(), Unwelcome> {
        self.lock().attach(pipe);
        Ok(())
    }

    fn up(&self, key: PeerKey, _: &PeerInfo, touched: &mut Touched) -> Result<(), Unwelcome> {
        self.lock().up(key, self.welcome.as_ref(), touched);
        Ok(())
    }

    fn down(&self, key: PeerKey) {
        // It subscribes again when it is back.
        self.lock().forget(key);
    }

    // RFC 29: If this subscriber disconnects, the XPUB socket SHALL destroy its
    // double queue and SHALL discard any messages it contains.
    fn detach(&self, key: PeerKey) {
        self.lock().detach(key);
    }

    fn room(&self, _: PeerKey) {
        // Each send asks the outlets; there is nothing to remember.
    }

    // RFC 29: SHALL not modify outgoing messages in any way.
    fn send(&self, _: Option<&RoutingId>, message: Message, touched: &mut Touched) -> Routed {
        let mut state = self.lock();
        state.mark_matching(message.first());
        if self.nodrop && !state.marked_have_room() {
            return Routed::Mute(message);
        }
        // RFC 29: SHALL silently drop the message if the queue for a subscriber
        // is full.
        // RFC 29: SHALL NOT block on sending.
        let lost = state.send_to_marked(message, touched);
        Routed::Done { lost, cause: DropCause::PeerFull }
    }

    // RFC 29: SHALL deliver these commands to its calling application. (XPUB)
    // RFC 29: SHALL NOT deliver these commands to its calling application. (PUB)
    fn before_recv(&self) -> Before {
        if self.exposure == Exposure::Nothing {
            return Before::Wait;
        }
        match self.lock().take_pending() {
            Some(message) => Before::Ready(Delivery { message, from: None }),
            None => Before::Wait,
        }
    }

    fn accept(&self, _: PeerKey, _: &mut Delivery) -> bool {
        // Everything comes through `deliver`.
        false
    }

    fn takes_at_once(&self) -> bool {
        true
    }

    // RFC 29: SHALL receive SUBSCRIBE and CANCEL commands from subscribers
    // depending on the transport protocol used. Both forms, from any peer.
    fn deliver(&self, from: PeerKey, item: Item, touched: &mut Touched) -> Delivered {
        let mut state = self.lock();
        let before = state.pending().len();
        let change = match item {
            Item::Subscription(change) => Ok(change),
            Item::Message(message) => as_subscription(message),
        };
        let discarded = match change {
            Ok(change) => {
                state.change(from, &change, touched);
                0
            }
            // RFC 29: SHALL silently discard any messages that subscribers send
            // it. (PUB)
            Err(_) if self.exposure == Exposure::Nothing => 1,
            // RFC 29: SHALL receive incoming messages from its subscribers using
            // a fair-queuing strategy. They are taken as they come, and each
            // peer is read in turn.
            // RFC 29: SHALL deliver these messages to its calling application.
            Err(message) => {
                state.pending().push(Entry::Message(message));
                0
            }
        };
        let readable = state.pending().len() > before;
        Delivered { readable, discarded: discarded + state.pending().take_dropped() }
    }

    fn subscribe(&self, change: Subscription, _: &mut Touched) {
        if self.exposure == Exposure::Requests {
            self.lock().decide(&change);
        }
    }
}
