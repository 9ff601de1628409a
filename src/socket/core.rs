//! [`Core`]: one socket of any type, without its public face.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::endpoints::Entry;
use super::losses::Losses;
use super::waiters::{Receivers, Senders};
use crate::context::Context;
use crate::engine::Tasks;
use crate::monitor::{Monitor, MonitorEvent, MonitorSink};
use crate::options::{Linger, SocketOptions};
use crate::pattern::{self, Pattern, Touched};
use crate::peer::{DropCause, PeerInfo, Subscription};
use crate::pipe::{EndpointKey, Item, PeerKey, Pipe, SocketSide, Unwelcome};
use crate::routing::{FairQueue, Listing, Turn};
use crate::socket_type::SocketType;

/// What the public sockets share: a pattern, its peers, and the tasks that wait.
pub(crate) struct Core {
    pub(super) me: Weak<Core>,
    pub(super) socket_type: SocketType,
    pub(super) options: Arc<SocketOptions>,
    pub(super) context: Context,
    pub(super) pattern: Box<dyn Pattern>,
    /// Peers with something to read. Locked for a moment at a time, and before
    /// the pattern where both are.
    pub(super) ready: Mutex<FairQueue<Peer>>,
    /// Every pipe, and every bind and connect that may still bring one.
    pub(super) roster: Mutex<Roster>,
    /// Binds and connects, for whoever releases them.
    pub(super) endpoints: Mutex<Vec<Entry>>,
    pub(super) receivers: Receivers,
    pub(super) senders: Senders,
    /// REQ and REP: held during one look of a receive and one try of a send,
    /// so that nothing comes between asking whose turn it is and taking it.
    pub(super) lockstep: Option<Mutex<()>>,
    pub(super) losses: Losses,
    pub(super) monitor: MonitorSink,
    pub(super) closed: AtomicBool,
    pub(super) tasks: Tasks,
    /// Calls since the last yield, see `transfer`.
    pub(super) sent: AtomicU32,
    pub(super) received: AtomicU32,
    /// What `received` was when a receiver last had to wait.
    pub(super) waited_at: AtomicU32,
}

/// A pipe of this socket, and whose turn it is to read it.
pub(super) struct Peer {
    pub(super) pipe: Pipe,
    owner: EndpointKey,
    turn: Turn,
    /// Whether its bind or connect was taken back: what is unread is discarded.
    pub(super) dismissed: AtomicBool,
}

#[derive(Default)]
pub(super) struct Roster {
    peers: HashMap<PeerKey, Arc<Peer>>,
    owners: HashSet<EndpointKey>,
}

impl AsRef<PeerKey> for Peer {
    fn as_ref(&self) -> &PeerKey {
        &self.pipe.key
    }
}

impl AsRef<Turn> for Peer {
    fn as_ref(&self) -> &Turn {
        &self.turn
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    pub(crate) fn new(
        socket_type: SocketType,
        options: SocketOptions,
        context: Context,
    ) -> Arc<Self> {
        let lockstep = matches!(socket_type, SocketType::Req | SocketType::Rep);
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            socket_type,
            pattern: pattern::for_type(socket_type, &options),
            options: Arc::new(options),
            context,
            ready: Mutex::default(),
            roster: Mutex::default(),
            endpoints: Mutex::default(),
            receivers: Receivers::default(),
            senders: Senders::default(),
            lockstep: lockstep.then(Mutex::default),
            losses: Losses::default(),
            monitor: MonitorSink::default(),
            closed: AtomicBool::new(false),
            tasks: Tasks::default(),
            sent: AtomicU32::new(0),
            received: AtomicU32::new(0),
            waited_at: AtomicU32::new(0),
        })
    }

    pub(crate) fn socket_type(&self) -> SocketType {
        self.socket_type
    }

    pub(crate) fn monitor(&self) -> Monitor {
        self.monitor.subscribe()
    }

    pub(crate) fn dropped(&self, cause: DropCause) -> u64 {
        self.losses.of(cause)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// SUB and XSUB have nothing to say that anybody would miss.
    pub(super) fn linger(&self) -> Linger {
        let by_type = match self.socket_type {
            SocketType::Sub | SocketType::XSub => Linger::For(std::time::Duration::ZERO),
            _ => Linger::Forever,
        };
        self.options.linger.unwrap_or(by_type)
    }

    pub(crate) fn subscribe(&self, change: Subscription) {
        let mut touched = Touched::default();
        self.pattern.subscribe(change, &mut touched);
        touched.flush();
    }

    fn peer(&self, key: PeerKey) -> Option<Arc<Peer>> {
        lock(&self.roster).peers.get(&key).cloned()
    }

    /// Forgets a pipe from which nothing more will come.
    pub(super) fn reap(&self, key: PeerKey) {
        self.pattern.drained(key);
        lock(&self.roster).peers.remove(&key);
    }

    /// Admits pipes of a new bind or connect.
    pub(super) fn admit(&self, owner: EndpointKey) {
        lock(&self.roster).owners.insert(owner);
    }

    /// Admits no more pipes of a bind or connect; gives those there are.
    pub(super) fn dismiss(&self, owner: EndpointKey) -> Vec<Pipe> {
        let mut roster = lock(&self.roster);
        roster.owners.remove(&owner);
        let owned: Vec<_> =
            roster.peers.values().filter(|peer| peer.owner == owner).cloned().collect();
        drop(roster);
        self.forget_unread(owned)
    }

    /// Admits no more pipes at all; gives those there are.
    pub(super) fn dismiss_all(&self) -> Vec<Pipe> {
        let mut roster = lock(&self.roster);
        roster.owners.clear();
        let all: Vec<_> = roster.peers.values().cloned().collect();
        drop(roster);
        self.forget_unread(all)
    }

    /// Discards what is in hand of peers that are dismissed.
    fn forget_unread(&self, peers: Vec<Arc<Peer>>) -> Vec<Pipe> {
        for peer in &peers {
            peer.dismissed.store(true, Ordering::SeqCst);
        }
        let is_dismissed = |peer: &Peer| peer.dismissed.load(Ordering::SeqCst);
        let unread = lock(&self.ready).discard(is_dismissed);
        self.losses.add(DropCause::Unread, unread);
        peers.into_iter().map(|peer| peer.pipe.clone()).collect()
    }
}

impl SocketSide for Core {
    fn attach(&self, pipe: Pipe, owner: EndpointKey) -> Result<(), Unwelcome> {
        let peer = Arc::new(Peer {
            pipe: pipe.clone(),
            owner,
            turn: Turn::default(),
            dismissed: AtomicBool::new(false),
        });
        {
            let mut roster = lock(&self.roster);
            if !roster.owners.contains(&owner) {
                return Err(Unwelcome::Closing);
            }
            roster.peers.insert(pipe.key, peer);
        }
        let attached = self.pattern.attach(&pipe);
        match attached {
            Ok(()) => self.senders.wake_all(),
            Err(_) => drop(lock(&self.roster).peers.remove(&pipe.key)),
        }
        attached
    }

    fn up(&self, key: PeerKey, peer: &PeerInfo) -> Result<(), Unwelcome> {
        let mut touched = Touched::default();
        let welcome = self.pattern.up(key, peer, &mut touched);
        touched.flush();
        self.senders.wake_all();
        welcome
    }

    fn down(&self, key: PeerKey) {
        self.pattern.down(key);
        // XPUB may have unsubscriptions to tell, and a sender (nodrop) may have
        // waited for this peer, which subscribes to nothing now.
        self.receivers.wake_one();
        self.senders.wake_all();
    }

    fn detach(&self, key: PeerKey) {
        self.pattern.detach(key);
        if let Some(peer) = self.peer(key) {
            // Its end was an event as well, so it is listed. Where nobody
            // receives, peers that come and go must not pile up there.
            let is_spent = self.takes_at_once() || peer.pipe.inlet.is_spent();
            let mut ready = lock(&self.ready);
            if is_spent && (ready.retire(&peer) || self.takes_at_once()) {
                drop(ready);
                self.reap(key);
            } else {
                ready.list(peer);
            }
        }
        // A receiver may have to be told that the peer is gone, and a sender
        // may have waited for it alone.
        self.receivers.wake_one();
        self.senders.wake_all();
    }

    fn readable(&self, key: PeerKey) -> bool {
        if self.takes_at_once() {
            // Nobody would ever take it from the list.
            return false;
        }
        let Some(peer) = self.peer(key) else { return false };
        match lock(&self.ready).list(peer) {
            Listing::InTurn => true,
            Listing::Listed => self.receivers.wake_one(),
        }
    }

    fn room(&self, key: PeerKey) {
        self.pattern.room(key);
        self.senders.wake_all();
    }

    fn takes_at_once(&self) -> bool {
        self.pattern.takes_at_once()
    }

    fn deliver(&self, key: PeerKey, item: Item) {
        let mut touched = Touched::default();
        let delivered = self.pattern.deliver(key, item, &mut touched);
        touched.flush();
        self.losses.add(DropCause::Discarded, delivered.discarded);
        // Who was waited for (nodrop) may have unsubscribed.
        self.senders.wake_all();
        if delivered.readable {
            self.receivers.wake_one();
        }
    }

    fn lost(&self, cause: DropCause, count: usize) {
        self.losses.add(cause, count);
    }

    fn emit(&self, event: MonitorEvent) {
        self.monitor.emit(event);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn core(socket_type: SocketType) -> Arc<Core> {
        Core::new(socket_type, SocketOptions::new(), Context::new())
    }

    /// How many pipes a socket knows, and how many of them are listed.
    fn pipes(core: &Core) -> (usize, usize) {
        (lock(&core.roster).peers.len(), lock(&core.ready).iter().count())
    }

    #[cfg(feature = "tcp")]
    #[tokio::test]
    async fn peers_that_come_and_go_unread_leave_nothing_behind() {
        for socket_type in [SocketType::Dealer, SocketType::Router, SocketType::Pull] {
            let ours = core(socket_type);
            let endpoint = ours.bind("tcp://127.0.0.1:0".parse()).await.unwrap();
            let mut monitor = ours.monitor();
            for _ in 0..3 {
                let theirs = match socket_type {
                    SocketType::Pull => core(SocketType::Push),
                    _ => core(SocketType::Dealer),
                };
                theirs.connect(Ok(endpoint.clone())).unwrap();
                while !matches!(monitor.recv().await, Some(MonitorEvent::Ready { .. })) {}
                theirs.close().await;
                let left = async {
                    while !matches!(monitor.recv().await, Some(MonitorEvent::Disconnected { .. })) {
                    }
                };
                tokio::time::timeout(Duration::from_secs(20), left).await.unwrap();
            }
            // Nobody has received, and nobody needs to.
            assert_eq!(pipes(&ours), (0, 0), "{socket_type}");
            ours.close().await;
        }
    }
}
