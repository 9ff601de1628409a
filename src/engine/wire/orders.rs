//! [`Orders`]: what the wire wants done outside, and how much it may do at a time.

use std::time::{Duration, Instant};

use bytes::Bytes;

/// How much work a turn may still do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// What is decoded: messages, subscriptions and the like.
    pub(crate) items: usize,
    /// The frames looked at for that, of which there may be any number in a message, and
    /// any number that mean nothing.
    pub(crate) frames: usize,
    /// What is read.
    pub(crate) octets: usize,
}

impl Budget {
    pub(super) fn is_spent(&self) -> bool {
        self.items == 0 || self.frames == 0 || self.octets == 0
    }
}

/// Where [`Inward::drain`] stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drained {
    /// It needs octets: [`reading`](Inward::reading) says from where and where to.
    Starved,
    /// The sink is full or the budget spent.
    Enough,
    /// Nothing to read from: no session is up.
    Quiet,
    /// Nothing will come, ever again.
    Over,
}

/// What must happen outside, once the lock is released.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Orders {
    /// The peer wants this back.
    pub(crate) pong: Option<Bytes>,
    /// The peer sent a PING: when, if that is known, and after how much silence it
    /// wants to be given up.
    pub(crate) ping: Option<(Option<Instant>, Duration)>,
    /// The newest connection has ended.
    pub(crate) ended: bool,
    /// The peer was held back at a mark, and is read again.
    pub(crate) released: bool,
    /// Memory is kept that is to be given back in idle times.
    pub(crate) kept: bool,
}

impl Orders {
    /// Whether nothing must happen.
    pub(crate) fn is_none(&self) -> bool {
        let Self { pong, ping, ended, released, kept } = self;
        pong.is_none() && ping.is_none() && !(ended | released | kept)
    }
}

/// Messages that were lost on the way in and that nobody counted yet.
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use]
pub(crate) struct Uncounted {
    /// Those that can be no reply to anything (REQ).
    pub(crate) strays: usize,
    /// Those that newer ones replaced (`conflate`).
    pub(crate) conflated: usize,
}

impl Uncounted {
    pub(super) fn add_conflated(&mut self, messages: usize) {
        self.conflated = self.conflated.saturating_add(messages);
    }

    pub(super) fn add_strays(&mut self, messages: usize) {
        self.strays = self.strays.saturating_add(messages);
    }

    pub(crate) fn is_none(&self) -> bool {
        self.strays == 0 && self.conflated == 0
    }
}
