//! Two threads talk over a PAIR, without locks and without octets on any wire.
//!
//! ```text
//!   thread 1                              thread 2
//!   PAIR boss  ──── "count", "7" ────►    PAIR worker
//!              ◄─── "counted", "7" ──
//! ```
//!
//! Each thread has a tokio runtime of its own, made by `#[tokio::main]`, which
//! works on any function. `inproc://` joins them.
//!
//! Without arguments it plays both sides and ends:
//!
//! ```text
//! cargo run --example pair
//! ```
//!
//! PAIR speaks over the other transports, too. One side for each terminal, in
//! any order:
//!
//! ```text
//! cargo run --example pair boss ipc:///tmp/pair.sock
//! cargo run --example pair worker ipc:///tmp/pair.sock
//! ```
//!
//! Each side in Python, with pyzmq:
//!
//! ```python
//! import zmq
//! with zmq.Context() as context, context.socket(zmq.PAIR) as boss:
//!     boss.bind("ipc:///tmp/pair.sock")
//!     boss.send_multipart([b"count", b"3"])
//!     print(boss.recv_multipart())
//!     boss.send(b"stop")
//! ```
//!
//! ```python
//! import zmq
//! with zmq.Context() as context, context.socket(zmq.PAIR) as worker:
//!     worker.connect("ipc:///tmp/pair.sock")
//!     while (order := worker.recv_multipart())[0] == b"count":
//!         worker.send_multipart([b"counted", order[1]])
//! ```

use ferromq::{Error, Message, PairSocket};

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => both("inproc://orders"),
        ["boss", endpoint] => boss(endpoint),
        ["worker", endpoint] => worker(endpoint),
        _ => {
            eprintln!("usage: pair [boss ENDPOINT | worker ENDPOINT]");
            std::process::exit(2)
        }
    }
}

/// Which thread comes first does not matter.
fn both(endpoint: &'static str) -> Result<(), Error> {
    let worker = std::thread::spawn(move || worker(endpoint));
    boss(endpoint)?;
    worker.join().expect("the worker does not panic")
}

#[tokio::main(flavor = "current_thread")]
async fn boss(endpoint: &str) -> Result<(), Error> {
    let pair = PairSocket::new();
    println!("boss    binds     {}", pair.bind(endpoint).await?);
    for number in ["3", "5", "7"] {
        println!("boss    orders    count to {number}");
        pair.send(["count", number]).await?;
        println!("boss    hears     {}", text(&pair.recv().await?));
    }
    pair.send("stop").await?;
    let closed = pair.close().await; // The runtime ends with this function: let it deliver first.
    println!("boss    is done   {} undelivered", closed.undelivered);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn worker(endpoint: &str) -> Result<(), Error> {
    let pair = PairSocket::new();
    pair.connect(endpoint)?;
    loop {
        let order = pair.recv().await?;
        match (&order.first()[..], order.get(1)) {
            (b"count", Some(number)) => {
                println!("worker  counts    {}", text(&order));
                pair.send([b"counted", &number[..]]).await?;
            }
            _ => break,
        }
    }
    println!("worker  stops");
    Ok(())
}

fn text(message: &Message) -> String {
    let frames: Vec<_> = message.iter().map(|frame| String::from_utf8_lossy(frame)).collect();
    frames.join(" ")
}
