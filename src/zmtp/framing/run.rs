//! [`Run`]: messages of one frame each, one after the other.

use bytes::{Buf, Bytes};

use super::header::Header;
use crate::message::Message;

/// Messages of one frame each, cut from octets that were read. Finding out first how
/// far they go makes one piece of them, and to cut each off that costs half of what
/// it costs to cut it off the buffer that is read into.
#[derive(Debug, Default)]
pub(crate) struct Run(Bytes);

impl Run {
    /// How many octets of those that were read are such messages, none larger than
    /// `max_size`: at most so many messages, and none after so many octets of bodies.
    pub(super) fn len(read: &[u8], max_size: usize, messages: usize, octets: usize) -> usize {
        let (mut len, mut bodies) = (0, 0);
        for _ in 0..messages {
            let Some((header, header_len)) = Header::parse(&read[len..]) else { break };
            let left = read.len() - len - header_len;
            let size = match usize::try_from(header.size()) {
                Ok(size) if size <= left && size <= max_size && header.flags() == 0 => size,
                _ => break,
            };
            if bodies >= octets {
                break;
            }
            bodies += size;
            len += header_len + size;
        }
        len
    }

    /// `frames` are such as [`len`](Self::len) has found.
    pub(super) fn new(frames: Bytes) -> Self {
        Self(frames)
    }
}

impl Iterator for Run {
    type Item = Message;

    #[inline]
    fn next(&mut self) -> Option<Message> {
        let (header, header_len) = Header::parse(&self.0)?;
        self.0.advance(header_len);
        let size = header.size() as usize; // It was a usize when it was found.
        // An empty frame is to keep nothing alive.
        let body = if size == 0 { Bytes::new() } else { self.0.split_to(size) };
        Some(Message::from(body))
    }
}
