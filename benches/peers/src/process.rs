//! [`Process`]: one end of a run, seen from its parent.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::gauge::Reading;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long a process may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ended when dropped.
pub struct Process {
    child: Child,
    /// Gone once it is to end.
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What it says in the end is why it failed.
    stderr: Option<JoinHandle<String>>,
    /// What strace writes, if the process is under it.
    calls: Option<PathBuf>,
}

impl Process {
    pub fn spawn(arguments: &[String]) -> Result<Self> {
        Self::start(Command::new(std::env::current_exe()?).args(arguments), None)
    }

    /// Under strace, which counts its system calls into a new file.
    pub fn spawn_counted(arguments: &[String], calls: PathBuf) -> Result<Self> {
        let mut strace = Command::new("strace");
        strace.args(["-c", "-f", "-o"]).arg(&calls).arg(std::env::current_exe()?);
        Self::start(strace.args(arguments), Some(calls))
    }

    fn start(command: &mut Command, calls: Option<PathBuf>) -> Result<Self> {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().ok_or("no stdout")?);
        let stderr = BufReader::new(child.stderr.take().ok_or("no stderr")?);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
                // Nobody listens any more once the process is dropped.
                let _ = sender.send(line);
            }
        });
        let last_words = || stderr.lines().map_while(std::result::Result::ok).last();
        let stderr = Some(thread::spawn(|| last_words().unwrap_or_default()));
        Ok(Self { child, stdin, lines, stderr, calls })
    }

    pub fn line(&mut self) -> Result<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => Err("a process said nothing for too long".into()),
            Err(RecvTimeoutError::Disconnected) => {
                let stderr = self.stderr.take().and_then(|stderr| stderr.join().ok());
                Err(format!("a process has ended: {}", stderr.unwrap_or_default()).into())
            }
        }
    }

    pub fn ask(&mut self, word: &str) -> Result<Reading> {
        // If it has ended already, then `line` says why.
        let _ = writeln!(self.stdin.as_mut().ok_or("it is to end")?, "{word}");
        Ok(serde_json::from_str(&self.line()?)?)
    }

    /// Processor time so far, user and system, in seconds (proc(5)).
    pub fn cpu(&self) -> Result<f64> {
        const TICKS_PER_SECOND: f64 = 100.0; // Of every Linux on common machines.
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, after_name) = stat.rsplit_once(") ").ok_or("a strange stat")?;
        let times = after_name.split(' ').skip(11).take(2).map(str::parse::<f64>);
        Ok(times.sum::<std::result::Result<f64, _>>()? / TICKS_PER_SECOND)
    }

    /// Ends the process and gives the number of system calls of all its threads.
    pub fn calls(mut self) -> Result<f64> {
        let calls = self.calls.take().ok_or("it is not under strace")?;
        self.stdin = None;
        self.child.wait()?;
        let summary = fs::read_to_string(calls)?;
        let total = summary.lines().find(|line| line.ends_with(" total")).ok_or("no total")?;
        // % time, seconds, microseconds per call, calls, errors if any, "total"
        Ok(total.split_whitespace().nth(3).ok_or("no calls")?.parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stdin = None;
        // A process under strace is not killed with it: it ends with its stdin.
        if self.calls.is_none() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
