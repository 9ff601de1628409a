//! Ctrl-C, and being asked to end: the first time a request, the second time an order.

use std::future::pending;
use std::io;

use tokio::sync::watch;

/// Becomes true when the user wants an end. The second time ends the program at once, so
/// that nothing can keep the user.
pub(crate) fn watch() -> watch::Receiver<bool> {
    let (came, receiver) = watch::channel(false);
    let signals = Signals::new();
    tokio::spawn(async move {
        let Ok(mut signals) = signals else {
            // The system does not tell us. Then it ends us itself.
            return pending().await;
        };
        signals.next().await;
        came.send_replace(true);
        signals.next().await;
        std::process::exit(1);
    });
    receiver
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?))
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
