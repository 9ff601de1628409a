//! [`LoadBalancer`]: outgoing messages in turn to the peers that have room
//! (RFC 28, RFC 30).

use std::collections::VecDeque;
use std::sync::Arc;

use crate::message::Message;
use crate::pipe::{Outlet, PeerKey, Refused, Touched};
use crate::routing::PeerMap;

/// The peers of a socket that sends to one at a time.
///
/// ```text
///          sent: to the back
///         ┌──────────────────┐
///         ▼                  │        refused: full
///   ─► available ─► … ─► its turn ──────────────────► full
///         ▲                                            │
///         └────────────── room: to the back ───────────┘
/// ```
/// A peer is in exactly one of the two places; one that has gone is in neither.
#[derive(Default)]
pub(crate) struct LoadBalancer {
    /// In the order of their turns.
    available: VecDeque<Peer>,
    full: PeerMap<Arc<dyn Outlet>>,
}

struct Peer {
    key: PeerKey,
    outlet: Arc<dyn Outlet>,
}

impl LoadBalancer {
    /// Adds a peer; its first turn comes after everybody else's.
    pub(crate) fn add(&mut self, key: PeerKey, outlet: Arc<dyn Outlet>) {
        self.available.push_back(Peer { key, outlet });
    }

    /// Forgets a peer. This looks at every peer, which departures can afford.
    pub(crate) fn remove(&mut self, key: PeerKey) {
        if self.full.remove(&key).is_none() {
            self.available.retain(|peer| peer.key != key);
        }
    }

    /// A full peer has room again. Its place in the rotation is the last.
    pub(crate) fn room(&mut self, key: PeerKey) {
        if let Some(outlet) = self.full.remove(&key) {
            self.add(key, outlet);
        }
    }

    /// Sends to the next peer that has room; says which. Gives the message
    /// back if there is none.
    pub(crate) fn send(
        &mut self,
        mut message: Message,
        touched: &mut Touched,
    ) -> Result<PeerKey, Message> {
        while !self.available.is_empty() {
            match self.send_next(message, touched) {
                Ok(key) => return Ok(key),
                Err(refused) => message = refused,
            }
        }
        Err(message)
    }

    /// The peer that [`send_next`](Self::send_next) will try: the next one
    /// with room.
    pub(crate) fn peek(&mut self) -> Option<PeerKey> {
        while let Some(next) = self.available.front() {
            if next.outlet.has_room() {
                return Some(next.key);
            }
            self.set_aside();
        }
        None
    }

    /// Tries the one peer whose turn it is. If it refuses, it is out of the
    /// rotation and the turn is the next one's.
    pub(crate) fn send_next(
        &mut self,
        message: Message,
        touched: &mut Touched,
    ) -> Result<PeerKey, Message> {
        let Some(Peer { key, outlet }) = self.available.front() else {
            return Err(message);
        };
        match outlet.push(message) {
            Ok(needs) => {
                touched.note(needs, outlet);
                let key = *key;
                // RFC 28, 30: SHALL route outgoing messages to available peers
                // using a round-robin strategy.
                if self.available.len() > 1 {
                    self.available.rotate_left(1);
                }
                Ok(key)
            }
            // RFC 28, 30: SHALL consider a peer as available only when it has a
            // outgoing queue that is not full.
            Err(Refused::Full(message)) => {
                self.set_aside();
                Err(message)
            }
            Err(Refused::Gone(message)) => {
                self.available.pop_front();
                Err(message)
            }
        }
    }

    /// Pushes to one peer out of turn, unless it is full or gone. This looks
    /// at every peer, which a new connection can afford.
    pub(crate) fn push_to(&self, key: PeerKey, message: Message, touched: &mut Touched) {
        let available = || self.available.iter().find(|peer| peer.key == key);
        let outlet = self.full.get(&key).or_else(|| Some(&available()?.outlet));
        if let Some(outlet) = outlet {
            if let Ok(needs) = outlet.push(message) {
                touched.note(needs, outlet);
            }
        }
    }

    /// Takes the peer whose turn it is out of the rotation until it has room.
    fn set_aside(&mut self) {
        if let Some(peer) = self.available.pop_front() {
            self.full.insert(peer.key, peer.outlet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::testing::{FakePeer, message};

    fn balance(peers: &[&Arc<FakePeer>]) -> LoadBalancer {
        let mut balancer = LoadBalancer::default();
        for peer in peers {
            balancer.add(peer.key, peer.pipe().outlet);
        }
        balancer
    }

    fn send(balancer: &mut LoadBalancer, body: &'static str) -> Option<PeerKey> {
        let mut touched = Touched::default();
        let sent = balancer.send(message([body]), &mut touched).ok();
        touched.flush();
        sent
    }

    #[test]
    fn every_peer_gets_one_message_per_round() {
        let peers: Vec<_> = (0..5).map(|_| FakePeer::accepted(100)).collect();
        let mut balancer = balance(&peers.iter().collect::<Vec<_>>());
        for _ in 0..3 {
            for peer in &peers {
                assert_eq!(send(&mut balancer, "m"), Some(peer.key));
            }
        }
    }

    #[test]
    fn new_peer_waits_for_the_others() {
        let [a, b, c] = [(); 3].map(|()| FakePeer::accepted(100));
        let mut balancer = balance(&[&a, &b]);
        assert_eq!(send(&mut balancer, "1"), Some(a.key));
        balancer.add(c.key, c.pipe().outlet);
        let turns: Vec<_> = (0..3).filter_map(|_| send(&mut balancer, "m")).collect();
        assert_eq!(turns, [b.key, a.key, c.key]);
    }

    #[test]
    fn full_peer_is_skipped_until_it_has_room() {
        let [a, b] = [FakePeer::accepted(1), FakePeer::accepted(100)];
        let mut balancer = balance(&[&a, &b]);
        let turns: Vec<_> = (0..4).filter_map(|_| send(&mut balancer, "m")).collect();
        assert_eq!(turns, [a.key, b.key, b.key, b.key]);
        a.take_sent();
        balancer.room(a.key);
        let turns: Vec<_> = (0..2).filter_map(|_| send(&mut balancer, "m")).collect();
        assert_eq!(turns, [b.key, a.key]);
    }

    #[test]
    fn room_of_a_peer_that_was_not_full_gives_it_no_second_turn() {
        let [a, b] = [FakePeer::accepted(100), FakePeer::accepted(100)];
        let mut balancer = balance(&[&a, &b]);
        balancer.room(a.key);
        let turns: Vec<_> = (0..3).filter_map(|_| send(&mut balancer, "m")).collect();
        assert_eq!(turns, [a.key, b.key, a.key]);
    }

    #[test]
    fn gone_peer_loses_its_turn_but_not_the_message() {
        let [a, b] = [FakePeer::accepted(100), FakePeer::accepted(100)];
        let mut balancer = balance(&[&a, &b]);
        a.depart();
        assert_eq!(send(&mut balancer, "m"), Some(b.key));
        assert_eq!(b.take_sent(), [message(["m"])]);
        balancer.room(a.key);
        assert_eq!(send(&mut balancer, "m"), Some(b.key));
    }

    #[test]
    fn message_comes_back_when_nobody_has_room() {
        let a = FakePeer::accepted(1);
        let mut balancer = balance(&[&a]);
        assert!(send(&mut balancer, "1").is_some());
        let back = balancer.send(message(["2", "x"]), &mut Touched::default());
        assert_eq!(back, Err(message(["2", "x"])));
    }

    #[test]
    fn removed_peer_gets_nothing_full_or_not() {
        let [a, b, c] = [1, 100, 100].map(FakePeer::accepted);
        let mut balancer = balance(&[&a, &b, &c]);
        for _ in 0..4 {
            send(&mut balancer, "m");
        }
        balancer.remove(a.key);
        balancer.remove(b.key);
        a.take_sent();
        balancer.room(a.key);
        for _ in 0..3 {
            assert_eq!(send(&mut balancer, "m"), Some(c.key));
        }
    }

    #[test]
    fn peek_names_the_peer_that_is_sent_to() {
        let [a, b] = [1, 100].map(FakePeer::accepted);
        let mut balancer = balance(&[&a, &b]);
        for peer in [&a, &b, &b] {
            assert_eq!(balancer.peek(), Some(peer.key));
            assert_eq!(balancer.send_next(message(["m"]), &mut Touched::default()), Ok(peer.key));
        }
    }

    #[test]
    fn pushing_out_of_turn_leaves_the_turns_alone() {
        let [a, b] = [FakePeer::accepted(100), FakePeer::accepted(100)];
        let mut balancer = balance(&[&a, &b]);
        let mut touched = Touched::default();
        balancer.push_to(b.key, message(["probe"]), &mut touched);
        touched.flush();
        assert_eq!(b.take_sent(), [message(["probe"])]);
        assert_eq!(send(&mut balancer, "m"), Some(a.key));
    }
}
