//! [`Backoff`]: when to dial again.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::monitor::DisconnectReason;
use crate::options::SocketOptions;

/// The waits after a peer that is alive said no: from one second, doubling.
const REJECTED: Duration = Duration::from_secs(1);
const REJECTED_MAX: Duration = Duration::from_secs(60);

/// The waits between attempts to reach one endpoint.
///
/// What was lost (refused, reset, silent) is dialled again after the reconnect
/// interval, since a peer that restarts should be found soon. What was
/// rejected (wrong mechanism, wrong socket type, broken protocol) will most
/// likely be rejected again, so it is dialled slowly; but it is, since peers
/// get repaired.
#[derive(Debug)]
pub(super) struct Backoff {
    interval: Duration,
    max: Duration,
    lost: Duration,
    rejected: Duration,
}

impl Backoff {
    pub(super) fn new(options: &SocketOptions) -> Self {
        Self {
            interval: options.reconnect_interval,
            max: options.reconnect_interval_max,
            lost: options.reconnect_interval,
            rejected: REJECTED,
        }
    }

    /// A handshake was done: the next loss starts from the interval again.
    pub(super) fn succeeded(&mut self) {
        self.lost = self.interval;
    }

    /// The wait after such a failure. `random` spreads it, so that many
    /// clients do not come back all at once.
    pub(super) fn next(&mut self, reason: &DisconnectReason, random: u64) -> Duration {
        let (wait, jitter) = if reason.is_rejection() {
            let wait = self.rejected;
            self.rejected = (2 * wait).min(REJECTED_MAX);
            (wait, wait / 4)
        } else {
            let wait = self.lost;
            if self.max > self.interval {
                self.lost = wait.saturating_mul(2).min(self.max);
            }
            (wait, wait)
        };
        // At least a millisecond, so that an interval of zero is no busy loop.
        wait.max(Duration::from_millis(1)).saturating_add(share(jitter, random))
    }
}

/// A part of `whole` that `random` chooses, from none to all.
fn share(whole: Duration, random: u64) -> Duration {
    whole.mul_f64((random % 1024) as f64 / 1024.0)
}

/// A random number, from the seeds the standard library keeps for its maps.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::PeerFault;

    const LOST: DisconnectReason = DisconnectReason::PeerClosed;
    const REJECTED: DisconnectReason = DisconnectReason::Fault(PeerFault::NotZmtp);

    #[test]
    fn a_lost_peer_is_dialled_at_the_interval() {
        let mut backoff = Backoff::new(&SocketOptions::new());
        for _ in 0..5 {
            assert_eq!(backoff.next(&LOST, 0), Duration::from_millis(100));
        }
        let jittered = backoff.next(&LOST, 1023);
        assert!(jittered > Duration::from_millis(190) && jittered < Duration::from_millis(200));
    }

    #[test]
    fn with_a_maximum_the_interval_doubles_up_to_it() {
        let options = SocketOptions::new().reconnect_interval_max(Duration::from_millis(350));
        let mut backoff = Backoff::new(&options);
        let waits: Vec<_> = (0..4).map(|_| backoff.next(&LOST, 0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 350, 350]);
        backoff.succeeded();
        assert_eq!(backoff.next(&LOST, 0).as_millis(), 100);
    }

    #[test]
    fn a_rejected_peer_is_dialled_slowly() {
        let mut backoff = Backoff::new(&SocketOptions::new());
        let waits: Vec<_> = (0..8).map(|_| backoff.next(&REJECTED, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
