//! [`Input`]: the read buffer that frames are cut from.

use bytes::buf::Limit;
use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::body::LARGE;
use super::header::Header;

/// What a quiet connection reads into.
const MIN_CHUNK: usize = 8 * 1024;
/// What a busy connection reads into.
const MAX_CHUNK: usize = 64 * 1024;

/// Octets that were read and not yet understood, and the room for more.
///
/// Frames are cut off its front without a copy and keep the chunk alive. Once
/// they all are dropped the same memory is read into again, from its start.
#[derive(Debug)]
pub(super) struct Input {
    chunk: BytesMut,
    /// The capacity that the next chunk gets.
    size: usize,
    /// The room that the last read was offered; zero before the first.
    offered: usize,
}

impl Input {
    pub(super) fn new(received: BytesMut) -> Self {
        Self { chunk: received, size: MIN_CHUNK, offered: 0 }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.chunk
    }

    pub(super) fn len(&self) -> usize {
        self.chunk.len()
    }

    /// Takes the body of a frame that is there as a whole.
    #[inline]
    pub(super) fn cut(&mut self, header_len: usize, size: usize) -> Bytes {
        if size == 0 {
            self.chunk.advance(header_len);
            return Bytes::new();
        }
        let mut frame = self.chunk.split_to(header_len + size).freeze();
        frame.advance(header_len);
        frame
    }

    /// Takes everything that is there.
    pub(super) fn cut_all(&mut self, header_len: usize) -> BytesMut {
        self.chunk.advance(header_len);
        self.chunk.split()
    }

    /// Where the next read goes.
    pub(super) fn space(&mut self) -> Limit<&mut BytesMut> {
        let is_full = self.chunk.capacity() == self.chunk.len();
        if is_full && self.offered > 0 {
            self.size = (self.size * 2).min(MAX_CHUNK);
        }
        self.make_room();
        self.offered = self.chunk.capacity() - self.chunk.len();
        let offered = self.offered;
        (&mut self.chunk).limit(offered)
    }

    fn make_room(&mut self) {
        let len = self.chunk.len();
        let room = self.chunk.capacity() - len;
        // An empty chunk that nobody shares any more costs nothing to rewind.
        if len == 0 && self.chunk.try_reclaim(self.size) {
            return;
        }
        let wanted = self.missing().max(self.size / 4);
        if room >= wanted || self.chunk.try_reclaim(wanted.max(self.size - len.min(self.size))) {
            return;
        }
        let mut fresh = BytesMut::with_capacity(self.size.max(len + wanted));
        fresh.extend_from_slice(&self.chunk);
        self.chunk = fresh;
    }

    /// The octets that the frame at the front lacks, if it is to be completed
    /// in this chunk.
    fn missing(&self) -> usize {
        let Some((header, header_len)) = Header::parse(&self.chunk) else { return 0 };
        match usize::try_from(header.size()) {
            Ok(size) if size < LARGE => (header_len + size).saturating_sub(self.chunk.len()),
            _ => 0,
        }
    }
}
