//! [`Cell`]: one thing to measure. Its name is the pattern, the transport and
//! the size of a message in octets: `push-pull/tcp/64`, or `push-pull/64`. How
//! many sockets connect comes after the pattern: `fan-in:32/tcp/64`; and to PUB,
//! that one message in a hundred matches: `pub-sub:1000:1%/tcp/64`. CURVE comes
//! after the transport: `push-pull/tcp+curve/64`.

use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub pattern: Pattern,
    /// How many sockets connect to the one that binds.
    pub peers: usize,
    /// How many topics the messages of PUB have, in turn. Each SUB wants one.
    pub topics: usize,
    pub transport: Transport,
    pub mechanism: Mechanism,
    pub size: usize,
}

/// The first named is what binds, except that PUSH connects to PULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    PushPull,
    PubSub,
    ReqRep,
    /// Round trips, so many of each DEALER at a time: [`IN_FLIGHT`].
    DealerRouter,
    /// PULL binds, many PUSH connect.
    FanIn,
    /// PUSH binds, many PULL connect.
    FanOut,
    /// One way, from the PAIR that connects to the one that binds.
    Pair,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Ipc,
    Inproc,
}

/// Whether connections are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    Null,
    Curve,
}

/// One of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The socket that binds.
    One,
    /// Those that connect.
    Many,
}

/// How many requests of each DEALER are under way.
pub const IN_FLIGHT: usize = 16;

/// `1%`
const SPARSE: usize = 100;

const PATTERNS: [(Pattern, &str); 7] = [
    (Pattern::PushPull, "push-pull"),
    (Pattern::PubSub, "pub-sub"),
    (Pattern::ReqRep, "req-rep"),
    (Pattern::DealerRouter, "dealer-router"),
    (Pattern::FanIn, "fan-in"),
    (Pattern::FanOut, "fan-out"),
    (Pattern::Pair, "pair"),
];

const TRANSPORTS: [(Transport, &str); 3] =
    [(Transport::Tcp, "tcp"), (Transport::Ipc, "ipc"), (Transport::Inproc, "inproc")];

/// What follows the name of a transport.
const CURVE: &str = "+curve";

/// What is measured when nothing else is asked for.
const QUICK: [&str; 21] = [
    "push-pull/tcp/16",
    "push-pull/tcp/64",
    "push-pull/tcp/1024",
    "push-pull/tcp/16384",
    "push-pull/tcp/1048576",
    "push-pull/ipc/64",
    "push-pull/inproc/64",
    "req-rep/tcp/64",
    "req-rep/ipc/64",
    "req-rep/inproc/64",
    "pub-sub/tcp/64",
    "pub-sub/tcp/1024",
    "pub-sub:32/tcp/64",
    "pub-sub:1000:1%/tcp/64",
    "fan-out:4/tcp/64",
    "fan-out:32/tcp/64",
    "fan-in:4/tcp/64",
    "fan-in:32/tcp/64",
    "dealer-router/tcp/64",
    "dealer-router:32/tcp/64",
    "dealer-router:1000/tcp/64",
];

/// The whole matrix, to be combined with all transports and [`SIZES`].
const ALL: [&str; 16] = [
    "push-pull",
    "req-rep",
    "pair",
    "pub-sub",
    "pub-sub:1:1%",
    "pub-sub:32",
    "pub-sub:32:1%",
    "pub-sub:1000",
    "pub-sub:1000:1%",
    "fan-out:4",
    "fan-out:32",
    "fan-in:4",
    "fan-in:32",
    "dealer-router",
    "dealer-router:32",
    "dealer-router:1000",
];

const SIZES: [usize; 6] = [16, 64, 256, 1024, 16 * 1024, 1024 * 1024];

/// No cell of the matrix has more than this for one message to each peer: an
/// implementation may hold a thousand of them for each.
const MOST_AT_ONCE: usize = 1024 * 1024;

impl Cell {
    pub fn quick() -> Vec<Self> {
        QUICK.iter().map(|cell| cell.parse().expect("a cell")).collect()
    }

    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for pattern in ALL {
            for (_, transport) in TRANSPORTS {
                let cell = |size| format!("{pattern}/{transport}/{size}").parse().expect("a cell");
                let cells = SIZES.into_iter().map(cell);
                all.extend(cells.filter(|cell: &Self| cell.size * cell.peers <= MOST_AT_ONCE));
            }
        }
        all
    }

    /// Whether what is measured is the time of a round trip, not a rate.
    pub fn is_trip(self) -> bool {
        self.pattern == Pattern::ReqRep
    }

    /// The end whose messages are counted.
    pub fn counted(self) -> Side {
        match self.pattern {
            Pattern::PushPull | Pattern::FanIn | Pattern::Pair => Side::One,
            Pattern::PubSub | Pattern::FanOut | Pattern::ReqRep | Pattern::DealerRouter => {
                Side::Many
            }
        }
    }

    /// File descriptors that a process may need: some implementations take
    /// several for each socket.
    pub fn descriptors(self) -> usize {
        100 + 4 * self.peers
    }
}

impl FromStr for Cell {
    type Err = String;

    fn from_str(cell: &str) -> Result<Self, String> {
        let wrong = || format!("no such cell: {cell}");
        let mut parts: Vec<&str> = cell.split('/').collect();
        if parts.len() == 2 {
            parts.insert(1, "tcp");
        }
        let [who, transport, size] = parts[..] else { return Err(wrong()) };
        let mut who = who.split(':');
        let pattern = named(&PATTERNS, who.next().unwrap_or_default()).ok_or_else(wrong)?;
        let peers = who.next().map_or(Ok(1), str::parse).map_err(|_| wrong())?;
        let topics = match who.next() {
            None => 1,
            Some("1%") => SPARSE,
            Some(_) => return Err(wrong()),
        };
        let (transport, mechanism) = match transport.strip_suffix(CURVE) {
            Some(transport) => (transport, Mechanism::Curve),
            None => (transport, Mechanism::Null),
        };
        let transport = named(&TRANSPORTS, transport).ok_or_else(wrong)?;
        let size = size.parse().map_err(|_| wrong())?;
        let cell = Self { pattern, peers, topics, transport, mechanism, size };
        if cell.makes_sense() && who.next().is_none() { Ok(cell) } else { Err(wrong()) }
    }
}

impl Cell {
    fn makes_sense(self) -> bool {
        let is_one_to_one =
            matches!(self.pattern, Pattern::PushPull | Pattern::ReqRep | Pattern::Pair);
        let peers = if is_one_to_one { self.peers == 1 } else { self.peers > 0 };
        // A topic is two digits.
        let topics = self.topics == 1 || self.pattern == Pattern::PubSub && self.size >= 2;
        // Nothing is encrypted within a process.
        let mechanism = self.mechanism == Mechanism::Null || self.transport != Transport::Inproc;
        peers && topics && mechanism && self.size > 0
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(&PATTERNS, self.pattern))?;
        if self.peers > 1 || self.topics > 1 {
            write!(f, ":{}", self.peers)?;
        }
        if self.topics > 1 {
            f.write_str(":1%")?;
        }
        let mechanism = match self.mechanism {
            Mechanism::Null => "",
            Mechanism::Curve => CURVE,
        };
        write!(f, "/{}{mechanism}/{}", name(&TRANSPORTS, self.transport), self.size)
    }
}

fn named<T: Copy>(names: &[(T, &str)], name: &str) -> Option<T> {
    names.iter().find(|(_, other)| *other == name).map(|(it, _)| *it)
}

fn name<T: PartialEq>(names: &[(T, &'static str)], it: T) -> &'static str {
    names.iter().find(|(other, _)| *other == it).map_or("", |(_, name)| name)
}
