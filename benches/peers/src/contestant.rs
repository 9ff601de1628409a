//! [`Contestant`]: one implementation in one way of running it.

use std::fmt;
use std::str::FromStr;

use crate::cell::{Cell, Mechanism};
use crate::peer::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contestant {
    pub kind: Kind,
    pub mode: Mode,
}

/// How an implementation on tokio runs. Those that bring their own threads, or
/// their own runtime, run in one mode only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Tasks spawned on the current_thread runtime.
    CurrentThread,
    /// Tasks spawned on the multi_thread runtime.
    MultiThread,
    /// Directly in `block_on` of the multi_thread runtime, as in
    /// `#[tokio::main]`. Where an end has several sockets, those after the first
    /// are spawned.
    BlockOn,
}

impl Contestant {
    /// All the modes that each of the kinds has of these.
    pub fn all(kinds: &[Kind], modes: &[Mode]) -> Vec<Self> {
        let of_kind = |&kind: &Kind| {
            let modes = if kind.has_modes() { modes } else { &[Mode::CurrentThread] };
            modes.iter().map(move |&mode| Self { kind, mode })
        };
        kinds.iter().flat_map(of_kind).collect()
    }

    pub fn can(self, cell: Cell) -> bool {
        self.kind.can(cell) && (cell.mechanism == Mechanism::Null || self.kind.has_curve())
    }
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind.has_modes() {
            true => write!(f, "{} {}", self.kind, self.mode),
            false => self.kind.fmt(f),
        }
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(mode: &str) -> Result<Self, String> {
        match mode {
            "ct" => Ok(Self::CurrentThread),
            "mt" => Ok(Self::MultiThread),
            "bo" => Ok(Self::BlockOn),
            _ => Err(format!("no such mode: {mode}")),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CurrentThread => "ct",
            Self::MultiThread => "mt",
            Self::BlockOn => "bo",
        })
    }
}
