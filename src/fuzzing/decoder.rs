//! ```text
//! input = limit expand plan plan plan octets
//! ```

use std::io::IoSlice;

use super::Input;
use super::input::Plan;
use super::receive::{Received, receive};
use crate::zmtp::{Encoded, Handshake, HandshakeConfig, Incoming, Receiving};
use crate::{Message, PeerFault, SocketType};

/// The limits of a message that an input chooses from.
pub(super) const LIMITS: &[Option<usize>] =
    &[None, Some(0), Some(1), Some(255), Some(256), Some(4096), Some(65_536), Some(100_000)];

pub(super) fn run(mut input: Input<'_>) {
    let limit = input.choice(LIMITS);
    let expand = input.octet() & 1 == 1;
    let plans = [input.plan(), input.plan(), input.plan()];
    let octets = input.rest(expand);
    let [first, second, third] = plans.map(|plan| plan.over(octets.len()));

    let received = receive(traffic(limit, &[]), &octets, first);
    assert_eq!(received, receive(traffic(limit, &[]), &octets, second));
    // As if some of it had come together with READY.
    let (early, later) = octets.split_at(third.steps()().min(octets.len()));
    assert_eq!(received, receive(traffic(limit, early), later, second));

    let messages: Vec<Message> = received.events.into_iter().filter_map(message).collect();
    if let Some(limit) = limit {
        assert!(messages.iter().all(|message| message.size() <= limit));
    }
    if limit.is_none() {
        let has_limit = matches!(received.fault, Some(PeerFault::MessageTooLarge { limit })
            if limit < isize::MAX as usize);
        assert!(!has_limit, "nobody set this limit");
    }
    write_whole(&messages, second, third);
    write_in_part(&messages, third);
}

/// The traffic of a connection whose first octets, `early`, came with READY.
fn traffic(max_message_size: Option<usize>, early: &[u8]) -> Receiving {
    let config = |max_message_size| HandshakeConfig {
        socket_type: SocketType::Pair,
        identity: None,
        metadata: Vec::new(),
        max_message_size,
        judges: false,
        pings: false,
        security: Default::default(),
    };
    let mut ours = Handshake::new(config(max_message_size));
    let mut theirs = Handshake::new(config(None));
    theirs.feed(&ours.output()).expect("our greeting is one");
    let said = [&theirs.output()[..], early].concat();
    ours.feed(&said).expect("so is theirs, and their READY");
    ours.output();
    ours.into_traffic().0
}

fn message(event: Incoming) -> Option<Message> {
    match event {
        Incoming::Message(message) => Some(message),
        _ => None,
    }
}

fn decode(octets: &[u8], plan: Plan) -> Vec<Message> {
    let Received { events, fault } = receive(traffic(None, &[]), octets, plan);
    assert_eq!(fault, None, "we are at fault ourselves");
    let count = events.len();
    let messages: Vec<Message> = events.into_iter().filter_map(message).collect();
    assert_eq!(messages.len(), count, "only messages were written");
    messages
}

/// Writes the next octets of `batch`, at most `count`. Returns how many messages
/// are written as a whole with them.
fn write(batch: &mut Encoded, mut count: usize, octets: &mut Vec<u8>) -> usize {
    let mut slices = [IoSlice::new(&[]); 3];
    let before = octets.len();
    let filled = batch.chunks_vectored(&mut slices);
    assert_eq!(filled == 0, batch.remaining() == 0);
    for slice in &slices[..filled] {
        assert!(!slice.is_empty(), "an empty slice is a wasted one");
        let taken = slice.len().min(count);
        octets.extend_from_slice(&slice[..taken]);
        count -= taken;
    }
    batch.advance(octets.len() - before)
}

/// Encoding and decoding again is the identity, however the batch came about
/// and was written.
fn write_whole(messages: &[Message], plan: Plan, reading: Plan) {
    let mut steps = plan.steps();
    let (early, late) = messages.split_at(messages.len() / 2);
    let (mut batch, mut later) = (Encoded::default(), Encoded::default());
    let mut octets = Vec::new();
    early.iter().for_each(|message| batch.push_shared(message));
    let mut written = write(&mut batch, steps(), &mut octets);
    late.iter().for_each(|message| later.push_shared(message));
    batch.append(later);
    while batch.remaining() > 0 {
        assert_eq!(written + batch.messages(), messages.len());
        let before = (octets.len(), batch.remaining());
        written += write(&mut batch, steps(), &mut octets);
        assert_eq!(before.0 + before.1, octets.len() + batch.remaining());
        assert!(octets.len() > before.0);
    }
    assert!(batch.is_empty());
    assert_eq!(written, messages.len());
    assert_eq!(decode(&octets, reading), messages);
    batch.clear();
    assert!(batch.is_empty() && batch.remaining() == 0);
}

/// When the connection breaks, no message is lost but the one it cuts, and
/// none is sent twice.
fn write_in_part(messages: &[Message], plan: Plan) {
    let mut steps = plan.steps();
    let mut batch = Encoded::default();
    messages.iter().for_each(|message| batch.push_shared(message));
    let (mut octets, mut rest) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        write(&mut batch, steps(), &mut octets);
    }
    let (mut left, cut) = batch.recover();
    let count = left.messages();
    while left.remaining() > 0 {
        write(&mut left, usize::MAX, &mut rest);
    }
    let (arrived, late) = (decode(&octets, plan), decode(&rest, plan));
    assert_eq!(late.len(), count);
    assert_eq!(arrived.len() + usize::from(cut) + late.len(), messages.len());
    assert!(messages.starts_with(&arrived) && messages.ends_with(&late));
}
