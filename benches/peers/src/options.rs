//! [`Options`]: what to measure, from the command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::peer::Kind;

pub struct Options {
    pub cells: Vec<Cell>,
    pub contestants: Vec<Contestant>,
    pub reps: usize,
    pub seconds: f64,
    pub json: PathBuf,
}

/// One thing to measure: a pattern and the size of its messages in octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub pattern: Pattern,
    pub size: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    PushPull,
    PubSub,
    ReqRep,
}

/// One implementation in one way of running it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contestant {
    pub kind: Kind,
    pub mode: Mode,
}

/// How an implementation on tokio runs. Those that bring their own threads
/// run in one mode only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A task spawned on the current_thread runtime.
    CurrentThread,
    /// A task spawned on the multi_thread runtime.
    MultiThread,
    /// Directly in `block_on` of the multi_thread runtime, as in
    /// `#[tokio::main]`.
    BlockOn,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut cells = "push-pull/64,push-pull/16384,pub-sub/64,pub-sub/16384,req-rep/64".into();
        let mut kinds = Kind::ALL.iter().map(Kind::to_string).collect::<Vec<_>>().join(",");
        let mut modes = "ct".to_owned();
        let (mut reps, mut seconds) = (5, 2.0);
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut json = program.with_extension("json");
        let mut arguments = arguments.iter();
        while let Some(option) = arguments.next() {
            if option == "--quick" {
                (reps, seconds) = (3, 0.5);
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{option} what?"))?.clone();
            match option.as_str() {
                "--cell" => cells = value,
                "--impl" => kinds = value,
                "--mode" => modes = value,
                "--reps" => reps = value.parse().map_err(|_| "--reps takes a number")?,
                "--seconds" => seconds = value.parse().map_err(|_| "--seconds takes a number")?,
                "--json" => json = value.into(),
                _ => return Err(format!("no such option: {option} (see src/main.rs)")),
            }
        }
        let (kinds, modes) = (list::<Kind>(&kinds)?, list::<Mode>(&modes)?);
        let contestants = kinds.iter().flat_map(|&kind| {
            let modes = if kind.is_on_tokio() { &modes[..] } else { &[Mode::CurrentThread] };
            modes.iter().map(move |&mode| Contestant { kind, mode })
        });
        let contestants = contestants.collect();
        Ok(Self { cells: list(&cells)?, contestants, reps: reps.max(1), seconds, json })
    }
}

fn list<T: FromStr<Err = String>>(list: &str) -> Result<Vec<T>, String> {
    list.split(',').map(str::parse).collect()
}

impl FromStr for Cell {
    type Err = String;

    fn from_str(cell: &str) -> Result<Self, String> {
        let wrong = || format!("no such cell: {cell}");
        let (pattern, size) = cell.split_once('/').ok_or_else(wrong)?;
        let pattern = match pattern {
            "push-pull" => Pattern::PushPull,
            "pub-sub" => Pattern::PubSub,
            "req-rep" => Pattern::ReqRep,
            _ => return Err(wrong()),
        };
        Ok(Self { pattern, size: size.parse().map_err(|_| wrong())? })
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pattern = match self.pattern {
            Pattern::PushPull => "push-pull",
            Pattern::PubSub => "pub-sub",
            Pattern::ReqRep => "req-rep",
        };
        write!(f, "{pattern}/{}", self.size)
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

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind.is_on_tokio() {
            true => write!(f, "{} {}", self.kind, self.mode),
            false => self.kind.fmt(f),
        }
    }
}
