//! A peer that is a plain TCP socket: it says exactly what a test tells it to.

use ferromq::{Endpoint, RoutingId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::soon;

/// The greeting of a ZMTP 3.1 peer with the mechanism NULL.
pub(crate) const GREETING: [u8; 64] = {
    let mut octets = [0; 64];
    octets[0] = 0xFF;
    octets[9] = 0x7F;
    octets[10] = 3;
    octets[11] = 1;
    octets[12] = b'N';
    octets[13] = b'U';
    octets[14] = b'L';
    octets[15] = b'L';
    octets
};

/// A greeting that differs in some octets.
pub(crate) fn greeting(changes: &[(usize, u8)]) -> [u8; 64] {
    let mut octets = GREETING;
    for &(index, octet) in changes {
        octets[index] = octet;
    }
    octets
}

/// The greeting of a peer that wants this mechanism.
#[cfg(any(feature = "plain", feature = "curve"))]
pub(crate) fn greeting_of(mechanism: &str, is_server: bool) -> [u8; 64] {
    let mut octets = GREETING;
    octets[12..32].fill(0);
    octets[12..12 + mechanism.len()].copy_from_slice(mechanism.as_bytes());
    octets[32] = u8::from(is_server);
    octets
}

/// A READY with these properties.
pub(crate) fn ready(properties: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    for (name, value) in properties {
        body.push(name.len() as u8);
        body.extend(name.as_bytes());
        body.extend((value.len() as u32).to_be_bytes());
        body.extend(*value);
    }
    command(&body)
}

/// A command frame.
pub(crate) fn command(body: &[u8]) -> Vec<u8> {
    frame(0x04, body)
}

/// A frame with these flags, LONG aside, and the shortest size.
pub(crate) fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    match u8::try_from(body.len()) {
        Ok(size) => octets.extend([flags, size]),
        Err(_) => {
            octets.push(flags | 0x02);
            octets.extend((body.len() as u64).to_be_bytes());
        }
    }
    octets.extend(body);
    octets
}

/// One frame as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) flags: u8,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Wire(TcpStream);

impl Wire {
    /// Connects to a socket that is bound.
    pub(crate) async fn dial(endpoint: &Endpoint) -> Self {
        let text = endpoint.to_string();
        let address = text.strip_prefix("tcp://").unwrap();
        Self(soon(TcpStream::connect(address)).await.unwrap())
    }

    /// Connects, and does the handshake of such a socket.
    pub(crate) async fn join(endpoint: &Endpoint, socket_type: &str) -> Self {
        let mut wire = Self::dial(endpoint).await;
        wire.shake_hands(socket_type).await;
        wire
    }

    /// Connects, and does the handshake of a socket that names itself.
    pub(crate) async fn join_as(endpoint: &Endpoint, socket_type: &str, id: &RoutingId) -> Self {
        let mut wire = Self::dial(endpoint).await;
        wire.greet().await;
        let id = ("Identity", &id.as_bytes()[..]);
        wire.send(&ready(&[("Socket-Type", socket_type.as_bytes()), id])).await;
        wire.frame().await;
        wire
    }

    /// Exchanges greetings.
    pub(crate) async fn greet(&mut self) {
        self.send(&GREETING).await;
        self.take(64).await;
    }

    /// Exchanges greetings, this one for that of the peer.
    #[cfg(any(feature = "plain", feature = "curve"))]
    pub(crate) async fn greet_with(&mut self, greeting: &[u8; 64]) -> Vec<u8> {
        self.send(greeting).await;
        self.take(64).await
    }

    /// Exchanges greetings and READY; gives the body of the peer's READY.
    pub(crate) async fn shake_hands(&mut self, socket_type: &str) -> Vec<u8> {
        self.greet().await;
        self.send(&ready(&[("Socket-Type", socket_type.as_bytes())])).await;
        let Frame { flags, body } = self.frame().await;
        assert_eq!(flags, 0x04, "READY is a command");
        assert!(body.starts_with(b"\x05READY"), "{}", body.escape_ascii());
        body
    }

    pub(crate) async fn send(&mut self, octets: &[u8]) {
        soon(self.0.write_all(octets)).await.unwrap();
    }

    /// The next octets, as many as that.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<u8> {
        let mut octets = vec![0; count];
        soon(self.0.read_exact(&mut octets)).await.unwrap();
        octets
    }

    /// The next octets must be these.
    #[track_caller]
    pub(crate) fn expect(&mut self, octets: &[u8]) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let came = self.take(octets.len()).await;
            let (came, wanted) = (came.escape_ascii(), octets.escape_ascii());
            assert_eq!(came.to_string(), wanted.to_string(), "at {place}");
        }
    }

    pub(crate) async fn frame(&mut self) -> Frame {
        let flags = self.take(1).await[0];
        let size = match flags & 0x02 {
            0 => u64::from(self.take(1).await[0]),
            _ => u64::from_be_bytes(self.take(8).await.try_into().unwrap()),
        };
        Frame { flags, body: self.take(usize::try_from(size).unwrap()).await }
    }

    /// Waits until all that was sent has been read and acted upon: PONG comes
    /// after what was before PING. Nothing else may come in between.
    pub(crate) async fn sync(&mut self) {
        self.send(b"\x04\x0B\x04PING\x00\x00sync").await;
        self.expect(b"\x04\x09\x04PONGsync").await;
    }

    /// Reads until the peer closes; gives what still came. A reset is an end,
    /// too.
    pub(crate) async fn end(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        let _ = soon(self.0.read_to_end(&mut octets)).await;
        octets
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn finish(&mut self) {
        soon(self.0.shutdown()).await.unwrap();
    }
}

/// A listener whose connections are [`Wire`]s.
pub(crate) struct Trap(TcpListener);

impl Trap {
    pub(crate) async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        format!("tcp://{}", self.0.local_addr().unwrap()).parse().unwrap()
    }

    pub(crate) async fn accept(&self) -> Wire {
        Wire(soon(self.0.accept()).await.unwrap().0)
    }
}
