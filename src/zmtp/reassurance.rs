//! [`Reassurance`]: when to tell a peer that we hold back that we are there, as
//! functions of the time that is passed in.

use std::time::{Duration, Instant};

/// How often, unless the peer asks more often.
const PERIOD: Duration = Duration::from_millis(100);

/// How often at most, however often the peer asks.
const SHORTEST: Duration = Duration::from_millis(10);

/// The PONGs for one peer that it has not asked for.
///
/// While we hold a peer back at a mark, its PINGs lie behind data that we do not
/// read. It would take us for dead, so it gets an empty PONG every 100 ms, or
/// twice for each of its PINGs if that is more often. (RFC 37 wants a PONG for
/// each PING and does not forbid others; to libzmq anything is a sign of life.)
///
/// ```text
///        held_back                   poll: PONG
///  free ──────────► held, due later ───────────► the same, a period later
///   ▲                     │
///   └──────── released ───┘
/// ```
///
/// The beat goes on over short releases: where one message is taken at a time,
/// the peer is held back again at once, and its PING is no nearer.
#[derive(Debug)]
pub(crate) struct Reassurance {
    /// How often; never while we cannot tell whether it wants to know, or even knows
    /// what a PONG is.
    period: Option<Duration>,
    last_ping: Option<Instant>,
    /// When the next PONG is due, if the peer is held back by then.
    due: Option<Instant>,
    is_held: bool,
}

impl Reassurance {
    /// For a peer that may have sent a PING which we have not seen, or for one that
    /// may turn out to send some.
    pub(crate) fn new(may_ask: bool) -> Self {
        let period = may_ask.then_some(PERIOD);
        Self { period, last_ping: None, due: None, is_held: false }
    }

    /// The peer sent a PING. Those that come in one read are given the same
    /// `now`; they have waited together and show no rhythm.
    pub(crate) fn on_ping(&mut self, now: Instant) {
        let period = self.period.get_or_insert(PERIOD);
        let Some(last) = self.last_ping.replace(now) else { return };
        let gap = now.saturating_duration_since(last);
        if !gap.is_zero() {
            *period = (*period).min(gap.checked_div(2).unwrap_or_default()).max(SHORTEST);
        }
    }

    /// We hold the peer back. Returns when the next PONG is due, if it gets any.
    pub(crate) fn held_back(&mut self, now: Instant) -> Option<Instant> {
        self.is_held = true;
        self.due = self.due.or(now.checked_add(self.period?));
        self.due
    }

    /// We read from the peer again.
    pub(crate) fn released(&mut self) {
        self.is_held = false;
    }

    /// Whether to send an empty PONG now.
    pub(crate) fn poll(&mut self, now: Instant) -> bool {
        let is_due = self.next_deadline().is_some_and(|due| due <= now);
        if is_due {
            self.due = self.period.and_then(|period| now.checked_add(period));
        }
        is_due
    }

    /// When the next PONG is due; never while nobody is held back.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.due.filter(|_| self.is_held)
    }
}
