//! [`Peer`], a process with libzmq sockets, and [`Remote`], one of them.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ferromq::{Message, SocketType};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

use crate::python::HERE;
use crate::within;

/// A process that runs `peer.py`; killed when dropped.
pub(crate) struct Peer {
    python: &'static Path,
    process: Child,
    pipe: Arc<Mutex<Pipe>>,
    sockets: u32,
}

struct Pipe {
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    pub(crate) fn start(python: &'static Path) -> Self {
        let mut process = Command::new(python)
            .arg(Path::new(HERE).join("peer.py"))
            // Where libzmq puts the files of `ipc://*`, and leaves them if killed;
            // without it that is the current directory.
            .env("TMPDIR", std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Python starts");
        let commands = process.stdin.take().expect("stdin is a pipe");
        let stdout = process.stdout.take().expect("stdout is a pipe");
        let pipe = Pipe { commands, answers: BufReader::new(stdout).lines() };
        Self { python, process, pipe: Arc::new(Mutex::new(pipe)), sockets: 0 }
    }

    /// Kills the process (SIGKILL) and starts another.
    pub(crate) async fn restart(&mut self) {
        self.process.kill().await.expect("the process can be killed");
        *self = Self::start(self.python);
    }

    /// Sends a signal to the process: `STOP` or `CONT`.
    pub(crate) async fn signal(&self, signal: &str) {
        let pid = self.process.id().expect("the process is there").to_string();
        let kill = Command::new("kill").arg(format!("-{signal}")).arg(pid).status().await;
        assert!(kill.is_ok_and(|status| status.success()), "cannot send SIG{signal}");
    }

    /// Starts a ZAP handler; see `peer.py`.
    #[cfg(all(feature = "plain", feature = "curve"))]
    pub(crate) async fn authenticate(&self, settings: &str) {
        let handler = Remote { pipe: Arc::clone(&self.pipe), name: "handler".into() };
        handler.call("authenticate", settings).await;
    }

    /// Makes a socket with options, each as `NAME=VALUE`.
    pub(crate) async fn socket(&mut self, kind: SocketType, options: &str) -> Remote {
        self.sockets += 1;
        let name = format!("{kind}-{}", self.sockets);
        let socket = Remote { pipe: Arc::clone(&self.pipe), name };
        socket.call("open", &format!("{kind} {options}")).await;
        socket
    }
}

/// A libzmq socket in a [`Peer`]. For what the calls do, see `peer.py`.
pub(crate) struct Remote {
    pipe: Arc<Mutex<Pipe>>,
    name: String,
}

impl Remote {
    async fn call(&self, verb: &str, arguments: &str) -> String {
        let Self { pipe, name } = self;
        let command = format!("{verb} {name} {arguments}");
        let what = format!("libzmq: {}", command.get(..80).unwrap_or(&command));
        let call = async {
            let mut pipe = pipe.lock().await;
            let Pipe { commands, answers } = &mut *pipe;
            commands.write_all((command + "\n").as_bytes()).await.expect("the peer reads");
            answers.next_line().await.expect("the peer answers").expect("the peer is there")
        };
        let answer = within(&what, call).await;
        match answer.strip_prefix("ok ") {
            Some(result) => result.to_owned(),
            None => panic!("{what}: {answer}"),
        }
    }

    pub(crate) async fn set(&self, options: &str) {
        self.call("set", options).await;
    }

    pub(crate) async fn bind(&self, endpoint: &str) -> String {
        self.call("bind", endpoint).await
    }

    pub(crate) async fn connect(&self, endpoint: &str) {
        self.call("connect", endpoint).await;
    }

    pub(crate) async fn send(&self, message: impl Into<Message>) {
        self.send_all(&[message.into()]).await;
    }

    pub(crate) async fn send_all(&self, messages: &[Message]) {
        self.call("send", &spell_all(messages)).await;
    }

    pub(crate) async fn receive(&self) -> Message {
        self.receive_many(1).await.remove(0)
    }

    pub(crate) async fn receive_many(&self, count: usize) -> Vec<Message> {
        let messages = self.call("receive", &count.to_string()).await;
        messages.split(" / ").map(|message| message.split(' ').map(octets).collect()).collect()
    }

    pub(crate) async fn expect(&self, message: impl Into<Message>) {
        self.expect_all(&[message.into()]).await;
    }

    pub(crate) async fn expect_all(&self, messages: &[Message]) {
        self.call("expect", &spell_all(messages)).await;
    }

    pub(crate) async fn poll(&self, time: Duration) -> bool {
        self.call("poll", &time.as_millis().to_string()).await == "1"
    }

    pub(crate) async fn event(&self, wanted: &str, time: Duration) -> bool {
        self.call("event", &format!("{wanted} {}", time.as_millis())).await == "1"
    }

    /// The value of an event, if it happens.
    #[cfg(all(feature = "plain", feature = "curve"))]
    pub(crate) async fn event_value(&self, wanted: &str, time: Duration) -> Option<u32> {
        let value = self.call("event_value", &format!("{wanted} {}", time.as_millis())).await;
        value.parse().ok()
    }

    pub(crate) async fn properties(&self, keys: &str) -> Message {
        self.call("properties", keys).await.split(' ').map(octets).collect()
    }

    pub(crate) async fn close(self) {
        self.call("close", "").await;
    }

    /// Closes the socket, which goes on in the background until everything
    /// is delivered.
    pub(crate) async fn close_and_linger(self) {
        self.call("close", "-1").await;
    }
}

/// Octets that both sides can make; they never start like a subscription.
pub(crate) fn pattern(size: usize, seed: u8) -> Bytes {
    let block: Vec<u8> = (0..251).map(|i| 2 + ((u16::from(seed) + i) % 251) as u8).collect();
    let mut octets = block.repeat(size / 251 + 1);
    octets.truncate(size);
    octets.into()
}

/// A frame as `peer.py` reads it: short for a pattern, in hex otherwise.
pub(crate) fn spell(frame: &[u8]) -> String {
    let seed = frame.first().map_or(0, |octet| octet.wrapping_sub(2));
    if frame.len() > 64 && *frame == pattern(frame.len(), seed) {
        return format!("{}:{seed}", frame.len());
    }
    frame.iter().fold(String::from("x"), |mut hex, octet| {
        write!(hex, "{octet:02x}").expect("a String takes it");
        hex
    })
}

fn spell_all(messages: &[Message]) -> String {
    let spell_message =
        |message: &Message| message.iter().map(|frame| spell(frame)).collect::<Vec<_>>().join(" ");
    messages.iter().map(spell_message).collect::<Vec<_>>().join(" / ")
}

/// A frame as `peer.py` writes it.
fn octets(word: &str) -> Vec<u8> {
    let hex = word.strip_prefix('x').expect("a frame starts with x");
    let octet = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(octet).collect()
}
