//! Runs every cell with every contestant, each time in two fresh processes.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, SystemTime};

use crate::options::{Cell, Contestant, Options};
use crate::role;

/// How long a run may take beyond what it should.
const PATIENCE: Duration = Duration::from_secs(10);

/// What one run gave.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Messages, or round trips, per second.
    pub rate: f64,
    /// Microseconds of processor time of both processes, per message.
    pub cpu: f64,
    /// Median and 99th percentile of the round trips, in microseconds.
    pub trip: Option<(f64, f64)>,
}

/// All runs of one contestant in one cell. Failed runs are only counted.
pub struct Series {
    pub cell: Cell,
    pub contestant: Contestant,
    pub runs: Vec<Figures>,
    pub failed: usize,
}

pub fn all(options: &Options) -> Result<Vec<Series>, Box<dyn Error>> {
    let mut all = Vec::new();
    for &cell in &options.cells {
        for &contestant in &options.contestants {
            all.push(Series { cell, contestant, runs: Vec::new(), failed: 0 });
        }
    }
    let mut order: Vec<usize> = (0..all.len()).collect();
    let mut random = Random::new();
    for round in 1..=options.reps {
        random.shuffle(&mut order);
        for &index in &order {
            let series = &mut all[index];
            let (cell, contestant) = (series.cell, series.contestant);
            eprint!("[{round}/{}] {cell} {contestant}: ", options.reps);
            match one(contestant, cell, options.seconds) {
                Ok(figures) => {
                    eprintln!("{}", crate::report::brief(&figures));
                    series.runs.push(figures);
                }
                Err(error) => {
                    eprintln!("FAILED: {error}");
                    series.failed += 1;
                }
            }
        }
    }
    Ok(all)
}

fn one(contestant: Contestant, cell: Cell, seconds: f64) -> Result<Figures, Box<dyn Error>> {
    let mut arguments = role::arguments(contestant, cell, seconds);
    let (sender, lines) = mpsc::channel();
    let binds = End::spawn(&arguments, &sender)?;
    arguments.push(next(&lines, PATIENCE)?);
    let connects = End::spawn(&arguments, &sender)?;
    drop(sender);
    let time = Duration::from_secs_f64(seconds);
    if next(&lines, PATIENCE + time)? != role::START {
        return Err("expected the start".into());
    }
    let before = binds.cpu()? + connects.cpu()?;
    let line = next(&lines, PATIENCE + time)?;
    let cpu = binds.cpu()? + connects.cpu()? - before;
    let figures: Result<Vec<f64>, _> = line.split(' ').map(str::parse).collect();
    match figures?[..] {
        [count, time, ref trip @ ..] => Ok(Figures {
            rate: count / time,
            cpu: cpu / count * 1e6,
            trip: trip.first().copied().zip(trip.get(1).copied()),
        }),
        _ => Err("expected figures".into()),
    }
}

fn next(lines: &Receiver<String>, patience: Duration) -> Result<String, Box<dyn Error>> {
    Ok(lines.recv_timeout(patience).map_err(|_| "a process said nothing for too long")?)
}

/// A child process; killed when dropped.
struct End(Child);

impl End {
    fn spawn(arguments: &[String], lines: &Sender<String>) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("no stdout")?;
        let lines = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens any more once the figures are there.
                let _ = lines.send(line);
            }
        });
        Ok(Self(child))
    }

    /// Processor time so far, user and system, in seconds (proc(5)).
    fn cpu(&self) -> Result<f64, Box<dyn Error>> {
        const TICKS_PER_SECOND: f64 = 100.0; // Of every Linux on common machines.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let (_, after_name) = stat.rsplit_once(") ").ok_or("a strange stat")?;
        let times = after_name.split(' ').skip(11).take(2).map(str::parse::<f64>);
        Ok(times.sum::<Result<f64, _>>()? / TICKS_PER_SECOND)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// xorshift64: enough to shuffle.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
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
