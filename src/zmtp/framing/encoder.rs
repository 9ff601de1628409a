//! [`Encoded`]: a batch of messages as the octets of one vectored write.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Bytes;

use super::header::{Header, LONG_HEADER, MORE};
use crate::message::Message;

/// Bodies from this size on are written from where they are. Below it, copying
/// is cheaper than one more entry in a vectored write.
pub(super) const SPLICE: usize = 2048;

/// The capacity that an empty batch keeps at most.
pub(super) const KEPT_CAPACITY: usize = 1 << 20;

/// The capacity that a batch at rest keeps at most: enough for the next request
/// or heartbeat, and nothing beside what a connection takes anyhow.
pub(super) const RESTING_CAPACITY: usize = 512;

/// What it takes to keep where a message ends.
const END: usize = size_of::<usize>();

/// Whole messages as plaintext frames: the same octets for every session, so
/// that what was not written before a connection broke fits the next one.
///
/// Headers and small bodies are in `buf`, large bodies are shared:
///
/// ```text
/// buf       header body header        header body …
///                             ↑ offset
/// splices                     large body
/// ```
///
/// Writing goes through [`chunks_vectored`](Self::chunks_vectored) and
/// [`advance`](Self::advance); pushing in between is fine. Call
/// [`clear`](Self::clear) when all is written: until then headers and small
/// bodies stay in memory, written or not.
///
/// Where each message ends is recorded as it is pushed, so that nobody has to
/// read the octets again to know what was written of them.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    /// Headers and small bodies, also those already written.
    pub(super) buf: Vec<u8>,
    /// The large bodies not yet written, each with the offset in `buf` that it
    /// comes in front of.
    pub(super) splices: VecDeque<(usize, Bytes)>,
    /// Where each message ends, counted in octets from the first; also those
    /// already written.
    pub(super) ends: Vec<usize>,
    /// How many messages are written as a whole.
    pub(super) done: usize,
    /// The octets of all frames with their headers.
    pub(super) bytes: usize,
    /// How many of `bytes` are written.
    pub(super) written: usize,
    /// How much of `buf` is written.
    pub(super) position: usize,
    /// How much of the first splice is written.
    pub(super) spliced: usize,
}

impl Encoded {
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a message at the end. Small bodies are copied, large ones taken.
    #[inline]
    pub(crate) fn push(&mut self, message: &mut Message) {
        if message.is_single() && self.push_copy(0, message.first()) {
            self.ends.push(self.bytes);
        } else if !self.push_delimited(message) {
            self.push_whole(std::mem::take(message));
        }
    }

    /// The same, where large bodies are shared.
    #[inline]
    pub(crate) fn push_shared(&mut self, message: &Message) {
        if message.is_single() && self.push_copy(0, message.first()) {
            self.ends.push(self.bytes);
        } else {
            self.push_whole(message.clone());
        }
    }

    /// Adds a request or reply whose body is to be copied; false if it is none.
    #[inline(never)]
    fn push_delimited(&mut self, message: &Message) -> bool {
        if message.len() != 2 || !message.first().is_empty() || message[1].len() >= SPLICE {
            return false;
        }
        self.push_copy(MORE, &Bytes::new());
        self.push_copy(0, &message[1]);
        self.ends.push(self.bytes);
        true
    }

    #[inline(never)]
    fn push_whole(&mut self, message: Message) {
        let mut left = message.len();
        for body in message {
            left = left.saturating_sub(1);
            let flags = if left > 0 { MORE } else { 0 };
            if !self.push_copy(flags, &body) {
                Header::new(flags, body.len()).put(&mut self.buf);
                let size = body.len().saturating_add(LONG_HEADER);
                self.bytes = self.bytes.saturating_add(size);
                self.splices.push_back((self.buf.len(), body));
            }
        }
        self.ends.push(self.bytes);
    }

    /// Adds a frame whose body is to be copied; false if it is too large for that.
    #[inline(always)] // Once for every message of one frame.
    #[allow(
        clippy::arithmetic_side_effects,
        reason = "once for every message; all is the size of octets that are in memory"
    )]
    fn push_copy(&mut self, flags: u8, body: &Bytes) -> bool {
        if let Ok(size) = u8::try_from(body.len()) {
            self.buf.reserve(2 + body.len());
            self.buf.extend_from_slice(&[flags, size]);
            self.buf.extend_from_slice(body);
            self.bytes += 2 + body.len();
            return true;
        }
        if body.len() >= SPLICE {
            return false;
        }
        Header::new(flags, body.len()).put(&mut self.buf);
        self.buf.extend_from_slice(body);
        self.bytes += LONG_HEADER + body.len();
        true
    }

    /// Adds what `later` holds, of which nothing may be written yet, at the
    /// end.
    pub(crate) fn append(&mut self, later: Self) {
        debug_assert_eq!(later.written, 0, "what is partly written cannot be moved");
        if self.bytes == 0 {
            *self = later;
            return;
        }
        let base = self.buf.len();
        self.buf.extend_from_slice(&later.buf);
        let splices = later.splices.into_iter();
        self.splices.extend(splices.map(|(offset, body)| (offset.saturating_add(base), body)));
        self.ends.extend(later.ends.into_iter().map(|end| end.saturating_add(self.bytes)));
        self.bytes = self.bytes.saturating_add(later.bytes);
    }

    /// How many messages are not written as a whole yet. One that is written in
    /// part still takes up its place before a high-water mark.
    pub(crate) fn messages(&self) -> usize {
        self.ends.len().saturating_sub(self.done)
    }

    /// The octets of these messages, with the headers of their frames.
    pub(crate) fn octets(&self) -> usize {
        self.bytes.saturating_sub(self.end_of(self.done))
    }

    /// The octets of all frames with their headers, written or not.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether what is left to write is one piece of memory.
    pub(crate) fn is_one_piece(&self) -> bool {
        self.splices.is_empty()
    }

    /// Whether everything that was pushed is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.messages() == 0
    }

    /// How many octets are written.
    #[cfg(test)]
    pub(crate) fn written(&self) -> usize {
        self.written
    }

    /// How many octets are left to write.
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.saturating_sub(self.written)
    }

    /// Forgets everything. Keeps the memory, unless it grew beyond reason.
    pub(crate) fn clear(&mut self) {
        self.clear_to(KEPT_CAPACITY);
    }

    /// There is nothing more to write for now: if all is written, forgets it and
    /// gives the memory back.
    pub(crate) fn rest(&mut self) {
        if self.is_empty() {
            self.clear_to(RESTING_CAPACITY);
        }
    }

    fn clear_to(&mut self, capacity: usize) {
        self.buf.clear();
        self.buf.shrink_to(capacity);
        self.splices.clear();
        self.splices.shrink_to(capacity / SPLICE);
        self.ends.clear();
        self.ends.shrink_to(capacity / END);
        self.done = 0;
        self.bytes = 0;
        self.written = 0;
        self.position = 0;
        self.spliced = 0;
    }

    /// Fills `slices` with what is to be written next, and returns how many
    /// it filled.
    pub(crate) fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        let mut add = |chunk: &'a [u8]| {
            if let (false, Some(slice)) = (chunk.is_empty(), slices.get_mut(filled)) {
                *slice = IoSlice::new(chunk);
                filled = filled.saturating_add(1);
            }
            filled < slices.len()
        };
        let mut position = self.position;
        let mut spliced = self.spliced;
        for (offset, body) in &self.splices {
            let lead = self.buf.get(position..*offset).unwrap_or_default();
            if !add(lead) || !add(body.get(spliced..).unwrap_or_default()) {
                return filled;
            }
            position = *offset;
            spliced = 0;
        }
        add(self.buf.get(position..).unwrap_or_default());
        filled
    }

    /// Notes that the next `count` octets are written. Returns how many messages
    /// are written as a whole with them, which makes so much room.
    pub(crate) fn advance(&mut self, count: usize) -> usize {
        debug_assert!(count <= self.remaining(), "more was written than there was");
        let count = count.min(self.remaining());
        self.written = self.written.saturating_add(count);
        self.pass(count);
        let ends = self.ends.get(self.done..).unwrap_or_default();
        let whole = ends.partition_point(|end| *end <= self.written);
        self.done = self.done.saturating_add(whole);
        whole
    }

    /// Notes that the next messages are written as a whole, in another form.
    pub(super) fn advance_messages(&mut self, count: usize) {
        let end = self.end_of(self.done.saturating_add(count));
        self.advance(end.saturating_sub(self.written));
    }

    /// The frames of the messages that are not written, none of which has begun.
    pub(super) fn unwritten_frames(&self) -> impl Iterator<Item = (Header, &[u8])> {
        debug_assert_eq!(self.written, self.end_of(self.done), "a message has begun");
        let mut plain = self.buf.get(self.position..).unwrap_or_default();
        let mut splices = self.splices.iter();
        std::iter::from_fn(move || {
            let (header, len) = Header::parse(plain)?;
            let size = header.size() as usize; // It was a usize when pushed.
            let copied = if size < SPLICE { size } else { 0 };
            let (frame, later) = plain.split_at_checked(len.saturating_add(copied))?;
            plain = later;
            let body = if size < SPLICE { frame.get(len..)? } else { &splices.next()?.1[..] };
            Some((header, body))
        })
    }

    /// Where the first `messages` end.
    pub(super) fn end_of(&self, messages: usize) -> usize {
        messages.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or_default()
    }

    /// Moves past octets that are written. Releases the large bodies that are
    /// written as a whole.
    fn pass(&mut self, count: usize) {
        let mut left = count;
        while let Some((offset, body)) = self.splices.front() {
            let lead = offset.saturating_sub(self.position);
            if left < lead {
                break;
            }
            left = left.saturating_sub(lead);
            self.position = *offset;
            let unwritten = body.len().saturating_sub(self.spliced);
            if left < unwritten {
                self.spliced = self.spliced.saturating_add(left);
                return;
            }
            left = left.saturating_sub(unwritten);
            self.spliced = 0;
            self.splices.pop_front();
        }
        self.position = self.position.saturating_add(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cleared_batch_keeps_reasonable_memory() {
        let mut batch = Encoded::new();
        batch.push_shared(&Message::from(Bytes::from_static(b"Hello")));
        let capacity = batch.buf.capacity();
        batch.clear();
        assert_eq!(batch.buf.capacity(), capacity);
        for _ in 0..2000 {
            batch.push_shared(&Message::from(Bytes::from_static(&[0; 2000])));
        }
        assert!(batch.buf.capacity() > KEPT_CAPACITY);
        batch.clear();
        assert_eq!(batch.buf.capacity(), KEPT_CAPACITY);
    }

    #[test]
    fn a_batch_at_rest_keeps_next_to_nothing() {
        let mut batch = Encoded::new();
        batch.rest();
        assert_eq!(batch.buf.capacity() + batch.ends.capacity(), 0);
        for size in [100, 2000, 2048] {
            for _ in 0..1000 {
                batch.push_shared(&Message::from(Bytes::from_static(&[0; 2048][..size])));
            }
        }
        let capacities = |batch: &Encoded| {
            (batch.buf.capacity(), batch.ends.capacity(), batch.splices.capacity())
        };
        // What is not written stays.
        let before = capacities(&batch);
        batch.advance(batch.remaining() - 1);
        batch.rest();
        assert_eq!((batch.remaining(), batch.messages()), (1, 1));
        assert_eq!(capacities(&batch), before);
        batch.advance(1);
        batch.rest();
        assert_eq!(batch.remaining(), 0);
        assert_eq!(capacities(&batch), (512, 64, 0));
    }
}
