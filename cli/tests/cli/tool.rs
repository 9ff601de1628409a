//! [`Tool`]: a program that runs beside a test, and what it says.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// The longest that any step of a test may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A child process. It is ended when this is dropped.
pub(crate) struct Tool {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    complaints: String,
}

/// What is left of one that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    /// What was not read before.
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Runs `ferromq` beside the test.
pub(crate) fn start(args: &[&str]) -> Tool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferromq"));
    command.args(args).env_remove("FERROMQ_PLAIN_PASSWORD");
    Tool::spawn(command)
}

/// Runs `ferromq` to its end.
pub(crate) fn run(args: &[&str]) -> Finished {
    start(args).finish()
}

impl Tool {
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stdout = lines(child.stdout.take().expect("a pipe"));
        let stderr = lines(child.stderr.take().expect("a pipe"));
        let stdin = child.stdin.take();
        Self { child, stdin, stdout, stderr, complaints: String::new() }
    }

    /// The endpoint that it says the system has chosen.
    pub(crate) fn endpoint(&mut self) -> String {
        let line = self.complaint("listening on ");
        line.rsplit(' ').next().expect("a word").to_owned()
    }

    /// The next line on stderr that has this in it.
    pub(crate) fn complaint(&mut self, wanted: &str) -> String {
        loop {
            let line = self.stderr.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                panic!("nothing with {wanted:?} on stderr, only: {}", self.complaints)
            });
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.complaints += &format!("{line}\n");
            if line.contains(wanted) {
                return line;
            }
        }
    }

    /// The next line on stdout.
    pub(crate) fn line(&mut self) -> String {
        let line = self.stdout.recv_timeout(PATIENCE).expect("a line on stdout");
        String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned()
    }

    /// The end of stdin.
    pub(crate) fn write_all(mut self, text: &str) -> Self {
        self.write(text);
        self.stdin = None;
        self
    }

    pub(crate) fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()).expect("it reads");
    }

    /// Nobody reads its output any more.
    pub(crate) fn stop_reading(&mut self) {
        self.stdout = mpsc::channel().1;
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(status.expect("there is kill").success());
    }

    /// Waits until it has ended by itself.
    pub(crate) fn finish(mut self) -> Finished {
        let stdout = rest(&self.stdout, &self.complaints);
        let stderr = rest(&self.stderr, &self.complaints);
        let status = self.child.wait().expect("it has ended");
        self.complaints += &String::from_utf8_lossy(&stderr);
        let stderr = std::mem::take(&mut self.complaints);
        Finished { code: status.code(), stdout, stderr }
    }

    /// Waits until it has ended well; gives what it had still printed.
    pub(crate) fn succeed(self) -> String {
        self.finish().succeed()
    }
}

impl Finished {
    pub(crate) fn succeed(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        String::from_utf8(self.stdout).expect("text")
    }

    /// That it has failed with a code and one line that says why.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, why: &str) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        let said = |line: &&str| !line.contains("listening on");
        let lines: Vec<_> = self.stderr.lines().filter(said).collect();
        assert!(matches!(lines[..], [line] if line.contains(why)), "{why:?} is not {lines:?}");
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // It has ended already if the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Its lines, as they come, read in a thread until the end or until nobody wants them.
fn lines(from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    let mut from = BufReader::new(from);
    thread::spawn(move || {
        loop {
            let mut line = Vec::new();
            match from.read_until(b'\n', &mut line) {
                Ok(1..) if sender.send(line).is_ok() => {}
                _ => return,
            }
        }
    });
    receiver
}

fn rest(lines: &Receiver<Vec<u8>>, complaints: &str) -> Vec<u8> {
    let mut rest = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => rest.extend(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => return rest,
            Err(_) => panic!("it does not end; stdout: {}, {complaints}", rest.escape_ascii()),
        }
    }
}
