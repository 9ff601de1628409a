//! [`Session`]: the receiving side of one connection.

use std::time::Instant;

use crate::fault::PeerFault;
use crate::message::strip::{Extent, Strip};
use crate::monitor::DisconnectReason;
use crate::zmtp::{Incoming, Receiving};

/// Room for all that was read.
pub(super) const ALL: (usize, usize) = (usize::MAX, usize::MAX);

/// The receiving side of one connection.
pub(super) struct Session<R> {
    /// What [`InHand::session`](crate::pipe::InHand) says of its messages.
    pub(super) number: u32,
    /// `None` once nothing more is read.
    pub(super) read: Option<R>,
    /// `None` after a fault, since what comes after it means nothing.
    pub(super) receiving: Option<Receiving>,
    /// Whether the last read filled the buffer, so that there may be more.
    pub(super) filled: bool,
    /// When it was last read from, if somebody looked at the clock.
    pub(super) read_at: Option<Instant>,
    /// The same, while it is news.
    pub(super) heard: Option<Instant>,
    pub(super) ended: Option<DisconnectReason>,
}

impl<R> Session<R> {
    /// Whether it has to be read from before anything can come of it.
    #[inline]
    pub(super) fn is_starved(&self) -> bool {
        self.read.is_some() && self.receiving.as_ref().is_some_and(Receiving::is_dry)
    }

    pub(super) fn next_within(
        &mut self,
        frames: &mut usize,
    ) -> Result<Option<Incoming>, PeerFault> {
        self.receiving.as_mut().map_or(Ok(None), |receiving| receiving.next_within(frames))
    }

    /// The peer is at fault: nothing more is read, and what was read means nothing.
    pub(super) fn fail(&mut self, fault: PeerFault) {
        self.read = None;
        self.receiving = None;
        self.ended.get_or_insert(DisconnectReason::Fault(fault));
    }

    /// The messages of one frame each that come first, at most `most`, and no more than
    /// there is room for.
    #[inline]
    pub(super) fn take_strip(&mut self, room: (usize, usize), most: usize) -> (Strip, Extent) {
        let Some(receiving) = &mut self.receiving else { return Default::default() };
        receiving.take_strip(room.0.min(most), room.1)
    }

    /// Decodes what was read; says how many messages that were.
    pub(super) fn count_messages(&mut self) -> usize {
        let mut messages = 0;
        loop {
            messages = self.take_strip(ALL, usize::MAX).1.messages.saturating_add(messages);
            let Ok(Some(incoming)) = self.next_within(&mut { usize::MAX }) else { return messages };
            messages = messages.saturating_add(matches!(incoming, Incoming::Message(_)).into());
        }
    }
}
