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
}

enum Owed {
    Flush(Arc<dyn Line>),
    Reject(Arc<dyn Line>, Unwelcome),
}

impl Touched {
    /// Notes a line, if what was pushed to it needs a flush.
    #[inline]
    pub(crate) fn note(&mut self, needs: NeedsFlush, line: &Arc<dyn Line>) {
        match (needs, &self.first) {
            (NeedsFlush::No, _) => {}
            (NeedsFlush::Yes, None) => self.first = Some(Arc::clone(line)),
            (NeedsFlush::Yes, Some(_)) => self.rest.push(Owed::Flush(Arc::clone(line))),
        }
    }

    /// Notes a line whose connection is to end.
    pub(crate) fn reject(&mut self, line: &Arc<dyn Line>, why: Unwelcome) {
        self.rest.push(Owed::Reject(Arc::clone(line), why));
    }

    /// Flushes and rejects them. Call it with no lock held. `alone` is how to
    /// flush a line if it is the only one.
    #[inline]
    pub(crate) fn flush(self, alone: Flush) {
        if let Some(line) = self.first {
            line.flush(if self.rest.is_empty() { alone } else { Flush::Task });
        }
        if self.rest.is_empty() {
            return;
        }
        for owed in self.rest {
            match owed {
                Owed::Flush(line) => line.flush(Flush::Task),
                Owed::Reject(line, why) => line.reject(why),
            }
        }
    }
}
