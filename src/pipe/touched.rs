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
        let is_due = match needs {
            NeedsFlush::No | NeedsFlush::NearMark => false,
            NeedsFlush::Yes | NeedsFlush::YesNearMark => true,
        };
        self.is_near_mark |= matches!(needs, NeedsFlush::NearMark | NeedsFlush::YesNearMark);
        match &self.first {
            _ if !is_due => {}
            None => self.first = Some(Arc::clone(line)),
            Some(_) => self.rest.push(Owed::Flush(Arc::clone(line))),
        }
    }

    /// Notes a line whose connection is to end.
    pub(crate) fn reject(&mut self, line: &Arc<dyn Line>, why: Unwelcome) {
        self.rest.push(Owed::Reject(Arc::clone(line), why));
    }

    /// Whether just one message was pushed, of which nobody need be told: the most
    /// common case.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.pushed == 1 && !self.is_near_mark && self.is_settled()
    }

    /// Nothing is owed to anybody, so that nothing is left to be dropped.
    #[inline]
    pub(crate) fn forget(self) {
        debug_assert!(self.is_settled(), "somebody would not be told");
        std::mem::forget(self);
    }

    /// How much work was done, in messages pushed.
    pub(crate) fn pushed(&self) -> u32 {
        self.pushed
    }

    /// Whether a line that was pushed to comes near its mark.
    pub(crate) fn is_near_mark(&self) -> bool {
        self.is_near_mark
    }

    /// Whether nothing is owed to anybody.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        self.first.is_none() && self.rest.is_empty()
    }

    /// Flushes and rejects them, with no lock held, and leaves the writing to the
    /// tasks.
    pub(crate) fn flush(self) {
        self.flush_by(Flush::Task, |_| {});
    }

    /// As [`flush`](Self::flush), for a caller that may compute for a while: if
    /// only one line is to be flushed, `alone` says how; others are left to their
    /// tasks, each after a word to `note`. True if a task was woken without that.
    pub(crate) fn flush_by(self, alone: Flush, mut note: impl FnMut(&Arc<dyn Line>)) -> bool {
        if self.rest.is_empty() && alone == Flush::Here {
            return self.first.is_some_and(|line| line.flush(Flush::Here));
        }
        if let Some(line) = self.first {
            note(&line);
            line.flush(Flush::Task);
        }
        let mut woken = false;
        for owed in self.rest {
            match owed {
                Owed::Flush(line) => {
                    note(&line);
                    line.flush(Flush::Task);
                }
                Owed::Reject(line, why) => {
                    line.reject(why);
                    woken = true;
                }
            }
        }
        woken
    }
}
