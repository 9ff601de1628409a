//! What a subscriber may ask for, and that a publisher hears of all of it.

use std::collections::BTreeSet;

use ferromq::{Message, SendErrorKind, SubSocket, SubscribeError, XPubSocket, XSubSocket};

use crate::common::{Transport, within};

/// All that the topics of one subscriber may have together.
const ALL: usize = 64 << 20;

#[tokio::test]
async fn a_long_topic_is_heard_like_any_other() {
    for transport in Transport::ALL {
        let (publisher, sub) = (XPubSocket::new(), SubSocket::new());
        let endpoint = publisher.bind(transport.any()).await.unwrap();
        let topic = vec![b't'; 65_537];
        sub.subscribe(&topic).unwrap();
        sub.subscribe("short").unwrap();
        sub.connect(&endpoint).unwrap();
        for expected in [5, topic.len()] {
            let notice = within(publisher.recv()).await.unwrap();
            assert_eq!(notice.first().len(), 1 + expected);
        }
        within(publisher.send([&topic[..], b"long"])).await.unwrap();
        within(publisher.send(["short", "short"])).await.unwrap();
        for expected in ["long", "short"] {
            assert_eq!(within(sub.recv()).await.unwrap()[1], expected);
        }
    }
}

#[tokio::test]
async fn what_a_publisher_would_refuse_is_refused_at_once() {
    let too_large = SubscribeError::TooLarge { limit: ALL };
    let (publisher, xsub) = (XPubSocket::new(), XSubSocket::new());
    let endpoint = publisher.bind(Transport::Tcp.any()).await.unwrap();
    xsub.connect(&endpoint).unwrap();
    assert_eq!(xsub.subscribe(vec![b't'; ALL + 1]), Err(too_large));
    xsub.subscribe("some").unwrap();
    let message = Message::from([vec![1], vec![b't'; ALL - 3]].concat());
    let refused = within(xsub.send(message.clone())).await.unwrap_err();
    assert_eq!(refused.kind(), SendErrorKind::SubscriptionsTooLarge);
    assert!(refused.into_message() == message);
    // The connection is none the worse.
    assert_eq!(within(publisher.recv()).await.unwrap(), "\u{1}some".into());
    within(publisher.send("something")).await.unwrap();
    assert_eq!(within(xsub.recv()).await.unwrap(), "something".into());
}

/// More of them than one step tells, or forgets.
#[tokio::test]
async fn many_topics_come_and_go_whole() {
    const MANY: usize = 5_000;
    for transport in Transport::ALL {
        let (publisher, sub) = (XPubSocket::new(), SubSocket::new());
        let endpoint = publisher.bind(transport.any()).await.unwrap();
        for number in 0..MANY {
            sub.subscribe(number.to_string()).unwrap();
        }
        sub.connect(&endpoint).unwrap();
        let expected: BTreeSet<String> = (0..MANY).map(|number| number.to_string()).collect();
        for kind in [1, 0] {
            let mut heard = BTreeSet::new();
            for _ in 0..MANY {
                let notice = within(publisher.recv()).await.unwrap();
                let (first, topic) = notice.first().split_first().unwrap();
                assert_eq!(*first, kind);
                heard.insert(String::from_utf8(topic.to_vec()).unwrap());
            }
            assert!(heard == expected);
            if kind == 1 {
                within(sub.close()).await;
            }
        }
    }
}
