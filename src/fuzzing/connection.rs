//! ```text
//! input = mode ours theirs limit expand plan plan ( octets / *flip script )
//! ```
//!
//! Two further bits of `expand` say whether ours judges the peer, and refuses it.

use std::time::Duration;

use bytes::Bytes;

use super::Input;
use super::decoder::LIMITS;
use super::input::Plan;
use super::receive::{Received, receive};
use crate::peer::Subscription;
use crate::zmtp::{Encoded, Handshake, HandshakeConfig, Incoming, Receiving, Sending};
use crate::{Message, PeerFault, PeerInfo, RoutingId, SocketType, Unwelcome};

/// What a connection may hold of its peer before READY is complete.
pub(super) const MAX_HELD: usize = 16 * 1024 + 64;

/// What it may say before that: greeting, READY and ERROR.
const MAX_OUTPUT: usize = 64 + 512 + 64;

/// Who is at the other end.
#[derive(Clone, Copy)]
pub(super) enum Mode {
    /// Somebody who sends anything.
    Stranger,
    /// One of us, with octets flipped on the way.
    Pair,
}

pub(super) fn run(mut input: Input<'_>) {
    let mode = input.choice(&[Mode::Stranger, Mode::Pair]);
    let ours = config(input.octet());
    let theirs = config(input.octet());
    let limit = input.choice(LIMITS);
    let bits = input.octet();
    let ours = HandshakeConfig { judges: bits & 2 != 0, ..ours };
    let verdict = if bits & 4 == 0 { Ok(()) } else { Err(Unwelcome::RoutingIdTaken) };
    let plans = [input.plan(), input.plan()];
    match mode {
        Mode::Stranger => {
            let octets = input.rest(bits & 1 == 1);
            let config = HandshakeConfig { max_message_size: limit, ..ours };
            let met =
                plans.map(|plan| meet(config.clone(), verdict, &octets, plan.over(octets.len())));
            assert_eq!(met[0], met[1]);
        }
        Mode::Pair => pair([ours, theirs], verdict, plans, input),
    }
}

/// A socket type and what it says of itself.
pub(super) fn config(octet: u8) -> HandshakeConfig {
    let routing_id = RoutingId::new("me").ok().filter(|_| octet & 0x10 != 0);
    let metadata = vec![
        ("X-short".to_owned(), Bytes::from_static(b"value")),
        ("X-long".to_owned(), Bytes::from_static(&[b'v'; 300])),
    ];
    let socket_type = SocketType::ALL[usize::from(octet & 0x0F) % SocketType::ALL.len()];
    HandshakeConfig {
        socket_type,
        identity: says_who(socket_type).then(|| routing_id.map(Bytes::from).unwrap_or_default()),
        metadata: metadata.into_iter().take(usize::from(octet >> 5) % 3).collect(),
        max_message_size: None,
        judges: false,
        pings: false,
        security: Default::default(),
    }
}

/// What comes of a peer that is judged.
type Verdict = Result<(), Unwelcome>;

/// Everything that came of a peer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Met {
    output: Vec<u8>,
    /// Why the handshake failed.
    refused: Option<PeerFault>,
    /// Whether the peer was judged and not admitted.
    unwelcome: bool,
    /// What the peer said of itself, and whether it knows heartbeats.
    peer: Option<(PeerInfo, bool)>,
    received: Received,
}

/// Lives through a connection whose peer sends `octets`.
fn meet(config: HandshakeConfig, verdict: Verdict, mut octets: &[u8], plan: Plan) -> Met {
    let mut steps = plan.steps();
    let mut handshake = Handshake::new(config);
    let mut met = Met { output: handshake.output().to_vec(), ..Met::default() };
    while !handshake.is_done() && !octets.is_empty() {
        let (now, later) = octets.split_at(steps().min(octets.len()));
        octets = later;
        met.refused = feed(&mut handshake, now, &mut met.output);
        met.unwelcome = !judge(&mut handshake, verdict, &mut met.output);
        assert!(met.output.len() <= MAX_OUTPUT, "{} octets of output", met.output.len());
        if met.refused.is_some() || met.unwelcome {
            return met;
        }
    }
    if handshake.is_done() {
        // More may come before the engine splits it.
        let (now, later) = octets.split_at(steps().min(octets.len()));
        octets = later;
        assert_eq!(feed(&mut handshake, now, &mut met.output), None);
        let (receiving, sending, peer) = handshake.into_traffic();
        met.peer = Some((peer, sending.has_heartbeats()));
        met.received = receive(receiving, octets, plan);
    }
    met
}

/// Feeds a handshake and takes what it has to say. Returns its fault.
fn feed(handshake: &mut Handshake, octets: &[u8], output: &mut Vec<u8>) -> Option<PeerFault> {
    let result = handshake.feed(octets);
    output.extend_from_slice(&handshake.output());
    if let Err(fault) = &result {
        assert!(!handshake.is_done());
        assert_eq!(handshake.feed(b"more").as_ref(), Err(fault), "a fault is for good");
        assert!(handshake.output().is_empty(), "all is said");
    }
    if !handshake.is_done() && handshake.peer().is_none() {
        let held = handshake.held();
        assert!(held <= MAX_HELD, "{held} octets of memory before READY");
    }
    result.err()
}

/// Gives the verdict that a handshake waits for. Returns whether the peer is
/// welcome, or not known yet.
fn judge(handshake: &mut Handshake, verdict: Verdict, output: &mut Vec<u8>) -> bool {
    if handshake.peer().is_none() {
        return true;
    }
    assert!(!handshake.is_done(), "who is to be judged is not admitted");
    match verdict {
        Ok(()) => handshake.admit(),
        Err(why) => {
            let is_told = handshake.refuse(why);
            assert_eq!(handshake.feed(b"more"), Ok(()), "a refused peer is not listened to");
            let said = handshake.output();
            assert_eq!(said.is_empty(), !is_told);
            output.extend_from_slice(&said);
        }
    }
    output.extend_from_slice(&handshake.output());
    assert!(handshake.peer().is_none(), "a verdict is for good");
    assert_eq!(handshake.is_done(), verdict.is_ok());
    verdict.is_ok()
}

/// One of two of us.
struct End {
    handshake: Handshake,
    verdict: Verdict,
    plan: Plan,
    fault: Option<PeerFault>,
}

/// What lies between: it flips octets. Each flip is the position of an octet
/// and what it is changed by.
struct Wire {
    flips: Vec<(usize, u8)>,
    position: usize,
    flipped: bool,
}

impl Wire {
    /// Up to three flips.
    fn new(input: &mut Input<'_>) -> Self {
        let flips = (0..input.octet() % 4).map(|_| (input.pair() % 2048, input.octet())).collect();
        Self { flips, position: 0, flipped: false }
    }

    fn pass(&mut self, octets: &mut [u8]) {
        let passed = self.position..self.position + octets.len();
        for (at, change) in self.flips.iter().filter(|(at, _)| passed.contains(at)) {
            octets[at - self.position] ^= change;
            self.flipped |= *change != 0;
        }
        self.position = passed.end;
    }
}

/// Two of us, octets flipped between them, and then traffic one way.
fn pair(configs: [HandshakeConfig; 2], verdict: Verdict, plans: [Plan; 2], mut input: Input<'_>) {
    let mut wires = [Wire::new(&mut input), Wire::new(&mut input)];
    let handshakes = configs.clone().map(Handshake::new);
    let mut ends =
        handshakes.map(|handshake| End { handshake, verdict, plan: plans[0], fault: None });
    ends[1].plan = plans[1];
    let mut said = [0, 1].map(|from: usize| ends[from].handshake.output().to_vec());
    while said.iter().any(|octets| !octets.is_empty()) {
        for from in [0, 1] {
            let mut octets = std::mem::take(&mut said[from]);
            wires[from].pass(&mut octets);
            let to = 1 - from;
            hear(&mut ends[to], &octets, &mut said[to]);
        }
    }
    let flipped = wires.iter().any(|wire| wire.flipped);
    if !flipped {
        agree(&configs, verdict, &ends);
    }
    if let [true, true] = [0, 1].map(|end: usize| ends[end].handshake.is_done()) {
        let [plan, _] = plans;
        let [(_, sending, known), (receiving, ..)] = ends.map(|end| end.handshake.into_traffic());
        if !flipped {
            assert_eq!(
                known.routing_id.map(Bytes::from),
                configs[1].identity.clone().filter(|identity| !identity.is_empty())
            );
            assert_eq!(known.metadata, configs[1].metadata);
        }
        traffic(sending, receiving, &mut wires[0], plan, input);
    }
}

/// Whether a socket of this type tells its routing id.
fn says_who(socket_type: SocketType) -> bool {
    matches!(socket_type, SocketType::Req | SocketType::Dealer | SocketType::Router)
}

fn hear(end: &mut End, octets: &[u8], said: &mut Vec<u8>) {
    let mut steps = end.plan.steps();
    let mut octets = octets;
    while !octets.is_empty() && end.fault.is_none() {
        let (now, later) = octets.split_at(steps().min(octets.len()));
        end.fault = feed(&mut end.handshake, now, said);
        judge(&mut end.handshake, end.verdict, said);
        octets = later;
    }
}

/// Two of us that hear each other well agree on whether they fit, and know from
/// the one that judges if they do not.
fn agree(configs: &[HandshakeConfig; 2], verdict: Verdict, ends: &[End; 2]) {
    let [left, right] = [0, 1].map(|end: usize| configs[end].socket_type);
    assert_eq!(left.is_compatible(right), right.is_compatible(left));
    let fits = left.is_compatible(right);
    let misfit = |ours, theirs| PeerFault::IncompatibleSocketType { ours, theirs };
    let told = |reason: &str| PeerFault::RefusedUs { reason: reason.to_owned() };
    let is_refused = configs[0].judges && verdict.is_err();
    let expected = match (fits, configs[0].judges) {
        (true, _) if is_refused => [None, Some(told("Routing-Id-Taken"))],
        (true, _) => [None, None],
        (false, true) => [Some(misfit(left, right)), Some(told("Incompatible-Socket-Type"))],
        (false, false) => [Some(misfit(left, right)), Some(misfit(right, left))],
    };
    for (end, expected) in ends.iter().zip(expected) {
        assert_eq!(end.fault, expected);
        assert_eq!(end.handshake.is_done(), fits && !is_refused);
    }
}

/// What one of us says by the script of the input, and what the other hears.
fn traffic(
    sending: Sending,
    receiving: Receiving,
    wire: &mut Wire,
    plan: Plan,
    mut input: Input<'_>,
) {
    let (mut octets, mut events) = (Vec::new(), Vec::new());
    while !input.is_empty() && octets.len() < 256 * 1024 {
        let kind = input.octet();
        let body = body(&mut input);
        match kind % 6 {
            0 | 1 => {
                let subscription = match kind % 6 {
                    0 => Subscription::Subscribe(body),
                    _ => Subscription::Cancel(body),
                };
                sending.subscription(&subscription, &mut octets);
                events.push(Incoming::Subscription(subscription));
            }
            2 => {
                let ttl = Duration::from_millis(100 * body.len() as u64);
                sending.ping(ttl, &mut octets);
                events.push(Incoming::Ping { ttl, context: Bytes::new() });
            }
            3 => {
                sending.pong(&body, &mut octets);
                events.push(Incoming::Pong);
            }
            _ => {
                let mut message = Message::from(body);
                for _ in 0..kind / 6 % 8 {
                    message.push_back(self::body(&mut input));
                }
                put(&message, &mut octets);
                events.push(Incoming::Message(message));
            }
        }
    }
    wire.pass(&mut octets);
    let received = receive(receiving, &octets, plan.over(octets.len()));
    if !wire.flipped && sending.has_heartbeats() {
        assert_eq!(received, Received { events, fault: None });
    }
}

pub(super) fn body(input: &mut Input<'_>) -> Bytes {
    let length = match usize::from(input.octet()) {
        length @ 0..0xE0 => return Bytes::copy_from_slice(input.take(length % 64)),
        length => (length - 0xE0) * 2113,
    };
    Bytes::from(vec![input.octet(); length.min(64 * 1024)])
}

fn put(message: &Message, octets: &mut Vec<u8>) {
    let mut batch = Encoded::default();
    batch.push_shared(message);
    while batch.remaining() > 0 {
        let mut slices = [std::io::IoSlice::new(&[])];
        assert_eq!(batch.chunks_vectored(&mut slices), 1);
        octets.extend_from_slice(&slices[0]);
        let count = slices[0].len();
        batch.advance(count);
    }
}
