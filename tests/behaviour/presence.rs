//! Who is connected, and waiting for that.

use std::time::Duration;

use ferromq::{
    Context, DealerSocket, Linger, PubSocket, PullSocket, PushSocket, RouterSocket, RoutingId,
    SocketOptions, SocketType, SubSocket, WaitError, XPubSocket,
};
use tokio::time::timeout;

use crate::common::{Transport, quick, within};

fn at_once() -> SocketOptions {
    quick().linger(Linger::For(Duration::ZERO))
}

#[tokio::test]
async fn peers_are_there_from_handshake_to_end() {
    for transport in Transport::ALL {
        let context = Context::new();
        let router = RouterSocket::new_in(&context, SocketOptions::new());
        let at = router.bind(transport.any()).await.unwrap();
        assert!(router.peers().is_empty());
        let mut dealers = Vec::new();
        for name in ["a", "b", "c"] {
            let options = at_once().routing_id(RoutingId::new(name).unwrap());
            let dealer = DealerSocket::new_in(&context, options);
            dealer.connect(&at).unwrap();
            within(dealer.wait_for_peers(1)).await.unwrap();
            assert_eq!(dealer.peers()[0].socket_type, Some(SocketType::Router));
            dealers.push(dealer);
            within(router.wait_for_peers(dealers.len())).await.unwrap();
        }
        let names = || -> Vec<_> {
            let peers = router.peers();
            peers.iter().map(|peer| peer.routing_id.clone().unwrap().to_string()).collect()
        };
        assert_eq!(names(), ["a", "b", "c"]);
        within(dealers.remove(1).close()).await;
        within(async {
            while names() != ["a", "c"] {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// What a first program gets wrong: all the work goes to whoever came first.
#[tokio::test]
async fn work_is_shared_from_the_first_message_on() {
    for transport in Transport::ALL {
        let context = Context::new();
        let push = PushSocket::new_in(&context, SocketOptions::new());
        let at = push.bind(transport.any()).await.unwrap();
        let workers: Vec<_> =
            (0..4).map(|_| PullSocket::new_in(&context, SocketOptions::new())).collect();
        for worker in &workers {
            worker.connect(&at).unwrap();
        }
        within(push.wait_for_peers(4)).await.unwrap();
        for number in 0..200 {
            push.send(number.to_string()).await.unwrap();
        }
        for worker in &workers {
            for _ in 0..50 {
                within(worker.recv()).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn no_subscriber_that_was_waited_for_misses_a_message() {
    for transport in Transport::ALL {
        let context = Context::new();
        macro_rules! case {
            ($publisher:ident) => {
                let publisher = $publisher::new_in(&context, SocketOptions::new());
                let at = publisher.bind(transport.any()).await.unwrap();
                let subs: Vec<_> = (0..3).map(|_| SubSocket::new_in(&context, at_once())).collect();
                for (sub, topic) in subs.iter().zip(["weather.", "weather.eu", "sports"]) {
                    sub.connect(&at).unwrap();
                    sub.subscribe(topic).unwrap();
                }
                within(publisher.wait_for_subscribers("weather.eu.de", 2)).await.unwrap();
                let third = publisher.wait_for_subscribers("weather.eu.de", 3);
                assert!(timeout(Duration::from_millis(20), third).await.is_err());
                within(publisher.wait_for_subscribers("sports", 1)).await.unwrap();
                publisher.send("weather.eu.de: rain").await.unwrap();
                for sub in &subs[..2] {
                    assert_eq!(within(sub.recv()).await.unwrap(), "weather.eu.de: rain".into());
                }
                subs[2].subscribe("weather").unwrap();
                within(publisher.wait_for_subscribers("weather.eu.de", 3)).await.unwrap();
            };
        }
        case!(PubSocket);
        case!(XPubSocket);
    }
}

#[tokio::test]
async fn waiting_ends_with_the_socket() {
    let publisher = PubSocket::new();
    let waiting = publisher.clone();
    let waiting = tokio::spawn(async move { waiting.wait_for_peers(1).await });
    let subscribers = publisher.clone();
    let subscribers = tokio::spawn(async move { subscribers.wait_for_subscribers("", 1).await });
    tokio::task::yield_now().await;
    within(publisher.close()).await;
    assert_eq!(within(waiting).await.unwrap(), Err(WaitError::Closed));
    assert_eq!(within(subscribers).await.unwrap(), Err(WaitError::Closed));
    assert_eq!(publisher.wait_for_peers(0).await, Err(WaitError::Closed));
}

#[test]
fn waiting_ends_with_the_runtime_of_the_socket() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let push = PushSocket::new();
    runtime().block_on(async { push.bind("tcp://127.0.0.1:*").await.unwrap() });
    let ended = runtime().block_on(async { within(push.wait_for_peers(1)).await });
    assert_eq!(ended, Err(WaitError::RuntimeEnded));
}
