//! Tests that need a process of their own, for its memory or its limits.

use std::io::{Read, Seek};
use std::process::Command;

const MARK: &str = "FERROMQ_HOSTILE_CHILD";

/// Runs the test `name` in a process of its own: false says that this is that
/// process. `limits` are shell commands to run before it.
pub(crate) fn is_parent_of(name: &str, limits: &str) -> bool {
    if std::env::var(MARK).is_ok_and(|mark| mark == name) {
        return false;
    }
    let exe = std::env::current_exe().unwrap();
    let script = format!("{limits} exec \"$0\" --exact {name} --nocapture --test-threads 1");
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(exe)
        .env(MARK, name)
        .output()
        .expect("the test runs itself");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{name}: {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    true
}

/// Does the rest of a test in a process of its own, with a runtime.
pub(crate) fn alone(name: &str, limits: &str, test: impl Future<Output = ()>) {
    if !is_parent_of(name, limits) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(test);
    }
}

/// What this process has in memory, in octets.
pub(crate) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1024
}

/// How many descriptors this process may have.
pub(crate) fn descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX)
}

/// Measures the processor time of this process.
pub(crate) struct Clock(std::fs::File);

impl Clock {
    /// It needs a descriptor, and keeps it.
    pub(crate) fn new() -> Self {
        Self(std::fs::File::open("/proc/self/stat").unwrap())
    }

    /// What was used, in hundredths of a second.
    pub(crate) fn ticks(&mut self) -> u64 {
        let mut stat = String::new();
        self.0.rewind().unwrap();
        self.0.read_to_string(&mut stat).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let field = |index: usize| fields.split_whitespace().nth(index).unwrap().parse::<u64>();
        field(11).unwrap() + field(12).unwrap()
    }
}
