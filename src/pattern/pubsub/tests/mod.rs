//! Publish-subscribe over outlets that only remember. A [`Link`] joins an XSUB
//! to an XPUB and carries over what each has sent when told to.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::testing::accept;
use crate::pattern::{Before, Delivered, Pattern, Routed, Touched};
use crate::peer::{PeerInfo, Subscription};
use crate::pipe::{Inlet, Item, NeedsFlush, Next, Outlet, PeerKey, Pipe, Refused};

use super::{XPub, XSub, single};

mod bounds;
mod manual;
mod xpub;
mod xsub;

/// An outlet with room for so many messages.
pub(super) struct Fake {
    room: usize,
    state: Mutex<FakeState>,
}

#[derive(Default)]
struct FakeState {
    queue: Vec<Message>,
    control: Vec<Subscription>,
    flushed: usize,
    rejected: usize,
    gone: bool,
}

impl Fake {
    fn with<T>(&self, look: impl FnOnce(&mut FakeState) -> T) -> T {
        look(&mut self.state.lock().expect("no test panics holding it"))
    }

    fn take(&self) -> Vec<Message> {
        self.with(|state| std::mem::take(&mut state.queue))
    }

    fn take_control(&self) -> Vec<Subscription> {
        self.with(|state| std::mem::take(&mut state.control))
    }
}

impl Outlet for Fake {
    fn has_room(&self) -> bool {
        self.with(|state| state.queue.len() < self.room)
    }

    fn push(&self, message: Message) -> Result<NeedsFlush, Refused> {
        self.with(|state| match state.queue.len() {
            _ if state.gone => Err(Refused::Gone(message)),
            length if length >= self.room => Err(Refused::Full(message)),
            _ => {
                state.queue.push(message);
                Ok(NeedsFlush::Yes)
            }
        })
    }

    fn control(&self, subscription: Subscription) -> NeedsFlush {
        self.with(|state| state.control.push(subscription));
        NeedsFlush::Yes
    }

    fn flush(&self) {
        self.with(|state| state.flushed += 1);
    }

    fn close(&self, _: Option<Instant>) {}

    fn reject(&self) {
        self.with(|state| state.rejected += 1);
    }
}

struct Silent;

impl Inlet for Silent {
    fn try_next(&self) -> Next {
        Next::Empty
    }

    fn is_spent(&self) -> bool {
        false
    }

    fn leave(&self) {}

    fn discard(&self) -> usize {
        0
    }
}

pub(super) struct Peer {
    key: PeerKey,
    outlet: Arc<Fake>,
}

/// Attaches a peer without a connection.
fn attach(pattern: &dyn Pattern, room: usize) -> Peer {
    let outlet = Arc::new(Fake { room, state: Mutex::default() });
    let key = PeerKey::unique();
    let pipe = Pipe { key, outlet: outlet.clone(), inlet: Arc::new(Silent) };
    pattern.attach(&pipe).expect("these patterns welcome everybody");
    Peer { key, outlet }
}

/// Attaches an accepted peer.
fn join(pattern: &dyn Pattern, room: usize) -> Peer {
    let peer = attach(pattern, room);
    up(pattern, &peer);
    peer
}

fn up(pattern: &dyn Pattern, peer: &Peer) {
    let mut touched = Touched::default();
    let welcome = pattern.up(peer.key, &PeerInfo::default(), &mut touched);
    welcome.expect("these patterns welcome everybody");
    touched.flush();
}

fn deliver(pattern: &dyn Pattern, peer: &Peer, item: Item) -> Delivered {
    let mut touched = Touched::default();
    let delivered = pattern.deliver(peer.key, item, &mut touched);
    touched.flush();
    delivered
}

fn subscribe(pattern: &dyn Pattern, peer: &Peer, topic: &'static str) -> Delivered {
    deliver(pattern, peer, Item::Subscription(subscription(topic)))
}

fn cancel(pattern: &dyn Pattern, peer: &Peer, topic: &'static str) -> Delivered {
    deliver(pattern, peer, Item::Subscription(cancellation(topic)))
}

fn subscription(topic: &'static str) -> Subscription {
    Subscription::Subscribe(topic.into())
}

fn cancellation(topic: &'static str) -> Subscription {
    Subscription::Cancel(topic.into())
}

/// The application subscribes or cancels.
fn change(pattern: &dyn Pattern, change: Subscription) {
    let mut touched = Touched::default();
    pattern.subscribe(change, &mut touched);
    touched.flush();
}

fn text(frame: impl Into<Bytes>) -> Message {
    single(frame.into())
}

fn frames(list: [&'static str; 2]) -> Message {
    let mut message = text(list[0]);
    message.push_back(list[1]);
    message
}

fn route(pattern: &dyn Pattern, message: Message) -> Routed {
    let mut touched = Touched::default();
    let routed = pattern.send(None, message, &mut touched);
    touched.flush();
    routed
}

/// Sends, and says how many copies were lost.
fn send(pattern: &dyn Pattern, message: Message) -> usize {
    match route(pattern, message) {
        Routed::Done { lost, .. } => lost,
        other => panic!("not sent: {other:?}"),
    }
}

/// Everything a publisher's application can receive.
fn received(pattern: &dyn Pattern) -> Vec<Message> {
    std::iter::from_fn(|| match pattern.before_recv() {
        Before::Ready(delivery) => Some(delivery.message),
        _ => None,
    })
    .collect()
}

/// The next thing a publisher's application can receive.
fn recv(pattern: &dyn Pattern) -> Option<Message> {
    match pattern.before_recv() {
        Before::Ready(delivery) => Some(delivery.message),
        _ => None,
    }
}

fn texts<const N: usize>(list: [&'static str; N]) -> Vec<Message> {
    list.into_iter().map(text).collect()
}

/// A connection between a subscriber and a publisher.
struct Link<'a> {
    xsub: &'a XSub,
    xpub: &'a XPub,
    to_publisher: Peer,
    to_subscriber: Peer,
}

impl<'a> Link<'a> {
    fn new(xsub: &'a XSub, xpub: &'a XPub) -> Self {
        let to_subscriber = join(xpub, usize::MAX);
        let link = Self { xsub, xpub, to_publisher: join(xsub, usize::MAX), to_subscriber };
        link.carry();
        link
    }

    /// Carries over what was sent; says what the subscriber's application gets.
    fn carry(&self) -> Vec<Message> {
        for change in self.to_publisher.outlet.take_control() {
            deliver(self.xpub, &self.to_subscriber, Item::Subscription(change));
        }
        for message in self.to_publisher.outlet.take() {
            deliver(self.xpub, &self.to_subscriber, Item::Message(message));
        }
        let down = self.to_subscriber.outlet.take().into_iter();
        down.filter_map(|message| accept(self.xsub, self.to_publisher.key, message))
            .map(|delivery| delivery.message)
            .collect()
    }

    fn close(self) {
        self.xpub.detach(self.to_subscriber.key);
        self.xsub.detach(self.to_publisher.key);
    }
}

fn options() -> SocketOptions {
    SocketOptions::new()
}
