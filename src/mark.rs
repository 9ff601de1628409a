//! [`Mark`]: how much of something may wait, where zero is no limit.

/// A limit as options give it. This is the one place that knows what zero means
/// there (`ZMQ_SNDHWM`: "the value of zero means no limit").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(usize);

impl Mark {
    pub(crate) const UNLIMITED: Self = Self(usize::MAX);

    /// The mark that an option gives: zero is none.
    pub(crate) const fn from_option(limit: usize) -> Self {
        if limit == 0 { Self::UNLIMITED } else { Self(limit) }
    }

    pub(crate) const fn is_unlimited(self) -> bool {
        self.0 == Self::UNLIMITED.0
    }

    /// Whether one more may come when so many wait.
    #[inline]
    pub(crate) const fn admits(self, waiting: usize) -> bool {
        waiting < self.0
    }

    /// How many more may come when so many wait.
    #[inline]
    pub(crate) const fn room(self, waiting: usize) -> usize {
        self.0.saturating_sub(waiting)
    }

    /// The mark of a queue that two sides share: both marks together, none if
    /// one of them is none.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Whether so many are no more than half of it: one who was refused is told then,
    /// so that one wake-up is for many.
    pub(crate) const fn is_half_free(self, waiting: usize) -> bool {
        waiting <= self.0 / 2
    }

    /// So many times as much.
    pub(crate) fn times(self, factor: usize) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// The more generous of both.
    pub(crate) fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// The stricter of both.
    pub(crate) fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The number itself, `usize::MAX` if there is no limit.
    pub(crate) const fn limit(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_no_limit() {
        assert!(Mark::from_option(0).admits(usize::MAX - 1));
        let two = Mark::from_option(2);
        assert!(two.admits(1) && !two.admits(2));
        assert_eq!([0, 2, 3].map(|waiting| two.room(waiting)), [2, 0, 0]);
        assert!(two.is_half_free(1) && !two.is_half_free(2) && !two.is_unlimited());
        assert!(Mark::from_option(0).is_unlimited() && !Mark::from_option(1).is_half_free(1));
    }

    #[test]
    fn a_shared_queue_has_both_marks_or_none() {
        let [none, two, three] = [0, 2, 3].map(Mark::from_option);
        assert_eq!(two.and(three), Mark::from_option(5));
        assert_eq!(two.and(none), Mark::UNLIMITED);
        assert_eq!(none.and(three), Mark::UNLIMITED);
    }
}
