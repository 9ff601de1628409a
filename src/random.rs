//! [`random`]: the one source of randomness, for jitter and for numbers that
//! others should not guess. Nothing here is fit for cryptography.

use std::hash::{BuildHasher, RandomState};

/// A random number.
pub(crate) fn random() -> u64 {
    #[cfg(test)]
    if let Some(number) = seeded::next() {
        return number;
    }
    // The only source of randomness in std; each one is keyed anew.
    RandomState::new().hash_one(0_u8)
}

/// Numbers that a test can have again: those of its thread come from a seed.
#[cfg(test)]
pub(crate) mod seeded {
    use std::cell::Cell;

    thread_local! {
        static STATE: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// From now on this thread's numbers come from a seed; `None` makes them
    /// random again.
    pub(crate) fn set(seed: Option<u64>) {
        STATE.set(seed);
    }

    pub(super) fn next() -> Option<u64> {
        let mut state = STATE.get()?;
        let number = split_mix(&mut state);
        STATE.set(Some(state));
        Some(number)
    }

    /// SplitMix64: a generator of one number.
    pub(crate) fn split_mix(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ() {
        let numbers: Vec<_> = (0..4).map(|_| random()).collect();
        assert!(numbers.iter().any(|number| *number != numbers[0]));
    }

    #[test]
    fn numbers_of_a_seed_come_again() {
        let numbers = || {
            seeded::set(Some(1));
            [random(), random()]
        };
        let once = numbers();
        assert_eq!(numbers(), once);
        assert_ne!(once[0], once[1]);
        seeded::set(None);
    }
}
