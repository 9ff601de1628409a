//! [`Plan`]: what a seed decides at the beginning.

use std::time::Duration;

use super::network::Weather;
use super::rng::Rng;
use crate::mark::Mark;
use crate::options::{Linger, SocketOptions};
use crate::routing_id::RoutingId;
use crate::socket_type::SocketType::{
    self, Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub, XPub, XSub,
};

/// Who may talk to whom.
const PAIRS: [[SocketType; 2]; 12] = [
    [Push, Pull],
    [Pub, Sub],
    [Pub, XSub],
    [XPub, Sub],
    [XPub, XSub],
    [Pair, Pair],
    [Req, Rep],
    [Req, Router],
    [Dealer, Rep],
    [Dealer, Dealer],
    [Dealer, Router],
    [Router, Router],
];

/// What an application does with its socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Sends a request, waits for the reply.
    Asks,
    /// Answers each message.
    Serves,
    /// Sends and receives at the same time, or does one of them.
    Talks { sends: bool, receives: bool },
}

/// How a world comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Everything arrives; then all close.
    Settles,
    /// This one closes once it has sent all, and lingers.
    Leaves(usize),
    /// All close in the middle of it.
    Breaks { after: Duration },
}

/// One socket.
#[derive(Debug, Clone)]
pub(super) struct Party {
    pub(super) socket_type: SocketType,
    pub(super) part: Part,
    pub(super) options: SocketOptions,
    /// How many messages it sends, unless it answers only.
    pub(super) messages: usize,
    /// Whether each message gets an empty frame in front.
    pub(super) delimits: bool,
    /// How many of its tasks send, and receive, at the same time.
    pub(super) tasks: usize,
    /// Whether it takes its endpoint back once, and binds or connects it again.
    pub(super) moves: bool,
    /// When it begins to receive.
    pub(super) receives_after: Duration,
}

impl Party {
    /// Whether what it dials becomes a new peer with each connection, or once.
    pub(super) fn has_many_peers(&self) -> bool {
        self.moves || self.options.immediate
    }
}

#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The first listens, the others dial it.
    pub(super) parties: Vec<Party>,
    pub(super) weather: Weather,
    pub(super) ending: Ending,
    /// Once in so many polls a future of the application is dropped.
    pub(super) drops: Option<u64>,
}

pub(super) fn name_of(index: usize) -> RoutingId {
    RoutingId::new(format!("party {index}").into_bytes()).unwrap()
}

impl Plan {
    pub(super) fn new(seed: u64, rng: &Rng) -> Self {
        let [one, other] = PAIRS[(seed % 12) as usize];
        let types = if seed / 12 % 2 == 0 { [one, other] } else { [other, one] };
        let dialling = if types.contains(&Pair) || !rng.one_in(4) { 1 } else { 2 };
        let is_fair = rng.one_in(4);
        let beats = rng.one_in(3);
        let weather = Weather {
            cuts: if is_fair { 0 } else { rng.within(1..=5) },
            may_fall_silent: beats,
            reach: rng.pick(&[60, 300, 2000, 20_000]),
            holds_up: !is_fair && rng.one_in(3),
        };
        let ending = match rng.within(0..=5) {
            0..=2 => Ending::Settles,
            3..=4 => Ending::Leaves(rng.within(0..=dialling)),
            _ => Ending::Breaks { after: Duration::from_millis(rng.within(0..=300) as u64) },
        };
        let (conflates, moves) = (rng.one_in(8), rng.one_in(4));
        let common = Common { is_fair, beats, conflates, moves, ending };
        let mut parties: Vec<_> = (0..=dialling)
            .map(|index| {
                let (ours, theirs) = if index == 0 { (0, 1) } else { (1, 0) };
                party(index, types[ours], types[theirs], &common, rng)
            })
            .collect();
        if seed / 24 % 3 != 0 {
            // Of a chance of its own, so that what a seed has found is not another.
            let rng = Rng::new(!seed);
            for party in &mut parties {
                let octets = rng.pick(&[0, 1, 60, 300, 9000]);
                party.options.send_hwm_bytes = Mark::from_option(octets);
            }
        }
        let drops = if rng.one_in(3) { None } else { Some(rng.pick(&[3, 10, 40])) };
        Self { parties, weather, ending, drops }
    }
}

struct Common {
    is_fair: bool,
    beats: bool,
    conflates: bool,
    moves: bool,
    ending: Ending,
}

fn party(index: usize, ours: SocketType, theirs: SocketType, common: &Common, rng: &Rng) -> Party {
    let conflates = common.conflates && matches!(ours, Push | Pull | Pub | Sub);
    let slow = Duration::from_millis(rng.within(1..=200) as u64);
    Party {
        socket_type: ours,
        part: part(ours, theirs),
        options: SocketOptions { conflate: conflates, ..options(index, ours, theirs, common, rng) },
        messages: rng.within(1..=30),
        delimits: ours == Dealer && theirs == Rep,
        tasks: if rng.one_in(4) { rng.within(2..=3) } else { 1 },
        moves: common.moves && rng.one_in(2),
        receives_after: if rng.one_in(3) { slow } else { Duration::ZERO },
    }
}

fn part(ours: SocketType, theirs: SocketType) -> Part {
    match (ours, theirs) {
        (Req, _) => Part::Asks,
        (Rep, _) | (Router, Dealer | Req) => Part::Serves,
        _ => Part::Talks {
            sends: !matches!(ours, Pull | Sub),
            receives: !matches!(ours, Push | Pub),
        },
    }
}

fn options(
    index: usize,
    ours: SocketType,
    theirs: SocketType,
    common: &Common,
    rng: &Rng,
) -> SocketOptions {
    let mark = || Mark::from_option(rng.pick(&[0, 1, 2, 3, 7, 1000, 1000]));
    let lingers = match common.ending {
        Ending::Leaves(leaving) if leaving == index => Linger::Forever,
        _ => Linger::For(Duration::from_millis(rng.pick(&[0, 1, 50, 500]))),
    };
    let is_named = theirs == Router && (ours == Router || rng.one_in(2));
    let relaxed = !common.is_fair || common.moves;
    SocketOptions {
        send_hwm: mark(),
        recv_hwm: mark(),
        recv_hwm_bytes: Mark::from_option(rng.pick(&[0, 1, 300, 70_000, 16 << 20, 16 << 20])),
        linger: Some(lingers),
        immediate: index > 0 && rng.one_in(6),
        reconnect_interval: Duration::from_millis(rng.within(0..=100) as u64),
        reconnect_interval_max: Duration::from_millis(rng.pick(&[0, 0, 400])),
        handshake_timeout: Some(Duration::from_secs(2)),
        heartbeat_interval: common
            .beats
            .then(|| Duration::from_millis(rng.within(20..=300) as u64)),
        heartbeat_timeout: rng
            .one_in(3)
            .then(|| Duration::from_millis(rng.within(20..=300) as u64)),
        heartbeat_ttl: Duration::from_millis(rng.pick(&[0, 0, 300])),
        routing_id: is_named.then(|| name_of(index)),
        router_mandatory: rng.one_in(3),
        router_handover: rng.one_in(3),
        req_relaxed: relaxed,
        req_correlate: relaxed || rng.one_in(2),
        xpub_nodrop: rng.one_in(3),
        ..SocketOptions::new()
    }
}
