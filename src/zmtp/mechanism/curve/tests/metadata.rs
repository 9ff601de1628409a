//! What is in INITIATE and READY is judged as in READY of NULL.

use super::*;

fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let len = (value.len() as u32).to_be_bytes();
    [&[name.len() as u8], name.as_bytes(), &len, value].concat()
}

/// As many properties as that, and no others.
fn many(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| property(&format!("x{number}"), b"")).collect()
}

/// Lists that do not add up, and the fault that each is.
fn bad() -> [(Vec<u8>, PeerFault); 7] {
    let socket_type = |name: &str| property("Socket-Type", name.as_bytes());
    let (ours, theirs) = (SocketType::Pull, SocketType::Sub);
    [
        (b"\0".to_vec(), PeerFault::MalformedMetadata),
        (b"\x01x\0\0\0\x05abc".to_vec(), PeerFault::MalformedMetadata),
        (b"\x01x\xff\xff\xff\xff".to_vec(), PeerFault::MalformedMetadata),
        (many(65), PeerFault::TooManyProperties { limit: 64 }),
        (
            [property("a", b""), property("A", b"")].concat(),
            PeerFault::DuplicateProperty { name: "A".into() },
        ),
        (socket_type("FOO"), PeerFault::UnknownSocketType { name: "FOO".into() }),
        (socket_type("SUB"), PeerFault::IncompatibleSocketType { ours, theirs }),
    ]
}

#[test]
fn a_bad_list_in_initiate_is_told_by_a_number() {
    for (metadata, fault) in bad() {
        let (mut server, fed) = initiated(|said| said.metadata = metadata);
        assert_eq!(fed, Err(fault));
        assert_eq!(body(&server.output()), b"\x05ERROR\x03400");
        assert!(server.question().is_none(), "nobody is asked about it");
    }
}

#[test]
fn a_bad_list_in_ready_is_told_to_nobody() {
    for (metadata, fault) in bad() {
        let (mut client, hello) = client();
        let server = ForgedServer::new(&hello);
        ask(&mut client, &server.welcome());
        let fault = match fault {
            PeerFault::IncompatibleSocketType { theirs, .. } => {
                PeerFault::IncompatibleSocketType { ours: SocketType::Push, theirs }
            }
            fault => fault,
        };
        assert_eq!(silent_fault(&mut client, &server.ready(1, &metadata)), fault);
    }
}

#[test]
fn as_many_properties_as_are_allowed_come_through() {
    let (mut server, fed) = initiated(|said| said.metadata = many(64));
    assert_eq!(fed, Ok(()));
    server.answer(Verdict::accept()).unwrap();
    server.output();
    let (.., peer) = server.into_traffic();
    assert_eq!(peer.metadata.len(), 64);
    assert_eq!(peer.mechanism, crate::security::Mechanism::Curve);
}

#[test]
fn an_empty_list_is_one() {
    let (_, fed) = initiated(|said| said.metadata = Vec::new());
    assert_eq!(fed, Ok(()));
    let (mut client, hello) = client();
    let server = ForgedServer::new(&hello);
    ask(&mut client, &server.welcome());
    let ready = server.ready(1, b"");
    assert_eq!(ready.len(), 30);
    assert_eq!(say(&mut client, &ready), Ok(None));
    assert!(client.is_done());
}

#[test]
fn a_list_fills_a_command_at_most() {
    // INITIATE is 257 octets and the list, of 8 KiB.
    let list = |len: usize| property("x", &vec![7; len - 6]);
    let (server, fed) = initiated(|said| said.metadata = list(8192 - 257));
    assert_eq!(fed, Ok(()));
    assert!(server.held() <= 16 * 1024, "{}", server.held());
    let (_, fed) = initiated(|said| said.metadata = list(8192 - 256));
    assert_eq!(fed, Err(PeerFault::HandshakeTooLarge { size: 8193 }));
}

#[test]
fn what_the_policy_knows_comes_with_what_the_peer_says() {
    let metadata = [property("Identity", b"me"), property("X-a", b"b")].concat();
    let (mut server, fed) = initiated(|said| said.metadata = metadata);
    assert_eq!(fed, Ok(()));
    server.answer(Verdict::accept_as("alice").with_property("team", "blue")).unwrap();
    server.output();
    let (.., peer) = server.into_traffic();
    assert_eq!(peer.user_id.as_deref(), Some("alice"));
    assert_eq!(peer.granted, [("team".to_owned(), "blue".into())]);
    assert_eq!(peer.metadata, [("X-a".to_owned(), "b".into())]);
    assert_eq!(peer.routing_id, Some(crate::routing_id::RoutingId::new("me").unwrap()));
}
