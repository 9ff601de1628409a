//! libzmq's test_sub_forward and the proxy of test_xpub_manual: publishers and
//! subscribers that meet in an XSUB and an XPUB.

use std::ops::ControlFlow;

use ferromq::{Message, PubSocket, SubSocket, XPubSocket, XSubSocket};

use crate::support::{Net, Node, Receives, plain, soon};

over_inproc_and_tcp!(
    one_step_at_a_time,
    subscriptions_go_up_and_messages_down,
    a_subscriber_that_leaves_is_forgotten_upstream,
);

struct Proxy {
    /// Towards the publishers.
    front: Node<XSubSocket>,
    /// Towards the subscribers.
    back: Node<XPubSocket>,
}

impl Proxy {
    async fn new(net: &Net) -> Self {
        let front = net.bound::<XSubSocket>(plain()).await;
        let back = net.bound::<XPubSocket>(plain()).await;
        Self { front, back }
    }

    /// Forwards until something else has come to its end.
    async fn while_doing<T>(&self, doing: impl Future<Output = T>) -> T {
        let mut doing = std::pin::pin!(doing);
        loop {
            let step = async {
                tokio::select! {
                    up = self.back.recv() => self.front.send(up.unwrap()).await.unwrap(),
                    down = self.front.recv() => self.back.send(down.unwrap()).await.unwrap(),
                }
            };
            let flow = tokio::select! {
                biased;
                () = step => ControlFlow::Continue(()),
                done = &mut doing => ControlFlow::Break(done),
            };
            if let ControlFlow::Break(done) = flow {
                return done;
            }
        }
    }
}

/// As test_sub_forward does it: the subscription, then a message that is empty.
async fn one_step_at_a_time(net: Net) {
    let Proxy { mut front, mut back } = Proxy::new(&net).await;
    let publisher = net.connected::<XPubSocket>(plain(), &mut front).await;
    let sub = net.connected::<SubSocket>(plain(), &mut back).await;
    sub.subscribe("").unwrap();
    front.try_send(back.get().await).unwrap();
    assert_eq!(publisher.get().await, "\u{1}".into());
    publisher.try_send("").unwrap();
    back.try_send(front.get().await).unwrap();
    assert_eq!(sub.get().await, Message::new());
}

async fn subscriptions_go_up_and_messages_down(net: Net) {
    let mut proxy = Proxy::new(&net).await;
    let one = net.connected::<XPubSocket>(plain(), &mut proxy.front).await;
    let other = net.connected::<XPubSocket>(plain(), &mut proxy.front).await;
    let tech = net.connected::<SubSocket>(plain(), &mut proxy.back).await;
    let all = net.connected::<SubSocket>(plain(), &mut proxy.back).await;
    let doing = async {
        tech.subscribe("tech").unwrap();
        for publisher in [&one, &other] {
            assert_eq!(publisher.get().await, "\u{1}tech".into());
        }
        all.subscribe("").unwrap();
        for publisher in [&one, &other] {
            assert_eq!(publisher.get().await, "\u{1}".into());
            for topic in ["sport", "tech", "technology"] {
                publisher.try_send([topic, "news"]).unwrap();
            }
            for topic in ["tech", "technology"] {
                assert_eq!(tech.get().await, Message::from([topic, "news"]));
            }
            for topic in ["sport", "tech", "technology"] {
                assert_eq!(all.get().await, Message::from([topic, "news"]));
            }
        }
    };
    soon(proxy.while_doing(doing)).await;
}

async fn a_subscriber_that_leaves_is_forgotten_upstream(net: Net) {
    let mut proxy = Proxy::new(&net).await;
    let publisher = net.connected::<XPubSocket>(plain(), &mut proxy.front).await;
    // A PUB can be anybody's publisher.
    let _quiet = net.connected::<PubSocket>(plain(), &mut proxy.front).await;
    let one = net.connected::<SubSocket>(plain(), &mut proxy.back).await;
    let other = net.connected::<SubSocket>(plain(), &mut proxy.back).await;
    let doing = async {
        one.subscribe("A").unwrap();
        assert_eq!(publisher.get().await, "\u{1}A".into());
        other.subscribe("A").unwrap();
        other.subscribe("B").unwrap();
        assert_eq!(publisher.get().await, "\u{1}B".into());
        drop(other);
        assert_eq!(publisher.get().await, "\0B".into());
        drop(one);
        assert_eq!(publisher.get().await, "\0A".into());
    };
    soon(proxy.while_doing(doing)).await;
}
