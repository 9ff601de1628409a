//! CURVE: who may come in is known by a key, and nobody else can read along.
//!
//! ```text
//!   alice  REQ ── encrypted ──►  REP   lets alice in, by her public key
//!   stranger  ✗ 400
//! ```
//!
//! Without arguments it plays all sides and ends. With a directory, keys are files
//! that czmq and pyzmq read as well; each side in its own terminal:
//!
//! ```text
//! cargo run --example curve --features curve
//!
//! cargo run --example curve --features curve keygen DIRECTORY server alice
//! cargo run --example curve --features curve server tcp://127.0.0.1:5555 DIRECTORY
//! cargo run --example curve --features curve client tcp://127.0.0.1:5555 DIRECTORY alice
//! ```
//!
//! Who may come in has a file in `DIRECTORY/clients`, which is all that the server reads
//! of clients. Its own key is not there: whoever has that is no client. In earnest each
//! side makes its own keys, and only the `*.key` are handed over.
//!
//! The client ends, with an error if it is refused; the server stays, and says whom it
//! refuses. (A client that knows the key of another server is told nothing: it finds
//! the connection closed.) `examples/curve.py` has the same roles for Python with
//! pyzmq; any side talks to any.

use std::io;
use std::path::Path;

use ferromq::{
    CertificateDir, CurveCertificate, CurveKeypair, CurvePublicKey, Error, IntoEndpoint, KeyList,
    Monitor, MonitorEvent, Policy, RepSocket, ReqSocket, SocketOptions,
};
use tokio::task::JoinHandle;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if let Err(error) = play(&args).await {
        eprintln!("curve: {error}");
        std::process::exit(1)
    }
}

async fn play(args: &[&str]) -> Result<(), Error> {
    match *args {
        [] => all().await,
        ["keygen", directory, ref names @ ..] => keygen(Path::new(directory), names),
        ["server", endpoint, directory] => {
            let keys = own(directory, "server")?;
            let clients = CertificateDir::load(Path::new(directory).join("clients"))?;
            let (rep, _refusals) = server(keys, clients);
            println!("server    listens  {}", rep.bind(endpoint).await?);
            answer(&rep).await
        }
        ["client", endpoint, directory, name] => {
            let server = CurveCertificate::load(Path::new(directory).join("server.key"))?;
            ask(name, endpoint, own(directory, name)?, *server.public()).await
        }
        _ => {
            eprintln!("usage: curve [keygen DIRECTORY NAME… | server ENDPOINT DIRECTORY");
            eprintln!("             | client ENDPOINT DIRECTORY NAME]");
            std::process::exit(2)
        }
    }
}

async fn all() -> Result<(), Error> {
    let (keys, alice) = (CurveKeypair::generate()?, CurveKeypair::generate()?);
    let (server_key, known) = (*keys.public(), KeyList::default());
    known.insert_as(*alice.public(), "alice");
    let (rep, refusals) = server(keys, known);
    let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
    let clients = async {
        ask("alice", &endpoint, alice, server_key).await?;
        // Somebody with a key that nobody knows.
        let stranger = CurveKeypair::generate()?;
        if let Err(refused) = ask("stranger", &endpoint, stranger, server_key).await {
            println!("stranger  hears    {refused}");
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

/// Makes a pair of keys for each name: `NAME.key_secret` stays with its owner,
/// `NAME.key` is for whoever is to know it. Those of clients are where the server looks.
fn keygen(directory: &Path, names: &[&str]) -> Result<(), Error> {
    let clients = directory.join("clients");
    std::fs::create_dir_all(&clients)?;
    for name in names {
        let certificate = CurveCertificate::new(CurveKeypair::generate()?);
        let certificate = certificate.with_metadata("name", *name)?;
        certificate.save_secret(directory.join(format!("{name}.key_secret")))?;
        let known_to = if *name == "server" { directory } else { &clients };
        certificate.save_public(known_to.join(format!("{name}.key")))?;
        println!("{name}: {}", certificate.public());
    }
    Ok(())
}

fn own(directory: &str, name: &str) -> Result<CurveKeypair, Error> {
    let file = Path::new(directory).join(format!("{name}.key_secret"));
    let keys = CurveCertificate::load(&file)?.keypair();
    keys.ok_or_else(|| io::Error::other("there is no secret key in the file").into())
}

/// The server, and the task that says whom it refuses.
fn server(keys: CurveKeypair, known: impl Into<Policy>) -> (RepSocket, JoinHandle<()>) {
    let rep = RepSocket::with_options(SocketOptions::new().curve_server(keys, known));
    let refusals = tokio::spawn(refusals(rep.monitor()));
    (rep, refusals)
}

/// Says who is refused, until the socket is gone.
async fn refusals(mut monitor: Monitor) {
    while let Some(event) = monitor.recv().await {
        if let MonitorEvent::HandshakeFailed { address, reason, .. } = event {
            println!("server    refuses  {address}: {reason}");
        }
    }
}

async fn answer(rep: &RepSocket) -> Result<(), Error> {
    loop {
        let (message, peer) = rep.recv_with_peer().await?;
        let user = peer.user_id.as_deref().unwrap_or("somebody");
        println!("server    hears    {} from {user}", String::from_utf8_lossy(&message[0]));
        rep.send("welcome").await?;
    }
}

/// Asks once; it is an error not to be let in.
async fn ask(
    name: &str,
    at: impl IntoEndpoint,
    keys: CurveKeypair,
    server: CurvePublicKey,
) -> Result<(), Error> {
    let req = ReqSocket::with_options(SocketOptions::new().curve_client(keys, server));
    // Before `connect`: a monitor tells what happens from now on.
    let monitor = req.monitor();
    req.connect(at)?;
    req.send("hello").await?;
    let answer = tokio::select! {
        answer = req.recv() => answer?,
        // No call would ever say so: the socket dials again and again.
        refused = refusal(monitor) => return Err(refused.into()),
    };
    println!("{name:<9} hears    {}", String::from_utf8_lossy(&answer[0]));
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
