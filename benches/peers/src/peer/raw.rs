//! Streams of tokio and nothing else, TCP or Unix: what there is to win. They have
//! no messages: these are so many octets. They are written in large pieces, or as
//! soon as the socket has to wait for input. A socket with many streams takes them
//! in turn, a piece of each.

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::{Echoes, Peer, Receives, Sends, Socket};
use crate::cell::{Cell, IN_FLIGHT, Pattern, Transport};
use crate::setup::{Role, Setup};

/// How much is written, or read, at a time.
const PIECE: usize = 256 * 1024;

/// It matches no topics, and inproc is [`channel`](super::channel). As nobody reads for
/// it while it writes, DEALER must not have more in flight than streams hold.
pub fn can(cell: Cell) -> bool {
    let may_block = cell.pattern == Pattern::DealerRouter && cell.size * IN_FLIGHT > PIECE;
    match cell.transport {
        Transport::Tcp | Transport::Ipc => cell.topics == 1 && !may_block,
        Transport::Inproc => super::channel::can(cell),
    }
}

pub struct Raw;

pub struct RawSocket {
    lines: Vec<Line>,
    /// Whose turn it is.
    turn: usize,
    /// Whether every message goes to all.
    is_pub: bool,
    /// What a message has.
    size: usize,
}

/// One stream.
struct Line {
    stream: Box<dyn Stream>,
    output: Vec<u8>,
    input: Vec<u8>,
    /// How many octets were read and not received.
    unread: usize,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Line {
    fn new(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), output: Vec::new(), input: vec![0; PIECE], unread: 0 }
    }

    fn tcp(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("nodelay");
        Self::new(stream)
    }

    async fn flush(&mut self) {
        self.stream.write_all(&self.output).await.expect("write");
        self.output.clear();
    }

    /// Sends, and tells whether that completed a piece.
    async fn send(&mut self, body: &[u8]) -> bool {
        if body.len() >= PIECE {
            self.stream.write_all(body).await.expect("write");
            return true;
        }
        self.output.extend_from_slice(body);
        let is_piece = self.output.len() >= PIECE;
        if is_piece {
            self.flush().await;
        }
        is_piece
    }

    /// Reads until there is a message.
    async fn fill(&mut self, size: usize) {
        if self.unread < size && !self.output.is_empty() {
            self.flush().await;
        }
        while self.unread < size {
            let count = self.stream.read(&mut self.input).await.expect("read");
            assert!(count > 0, "the other end is gone");
            self.unread += count;
        }
    }
}

impl RawSocket {
    async fn accept(setup: &Setup, endpoint: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(path) = endpoint.strip_prefix("ipc://") {
            let listener = UnixListener::bind(path).expect("bind");
            setup.bound(endpoint.to_owned());
            while lines.len() < setup.cell.peers {
                lines.push(Line::new(listener.accept().await.expect("accept").0));
            }
        } else {
            let listener = TcpListener::bind(endpoint.trim_start_matches("tcp://")).await;
            let listener = listener.expect("bind");
            setup.bound(format!("tcp://{}", listener.local_addr().expect("address")));
            while lines.len() < setup.cell.peers {
                lines.push(Line::tcp(listener.accept().await.expect("accept").0));
            }
        }
        lines
    }

    async fn connect(endpoint: &str) -> Line {
        match endpoint.strip_prefix("ipc://") {
            Some(path) => Line::new(UnixStream::connect(path).await.expect("connect")),
            None => {
                let address = endpoint.trim_start_matches("tcp://");
                Line::tcp(TcpStream::connect(address).await.expect("connect"))
            }
        }
    }

    /// The next one's turn.
    fn turn(&mut self) {
        self.turn = (self.turn + 1) % self.lines.len();
    }
}

impl Socket for RawSocket {
    async fn open(setup: &Setup) -> Self {
        let lines = match setup.binds() {
            Some(endpoint) => Self::accept(setup, endpoint).await,
            None => vec![Self::connect(&setup.endpoint().await).await],
        };
        Self { lines, turn: 0, is_pub: setup.role() == Role::Pub, size: setup.cell.size }
    }
}

impl Sends for RawSocket {
    async fn send(&mut self, body: &Bytes) {
        if self.is_pub {
            for line in &mut self.lines {
                line.send(body).await;
            }
        } else if self.lines[self.turn].send(body).await {
            self.turn();
        }
    }

    async fn flush(&mut self) {
        for line in &mut self.lines {
            line.flush().await;
        }
    }
}

impl Receives for RawSocket {
    async fn recv(&mut self) -> usize {
        let line = &mut self.lines[self.turn];
        line.fill(self.size).await;
        line.unread -= self.size;
        if line.unread < self.size && self.lines.len() > 1 {
            self.turn();
        }
        self.size
    }
}

impl Echoes for RawSocket {
    async fn echo(&mut self) -> usize {
        let size = self.size;
        let line = &mut self.lines[self.turn];
        line.fill(size).await;
        line.unread -= size;
        line.output.resize(line.output.len() + size, b'x');
        if line.unread < size {
            line.flush().await;
            self.turn();
        }
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
    type Dealer = RawSocket;
    type Router = RawSocket;
    type Pair = RawSocket;
}
