//! The parsers of the handshake, each by itself and against a model of it.
//!
//! ```text
//! greeting = mechanism plan plan octets
//! command  = size(8) expand body
//! metadata = type expand octets
//! ```

use std::time::Duration;

use bytes::Bytes;

use super::Input;
use super::input::Plan;
use crate::message::strip;
use crate::properties::Properties;
use crate::zmtp::command::{self, Command};
use crate::zmtp::greeting::{GREETING_LEN, PeerGreeting, greeting as ours};
use crate::zmtp::metadata::{self, Introduction};
use crate::{PeerFault, SocketType};

/// The largest command that is no subscription, and the longest topic.
const MAX_COMMAND: u64 = 256 + 64 * 1024;
const MAX_TOPIC: usize = 64 << 20;

/// How many properties a peer may send, and what ours adds to them.
const MAX_PROPERTIES: usize = 64;

pub(super) fn greeting(mut input: Input<'_>) {
    let mechanism = input.choice(&["NULL", "PLAIN", "CURVE"]);
    let plans = [input.plan(), input.plan()];
    let octets = input.rest(false);
    let heard = plans.map(|plan| hear(mechanism, &octets, plan));
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[0], expected(mechanism, &octets));
    for is_server in [false, true] {
        assert_eq!(hear(mechanism, &ours(mechanism, is_server), plans[0]), Ok(Some(1)));
    }
}

fn hear(mechanism: &'static str, mut octets: &[u8], plan: Plan) -> Result<Option<u8>, PeerFault> {
    let mut greeting = PeerGreeting::new(mechanism);
    let (mut steps, mut taken) = (plan.steps(), 0);
    while !octets.is_empty() {
        let (mut now, later) = octets.split_at(steps().min(octets.len()));
        let before = now.len();
        let minor = greeting.feed(&mut now)?;
        taken += before - now.len();
        assert!(taken <= GREETING_LEN);
        if minor.is_some() {
            assert_eq!(taken, GREETING_LEN);
            return Ok(minor);
        }
        assert!(now.is_empty(), "it takes all until it is complete");
        octets = later;
    }
    Ok(None)
}

/// RFC 37, and nothing of how it is read.
fn expected(mechanism: &'static str, octets: &[u8]) -> Result<Option<u8>, PeerFault> {
    let at = |index: usize| octets.get(index).copied();
    if at(0).is_some_and(|octet| octet != 0xFF) || at(9).is_some_and(|octet| octet & 1 == 0) {
        return Err(PeerFault::NotZmtp);
    }
    if let Some(major @ 0..3) = at(10) {
        return Err(PeerFault::TooOld { major });
    }
    if let Some(named) = octets.get(12..32) {
        let (name, padding) = named.split_at(mechanism.len());
        if name != mechanism.as_bytes() || padding.iter().any(|octet| *octet != 0) {
            let name = named.split(|octet| *octet == 0).next().unwrap_or_default();
            let theirs = PeerFault::text(name);
            return Err(PeerFault::MechanismMismatch { ours: mechanism, theirs });
        }
    }
    let minor = if octets.get(10..12) == Some(&[3, 0]) { 0 } else { 1 };
    Ok((octets.len() >= GREETING_LEN).then_some(minor))
}

pub(super) fn command(mut input: Input<'_>) {
    let mut size = [0; 8];
    for octet in &mut size {
        *octet = input.octet();
    }
    let expand = input.octet() & 1 == 1;
    let body = input.rest(expand);
    admitted(u64::from_be_bytes(size), &body);
    admitted(body.len() as u64, &body);
    match Command::decode(&body) {
        Ok(decoded) => is_again_what_it_was(&decoded, &body),
        Err(fault) => assert_eq!(fault, PeerFault::MalformedCommand),
    }
}

/// However much is there of a command when it is judged, it is judged alike.
fn admitted(size: u64, body: &[u8]) {
    let mut judged = None;
    for there in 0..=body.len().min(32) {
        let now = command::admit(size, &body[..there], MAX_TOPIC);
        if let Some(before) = &judged {
            assert_eq!(&now, before, "a judgement is for good");
        }
        match &now {
            Ok(None) => assert!(there < b"_SUBSCRIBE".len(), "so much tells"),
            Ok(Some(admitted)) => {
                assert_eq!(*admitted as u64, size);
                assert!(*admitted <= command::largest(MAX_TOPIC));
            }
            Err(PeerFault::CommandTooLarge { size: told }) => {
                assert!(size > MAX_COMMAND && *told == size);
            }
            Err(PeerFault::TopicTooLong { size }) => assert!(*size > MAX_TOPIC),
            Err(other) => panic!("a size is not {other}"),
        }
        judged = judged.or((now != Ok(None)).then_some(now));
    }
}

fn is_again_what_it_was(decoded: &Command<'_>, body: &[u8]) {
    let (name, data) = command::parts(body).expect("it was one");
    assert_eq!([&[name.len() as u8], name, data].concat(), body);
    let again = written(|out| command::put(name, &[data], out));
    assert_eq!(again, body);
    let reason = command::error(name, data).expect("it was one");
    assert_eq!(reason, if let Command::Error(reason) = decoded { Some(*reason) } else { None });
    let ours = match decoded {
        Command::Ping { ttl, context } => {
            assert!(context.len() <= 16 && *ttl <= Duration::from_millis(6_553_500));
            written(|out| command::put_ping(*ttl, out))
        }
        Command::Subscribe(topic) => written(|out| command::put_subscribe(topic, out)),
        Command::Cancel(topic) => written(|out| command::put_cancel(topic, out)),
        Command::Pong => written(|out| command::put_pong(&[], out)),
        Command::Error(reason) => {
            let text = PeerFault::text(reason);
            assert!(text.is_ascii() && text.len() <= 4 * 255);
            return;
        }
        Command::Ready(_) | Command::Other(_) => return,
    };
    let again = Command::decode(&ours).expect("it is ours");
    match (&again, decoded) {
        (Command::Ping { ttl: again, .. }, Command::Ping { ttl, .. }) => assert_eq!(again, ttl),
        (again, decoded) => assert_eq!(again, decoded),
    }
}

/// The body of the one command that is put.
fn written(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut octets = Vec::new();
    put(&mut octets);
    let (flags, size, header) = strip::header(&octets).expect("there is a frame");
    assert_eq!(flags & !strip::LONG, strip::COMMAND);
    assert_eq!(octets.len() as u64, header as u64 + size, "one frame, and no more");
    octets.split_off(header)
}

pub(super) fn metadata(mut input: Input<'_>) {
    let ours = input.choice(&SocketType::ALL);
    let expand = input.octet() & 1 == 1;
    let octets = input.rest(expand);
    let properties: Vec<_> = Properties::new(&octets).collect();
    assert!(properties.iter().rev().skip(1).all(Result::is_ok), "a fault is the last");
    match metadata::decode(&octets, ours) {
        Ok(said) => {
            let properties: Vec<_> = properties.into_iter().flatten().collect();
            let size: usize =
                properties.iter().map(|(name, value)| 5 + name.len() + value.len()).sum();
            assert_eq!(size, octets.len(), "every octet is of some property");
            is_bounded(&said, octets.len());
            is_said_again(said);
        }
        Err(fault) => {
            let printed = fault.to_string();
            assert!(printed.len() < 2048 && !printed.contains(char::is_control), "{printed:?}");
        }
    }
}

fn is_bounded(said: &Introduction, octets: usize) {
    let metadata = &said.peer.metadata;
    let size: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(metadata.len() <= MAX_PROPERTIES && size <= octets);
}

/// What a peer says of itself can be said by us, and is the same then.
fn is_said_again(said: Introduction) {
    let Some(theirs) = said.peer.socket_type else { return };
    let identity = said.peer.routing_id.clone().map(Bytes::from);
    let pings = !said.never_pings;
    let mut octets = Vec::new();
    metadata::put(theirs, identity.as_deref(), &said.peer.metadata, pings, &mut octets);
    let partner = SocketType::ALL.into_iter().find(|ours| ours.is_compatible(theirs));
    let again = metadata::decode(&octets, partner.expect("each has one"));
    assert_eq!(again, Ok(Introduction { is_ferromq: true, ..said }));
}
