//! Ten thousand of something.

use std::collections::BTreeSet;

use ferromq::{Message, PullSocket, PushSocket, SocketOptions, SocketType, SubSocket, XPubSocket};

use crate::peer::{Remote, spell};
use crate::{interop, within};

const ANYWHERE: &str = "tcp://127.0.0.1:*";

/// Far more than the marks and the kernel's buffers hold.
const COUNT: usize = 10_000;

fn messages() -> Vec<Message> {
    (0..COUNT).map(|number| Message::from([format!("{number}"), "x".repeat(500)])).collect()
}

#[test]
fn libzmq_push_closes_and_we_receive_everything_in_order() {
    interop(async |mut peer| {
        let theirs = peer.socket(SocketType::Push, "SNDHWM=0").await;
        let pull = PullSocket::with_options(SocketOptions::new().recv_hwm(10));
        theirs.connect(&pull.bind(ANYWHERE).await.expect("bind").to_string()).await;
        theirs.send_all(&messages()).await;
        theirs.close_and_linger().await;
        for message in messages() {
            let got = within("the backlog", pull.recv()).await;
            assert!(got.as_ref() == Ok(&message), "wanted {:?}, got {got:?}", &message[0]);
        }
    });
}

#[test]
fn our_push_closes_and_libzmq_receives_everything_in_order() {
    interop(async |mut peer| {
        let theirs = peer.socket(SocketType::Pull, "RCVHWM=10").await;
        let push = PushSocket::with_options(SocketOptions::new().send_hwm(0));
        push.connect(theirs.bind(ANYWHERE).await).expect("connect");
        for message in messages() {
            push.send(message).await.expect("send");
        }
        let messages = messages();
        let (closed, ()) = tokio::join!(push.close(), theirs.expect_all(&messages));
        assert_eq!(closed.undelivered, 0);
    });
}

fn topics() -> impl Iterator<Item = String> {
    (0..COUNT).map(|number| format!("topic-{number:05}"))
}

/// What XPUB receives for the topics: `first` is 1 for subscribe, 0 for cancel.
fn changes(first: u8) -> BTreeSet<Vec<u8>> {
    topics().map(|topic| [&[first], topic.as_bytes()].concat()).collect()
}

#[test]
fn libzmq_xpub_learns_of_all_our_subscriptions() {
    interop(async |mut peer| {
        let theirs = peer.socket(SocketType::XPub, "").await;
        let sub = SubSocket::new();
        topics().for_each(|topic| sub.subscribe(topic).expect("subscribe"));
        sub.connect(theirs.bind(ANYWHERE).await).expect("connect");
        assert!(learned_by_libzmq(&theirs).await == changes(1));
        for topic in ["topic-10000", "topic-0", "topic-09999"] {
            theirs.send([topic, "news"]).await;
        }
        let news = within("the news", sub.recv()).await;
        assert_eq!(news, Ok(["topic-09999", "news"].into()));
        topics().for_each(|topic| sub.unsubscribe(topic).expect("unsubscribe"));
        assert!(learned_by_libzmq(&theirs).await == changes(0));
    });
}

async fn learned_by_libzmq(theirs: &Remote) -> BTreeSet<Vec<u8>> {
    let messages = theirs.receive_many(COUNT).await;
    messages.into_iter().map(|message| message.first().to_vec()).collect()
}

#[test]
fn our_xpub_learns_of_all_the_subscriptions_of_libzmq() {
    interop(async |mut peer| {
        // libzmq drops subscriptions that exceed this mark.
        let theirs = peer.socket(SocketType::Sub, "SNDHWM=0").await;
        theirs.set(&options("SUBSCRIBE")).await;
        let publisher = XPubSocket::new();
        theirs.connect(&publisher.bind(ANYWHERE).await.expect("bind").to_string()).await;
        assert!(learned_by_us(&publisher).await == changes(1));
        for topic in ["topic-10000", "topic-0", "topic-09999"] {
            publisher.send([topic, "news"]).await.expect("send");
        }
        theirs.expect(["topic-09999", "news"]).await;
        theirs.set(&options("UNSUBSCRIBE")).await;
        assert!(learned_by_us(&publisher).await == changes(0));
    });
}

fn options(name: &str) -> String {
    let option = |topic: String| format!("{name}={}", spell(topic.as_bytes()));
    topics().map(option).collect::<Vec<_>>().join(" ")
}

async fn learned_by_us(publisher: &XPubSocket) -> BTreeSet<Vec<u8>> {
    let mut learned = BTreeSet::new();
    for _ in 0..COUNT {
        let message = within("a subscription", publisher.recv()).await.expect("recv");
        learned.insert(message.first().to_vec());
    }
    learned
}
