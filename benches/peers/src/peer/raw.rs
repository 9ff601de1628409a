//! A TCP stream of tokio and nothing else: what there is to win. It has no messages:
//! they are so many octets, written in large pieces, or one at a time where each
//! waits for an answer.

use std::sync::OnceLock;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Peer, Receives, Sends, Socket};

/// How much is written, or read, at a time.
const PIECE: usize = 256 * 1024;

/// What a message has.
static SIZE: OnceLock<usize> = OnceLock::new();

pub struct Raw;

pub struct RawSocket {
    listener: Option<TcpListener>,
    stream: Option<TcpStream>,
    /// What is sent together.
    output: Vec<u8>,
    batch: usize,
    input: Vec<u8>,
    /// How many octets were read and not received.
    unread: usize,
}

impl RawSocket {
    fn new(batch: usize) -> Self {
        let input = vec![0; PIECE];
        Self { listener: None, stream: None, output: Vec::new(), batch, input, unread: 0 }
    }

    async fn stream(&mut self) -> &mut TcpStream {
        if let Some(listener) = self.listener.take() {
            let (stream, _) = listener.accept().await.expect("accept");
            stream.set_nodelay(true).expect("nodelay");
            self.stream = Some(stream);
        }
        self.stream.as_mut().expect("it is bound or connected")
    }
}

impl Socket for RawSocket {
    async fn bind(&mut self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        self.listener = Some(listener);
        address.to_string()
    }

    async fn connect(&mut self, endpoint: &str) {
        let stream = TcpStream::connect(endpoint).await.expect("connect");
        stream.set_nodelay(true).expect("nodelay");
        self.stream = Some(stream);
    }
}

impl Sends for RawSocket {
    async fn send(&mut self, body: &Bytes) {
        if body.len() >= self.batch {
            return self.stream().await.write_all(body).await.expect("write");
        }
        self.output.extend_from_slice(body);
        if self.output.len() >= self.batch {
            let output = std::mem::take(&mut self.output);
            self.stream().await.write_all(&output).await.expect("write");
            self.output = output;
            self.output.clear();
        }
    }
}

impl Receives for RawSocket {
    async fn recv(&mut self) -> usize {
        let size = *SIZE.get().expect("it is prepared");
        while self.unread < size {
            let mut input = std::mem::take(&mut self.input);
            let count = self.stream().await.read(&mut input).await.expect("read");
            assert!(count > 0, "the other end is gone");
            self.input = input;
            self.unread += count;
        }
        self.unread -= size;
        size
    }
}

impl Peer for Raw {
    type Push = RawSocket;
    type Pull = RawSocket;
    type Pub = RawSocket;
    type Sub = RawSocket;
    type Req = RawSocket;
    type Rep = RawSocket;

    fn prepare(size: usize) {
        SIZE.get_or_init(|| size);
    }

    fn push() -> RawSocket {
        RawSocket::new(PIECE)
    }

    fn pull() -> RawSocket {
        RawSocket::new(0)
    }

    fn publisher() -> RawSocket {
        RawSocket::new(PIECE)
    }

    fn sub() -> RawSocket {
        RawSocket::new(0)
    }

    fn req() -> RawSocket {
        RawSocket::new(0)
    }

    fn rep() -> RawSocket {
        RawSocket::new(0)
    }
}
