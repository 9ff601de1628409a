//! [`LoadBalancer`]: outgoing messages in turn to the peers that have room
//! (RFC 28, RFC 30).

use std::sync::Arc;

use crate::message::Message;
use crate::pipe::{Line, NeedsFlush, Peer, Refused, Touched};

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
/// A peer is in exactly one of the two; one that has gone is in neither. Each
/// has a seat, whose number the peer keeps, and those available sit in a circle:
/// whatever happens to a peer, and however many there are, is done in a few
/// steps.
#[derive(Default)]
pub(crate) struct LoadBalancer {
    seats: Vec<Option<Seat>>,
    vacant: Vec<u32>,
    /// Whose turn it is; the back of the queue is right before that. `None` if
    /// nobody is available.
    turn: Option<u32>,
}

/// Where a peer sits, until anything happens to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place(u32);

struct Seat {
    peer: Arc<Peer>,
    /// Who sits beside it in the circle; `None` while the peer is full.
    circle: Option<Neighbours>,
}

#[derive(Clone, Copy)]
struct Neighbours {
    before: u32,
    after: u32,
}

impl LoadBalancer {
    /// Adds a peer; its first turn comes after everybody else's.
    pub(crate) fn add(&mut self, peer: &Arc<Peer>) {
        let seat = Seat { peer: Arc::clone(peer), circle: None };
        let place = self.vacant.pop().unwrap_or_else(|| {
            self.seats.push(None);
            u32::try_from(self.seats.len() - 1).expect("more peers than a system has ports")
        });
        self.seats[place as usize] = Some(seat);
        peer.place.set(Some(place));
        self.join(place);
    }

    /// Forgets a peer, if it is still here.
    pub(crate) fn remove(&mut self, peer: &Peer) {
        let Some(place) = peer.place.get() else { return };
        self.leave(place);
        self.seats[place as usize] = None;
        self.vacant.push(place);
        peer.place.set(None);
    }

    /// A full peer has room again. Its place in the rotation is the last.
    pub(crate) fn room(&mut self, peer: &Peer) {
        let Some(place) = peer.place.get() else { return };
        if self.seat(place).circle.is_none() {
            self.join(place);
        }
    }

    /// Sends to the next peer that has room; false if there is none.
    #[inline(always)] // Once for every message, and from two places.
    pub(crate) fn send(&mut self, message: &mut Message, touched: &mut Touched) -> bool {
        self.send_with(message, touched, |line, message| line.push(message)).is_some()
    }

    /// As [`send`](Self::send), where `push` gives the message to a line; says in which
    /// place the peer is.
    #[inline(always)]
    pub(crate) fn send_with(
        &mut self,
        message: &mut Message,
        touched: &mut Touched,
        push: impl Fn(&dyn Line, &mut Message) -> Result<NeedsFlush, Refused>,
    ) -> Option<Place> {
        while let Some(place) = self.turn {
            let seat = self.seat(place);
            match push(&*seat.peer.line, message) {
                Ok(needs) => {
                    touched.note(needs, &seat.peer.line);
                    // RFC 28, 30: SHALL route outgoing messages to available
                    // peers using a round-robin strategy.
                    self.turn = seat.circle.map(|circle| circle.after);
                    return Some(Place(place));
                }
                // RFC 28, 30: SHALL consider a peer as available only when it
                // has a outgoing queue that is not full.
                Err(Refused::Full) => self.leave(place),
                Err(Refused::Gone) => {
                    let peer = Arc::clone(&seat.peer);
                    self.remove(&peer);
                }
            }
        }
        None
    }

    /// Who was sent to.
    pub(crate) fn peer_at(&self, place: Place) -> &Arc<Peer> {
        &self.seat(place.0).peer
    }

    /// Pushes to one peer out of turn, unless it is full or gone.
    pub(crate) fn push_to(&self, peer: &Peer, message: &mut Message, touched: &mut Touched) {
        if peer.place.get().is_none() {
            return;
        }
        if let Ok(needs) = peer.line.push(message) {
            touched.note(needs, &peer.line);
        }
    }

    /// Puts a peer at the back of the circle.
    fn join(&mut self, place: u32) {
        // Alone at first, then between the last and the first.
        self.seat_mut(place).circle = Some(Neighbours { before: place, after: place });
        let first = *self.turn.get_or_insert(place);
        let last = self.seat(first).circle.map_or(place, |circle| circle.before);
        self.link(last, place);
        self.link(place, first);
    }

    /// Takes a peer out of the circle, if it is there. If it was its turn, it is
    /// the next one's.
    fn leave(&mut self, place: u32) {
        let Some(Neighbours { before, after }) = self.seat_mut(place).circle.take() else { return };
        if after == place {
            self.turn = None;
            return;
        }
        self.link(before, after);
        if self.turn == Some(place) {
            self.turn = Some(after);
        }
    }

    /// Makes two that sit in the circle neighbours.
    fn link(&mut self, before: u32, after: u32) {
        if let Some(circle) = &mut self.seat_mut(before).circle {
            circle.after = after;
        }
        if let Some(circle) = &mut self.seat_mut(after).circle {
            circle.before = before;
        }
    }

    #[inline]
    fn seat(&self, place: u32) -> &Seat {
        self.seats[place as usize].as_ref().expect("a peer with a place has a seat")
    }

    fn seat_mut(&mut self, place: u32) -> &mut Seat {
        self.seats[place as usize].as_mut().expect("a peer with a place has a seat")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipe::PeerKey;
    use crate::routing::testing::{FakePeer, message};

    fn balance(peers: &[&FakePeer]) -> LoadBalancer {
        let mut balancer = LoadBalancer::default();
        for peer in peers {
            balancer.add(peer);
        }
        balancer
    }

    fn send(balancer: &mut LoadBalancer, body: &'static str) -> Option<PeerKey> {
        let mut touched = Touched::default();
        let sent = balancer
            .send_with(&mut message([body]), &mut touched, |line, message| line.push(message));
        let sent = sent.map(|place| balancer.peer_at(place).key);
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
        balancer.add(&c);
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
        balancer.room(&a);
        let turns: Vec<_> = (0..2).filter_map(|_| send(&mut balancer, "m")).collect();
        assert_eq!(turns, [b.key, a.key]);
    }

    #[test]
    fn room_of_a_peer_that_was_not_full_gives_it_no_second_turn() {
        let [a, b] = [FakePeer::accepted(100), FakePeer::accepted(100)];
        let mut balancer = balance(&[&a, &b]);
        balancer.room(&a);
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
        balancer.room(&a);
        assert_eq!(send(&mut balancer, "m"), Some(b.key));
    }

    #[test]
    fn message_stays_as_it_is_when_nobody_has_room() {
        let a = FakePeer::accepted(1);
        let mut balancer = balance(&[&a]);
        assert!(send(&mut balancer, "1").is_some());
        let mut second = message(["2", "x"]);
        assert!(!balancer.send(&mut second, &mut Touched::default()));
        assert_eq!(second, message(["2", "x"]));
    }

    #[test]
    fn removed_peer_gets_nothing_full_or_not() {
        let [a, b, c] = [1, 100, 100].map(FakePeer::accepted);
        let mut balancer = balance(&[&a, &b, &c]);
        for _ in 0..4 {
            send(&mut balancer, "m");
        }
        balancer.remove(&a);
        balancer.remove(&b);
        a.take_sent();
        balancer.room(&a);
        for _ in 0..3 {
            assert_eq!(send(&mut balancer, "m"), Some(c.key));
        }
    }

    #[test]
    fn those_who_leave_do_not_disturb_the_turns_of_the_others() {
        let peers: Vec<_> = (0..4).map(|_| FakePeer::accepted(100)).collect();
        let mut balancer = balance(&peers.iter().collect::<Vec<_>>());
        assert_eq!(send(&mut balancer, "m"), Some(peers[0].key));
        // Whose turn it is, one in between, and the one that was last.
        balancer.remove(&peers[1]);
        assert_eq!(send(&mut balancer, "m"), Some(peers[2].key));
        balancer.remove(&peers[0]);
        balancer.remove(&peers[0]);
        for peer in [&peers[3], &peers[2], &peers[3]] {
            assert_eq!(send(&mut balancer, "m"), Some(peer.key));
        }
        // A newcomer gets the seat of one that left, and the last turn.
        let newcomer = FakePeer::accepted(100);
        balancer.add(&newcomer);
        balancer.room(&peers[0]);
        for peer in [&peers[2], &peers[3], &newcomer, &peers[2]] {
            assert_eq!(send(&mut balancer, "m"), Some(peer.key));
        }
        assert_eq!(balancer.seats.len(), 4);
    }

    #[test]
    fn when_the_last_one_leaves_nobody_is_left() {
        let [a, b] = [1, 1].map(FakePeer::accepted);
        let mut balancer = balance(&[&a, &b]);
        balancer.remove(&a);
        assert_eq!(send(&mut balancer, "m"), Some(b.key));
        assert_eq!(send(&mut balancer, "m"), None);
        balancer.remove(&b);
        balancer.add(&a);
        assert_eq!(send(&mut balancer, "m"), Some(a.key));
    }

    #[test]
    fn pushing_out_of_turn_leaves_the_turns_alone() {
        let [a, b] = [FakePeer::accepted(100), FakePeer::accepted(100)];
        let mut balancer = balance(&[&a, &b]);
        let mut touched = Touched::default();
        balancer.push_to(&b, &mut message(["probe"]), &mut touched);
        touched.flush();
        assert_eq!(b.take_sent(), [message(["probe"])]);
        assert_eq!(send(&mut balancer, "m"), Some(a.key));
    }
}
