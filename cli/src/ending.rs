//! How a command ends: by itself, by its deadline or by Ctrl-C; and closing after it.

use std::future::pending;
use std::time::Duration;

use ferromq::{DisconnectReason, MonitorEvent};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::failure::{Failure, complain, messages};
use crate::signals;
use crate::socket::AnySocket;

/// How long delivery may take after Ctrl-C, or after a deadline, if nothing else is said.
const GRACE: Duration = Duration::from_secs(1);

/// When it has to be over: at a time, or when the user wants it to.
pub(crate) struct Deadline {
    at: Option<(Instant, Duration)>,
    signals: watch::Receiver<bool>,
}

/// Why something is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Deadline,
    Interrupted,
}

impl Deadline {
    /// So long from now. From now on Ctrl-C ends the program in good order, so this is made
    /// before anything else is.
    pub(crate) fn new(after: Option<Duration>) -> Self {
        // What is too far away to be told is never.
        let at = |after| Some((Instant::now().checked_add(after)?, after));
        Self { at: after.and_then(at), signals: signals::watch() }
    }

    /// The failure of what has not been done by then.
    pub(crate) fn failure(&self) -> Failure {
        Failure::Deadline(self.at.map_or(Duration::ZERO, |(_, after)| after))
    }

    async fn passed(&self) {
        match self.at {
            Some((at, _)) => sleep_until(at).await,
            None => pending().await,
        }
    }

    async fn interrupted(&self) {
        if self.signals.clone().wait_for(|came| *came).await.is_err() {
            pending().await
        }
    }

    /// Does something until it is done, time is up or the user wants no more.
    pub(crate) async fn run(
        &self,
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<End, Failure> {
        tokio::select! {
            // The work last: it may leave the others nothing of what tokio lets a task do
            // before it has to yield.
            biased;
            () = self.passed() => Ok(End::Deadline),
            () = self.interrupted() => Ok(End::Interrupted),
            done = work => done.map(|()| End::Done),
        }
    }

    /// Closes a socket after what it was for has ended, and waits until its messages are
    /// delivered.
    pub(crate) async fn close(&self, socket: &AnySocket, end: End) -> Result<(), Failure> {
        let closing = async {
            match socket.close().await.undelivered {
                0 => Ok(()),
                lost => Err(Failure::said(format!("{} not delivered", messages(lost)))),
            }
        };
        let in_time = match end {
            End::Done => match self.run(closing).await? {
                End::Done => true,
                End::Deadline => return Err(self.failure()),
                End::Interrupted => false,
            },
            End::Deadline | End::Interrupted => match timeout(GRACE, closing).await {
                Ok(closed) => return closed,
                Err(_) => false,
            },
        };
        if in_time { Ok(()) } else { Err(Failure::said("not all messages were delivered")) }
    }
}

/// Tells on stderr what happens to connections: all of it, or only that a peer and we do
/// not want each other, which is no error of any call and would look like silence.
pub(crate) fn tell(socket: &AnySocket, verbose: bool) {
    let mut monitor = socket.monitor();
    tokio::spawn(async move {
        let mut said = String::new();
        while let Some(event) = monitor.recv().await {
            if !verbose && !is_refusal(&event) {
                continue;
            }
            // The port of a peer that comes again is another one: once is enough.
            let reason = reason(&event);
            if verbose || reason != said {
                complain(&event.to_string());
            }
            said = reason;
        }
    });
}

fn is_refusal(event: &MonitorEvent) -> bool {
    use DisconnectReason::{Fault, TurnedAway};
    matches!(event, MonitorEvent::HandshakeFailed { reason: Fault(_) | TurnedAway(_), .. })
}

fn reason(event: &MonitorEvent) -> String {
    match event {
        MonitorEvent::HandshakeFailed { reason, .. } => reason.to_string(),
        _ => String::new(),
    }
}
