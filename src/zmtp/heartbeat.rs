//! [`Heartbeat`]: when to send PING, and when to give a silent peer up, as
//! functions of the time that is passed in (RFC 37, "Connection Heartbeating").

use std::time::{Duration, Instant};

/// The heartbeat options of a socket.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HeartbeatConfig {
    /// How often to send PING; never if `None` or zero.
    pub(crate) interval: Option<Duration>,
    /// How long after a PING the peer must be heard; as long as the interval
    /// if `None` or zero.
    pub(crate) timeout: Option<Duration>,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeartbeatAction {
    Nothing,
    SendPing,
    /// The peer was silent for too long.
    Expired,
}

/// The heartbeat of one connection.
///
/// ```text
///             interval passed: PING           timeout passed
///   heard ───────────────────────► waiting ──────────────────► expired
///     ▲  │                            │ anything heard            ▲
///     │  │ peer's TTL passed          │                           │
///     │  └────────────────────────────┼───────────────────────────┘
///     └───────────────────────────────┘
/// ```
///
/// Two clocks run: our timeout, from the first PING that nothing was heard
/// after; and the TTL that the peer asked for with its PING, from whatever
/// was heard last. Read what is there before asking [`poll`](Self::poll), or a
/// busy process takes its own delay for the peer's silence.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    interval: Option<Duration>,
    timeout: Duration,
    next_ping: Option<Instant>,
    /// When our patience ends, while a PING is unanswered.
    timeout_at: Option<Instant>,
    peer_ttl: Option<Duration>,
    heard_at: Instant,
    /// Whether this silence was forgiven once, since we were late ourselves.
    forgiven: bool,
}

impl Heartbeat {
    /// The heartbeat of a connection whose traffic begins `now`.
    pub(crate) fn new(config: HeartbeatConfig, now: Instant) -> Self {
        let interval = config.interval.filter(|interval| !interval.is_zero());
        let timeout = config.timeout.filter(|timeout| !timeout.is_zero());
        Self {
            interval,
            timeout: timeout.or(interval).unwrap_or_default(),
            next_ping: interval.and_then(|interval| now.checked_add(interval)),
            timeout_at: None,
            peer_ttl: None,
            heard_at: now,
            forgiven: false,
        }
    }

    /// Octets came from the peer. Anything is a sign of life, not PONG alone.
    pub(crate) fn on_activity(&mut self, now: Instant) {
        self.heard_at = now;
        self.timeout_at = None;
        self.forgiven = false;
    }

    /// The peer sent a PING with this TTL; zero takes an earlier one back.
    pub(crate) fn on_peer_ttl(&mut self, ttl: Duration, now: Instant) {
        self.on_activity(now);
        self.peer_ttl = Some(ttl).filter(|ttl| !ttl.is_zero());
    }

    /// What is due. To be asked again until nothing is.
    pub(crate) fn poll(&mut self, now: Instant) -> HeartbeatAction {
        if self.is_over(now) {
            return HeartbeatAction::Expired;
        }
        let is_past = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        let Some(interval) = self.interval else { return HeartbeatAction::Nothing };
        if !is_past(self.next_ping) {
            return HeartbeatAction::Nothing;
        }
        self.next_ping = now.checked_add(interval);
        self.timeout_at = self.timeout_at.or(now.checked_add(self.timeout));
        HeartbeatAction::SendPing
    }

    /// Whether the peer's time has run out. A process that was stopped, or had no
    /// processor, finds that of every peer; so when we are late ourselves, each
    /// silence gets its time once more.
    fn is_over(&mut self, now: Instant) -> bool {
        let over = |deadline: Option<Instant>, period: Duration| {
            let late = now.checked_duration_since(deadline?)?;
            Some(late > period / 4)
        };
        let timeout = over(self.timeout_at, self.timeout);
        let ttl = over(self.ttl_at(), self.peer_ttl.unwrap_or_default());
        if timeout.is_none() && ttl.is_none() {
            return false;
        }
        if self.forgiven || !(timeout == Some(true) || ttl == Some(true)) {
            return true;
        }
        self.forgiven = true;
        self.heard_at = now;
        self.timeout_at = self.timeout_at.and(now.checked_add(self.timeout));
        false
    }

    /// When something will be due, unless the peer is heard before.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        [self.next_ping, self.timeout_at, self.ttl_at()].into_iter().flatten().min()
    }

    fn ttl_at(&self) -> Option<Instant> {
        self.heard_at.checked_add(self.peer_ttl?)
    }
}
