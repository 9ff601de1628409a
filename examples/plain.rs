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
//! The client ends, with an error if it is refused; the server stays, and says whom it
//! refuses. `examples/plain.py` has the same roles for Python with pyzmq; any side talks
//! to any.

use std::io;

use ferromq::{
    Error, IntoEndpoint, Monitor, MonitorEvent, RepSocket, ReqSocket, SocketOptions, UserList,
};
use tokio::task::JoinHandle;

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
            let (rep, _refusals) = server();
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
    let (rep, refusals) = server();
    let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
    let clients = async {
        ask(&endpoint, "alice", "secret").await?;
        if let Err(refused) = ask(&endpoint, "mallory", "a guess").await {
            println!("mallory  hears    {refused}");
        }
        Ok(())
    };
    let done = tokio::select! {
        done = clients => done,
        failed = answer(&rep) => failed,
    };
    drop(rep); // With the socket its monitor ends.
    refusals.await.map_err(io::Error::other)?;
    done
}

/// The server, and the task that says whom it refuses.
fn server() -> (RepSocket, JoinHandle<()>) {
    let users = UserList::new([("alice", "secret"), ("bob", "hidden")]);
    let rep = RepSocket::with_options(SocketOptions::new().plain_server(users));
    let refusals = tokio::spawn(refusals(rep.monitor()));
    (rep, refusals)
}

/// Says who is refused, until the socket is gone.
async fn refusals(mut monitor: Monitor) {
    while let Some(event) = monitor.recv().await {
        if let MonitorEvent::HandshakeFailed { address, reason, .. } = event {
            println!("server   refuses  {address}: {reason}");
        }
    }
}

async fn answer(rep: &RepSocket) -> Result<(), Error> {
    loop {
        let (message, peer) = rep.recv_with_peer().await?;
        let user = peer.user_id.as_deref().unwrap_or("somebody");
        println!("server   hears    {} from {user}", String::from_utf8_lossy(&message[0]));
        rep.send("welcome").await?;
    }
}

/// Asks once; it is an error not to be let in.
async fn ask(endpoint: impl IntoEndpoint, user: &str, password: &str) -> Result<(), Error> {
    let req = ReqSocket::with_options(SocketOptions::new().plain_client(user, password));
    // Before `connect`: a monitor tells what happens from now on.
    let monitor = req.monitor();
    req.connect(endpoint)?;
    req.send("hello").await?;
    let answer = tokio::select! {
        answer = req.recv() => answer?,
        // No call would ever say so: the socket dials again and again.
        refused = refusal(monitor) => return Err(refused.into()),
    };
    println!("{user:<8} hears    {}", String::from_utf8_lossy(&answer[0]));
    Ok(())
}

/// Waits until a handshake fails, and says why.
async fn refusal(mut monitor: Monitor) -> io::Error {
    while let Some(event) = monitor.recv().await {
        if let MonitorEvent::HandshakeFailed { reason, .. } = event {
            return io::Error::new(io::ErrorKind::PermissionDenied, reason);
        }
    }
    io::Error::other("the socket is closed")
}
