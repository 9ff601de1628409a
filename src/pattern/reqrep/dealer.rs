//! DEALER (RFC 28): REQ without the lockstep and without the delimiter.

use std::sync::Arc;

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::{Delivery, Pattern, Routed, Touched};
use crate::peer::{PeerInfo, Unwelcome};
use crate::pipe::{Peer, Traits};
use crate::routing::LoadBalancer;
use crate::sync::{Lock, Rank};

const TRAITS: Traits =
    Traits { identifies: true, connects_once: true, passes: true, ..Traits::PLAIN };

/// DEALER sends each message to the next peer that has room and receives from
/// all of them.
pub(crate) struct Dealer {
    /// Guards the rotation, and the pushes that its order promises.
    peers: Lock<LoadBalancer>,
    probe: bool,
}

impl Dealer {
    pub(crate) fn new(options: &SocketOptions) -> Self {
        let peers = Lock::new(Rank::Pattern, LoadBalancer::default());
        Self { peers, probe: options.probe_router }
    }
}

impl Pattern for Dealer {
    fn traits(&self) -> &'static Traits {
        &TRAITS
    }

    // RFC 28: SHALL create a double queue when initiating an outgoing
    // connection to a peer, and SHALL maintain the double queue whether or not
    // the connection is established. / when a peer connects to it. (The line is
    // the double queue.)
    fn attach(&self, peer: &Arc<Peer>) -> Result<(), Unwelcome> {
        self.peers.lock().add(peer);
        Ok(())
    }

    fn up(
        &self,
        peer: &Arc<Peer>,
        _info: &PeerInfo,
        touched: &mut Touched,
    ) -> Result<(), Unwelcome> {
        if self.probe {
            self.peers.lock().push_to(peer, &mut Message::new(), touched);
        }
        Ok(())
    }

    // RFC 28: If this peer disconnects, the DEALER socket SHALL destroy its
    // double queue and SHALL discard any messages it contains. (Outgoing ones:
    // what came in whole is still delivered.)
    fn detach(&self, peer: &Arc<Peer>) {
        self.peers.lock().remove(peer);
    }

    fn room(&self, peer: &Arc<Peer>) {
        self.peers.lock().room(peer);
    }

    fn send(&self, _to: Option<&[u8]>, message: &mut Message, touched: &mut Touched) -> Routed {
        match self.peers.lock().send(message, touched) {
            true => Routed::Sent,
            // RFC 28: SHALL block on sending, or return a suitable error, when
            // it has no available peers. SHALL not accept further messages when
            // it has no available peers. SHALL NOT discard messages that it
            // cannot queue.
            false => Routed::Mute,
        }
    }

    // RFC 28: SHALL not filter or modify outgoing or incoming messages in any
    // way. SHALL deliver these to its calling application.
    fn accept(&self, _from: &Arc<Peer>, _delivery: &mut Delivery) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::testing::{accept, is_sent, send, up};
    use crate::routing::testing::{FakePeer, message};

    fn dealer_with(options: &SocketOptions, peers: &[&FakePeer]) -> Dealer {
        let dealer = Dealer::new(options);
        for peer in peers {
            dealer.attach(peer).unwrap();
        }
        dealer
    }

    #[test]
    fn dealer_routes_to_available_peers_round_robin() {
        let peers: Vec<_> = (0..5).map(|_| FakePeer::connected(1000)).collect();
        let dealer = dealer_with(&SocketOptions::new(), &peers.iter().collect::<Vec<_>>());
        for body in ["a", "b"] {
            for _ in &peers {
                assert!(is_sent(&send(&dealer, message([body]))));
            }
        }
        for peer in &peers {
            assert_eq!(peer.take_sent(), [message(["a"]), message(["b"])]);
        }
    }

    #[test]
    fn dealer_considers_a_peer_available_only_when_its_queue_is_not_full() {
        let [slow, fast] = [1, 10].map(FakePeer::connected);
        let dealer = dealer_with(&SocketOptions::new(), &[&slow, &fast]);
        for _ in 0..6 {
            assert!(is_sent(&send(&dealer, message(["m"]))));
        }
        assert_eq!((slow.take_sent().len(), fast.take_sent().len()), (1, 5));
    }

    #[test]
    fn dealer_is_mute_without_available_peers_and_discards_nothing() {
        let dealer = dealer_with(&SocketOptions::new(), &[]);
        let whole = message(["m", "n"]);
        assert_eq!(send(&dealer, whole.clone()), Routed::Mute);
        let peer = FakePeer::connected(1);
        dealer.attach(&peer).unwrap();
        assert!(is_sent(&send(&dealer, message(["first"]))));
        assert_eq!(send(&dealer, whole.clone()), Routed::Mute);
        peer.take_sent();
        dealer.room(&peer);
        assert!(is_sent(&send(&dealer, whole.clone())));
    }

    #[test]
    fn dealer_maintains_the_queue_of_an_endpoint_whether_or_not_it_is_connected() {
        let peer = FakePeer::connected(10);
        let dealer = dealer_with(&SocketOptions::new(), &[&peer]);
        dealer.down(&peer);
        assert!(is_sent(&send(&dealer, message(["between"]))));
        assert_eq!(peer.take_sent(), [message(["between"])]);
    }

    #[test]
    fn dealer_destroys_the_queue_of_a_peer_that_disconnects() {
        let [leaving, staying] = [10, 10].map(FakePeer::accepted);
        let dealer = dealer_with(&SocketOptions::new(), &[&leaving, &staying]);
        dealer.detach(&leaving);
        for _ in 0..4 {
            assert!(is_sent(&send(&dealer, message(["m"]))));
        }
        assert_eq!((leaving.take_sent().len(), staying.take_sent().len()), (0, 4));
        assert!(accept(&dealer, &leaving, message(["late"])).is_some());
    }

    #[test]
    fn dealer_does_not_filter_or_modify_messages() {
        let peer = FakePeer::connected(10);
        let dealer = dealer_with(&SocketOptions::new(), &[&peer]);
        for frames in [vec![""], vec!["", ""], vec!["a", "", "b"]] {
            assert!(is_sent(&send(&dealer, message(frames.clone()))));
            assert_eq!(peer.take_sent(), [message(frames.clone())]);
            let delivery = accept(&dealer, &peer, message(frames.clone())).unwrap();
            assert_eq!((delivery.message, delivery.from), (message(frames), None));
        }
    }

    #[test]
    fn probe_router_sends_one_empty_message_per_connection() {
        for (probe, probes) in [(false, 0), (true, 2)] {
            let peer = FakePeer::connected(10);
            let dealer = dealer_with(&SocketOptions::new().probe_router(probe), &[&peer]);
            for _ in 0..2 {
                up(&dealer, &peer, "").unwrap();
                dealer.down(&peer);
            }
            assert_eq!(peer.take_sent(), vec![message([""]); probes]);
        }
    }
}
