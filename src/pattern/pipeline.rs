//! PUSH and PULL (RFC 30): each message to one of many workers, and together
//! again.

use std::sync::Arc;

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::{Delivery, Pattern, Routed, SendRefusal, Touched};
use crate::peer::Unwelcome;
use crate::pipe::{Peer, Traits};
use crate::routing::LoadBalancer;
use crate::sync::{Lock, Rank};

/// What a peer sends is read and discarded, so that its commands and its end are
/// seen although nobody receives.
const PUSH: Traits = Traits { takes_at_once: true, ..Traits::PLAIN };

const PULL: Traits = Traits { passes: true, ..Traits::PLAIN };

/// PUSH sends each message to the next peer that has room.
pub(crate) struct Push {
    /// Guards the rotation, and the pushes that its order promises.
    peers: Lock<LoadBalancer>,
}

impl Push {
    pub(crate) fn new(_options: &SocketOptions) -> Self {
        Self { peers: Lock::new(Rank::Pattern, LoadBalancer::default()) }
    }
}

impl Pattern for Push {
    fn traits(&self) -> &'static Traits {
        &PUSH
    }

    // RFC 30: SHALL create this queue when initiating an outgoing connection to
    // a peer, and SHALL maintain the queue whether or not the connection is
    // established. / when a peer connects to it. (The line is the queue.)
    fn attach(&self, peer: &Arc<Peer>) -> Result<(), Unwelcome> {
        self.peers.lock().add(peer);
        Ok(())
    }

    // RFC 30: If this peer disconnects, the PUSH socket SHALL destroy its queue
    // and SHALL discard any messages it contains.
    fn detach(&self, peer: &Arc<Peer>) {
        self.peers.lock().remove(peer);
    }

    fn room(&self, peer: &Arc<Peer>) {
        self.peers.lock().room(peer);
    }

    fn send(&self, _to: Option<&[u8]>, message: &mut Message, touched: &mut Touched) -> Routed {
        match self.peers.lock().send(message, touched) {
            true => Routed::Sent,
            // RFC 30: SHALL block on sending, or return a suitable error, when
            // it has no available peers. SHALL not accept further messages when
            // it has no available peers. SHALL NOT discard messages that it
            // cannot queue.
            false => Routed::Mute,
        }
    }

    // RFC 30: (PUSH) SHALL only send messages.
    fn accept(&self, _from: &Arc<Peer>, _delivery: &mut Delivery) -> bool {
        false
    }
}

/// PULL receives from all peers; the fairness is the socket's.
pub(crate) struct Pull;

impl Pull {
    pub(crate) fn new(_options: &SocketOptions) -> Self {
        Self
    }
}

impl Pattern for Pull {
    fn traits(&self) -> &'static Traits {
        &PULL
    }

    fn attach(&self, _peer: &Arc<Peer>) -> Result<(), Unwelcome> {
        Ok(())
    }

    fn detach(&self, _peer: &Arc<Peer>) {}

    // RFC 30: (PULL) SHALL only receive messages.
    fn send(&self, _to: Option<&[u8]>, _message: &mut Message, _touched: &mut Touched) -> Routed {
        Routed::Refused(SendRefusal::OutOfTurn)
    }

    // RFC 30: SHALL not filter or modify incoming messages in any way. SHALL
    // deliver these to its calling application.
    fn accept(&self, _from: &Arc<Peer>, _delivery: &mut Delivery) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Delivered;
    use crate::pattern::testing::{accept, is_sent, send};
    use crate::pipe::Item;
    use crate::routing::testing::{FakePeer, message};

    fn push_to(peers: &[&FakePeer]) -> Push {
        let push = Push::new(&SocketOptions::new());
        for peer in peers {
            push.attach(peer).unwrap();
        }
        push
    }

    #[test]
    fn push_routes_to_available_peers_round_robin() {
        let peers: Vec<_> = (0..5).map(|_| FakePeer::connected(1000)).collect();
        let push = push_to(&peers.iter().collect::<Vec<_>>());
        for body in ["a", "b"] {
            for _ in &peers {
                assert!(is_sent(&send(&push, message([body]))));
            }
        }
        for peer in &peers {
            assert_eq!(peer.take_sent(), [message(["a"]), message(["b"])]);
        }
    }

    #[test]
    fn push_considers_a_peer_available_only_when_its_queue_is_not_full() {
        let [slow, fast] = [1, 10].map(FakePeer::connected);
        let push = push_to(&[&slow, &fast]);
        for _ in 0..6 {
            assert!(is_sent(&send(&push, message(["m"]))));
        }
        assert_eq!((slow.take_sent().len(), fast.take_sent().len()), (1, 5));
    }

    #[test]
    fn push_is_mute_without_available_peers_and_discards_nothing() {
        let push = push_to(&[]);
        let whole = message(["m", "n"]);
        assert_eq!(send(&push, whole.clone()), Routed::Mute);

        let peer = FakePeer::connected(1);
        push.attach(&peer).unwrap();
        assert!(is_sent(&send(&push, message(["first"]))));
        assert_eq!(send(&push, whole.clone()), Routed::Mute);

        assert_eq!(peer.take_sent(), [message(["first"])]);
        push.room(&peer);
        assert!(is_sent(&send(&push, whole.clone())));
        assert_eq!(peer.take_sent(), [whole]);
    }

    #[test]
    fn push_does_not_filter_or_modify_outgoing_messages() {
        let peer = FakePeer::connected(10);
        let push = push_to(&[&peer]);
        for frames in [vec![""], vec!["", ""], vec!["a", "", "b"]] {
            assert!(is_sent(&send(&push, message(frames.clone()))));
            assert_eq!(peer.take_sent(), [message(frames)]);
        }
    }

    #[test]
    fn push_maintains_the_queue_of_an_endpoint_whether_or_not_it_is_connected() {
        let peer = FakePeer::connected(10);
        let push = push_to(&[&peer]);
        assert!(is_sent(&send(&push, message(["before"]))));
        push.down(&peer);
        assert!(is_sent(&send(&push, message(["between"]))));
    }

    #[test]
    fn push_destroys_the_queue_of_a_peer_that_disconnects() {
        let [leaving, staying] = [10, 10].map(FakePeer::accepted);
        let push = push_to(&[&leaving, &staying]);
        push.detach(&leaving);
        for _ in 0..4 {
            assert!(is_sent(&send(&push, message(["m"]))));
        }
        assert_eq!((leaving.take_sent().len(), staying.take_sent().len()), (0, 4));
        push.detach(&staying);
        assert_eq!(send(&push, message(["m"])), Routed::Mute);
    }

    #[test]
    fn push_only_sends() {
        let peer = FakePeer::accepted(10);
        let push = push_to(&[&peer]);
        assert!(push.traits().takes_at_once);
        let item = Item::Message(message(["m"]));
        let done = push.deliver(&peer, item, &mut Touched::default());
        assert_eq!(done, Delivered { readable: false, discarded: 1 });
        assert!(accept(&push, &peer, message(["m"])).is_none());
    }

    #[test]
    fn pull_only_receives() {
        let pull = Pull::new(&SocketOptions::new());
        pull.attach(&FakePeer::accepted(10)).unwrap();
        assert!(matches!(send(&pull, message(["m"])), Routed::Refused(..)));
    }

    #[test]
    fn pull_does_not_filter_or_modify_incoming_messages() {
        let peer = FakePeer::accepted(10);
        let pull = Pull::new(&SocketOptions::new());
        pull.attach(&peer).unwrap();
        pull.detach(&peer);
        for frames in [vec![""], vec!["", ""], vec!["a", "", "b"]] {
            let delivery = accept(&pull, &peer, message(frames.clone())).unwrap();
            assert_eq!((delivery.message, delivery.from), (message(frames), None));
        }
    }
}
