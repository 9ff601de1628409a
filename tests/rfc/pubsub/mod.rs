//! RFC 29: PUB, XPUB, SUB and XSUB.

use ferromq::{PubSocket, SocketOptions, SubSocket, XPubSocket, XSubSocket};

use crate::support::{Net, Node, Receives, Sends, Socket, plain};

mod filtering;
mod forward;
mod manual;
mod publisher;
mod subscriber;
mod xpub;
mod xpub_options;
mod xsub;

/// A socket that subscribes: SUB or XSUB.
trait Subscribes: Receives {
    fn wants(&self, topic: &str);
    fn cancels(&self, topic: &str);
}

impl Subscribes for SubSocket {
    fn wants(&self, topic: &str) {
        self.subscribe(topic).unwrap();
    }
    fn cancels(&self, topic: &str) {
        self.unsubscribe(topic).unwrap();
    }
}

impl Subscribes for XSubSocket {
    fn wants(&self, topic: &str) {
        self.subscribe(topic).unwrap();
    }
    fn cancels(&self, topic: &str) {
        self.unsubscribe(topic).unwrap();
    }
}

/// A socket that publishes: PUB or XPUB.
trait Publishes: Sends {}

impl Publishes for PubSocket {}
impl Publishes for XPubSocket {}

/// An XPUB and somebody who subscribed to all it sends, when the XPUB knows.
async fn subscribed<S: Subscribes>(
    net: &Net,
    publisher: SocketOptions,
    subscriber: SocketOptions,
) -> (Node<XPubSocket>, Node<S>) {
    let mut xpub = net.bound::<XPubSocket>(publisher).await;
    let sub = another(net, subscriber, &mut xpub).await;
    (xpub, sub)
}

/// One more who subscribes to all, when the XPUB knows: it tells its first and,
/// if it is verbose, every other.
async fn another<S: Subscribes>(
    net: &Net,
    options: SocketOptions,
    xpub: &mut Node<XPubSocket>,
) -> Node<S> {
    let sub = net.connected::<S>(options, xpub).await;
    sub.wants("");
    assert_eq!(xpub.get().await, "\u{1}".into());
    sub
}

/// A SUB that hears all of a publisher that is bound in the same process: there
/// a subscription is known at once.
async fn heard<S: Subscribes>(
    net: &Net,
    options: SocketOptions,
    publisher: &mut Node<impl Socket>,
) -> Node<S> {
    let sub = net.connected::<S>(options, publisher).await;
    sub.wants("");
    sub
}

/// The messages a SUB gets of a publisher that sends what it subscribed to at
/// last.
async fn everything_until(sub: &impl Receives, last: &str) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        let message = sub.get().await;
        let text = String::from_utf8(message[0].to_vec()).unwrap();
        if text == last {
            return texts;
        }
        texts.push(text);
    }
}

/// Options that keep nothing.
fn verbose() -> SocketOptions {
    plain().xpub_verbosity(ferromq::XPubVerbosity::Subscriptions)
}
