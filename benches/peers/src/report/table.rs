//! The table, in Markdown.

use super::{Series, Spread, circumstances, rate};
use crate::cell::Pattern;
use crate::options::Options;

/// What is not there.
const NONE: &str = "–";

pub fn print(options: &Options, all: &[Series]) {
    println!("\n{}\n", circumstances(options));
    println!(
        "| cell | implementation | median | min–max | × raw | × best peer | CPU µs | p99 | \
         system calls | |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|---|");
    for &cell in &options.cells {
        for &contestant in &options.contestants {
            let is_this = |it: &&Series| it.cell == cell && it.contestant == contestant;
            let columns = match all.iter().find(is_this) {
                Some(series) => columns(options, all, series),
                None => vec![NONE.to_owned(); 8],
            };
            println!("| {cell} | {contestant} | {} |", columns.join(" | "));
        }
    }
    println!();
    println!("Medians of {} runs of {} s.", options.reps, options.seconds);
    println!("Ratios: above 1 is better, for round trips too. {NONE}: not there, or not measured.");
}

fn columns(options: &Options, all: &[Series], series: &Series) -> Vec<String> {
    let number = |value: Option<f64>, digits: usize| match value {
        Some(value) => format!("{value:.digits$}"),
        None => NONE.to_owned(),
    };
    let (median, spread) = main(series);
    let to_raw = series.raw(all).and_then(|raw| series.ratio(raw));
    let to_best = series.best_peer(all).and_then(|best| series.ratio(best));
    let cpu = series.spread(|run| Some(run.cpu)).map(|cpu| cpu.median);
    let p99 = series.spread(|run| run.trip.map(|trip| trip.p99));
    let p99 = p99.map_or(NONE.to_owned(), |p99| format!("{:.0} µs", p99.median));
    vec![
        median,
        spread,
        number(to_raw, 2),
        number(to_best, 2),
        number(cpu, 3),
        p99,
        number(series.calls, 3),
        remarks(options, series),
    ]
}

fn main(series: &Series) -> (String, String) {
    let Some(Spread { median, min, max }) = series.main() else {
        return ("failed".into(), NONE.into());
    };
    match series.cell.is_trip() {
        true => (format!("{median:.1} µs"), format!("{min:.1}–{max:.1} µs")),
        false => (format!("{}/s", rate(median)), format!("{}–{}/s", rate(min), rate(max))),
    }
}

fn remarks(options: &Options, series: &Series) -> String {
    let mut remarks = Vec::new();
    if series.cell.pattern == Pattern::PubSub
        && let Some(published) = series.spread(|run| Some(run.other))
    {
        remarks.push(format!("published {}/s", rate(published.median)));
    }
    if let Some(failure) = series.failures.first() {
        let (failed, reps) = (series.failures.len(), options.reps);
        remarks.push(format!("{failed} of {reps} runs FAILED: {failure}"));
    }
    remarks.join("; ")
}
