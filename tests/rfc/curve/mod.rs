//! RFC 25 and 26, "CurveZMQ Commands": our sockets, and peers on plain TCP that make
//! and open the boxes by themselves, another way than ours do.

mod client;
mod messages;
mod nacl;
mod raw;
mod server;

use std::time::Duration;

use ferromq::{CurveKeypair, DisconnectReason, PeerFault, Policy, SocketOptions};

use crate::support::Node;

fn keys() -> CurveKeypair {
    CurveKeypair::generate().unwrap()
}

fn server_options(keys: &CurveKeypair) -> SocketOptions {
    SocketOptions::new().curve_server(keys.clone(), Policy::allow_any())
}

fn client_options(server: &CurveKeypair) -> SocketOptions {
    SocketOptions::new()
        .curve_client(keys(), *server.public())
        .reconnect_interval(Duration::from_millis(1))
}

async fn fault<S>(node: &mut Node<S>) -> PeerFault {
    match node.failed().await {
        DisconnectReason::Fault(fault) => fault,
        reason => panic!("{reason}"),
    }
}
