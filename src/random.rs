//! [`random`]: the one source of randomness, for jitter and for numbers that
//! others should not guess. Nothing here is fit for cryptography.

use std::hash::{BuildHasher, RandomState};

/// A random number.
pub(crate) fn random() -> u64 {
    // The only source of randomness in std; each one is keyed anew.
    RandomState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ() {
        let numbers: Vec<_> = (0..4).map(|_| random()).collect();
        assert!(numbers.iter().any(|number| *number != numbers[0]));
    }
}
