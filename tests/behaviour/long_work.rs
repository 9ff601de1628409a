//! What takes long is done piece by piece: nobody else waits for it.
//!
//! The bounds are for a busy machine; done in one piece, the work of each test takes
//! several times as long.

use std::time::{Duration, Instant};

use ferromq::{
    DealerSocket, DropCause, PubSocket, PullSocket, PushSocket, RouterSocket, SocketOptions,
    SubSocket, XPubSocket,
};
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::common::events::Events;
use crate::common::{Transport, raw, within};

/// A task that wants its turn often. Says how long it waited for it at most.
fn impatient() -> (oneshot::Sender<()>, JoinHandle<Duration>) {
    let (stop, mut stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let mut longest = Duration::ZERO;
        let mut last = Instant::now();
        while stopped.try_recv().is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        longest
    });
    (stop, task)
}

async fn longest_wait((stop, task): (oneshot::Sender<()>, JoinHandle<Duration>)) -> Duration {
    let _ = stop.send(());
    within(task).await.unwrap()
}

/// What nobody may wait longer for: unoptimized, everything takes ten times as long,
/// and tokio looks at timers only once in some dozen turns of busy tasks.
const AT_MOST: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1500 } else { 150 });

/// Topics of one subscriber.
const TOPICS: u32 = 200_000;

#[tokio::test]
async fn a_subscriber_of_many_topics_comes_and_leaves_and_nobody_waits() {
    for transport in Transport::ALL {
        let (publisher, sub) = (XPubSocket::new(), SubSocket::new());
        let at = publisher.bind(transport.any()).await.unwrap();
        for number in 0..TOPICS {
            sub.subscribe(number.to_be_bytes()).unwrap();
        }
        sub.connect(at).unwrap();
        for kind in [1, 0] {
            let waiting = impatient();
            for number in 0..TOPICS {
                let notice = within(publisher.recv()).await.unwrap();
                assert_eq!(notice.first()[0], kind);
                if number % 1024 == 0 {
                    // Sending is not held up either.
                    let since = Instant::now();
                    within(publisher.send("to nobody")).await.unwrap();
                    assert!(since.elapsed() < AT_MOST, "{transport:?}: {:?}", since.elapsed());
                }
            }
            if kind == 1 {
                within(sub.close()).await;
            }
            let longest = longest_wait(waiting).await;
            assert!(longest < AT_MOST, "{transport:?}, {kind}: {longest:?}");
        }
        let waiting = impatient();
        tokio::task::yield_now().await;
        drop(sub);
        let longest = longest_wait(waiting).await;
        assert!(longest < AT_MOST, "{transport:?}, dropped: {longest:?}");
    }
}

/// PUB tells nobody, and has nobody who would receive what there is to tell.
#[tokio::test]
async fn a_publisher_forgets_many_topics_and_nobody_waits() {
    for transport in Transport::ALL {
        let (publisher, sub) = (PubSocket::new(), SubSocket::new());
        let mut events = Events::from(publisher.monitor());
        let at = publisher.bind(transport.any()).await.unwrap();
        for number in 0..TOPICS {
            sub.subscribe(number.to_be_bytes()).unwrap();
        }
        sub.connect(at).unwrap();
        events.ready().await;
        // The last of them that is heard of.
        let last = (TOPICS - 1).to_be_bytes();
        while sub.try_recv().is_err() {
            within(publisher.send(&last[..])).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let waiting = impatient();
        within(sub.close()).await;
        events.disconnected().await;
        // In the time that the rest takes, somebody else is served.
        let good = SubSocket::new();
        good.subscribe("good").unwrap();
        good.connect(publisher.bind(transport.any()).await.unwrap()).unwrap();
        for _ in 0..100 {
            loop {
                within(publisher.send("good")).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
                if good.try_recv().is_ok() {
                    break;
                }
            }
        }
        let longest = longest_wait(waiting).await;
        assert!(longest < AT_MOST, "{transport:?}: {longest:?}");
        // The publisher goes while it has not forgotten all.
        let waiting = impatient();
        drop(publisher);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let longest = longest_wait(waiting).await;
        assert!(longest < AT_MOST, "{transport:?}: {longest:?}");
    }
}

/// ROUTER has no use for subscriptions; whoever sends them has no more than a turn
/// at a time for that.
#[tokio::test]
async fn peers_with_many_subscriptions_do_not_hold_up_a_good_one() {
    const PEERS: usize = 100;
    let router = RouterSocket::new();
    let mut events = Events::from(router.monitor());
    let at = router.bind("tcp://127.0.0.1:0").await.unwrap();
    let dealer = DealerSocket::new();
    dealer.connect(&at).unwrap();
    events.ready().await;
    let echo = tokio::spawn(async move {
        loop {
            let (id, message) = router.recv().await.unwrap();
            router.send_to(&id, message).await.unwrap();
        }
    });
    let flood = b"\x04\x0c\x09SUBSCRIBEt".repeat(20_000);
    let mut peers = Vec::new();
    for _ in 0..PEERS {
        let mut peer = raw::connect(&at).await;
        raw::shake_hands(&mut peer, raw::READY_DEALER).await;
        let flood = flood.clone();
        peers.push(tokio::spawn(async move { peer.write_all(&flood).await }));
    }
    let mut times = Vec::new();
    while times.len() < 20 {
        let since = Instant::now();
        within(dealer.send("ping")).await.unwrap();
        assert_eq!(within(dealer.recv()).await.unwrap(), "ping".into());
        times.push(since.elapsed());
    }
    times.sort();
    assert!(times[times.len() / 2] < AT_MOST, "{times:?}");
    for peer in peers {
        within(peer).await.unwrap().unwrap();
    }
    echo.abort();
}

/// A queue without a mark, of a peer that reads nothing and leaves.
#[tokio::test]
async fn a_long_queue_is_given_up_and_nobody_waits() {
    const MESSAGES: u64 = 300_000;
    // Small ones lie in one piece of memory, large ones do not.
    for size in [8, 4096] {
        let push = PushSocket::with_options(SocketOptions::new().send_hwm(0));
        let mut events = Events::from(push.monitor());
        let at = push.bind("tcp://127.0.0.1:0").await.unwrap();
        let mut peer = raw::connect(&at).await;
        raw::shake_hands(&mut peer, raw::READY_PULL).await;
        events.ready().await;
        let body = bytes::Bytes::from(vec![0; size]);
        for _ in 0..MESSAGES {
            within(push.send(body.clone())).await.unwrap();
        }
        let waiting = impatient();
        drop(peer);
        events.disconnected().await;
        let longest = longest_wait(waiting).await;
        assert!(longest < AT_MOST, "{size} octets: {longest:?}");
        assert!(push.dropped(DropCause::PeerLeft) > 0);
    }
}

/// As many unread messages, whose sender was disconnected.
#[tokio::test]
async fn many_unread_messages_are_discarded_and_nobody_waits() {
    const MESSAGES: u64 = 200_000;
    for transport in Transport::ALL {
        let options = || SocketOptions::new().recv_hwm(0).send_hwm(0).recv_hwm_bytes(0);
        let (push, pull) =
            (PushSocket::with_options(options()), PullSocket::with_options(options()));
        let at = push.bind(transport.any()).await.unwrap();
        pull.connect(&at).unwrap();
        for _ in 0..MESSAGES {
            within(push.send("unread")).await.unwrap();
        }
        assert_eq!(within(push.close()).await.undelivered, 0);
        let waiting = impatient();
        pull.disconnect(&at).unwrap();
        let _ = within(pull.close()).await;
        let longest = longest_wait(waiting).await;
        assert!(longest < AT_MOST, "{transport:?}: {longest:?}");
    }
}
