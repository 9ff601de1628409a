//! RFC 37, "Handshake" and "The NULL Security Mechanism".

use super::*;
use crate::{RoutingId, Unwelcome};

/// A handshake of `socket_type` that has the peer's greeting, its output
/// taken.
fn greeted(socket_type: SocketType) -> Handshake {
    let mut handshake = Handshake::new(config(socket_type));
    handshake.feed(GREETING).unwrap();
    handshake.output();
    handshake
}

/// What `octets` after the greeting lead to, at once and octet by octet.
fn result(socket_type: SocketType, octets: &[u8]) -> Result<bool, PeerFault> {
    let mut whole = greeted(socket_type);
    let fed = whole.feed(octets).map(|()| {
        whole.output();
        whole.is_done()
    });
    let mut dribbled = greeted(socket_type);
    let one_by_one = octets.iter().try_for_each(|octet| dribbled.feed(&[*octet]));
    assert_eq!(fed.as_ref().err(), one_by_one.as_ref().err());
    if let Err(fault) = &fed {
        assert_eq!(whole.feed(b"x").as_ref(), Err(fault));
        assert!(!whole.is_done());
    }
    fed
}

fn ready(properties: &[u8]) -> Vec<u8> {
    frame(0x04, &[b"\x05READY", properties].concat())
}

fn ready_sent_by(config: HandshakeConfig) -> Vec<u8> {
    let mut handshake = Handshake::new(config);
    assert_eq!(&handshake.output()[..], GREETING);
    handshake.feed(GREETING).unwrap();
    handshake.output().to_vec()
}

#[test]
fn ready_is_that_of_libzmq_and_says_that_it_is_ours() {
    assert_eq!(ready_sent_by(config(SocketType::Dealer)), OUR_DEALER_READY);
    let sub = b"\x04\x28\x05READY\x0bSocket-Type\0\0\0\x03SUB\x09X-Ferromq\0\0\0\x011";
    assert_eq!(ready_sent_by(config(SocketType::Sub)), sub);
    let xpub = b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x04XPUB\x09X-Ferromq\0\0\0\x011";
    assert_eq!(ready_sent_by(config(SocketType::XPub)), xpub);
}

#[test]
fn identity_is_sent_if_there_is_one() {
    for (identity, sent) in [(None, false), (Some(Bytes::from("me")), true)] {
        let octets = ready_sent_by(HandshakeConfig { identity, ..config(SocketType::Dealer) });
        let rest = octets.strip_suffix(ANNOUNCEMENT).unwrap();
        assert_eq!(rest.ends_with(b"\x08Identity\0\0\0\x02me"), sent);
    }
}

#[test]
fn further_properties_come_later_and_may_make_ready_a_long_frame() {
    let metadata = vec![("X-key".to_owned(), Bytes::from_static(b"value"))];
    let octets = ready_sent_by(HandshakeConfig { metadata, ..config(SocketType::Sub) });
    let expected = b"\x04\x37\x05READY\x0bSocket-Type\0\0\0\x03SUB\x05X-key\0\0\0\x05value";
    assert_eq!(octets, [&expected[..], ANNOUNCEMENT].concat());
    let metadata = vec![("X-key".to_owned(), Bytes::from(vec![7; 250]))];
    let octets = ready_sent_by(HandshakeConfig { metadata, ..config(SocketType::Sub) });
    let size = 0x28 + 6 + 4 + 250_u64;
    assert_eq!(octets[0], 0x06);
    assert_eq!(octets[1..9], size.to_be_bytes());
    assert_eq!(octets.len() as u64, 9 + size);
}

#[test]
fn ready_waits_for_the_mechanism_but_not_for_the_peers_ready() {
    let mut handshake = Handshake::new(config(SocketType::Dealer));
    handshake.output();
    handshake.feed(&GREETING[..63]).unwrap();
    assert!(handshake.output().is_empty());
    handshake.feed(&GREETING[63..]).unwrap();
    assert!(!handshake.is_done());
    assert_eq!(&handshake.output()[..], OUR_DEALER_READY);
}

#[test]
fn a_handshake_is_not_done_before_our_ready_was_taken() {
    let mut handshake = Handshake::new(config(SocketType::Dealer));
    handshake.feed(&[&GREETING[..], DEALER_READY].concat()).unwrap();
    assert!(!handshake.is_done());
    assert_eq!(&handshake.output()[..], [&GREETING[..], OUR_DEALER_READY].concat());
    assert!(handshake.is_done());
}

#[test]
fn everything_may_come_in_any_two_pieces() {
    let octets = [&GREETING[..], DEALER_READY, b"\x00\x05Hello"].concat();
    for split in 0..=octets.len() {
        let mut handshake = Handshake::new(config(SocketType::Router));
        let (first, second) = octets.split_at(split);
        handshake.feed(first).unwrap();
        handshake.feed(second).unwrap();
        handshake.output();
        assert!(handshake.is_done());
        let (mut receiving, _, peer) = handshake.into_traffic();
        assert_eq!(peer.socket_type, Some(SocketType::Dealer));
        assert_eq!(peer.routing_id, None);
        assert_eq!(receiving.next(), Ok(Some(Incoming::Message(message(&[b"Hello"])))));
        assert_eq!(receiving.next(), Ok(None));
        assert!(!receiving.has_partial());
    }
}

#[test]
fn the_body_decides_not_the_flag_command() {
    let body = &DEALER_READY[2..];
    for flags in [0x00, 0x04, 0xF8, 0xFC] {
        assert_eq!(result(SocketType::Router, &frame(flags, body)), Ok(true), "{flags:x}");
    }
    // A long size is legal for a small command.
    for flags in [0x02, 0x06] {
        let octets = [&[flags, 0, 0, 0, 0, 0, 0, 0, 41], body].concat();
        assert_eq!(result(SocketType::Router, &octets), Ok(true));
    }
}

#[test]
fn a_handshake_command_is_one_frame() {
    for flags in [0x01, 0x05] {
        let octets = frame(flags, &DEALER_READY[2..]);
        assert_eq!(result(SocketType::Router, &octets), Err(PeerFault::CommandWithMore));
    }
}

#[test]
fn what_is_not_ready_is_refused() {
    for body in [&b"\x04PING\0\0"[..], b"\x05HELLO", b"\x09SUBSCRIBEA", b"\x05ready"] {
        let command = String::from_utf8_lossy(&body[1..=usize::from(body[0])]).into_owned();
        let expected = Err(PeerFault::UnexpectedInHandshake { command });
        assert_eq!(result(SocketType::Router, &frame(0x04, body)), expected);
    }
    for body in [&b""[..], b"\0", b"\0READY", b"\x05READ", b"Hello", b"\xff"] {
        let expected = Err(PeerFault::MalformedCommand);
        assert_eq!(result(SocketType::Router, &frame(0x00, body)), expected, "{body:?}");
    }
}

#[test]
fn a_large_command_is_refused_at_its_header() {
    for (size, fits) in
        [(8192, true), (8193, false), (1 << 31, false), (1 << 45, false), (u64::MAX, false)]
    {
        let octets = [&[0x06][..], &size.to_be_bytes()].concat();
        let expected = if fits { Ok(false) } else { Err(PeerFault::HandshakeTooLarge { size }) };
        assert_eq!(result(SocketType::Router, &octets), expected);
    }
}

#[test]
fn ready_cut_short_at_any_octet_is_waited_for_or_refused() {
    for len in 0..DEALER_READY.len() {
        assert_eq!(result(SocketType::Router, &DEALER_READY[..len]), Ok(false));
    }
    let body = &DEALER_READY[2..];
    for len in 0..body.len() {
        let result = result(SocketType::Router, &frame(0x04, &body[..len]));
        // After READY alone and after the first property the list adds up.
        let adds_up = len == 6 || len == 6 + 12 + 4 + 6;
        assert_eq!(result.is_ok(), adds_up, "{len}");
    }
}

#[test]
fn socket_types_that_do_not_fit_are_told_so() {
    for ours in SocketType::ALL {
        for theirs in SocketType::ALL {
            let value = theirs.as_str();
            let property = [b"\x0bSocket-Type\0\0\0", &[value.len() as u8][..], value.as_bytes()];
            let octets = ready(&property.concat());
            let result = result(ours, &octets);
            if ours.is_compatible(theirs) {
                assert_eq!(result, Ok(true));
                continue;
            }
            assert_eq!(result, Err(PeerFault::IncompatibleSocketType { ours, theirs }));
            let mut handshake = greeted(ours);
            handshake.feed(&octets).unwrap_err();
            let error = b"\x04\x1f\x05ERROR\x18Incompatible-Socket-Type";
            assert_eq!(&handshake.output()[..], error);
        }
    }
}

#[test]
fn error_is_reported_with_its_reason() {
    for reason in ["300", "400", "500", "abc", "", "Invalid client"] {
        let body = [b"\x05ERROR", &[reason.len() as u8][..], reason.as_bytes()].concat();
        let expected = Err(PeerFault::RefusedUs { reason: reason.to_owned() });
        assert_eq!(result(SocketType::Router, &frame(0x04, &body)), expected);
    }
    let hostile = frame(0x04, b"\x05ERROR\x05\x1b[2J\xff");
    let expected = Err(PeerFault::RefusedUs { reason: r"\x1b[2J\xff".to_owned() });
    assert_eq!(result(SocketType::Router, &hostile), expected);
}

#[test]
fn the_reason_of_error_has_to_be_as_long_as_it_says() {
    for len in 0..=255_u8 {
        let body = [&b"\x05ERROR"[..], &[len], b"400"].concat();
        let expected = if len == 3 {
            PeerFault::RefusedUs { reason: "400".to_owned() }
        } else {
            PeerFault::MalformedCommand
        };
        assert_eq!(result(SocketType::Router, &frame(0x04, &body)), Err(expected));
    }
    let none = frame(0x04, b"\x05ERROR");
    assert_eq!(result(SocketType::Router, &none), Err(PeerFault::MalformedCommand));
}

#[test]
fn nothing_is_answered_to_what_is_not_zmtp_but_our_greeting() {
    let mut handshake = Handshake::new(config(SocketType::Pull));
    handshake.feed(b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
    assert_eq!(&handshake.output()[..], GREETING);
}

#[test]
fn what_the_peer_is_comes_out() {
    let mut handshake = greeted(SocketType::Router);
    let properties = b"\x0bsocket-TYPE\0\0\0\x03REQ\x08IDENTITY\0\0\0\x02id\x03X-a\0\0\0\x01b";
    handshake.feed(&ready(properties)).unwrap();
    let (_, sending, peer) = handshake.into_traffic();
    assert!(sending.has_heartbeats());
    assert_eq!(peer.socket_type, Some(SocketType::Req));
    assert_eq!(peer.routing_id, Some(RoutingId::new("id").unwrap()));
    assert_eq!(peer.address, "");
    assert_eq!(peer.metadata, [("X-a".to_owned(), Bytes::from_static(b"b"))]);
}

/// A ROUTER that judges and has what `octets` after the greeting say.
fn judging(octets: &[u8]) -> Handshake {
    let mut handshake =
        Handshake::new(HandshakeConfig { judges: true, ..config(SocketType::Router) });
    assert_eq!(&handshake.output()[..], GREETING);
    handshake.feed(GREETING).unwrap();
    assert!(handshake.output().is_empty() && handshake.peer().is_none());
    handshake.feed(octets).unwrap();
    assert!(handshake.output().is_empty() && !handshake.is_done());
    handshake
}

#[test]
fn a_judge_is_ready_when_the_peer_is_admitted() {
    for octets in [&DEALER_READY[..], OUR_DEALER_READY] {
        let mut handshake = judging(octets);
        let peer = handshake.peer().unwrap();
        assert_eq!(peer.socket_type, Some(SocketType::Dealer));
        assert_eq!(peer.metadata, []);
        handshake.admit();
        assert_eq!(handshake.peer(), None);
        assert!(!handshake.is_done());
        let ready = b"\x04\x38\x05READY\x0bSocket-Type\0\0\0\x06ROUTER\
            \x08Identity\0\0\0\0\x09X-Ferromq\0\0\0\x011";
        assert_eq!(&handshake.output()[..], ready);
        assert!(handshake.is_done());
        let (_, _, peer) = handshake.into_traffic();
        assert_eq!(peer.socket_type, Some(SocketType::Dealer));
    }
}

#[test]
fn what_comes_while_a_peer_is_judged_belongs_to_the_traffic() {
    let octets = [&GREETING[..], DEALER_READY, b"\x00\x05Hello"].concat();
    for split in 0..=octets.len() {
        let mut handshake =
            Handshake::new(HandshakeConfig { judges: true, ..config(SocketType::Router) });
        let (first, second) = octets.split_at(split);
        handshake.feed(first).unwrap();
        handshake.feed(second).unwrap();
        handshake.admit();
        handshake.output();
        let (mut receiving, ..) = handshake.into_traffic();
        assert_eq!(receiving.next(), Ok(Some(Incoming::Message(message(&[b"Hello"])))));
        assert_eq!(receiving.next(), Ok(None));
    }
}

#[test]
fn a_refusal_that_may_pass_is_told_to_ours_only() {
    for (why, error) in [
        (Unwelcome::RoutingIdTaken, &b"\x04\x17\x05ERROR\x10Routing-Id-Taken"[..]),
        (Unwelcome::AlreadyPaired, b"\x04\x15\x05ERROR\x0eAlready-Paired"),
        (Unwelcome::TooManyConnections { limit: 7 }, b"\x04\x1b\x05ERROR\x14Too-Many-Connections"),
    ] {
        let mut ours = judging(OUR_DEALER_READY);
        assert!(ours.refuse(why));
        assert_eq!(&ours.output()[..], error);
        let mut another = judging(DEALER_READY);
        assert!(!another.refuse(why));
        assert!(another.output().is_empty());
        for mut handshake in [ours, another] {
            // Nothing makes it ready any more.
            handshake.admit();
            assert_eq!(handshake.feed(b"\x00\x05Hello"), Ok(()));
            assert!(handshake.output().is_empty());
            assert!(!handshake.is_done() && handshake.peer().is_none());
            assert_eq!(handshake.held(), 0);
        }
    }
}

#[test]
fn a_refusal_that_lasts_is_told_to_all() {
    let why = Unwelcome::Incompatible { ours: SocketType::Router, theirs: SocketType::Dealer };
    for octets in [&DEALER_READY[..], OUR_DEALER_READY] {
        let mut handshake = judging(octets);
        assert!(handshake.refuse(why));
        let error = b"\x04\x1f\x05ERROR\x18Incompatible-Socket-Type";
        assert_eq!(&handshake.output()[..], error);
    }
    // A judge that sees by itself that the types do not fit was never ready.
    let mut handshake =
        Handshake::new(HandshakeConfig { judges: true, ..config(SocketType::Pair) });
    handshake.output();
    handshake.feed(&[&GREETING[..], DEALER_READY].concat()).unwrap_err();
    let error = b"\x04\x1f\x05ERROR\x18Incompatible-Socket-Type";
    assert_eq!(&handshake.output()[..], error);
}

#[test]
fn a_socket_that_is_closing_tells_nobody() {
    for octets in [&DEALER_READY[..], OUR_DEALER_READY] {
        let mut handshake = judging(octets);
        assert!(!handshake.refuse(Unwelcome::Closing));
        assert!(handshake.output().is_empty());
    }
}

#[test]
fn who_does_not_judge_refuses_nobody() {
    let mut handshake = greeted(SocketType::Router);
    handshake.feed(DEALER_READY).unwrap();
    assert_eq!(handshake.peer(), None);
    assert!(!handshake.refuse(Unwelcome::RoutingIdTaken));
    assert!(handshake.is_done());
}

#[test]
fn a_refused_peer_of_ours_knows_that_it_may_pass() {
    for (why, reason) in [
        (Unwelcome::RoutingIdTaken, "Routing-Id-Taken"),
        (Unwelcome::AlreadyPaired, "Already-Paired"),
        (Unwelcome::TooManyConnectionsOfAddress { limit: 7 }, "Too-Many-Connections"),
    ] {
        let mut router = judging(OUR_DEALER_READY);
        router.refuse(why);
        let mut dealer = greeted(SocketType::Dealer);
        let fault = dealer.feed(&router.output()).unwrap_err();
        assert_eq!(fault, PeerFault::RefusedUs { reason: reason.to_owned() });
        assert!(fault.may_pass());
    }
    for reason in ["", "400", "Incompatible-Socket-Type", "routing-id-taken"] {
        assert!(!PeerFault::RefusedUs { reason: reason.to_owned() }.may_pass());
    }
    assert!(!PeerFault::NotZmtp.may_pass());
}
