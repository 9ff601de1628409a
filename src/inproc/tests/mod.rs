//! A socket made up to be joined with others, and to note what it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use super::Registry;
use crate::message::Message;
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::options::SocketOptions;
use crate::peer::{DropCause, PeerInfo, Subscription, Unwelcome};
use crate::pipe::{
    Backlog, EndpointKey, Flush, Hand, Item, Line, Link, NeedsFlush, Next, Peer, Refused,
    SocketSide, Traits, Who,
};
use crate::socket_type::SocketType;
use crate::sync::{Held, Lock, Rank};

mod asking;
mod delivering;
mod meeting;
mod parting;
mod queueing;

/// What receivers take from.
static PLAIN: Traits = Traits::PLAIN;
/// What takes at once.
static AT_ONCE: Traits = Traits { takes_at_once: true, ..Traits::PLAIN };
/// What asks.
static ASKS: Traits = Traits { asks: true, lockstep: true, ..Traits::PLAIN };

/// A name for all who want to meet.
const NAME: &str = "name";

/// A socket as the ends of its lines see it. It behaves as a real one does with
/// its peers: it lists them, takes from them, and forgets those that are spent.
struct Socket {
    me: Weak<Socket>,
    link: (SocketType, &'static Traits, Arc<SocketOptions>),
    /// Of the rank of a real socket's list, and taken in each method, so that a
    /// call with a lock of this room held is found.
    state: Lock<State>,
    /// Held while something is pushed.
    pattern: Lock<()>,
}

#[derive(Default)]
struct State {
    roster: Vec<Arc<Peer>>,
    ready: VecDeque<Arc<Peer>>,
    /// All that this socket was told, in short.
    log: Vec<String>,
    lost: Vec<(DropCause, usize)>,
    delivered: Vec<String>,
    /// How the next calls are answered.
    attach: Option<Unwelcome>,
    up: Option<Unwelcome>,
    /// Whether `up` closes the peer.
    closes_in_up: bool,
    /// Whether each message that is delivered is sent back.
    echoes: bool,
}

impl Socket {
    fn new(traits: &'static Traits, options: SocketOptions) -> Arc<Self> {
        Self::of_type(SocketType::Dealer, traits, options)
    }

    fn of_type(
        socket_type: SocketType,
        traits: &'static Traits,
        options: SocketOptions,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            link: (socket_type, traits, Arc::new(options)),
            state: Lock::new(Rank::Ready, State::default()),
            pattern: Lock::new(Rank::Pattern, ()),
        })
    }

    fn plain() -> Arc<Self> {
        Self::new(&PLAIN, SocketOptions::new())
    }

    fn state(&self) -> Held<'_, State> {
        self.state.lock()
    }

    /// A new bind or connect of this socket.
    fn link(&self) -> Link {
        let (socket_type, traits, options) = &self.link;
        Link {
            side: self.me.upgrade().expect("it lives"),
            socket_type: *socket_type,
            traits,
            options: Arc::clone(options),
            backlog: Arc::new(Backlog::new(options)),
            endpoint: format!("inproc://{NAME}").parse().expect("an endpoint"),
            owner: EndpointKey::unique(),
        }
    }

    fn bind(&self, registry: &Registry) -> EndpointKey {
        let link = self.link();
        assert!(registry.bind(NAME, &link));
        link.owner
    }

    fn connect(&self, registry: &Registry) -> EndpointKey {
        let link = self.link();
        registry.connect(NAME, &link).expect("a connect");
        link.owner
    }

    /// Its newest peer.
    fn peer(&self) -> Arc<Peer> {
        Arc::clone(self.state().roster.last().expect("a peer"))
    }

    fn line(&self) -> Arc<dyn Line> {
        Arc::clone(&self.peer().line)
    }

    fn push(&self, text: &str) -> Result<NeedsFlush, Refused> {
        let line = self.line();
        let _pattern = self.pattern.lock();
        line.push(&mut text.into())
    }

    /// Sends as a pattern does. Whether the message was taken.
    fn send(&self, text: &str) -> bool {
        self.flush_if(self.push(text))
    }

    /// The same, as a request.
    fn ask(&self, text: &str) -> bool {
        let line = self.line();
        let asked = {
            let _pattern = self.pattern.lock();
            line.ask(&mut text.into())
        };
        self.flush_if(asked)
    }

    fn flush_if(&self, pushed: Result<NeedsFlush, Refused>) -> bool {
        match pushed {
            Ok(NeedsFlush::Yes | NeedsFlush::YesNearMark) => {
                self.line().flush(Flush::Here);
                true
            }
            Ok(NeedsFlush::No | NeedsFlush::NearMark) => true,
            Err(_) => false,
        }
    }

    fn answered(&self) {
        let line = self.line();
        let _pattern = self.pattern.lock();
        line.answered();
    }

    fn subscribe(&self, topic: &'static str) {
        let line = self.line();
        let needs = {
            let _pattern = self.pattern.lock();
            line.control(Subscription::Subscribe(topic.into()))
        };
        if needs == NeedsFlush::Yes {
            line.flush(Flush::Here);
        }
    }

    /// How many messages it can send before it is refused.
    fn fill(&self) -> usize {
        (0..10_000).take_while(|number| self.send(&number.to_string())).count()
    }

    /// Takes a batch from whoever is first in the list, and has it in hand.
    fn take_batch(&self, limit: usize) -> Option<(Arc<Peer>, Vec<String>)> {
        let peer = self.state().ready.pop_front()?;
        peer.duty.take();
        let mut hand = Hand::default();
        let next = peer.line.take(&mut hand, limit);
        let mut state = self.state();
        match next {
            Next::Gone => state.forget(&peer),
            Next::More | Next::Empty => {
                if peer.duty.give_back(next == Next::More) {
                    state.ready.push_back(Arc::clone(&peer));
                }
            }
        }
        drop(state);
        Some((peer, std::iter::from_fn(|| hand.pop()).map(|message| text(&message)).collect()))
    }

    /// The same, and receives it. `None` if nobody is in the list.
    fn receive_batch(&self, limit: usize) -> Option<Vec<String>> {
        let (peer, batch) = self.take_batch(limit)?;
        peer.note_in_hand(0);
        Some(batch)
    }

    /// Receives all there is.
    fn receive_all(&self) -> Vec<String> {
        std::iter::from_fn(|| self.receive_batch(usize::MAX)).flatten().collect()
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.state().log)
    }

    /// What monitors were told.
    fn events(&self) -> Vec<String> {
        let is_event = |entry: &String| !["attach", "up", "detach", "room"].contains(&&**entry);
        self.log().into_iter().filter(is_event).collect()
    }

    fn lost(&self, cause: DropCause) -> usize {
        let state = self.state();
        state.lost.iter().filter(|(it, _)| *it == cause).map(|(_, count)| count).sum()
    }
}

impl State {
    fn list(&mut self, peer: &Arc<Peer>) {
        assert!(!self.is_listed(peer), "listed twice");
        self.ready.push_back(Arc::clone(peer));
    }

    fn is_listed(&self, peer: &Arc<Peer>) -> bool {
        self.ready.iter().any(|it| Arc::ptr_eq(it, peer))
    }

    fn forget(&mut self, peer: &Arc<Peer>) {
        self.roster.retain(|it| !Arc::ptr_eq(it, peer));
        self.ready.retain(|it| !Arc::ptr_eq(it, peer));
    }
}

impl SocketSide for Socket {
    fn attach(&self, peer: &Arc<Peer>) -> Result<(), Unwelcome> {
        let mut state = self.state();
        state.log.push("attach".into());
        if let Some(why) = state.attach.take() {
            return Err(why);
        }
        state.roster.push(Arc::clone(peer));
        Ok(())
    }

    fn up(&self, peer: &Arc<Peer>, _: &PeerInfo) -> Result<(), Unwelcome> {
        let mut state = self.state();
        state.log.push("up".into());
        let (answer, closes) = (state.up.take(), state.closes_in_up);
        drop(state);
        if closes {
            peer.line.close(None);
        }
        answer.map_or(Ok(()), Err)
    }

    fn down(&self, _: &Arc<Peer>) {
        panic!("no inproc peer comes back");
    }

    fn calm(&self) {}

    fn runtime_ended(&self) {}

    fn caught_up(&self) {}

    fn detach(&self, peer: &Arc<Peer>) {
        let mut state = self.state();
        state.log.push("detach".into());
        if peer.line.is_spent() && (self.link.1.takes_at_once || peer.duty.retire()) {
            state.forget(peer);
        }
    }

    fn tidy(&self) -> bool {
        false
    }

    fn readable(&self, peer: &Arc<Peer>) {
        self.state().list(peer);
    }

    fn room(&self, _: &Arc<Peer>) {
        self.state().log.push("room".into());
    }

    fn deliver(&self, peer: &Arc<Peer>, item: Item) {
        assert_eq!(peer.duty.event(), Who::Task);
        let mut state = self.state();
        let (name, message) = match item {
            Item::Message(message) => (text(&message), Some(message)),
            Item::Subscription(change) => (format!("+{:?}", change.topic()), None),
        };
        state.delivered.push(name);
        let echo = message.filter(|_| state.echoes);
        drop(state);
        if let Some(mut message) = echo {
            let pushed = peer.line.push(&mut message);
            if pushed.is_ok_and(|needs| needs == NeedsFlush::Yes) {
                peer.line.flush(Flush::Task);
            }
        }
    }

    fn lost(&self, _: &Arc<Peer>, cause: DropCause, count: usize) {
        assert!(count > 0);
        self.state().lost.push((cause, count));
    }

    fn zap(&self) -> Arc<dyn crate::security::Authenticator> {
        unreachable!("nobody asks a ZAP handler here")
    }

    fn emit(&self, event: MonitorEvent) {
        self.state().log.push(name(&event));
    }
}

fn text(message: &Message) -> String {
    String::from_utf8(message[0].to_vec()).expect("text")
}

/// An event in short.
fn name(event: &MonitorEvent) -> String {
    match event {
        MonitorEvent::Listening { .. } => "listening".into(),
        MonitorEvent::Ready { .. } => "ready".into(),
        MonitorEvent::HandshakeFailed { reason, .. } => format!("failed: {}", short(reason)),
        MonitorEvent::Disconnected { reason, .. } => format!("disconnected: {}", short(reason)),
        MonitorEvent::Closed { .. } => "closed".into(),
        other => panic!("{other:?}"),
    }
}

fn short(reason: &DisconnectReason) -> String {
    match reason {
        DisconnectReason::PeerClosed => "peer closed".into(),
        DisconnectReason::ByUs => "by us".into(),
        DisconnectReason::TurnedAway(why) => format!("{why:?}"),
        other => panic!("{other:?}"),
    }
}

/// One that has connected to the other, both with nothing noted yet.
fn joined(connector: &Arc<Socket>, binder: &Arc<Socket>) -> Registry {
    let registry = Registry::default();
    binder.bind(&registry);
    connector.connect(&registry);
    connector.log();
    binder.log();
    registry
}

/// Numbers as text.
fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}
