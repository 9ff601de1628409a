//! PAIR (RFC 31): one peer, both ways.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::{Delivery, Pattern, Routed, Touched};
use crate::pipe::{Outlet, PeerKey, Pipe, Refused, Unwelcome};
use crate::routing_id::RoutingId;

/// PAIR talks to one peer at a time; further ones are turned away.
///
/// ```text
///         attach                     attach: already paired
///   free ────────► paired ───┐ ◄──┐
///    ▲               │       └────┘
///    └────detach─────┘
/// ```
pub(crate) struct Pair {
    /// Guards who the peer is, and the pushes to it.
    peer: Mutex<Option<Peer>>,
}

struct Peer {
    key: PeerKey,
    outlet: Arc<dyn Outlet>,
}

impl Pair {
    pub(crate) fn new(_options: &SocketOptions) -> Self {
        Self { peer: Mutex::default() }
    }

    fn peer(&self) -> MutexGuard<'_, Option<Peer>> {
        self.peer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pattern for Pair {
    fn attach(&self, pipe: &Pipe) -> Result<(), Unwelcome> {
        let mut peer = self.peer();
        // RFC 31: MAY be connected to at most one PAIR peers.
        if peer.is_some() {
            return Err(Unwelcome::AlreadyPaired);
        }
        // RFC 31: SHALL create a double queue when initiating an outgoing
        // connection to a peer, and SHALL maintain the double queue whether or
        // not the connection is established. / when a peer connects to it. (The
        // pipe is the double queue.)
        *peer = Some(Peer { key: pipe.key, outlet: Arc::clone(&pipe.outlet) });
        Ok(())
    }

    // RFC 31: If this peer disconnects, the PAIR socket SHALL destroy its
    // double queue and SHALL discard any messages it contains.
    fn detach(&self, key: PeerKey) {
        let mut peer = self.peer();
        if peer.as_ref().is_some_and(|peer| peer.key == key) {
            *peer = None;
        }
    }

    // Nothing to note: each send tries the one peer.
    fn room(&self, _key: PeerKey) {}

    fn send(&self, _to: Option<&RoutingId>, message: Message, touched: &mut Touched) -> Routed {
        let mut peer = self.peer();
        // RFC 31: SHALL block on sending, or return a suitable error, when it
        // has no available peer. SHALL not accept further messages when it has
        // no available peer. SHALL NOT discard messages that it cannot queue.
        let Some(Peer { outlet, .. }) = &*peer else { return Routed::Mute(message) };
        match outlet.push(message) {
            Ok(needs) => {
                touched.note(needs, outlet);
                Routed::SENT
            }
            // RFC 31: SHALL consider its peer as available only when it has a
            // outgoing queue that is not full.
            Err(Refused::Full(message)) => Routed::Mute(message),
            Err(Refused::Gone(message)) => {
                *peer = None;
                Routed::Mute(message)
            }
        }
    }

    // RFC 31: SHALL receive incoming messages from its single peer if it has
    // one. SHALL deliver these to its calling application. (Also what a peer
    // sent before it left: those that were turned away never had an inlet.)
    fn accept(&self, _from: PeerKey, _delivery: &mut Delivery) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::testing::{accept, is_sent, send};
    use crate::routing::testing::{FakePeer, message};

    fn pair_with(peer: &Arc<FakePeer>) -> Pair {
        let pair = Pair::new(&SocketOptions::new());
        pair.attach(&peer.pipe()).unwrap();
        pair
    }

    #[test]
    fn pair_has_at_most_one_peer() {
        let [first, second] = [10, 10].map(FakePeer::accepted);
        let pair = pair_with(&first);
        assert_eq!(pair.attach(&second.pipe()), Err(Unwelcome::AlreadyPaired));
        // The end of the one that was turned away is not the end of the pair.
        pair.detach(second.key);
        assert!(is_sent(&send(&pair, message(["m"]))));
        assert_eq!(first.take_sent(), [message(["m"])]);
    }

    #[test]
    fn pair_takes_a_new_peer_after_the_first_has_left() {
        let [first, second] = [10, 10].map(FakePeer::accepted);
        let pair = pair_with(&first);
        pair.detach(first.key);
        pair.attach(&second.pipe()).unwrap();
        pair.detach(first.key);
        assert!(is_sent(&send(&pair, message(["m"]))));
        assert_eq!((first.take_sent().len(), second.take_sent().len()), (0, 1));
    }

    #[test]
    fn pair_is_mute_without_an_available_peer_and_discards_nothing() {
        let peer = FakePeer::accepted(1);
        let pair = pair_with(&peer);
        let whole = message(["m", "n"]);
        assert!(is_sent(&send(&pair, message(["first"]))));
        assert!(matches!(send(&pair, whole.clone()), Routed::Mute(m) if m == whole));
        peer.take_sent();
        pair.room(peer.key);
        assert!(is_sent(&send(&pair, whole.clone())));
        peer.depart();
        assert!(matches!(send(&pair, whole.clone()), Routed::Mute(m) if m == whole));
        pair.detach(peer.key);
        assert!(matches!(send(&pair, whole.clone()), Routed::Mute(m) if m == whole));
    }

    #[test]
    fn pair_maintains_its_double_queue_whether_or_not_it_is_connected() {
        let [peer, other] = [10, 10].map(FakePeer::connected);
        let pair = pair_with(&peer);
        pair.down(peer.key);
        assert_eq!(pair.attach(&other.pipe()), Err(Unwelcome::AlreadyPaired));
        assert!(is_sent(&send(&pair, message(["m"]))));
    }

    #[test]
    fn pair_does_not_filter_or_modify_messages() {
        let peer = FakePeer::accepted(10);
        let pair = pair_with(&peer);
        for frames in [vec![""], vec!["", ""], vec!["a", "", "b"]] {
            assert!(is_sent(&send(&pair, message(frames.clone()))));
            assert_eq!(peer.take_sent(), [message(frames.clone())]);
            let delivery = accept(&pair, peer.key, message(frames.clone())).unwrap();
            assert_eq!((delivery.message, delivery.from), (message(frames), None));
        }
    }

    #[test]
    fn pair_delivers_what_its_peer_sent_before_it_left() {
        let peer = FakePeer::accepted(10);
        let pair = pair_with(&peer);
        pair.detach(peer.key);
        assert!(accept(&pair, peer.key, message(["late"])).is_some());
    }
}
