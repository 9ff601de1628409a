//! The events of a connection's life, and the ends that time brings.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use ferromq::{
    DealerSocket, DisconnectReason, DropCause, MonitorEvent, PairSocket, PeerFault, PullSocket,
    PushSocket, RecvError, RepSocket, RouterSocket, RoutingId, SocketOptions, SocketType,
    Unwelcome,
};
use futures_core::Stream;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::common::events::{Events, name};
use crate::common::{Transport, quick, raw, within};

#[tokio::test]
async fn both_sides_tell_the_life_of_a_connection_in_order() {
    for transport in Transport::STREAMS {
        let (bound, connected) = (DealerSocket::new(), DealerSocket::new());
        let (mut here, mut there) =
            (Events::from(bound.monitor()), Events::from(connected.monitor()));
        let endpoint = bound.bind(transport.any()).await.unwrap();
        connected.connect(&endpoint).unwrap();
        assert_eq!(here.names(3).await, ["listening", "accepted", "ready"], "{transport:?}");
        assert_eq!(there.names(2).await, ["connected", "ready"], "{transport:?}");
        let _ = within(connected.close()).await;
        assert_eq!(here.names(1).await, ["disconnected: peer closed"], "{transport:?}");
        assert_eq!(there.names(1).await, ["disconnected: by us"], "{transport:?}");
        let _ = within(bound.close()).await;
        assert_eq!(here.names(1).await, ["closed"], "{transport:?}");
    }
}

#[tokio::test]
async fn inproc_tells_the_life_of_a_connection_in_order() {
    for connector_leaves in [true, false] {
        let (bound, connected) = (DealerSocket::new(), DealerSocket::new());
        let (mut here, mut there) =
            (Events::from(bound.monitor()), Events::from(connected.monitor()));
        let endpoint = bound.bind(Transport::Inproc.any()).await.unwrap();
        connected.connect(&endpoint).unwrap();
        assert_eq!(here.names(2).await, ["listening", "ready"]);
        assert_eq!(there.names(1).await, ["ready"]);
        if connector_leaves {
            let _ = within(connected.close()).await;
            assert_eq!(here.names(1).await, ["disconnected: peer closed"]);
            assert_eq!(there.names(1).await, ["disconnected: by us"]);
            within(bound.unbind(&endpoint)).await.unwrap();
            assert_eq!(here.names(1).await, ["closed"]);
        } else {
            within(bound.unbind(&endpoint)).await.unwrap();
            let mut names = here.names(2).await;
            names.sort();
            assert_eq!(names, ["closed", "disconnected: by us"]);
            assert_eq!(there.names(1).await, ["disconnected: peer closed"]);
            // It is out of routing by then, and there is no coming back.
            assert!(connected.try_send("nobody").unwrap_err().is_would_block());
        }
    }
}

#[tokio::test]
async fn inproc_tells_that_nobody_bound_the_name_in_time() {
    let push = PushSocket::new();
    let mut events = Events::from(push.monitor());
    let never = Transport::Inproc.known();
    push.connect(&never).unwrap();
    push.try_send("to nobody").unwrap();
    push.disconnect(&never).unwrap();
    assert_eq!(events.names(1).await, ["handshake failed: by us"]);
    assert_eq!(push.dropped(DropCause::LingerExpired), 1);
}

#[tokio::test]
async fn inproc_tells_who_came_first_and_is_not_wanted() {
    // Whoever binds late can refuse nothing at the call.
    let named = || SocketOptions::new().routing_id(RoutingId::new("same").unwrap());
    let endpoint = Transport::Inproc.known();
    let dealers = [(); 2].map(|()| DealerSocket::with_options(named()));
    let mut events = dealers.each_ref().map(|dealer| Events::from(dealer.monitor()));
    for dealer in &dealers {
        dealer.connect(&endpoint).unwrap();
        dealer.try_send("hello").unwrap();
    }
    let router = RouterSocket::new();
    router.bind(&endpoint).await.unwrap();
    assert_eq!(events[0].names(1).await, ["ready"]);
    let reason = events[1].handshake_failed().await;
    let taken = matches!(reason, DisconnectReason::TurnedAway(Unwelcome::RoutingIdTaken));
    assert!(taken, "{reason:?}");
    // What it had sent is for nobody now.
    assert_eq!(dealers.each_ref().map(|it| it.dropped(DropCause::PeerLeft)), [0, 1]);
    assert!(dealers[1].try_send("more").unwrap_err().is_would_block());
    assert_eq!(within(router.recv()).await.unwrap().1, "hello".into());
    assert!(router.try_recv().unwrap_err().is_would_block());

    let endpoint = Transport::Inproc.known();
    let pairs = [(); 2].map(|()| PairSocket::new());
    let mut events = pairs.each_ref().map(|pair| Events::from(pair.monitor()));
    for pair in &pairs {
        pair.connect(&endpoint).unwrap();
    }
    let bound = PairSocket::new();
    bound.bind(&endpoint).await.unwrap();
    assert_eq!(events[0].names(1).await, ["ready"]);
    let reason = events[1].handshake_failed().await;
    let paired = matches!(reason, DisconnectReason::TurnedAway(Unwelcome::AlreadyPaired));
    assert!(paired, "{reason:?}");
    within(pairs[0].send("still here")).await.unwrap();
    assert_eq!(within(bound.recv()).await.unwrap(), "still here".into());
}

#[tokio::test]
async fn inproc_tells_both_which_types_did_not_fit() {
    let endpoint = Transport::Inproc.known();
    let (push, rep) = (PushSocket::new(), RepSocket::new());
    let (mut here, mut there) = (Events::from(push.monitor()), Events::from(rep.monitor()));
    push.connect(&endpoint).unwrap();
    rep.bind(&endpoint).await.unwrap();
    let types = [(SocketType::Push, SocketType::Rep), (SocketType::Rep, SocketType::Push)];
    for (events, (ours, theirs)) in [&mut here, &mut there].into_iter().zip(types) {
        let reason = events.handshake_failed().await;
        let DisconnectReason::TurnedAway(why) = &reason else { panic!("{reason:?}") };
        assert_eq!(*why, Unwelcome::Incompatible { ours, theirs });
    }
}

#[tokio::test]
async fn events_say_where_and_who() {
    let (bound, connected) = (
        DealerSocket::new(),
        DealerSocket::with_options(SocketOptions::new().metadata("X-Name", "me")),
    );
    let mut here = Events::from(bound.monitor());
    let endpoint = bound.bind("tcp://127.0.0.1:*").await.unwrap();
    connected.connect(&endpoint).unwrap();
    let MonitorEvent::Listening { endpoint: at } = here.next().await else { panic!() };
    assert_eq!(at, endpoint);
    let MonitorEvent::Accepted { endpoint: at, address } = here.next().await else { panic!() };
    assert_eq!(at, endpoint);
    let MonitorEvent::Ready { endpoint: at, peer } = here.next().await else { panic!() };
    assert_eq!((at, &peer.address), (endpoint, &address));
    assert_eq!(peer.socket_type, Some(SocketType::Dealer));
    assert_eq!(peer.metadata, [("X-Name".into(), "me".into())]);
}

/// Where the peer is, as far as an event says so.
fn address(event: MonitorEvent) -> Option<String> {
    match event {
        MonitorEvent::Accepted { address, .. }
        | MonitorEvent::Connected { address, .. }
        | MonitorEvent::HandshakeFailed { address, .. }
        | MonitorEvent::Disconnected { address, .. } => Some(address),
        MonitorEvent::Ready { peer, .. } => Some(peer.address),
        _ => None,
    }
}

/// Also the last event of a connection, whose peer may be one to look for.
#[tokio::test]
async fn the_end_of_a_connection_says_where_the_peer_was() {
    for (transport, is_stream) in
        [(Transport::Tcp, true), (Transport::Ipc, true), (Transport::Inproc, false)]
    {
        let (bound, connected) = (DealerSocket::new(), DealerSocket::new());
        let (mut here, mut there) =
            (Events::from(bound.monitor()), Events::from(connected.monitor()));
        let endpoint = bound.bind(transport.any()).await.unwrap();
        connected.connect(&endpoint).unwrap();
        let known = here.find(address).await;
        assert!(known.starts_with(&endpoint.to_string()[..6]), "{known}");
        assert_eq!(there.find(address).await, endpoint.to_string());
        if is_stream {
            here.ready().await;
            there.ready().await;
        }
        let _ = within(connected.close()).await;
        assert_eq!(here.find(address).await, known, "{transport:?}");
        assert_eq!(there.find(address).await, endpoint.to_string());
    }
}

#[tokio::test]
async fn a_handshake_that_failed_says_where_the_peer_was() {
    for transport in Transport::ALL {
        let (pull, dealer) = (PullSocket::new(), DealerSocket::new());
        let (mut here, mut there) = (Events::from(pull.monitor()), Events::from(dealer.monitor()));
        let endpoint = pull.bind(transport.any()).await.unwrap();
        let is_stream = dealer.connect(&endpoint).is_ok();
        assert_eq!(is_stream, transport != Transport::Inproc);
        let known = here.find(address).await;
        assert!(known.starts_with(&endpoint.to_string()[..6]), "{known}");
        assert_eq!(there.find(address).await, endpoint.to_string());
        if is_stream {
            assert_eq!(here.find(address).await, known, "{transport:?}");
            assert_eq!(there.find(address).await, endpoint.to_string());
        }
    }
}

#[tokio::test]
async fn a_peer_that_restarts_is_lost_dialled_and_ready_again() {
    for transport in Transport::STREAMS {
        let (push, pull) = (PushSocket::with_options(quick()), PullSocket::new());
        let mut events = Events::from(push.monitor());
        let endpoint = transport.known();
        pull.bind(&endpoint).await.unwrap();
        push.connect(&endpoint).unwrap();
        assert_eq!(events.names(2).await, ["connected", "ready"]);
        let _ = within(pull.close()).await;
        assert_eq!(
            events.names(2).await,
            ["disconnected: peer closed", "retrying: peer closed"],
            "{transport:?}"
        );
        let pull = PullSocket::new();
        pull.bind(&endpoint).await.unwrap();
        let mut next = events.next().await;
        while let MonitorEvent::Retrying { reason, .. } = &next {
            assert!(matches!(reason, DisconnectReason::Transport(_)), "{reason:?}");
            next = events.next().await;
        }
        assert_eq!(name(&next), "connected");
        assert_eq!(events.names(1).await, ["ready"]);
    }
}

#[tokio::test]
async fn types_that_do_not_fit_are_told_on_both_sides_and_dialled_slowly() {
    for transport in Transport::STREAMS {
        let (rep, push) = (RepSocket::new(), PushSocket::with_options(quick()));
        let (mut here, mut there) = (Events::from(rep.monitor()), Events::from(push.monitor()));
        push.connect(rep.bind(transport.any()).await.unwrap()).unwrap();
        for (events, ours, theirs) in [
            (&mut here, SocketType::Rep, SocketType::Push),
            (&mut there, SocketType::Push, SocketType::Rep),
        ] {
            let reason = events.handshake_failed().await;
            let DisconnectReason::Fault(fault) = &reason else { panic!("{reason:?}") };
            let incompatible = PeerFault::IncompatibleSocketType { ours, theirs };
            let refused = matches!(fault, PeerFault::RefusedUs { .. });
            assert!(*fault == incompatible || refused, "{transport:?}: {fault}");
        }
        let (reason, delay) = there.retrying().await;
        assert!(matches!(reason, DisconnectReason::Fault(_)), "{reason:?}");
        assert!(delay >= Duration::from_secs(1), "{delay:?}");
    }
}

#[tokio::test]
async fn inproc_refuses_types_that_do_not_fit_at_once() {
    let (rep, push) = (RepSocket::new(), PushSocket::new());
    let endpoint = rep.bind(Transport::Inproc.any()).await.unwrap();
    let error = push.connect(&endpoint).unwrap_err();
    let shown = format!("a PUSH socket cannot talk to the REP socket at {endpoint}");
    assert_eq!(error.to_string(), shown);
    // Nothing is left behind.
    assert!(push.try_send("nobody").unwrap_err().is_would_block());
}

#[tokio::test]
async fn a_connection_that_ends_with_its_listener_is_closed_by_us() {
    let pull = PullSocket::new();
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut silent = raw::connect(&endpoint).await;
    assert_eq!(events.names(2).await, ["listening", "accepted"]);
    within(pull.unbind(&endpoint)).await.unwrap();
    assert!(matches!(events.handshake_failed().await, DisconnectReason::ByUs));
    raw::read_to_end(&mut silent).await;
}

#[tokio::test]
async fn pair_turns_a_second_peer_away_and_keeps_the_first() {
    for transport in Transport::STREAMS {
        let (bound, first, second) =
            (PairSocket::new(), PairSocket::new(), PairSocket::with_options(quick()));
        let mut events = Events::from(bound.monitor());
        let endpoint = bound.bind(transport.any()).await.unwrap();
        first.connect(&endpoint).unwrap();
        events.ready().await;
        second.connect(&endpoint).unwrap();
        let reason = events.handshake_failed().await;
        assert!(matches!(reason, DisconnectReason::TurnedAway(_)), "{reason:?}");
        within(bound.send("for the first")).await.unwrap();
        assert_eq!(within(first.recv()).await.unwrap(), "for the first".into());
        // Once the first has left, the second gets in.
        let _ = within(first.close()).await;
        within(bound.send("for the second")).await.unwrap();
        assert_eq!(within(second.recv()).await.unwrap(), "for the second".into());
    }
}

#[tokio::test]
async fn inproc_pair_refuses_a_second_peer() {
    let (bound, first, second) = (PairSocket::new(), PairSocket::new(), PairSocket::new());
    let endpoint = bound.bind(Transport::Inproc.any()).await.unwrap();
    first.connect(&endpoint).unwrap();
    assert!(matches!(second.connect(&endpoint), Err(ferromq::ConnectError::AlreadyPaired)));
    within(first.send("still here")).await.unwrap();
    assert_eq!(within(bound.recv()).await.unwrap(), "still here".into());
    let _ = within(first.close()).await;
    second.connect(&endpoint).unwrap();
    within(second.send("my turn")).await.unwrap();
    assert_eq!(within(bound.recv()).await.unwrap(), "my turn".into());
}

#[tokio::test]
async fn a_silent_peer_is_given_up_by_the_heartbeat_and_dialled_again() {
    let options = quick()
        .heartbeat_interval(Duration::from_millis(40))
        .heartbeat_timeout(Duration::from_millis(40));
    let dealer = DealerSocket::with_options(options);
    let mut events = Events::from(dealer.monitor());
    let (listener, endpoint) = raw::listener().await;
    dealer.connect(&endpoint).unwrap();
    let mut silent = raw::accept(&listener).await;
    raw::shake_hands(&mut silent, raw::READY_DEALER).await;
    let since = Instant::now();
    events.ready().await;
    assert!(matches!(events.disconnected().await, DisconnectReason::HeartbeatTimeout));
    assert!(since.elapsed() >= Duration::from_millis(75), "{:?}", since.elapsed());
    let octets = raw::read_to_end(&mut silent).await;
    assert!(octets.windows(4).any(|octets| octets == b"PING"), "{octets:?}");
    // What the next connection brings is received, whatever the last one left.
    let mut next = raw::accept(&listener).await;
    raw::shake_hands(&mut next, raw::READY_DEALER).await;
    within(next.write_all(b"\0\x05hello")).await.unwrap();
    assert_eq!(within(dealer.recv()).await.unwrap(), "hello".into());
}

#[tokio::test]
async fn an_accepted_peer_that_is_silent_is_given_up_too() {
    let options = SocketOptions::new().heartbeat_interval(Duration::from_millis(40));
    let pull = PullSocket::with_options(options);
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut silent = raw::connect(&endpoint).await;
    raw::shake_hands(&mut silent, raw::READY_PUSH).await;
    within(silent.write_all(b"\0\x05hello")).await.unwrap();
    assert!(matches!(events.disconnected().await, DisconnectReason::HeartbeatTimeout));
    raw::read_to_end(&mut silent).await;
    // What it said before stays readable.
    assert_eq!(within(pull.recv()).await.unwrap(), "hello".into());
}

#[tokio::test]
async fn two_sockets_with_heartbeats_stay_together() {
    // Often, but patiently: both live on one busy thread.
    let options = || {
        quick()
            .heartbeat_interval(Duration::from_millis(20))
            .heartbeat_timeout(Duration::from_secs(5))
    };
    let (one, other) =
        (DealerSocket::with_options(options()), DealerSocket::with_options(options()));
    let mut events = Events::from(one.monitor());
    one.connect(other.bind("tcp://127.0.0.1:0").await.unwrap()).unwrap();
    events.ready().await;
    // Ten heartbeats without traffic: this is what is tested, nothing settles.
    let quiet = tokio::time::timeout(Duration::from_millis(200), events.disconnected()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    within(one.send("there")).await.unwrap();
    assert_eq!(within(other.recv()).await.unwrap(), "there".into());
}

/// As a stream, by trying, and after a wait that was given up: each event comes once.
#[tokio::test]
async fn events_come_in_each_way_and_once() {
    let pull = PullSocket::new();
    let mut monitor = pull.monitor();
    assert_eq!(monitor.try_recv().unwrap_err(), RecvError::WouldBlock);
    let given_up = tokio::time::timeout(Duration::from_millis(10), monitor.recv()).await;
    assert!(given_up.is_err());
    let endpoints = [
        pull.bind("tcp://127.0.0.1:*").await.unwrap(),
        pull.bind("tcp://127.0.0.1:*").await.unwrap(),
        pull.bind("tcp://127.0.0.1:*").await.unwrap(),
    ];
    let first = monitor.try_recv().unwrap();
    let second = poll_fn(|cx| Pin::new(&mut monitor).poll_next(cx)).await.unwrap();
    let third = within(monitor.recv()).await.unwrap();
    for (event, endpoint) in [first, second, third].iter().zip(&endpoints) {
        assert_eq!(event.to_string(), format!("{endpoint}: listening"));
    }
    within(pull.close()).await;
    drop(pull);
    for endpoint in &endpoints {
        let event = within(monitor.recv()).await.unwrap();
        assert_eq!(event.to_string(), format!("{endpoint}: closed"));
    }
    assert!(within(monitor.recv()).await.is_none());
    assert_eq!(monitor.try_recv().unwrap_err(), RecvError::Closed);
}
