//! [`Subscribers`]: who subscribes to what at an XPUB, and what its
//! application is told of it.

use std::sync::Arc;

use crate::message::Message;
use crate::options::{SocketOptions, XPubVerbosity};
use crate::pattern::Touched;
use crate::peer::Subscription;
use crate::pipe::{Outlet, PeerKey, Pipe};
use crate::routing::Distributor;

use super::interest::{Bounds, Farewell, Interest, TooMuch, Topics};
use super::pending::{Asker, Entry, Pending};
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
    pending: Pending,
    /// Who made the last request that the application received.
    last: Option<Asker>,
}

#[derive(Default)]
struct Subscriber {
    applied: Topics,
    requested: Topics,
    /// Counts its connections.
    session: u32,
    /// It went beyond a bound; what still comes of this connection is ignored.
    rejected: bool,
}

impl Subscribers {
    pub(super) fn new(options: &SocketOptions, exposure: Exposure, bounds: Bounds) -> Self {
        // In manual mode what is applied is the application's own choice.
        let of_applied = match exposure {
            Exposure::Requests => Bounds::NONE,
            Exposure::Nothing | Exposure::Changes(_) => bounds,
        };
        Self {
            exposure,
            peers: Distributor::new(),
            applied: Interest::new(of_applied),
            requested: Interest::new(bounds),
            pending: Pending::new(options),
            last: None,
        }
    }

    pub(super) fn pending(&mut self) -> &mut Pending {
        &mut self.pending
    }

    pub(super) fn attach(&mut self, pipe: &Pipe) {
        self.peers.attach(pipe, Subscriber::default());
    }

    pub(super) fn up(&mut self, key: PeerKey, welcome: Option<&Message>, touched: &mut Touched) {
        if let Some((_, subscriber)) = self.peers.get_mut(key) {
            subscriber.rejected = false;
        }
        if let (Some(welcome), Some(outlet)) = (welcome, self.peers.outlet(key)) {
            // A peer without room has older messages to read first.
            if let Ok(needs) = outlet.push(welcome.clone()) {
                touched.note(needs, outlet);
            }
        }
    }

    /// Finds the subscribers whose topics a first frame starts with.
    pub(super) fn mark_matching(&mut self, first: &[u8]) {
        let Self { peers, applied, .. } = self;
        peers.start_round();
        applied.matches(first, |slot| peers.mark(slot));
    }

    /// Whether all that a message was matched with would take it.
    pub(super) fn marked_have_room(&self) -> bool {
        self.peers.marked_have_room()
    }

    /// Sends to those the message was matched with; says how many were full.
    pub(super) fn send_to_marked(&mut self, message: Message, touched: &mut Touched) -> usize {
        let note = |needs, outlet: &Arc<dyn Outlet>| touched.note(needs, outlet);
        let full = self.peers.send(message, note);
        for key in self.peers.take_gone() {
            self.detach(key);
        }
        full
    }

    /// A peer subscribes or cancels.
    pub(super) fn change(&mut self, from: PeerKey, change: &Subscription, touched: &mut Touched) {
        let result = match self.exposure {
            Exposure::Nothing => self.apply(from, change).map(|_| ()),
            Exposure::Changes(verbosity) => self.apply(from, change).map(|changed| {
                if let Some(kind) = changed.and_then(|changed| changed.told(verbosity)) {
                    self.pending.push(Entry::Notice(notice(kind, change.topic()), None));
                }
            }),
            Exposure::Requests => self.request(from, change),
        };
        if result.is_err() {
            self.reject(from, touched);
        }
    }

    /// Changes what a peer is sent.
    fn apply(&mut self, key: PeerKey, change: &Subscription) -> Result<Option<Changed>, TooMuch> {
        let Some((slot, subscriber)) = self.peers.get_mut(key) else { return Ok(None) };
        if subscriber.rejected {
            return Ok(None);
        }
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

    /// Notes what a peer asks the application for.
    fn request(&mut self, key: PeerKey, change: &Subscription) -> Result<(), TooMuch> {
        let Some((slot, subscriber)) = self.peers.get_mut(key) else { return Ok(()) };
        if subscriber.rejected {
            return Ok(());
        }
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
        let asker = Asker { key, session: subscriber.session };
        self.pending.push(Entry::Notice(notice(kind, change.topic()), Some(asker)));
        Ok(())
    }

    /// The application subscribes whoever asked last to what it likes.
    pub(super) fn decide(&mut self, change: &Subscription) {
        if let Some(asker) = self.last.filter(|&asker| self.is_here(asker)) {
            // Refused only when there are four billion topics.
            let _ = self.apply(asker.key, change);
        }
    }

    /// What the application receives next.
    pub(super) fn take_pending(&mut self) -> Option<Message> {
        Some(match self.pending.pop()? {
            Entry::Message(message) => message,
            Entry::Notice(notice, asker) => {
                // Nobody asked where a peer has just left: what the application
                // cancels now is gone already, and must not hit another peer.
                self.last = asker;
                single(notice)
            }
        })
    }

    fn is_here(&mut self, asker: Asker) -> bool {
        let subscriber = self.peers.get_mut(asker.key);
        subscriber.is_some_and(|(_, subscriber)| subscriber.session == asker.session)
    }

    /// A peer went beyond its bounds.
    fn reject(&mut self, key: PeerKey, touched: &mut Touched) {
        self.forget(key);
        if let Some((_, subscriber)) = self.peers.get_mut(key) {
            subscriber.rejected = true;
        }
        if let Some(outlet) = self.peers.outlet(key) {
            touched.reject(outlet);
        }
    }

    /// A peer has left.
    pub(super) fn detach(&mut self, key: PeerKey) {
        self.forget(key);
        self.peers.detach(key);
    }

    /// Takes all subscriptions of a peer.
    //
    // RFC 29: SHALL, if the subscriber peer disconnects prematurely, generate a
    // suitable CANCEL command for the calling application.
    pub(super) fn forget(&mut self, key: PeerKey) {
        let Self { peers, applied, requested, pending, .. } = self;
        let Some((slot, subscriber)) = peers.get_mut(key) else { return };
        subscriber.session = subscriber.session.wrapping_add(1);
        let mut tell = |topic: &[u8]| pending.push(Entry::Notice(notice(CANCEL, topic), None));
        let farewell = match self.exposure {
            Exposure::Nothing | Exposure::Requests => Farewell::Silent,
            Exposure::Changes(XPubVerbosity::All) => Farewell::Every,
            Exposure::Changes(_) => Farewell::Last,
        };
        applied.clear(slot, std::mem::take(&mut subscriber.applied), farewell, &mut tell);
        // libzmq reports what was asked for, and once per peer: only the
        // application knows what it made of it.
        let requests = std::mem::take(&mut subscriber.requested);
        requested.clear(slot, requests, Farewell::Every, &mut tell);
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
