//! The one source of randomness: [`random`], for jitter and for numbers that others
//! should not guess, and [`fill_secret`], for what is secret. Only the latter is fit
//! for cryptography.

use std::hash::{BuildHasher, RandomState};

/// A random number.
pub(crate) fn random() -> u64 {
    #[cfg(any(test, fuzzing))]
    if let Some(number) = seeded::next() {
        return number;
    }
    // The only source of randomness in std; each one is keyed anew.
    RandomState::new().hash_one(0_u8)
}

/// Fills octets with what nobody can guess: keys, nonces, cookies. It is the system's
/// randomness.
///
/// # Errors
/// When the system has none to give.
#[cfg(feature = "curve")]
pub(crate) fn fill_secret(octets: &mut [u8]) -> std::io::Result<()> {
    #[cfg(any(test, fuzzing))]
    if seeded::fill(octets) {
        return Ok(());
    }
    Ok(getrandom::fill(octets)?)
}

/// Numbers, and secrets, that a test or a fuzzer can have again: those of its thread
/// come from a seed once it has set one. It is not there in any other build.
#[cfg(any(test, fuzzing))]
pub(crate) mod seeded {
    use std::cell::Cell;

    thread_local! {
        static STATE: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// From now on this thread's numbers come from a seed; `None` makes them
    /// random again.
    #[cfg(test)]
    pub(crate) fn set(seed: Option<u64>) {
        STATE.set(seed);
    }

    /// Runs something with the numbers of a seed, which then stands where they end. So
    /// each of several has its own, whatever the order of their turns.
    pub(crate) fn with<T>(seed: &mut u64, run: impl FnOnce() -> T) -> T {
        let before = STATE.replace(Some(*seed));
        let result = run();
        *seed = STATE.replace(before).unwrap_or_default();
        result
    }

    #[cfg(feature = "curve")]
    pub(super) fn fill(octets: &mut [u8]) -> bool {
        octets.chunks_mut(8).all(|chunk| {
            let number = next().map(u64::to_le_bytes);
            number.inspect(|octets| chunk.copy_from_slice(&octets[..chunk.len()])).is_some()
        })
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

    #[cfg(feature = "curve")]
    #[test]
    fn secrets_of_a_seed_come_again_and_others_do_not() {
        let secret = || {
            let mut octets = [0; 33];
            fill_secret(&mut octets).unwrap();
            octets
        };
        let mut seed = 1;
        let of_seed = |seed: &mut u64| seeded::with(seed, secret);
        let once = of_seed(&mut seed);
        assert_eq!(of_seed(&mut 1), once);
        assert_ne!(of_seed(&mut seed), once, "it goes on");
        let others = [secret(), secret()];
        assert!(others[0] != others[1] && !others.contains(&once));
    }
}
