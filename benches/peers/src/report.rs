//! The table and the JSON.

use std::fmt::Write;
use std::io;
use std::process::Command;

use crate::options::{Options, Pattern};
use crate::peer::Kind;
use crate::run::{Figures, Series};

/// The middle, the least and the greatest of some figures.
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Series {
    fn spread(&self, figure: impl Fn(&Figures) -> Option<f64>) -> Option<Spread> {
        let mut figures: Vec<f64> = self.runs.iter().filter_map(figure).collect();
        figures.sort_unstable_by(f64::total_cmp);
        let median = *figures.get(figures.len() / 2)?;
        Some(Spread { median, min: figures[0], max: figures[figures.len() - 1] })
    }

    /// What this cell is about: messages per second, or the median round trip.
    fn main(&self) -> Option<Spread> {
        match self.cell.pattern {
            Pattern::ReqRep => self.spread(|run| run.trip.map(|(half, _)| half)),
            Pattern::PushPull | Pattern::PubSub => self.spread(|run| Some(run.rate)),
        }
    }

    /// How many times as good as the reference: above 1 is better.
    fn ratio(&self, all: &[Series]) -> Option<f64> {
        let is_reference =
            |other: &&Series| other.cell == self.cell && other.contestant.kind == Kind::REFERENCE;
        let reference = all.iter().find(is_reference)?.main()?.median;
        let own = self.main()?.median;
        Some(if self.cell.pattern == Pattern::ReqRep { reference / own } else { own / reference })
    }
}

/// One run in a few words.
pub fn brief(run: &Figures) -> String {
    match run.trip {
        Some((half, _)) => format!("p50 {half:.1} us [{:.1}]", run.cpu),
        None => format!("{}/s [{:.3}]", rate(run.rate), run.cpu),
    }
}

/// Prints a table in Markdown.
pub fn print(options: &Options, all: &[Series]) {
    println!("\n{}\n", circumstances(options).join(" · "));
    println!("| cell | implementation | median | min–max | × {} | CPU µs | p99 |", Kind::REFERENCE);
    println!("|---|---|--:|--:|--:|--:|--:|");
    for series in all {
        let is_trip = series.cell.pattern == Pattern::ReqRep;
        let unit = if is_trip { " µs" } else { "/s" };
        let main = |value: f64| if is_trip { format!("{value:.1}") } else { rate(value) };
        print!("| {} | {} |", series.cell, series.contestant);
        match series.main() {
            Some(Spread { median, min, max }) => {
                print!(" {}{unit} | {}–{} |", main(median), main(min), main(max));
            }
            None => print!(" failed | |"),
        }
        let or_none = |value: Option<String>| value.unwrap_or_default();
        print!(" {} |", or_none(series.ratio(all).map(|ratio| format!("{ratio:.2}"))));
        let cpu = series.spread(|run| Some(run.cpu));
        print!(" {} |", or_none(cpu.map(|cpu| format!("{:.3}", cpu.median))));
        let most = series.spread(|run| run.trip.map(|(_, most)| most));
        print!(" {} |", or_none(most.map(|most| format!("{:.0} µs", most.median))));
        match series.failed {
            0 => println!(),
            failed => println!(" {failed} of {} runs FAILED", options.reps),
        }
    }
    println!("\nMedians of {} runs of {} s.", options.reps, options.seconds);
    println!("× {}: above 1 is faster, for round trips too.", Kind::REFERENCE);
}

/// Date, versions and machine.
fn circumstances(options: &Options) -> Vec<String> {
    let first_line = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
    };
    let known = [
        first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
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

fn rate(per_second: f64) -> String {
    match per_second {
        1e6.. => format!("{:.2}M", per_second / 1e6),
        1e3.. => format!("{:.1}k", per_second / 1e3),
        _ => format!("{per_second:.0}"),
    }
}

/// Writes every run of every series.
pub fn write_json(options: &Options, all: &[Series]) -> io::Result<()> {
    let mut json = String::from("{\n");
    let circumstances = circumstances(options).join(" · ");
    let _ = writeln!(json, "  \"circumstances\": {circumstances:?},");
    let _ = writeln!(json, "  \"seconds\": {},\n  \"series\": [", options.seconds);
    for (index, series) in all.iter().enumerate() {
        let (cell, contestant, failed) = (series.cell, series.contestant, series.failed);
        let _ = write!(json, "    {{\"cell\": \"{cell}\", \"implementation\": \"{contestant}\", ");
        let _ = write!(json, "\"failed\": {failed}, \"runs\": [");
        for (index, run) in series.runs.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let _ = write!(json, "{comma}{{\"rate\": {:.1}, \"cpu_us\": {:.4}", run.rate, run.cpu);
            if let Some((half, most)) = run.trip {
                let _ = write!(json, ", \"p50_us\": {half:.2}, \"p99_us\": {most:.2}");
            }
            json.push('}');
        }
        json.push_str(if index + 1 == all.len() { "]}\n" } else { "]},\n" });
    }
    json.push_str("  ]\n}\n");
    std::fs::write(&options.json, json)?;
    eprintln!("written: {}", options.json.display());
    Ok(())
}
