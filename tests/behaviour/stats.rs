//! What sockets say of what they have done.

use std::time::Duration;

use ferromq::{
    Context, DealerSocket, DropCause, Linger, PubSocket, PullSocket, PushSocket, RouterSocket,
    RoutingId, SocketOptions, SubSocket, XPubSocket,
};

use crate::common::{Transport, quick, within};

async fn eventually(holds: impl Fn() -> bool) {
    within(async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn messages_and_bytes_are_counted_on_both_sides() {
    for transport in Transport::ALL {
        let context = Context::new();
        let pull = PullSocket::new_in(&context, SocketOptions::new());
        let at = pull.bind(transport.any()).await.unwrap();
        let push = PushSocket::new_in(&context, SocketOptions::new());
        push.connect(&at).unwrap();
        for _ in 0..500 {
            push.send([vec![1; 100], vec![2; 100]]).await.unwrap();
            within(pull.recv()).await.unwrap();
        }
        let theirs = pull.stats();
        assert_eq!((theirs.traffic.messages_in, theirs.traffic.messages_out), (500, 0));
        eventually(|| push.stats().traffic.messages_out == 500).await;
        let ours = push.stats();
        assert_eq!((ours.peers.len(), ours.traffic.messages_in, ours.traffic.queued), (1, 0, 0));
        assert!(ours.peers[0].is_connected && ours.traffic.most_queued > 0);
        if at.to_string().starts_with("inproc") {
            assert_eq!((theirs.traffic.bytes_in, ours.traffic.bytes_out), (0, 0));
        } else {
            // Two headers of two bytes each, and no handshake.
            let least = 500 * 204;
            assert!((least..least + 100).contains(&ours.traffic.bytes_out), "{ours}");
            assert!((least..least + 100).contains(&theirs.traffic.bytes_in), "{theirs}");
        }
        // What was counted stays when the peer has gone.
        within(push.close()).await;
        assert_eq!(push.stats().traffic.messages_out, 500);
        eventually(|| pull.stats().peers.is_empty()).await;
        assert_eq!(pull.stats().traffic.messages_in, 500);
    }
}

#[tokio::test]
async fn what_waits_is_counted_and_the_most_that_did() {
    let push = PushSocket::with_options(quick().linger(Linger::For(Duration::ZERO)));
    push.connect("tcp://127.0.0.1:1").unwrap();
    for _ in 0..7 {
        push.send("waits").await.unwrap();
    }
    let stats = push.stats();
    assert_eq!((stats.traffic.queued, stats.traffic.most_queued), (7, 7));
    assert!(!stats.peers[0].is_connected);
    assert!(stats.to_string().contains("(not there yet)"), "{stats}");
    within(push.close()).await;
    let stats = push.stats();
    assert_eq!((stats.traffic.queued, stats.traffic.most_queued), (0, 7));
    assert_eq!(stats.lost.of(DropCause::LingerExpired), 7);
    assert_eq!(stats.lost.total(), 7);
    assert!(stats.to_string().contains("lost 7: LingerExpired"), "{stats}");
}

#[tokio::test]
async fn each_peer_has_its_own_numbers() {
    for transport in Transport::ALL {
        let context = Context::new();
        let router = RouterSocket::new_in(&context, SocketOptions::new());
        let at = router.bind(transport.any()).await.unwrap();
        let mut dealers = Vec::new();
        for (name, count) in [("one", 1), ("three", 3)] {
            let options = SocketOptions::new().routing_id(RoutingId::new(name).unwrap());
            let dealer = DealerSocket::new_in(&context, options);
            dealer.connect(&at).unwrap();
            for _ in 0..count {
                dealer.send(name).await.unwrap();
                let (id, message) = within(router.recv()).await.unwrap();
                router.send_to(&id, message).await.unwrap();
                within(dealer.recv()).await.unwrap();
            }
            dealers.push(dealer);
        }
        let stats = router.stats();
        assert_eq!(stats.traffic.messages_in, 4);
        for (peer, (name, count)) in stats.peers.iter().zip([("one", 1), ("three", 3)]) {
            assert_eq!(peer.info.routing_id.as_ref().unwrap().to_string(), name);
            assert_eq!((peer.traffic.messages_in, peer.traffic.messages_out), (count, count));
            assert!(stats.to_string().contains(name), "{stats}");
        }
    }
}

#[tokio::test]
async fn publishers_count_what_went_to_each() {
    let publisher = PubSocket::new();
    let at = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
    let subs = [SubSocket::new(), SubSocket::new()];
    for (sub, topic) in subs.iter().zip(["a", ""]) {
        sub.connect(&at).unwrap();
        sub.subscribe(topic).unwrap();
    }
    within(publisher.wait_for_subscribers("a", 2)).await.unwrap();
    for topic in ["a", "b", "c"] {
        publisher.send(topic).await.unwrap();
        within(subs[1].recv()).await.unwrap();
    }
    within(subs[0].recv()).await.unwrap();
    eventually(|| publisher.stats().traffic.messages_out == 4).await;
}

#[tokio::test]
async fn reconnects_are_counted() {
    let at = Transport::Tcp.known();
    let sub = SubSocket::with_options(quick());
    sub.subscribe("").unwrap();
    sub.connect(&at).unwrap();
    for round in 0..3 {
        let publisher = XPubSocket::new();
        publisher.bind(&at).await.unwrap();
        within(publisher.wait_for_subscribers("", 1)).await.unwrap();
        publisher.send("here").await.unwrap();
        within(sub.recv()).await.unwrap();
        let stats = sub.stats();
        assert_eq!((stats.reconnects, stats.peers[0].reconnects), (round, round));
        within(publisher.close()).await;
        eventually(|| !sub.stats().peers[0].is_connected).await;
    }
    assert_eq!(sub.stats().traffic.messages_in, 3);
}
