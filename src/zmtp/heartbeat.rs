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
///          interval passed       the kernel took it       timeout passed
///   heard ───────────────► due ─────────────────► waiting ─────────────► expired
///     ▲ │                   │   timeout passed, no octet    │               ▲ ▲
///     │ │                   └── taken of a blocked write ───┼───────────────┘ │
///     │ │                            anything heard         │                 │
///     │ └─ peer's TTL passed ───────────────────────────────┼─────────────────┘
///     └─────────────────────────────────────────────────────┘
/// ```
///
/// Two clocks run. Our timeout runs from when the kernel has taken the first
/// PING that nothing was heard after: one that waits behind a large message
/// cannot be answered. While a write is blocked, each octet that is taken
/// restarts it, since somebody makes room for it; writes that do not block only
/// fill buffers and prove nothing. A peer that takes nothing is given up as
/// well, though the PING that is due never goes out. The other clock is the TTL
/// that the peer asked for with its PING, from whatever was heard last.
///
/// Neither runs while we hold the peer back at a mark: what would stop them lies
/// behind what we do not read. PINGs go out all the same.
///
/// Read what is there before asking [`poll`](Self::poll), or a busy process
/// takes its own delay for the peer's silence.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    interval: Option<Duration>,
    timeout: Duration,
    next_ping: Option<Instant>,
    /// Since when a PING is due that the kernel has not taken yet.
    due_since: Option<Instant>,
    /// Since when a PING that was taken is unanswered, or later: since an octet
    /// was taken of a write that was blocked.
    waiting_since: Option<Instant>,
    /// While a write is blocked: since when it is, or since an octet was taken.
    blocked_since: Option<Instant>,
    peer_ttl: Option<Duration>,
    heard_at: Instant,
    patience: Patience,
}

/// What a clock that has run out means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// The peer is given up, unless we are late ourselves.
    Usual,
    /// The peer is given up: this silence was forgiven once.
    Last,
    /// Nothing: we hold the peer back.
    Suspended,
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
            due_since: None,
            waiting_since: None,
            blocked_since: None,
            peer_ttl: None,
            heard_at: now,
            patience: Patience::Usual,
        }
    }

    /// Octets came from the peer. Anything is a sign of life, not PONG alone.
    /// They may have lain unread for a while, and be told of late.
    pub(crate) fn on_activity(&mut self, now: Instant) {
        self.heard_at = self.heard_at.max(now);
        self.waiting_since = None;
        self.due_since = self.due_since.and(Some(now));
        self.be_patient();
    }

    /// The peer sent a PING with this TTL; zero takes an earlier one back.
    pub(crate) fn on_peer_ttl(&mut self, ttl: Duration, now: Instant) {
        self.on_activity(now);
        self.peer_ttl = Some(ttl).filter(|ttl| !ttl.is_zero());
    }

    /// The kernel has taken the PING that [`poll`](Self::poll) asked for. Until
    /// then no other is asked for.
    pub(crate) fn on_ping_written(&mut self, now: Instant) {
        if self.due_since.take().is_none() {
            return;
        }
        self.waiting_since = self.waiting_since.or(Some(now));
        if is_past(self.next_ping, now) {
            self.next_ping = self.interval.and_then(|interval| now.checked_add(interval));
        }
    }

    /// A write is blocked: the kernel takes no more. Saying so again changes
    /// nothing.
    pub(crate) fn on_blocked(&mut self, now: Instant) {
        self.blocked_since = self.blocked_since.or(Some(now));
    }

    /// The kernel has taken octets. Means nothing unless the write was blocked
    /// before.
    pub(crate) fn on_progress(&mut self, now: Instant) {
        if self.blocked_since.is_some() {
            self.blocked_since = Some(now);
            self.be_patient();
        }
    }

    /// All that was to be written is.
    pub(crate) fn on_unblocked(&mut self) {
        self.waiting_since = self.waiting_since.max(self.waiting_since.and(self.blocked_since));
        self.blocked_since = None;
    }

    /// We hold the peer back from now on: nobody reads.
    pub(crate) fn on_held_back(&mut self) {
        self.patience = Patience::Suspended;
    }

    /// We read again, so both clocks start anew.
    pub(crate) fn on_released(&mut self, now: Instant) {
        self.patience = Patience::Usual;
        self.blocked_since = self.blocked_since.and(Some(now));
        self.on_activity(now);
    }

    /// What is due. To be asked again until nothing is.
    pub(crate) fn poll(&mut self, now: Instant) -> HeartbeatAction {
        if self.is_over(now) {
            return HeartbeatAction::Expired;
        }
        let Some(interval) = self.interval else { return HeartbeatAction::Nothing };
        if self.due_since.is_some() || !is_past(self.next_ping, now) {
            return HeartbeatAction::Nothing;
        }
        self.next_ping = now.checked_add(interval);
        self.due_since = Some(now);
        HeartbeatAction::SendPing
    }

    /// Whether the peer's time has run out. A process that was stopped, or had no
    /// processor, finds that of every peer; so when we are late ourselves, each
    /// silence gets its time once more.
    fn is_over(&mut self, now: Instant) -> bool {
        let over = |deadline: Option<Instant>, period: Duration| {
            let late = now.checked_duration_since(deadline?)?;
            Some(late.saturating_mul(4) > period)
        };
        let timeout = over(self.timeout_at(), self.timeout);
        let ttl = over(self.ttl_at(), self.peer_ttl.unwrap_or_default());
        if timeout.is_none() && ttl.is_none() {
            return false;
        }
        if self.patience == Patience::Last || !(timeout == Some(true) || ttl == Some(true)) {
            return true;
        }
        self.patience = Patience::Last;
        self.heard_at = now;
        self.due_since = self.due_since.and(Some(now));
        self.waiting_since = self.waiting_since.and(Some(now));
        false
    }

    /// Whether either clock may ever run.
    pub(crate) fn is_beating(&self) -> bool {
        self.interval.is_some() || self.peer_ttl.is_some()
    }

    /// When something will be due, unless the peer is heard before.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let next_ping = self.next_ping.filter(|_| self.due_since.is_none());
        [next_ping, self.timeout_at(), self.ttl_at()].into_iter().flatten().min()
    }

    fn timeout_at(&self) -> Option<Instant> {
        if self.patience == Patience::Suspended {
            return None;
        }
        let stuck_since = self.due_since.filter(|_| self.blocked_since.is_some());
        let since = self.waiting_since.or(stuck_since)?;
        since.max(self.blocked_since.unwrap_or(since)).checked_add(self.timeout)
    }

    fn ttl_at(&self) -> Option<Instant> {
        if self.patience == Patience::Suspended {
            return None;
        }
        self.heard_at.checked_add(self.peer_ttl?)
    }

    /// A new silence may be forgiven once, too.
    fn be_patient(&mut self) {
        if self.patience == Patience::Last {
            self.patience = Patience::Usual;
        }
    }
}

fn is_past(deadline: Option<Instant>, now: Instant) -> bool {
    deadline.is_some_and(|deadline| deadline <= now)
}
