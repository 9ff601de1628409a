//! [`XPub`]: the publishing side, XPUB and PUB.

use std::sync::Arc;

use crate::error::SubscribeError;
use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::{Before, Delivered, Delivery, Pattern, Routed, Touched};
use crate::peer::{DropCause, PeerInfo, Subscription, Unwelcome};
use crate::pipe::{Item, Peer, Traits};
use crate::sync::{Held, Lock, Rank};

use super::as_subscription;
use super::interest::Step;
use super::subscribers::{Exposure, Subscribers};

const XPUB: Traits = Traits { drops: true, takes_at_once: true, publishes: true, ..Traits::PLAIN };
const PUB: Traits = Traits { connects_once: true, ..XPUB };

/// An XPUB, or a PUB, whose application hears nothing.
pub(crate) struct XPub {
    exposure: Exposure,
    /// Whether a send waits while a subscriber is full.
    nodrop: bool,
    welcome: Option<Message>,
    /// Who subscribes to what. Held while a message is pushed, so that having
    /// room stays true from the look to the push.
    state: Lock<Subscribers>,
}

impl XPub {
    /// An XPUB.
    pub(crate) fn new(options: &SocketOptions) -> Self {
        let exposure = match options.xpub_manual {
            true => Exposure::Requests,
            false => Exposure::Changes(options.xpub_verbosity),
        };
        Self::with_exposure(options, exposure)
    }

    /// A PUB.
    pub(crate) fn publisher(options: &SocketOptions) -> Self {
        Self::with_exposure(options, Exposure::Nothing)
    }

    fn with_exposure(options: &SocketOptions, exposure: Exposure) -> Self {
        Self {
            exposure,
            nodrop: options.xpub_nodrop,
            welcome: options.xpub_welcome.clone(),
            state: Lock::new(Rank::Pattern, Subscribers::new(options, exposure)),
        }
    }

    /// Whether nothing is kept of anybody.
    #[cfg(test)]
    pub(super) fn is_clean(&self) -> bool {
        self.lock().is_clean()
    }

    fn lock(&self) -> Held<'_, Subscribers> {
        self.state.lock()
    }
}

impl Pattern for XPub {
    fn traits(&self) -> &'static Traits {
        if self.exposure == Exposure::Nothing { &PUB } else { &XPUB }
    }

    // RFC 29: SHALL create a double queue when initiating an outgoing connection
    // to a subscriber, and SHALL maintain the double queue whether or not the
    // connection is established.
    // RFC 29: SHALL create a double queue when a subscriber connects to it.
    fn attach(&self, peer: &Arc<Peer>) -> Result<(), Unwelcome> {
        self.lock().attach(peer);
        Ok(())
    }

    fn up(&self, peer: &Arc<Peer>, _: &PeerInfo, touched: &mut Touched) -> Result<(), Unwelcome> {
        self.lock().up(peer, self.welcome.as_ref(), touched);
        Ok(())
    }

    fn down(&self, peer: &Arc<Peer>) {
        // It subscribes again when it is back.
        let mut state = self.lock();
        state.end_session(peer);
        state.forget(Step::WHOLE);
    }

    // RFC 29: If this subscriber disconnects, the XPUB socket SHALL destroy its
    // double queue and SHALL discard any messages it contains.
    fn detach(&self, peer: &Arc<Peer>) {
        let mut state = self.lock();
        state.detach(peer);
        state.forget(Step::WHOLE);
    }

    fn tidy(&self, _: &mut Touched) -> bool {
        self.lock().forget(Step::WHOLE)
    }

    // `room` has nothing to do: each send asks the lines.

    // RFC 29: SHALL not modify outgoing messages in any way.
    fn send(&self, _: Option<&[u8]>, message: &mut Message, touched: &mut Touched) -> Routed {
        let mut state = self.lock();
        state.forget(Step::ALONG);
        state.mark_matching(message.first());
        if self.nodrop && !state.marked_have_room() {
            return Routed::Mute;
        }
        // RFC 29: SHALL silently drop the message if the queue for a subscriber
        // is full.
        // RFC 29: SHALL NOT block on sending.
        match state.send_to_marked(message, touched) {
            0 => Routed::Sent,
            lost => Routed::Dropped { lost, cause: DropCause::PeerFull },
        }
    }

    // RFC 29: SHALL deliver these commands to its calling application. (XPUB)
    // RFC 29: SHALL NOT deliver these commands to its calling application. (PUB)
    fn before_recv(&self) -> Before {
        if self.exposure == Exposure::Nothing {
            return Before::Wait;
        }
        let mut state = self.lock();
        // Nobody else may see to what those left behind who have left, so whoever
        // waits for something does.
        let more = state.pending().len() == 0 && state.forget(Step::PART);
        match state.take_pending() {
            Some((message, info)) => {
                Before::Ready(Delivery { message, from: None, info: Some(info) })
            }
            None if more => Before::Busy,
            None => Before::Wait,
        }
    }

    fn accept(&self, _: &Arc<Peer>, _: &mut Delivery) -> bool {
        // Everything comes through `deliver`.
        false
    }

    // RFC 29: SHALL receive SUBSCRIBE and CANCEL commands from subscribers
    // depending on the transport protocol used. Both forms, from any peer.
    fn deliver(&self, from: &Arc<Peer>, item: Item, touched: &mut Touched) -> Delivered {
        let mut state = self.lock();
        let before = state.pending().len();
        state.forget(Step::ALONG);
        let change = match item {
            Item::Subscription(change) => Ok(change),
            Item::Message(message) => as_subscription(&message).ok_or(message),
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
                state.take_in(from, message);
                0
            }
        };
        let readable = state.pending().len() > before;
        Delivered { readable, discarded: discarded + state.pending().take_dropped() }
    }

    fn subscribers(&self, topic: &[u8]) -> usize {
        self.lock().count_matching(topic)
    }

    fn close(&self) -> usize {
        self.lock().pending().close()
    }

    fn subscribe(&self, change: Subscription, _: &mut Touched) -> Result<(), SubscribeError> {
        if self.exposure != Exposure::Requests {
            return Err(SubscribeError::NotManual);
        }
        Ok(self.lock().decide(&change)?)
    }
}
