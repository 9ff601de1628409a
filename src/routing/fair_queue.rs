//! [`FairQueue`]: whose turn it is to be read from (RFC 28, 29, 30:
//! "incoming messages SHALL be received in a fair-queued fashion").

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::message::Message;
use crate::pipe::PeerKey;

/// Where a peer stands in a [`FairQueue`], kept with the peer.
///
/// ```text
///            list               take               list
///   armed ─────────► listed ─────────► in turn ─────────► in turn, again
///     ▲                 ▲                 │                      │
///     │                 └──── more ───────┤                      │
///     │                 ▲                 │                      │
///     │                 └─────────────────│────── end_turn ──────┘
///     └──────────── nothing more ─────────┘
/// ```
/// A turn is the sole right to read from the peer. An event that comes during
/// a turn may concern octets that the turn's holder has not seen, so the peer
/// is listed again when the turn ends.
#[derive(Debug, Default)]
pub(crate) struct Turn(AtomicU8);

const ARMED: u8 = 0;
const LISTED: u8 = 1;
const IN_TURN: u8 = 2;
const IN_TURN_AGAIN: u8 = 3;

impl Turn {
    // Every access is under the lock of the one queue the peer belongs to.
    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, state: u8) {
        self.0.store(state, Ordering::Relaxed);
    }
}

/// A peer with something to read, and what was read of it already.
#[derive(Debug)]
pub(crate) struct Listed<P> {
    pub(crate) peer: Arc<P>,
    /// Messages in hand, so that not each one costs a look at the peer. A peer
    /// that is armed has none.
    pub(crate) stash: VecDeque<Message>,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum NextTurn<P> {
    /// A message was in hand; whose it is.
    InHand(PeerKey),
    /// A peer to be read from; [`FairQueue::end_turn`] must follow.
    Read(Listed<P>),
}

/// What listing a peer met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    /// It is listed now, or was.
    Listed,
    /// Somebody has its turn, and will look again.
    InTurn,
}

/// The peers that have something to read, in the order of their turns. However
/// many messages are in hand of each, a turn is one message.
#[derive(Debug)]
pub(crate) struct FairQueue<P>(VecDeque<Listed<P>>);

impl<P> Default for FairQueue<P> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<P: AsRef<Turn> + AsRef<PeerKey>> FairQueue<P> {
    fn turn(peer: &P) -> &Turn {
        peer.as_ref()
    }

    /// Puts a peer at the end, unless it is there already.
    pub(crate) fn list(&mut self, peer: Arc<P>) -> Listing {
        match Self::turn(&peer).get() {
            ARMED => {
                Self::turn(&peer).set(LISTED);
                self.0.push_back(Listed { peer, stash: VecDeque::new() });
                Listing::Listed
            }
            LISTED => Listing::Listed,
            _ => {
                Self::turn(&peer).set(IN_TURN_AGAIN);
                Listing::InTurn
            }
        }
    }

    /// Gives the first peer its turn. If a message of it is in hand, the turn is
    /// over with that, and the message is in `message`.
    #[inline]
    pub(crate) fn next_turn(&mut self, message: &mut Message) -> Option<NextTurn<P>> {
        let first = self.0.front_mut()?;
        if let Some(in_hand) = first.stash.pop_front() {
            *message = in_hand;
            let key = *AsRef::<PeerKey>::as_ref(&*first.peer);
            if self.0.len() > 1 {
                self.0.rotate_left(1);
            }
            return Some(NextTurn::InHand(key));
        }
        let listed = self.0.pop_front()?;
        Self::turn(&listed.peer).set(IN_TURN);
        Some(NextTurn::Read(listed))
    }

    /// Ends a turn. With `more`, with messages in hand, or if something happened
    /// meanwhile, the peer goes to the end of the queue. In the last case it is
    /// returned: whoever reported the event was told that somebody would look.
    #[must_use]
    pub(crate) fn end_turn(&mut self, listed: Listed<P>, more: bool) -> Option<Arc<P>> {
        let turn = Self::turn(&listed.peer);
        let event = turn.get() == IN_TURN_AGAIN;
        if !(event || more || !listed.stash.is_empty()) {
            turn.set(ARMED);
            return None;
        }
        turn.set(LISTED);
        let peer = event.then(|| Arc::clone(&listed.peer));
        self.0.push_back(listed);
        peer
    }

    /// Takes a peer that has nothing more to be read out of the queue, or says
    /// no: a message of it is in hand, or somebody has its turn. This looks at
    /// every peer that is listed, which departures can afford.
    #[must_use]
    pub(crate) fn retire(&mut self, peer: &Arc<P>) -> bool {
        match Self::turn(peer).get() {
            ARMED => true,
            LISTED => {
                let spent = |it: &Listed<P>| Arc::ptr_eq(&it.peer, peer) && it.stash.is_empty();
                let Some(index) = self.0.iter().position(spent) else { return false };
                self.0.remove(index);
                Self::turn(peer).set(ARMED);
                true
            }
            _ => false,
        }
    }

    /// Whether no peer is listed.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The peers that are listed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<P>> {
        self.0.iter().map(|listed| &listed.peer)
    }

    /// Forgets what is in hand of the peers that `is_meant`; says how many
    /// messages that were.
    pub(crate) fn discard(&mut self, is_meant: impl Fn(&P) -> bool) -> usize {
        let meant = self.0.iter_mut().filter(|listed| is_meant(&listed.peer));
        meant.map(|listed| listed.stash.drain(..).count()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Peer(PeerKey, Turn);

    impl AsRef<Turn> for Peer {
        fn as_ref(&self) -> &Turn {
            &self.1
        }
    }

    impl AsRef<PeerKey> for Peer {
        fn as_ref(&self) -> &PeerKey {
            &self.0
        }
    }

    fn peer() -> Arc<Peer> {
        Arc::new(Peer(PeerKey::unique(), Turn::default()))
    }

    fn read(queue: &mut FairQueue<Peer>) -> Listed<Peer> {
        match queue.next_turn(&mut Message::new()) {
            Some(NextTurn::Read(listed)) => listed,
            other => panic!("{}", other.is_some()),
        }
    }

    #[test]
    fn peers_with_more_alternate() {
        let mut queue = FairQueue::default();
        let peers: Vec<_> = (0..3).map(|_| peer()).collect();
        for peer in &peers {
            queue.list(peer.clone());
        }
        for turn in 0..6 {
            let listed = read(&mut queue);
            assert_eq!(listed.peer.0, peers[turn % 3].0);
            assert!(queue.end_turn(listed, true).is_none());
        }
    }

    #[test]
    fn messages_in_hand_alternate_too() {
        let mut queue = FairQueue::default();
        let peers = [peer(), peer()];
        for peer in &peers {
            queue.list(peer.clone());
        }
        for mut listed in [read(&mut queue), read(&mut queue)] {
            listed.stash.extend([Message::from("1"), Message::from("2")]);
            assert!(queue.end_turn(listed, false).is_none());
        }
        for turn in 0..4 {
            let next = queue.next_turn(&mut Message::new());
            let Some(NextTurn::InHand(key)) = next else { panic!("{turn}") };
            assert_eq!(key, peers[turn % 2].0);
        }
        // Each gets another look: there may be more.
        drop(read(&mut queue));
        drop(read(&mut queue));
    }

    #[test]
    fn a_peer_is_listed_once() {
        let mut queue = FairQueue::default();
        let a = peer();
        assert_eq!(queue.list(Arc::clone(&a)), Listing::Listed);
        assert_eq!(queue.list(a), Listing::Listed);
        let a = read(&mut queue);
        assert!(queue.next_turn(&mut Message::new()).is_none());
        assert!(queue.end_turn(a, false).is_none());
        assert!(queue.is_empty());
    }

    #[test]
    fn a_peer_retires_unless_a_message_is_in_hand_or_it_is_being_read() {
        let mut queue = FairQueue::default();
        let [a, b] = [peer(), peer()];
        assert!(queue.retire(&a));
        for peer in [&a, &b] {
            queue.list(Arc::clone(peer));
        }
        assert!(queue.retire(&a));
        let mut listed = read(&mut queue);
        assert!(queue.is_empty());
        assert!(!queue.retire(&b));
        listed.stash.push_back(Message::from("1"));
        assert!(queue.end_turn(listed, false).is_none());
        assert!(!queue.retire(&b));
        let next = queue.next_turn(&mut Message::new());
        assert!(matches!(next, Some(NextTurn::InHand(_))));
        assert!(queue.retire(&b));
        assert!(queue.next_turn(&mut Message::new()).is_none());
    }

    #[test]
    fn an_event_during_the_turn_is_not_lost() {
        let mut queue = FairQueue::default();
        let a = peer();
        queue.list(Arc::clone(&a));
        let listed = read(&mut queue);
        assert_eq!(queue.list(a), Listing::InTurn);
        // The one who ends the turn hears of it, too.
        assert!(queue.end_turn(listed, false).is_some());
        read(&mut queue);
    }
}
