//! [`Peer`]: one peer of a socket, as an object that lines, patterns and the
//! socket pass around.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::sessions::Sessions;
use super::{Duty, EndpointKey, InHand, Line};
use crate::peer::{DropCause, PeerInfo};
use crate::routing_id::RoutingId;
use crate::stats::Traffic;
use crate::sync::{Lock, Rank};

/// Names one peer for as long as the process runs; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PeerKey(u64);

impl PeerKey {
    /// A key that no other peer has.
    fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// One peer of a socket: the way to it and back, and what each room keeps of it.
/// It lives as long as its endpoint (one that we dial) or its connection (one
/// that we accepted, or dialled with `immediate`).
///
/// Nobody looks a peer up when something happens to it: whoever has to report
/// that holds the peer itself.
pub(crate) struct Peer {
    pub(crate) key: PeerKey,
    /// The bind or connect it belongs to, and ends with.
    pub(crate) owner: EndpointKey,
    /// Who reads next.
    pub(crate) duty: Duty,
    /// The way to it and back.
    pub(crate) line: Arc<dyn Line>,
    /// What receivers have taken of it in one go and not got yet.
    in_hand: InHand,
    /// Where the pattern keeps what it knows of it.
    pub(crate) place: Place,
    pub(crate) counters: Counters,
    /// What a ROUTER calls it.
    name: Lock<Option<RoutingId>>,
    /// Who it was, and is.
    sessions: Lock<Sessions>,
    /// Whether it was ever anybody else, as one that we dial may be.
    has_changed: AtomicBool,
    /// Whether it was ever connected.
    pub(crate) was_up: AtomicBool,
    /// Whether its bind or connect was taken back: what is unread is discarded.
    dismissed: AtomicBool,
}

impl Peer {
    /// The line knows the same `in_hand`.
    pub(crate) fn new(
        owner: EndpointKey,
        duty: Duty,
        line: Arc<dyn Line>,
        in_hand: InHand,
    ) -> Self {
        Self {
            key: PeerKey::unique(),
            owner,
            duty,
            line,
            in_hand,
            place: Place::default(),
            counters: Counters::default(),
            name: Lock::new(Rank::Name, None),
            sessions: Lock::new(Rank::Name, Sessions::default()),
            has_changed: AtomicBool::new(false),
            was_up: AtomicBool::new(false),
            dismissed: AtomicBool::new(false),
        }
    }

    /// A receiver got one of the messages in hand, and so many are left.
    #[inline]
    pub(crate) fn note_in_hand(&self, left: usize) {
        self.in_hand.set(left);
        if left == 0 {
            self.line.hand_empty();
        }
    }

    /// What a ROUTER calls it, or called it last.
    pub(crate) fn name(&self) -> Option<RoutingId> {
        self.name.lock().clone()
    }

    pub(crate) fn set_name(&self, name: RoutingId) {
        self.sessions.lock().rename(name.clone());
        *self.name.lock() = Some(name);
    }

    /// What a ROUTER called it when it sent what is in hand of it.
    pub(crate) fn name_in_hand(&self) -> Option<RoutingId> {
        if !self.has_changed.load(Ordering::SeqCst) {
            return self.name();
        }
        self.sessions.lock().name(self.in_hand.session())
    }

    /// A session begins. Call it before the pattern and receivers have to do with it.
    pub(crate) fn begin_session(&self, info: PeerInfo) {
        if self.sessions.lock().begin(info) {
            self.has_changed.store(true, Ordering::SeqCst);
        }
    }

    /// The number of the session that has begun last.
    pub(crate) fn session(&self) -> u32 {
        self.sessions.lock().last()
    }

    /// Whether that is of somebody else than the one before: what waits for the peer is
    /// not meant for this one.
    pub(crate) fn is_another(&self) -> bool {
        self.has_changed.load(Ordering::SeqCst) && self.sessions.lock().is_another()
    }

    /// The session in which it sent what is in hand of it.
    pub(crate) fn session_in_hand(&self) -> u32 {
        self.in_hand.session()
    }

    /// Whether it is still who it was in that session.
    pub(crate) fn is_still(&self, session: u32) -> bool {
        !self.has_changed.load(Ordering::SeqCst) || self.sessions.lock().is_still(session)
    }

    /// Who it was when it sent what is in hand of it, or was last.
    pub(crate) fn info_in_hand(&self) -> Arc<PeerInfo> {
        self.sessions.lock().info(self.in_hand.session())
    }

    /// Who it is, or was last.
    pub(crate) fn info(&self) -> Arc<PeerInfo> {
        let sessions = self.sessions.lock();
        sessions.info(sessions.last())
    }

    /// What went to and fro.
    pub(crate) fn traffic(&self) -> Traffic {
        let messages_in = self.counters.received.load(Ordering::Relaxed);
        Traffic { messages_in, ..self.line.traffic() }
    }

    /// Where it is, or was last.
    pub(crate) fn address(&self) -> String {
        self.info().address.clone()
    }

    pub(crate) fn is_dismissed(&self) -> bool {
        self.dismissed.load(Ordering::SeqCst)
    }

    pub(crate) fn dismiss(&self) {
        self.dismissed.store(true, Ordering::SeqCst);
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Where a pattern keeps a peer: an index, for the pattern alone to give and to
/// understand. Read and written under the pattern's lock.
#[derive(Debug)]
pub(crate) struct Place(AtomicU32);

impl Place {
    const NOWHERE: u32 = u32::MAX;

    /// The index, unless the pattern has not taken it in or has let it go.
    #[inline]
    pub(crate) fn get(&self) -> Option<u32> {
        let index = self.0.load(Ordering::Relaxed);
        (index != Self::NOWHERE).then_some(index)
    }

    pub(crate) fn set(&self, index: Option<u32>) {
        self.0.store(index.unwrap_or(Self::NOWHERE), Ordering::Relaxed);
    }
}

impl Default for Place {
    fn default() -> Self {
        Self(AtomicU32::new(Self::NOWHERE))
    }
}

/// What is counted, of one peer or of a socket.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) lost: Losses,
    /// Messages that were taken of what came in.
    pub(crate) received: AtomicU64,
    /// How often a connection was ready but for the first time.
    pub(crate) reconnects: AtomicU64,
}

impl Counters {
    /// So many messages were taken.
    #[inline]
    pub(crate) fn note_received(&self, count: usize) {
        self.received.fetch_add(count as u64, Ordering::Relaxed);
    }
}

/// Messages lost, by cause.
#[derive(Debug, Default)]
pub(crate) struct Losses([AtomicU64; DropCause::ALL.len()]);

impl Losses {
    pub(crate) fn add(&self, cause: DropCause, count: usize) {
        if count > 0 {
            self.0[cause as usize].fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    pub(crate) fn of(&self, cause: DropCause) -> u64 {
        self.0[cause as usize].load(Ordering::Relaxed)
    }

    /// Messages that were accepted and will not be delivered.
    pub(crate) fn undelivered(&self) -> u64 {
        [DropCause::LingerExpired, DropCause::PeerLeft, DropCause::CutInTransit]
            .into_iter()
            .map(|cause| self.of(cause))
            .sum()
    }
}
