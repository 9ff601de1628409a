//! One of us, whose peer is honest but what it says is not always what arrives.
//!
//! ```text
//! input = cast(3) plan plan *operation
//! ```
//! Whatever has happened, it happens again with the octets cut in another way, and
//! comes to the same.

use std::time::Duration;

use bytes::Bytes;

use super::Input;
use super::connection::body;
use super::ends::{Act, Cast, End, frames};
use super::input::Plan;
use super::link::Link;
use crate::Message;
use crate::peer::Subscription;
use crate::zmtp::{Incoming, Sending};

/// How many operations, and how many octets in all, are enough.
const MAX_OPERATIONS: usize = 200;
const MAX_OCTETS: usize = 128 * 1024;

pub(super) fn run(mut input: Input<'_>) {
    let cast = Cast::new(&mut input);
    let plans = [input.plan(), input.plan()];
    let mut play = Play::new(&cast, plans[0]);
    for _ in 0..MAX_OPERATIONS {
        if input.is_empty() {
            break;
        }
        play.operation(&mut input);
    }
    play.finish();
    play.is_as_it_should(&cast);

    // The same once more, cut in another way.
    let [config, _] = cast.configs.clone();
    let mut again = End::new(config, 1, plans[1]);
    again.begin();
    for act in together(play.acts) {
        again.act(&act);
    }
    assert_eq!(play.ours.seen(), again.seen());
}

/// Octets that came one after the other, as if they had come at once.
fn together(acts: Vec<Act>) -> Vec<Act> {
    let mut all: Vec<Act> = Vec::new();
    for act in acts {
        match (all.last_mut(), act) {
            (Some(Act::Hear(before)), Act::Hear(octets)) => before.extend_from_slice(&octets),
            (_, act) => all.push(act),
        }
    }
    all
}

struct Play {
    ours: End,
    theirs: End,
    /// What comes to ours.
    link: Link,
    /// What happened to ours.
    acts: Vec<Act>,
    /// What theirs has sent in the traffic, as the peer has to understand it.
    sent: Vec<Incoming>,
    octets: usize,
}

impl Play {
    fn new(cast: &Cast, plan: Plan) -> Self {
        let [first, second] = cast.configs.clone();
        let mut play = Self {
            ours: End::new(first, 1, plan),
            theirs: End::new(second, 2, Plan::Steps(usize::MAX)),
            link: Link::default(),
            acts: Vec::new(),
            sent: Vec::new(),
            octets: 0,
        };
        let said = play.ours.begin();
        play.link.say(&play.theirs.begin());
        play.tell(said);
        play
    }

    /// Theirs hears what ours has said, as it is.
    fn tell(&mut self, said: Vec<u8>) {
        let answer = self.theirs.act(&Act::Hear(said));
        self.link.say(&answer);
        while self.theirs.waits() {
            let answers = [Act::Answer(0), Act::Place(true)].map(|act| self.theirs.act(&act));
            self.link.say(&answers.concat());
        }
    }

    fn happens(&mut self, act: Act) {
        let said = self.ours.act(&act);
        self.acts.push(act);
        self.tell(said);
    }

    fn operation(&mut self, input: &mut Input<'_>) {
        match input.octet() % 16 {
            12 => {
                let choice = input.octet();
                self.happens(Act::Answer(choice));
            }
            13 => {
                let is_welcome = input.octet() & 1 == 0;
                self.happens(Act::Place(is_welcome));
            }
            14 | 15 => self.send(input),
            how => {
                if let Some(octets) = self.link.attack(how, input) {
                    self.happens(Act::Hear(octets));
                }
            }
        }
    }

    fn send(&mut self, input: &mut Input<'_>) {
        let Some(sending) = self.theirs.sending() else { return };
        let Some((frames, event)) = send(sending, input, &mut self.octets) else { return };
        self.link.put(frames);
        self.sent.push(event);
    }

    /// The rest goes well.
    fn finish(&mut self) {
        loop {
            if self.ours.waits() {
                self.happens(Act::Answer(0));
                self.happens(Act::Place(true));
            } else if let Some(octets) = self.link.pass() {
                self.happens(Act::Hear(octets));
            } else {
                return;
            }
        }
    }

    fn is_as_it_should(&self, cast: &Cast) {
        let [_, theirs] = &cast.configs;
        knows(&self.ours, theirs, cast, self.link.is_tampered);
        if cast.is_sealed() || !self.link.is_tampered {
            assert!(self.sent.starts_with(self.ours.received()), "what came is what was sent");
        }
        if !self.link.is_tampered {
            let is_through = cast.fits() && !self.ours.has_denied;
            assert_eq!(self.ours.peer.is_some(), is_through, "{:?}", self.ours.fault);
            assert_eq!(self.ours.received(), self.sent);
        }
    }
}

/// What an end knows of a peer is true, wherever that is not for anybody to change.
pub(super) fn knows(
    end: &End,
    theirs: &crate::zmtp::HandshakeConfig,
    cast: &Cast,
    is_tampered: bool,
) {
    let Some(peer) = &end.peer else { return };
    assert_eq!(peer.mechanism, cast.mechanism);
    if is_tampered && !cast.is_sealed() {
        return;
    }
    assert!(cast.fits());
    assert_eq!(peer.socket_type, Some(theirs.socket_type));
    assert_eq!(peer.metadata, theirs.metadata);
    let identity = theirs.identity.clone().filter(|identity| !identity.is_empty());
    assert_eq!(peer.routing_id.clone().map(Bytes::from), identity);
    #[cfg(feature = "curve")]
    if let Some(crate::Credentials::Curve(key)) = &end.presented {
        let crate::security::Security::CurveClient { keys, .. } = &theirs.security else {
            panic!("only a client presents a key");
        };
        assert_eq!(key, keys.public());
    }
}

/// Sends something of the input. Returns the frames, and what the peer has to
/// understand.
pub(super) fn send(
    sending: &mut Sending,
    input: &mut Input<'_>,
    octets: &mut usize,
) -> Option<(Vec<Vec<u8>>, Incoming)> {
    if *octets > MAX_OCTETS {
        return None;
    }
    let kind = input.octet();
    let first = body(input);
    let what = match kind % 8 {
        0 => Incoming::Subscription(Subscription::Subscribe(first)),
        1 => Incoming::Subscription(Subscription::Cancel(first)),
        2 if sending.has_heartbeats() => {
            let ttl = Duration::from_millis(100 * first.len() as u64);
            Incoming::Ping { ttl, context: Bytes::new() }
        }
        3 if sending.has_heartbeats() => Incoming::Pong,
        _ => {
            let mut message = Message::from(first);
            (0..kind >> 3 & 7).for_each(|_| message.push_back(body(input)));
            Incoming::Message(message)
        }
    };
    let frames = frames(sending, &what);
    *octets += frames.iter().map(Vec::len).sum::<usize>();
    Some((frames, understood(what, sending.has_heartbeats())))
}

/// ZMTP 3.0 has subscriptions as messages.
fn understood(what: Incoming, is_new: bool) -> Incoming {
    let legacy = |kind: u8, topic: &Bytes| {
        Incoming::Message(Message::from(Bytes::from([&[kind], &topic[..]].concat())))
    };
    match what {
        Incoming::Subscription(Subscription::Subscribe(topic)) if !is_new => legacy(1, &topic),
        Incoming::Subscription(Subscription::Cancel(topic)) if !is_new => legacy(0, &topic),
        other => other,
    }
}
