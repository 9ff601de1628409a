//! One run: a cell, a contestant, and fresh processes.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::cell::{Cell, Side, Transport};
use crate::contestant::Contestant;
use crate::end;
use crate::gauge::{Reading, Trip};
use crate::keys::Keys;
use crate::process::Process;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long it may take until every socket has had a message.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one run gave.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Figures {
    /// Messages received, or round trips, per second: of all sockets together.
    pub rate: f64,
    /// The same at the other end: what was sent, or answered.
    pub other: f64,
    /// Microseconds of processor time of both ends for each message received.
    pub cpu: f64,
    pub trip: Option<Trip>,
}

pub fn measure(contestant: Contestant, cell: Cell, seconds: f64) -> Result<Figures> {
    let mut ends = Ends::open(contestant, cell, false)?;
    ends.wait_for_all()?;
    thread::sleep(Duration::from_secs_f64(seconds / 4.0));
    let before = ends.ask(end::START)?;
    let cpu = ends.cpu()?;
    thread::sleep(Duration::from_secs_f64(seconds));
    let cpu = ends.cpu()? - cpu;
    let after = ends.ask(end::STOP)?;
    let (one, many) = (rate(&before, &after, |it| it.one), rate(&before, &after, |it| it.many));
    let (rate, other) = match cell.counted() {
        Side::One => (one, many),
        Side::Many => (many, one),
    };
    if rate == 0.0 {
        return Err("no message arrived".into());
    }
    let trip = after.iter().find_map(|reading| reading.trip);
    Ok(Figures { rate, other, cpu: cpu / (rate * seconds) * 1e6, trip })
}

/// System calls of both ends for each message received: of all that the processes
/// do, so that it includes how they start and find each other.
pub fn count_calls(contestant: Contestant, cell: Cell, seconds: f64) -> Result<f64> {
    let mut ends = Ends::open(contestant, cell, true)?;
    ends.wait_for_all()?;
    thread::sleep(Duration::from_secs_f64(seconds));
    let reading = ends.ask(end::LOOK)?;
    let messages: u64 = match cell.counted() {
        Side::One => reading.iter().map(|it| it.one).sum(),
        Side::Many => reading.iter().map(|it| it.many).sum(),
    };
    let mut calls = 0.0;
    while let Some(process) = ends.processes.pop() {
        calls += process.calls()?;
    }
    Ok(calls / messages as f64)
}

/// Of what is counted, in all processes.
fn rate(before: &[Reading], after: &[Reading], count: impl Fn(&Reading) -> u64) -> f64 {
    let each = before.iter().zip(after);
    each.map(|(a, b)| (count(b) - count(a)) as f64 / (b.time - a.time)).sum()
}

/// The processes of one run: two, or over inproc one.
struct Ends {
    processes: Vec<Process>,
    /// For the socket of ipc and what strace writes.
    directory: Directory,
    counts_calls: bool,
}

impl Ends {
    fn open(contestant: Contestant, cell: Cell, counts_calls: bool) -> Result<Self> {
        let mut ends = Self { processes: Vec::new(), directory: Directory::new()?, counts_calls };
        let wanted = match cell.transport {
            Transport::Tcp => "tcp://127.0.0.1:0".into(),
            Transport::Ipc => format!("ipc://{}/socket", ends.directory.0.display()),
            Transport::Inproc => "inproc://peers".into(),
        };
        let keys = Keys::of(cell)?;
        ends.spawn(&end::to_bind(contestant, cell, &wanted, keys.as_ref()))?;
        if cell.transport != Transport::Inproc {
            let endpoint = ends.processes[0].line()?;
            ends.spawn(&end::to_connect(contestant, cell, &endpoint, keys.as_ref()))?;
        }
        Ok(ends)
    }

    fn spawn(&mut self, arguments: &[String]) -> Result<()> {
        self.processes.push(match self.counts_calls {
            true => {
                let file = format!("calls.{}", self.processes.len());
                Process::spawn_counted(arguments, self.directory.0.join(file))?
            }
            false => Process::spawn(arguments)?,
        });
        Ok(())
    }

    fn ask(&mut self, word: &str) -> Result<Vec<Reading>> {
        self.processes.iter_mut().map(|process| process.ask(word)).collect()
    }

    fn cpu(&self) -> Result<f64> {
        self.processes.iter().map(Process::cpu).sum()
    }

    /// Until every socket has had a message: then PUB floods.
    fn wait_for_all(&mut self) -> Result<()> {
        let begin = Instant::now();
        while !self.ask(end::LOOK)?.iter().all(|reading| reading.all_at_work) {
            if begin.elapsed() > PATIENCE {
                return Err("not every socket has had a message".into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.ask(end::ALL_THERE)?;
        Ok(())
    }
}

/// A fresh one, removed when dropped.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("peers-{}", std::process::id()));
        // What a run that was cut off has left, whose process had this number.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
