//! [`Receivers`] and [`Senders`]: the tasks that wait in a socket.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Tasks that wait for a message: each event wakes one, and a task that stops
/// waiting passes a wake-up it did not use on to another.
#[derive(Debug, Default)]
pub(super) struct Receivers {
    notify: Notify,
    parked: AtomicUsize,
}

/// A receiver that is waiting, or was woken and takes a last look.
pub(super) struct Parked<'a>(&'a Receivers);

impl Receivers {
    /// Counts a task as waiting. It must look once more afterwards, since what
    /// came before was told to nobody.
    pub(super) fn park(&self) -> Parked<'_> {
        self.parked.fetch_add(1, Ordering::SeqCst);
        Parked(self)
    }

    pub(super) fn notified(&self) -> Notified<'_> {
        self.notify.notified()
    }

    /// Wakes one task, if any waits; says how many do.
    pub(super) fn wake_one(&self) -> usize {
        let waiting = self.parked.load(Ordering::SeqCst);
        if waiting > 0 {
            self.notify.notify_one();
        }
        waiting
    }

    /// Wakes all: the socket is closed, or those that were woken do not come.
    pub(super) fn wake_all(&self) {
        self.notify.notify_waiters();
    }

    pub(super) fn any(&self) -> bool {
        self.parked.load(Ordering::SeqCst) > 0
    }
}

impl Drop for Parked<'_> {
    fn drop(&mut self) {
        self.0.parked.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Tasks that wait in the mute state: room anywhere wakes all, and those who
/// find none wait again.
#[derive(Debug, Default)]
pub(super) struct Senders(Notify);

impl Senders {
    pub(super) fn notified(&self) -> Notified<'_> {
        self.0.notified()
    }

    pub(super) fn wake_all(&self) {
        self.0.notify_waiters();
    }
}
