//! Closing while others use the socket, and what a socket is to the compiler.

use ferromq::{
    BindError, ConnectError, DealerSocket, Linger, PairSocket, PubSocket, PullSocket, PushSocket,
    RecvError, RepSocket, ReqSocket, RouterSocket, SendErrorKind, SocketOptions, SubSocket,
    XPubSocket, XSubSocket,
};

use crate::common::{DEADLINE, Transport, within};

/// Every type can be shared between threads, and cloned.
#[test]
fn sockets_are_send_sync_and_clone() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    shared::<ReqSocket>();
    shared::<RepSocket>();
    shared::<DealerSocket>();
    shared::<RouterSocket>();
    shared::<PushSocket>();
    shared::<PullSocket>();
    shared::<PairSocket>();
    shared::<PubSocket>();
    shared::<SubSocket>();
    shared::<XPubSocket>();
    shared::<XSubSocket>();
}

/// And so can the futures of their calls.
#[test]
fn futures_are_send() {
    fn sent<T: Send>(_: T) {}
    let socket = DealerSocket::new();
    sent(socket.send("m"));
    sent(socket.recv());
    sent(socket.bind("tcp://127.0.0.1:0"));
    sent(socket.unbind("tcp://127.0.0.1:1"));
    sent(socket.close());
}

#[tokio::test]
async fn close_wakes_all_who_wait_to_send() {
    for transport in Transport::ALL {
        let push = PushSocket::with_options(
            ferromq::SocketOptions::new()
                .send_hwm(1)
                .linger(ferromq::Linger::For(std::time::Duration::ZERO)),
        );
        push.connect(transport.known()).unwrap();
        while push.try_send("fill").is_ok() {}
        let mut waiting = Vec::new();
        for number in 0..3 {
            let push = push.clone();
            waiting.push(tokio::spawn(async move { push.send(number.to_string()).await }));
        }
        tokio::task::yield_now().await;
        let _ = within(push.close()).await;
        for (number, task) in waiting.into_iter().enumerate() {
            let error = within(task).await.unwrap().unwrap_err();
            assert_eq!(error.kind(), SendErrorKind::Closed);
            // Nothing is lost with an error.
            assert_eq!(error.into_message(), number.to_string().into(), "{transport:?}");
        }
    }
}

#[tokio::test]
async fn close_wakes_all_who_wait_to_receive() {
    for transport in Transport::ALL {
        let pull = PullSocket::new();
        pull.bind(transport.any()).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..3 {
            let pull = pull.clone();
            waiting.push(tokio::spawn(async move { pull.recv().await }));
        }
        tokio::task::yield_now().await;
        let _ = within(pull.close()).await;
        for task in waiting {
            let error = within(task).await.unwrap().unwrap_err();
            assert_eq!(error, RecvError::Closed, "{transport:?}");
        }
    }
}

#[tokio::test]
async fn a_closed_socket_says_so() {
    let dealer = DealerSocket::new();
    let clone = dealer.clone();
    dealer.bind("tcp://127.0.0.1:0").await.unwrap();
    let _ = within(dealer.close()).await;
    // For all its clones.
    assert_eq!(within(clone.recv()).await.unwrap_err(), RecvError::Closed);
    assert_eq!(clone.try_recv().unwrap_err(), RecvError::Closed);
    let error = within(clone.send("late")).await.unwrap_err();
    assert_eq!((error.kind(), error.into_message()), (SendErrorKind::Closed, "late".into()));
    for transport in Transport::ALL {
        let error = clone.bind(transport.any()).await.unwrap_err();
        assert!(matches!(error, BindError::Closed), "{transport:?}");
        let error = clone.connect(transport.known()).unwrap_err();
        assert!(matches!(error, ConnectError::Closed), "{transport:?}");
    }
    // And again is no harm.
    assert_eq!(within(clone.close()).await.undelivered, 0);
}

#[tokio::test]
async fn clones_share_one_socket() {
    let (push, pull) = (PushSocket::new(), PullSocket::new());
    let twin = pull.clone();
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    push.connect(&endpoint).unwrap();
    push.clone().send("one").await.unwrap();
    push.send("two").await.unwrap();
    assert_eq!(within(twin.recv()).await.unwrap(), "one".into());
    assert_eq!(within(pull.recv()).await.unwrap(), "two".into());
    within(twin.unbind(&endpoint)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_in_the_middle_of_traffic_ends_everything() {
    for transport in Transport::ALL {
        for _ in 0..20 {
            // The one that dials would wait for the other to come back, for ever.
            let options = SocketOptions::new().linger(Linger::For(DEADLINE / 4));
            let [one, other] = [(); 2].map(|()| DealerSocket::with_options(options.clone()));
            one.connect(other.bind(transport.any()).await.unwrap()).unwrap();
            let mut tasks = Vec::new();
            for socket in [&one, &other] {
                for _ in 0..2 {
                    let (sender, receiver) = (socket.clone(), socket.clone());
                    tasks
                        .push(tokio::spawn(async move { while sender.send("m").await.is_ok() {} }));
                    tasks.push(tokio::spawn(async move { while receiver.recv().await.is_ok() {} }));
                }
            }
            within(one.recv()).await.unwrap();
            // Of the two ends one lingers for what the other no longer takes.
            let (_, _) = tokio::join!(within(one.close()), within(other.close()));
            for task in tasks {
                within(task).await.unwrap();
            }
        }
    }
}

/// Each has more to send than the other will ever receive; neither may wait for
/// the other to read. One of them may still leave before it has taken all of the
/// other's, which then lingers for it.
#[tokio::test]
async fn two_that_close_with_full_queues_do_not_wait_for_each_other() {
    for transport in Transport::STREAMS {
        let options = SocketOptions::new().send_hwm(200).linger(Linger::For(DEADLINE / 2));
        let [one, other] = [(); 2].map(|()| DealerSocket::with_options(options.clone()));
        one.connect(other.bind(transport.any()).await.unwrap()).unwrap();
        one.send("up").await.unwrap();
        within(other.recv()).await.unwrap();
        let big = vec![0; 64 * 1024];
        for socket in [&one, &other] {
            while socket.try_send(big.clone()).is_ok() {}
        }
        let (one, other) = tokio::join!(within(one.close()), within(other.close()));
        assert!(one.undelivered == 0 || other.undelivered == 0, "{one:?} {other:?}");
    }
}
