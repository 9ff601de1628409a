//! [`RoutingId`]: the name under which a ROUTER knows a peer.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

use crate::message::IntoFrame;
use crate::printable::Printable;

/// The most octets an id can have: the wire gives its length one octet.
const MAX_LENGTH: usize = 255;

/// The name under which a ROUTER knows a peer (`ZMQ_ROUTING_ID`; on the wire
/// the property `Identity`).
///
/// Any 1 to 255 octets are an id. To a peer that names none the ROUTER gives one
/// by itself: a zero octet and a number of four octets, which nobody has.
///
/// ```
/// use std::collections::HashMap;
/// use ferromq::RoutingId;
///
/// let worker = RoutingId::try_from("worker-1")?;
/// assert_eq!(worker, "worker-1".parse()?);
/// assert!(RoutingId::try_from("").is_err());
///
/// let mut jobs = HashMap::new();
/// jobs.insert(worker, "resize");
/// assert_eq!(jobs.get(&b"worker-1"[..]), Some(&"resize"));
/// # Ok::<(), ferromq::InvalidRoutingId>(())
/// ```
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
}

impl RoutingId {
    /// Checks that `octets` can name a peer.
    ///
    /// # Errors
    /// When they are none, or more than 255.
    pub fn new(octets: impl Into<Bytes>) -> Result<Self, InvalidRoutingId> {
        let octets = octets.into();
        match octets.len() {
            0 => Err(InvalidRoutingId::Empty),
            length if length > MAX_LENGTH => Err(InvalidRoutingId::TooLong(length)),
            // Departs from RFC 37, which reserves a leading zero for the ROUTER:
            // such ids are in use, and libzmq takes them.
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

/// A map keyed by routing ids can be searched by octets.
impl Borrow<[u8]> for RoutingId {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<RoutingId> for Bytes {
    fn from(id: RoutingId) -> Self {
        id.0
    }
}

impl IntoFrame for RoutingId {
    fn into_frame(self) -> Bytes {
        self.0
    }
}

impl IntoFrame for &RoutingId {
    fn into_frame(self) -> Bytes {
        self.0.clone()
    }
}

/// Checks the octets as [`RoutingId::new`] does; what is borrowed is copied.
macro_rules! checked_from {
    ($($source:ty),+) => {$(
        impl TryFrom<$source> for RoutingId {
            type Error = InvalidRoutingId;

            fn try_from(source: $source) -> Result<Self, InvalidRoutingId> {
                Self::new(source.into_frame())
            }
        }
    )+};
}

checked_from!(&str, String, &[u8], Vec<u8>, Bytes);

impl<const N: usize> TryFrom<&[u8; N]> for RoutingId {
    type Error = InvalidRoutingId;

    fn try_from(octets: &[u8; N]) -> Result<Self, InvalidRoutingId> {
        Self::new(octets.into_frame())
    }
}

impl FromStr for RoutingId {
    type Err = InvalidRoutingId;

    fn from_str(text: &str) -> Result<Self, InvalidRoutingId> {
        Self::try_from(text)
    }
}

/// Text as it is, other octets escaped.
impl fmt::Display for RoutingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.escape_ascii(), f)
    }
}

impl fmt::Debug for RoutingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoutingId({:?})", Printable::new(&self.0, MAX_LENGTH))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;

    #[test]
    fn any_1_to_255_octets_are_an_id() {
        assert_eq!(RoutingId::try_from(""), Err(InvalidRoutingId::Empty));
        for octets in [&b"a\0"[..], b"\0", b"\0\0", b"\0\0\0\0\x01"] {
            assert_eq!(RoutingId::try_from(octets).unwrap().as_bytes(), octets);
        }
        assert!(RoutingId::try_from(vec![0; 255]).is_ok());
        assert_eq!(RoutingId::try_from(vec![1; 256]), Err(InvalidRoutingId::TooLong(256)));
    }

    #[test]
    fn an_automatic_id_can_be_made_of_its_octets() {
        let automatic = RoutingId::automatic(258);
        assert_eq!(RoutingId::try_from(automatic.as_bytes().clone()), Ok(automatic));
    }

    #[test]
    fn conversions_agree() {
        let id: RoutingId = "worker".parse().unwrap();
        assert_eq!(RoutingId::try_from(String::from("worker")), Ok(id.clone()));
        assert_eq!(RoutingId::try_from(&b"worker"[..]), Ok(id.clone()));
        assert_eq!(RoutingId::try_from(Bytes::from_static(b"worker")), Ok(id.clone()));
        assert_eq!(Bytes::from(id), "worker");
    }

    #[test]
    fn maps_are_searched_by_octets() {
        let id = RoutingId::try_from("worker").unwrap();
        assert!(HashMap::from([(id.clone(), 1)]).contains_key(&b"worker"[..]));
        assert!(BTreeMap::from([(id, 1)]).contains_key(&b"worker"[..]));
    }

    #[test]
    fn debug_escapes_what_is_not_text() {
        assert_eq!(format!("{:?}", RoutingId::try_from("w1").unwrap()), r#"RoutingId("w1")"#);
        let automatic = RoutingId::automatic(258);
        assert_eq!(format!("{automatic:?}"), r#"RoutingId(b"\x00\x00\x00\x01\x02")"#);
    }
}
