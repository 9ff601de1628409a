//! [`Strip`]: messages of one frame each, in one piece of memory.

use bytes::{Buf, Bytes};

use super::Message;

/// The flags of a frame (RFC 37): more of the same message follow; its size has eight
/// octets rather than one; it is a command, not part of a message.
pub(crate) const MORE: u8 = 0x01;
pub(crate) const LONG: u8 = 0x02;
pub(crate) const COMMAND: u8 = 0x04;

/// Messages of one frame each as they came over a wire, one after the other, each body
/// behind its header (RFC 37). They are cut off when they are wanted: to store and to
/// move each of them would cost as much again.
#[derive(Debug, Default)]
pub(crate) struct Strip {
    frames: Bytes,
    messages: usize,
}

/// How far the frames at the front of some octets can be a [`Strip`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// With their headers.
    pub(crate) len: usize,
    pub(crate) messages: usize,
    /// Without.
    pub(crate) bodies: usize,
}

/// The flags and the size of a frame, and the length of its header, once that is there.
#[inline]
pub(crate) fn header(octets: &[u8]) -> Option<(u8, u64, usize)> {
    let (&flags, rest) = octets.split_first()?;
    if flags & LONG == 0 {
        return Some((flags, u64::from(*rest.first()?), 2));
    }
    Some((flags, u64::from_be_bytes(*rest.first_chunk()?), 9))
}

impl Extent {
    /// The frames in `read` that are whole, each a message, and none larger than
    /// `max_size`: at most so many, and none after so many octets of bodies.
    pub(crate) fn of(read: &[u8], max_size: usize, messages: usize, octets: usize) -> Self {
        let mut extent = Self::default();
        while extent.messages < messages && extent.bodies < octets {
            let Some((flags, size, header_len)) = header(&read[extent.len..]) else { break };
            let left = read.len() - extent.len - header_len;
            let is_message = flags & (MORE | COMMAND) == 0;
            let size = match usize::try_from(size) {
                Ok(size) if is_message && size <= left && size <= max_size => size,
                _ => break,
            };
            extent.len += header_len + size;
            extent.bodies += size;
            extent.messages += 1;
        }
        extent
    }
}

impl Strip {
    /// `frames` are `messages` whole frames, each of them a message.
    pub(crate) fn new(frames: Bytes, messages: usize) -> Self {
        Self { frames, messages }
    }

    /// Takes messages off the front: at most so many, and none after so many octets of
    /// bodies.
    pub(crate) fn split_front(&mut self, messages: usize, octets: usize) -> (Self, Extent) {
        let extent = Extent::of(&self.frames, usize::MAX, messages.min(self.messages), octets);
        self.messages -= extent.messages;
        (Self::new(self.frames.split_to(extent.len), extent.messages), extent)
    }

    /// How many messages are left.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.messages
    }
}

impl Iterator for Strip {
    type Item = Message;

    #[inline]
    fn next(&mut self) -> Option<Message> {
        self.messages = self.messages.checked_sub(1)?;
        let (_, size, header_len) = header(&self.frames)?;
        self.frames.advance(header_len);
        let size = size as usize; // It was a usize when it was measured.
        // An empty frame is to keep nothing alive.
        let body = if size == 0 { Bytes::new() } else { self.frames.split_to(size) };
        Some(Message::from(body))
    }
}
