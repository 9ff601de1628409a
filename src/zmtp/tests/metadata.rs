//! RFC 37, "Connection Metadata".

use super::*;
use crate::zmtp::metadata;
use crate::{InvalidRoutingId, RoutingId};

fn decode(octets: &[u8]) -> Result<PeerInfo, PeerFault> {
    metadata::decode(octets, SocketType::Router).map(|said| said.peer)
}

fn property(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut octets = vec![u8::try_from(name.len()).unwrap()];
    octets.extend_from_slice(name);
    octets.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
    octets.extend_from_slice(value);
    octets
}

#[test]
fn an_empty_list_is_accepted() {
    assert_eq!(decode(b""), Ok(PeerInfo::default()));
}

#[test]
fn lengths_have_to_add_up() {
    for octets in [
        &b"\0"[..],
        b"\0\0\0\0\0",
        b"\x05Hell",
        b"\x01X",
        b"\x01X\0\0\0",
        b"\x01X\0\0\0\x01",
        b"\x01X\x7f\xff\xff\xff1",
        b"\x01X\xff\xff\xff\xff1",
        b"\x01X\0\0\0\x011\0",
        b"\xff",
    ] {
        assert_eq!(decode(octets), Err(PeerFault::MalformedMetadata), "{octets:?}");
    }
}

#[test]
fn names_have_1_to_255_octets_of_text() {
    let long = [b'x'; 255];
    assert_eq!(decode(&property(&long, b"")).unwrap().metadata[0].0.len(), 255);
    assert_eq!(decode(&property(b"\xff\xfe", b"")), Err(PeerFault::MalformedMetadata));
}

#[test]
fn duplicates_are_refused_whatever_their_case() {
    for (first, second) in
        [("X-a", "x-A"), ("Identity", "identity"), ("Socket-Type", "socket-type")]
    {
        let value: &[u8] = if first == "Socket-Type" { b"REQ" } else { b"" };
        let octets = [property(first.as_bytes(), value), property(second.as_bytes(), value)];
        let expected = Err(PeerFault::DuplicateProperty { name: second.to_owned() });
        assert_eq!(decode(&octets.concat()), expected);
    }
}

#[test]
fn at_most_64_properties_are_read() {
    let many = |count: u32| -> Vec<u8> {
        (0..count).flat_map(|n| property(format!("X-{n}").as_bytes(), b"")).collect()
    };
    assert_eq!(decode(&many(64)).unwrap().metadata.len(), 64);
    assert_eq!(decode(&many(65)), Err(PeerFault::TooManyProperties { limit: 64 }));
}

#[test]
fn a_routing_id_is_any_1_to_255_octets() {
    let identity = |value: &[u8]| decode(&property(b"Identity", value)).map(|peer| peer.routing_id);
    assert_eq!(identity(b""), Ok(None));
    for value in [&b"x"[..], b"x\0y", b"\0", b"\0\0\0\0\x01", &[0; 255], &[0xFF; 255]] {
        let expected = RoutingId::new(Bytes::copy_from_slice(value)).unwrap();
        assert_eq!(identity(value), Ok(Some(expected)));
    }
    let too_long = InvalidRoutingId::TooLong(256);
    assert_eq!(identity(&[0xFF; 256]), Err(PeerFault::InvalidRoutingId(too_long)));
}

#[test]
fn an_unknown_socket_type_is_refused_by_its_name() {
    for name in ["", "req", "REQ ", "STREAM", "CLIENT", "REQREP"] {
        let expected = Err(PeerFault::UnknownSocketType { name: name.to_owned() });
        assert_eq!(decode(&property(b"Socket-Type", name.as_bytes())), expected);
    }
}

#[test]
fn what_is_put_is_what_is_read() {
    let routing_id = RoutingId::new("me").unwrap();
    let metadata = vec![
        ("X-one".to_owned(), Bytes::from_static(b"1")),
        (String::new(), Bytes::new()),
        ("x".repeat(256), Bytes::new()),
        ("X-none".to_owned(), Bytes::new()),
    ];
    let mut octets = Vec::new();
    metadata::put(SocketType::Dealer, Some(routing_id.as_ref()), &metadata, false, &mut octets);
    let peer = decode(&octets).unwrap();
    assert_eq!(peer.socket_type, Some(SocketType::Dealer));
    assert_eq!(peer.routing_id, Some(routing_id));
    // Names that cannot be sent are left out.
    assert_eq!(peer.metadata, [metadata[0].clone(), metadata[3].clone()]);
}

#[test]
fn an_announcement_is_seen_in_any_case_and_not_shown() {
    for name in [&b"X-Ferromq"[..], b"x-ferromq", b"X-FERROMQ"] {
        for value in [&b"1"[..], b"", b"2, with more to say"] {
            let octets = [property(b"X-a", b"v"), property(name, value)].concat();
            let said = metadata::decode(&octets, SocketType::Router).unwrap();
            assert!(said.is_ferromq);
            assert_eq!(said.never_pings, value == b"1");
            assert_eq!(said.peer.metadata, [("X-a".to_owned(), Bytes::from_static(b"v"))]);
        }
        let twice = property(name, b"1").repeat(2);
        assert!(matches!(decode(&twice), Err(PeerFault::DuplicateProperty { .. })));
    }
    for other in [&b"X-Ferromq2"[..], b"Ferromq"] {
        assert!(!metadata::decode(&property(other, b"1"), SocketType::Router).unwrap().is_ferromq);
    }
}

#[test]
fn one_with_heartbeats_says_so() {
    for pings in [false, true] {
        let mut octets = Vec::new();
        metadata::put(SocketType::Dealer, None, &[], pings, &mut octets);
        let said = metadata::decode(&octets, SocketType::Router).unwrap();
        assert!(said.is_ferromq);
        assert_eq!(said.never_pings, !pings);
    }
    let another = property(b"Socket-Type", b"DEALER");
    assert!(!metadata::decode(&another, SocketType::Router).unwrap().never_pings);
}

#[test]
fn an_announcement_takes_no_property_away() {
    let many = |count: u32| (0..count).flat_map(|n| property(format!("X-{n}").as_bytes(), b""));
    let ours = property(b"X-Ferromq", b"1");
    for count in [64, 65] {
        let first: Vec<u8> = ours.iter().copied().chain(many(count)).collect();
        let last: Vec<u8> = many(count).chain(ours.iter().copied()).collect();
        assert_eq!(decode(&first).is_ok(), count == 64);
        assert_eq!(decode(&last).is_ok(), count == 64);
    }
}
