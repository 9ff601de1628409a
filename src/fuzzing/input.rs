//! [`Input`]: the octets of a fuzzer taken apart into choices.

use std::borrow::Cow;

/// What [`Input::expanded`] replaces, followed by a count in two octets.
pub(super) const REPEAT: u8 = 0xA5;
/// What it puts instead.
const REPEATED: u8 = b'z';
/// How long it makes the octets at most.
const MAX_EXPANDED: usize = 256 * 1024;

/// Octets that are read as choices, from the front. Where they end, all
/// choices are zero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn octet(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    /// Two octets, the high one first.
    pub(super) fn pair(&mut self) -> usize {
        usize::from(self.octet()) << 8 | usize::from(self.octet())
    }

    /// `count` octets, or those that are left.
    pub(super) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    pub(super) fn choice<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.octet()) % choices.len()].clone()
    }

    /// In which steps octets are read.
    pub(super) fn plan(&mut self) -> Plan {
        match self.octet() {
            0 => Plan::Steps(usize::MAX),
            step @ 1..64 => Plan::Steps(step.into()),
            step @ 64..128 => Plan::Steps((usize::from(step) - 63) * 1021),
            seed => Plan::Drawn(seed.into()),
        }
    }

    /// All octets that are left. If `expand`, then `A5 hh ll` in them stands
    /// for twice as many octets as it says: so large frames come of small
    /// inputs.
    pub(super) fn rest(self, expand: bool) -> Cow<'a, [u8]> {
        if !expand {
            return self.rest.into();
        }
        let mut left = self;
        let mut octets = Vec::new();
        while !left.is_empty() && octets.len() < MAX_EXPANDED {
            match left.octet() {
                REPEAT => {
                    let count = (left.pair() * 2).min(MAX_EXPANDED - octets.len());
                    octets.resize(octets.len() + count, REPEATED);
                }
                octet => octets.push(octet),
            }
        }
        octets.into()
    }
}

/// In which steps octets are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plan {
    Steps(usize),
    /// Of all sizes, small ones mostly, in an order that this number seeds.
    Drawn(u32),
}

impl Plan {
    /// The plan for `length` octets: a few thousand steps are enough.
    pub(super) fn over(self, length: usize) -> Self {
        match self {
            Self::Steps(step) => Self::Steps(step.max(length / 4096)),
            drawn @ Self::Drawn(_) => drawn,
        }
    }

    /// The sizes of the steps, each at least 1.
    pub(super) fn steps(self) -> impl FnMut() -> usize {
        let mut state = 1;
        move || match self {
            Self::Steps(step) => step,
            Self::Drawn(seed) => {
                state = next(state, seed);
                let magnitude = state >> 28; // 1 to 32 Ki
                1 + (state >> 8 & ((1 << magnitude) - 1)) as usize
            }
        }
    }
}

/// A linear congruential generator: the same on every machine.
fn next(state: u32, seed: u32) -> u32 {
    state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223 + 2 * seed)
}
