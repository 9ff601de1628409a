//! [`Histogram`]: durations in buckets, each less than a hundredth wide.

use std::time::Duration;

/// Bits of a number that are kept.
const BITS: u32 = 8;

/// Numbers below this have a bucket each.
const EXACT: usize = 1 << BITS;

/// Buckets for each further power of two.
const HALF: usize = EXACT / 2;

/// How often how long, in nanoseconds.
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    sum: u128,
    min: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let counts = vec![0; EXACT + HALF * (u64::BITS - BITS) as usize];
        Self { counts, total: 0, sum: 0, min: u64::MAX, max: 0 }
    }
}

impl Histogram {
    pub(super) fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
        self.sum += u128::from(nanos);
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
    }

    pub(super) fn count(&self) -> u64 {
        self.total
    }

    pub(super) fn min(&self) -> u64 {
        self.min.min(self.max)
    }

    pub(super) fn max(&self) -> u64 {
        self.max
    }

    pub(super) fn mean(&self) -> u64 {
        let mean = self.sum / u128::from(self.total.max(1));
        u64::try_from(mean).unwrap_or(u64::MAX)
    }

    /// What so great a part, of 1, does not exceed.
    pub(super) fn quantile(&self, part: f64) -> u64 {
        let wanted = (self.total as f64 * part).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted.max(1) {
                return largest(bucket).min(self.max);
            }
        }
        self.max
    }
}

/// The bucket of a number: its highest bits, and how many there are below.
fn bucket(nanos: u64) -> usize {
    let below = (u64::BITS - nanos.leading_zeros()).saturating_sub(BITS);
    match below {
        0 => nanos as usize,
        below => EXACT + (below as usize - 1) * HALF + ((nanos >> below) as usize - HALF),
    }
}

/// The largest number of a bucket.
fn largest(bucket: usize) -> u64 {
    let Some(beyond) = bucket.checked_sub(EXACT) else { return bucket as u64 };
    let below = beyond / HALF + 1;
    let top = (beyond % HALF + HALF + 1) as u128;
    u64::try_from((top << below) - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_in_a_narrow_bucket() {
        let mut numbers: Vec<u64> = (0..2000).collect();
        numbers.extend((11..64).flat_map(|shift| [(1 << shift) - 1, 1 << shift, (1 << shift) + 1]));
        numbers.push(u64::MAX);
        for number in numbers {
            let at = bucket(number);
            assert!(largest(at) >= number, "{number}");
            assert!(largest(at) - number <= number / 100, "{number} is in that of {}", largest(at));
            assert!(at == 0 || largest(at - 1) < number, "{number}");
        }
    }

    #[test]
    fn quantiles_of_known_durations() {
        let mut histogram = Histogram::default();
        assert_eq!((histogram.quantile(0.5), histogram.min(), histogram.mean()), (0, 0, 0));
        for nanos in 1..=100 {
            histogram.record(Duration::from_nanos(nanos));
        }
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|part| histogram.quantile(part)), [1, 50, 99, 100]);
        assert_eq!((histogram.count(), histogram.min(), histogram.mean()), (100, 1, 50));
    }
}
