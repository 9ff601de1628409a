//! [`InHand`]: how much of what a line gave is on its way to a receiver.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many of the messages that [`Line::take`](super::Line::take) gave no receiver
/// has got yet. They count against the high-water mark, so the line looks here; it is
/// no method of the line since it is noted for every message.
#[derive(Debug, Clone, Default)]
pub(crate) struct InHand(Arc<AtomicUsize>);

impl InHand {
    #[inline]
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// There are so many. That there are none is [told](super::Line::hand_empty) as
    /// well.
    #[inline]
    pub(crate) fn set(&self, count: usize) {
        let order = if count == 0 { Ordering::SeqCst } else { Ordering::Relaxed };
        self.0.store(count, order);
    }
}
