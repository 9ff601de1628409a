//! [`Body`]: a large frame that is being received into memory of its own.

use bytes::buf::Limit;
use bytes::{BufMut, BytesMut};

use super::header::Header;

/// Frames from this size on get memory of their own, unless they are in the
/// read buffer already. Also the most that is allocated for a claim of which nothing
/// has come, unless the peer has just sent a larger body.
pub(crate) const LARGE: usize = 64 * 1024;

/// So many times as large as the last is each step of growing.
const STEP: usize = 4;

/// The most that is allocated for such a claim of a peer whose last body was as large: to
/// grow anew for each costs a tenth of the throughput.
const TRUSTED: usize = 1024 * 1024;

/// The body of a large frame, as far as it is there.
#[derive(Debug)]
pub(super) struct Body {
    header: Header,
    size: usize,
    octets: BytesMut,
}

impl Body {
    /// A body of `size` octets that starts with `received`. The peer has proved before
    /// that it sends as many as `proven`.
    pub(super) fn new(header: Header, size: usize, received: &[u8], proven: usize) -> Self {
        let first = proven.clamp(LARGE, TRUSTED);
        let capacity = Self::capacity_beyond(size, received.len(), first);
        let mut octets = BytesMut::with_capacity(capacity);
        octets.extend_from_slice(received);
        Self { header, size, octets }
    }

    /// How much memory a body of `size` octets may take when `received` of
    /// them fill what it has, beyond the `first` that it may have anyhow.
    ///
    /// The steps are `size` divided by four again and again, so that growing ends at
    /// `size` exactly, and a claim that no octets follow costs one small step, or `first`.
    /// With steps of two all octets would be copied once on average; so it is a third.
    fn capacity_beyond(size: usize, received: usize, first: usize) -> usize {
        let mut capacity = size;
        // Not so that there is next to no room.
        while capacity > first && capacity / STEP >= received.saturating_mul(2) {
            capacity /= STEP;
        }
        capacity
    }

    pub(super) fn header(&self) -> Header {
        self.header
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// How many octets are there.
    pub(super) fn len(&self) -> usize {
        self.octets.len()
    }

    /// Takes the body, if it is complete.
    pub(super) fn complete(&mut self) -> Option<BytesMut> {
        (self.octets.len() == self.size).then(|| std::mem::take(&mut self.octets))
    }

    /// Where the next octets go; never more room than the body lacks.
    pub(super) fn space(&mut self) -> Limit<&mut BytesMut> {
        let received = self.octets.len();
        if received == self.octets.capacity() {
            let capacity = Self::capacity_beyond(self.size, received, LARGE);
            self.octets.reserve(capacity.saturating_sub(received));
        }
        let missing = self.size.saturating_sub(received);
        (&mut self.octets).limit(missing)
    }
}
