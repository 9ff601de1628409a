//! What the runs come to: [`Series`], and the table, the JSON and the chart of them.

mod chart;
mod json;
mod table;

use std::process::Command;

use crate::cell::Cell;
use crate::contestant::Contestant;
use crate::log::{Log, Outcome, Run};
use crate::options::Options;
use crate::peer::Kind;
use crate::plan;
use crate::run::Figures;

pub use chart::write as write_chart;
pub use json::write as write_json;
pub use table::print as print_table;

/// All runs of one contestant in one cell.
pub struct Series {
    pub cell: Cell,
    pub contestant: Contestant,
    pub runs: Vec<Figures>,
    /// System calls per message.
    pub calls: Option<f64>,
    pub failures: Vec<String>,
}

/// The middle, the least and the greatest of some figures.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

/// Every series, in the order of the options.
pub fn collect(options: &Options, log: &Log) -> Vec<Series> {
    let series = |(cell, contestant)| Series::new(cell, contestant, &log.runs);
    plan::series(options).into_iter().map(series).collect()
}

impl Series {
    fn new(cell: Cell, contestant: Contestant, runs: &[Run]) -> Self {
        let mut series =
            Self { cell, contestant, runs: Vec::new(), calls: None, failures: Vec::new() };
        let (cell, contestant) = (cell.to_string(), contestant.to_string());
        for run in runs.iter().filter(|run| run.cell == cell && run.contestant == contestant) {
            match &run.outcome {
                Outcome::Figures(figures) => series.runs.push(*figures),
                Outcome::Calls(calls) => series.calls = Some(*calls),
                Outcome::Failed(error) => series.failures.push(error.clone()),
            }
        }
        series
    }

    pub fn spread(&self, figure: impl Fn(&Figures) -> Option<f64>) -> Option<Spread> {
        let mut figures: Vec<f64> = self.runs.iter().filter_map(figure).collect();
        figures.sort_unstable_by(f64::total_cmp);
        let median = *figures.get(figures.len() / 2)?;
        Some(Spread { median, min: figures[0], max: figures[figures.len() - 1] })
    }

    /// What this cell is about: messages per second, or the median round trip.
    pub fn main(&self) -> Option<Spread> {
        match self.cell.is_trip() {
            true => self.spread(|run| run.trip.map(|trip| trip.p50)),
            false => self.spread(|run| Some(run.rate)),
        }
    }

    /// The more, the better: the rate, or one by the time.
    pub fn merit(&self) -> Option<f64> {
        let median = self.main()?.median;
        Some(if self.cell.is_trip() { 1.0 / median } else { median })
    }

    /// How many times as good as the other: above 1 is better.
    pub fn ratio(&self, other: &Series) -> Option<f64> {
        Some(self.merit()? / other.merit()?)
    }

    /// The raw stream in the same cell and, if it runs there too, in the same mode.
    pub fn raw<'a>(&self, all: &'a [Series]) -> Option<&'a Series> {
        let is_raw =
            |other: &&Series| other.cell == self.cell && other.contestant.kind == Kind::Raw;
        let is_same_mode = |other: &&Series| other.contestant.mode == self.contestant.mode;
        let mut raw = all.iter().filter(is_raw);
        raw.clone().find(is_same_mode).or_else(|| raw.next())
    }

    /// The best of the peers in the same cell, in whatever mode.
    pub fn best_peer<'a>(&self, all: &'a [Series]) -> Option<&'a Series> {
        let is_peer = |other: &&Series| other.cell == self.cell && other.contestant.kind.is_peer();
        let peers = all.iter().filter(is_peer).filter_map(|other| Some((other.merit()?, other)));
        peers.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, best)| best)
    }
}

/// One run in a few words.
pub fn brief(cell: Cell, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Figures(Figures { trip: Some(trip), cpu, .. }) if cell.is_trip() => {
            format!("p50 {:.1} us [{cpu:.1}]", trip.p50)
        }
        Outcome::Figures(run) => format!("{}/s [{:.3}]", rate(run.rate), run.cpu),
        Outcome::Calls(calls) => format!("{calls:.4} system calls"),
        Outcome::Failed(error) => format!("FAILED: {error}"),
    }
}

fn rate(per_second: f64) -> String {
    match per_second {
        1e6.. => format!("{:.2}M", per_second / 1e6),
        1e3.. => format!("{:.1}k", per_second / 1e3),
        _ => format!("{per_second:.0}"),
    }
}

/// Versions and machine.
pub fn build(options: &Options) -> Vec<String> {
    let known = [
        first_line("git", &["describe", "--always", "--dirty"])
            .map(|commit| format!("at {commit}")),
        first_line("rustc", &["--version"]),
        first_line("uname", &["-sr"]),
        first_line("nproc", &[]).map(|count| format!("{count} processors")),
    ];
    let mut kinds: Vec<Kind> =
        options.contestants.iter().map(|contestant| contestant.kind).collect();
    kinds.dedup();
    known.into_iter().flatten().chain(kinds.into_iter().map(Kind::describe)).collect()
}

/// The date, and all that.
fn circumstances(options: &Options) -> String {
    let date = first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"]);
    date.into_iter().chain(build(options)).collect::<Vec<_>>().join(" · ")
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
}
