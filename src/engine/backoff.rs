//! [`Backoff`]: when to dial again.

use std::time::{Duration, Instant};

use crate::fault::PeerFault;
use crate::monitor::DisconnectReason;
use crate::options::SocketOptions;

/// The wait after a peer that is alive said no, the first one where they grow.
const REFUSED: Duration = Duration::from_secs(1);
const REFUSED_MAX: Duration = Duration::from_secs(60);

/// The second wait after a peer that left in place of an answer, at least.
const UNSAID_MIN: Duration = Duration::from_millis(100);

/// Why an endpoint is to be dialled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setback {
    /// Nobody was there, or the connection was lost: refused, reset, silent.
    Lost,
    /// The peer is alive and said no, for a reason that goes away by itself: it
    /// has another peer at the moment, say.
    MayPass,
    /// The peer is alive and left, and most likely that was to say no.
    Unsaid,
    /// The peer is alive and does not fit us, or breaks the protocol.
    Lasting,
}

impl Setback {
    /// What an attempt that failed, or a connection that ended, means for the
    /// next.
    pub(super) fn of(reason: &DisconnectReason) -> Self {
        match reason {
            DisconnectReason::TurnedAway(why) if why.may_pass() => Self::MayPass,
            DisconnectReason::Fault(PeerFault::NotAnswered { .. }) => Self::Unsaid,
            DisconnectReason::Fault(fault) if fault.may_pass() => Self::MayPass,
            DisconnectReason::TurnedAway(_) | DisconnectReason::Fault(_) => Self::Lasting,
            _ => Self::Lost,
        }
    }
}

/// The waits between attempts to reach one endpoint. It has no clock: what it
/// is told says when.
///
/// - What was lost is dialled again after the reconnect interval, since a peer
///   that restarts should be found soon.
/// - A refusal that may pass is dialled once a second, and that does not grow:
///   one second after the reason has gone we are in.
/// - A peer that leaves in place of an answer may refuse us for now or for good, or may
///   have been lost: it is dialled soon at first, and then less and less, up to once a
///   second.
/// - A refusal that lasts (wrong mechanism, wrong socket type, broken protocol)
///   will most likely come again, so it is dialled slowly and slower each time;
///   but it is dialled, since peers get repaired.
///
/// A handshake that is done ends what was lost. It does not yet end what lasts,
/// since a peer may break the protocol right after each handshake: these
/// refusals are forgotten once a connection has stayed up for as long as the
/// next wait would be. Then it was worth the wait, and a peer that goes wrong
/// sooner than that is dialled slower and slower all the same.
#[derive(Debug)]
pub(super) struct Backoff {
    interval: Duration,
    max: Duration,
    /// The next wait, after each.
    lost: Duration,
    unsaid: Duration,
    lasting: Duration,
    up_since: Option<Instant>,
}

impl Backoff {
    pub(super) fn new(options: &SocketOptions) -> Self {
        Self {
            interval: options.reconnect_interval,
            max: options.reconnect_interval_max,
            lost: options.reconnect_interval,
            unsaid: options.reconnect_interval,
            lasting: REFUSED,
            up_since: None,
        }
    }

    /// A handshake is done.
    pub(super) fn on_up(&mut self, now: Instant) {
        self.lost = self.interval;
        self.unsaid = self.interval;
        self.up_since = Some(now);
    }

    /// An attempt has failed or a connection has ended: how long to wait.
    /// `random` spreads it, so that many clients do not come back all at once.
    pub(super) fn on_setback(&mut self, why: Setback, now: Instant, random: u64) -> Duration {
        let up = self.up_since.take().map(|since| now.saturating_duration_since(since));
        if up.is_some_and(|up| up >= self.lasting) {
            self.lasting = REFUSED;
        }
        let (wait, jitter) = match why {
            Setback::Lost => {
                let wait = self.lost;
                if self.max > self.interval {
                    self.lost = wait.saturating_mul(2).min(self.max);
                }
                (wait, wait)
            }
            Setback::MayPass => (REFUSED, REFUSED / 4),
            Setback::Unsaid => {
                let wait = self.unsaid;
                self.unsaid = wait.saturating_mul(2).clamp(UNSAID_MIN, REFUSED.max(wait));
                (wait, wait / 4)
            }
            Setback::Lasting => {
                let wait = self.lasting;
                self.lasting = (2 * wait).min(REFUSED_MAX);
                (wait, wait / 4)
            }
        };
        // At least a millisecond, so that an interval of zero is no busy loop.
        wait.max(Duration::from_millis(1)).saturating_add(share(jitter, random))
    }
}

/// A part of `whole` that `random` chooses, from none to all.
fn share(whole: Duration, random: u64) -> Duration {
    whole.mul_f64((random % 1024) as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::Setback::{Lasting, Lost, MayPass, Unsaid};
    use super::*;
    use crate::peer::Unwelcome;
    use crate::security::Mechanism;

    /// A backoff, and the time it is told.
    struct Clock {
        backoff: Backoff,
        now: Instant,
    }

    impl Clock {
        fn new(options: &SocketOptions) -> Self {
            Self { backoff: Backoff::new(options), now: Instant::now() }
        }

        /// The wait in milliseconds, without jitter; it is over afterwards.
        fn wait(&mut self, why: Setback) -> u128 {
            let wait = self.backoff.on_setback(why, self.now, 0);
            self.now += wait;
            wait.as_millis()
        }

        fn waits(&mut self, count: usize, why: Setback) -> Vec<u128> {
            (0..count).map(|_| self.wait(why)).collect()
        }

        /// A connection that is up for so long.
        fn up_for(&mut self, millis: u64) {
            self.backoff.on_up(self.now);
            self.now += Duration::from_millis(millis);
        }
    }

    fn new() -> Clock {
        Clock::new(&SocketOptions::new())
    }

    #[test]
    fn a_lost_peer_is_dialled_at_the_interval() {
        assert_eq!(new().waits(5, Lost), [100; 5]);
    }

    #[test]
    fn with_a_maximum_the_interval_doubles_up_to_it() {
        let options = SocketOptions::new().reconnect_interval_max(Duration::from_millis(350));
        let mut clock = Clock::new(&options);
        assert_eq!(clock.waits(4, Lost), [100, 200, 350, 350]);
        clock.up_for(0);
        assert_eq!(clock.wait(Lost), 100);
    }

    #[test]
    fn a_refusal_that_lasts_is_dialled_slower_each_time() {
        let seconds = [1, 2, 4, 8, 16, 32, 60, 60].map(|seconds| seconds * 1000);
        assert_eq!(new().waits(8, Lasting), seconds);
    }

    #[test]
    fn a_refusal_that_may_pass_is_dialled_once_a_second() {
        let mut clock = new();
        assert_eq!(clock.waits(5, MayPass), [1000; 5]);
        // And the one does not make the other slower.
        assert_eq!(clock.waits(2, Lasting), [1000, 2000]);
        assert_eq!(clock.wait(MayPass), 1000);
        assert_eq!(clock.wait(Lasting), 4000);
    }

    #[test]
    fn who_leaves_in_place_of_an_answer_is_dialled_less_and_less() {
        let mut clock = new();
        assert_eq!(clock.waits(6, Unsaid), [100, 200, 400, 800, 1000, 1000]);
        clock.up_for(0);
        assert_eq!(clock.wait(Unsaid), 100);
        for (interval, waits) in [(0, [1, 100, 200]), (2000, [2000; 3])] {
            let interval = Duration::from_millis(interval);
            let mut clock = Clock::new(&SocketOptions::new().reconnect_interval(interval));
            assert_eq!(clock.waits(3, Unsaid), waits);
        }
    }

    #[test]
    fn refusals_are_forgotten_once_a_connection_has_stayed_up_as_long_as_the_wait() {
        let mut clock = new();
        assert_eq!(clock.waits(3, Lasting), [1000, 2000, 4000]);
        clock.up_for(8000);
        assert_eq!(clock.waits(2, Lasting), [1000, 2000]);
        // However it ended.
        clock.up_for(4000);
        assert_eq!(clock.wait(Lost), 100);
        assert_eq!(clock.wait(Lasting), 1000);
        // At the most, that is a minute.
        clock.waits(9, Lasting);
        clock.up_for(60_000);
        assert_eq!(clock.wait(Lasting), 1000);
    }

    #[test]
    fn a_peer_that_breaks_the_protocol_after_each_handshake_is_dialled_slowly() {
        let mut clock = new();
        let mut waits = Vec::new();
        for _ in 0..7 {
            waits.push(clock.wait(Lasting) / 1000);
            clock.up_for(999);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60]);
    }

    #[test]
    fn only_the_time_of_the_last_connection_counts() {
        let mut clock = new();
        assert_eq!(clock.wait(Lasting), 1000);
        clock.up_for(1500);
        assert_eq!(clock.wait(Lost), 100);
        // The attempts since were not up at all.
        clock.now += Duration::from_secs(3600);
        assert_eq!(clock.wait(Lasting), 2000);
    }

    #[test]
    fn chance_spreads_the_waits() {
        let (mut backoff, now) = (Backoff::new(&SocketOptions::new()), Instant::now());
        for (why, least, most) in [(Lost, 190, 200), (MayPass, 1240, 1250), (Lasting, 1240, 1250)] {
            let wait = backoff.on_setback(why, now, 1023).as_millis();
            assert!(wait > least && wait < most, "{why:?}: {wait}");
        }
    }

    #[test]
    fn what_no_peer_said_is_no_refusal() {
        let incompatible = PeerFault::UnknownSocketType { name: "X".into() };
        let unanswered = PeerFault::NotAnswered { mechanism: Mechanism::Curve };
        let taken = Unwelcome::RoutingIdTaken;
        let too_many = Unwelcome::TooManySubscriptions { limit: 1 };
        for (reason, setback) in [
            (DisconnectReason::PeerClosed, Lost),
            (DisconnectReason::HandshakeTimeout, Lost),
            (DisconnectReason::Fault(PeerFault::NotZmtp), Lasting),
            (DisconnectReason::Fault(unanswered), Unsaid),
            (DisconnectReason::Fault(incompatible), Lasting),
            (DisconnectReason::TurnedAway(taken), MayPass),
            (DisconnectReason::TurnedAway(too_many), Lasting),
        ] {
            assert_eq!(Setback::of(&reason), setback, "{reason}");
        }
    }
}
