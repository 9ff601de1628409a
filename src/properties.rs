//! [`Properties`]: a property list in its octets, as READY has one (RFC 37,
//! "Connection Metadata") and a ZAP handler (RFC 27).
//!
//! ```text
//! property = name-length name value-length value
//!            1 octet     ≥1   4 octets
//! ```

use crate::fault::PeerFault;

pub(crate) const SOCKET_TYPE: &str = "Socket-Type";
/// What the API calls the routing id.
pub(crate) const IDENTITY: &str = "Identity";
/// How sockets of this library know each other. RFC 37 keeps names with `X-` for
/// applications, but has no others that a peer may add.
pub(crate) const ANNOUNCEMENT: &str = "X-Ferromq";

/// The names that are no user's to set.
pub(crate) const RESERVED: [&str; 3] = [SOCKET_TYPE, IDENTITY, ANNOUNCEMENT];

/// The properties in their octets, unchecked but for the lengths.
pub(crate) struct Properties<'a> {
    rest: &'a [u8],
}

impl<'a> Properties<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// Takes a property off the front.
    fn take(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let (&name_len, rest) = self.rest.split_first()?;
        let name_len = usize::from(name_len);
        // RFC 37: name = OCTET 1*255name-char
        if name_len == 0 || name_len > rest.len() {
            return None;
        }
        let (name, rest) = rest.split_at(name_len);
        let (value_len, rest) = rest.split_first_chunk()?;
        let value_len = usize::try_from(u32::from_be_bytes(*value_len)).ok()?;
        if value_len > rest.len() {
            return None;
        }
        let (value, rest) = rest.split_at(value_len);
        self.rest = rest;
        Some((name, value))
    }
}

impl<'a> Iterator for Properties<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), PeerFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let property = self.take();
        if property.is_none() {
            self.rest = &[];
        }
        Some(property.ok_or(PeerFault::MalformedMetadata))
    }
}
