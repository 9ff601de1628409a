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
//! Without arguments it plays both sides and ends; with a role it plays one of
//! them, in any order and each in its own terminal:
//!
//! ```text
//! cargo run --example pair
//!
//! cargo run --example pair boss ipc:///tmp/pair.sock
//! cargo run --example pair worker ipc:///tmp/pair.sock
//! ```
//!
//! PAIR speaks over every transport. `examples/pair.py` has the same roles for
//! Python with pyzmq; any side talks to any.

use std::error::Error;

use ferromq::{Message, PairSocket};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if let Err(error) = play(&args) {
        eprintln!("pair: {error}");
        std::process::exit(1)
    }
}

fn play(args: &[&str]) -> Outcome {
    match *args {
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
fn both(endpoint: &'static str) -> Outcome {
    let worker = std::thread::spawn(move || worker(endpoint));
    boss(endpoint)?;
    worker.join().expect("the worker does not panic")
}

#[tokio::main(flavor = "current_thread")]
async fn boss(endpoint: &str) -> Outcome {
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
async fn worker(endpoint: &str) -> Outcome {
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
