//! [`Sending`]: the half of the traffic that goes to the peer.

use std::io::IoSlice;
use std::time::Duration;

use bytes::BufMut;

use crate::peer::Subscription;
use crate::zmtp::command;
use crate::zmtp::framing::{Flight, Header};
use crate::zmtp::seal::Seal;

/// The octets that belong to one session. Messages are not among them: they
/// are the same in every session, and [`Encoded`](crate::zmtp::Encoded) has
/// them. What is put here goes between whole messages, in plain; what is written
/// comes from [`chunks_vectored`](Self::chunks_vectored), sealed if the session
/// seals.
#[derive(Debug)]
pub(crate) struct Sending {
    /// The minor version of ZMTP 3 that both speak, 0 or 1.
    minor: u8,
    /// Whether the peer may send PINGs, as far as we know.
    may_ping: bool,
    /// What seals each frame, if anything does.
    seal: Option<Box<dyn Seal>>,
}

impl Sending {
    pub(crate) fn new(minor: u8, may_ping: bool, seal: Option<Box<dyn Seal>>) -> Self {
        Self { minor, may_ping, seal }
    }

    /// Fills `slices` with what is to be written next of a batch, and returns how
    /// many it filled. Sealing it, if need be, is part of this, so that nothing
    /// goes out in plain by oversight; it is bounded work, a message larger than
    /// 64 KiB apart.
    pub(crate) fn chunks_vectored<'a>(
        &mut self,
        flight: &'a mut Flight,
        slices: &mut [IoSlice<'a>],
    ) -> usize {
        if let Some(seal) = &mut self.seal {
            flight.seal_next(&mut **seal);
        }
        flight.chunks_vectored(slices)
    }

    /// Whether the peer knows PING and PONG, which came with ZMTP 3.1.
    pub(crate) fn has_heartbeats(&self) -> bool {
        self.minor >= 1
    }

    /// Whether it is to be told unasked that we are there, in case that it wants to
    /// know: it knows PONG, and did not say that it sends no PINGs.
    pub(crate) fn may_ask(&self) -> bool {
        self.has_heartbeats() && self.may_ping
    }

    /// Puts a subscription or its end.
    pub(crate) fn subscription(&self, subscription: &Subscription, out: &mut impl BufMut) {
        match subscription {
            Subscription::Subscribe(topic) if self.minor == 0 => put_legacy(0x01, topic, out),
            Subscription::Cancel(topic) if self.minor == 0 => put_legacy(0x00, topic, out),
            Subscription::Subscribe(topic) => command::put_subscribe(topic, out),
            Subscription::Cancel(topic) => command::put_cancel(topic, out),
        }
    }

    /// Puts a PING that asks the peer to give us up after `ttl` of silence;
    /// zero is never. The unit is a tenth of a second, the most 6553.5 s.
    pub(crate) fn ping(&self, ttl: Duration, out: &mut impl BufMut) {
        command::put_ping(ttl, out);
    }

    /// Puts the answer to a PING with this context.
    pub(crate) fn pong(&self, context: &[u8], out: &mut impl BufMut) {
        command::put_pong(context, out);
    }
}

/// RFC 23: a subscription is a message, its first octet says which way.
fn put_legacy(kind: u8, topic: &[u8], out: &mut impl BufMut) {
    Header::new(0, topic.len().saturating_add(1)).put(out);
    out.put_u8(kind);
    out.put_slice(topic);
}
