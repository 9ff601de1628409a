//! [`FairQueue`]: whose turn it is to be read from (RFC 28, 29, 30:
//! "incoming messages SHALL be received in a fair-queued fashion").

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

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

/// What listing a peer met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    /// It is listed now, or was.
    Listed,
    /// Somebody has its turn, and will look again.
    InTurn,
}

/// The peers that have something to read, in the order of their turns.
#[derive(Debug)]
pub(crate) struct FairQueue<P>(VecDeque<Arc<P>>);

impl<P> Default for FairQueue<P> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<P: AsRef<Turn>> FairQueue<P> {
    /// Puts a peer at the end, unless it is there already.
    pub(crate) fn list(&mut self, peer: Arc<P>) -> Listing {
        let turn = (*peer).as_ref();
        match turn.get() {
            ARMED => {
                turn.set(LISTED);
                self.0.push_back(peer);
                Listing::Listed
            }
            LISTED => Listing::Listed,
            _ => {
                turn.set(IN_TURN_AGAIN);
                Listing::InTurn
            }
        }
    }

    /// Gives the first peer its turn; [`end_turn`](Self::end_turn) must follow.
    pub(crate) fn take_turn(&mut self) -> Option<Arc<P>> {
        let peer = self.0.pop_front()?;
        (*peer).as_ref().set(IN_TURN);
        Some(peer)
    }

    /// Ends a turn. With `more`, or if something happened meanwhile, the peer
    /// goes to the end of the queue.
    pub(crate) fn end_turn(&mut self, peer: Arc<P>, more: bool) {
        let turn = (*peer).as_ref();
        if more || turn.get() == IN_TURN_AGAIN {
            turn.set(LISTED);
            self.0.push_back(peer);
        } else {
            turn.set(ARMED);
        }
    }

    /// Whether no peer is listed.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The peers that are listed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<P>> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Peer(char, Turn);

    impl AsRef<Turn> for Peer {
        fn as_ref(&self) -> &Turn {
            &self.1
        }
    }

    fn peer(name: char) -> Arc<Peer> {
        Arc::new(Peer(name, Turn::default()))
    }

    #[test]
    fn peers_with_more_alternate() {
        let mut queue = FairQueue::default();
        for name in ['a', 'b', 'c'] {
            queue.list(peer(name));
        }
        let order: String = (0..6)
            .map(|_| {
                let peer = queue.take_turn().unwrap();
                let name = peer.0;
                queue.end_turn(peer, true);
                name
            })
            .collect();
        assert_eq!(order, "abcabc");
    }

    #[test]
    fn a_peer_is_listed_once() {
        let mut queue = FairQueue::default();
        let a = peer('a');
        assert_eq!(queue.list(Arc::clone(&a)), Listing::Listed);
        assert_eq!(queue.list(a), Listing::Listed);
        let a = queue.take_turn().unwrap();
        assert!(queue.take_turn().is_none());
        queue.end_turn(a, false);
        assert!(queue.is_empty());
    }

    #[test]
    fn an_event_during_the_turn_is_not_lost() {
        let mut queue = FairQueue::default();
        queue.list(peer('a'));
        let a = queue.take_turn().unwrap();
        assert_eq!(queue.list(Arc::clone(&a)), Listing::InTurn);
        queue.end_turn(a, false);
        assert!(queue.take_turn().is_some());
    }
}
