//! Processes of this binary: one for a test that measures its own, and peers that can be
//! killed or stopped.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::runtime::Runtime;

use crate::common::within;

const ROLE: &str = "FERROMQ_LARGE_ROLE";
const ARGUMENTS: &str = "FERROMQ_LARGE_ARGUMENTS";

/// In front of what a peer says: the harness prints to the same stream.
const SAYS: &str = "peer says: ";

const ALONE: &str = "alone";

/// What this process is for: nothing in the one that cargo has started.
pub(crate) fn role() -> Option<(String, Vec<String>)> {
    let role = std::env::var(ROLE).ok()?;
    let arguments = std::env::var(ARGUMENTS).unwrap_or_default();
    Some((role, arguments.lines().map(str::to_owned).collect()))
}

/// Runs the test `name` in a process of its own, where it finds the role "alone".
pub(crate) fn run_alone(name: &str) {
    let mut command = command(name, ALONE, &[]);
    let output = command.as_std_mut().stdin(Stdio::null()).output().expect("it starts");
    let [out, errors] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    let is_well = output.status.success() && out.contains("1 passed");
    assert!(is_well, "{name}: {}\n{out}\n{errors}", output.status);
    println!("{errors}");
}

fn command(name: &str, role: &str, arguments: &[String]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a test knows its path"));
    command.args(["--exact", name, "--nocapture", "--test-threads", "1"]);
    command.env(ROLE, role).env(ARGUMENTS, arguments.join("\n"));
    command
}

/// A runtime for a process that has just one.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A process that is a peer of this one. It is killed when this is dropped.
pub(crate) struct Peer {
    process: Child,
    says: Lines<BufReader<ChildStdout>>,
    /// Its end ends the peer, should this process be killed.
    _stdin: ChildStdin,
}

impl Peer {
    /// Starts the test `name` with a role.
    pub(crate) fn start(name: &str, role: &str, arguments: &[String]) -> Self {
        let mut command = command(name, role, arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("it starts");
        let says = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let _stdin = process.stdin.take().expect("it is piped");
        Self { process, says, _stdin }
    }

    /// The next thing that it says.
    pub(crate) async fn says(&mut self) -> String {
        within(async {
            loop {
                let line = self.says.next_line().await.expect("text").expect("the peer lives");
                // The harness may have begun the line.
                if let Some((_, said)) = line.split_once(SAYS) {
                    return said.to_owned();
                }
            }
        })
        .await
    }

    /// Stops it where it is, until it [goes on](Self::go_on).
    pub(crate) fn stop(&self) {
        self.signal("STOP");
        // The signal is on its way when `kill` returns.
        while !self.is_stopped() {
            std::thread::yield_now();
        }
    }

    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().expect("it runs").to_string();
        let script = format!("kill -{signal} {id}");
        let status = std::process::Command::new("sh").args(["-c", &script]).status();
        assert!(status.expect("there is a shell").success(), "{script}");
    }

    fn is_stopped(&self) -> bool {
        let id = self.process.id().expect("it runs");
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("it runs");
        stat.rsplit_once(')').expect("its name").1.starts_with(" T")
    }

    /// Kills it, with no chance to say goodbye, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.expect("it can be killed");
    }
}

/// Tells whoever started this process. (See [`Peer::says`].)
pub(crate) fn say(what: &str) {
    println!("{SAYS}{what}");
}

/// Ends this process when the one that has started it is gone.
pub(crate) fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::Read::read(&mut std::io::stdin(), &mut [0]);
        std::process::exit(1);
    });
}
