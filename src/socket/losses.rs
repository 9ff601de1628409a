//! [`Losses`]: a counter for each way to lose a message.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::peer::DropCause;

/// Messages lost by a socket, by cause.
#[derive(Debug, Default)]
pub(super) struct Losses([AtomicU64; DropCause::ALL.len()]);

impl Losses {
    pub(super) fn add(&self, cause: DropCause, count: usize) {
        if count > 0 {
            self.0[cause as usize].fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn of(&self, cause: DropCause) -> u64 {
        self.0[cause as usize].load(Ordering::Relaxed)
    }

    /// Messages that were accepted and will not be delivered.
    pub(super) fn undelivered(&self) -> u64 {
        [DropCause::LingerExpired, DropCause::PeerLeft, DropCause::CutInTransit]
            .into_iter()
            .map(|cause| self.of(cause))
            .sum()
    }
}
