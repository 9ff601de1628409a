//! [`Strip`]: messages of one frame each, in one piece of memory.

use bytes::{Buf, Bytes};

use super::Message;

/// The flags of a frame (RFC 37): more of the same message follow; its size has eight
/// octets rather than one; it is a command, not part of a message.
pub(crate) const MORE: u8 = 0x01;
pub(crate) const LONG: u8 = 0x02;
pub(crate) const COMMAND: u8 = 0x04;

/// The octets of a header with a size of eight.
pub(crate) const LONG_HEADER: usize = 9;

/// Messages of one frame each as they came over a wire, one after the other, each body
/// behind its header (RFC 37). They are cut off when they are wanted: to store and to
/// move each of them would cost as much again.
#[derive(Debug, Default)]
pub(crate) struct Strip {
    frames: Bytes,
    /// How far they are cut off: `Bytes::advance` for every message is dearer.
    cut: usize,
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
    Some((flags, u64::from_be_bytes(*rest.first_chunk()?), LONG_HEADER))
}

/// Puts a message where nothing of worth is, so that nothing is freed there: to find that
/// out costs more than to move it.
#[inline(always)]
pub(crate) fn put(place: &mut Message, message: Message) {
    debug_assert!(place.is_single() && place.first().is_empty());
    std::mem::forget(std::mem::replace(place, message));
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
        Self { frames, cut: 0, messages }
    }

    /// Takes messages off the front: at most so many, and none after so many octets of
    /// bodies.
    pub(crate) fn split_front(&mut self, messages: usize, octets: usize) -> (Self, Extent) {
        self.frames.advance(std::mem::take(&mut self.cut));
        let extent = Extent::of(&self.frames, usize::MAX, messages.min(self.messages), octets);
        self.messages -= extent.messages;
        (Self::new(self.frames.split_to(extent.len), extent.messages), extent)
    }

    /// [Puts](put) the next message there.
    #[inline(always)]
    pub(crate) fn next_into(&mut self, message: &mut Message) -> bool {
        let Some(body) = self.next_body() else { return false };
        put(message, Message::from(body));
        true
    }

    /// The body of the next.
    #[inline(always)]
    fn next_body(&mut self) -> Option<Bytes> {
        self.messages = self.messages.checked_sub(1)?;
        let (_, size, header_len) = header(self.frames.get(self.cut..)?)?;
        let start = self.cut + header_len;
        let end = start + size as usize; // It was a usize when it was measured.
        self.cut = end;
        let body = self.frames.slice(start..end);
        if self.messages == 0 {
            self.let_go();
        }
        Some(body)
    }

    /// With the last message taken, this is not to keep the octets of it alive.
    #[inline(never)]
    fn let_go(&mut self) {
        *self = Self::default();
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
        self.next_body().map(Message::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames with these headers and bodies.
    fn frames(list: &[(&[u8], &[u8])]) -> Vec<u8> {
        list.iter().flat_map(|(header, body)| [*header, *body].concat()).collect()
    }

    #[test]
    fn a_strip_goes_as_far_as_whole_messages_of_one_frame_do() {
        let plain =
            frames(&[(b"\0\x01", b"a"), (b"\x02\0\0\0\0\0\0\0\x02", b"bc"), (b"\0\0", b"")]);
        let all = Extent { len: plain.len(), messages: 3, bodies: 3 };
        assert_eq!(Extent::of(&plain, 10, 10, 10), all);
        // What follows: more frames, a command, one that is not there, a header that
        // is not, one that claims all there is.
        let ends: [&[u8]; 6] = [
            b"\x01\x01a",
            b"\x04\x01a",
            b"\0\x02a",
            b"\0",
            b"\x02\0\0",
            &[0x02, 255, 255, 255, 255, 255, 255, 255, 255, 0],
        ];
        for end in ends {
            assert_eq!(Extent::of(&[&plain, end].concat(), 10, 10, 10), all, "{end:?}");
        }
    }

    #[test]
    fn a_strip_keeps_to_its_limits() {
        let octets = frames(&[(b"\0\x03", b"aaa"), (b"\0\x02", b"bb"), (b"\0\x02", b"cc")]);
        let extent = |max_size, messages, octets_of_bodies| {
            Extent::of(&octets, max_size, messages, octets_of_bodies).messages
        };
        assert_eq!([extent(2, 9, 9), extent(3, 9, 9)], [0, 3]);
        assert_eq!([extent(9, 0, 9), extent(9, 2, 9)], [0, 2]);
        assert_eq!([extent(9, 9, 0), extent(9, 9, 3), extent(9, 9, 4)], [0, 1, 2]);
    }

    #[test]
    fn messages_are_cut_off_one_by_one_and_in_pieces() {
        let octets = Bytes::from(frames(&[
            (b"\0\x01", b"a"),
            (b"\0\0", b""),
            (b"\0\x01", b"c"),
            (b"\0\0", b""),
        ]));
        let mut strip = Strip::new(octets.clone(), 4);
        let (front, extent) = strip.split_front(2, usize::MAX);
        assert_eq!((extent.messages, extent.bodies, front.len(), strip.len()), (2, 1, 2, 2));
        let messages: Vec<_> = front.chain(strip).collect();
        assert_eq!(messages, ["a", "", "c", ""].map(Message::from));
        // An empty one keeps nothing alive.
        let empty: Vec<_> = messages.into_iter().filter(|message| message.size() == 0).collect();
        assert!(octets.is_unique() && empty.len() == 2);
    }
}
