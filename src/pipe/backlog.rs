//! [`Backlog`]: what peers that have left a socket left unread.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::mark::Mark;
use crate::options::SocketOptions;

/// The least that peers which have left may leave unread, in octets.
const LEAST: usize = 64 << 20;

/// The octets that departed peers of a socket left unread. Such a message must
/// not be lost, and its sender, gone, cannot be pushed back; so when there are too
/// many nobody else is read until receivers have caught up.
#[derive(Debug)]
pub(crate) struct Backlog {
    octets: AtomicUsize,
    mark: Mark,
}

impl Backlog {
    /// 64 MiB or four times the mark of a peer, whichever is more.
    pub(crate) fn new(options: &SocketOptions) -> Self {
        let mark = options.recv_hwm_bytes.times(4).max(Mark::from_option(LEAST));
        Self { octets: AtomicUsize::new(0), mark }
    }

    pub(crate) fn is_full(&self) -> bool {
        !self.mark.admits(self.octets.load(Ordering::SeqCst))
    }

    /// A peer has left, and left so much.
    pub(crate) fn add(&self, octets: usize) {
        if octets > 0 {
            self.octets.fetch_add(octets, Ordering::SeqCst);
        }
    }

    /// So much of it was taken. True if others may be read again.
    #[must_use]
    pub(crate) fn remove(&self, octets: usize) -> bool {
        if octets == 0 {
            return false;
        }
        let before = self.octets.fetch_sub(octets, Ordering::SeqCst);
        !self.mark.admits(before) && self.mark.admits(before - octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_read_again_once_it_is_below_the_mark() {
        let backlog = Backlog::new(&SocketOptions::new().recv_hwm_bytes(1));
        backlog.add(LEAST - 1);
        assert!(!backlog.is_full());
        backlog.add(10);
        assert!(backlog.is_full());
        assert!(!backlog.remove(9));
        assert!(backlog.remove(1));
        assert!(!backlog.remove(5));
    }

    #[test]
    fn without_a_mark_there_is_no_bound() {
        let backlog = Backlog::new(&SocketOptions::new().recv_hwm_bytes(0));
        backlog.add(10 * LEAST);
        assert!(!backlog.is_full());
    }
}
