//! [`Raw`]: a peer made of literal octets, and the octets it sends.

use std::io;
use std::time::Duration;

use ferromq::Endpoint;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::victim::within;

pub(crate) const MORE: u8 = 1;
pub(crate) const LONG: u8 = 2;
pub(crate) const COMMAND: u8 = 4;

/// The greeting of a ZMTP `major`.`minor` peer with this mechanism.
pub(crate) fn greeting_of(major: u8, minor: u8, mechanism: &[u8]) -> Vec<u8> {
    let mut octets = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, major, minor];
    octets.extend_from_slice(mechanism);
    octets.resize(64, 0);
    octets
}

pub(crate) fn greeting() -> Vec<u8> {
    greeting_of(3, 1, b"NULL")
}

/// A frame with these flags; LONG is added if the size needs it or it is asked.
pub(crate) fn frame(flags: u8, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut octets = header(flags, body.len() as u64);
    octets.extend_from_slice(body);
    octets
}

/// A header that claims `size`, whatever follows.
pub(crate) fn header(flags: u8, size: u64) -> Vec<u8> {
    if size > 255 || flags & LONG != 0 {
        [vec![flags | LONG], size.to_be_bytes().to_vec()].concat()
    } else {
        vec![flags, size as u8]
    }
}

/// The body of a command.
pub(crate) fn command_body(name: &str, data: impl AsRef<[u8]>) -> Vec<u8> {
    [&[name.len() as u8], name.as_bytes(), data.as_ref()].concat()
}

pub(crate) fn command(name: &str, data: impl AsRef<[u8]>) -> Vec<u8> {
    frame(COMMAND, command_body(name, data))
}

pub(crate) fn property(name: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    let len = (value.len() as u32).to_be_bytes();
    [&[name.len() as u8], name.as_bytes(), &len, value].concat()
}

/// The READY of a socket of this type, with an empty identity.
pub(crate) fn ready(socket_type: &str) -> Vec<u8> {
    ready_as(socket_type, "")
}

pub(crate) fn ready_as(socket_type: &str, identity: &str) -> Vec<u8> {
    let properties = [property("Socket-Type", socket_type), property("Identity", identity)];
    command("READY", properties.concat())
}

/// Greeting and READY: all that a peer says before its first message.
pub(crate) fn prelude(socket_type: &str) -> Vec<u8> {
    [greeting(), ready(socket_type)].concat()
}

/// Octets that look like noise, the same in each run.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

/// A connection to the victim.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn connect(endpoint: &Endpoint) -> Self {
        let port = endpoint.port().expect("a tcp endpoint");
        let stream = within(TcpStream::connect(("127.0.0.1", port))).await.expect("connects");
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = within(listener.accept()).await.expect("accepts");
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Connects and does the handshake as a socket of this type.
    pub(crate) async fn join(endpoint: &Endpoint, socket_type: &str) -> Self {
        let mut raw = Self::connect(endpoint).await;
        raw.shake(&prelude(socket_type)).await;
        raw
    }

    /// Accepts and does the handshake as a socket of this type.
    pub(crate) async fn welcome(listener: &TcpListener, socket_type: &str) -> Self {
        let mut raw = Self::accept(listener).await;
        raw.shake(&prelude(socket_type)).await;
        raw
    }

    /// Says what is given, and reads the victim's greeting and READY.
    pub(crate) async fn shake(&mut self, prelude: &[u8]) {
        self.send(prelude).await;
        self.read(64).await;
        let (flags, body) = self.frame().await;
        assert_eq!((flags, &body[..6]), (COMMAND, &b"\x05READY"[..]));
    }

    pub(crate) async fn send(&mut self, octets: &[u8]) {
        within(self.0.write_all(octets)).await.expect("the victim reads");
    }

    pub(crate) async fn read(&mut self, len: usize) -> Vec<u8> {
        let mut octets = vec![0; len];
        within(self.0.read_exact(&mut octets)).await.expect("the victim writes");
        octets
    }

    /// Reads one frame: its flags without LONG, and its body.
    pub(crate) async fn frame(&mut self) -> (u8, Vec<u8>) {
        let flags = self.read(1).await[0];
        let size = match flags & LONG {
            0 => usize::from(self.read(1).await[0]),
            _ => u64::from_be_bytes(self.read(8).await.try_into().unwrap()) as usize,
        };
        (flags & !LONG, self.read(size).await)
    }

    /// Waits until the victim has dealt with all that was sent so far.
    pub(crate) async fn barrier(&mut self) {
        self.send(&command("PING", b"\0\0barrier")).await;
        while self.frame().await != (COMMAND, command_body("PONG", "barrier")) {}
    }

    /// Ends our half.
    pub(crate) async fn finish(&mut self) {
        let _ = self.0.shutdown().await;
    }

    /// Ends with a reset.
    pub(crate) fn reset(self) {
        SockRef::from(&self.0).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Waits until the victim ends its half or resets; gives what it said.
    pub(crate) async fn closed(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        within(async {
            let mut octets = [0; 4096];
            while let Ok(count @ 1..) = self.0.read(&mut octets).await {
                said.extend_from_slice(&octets[..count]);
            }
        })
        .await;
        said
    }

    /// Waits until the victim no longer takes what is sent: it is gone for good
    /// and not only silent.
    pub(crate) async fn refused(&mut self, octets: &[u8]) {
        within(async {
            while self.0.write_all(octets).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }

    /// Writes until the victim has read nothing for `patience`; says how many
    /// octets it took.
    pub(crate) async fn flood(&mut self, octets: &[u8], patience: Duration) -> io::Result<usize> {
        let mut taken = 0;
        let mut next = 0;
        loop {
            let writing = self.0.write(&octets[next..]);
            let Ok(count) = tokio::time::timeout(patience, writing).await else { return Ok(taken) };
            let count = count?;
            taken += count;
            next = (next + count) % octets.len();
        }
    }
}
