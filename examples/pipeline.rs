//! A ventilator hands out work in turn, workers do it side by side, a sink
//! collects the results.
//!
//! ```text
//!                    ┌──► PULL worker 1 PUSH ──┐
//!   ventilator PUSH ─┼──► PULL worker 2 PUSH ──┼─► PULL sink
//!                    └──► PULL worker 3 PUSH ──┘
//! ```
//!
//! PUSH waits while nobody can take the work, so nothing is lost; but the first
//! worker to come would get all of it. The monitor tells when all are there.
//!
//! Without arguments it plays all sides and ends:
//!
//! ```text
//! cargo run --example pipeline
//! ```
//!
//! One side for each terminal, in any order; the ventilator ends when all work
//! is handed over, the others stay:
//!
//! ```text
//! cargo run --example pipeline sink tcp://127.0.0.1:5558
//! cargo run --example pipeline worker tcp://127.0.0.1:5557 tcp://127.0.0.1:5558
//! cargo run --example pipeline ventilator tcp://127.0.0.1:5557
//! ```
//!
//! A worker in Python, with pyzmq:
//!
//! ```python
//! import zmq
//! with zmq.Context() as context:
//!     with context.socket(zmq.PULL) as work, context.socket(zmq.PUSH) as results:
//!         work.connect("tcp://127.0.0.1:5557")
//!         results.connect("tcp://127.0.0.1:5558")
//!         while True:
//!             number = work.recv_string()
//!             results.send_multipart([b"Python", f"{number} is large".encode()])
//! ```

use ferromq::{Endpoint, Error, IntoEndpoint, Monitor, MonitorEvent, PullSocket, PushSocket};

const WORK: std::ops::Range<u64> = 9_000_000_000..9_000_000_012;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => all().await,
        ["ventilator", endpoint] => Ventilator::new(endpoint).await?.run(1).await,
        ["worker", from, to] => worker("worker", from, to).await,
        ["sink", endpoint] => sink(&bind_sink(endpoint).await?.0, usize::MAX).await,
        _ => {
            eprintln!("usage: pipeline [ventilator ENDPOINT | worker FROM TO | sink ENDPOINT]");
            std::process::exit(2)
        }
    }
}

/// All sides in one task: when the sink has every result, the example is done.
async fn all() -> Result<(), Error> {
    let ventilator = Ventilator::new("tcp://127.0.0.1:0").await?;
    let from = ventilator.endpoint.clone();
    let (pull, to) = bind_sink("tcp://127.0.0.1:0").await?;
    let count = WORK.count();
    tokio::select! {
        done = async { tokio::try_join!(ventilator.run(3), sink(&pull, count)) } => done.map(drop),
        failed = worker("worker 1", from.clone(), to.clone()) => failed,
        failed = worker("worker 2", from.clone(), to.clone()) => failed,
        failed = worker("worker 3", from.clone(), to.clone()) => failed,
    }
}

struct Ventilator {
    push: PushSocket,
    monitor: Monitor,
    endpoint: Endpoint,
}

impl Ventilator {
    async fn new(endpoint: impl IntoEndpoint) -> Result<Self, Error> {
        let push = PushSocket::new();
        let monitor = push.monitor(); // Before bind, to miss nobody.
        let endpoint = push.bind(endpoint).await?;
        println!("ventilator  binds    {endpoint}");
        Ok(Self { push, monitor, endpoint })
    }

    async fn run(mut self, workers: usize) -> Result<(), Error> {
        let mut ready = 0;
        while ready < workers {
            if let Some(MonitorEvent::Ready { .. }) = self.monitor.recv().await {
                ready += 1;
            }
        }
        println!("ventilator  starts   {ready} workers are ready");
        for number in WORK {
            self.push.send(number.to_string()).await?;
        }
        let closed = self.push.close().await; // Waits until all of it is on its way.
        println!("ventilator  is done  {} undelivered", closed.undelivered);
        Ok(())
    }
}

async fn worker(me: &str, from: impl IntoEndpoint, to: impl IntoEndpoint) -> Result<(), Error> {
    let (pull, push) = (PullSocket::new(), PushSocket::new());
    pull.connect(from)?;
    push.connect(to)?;
    loop {
        let number = String::from_utf8_lossy(pull.recv().await?.first()).parse().unwrap_or(0);
        push.send([me, &format!("{number} = {}", factors(number))]).await?;
    }
}

async fn bind_sink(endpoint: impl IntoEndpoint) -> Result<(PullSocket, Endpoint), Error> {
    let pull = PullSocket::new();
    let endpoint = pull.bind(endpoint).await?;
    println!("sink        binds    {endpoint}");
    Ok((pull, endpoint))
}

async fn sink(pull: &PullSocket, results: usize) -> Result<(), Error> {
    for number in 1..=results {
        let result = pull.recv().await?;
        let frames: Vec<_> = result.iter().map(|frame| String::from_utf8_lossy(frame)).collect();
        println!("sink        has {number:>3}  {}", frames.join("  "));
    }
    println!("sink        is done  it has all {results} results");
    Ok(())
}

fn factors(mut number: u64) -> String {
    let mut factors = Vec::new();
    let mut divisor = 2;
    while divisor * divisor <= number {
        if number % divisor == 0 {
            factors.push(divisor.to_string());
            number /= divisor;
        } else {
            divisor += 1;
        }
    }
    factors.push(number.to_string());
    factors.join(" × ")
}
