//! REQ (RFC 28): sends a request, then receives its reply.

use std::sync::Arc;

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::{Before, Delivery, Pattern, Routed, SendRefusal, Touched};
use crate::peer::{PeerInfo, Unwelcome};
use crate::pipe::{Peer, Traits};
use crate::routing::{Envelope, LoadBalancer, random_start};
use crate::sync::{Lock, Rank};

const TRAITS: Traits =
    Traits { lockstep: true, asks: true, identifies: true, connects_once: true, ..Traits::PLAIN };

/// REQ asks one peer at a time, and only it may answer.
///
/// ```text
///             send: to the next peer with room
///   ┌──────┐ ──────────────────────────────► ┌───────┐ ───┐ send, if relaxed
///   │ Idle │                                 │ Asked │    │
///   └──────┘ ◄────────────────────────────── └───────┘ ◄──┘
///      ▲      accept: the reply                 │  ▲
///      │                                drained │  │ send, if relaxed
///      │      before_recv: peer left            ▼  │
///      └───────────────────────────────────── ┌──────┐
///                                             │ Left │
///                                             └──────┘
/// ```
/// RFC 28: SHALL send and then receive exactly one message at a time. Anything
/// else is out of turn and changes nothing.
///
/// What came from a peer before its request went out is no reply to it. The line
/// knows ([`Line::ask`](crate::pipe::Line::ask)) and discards it.
///
/// No other `send` or receive comes in the middle of a `send`, or between
/// [`Pattern::before_recv`] and [`Pattern::accept`]: the socket sees to that.
/// The comings and goings of peers may, at any time.
pub(crate) struct Req {
    /// Guards the rotation and the turn, and the pushes that their order
    /// promises.
    state: Lock<State>,
    relaxed: bool,
    correlate: bool,
    probe: bool,
}

struct State {
    peers: LoadBalancer,
    turn: Turn,
    /// The number of the next request, for correlating.
    number: u32,
}

enum Turn {
    Idle,
    /// A request went to `peer`; its reply will have this envelope.
    Asked {
        peer: Arc<Peer>,
        envelope: Envelope,
    },
    /// The peer that was asked has left without a reply.
    Left,
}

impl Req {
    pub(crate) fn new(options: &SocketOptions) -> Self {
        let state =
            State { peers: LoadBalancer::default(), turn: Turn::Idle, number: random_start() };
        Self {
            state: Lock::new(Rank::Pattern, state),
            relaxed: options.req_relaxed,
            correlate: options.req_correlate,
            probe: options.probe_router,
        }
    }

    /// The envelope of a request, which its reply has too.
    fn envelope(&self, number: u32) -> Envelope {
        if self.correlate { Envelope::numbered(number) } else { Envelope::minimal() }
    }
}

impl State {
    /// Sends the request to the next peer that has room. False if there is none.
    fn ask(&mut self, envelope: Envelope, message: &mut Message, touched: &mut Touched) -> bool {
        // RFC 28: SHALL prefix the outgoing message with an empty delimiter
        // frame.
        envelope.clone().put_on(message);
        // RFC 28: SHALL route outgoing messages to connected peers using a
        // round-robin strategy.
        match self.peers.send_with(message, touched, |line, message| line.ask(message)) {
            Some(place) => {
                let peer = Arc::clone(self.peers.peer_at(place));
                self.turn.abandon_for(&peer);
                self.turn = Turn::Asked { peer, envelope };
                self.number = self.number.wrapping_add(1);
                true
            }
            None => {
                Envelope::take_off(message);
                false
            }
        }
    }
}

impl Turn {
    /// Whether it was `peer` that was asked.
    fn is_asked(&self, peer: &Arc<Peer>) -> bool {
        matches!(self, Self::Asked { peer: asked, .. } if Arc::ptr_eq(asked, peer))
    }

    /// Another request goes out to `next`: the one that was asked before, if it is
    /// another one, has nothing to answer any more.
    fn abandon_for(&self, next: &Arc<Peer>) {
        match self {
            Self::Asked { peer, .. } if !Arc::ptr_eq(peer, next) => peer.line.answered(),
            _ => {}
        }
    }
}

impl Pattern for Req {
    fn traits(&self) -> &'static Traits {
        &TRAITS
    }

    fn attach(&self, peer: &Arc<Peer>) -> Result<(), Unwelcome> {
        self.state.lock().peers.add(peer);
        Ok(())
    }

    fn up(
        &self,
        peer: &Arc<Peer>,
        _info: &PeerInfo,
        touched: &mut Touched,
    ) -> Result<(), Unwelcome> {
        if self.probe {
            self.state.lock().peers.push_to(peer, &mut Message::new(), touched);
        }
        Ok(())
    }

    /// An endpoint that was asked and is down is waited for: `down` changes
    /// nothing. Even of a peer that has left the reply may be on its way to the
    /// receiver, until it is drained.
    fn detach(&self, peer: &Arc<Peer>) {
        self.state.lock().peers.remove(peer);
    }

    fn drained(&self, peer: &Arc<Peer>) {
        let mut state = self.state.lock();
        state.peers.remove(peer);
        if state.turn.is_asked(peer) {
            state.turn = Turn::Left;
        }
    }

    fn room(&self, peer: &Arc<Peer>) {
        self.state.lock().peers.room(peer);
    }

    fn send(&self, _to: Option<&[u8]>, message: &mut Message, touched: &mut Touched) -> Routed {
        let mut state = self.state.lock();
        if !self.relaxed && !matches!(state.turn, Turn::Idle) {
            return Routed::Refused(SendRefusal::OutOfTurn);
        }
        let envelope = self.envelope(state.number);
        if !envelope.fits(message) {
            return Routed::Refused(SendRefusal::TooManyFrames);
        }
        match state.ask(envelope, message, touched) {
            true => Routed::Sent,
            // RFC 28: SHALL block on sending, or return a suitable error, when it
            // has no connected peers. SHALL NOT discard messages that it cannot
            // send to a connected peer.
            false => Routed::Mute,
        }
    }

    fn before_recv(&self) -> Before {
        let mut state = self.state.lock();
        match state.turn {
            Turn::Idle => Before::OutOfTurn,
            Turn::Asked { .. } => Before::Proceed,
            Turn::Left => {
                state.turn = Turn::Idle;
                Before::PeerLeft
            }
        }
    }

    fn is_receivers_turn(&self) -> bool {
        !matches!(self.state.lock().turn, Turn::Idle)
    }

    fn accept(&self, from: &Arc<Peer>, delivery: &mut Delivery) -> bool {
        let mut state = self.state.lock();
        // RFC 28: SHALL accept an incoming message only from the last peer that
        // it sent a request to. SHALL discard silently any messages received
        // from other peers.
        let envelope = match &state.turn {
            Turn::Asked { peer, envelope } if Arc::ptr_eq(peer, from) => envelope,
            _ => return false,
        };
        // RFC 28: (replies have) a delimiter, consisting of an empty frame, (and)
        // one or more data frames, comprising the message visible to the
        // application.
        let is_reply = Envelope::take_off(&mut delivery.message).as_ref() == Some(envelope);
        if is_reply {
            state.turn = Turn::Idle;
            from.line.answered();
        }
        is_reply
    }
}

#[cfg(test)]
mod tests;
