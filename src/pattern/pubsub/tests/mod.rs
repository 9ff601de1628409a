//! Publish-subscribe over lines that only remember. A [`Link`] joins an XSUB
//! to an XPUB and carries over what each has sent when told to.

use bytes::Bytes;

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::testing::{self, accept};
use crate::pattern::{Before, Delivered, Pattern, Routed, Touched};
use crate::peer::{DropCause, Subscription, Unwelcome};
use crate::pipe::Item;
use crate::routing::testing::FakePeer;

use super::{XPub, XSub, single};

mod bounds;
mod leaving;
mod manual;
mod xpub;
mod xsub;

/// Attaches a peer without a connection.
fn attach(pattern: &dyn Pattern, room: usize) -> FakePeer {
    let peer = FakePeer::accepted(room);
    pattern.attach(&peer).expect("these patterns welcome everybody");
    peer
}

/// Attaches an accepted peer.
fn join(pattern: &dyn Pattern, room: usize) -> FakePeer {
    let peer = attach(pattern, room);
    up(pattern, &peer);
    peer
}

fn up(pattern: &dyn Pattern, peer: &FakePeer) {
    testing::up(pattern, peer, "").expect("these patterns welcome everybody");
}

fn deliver(pattern: &dyn Pattern, peer: &FakePeer, item: Item) -> Delivered {
    let mut touched = Touched::default();
    let delivered = pattern.deliver(peer, item, &mut touched);
    touched.flush();
    delivered
}

fn subscribe(pattern: &dyn Pattern, peer: &FakePeer, topic: impl Into<Bytes>) -> Delivered {
    deliver(pattern, peer, Item::Subscription(subscription(topic)))
}

fn cancel(pattern: &dyn Pattern, peer: &FakePeer, topic: &'static str) -> Delivered {
    deliver(pattern, peer, Item::Subscription(cancellation(topic)))
}

fn subscription(topic: impl Into<Bytes>) -> Subscription {
    Subscription::Subscribe(topic.into())
}

fn cancellation(topic: &'static str) -> Subscription {
    Subscription::Cancel(topic.into())
}

/// The application subscribes or cancels.
fn change(pattern: &dyn Pattern, change: Subscription) {
    let mut touched = Touched::default();
    pattern.subscribe(change, &mut touched).expect("it is within bounds");
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
    testing::send(pattern, message)
}

/// Sends, and says how many copies were lost.
fn send(pattern: &dyn Pattern, message: Message) -> usize {
    match route(pattern, message) {
        Routed::Sent => 0,
        Routed::Dropped { lost, cause: DropCause::PeerFull } => lost,
        other => panic!("not sent: {other:?}"),
    }
}

/// Everything a publisher's application can receive.
fn received(pattern: &dyn Pattern) -> Vec<Message> {
    std::iter::from_fn(|| recv(pattern)).collect()
}

/// The next thing a publisher's application can receive.
fn recv(pattern: &dyn Pattern) -> Option<Message> {
    loop {
        match pattern.before_recv() {
            Before::Ready(delivery) => return Some(delivery.message),
            Before::Busy => {}
            _ => return None,
        }
    }
}

fn texts<const N: usize>(list: [&'static str; N]) -> Vec<Message> {
    list.into_iter().map(text).collect()
}

/// A connection between a subscriber and a publisher.
struct Link<'a> {
    xsub: &'a XSub,
    xpub: &'a XPub,
    to_publisher: FakePeer,
    to_subscriber: FakePeer,
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
        for change in self.to_publisher.take_controls() {
            deliver(self.xpub, &self.to_subscriber, Item::Subscription(change));
        }
        for message in self.to_publisher.take_sent() {
            deliver(self.xpub, &self.to_subscriber, Item::Message(message));
        }
        let down = self.to_subscriber.take_sent().into_iter();
        down.filter_map(|message| accept(self.xsub, &self.to_publisher, message))
            .map(|delivery| delivery.message)
            .collect()
    }

    fn close(self) {
        self.xpub.detach(&self.to_subscriber);
        self.xsub.detach(&self.to_publisher);
    }
}

fn options() -> SocketOptions {
    SocketOptions::new()
}
