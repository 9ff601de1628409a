//! Whole sockets in one process, over inproc and tcp.
//!
//! Beside other implementations and in two processes: see `benches/peers`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ferromq::{PullSocket, PushSocket, RepSocket, ReqSocket};
use tokio::runtime::{Builder, Runtime};

const ENDPOINTS: [(&str, &str); 2] =
    [("inproc", "inproc://end-to-end"), ("tcp", "tcp://127.0.0.1:0")];

const BODY: Bytes = Bytes::from_static(&[b'x'; 64]);

fn runtimes() -> [(&'static str, Runtime); 2] {
    let current = Builder::new_current_thread().enable_all().build();
    let multi = Builder::new_multi_thread().enable_all().build();
    [("ct", current.expect("a runtime")), ("mt", multi.expect("a runtime"))]
}

fn push_pull(c: &mut Criterion) {
    let mut group = c.benchmark_group("push_pull/64");
    group.throughput(Throughput::Elements(1));
    for (mode, runtime) in runtimes() {
        for (transport, endpoint) in ENDPOINTS {
            group.bench_function(BenchmarkId::new(transport, mode), |b| {
                b.to_async(&runtime).iter_custom(|count| async move {
                    tokio::spawn(push_and_pull(endpoint, count)).await.expect("no panic")
                });
            });
        }
    }
}

/// Sends and receives so many messages, in two tasks.
async fn push_and_pull(endpoint: &'static str, count: u64) -> Duration {
    let (push, pull) = (PushSocket::new(), PullSocket::new());
    let endpoint = pull.bind(endpoint).await.expect("bind");
    push.connect(endpoint).expect("connect");
    push.send(BODY).await.expect("send");
    pull.recv().await.expect("recv");
    let begin = Instant::now();
    let sending = tokio::spawn(async move {
        for _ in 0..count {
            push.send(BODY).await.expect("send");
        }
        push
    });
    for _ in 0..count {
        pull.recv().await.expect("recv");
    }
    let time = begin.elapsed();
    let push = sending.await.expect("no panic");
    let _ = tokio::join!(push.close(), pull.close());
    time
}

fn req_rep(c: &mut Criterion) {
    let mut group = c.benchmark_group("req_rep/64");
    for (mode, runtime) in runtimes() {
        for (transport, endpoint) in ENDPOINTS {
            group.bench_function(BenchmarkId::new(transport, mode), |b| {
                b.to_async(&runtime).iter_custom(|count| async move {
                    tokio::spawn(ask_and_answer(endpoint, count)).await.expect("no panic")
                });
            });
        }
    }
}

/// Makes so many round trips, between two tasks.
async fn ask_and_answer(endpoint: &'static str, count: u64) -> Duration {
    let (req, rep) = (ReqSocket::new(), RepSocket::new());
    let endpoint = rep.bind(endpoint).await.expect("bind");
    req.connect(endpoint).expect("connect");
    let answering = tokio::spawn(async move {
        for _ in 0..=count {
            let question = rep.recv().await.expect("recv");
            rep.send(question).await.expect("send");
        }
        rep
    });
    let ask = async || {
        req.send(BODY).await.expect("send");
        req.recv().await.expect("recv");
    };
    ask().await;
    let begin = Instant::now();
    for _ in 0..count {
        ask().await;
    }
    let time = begin.elapsed();
    let rep = answering.await.expect("no panic");
    let _ = tokio::join!(req.close(), rep.close());
    time
}

criterion_group!(benches, push_pull, req_rep);
criterion_main!(benches);
