//! [`now`]: the time as the runtime has it, which tests may pause.

use std::time::Instant;

/// The time to measure deadlines against.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
