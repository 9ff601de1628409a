//! CURVE without I/O: our client and our server with each other, and each of them
//! with a peer that a test makes say what it should not.

mod boxes;
mod forged;
mod handshake;
mod metadata;
mod traffic;

use std::sync::Arc;

use bytes::BytesMut;

use super::boxes::SharedKey;
use super::{
    COOKIE, HELLO_NONCE, INITIATE_NONCE, KEY, PADDING, READY_NONCE, SIGNATURE, VOUCH_NONCE,
    WELCOME_NONCE,
};
use crate::fault::PeerFault;
use crate::security::{CurveKeypair, CurvePublicKey, CurveSecretKey, Policy, Security, Verdict};
use crate::socket_type::SocketType;
use crate::zmtp::{Handshake, HandshakeConfig};

/// What a peer greets with that wants CURVE and does not say that it is a server.
const GREETING: &[u8; 64] = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01CURVE\0\0\0\0\0\0\0\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// What PUSH and PULL say of themselves.
const PUSH: &[u8; 35] = b"\x0bSocket-Type\0\0\0\x04PUSH\x09X-Ferromq\0\0\0\x011";
const PULL: &[u8; 35] = b"\x0bSocket-Type\0\0\0\x04PULL\x09X-Ferromq\0\0\0\x011";

/// The seven public keys, in the form that the last bit is not set in, with which
/// every secret is zero.
const LOW_ORDER: [[u8; 32]; 7] = {
    const fn near_p(lowest: u8) -> [u8; 32] {
        let mut key = [0xff; 32];
        key[0] = lowest;
        key[31] = 0x7f;
        key
    }
    const fn small(value: u8) -> [u8; 32] {
        let mut key = [0; 32];
        key[0] = value;
        key
    }
    [
        small(0),
        small(1),
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
            0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
            0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83,
            0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd,
            0xd0, 0x9f, 0x11, 0x57,
        ],
        near_p(0xec),
        near_p(0xed),
        near_p(0xee),
    ]
};

/// A pair that is the same each time.
fn keys(number: u8) -> CurveKeypair {
    CurveKeypair::from_secret(CurveSecretKey::from_bytes([number; 32]))
}

/// S, C and, for those whom a test speaks for, C' and S'.
const SERVER: u8 = 1;
const CLIENT: u8 = 2;
const SHORT_CLIENT: u8 = 3;
const SHORT_SERVER: u8 = 4;
/// Those of somebody else.
const OTHER: u8 = 5;
const OTHER_SERVER: u8 = 6;

fn config(socket_type: SocketType, security: Security) -> HandshakeConfig {
    HandshakeConfig {
        socket_type,
        identity: None,
        metadata: Vec::new(),
        max_message_size: None,
        judges: false,
        pings: false,
        security,
    }
}

fn server_of(keys: CurveKeypair) -> Handshake {
    let security = Security::CurveServer { keys: Arc::new(keys), policy: Policy::allow_any() };
    Handshake::new(config(SocketType::Pull, security))
}

fn client_of(keys: CurveKeypair, server: CurvePublicKey) -> Handshake {
    let security = Security::CurveClient { keys: Arc::new(keys), server };
    Handshake::new(config(SocketType::Push, security))
}

/// A server that has the peer's greeting, its own taken.
fn server() -> Handshake {
    greeted(server_of(keys(SERVER)))
}

/// A client that has the peer's greeting, and its HELLO.
fn client() -> (Handshake, Vec<u8>) {
    let mut client = greeted_not_taken(client_of(keys(CLIENT), *keys(SERVER).public()));
    let said = client.output().split_off(64);
    (client, body(&said))
}

fn greeted(handshake: Handshake) -> Handshake {
    let mut handshake = greeted_not_taken(handshake);
    assert_eq!(handshake.output().len(), 64);
    handshake
}

fn greeted_not_taken(mut handshake: Handshake) -> Handshake {
    handshake.feed(GREETING).unwrap();
    handshake
}

/// A command frame.
fn frame(body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(size) => [&[0x04, size], body].concat(),
        Err(_) => [&[0x06], &(body.len() as u64).to_be_bytes()[..], body].concat(),
    }
}

/// The body of the one command frame that these octets are.
fn body(octets: &[u8]) -> Vec<u8> {
    let (header, size) = match octets[0] {
        0x04 => (2, u64::from(octets[1])),
        0x06 => (9, u64::from_be_bytes(octets[1..9].try_into().unwrap())),
        flags => panic!("no command: {flags:#x}"),
    };
    assert_eq!((octets.len() - header) as u64, size, "one frame, and no more");
    octets[header..].to_vec()
}

/// What a command leads to, and what is said to it: nothing, or one command.
fn say(handshake: &mut Handshake, command: &[u8]) -> Result<Option<Vec<u8>>, PeerFault> {
    let fed = handshake.feed(&frame(command));
    let fed = fed.and_then(|()| match handshake.question() {
        Some(_) => handshake.answer(Verdict::accept()),
        None => Ok(()),
    });
    let said = handshake.output();
    fed.map(|()| (!said.is_empty()).then(|| body(&said)))
}

/// The same, where there has to be an answer.
fn ask(handshake: &mut Handshake, command: &[u8]) -> Vec<u8> {
    say(handshake, command).unwrap().unwrap()
}

/// The fault that a command is, which is answered by nothing and does not change.
#[track_caller]
fn silent_fault(handshake: &mut Handshake, command: &[u8]) -> PeerFault {
    let fault = handshake.feed(&frame(command)).unwrap_err();
    assert!(handshake.output().is_empty(), "{fault}");
    assert!(!handshake.is_done() && handshake.question().is_none());
    assert_eq!(handshake.feed(b"x"), Err(fault.clone()));
    assert_eq!(handshake.held(), 0);
    fault
}

fn key(octets: &[u8]) -> CurvePublicKey {
    CurvePublicKey::try_from(octets).unwrap()
}

fn shared(ours: &CurveKeypair, theirs: &CurvePublicKey) -> SharedKey {
    SharedKey::agree(ours.secret(), theirs).unwrap()
}

/// A client that says what a test wants.
struct ForgedClient {
    keys: CurveKeypair,
    short: CurveKeypair,
    server: CurvePublicKey,
    hello_number: u64,
}

/// What its INITIATE is made of.
struct Said {
    cookie: Vec<u8>,
    number: u64,
    key: CurvePublicKey,
    /// Whose word it is that these two belong to each other.
    voucher: CurveKeypair,
    vouched: [CurvePublicKey; 2],
    metadata: Vec<u8>,
}

impl ForgedClient {
    fn new() -> Self {
        Self {
            keys: keys(CLIENT),
            short: keys(SHORT_CLIENT),
            server: *keys(SERVER).public(),
            hello_number: 1,
        }
    }

    fn hello(&self) -> Vec<u8> {
        self.hello_of(&SIGNATURE)
    }

    fn hello_of(&self, signed: &[u8]) -> Vec<u8> {
        let shared = shared(&self.short, &self.server);
        let signature = shared.keyed(HELLO_NONCE).seal_vec(self.hello_number, signed);
        let number = self.hello_number.to_be_bytes();
        let public = self.short.public().as_bytes();
        [&b"\x05HELLO\x01\x00"[..], &[0; PADDING], public, &number, &signature].concat()
    }

    /// S' and the cookie.
    fn open_welcome(&self, welcome: &[u8]) -> (CurvePublicKey, Vec<u8>) {
        let rest = welcome.strip_prefix(b"\x07WELCOME").unwrap();
        let (nonce, sealed) = rest.split_first_chunk().unwrap();
        let plain = shared(&self.short, &self.server).open((WELCOME_NONCE, nonce), sealed).unwrap();
        (key(&plain[..KEY]), plain[KEY..].to_vec())
    }

    fn initiate(&self, welcome: &[u8], change: impl FnOnce(&mut Said)) -> Vec<u8> {
        let (server, cookie) = self.open_welcome(welcome);
        let mut said = Said {
            cookie,
            number: 2,
            key: *self.keys.public(),
            voucher: self.keys.clone(),
            vouched: [*self.short.public(), self.server],
            metadata: PUSH.to_vec(),
        };
        change(&mut said);
        let vouched = said.vouched.map(|key| *key.as_bytes()).concat();
        let vouch = shared(&said.voucher, &server).seal((VOUCH_NONCE, &[7; 16]), &vouched);
        let plain = [said.key.as_bytes(), &[7; 16][..], &vouch, &said.metadata].concat();
        let sealed =
            shared(&self.short, &server).keyed(INITIATE_NONCE).seal_vec(said.number, &plain);
        [&b"\x08INITIATE"[..], &said.cookie, &said.number.to_be_bytes(), &sealed].concat()
    }
}

/// A server of ours that has the INITIATE of a forged client.
fn initiated(change: impl FnOnce(&mut Said)) -> (Handshake, Result<(), PeerFault>) {
    let (mut server, client) = (server(), ForgedClient::new());
    let welcome = ask(&mut server, &client.hello());
    let initiate = client.initiate(&welcome, change);
    let fed = server.feed(&frame(&initiate));
    (server, fed)
}

/// A server that says what a test wants.
struct ForgedServer {
    keys: CurveKeypair,
    short: CurveKeypair,
    /// C'.
    client: CurvePublicKey,
}

impl ForgedServer {
    /// One that knows this HELLO.
    fn new(hello: &[u8]) -> Self {
        Self { keys: keys(SERVER), short: keys(SHORT_SERVER), client: key(&hello[80..112]) }
    }

    fn welcome(&self) -> Vec<u8> {
        self.welcome_of(&[&self.short.public().as_bytes()[..], &[9; COOKIE]].concat())
    }

    fn welcome_of(&self, plain: &[u8]) -> Vec<u8> {
        let nonce = [8; 16];
        let sealed = shared(&self.keys, &self.client).seal((WELCOME_NONCE, &nonce), plain);
        [&b"\x07WELCOME"[..], &nonce, &sealed].concat()
    }

    fn ready(&self, number: u64, metadata: &[u8]) -> Vec<u8> {
        let sealed =
            shared(&self.short, &self.client).keyed(READY_NONCE).seal_vec(number, metadata);
        [&b"\x05READY"[..], &number.to_be_bytes(), &sealed].concat()
    }
}

/// The commands of one handshake of our client with our server, who have them.
struct Dialogue {
    client: Handshake,
    server: Handshake,
    hello: Vec<u8>,
    welcome: Vec<u8>,
    initiate: Vec<u8>,
    ready: Vec<u8>,
}

impl Dialogue {
    fn new() -> Self {
        let ((mut client, hello), mut server) = (client(), server());
        let welcome = ask(&mut server, &hello);
        let initiate = ask(&mut client, &welcome);
        let ready = ask(&mut server, &initiate);
        assert_eq!(say(&mut client, &ready), Ok(None));
        assert!(client.is_done() && server.is_done());
        Self { client, server, hello, welcome, initiate, ready }
    }
}

/// What a handshake has to say, as one piece.
fn take(handshake: &mut Handshake) -> BytesMut {
    if handshake.question().is_some() {
        handshake.answer(Verdict::accept()).unwrap();
    }
    handshake.output()
}
