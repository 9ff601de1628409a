//! [`Pulse`]: what the clock asks for in one session: PINGs, giving a silent peer
//! up, and reassuring one that we hold back.

use std::time::{Duration, Instant};

use crate::options::SocketOptions;
use crate::zmtp::{Heartbeat, HeartbeatAction, HeartbeatConfig, Reassurance, Sending};

/// The heart of one session. Kept under one lock.
#[derive(Debug)]
pub(crate) struct Pulse {
    heartbeat: Heartbeat,
    reassurance: Reassurance,
    /// After how much silence our PINGs ask to be given up.
    ttl: Duration,
    is_held_back: bool,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    Nothing,
    /// Send a PING.
    Ping,
    /// Send an empty PONG, unasked.
    Pong,
    /// The peer was silent for too long.
    Expired,
}

/// What a look at the connection found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signs {
    /// When the peer was last heard, if since the last look.
    pub(crate) heard: Option<Instant>,
    /// Octets may lie unread, so that silence means nothing.
    pub(crate) is_unread: bool,
    /// The peer is held back at a mark.
    pub(crate) is_held_back: bool,
}

impl Pulse {
    pub(crate) fn new(options: &SocketOptions, sending: &Sending, now: Instant) -> Self {
        let interval = options.heartbeat_interval.filter(|_| sending.has_heartbeats());
        let config = HeartbeatConfig { interval, timeout: options.heartbeat_timeout };
        Self {
            heartbeat: Heartbeat::new(config, now),
            reassurance: Reassurance::new(sending.may_ask()),
            ttl: options.heartbeat_ttl,
            is_held_back: false,
        }
    }

    pub(crate) fn ttl(&self) -> Duration {
        self.ttl
    }

    /// The peer sent a PING. True if something may be due sooner than before.
    pub(crate) fn on_ping(&mut self, ttl: Duration, at: Instant) -> bool {
        let before = self.next_deadline();
        self.reassurance.on_ping(at);
        self.heartbeat.on_peer_ttl(ttl, at);
        match (before, self.next_deadline()) {
            (Some(before), Some(after)) => after < before,
            (before, after) => before.is_none() && after.is_some(),
        }
    }

    /// A turn of writing is over: whether octets were written, a PING among them,
    /// and whether the transport takes no more.
    pub(crate) fn on_written(&mut self, octets: usize, ping: bool, is_blocked: bool, now: Instant) {
        if octets > 0 {
            self.heartbeat.on_progress(now);
        }
        if ping {
            self.heartbeat.on_ping_written(now);
        }
        if is_blocked {
            self.heartbeat.on_blocked(now);
        } else {
            self.heartbeat.on_unblocked();
        }
    }

    /// Notes what a look at the connection found.
    pub(crate) fn on_look(&mut self, signs: Signs, now: Instant) {
        if let Some(at) = if signs.is_unread { Some(now) } else { signs.heard } {
            self.heartbeat.on_activity(at);
        }
        if signs.is_held_back {
            self.heartbeat.on_held_back();
            self.reassurance.held_back(now);
        } else if self.is_held_back {
            self.heartbeat.on_released(now);
            self.reassurance.released();
        }
        self.is_held_back = signs.is_held_back;
    }

    /// What is due. To be asked again, with the next deadline, once it is done.
    pub(crate) fn poll(&mut self, now: Instant) -> Beat {
        match self.heartbeat.poll(now) {
            HeartbeatAction::Expired => Beat::Expired,
            HeartbeatAction::SendPing => Beat::Ping,
            HeartbeatAction::Nothing if self.reassurance.poll(now) => Beat::Pong,
            HeartbeatAction::Nothing => Beat::Nothing,
        }
    }

    /// When something will be due, unless something happens before.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let deadlines = [self.heartbeat.next_deadline(), self.reassurance.next_deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// Whether it cares about what is written.
    pub(crate) fn is_beating(&self) -> bool {
        self.heartbeat.is_beating()
    }
}
