//! [`InprocEnd`]: one side's end of a pipe between two sockets of one process.

use std::sync::Arc;
use std::time::Instant;

use super::joint::{Joint, Party, Why};
use crate::message::Message;
use crate::peer::{Subscription, Unwelcome};
use crate::pipe::{Flush, Hand, Line, NeedsFlush, Next, Refused};
use crate::stats::Traffic;

/// The line of one party: what it pushes, the other takes.
pub(super) struct InprocEnd {
    joint: Arc<Joint>,
    party: Party,
}

impl InprocEnd {
    pub(super) fn new(joint: Arc<Joint>, party: Party) -> Self {
        Self { joint, party }
    }

    /// Whether the other is behind with what peers that have left sent.
    fn is_behind(&self) -> bool {
        self.joint.is_behind(self.party.other())
    }
}

impl Line for InprocEnd {
    fn has_room(&self) -> bool {
        self.joint.from(self.party).has_room(|| self.is_behind())
    }

    fn push(&self, message: &mut Message) -> Result<NeedsFlush, Refused> {
        self.joint.from(self.party).push(message, || self.is_behind())
    }

    fn ask(&self, message: &mut Message) -> Result<NeedsFlush, Refused> {
        let (there, back) = (self.joint.from(self.party), self.joint.towards(self.party));
        if !there.has_room(|| self.is_behind()) {
            return Err(Refused::Full);
        }
        // Before the request is out, so that no reply is too early; and since
        // nobody else appends, it will not find the queue full. If the other has
        // gone meanwhile, nothing comes back anyway.
        let strays = back.expect_reply();
        match (there.push(message, || false)?, strays) {
            (NeedsFlush::No, NeedsFlush::No) => Ok(NeedsFlush::No),
            _ => Ok(NeedsFlush::Yes),
        }
    }

    fn answered(&self) {
        // What is there already is counted later: the caller has its pattern locked.
        self.joint.towards(self.party).expect_nothing();
    }

    fn settle(&self) {
        // The other may have left, and then there is no next flush.
        self.joint.count_losses(self.party);
        self.joint.free(self.party);
    }

    fn control(&self, subscription: Subscription) -> NeedsFlush {
        self.joint.from(self.party).control(subscription)
    }

    fn flush(&self, _: Flush) -> bool {
        self.joint.count_losses(self.party);
        // What a request or a reply has cleared away. (Its pattern was locked then.)
        self.joint.free(self.party);
        self.joint.arrived(self.party.other());
        // There is no task.
        false
    }

    fn take(&self, hand: &mut Hand, limit: usize) -> Next {
        let (next, room) = self.joint.towards(self.party).take(hand, limit);
        if room {
            self.joint.room(self.party.other());
        }
        self.joint.free(self.party);
        next
    }

    fn traffic(&self) -> Traffic {
        let (messages_out, queued, most_queued) = self.joint.from(self.party).counts();
        Traffic { messages_out, queued, most_queued, ..Traffic::default() }
    }

    fn read_ahead(&self) {
        if self.joint.towards(self.party).catch_up() {
            self.joint.room(self.party.other());
        }
    }

    fn is_spent(&self) -> bool {
        self.joint.towards(self.party).is_spent()
    }

    fn discard(&self) -> usize {
        let discarded = self.joint.towards(self.party).discard();
        self.joint.free(self.party);
        discarded
    }

    fn close(&self, _deadline: Option<Instant>) {
        // What was sent is in the receiver's hands already.
        self.joint.leave(self.party, Why::Closed);
    }

    fn reject(&self, why: Unwelcome) {
        self.joint.leave(self.party, Why::Rejected(why));
    }
}
