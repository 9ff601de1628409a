//! Whether ferromq and others in Rust understand each other's CURVE: REQ asks REP, each
//! of them either, over tcp and ipc; and a client with a key of another server hears
//! nothing.
//!
//! ```text
//! cargo run --manifest-path benches/peers/Cargo.toml --features curve,omq,rzmq --example curve
//! ```

use std::error::Error;
use std::time::Duration;

use ferromq::{CurveKeypair, CurvePublicKey, Policy, SocketOptions};
use rzmq::socket::options::{CURVE_SECRET_KEY, CURVE_SERVER, CURVE_SERVER_KEY, LAST_ENDPOINT};
use tokio::task::JoinHandle;
use tokio::time::timeout;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// More than any answer takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// In which a client that should not be answered would be.
const A_WHILE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ferromq,
    Omq,
    Rzmq,
}

/// Echoes what it is asked until it is aborted.
struct Server {
    endpoint: String,
    echoing: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.echoing.abort();
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let directory = std::env::temp_dir().join(format!("ferromq-curve-{}", std::process::id()));
    std::fs::create_dir(&directory)?;
    let done = all(&format!("ipc://{}", directory.display())).await;
    std::fs::remove_dir_all(&directory)?;
    done
}

async fn all(ipc: &str) -> Result<()> {
    for other in [Kind::Omq, Kind::Rzmq] {
        for (server, client) in [(other, Kind::Ferromq), (Kind::Ferromq, other)] {
            for at in ["tcp://127.0.0.1:0", &format!("{ipc}/{server:?}-{client:?}")] {
                meet(server, client, at).await?;
                println!("{client:?} asks {server:?} at {at}");
            }
        }
    }
    Ok(())
}

async fn meet(server: Kind, client: Kind, at: &str) -> Result<()> {
    let [keys, own] = [CurveKeypair::generate()?, CurveKeypair::generate()?];
    let (right, wrong) = (*keys.public(), *CurveKeypair::generate()?.public());
    let server = match server {
        Kind::Ferromq => ferromq_server(at, keys).await?,
        Kind::Omq => omq_server(at, &keys).await?,
        Kind::Rzmq => rzmq_server(at, &keys).await?,
    };
    let answer = timeout(PATIENCE, ask(client, &server.endpoint, &own, right)).await??;
    if answer != b"hello" {
        return Err(format!("{client:?} heard {answer:?}").into());
    }
    match timeout(A_WHILE, ask(client, &server.endpoint, &own, wrong)).await {
        Ok(Ok(answer)) => Err(format!("{client:?} heard {answer:?} with a wrong key").into()),
        Ok(Err(_)) | Err(_) => Ok(()),
    }
}

async fn ask(
    client: Kind,
    at: &str,
    own: &CurveKeypair,
    server: CurvePublicKey,
) -> Result<Vec<u8>> {
    match client {
        Kind::Ferromq => {
            let options = SocketOptions::new().curve_client(own.clone(), server);
            let req = ferromq::ReqSocket::with_options(options);
            req.connect(at)?;
            req.send("hello").await?;
            Ok(req.recv().await?[0].to_vec())
        }
        Kind::Omq => {
            let server = omq_tokio::CurvePublicKey::from_z85(&server.to_string())?;
            let options = omq_tokio::Options::default().curve_client(omq_keys(own)?, server);
            let req = omq_tokio::Socket::new(omq_tokio::SocketType::Req, options);
            req.connect(at).await?;
            req.send(omq_tokio::Message::from_slice(b"hello")).await?;
            Ok(req.recv().await?.part_slice(0).unwrap_or_default().to_vec())
        }
        Kind::Rzmq => {
            let context = rzmq::Context::new()?;
            let req = context.socket(rzmq::SocketType::Req)?;
            req.set_option_raw(CURVE_SECRET_KEY, &secret(own)).await?;
            req.set_option_raw(CURVE_SERVER_KEY, server.to_string().as_bytes()).await?;
            req.connect(at).await?;
            req.send(rzmq::Msg::from_static(b"hello")).await?;
            Ok(req.recv().await?.data().unwrap_or_default().to_vec())
        }
    }
}

async fn ferromq_server(at: &str, keys: CurveKeypair) -> Result<Server> {
    let options = SocketOptions::new().curve_server(keys, Policy::allow_any());
    let rep = ferromq::RepSocket::with_options(options);
    let endpoint = rep.bind(at).await?.to_string();
    let echoing = tokio::spawn(async move {
        while let Ok(request) = rep.recv().await {
            let _ = rep.send(request).await;
        }
    });
    Ok(Server { endpoint, echoing })
}

async fn omq_server(at: &str, keys: &CurveKeypair) -> Result<Server> {
    let options = omq_tokio::Options::default().curve_server(omq_keys(keys)?);
    let rep = omq_tokio::Socket::new(omq_tokio::SocketType::Rep, options);
    let endpoint = rep.bind(at).await?.to_string();
    let echoing = tokio::spawn(async move {
        while let Ok(request) = rep.recv().await {
            let _ = rep.send(request).await;
        }
    });
    Ok(Server { endpoint, echoing })
}

async fn rzmq_server(at: &str, keys: &CurveKeypair) -> Result<Server> {
    let context = rzmq::Context::new()?;
    let rep = context.socket(rzmq::SocketType::Rep)?;
    rep.set_option(CURVE_SERVER, 1).await?;
    rep.set_option_raw(CURVE_SECRET_KEY, &secret(keys)).await?;
    rep.bind(at).await?;
    let endpoint = String::from_utf8(rep.get_option(LAST_ENDPOINT).await?)?;
    let echoing = tokio::spawn(async move {
        let _context = context; // Its sockets end with it.
        while let Ok(request) = rep.recv().await {
            let _ = rep.send(request).await;
        }
    });
    Ok(Server { endpoint: endpoint.trim_end_matches('\0').to_owned(), echoing })
}

fn secret(keys: &CurveKeypair) -> Vec<u8> {
    keys.secret().to_z85().as_bytes().to_vec()
}

fn omq_keys(keys: &CurveKeypair) -> Result<omq_tokio::CurveKeypair> {
    Ok(omq_tokio::CurveKeypair {
        public: omq_tokio::CurvePublicKey::from_z85(&keys.public().to_string())?,
        secret: omq_tokio::CurveSecretKey::from_z85(&keys.secret().to_z85())?,
    })
}
