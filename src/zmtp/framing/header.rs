//! [`Header`]: the flags and the size in front of a frame's body.

use bytes::BufMut;

pub(crate) use crate::message::strip::{COMMAND, LONG, LONG_HEADER, MORE};

use crate::message::strip;

/// What stands in front of a frame's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    flags: u8,
    size: u64,
}

impl Header {
    /// The header of a body of `size` octets; LONG follows from the size.
    pub(crate) fn new(flags: u8, size: usize) -> Self {
        let long = if size > usize::from(u8::MAX) { LONG } else { 0 };
        Self { flags: flags | long, size: size as u64 }
    }

    /// The header at the start of `octets` and its length, once it is there.
    pub(crate) fn parse(octets: &[u8]) -> Option<(Self, usize)> {
        // RFC 37: bits 7-3 are reserved and SHALL be zero. libzmq ignores
        // them, so peers may come to set them; so do we.
        // A small size in the long form is legal.
        let (flags, size, len) = strip::header(octets)?;
        Some((Self { flags, size }, len))
    }

    /// The octets in front of the body.
    pub(crate) fn put(self, out: &mut impl BufMut) {
        out.put_u8(self.flags);
        match u8::try_from(self.size) {
            Ok(size) if self.flags & LONG == 0 => out.put_u8(size),
            _ => out.put_u64(self.size),
        }
    }

    /// The size of the body.
    pub(crate) fn size(self) -> u64 {
        self.size
    }

    /// What is to be known of the frame beside its size: MORE and COMMAND.
    pub(crate) fn flags(self) -> u8 {
        self.flags & (MORE | COMMAND)
    }

    pub(crate) fn has_more(self) -> bool {
        self.flags & MORE != 0
    }

    pub(crate) fn is_command(self) -> bool {
        self.flags & COMMAND != 0
    }
}
