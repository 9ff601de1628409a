//! Metadata: the property list of the handshake (RFC 37, "Connection
//! Metadata").
//!
//! ```text
//! property = name-length name value-length value
//!            1 octet     ≥1   4 octets
//! ```

use bytes::{BufMut, Bytes};

use crate::fault::PeerFault;
use crate::peer::PeerInfo;
use crate::properties::{ANNOUNCEMENT, IDENTITY, Properties, SOCKET_TYPE};
use crate::routing_id::RoutingId;
use crate::socket_type::SocketType;

/// The most properties that a peer may send.
const MAX_PROPERTIES: usize = 64;

/// The version of what is agreed between those who announce themselves; and the
/// same of one that sends PINGs.
const ANNOUNCED: &[u8] = b"1";
const ANNOUNCED_PINGING: &[u8] = b"1 pings";

/// What a peer says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Introduction {
    pub(crate) peer: PeerInfo,
    /// Whether it announces itself as a socket of this library. That is no part
    /// of the metadata that users see.
    pub(crate) is_ferromq: bool,
    /// Whether it announces that it sends no PINGs.
    pub(crate) never_pings: bool,
}

/// What a peer says of itself to a socket of type `ours`.
///
/// # Errors
/// When it does not add up, or the two sockets do not fit.
pub(crate) fn decode(octets: &[u8], ours: SocketType) -> Result<Introduction, PeerFault> {
    let mut said = Introduction::default();
    let peer = &mut said.peer;
    let mut names: Vec<&[u8]> = Vec::new();
    for property in Properties::new(octets) {
        let (name, value) = property?;
        // RFC 37: names are case-insensitive. libzmq compares them exactly.
        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(PeerFault::DuplicateProperty { name: PeerFault::text(name) });
        }
        let announces = name.eq_ignore_ascii_case(ANNOUNCEMENT.as_bytes());
        // An announcement takes no property away from the user.
        let limit = MAX_PROPERTIES.saturating_add((announces || said.is_ferromq).into());
        if names.len() == limit {
            return Err(PeerFault::TooManyProperties { limit: MAX_PROPERTIES });
        }
        names.push(name);
        if announces {
            said.is_ferromq = true;
            said.never_pings = value == ANNOUNCED;
        } else if name.eq_ignore_ascii_case(SOCKET_TYPE.as_bytes()) {
            peer.socket_type = Some(socket_type(value, ours)?);
        } else if name.eq_ignore_ascii_case(IDENTITY.as_bytes()) {
            peer.routing_id = routing_id(value)?;
        } else {
            // RFC 37 has a smaller alphabet for names; libzmq sends whatever
            // its user set, which is text.
            let name = std::str::from_utf8(name).map_err(|_| PeerFault::MalformedMetadata)?;
            peer.metadata.push((name.to_owned(), Bytes::copy_from_slice(value)));
        }
    }
    // RFC 37 wants a Socket-Type. libzmq accepts a READY without, so do we.
    Ok(said)
}

fn socket_type(value: &[u8], ours: SocketType) -> Result<SocketType, PeerFault> {
    let Some(theirs) = SocketType::from_property(value) else {
        return Err(PeerFault::UnknownSocketType { name: PeerFault::text(value) });
    };
    if !ours.is_compatible(theirs) {
        return Err(PeerFault::IncompatibleSocketType { ours, theirs });
    }
    Ok(theirs)
}

fn routing_id(value: &[u8]) -> Result<Option<RoutingId>, PeerFault> {
    if value.is_empty() {
        return Ok(None);
    }
    // RFC 23, 37: identity = 0*255OCTET. libzmq does not check the length, nor
    // that the first is not zero; nor do we the latter, since such ids are in use.
    Ok(Some(RoutingId::new(Bytes::copy_from_slice(value))?))
}

/// Puts what we say of ourselves, in the order and the spelling of libzmq, and
/// last that it is us, and whether we send PINGs.
///
/// Further properties have names of 1 to 255 octets that are not taken: the options are
/// checked before. Those of other lengths are left out.
pub(crate) fn put(
    socket_type: SocketType,
    identity: Option<&[u8]>,
    metadata: &[(String, Bytes)],
    pings: bool,
    out: &mut impl BufMut,
) {
    put_property(SOCKET_TYPE, socket_type.as_str().as_bytes(), out);
    if let Some(identity) = identity {
        put_property(IDENTITY, identity, out);
    }
    for (name, value) in metadata {
        put_property(name, value, out);
    }
    let announced = if pings { ANNOUNCED_PINGING } else { ANNOUNCED };
    put_property(ANNOUNCEMENT, announced, out);
}

fn put_property(name: &str, value: &[u8], out: &mut impl BufMut) {
    let lens = (u8::try_from(name.len()), u32::try_from(value.len()));
    let (Ok(name_len @ 1..), Ok(value_len)) = lens else { return };
    out.put_u8(name_len);
    out.put_slice(name.as_bytes());
    out.put_u32(value_len);
    out.put_slice(value);
}
