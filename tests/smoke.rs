//! Tmp smoke test.
#![allow(clippy::unwrap_used)]
use ferromq::*;
use std::time::Duration;

async fn within<F: Future>(f: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(5), f).await.expect("too slow")
}

#[tokio::test]
async fn push_pull_tcp() {
    let pull = PullSocket::new();
    let ep = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let push = PushSocket::new();
    push.connect(&ep).unwrap();
    for i in 0..10_000u32 {
        within(push.send(i.to_string())).await.unwrap();
        if i % 100 == 99 {
            for j in i - 99..=i {
                assert_eq!(within(pull.recv()).await.unwrap(), j.to_string().into());
            }
        }
    }
    assert_eq!(within(push.close()).await.undelivered, 0);
    let _ = within(pull.close()).await;
}

#[tokio::test]
async fn push_pull_stream() {
    let pull = PullSocket::new();
    let ep = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let t = tokio::spawn(async move {
        let push = PushSocket::new();
        push.connect(&ep).unwrap();
        for i in 0..100_000u32 {
            push.send(i.to_string()).await.unwrap();
        }
        within(push.close()).await
    });
    for i in 0..100_000u32 {
        assert_eq!(within(pull.recv()).await.unwrap(), i.to_string().into());
    }
    assert_eq!(t.await.unwrap().undelivered, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn push_pull_stream_mt() {
    let pull = PullSocket::new();
    let ep = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let t = tokio::spawn(async move {
        let push = PushSocket::new();
        push.connect(&ep).unwrap();
        for i in 0..100_000u32 {
            push.send(i.to_string()).await.unwrap();
        }
        within(push.close()).await
    });
    for i in 0..100_000u32 {
        assert_eq!(within(pull.recv()).await.unwrap(), i.to_string().into());
    }
    assert_eq!(t.await.unwrap().undelivered, 0);
}

#[tokio::test]
async fn req_rep() {
    for ep in ["tcp://127.0.0.1:*", "ipc://*", "inproc://rr"] {
        let rep = RepSocket::new();
        let ep = rep.bind(ep).await.unwrap();
        let req = ReqSocket::new();
        req.connect(&ep).unwrap();
        for _ in 0..100 {
            within(req.send("hi")).await.unwrap();
            assert_eq!(within(rep.recv()).await.unwrap(), "hi".into());
            within(rep.send("yo")).await.unwrap();
            assert_eq!(within(req.recv()).await.unwrap(), "yo".into());
        }
        let _ = within(req.close()).await;
        let _ = within(rep.close()).await;
    }
}

#[tokio::test]
async fn pub_sub() {
    for ep in ["tcp://127.0.0.1:*", "ipc://*", "inproc://ps"] {
        let p = XPubSocket::new();
        let ep = p.bind(ep).await.unwrap();
        let sub = SubSocket::new();
        sub.subscribe("a");
        sub.connect(&ep).unwrap();
        assert_eq!(within(p.recv()).await.unwrap(), "\u{1}a".into());
        for i in 0..100 {
            within(p.send(["b", "x"])).await.unwrap();
            within(p.send(["a".to_string(), i.to_string()])).await.unwrap();
            assert_eq!(within(sub.recv()).await.unwrap()[1], i.to_string());
        }
        let _ = within(sub.close()).await;
        assert_eq!(within(p.recv()).await.unwrap(), "\u{0}a".into());
        let _ = within(p.close()).await;
    }
}

#[tokio::test]
async fn router_dealer_big() {
    let r = RouterSocket::new();
    let ep = r.bind("tcp://127.0.0.1:*").await.unwrap();
    let d =
        DealerSocket::with_options(SocketOptions::new().routing_id(RoutingId::new("me").unwrap()));
    d.connect(&ep).unwrap();
    let big = vec![7u8; 8 << 20];
    within(d.send(big.clone())).await.unwrap();
    let (id, m) = within(r.recv()).await.unwrap();
    assert_eq!(m[0].len(), big.len());
    within(r.send_to(&id, m)).await.unwrap();
    assert_eq!(within(d.recv()).await.unwrap()[0], big);
}
