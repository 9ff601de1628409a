//! [`nudge`]: lets another worker take what this one has just woken.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Moves the task that was woken or spawned last on this worker to where others
/// may take it.
///
/// A worker of a `multi_thread` runtime keeps the newest task in a slot of its
/// own, to run it next, and no other worker may take it from there. If the caller
/// computes for a while and does not await, our task waits as long. A further
/// task, which does nothing, takes its place in the slot.
pub(crate) fn nudge() {
    if tokio::task::try_id().is_none() {
        // Not on behalf of a task, so not in any slot.
        return;
    }
    if let Ok(handle) = Handle::try_current() {
        if handle.runtime_flavor() == RuntimeFlavor::MultiThread {
            drop(handle.spawn(async {}));
        }
    }
}
