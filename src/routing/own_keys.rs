//! [`OwnKeys`]: a cheap hasher for numbers that this process hands out itself.
//!
//! No peer chooses such a number, so none can make them collide. Whatever a
//! peer does choose is hashed with the hasher of std.

use std::hash::{BuildHasherDefault, Hasher};

/// Hashes keys that are one integer.
pub(crate) type OwnKeys = BuildHasherDefault<Spread>;

/// Multiplies by 2^64 over the golden ratio, which spreads consecutive numbers
/// over the high bits, then folds those onto the low ones.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.write_u64(u64::from(octet));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        let product = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn keys_in_a_row_do_not_collide() {
        let mut map = HashMap::<u64, u64, OwnKeys>::default();
        for key in 0..1000 {
            map.insert(key, key + 1);
        }
        for key in 0..1000 {
            assert_eq!(map.get(&key), Some(&(key + 1)));
        }
    }
}
