//! Works off what was asked for: every round runs all cells and contestants once,
//! in random order.

use std::error::Error;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::cell::Cell;
use crate::contestant::Contestant;
use crate::log::{Log, Outcome, Run};
use crate::options::Options;
use crate::{report, run};

/// The round in which system calls are counted.
const CALLS: usize = 0;

/// Runs what the log does not have yet.
pub fn work_off(options: &Options, log: &mut Log) -> Result<(), Box<dyn Error>> {
    let mut rounds: Vec<usize> = (1..=options.reps).collect();
    if options.syscalls {
        match has_strace() {
            true => rounds.push(CALLS),
            false => eprintln!("NO STRACE HERE: system calls are not counted"),
        }
    }
    let mut random = Random::new();
    let mut order = Vec::new();
    for &round in &rounds {
        let mut series = series(options);
        random.shuffle(&mut series);
        order.extend(series.into_iter().map(|series| (round, series)));
    }
    order.retain(|(round, (cell, contestant))| {
        !log.has(&cell.to_string(), &contestant.to_string(), *round)
    });
    if !log.runs.is_empty() {
        eprintln!("{} runs are there already", log.runs.len());
    }
    let (begin, count) = (Instant::now(), order.len());
    for (number, (round, (cell, contestant))) in (1..).zip(order) {
        eprint!("[{number}/{count}, {} s] {cell} {contestant}: ", begin.elapsed().as_secs());
        let outcome = one(options, round, cell, contestant);
        eprintln!("{}", report::brief(cell, &outcome));
        let (cell, contestant) = (cell.to_string(), contestant.to_string());
        log.append(Run { cell, contestant, round, outcome })?;
    }
    Ok(())
}

/// Every cell with everyone who has it.
pub fn series(options: &Options) -> Vec<(Cell, Contestant)> {
    let mut all = Vec::new();
    for &cell in &options.cells {
        let who = options.contestants.iter().copied().filter(|contestant| contestant.can(cell));
        all.extend(who.map(|contestant| (cell, contestant)));
    }
    all
}

fn one(options: &Options, round: usize, cell: Cell, contestant: Contestant) -> Outcome {
    let outcome = match round {
        CALLS => run::count_calls(contestant, cell, options.seconds).map(Outcome::Calls),
        _ => run::measure(contestant, cell, options.seconds).map(Outcome::Figures),
    };
    outcome.unwrap_or_else(|error| Outcome::Failed(error.to_string()))
}

/// What decides whether runs belong together.
pub fn identity(options: &Options) -> String {
    let names = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>().join(",");
    let cells = names(&mut options.cells.iter().map(Cell::to_string));
    let contestants = names(&mut options.contestants.iter().map(Contestant::to_string));
    let (reps, seconds, syscalls) = (options.reps, options.seconds, options.syscalls);
    let build = report::build(options).join(" · ");
    format!("{cells} | {contestants} | {reps} × {seconds} s | system calls: {syscalls} | {build}")
}

/// Whether there are enough for every cell. The limit is not raised here: that is for
/// whoever runs this to decide.
pub fn check_descriptors(options: &Options) -> Result<(), Box<dyn Error>> {
    let Some(limit) = descriptors() else { return Ok(()) };
    let Some(cell) = options.cells.iter().find(|cell| cell.descriptors() > limit) else {
        return Ok(());
    };
    let needed = cell.descriptors();
    Err(format!(
        "{cell} may need {needed} file descriptors and {limit} are allowed: raise the limit \
         (`ulimit -n {needed}`), or choose other cells (--cell)"
    )
    .into())
}

/// How many a process may have (proc(5)).
fn descriptors() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn has_strace() -> bool {
    Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|it| it.success())
}

/// xorshift64: enough to shuffle.
struct Random(u64);

impl Random {
    fn new() -> Self {
        // Another order each time.
        #[allow(clippy::disallowed_types, reason = "nothing is timed by it")]
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self(now.as_nanos() as u64 | 1)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            items.swap(end, (self.0 % (end as u64 + 1)) as usize);
        }
    }
}
