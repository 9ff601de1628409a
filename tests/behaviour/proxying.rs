//! What forwards between two sockets.

use std::time::Duration;

use ferromq::{
    Context, Control, DealerSocket, Linger, PairSocket, Proxy, ProxyError, PubSocket, PullSocket,
    PushSocket, RepSocket, ReqSocket, RouterSocket, SocketOptions, SubSocket, XPubSocket,
    XSubSocket,
};
use tokio::task::JoinHandle;

use crate::common::{Transport, within};

fn start(proxy: Proxy) -> (Control, JoinHandle<Result<(), ProxyError>>) {
    (proxy.control(), tokio::spawn(proxy.run()))
}

fn small() -> SocketOptions {
    SocketOptions::new().send_hwm(2).recv_hwm(2).linger(Linger::For(Duration::ZERO))
}

#[tokio::test]
async fn a_queue_brings_replies_to_who_asked() {
    for transport in Transport::ALL {
        let context = Context::new();
        let clients = RouterSocket::new_in(&context, SocketOptions::new());
        let workers = DealerSocket::new_in(&context, SocketOptions::new());
        let front = clients.bind(transport.any()).await.unwrap();
        let back = workers.bind(transport.any()).await.unwrap();
        let (control, running) = start(Proxy::new(&clients, &workers));
        for _ in 0..2 {
            let rep = RepSocket::new_in(&context, SocketOptions::new());
            rep.connect(&back).unwrap();
            tokio::spawn(async move {
                while let Ok(asked) = rep.recv().await {
                    rep.send(asked).await.unwrap();
                }
            });
        }
        let asking: Vec<_> = (0..5)
            .map(|client| {
                let req = ReqSocket::new_in(&context, SocketOptions::new());
                req.connect(&front).unwrap();
                tokio::spawn(async move {
                    for number in 0..20 {
                        let question = (client.to_string(), number.to_string());
                        req.send(question.clone()).await.unwrap();
                        assert_eq!(req.recv().await.unwrap(), question.into());
                    }
                })
            })
            .collect();
        for client in asking {
            within(client).await.unwrap();
        }
        let stats = control.stats();
        assert_eq!((stats.to_backend, stats.to_frontend), (100, 100));
        control.stop();
        within(running).await.unwrap().unwrap();
        // The sockets are as they were.
        assert_eq!(clients.stats().traffic.messages_in, 100);
    }
}

#[tokio::test]
async fn a_forwarder_brings_subscriptions_one_way_and_messages_the_other() {
    for transport in Transport::ALL {
        let context = Context::new();
        let publisher = XPubSocket::new_in(&context, SocketOptions::new());
        let upstream = XSubSocket::new_in(&context, SocketOptions::new());
        let downstream = XPubSocket::new_in(&context, SocketOptions::new());
        upstream.connect(publisher.bind(transport.any()).await.unwrap()).unwrap();
        let back = downstream.bind(transport.any()).await.unwrap();
        let (_control, running) = start(Proxy::new(&upstream, &downstream));
        let sub = SubSocket::new_in(&context, SocketOptions::new());
        sub.connect(&back).unwrap();
        sub.subscribe("a").unwrap();
        within(publisher.wait_for_subscribers("a", 1)).await.unwrap();
        for message in ["b", "a"] {
            publisher.send(message).await.unwrap();
        }
        assert_eq!(within(sub.recv()).await.unwrap(), "a".into());
        // It ends with a socket.
        within(upstream.close()).await;
        within(running).await.unwrap().unwrap();
    }
}

/// Both of the other side are full, and this direction goes on.
#[tokio::test]
async fn directions_do_not_wait_for_each_other() {
    let context = Context::new();
    let pair = || PairSocket::new_in(&context, small());
    let (left, front, back, right) = (pair(), pair(), pair(), pair());
    left.connect(front.bind("inproc://left").await.unwrap()).unwrap();
    right.connect(back.bind("inproc://right").await.unwrap()).unwrap();
    let (control, _running) = start(Proxy::new(&front, &back));
    // Nobody receives at the right.
    let stuck = async {
        loop {
            left.send("stuck").await.unwrap();
        }
    };
    assert!(tokio::time::timeout(Duration::from_millis(50), stuck).await.is_err());
    for number in 0..100 {
        within(right.send(number.to_string())).await.unwrap();
        assert_eq!(within(left.recv()).await.unwrap(), number.to_string().into());
    }
    assert_eq!(control.stats().to_frontend, 100);
    let stopped = start(Proxy::new(&front, &back));
    stopped.0.stop();
    within(stopped.1).await.unwrap().unwrap();
}

#[tokio::test]
async fn it_pauses_resumes_and_copies() {
    let context = Context::new();
    let pull = PullSocket::new_in(&context, SocketOptions::new());
    let push = PushSocket::new_in(&context, SocketOptions::new());
    let spy = PubSocket::new_in(&context, SocketOptions::new());
    let copies = SubSocket::new_in(&context, SocketOptions::new());
    copies.subscribe("").unwrap();
    copies.connect(spy.bind("inproc://spy").await.unwrap()).unwrap();
    within(spy.wait_for_subscribers("", 1)).await.unwrap();
    let from = PushSocket::new_in(&context, SocketOptions::new());
    from.connect(pull.bind("inproc://front").await.unwrap()).unwrap();
    let to = PullSocket::new_in(&context, SocketOptions::new());
    to.connect(push.bind("inproc://back").await.unwrap()).unwrap();
    let (control, running) = start(Proxy::new(&pull, &push).capture(&spy));
    from.send(("1", "body")).await.unwrap();
    assert_eq!(within(to.recv()).await.unwrap(), ["1", "body"].into());
    assert_eq!(within(copies.recv()).await.unwrap(), ["1", "body"].into());
    control.pause();
    from.send("2").await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(50), to.recv()).await;
    assert!(waiting.is_err());
    control.resume();
    assert_eq!(within(to.recv()).await.unwrap(), "2".into());
    // What was stopped stays so.
    control.stop();
    control.resume();
    within(running).await.unwrap().unwrap();
    assert_eq!((control.stats().to_backend, control.stats().not_captured), (2, 0));
}

#[tokio::test]
async fn sockets_that_fit_in_no_direction_are_an_error() {
    let error = Proxy::new(&SubSocket::new(), &PullSocket::new()).run().await.unwrap_err();
    assert_eq!(error.to_string(), "a SUB and a PULL have nothing to forward");
    // A REQ has to send first.
    let error = Proxy::new(&ReqSocket::new(), &PushSocket::new()).run().await.unwrap_err();
    assert!(matches!(error, ProxyError::Recv { .. }), "{error}");
}
