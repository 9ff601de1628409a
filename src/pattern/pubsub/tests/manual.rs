//! XPUB in manual mode, alone and in a proxy.

use super::*;

fn manual() -> XPub {
    XPub::new(&options().xpub_manual(true))
}

#[test]
fn the_application_subscribes_the_peer_of_the_last_request() {
    let xpub = manual();
    let (one, two) = (join(&xpub, 10), join(&xpub, 10));
    subscribe(&xpub, &one, "A");
    subscribe(&xpub, &two, "A");
    send(&xpub, text("A"));
    assert_eq!(recv(&xpub), Some(text("\u{1}A")));
    change(&xpub, subscription("B"));
    change(&xpub, subscription("C"));
    for body in ["A", "B", "C"] {
        send(&xpub, text(body));
    }
    assert_eq!(one.take_sent(), texts(["B", "C"]));
    assert_eq!(recv(&xpub), Some(text("\u{1}A")));
    change(&xpub, subscription("A"));
    send(&xpub, text("A"));
    assert_eq!((one.take_sent(), two.take_sent()), (vec![], texts(["A"])));
}

#[test]
fn cancellations_are_mapped_by_the_application() {
    let (xpub, xsub) = (manual(), XSub::new());
    let link = Link::new(&xsub, &xpub);
    for topic in ["A", "B"] {
        change(&xsub, subscription(topic));
    }
    link.carry();
    assert_eq!(recv(&xpub), Some(text("\u{1}A")));
    change(&xpub, subscription("XA"));
    assert_eq!(recv(&xpub), Some(text("\u{1}B")));
    change(&xpub, subscription("XB"));
    change(&xsub, cancellation("A"));
    link.carry();
    assert_eq!(recv(&xpub), Some(text("\0A")));
    change(&xpub, cancellation("XA"));
    for body in ["XA", "XB"] {
        send(&xpub, text(body));
    }
    assert_eq!(link.carry(), texts(["XB"]));
    link.close();
    assert_eq!(received(&xpub), texts(["\0B"]));
    // Nobody is left whom this could concern.
    change(&xpub, cancellation("XB"));
}

#[test]
fn what_was_applied_leaves_with_the_peer() {
    let (xpub, xsub) = (manual(), XSub::new());
    let link = Link::new(&xsub, &xpub);
    change(&xsub, subscription("A"));
    link.carry();
    assert_eq!(recv(&xpub), Some(text("\u{1}A")));
    change(&xpub, subscription("XA"));
    link.close();
    assert_eq!(received(&xpub), texts(["\0A"]));
    change(&xpub, cancellation("XA"));

    let again = XSub::new();
    let link = Link::new(&again, &xpub);
    change(&again, subscription("B"));
    link.carry();
    assert_eq!(recv(&xpub), Some(text("\u{1}B")));
    change(&xpub, subscription("XB"));
    for body in ["XA", "XB"] {
        send(&xpub, text(body));
    }
    assert_eq!(link.carry(), texts(["XB"]));
}

#[test]
fn a_decision_on_a_request_of_a_lost_connection_does_nothing() {
    let xpub = manual();
    let (lost, other) = (attach(&xpub, 10), join(&xpub, 10));
    subscribe(&xpub, &other, "o");
    assert_eq!(recv(&xpub), Some(text("\u{1}o")));
    subscribe(&xpub, &lost, "a");
    xpub.down(&lost);
    up(&xpub, &lost);
    assert_eq!(recv(&xpub), Some(text("\u{1}a")));
    change(&xpub, subscription("a"));
    send(&xpub, text("a"));
    assert_eq!(recv(&xpub), Some(text("\0a")));
    change(&xpub, subscription("a"));
    send(&xpub, text("a"));
    assert_eq!((lost.take_sent(), other.take_sent()), (vec![], vec![]));
}

#[test]
fn a_user_message_is_no_request() {
    let xpub = manual();
    let peer = join(&xpub, 10);
    subscribe(&xpub, &peer, "A");
    deliver(&xpub, &peer, Item::Message(text("hello")));
    assert_eq!(received(&xpub), texts(["\u{1}A", "hello"]));
    change(&xpub, subscription("A"));
    send(&xpub, text("A"));
    assert_eq!(peer.take_sent(), texts(["A"]));
}

/// A publisher, a proxy in manual mode, and what moves between.
struct Proxy {
    publisher: XPub,
    front: XSub,
    back: XPub,
}

impl Proxy {
    fn new() -> Self {
        let publisher = XPub::publisher(&options());
        Self { publisher, front: XSub::new(), back: manual() }
    }

    /// Confirms and forwards the requests that came.
    fn confirm(&self, up: &Link<'_>) -> Vec<Message> {
        let mut seen = Vec::new();
        while let Some(request) = recv(&self.back) {
            let topic = request.first().slice(1..);
            match request.first()[0] {
                1 => change(&self.back, Subscription::Subscribe(topic)),
                _ => change(&self.back, Subscription::Cancel(topic)),
            }
            send(&self.front, request.clone());
            seen.push(request);
        }
        up.carry();
        seen
    }

    /// Publishes and says how much came to the proxy, which passes it on.
    fn publish(&self, up: &Link<'_>, message: Message) -> usize {
        send(&self.publisher, message);
        let arrived = up.carry();
        let count = arrived.len();
        for message in arrived {
            send(&self.back, message);
        }
        count
    }
}

#[test]
fn a_proxy_unsubscribes_when_the_last_subscriber_disconnects() {
    let proxy = Proxy::new();
    let up = Link::new(&proxy.front, &proxy.publisher);
    let (one, two) = (XSub::sub(), XSub::sub());
    change(&one, subscription("1"));
    let first = Link::new(&one, &proxy.back);
    assert_eq!(proxy.confirm(&up), texts(["\u{1}1"]));
    let second = Link::new(&two, &proxy.back);
    change(&two, subscription("1"));
    second.carry();
    assert_eq!(proxy.confirm(&up), texts(["\u{1}1"]));
    assert_eq!(proxy.publish(&up, frames(["1", "X"])), 1);
    assert_eq!(first.carry(), [frames(["1", "X"])]);
    assert_eq!(second.carry(), [frames(["1", "X"])]);
    first.close();
    assert_eq!(proxy.confirm(&up), texts(["\u{0}1"]));
    assert_eq!(proxy.publish(&up, frames(["1", "X"])), 1);
    second.close();
    assert_eq!(proxy.confirm(&up), texts(["\u{0}1"]));
    assert_eq!(proxy.publish(&up, frames(["1", "X"])), 0);
}

#[test]
fn requests_in_quick_succession_are_all_confirmed() {
    let proxy = Proxy::new();
    let up = Link::new(&proxy.front, &proxy.publisher);
    let (one, two) = (XSub::sub(), XSub::sub());
    change(&one, subscription("1"));
    change(&two, subscription("2"));
    let links = [Link::new(&one, &proxy.back), Link::new(&two, &proxy.back)];
    assert_eq!(proxy.confirm(&up), texts(["\u{1}1", "\u{1}2"]));
    proxy.publish(&up, frames(["1", "X"]));
    proxy.publish(&up, frames(["2", "X"]));
    assert_eq!(links[0].carry(), [frames(["1", "X"])]);
    assert_eq!(links[1].carry(), [frames(["2", "X"])]);
}
