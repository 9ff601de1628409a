//! [`Core`]: one socket of any type, without its public face.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use super::attendant::{Attendant, Pace};
use super::endpoints::Entry;
use super::presence::Presence;
use super::receipts::Receipts;
use super::waiters::Waiters;
use super::zap::ZapClient;
use crate::context::{Context, Enrolled, Shut};
use crate::error::SubscribeError;
use crate::monitor::{Monitor, MonitorEvent, MonitorSink};
use crate::options::{Linger, SocketOptions};
use crate::pattern::{self, Pattern, Touched};
use crate::peer::{DropCause, PeerInfo, Subscription, Unwelcome};
use crate::pipe::{
    Backlog, Counters, EndpointKey, Flush, Hand, Item, Peer, PeerKey, SocketSide, Traits, Who,
};
use crate::routing::FairQueue;
use crate::security::Authenticator;
use crate::socket_type::SocketType;
use crate::stats::{Lost, PeerStats, SocketStats, Traffic};
use crate::sync::{Lock, Rank};
use crate::tasks::Tasks;

/// How many receivers are woken for a message where no attendant sees whether one that
/// was woken comes: some may not be polled any more.
const UNATTENDED: usize = 16;

/// What the public sockets share: a pattern, its peers, and the tasks that wait.
pub(crate) struct Core {
    pub(super) me: Weak<Core>,
    pub(super) socket_type: SocketType,
    pub(super) traits: &'static Traits,
    pub(super) options: Arc<SocketOptions>,
    pub(super) context: Context,
    _enrolled: Enrolled,
    pub(super) pattern: Box<dyn Pattern>,
    /// Peers with something to read.
    pub(super) ready: Lock<FairQueue>,
    /// Every peer, and every bind and connect that may still bring one.
    pub(super) roster: Lock<Roster>,
    /// Binds and connects, for whoever releases them.
    pub(super) endpoints: Lock<Vec<Entry>>,
    pub(super) receivers: Waiters,
    pub(super) senders: Waiters,
    /// REQ and REP: held during one look of a receive and one try of a send,
    /// so that nothing comes between asking whose turn it is and taking it.
    pub(super) lockstep: Option<Lock<()>>,
    pub(super) presence: Presence,
    pub(super) counters: Counters,
    /// What went to and from peers that have left.
    departed: Lock<Traffic>,
    pub(super) monitor: MonitorSink,
    pub(super) closed: AtomicBool,
    /// Whether a bind or connect has ended with its runtime: then those who wait look
    /// whether any is left.
    pub(super) has_lost_runtime: AtomicBool,
    pub(super) tasks: Tasks,
    pub(super) backlog: Arc<Backlog>,
    pub(super) attendant: Attendant,
    /// How many peers there are, about.
    pub(super) peers: AtomicU32,
    /// Messages pushed since the last yield, and calls, see `sending`.
    pub(super) pushed: AtomicU32,
    pub(super) receipts: Receipts,
    /// Whether the next message may be written by its sender, see `sending`.
    pub(super) may_write: AtomicBool,
}

#[derive(Default)]
pub(super) struct Roster {
    /// In the order in which they came, which is that of closing them.
    pub(super) peers: BTreeMap<PeerKey, Arc<Peer>>,
    /// Which of them came of each bind and connect.
    owners: HashMap<EndpointKey, BTreeSet<PeerKey>>,
}

impl Roster {
    /// False if its bind or connect admits nobody any more.
    fn insert(&mut self, peer: &Arc<Peer>) -> bool {
        let Some(own) = self.owners.get_mut(&peer.owner) else { return false };
        own.insert(peer.key);
        self.peers.insert(peer.key, Arc::clone(peer));
        true
    }

    fn remove(&mut self, peer: &Peer) {
        self.peers.remove(&peer.key);
        if let Some(own) = self.owners.get_mut(&peer.owner) {
            own.remove(&peer.key);
        }
    }

    /// Admits no more peers of a bind or connect; gives those there are.
    fn dismiss(&mut self, owner: EndpointKey) -> Vec<Arc<Peer>> {
        let own = self.owners.remove(&owner).unwrap_or_default();
        own.iter().filter_map(|key| self.peers.get(key)).cloned().collect()
    }
}

impl Core {
    pub(crate) fn new(
        socket_type: SocketType,
        options: SocketOptions,
        context: &Context,
    ) -> Arc<Self> {
        let pattern = pattern::for_type(socket_type, &options);
        let traits = pattern.traits();
        let core = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            socket_type,
            traits,
            pattern,
            backlog: Arc::new(Backlog::new(&options)),
            options: Arc::new(options),
            _enrolled: context.enroll(me.clone()),
            context: context.unowned(),
            ready: Lock::new(Rank::Ready, FairQueue::default()),
            roster: Lock::new(Rank::Roster, Roster::default()),
            endpoints: Lock::new(Rank::Endpoints, Vec::new()),
            receivers: Waiters::default(),
            senders: Waiters::default(),
            lockstep: traits.lockstep.then(|| Lock::new(Rank::Lockstep, ())),
            presence: Presence::default(),
            counters: Counters::default(),
            departed: Lock::new(Rank::Leaf, Traffic::default()),
            monitor: MonitorSink::default(),
            closed: AtomicBool::new(false),
            has_lost_runtime: AtomicBool::new(false),
            tasks: Tasks::default(),
            attendant: Attendant::default(),
            peers: AtomicU32::new(0),
            pushed: AtomicU32::new(0),
            receipts: Receipts::default(),
            may_write: AtomicBool::new(true),
        });
        if core.context.is_shut() {
            core.shut();
        }
        core
    }

    /// The same, to be kept.
    pub(crate) fn shared(&self) -> Arc<Self> {
        self.me.upgrade().expect("whoever asks has it")
    }

    pub(crate) fn options(&self) -> &SocketOptions {
        &self.options
    }

    pub(crate) fn socket_type(&self) -> SocketType {
        self.socket_type
    }

    pub(crate) fn monitor(&self) -> Monitor {
        self.monitor.subscribe()
    }

    /// What it has done.
    pub(crate) fn stats(&self) -> SocketStats {
        let peers: Vec<_> = self.roster.lock().peers.values().cloned().collect();
        let mut traffic = *self.departed.lock();
        let peers = peers.iter().map(|peer| {
            let stats = self.stats_of(peer);
            traffic.add(&stats.traffic);
            stats
        });
        let peers = peers.collect();
        SocketStats {
            peers,
            traffic,
            reconnects: self.counters.reconnects.load(Ordering::Relaxed),
            lost: Lost::new(|cause| self.counters.lost.of(cause)),
        }
    }

    fn stats_of(&self, peer: &Peer) -> PeerStats {
        let Counters { lost, reconnects, .. } = &peer.counters;
        PeerStats {
            info: peer.info(),
            is_connected: self.presence.has(peer),
            reconnects: reconnects.load(Ordering::Relaxed),
            traffic: peer.traffic(),
            lost: Lost::new(|cause| lost.of(cause)),
        }
    }

    pub(crate) fn dropped(&self, cause: DropCause) -> u64 {
        self.counters.lost.of(cause)
    }

    /// Whether it was closed.
    #[cfg(test)]
    pub(crate) fn is_shut(&self) -> bool {
        self.is_closed()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub(super) fn linger(&self) -> Linger {
        self.options.linger.unwrap_or(self.traits.linger)
    }

    pub(crate) fn subscribe(&self, change: Subscription) -> Result<(), SubscribeError> {
        let mut touched = Touched::default();
        let taken = self.pattern.subscribe(change, &mut touched);
        self.flush(touched, Flush::Task);
        taken
    }

    /// Forgets a peer from which nothing more will come.
    pub(super) fn reap(&self, peer: &Arc<Peer>) {
        self.pattern.drained(peer);
        let traffic = Traffic { queued: 0, ..peer.traffic() };
        self.departed.lock().add(&traffic);
        {
            let mut roster = self.roster.lock();
            roster.remove(peer);
            self.note_peers(&roster);
        }
        self.wake_deserted();
    }

    /// Admits peers of a new bind or connect.
    pub(super) fn admit(&self, owner: EndpointKey) {
        self.roster.lock().owners.insert(owner, BTreeSet::new());
    }

    /// Admits no more peers of a bind or connect; gives those there are, whose
    /// unread messages are discarded.
    pub(super) fn dismiss(&self, owner: EndpointKey) -> Vec<Arc<Peer>> {
        let peers = self.roster.lock().dismiss(owner);
        for peer in &peers {
            peer.dismiss();
        }
        let unread = self.ready.lock().discard(Peer::is_dismissed);
        let count = unread.iter().map(Hand::len).sum();
        self.counters.lost.add(DropCause::Unread, count);
        peers
    }

    fn note_peers(&self, roster: &Roster) {
        let count = u32::try_from(roster.peers.len()).unwrap_or(u32::MAX);
        self.peers.store(count, Ordering::Relaxed);
    }

    /// Something other than a message may be there for a receiver: wakes all, since one
    /// that is woken may not be polled any more. Where they take turns it is for one.
    fn wake_for_news(&self) {
        if self.traits.lockstep {
            self.wake_receivers(1);
        } else {
            self.receivers.wake_all();
        }
    }

    /// Something may be there for receivers: wakes at most so many, and says how many
    /// wait. Where they take turns and it is not theirs it would be an error to them, and
    /// whoever ends that turn wakes the next.
    #[inline]
    pub(super) fn wake_receivers(&self, most: usize) -> usize {
        let is_theirs =
            !self.traits.lockstep || self.receivers.any() && self.pattern.is_receivers_turn();
        self.receivers.wake(if is_theirs { most } else { 0 })
    }

    /// Puts a peer into the list of those with something to read, and sees to it
    /// that somebody comes.
    fn list(&self, peer: &Arc<Peer>) {
        let mut ready = self.ready.lock();
        if !peer.duty.is_listed() {
            // It has left for good in this very moment.
            return;
        }
        ready.push(Arc::clone(peer), self.context.reads());
        drop(ready);
        let is_seen_to = self.attendant.is_there() || self.traits.lockstep;
        let waiting = self.wake_receivers(if is_seen_to { 1 } else { UNATTENDED });
        // Where they take turns there is no hurry; and if one waits, whom else should
        // the attendant wake?
        let in_turn = self.traits.lockstep && !peer.line.has_heartbeats();
        if !(in_turn && waiting == 1) {
            self.attendant.start(if waiting > 0 || in_turn { Pace::Slow } else { Pace::Fast });
        }
    }
}

impl Shut for Core {
    fn shut(&self) {
        // Listeners stop as they are dropped; everything else lingers.
        drop(self.begin_close());
    }
}

impl SocketSide for Core {
    fn attach(&self, peer: &Arc<Peer>) -> Result<(), Unwelcome> {
        {
            let mut roster = self.roster.lock();
            if !roster.insert(peer) {
                return Err(Unwelcome::Closing);
            }
            self.note_peers(&roster);
        }
        let attached = self.pattern.attach(peer);
        match attached {
            Ok(()) => self.senders.wake_all(),
            Err(_) => {
                self.roster.lock().remove(peer);
                self.wake_deserted();
            }
        }
        attached
    }

    fn up(&self, peer: &Arc<Peer>, info: &PeerInfo) -> Result<(), Unwelcome> {
        let mut touched = Touched::default();
        let welcome = self.pattern.up(peer, info, &mut touched);
        touched.flush();
        if welcome.is_ok() && self.presence.up(peer) {
            for counters in [&peer.counters, &self.counters] {
                counters.reconnects.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.senders.wake_all();
        welcome
    }

    fn down(&self, peer: &Arc<Peer>) {
        self.presence.down(peer);
        self.pattern.down(peer);
        // XPUB may have unsubscriptions to tell, and a sender (nodrop) may have
        // waited for this peer, which subscribes to nothing now.
        self.wake_for_news();
        self.senders.wake_all();
    }

    fn detach(&self, peer: &Arc<Peer>) {
        self.presence.down(peer);
        self.pattern.detach(peer);
        // Where nobody receives, peers that come and go must not pile up.
        let is_spent = self.traits.takes_at_once || peer.line.is_spent();
        if is_spent && (self.ready.lock().retire(peer) || self.traits.takes_at_once) {
            self.reap(peer);
        } else if peer.duty.event() == Who::Receivers {
            self.list(peer);
        }
        self.note_peers(&self.roster.lock());
        // A receiver may have to be told that the peer is gone, and a sender
        // may have waited for it alone.
        self.wake_for_news();
        self.senders.wake_all();
    }

    fn tidy(&self) -> bool {
        let mut touched = Touched::default();
        let more = self.pattern.tidy(&mut touched);
        touched.flush();
        more
    }

    fn readable(&self, peer: &Arc<Peer>) {
        self.list(peer);
    }

    fn room(&self, peer: &Arc<Peer>) {
        self.pattern.room(peer);
        self.senders.wake_all();
    }

    fn calm(&self) {
        self.may_write.store(true, Ordering::Relaxed);
    }

    fn deliver(&self, peer: &Arc<Peer>, item: Item) {
        peer.counters.note_received(usize::from(matches!(item, Item::Message(_))));
        let mut touched = Touched::default();
        let delivered = self.pattern.deliver(peer, item, &mut touched);
        touched.flush();
        self.lost(peer, DropCause::Discarded, delivered.discarded);
        self.presence.watchers.wake_all();
        // Who was waited for (nodrop) may have unsubscribed.
        self.senders.wake_all();
        if delivered.readable {
            self.wake_for_news();
        }
    }

    fn caught_up(&self) {
        let peers: Vec<_> = self.roster.lock().peers.values().cloned().collect();
        for peer in peers {
            peer.line.read_ahead();
        }
    }

    fn runtime_ended(&self) {
        self.has_lost_runtime.store(true, Ordering::SeqCst);
        self.wake_deserted();
    }

    fn lost(&self, peer: &Arc<Peer>, cause: DropCause, count: usize) {
        peer.counters.lost.add(cause, count);
        self.counters.lost.add(cause, count);
    }

    fn emit(&self, event: MonitorEvent) {
        self.monitor.emit(event);
    }

    fn zap(&self) -> Arc<dyn Authenticator> {
        Arc::new(ZapClient::new(&self.context, self.options.zap_enforce_domain))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn core(socket_type: SocketType) -> Arc<Core> {
        Core::new(socket_type, SocketOptions::new(), &Context::new())
    }

    /// How many peers a socket knows, and how many of them are listed.
    fn peers(core: &Core) -> (usize, usize) {
        (core.roster.lock().peers.len(), core.ready.lock().iter().count())
    }

    /// Waits for an event.
    #[cfg(feature = "tcp")]
    async fn until(monitor: &mut Monitor, is_meant: impl Fn(&MonitorEvent) -> bool) {
        let seen = async {
            while let Some(event) = monitor.recv().await {
                if is_meant(&event) {
                    return;
                }
            }
            panic!("the socket is gone");
        };
        tokio::time::timeout(Duration::from_secs(20), seen).await.expect("it is seen in time");
    }

    #[cfg(feature = "tcp")]
    #[tokio::test]
    async fn a_connection_that_began_while_too_much_was_unread_is_read_later() {
        let (ours, theirs) = (core(SocketType::Pull), core(SocketType::Push));
        let endpoint = ours.bind("tcp://127.0.0.1:0".parse()).await.unwrap();
        let mut monitor = ours.monitor();
        // As if somebody who left had left it.
        let unread = 64 << 20;
        ours.backlog.add(unread);
        assert!(ours.backlog.is_full());
        theirs.connect(Ok(endpoint)).unwrap();
        // Its first turn ends with this, and reading comes before.
        until(&mut monitor, |event| matches!(event, MonitorEvent::Ready { .. })).await;
        assert!(ours.backlog.remove(unread));
        ours.caught_up();
        theirs.send(None, "m".into()).await.unwrap();
        let received = tokio::time::timeout(Duration::from_secs(20), ours.recv()).await;
        assert_eq!(received.expect("it comes in time").unwrap().message, "m".into());
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
            assert_eq!(peers(&ours), (0, 0), "{socket_type}");
            ours.close().await;
        }
    }
}
