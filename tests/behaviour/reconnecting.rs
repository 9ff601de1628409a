//! Connections that are lost and found again.

use std::time::Duration;

use ferromq::{
    DealerSocket, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, RoutingId, SubSocket, XPubSocket, XSubSocket,
};

use crate::common::cable::Cable;
use crate::common::events::Events;
use crate::common::{Transport, quick, within};

/// How a connection is lost.
enum Loss<'a> {
    /// The peer socket is closed and another one bound at its endpoint.
    Orderly,
    Abrupt(&'a Cable),
}

/// Runs a body over tcp and ipc with an orderly loss, and over tcp with an
/// abrupt one. It gets where to bind, where to connect, and the loss.
macro_rules! each_loss {
    (|$bind:ident, $to:ident, $loss:ident| $body:block) => {
        for transport in Transport::STREAMS {
            let $bind = transport.known();
            let ($to, $loss) = ($bind.clone(), Loss::Orderly);
            $body
        }
        let $bind = Transport::Tcp.known();
        let cable = Cable::to(&$bind).await;
        let ($to, $loss) = (cable.endpoint().clone(), Loss::Abrupt(&cable));
        $body
    };
}

/// Loses the connection, and gives the bound socket of the next one.
macro_rules! lose {
    ($loss:expr, $bound:ident, $kind:ident, $bind:expr, $connected:expr) => {{
        let mut events = Events::from($connected.monitor());
        let next = match $loss {
            Loss::Orderly => {
                let _ = within($bound.close()).await;
                events.disconnected().await;
                let next = $kind::new();
                next.bind(&$bind).await.unwrap();
                next
            }
            Loss::Abrupt(cable) => {
                cable.cut();
                events.disconnected().await;
                $bound
            }
        };
        events.ready().await;
        next
    }};
}

#[tokio::test]
async fn push_finds_its_peer_again() {
    each_loss!(|bind, to, loss| {
        let (push, pull) = (PushSocket::with_options(quick()), PullSocket::new());
        pull.bind(&bind).await.unwrap();
        push.connect(&to).unwrap();
        within(push.send("a")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "a".into());
        let pull = lose!(loss, pull, PullSocket, bind, push);
        within(push.send("b")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "b".into());
    });
}

#[tokio::test]
async fn pull_finds_its_peer_again() {
    each_loss!(|bind, to, loss| {
        let (pull, push) = (PullSocket::with_options(quick()), PushSocket::new());
        push.bind(&bind).await.unwrap();
        pull.connect(&to).unwrap();
        within(push.send("a")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "a".into());
        let push = lose!(loss, push, PushSocket, bind, pull);
        let receiver = pull.clone();
        let receiving = tokio::spawn(async move { receiver.recv().await });
        // The bound side may still hold the cut connection for a moment: what
        // goes there is lost, what comes after it is not.
        let received = repeat(|| push.try_send("b"), receiving).await;
        assert_eq!(received, "b".into());
    });
}

/// Sends until the receiver has something.
async fn repeat(
    mut send: impl FnMut() -> Result<(), ferromq::SendError>,
    mut receiving: tokio::task::JoinHandle<Result<ferromq::Message, ferromq::RecvError>>,
) -> ferromq::Message {
    within(async {
        loop {
            let _ = send();
            let pause = Duration::from_millis(5);
            if let Ok(received) = tokio::time::timeout(pause, &mut receiving).await {
                return received.unwrap().unwrap();
            }
        }
    })
    .await
}

#[tokio::test]
async fn dealer_and_pair_find_their_peers_again() {
    each_loss!(|bind, to, loss| {
        let (dealer, other) = (DealerSocket::with_options(quick()), DealerSocket::new());
        other.bind(&bind).await.unwrap();
        dealer.connect(&to).unwrap();
        within(dealer.send("a")).await.unwrap();
        assert_eq!(within(other.recv()).await.unwrap(), "a".into());
        let other = lose!(loss, other, DealerSocket, bind, dealer);
        within(dealer.send("b")).await.unwrap();
        assert_eq!(within(other.recv()).await.unwrap(), "b".into());
    });
    for transport in Transport::STREAMS {
        let (bind, loss) = (transport.known(), Loss::Orderly);
        let (pair, other) = (PairSocket::with_options(quick()), PairSocket::new());
        other.bind(&bind).await.unwrap();
        pair.connect(&bind).unwrap();
        within(pair.send("a")).await.unwrap();
        assert_eq!(within(other.recv()).await.unwrap(), "a".into());
        let other = lose!(loss, other, PairSocket, bind, pair);
        within(other.send("b")).await.unwrap();
        assert_eq!(within(pair.recv()).await.unwrap(), "b".into());
    }
}

#[tokio::test]
async fn req_finds_its_peer_again_and_keeps_its_turn() {
    each_loss!(|bind, to, loss| {
        let (req, rep) = (ReqSocket::with_options(quick()), RepSocket::new());
        rep.bind(&bind).await.unwrap();
        req.connect(&to).unwrap();
        within(req.send("a")).await.unwrap();
        within(rep.recv()).await.unwrap();
        within(rep.send("A")).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), "A".into());
        let rep = lose!(loss, rep, RepSocket, bind, req);
        within(req.send("b")).await.unwrap();
        assert_eq!(within(rep.recv()).await.unwrap(), "b".into());
        within(rep.send("B")).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), "B".into());
    });
}

#[tokio::test]
async fn router_finds_its_peer_again_under_its_name() {
    each_loss!(|bind, to, loss| {
        let named = || quick().routing_id(RoutingId::new("r").unwrap());
        let (router, dealer) = (RouterSocket::with_options(named()), DealerSocket::new());
        dealer.bind(&bind).await.unwrap();
        router.connect(&to).unwrap();
        within(dealer.send("a")).await.unwrap();
        let (id, _) = within(router.recv()).await.unwrap();
        let dealer = lose!(loss, dealer, DealerSocket, bind, router);
        within(router.send_to(&id, "b")).await.unwrap();
        assert_eq!(within(dealer.recv()).await.unwrap(), "b".into());
    });
}

#[tokio::test]
async fn rep_finds_its_peer_again() {
    each_loss!(|bind, to, loss| {
        let (rep, dealer) = (RepSocket::with_options(quick()), DealerSocket::new());
        dealer.bind(&bind).await.unwrap();
        rep.connect(&to).unwrap();
        for _ in 0..2 {
            within(dealer.send(["", "a"])).await.unwrap();
            within(rep.recv()).await.unwrap();
            within(rep.send("A")).await.unwrap();
            assert_eq!(within(dealer.recv()).await.unwrap(), ["", "A"].into());
        }
        let dealer = lose!(loss, dealer, DealerSocket, bind, rep);
        let receiver = rep.clone();
        let receiving = tokio::spawn(async move { receiver.recv().await });
        assert_eq!(repeat(|| dealer.try_send(["", "b"]), receiving).await, "b".into());
    });
}

#[tokio::test]
async fn subscriptions_are_there_again_after_a_loss() {
    each_loss!(|bind, to, loss| {
        let (sub, publisher) = (SubSocket::with_options(quick()), XPubSocket::new());
        publisher.bind(&bind).await.unwrap();
        for topic in ["a", "b"] {
            sub.subscribe(topic).unwrap();
        }
        sub.connect(&to).unwrap();
        for topic in ["a", "b"] {
            assert_eq!(within(publisher.recv()).await.unwrap(), format!("\u{1}{topic}").into());
        }
        let publisher = lose!(loss, publisher, XPubSocket, bind, sub);
        // Of the cut connection the end may come after the new beginning.
        within(async {
            let mut heard = Vec::new();
            while heard.len() < 2 {
                let change = publisher.recv().await.unwrap();
                if change[0][0] == 1 {
                    heard.push(change);
                }
            }
            heard
        })
        .await;
        within(publisher.send("b: news")).await.unwrap();
        assert_eq!(within(sub.recv()).await.unwrap(), "b: news".into());
    });
}

#[tokio::test]
async fn ready_means_subscribed() {
    // Decision 18: on the wire the subscriptions precede whatever the peer
    // answers, so a PUB that is asked for proof has them.
    let (sub, publisher) = (XSubSocket::with_options(quick()), XPubSocket::new());
    let bind = publisher.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut events = Events::from(sub.monitor());
    sub.try_send("\u{1}topic").unwrap();
    sub.connect(&bind).unwrap();
    events.ready().await;
    within(sub.send("proof")).await.unwrap();
    assert_eq!(within(publisher.recv()).await.unwrap(), "\u{1}topic".into());
    assert_eq!(within(publisher.recv()).await.unwrap(), "proof".into());
}

#[tokio::test]
async fn a_connecting_publisher_is_subscribed_to_again() {
    for transport in Transport::STREAMS {
        let (bind, loss) = (transport.known(), Loss::Orderly);
        let (publisher, sub) = (PubSocket::with_options(quick()), XSubSocket::new());
        let mut events = Events::from(publisher.monitor());
        sub.bind(&bind).await.unwrap();
        publisher.connect(&bind).unwrap();
        events.ready().await;
        let sub = lose!(loss, sub, XSubSocket, bind, publisher);
        within(sub.send("\u{1}a")).await.unwrap();
        let receiver = sub.clone();
        let receiving = tokio::spawn(async move { receiver.recv().await });
        assert_eq!(repeat(|| publisher.try_send("a1"), receiving).await, "a1".into());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_conflating_socket_hears_the_next_connection_after_a_write_failed() {
    use ferromq::DisconnectReason;
    use tokio::io::AsyncWriteExt;

    use crate::common::raw;

    let endpoint = Transport::Ipc.known();
    let listener = tokio::net::UnixListener::bind(endpoint.path().unwrap()).unwrap();
    let pull = PullSocket::with_options(quick().conflate(true));
    let mut events = Events::from(pull.monitor());
    pull.connect(&endpoint).unwrap();
    let (mut first, _) = within(listener.accept()).await.unwrap();
    raw::shake_hands(&mut first, raw::READY_PUSH).await;
    events.ready().await;
    // It takes nothing any more, so the PONG cannot be written, yet stays open.
    socket2::SockRef::from(&first).shutdown(std::net::Shutdown::Read).unwrap();
    within(first.write_all(b"\x04\x07\x04PING\0\0")).await.unwrap();
    let reason = events.disconnected().await;
    assert!(matches!(reason, DisconnectReason::Transport(_)), "{reason:?}");
    let (mut second, _) = within(listener.accept()).await.unwrap();
    raw::shake_hands(&mut second, raw::READY_PUSH).await;
    within(second.write_all(b"\0\x04news")).await.unwrap();
    assert_eq!(within(pull.recv()).await.unwrap(), "news".into());
}
