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
//! The client ends, the server stays. `examples/curve.py` has the same roles for
//! Python with pyzmq; any side talks to any.

use std::error::Error;
use std::path::Path;

use ferromq::{
    CertificateDir, CurveCertificate, CurveKeypair, CurvePublicKey, IntoEndpoint, KeyList,
    MonitorEvent, Policy, RepSocket, ReqSocket, SocketOptions,
};

type Result = std::result::Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if let Err(error) = play(&args).await {
        eprintln!("curve: {error}");
        std::process::exit(1)
    }
}

async fn play(args: &[&str]) -> Result {
    match *args {
        [] => all().await,
        ["keygen", directory, ref names @ ..] => keygen(Path::new(directory), names),
        ["server", endpoint, directory] => {
            let keys = own(directory, "server")?;
            let rep = server(keys, CertificateDir::load(directory)?);
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

async fn all() -> Result {
    let (keys, alice) = (CurveKeypair::generate()?, CurveKeypair::generate()?);
    let (server_key, known) = (*keys.public(), KeyList::default());
    known.insert_as(*alice.public(), "alice");
    let rep = server(keys, known);
    let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
    let clients = async {
        ask("alice", &endpoint, alice, server_key).await?;
        stranger(&endpoint, server_key).await
    };
    tokio::select! {
        done = clients => done,
        failed = answer(&rep) => failed,
    }
}

/// Makes a pair of keys for each name: `NAME.key_secret` stays with its owner,
/// `NAME.key` is for whoever is to know it.
fn keygen(directory: &Path, names: &[&str]) -> Result {
    for name in names {
        let certificate = CurveCertificate::new(CurveKeypair::generate()?);
        let certificate = certificate.with_metadata("name", *name)?;
        certificate.save_secret(directory.join(format!("{name}.key_secret")))?;
        certificate.save_public(directory.join(format!("{name}.key")))?;
        println!("{name}: {}", certificate.public());
    }
    Ok(())
}

fn own(directory: &str, name: &str) -> std::result::Result<CurveKeypair, Box<dyn Error>> {
    let file = Path::new(directory).join(format!("{name}.key_secret"));
    Ok(CurveCertificate::load(&file)?.keypair().ok_or("there is no secret key in the file")?)
}

fn server(keys: CurveKeypair, known: impl Into<Policy>) -> RepSocket {
    RepSocket::with_options(SocketOptions::new().curve_server(keys, known))
}

async fn answer(rep: &RepSocket) -> Result {
    loop {
        let (message, peer) = rep.recv_with_peer().await?;
        let user = peer.user_id.as_deref().unwrap_or("somebody");
        println!("server    hears    {} from {user}", String::from_utf8_lossy(&message[0]));
        rep.send("welcome").await?;
    }
}

async fn ask(
    name: &str,
    at: impl IntoEndpoint,
    keys: CurveKeypair,
    server: CurvePublicKey,
) -> Result {
    let req = ReqSocket::with_options(SocketOptions::new().curve_client(keys, server));
    req.connect(at)?;
    req.send("hello").await?;
    let answer = req.recv().await?;
    println!("{name:<9} hears    {}", String::from_utf8_lossy(&answer[0]));
    Ok(())
}

/// Somebody with a key that nobody knows.
async fn stranger(endpoint: impl IntoEndpoint, server: CurvePublicKey) -> Result {
    let keys = CurveKeypair::generate()?;
    let req = ReqSocket::with_options(SocketOptions::new().curve_client(keys, server));
    let mut monitor = req.monitor();
    req.connect(endpoint)?;
    while let Some(event) = monitor.recv().await {
        if let MonitorEvent::HandshakeFailed { reason, .. } = event {
            println!("stranger  hears    {reason}");
            break;
        }
    }
    Ok(())
}
