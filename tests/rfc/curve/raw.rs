//! Clients and servers of CURVE on plain TCP, that do what a test tells them.

use ferromq::{CurveKeypair, CurvePublicKey, Endpoint};

use super::keys;
use super::nacl::{Key, long, open, seal, short};
use crate::wire::{Trap, Wire, command, frame, greeting_of};

/// The list of a PUSH, and of a PULL.
pub(super) const PUSH: &[u8] = b"\x0BSocket-Type\x00\x00\x00\x04PUSH";
pub(super) const PULL: &[u8] = b"\x0BSocket-Type\x00\x00\x00\x04PULL";

pub(super) struct Client {
    pub(super) wire: Wire,
    pub(super) keys: CurveKeypair,
    pub(super) short: CurveKeypair,
    pub(super) server: Key,
    /// S', once it is known.
    pub(super) server_short: Key,
    pub(super) cookie: Vec<u8>,
}

impl Client {
    /// Connects and greets.
    pub(super) async fn dial(endpoint: &Endpoint, server: &CurveKeypair) -> Self {
        let mut wire = Wire::dial(endpoint).await;
        wire.greet_with(&greeting_of("CURVE", false)).await;
        let (keys, short) = (keys(), keys());
        let server = *server.public().as_bytes();
        Self { wire, keys, short, server, server_short: [0; 32], cookie: Vec::new() }
    }

    /// The whole handshake, with these properties. Gives those of the server.
    pub(super) async fn join(
        endpoint: &Endpoint,
        server: &CurveKeypair,
        metadata: &[u8],
    ) -> (Self, Vec<u8>) {
        let mut client = Self::dial(endpoint, server).await;
        client.greet().await;
        let initiate = client.initiate(2, metadata);
        client.say(&initiate).await;
        let ready = client.wire.frame().await.body;
        let metadata = client.open_ready(&ready);
        (client, metadata)
    }

    pub(super) async fn say(&mut self, body: &[u8]) {
        self.wire.send(&command(body)).await;
    }

    /// HELLO and WELCOME; gives the latter.
    pub(super) async fn greet(&mut self) -> Vec<u8> {
        let hello = self.hello(1);
        self.say(&hello).await;
        let welcome = self.wire.frame().await.body;
        self.open_welcome(&welcome);
        welcome
    }

    pub(super) fn hello(&self, number: u64) -> Vec<u8> {
        let nonce = short(b"CurveZMQHELLO---", number);
        let signature = seal(&self.short, &self.server, &nonce, &[0; 64]);
        let public = self.short.public().as_bytes();
        let number = number.to_be_bytes();
        [&b"\x05HELLO\x01\x00"[..], &[0; 72], public, &number, &signature].concat()
    }

    pub(super) fn open_welcome(&mut self, welcome: &[u8]) {
        assert_eq!((&welcome[..8], welcome.len()), (&b"\x07WELCOME"[..], 168));
        let nonce = long(b"WELCOME-", &welcome[8..24]);
        let plain = open(&self.short, &self.server, &nonce, &welcome[24..]);
        self.server_short = plain[..32].try_into().unwrap();
        self.cookie = plain[32..].to_vec();
        assert_eq!(self.cookie.len(), 96);
    }

    pub(super) fn initiate(&self, number: u64, metadata: &[u8]) -> Vec<u8> {
        let vouched = [self.short.public().as_bytes(), &self.server[..]].concat();
        self.initiate_with(number, &self.keys, &vouched, metadata)
    }

    /// One by which somebody vouches for something.
    pub(super) fn initiate_with(
        &self,
        number: u64,
        voucher: &CurveKeypair,
        vouched: &[u8],
        metadata: &[u8],
    ) -> Vec<u8> {
        self.claim(number, self.keys.public(), voucher, vouched, metadata)
    }

    /// One that claims a key.
    pub(super) fn claim(
        &self,
        number: u64,
        own: &CurvePublicKey,
        voucher: &CurveKeypair,
        vouched: &[u8],
        metadata: &[u8],
    ) -> Vec<u8> {
        let vouch = seal(voucher, &self.server_short, &long(b"VOUCH---", &[7; 16]), vouched);
        let own = own.as_bytes();
        let plain = [&own[..], &[7; 16], &vouch, metadata].concat();
        let nonce = short(b"CurveZMQINITIATE", number);
        let sealed = seal(&self.short, &self.server_short, &nonce, &plain);
        [&b"\x08INITIATE"[..], &self.cookie, &number.to_be_bytes(), &sealed].concat()
    }

    pub(super) fn open_ready(&self, ready: &[u8]) -> Vec<u8> {
        assert_eq!(&ready[..6], b"\x05READY");
        let number = u64::from_be_bytes(ready[6..14].try_into().unwrap());
        assert_eq!(number, 1);
        let nonce = short(b"CurveZMQREADY---", number);
        open(&self.short, &self.server_short, &nonce, &ready[14..])
    }

    /// A frame with a MESSAGE.
    pub(super) fn message(&self, number: u64, plain: &[u8]) -> Vec<u8> {
        message(b"CurveZMQMESSAGEC", &self.short, &self.server_short, number, plain)
    }

    /// The next MESSAGE: its number, and what is in it.
    pub(super) async fn receive(&mut self) -> (u64, Vec<u8>) {
        let body = self.wire.frame().await.body;
        open_message(b"CurveZMQMESSAGES", &self.short, &self.server_short, &body)
    }
}

fn message(
    prefix: &[u8; 16],
    ours: &CurveKeypair,
    theirs: &Key,
    number: u64,
    plain: &[u8],
) -> Vec<u8> {
    let sealed = seal(ours, theirs, &short(prefix, number), plain);
    frame(0, &[&b"\x07MESSAGE"[..], &number.to_be_bytes(), &sealed].concat())
}

fn open_message(
    prefix: &[u8; 16],
    ours: &CurveKeypair,
    theirs: &Key,
    body: &[u8],
) -> (u64, Vec<u8>) {
    assert!(body.starts_with(b"\x07MESSAGE") && body.len() >= 33);
    let number = u64::from_be_bytes(body[8..16].try_into().unwrap());
    (number, open(ours, theirs, &short(prefix, number), &body[16..]))
}

pub(super) struct Server {
    pub(super) wire: Wire,
    pub(super) keys: CurveKeypair,
    pub(super) short: CurveKeypair,
    /// C'.
    pub(super) client_short: Key,
    /// C, once it is known.
    pub(super) client: Key,
    pub(super) hello: Vec<u8>,
    pub(super) initiate: Vec<u8>,
    pub(super) metadata: Vec<u8>,
}

impl Server {
    /// Accepts, greets and reads HELLO.
    pub(super) async fn accept(trap: &Trap, server: &CurveKeypair) -> Self {
        let mut wire = trap.accept().await;
        wire.greet_with(&greeting_of("CURVE", true)).await;
        let hello = wire.frame().await.body;
        let client_short = hello[80..112].try_into().unwrap();
        let (keys, short) = (server.clone(), keys());
        let (client, initiate, metadata) = ([0; 32], Vec::new(), Vec::new());
        Self { wire, keys, short, client_short, client, hello, initiate, metadata }
    }

    pub(super) async fn say(&mut self, body: &[u8]) {
        self.wire.send(&command(body)).await;
    }

    pub(super) fn welcome(&self) -> Vec<u8> {
        self.welcome_of(&[&self.short.public().as_bytes()[..], &[9; 96]].concat())
    }

    pub(super) fn welcome_of(&self, plain: &[u8]) -> Vec<u8> {
        let sealed = seal(&self.keys, &self.client_short, &long(b"WELCOME-", &[8; 16]), plain);
        [&b"\x07WELCOME"[..], &[8; 16], &sealed].concat()
    }

    /// Says WELCOME and opens INITIATE.
    pub(super) async fn greet(&mut self) {
        let welcome = self.welcome();
        self.say(&welcome).await;
        let initiate = self.wire.frame().await.body;
        let number = u64::from_be_bytes(initiate[105..113].try_into().unwrap());
        let nonce = short(b"CurveZMQINITIATE", number);
        let plain = open(&self.short, &self.client_short, &nonce, &initiate[113..]);
        self.client = plain[..32].try_into().unwrap();
        let vouch =
            open(&self.short, &self.client, &long(b"VOUCH---", &plain[32..48]), &plain[48..128]);
        assert_eq!(vouch[..32], self.client_short);
        assert_eq!(vouch[32..], *self.keys.public().as_bytes());
        self.metadata = plain[128..].to_vec();
        self.initiate = initiate;
    }

    pub(super) fn ready(&self, number: u64, metadata: &[u8]) -> Vec<u8> {
        let nonce = short(b"CurveZMQREADY---", number);
        let sealed = seal(&self.short, &self.client_short, &nonce, metadata);
        [&b"\x05READY"[..], &number.to_be_bytes(), &sealed].concat()
    }

    /// The whole handshake.
    pub(super) async fn join(trap: &Trap, server: &CurveKeypair, metadata: &[u8]) -> Self {
        let mut server = Self::accept(trap, server).await;
        server.greet().await;
        let ready = server.ready(1, metadata);
        server.say(&ready).await;
        server
    }

    pub(super) fn message(&self, number: u64, plain: &[u8]) -> Vec<u8> {
        message(b"CurveZMQMESSAGES", &self.short, &self.client_short, number, plain)
    }

    pub(super) async fn receive(&mut self) -> (u64, Vec<u8>) {
        let body = self.wire.frame().await.body;
        open_message(b"CurveZMQMESSAGEC", &self.short, &self.client_short, &body)
    }
}
