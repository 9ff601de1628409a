//! [`Rng`]: the one source of chance in a simulated world.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::random::seeded::split_mix;

/// Numbers that follow from a seed. Clones draw from the same source, so that
/// whoever draws, the world is the same for the same seed.
#[derive(Debug, Clone)]
pub(super) struct Rng(Arc<AtomicU64>);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    pub(super) fn next(&self) -> u64 {
        let mut state = self.0.load(Ordering::Relaxed);
        let number = split_mix(&mut state);
        self.0.store(state, Ordering::Relaxed);
        number
    }

    /// True once in so many times.
    pub(super) fn one_in(&self, times: u64) -> bool {
        self.next() % times == 0
    }

    pub(super) fn within(&self, range: RangeInclusive<usize>) -> usize {
        let count = range.end() - range.start() + 1;
        range.start() + (self.next() % count as u64) as usize
    }

    pub(super) fn pick<T: Copy>(&self, from: &[T]) -> T {
        from[self.within(0..=from.len() - 1)]
    }
}
