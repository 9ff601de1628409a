//! A ventilator hands out work in turn, workers do it, a sink collects results.
//!
//! ```text
//!                    ┌──► PULL worker 1 PUSH ──┐
//!   ventilator PUSH ─┼──► PULL worker 2 PUSH ──┼─► PULL sink
//!                    └──► PULL worker 3 PUSH ──┘
//! ```
//!
//! The first worker to come would get all: the monitor tells when all are there.
//!
//! Without arguments it plays all sides and ends; with a role it plays one of
//! them, in any order and each in its own terminal:
//!
//! ```text
//! cargo run --example pipeline
//!
//! cargo run --example pipeline sink tcp://127.0.0.1:5558
//! cargo run --example pipeline worker tcp://127.0.0.1:5557 tcp://127.0.0.1:5558
//! cargo run --example pipeline ventilator tcp://127.0.0.1:5557
//! ```
//!
//! The ventilator ends, the others stay. `examples/pipeline.py` has the same
//! roles for Python with pyzmq; any side talks to any.

use ferromq::{Error, IntoEndpoint, Monitor, MonitorEvent, PullSocket, PushSocket};
use tokio::task::JoinSet;

const WORK: std::ops::Range<u64> = 7_000_000_001..7_000_000_013;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if let Err(error) = play(&args).await {
        eprintln!("pipeline: {error}");
        std::process::exit(1)
    }
}

async fn play(args: &[&str]) -> Result<(), Error> {
    match *args {
        [] => all().await,
        ["ventilator", endpoint] => {
            let push = PushSocket::new();
            let events = push.monitor();
            push.bind(endpoint).await?;
            ventilator(&push, events, 1).await
        }
        ["worker", from, to] => worker("worker", from, to).await,
        ["sink", endpoint] => {
            let pull = PullSocket::new();
            pull.bind(endpoint).await?;
            sink(&pull, usize::MAX).await
        }
        _ => {
            eprintln!("usage: pipeline [ventilator ENDPOINT | worker FROM TO | sink ENDPOINT]");
            std::process::exit(2)
        }
    }
}

/// A task for each worker; when the sink has every result, the example is done.
async fn all() -> Result<(), Error> {
    let (push, pull) = (PushSocket::new(), PullSocket::new());
    let events = push.monitor();
    let work = push.bind("tcp://127.0.0.1:0").await?;
    let results = pull.bind("tcp://127.0.0.1:0").await?;
    let mut workers = JoinSet::new();
    for me in ["worker 1", "worker 2", "worker 3"] {
        workers.spawn(worker(me, work.clone(), results.clone()));
    }
    let done = async { tokio::try_join!(ventilator(&push, events, 3), sink(&pull, WORK.count())) };
    tokio::select! {
        done = done => done.map(drop),
        Some(failed) = workers.join_next() => failed.expect("a worker does not panic"),
    }
}

/// `events` are those of `push` since before it was bound, to miss no worker.
async fn ventilator(push: &PushSocket, mut events: Monitor, workers: usize) -> Result<(), Error> {
    let mut ready = 0;
    while ready < workers {
        if let Some(MonitorEvent::Ready { .. }) = events.recv().await {
            ready += 1;
        }
    }
    println!("ventilator  has workers, {ready} of them");
    for number in WORK {
        push.send(number.to_string()).await?;
    }
    let closed = push.close().await; // Waits until all of it is on its way.
    println!("ventilator  is done, {} undelivered", closed.undelivered);
    Ok(())
}

async fn worker(me: &str, from: impl IntoEndpoint, to: impl IntoEndpoint) -> Result<(), Error> {
    let (pull, push) = (PullSocket::new(), PushSocket::new());
    pull.connect(from)?;
    push.connect(to)?;
    loop {
        let number = String::from_utf8_lossy(pull.recv().await?.first()).parse().unwrap_or(0);
        push.send([me, &split(number)]).await?;
    }
}

fn split(number: u64) -> String {
    match (2..).take_while(|d| d * d <= number).find(|d| number % d == 0) {
        Some(divisor) => format!("{number} = {divisor} × {}", number / divisor),
        None => format!("{number} is prime"),
    }
}

async fn sink(pull: &PullSocket, results: usize) -> Result<(), Error> {
    for number in 1..=results {
        let result = pull.recv().await?;
        let frames: Vec<_> = result.iter().map(|frame| String::from_utf8_lossy(frame)).collect();
        println!("sink        has {number:>2} from  {}", frames.join("  "));
    }
    Ok(())
}
