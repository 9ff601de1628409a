//! MESSAGE: what is sealed, in which order, and what is not opened.

use bytes::BufMut;

use super::super::session::{Side, seals};
use super::*;
use crate::message::strip::{COMMAND, MORE};
use crate::zmtp::seal::{Open, Seal};
use crate::zmtp::{Incoming, Receiving};

type Half = (Box<dyn Seal>, Box<dyn Open>);

fn half(side: Side, ours: u64, theirs: u64) -> Half {
    let session = match side {
        Side::Client => shared(&keys(SHORT_CLIENT), keys(SHORT_SERVER).public()),
        Side::Server => shared(&keys(SHORT_SERVER), keys(SHORT_CLIENT).public()),
    };
    let seals = seals(&session, side, ours, theirs);
    (seals.seal.unwrap(), seals.open.unwrap())
}

/// What the client seals with, and what the server opens with.
fn client_to_server() -> Half {
    (half(Side::Client, 2, 1).0, half(Side::Server, 1, 2).1)
}

fn sealed(seal: &mut dyn Seal, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    seal.seal(flags, body, &mut out);
    out
}

fn opened(open: &mut dyn Open, mut message: Vec<u8>) -> Result<(u8, Vec<u8>), PeerFault> {
    let (flags, body) = open.open(&mut message)?;
    Ok((flags, message[body].to_vec()))
}

/// A MESSAGE of the client, of any number and anything inside.
fn forged(number: u64, plain: &[u8]) -> Vec<u8> {
    let session = shared(&keys(SHORT_CLIENT), keys(SHORT_SERVER).public());
    let sealed = session.keyed(b"CurveZMQMESSAGEC").seal_vec(number, plain);
    [&b"\x07MESSAGE"[..], &number.to_be_bytes(), &sealed].concat()
}

#[test]
fn a_message_has_33_octets_more_and_its_number() {
    let (mut seal, mut open) = client_to_server();
    for (len, number) in [0, 1, 222, 223, 255, 256, 8192, 70_000].into_iter().zip(3_u64..) {
        let body = vec![len as u8; len];
        let message = sealed(&mut *seal, 0, &body);
        assert_eq!(message.len(), 33 + len);
        assert_eq!(seal.overhead(), 33);
        assert_eq!(&message[..8], b"\x07MESSAGE");
        assert_eq!(message[8..16], number.to_be_bytes());
        assert_eq!(opened(&mut *open, message), Ok((0, body)));
    }
}

#[test]
fn a_message_is_what_the_rfc_says() {
    let (mut seal, mut open) = client_to_server();
    assert_eq!(sealed(&mut *seal, 0, b"Hello"), forged(3, b"\x00Hello"));
    assert_eq!(sealed(&mut *seal, MORE, b"Hello"), forged(4, b"\x01Hello"));
    // Of libzmq: the RFC has no commands in the traffic.
    assert_eq!(sealed(&mut *seal, COMMAND, b"\x04PING"), forged(5, b"\x02\x04PING"));
    assert_eq!(opened(&mut *open, forged(3, b"\x01a")), Ok((MORE, b"a".to_vec())));
    assert_eq!(opened(&mut *open, forged(4, b"\x02a")), Ok((COMMAND, b"a".to_vec())));
    // Bits that nobody uses are not looked at.
    assert_eq!(opened(&mut *open, forged(5, b"\xfca")), Ok((0, b"a".to_vec())));
}

#[test]
fn each_side_goes_on_counting_where_its_handshake_ended() {
    let (mut of_client, mut to_client) = half(Side::Client, 2, 1);
    let (mut of_server, mut to_server) = half(Side::Server, 1, 2);
    for number in 3..10_u64 {
        let message = sealed(&mut *of_client, 0, b"");
        assert_eq!(message[8..16], number.to_be_bytes());
        assert!(opened(&mut *to_server, message).is_ok());
    }
    for number in 2..10_u64 {
        let message = sealed(&mut *of_server, 0, b"");
        assert_eq!(message[8..16], number.to_be_bytes());
        assert!(opened(&mut *to_client, message).is_ok());
    }
}

#[test]
fn a_number_that_is_not_the_next_is_refused() {
    let (_, mut open) = client_to_server();
    assert_eq!(opened(&mut *open, forged(2, b"\0a")), Err(PeerFault::Replayed), "INITIATE had it");
    assert_eq!(opened(&mut *open, forged(0, b"\0a")), Err(PeerFault::Replayed));
    assert!(opened(&mut *open, forged(3, b"\0a")).is_ok());
    assert_eq!(opened(&mut *open, forged(3, b"\0a")), Err(PeerFault::Replayed));
    for number in [0, 1, 2, 3, 5, 9, u64::MAX] {
        assert_eq!(opened(&mut *open, forged(number, b"\0a")), Err(PeerFault::Replayed));
    }
    assert!(opened(&mut *open, forged(4, b"\0a")).is_ok());
    // The last that there is, after which none can come.
    let mut open = half(Side::Server, 1, u64::MAX - 1).1;
    assert!(opened(&mut *open, forged(u64::MAX, b"\0a")).is_ok());
    for number in [0, 1, u64::MAX] {
        assert_eq!(opened(&mut *open, forged(number, b"\0a")), Err(PeerFault::Replayed));
    }
}

#[test]
fn a_forged_number_does_not_shut_out_the_honest_ones() {
    let (mut seal, mut open) = client_to_server();
    let mut forged = sealed(&mut *seal, 0, b"a");
    let honest = forged.clone();
    forged[8] = 0xff;
    assert_eq!(opened(&mut *open, forged), Err(PeerFault::Replayed));
    assert_eq!(opened(&mut *open, honest), Ok((0, b"a".to_vec())));
}

#[test]
fn no_bit_of_a_message_can_be_changed() {
    let (mut seal, mut open) = client_to_server();
    let message = sealed(&mut *seal, 0, b"Hello");
    for bit in 0..message.len() * 8 {
        let mut changed = message.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let before = changed.clone();
        let fault = open.open(&mut changed).unwrap_err();
        let expected = match bit / 8 {
            0..8 => PeerFault::MalformedCommand,
            8..16 => PeerFault::Replayed,
            _ => PeerFault::NotAuthentic { command: "MESSAGE" },
        };
        assert_eq!(fault, expected, "{bit}");
        assert_eq!(changed, before, "what does not open stays as it was");
    }
    assert_eq!(opened(&mut *open, message), Ok((0, b"Hello".to_vec())));
}

#[test]
fn a_message_that_is_cut_or_longer_is_refused() {
    let (_, mut open) = client_to_server();
    let message = forged(3, b"\0Hello");
    for len in 0..message.len() {
        let fault = opened(&mut *open, message[..len].to_vec()).unwrap_err();
        let expected = match len {
            0..32 => PeerFault::MalformedCommand,
            _ => PeerFault::NotAuthentic { command: "MESSAGE" },
        };
        assert_eq!(fault, expected, "{len}");
    }
    let longer = [&message[..], b"\0"].concat();
    assert!(opened(&mut *open, longer).is_err());
    // A box with nothing in it has no flags.
    assert_eq!(opened(&mut *open, forged(3, b"")), Err(PeerFault::MalformedCommand));
}

#[test]
fn nobody_hears_what_it_has_said_itself() {
    let (mut seal, mut open) = half(Side::Client, 2, 2);
    let message = sealed(&mut *seal, 0, b"Hello");
    let fault = PeerFault::NotAuthentic { command: "MESSAGE" };
    assert_eq!(opened(&mut *open, message), Err(fault));
}

#[test]
fn what_was_sealed_for_one_connection_does_not_open_in_another() {
    let ((mut of_one, key), (mut of_other, _)) = (session(), session());
    let message = plain_frame(&message_of(&key, 3, b"\0Hello"));
    put(&mut of_other, &message);
    assert_eq!(of_other.next(), Err(PeerFault::NotAuthentic { command: "MESSAGE" }));
    put(&mut of_one, &message);
    assert_eq!(of_one.next(), Ok(Some(Incoming::Message("Hello".into()))));
}

fn put(receiving: &mut Receiving, octets: &[u8]) {
    receiving.space().put_slice(octets);
}

/// A frame that has the flags of libzmq's: none.
fn plain_frame(body: &[u8]) -> Vec<u8> {
    flagged_frame(0, body)
}

fn flagged_frame(flags: u8, body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(size) => [&[flags, size], body].concat(),
        Err(_) => [&[flags | 2], &(body.len() as u64).to_be_bytes()[..], body].concat(),
    }
}

/// The traffic of our server with a client that a test speaks for, and what that one
/// seals with.
fn session() -> (Receiving, SharedKey) {
    let (mut server, client) = (server(), ForgedClient::new());
    let welcome = ask(&mut server, &client.hello());
    let (short, _) = client.open_welcome(&welcome);
    ask(&mut server, &client.initiate(&welcome, |_| ()));
    (server.into_traffic().0, shared(&client.short, &short))
}

fn message_of(session: &SharedKey, number: u64, plain: &[u8]) -> Vec<u8> {
    let sealed = session.keyed(b"CurveZMQMESSAGEC").seal_vec(number, plain);
    [&b"\x07MESSAGE"[..], &number.to_be_bytes(), &sealed].concat()
}

#[test]
fn only_the_flags_inside_mean_anything() {
    for flags in [0, MORE, COMMAND, MORE | COMMAND, 0xf8] {
        let (mut receiving, key) = session();
        put(&mut receiving, &flagged_frame(flags, &message_of(&key, 3, b"\x01a")));
        assert_eq!(receiving.next(), Ok(None), "{flags}");
        put(&mut receiving, &flagged_frame(flags, &message_of(&key, 4, b"\x00b")));
        let message = ["a", "b"].into_iter().collect();
        assert_eq!(receiving.next(), Ok(Some(Incoming::Message(message))));
        put(&mut receiving, &flagged_frame(flags, &message_of(&key, 5, b"\x02\x04PING\0\0")));
        assert!(matches!(receiving.next(), Ok(Some(Incoming::Ping { .. }))));
        put(&mut receiving, &flagged_frame(flags, &message_of(&key, 6, b"\x03\x04PING\0\0")));
        assert_eq!(receiving.next(), Err(PeerFault::CommandWithMore));
    }
}

#[test]
fn what_is_not_sealed_is_refused() {
    for frame in [
        plain_frame(b"Hello"),
        plain_frame(b""),
        plain_frame(&[0; 100]),
        flagged_frame(COMMAND, b"\x04PING\0\0"),
        flagged_frame(COMMAND, b"\x05ERROR\x03400"),
        plain_frame(b"\x07MESSAGE"),
    ] {
        let (mut receiving, _) = session();
        put(&mut receiving, &frame);
        assert_eq!(receiving.next(), Err(PeerFault::MalformedCommand), "{frame:?}");
        assert_eq!(receiving.next(), Err(PeerFault::MalformedCommand));
    }
}

#[test]
fn what_comes_before_a_fault_is_received_and_nothing_after_it() {
    let (mut receiving, key) = session();
    let mut bad = message_of(&key, 4, b"\0bad");
    *bad.last_mut().unwrap() ^= 1;
    for message in [message_of(&key, 3, b"\0good"), bad, message_of(&key, 5, b"\0later")] {
        put(&mut receiving, &plain_frame(&message));
    }
    assert_eq!(receiving.next(), Ok(Some(Incoming::Message("good".into()))));
    let fault = PeerFault::NotAuthentic { command: "MESSAGE" };
    assert_eq!(receiving.next(), Err(fault.clone()));
    assert_eq!(receiving.next(), Err(fault));
}

#[test]
fn a_message_again_or_not_in_its_order_ends_the_session() {
    for numbers in [[3, 3], [3, 2], [3, 5]] {
        let (mut receiving, key) = session();
        for number in numbers {
            put(&mut receiving, &plain_frame(&message_of(&key, number, b"\0x")));
        }
        assert_eq!(receiving.next(), Ok(Some(Incoming::Message("x".into()))));
        assert_eq!(receiving.next(), Err(PeerFault::Replayed));
    }
}

/// Otherwise whoever is between could make another message of one.
#[test]
fn a_frame_that_is_taken_out_ends_the_session() {
    let (mut receiving, key) = session();
    let [first, _, third] = [(3, b"\x01pay"), (4, b"\x01not"), (5, b"\x00100")]
        .map(|(number, plain)| message_of(&key, number, plain));
    put(&mut receiving, &plain_frame(&first));
    assert_eq!(receiving.next(), Ok(None));
    put(&mut receiving, &plain_frame(&third));
    assert_eq!(receiving.next(), Err(PeerFault::Replayed));
}
