//! [`RoutingId`]: the name under which a ROUTER knows a peer.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

/// The name under which a ROUTER knows a peer (`ZMQ_ROUTING_ID`; on the wire
/// the property `Identity`).
///
/// One that a user chooses has 1 to 255 octets and does not start with a zero
/// octet; those that start with zero are assigned by the ROUTER itself.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoutingId(Bytes);

/// Why octets cannot be a [`RoutingId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidRoutingId {
    /// A routing id has at least one octet.
    #[error("a routing id must not be empty")]
    Empty,
    /// A routing id has at most 255 octets.
    #[error("a routing id has at most 255 octets, not {0}")]
    TooLong(usize),
    /// Ids that start with a zero octet are assigned by the ROUTER.
    #[error("a routing id must not start with a zero octet: those are assigned by the ROUTER")]
    LeadingZero,
}

impl RoutingId {
    /// Checks that `octets` can name a peer.
    ///
    /// # Errors
    /// When they are none, more than 255, or start with zero.
    pub fn new(octets: impl Into<Bytes>) -> Result<Self, InvalidRoutingId> {
        let octets = octets.into();
        match (octets.len(), octets.first()) {
            (0, _) => Err(InvalidRoutingId::Empty),
            (256.., _) => Err(InvalidRoutingId::TooLong(octets.len())),
            (_, Some(0)) => Err(InvalidRoutingId::LeadingZero),
            _ => Ok(Self(octets)),
        }
    }

    /// The id a ROUTER gives to a peer that names none: a zero octet and a
    /// number, as libzmq does.
    pub(crate) fn automatic(number: u32) -> Self {
        let mut octets = BytesMut::with_capacity(5);
        octets.put_u8(0);
        octets.put_u32(number);
        Self(octets.freeze())
    }

    /// An id as the first frame of a raw ROUTER message names it: it may be an
    /// automatic one, and need not exist.
    pub(crate) fn from_frame(frame: Bytes) -> Self {
        Self(frame)
    }

    /// The octets of the id.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl AsRef<[u8]> for RoutingId {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RoutingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoutingId({:?})", self.0)
    }
}
