//! [`XSub`]: the subscribing side, XSUB and SUB.
//!
//! The socket's own subscriptions are counted here, whatever publishers make
//! of them, and replayed to each publisher whenever its connection is up.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::error::SubscribeError;
use crate::message::Message;
use crate::options::Linger;
use crate::pattern::{Delivery, Pattern, Routed, SendRefusal, Touched};
use crate::peer::{DropCause, PeerInfo, Subscription, Unwelcome};
use crate::pipe::{Line, NeedsFlush, Peer, Traits, free};
use crate::routing::Distributor;
use crate::sync::{Held, Lock, Rank};

use super::as_subscription;
use super::filter::Filter;
use super::interest::{Bounds, Share, Step, TooMuch};

/// Neither has anything to say that anybody would miss.
const LINGER: Linger = Linger::For(Duration::ZERO);
const XSUB: Traits = Traits { drops: true, passes: true, linger: LINGER, ..Traits::PLAIN };
const SUB: Traits = Traits { filters: true, connects_once: true, linger: LINGER, ..Traits::PLAIN };

/// An XSUB, or a SUB, which filters what comes in and sends nothing but
/// subscriptions.
pub(crate) struct XSub {
    role: Role,
    /// What is sent and subscribed to. Held while publishers are told, so that
    /// each of them hears of changes in the order they were made and none falls
    /// between the replay and what follows it.
    state: Lock<State>,
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
    /// The sum of the lengths of the topics.
    octets: usize,
    bounds: Bounds,
    /// Publishers whose replay is not done.
    replaying: VecDeque<Arc<Peer>>,
}

impl Drop for State {
    fn drop(&mut self) {
        free(self.topics.len(), std::mem::take(&mut self.topics));
    }
}

/// What a publisher has heard of the topics.
#[derive(Debug, PartialEq, Eq)]
enum Link {
    /// Nothing: its connection is down, and changes wait for the replay.
    Down,
    /// All up to this one, in their order. Changes behind it wait for the replay.
    Replay(Bytes),
    Everything,
}

impl Link {
    /// Whether it is told of a change now.
    fn hears_of(&self, topic: &Bytes) -> bool {
        match self {
            Self::Down => false,
            Self::Replay(last) => topic <= last,
            Self::Everything => true,
        }
    }
}

impl XSub {
    /// An XSUB.
    pub(crate) fn new() -> Self {
        Self::with_bounds(Role::XSub, Bounds::of_peer_by_default())
    }

    /// A SUB.
    pub(crate) fn sub() -> Self {
        Self::with_bounds(Role::Sub(Filter::new()), Bounds::of_peer_by_default())
    }

    fn with_bounds(role: Role, bounds: Bounds) -> Self {
        let state = State {
            publishers: Distributor::new(),
            topics: BTreeMap::new(),
            octets: 0,
            bounds,
            replaying: VecDeque::new(),
        };
        Self { role, state: Lock::new(Rank::Pattern, state) }
    }

    #[cfg(test)]
    pub(super) fn bounded(bounds: Bounds) -> Self {
        Self::with_bounds(Role::XSub, bounds)
    }

    fn lock(&self) -> Held<'_, State> {
        self.state.lock()
    }

    fn filter(&self) -> Option<&Filter> {
        match &self.role {
            Role::XSub => None,
            Role::Sub(filter) => Some(filter),
        }
    }
}

impl Pattern for XSub {
    fn traits(&self) -> &'static Traits {
        match self.role {
            Role::XSub => &XSUB,
            Role::Sub(_) => &SUB,
        }
    }

    // RFC 29: SHALL create a double queue when initiating an outgoing connection
    // to a publisher, and SHALL maintain the double queue whether or not the
    // connection is established.
    // RFC 29: SHALL create a double queue when a publisher connects to it.
    fn attach(&self, peer: &Arc<Peer>) -> Result<(), Unwelcome> {
        self.lock().publishers.attach(peer, Link::Down);
        Ok(())
    }

    fn up(&self, peer: &Arc<Peer>, _: &PeerInfo, touched: &mut Touched) -> Result<(), Unwelcome> {
        let mut state = self.lock();
        state.end_replay(peer);
        if let Some((_, link)) = state.publishers.get_mut(peer) {
            *link = Link::Down;
            state.replay(peer, touched);
        }
        Ok(())
    }

    fn down(&self, peer: &Arc<Peer>) {
        let mut state = self.lock();
        state.end_replay(peer);
        if let Some((_, link)) = state.publishers.get_mut(peer) {
            *link = Link::Down;
        }
    }

    fn detach(&self, peer: &Arc<Peer>) {
        let mut state = self.lock();
        state.end_replay(peer);
        state.publishers.detach(peer);
    }

    fn tidy(&self, touched: &mut Touched) -> bool {
        let mut state = self.lock();
        if let Some(peer) = state.replaying.pop_front() {
            state.replay(&peer, touched);
        }
        !state.replaying.is_empty()
    }

    // `room` has nothing to do: full publishers miss messages.

    fn send(&self, _: Option<&[u8]>, message: &mut Message, touched: &mut Touched) -> Routed {
        // RFC 29: SHALL only receive messages. (SUB)
        if self.filter().is_some() {
            return Routed::Refused(SendRefusal::OutOfTurn);
        }
        // RFC 29: SHALL accept subscription commands from its calling application.
        if let Some(change) = as_subscription(message) {
            return match self.subscribe(change, touched) {
                Ok(()) => Routed::Sent,
                Err(error) => Routed::Refused(SendRefusal::Subscription(error)),
            };
        }
        match self.lock().send_to_all(message, touched) {
            0 => Routed::Sent,
            lost => Routed::Dropped { lost, cause: DropCause::PeerFull },
        }
    }

    // RFC 29: SHALL not modify incoming messages in any way.
    // RFC 29: SHALL deliver messages to its calling application.
    fn accept(&self, _: &Arc<Peer>, delivery: &mut Delivery) -> bool {
        // RFC 29: MAY filter messages according to subscriptions, using a prefix
        // match algorithm. SUB does, since publishers may send more than was
        // asked for, and what was cancelled may still be on its way.
        self.filter().is_none_or(|filter| filter.wants(delivery.message.first()))
    }

    fn subscribe(&self, change: Subscription, touched: &mut Touched) -> Result<(), SubscribeError> {
        let mut state = self.lock();
        // libzmq sends every SUBSCRIBE, and so do we: to a publisher it is the
        // same set, and an XPUB in verbose mode counts on it.
        let tell = match &change {
            Subscription::Subscribe(topic) => {
                if state.count(topic)? {
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
        Ok(())
    }
}

impl State {
    fn share(&self) -> Share {
        Share { topics: self.topics.len(), octets: self.octets }
    }

    /// Counts a subscription; says whether it is the first to its topic.
    ///
    /// # Errors
    /// When a publisher of ours would turn us away for it.
    fn count(&mut self, topic: &Bytes) -> Result<bool, TooMuch> {
        if let Some(count) = self.topics.get_mut(topic) {
            *count += 1;
            return Ok(false);
        }
        self.bounds.admit(self.share(), topic)?;
        self.octets += topic.len();
        // A copy, so as not to keep alive the buffer that the topic was cut from.
        self.topics.insert(Bytes::copy_from_slice(topic), 1);
        Ok(true)
    }

    /// Takes a subscription back; says whether it was the last to its topic.
    /// Cancelling what was not subscribed to does nothing.
    fn discount(&mut self, topic: &Bytes) -> bool {
        match self.topics.get_mut(topic) {
            None => false,
            Some(1) => {
                self.octets -= topic.len();
                self.topics.remove(topic).is_some()
            }
            Some(count) => {
                *count -= 1;
                false
            }
        }
    }

    fn tell_all(&self, change: &Subscription, touched: &mut Touched) {
        let up = self.publishers.iter().filter(|(_, link)| link.hears_of(change.topic()));
        for (peer, _) in up {
            touched.note(peer.line.control(change.clone()), &peer.line);
        }
    }

    /// Tells a publisher of the topics, as many as a step allows, from where the
    /// last step ended.
    //
    // RFC 29: SHALL send SUBSCRIBE and CANCEL commands to publishers depending
    // on the transport protocol used.
    fn replay(&mut self, peer: &Arc<Peer>, touched: &mut Touched) {
        let Some((_, link)) = self.publishers.get_mut(peer) else { return };
        let from = match link {
            Link::Replay(last) => Bound::Excluded(last.clone()),
            Link::Down | Link::Everything => Bound::Unbounded,
        };
        *link = Link::Everything;
        let (mut step, mut needs) = (Step::REPLAY, NeedsFlush::No);
        let mut topics = self.topics.range((from, Bound::Unbounded)).peekable();
        while let Some((topic, _)) = topics.next() {
            if peer.line.control(Subscription::Subscribe(topic.clone())) == NeedsFlush::Yes {
                needs = NeedsFlush::Yes;
            }
            step.spend(topic.len());
            if step.is_done() && topics.peek().is_some() {
                *link = Link::Replay(topic.clone());
                self.replaying.push_back(Arc::clone(peer));
                break;
            }
        }
        touched.note(needs, &peer.line);
    }

    fn end_replay(&mut self, peer: &Arc<Peer>) {
        self.replaying.retain(|other| !Arc::ptr_eq(other, peer));
    }

    // RFC 29: SHALL not modify outgoing messages in any way.
    // RFC 29: SHALL send all messages to all connected publishers.
    // RFC 29: SHALL silently drop the message if the outgoing queue for a
    // publisher is full.
    // RFC 29: SHALL NOT block on sending.
    fn send_to_all(&mut self, message: &Message, touched: &mut Touched) -> usize {
        self.publishers.start_round();
        self.publishers.mark_all();
        let note = |needs, line: &Arc<dyn Line>| touched.note(needs, line);
        let lost = self.publishers.send(message, note);
        for peer in self.publishers.take_gone() {
            self.end_replay(&peer);
            self.publishers.detach(&peer);
        }
        lost
    }
}
