//! [`XSub`]: the subscribing side, XSUB and SUB.
//!
//! The socket's own subscriptions are counted here, whatever publishers make
//! of them, and replayed to each publisher whenever its connection is up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::message::Message;
use crate::pattern::{Delivery, Pattern, Routed, SendRefusal, Touched};
use crate::peer::{DropCause, PeerInfo, Subscription};
use crate::pipe::{NeedsFlush, Outlet, PeerKey, Pipe, Unwelcome};
use crate::routing::Distributor;
use crate::routing_id::RoutingId;

use super::as_subscription;
use super::filter::Filter;

/// An XSUB, or a SUB, which filters what comes in and sends nothing but
/// subscriptions.
pub(crate) struct XSub {
    role: Role,
    /// What is sent and subscribed to. Held while publishers are told, so that
    /// each of them hears of changes in the order they were made and none falls
    /// between the replay and what follows it.
    state: Mutex<State>,
}

enum Role {
    XSub,
    Sub(Filter),
}

struct State {
    publishers: Distributor<Link>,
    /// How often each topic was subscribed to. Ordered, so that a replay does
    /// not depend on hashes.
    topics: BTreeMap<Bytes, usize>,
}

/// Whether a publisher's connection is up. While it is not, changes wait for
/// the replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Down,
    Up,
}

impl XSub {
    /// An XSUB.
    pub(crate) fn new() -> Self {
        Self::with_role(Role::XSub)
    }

    /// A SUB.
    pub(crate) fn sub() -> Self {
        Self::with_role(Role::Sub(Filter::new()))
    }

    fn with_role(role: Role) -> Self {
        let state = State { publishers: Distributor::new(), topics: BTreeMap::new() };
        Self { role, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn filter(&self) -> Option<&Filter> {
        match &self.role {
            Role::XSub => None,
            Role::Sub(filter) => Some(filter),
        }
    }
}

impl Pattern for XSub {
    // RFC 29: SHALL create a double queue when initiating an outgoing connection
    // to a publisher, and SHALL maintain the double queue whether or not the
    // connection is established.
    // RFC 29: SHALL create a double queue when a publisher connects to it.
    fn attach(&self, pipe: &Pipe) -> Result<(), Unwelcome> {
        self.lock().publishers.attach(pipe, Link::Down);
        Ok(())
    }

    fn up(&self, key: PeerKey, _: &PeerInfo, touched: &mut Touched) -> Result<(), Unwelcome> {
        let State { publishers, topics } = &mut *self.lock();
        if let Some((_, link)) = publishers.get_mut(key) {
            *link = Link::Up;
        }
        if let Some(outlet) = publishers.outlet(key) {
            // RFC 29: SHALL send SUBSCRIBE and CANCEL commands to publishers
            // depending on the transport protocol used.
            let mut needs = NeedsFlush::No;
            for topic in topics.keys() {
                if outlet.control(Subscription::Subscribe(topic.clone())) == NeedsFlush::Yes {
                    needs = NeedsFlush::Yes;
                }
            }
            touched.note(needs, outlet);
        }
        Ok(())
    }

    fn down(&self, key: PeerKey) {
        if let Some((_, link)) = self.lock().publishers.get_mut(key) {
            *link = Link::Down;
        }
    }

    fn detach(&self, key: PeerKey) {
        self.lock().publishers.detach(key);
    }

    fn room(&self, _: PeerKey) {
        // Nothing waits for room: full publishers miss messages.
    }

    fn send(&self, _: Option<&RoutingId>, message: Message, touched: &mut Touched) -> Routed {
        // RFC 29: SHALL only receive messages. (SUB)
        if self.filter().is_some() {
            return Routed::Refused(message, SendRefusal::OutOfTurn);
        }
        // RFC 29: SHALL accept subscription commands from its calling application.
        match as_subscription(message) {
            Ok(change) => {
                self.subscribe(change, touched);
                Routed::SENT
            }
            Err(message) => {
                let lost = self.lock().send_to_all(message, touched);
                Routed::Done { lost, cause: DropCause::PeerFull }
            }
        }
    }

    // RFC 29: SHALL not modify incoming messages in any way.
    // RFC 29: SHALL deliver messages to its calling application.
    fn accept(&self, _: PeerKey, delivery: &mut Delivery) -> bool {
        // RFC 29: MAY filter messages according to subscriptions, using a prefix
        // match algorithm. SUB does, since publishers may send more than was
        // asked for, and what was cancelled may still be on its way.
        self.filter().is_none_or(|filter| filter.wants(delivery.message.first()))
    }

    fn subscribe(&self, change: Subscription, touched: &mut Touched) {
        let mut state = self.lock();
        // libzmq sends every SUBSCRIBE, and so do we: to a publisher it is the
        // same set, and an XPUB in verbose mode counts on it.
        let tell = match &change {
            Subscription::Subscribe(topic) => {
                if state.count(topic) {
                    self.filter().inspect(|filter| filter.add(topic));
                }
                true
            }
            Subscription::Cancel(topic) => {
                let last = state.discount(topic);
                if last {
                    self.filter().inspect(|filter| filter.remove(topic));
                }
                last
            }
        };
        if tell {
            state.tell_all(&change, touched);
        }
    }
}

impl State {
    /// Counts a subscription; says whether it is the first to its topic.
    fn count(&mut self, topic: &Bytes) -> bool {
        if let Some(count) = self.topics.get_mut(topic) {
            *count += 1;
            return false;
        }
        // A copy, so as not to keep alive the buffer that the topic was cut from.
        self.topics.insert(Bytes::copy_from_slice(topic), 1);
        true
    }

    /// Takes a subscription back; says whether it was the last to its topic.
    /// Cancelling what was not subscribed to does nothing.
    fn discount(&mut self, topic: &Bytes) -> bool {
        match self.topics.get_mut(topic) {
            None => false,
            Some(1) => self.topics.remove(topic).is_some(),
            Some(count) => {
                *count -= 1;
                false
            }
        }
    }

    fn tell_all(&self, change: &Subscription, touched: &mut Touched) {
        let up = self.publishers.iter().filter(|(_, link)| **link == Link::Up);
        for (outlet, _) in up {
            touched.note(outlet.control(change.clone()), outlet);
        }
    }

    // RFC 29: SHALL not modify outgoing messages in any way.
    // RFC 29: SHALL send all messages to all connected publishers.
    // RFC 29: SHALL silently drop the message if the outgoing queue for a
    // publisher is full.
    // RFC 29: SHALL NOT block on sending.
    fn send_to_all(&mut self, message: Message, touched: &mut Touched) -> usize {
        self.publishers.start_round();
        self.publishers.mark_all();
        let note = |needs, outlet: &Arc<dyn Outlet>| touched.note(needs, outlet);
        let lost = self.publishers.send(message, note);
        for key in self.publishers.take_gone() {
            self.publishers.detach(key);
        }
        lost
    }
}
