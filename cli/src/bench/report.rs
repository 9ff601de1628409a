//! [`Report`]: what was measured, for people, as JSON, and beside what was before.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Histogram;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::output::print;
use crate::units::{figures, short};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Report {
    /// Of this program.
    version: String,
    transport: String,
    curve: bool,
    size: usize,
    throughput: Option<Throughput>,
    latency: Option<Latency>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Throughput {
    messages: u64,
    seconds: f64,
    messages_per_second: f64,
    bytes_per_second: f64,
}

/// Round trips; times in nanoseconds.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Latency {
    round_trips: u64,
    min: u64,
    mean: u64,
    p50: u64,
    p90: u64,
    p99: u64,
    p99_9: u64,
    max: u64,
}

impl Throughput {
    pub(super) fn new(messages: u64, size: usize, time: Duration) -> Self {
        let seconds = time.as_secs_f64();
        let messages_per_second = messages as f64 / seconds;
        let bytes_per_second = messages_per_second * size as f64;
        Self { messages, seconds, messages_per_second, bytes_per_second }
    }

    fn rates(&self) -> [(&'static str, f64); 2] {
        [("/s", self.messages_per_second), ("B/s", self.bytes_per_second)]
    }
}

impl Latency {
    pub(super) fn of(histogram: &Histogram) -> Self {
        Self {
            round_trips: histogram.count(),
            min: histogram.min(),
            mean: histogram.mean(),
            p50: histogram.quantile(0.5),
            p90: histogram.quantile(0.9),
            p99: histogram.quantile(0.99),
            p99_9: histogram.quantile(0.999),
            max: histogram.max(),
        }
    }

    fn times(&self) -> [(&'static str, u64); 7] {
        [
            ("min", self.min),
            ("mean", self.mean),
            ("p50", self.p50),
            ("p90", self.p90),
            ("p99", self.p99),
            ("p99.9", self.p99_9),
            ("max", self.max),
        ]
    }
}

impl Report {
    pub(super) fn new(
        transport: &str,
        curve: bool,
        size: usize,
        throughput: Option<Throughput>,
        latency: Option<Latency>,
    ) -> Self {
        let version = env!("CARGO_PKG_VERSION").into();
        Self { version, transport: transport.into(), curve, size, throughput, latency }
    }

    pub(super) fn load(path: &Path) -> Result<Self, Failure> {
        let cannot = |why: &dyn std::fmt::Display| {
            Failure::said(format!("cannot read {}: {why}", path.display()))
        };
        let text = std::fs::read(path).map_err(|error| cannot(&error))?;
        serde_json::from_slice(&text).map_err(|error| cannot(&error))
    }

    /// Prints it, and keeps it if that is wanted.
    pub(super) fn publish(&self, args: &RunArgs, before: Option<&Self>) -> Result<(), Failure> {
        let json =
            serde_json::to_string_pretty(self).map_err(|error| Failure::said(error.to_string()))?;
        if let Some(path) = &args.save {
            let cannot = |error| Failure::said(format!("cannot write {}: {error}", path.display()));
            std::fs::write(path, format!("{json}\n")).map_err(cannot)?;
        }
        if args.json {
            return print(&json);
        }
        print(self.table(before).trim_end())
    }

    /// A line for each figure, with what it was before. (Writing to a String does not fail.)
    fn table(&self, before: Option<&Self>) -> String {
        let mut text = self.title();
        if let Some(before) = before.filter(|before| before.title() != self.title()) {
            let _ = write!(text, "compared with another case: {}", before.title());
        }
        if let Some(now) = &self.throughput {
            let before = before.and_then(|before| before.throughput.as_ref());
            let before = before.map(Throughput::rates);
            for (index, (unit, rate)) in now.rates().into_iter().enumerate() {
                let _ = write!(text, "  throughput  {:>8}{unit:<3}", figures(rate));
                let before = before.map(|before| before[index].1);
                against(&mut text, rate, before, |was| format!("{}{unit}", figures(was)));
            }
        }
        if let Some(now) = &self.latency {
            let before = before.and_then(|before| before.latency.as_ref()).map(Latency::times);
            for (index, (name, time)) in now.times().into_iter().enumerate() {
                let before = before.map(|before| before[index].1 as f64);
                let _ = write!(text, "  round trip  {name:>5}  {:>11}", nanos(time as f64));
                against(&mut text, time as f64, before, nanos);
            }
        }
        text
    }

    fn title(&self) -> String {
        let curve = if self.curve { ", CURVE" } else { "" };
        format!("DEALER to ROUTER, {}{curve}, {} B\n", self.transport, self.size)
    }
}

/// The rest of a line: what it was, and by how much it has changed.
fn against(text: &mut String, now: f64, before: Option<f64>, print: impl Fn(f64) -> String) {
    if let Some(before) = before.filter(|before| *before > 0.0) {
        let change = (now / before - 1.0) * 100.0;
        let _ = write!(text, "  before {:>16}  {change:+.1} %", print(before));
    }
    text.push('\n');
}

fn nanos(nanos: f64) -> String {
    short(Duration::from_nanos(nanos as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_beside_another() {
        let report = |rate: f64| {
            let throughput = Throughput::new(rate as u64, 64, Duration::from_secs(1));
            Report::new("tcp", false, 64, Some(throughput), None)
        };
        let table = report(1_500_000.0).table(Some(&report(1_000_000.0)));
        assert!(table.contains("1.5 M/s"), "{table}");
        assert!(table.contains("+50.0 %"), "{table}");
        assert!(!table.contains("another case"), "{table}");
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let throughput = Some(Throughput::new(3, 1, Duration::from_secs(2)));
        let report =
            Report::new("ipc", true, 1, throughput, Some(Latency::of(&Histogram::default())));
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }
}
