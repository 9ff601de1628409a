//! [`Distributor`]: hands a message to every peer of a set, as PUB, XPUB and
//! XSUB do.
//!
//! A round marks the peers that are to get the message, each once however often
//! it is marked, then sends. All share the message; nothing is allocated per
//! message. A peer that is full misses it.

use std::sync::Arc;

use crate::message::Message;
use crate::pipe::{Line, NeedsFlush, Peer, Refused};

/// Where a distributor keeps a peer, until it is detached; used again after. Or
/// later, if the pattern still has to forget what belonged to the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Slot(u32);

/// The peers of a socket, each with what the pattern keeps of it. A peer knows
/// its slot by its place.
pub(crate) struct Distributor<P> {
    members: Vec<Option<Member<P>>>,
    free: Vec<Slot>,
    round: u64,
    /// The peers marked in this round.
    marked: Vec<Slot>,
    /// Peers that turned out to have left.
    gone: Vec<Arc<Peer>>,
}

/// Takes note of the lines that need a flush.
pub(crate) trait Note: FnMut(NeedsFlush, &Arc<dyn Line>) {}

impl<F: FnMut(NeedsFlush, &Arc<dyn Line>)> Note for F {}

struct Member<P> {
    peer: Arc<Peer>,
    /// The last round it was marked in.
    round: u64,
    own: P,
}

impl<P> Distributor<P> {
    pub(crate) fn new() -> Self {
        Self {
            members: Vec::new(),
            free: Vec::new(),
            round: 0,
            marked: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// Takes a peer in, unless it is here already.
    pub(crate) fn attach(&mut self, peer: &Arc<Peer>, own: P) {
        if peer.place.get().is_some() {
            return;
        }
        let member = Member { peer: Arc::clone(peer), round: 0, own };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.members[slot.0 as usize] = Some(member);
                slot
            }
            None => {
                self.members.push(Some(member));
                // A process has far fewer than 2^32 connections.
                Slot((self.members.len() - 1) as u32)
            }
        };
        peer.place.set(Some(slot.0));
    }

    /// Lets a peer go.
    pub(crate) fn detach(&mut self, peer: &Peer) -> Option<P> {
        let (slot, own) = self.vacate(peer)?;
        self.release(slot);
        Some(own)
    }

    /// Lets a peer go, and keeps its slot empty until it is
    /// [released](Self::release): marking it marks nobody.
    pub(crate) fn vacate(&mut self, peer: &Peer) -> Option<(Slot, P)> {
        let slot = Slot(peer.place.get()?);
        let member = self.members.get_mut(slot.0 as usize)?.take()?;
        peer.place.set(None);
        self.marked.retain(|&marked| marked != slot);
        Some((slot, member.own))
    }

    /// Lets others have a slot that is empty.
    pub(crate) fn release(&mut self, slot: Slot) {
        self.free.push(slot);
    }

    /// Whether nobody has a slot.
    pub(crate) fn is_vacant(&self, slot: Slot) -> bool {
        self.member(slot).is_none()
    }

    /// What the pattern keeps of a peer.
    pub(crate) fn get_mut(&mut self, peer: &Peer) -> Option<(Slot, &mut P)> {
        let slot = Slot(peer.place.get()?);
        Some((slot, self.at_mut(slot)?))
    }

    /// What the pattern keeps of the peer in a slot.
    pub(crate) fn at_mut(&mut self, slot: Slot) -> Option<&mut P> {
        let member = self.members.get_mut(slot.0 as usize)?.as_mut()?;
        Some(&mut member.own)
    }

    /// Every peer.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<Peer>, &P)> {
        self.members.iter().flatten().map(|member| (&member.peer, &member.own))
    }

    /// Begins a round: nobody is marked.
    pub(crate) fn start_round(&mut self) {
        self.round += 1;
        self.marked.clear();
    }

    /// Marks a peer, once per round.
    pub(crate) fn mark(&mut self, slot: Slot) {
        if let Some(Some(member)) = self.members.get_mut(slot.0 as usize) {
            if member.round != self.round {
                member.round = self.round;
                self.marked.push(slot);
            }
        }
    }

    /// Marks every peer.
    pub(crate) fn mark_all(&mut self) {
        for index in 0..self.members.len() {
            self.mark(Slot(index as u32));
        }
    }

    /// How many are marked.
    pub(crate) fn marked_count(&self) -> usize {
        self.marked.len()
    }

    /// Whether every marked peer would take a message. It stays true while the
    /// pattern's lock is held.
    pub(crate) fn marked_have_room(&self) -> bool {
        let mut members = self.marked.iter().filter_map(|&slot| self.member(slot));
        members.all(|member| member.peer.line.has_room())
    }

    /// Sends to the marked peers, and notes what each line said; says how many
    /// were full.
    pub(crate) fn send(&mut self, message: &Message, mut note: impl Note) -> usize {
        let marked = std::mem::take(&mut self.marked);
        let full = marked.iter().map(|&slot| self.push(slot, message, &mut note)).sum();
        self.marked = marked;
        self.marked.clear();
        full
    }

    /// The peers that had left when they were sent to, since the last call. The
    /// pattern is to detach them.
    pub(crate) fn take_gone(&mut self) -> Vec<Arc<Peer>> {
        std::mem::take(&mut self.gone)
    }

    fn push(&mut self, slot: Slot, message: &Message, note: &mut impl Note) -> usize {
        let Some(member) = self.members.get(slot.0 as usize).and_then(Option::as_ref) else {
            return 0;
        };
        match member.peer.line.push_shared(message) {
            Ok(needs) => {
                note(needs, &member.peer.line);
                0
            }
            Err(Refused::Full) => 1,
            Err(Refused::Gone) => {
                self.gone.push(Arc::clone(&member.peer));
                0
            }
        }
    }

    fn member(&self, slot: Slot) -> Option<&Member<P>> {
        self.members.get(slot.0 as usize)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::testing::FakePeer;

    fn attach(peers: &mut Distributor<()>) -> FakePeer {
        let peer = FakePeer::accepted(1);
        peers.attach(&peer, ());
        peer
    }

    #[test]
    fn a_peer_is_marked_once_per_round_and_slots_are_used_again() {
        let mut peers = Distributor::new();
        let attached = [attach(&mut peers), attach(&mut peers)];
        let mut flushes = 0;
        let slot = peers.get_mut(&attached[0]).map(|(slot, ())| slot).expect("it is attached");
        for expected in [0, 1] {
            peers.start_round();
            peers.mark(slot);
            peers.mark(slot);
            assert_eq!(peers.marked_have_room(), expected == 0);
            assert_eq!(peers.send(&Message::new(), |_, _: &_| flushes += 1), expected);
            // The round is over.
            assert_eq!(peers.send(&Message::new(), |_, _: &_| flushes += 1), 0);
        }
        assert_eq!(flushes, 1);
        peers.start_round();
        peers.mark(slot);
        assert!(peers.detach(&attached[0]).is_some() && peers.detach(&attached[0]).is_none());
        let newcomer = attach(&mut peers);
        assert_eq!(peers.get_mut(&newcomer).map(|(slot, ())| slot), Some(slot));
        // The mark was of the one who left.
        assert_eq!(peers.send(&Message::new(), |_, _: &_| flushes += 1), 0);
        assert_eq!((flushes, peers.iter().count()), (1, 2));
        assert_eq!(peers.vacate(&newcomer), Some((slot, ())));
        assert!(peers.is_vacant(slot) && newcomer.place.get().is_none());
        // It may come back, elsewhere.
        peers.attach(&newcomer, ());
        assert_ne!(peers.get_mut(&newcomer).map(|(slot, ())| slot), Some(slot));
        peers.start_round();
        peers.mark(slot);
        assert_eq!(peers.send(&Message::new(), |_, _: &_| flushes += 1), 0);
        peers.release(slot);
        let last = attach(&mut peers);
        assert_eq!(peers.get_mut(&last).map(|(slot, ())| slot), Some(slot));
        assert!(peers.detach(&last).is_some());
        peers.start_round();
        peers.mark_all();
        assert_eq!(peers.send(&Message::new(), |_, _: &_| flushes += 1), 0);
        assert_eq!(flushes, 3);
    }
}
