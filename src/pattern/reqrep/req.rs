//! REQ (RFC 28): sends a request, then receives its reply.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::{Before, Delivery, Pattern, Routed, SendRefusal, Touched};
use crate::peer::{DropCause, PeerInfo};
use crate::pipe::{Inlet, Next, PeerKey, Pipe, Unwelcome};
use crate::routing::{Envelope, LoadBalancer, PeerMap, random_start};
use crate::routing_id::RoutingId;

/// How often one `send` looks for messages that came before its request. A peer
/// that has more to say unasked could as well answer with nonsense.
const MAX_LOOKS: usize = 10_000;

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
/// No other `send` or receive comes in the middle of a `send`, or between
/// [`Pattern::before_recv`] and [`Pattern::accept`]: the socket sees to that.
/// The comings and goings of peers may, at any time.
pub(crate) struct Req {
    /// Guards the rotation and the turn. Not held while an inlet is looked at,
    /// which may read from the transport and report to this or another socket.
    state: Mutex<State>,
    relaxed: bool,
    correlate: bool,
    probe: bool,
}

struct State {
    peers: LoadBalancer,
    inlets: PeerMap<Arc<dyn Inlet>>,
    turn: Turn,
    /// The number of the next request, for correlating.
    number: u32,
    /// What was drained and is not counted yet.
    drained: usize,
}

enum Turn {
    Idle,
    /// A request went to `peer`; its reply will have this envelope.
    Asked {
        peer: PeerKey,
        envelope: Envelope,
    },
    /// The peer that was asked has left without a reply.
    Left,
}

impl Req {
    pub(crate) fn new(options: &SocketOptions) -> Self {
        let state = State {
            peers: LoadBalancer::default(),
            inlets: PeerMap::default(),
            turn: Turn::Idle,
            number: random_start(),
            drained: 0,
        };
        Self {
            state: Mutex::new(state),
            relaxed: options.req_relaxed,
            correlate: options.req_correlate,
            probe: options.probe_router,
        }
    }

    /// The envelope of a request, which its reply has too.
    fn envelope(&self, number: u32) -> Envelope {
        if self.correlate { Envelope::numbered(number) } else { Envelope::minimal() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The peer to ask next.
    fn candidate(&mut self) -> Option<(PeerKey, Arc<dyn Inlet>)> {
        loop {
            let key = self.peers.peek()?;
            match self.inlets.get(&key) {
                Some(inlet) => return Some((key, Arc::clone(inlet))),
                None => self.peers.remove(key),
            }
        }
    }

    /// Sends the request to the candidate, unless it no longer is the one to
    /// ask; then the message is given back.
    fn ask(
        &mut self,
        candidate: PeerKey,
        envelope: Envelope,
        mut message: Message,
        touched: &mut Touched,
    ) -> Result<(), Message> {
        if self.peers.peek() != Some(candidate) {
            return Err(message);
        }
        // RFC 28: SHALL prefix the outgoing message with an empty delimiter
        // frame.
        envelope.clone().put_on(&mut message);
        match self.peers.send_next(message, touched) {
            // RFC 28: SHALL route outgoing messages to connected peers using a
            // round-robin strategy.
            Ok(peer) => {
                self.turn = Turn::Asked { peer, envelope };
                self.number = self.number.wrapping_add(1);
                Ok(())
            }
            Err(mut message) => {
                Envelope::take_off(&mut message);
                Err(message)
            }
        }
    }

    /// Asks a peer nothing any more.
    fn remove(&mut self, key: PeerKey) {
        self.peers.remove(key);
        self.inlets.remove(&key);
    }
}

/// What was in an inlet before a request.
struct Drained {
    count: usize,
    /// Nothing will ever come any more.
    is_over: bool,
}

/// Discards what came in before the request goes out: it cannot be the reply.
fn drain(inlet: &dyn Inlet) -> Drained {
    let mut count = 0;
    for _ in 0..MAX_LOOKS {
        match inlet.try_next() {
            Next::Message { .. } => count += 1,
            // What follows came before the request, too.
            Next::Busy => {}
            Next::Empty => return Drained { count, is_over: false },
            Next::Gone => return Drained { count, is_over: true },
        }
    }
    Drained { count, is_over: false }
}

impl Pattern for Req {
    fn attach(&self, pipe: &Pipe) -> Result<(), Unwelcome> {
        let mut state = self.state();
        state.peers.add(pipe.key, Arc::clone(&pipe.outlet));
        state.inlets.insert(pipe.key, Arc::clone(&pipe.inlet));
        Ok(())
    }

    fn up(&self, key: PeerKey, _peer: &PeerInfo, touched: &mut Touched) -> Result<(), Unwelcome> {
        if self.probe {
            self.state().peers.push_to(key, Message::new(), touched);
        }
        Ok(())
    }

    /// An endpoint that was asked and is down is waited for: `down` changes
    /// nothing. Even of a peer that has left the reply may be on its way to the
    /// receiver, until it is drained.
    fn detach(&self, key: PeerKey) {
        self.state().remove(key);
    }

    fn drained(&self, key: PeerKey) {
        let mut state = self.state();
        state.remove(key);
        if matches!(state.turn, Turn::Asked { peer, .. } if peer == key) {
            state.turn = Turn::Left;
        }
    }

    fn room(&self, key: PeerKey) {
        self.state().peers.room(key);
    }

    fn send(&self, _to: Option<&RoutingId>, mut message: Message, touched: &mut Touched) -> Routed {
        let mut state = self.state();
        if !self.relaxed && !matches!(state.turn, Turn::Idle) {
            return Routed::Refused(message, SendRefusal::OutOfTurn);
        }
        // RFC 28: SHALL block on sending, or return a suitable error, when it
        // has no connected peers. SHALL NOT discard messages that it cannot
        // send to a connected peer.
        while let Some((key, inlet)) = state.candidate() {
            drop(state);
            let drained = drain(&*inlet);
            state = self.state();
            state.drained += drained.count;
            if drained.is_over {
                state.remove(key);
                continue;
            }
            let envelope = self.envelope(state.number);
            match state.ask(key, envelope, message, touched) {
                Ok(()) => {
                    let lost = std::mem::take(&mut state.drained);
                    return Routed::Done { lost, cause: DropCause::Discarded };
                }
                Err(refused) => message = refused,
            }
        }
        Routed::Mute(message)
    }

    fn before_recv(&self) -> Before {
        let mut state = self.state();
        match state.turn {
            Turn::Idle => Before::OutOfTurn,
            Turn::Asked { .. } => Before::Proceed,
            Turn::Left => {
                state.turn = Turn::Idle;
                Before::PeerLeft
            }
        }
    }

    fn accept(&self, from: PeerKey, delivery: &mut Delivery) -> bool {
        let mut state = self.state();
        // RFC 28: SHALL accept an incoming message only from the last peer that
        // it sent a request to. SHALL discard silently any messages received
        // from other peers.
        let envelope = match &state.turn {
            Turn::Asked { peer, envelope } if *peer == from => envelope,
            _ => return false,
        };
        // RFC 28: (replies have) a delimiter, consisting of an empty frame, (and)
        // one or more data frames, comprising the message visible to the
        // application.
        let is_reply = Envelope::take_off(&mut delivery.message).as_ref() == Some(envelope);
        if is_reply {
            state.turn = Turn::Idle;
        }
        is_reply
    }
}

#[cfg(test)]
mod tests;
