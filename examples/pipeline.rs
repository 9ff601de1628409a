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
//!             n = int(work.recv_string())
//!             prime = next((d for d in range(2, n) if n % d == 0), n) == n
//!             results.send_multipart([b"Python", f"{n} is prime: {prime}".encode()])
//! ```

use ferromq::{Error, IntoEndpoint, MonitorEvent, PullSocket, PushSocket};

const WORK: std::ops::Range<u64> = 9_000_000_012..9_000_000_024;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => all().await,
        ["ventilator", endpoint] => {
            let push = PushSocket::new();
            push.bind(endpoint).await?;
            ventilator(&push, 1).await
        }
        ["worker", from, to] => worker("worker", from, to).await,
        ["sink", endpoint] => {
            let pull = PullSocket::new();
            pull.bind(endpoint).await?;
            sink(&pull, usize::MAX).await
        }
        _ => {
            eprintln!("usage: pipeline [ventilator ENDPOINT | worker ENDPOINT ENDPOINT | sink ENDPOINT]");
            std::process::exit(2)
        }
    }
}
