//! A peer made of literal octets.

use ferromq::Endpoint;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::within;

/// The greeting of ZMTP 3.1 with the mechanism NULL.
pub const GREETING: [u8; 64] = {
    let mut greeting = [0; 64];
    greeting[0] = 0xff;
    greeting[8] = 1;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[11] = 1;
    greeting[12] = b'N';
    greeting[13] = b'U';
    greeting[14] = b'L';
    greeting[15] = b'L';
    greeting
};

/// READY of a PULL, and of some others.
pub const READY_PULL: &[u8] = b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PULL";
pub const READY_PUSH: &[u8] = b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH";
pub const READY_DEALER: &[u8] = b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER";
pub const READY_ROUTER: &[u8] = b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06ROUTER";
pub const READY_SUB: &[u8] = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB";

/// A listener on a port that it says, at the system's level.
pub async fn listener() -> (TcpListener, Endpoint) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, format!("tcp://{address}").parse().expect("an endpoint"))
}

pub async fn accept(listener: &TcpListener) -> TcpStream {
    within(listener.accept()).await.expect("a connection").0
}

pub async fn connect(endpoint: &Endpoint) -> TcpStream {
    let address = endpoint.socket_addr().expect("an address");
    within(TcpStream::connect(address)).await.expect("a connection")
}

/// Does a whole handshake, as a socket with this READY.
pub async fn shake_hands(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), ready: &[u8]) {
    within(stream.write_all(&GREETING)).await.expect("written");
    let mut greeting = [0; 64];
    within(stream.read_exact(&mut greeting)).await.expect("a greeting");
    within(stream.write_all(ready)).await.expect("written");
    read_frame(stream).await;
}

/// Reads one frame of at most 255 octets.
pub async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> (u8, Vec<u8>) {
    let mut header = [0; 2];
    within(stream.read_exact(&mut header)).await.expect("a header");
    let mut body = vec![0; usize::from(header[1])];
    within(stream.read_exact(&mut body)).await.expect("a body");
    (header[0], body)
}

/// Waits for the end of the stream, reading what comes before.
pub async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut octets = Vec::new();
    // A reset is an end as well.
    let _ = within(stream.read_to_end(&mut octets)).await;
    octets
}
