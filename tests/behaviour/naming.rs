//! ROUTER: ids, mandatory, handover, probe.

use ferromq::{
    ConnectError, DealerSocket, DisconnectReason, DropCause, Message, ReqSocket, RouterSocket,
    RoutingId, SendErrorKind, SocketOptions,
};

use crate::common::events::Events;
use crate::common::{Transport, quick, within};

fn named(name: &'static str) -> SocketOptions {
    quick().routing_id(RoutingId::new(name).unwrap())
}

fn id(name: &'static str) -> RoutingId {
    RoutingId::new(name).unwrap()
}

#[tokio::test]
async fn unknown_ids_are_dropped_or_with_mandatory_an_error() {
    for transport in Transport::ALL {
        let router = RouterSocket::new();
        router.bind(transport.any()).await.unwrap();
        within(router.send_to(&id("nobody"), "m")).await.unwrap();
        assert_eq!(router.dropped(DropCause::Unroutable), 1);

        let router = RouterSocket::with_options(SocketOptions::new().router_mandatory(true));
        let endpoint = router.bind(transport.any()).await.unwrap();
        let error = within(router.send_to(&id("x"), ["a", "b"])).await.unwrap_err();
        assert_eq!(error.kind(), SendErrorKind::Unroutable);
        assert_eq!(error.into_message(), ["a", "b"].into());
        let error = within(router.send_raw(["x", "a"])).await.unwrap_err();
        assert_eq!(error.into_message(), ["x", "a"].into());
        let mut events = Events::from(router.monitor());
        let dealer = DealerSocket::with_options(named("x"));
        dealer.connect(&endpoint).unwrap();
        events.ready().await;
        within(router.send_to(&id("x"), "now")).await.unwrap();
        assert_eq!(within(dealer.recv()).await.unwrap(), "now".into());
        assert_eq!(router.dropped(DropCause::Unroutable), 0, "{transport:?}");
    }
}

#[tokio::test]
async fn mandatory_waits_for_a_peer_that_is_full_and_is_not_held_up_by_it_otherwise() {
    let options = SocketOptions::new().router_mandatory(true).send_hwm(2);
    let router = RouterSocket::with_options(options);
    let endpoint = router.bind(Transport::Inproc.any()).await.unwrap();
    let full = DealerSocket::with_options(named("full").recv_hwm(1));
    let free = DealerSocket::with_options(named("free"));
    full.connect(&endpoint).unwrap();
    free.connect(&endpoint).unwrap();
    for _ in 0..3 {
        router.try_send_to(&id("full"), "m").unwrap();
    }
    assert!(router.try_send_to(&id("full"), "m").unwrap_err().is_would_block());
    router.try_send_to(&id("free"), "m").unwrap();
    let sender = router.clone();
    let waiting = tokio::spawn(async move { sender.send_to(&id("full"), "last").await });
    for _ in 0..3 {
        assert_eq!(within(full.recv()).await.unwrap(), "m".into());
    }
    within(waiting).await.unwrap().unwrap();
    assert_eq!(within(full.recv()).await.unwrap(), "last".into());
}

#[tokio::test]
async fn mandatory_no_longer_waits_for_a_full_peer_that_leaves() {
    let options = SocketOptions::new().router_mandatory(true).send_hwm(1);
    let router = RouterSocket::with_options(options);
    let endpoint = router.bind(Transport::Inproc.any()).await.unwrap();
    let full = DealerSocket::with_options(named("full").recv_hwm(1));
    full.connect(&endpoint).unwrap();
    while router.try_send_to(&id("full"), "m").is_ok() {}
    let sender = router.clone();
    let waiting = tokio::spawn(async move { sender.send_to(&id("full"), "last").await });
    tokio::task::yield_now().await;
    let _ = within(full.close()).await;
    let error = within(waiting).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::Unroutable);
    assert_eq!(error.into_message(), "last".into());
}

#[tokio::test]
async fn without_handover_the_first_keeps_its_name() {
    for transport in Transport::ALL {
        let router = RouterSocket::new();
        let mut events = Events::from(router.monitor());
        let endpoint = router.bind(transport.any()).await.unwrap();
        let (first, second) =
            (DealerSocket::with_options(named("x")), DealerSocket::with_options(named("x")));
        first.connect(&endpoint).unwrap();
        events.ready().await;
        match second.connect(&endpoint) {
            Ok(()) => {}
            Err(error) => assert!(matches!(error, ConnectError::TurnedAway { .. }), "{error:?}"),
        }
        let reason = events.handshake_failed().await;
        assert!(matches!(reason, DisconnectReason::TurnedAway(_)), "{transport:?}: {reason:?}");
        within(router.send_to(&id("x"), "for the first")).await.unwrap();
        assert_eq!(within(first.recv()).await.unwrap(), "for the first".into());
        within(first.send("from the first")).await.unwrap();
        let received = within(router.recv()).await.unwrap();
        assert_eq!(received, (id("x"), "from the first".into()));
    }
}

#[tokio::test]
async fn with_handover_the_second_takes_the_name() {
    for transport in Transport::ALL {
        let router = RouterSocket::with_options(SocketOptions::new().router_handover(true));
        let mut events = Events::from(router.monitor());
        let endpoint = router.bind(transport.any()).await.unwrap();
        let first = DealerSocket::with_options(
            named("x").reconnect_interval(std::time::Duration::from_secs(3600)),
        );
        let second = DealerSocket::with_options(named("x"));
        first.connect(&endpoint).unwrap();
        within(first.send("from the first")).await.unwrap();
        let received = within(router.recv()).await.unwrap();
        assert_eq!(received, (id("x"), "from the first".into()));
        second.connect(&endpoint).unwrap();
        events.all_ready(2).await;
        within(router.send_to(&id("x"), "for the second")).await.unwrap();
        assert_eq!(within(second.recv()).await.unwrap(), "for the second".into());
        assert!(first.try_recv().is_err(), "{transport:?}");
    }
}

#[tokio::test]
async fn automatic_ids_have_five_octets_of_which_the_first_is_zero() {
    for transport in Transport::ALL {
        let router = RouterSocket::new();
        let endpoint = router.bind(transport.any()).await.unwrap();
        let dealers = [DealerSocket::new(), DealerSocket::new()];
        let mut ids = Vec::new();
        for dealer in &dealers {
            dealer.connect(&endpoint).unwrap();
            within(dealer.send("hello")).await.unwrap();
            ids.push(within(router.recv()).await.unwrap().0);
        }
        assert_ne!(ids[0], ids[1]);
        for (dealer, id) in dealers.iter().zip(&ids) {
            assert_eq!((id.as_bytes().len(), id.as_bytes()[0]), (5, 0), "{transport:?}");
            within(router.send_to(id, "back")).await.unwrap();
            assert_eq!(within(dealer.recv()).await.unwrap(), "back".into());
        }
    }
}

#[tokio::test]
async fn any_octets_are_a_name_also_those_that_begin_with_zero() {
    for transport in Transport::ALL {
        let router = RouterSocket::with_options(SocketOptions::new().router_mandatory(true));
        let endpoint = router.bind(transport.any()).await.unwrap();
        let mut dealers = Vec::new();
        for name in ["\0\0", "\x01\0", "\0", "\0\0\0\0\x01"] {
            let dealer = DealerSocket::with_options(named(name));
            dealer.connect(&endpoint).unwrap();
            within(dealer.send("ready")).await.unwrap();
            let received = within(router.recv()).await.unwrap();
            assert_eq!(received, (id(name), "ready".into()), "{transport:?}");
            dealers.push((name, dealer));
        }
        for (name, dealer) in &dealers {
            within(router.send_to(&id(name), "job")).await.unwrap();
            within(router.send_raw([*name, "raw"])).await.unwrap();
            assert_eq!(within(dealer.recv()).await.unwrap(), "job".into());
            assert_eq!(within(dealer.recv()).await.unwrap(), "raw".into());
        }
    }
}

#[tokio::test]
async fn a_broker_may_keep_automatic_ids_as_frames() {
    let router = RouterSocket::new();
    let endpoint = router.bind(Transport::Tcp.any()).await.unwrap();
    let worker = DealerSocket::new();
    worker.connect(&endpoint).unwrap();
    within(worker.send("ready")).await.unwrap();
    let mut hello = within(router.recv_raw()).await.unwrap();
    let frame = hello.pop_front().unwrap();
    let worker_id = RoutingId::try_from(frame).unwrap();
    within(router.send_to(&worker_id, "job")).await.unwrap();
    assert_eq!(within(worker.recv()).await.unwrap(), "job".into());
}

#[tokio::test]
async fn an_automatic_id_is_taken_like_any_other() {
    for transport in Transport::ALL {
        let router = RouterSocket::new();
        let endpoint = router.bind(transport.any()).await.unwrap();
        let first = DealerSocket::new();
        first.connect(&endpoint).unwrap();
        within(first.send("hello")).await.unwrap();
        let automatic = within(router.recv()).await.unwrap().0;
        let mut events = Events::from(router.monitor());
        let second = DealerSocket::with_options(quick().routing_id(automatic.clone()));
        // Over inproc it may hear of it at once.
        let _ = second.connect(&endpoint);
        let reason = events.handshake_failed().await;
        assert!(matches!(reason, DisconnectReason::TurnedAway(_)), "{transport:?}: {reason:?}");
        within(router.send_to(&automatic, "for the first")).await.unwrap();
        assert_eq!(within(first.recv()).await.unwrap(), "for the first".into());
    }
}

#[tokio::test]
async fn octets_that_cannot_be_a_name_are_unroutable() {
    let router = RouterSocket::with_options(SocketOptions::new().router_mandatory(true));
    for octets in [String::new(), "x".repeat(256)] {
        let whole = Message::from([octets.as_str(), "m"]);
        let error = within(router.send_raw(whole.clone())).await.unwrap_err();
        assert_eq!(error.kind(), SendErrorKind::Unroutable);
        assert_eq!(error.into_message(), whole);
    }
}

#[tokio::test]
async fn the_name_of_the_last_handshake_counts() {
    for transport in Transport::STREAMS {
        let endpoint = transport.known();
        let router = RouterSocket::with_options(quick());
        let mut events = Events::from(router.monitor());
        router.connect(&endpoint).unwrap();
        let mut former = None;
        for name in ["a", "b", "\0\0"] {
            let dealer = DealerSocket::with_options(named(name));
            dealer.bind(&endpoint).await.unwrap();
            events.ready().await;
            if let Some(former) = former.replace(id(name)) {
                let unroutable = router.dropped(DropCause::Unroutable);
                within(router.send_to(&former, "to nobody")).await.unwrap();
                assert_eq!(router.dropped(DropCause::Unroutable), unroutable + 1);
            }
            within(router.send_to(&id(name), "ping")).await.unwrap();
            assert_eq!(within(dealer.recv()).await.unwrap(), "ping".into());
            within(dealer.send("pong")).await.unwrap();
            let received = within(router.recv()).await.unwrap();
            assert_eq!(received, (id(name), "pong".into()), "{transport:?}");
            let _ = within(dealer.close()).await;
            events.disconnected().await;
        }
    }
}

#[tokio::test]
async fn one_without_a_name_keeps_the_one_it_was_given() {
    for transport in Transport::STREAMS {
        let endpoint = transport.known();
        let router = RouterSocket::with_options(quick());
        let mut events = Events::from(router.monitor());
        router.connect(&endpoint).unwrap();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let dealer = DealerSocket::with_options(quick());
            dealer.bind(&endpoint).await.unwrap();
            events.ready().await;
            within(dealer.send("hello")).await.unwrap();
            ids.push(within(router.recv()).await.unwrap().0);
            let _ = within(dealer.close()).await;
            events.disconnected().await;
        }
        assert_eq!(ids[0], ids[1], "{transport:?}");
    }
}

#[tokio::test]
async fn probe_introduces_a_socket() {
    for transport in Transport::ALL {
        let router = RouterSocket::new();
        let endpoint = router.bind(transport.any()).await.unwrap();
        let dealer = DealerSocket::with_options(named("d").probe_router(true));
        dealer.connect(&endpoint).unwrap();
        let probe = within(router.recv_raw()).await.unwrap();
        assert_eq!(probe, ["d", ""].into(), "{transport:?}");
        let req = ReqSocket::with_options(named("q").probe_router(true));
        req.connect(&endpoint).unwrap();
        let probe = within(router.recv_raw()).await.unwrap();
        assert_eq!(probe, ["q", ""].into(), "{transport:?}");
        // The probe is no request: it is still this socket's turn to ask.
        within(req.send("question")).await.unwrap();
        assert_eq!(within(router.recv_raw()).await.unwrap(), ["q", "", "question"].into());
    }
}
