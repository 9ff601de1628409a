//! [`Touched`]: what is owed to outlets once the pattern's lock is released.

use std::sync::Arc;

use super::{NeedsFlush, Outlet};

/// The outlets to flush, and those to reject, once the pattern's lock is
/// released.
#[derive(Default)]
pub(crate) struct Touched {
    /// The usual case, without an allocation.
    first: Option<Arc<dyn Outlet>>,
    rest: Vec<Arc<dyn Outlet>>,
    rejected: Vec<Arc<dyn Outlet>>,
}

impl Touched {
    /// Notes an outlet, if what was pushed to it needs a flush.
    pub(crate) fn note(&mut self, needs: NeedsFlush, outlet: &Arc<dyn Outlet>) {
        match (needs, &self.first) {
            (NeedsFlush::No, _) => {}
            (NeedsFlush::Yes, None) => self.first = Some(Arc::clone(outlet)),
            (NeedsFlush::Yes, Some(_)) => self.rest.push(Arc::clone(outlet)),
        }
    }

    /// Notes an outlet whose connection is to end.
    pub(crate) fn reject(&mut self, outlet: &Arc<dyn Outlet>) {
        self.rejected.push(Arc::clone(outlet));
    }

    /// Flushes and rejects them. Call it with no lock held.
    pub(crate) fn flush(self) {
        for outlet in self.first.iter().chain(&self.rest) {
            outlet.flush();
        }
        for outlet in &self.rejected {
            outlet.reject();
        }
    }
}
