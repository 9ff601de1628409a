//! [`End`]: one of two of us, with a mechanism, a part in it and randomness of its
//! own, from the greeting on through the traffic.

#[cfg(feature = "curve")]
use std::sync::{Arc, LazyLock};

use super::connection::{MAX_HELD, config};
use super::input::{Input, Plan};
use super::receive::Reading;
use crate::message::strip;
use crate::random::seeded;
#[cfg(feature = "plain")]
use crate::security::PlainCredentials;
use crate::security::{Credentials, Denial, Mechanism, Policy, Security, Verdict};
use crate::zmtp::{Encoded, Flight, Handshake, HandshakeConfig, Incoming, Sending};
#[cfg(feature = "curve")]
use crate::{CurveKeypair, CurveSecretKey};
use crate::{PeerFault, PeerInfo, Unwelcome};

/// What an end may say in all of its handshake.
const MAX_SAID: usize = 2048;

const PASSWORD: &[u8] = b"open sesame, please";

/// Who the two ends are.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    pub(super) mechanism: Mechanism,
    pub(super) configs: [HandshakeConfig; 2],
    /// Whether both mean the same server: with CURVE, another key is another server.
    pub(super) is_right: bool,
}

impl Cast {
    /// Of three octets: what secures them, and what they are.
    pub(super) fn new(input: &mut Input<'_>) -> Self {
        let kind = input.octet();
        let [mut first, mut second] = [config(input.octet()), config(input.octet())];
        first.judges = kind & 0x40 != 0;
        let (mechanism, [mut client, mut server], is_right) = secured(kind);
        if kind & 1 == 1 {
            std::mem::swap(&mut client, &mut server);
        }
        (first.security, second.security) = (client, server);
        Self { mechanism, configs: [first, second], is_right }
    }

    /// Whether what these two do to each other ends in traffic, if all is well.
    pub(super) fn fits(&self) -> bool {
        let [first, second] = &self.configs;
        self.is_right && first.socket_type.is_compatible(second.socket_type)
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.mechanism == Mechanism::Curve
    }
}

/// The securities of client and server, and whether they mean each other.
fn secured(kind: u8) -> (Mechanism, [Security; 2], bool) {
    let policy = (kind & 0x20 != 0).then(Policy::allow_any);
    let null = [Security::Null { policy }, Security::Null { policy: None }];
    match kind >> 1 & 7 {
        #[cfg(feature = "plain")]
        2 | 3 => {
            let credentials = PlainCredentials::new(b"admin", PASSWORD);
            let client = Security::PlainClient(credentials);
            (Mechanism::Plain, [client, Security::PlainServer(Policy::allow_any())], true)
        }
        #[cfg(feature = "curve")]
        4..=7 => {
            let is_right = kind & 0x10 == 0;
            let [client, server, other] = &*KEYS;
            let known = if is_right { server } else { other };
            let client = Security::CurveClient { keys: client.clone(), server: *known.public() };
            let policy = Policy::allow_any();
            let server = Security::CurveServer { keys: server.clone(), policy };
            (Mechanism::Curve, [client, server], is_right)
        }
        _ => (Mechanism::Null, null, true),
    }
}

/// Those of a client, a server and another one.
#[cfg(feature = "curve")]
static KEYS: LazyLock<[Arc<CurveKeypair>; 3]> = LazyLock::new(|| {
    [1, 2, 3].map(|of| Arc::new(CurveKeypair::from_secret(CurveSecretKey::from_bytes(secret(of)))))
});

/// A secret key, which nothing else looks like.
fn secret(of: u8) -> [u8; 32] {
    std::array::from_fn(|index| of.wrapping_mul(91).wrapping_add((index as u8).wrapping_mul(37)))
}

/// What a policy may say.
pub(super) fn verdict(choice: u8) -> Verdict {
    match choice % 6 {
        0 | 1 => Verdict::accept(),
        2 => Verdict::accept_as("alice").with_property("room", "1"),
        3 => Verdict::deny("unknown"),
        4 => Verdict::deny_with(Denial::Temporary, "not now"),
        _ => Verdict::deny_with(Denial::Internal, "cannot say"),
    }
}

/// What happens to an end from outside.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Hear(Vec<u8>),
    /// The verdict of its policy, by [`verdict`].
    Answer(u8),
    /// Whether its socket has a place for the peer.
    Place(bool),
}

enum Stage {
    Shaking(Box<Handshake>),
    Traffic(Box<(Reading, Sending)>),
    Over,
}

/// One of two.
pub(super) struct End {
    stage: Stage,
    seed: u64,
    plan: Plan,
    /// What it has not looked at yet: somebody is to decide first.
    pending: Vec<u8>,
    /// All that it said in the handshake.
    pub(super) said: Vec<u8>,
    /// Why it ended, if it did.
    pub(super) fault: Option<PeerFault>,
    pub(super) is_refused: bool,
    /// Whether its policy, or its socket, did not let the peer in.
    pub(super) has_denied: bool,
    /// What its policy was asked about.
    pub(super) presented: Option<Credentials>,
    /// Who it talks to, once there is traffic.
    pub(super) peer: Option<PeerInfo>,
}

impl End {
    pub(super) fn new(config: HandshakeConfig, seed: u64, plan: Plan) -> Self {
        let stage = Stage::Shaking(Box::new(Handshake::new(config)));
        Self {
            stage,
            seed,
            plan,
            pending: Vec::new(),
            said: Vec::new(),
            fault: None,
            is_refused: false,
            has_denied: false,
            presented: None,
            peer: None,
        }
    }

    /// Lets something happen to it. Returns what it says to that.
    pub(super) fn act(&mut self, act: &Act) -> Vec<u8> {
        let before = self.said.len();
        let mut seed = self.seed;
        seeded::with(&mut seed, || match act {
            Act::Hear(octets) => self.hear(octets),
            Act::Answer(choice) => self.answer(verdict(*choice)),
            Act::Place(is_welcome) => self.place(*is_welcome),
        });
        self.seed = seed;
        assert!(self.said.len() <= MAX_SAID, "{} octets said", self.said.len());
        self.said[before..].to_vec()
    }

    /// Its greeting.
    pub(super) fn begin(&mut self) -> Vec<u8> {
        self.act(&Act::Hear(Vec::new()))
    }

    /// Whether a policy, or its socket, has to decide before it goes on.
    pub(super) fn waits(&self) -> bool {
        match &self.stage {
            Stage::Shaking(it) => it.question().is_some() || it.peer().is_some(),
            _ => false,
        }
    }

    /// What it has received in the traffic.
    pub(super) fn received(&self) -> &[Incoming] {
        match &self.stage {
            Stage::Traffic(traffic) => &traffic.0.received.events,
            _ => &[],
        }
    }

    pub(super) fn sending(&mut self) -> Option<&mut Sending> {
        match &mut self.stage {
            Stage::Traffic(traffic) => Some(&mut traffic.1),
            _ => None,
        }
    }

    /// Everything that can be seen of it, to be compared.
    pub(super) fn seen(&self) -> impl PartialEq + std::fmt::Debug {
        let presented = self.presented.as_ref().map(|it| format!("{it:?}"));
        let received = self.received().to_vec();
        (
            self.said.clone(),
            self.fault.clone(),
            self.is_refused,
            presented,
            self.peer.clone(),
            received,
        )
    }

    fn hear(&mut self, octets: &[u8]) {
        self.pending.extend_from_slice(octets);
        let octets = std::mem::take(&mut self.pending);
        let mut steps = self.plan.over(octets.len()).steps();
        let mut rest = &octets[..];
        self.take_output();
        while let (false, Stage::Shaking(_)) = (rest.is_empty() || self.waits(), &self.stage) {
            let (now, later) = rest.split_at(steps().min(rest.len()));
            rest = later;
            self.feed(now);
        }
        match &mut self.stage {
            Stage::Traffic(traffic) => {
                let reading = &mut traffic.0;
                reading.read(rest, &mut steps);
                self.fault = self.fault.take().or(reading.received.fault.clone());
            }
            // It waits. (Who does is not read from.)
            Stage::Shaking(_) => self.pending = rest.to_vec(),
            Stage::Over => {}
        }
    }

    fn feed(&mut self, octets: &[u8]) {
        let Stage::Shaking(handshake) = &mut self.stage else { return };
        let fed = handshake.feed(octets);
        self.bounded(octets.len());
        self.go_on(fed);
    }

    /// What is held of a peer before it is through: one command, and what came with
    /// it while somebody decides.
    fn bounded(&self, just_now: usize) {
        let Stage::Shaking(handshake) = &self.stage else { return };
        let held = handshake.held();
        let is_through = handshake.introduction().is_some() || handshake.question().is_some();
        let most = if is_through { 2 * just_now } else { 0 };
        assert!(held <= MAX_HELD + most, "{held} octets of memory");
    }

    fn answer(&mut self, verdict: Verdict) {
        let Stage::Shaking(handshake) = &mut self.stage else { return };
        let Some(question) = handshake.question() else { return };
        assert!(self.presented.is_none(), "a policy is asked once");
        self.presented = Some(question.credentials.clone());
        let is_accept = verdict.is_accept();
        let answered = handshake.answer(verdict);
        assert!(is_accept || answered.is_err());
        self.has_denied |= !is_accept;
        self.go_on(answered);
        self.hear(&[]);
    }

    fn place(&mut self, is_welcome: bool) {
        let Stage::Shaking(handshake) = &mut self.stage else { return };
        if handshake.peer().is_none() {
            return;
        }
        if is_welcome {
            handshake.admit();
        } else {
            handshake.refuse(Unwelcome::RoutingIdTaken);
            assert_eq!(handshake.feed(b"more"), Ok(()), "a refused peer is not listened to");
            (self.is_refused, self.has_denied) = (true, true);
        }
        self.go_on(Ok(()));
        self.hear(&[]);
    }

    fn take_output(&mut self) {
        if let Stage::Shaking(handshake) = &mut self.stage {
            self.said.extend_from_slice(&handshake.output());
        }
    }

    /// Goes where the handshake has led.
    fn go_on(&mut self, result: Result<(), PeerFault>) {
        self.take_output();
        let Stage::Shaking(handshake) = &mut self.stage else { return };
        if let Err(fault) = result {
            assert!(!handshake.is_done());
            assert_eq!(handshake.feed(b"more"), Err(fault.clone()), "a fault is for good");
            assert!(handshake.output().is_empty(), "all is said");
            if !quotes(&fault) {
                tells_nothing(&format!("{fault} {fault:?} {handshake:?}"));
            }
            self.fault = Some(fault);
        }
        if self.fault.is_some() || self.is_refused {
            self.stage = Stage::Over;
        } else if handshake.is_done() {
            let introduced = format!("{:?}", handshake.introduction());
            tells_nothing(
                &format!("{handshake:?}")
                    .replace(introduced.trim_start_matches("Some(").trim_end_matches(')'), ""),
            );
            let done = std::mem::replace(&mut self.stage, Stage::Over);
            let Stage::Shaking(handshake) = done else { return };
            let (receiving, sending, peer) = handshake.into_traffic();
            self.peer = Some(peer);
            self.stage = Stage::Traffic(Box::new((Reading::new(receiving), sending)));
        }
    }
}

/// Whether a fault quotes what the peer has said of itself, or of us. Whoever is between
/// can put anything there.
fn quotes(fault: &PeerFault) -> bool {
    use PeerFault::{DuplicateProperty, MechanismMismatch, RefusedUs, UnknownSocketType};
    matches!(
        fault,
        DuplicateProperty { .. }
            | MechanismMismatch { .. }
            | RefusedUs { .. }
            | UnknownSocketType { .. }
    )
}

/// Neither the password nor a secret key is in it, nor their octets.
fn tells_nothing(printed: &str) {
    let octets = |octets: &[u8]| format!("{octets:?}").trim_matches(['[', ']']).to_owned();
    let password = String::from_utf8_lossy(PASSWORD);
    let keys = [1, 2].map(|of| octets(&secret(of)[..8]));
    for secret in [&*password, &octets(PASSWORD), &keys[0], &keys[1]] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// Writes something, in as many pieces as there are frames.
pub(super) fn frames(sending: &mut Sending, what: &Incoming) -> Vec<Vec<u8>> {
    let mut flight = Flight::default();
    let mut queue = Encoded::default();
    if let Incoming::Message(message) = what {
        queue.push_shared(message);
    }
    flight.load(&mut queue);
    match what {
        Incoming::Message(_) => {}
        Incoming::Subscription(change) => sending.subscription(change, flight.commands()),
        Incoming::Ping { ttl, .. } => sending.ping(*ttl, flight.commands()),
        Incoming::Pong => sending.pong(b"context", flight.commands()),
    }
    let mut octets = Vec::new();
    while !flight.is_written() {
        let mut slices = [std::io::IoSlice::new(&[]); 3];
        let filled = sending.chunks_vectored(&mut flight, &mut slices);
        assert!(filled > 0, "there is something to write");
        let before = octets.len();
        slices[..filled].iter().for_each(|slice| octets.extend_from_slice(slice));
        flight.advance(octets.len() - before);
    }
    cut(&octets)
}

/// Cuts octets into whole frames.
pub(super) fn cut(mut octets: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while !octets.is_empty() {
        let (_, size, header) = strip::header(octets).expect("it is ours");
        let (frame, rest) = octets.split_at(header + size as usize);
        frames.push(frame.to_vec());
        octets = rest;
    }
    frames
}
