//! PLAIN: who may come in is known by a name and a password. Both cross the network
//! as they are: use it in a network that you trust, and CURVE everywhere else.
//!
//! ```text
//!   alice    REQ ── "alice", "secret" ──►  REP   lets alice in
//!   mallory  ✗ 400
//! ```
//!
//! Without arguments it plays all sides and ends; with a role it plays one of them,
//! each in its own terminal:
//!
//! ```text
//! cargo run --example plain --features plain
//!
//! cargo run --example plain --features plain server tcp://127.0.0.1:5555
//! cargo run --example plain --features plain client tcp://127.0.0.1:5555 alice secret
//! ```
//!
//! The client ends, the server stays. `examples/plain.py` has the same roles for
//! Python with pyzmq; any side talks to any.

use ferromq::{Error, IntoEndpoint, MonitorEvent, RepSocket, ReqSocket, SocketOptions, UserList};

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if let Err(error) = play(&args).await {
        eprintln!("plain: {error}");
        std::process::exit(1)
    }
}

async fn play(args: &[&str]) -> Result<(), Error> {
    match *args {
        [] => all().await,
        ["server", endpoint] => {
            let rep = server();
            println!("server   listens  {}", rep.bind(endpoint).await?);
            answer(&rep).await
        }
        ["client", endpoint, user, password] => ask(endpoint, user, password).await,
        _ => {
            eprintln!("usage: plain [server ENDPOINT | client ENDPOINT USER PASSWORD]");
            std::process::exit(2)
        }
    }
}

async fn all() -> Result<(), Error> {
    let rep = server();
    let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
    let clients = async {
        ask(&endpoint, "alice", "secret").await?;
        ask(&endpoint, "mallory", "a guess").await
    };
    tokio::select! {
        done = clients => done,
        failed = answer(&rep) => failed,
    }
}

fn server() -> RepSocket {
    let users = UserList::new([("alice", "secret"), ("bob", "hidden")]);
    RepSocket::with_options(SocketOptions::new().plain_server(users))
}

async fn answer(rep: &RepSocket) -> Result<(), Error> {
    loop {
        let (message, peer) = rep.recv_with_peer().await?;
        let user = peer.user_id.as_deref().unwrap_or("somebody");
        println!("server   hears    {} from {user}", String::from_utf8_lossy(&message[0]));
        rep.send("welcome").await?;
    }
}

/// Asks, or says why it was not let in.
async fn ask(endpoint: impl IntoEndpoint, user: &str, password: &str) -> Result<(), Error> {
    let req = ReqSocket::with_options(SocketOptions::new().plain_client(user, password));
    let mut monitor = req.monitor();
    req.connect(endpoint)?;
    req.send("hello").await?;
    let refused = async {
        while let Some(event) = monitor.recv().await {
            if let MonitorEvent::HandshakeFailed { reason, .. } = event {
                return reason.to_string();
            }
        }
        "the socket is closed".to_owned()
    };
    let heard = tokio::select! {
        answer = req.recv() => String::from_utf8_lossy(&answer?[0]).into_owned(),
        reason = refused => reason,
    };
    println!("{user:<8} hears    {heard}");
    Ok(())
}
