//! Subscribers that ask for odd things.

use ferromq::{
    DisconnectReason, DropCause, PubSocket, SocketOptions, SubSocket, Unwelcome, XPubSocket,
};

use crate::raw::{MORE, Raw, command, frame};
use crate::victim::{End, PROBES, eventually, next_end, within};

/// A good subscriber gets 100 messages.
async fn probe(publisher: &XPubSocket, endpoint: &ferromq::Endpoint) {
    let sub = SubSocket::new();
    sub.subscribe("probe").unwrap();
    sub.connect(endpoint).unwrap();
    while within(publisher.recv()).await.unwrap() != "\x01probe".into() {}
    for number in 0..PROBES {
        let message = format!("probe {number}");
        within(publisher.send(message.clone())).await.unwrap();
        assert_eq!(within(sub.recv()).await.unwrap(), message.into());
    }
}

async fn bound() -> (XPubSocket, ferromq::Endpoint) {
    let publisher = XPubSocket::new();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
    (publisher, endpoint)
}

#[tokio::test]
async fn one_cancel_undoes_any_number_of_subscribes() {
    let (publisher, endpoint) = bound().await;
    let mut raw = Raw::join(&endpoint, "SUB").await;
    raw.send(&command("SUBSCRIBE", "A")).await;
    raw.send(&frame(0, "\x01A")).await;
    raw.send(&command("SUBSCRIBE", "A").repeat(100_000)).await;
    raw.send(&command("CANCEL", "A")).await;
    raw.send(&command("SUBSCRIBE", "B")).await;
    for notice in ["\x01A", "\0A", "\x01B"] {
        assert_eq!(within(publisher.recv()).await.unwrap(), notice.into());
    }
    within(publisher.send("A message")).await.unwrap();
    within(publisher.send("B message")).await.unwrap();
    assert_eq!(raw.frame().await, (0, b"B message".to_vec()));
    probe(&publisher, &endpoint).await;
}

#[tokio::test]
async fn cancels_of_nothing_change_nothing() {
    let (publisher, endpoint) = bound().await;
    let mut raw = Raw::join(&endpoint, "SUB").await;
    raw.send(&command("SUBSCRIBE", "A")).await;
    raw.send(&command("CANCEL", "AA")).await;
    raw.send(&command("CANCEL", "")).await;
    raw.send(&frame(0, "\0B").repeat(100_000)).await;
    raw.send(&command("SUBSCRIBE", "C")).await;
    for notice in ["\x01A", "\x01C"] {
        assert_eq!(within(publisher.recv()).await.unwrap(), notice.into());
    }
    within(publisher.send("A message")).await.unwrap();
    assert_eq!(raw.frame().await, (0, b"A message".to_vec()));
    probe(&publisher, &endpoint).await;
}

/// There is no limit to one topic beside that of all topics of a peer.
#[tokio::test]
async fn topics_have_at_most_64_mib_together() {
    let (publisher, endpoint) = bound().await;
    let mut monitor = publisher.monitor();
    for legacy in [false, true] {
        let subscribe = move |topic: &[u8]| match legacy {
            true => frame(0, [b"\x01", topic].concat()),
            false => command("SUBSCRIBE", topic),
        };
        let topic = vec![b't'; 1 << 20];
        let mut raw = Raw::join(&endpoint, "SUB").await;
        raw.send(&subscribe(&topic)).await;
        assert!(next_of_topic(&publisher).await.first()[1..] == topic);
        within(publisher.send(topic.clone())).await.unwrap();
        assert!(raw.frame().await == (0, topic.clone()));
        let sending = tokio::spawn(async move {
            raw.send(&subscribe(&vec![b'T'; (63 << 20) + 1])).await;
            raw.closed().await;
        });
        // Probes come and go as well.
        within(async { while !is_too_large(&next_end(&mut monitor).await) {} }).await;
        within(sending).await.unwrap();
        // What it had is cancelled.
        assert_eq!(next_of_topic(&publisher).await.first()[..2], *b"\0t");
        probe(&publisher, &endpoint).await;
    }
}

fn is_too_large(end: &End) -> bool {
    let too_large = Unwelcome::SubscriptionsTooLarge { limit: 64 << 20 };
    matches!(end, End::Traffic(DisconnectReason::TurnedAway(why)) if *why == too_large)
}

/// The next notice that is not of a probe.
async fn next_of_topic(publisher: &XPubSocket) -> ferromq::Message {
    loop {
        let notice = within(publisher.recv()).await.unwrap();
        if notice.first()[1..] != b"probe"[..] {
            return notice;
        }
    }
}

/// The application has not received for a while, and one peer has filled what it may.
#[tokio::test]
async fn whoever_toggles_for_ever_costs_others_no_notice() {
    let (publisher, endpoint) = bound().await;
    let mut raw = Raw::join(&endpoint, "SUB").await;
    // The small ones fill the last corner.
    for (length, at_once) in [(64 << 10, 16), (1, 1000)] {
        let topic = vec![b't'; length];
        let toggled = [command("SUBSCRIBE", &topic), command("CANCEL", &topic)].concat();
        let before = publisher.dropped(DropCause::Discarded);
        while publisher.dropped(DropCause::Discarded) == before {
            raw.send(&toggled.repeat(at_once)).await;
            raw.barrier().await;
        }
    }
    let mut good = Raw::join(&endpoint, "SUB").await;
    for number in 0..100 {
        good.send(&command("SUBSCRIBE", format!("good {number}"))).await;
    }
    good.barrier().await;
    for number in 0..100 {
        let notice = loop {
            let notice = within(publisher.recv()).await.unwrap();
            if notice.first()[1] != b't' {
                break notice;
            }
        };
        assert_eq!(notice, format!("\x01good {number}").into());
    }
    probe(&publisher, &endpoint).await;
}

#[tokio::test]
async fn too_many_topics_cost_the_connection() {
    let publisher = PubSocket::new();
    let mut monitor = publisher.monitor();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut raw = Raw::join(&endpoint, "SUB").await;
    let flood = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        for number in 0..2000u32 {
            let topic = [&number.to_be_bytes()[..], &[b't'; 65_532]].concat();
            if raw.0.write_all(&command("SUBSCRIBE", topic)).await.is_err() {
                return number;
            }
        }
        raw.closed().await;
        2000
    });
    let end = next_end(&mut monitor).await;
    assert!(is_too_large(&end), "{end:?}");
    assert!(within(flood).await.unwrap() >= 1024, "64 MiB are admitted");
    let mut good = Raw::join(&endpoint, "SUB").await;
    good.send(&command("SUBSCRIBE", "")).await;
    good.barrier().await;
    within(publisher.send("hello")).await.unwrap();
    assert_eq!(good.frame().await, (0, b"hello".to_vec()));
}

/// PUB has no use for messages: it discards and counts them. What only looks
/// like a subscription is one of them.
#[tokio::test]
async fn messages_to_pub_are_counted() {
    let publisher = PubSocket::new();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut raw = Raw::join(&endpoint, "XSUB").await;
    raw.send(&frame(0, "no subscription").repeat(1000)).await;
    raw.send(&[frame(MORE, "\x01A"), frame(0, "more")].concat()).await;
    raw.send(&frame(0, "")).await;
    raw.send(&frame(0, "\x01B")).await;
    raw.barrier().await;
    eventually(|| publisher.dropped(DropCause::Discarded) == 1002).await;
    within(publisher.send("A")).await.unwrap();
    within(publisher.send("B")).await.unwrap();
    assert_eq!(raw.frame().await, (0, b"B".to_vec()));
}

/// What a publisher sends without being asked never reaches the application.
#[tokio::test]
async fn sub_filters_what_it_did_not_ask_for() {
    let sub = SubSocket::new();
    sub.subscribe("A").unwrap();
    let endpoint = sub.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut raw = Raw::join(&endpoint, "PUB").await;
    let receiving = tokio::spawn(async move { within(sub.recv()).await });
    raw.send(&frame(0, "unasked").repeat(100_000)).await;
    raw.send(&command("SUBSCRIBE", "")).await;
    raw.send(&frame(0, "Asked for")).await;
    assert_eq!(within(receiving).await.unwrap().unwrap(), "Asked for".into());
}

/// The options say how much one peer may have, and how much all of them.
#[tokio::test]
async fn subscribers_beyond_what_the_options_allow_cost_their_connection() {
    let options = SocketOptions::new;
    let subscribe = |topics: &[&str]| -> Vec<u8> {
        topics.iter().flat_map(|topic| command("SUBSCRIBE", topic)).collect()
    };
    for (options, why) in [
        (options().max_subscriptions(2), Unwelcome::TooManySubscriptions { limit: 2 }),
        (options().max_subscription_bytes(5), Unwelcome::SubscriptionsTooLarge { limit: 5 }),
        (options().max_subscriptions_total(3), Unwelcome::TooManySubscriptionsTotal { limit: 3 }),
        (
            options().max_subscription_bytes_total(6),
            Unwelcome::SubscriptionsTotalTooLarge { limit: 6 },
        ),
    ] {
        let publisher = PubSocket::with_options(options);
        let mut monitor = publisher.monitor();
        let endpoint = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut good = Raw::join(&endpoint, "SUB").await;
        good.send(&subscribe(&["A"])).await;
        good.barrier().await;
        let mut greedy = Raw::join(&endpoint, "SUB").await;
        greedy.send(&subscribe(&["AA", "AAA", "AA", "A"])).await;
        let end = next_end(&mut monitor).await;
        assert!(
            matches!(&end, End::Traffic(DisconnectReason::TurnedAway(it)) if *it == why),
            "{end:?}, not {why}"
        );
        greedy.closed().await;
        // What it had is free for others.
        let mut other = Raw::join(&endpoint, "SUB").await;
        other.send(&subscribe(&["A", "AB"])).await;
        other.barrier().await;
        within(publisher.send("A")).await.unwrap();
        for peer in [&mut good, &mut other] {
            assert_eq!(peer.frame().await, (0, b"A".to_vec()), "{why}");
        }
    }
}
