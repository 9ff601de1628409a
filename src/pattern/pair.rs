//! PAIR (RFC 31): one peer, both ways.

use std::sync::Arc;

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::{Delivery, Pattern, Routed, Touched};
use crate::peer::Unwelcome;
use crate::pipe::{Peer, Refused, Traits};
use crate::sync::{Lock, Rank};

const TRAITS: Traits = Traits { judges: true, passes: true, ..Traits::PLAIN };

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
    peer: Lock<Option<Arc<Peer>>>,
}

impl Pair {
    pub(crate) fn new(_options: &SocketOptions) -> Self {
        Self { peer: Lock::new(Rank::Pattern, None) }
    }
}

impl Pattern for Pair {
    fn traits(&self) -> &'static Traits {
        &TRAITS
    }

    fn attach(&self, peer: &Arc<Peer>) -> Result<(), Unwelcome> {
        let mut ours = self.peer.lock();
        // RFC 31: MAY be connected to at most one PAIR peers.
        if ours.is_some() {
            return Err(Unwelcome::AlreadyPaired);
        }
        // RFC 31: SHALL create a double queue when initiating an outgoing
        // connection to a peer, and SHALL maintain the double queue whether or
        // not the connection is established. / when a peer connects to it. (The
        // line is the double queue.)
        *ours = Some(Arc::clone(peer));
        Ok(())
    }

    // RFC 31: If this peer disconnects, the PAIR socket SHALL destroy its
    // double queue and SHALL discard any messages it contains.
    fn detach(&self, peer: &Arc<Peer>) {
        let mut ours = self.peer.lock();
        if ours.as_ref().is_some_and(|it| Arc::ptr_eq(it, peer)) {
            *ours = None;
        }
    }

    fn send(&self, _to: Option<&[u8]>, message: &mut Message, touched: &mut Touched) -> Routed {
        let mut ours = self.peer.lock();
        // RFC 31: SHALL block on sending, or return a suitable error, when it
        // has no available peer. SHALL not accept further messages when it has
        // no available peer. SHALL NOT discard messages that it cannot queue.
        let Some(peer) = &*ours else { return Routed::Mute };
        match peer.line.push(message) {
            Ok(needs) => {
                touched.note(needs, &peer.line);
                Routed::Sent
            }
            // RFC 31: SHALL consider its peer as available only when it has a
            // outgoing queue that is not full.
            Err(Refused::Full) => Routed::Mute,
            Err(Refused::Gone) => {
                *ours = None;
                Routed::Mute
            }
        }
    }

    // RFC 31: SHALL receive incoming messages from its single peer if it has
    // one. SHALL deliver these to its calling application. (Also what a peer
    // sent before it left: those that were turned away were never read from.)
    fn accept(&self, _from: &Arc<Peer>, _delivery: &mut Delivery) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::testing::{accept, is_sent, send};
    use crate::routing::testing::{FakePeer, message};

    fn pair_with(peer: &FakePeer) -> Pair {
        let pair = Pair::new(&SocketOptions::new());
        pair.attach(peer).unwrap();
        pair
    }

    #[test]
    fn pair_has_at_most_one_peer() {
        let [first, second] = [10, 10].map(FakePeer::accepted);
        let pair = pair_with(&first);
        assert_eq!(pair.attach(&second), Err(Unwelcome::AlreadyPaired));
        // The end of the one that was turned away is not the end of the pair.
        pair.detach(&second);
        assert!(is_sent(&send(&pair, message(["m"]))));
        assert_eq!(first.take_sent(), [message(["m"])]);
    }

    #[test]
    fn pair_takes_a_new_peer_after_the_first_has_left() {
        let [first, second] = [10, 10].map(FakePeer::accepted);
        let pair = pair_with(&first);
        pair.detach(&first);
        pair.attach(&second).unwrap();
        pair.detach(&first);
        assert!(is_sent(&send(&pair, message(["m"]))));
        assert_eq!((first.take_sent().len(), second.take_sent().len()), (0, 1));
    }

    #[test]
    fn pair_is_mute_without_an_available_peer_and_discards_nothing() {
        let peer = FakePeer::accepted(1);
        let pair = pair_with(&peer);
        let whole = message(["m", "n"]);
        assert!(is_sent(&send(&pair, message(["first"]))));
        assert_eq!(send(&pair, whole.clone()), Routed::Mute);
        peer.take_sent();
        pair.room(&peer);
        assert!(is_sent(&send(&pair, whole.clone())));
        peer.depart();
        assert_eq!(send(&pair, whole.clone()), Routed::Mute);
        pair.detach(&peer);
        assert_eq!(send(&pair, whole.clone()), Routed::Mute);
    }

    #[test]
    fn pair_maintains_its_double_queue_whether_or_not_it_is_connected() {
        let [peer, other] = [10, 10].map(FakePeer::connected);
        let pair = pair_with(&peer);
        pair.down(&peer);
        assert_eq!(pair.attach(&other), Err(Unwelcome::AlreadyPaired));
        assert!(is_sent(&send(&pair, message(["m"]))));
    }

    #[test]
    fn pair_does_not_filter_or_modify_messages() {
        let peer = FakePeer::accepted(10);
        let pair = pair_with(&peer);
        for frames in [vec![""], vec!["", ""], vec!["a", "", "b"]] {
            assert!(is_sent(&send(&pair, message(frames.clone()))));
            assert_eq!(peer.take_sent(), [message(frames.clone())]);
            let delivery = accept(&pair, &peer, message(frames.clone())).unwrap();
            assert_eq!((delivery.message, delivery.from), (message(frames), None));
        }
    }

    #[test]
    fn pair_delivers_what_its_peer_sent_before_it_left() {
        let peer = FakePeer::accepted(10);
        let pair = pair_with(&peer);
        pair.detach(&peer);
        assert!(accept(&pair, &peer, message(["late"])).is_some());
    }
}
