//! [`Input`]: the read buffer that frames are cut from.

use bytes::buf::Limit;
use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::body::LARGE;
use super::header::Header;

/// What a quiet connection reads into.
const MIN_CHUNK: usize = 8 * 1024;
/// What a busy connection reads into.
const MAX_CHUNK: usize = 64 * 1024;

/// What small messages are copied to out of a large chunk, many at a time: one that is
/// kept for long is to keep no more than this alive.
const COPIES: usize = 16 * 1024;

/// Octets that were read and not yet understood, and the room for more.
///
/// Frames are cut off its front without a copy and keep the chunk alive. Once
/// they all are dropped the same memory is read into again, from its start. A
/// connection that is at [`rest`](Self::rest) has no chunk at all.
#[derive(Debug)]
pub(super) struct Input {
    chunk: BytesMut,
    copies: BytesMut,
    /// The capacity that the next chunk gets.
    size: usize,
    /// The room that the last read was offered; zero before the first.
    offered: usize,
    /// The most that one read has found since the last rest.
    most: usize,
}

impl Input {
    pub(super) fn new(received: BytesMut) -> Self {
        Self { chunk: received, copies: BytesMut::new(), size: MIN_CHUNK, offered: 0, most: 0 }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.chunk
    }

    pub(super) fn len(&self) -> usize {
        self.chunk.len()
    }

    /// Takes the body of a frame that is there as a whole.
    pub(super) fn cut(&mut self, header_len: usize, size: usize) -> Bytes {
        if size == 0 {
            self.chunk.advance(header_len);
            return Bytes::new();
        }
        let mut frame = self.chunk.split_to(header_len.saturating_add(size)).freeze();
        frame.advance(header_len);
        frame
    }

    /// Takes so many octets off the front.
    pub(super) fn cut_strip(&mut self, len: usize) -> Bytes {
        if len == 0 {
            return Bytes::new();
        }
        if len > COPIES || self.size == MIN_CHUNK {
            return self.chunk.split_to(len).freeze();
        }
        if !self.copies.try_reclaim(len) {
            if len > COPIES / 4 {
                // Much of the last one would be left over.
                let copy = Bytes::copy_from_slice(self.chunk.get(..len).unwrap_or_default());
                self.chunk.advance(len);
                return copy;
            }
            self.copies = BytesMut::with_capacity(COPIES);
        }
        self.copies.extend_from_slice(self.chunk.get(..len).unwrap_or_default());
        self.chunk.advance(len);
        self.copies.split().freeze()
    }

    pub(super) fn octets_mut(&mut self) -> &mut [u8] {
        &mut self.chunk
    }

    /// Takes the first octets of those up to `end`; the others are of no use.
    pub(super) fn cut_front(&mut self, len: usize, end: usize) -> BytesMut {
        let front = self.chunk.split_to(len);
        self.chunk.advance(end.saturating_sub(len));
        front
    }

    /// The capacity that the next chunk gets.
    pub(super) fn chunk_size(&self) -> usize {
        self.size
    }

    /// Is given octets of another input, whose chunks are so large. What it had must
    /// be understood.
    pub(super) fn refill(&mut self, octets: BytesMut, chunk_size: usize) {
        debug_assert!(self.chunk.is_empty(), "what was there would be lost");
        self.chunk = octets;
        self.size = chunk_size;
    }

    /// Lets go of the chunk, if all of it is understood.
    pub(super) fn release(&mut self) {
        if self.chunk.is_empty() {
            self.chunk = BytesMut::new();
        }
    }

    /// Takes everything that is there.
    pub(super) fn cut_all(&mut self, header_len: usize) -> BytesMut {
        self.chunk.advance(header_len);
        self.chunk.split()
    }

    /// Where the next read goes.
    pub(super) fn space(&mut self) -> Limit<&mut BytesMut> {
        let is_full = self.room() == 0;
        if is_full && self.offered > 0 {
            self.size = self.size.saturating_mul(2).min(MAX_CHUNK);
        }
        self.note_read();
        self.make_room();
        self.offered = self.room();
        let offered = self.offered;
        (&mut self.chunk).limit(offered)
    }

    /// There is nothing more to read for now: gives the chunk back, if nothing
    /// is in it. The next is as large as the traffic needs, but shrinks by half
    /// at each rest before which no read found so much.
    pub(super) fn rest(&mut self) {
        self.copies = BytesMut::new();
        if !self.chunk.is_empty() {
            return;
        }
        self.note_read();
        if self.most < self.size / 2 {
            self.size = (self.size / 2).max(MIN_CHUNK);
        }
        self.chunk = BytesMut::new();
        self.offered = 0;
        self.most = 0;
    }

    /// How many octets the last read found is seen from what is left of the room
    /// that it was offered, whatever was cut off the front since.
    fn note_read(&mut self) {
        self.most = self.most.max(self.offered.saturating_sub(self.room()));
    }

    fn room(&self) -> usize {
        self.chunk.capacity().saturating_sub(self.chunk.len())
    }

    fn make_room(&mut self) {
        let len = self.chunk.len();
        let room = self.room();
        // An empty chunk that nobody shares any more costs nothing to rewind.
        if len == 0 && self.chunk.try_reclaim(self.size) {
            return;
        }
        let wanted = self.missing().max(self.size / 4);
        if room >= wanted || self.chunk.try_reclaim(wanted.max(self.size.saturating_sub(len))) {
            return;
        }
        let mut fresh = BytesMut::with_capacity(self.size.max(len.saturating_add(wanted)));
        fresh.extend_from_slice(&self.chunk);
        self.chunk = fresh;
    }

    /// The octets that the frame at the front lacks, if it is to be completed
    /// in this chunk.
    fn missing(&self) -> usize {
        let Some((header, header_len)) = Header::parse(&self.chunk) else { return 0 };
        match usize::try_from(header.size()) {
            Ok(size) if size < LARGE => {
                header_len.saturating_add(size).saturating_sub(self.chunk.len())
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_chunk_before_the_first_read_nor_at_rest() {
        let mut input = Input::new(BytesMut::new());
        input.rest();
        assert_eq!(input.chunk.capacity(), 0);
        input.space().put_slice(b"\x00\x05Hello\x00");
        assert_eq!(input.chunk.capacity(), MIN_CHUNK);
        let frame = input.cut(2, 5);
        // Half a frame keeps the chunk.
        input.rest();
        assert_eq!(input.octets(), b"\x00");
        input.space().put_slice(b"\x00");
        input.cut(2, 0);
        input.rest();
        assert_eq!((input.chunk.capacity(), input.len()), (0, 0));
        assert_eq!(frame, &b"Hello"[..]);
    }

    #[test]
    fn small_messages_that_are_kept_do_not_keep_a_large_chunk() {
        let mut input = Input::new(BytesMut::new());
        let mut kept = Vec::new();
        while input.size < MAX_CHUNK {
            input.space();
            let room = input.room();
            input.chunk.put_bytes(0, room);
        }
        input.chunk.clear();
        for number in 0..100 {
            input.space().put_bytes(number, 8 * 1024);
            for _ in 0..8 {
                kept.push(input.cut_strip(1024));
            }
        }
        assert!(input.chunk.try_reclaim(MAX_CHUNK));
        assert!(kept.iter().enumerate().all(|(index, strip)| strip[1023] == (index / 8) as u8));
        // Nor do they take much more than they are.
        input.copies = BytesMut::new();
        let room = |input: &Input| input.copies.capacity();
        for long in 0..4 {
            input.space().put_bytes(0, COPIES + 1);
            kept.extend([input.cut_strip(3), input.cut_strip(COPIES - 2)]);
            assert_eq!(room(&input), COPIES - 3 * (long + 1));
        }
        // One that is too long to be copied does.
        input.space().put_bytes(0, COPIES + 1);
        let long = input.cut_strip(COPIES + 1);
        assert!(!input.chunk.try_reclaim(MAX_CHUNK));
        drop(long);
        assert!(input.chunk.try_reclaim(MAX_CHUNK));
    }
}
