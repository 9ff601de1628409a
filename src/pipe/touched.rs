//! [`Touched`]: what is owed to lines once the pattern's lock is released.

use std::sync::Arc;

use super::{Flush, Line, NeedsFlush};
use crate::peer::Unwelcome;

/// The lines to flush, and those to reject, once the pattern's lock is released.
#[derive(Default)]
pub(crate) struct Touched {
    /// The usual case, without an allocation: one line to flush.
    first: Option<Arc<dyn Line>>,
    rest: Vec<Owed>,
    /// How many messages were pushed.
    pushed: u32,
    /// Whether a line comes near its mark.
    is_near_mark: bool,
}

enum Owed {
    Flush(Arc<dyn Line>),
    Reject(Arc<dyn Line>, Unwelcome),
}

impl Touched {
    /// Notes that something was pushed to a line, and the line if that needs a
    /// flush.
    #[inline]
    pub(crate) fn note(&mut self, needs: NeedsFlush, line: &Arc<dyn Line>) {
        self.pushed += 1;
        match (needs, &self.first) {
            (NeedsFlush::No, _) => {}
            (NeedsFlush::NearMark, _) => self.is_near_mark = true,
            (NeedsFlush::Yes, None) => self.first = Some(Arc::clone(line)),
            (NeedsFlush::Yes, Some(_)) => self.rest.push(Owed::Flush(Arc::clone(line))),
        }
    }

    /// Notes a line whose connection is to end.
    pub(crate) fn reject(&mut self, line: &Arc<dyn Line>, why: Unwelcome) {
        self.rest.push(Owed::Reject(Arc::clone(line), why));
    }

    /// Whether something is owed to a line.
    pub(crate) fn needs_flush(&self) -> bool {
        self.first.is_some()
    }

    /// How much work was done, in messages pushed.
    pub(crate) fn pushed(&self) -> u32 {
        self.pushed
    }

    /// Whether a line that was pushed to comes near its mark.
    pub(crate) fn is_near_mark(&self) -> bool {
        self.is_near_mark
    }

    /// Flushes and rejects them. Call it with no lock held. `alone` is how to
    /// flush a line if it is the only one. True if a task was woken to write.
    #[inline]
    pub(crate) fn flush(self, alone: Flush) -> bool {
        let alone = if self.rest.is_empty() { alone } else { Flush::Task };
        let mut woken = self.first.is_some_and(|line| line.flush(alone));
        for owed in self.rest {
            woken |= owed.settle();
        }
        woken
    }
}

impl Owed {
    fn settle(self) -> bool {
        match self {
            Self::Flush(line) => line.flush(Flush::Task),
            Self::Reject(line, why) => {
                line.reject(why);
                true
            }
        }
    }
}
