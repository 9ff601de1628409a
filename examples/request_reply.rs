//! REQ asks, REP answers, in strict turns.
//!
//! ```text
//!   client                         server
//!   REQ ───────── "Ada" ────────►  REP
//!       ◄──── "Hello, Ada!" ─────
//! ```
//!
//! Without arguments it plays both sides and ends; with a role it plays one of
//! them, in any order and each in its own terminal:
//!
//! ```text
//! cargo run --example request_reply
//!
//! cargo run --example request_reply server tcp://127.0.0.1:5555
//! cargo run --example request_reply client tcp://127.0.0.1:5555
//! ```
//!
//! The client ends, the server stays. `examples/request_reply.py` has the same
//! roles for Python with pyzmq; any side talks to any.

use ferromq::{Error, IntoEndpoint, Message, RepSocket, ReqSocket};

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if let Err(error) = play(&args).await {
        eprintln!("request_reply: {error}");
        std::process::exit(1)
    }
}

async fn play(args: &[&str]) -> Result<(), Error> {
    match *args {
        [] => both().await,
        ["server", endpoint] => server(&listen(endpoint).await?).await,
        ["client", endpoint] => client(endpoint).await,
        _ => {
            eprintln!("usage: request_reply [server ENDPOINT | client ENDPOINT]");
            std::process::exit(2)
        }
    }
}

/// Both sides in one task: when the client is done, so is the example.
async fn both() -> Result<(), Error> {
    let rep = RepSocket::new();
    let endpoint = rep.bind("tcp://127.0.0.1:0").await?; // Port 0: any free one.
    println!("server  listens  {endpoint}");
    tokio::select! {
        done = client(endpoint) => done,
        failed = server(&rep) => failed,
    }
}

async fn listen(endpoint: &str) -> Result<RepSocket, Error> {
    let rep = RepSocket::new();
    println!("server  listens  {}", rep.bind(endpoint).await?);
    Ok(rep)
}

async fn server(rep: &RepSocket) -> Result<(), Error> {
    loop {
        let name = text(&rep.recv().await?);
        let answer = format!("Hello, {name}!");
        println!("server  answers  {answer}");
        rep.send(answer).await?; // It goes to whoever asked.
    }
}

async fn client(endpoint: impl IntoEndpoint) -> Result<(), Error> {
    let req = ReqSocket::new();
    req.connect(endpoint)?; // The server may come later: the request waits for it.
    for name in ["Ada", "Grace", "Edsger"] {
        println!("client  asks     {name}");
        req.send(name).await?;
        println!("client  hears    {}", text(&req.recv().await?));
    }
    Ok(())
}

fn text(message: &Message) -> String {
    String::from_utf8_lossy(message.first()).into_owned()
}
