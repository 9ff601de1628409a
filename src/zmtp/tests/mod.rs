//! The wire, octet by octet, and then at every split point.

mod chunking;
mod decoder;
mod encoder;
mod greeting;
mod handshake;
mod heartbeat;
mod metadata;
#[cfg(feature = "plain")]
mod plain;
mod policy;
mod reassurance;
pub(crate) mod seal;
mod traffic;

use bytes::{BufMut, Bytes};

use super::connection::{Handshake, HandshakeConfig, Incoming, Receiving, Sending};
use crate::{Message, PeerFault, PeerInfo, SocketType};

/// What libzmq 4.3 greets with.
const GREETING: &[u8; 64] = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL\0\0\0\0\0\0\0\0\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// What a DEALER of libzmq says after it.
const DEALER_READY: &[u8; 43] =
    b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\0";

/// What each of our READYs ends with.
const ANNOUNCEMENT: &[u8; 15] = b"\x09X-Ferromq\0\0\0\x011";

/// The same of one of ours.
const OUR_DEALER_READY: &[u8; 58] = b"\x04\x38\x05READY\x0bSocket-Type\0\0\0\x06DEALER\
    \x08Identity\0\0\0\0\x09X-Ferromq\0\0\0\x011";

fn config(socket_type: SocketType) -> HandshakeConfig {
    use SocketType::{Dealer, Req, Router};
    let is_named = matches!(socket_type, Req | Dealer | Router);
    HandshakeConfig {
        socket_type,
        identity: is_named.then(Bytes::new),
        metadata: Vec::new(),
        max_message_size: None,
        judges: false,
        pings: false,
        security: Default::default(),
    }
}

/// A short handshake frame around `body`.
fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut octets = vec![flags, u8::try_from(body.len()).unwrap()];
    octets.extend_from_slice(body);
    octets
}

fn message(frames: &[&[u8]]) -> Message {
    let mut frames = frames.iter().map(|frame| Bytes::copy_from_slice(frame));
    let mut message = Message::from(frames.next().unwrap());
    frames.for_each(|frame| message.push_back(frame));
    message
}

/// The traffic of a connection whose peer spoke `minor`.
fn traffic(minor: u8, max_message_size: Option<usize>) -> (Receiving, Sending, PeerInfo) {
    let mut handshake =
        Handshake::new(HandshakeConfig { max_message_size, ..config(SocketType::Dealer) });
    let mut greeting = *GREETING;
    greeting[11] = minor;
    handshake.feed(&greeting).unwrap();
    handshake.feed(DEALER_READY).unwrap();
    handshake.output();
    assert!(handshake.is_done());
    handshake.into_traffic()
}

/// Reads once: as much of the front of `octets` as there is room for.
fn read(receiving: &mut Receiving, octets: &mut &[u8]) -> usize {
    // As the system does: no further than there is memory.
    let mut space = receiving.space();
    let room = space.chunk_mut().len();
    assert!(room > 0);
    let (taken, rest) = octets.split_at(room.min(octets.len()));
    space.put_slice(taken);
    *octets = rest;
    taken.len()
}

/// Everything that comes of `octets`, read `step` at a time, and the fault
/// that ended it.
fn receive_in(
    receiving: &mut Receiving,
    mut octets: &[u8],
    mut step: impl FnMut() -> usize,
) -> (Vec<Incoming>, Option<PeerFault>) {
    let mut received = Vec::new();
    loop {
        loop {
            match receiving.next() {
                Ok(Some(incoming)) => received.push(incoming),
                Ok(None) => break,
                Err(fault) => {
                    assert_eq!(receiving.next(), Err(fault.clone()));
                    return (received, Some(fault));
                }
            }
        }
        if octets.is_empty() {
            return (received, None);
        }
        let (mut now, _) = octets.split_at(step().clamp(1, octets.len()));
        let taken = read(receiving, &mut now);
        octets = &octets[taken..];
    }
}

fn receive(receiving: &mut Receiving, octets: &[u8]) -> (Vec<Incoming>, Option<PeerFault>) {
    receive_in(receiving, octets, || usize::MAX)
}

/// The fault that `octets` in the traffic lead to, at once and octet by octet.
fn fault_of(octets: &[u8]) -> PeerFault {
    let (_, whole) = receive(&mut traffic(1, None).0, octets);
    let (_, dribbled) = receive_in(&mut traffic(1, None).0, octets, || 1);
    assert_eq!(whole, dribbled);
    whole.unwrap()
}
