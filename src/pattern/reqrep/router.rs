//! ROUTER (RFC 28): every peer has a name; messages go to and come from names.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::{Delivery, Pattern, Routed, SendRefusal, Touched};
use crate::peer::{DropCause, PeerInfo};
use crate::pipe::{NeedsFlush, PeerKey, Pipe, Refused, Unwelcome};
use crate::routing::{IdTaken, RoutingTable};
use crate::routing_id::RoutingId;

/// ROUTER sends to the peer it is told and says from whom each message came.
pub(crate) struct Router {
    /// Guards who has which name, and the pushes to them.
    table: Mutex<RoutingTable>,
    mandatory: bool,
    handover: bool,
    probe: bool,
}

impl Router {
    pub(crate) fn new(options: &SocketOptions) -> Self {
        Self {
            table: Mutex::new(RoutingTable::new()),
            mandatory: options.router_mandatory,
            handover: options.router_handover,
            probe: options.probe_router,
        }
    }

    fn table(&self) -> MutexGuard<'_, RoutingTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, to: &RoutingId, message: Message, touched: &mut Touched) -> Result<(), Unsent> {
        let table = self.table();
        let Some(outlet) = table.route(to) else { return Err(Unsent::Unroutable(message)) };
        match outlet.push(message) {
            Ok(needs) => {
                touched.note(needs, outlet);
                Ok(())
            }
            Err(Refused::Full(message)) => Err(Unsent::Full(message)),
            // It is about to be detached, and nobody has its name till then.
            Err(Refused::Gone(message)) => Err(Unsent::Unroutable(message)),
        }
    }

    /// RFC 28: SHALL either silently drop the message, or return an error,
    /// depending on configuration, if the queue does not exist, or is full.
    ///
    /// `whole` makes the message again what the caller gave.
    fn unsent(&self, unsent: Unsent, whole: impl FnOnce(Message) -> Message) -> Routed {
        match (unsent, self.mandatory) {
            (Unsent::Unroutable(_), false) => {
                Routed::Done { lost: 1, cause: DropCause::Unroutable }
            }
            (Unsent::Unroutable(message), true) => {
                Routed::Refused(whole(message), SendRefusal::Unroutable)
            }
            // RFC 28: SHALL NOT block on sending.
            (Unsent::Full(_), false) => Routed::Done { lost: 1, cause: DropCause::PeerFull },
            // Departs from it, as libzmq does: a full peer is no error, so
            // whoever wants nothing dropped has to wait.
            (Unsent::Full(message), true) => Routed::Mute(whole(message)),
        }
    }
}

/// Why a message was not queued.
enum Unsent {
    Unroutable(Message),
    Full(Message),
}

impl Pattern for Router {
    // RFC 28: SHALL create a double queue when initiating an outgoing
    // connection to a peer, and SHALL maintain the double queue whether or not
    // the connection is established. / when a peer connects to it. (The pipe is
    // the double queue; it has no name, and gets no messages, before its first
    // handshake.)
    fn attach(&self, pipe: &Pipe) -> Result<(), Unwelcome> {
        self.table().attach(pipe);
        Ok(())
    }

    // RFC 28: SHOULD allow the peer to specify its identity explicitly through
    // the Identity metadata property.
    fn up(&self, key: PeerKey, peer: &PeerInfo, touched: &mut Touched) -> Result<(), Unwelcome> {
        let mut table = self.table();
        let former = table
            .claim(key, peer.routing_id.as_ref(), self.handover)
            .map_err(|IdTaken| Unwelcome::DuplicateRoutingId)?;
        if let Some(former) = former {
            touched.reject(&former);
        }
        if let (true, Some(outlet)) = (self.probe, table.outlet(key)) {
            let needs = outlet.push(Message::new()).unwrap_or(NeedsFlush::No);
            touched.note(needs, outlet);
        }
        Ok(())
    }

    // RFC 28: If this peer disconnects, the ROUTER socket SHALL destroy its
    // double queue and SHALL discard any messages it contains. (Outgoing ones:
    // what came in whole is still delivered, under its name.)
    fn detach(&self, key: PeerKey) {
        self.table().detach(key);
    }

    fn drained(&self, key: PeerKey) {
        self.table().forget(key);
    }

    // Nothing to note: each send tries the peer it is for.
    fn room(&self, _key: PeerKey) {}

    fn send(&self, to: Option<&RoutingId>, mut message: Message, touched: &mut Touched) -> Routed {
        if let Some(id) = to {
            return match self.push(id, message, touched) {
                Ok(()) => Routed::SENT,
                Err(unsent) => self.unsent(unsent, |message| message),
            };
        }
        // RFC 28: SHALL remove the first frame from each outgoing message and
        // use this as the identity of a double queue.
        let Some(frame) = message.pop_front() else {
            return Routed::Refused(message, SendRefusal::NoRoutingId);
        };
        let id = RoutingId::from_frame(frame);
        // RFC 28: SHALL route the message to the outgoing queue if that queue
        // exists, and has space.
        match self.push(&id, message, touched) {
            Ok(()) => Routed::SENT,
            Err(unsent) => self.unsent(unsent, |mut message| {
                message.push_front(id.as_bytes().clone());
                message
            }),
        }
    }

    // RFC 28: SHALL prefix each incoming message with a frame containing the
    // identity of the originating double queue. SHALL deliver the resulting
    // messages to its calling application. (The id goes beside the message;
    // a receiver that wants frames puts it in front.)
    fn accept(&self, from: PeerKey, delivery: &mut Delivery) -> bool {
        delivery.from = self.table().id(from).cloned();
        delivery.from.is_some()
    }
}

#[cfg(test)]
mod tests;
