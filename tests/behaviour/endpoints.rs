//! Binding, connecting, and taking both back.

use ferromq::{
    BindError, ConnectError, Context, DealerSocket, PairSocket, PullSocket, PushSocket,
    SocketOptions,
};

use crate::common::events::Events;
use crate::common::{Transport, isolated, quick, temporary, unique, within};

#[tokio::test]
async fn bind_returns_the_resolved_endpoint() {
    for given in ["tcp://127.0.0.1:0", "tcp://127.0.0.1:*", "tcp://*:*", "tcp://*:0"] {
        let pull = PullSocket::new();
        let resolved = pull.bind(given).await.unwrap();
        assert_ne!(resolved.port(), Some(0), "{given}");
        let shown = resolved.to_string();
        let host = if given.starts_with("tcp://*") { "tcp://0.0.0.0:" } else { "tcp://127.0.0.1:" };
        assert!(shown.starts_with(host), "{given} became {shown}");
        // It is a good endpoint to connect to, if the host is.
        let to = format!("tcp://127.0.0.1:{}", resolved.port().unwrap());
        pass(&to, &pull).await;
    }
}

#[tokio::test]
async fn bind_returns_the_path_of_an_ipc_wildcard() {
    let (one, other) = (PullSocket::new(), PullSocket::new());
    let first = one.bind("ipc://*").await.unwrap();
    let second = other.bind("ipc://*").await.unwrap();
    assert_ne!(first, second);
    assert!(first.path().unwrap().exists());
    pass(&first.to_string(), &one).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn abstract_ipc_names_leave_no_file() {
    let name = format!("ipc://@behaviour-{}-{}", std::process::id(), unique());
    let pull = PullSocket::new();
    let endpoint = pull.bind(&*name).await.unwrap();
    assert_eq!(endpoint.to_string(), name);
    assert_eq!(endpoint.path(), None);
    pass(&name, &pull).await;
}

/// One message from a new PUSH to this PULL.
async fn pass(to: &str, pull: &PullSocket) {
    let push = PushSocket::new();
    push.connect(to).unwrap();
    within(push.send("passed")).await.unwrap();
    assert_eq!(within(pull.recv()).await.unwrap(), "passed".into());
    assert_eq!(within(push.close()).await.undelivered, 0);
}

#[tokio::test]
async fn connect_before_bind_works_everywhere() {
    for transport in Transport::ALL {
        let endpoint = transport.known();
        let push = PushSocket::with_options(quick());
        let mut events = Events::from(push.monitor());
        push.connect(&endpoint).unwrap();
        push.send("early").await.unwrap();
        if transport != Transport::Inproc {
            events.retrying().await;
        }
        let pull = PullSocket::new();
        assert_eq!(pull.bind(&endpoint).await.unwrap(), endpoint);
        assert_eq!(within(pull.recv()).await.unwrap(), "early".into(), "{transport:?}");
    }
}

#[tokio::test]
async fn one_socket_binds_and_connects_as_it_likes() {
    let dealer = DealerSocket::new();
    let mut events = Events::from(dealer.monitor());
    let mut others = Vec::new();
    for transport in Transport::ALL.into_iter().cycle().take(6) {
        let other = DealerSocket::with_options(quick());
        other.connect(dealer.bind(transport.any()).await.unwrap()).unwrap();
        others.push(other);
        let other = DealerSocket::new();
        dealer.connect(other.bind(transport.any()).await.unwrap()).unwrap();
        others.push(other);
    }
    events.all_ready(others.len()).await;
    for number in 0..others.len() {
        within(dealer.send(number.to_string())).await.unwrap();
    }
    let mut seen = Vec::new();
    for other in &others {
        // In turn: each peer has exactly one.
        let message = within(other.recv()).await.unwrap();
        assert!(other.try_recv().is_err());
        seen.push(String::from_utf8(message[0].to_vec()).unwrap().parse::<usize>().unwrap());
        within(other.send("back")).await.unwrap();
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..others.len()).collect::<Vec<_>>());
    for _ in &others {
        assert_eq!(within(dealer.recv()).await.unwrap(), "back".into());
    }
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    for transport in Transport::ALL {
        let (first, second) = (PullSocket::new(), PullSocket::new());
        let endpoint = first.bind(transport.any()).await.unwrap();
        for socket in [&first, &second] {
            let error = socket.bind(&endpoint).await.unwrap_err();
            assert!(matches!(&error, BindError::AddressInUse { endpoint: e } if *e == endpoint));
            assert_eq!(error.to_string(), format!("{endpoint} is in use"));
        }
        // The first still has it.
        pass(&endpoint.to_string(), &first).await;
    }
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_not_robbed() {
    let path = temporary("file");
    std::fs::write(&path, "precious").unwrap();
    let error = PullSocket::new().bind(&*path).await.unwrap_err();
    assert!(matches!(error, BindError::NotASocket { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn errors_show_the_corrected_form() {
    let pull = PullSocket::new();
    let error = pull.bind("127.0.0.1:5555").await.unwrap_err();
    assert!(error.to_string().contains("did you mean tcp://127.0.0.1:5555?"), "{error}");
    let error = pull.connect("/tmp/feed").unwrap_err();
    assert!(error.to_string().contains("did you mean ipc:///tmp/feed?"), "{error}");
    for (wrong, fault) in
        [("tcp://*:5555", "for bind"), ("tcp://localhost:*", "for bind"), ("ipc://*", "for bind")]
    {
        let error = pull.connect(wrong).unwrap_err();
        assert!(matches!(error, ConnectError::Endpoint(_)));
        assert!(error.to_string().contains(fault), "{error}");
    }
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let pull = PullSocket::new();
    for transport in Transport::ALL {
        let error = now(pull.bind(transport.any())).unwrap_err();
        assert!(matches!(error, BindError::NoRuntime), "{transport:?}");
        assert_eq!(error.to_string(), "bind must be called within a tokio runtime");
        let error = pull.connect(transport.known()).unwrap_err();
        assert!(matches!(error, ConnectError::NoRuntime), "{transport:?}");
    }
    assert!(pull.try_recv().unwrap_err().is_would_block());
    assert_eq!(now(pull.close()).undelivered, 0);
}

#[test]
fn in_a_runtime_without_drivers_there_is_an_error_and_no_panic() {
    use tokio::runtime::Builder;
    let with = |enable: fn(&mut Builder) -> &mut Builder| {
        enable(Builder::new_multi_thread().worker_threads(1)).build().unwrap()
    };
    for runtime in [with(|none| none), with(Builder::enable_time), with(Builder::enable_io)] {
        runtime.block_on(async {
            let (pull, push) = (PullSocket::new(), PushSocket::new());
            for transport in Transport::STREAMS {
                let at = transport.known();
                let error = now(pull.bind(&at)).unwrap_err();
                assert!(matches!(error, BindError::NoDrivers), "{transport:?}: {error}");
                assert!(error.to_string().contains("enable_all"), "{error}");
                let error = push.connect(&at).unwrap_err();
                assert!(matches!(error, ConnectError::NoDrivers), "{transport:?}: {error}");
                assert!(error.to_string().contains("enable_all"), "{error}");
                // Nothing is left behind.
                assert!(at.path().is_none_or(|path| !path.exists()));
                assert!(now(pull.unbind(&at)).is_err() && push.disconnect(&at).is_err());
            }
            // Within the process nothing is needed, and here nothing waits.
            let inproc = Transport::Inproc.any();
            now(pull.bind(&inproc)).unwrap();
            push.connect(&inproc).unwrap();
            now(push.send("without drivers")).unwrap();
            assert_eq!(now(pull.recv()).unwrap(), "without drivers".into());
            let _ = (now(push.close()), now(pull.close()));
        });
    }
}

/// The result of a future that does not wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut cx) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

#[tokio::test]
async fn contexts_are_isolated() {
    let (one, other) = (isolated(), isolated());
    let make = |context: &Context| PairSocket::new_in(context, SocketOptions::new());
    let [a, b, c, d] = [make(&one), make(&one), make(&other), make(&other)];
    // The same name, bound twice: in different contexts it is not the same.
    a.bind("inproc://shared").await.unwrap();
    c.bind("inproc://shared").await.unwrap();
    b.connect("inproc://shared").unwrap();
    d.connect("inproc://shared").unwrap();
    b.send("one").await.unwrap();
    d.send("other").await.unwrap();
    assert_eq!(within(a.recv()).await.unwrap(), "one".into());
    assert_eq!(within(c.recv()).await.unwrap(), "other".into());
}

#[tokio::test]
async fn the_context_waits_until_all_is_delivered() {
    for transport in Transport::ALL {
        let context = isolated();
        let make = SocketOptions::new;
        let pull = PullSocket::new_in(&context, make());
        let push = PushSocket::new_in(&context, make().send_hwm(0));
        let endpoint = pull.bind(transport.any()).await.unwrap();
        push.connect(&endpoint).unwrap();
        let mut closed = Box::pin(context.wait_closed());
        assert!(is_pending(&mut closed), "{transport:?}: two sockets are open");
        for number in 0..5000 {
            push.send(number.to_string()).await.unwrap();
        }
        drop(push);
        assert!(is_pending(&mut closed), "{transport:?}: a socket is open");
        for number in 0..5000 {
            assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
        }
        drop(pull);
        within(closed).await;
    }
}

fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut cx).is_pending()
}

#[tokio::test]
async fn a_second_connect_to_the_same_place_only_counts_for_some_types() {
    // libzmq: a no-op for REQ, DEALER, SUB and PUB, a second peer for others.
    let (router, dealer) = (ferromq::RouterSocket::new(), DealerSocket::new());
    let mut events = Events::from(router.monitor());
    let endpoint = router.bind("tcp://127.0.0.1:0").await.unwrap();
    dealer.connect(&endpoint).unwrap();
    dealer.connect(&endpoint).unwrap();
    for body in ["a", "b"] {
        within(dealer.send(body)).await.unwrap();
    }
    let first = within(router.recv()).await.unwrap().0;
    assert_eq!(within(router.recv()).await.unwrap().0, first);
    events.ready().await;

    let (pull, push) = (PullSocket::new(), PushSocket::new());
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    push.connect(&endpoint).unwrap();
    push.connect(&endpoint).unwrap();
    events.all_ready(2).await;
}
