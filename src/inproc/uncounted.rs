//! [`Uncounted`]: what was lost and is to be counted.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::pipe::NeedsFlush;

/// Messages that are lost, or octets, to be counted once no lock is held.
#[derive(Debug, Default)]
pub(super) struct Uncounted(AtomicUsize);

impl Uncounted {
    /// With any, there is something to flush.
    pub(super) fn add(&self, count: usize) -> NeedsFlush {
        if count > 0 {
            self.0.fetch_add(count, Ordering::Relaxed);
        }
        NeedsFlush::when(count > 0)
    }

    /// Those that nobody has counted.
    pub(super) fn take(&self) -> usize {
        match self.0.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.0.swap(0, Ordering::Relaxed),
        }
    }
}
