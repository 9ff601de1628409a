//! [`Subscribers`]: who subscribes to what at an XPUB, and what its
//! application is told of it.
//!
//! A peer may leave a million topics behind. They match nobody from that moment,
//! since its slot is empty, and are forgotten step by step; only then somebody
//! else gets the slot. A peer that comes back meanwhile gets another one.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::message::Message;
use crate::options::{SocketOptions, XPubVerbosity};
use crate::pattern::Touched;
use crate::peer::{PeerInfo, Subscription, Unwelcome};
use crate::pipe::{Line, Peer, free};
use crate::routing::{Distributor, Slot};

#[cfg(test)]
use super::interest::Share;
use super::interest::{Bounds, Farewell, Interest, Step, TooMuch, Topics};
use super::pending::{Account, Asker, Entry, Pending};
use super::{CANCEL, SUBSCRIBE, notice, single};

/// What the application hears of subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exposure {
    /// Nothing: PUB.
    Nothing,
    /// What changed, once it has.
    Changes(XPubVerbosity),
    /// Each request, to decide on it: manual mode.
    Requests,
}

/// The subscribers of an XPUB or PUB.
pub(super) struct Subscribers {
    exposure: Exposure,
    peers: Distributor<Subscriber>,
    /// What messages are matched with.
    applied: Interest,
    /// What was asked for; differs in manual mode, and is used only there.
    requested: Interest,
    /// What those left behind who have left, the first of them first.
    left: VecDeque<Left>,
    pending: Pending,
    /// What of that is of connections that have ended.
    departed: Account,
    /// Who they were of whom something is left, the last of them.
    known: VecDeque<(Asker, Arc<PeerInfo>)>,
    /// Who made the last request that the application received.
    last: Option<Asker>,
    /// How many connections there were.
    sessions: u32,
}

/// How many are known of those who have left. Whoever likes may come and leave something.
const KNOWN: usize = 256;

#[derive(Default)]
struct Subscriber {
    applied: Topics,
    requested: Topics,
    /// What it has in store for the application.
    account: Account,
    /// Who it is.
    info: Arc<PeerInfo>,
    /// The number of its connection, or of the next one.
    session: u32,
    /// It went beyond a bound; what still comes of this connection is ignored.
    rejected: bool,
}

/// The topics of a connection that has ended.
struct Left {
    was: Asker,
    applied: Topics,
    requested: Topics,
}

impl Subscribers {
    pub(super) fn new(options: &SocketOptions, exposure: Exposure) -> Self {
        let limits = &options.limits;
        let bounded = || Interest::new(Bounds::of_peer(limits), Bounds::of_all(limits));
        // In manual mode what is applied is the application's own choice.
        let applied = match exposure {
            Exposure::Requests => Interest::unbounded(),
            Exposure::Nothing | Exposure::Changes(_) => bounded(),
        };
        Self {
            exposure,
            peers: Distributor::new(),
            applied,
            requested: bounded(),
            left: VecDeque::new(),
            pending: Pending::new(options),
            departed: Account::default(),
            known: VecDeque::new(),
            last: None,
            sessions: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn is_clean(&self) -> bool {
        let topics = self.applied.nodes() + self.requested.nodes();
        let held = [self.applied.held(), self.requested.held()];
        let has_none = topics == 2 && held == [Share::default(); 2];
        assert!(self.pending.len() > 0 || self.departed.is_empty());
        self.left.is_empty() && self.peers.iter().next().is_none() && has_none
    }

    pub(super) fn pending(&mut self) -> &mut Pending {
        &mut self.pending
    }

    pub(super) fn attach(&mut self, peer: &Arc<Peer>) {
        let session = self.next_session();
        self.peers.attach(peer, Subscriber { session, ..Subscriber::default() });
    }

    pub(super) fn up(&mut self, peer: &Peer, welcome: Option<&Message>, touched: &mut Touched) {
        let Some((_, subscriber)) = self.peers.get_mut(peer) else { return };
        subscriber.rejected = false;
        subscriber.info = peer.info();
        if peer.is_another() {
            // What waits was matched with what somebody else had subscribed to.
            peer.line.forget();
        }
        if let Some(welcome) = welcome {
            // A peer without room has older messages to read first.
            if let Ok(needs) = peer.line.push_shared(welcome) {
                touched.note(needs, &peer.line);
            }
        }
    }

    /// Finds the subscribers whose topics a first frame starts with.
    pub(super) fn mark_matching(&mut self, first: &[u8]) {
        let Self { peers, applied, .. } = self;
        peers.start_round();
        applied.matches(first, |slot| peers.mark(slot));
    }

    /// How many subscribers have topics that this one starts with.
    pub(super) fn count_matching(&mut self, topic: &[u8]) -> usize {
        self.mark_matching(topic);
        self.peers.marked_count()
    }

    /// Whether all that a message was matched with would take it.
    pub(super) fn marked_have_room(&self) -> bool {
        self.peers.marked_have_room()
    }

    /// Sends to those the message was matched with; says how many were full.
    pub(super) fn send_to_marked(&mut self, message: &Message, touched: &mut Touched) -> usize {
        let full =
            self.peers.send(message, |needs, line: &Arc<dyn Line>| touched.note(needs, line));
        for peer in self.peers.take_gone() {
            self.detach(&peer);
        }
        full
    }

    /// A peer subscribes or cancels.
    pub(super) fn change(
        &mut self,
        from: &Arc<Peer>,
        change: &Subscription,
        touched: &mut Touched,
    ) {
        let Some((slot, subscriber)) = self.peers.get_mut(from) else { return };
        if subscriber.rejected {
            return;
        }
        let mut result = self.try_change(slot, change);
        if result.is_err_and(TooMuch::is_of_all) && !self.left.is_empty() {
            // Those who have left give way to those who are here.
            self.forget(Step::WHOLE);
            result = self.try_change(slot, change);
        }
        if let Err(too_much) = result {
            self.reject(from, too_much.into(), touched);
        }
    }

    /// As [`change`](Self::change); nothing has changed if it is too much.
    fn try_change(&mut self, slot: Slot, change: &Subscription) -> Result<(), TooMuch> {
        match self.exposure {
            Exposure::Nothing => self.apply(slot, change).map(drop),
            Exposure::Changes(verbosity) => self.change_and_tell(slot, change, verbosity),
            Exposure::Requests => self.request(slot, change),
        }
    }

    fn change_and_tell(
        &mut self,
        slot: Slot,
        change: &Subscription,
        verbosity: XPubVerbosity,
    ) -> Result<(), TooMuch> {
        let topic = change.topic();
        self.settle(topic);
        let changed = self.apply(slot, change)?;
        if let Some(kind) = changed.and_then(|changed| changed.told(verbosity)) {
            self.keep(slot, Entry::Notice(notice(kind, topic)));
        }
        // Whoever cancels may have been the last who was here.
        self.settle(topic);
        Ok(())
    }

    /// A peer sent a message upstream.
    pub(super) fn take_in(&mut self, from: &Peer, message: Message) {
        let entry = Entry::Message(message);
        match self.peers.get_mut(from) {
            Some((slot, _)) => self.keep(slot, entry),
            // It has left, and what it sent before that comes after it.
            None => self.pending.push(entry, None, &mut self.departed),
        }
    }

    /// Stores what a peer sent or asked for.
    fn keep(&mut self, slot: Slot, entry: Entry) {
        if let Some(subscriber) = self.peers.at_mut(slot) {
            let asker = Asker { slot, session: subscriber.session };
            self.pending.push(entry, Some(asker), &mut subscriber.account);
        }
    }

    /// Changes what a peer is sent.
    fn apply(&mut self, slot: Slot, change: &Subscription) -> Result<Option<Changed>, TooMuch> {
        let Some(subscriber) = self.peers.at_mut(slot) else { return Ok(None) };
        Ok(match change {
            Subscription::Subscribe(topic) => {
                let inserted = self.applied.add(slot, &mut subscriber.applied, topic)?;
                Some(Changed::Subscribed { first: inserted.first })
            }
            Subscription::Cancel(topic) => {
                let removed = self.applied.remove(slot, &mut subscriber.applied, topic);
                removed.existed.then_some(Changed::Cancelled { last: removed.last })
            }
        })
    }

    /// Forgets a topic that nobody has but peers who have left. So the
    /// application hears of it just what it would if all that they had were
    /// forgotten at once.
    fn settle(&mut self, topic: &[u8]) {
        let counts = matches!(
            self.exposure,
            Exposure::Changes(XPubVerbosity::Changes | XPubVerbosity::Subscriptions)
        );
        if counts && !self.left.is_empty() {
            let Self { peers, applied, pending, departed, .. } = self;
            if applied.settle(topic, |slot| peers.is_vacant(slot)) {
                pending.push(Entry::Notice(notice(CANCEL, topic)), None, departed);
            }
        }
    }

    /// Notes what a peer asks the application for.
    fn request(&mut self, slot: Slot, change: &Subscription) -> Result<(), TooMuch> {
        let Some(subscriber) = self.peers.at_mut(slot) else { return Ok(()) };
        let topics = &mut subscriber.requested;
        let kind = match change {
            Subscription::Subscribe(topic) => {
                self.requested.add(slot, topics, topic)?;
                SUBSCRIBE
            }
            Subscription::Cancel(topic) if self.requested.remove(slot, topics, topic).existed => {
                CANCEL
            }
            Subscription::Cancel(_) => return Ok(()),
        };
        self.keep(slot, Entry::Notice(notice(kind, change.topic())));
        Ok(())
    }

    /// The application subscribes whoever asked last to what it likes.
    pub(super) fn decide(&mut self, change: &Subscription) -> Result<(), TooMuch> {
        let Some(Asker { slot, session }) = self.last else { return Ok(()) };
        if !self.is_here(slot, session) {
            // It has left, and what it was subscribed to with it.
            return Ok(());
        }
        self.apply(slot, change).map(drop)
    }

    /// What the application receives next, and who sent it or asked for it.
    pub(super) fn take_pending(&mut self) -> Option<(Message, Arc<PeerInfo>)> {
        let (entry, from) = self.pending.pop()?;
        let subscriber = from.and_then(|from| {
            let subscriber = self.peers.at_mut(from.slot)?;
            (subscriber.session == from.session).then_some(subscriber)
        });
        let info = match subscriber {
            Some(subscriber) => {
                subscriber.account.release(&entry);
                Arc::clone(&subscriber.info)
            }
            None => {
                self.departed.release(&entry);
                self.who_was(from)
            }
        };
        let message = match entry {
            Entry::Message(message) => message,
            Entry::Notice(notice) => {
                // What the application makes of a request of one who has left is
                // nothing, and must not hit another peer.
                self.last = from;
                single(notice)
            }
        };
        Some((message, info))
    }

    /// Who somebody was who has left, if that is known.
    fn who_was(&self, asker: Option<Asker>) -> Arc<PeerInfo> {
        let mut known = self.known.iter().rev();
        let found = known.find(|(other, _)| Some(*other) == asker);
        found.map(|(_, info)| Arc::clone(info)).unwrap_or_default()
    }

    fn is_here(&mut self, slot: Slot, session: u32) -> bool {
        let subscriber = self.peers.at_mut(slot);
        subscriber.is_some_and(|subscriber| subscriber.session == session && !subscriber.rejected)
    }

    /// A peer went beyond its bounds.
    fn reject(&mut self, peer: &Arc<Peer>, why: Unwelcome, touched: &mut Touched) {
        self.end_session(peer);
        if let Some((_, subscriber)) = self.peers.get_mut(peer) {
            subscriber.rejected = true;
        }
        touched.reject(&peer.line, why);
    }

    fn next_session(&mut self) -> u32 {
        self.sessions = self.sessions.wrapping_add(1);
        self.sessions
    }

    /// A peer has left.
    pub(super) fn detach(&mut self, peer: &Peer) {
        if let Some((slot, subscriber)) = self.peers.vacate(peer) {
            self.leave(slot, subscriber);
        }
    }

    /// The connection of a peer that stays has ended, and its subscriptions with
    /// it. Those of the next one are in another slot.
    pub(super) fn end_session(&mut self, peer: &Arc<Peer>) {
        if let Some((slot, subscriber)) = self.peers.vacate(peer) {
            let (session, rejected) = (self.next_session(), subscriber.rejected);
            let info = Arc::clone(&subscriber.info);
            self.leave(slot, subscriber);
            let subscriber = Subscriber { session, rejected, info, ..Subscriber::default() };
            self.peers.attach(peer, subscriber);
        }
    }

    fn leave(&mut self, slot: Slot, subscriber: Subscriber) {
        let Subscriber { applied, requested, account, info, session, .. } = subscriber;
        let was = Asker { slot, session };
        let has_topics = !applied.is_empty() || !requested.is_empty();
        if self.exposure != Exposure::Nothing && (has_topics || !account.is_empty()) {
            self.departed.inherit(account);
            if self.known.len() == KNOWN {
                self.known.pop_front();
            }
            self.known.push_back((was, info));
        }
        if has_topics {
            self.left.push_back(Left { was, applied, requested });
        } else {
            self.peers.release(slot);
        }
    }

    /// Forgets some of what those left behind who have left; true if there is
    /// more.
    //
    // RFC 29: SHALL, if the subscriber peer disconnects prematurely, generate a
    // suitable CANCEL command for the calling application.
    pub(super) fn forget(&mut self, mut step: Step) -> bool {
        let Self { peers, applied, requested, left, pending, departed, .. } = self;
        let farewell = match self.exposure {
            Exposure::Nothing | Exposure::Requests => Farewell::Silent,
            Exposure::Changes(XPubVerbosity::All) => Farewell::Every,
            Exposure::Changes(_) => Farewell::Last,
        };
        while let Some(first) = left.front_mut() {
            let Asker { slot, .. } = first.was;
            let mut tell = |topic: &[u8]| {
                let entry = Entry::Notice(notice(CANCEL, topic));
                pending.push(entry, Some(first.was), departed);
            };
            applied.forget(slot, &mut first.applied, farewell, &mut step, &mut tell);
            // libzmq reports what was asked for, and once per peer: only the
            // application knows what it made of it.
            let requests = &mut first.requested;
            requested.forget(slot, requests, Farewell::Every, &mut step, &mut tell);
            if !(first.applied.is_empty() && first.requested.is_empty()) {
                return true;
            }
            left.pop_front();
            peers.release(slot);
        }
        false
    }
}

impl Drop for Subscribers {
    fn drop(&mut self) {
        let [applied, requested] = [&mut self.applied, &mut self.requested]
            .map(|interest| std::mem::replace(interest, Interest::unbounded()));
        let topics = applied.nodes() + requested.nodes();
        free(topics, (applied, requested, std::mem::take(&mut self.left)));
    }
}

/// What a subscription or cancellation changed.
enum Changed {
    Subscribed { first: bool },
    Cancelled { last: bool },
}

impl Changed {
    /// The kind of notice the application gets of it, if any.
    // RFC 29: MAY, depending on configuration, normalize commands delivered to
    // its calling application so that multiple identical subscriptions result in
    // a single command only.
    fn told(&self, verbosity: XPubVerbosity) -> Option<u8> {
        match *self {
            Self::Subscribed { first } => {
                (first || verbosity != XPubVerbosity::Changes).then_some(SUBSCRIBE)
            }
            Self::Cancelled { last } => (last || verbosity == XPubVerbosity::All).then_some(CANCEL),
        }
    }
}
