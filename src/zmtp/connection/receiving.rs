//! [`Receiving`]: the half of the traffic that comes from the peer.

use std::time::Duration;

use bytes::buf::Limit;
use bytes::{Bytes, BytesMut};
use tracing::trace;

use crate::fault::PeerFault;
use crate::message::Message;
use crate::message::strip::{Extent, Strip};
use crate::peer::Subscription;
use crate::properties::Properties;
use crate::zmtp::command::Command;
use crate::zmtp::framing::{Decoder, LARGE, Unit};
use crate::zmtp::seal::Open;

/// What a peer sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming {
    Message(Message),
    Subscription(Subscription),
    Ping {
        /// After how much silence the peer wants to be given up; zero is never.
        ttl: Duration,
        /// To be sent back with PONG.
        context: Bytes,
    },
    Pong,
}

/// Octets of a peer to messages and the commands of the traffic.
///
/// Read into [`space`](Self::space), then call [`next`](Self::next) until it
/// has no more; then read again. What came before a fault comes out before the
/// fault does.
#[derive(Debug)]
pub(crate) struct Receiving {
    decoder: Decoder,
    fault: Option<PeerFault>,
}

impl Receiving {
    /// Traffic whose first octets are `received`, and what opens its frames if
    /// they are sealed.
    pub(in crate::zmtp) fn new(
        received: BytesMut,
        max_message_size: Option<usize>,
        open: Option<Box<dyn Open>>,
    ) -> Self {
        Self { decoder: Decoder::new(received, max_message_size, open), fault: None }
    }

    /// From now on no message may have more frames.
    pub(crate) fn limit_frames(&mut self, frames: usize) {
        self.decoder.limit_frames(frames);
    }

    /// From now on no topic that is subscribed to, or cancelled, may be longer.
    pub(crate) fn limit_topics(&mut self, octets: usize) {
        self.decoder.limit_topics(octets);
    }

    /// Where the next read goes: a chunk of 8 to 64 KiB, larger the more a
    /// read finds, or what the body of a large frame lacks.
    pub(crate) fn space(&mut self) -> Limit<&mut BytesMut> {
        self.decoder.space()
    }

    /// There is nothing more to read for now: gives memory back that holds
    /// nothing. An idle connection should wait without any, so call this before
    /// waiting, and [`space`](Self::space) only when there is something.
    pub(crate) fn rest(&mut self) {
        self.decoder.rest();
    }

    /// Whether octets are held: a frame or a message has begun and is not
    /// complete, or [`next`](Self::next) has more.
    #[cfg(test)]
    pub(crate) fn has_partial(&self) -> bool {
        self.decoder.has_partial()
    }

    /// How many octets are held.
    pub(crate) fn buffered(&self) -> usize {
        self.decoder.buffered()
    }

    /// Whether there can be nothing more before the next read.
    #[inline]
    pub(crate) fn is_dry(&self) -> bool {
        self.fault.is_none() && self.decoder.is_dry()
    }

    /// The messages of one frame each that come first, at most so many, and none after
    /// so many octets. What follows them is for [`next`](Self::next).
    #[inline]
    pub(crate) fn take_strip(&mut self, messages: usize, octets: usize) -> (Strip, Extent) {
        if self.fault.is_some() || !self.decoder.is_single_next() {
            return Default::default();
        }
        self.decoder.take_strip(messages, octets)
    }

    /// What comes next, if all of it is there.
    ///
    /// # Errors
    /// When the peer is at fault; the same again from then on.
    pub(crate) fn next(&mut self) -> Result<Option<Incoming>, PeerFault> {
        self.next_within(&mut { usize::MAX })
    }

    /// The same, if it does not take more `frames` to find it: those it takes are
    /// subtracted. Of many frames nothing comes but a large message, or nothing at all.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub(crate) fn next_within(
        &mut self,
        frames: &mut usize,
    ) -> Result<Option<Incoming>, PeerFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let next = self.next_known(frames);
        if let Err(fault) = &next {
            self.fault = Some(fault.clone());
        }
        next
    }

    /// The next message or command that means something to us.
    fn next_known(&mut self, frames: &mut usize) -> Result<Option<Incoming>, PeerFault> {
        while let Some(unit) = self.decoder.next_within(frames)? {
            let body = match unit {
                Unit::Message(message) => return Ok(Some(Incoming::Message(message))),
                Unit::Command(body) => body,
            };
            if let Some(command) = Self::understand(&body)? {
                return Ok(Some(command));
            }
        }
        Ok(None)
    }

    /// A command of the traffic; nothing, if it is well-formed and means
    /// nothing here. (RFC 37 does not say what to do; libzmq ignores it.)
    fn understand(body: &Bytes) -> Result<Option<Incoming>, PeerFault> {
        Ok(match Command::decode(body)? {
            Command::Subscribe(topic) => {
                Some(Incoming::Subscription(Subscription::Subscribe(keep(body, topic))))
            }
            Command::Cancel(topic) => {
                Some(Incoming::Subscription(Subscription::Cancel(keep(body, topic))))
            }
            Command::Ping { ttl, context } => {
                Some(Incoming::Ping { ttl, context: keep(body, context) })
            }
            Command::Pong => Some(Incoming::Pong),
            Command::Ready(properties) => {
                Properties::new(properties).try_for_each(|property| property.map(drop))?;
                None
            }
            Command::Error(_) => None,
            Command::Other(name) => {
                trace!(name = %name.escape_ascii(), "an unknown command is ignored");
                None
            }
        })
    }
}

/// What is to be kept of a command. It is copied, so that it does not keep alive
/// all that was read along with it; a large command has memory of its own.
fn keep(body: &Bytes, part: &[u8]) -> Bytes {
    if body.len() >= LARGE { body.slice_ref(part) } else { Bytes::copy_from_slice(part) }
}
