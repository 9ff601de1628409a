//! [`Case`]: octets of an attacker and what must come of them.

use ferromq::{DisconnectReason, Message, SocketOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::raw::frame;
use crate::victim::{End, Scene, Side, meet, next_end, probe, within};

/// What must come of a case.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// The handshake fails for a fault that prints like this.
    Refused(String),
    /// The messages are received and the connection lives on.
    Serves(Vec<Message>),
    /// The messages are received, then the connection ends for such a fault.
    Faulted(Vec<Message>, String),
    /// The messages are received; the peer closes the connection.
    Leaves(Vec<Message>),
}

/// One attack, on a PULL that has bound and on one that connects.
pub(crate) struct Case {
    name: String,
    /// Each is a segment of its own.
    segments: Vec<Vec<u8>>,
    outcome: Outcome,
    options: SocketOptions,
}

impl Case {
    pub(crate) fn new(
        name: impl Into<String>,
        segments: impl IntoIterator<Item = Vec<u8>>,
        outcome: Outcome,
    ) -> Self {
        let (name, segments) = (name.into(), segments.into_iter().collect());
        Self { name, segments, outcome, options: SocketOptions::new() }
    }

    pub(crate) fn with(mut self, options: SocketOptions) -> Self {
        self.options = options;
        self
    }

    pub(crate) async fn run(&self) {
        for side in Side::BOTH {
            self.run_on(side).await;
        }
    }

    async fn run_on(&self, side: Side) {
        let name = format!("{} ({side:?})", self.name);
        let Scene { pull, mut monitor, endpoint, raw } = meet(side, &self.options).await;
        let mut segments = self.segments.clone();
        let mut expected = match &self.outcome {
            Outcome::Refused(_) => Vec::new(),
            Outcome::Serves(messages)
            | Outcome::Faulted(messages, _)
            | Outcome::Leaves(messages) => messages.clone(),
        };
        if let Outcome::Serves(_) = self.outcome {
            segments.push(frame(0, "still here"));
            expected.push("still here".into());
        }
        let leaves = matches!(self.outcome, Outcome::Leaves(_));
        let attack = tokio::spawn(attack(raw.0, segments, leaves));

        match &self.outcome {
            Outcome::Serves(_) => {}
            Outcome::Refused(fault) => match next_end(&mut monitor).await {
                End::Handshake(DisconnectReason::Fault(real)) => assert_fault(&name, &real, fault),
                other => panic!("{name}: {other:?}"),
            },
            Outcome::Faulted(_, fault) => match next_end(&mut monitor).await {
                End::Traffic(DisconnectReason::Fault(real)) => assert_fault(&name, &real, fault),
                other => panic!("{name}: {other:?}"),
            },
            Outcome::Leaves(_) => match next_end(&mut monitor).await {
                End::Handshake(DisconnectReason::PeerClosed)
                | End::Traffic(DisconnectReason::PeerClosed) => {}
                other => panic!("{name}: {other:?}"),
            },
        }
        // Received by turns with those of the probe, or all before it.
        let mut received = Vec::new();
        if let Outcome::Serves(_) = self.outcome {
            for _ in 0..expected.len() {
                received.push(within(pull.recv()).await.expect("a peer never fails a call"));
            }
        }
        received.extend(probe(&pull, &endpoint).await);
        assert!(received == expected, "{name}: {} messages received", received.len());
        if let Outcome::Serves(_) = self.outcome {
            attack.abort();
        } else {
            within(attack).await.expect("the attacker sees the end");
        }
    }
}

fn assert_fault(name: &str, real: &ferromq::PeerFault, expected: &str) {
    let real = format!("{real:?}");
    assert!(real.starts_with(expected), "{name}: {real}, not {expected}");
}

/// Says it all, reading what the victim says, until that is over.
async fn attack(stream: tokio::net::TcpStream, segments: Vec<Vec<u8>>, leaves: bool) {
    let (mut read, mut write) = stream.into_split();
    let writing = async {
        for segment in segments {
            // The victim may have had enough before it heard all.
            if write.write_all(&segment).await.is_err() {
                return;
            }
        }
        if leaves {
            let _ = write.shutdown().await;
        }
    };
    let reading = async {
        let mut octets = vec![0; 64 * 1024];
        while matches!(read.read(&mut octets).await, Ok(1..)) {}
    };
    tokio::join!(writing, reading);
}

/// Runs all cases of a table.
pub(crate) async fn run(cases: Vec<Case>) {
    for case in cases {
        case.run().await;
    }
}

pub(crate) fn refused(fault: &str) -> Outcome {
    Outcome::Refused(fault.to_owned())
}

pub(crate) fn serves() -> Outcome {
    Outcome::Serves(Vec::new())
}

pub(crate) fn faulted(fault: &str) -> Outcome {
    Outcome::Faulted(Vec::new(), fault.to_owned())
}
