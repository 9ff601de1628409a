//! What of a batch survives the connection it was being written to.

use super::Encoded;

impl Encoded {
    /// After the connection broke: what can go out on the next one, and
    /// whether a message was cut.
    ///
    /// A message that was written in part may have arrived in part; it is
    /// dropped and not sent again. Those after it are kept, in order.
    pub(crate) fn recover(self) -> (Self, bool) {
        let cut = self.written > self.end_of(self.done);
        let begun = self.done.saturating_add(usize::from(cut));
        (self.recover_after(begun), cut)
    }

    /// What can go out on the next connection after the first `begun` messages
    /// were written, in whole or in part, in whatever form.
    pub(crate) fn recover_after(mut self, begun: usize) -> Self {
        let boundary = self.end_of(begun);
        debug_assert!(boundary >= self.written, "what is written has begun");
        self.advance(boundary.saturating_sub(self.written));
        for (offset, _) in &mut self.splices {
            *offset = offset.saturating_sub(self.position);
        }
        self.buf.drain(..self.position);
        self.ends.drain(..self.done);
        for end in &mut self.ends {
            *end = end.saturating_sub(boundary);
        }
        Self {
            bytes: self.bytes.saturating_sub(boundary),
            buf: self.buf,
            splices: self.splices,
            ends: self.ends,
            ..Self::default()
        }
    }
}
