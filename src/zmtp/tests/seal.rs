//! A batch on its way, in plain and sealed.

use std::io::IoSlice;
use std::ops::Range;
use std::time::Duration;

use proptest::prelude::*;

use super::encoder::{encoded, samples, wire};
use super::*;
use crate::peer::Subscription;
use crate::zmtp::seal::{Open, Seal};
use crate::zmtp::{Encoded, Flight};

/// A seal of the form of CURVE's and of no strength: a name, a nonce of eight
/// octets, a tag of sixteen, and the flags and the body with the nonce's last
/// octet over them.
#[derive(Debug)]
struct Toy {
    nonce: u64,
}

const NAME: &[u8; 8] = b"\x07MESSAGE";
const OVERHEAD: usize = 8 + 8 + 16 + 1;

impl Toy {
    fn tag(nonce: u64, hidden: &[u8]) -> [u8; 16] {
        let sum = hidden.iter().fold(nonce, |sum, octet| sum.rotate_left(5) ^ u64::from(*octet));
        u128::from(sum).to_be_bytes()
    }
}

impl Seal for Toy {
    fn overhead(&self) -> usize {
        OVERHEAD
    }

    fn seal(&mut self, flags: u8, body: &[u8], out: &mut Vec<u8>) {
        self.nonce += 1;
        let hide = |octet: &u8| octet ^ self.nonce as u8;
        let hidden: Vec<u8> = [flags].iter().chain(body).map(hide).collect();
        out.extend_from_slice(NAME);
        out.extend_from_slice(&self.nonce.to_be_bytes());
        out.extend_from_slice(&Self::tag(self.nonce, &hidden));
        out.extend_from_slice(&hidden);
    }
}

impl Open for Toy {
    fn overhead(&self) -> usize {
        OVERHEAD
    }

    fn open(&mut self, sealed: &mut [u8]) -> Result<(u8, Range<usize>), PeerFault> {
        let fault = PeerFault::MalformedCommand;
        let len = sealed.len();
        if !sealed.starts_with(NAME) {
            return Err(fault);
        }
        let rest = &mut sealed[NAME.len()..];
        let (nonce, rest) = rest.split_first_chunk_mut().ok_or(fault.clone())?;
        let (tag, hidden) = rest.split_first_chunk_mut().ok_or(fault.clone())?;
        let nonce = u64::from_be_bytes(*nonce);
        if nonce <= self.nonce || *tag != Self::tag(nonce, hidden) {
            return Err(fault);
        }
        self.nonce = nonce;
        hidden.iter_mut().for_each(|octet| *octet ^= nonce as u8);
        let flags = *hidden.first().ok_or(fault)?;
        Ok((flags, OVERHEAD..len))
    }
}

/// The halves of a session, sealed or not.
pub(crate) fn session(is_sealed: bool, max_message_size: Option<usize>) -> (Sending, Receiving) {
    let seal: Option<Box<dyn Seal>> =
        if is_sealed { Some(Box::new(Toy { nonce: 0 })) } else { None };
    let open: Option<Box<dyn Open>> =
        if is_sealed { Some(Box::new(Toy { nonce: 0 })) } else { None };
    (Sending::new(1, true, seal), Receiving::new(bytes::BytesMut::new(), max_message_size, open))
}

/// A batch of a subscription, a PING and `messages`.
fn flight(sending: &Sending, messages: &[Message]) -> Flight {
    let mut flight = Flight::default();
    flight.load(&mut encoded(messages));
    let subscription = Subscription::Subscribe(Bytes::from_static(b"A"));
    sending.subscription(&subscription, flight.commands());
    sending.ping(Duration::ZERO, flight.commands());
    flight
}

/// What of it is received first.
fn commands() -> [Incoming; 2] {
    let topic = Bytes::from_static(b"A");
    [
        Incoming::Subscription(Subscription::Subscribe(topic)),
        Incoming::Ping { ttl: Duration::ZERO, context: Bytes::new() },
    ]
}

fn expected(messages: &[Message]) -> Vec<Incoming> {
    commands().into_iter().chain(messages.iter().cloned().map(Incoming::Message)).collect()
}

/// Writes once, at most `count` octets. Returns them, and how many messages they
/// made whole.
fn write_once(sending: &mut Sending, flight: &mut Flight, count: usize) -> (Vec<u8>, usize) {
    let mut slices = [IoSlice::new(&[]); 3];
    let filled = sending.chunks_vectored(flight, &mut slices);
    assert!(slices[..filled].iter().all(|slice| !slice.is_empty()));
    let octets = slices[..filled].iter().flat_map(|slice| slice.iter());
    let octets: Vec<u8> = octets.take(count).copied().collect();
    let whole = flight.advance(octets.len());
    (octets, whole)
}

/// Writes `count` octets, or all there is, `step` at a time.
fn write(sending: &mut Sending, flight: &mut Flight, count: usize, step: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    while octets.len() < count && !flight.is_written() {
        let (written, whole) = write_once(sending, flight, step.min(count - octets.len()));
        assert!(!written.is_empty());
        assert!(whole <= written.len());
        octets.extend(written);
    }
    octets
}

fn all(sending: &mut Sending, flight: &mut Flight) -> Vec<u8> {
    write(sending, flight, usize::MAX, usize::MAX)
}

#[test]
fn each_frame_and_each_command_is_sealed_by_itself() {
    let (mut sending, _) = session(true, None);
    let mut flight = Flight::default();
    flight.load(&mut encoded(&[message(&[b"a", b"bc"]), message(&[b""])]));
    sending.ping(Duration::ZERO, flight.commands());
    let octets = all(&mut sending, &mut flight);
    let mut rest = &octets[..];
    for (nonce, flags, body) in
        [(1, 0x04, &b"\x04PING\0\0"[..]), (2, 0x01, b"a"), (3, 0x00, b"bc"), (4, 0x00, b"")]
    {
        let hidden: Vec<u8> = [&[flags], body].concat().iter().map(|octet| octet ^ nonce).collect();
        let header = [&[0x00, 33 + body.len() as u8][..], b"\x07MESSAGE"].concat();
        assert_eq!(rest[..10], header);
        assert_eq!(rest[10..18], [0, 0, 0, 0, 0, 0, 0, nonce]);
        assert_eq!(rest[18..34], Toy::tag(u64::from(nonce), &hidden));
        assert_eq!(rest[34..35 + body.len()], hidden);
        rest = &rest[35 + body.len()..];
    }
    assert_eq!(rest, b"");
}

#[test]
fn without_a_seal_the_octets_are_those_that_were_put() {
    let (mut sending, _) = session(false, None);
    let messages = samples();
    let mut flight = flight(&sending, &messages);
    assert_eq!(flight.messages(), messages.len());
    let plain: Vec<u8> = messages.iter().flat_map(wire).collect();
    let octets = all(&mut sending, &mut flight);
    assert_eq!(octets, [b"\x04\x0b\x09SUBSCRIBEA\x04\x07\x04PING\0\0", &plain[..]].concat());
}

#[test]
fn what_is_sealed_is_opened_however_it_is_cut() {
    let messages = [message(&[b"Hello"]), message(&[b"", &[7; 300], b"x"]), message(&[b""])];
    let (mut sending, _) = session(true, None);
    let mut flight = flight(&sending, &messages);
    let octets = all(&mut sending, &mut flight);
    for split in 0..=octets.len() {
        let (first, second) = octets.split_at(split);
        let (_, mut receiving) = session(true, None);
        let (mut received, fault) = receive(&mut receiving, first);
        assert_eq!(fault, None);
        let (later, fault) = receive(&mut receiving, second);
        received.extend(later);
        assert_eq!((received, fault), (expected(&messages), None), "{split}");
        assert!(!receiving.has_partial());
    }
}

#[test]
fn any_way_of_writing_and_reading_is_the_same() {
    let mut messages = samples();
    messages.push(message(&[&[1; 70_000], &[2; 200_000]]));
    messages.extend(samples());
    for is_sealed in [false, true] {
        for step in [1000, 65_536, usize::MAX] {
            let (mut sending, mut receiving) = session(is_sealed, None);
            let mut flight = flight(&sending, &messages);
            let octets = write(&mut sending, &mut flight, usize::MAX, step);
            assert_eq!(flight.messages(), 0);
            let (received, fault) = receive_in(&mut receiving, &octets, || step);
            assert!(received == expected(&messages) && fault.is_none(), "{is_sealed} {step}");
        }
    }
}

/// Where each message ends on the wire, found one message at a time.
fn ends(is_sealed: bool, messages: &[Message]) -> Vec<usize> {
    let end = |count: usize| {
        let (mut sending, _) = session(is_sealed, None);
        let mut flight = flight(&sending, &messages[..count]);
        all(&mut sending, &mut flight).len()
    };
    (0..=messages.len()).map(end).collect()
}

/// Breaks the connection after `count` octets. What comes back must be exactly
/// the messages that had not begun.
fn cut_at(is_sealed: bool, messages: &[Message], ends: &[usize], count: usize, step: usize) {
    let (mut sending, mut receiving) = session(is_sealed, None);
    let mut flight = flight(&sending, messages);
    let octets = write(&mut sending, &mut flight, count, step);
    assert_eq!(octets.len(), count);
    // The first of the ends is that of the commands.
    let whole = ends[1..].iter().filter(|end| **end <= count).count();
    let is_cut = count > ends[whole];
    assert_eq!(flight.has_commands(), count < ends[0]);
    assert_eq!(flight.messages(), messages.len() - whole);
    let (rest, cut) = flight.recover();
    assert_eq!(cut, is_cut, "{count}");
    let kept = &messages[whole + usize::from(is_cut)..];
    let plain: Vec<u8> = kept.iter().flat_map(wire).collect();
    assert_eq!((rest.messages(), rest.bytes()), (kept.len(), plain.len()), "{count}");
    // What arrived is the rest, and on the next session the rest goes out.
    let (arrived, fault) = receive(&mut receiving, &octets);
    assert_eq!(fault, None);
    let arrived = arrived.into_iter().filter(|it| matches!(it, Incoming::Message(_))).count();
    assert_eq!(arrived, whole);
    let (mut sending, mut receiving) = session(is_sealed, None);
    let mut next = Flight::default();
    next.load(&mut { rest });
    let (received, _) = receive(&mut receiving, &all(&mut sending, &mut next));
    assert!(received == expected(kept)[2..], "{count}");
}

#[test]
fn cut_at_any_octet_exactly_what_has_not_begun_comes_back() {
    let messages =
        [message(&[b"Hello"]), message(&[b"", &[7; 300]]), message(&[&[9; 2100]]), message(&[b""])];
    for is_sealed in [false, true] {
        let ends = ends(is_sealed, &messages);
        for count in 0..=ends[messages.len()] {
            cut_at(is_sealed, &messages, &ends, count, usize::MAX);
        }
    }
}

#[test]
fn a_batch_that_is_sealed_in_several_pieces_comes_back_as_well() {
    let mut messages = vec![message(&[&[5; 30_000], b"x"]); 5];
    messages.push(message(&[&[6; 100_000]]));
    messages.extend(samples());
    for is_sealed in [false, true] {
        let ends = ends(is_sealed, &messages);
        let near = |end: &usize| [end.saturating_sub(1), *end, end + 1, end + 20_000];
        let most = ends[messages.len()];
        for count in ends.iter().flat_map(near).filter(|count| *count <= most) {
            cut_at(is_sealed, &messages, &ends, count, 10_000);
        }
    }
}

#[test]
fn no_more_is_sealed_at_once_than_is_soon_written() {
    let messages = vec![message(&[&[1; 1000]]); 1000];
    let (mut sending, _) = session(true, None);
    let mut flight = flight(&sending, &messages);
    while !flight.is_written() {
        let mut slices = [IoSlice::new(&[]); 3];
        assert_eq!(sending.chunks_vectored(&mut flight, &mut slices), 1);
        let offered = slices[0].len();
        assert!(offered < 64 * 1024 + 2000, "{offered}");
        // It is not sealed again when the write was blocked.
        let first = slices[0].to_vec();
        let mut again = [IoSlice::new(&[]); 3];
        sending.chunks_vectored(&mut flight, &mut again);
        assert_eq!(*again[0], first);
        flight.advance(offered);
    }
}

#[test]
fn long_commands_are_sealed_in_pieces_too() {
    let (mut sending, mut receiving) = session(true, None);
    let mut flight = Flight::default();
    flight.load(&mut encoded(&[message(&[b"last"])]));
    let topics: Vec<Bytes> = (0..30_u8).map(|n| Bytes::from(vec![n; 10_000])).collect();
    for topic in &topics {
        sending.subscription(&Subscription::Subscribe(topic.clone()), flight.commands());
    }
    let octets = write(&mut sending, &mut flight, usize::MAX, 5000);
    let (received, fault) = receive(&mut receiving, &octets);
    let subscriptions = topics.into_iter().map(Subscription::Subscribe).map(Incoming::Subscription);
    let expected: Vec<_> = subscriptions.chain([Incoming::Message(message(&[b"last"]))]).collect();
    assert!(received == expected && fault.is_none());
}

/// What comes of frames with these flags and bodies, each sealed as it is.
fn sealed(max_message_size: Option<usize>, frames: &[(u8, &[u8])]) -> Option<PeerFault> {
    let mut octets = Vec::new();
    let mut toy = Toy { nonce: 0 };
    for (flags, body) in frames {
        let mut sealed = Vec::new();
        toy.seal(*flags, body, &mut sealed);
        octets.push(0x02);
        octets.extend((sealed.len() as u64).to_be_bytes());
        octets.extend(sealed);
    }
    let whole = receive(&mut session(true, max_message_size).1, &octets);
    let dribbled = receive_in(&mut session(true, max_message_size).1, &octets, || 1);
    assert!(whole == dribbled);
    whole.1
}

#[test]
fn what_is_inside_is_judged_as_any_frame() {
    let too_large = Some(PeerFault::MessageTooLarge { limit: 10 });
    assert_eq!(sealed(Some(10), &[(0, b"0123456789")]), None);
    assert_eq!(sealed(Some(10), &[(0, b"0123456789a")]), too_large);
    assert_eq!(sealed(Some(10), &[(1, b"01234"), (0, b"56789a")]), too_large);
    assert_eq!(sealed(Some(10), &[(4, b"\x09SUBSCRIBEa long topic")]), None);
    assert_eq!(sealed(None, &[(5, b"\x04PONG")]), Some(PeerFault::CommandWithMore));
    assert_eq!(sealed(None, &[(4, b"\x05PONG")]), Some(PeerFault::MalformedCommand));
    let large = [&b"\x08WHATEVER"[..], &[0; 65_793 - 9]].concat();
    assert_eq!(sealed(None, &[(4, &large)]), Some(PeerFault::CommandTooLarge { size: 65_793 }));
}

#[test]
fn a_sealed_frame_that_can_be_nothing_is_refused_at_the_header() {
    let most = (64 << 20) + 10 + OVERHEAD as u64;
    for (size, fault) in [(most, None), (most + 1, Some(PeerFault::MessageTooLarge { limit: 10 }))]
    {
        let header = [&[0x02][..], &size.to_be_bytes()].concat();
        let (_, mut receiving) = session(true, Some(10));
        assert_eq!(receive(&mut receiving, &header), (vec![], fault));
    }
}

#[test]
fn a_sealed_frame_is_no_longer_than_the_longest_topic_may_be() {
    let most = 100_000 + 10 + OVERHEAD as u64;
    for (size, fault) in [(most, None), (most + 1, Some(PeerFault::MessageTooLarge { limit: 10 }))]
    {
        let header = [&[0x02][..], &size.to_be_bytes()].concat();
        let (_, mut receiving) = session(true, Some(10));
        receiving.limit_topics(100_000);
        assert_eq!(receive(&mut receiving, &header), (vec![], fault));
    }
}

#[test]
fn the_flags_outside_mean_nothing() {
    let (mut sending, _) = session(true, None);
    let messages = [message(&[b"a", b"b"])];
    let mut flight = flight(&sending, &messages);
    let octets = all(&mut sending, &mut flight);
    let mut starts = Vec::new();
    let mut at = 0;
    while at < octets.len() {
        starts.push(at);
        at += 2 + usize::from(octets[at + 1]);
    }
    for flags in [0x01, 0x04, 0x05, 0xFD] {
        let mut changed = octets.clone();
        starts.iter().for_each(|start| changed[*start] |= flags);
        let (_, mut receiving) = session(true, None);
        assert_eq!(receive(&mut receiving, &changed), (expected(&messages), None));
    }
}

#[test]
fn what_the_peer_did_not_seal_as_the_next_ends_the_connection() {
    let (mut sending, _) = session(true, None);
    let mut flight = flight(&sending, &[message(&[b"Hello"])]);
    let octets = all(&mut sending, &mut flight);
    let hello = octets.len() - 2 - OVERHEAD - 5;
    for at in hello + 2..octets.len() {
        let mut changed = octets.clone();
        changed[at] ^= 0x40;
        let (received, fault) = receive(&mut session(true, None).1, &changed);
        assert!(received == commands() && fault.is_some(), "{at}");
    }
    let again = [&octets[..], &octets[hello..]].concat();
    let (received, fault) = receive(&mut session(true, None).1, &again);
    assert!(received.len() == 3 && fault.is_some());
    let (received, fault) = receive(&mut session(true, None).1, b"\x00\x05Hello");
    assert!(received.is_empty() && fault.is_some());
}

#[test]
fn a_flight_at_rest_keeps_what_is_not_written() {
    for is_sealed in [false, true] {
        let (mut sending, mut receiving) = session(is_sealed, None);
        let messages = [message(&[b"Hello"])];
        let mut flight = flight(&sending, &messages);
        let mut octets = Vec::new();
        while !flight.is_written() {
            octets.extend(write_once(&mut sending, &mut flight, 1).0);
            flight.rest();
        }
        assert_eq!(receive(&mut receiving, &octets), (expected(&messages), None));
        // And it flies again.
        flight.load(&mut encoded(&messages));
        let octets = all(&mut sending, &mut flight);
        let (received, _) = receive(&mut receiving, &octets);
        assert_eq!(received, expected(&messages)[2..]);
    }
}

#[test]
fn loading_gives_the_queue_memory_to_fill() {
    let mut queue = encoded(&[message(&[b"first"])]);
    let mut flight = Flight::default();
    flight.load(&mut queue);
    assert!(queue.is_empty() && flight.messages() == 1);
    let (mut sending, _) = session(false, None);
    all(&mut sending, &mut flight);
    queue.push_shared(&message(&[b"second"]));
    flight.load(&mut queue);
    assert_eq!((queue.messages(), queue.bytes()), (0, 0));
    assert_eq!(all(&mut sending, &mut flight), b"\x00\x06second");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn sessions_that_break_again_and_again_lose_only_what_is_cut(
        sizes in prop::collection::vec(0..5000_usize, 1..40),
        breaks in prop::collection::vec(0..40_000_usize, 1..6),
        is_sealed: bool,
    ) {
        let messages: Vec<Message> =
            sizes.iter().enumerate().map(|(n, size)| message(&[&vec![n as u8; *size]])).collect();
        let mut rest: Encoded = encoded(&messages);
        let mut arrived = Vec::new();
        let mut lost = 0;
        for count in breaks.into_iter().chain([usize::MAX]) {
            let (mut sending, mut receiving) = session(is_sealed, None);
            let mut flight = Flight::default();
            flight.load(&mut rest);
            let octets = write(&mut sending, &mut flight, count, 7000);
            let cut;
            (rest, cut) = flight.recover();
            lost += usize::from(cut);
            arrived.extend(receive(&mut receiving, &octets).0);
            prop_assert_eq!(arrived.len() + lost + rest.messages(), messages.len());
        }
        prop_assert!(rest.is_empty());
        let mut sent = messages.into_iter().map(Incoming::Message);
        prop_assert!(arrived.iter().all(|one| sent.any(|other| *one == other)));
    }
}
