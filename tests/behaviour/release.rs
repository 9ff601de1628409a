//! Unbinding and disconnecting.

use ferromq::{
    ConnectError, DealerSocket, DisconnectReason, DropCause, Endpoint, PairSocket, PullSocket,
    PushSocket, ReleaseError, ReqSocket, SocketOptions,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::events::Events;
use crate::common::{Transport, quick, raw, temporary, within};

#[tokio::test]
async fn unbind_frees_the_address_and_ends_its_connections() {
    for transport in Transport::ALL {
        let (push, pull) = (PushSocket::new(), PullSocket::with_options(quick()));
        let mut pushed = Events::from(push.monitor());
        let endpoint = push.bind(transport.known()).await.unwrap();
        pull.connect(&endpoint).unwrap();
        pushed.ready().await;
        within(push.unbind(&endpoint)).await.unwrap();
        // test_term_endpoint: nobody is left to send to.
        let error = push.try_send("late").unwrap_err();
        assert!(error.is_would_block(), "{transport:?}");

        let other = PushSocket::new();
        other.bind(&endpoint).await.unwrap_or_else(|error| panic!("{transport:?}: {error}"));
        if transport != Transport::Inproc {
            within(other.send("from the next")).await.unwrap();
            assert_eq!(within(pull.recv()).await.unwrap(), "from the next".into());
        }
    }
}

#[tokio::test]
async fn unbind_says_that_it_was_us() {
    for transport in Transport::ALL {
        let (push, pull) = (PushSocket::new(), PullSocket::new());
        let mut events = Events::from(push.monitor());
        let endpoint = push.bind(transport.any()).await.unwrap();
        pull.connect(&endpoint).unwrap();
        events.ready().await;
        within(push.unbind(&endpoint)).await.unwrap();
        let reason = events.disconnected().await;
        assert!(matches!(reason, DisconnectReason::ByUs), "{transport:?}: {reason:?}");
    }
}

#[tokio::test]
async fn unbind_leaves_the_other_endpoints_alone() {
    let (dealer, one, other) = (DealerSocket::new(), DealerSocket::new(), DealerSocket::new());
    let mut events = Events::from(dealer.monitor());
    let first = dealer.bind("tcp://127.0.0.1:0").await.unwrap();
    let second = dealer.bind("tcp://127.0.0.1:0").await.unwrap();
    one.connect(&first).unwrap();
    other.connect(&second).unwrap();
    events.all_ready(2).await;
    within(dealer.unbind(&first)).await.unwrap();
    for body in ["a", "b"] {
        within(dealer.send(body)).await.unwrap();
        assert_eq!(within(other.recv()).await.unwrap(), body.into());
    }
}

#[tokio::test]
async fn disconnect_ends_the_connection_and_discards_what_was_not_received() {
    for transport in Transport::ALL {
        let (pull, push) = (PullSocket::new(), PushSocket::new());
        let mut pushed = Events::from(push.monitor());
        let endpoint = push.bind(transport.any()).await.unwrap();
        pull.connect(&endpoint).unwrap();
        pushed.ready().await;
        within(push.send("unread")).await.unwrap();
        pull.disconnect(&endpoint).unwrap();
        assert!(pull.try_recv().unwrap_err().is_would_block(), "{transport:?}");
        assert!(matches!(pushed.disconnected().await, DisconnectReason::PeerClosed));
        // The peer has nobody to send to, and this socket may come back.
        assert!(push.try_send("nobody").unwrap_err().is_would_block(), "{transport:?}");
        pull.connect(&endpoint).unwrap();
        within(push.send("again")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "again".into(), "{transport:?}");
    }
}

#[tokio::test]
async fn nothing_is_received_from_an_endpoint_that_lingers() {
    let (listener, endpoint) = raw::listener().await;
    let dealer = DealerSocket::new();
    dealer.connect(&endpoint).unwrap();
    let mut peer = raw::accept(&listener).await;
    raw::shake_hands(&mut peer, raw::READY_DEALER).await;
    // More than the system holds, so that it lingers.
    for _ in 0..64 {
        within(dealer.send(vec![0; 1 << 20])).await.unwrap();
    }
    dealer.disconnect(&endpoint).unwrap();
    within(peer.write_all(b"\0\x04late")).await.unwrap();
    within(async {
        while dealer.dropped(DropCause::Unread) == 0 {
            assert!(dealer.try_recv().unwrap_err().is_would_block());
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn disconnect_delivers_what_was_sent_before() {
    for transport in Transport::ALL {
        let (pull, push) = (PullSocket::new(), PushSocket::new());
        let endpoint = pull.bind(transport.any()).await.unwrap();
        push.connect(&endpoint).unwrap();
        for number in 0..500 {
            within(push.send(number.to_string())).await.unwrap();
        }
        push.disconnect(&endpoint).unwrap();
        assert!(push.try_send("late").unwrap_err().is_would_block(), "{transport:?}");
        for number in 0..500 {
            let message = within(pull.recv()).await.unwrap();
            assert_eq!(message, number.to_string().into(), "{transport:?}");
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_nobody_answered_is_wholly_given_up_by_disconnect() {
    for transport in Transport::ALL {
        // PAIR has room for one peer: whatever is left over would take it.
        let pair = PairSocket::new();
        let never = transport.known();
        pair.connect(&never).unwrap();
        pair.disconnect(&never).unwrap();
        let other = PairSocket::new();
        let endpoint = other.bind(transport.any()).await.unwrap();
        within(async {
            // The former endpoint's task may take a moment to end.
            while let Err(ConnectError::AlreadyPaired) = pair.connect(&endpoint) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        within(pair.send("hello")).await.unwrap();
        assert_eq!(within(other.recv()).await.unwrap(), "hello".into(), "{transport:?}");
    }
}

#[tokio::test]
async fn req_learns_that_the_endpoint_it_asked_was_disconnected() {
    for transport in Transport::ALL {
        let req = ReqSocket::with_options(SocketOptions::new().linger(zero()));
        let never = transport.known();
        req.connect(&never).unwrap();
        req.send("anybody?").await.unwrap();
        req.disconnect(&never).unwrap();
        let error = within(req.recv()).await.unwrap_err();
        assert_eq!(error, ferromq::RecvError::PeerLeft, "{transport:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_we_break_off_is_told() {
    // How far it had come does not matter.
    for heard in [0, 30, 64] {
        for close in [false, true] {
            let (listener, endpoint) = raw::listener().await;
            let dealer = DealerSocket::with_options(quick().linger(zero()));
            let mut events = Events::from(dealer.monitor());
            dealer.connect(&endpoint).unwrap();
            let mut peer = raw::accept(&listener).await;
            within(peer.write_all(&raw::GREETING[..heard])).await.unwrap();
            within(peer.read_exact(&mut [0; 11])).await.unwrap();
            if close {
                let _ = within(dealer.close()).await;
            } else {
                dealer.disconnect(&endpoint).unwrap();
            }
            assert_eq!(
                events.names(2).await,
                ["connected", "handshake failed: by us"],
                "{heard} octets, close: {close}"
            );
            raw::read_to_end(&mut peer).await;
        }
    }
}

#[tokio::test]
async fn a_handshake_that_unbind_breaks_off_is_told() {
    for heard in [0, 30, 64] {
        for close in [false, true] {
            let dealer = DealerSocket::with_options(quick().linger(zero()));
            let mut events = Events::from(dealer.monitor());
            let endpoint = dealer.bind("tcp://127.0.0.1:0").await.unwrap();
            let mut peer = raw::connect(&endpoint).await;
            within(peer.write_all(&raw::GREETING[..heard])).await.unwrap();
            within(peer.read_exact(&mut [0; 11])).await.unwrap();
            if close {
                let _ = within(dealer.close()).await;
            } else {
                within(dealer.unbind(&endpoint)).await.unwrap();
            }
            let mut names = events.names(4).await;
            // The listener and the handshake end each for itself.
            names[2..].sort();
            assert_eq!(
                names,
                ["listening", "accepted", "closed", "handshake failed: by us"],
                "{heard} octets, close: {close}"
            );
            raw::read_to_end(&mut peer).await;
        }
    }
}

fn zero() -> ferromq::Linger {
    ferromq::Linger::For(std::time::Duration::ZERO)
}

#[tokio::test]
async fn unbind_finds_an_endpoint_as_it_was_given_and_as_it_was_resolved() {
    let pull = PullSocket::new();
    let interface = loopback_interface();
    // A relative path, which leads up from where the tests run.
    let depth = std::env::current_dir().unwrap().components().count() - 1;
    let path = format!("{}{}", "../".repeat(depth), temporary("sock").display());
    for form in [
        "tcp://localhost:PORT",
        "tcp://*:PORT",
        "tcp://INTERFACE:PORT",
        "tcp://[::ffff:127.0.0.1]:PORT",
        "ipc://PATH",
        "inproc://as-it-was-given",
    ] {
        let form = form.replace("INTERFACE", &interface).replace("PATH", &path);
        for as_given in [true, false] {
            let (given, resolved) = bind_somewhere(&pull, &form).await;
            let text = if as_given { given.clone() } else { resolved.to_string() };
            within(pull.unbind(&*text)).await.unwrap_or_else(|error| panic!("{given}: {error}"));
            for gone in [&given, &text] {
                let error = within(pull.unbind(&**gone)).await.unwrap_err();
                assert!(matches!(error, ReleaseError::NotFound { .. }), "{gone}: {error:?}");
            }
        }
    }
}

/// Binds an endpoint of this form on a port that was free a moment ago: once
/// more if it no longer is.
async fn bind_somewhere(socket: &PullSocket, form: &str) -> (String, Endpoint) {
    let mut last = None;
    for _ in 0..10 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let given = form.replace("PORT", &port.to_string());
        match within(socket.bind(&*given)).await {
            Ok(resolved) => return (given, resolved),
            Err(error) => last = Some(error),
        }
    }
    panic!("{form}: {last:?}")
}

/// The name of the interface that has 127.0.0.1.
fn loopback_interface() -> String {
    let all = if_addrs::get_if_addrs().unwrap();
    all.into_iter().find(|i| i.is_loopback() && i.ip().is_ipv4()).unwrap().name
}

#[tokio::test]
async fn disconnect_finds_an_endpoint_as_it_was_given() {
    let pull = PullSocket::new();
    for given in [
        "tcp://localhost:1",
        "tcp://nowhere.invalid:1",
        "tcp://*:0;localhost:1",
        "ipc://not/there",
        "inproc://not-there",
    ] {
        pull.connect(given).unwrap();
        pull.disconnect(given).unwrap_or_else(|error| panic!("{given}: {error}"));
        let error = pull.disconnect(given).unwrap_err();
        assert!(matches!(error, ReleaseError::NotFound { .. }), "{given}: {error:?}");
    }
}

#[tokio::test]
async fn a_bind_and_a_connect_of_the_same_text_are_two_things() {
    let pull = PullSocket::new();
    let (given, _) = bind_somewhere(&pull, "tcp://localhost:PORT").await;
    pull.connect(&*given).unwrap();
    within(pull.unbind(&*given)).await.unwrap();
    assert!(within(pull.unbind(&*given)).await.is_err());
    pull.disconnect(&*given).unwrap();
    assert!(pull.disconnect(&*given).is_err());
}

#[tokio::test]
async fn what_was_not_bound_or_connected_is_not_found() {
    let pull = PullSocket::new();
    // test_unbind_wildcard: the resolved endpoint it is, not the wildcard.
    for wildcard in ["tcp://127.0.0.1:*", "tcp://*:*", "ipc://*"] {
        let resolved = pull.bind(wildcard).await.unwrap();
        let error = within(pull.unbind(wildcard)).await.unwrap_err();
        assert!(matches!(error, ReleaseError::NotFound { .. }), "{wildcard}: {error:?}");
        assert!(matches!(pull.disconnect(&resolved), Err(ReleaseError::NotFound { .. })));
        within(pull.unbind(&resolved)).await.unwrap();
        let error = within(pull.unbind(&resolved)).await.unwrap_err();
        assert!(error.to_string().contains(&resolved.to_string()), "{error}");
    }
    let error = pull.disconnect("inproc://never").unwrap_err();
    assert!(matches!(error, ReleaseError::NotFound { .. }));
}
