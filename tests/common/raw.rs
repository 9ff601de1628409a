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

pub const READY_PAIR: &[u8] = b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PAIR";
pub const READY_PUB: &[u8] = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB";
pub const READY_XPUB: &[u8] = b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04XPUB";
/// READY of a DEALER whose name is A.
pub const READY_DEALER_A: &[u8] =
    b"\x04\x2a\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\x01A";

/// A subscription to everything, a PING and an empty PONG.
pub const SUBSCRIBE: &[u8] = b"\x04\x0a\x09SUBSCRIBE";
pub const PING: &[u8] = b"\x04\x07\x04PING\0\0";
pub const PONG: &[u8] = b"\x04\x05\x04PONG";

/// A connection of any transport.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What a stream's buffers in the kernel are to hold, so that little is hidden
/// there.
pub const TIGHT: usize = 32 * 1024;

/// Connects over tcp or ipc, with small buffers.
pub async fn connect_tightly(endpoint: &Endpoint) -> Box<dyn Stream> {
    if let Some(address) = endpoint.socket_addr() {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_send_buffer_size(TIGHT as u32).expect("a buffer");
        socket.set_recv_buffer_size(TIGHT as u32).expect("a buffer");
        let stream = within(socket.connect(address)).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        return Box::new(stream);
    }
    connect_to_path(endpoint).await
}

#[cfg(unix)]
async fn connect_to_path(endpoint: &Endpoint) -> Box<dyn Stream> {
    let path = endpoint.path().expect("tcp or ipc");
    let stream = within(tokio::net::UnixStream::connect(path)).await.expect("a connection");
    let buffers = socket2::SockRef::from(&stream);
    buffers.set_send_buffer_size(TIGHT).expect("a buffer");
    buffers.set_recv_buffer_size(TIGHT).expect("a buffer");
    Box::new(stream)
}

#[cfg(not(unix))]
async fn connect_to_path(endpoint: &Endpoint) -> Box<dyn Stream> {
    panic!("no ipc here: {endpoint}");
}

/// Connects tightly and does the handshake.
pub async fn join_tightly(endpoint: &Endpoint, ready: &[u8]) -> Box<dyn Stream> {
    let mut stream = connect_tightly(endpoint).await;
    shake_hands(&mut stream, ready).await;
    stream
}

/// A frame of a message that has more or not.
pub fn frame(has_more: bool, body: &[u8]) -> Vec<u8> {
    let more = u8::from(has_more);
    match u8::try_from(body.len()) {
        Ok(size) => [&[more, size], body].concat(),
        Err(_) => [&[2 | more], &(body.len() as u64).to_be_bytes()[..], body].concat(),
    }
}

/// Waits until the socket has dealt with all that was sent so far.
pub async fn barrier(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    within(stream.write_all(b"\x04\x0e\x04PING\0\0barrier")).await.expect("written");
    while read_frame(stream).await != (4, b"\x04PONGbarrier".to_vec()) {}
}

/// Reads the frames of a message, whatever their size.
pub async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    loop {
        let flags = within(stream.read_u8()).await.expect("flags");
        assert!(flags < 4, "a command");
        let size = match flags & 2 {
            0 => u64::from(within(stream.read_u8()).await.expect("a size")),
            _ => within(stream.read_u64()).await.expect("a size"),
        };
        let mut body = vec![0; usize::try_from(size).expect("it fits")];
        within(stream.read_exact(&mut body)).await.expect("a body");
        frames.push(body);
        if flags & 1 == 0 {
            return frames;
        }
    }
}
