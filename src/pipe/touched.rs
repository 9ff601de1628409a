//! [`Touched`]: what is owed to outlets once the pattern's lock is released.

use std::sync::Arc;

use super::{NeedsFlush, Outlet};

/// The outlets to flush, and those to reject, once the pattern's lock is
/// released.
#[derive(Default)]
pub(crate) struct Touched {
    /// The usual case, without an allocation: one outlet to flush.
    first: Option<Arc<dyn Outlet>>,
    rest: Vec<Owed>,
}

enum Owed {
    Flush(Arc<dyn Outlet>),
    Reject(Arc<dyn Outlet>),
}

impl Touched {
    /// Notes an outlet, if what was pushed to it needs a flush.
    #[inline]
    pub(crate) fn note(&mut self, needs: NeedsFlush, outlet: &Arc<dyn Outlet>) {
        match (needs, &self.first) {
            (NeedsFlush::No, _) => {}
            (NeedsFlush::Yes, None) => self.first = Some(Arc::clone(outlet)),
            (NeedsFlush::Yes, Some(_)) => self.rest.push(Owed::Flush(Arc::clone(outlet))),
        }
    }

    /// Notes an outlet whose connection is to end.
    pub(crate) fn reject(&mut self, outlet: &Arc<dyn Outlet>) {
        self.rest.push(Owed::Reject(Arc::clone(outlet)));
    }

    /// Flushes and rejects them. Call it with no lock held.
    #[inline]
    pub(crate) fn flush(self) {
        if let Some(outlet) = self.first {
            outlet.flush();
        }
        if self.rest.is_empty() {
            return;
        }
        for owed in self.rest {
            match owed {
                Owed::Flush(outlet) => outlet.flush(),
                Owed::Reject(outlet) => outlet.reject(),
            }
        }
    }
}
