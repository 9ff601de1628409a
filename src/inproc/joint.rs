//! [`Joint`]: the pipe between two sockets of one process, both ways, and how
//! the two meet and part.

use std::sync::{Arc, OnceLock, Weak};

use super::end::InprocEnd;
use super::queue::{Keep, Queue, Taker};
use super::weights::Marks;
use crate::endpoint::Endpoint;
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::peer::{DropCause, Unwelcome};
use crate::pipe::{Backlog, Duty, Line, Link, Peer, SocketSide, Who};
use crate::sync::{Lock, Rank};

/// One of the two who share a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Party {
    Connector,
    Binder,
}

impl Party {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Connector => Self::Binder,
            Self::Binder => Self::Connector,
        }
    }
}

/// What both ends of a pipe hold. It holds neither of them, nor their sockets,
/// so that it goes with the later of the two.
pub(super) struct Joint {
    to_binder: Queue,
    to_connector: Queue,
    connector: Station,
    /// Set when the two have met: until then nobody is told anything.
    binder: OnceLock<Station>,
    stage: Lock<Stage>,
}

/// Where one party is told what the other does.
#[derive(Clone)]
pub(super) struct Station {
    peer: Weak<Peer>,
    side: Weak<dyn SocketSide>,
    endpoint: Endpoint,
    backlog: Arc<Backlog>,
    takes_at_once: bool,
}

/// Whether the two are together.
///
/// ```text
///              meet                leave
///   ┌───────┐ ──────► ┌──────────┐ ──────► ┌────────┐
///   │ Apart │         │ Together │         │ Parted │
///   └───────┘         └──────────┘         └────────┘
///       │     leave     ┌──────┐     meet       ▲
///       └─────────────► │ Left │ ───────────────┘
///                       └──────┘
/// ```
/// - `Apart`: the connector waits for somebody to bind the name, or is just
///   being joined with whoever has.
/// - `Left`: meanwhile one of them has left. Whoever joins them has them part as
///   soon as they have met, so that each hears of the end after the beginning.
/// - `Parted`: for good. Those who do not fit, or whom nobody came to meet, are
///   [given up](Joint::give_up) and get here from anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Apart,
    Together,
    Left(Party, Why),
    Parted,
}

/// Why a party leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Its bind or connect was taken back, or its socket closed.
    Closed,
    /// It no longer wants the other.
    Rejected(Unwelcome),
}

impl Joint {
    /// A pipe of one who connects, and its end of it. What it sends waits for
    /// whoever binds the name.
    pub(super) fn connecting(link: &Link) -> (Arc<Self>, Arc<Peer>) {
        let options = &link.options;
        let keep = keep(options.conflate);
        let mut joint = None;
        let peer = Arc::new_cyclic(|me| {
            let made = joint.insert(Arc::new(Self {
                to_binder: Queue::new(Marks::of(options), keep, Taker::Receivers),
                to_connector: Queue::new(Marks::NONE, keep, Taker::of(link.traits)),
                connector: Station::new(link, me.clone()),
                binder: OnceLock::new(),
                stage: Lock::new(Rank::Leaf, Stage::Apart),
            }));
            end(link, Arc::clone(made), Party::Connector)
        });
        let joint = joint.expect("it was made for the peer");
        (joint, peer)
    }

    /// The end of one who has bound the name, with both queues as the options of
    /// both parties have them.
    pub(super) fn binding(self: &Arc<Self>, connector: &Link, binder: &Link) -> Arc<Peer> {
        let (ours, theirs) = (&connector.options, &binder.options);
        let keep = keep(ours.conflate || theirs.conflate);
        let taker = Taker::of(binder.traits);
        self.to_binder.meet(Marks::of_both(ours, theirs), keep, Some(taker));
        self.to_connector.meet(Marks::of_both(theirs, ours), keep, None);
        Arc::new(end(binder, Arc::clone(self), Party::Binder))
    }

    /// What `party` takes from.
    pub(super) fn towards(&self, party: Party) -> &Queue {
        match party {
            Party::Binder => &self.to_binder,
            Party::Connector => &self.to_connector,
        }
    }

    /// What `party` pushes to.
    pub(super) fn from(&self, party: Party) -> &Queue {
        self.towards(party.other())
    }

    fn station(&self, party: Party) -> Option<&Station> {
        match party {
            Party::Connector => Some(&self.connector),
            Party::Binder => self.binder.get(),
        }
    }

    /// Both take part in routing: what either does is told to the other from now
    /// on, and what was sent before is told now.
    pub(super) fn open(&self, binder: &Link, peer: &Arc<Peer>) {
        let _ = self.binder.set(Station::new(binder, Arc::downgrade(peer)));
        for party in [Party::Binder, Party::Connector] {
            if self.towards(party).open() {
                self.room(party.other());
            }
        }
        for party in [Party::Binder, Party::Connector] {
            self.count_losses(party);
            if !self.towards(party).is_empty() {
                self.arrived(party);
            }
        }
    }

    /// The two have met, and know it. If one has left meanwhile, they part.
    pub(super) fn meet(&self) {
        let former = self.go_to(|stage| match stage {
            Stage::Apart => Stage::Together,
            _ => Stage::Parted,
        });
        if let Stage::Left(party, why) = former {
            self.part(party, why);
        }
    }

    /// They will not meet. Says how many messages waited for the binder, and how
    /// many for the connector.
    pub(super) fn give_up(&self) -> [usize; 2] {
        self.go_to(|_| Stage::Parted);
        [self.to_binder.discard(), self.to_connector.discard()]
    }

    pub(super) fn has_left(&self) -> bool {
        matches!(*self.stage.lock(), Stage::Left(..))
    }

    /// A party leaves; the other may still take what was sent to it.
    pub(super) fn leave(&self, party: Party, why: Why) {
        for queue in [&self.to_binder, &self.to_connector] {
            queue.end();
        }
        let former = self.go_to(|stage| match stage {
            Stage::Apart => Stage::Left(party, why),
            Stage::Together => Stage::Parted,
            Stage::Left(..) | Stage::Parted => stage,
        });
        match former {
            Stage::Together => self.part(party, why),
            // The other was first. What it had sent is for nobody now.
            Stage::Parted if why == Why::Closed => self.forget(party),
            _ => {}
        }
    }

    /// Goes to the next stage; says which it was before.
    fn go_to(&self, next: impl FnOnce(Stage) -> Stage) -> Stage {
        let mut stage = self.stage.lock();
        let former = *stage;
        *stage = next(former);
        former
    }

    /// Ends the time of the two together.
    fn part(&self, first: Party, why: Why) {
        let other = first.other();
        let [here, there] = match why {
            Why::Closed => [DisconnectReason::ByUs, DisconnectReason::PeerClosed],
            Why::Rejected(why) => [why, why].map(DisconnectReason::TurnedAway),
        };
        match why {
            Why::Closed => self.forget(first),
            // Only who takes back a bind or connect gives up what it has not
            // read.
            Why::Rejected(_) => self.detach(first),
        }
        self.detach(other);
        for (party, reason) in [(first, here), (other, there)] {
            if let [Some(station), Some(far)] = [party, party.other()].map(|it| self.station(it)) {
                let (endpoint, address) = (station.endpoint.clone(), far.endpoint.to_string());
                station.emit(MonitorEvent::Disconnected { endpoint, address, reason });
            }
        }
    }

    /// Discards what `party` has not read, and takes its end out of routing.
    fn forget(&self, party: Party) {
        let unread = self.towards(party).discard();
        self.free(party);
        if let Some(station) = self.station(party) {
            station.lost(DropCause::Unread, unread);
        }
        self.detach(party);
    }

    /// Takes the end of `party` out of routing. What came in stays readable.
    fn detach(&self, party: Party) {
        let Some(station) = self.station(party) else { return };
        self.towards(party).charge(&station.backlog);
        // The peer is held until the pattern has let go of it, too: a receiver
        // may find that this is the end, and forget it, before.
        station.tell(|side, peer| {
            // Receivers look at what is left, and find the end; a pattern that
            // takes at once gets what is left.
            self.arrived(party);
            side.detach(peer);
        });
    }

    /// Whether `party` is behind with what peers that have left sent it.
    pub(super) fn is_behind(&self, party: Party) -> bool {
        self.station(party).is_some_and(|station| station.backlog.is_full())
    }

    /// Gives back what of that `party` has taken or discarded.
    pub(super) fn free(&self, party: Party) {
        let freed = self.towards(party).freed.take();
        let Some(station) = self.station(party) else { return };
        if station.backlog.remove(freed) {
            if let Some(side) = station.side.upgrade() {
                side.caught_up();
            }
        }
    }

    /// Counts what `party` has lost while it could not be counted.
    pub(super) fn count_losses(&self, party: Party) {
        let strays = self.towards(party).strays.take();
        if strays > 0 && self.towards(party).catch_up() {
            // What was cleared away has made room.
            self.room(party.other());
        }
        let conflated = self.from(party).conflated.take();
        if strays + conflated > 0 {
            if let Some(station) = self.station(party) {
                station.lost(DropCause::Discarded, strays);
                station.lost(DropCause::Conflated, conflated);
            }
        }
    }

    /// There is something to take for `party`: hands it over, or says so.
    pub(super) fn arrived(&self, party: Party) {
        // Not before the two have met.
        let (Some(station), Some(_)) = (self.station(party), self.binder.get()) else { return };
        let Some(peer) = station.peer.upgrade() else { return };
        self.count_losses(party);
        if station.takes_at_once {
            self.deliver(party, station, &peer);
            return;
        }
        // There is no task. `Who::Task` means that the peer is in the list, from
        // where the next receiver takes it, and that it was put there with a
        // wake-up: just as if no task had been asked to read ahead.
        if peer.duty.event() == Who::Receivers {
            if let Some(side) = station.side.upgrade() {
                side.readable(&peer);
            }
        }
    }

    /// Hands over what there is for `party`, whose pattern takes it as it comes.
    ///
    /// Items must come in order, and no lock may be held while one is handed
    /// over, since the pattern may push and flush in turn. So one who flushes
    /// hands over until nothing is left, and the others leave it to that one.
    /// That is as long as others go on sending through this same pipe, for which
    /// they need more time: each takes the lock of the pattern it comes from,
    /// decides where to send, and queues what is only taken out here. And
    /// messages cannot be more than the mark at any time.
    fn deliver(&self, party: Party, station: &Station, peer: &Arc<Peer>) {
        let Some(side) = station.side.upgrade() else { return };
        let queue = self.towards(party);
        if !queue.begin_to_deliver() {
            return;
        }
        while let Some((item, room)) = queue.next_item() {
            if room {
                self.room(party.other());
            }
            side.deliver(peer, item);
        }
    }

    /// Tells `party` that there is room for what it was refused.
    pub(super) fn room(&self, party: Party) {
        if let Some(station) = self.station(party) {
            station.tell(|side, peer| side.room(peer));
        }
    }
}

impl Station {
    fn new(link: &Link, peer: Weak<Peer>) -> Self {
        Self {
            peer,
            side: Arc::downgrade(&link.side),
            endpoint: link.endpoint.clone(),
            backlog: Arc::clone(&link.backlog),
            takes_at_once: link.traits.takes_at_once,
        }
    }

    /// Tells the socket something of its peer, if both are still there.
    fn tell(&self, what: impl FnOnce(&dyn SocketSide, &Arc<Peer>)) {
        if let (Some(side), Some(peer)) = (self.side.upgrade(), self.peer.upgrade()) {
            what(&*side, &peer);
        }
    }

    fn lost(&self, cause: DropCause, count: usize) {
        if count > 0 {
            self.tell(|side, peer| side.lost(peer, cause, count));
        }
    }

    fn emit(&self, event: MonitorEvent) {
        if let Some(side) = self.side.upgrade() {
            side.emit(event);
        }
    }
}

fn keep(conflate: bool) -> Keep {
    if conflate { Keep::Last } else { Keep::All }
}

/// The end of one party, as its socket sees it.
fn end(link: &Link, joint: Arc<Joint>, party: Party) -> Peer {
    let duty = match link.traits.takes_at_once {
        true => Duty::of_task(),
        false => Duty::of_receivers(),
    };
    let in_hand = joint.towards(party).in_hand.clone();
    let line: Arc<dyn Line> = Arc::new(InprocEnd::new(joint, party));
    Peer::new(link.owner, duty, line, in_hand)
}
