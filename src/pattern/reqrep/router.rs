//! ROUTER (RFC 28): every peer has a name; messages go to and come from names.

use std::sync::Arc;

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::{Delivery, Pattern, Routed, SendRefusal, Touched};
use crate::peer::{DropCause, PeerInfo, Unwelcome};
use crate::pipe::{Peer, Refused, Traits};
use crate::routing::{IdTaken, RoutingTable};
use crate::sync::{Lock, Rank};

const TRAITS: Traits =
    Traits { drops: true, names_peers: true, identifies: true, judges: true, ..Traits::PLAIN };

/// ROUTER sends to the peer it is told and says from whom each message came.
pub(crate) struct Router {
    /// Guards who has which name, and the pushes to them.
    table: Lock<RoutingTable>,
    mandatory: bool,
    handover: bool,
    probe: bool,
}

impl Router {
    pub(crate) fn new(options: &SocketOptions) -> Self {
        Self {
            table: Lock::new(Rank::Pattern, RoutingTable::new()),
            mandatory: options.router_mandatory,
            handover: options.router_handover,
            probe: options.probe_router,
        }
    }

    fn push(&self, to: &[u8], message: &mut Message, touched: &mut Touched) -> Routed {
        let table = self.table.lock();
        let Some(peer) = table.route(to) else { return self.unroutable() };
        match peer.line.push(message) {
            Ok(needs) => {
                touched.note(needs, &peer.line);
                Routed::Sent
            }
            // Departs from the RFC, as libzmq does: a full peer is no error, so
            // whoever wants nothing dropped has to wait.
            Err(Refused::Full) if self.mandatory => Routed::Mute,
            // RFC 28: SHALL NOT block on sending.
            Err(Refused::Full) => Routed::Dropped { lost: 1, cause: DropCause::PeerFull },
            // It is about to be detached, and nobody has its name till then.
            Err(Refused::Gone) => self.unroutable(),
        }
    }

    /// RFC 28: SHALL either silently drop the message, or return an error,
    /// depending on configuration, if the queue does not exist, or is full.
    fn unroutable(&self) -> Routed {
        match self.mandatory {
            true => Routed::Refused(SendRefusal::Unroutable),
            false => Routed::Dropped { lost: 1, cause: DropCause::Unroutable },
        }
    }
}

impl Pattern for Router {
    fn traits(&self) -> &'static Traits {
        &TRAITS
    }

    // RFC 28: SHALL create a double queue when initiating an outgoing
    // connection to a peer, and SHALL maintain the double queue whether or not
    // the connection is established. / when a peer connects to it. (The line is
    // the double queue; it has no name, and gets no messages, before its first
    // handshake.)
    fn attach(&self, peer: &Arc<Peer>) -> Result<(), Unwelcome> {
        self.table.lock().attach(peer);
        Ok(())
    }

    // RFC 28: SHOULD allow the peer to specify its identity explicitly through
    // the Identity metadata property.
    fn up(
        &self,
        peer: &Arc<Peer>,
        info: &PeerInfo,
        touched: &mut Touched,
    ) -> Result<(), Unwelcome> {
        let mut table = self.table.lock();
        let former = table
            .claim(peer, info.routing_id.as_ref(), self.handover)
            .map_err(|IdTaken| Unwelcome::RoutingIdTaken)?;
        // What was sent to one id is not for another.
        if peer.is_another() {
            peer.line.forget();
        }
        if let Some(former) = former {
            touched.reject(&former.line, Unwelcome::RoutingIdTakenOver);
        }
        if self.probe && table.is_attached(peer) {
            if let Ok(needs) = peer.line.push(&mut Message::new()) {
                touched.note(needs, &peer.line);
            }
        }
        Ok(())
    }

    // RFC 28: If this peer disconnects, the ROUTER socket SHALL destroy its
    // double queue and SHALL discard any messages it contains. (Outgoing ones:
    // what came in whole is still delivered, under its name.)
    fn detach(&self, peer: &Arc<Peer>) {
        self.table.lock().detach(peer);
    }

    fn send(&self, to: Option<&[u8]>, message: &mut Message, touched: &mut Touched) -> Routed {
        if let Some(id) = to {
            return self.push(id, message, touched);
        }
        // RFC 28: SHALL remove the first frame from each outgoing message and
        // use this as the identity of a double queue.
        let Some(id) = message.pop_front() else {
            return Routed::Refused(SendRefusal::NoRoutingId);
        };
        // RFC 28: SHALL route the message to the outgoing queue if that queue
        // exists, and has space. (Octets that cannot be an id are that of none.)
        let routed = self.push(&id, message, touched);
        if matches!(routed, Routed::Mute | Routed::Refused(_)) {
            message.push_front(id);
        }
        routed
    }

    // RFC 28: SHALL prefix each incoming message with a frame containing the
    // identity of the originating double queue. SHALL deliver the resulting
    // messages to its calling application. (The id goes beside the message;
    // a receiver that wants frames puts it in front.)
    fn accept(&self, from: &Arc<Peer>, delivery: &mut Delivery) -> bool {
        delivery.from = from.name_in_hand();
        delivery.from.is_some()
    }
}

#[cfg(test)]
mod tests;
