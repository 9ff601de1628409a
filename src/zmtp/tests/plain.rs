//! RFC 24: PLAIN, both sides of it.

use super::*;
use crate::security::{
    Credentials, Denial, Mechanism, PlainCredentials, Policy, Security, Verdict,
};

const PLAIN_GREETING: &[u8; 64] = b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01PLAIN\0\0\0\0\0\0\0\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

const HELLO: &[u8; 21] = b"\x04\x13\x05HELLO\x05admin\x06secret";
const WELCOME: &[u8; 10] = b"\x04\x08\x07WELCOME";
const INITIATE: &[u8; 46] =
    b"\x04\x2c\x08INITIATE\x0bSocket-Type\0\0\0\x04PUSH\x09X-Ferromq\0\0\0\x011";
const READY: &[u8; 43] = b"\x04\x29\x05READY\x0bSocket-Type\0\0\0\x04PULL\x09X-Ferromq\0\0\0\x011";

fn plain_server_untaken() -> Handshake {
    let security = Security::PlainServer(Policy::allow_any());
    Handshake::new(HandshakeConfig { security, ..config(SocketType::Pull) })
}

/// A server that has the peer's greeting.
fn server() -> Handshake {
    let mut server = plain_server_untaken();
    server.feed(PLAIN_GREETING).unwrap();
    assert_eq!(server.output().len(), 64, "it speaks when it is spoken to");
    server
}

/// One that has let the client in.
fn welcoming() -> Handshake {
    let mut server = server();
    server.feed(HELLO).unwrap();
    server.answer(Verdict::accept()).unwrap();
    assert_eq!(&server.output()[..], WELCOME);
    server
}

fn client_of(username: &[u8], password: &[u8]) -> Handshake {
    let security = Security::PlainClient(PlainCredentials::new(username, password));
    Handshake::new(HandshakeConfig { security, ..config(SocketType::Push) })
}

/// A client that has said HELLO.
fn client() -> Handshake {
    let mut client = client_of(b"admin", b"secret");
    client.feed(PLAIN_GREETING).unwrap();
    let said = client.output();
    assert_eq!(&said[64..], HELLO);
    client
}

/// One that has said INITIATE.
fn welcomed() -> Handshake {
    let mut client = client();
    client.feed(WELCOME).unwrap();
    assert_eq!(&client.output()[..], INITIATE);
    client
}

/// What a command is to each of them.
fn stages() -> [(&'static str, Handshake); 4] {
    [("new", server()), ("welcoming", welcoming()), ("greeted", client()), ("welcomed", welcomed())]
}

#[track_caller]
fn silent_fault(handshake: &mut Handshake, octets: &[u8]) -> PeerFault {
    let fault = handshake.feed(octets).unwrap_err();
    assert!(handshake.output().is_empty(), "{fault}");
    assert!(!handshake.is_done() && handshake.question().is_none());
    assert_eq!(handshake.feed(b"x"), Err(fault.clone()));
    assert_eq!(handshake.held(), 0);
    fault
}

fn unexpected(command: &str) -> PeerFault {
    PeerFault::UnexpectedInHandshake { command: command.to_owned() }
}

#[test]
fn the_whole_dialogue_octet_by_octet() {
    let (mut client, mut server) = (welcomed(), welcoming());
    server.feed(INITIATE).unwrap();
    assert_eq!(&server.output()[..], READY);
    client.feed(READY).unwrap();
    assert!(client.output().is_empty());
    assert!(client.is_done() && server.is_done());
    let ((.., of_server), (.., of_client)) = (client.into_traffic(), server.into_traffic());
    assert_eq!(of_server.socket_type, Some(SocketType::Pull));
    assert_eq!(of_client.socket_type, Some(SocketType::Push));
    assert_eq!([of_server.mechanism, of_client.mechanism], [Mechanism::Plain; 2]);
}

#[test]
fn the_server_says_that_it_is_one() {
    assert_eq!(
        plain_server_untaken().output()[12..33],
        *b"PLAIN\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
    );
    assert_eq!(&client_of(b"", b"").output()[..], PLAIN_GREETING);
}

#[test]
fn everything_may_come_in_any_two_pieces() {
    let octets = [&PLAIN_GREETING[..], HELLO, INITIATE, b"\x00\x05Hello"].concat();
    for split in 0..=octets.len() {
        let mut server = plain_server_untaken();
        for piece in [&octets[..split], &octets[split..]] {
            server.feed(piece).unwrap();
            if server.question().is_some() {
                server.answer(Verdict::accept()).unwrap();
            }
        }
        server.output();
        let (mut receiving, ..) = server.into_traffic();
        assert_eq!(receiving.next(), Ok(Some(Incoming::Message(message(&[b"Hello"])))));
        assert_eq!(receiving.next(), Ok(None));
    }
    let octets = [&PLAIN_GREETING[..], WELCOME, READY, b"\x00\x05Hello"].concat();
    for split in 0..=octets.len() {
        let mut client = client_of(b"admin", b"secret");
        client.feed(&octets[..split]).unwrap();
        client.feed(&octets[split..]).unwrap();
        assert_eq!(client.output()[64..], [&HELLO[..], INITIATE].concat());
        let (mut receiving, ..) = client.into_traffic();
        assert_eq!(receiving.next(), Ok(Some(Incoming::Message(message(&[b"Hello"])))));
    }
}

fn hello(username: &[u8], password: &[u8]) -> Vec<u8> {
    let lens = [username.len() as u8, password.len() as u8];
    [&b"\x05HELLO"[..], &lens[..1], username, &lens[1..], password].concat()
}

fn command(body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(size) => [&[0x04, size], body].concat(),
        Err(_) => [&[0x06], &(body.len() as u64).to_be_bytes()[..], body].concat(),
    }
}

#[test]
fn names_and_passwords_of_0_to_255_octets_come_through() {
    for (user_len, password_len) in [(0, 0), (1, 0), (0, 1), (255, 0), (0, 255), (255, 255)] {
        let (username, password) = (vec![0xff; user_len], vec![0; password_len]);
        let mut client = client_of(&username, &password);
        client.feed(PLAIN_GREETING).unwrap();
        let said = client.output().split_off(64);
        assert_eq!(said, command(&hello(&username, &password)));
        let mut server = server();
        server.feed(&said).unwrap();
        let Credentials::Plain(who) = &server.question().unwrap().credentials else {
            panic!("a name and a password");
        };
        assert!(who.is(&username, &password));
        assert_eq!((who.username(), who.password()), (&username[..], &password[..]));
    }
}

#[test]
fn the_lengths_of_hello_have_to_add_up() {
    let whole = hello(b"admin", b"secret");
    for len in 6..whole.len() {
        let fault = silent_fault(&mut server(), &command(&whole[..len]));
        assert_eq!(fault, PeerFault::MalformedCommand, "{len}");
    }
    for more in [&b"\0"[..], b"x", b"\x01x"] {
        let longer = [&whole[..], more].concat();
        assert_eq!(silent_fault(&mut server(), &command(&longer)), PeerFault::MalformedCommand);
    }
    // Each length but the right one, of either.
    for len in 0..=255 {
        for at in [6, 12] {
            let mut changed = whole.clone();
            changed[at] = len;
            if changed != whole {
                let fault = silent_fault(&mut server(), &command(&changed));
                assert_eq!(fault, PeerFault::MalformedCommand, "{at} {len}");
            }
        }
    }
}

#[test]
fn a_welcome_has_no_body() {
    for more in [&b"\0"[..], b"x", b"\x01x\0\0\0\0"] {
        let welcome = command(&[&b"\x07WELCOME"[..], more].concat());
        assert_eq!(silent_fault(&mut client(), &welcome), PeerFault::MalformedCommand);
    }
}

#[test]
fn commands_in_another_order_or_twice_are_refused() {
    // The one that each of them waits for is left out.
    let commands: [(&str, &[u8]); 4] =
        [("HELLO", HELLO), ("WELCOME", WELCOME), ("INITIATE", INITIATE), ("READY", READY)];
    let waited_for = ["HELLO", "INITIATE", "WELCOME", "READY"];
    for (name, octets) in commands {
        for ((stage, mut who), waited_for) in stages().into_iter().zip(waited_for) {
            if name != waited_for {
                assert_eq!(silent_fault(&mut who, octets), unexpected(name), "{stage}");
            }
        }
    }
    // HELLO again, while nobody has decided about the first.
    let mut server = server();
    server.feed(&HELLO.repeat(2)).unwrap();
    assert!(server.question().is_some());
    assert_eq!(server.answer(Verdict::accept()), Err(unexpected("HELLO")));
    assert!(!server.is_done());
}

#[test]
fn who_skips_hello_is_not_let_in() {
    for octets in [&INITIATE[..], READY, b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH"] {
        silent_fault(&mut server(), octets);
    }
    // Nor who does not wait for the verdict.
    let mut server = server();
    server.feed(&[&HELLO[..], INITIATE].concat()).unwrap();
    assert!(!server.is_done() && server.output().is_empty());
    let denied = PeerFault::Denied { how: Denial::Unauthorized, reason: "no".into() };
    assert_eq!(server.answer(Verdict::deny("no")), Err(denied));
    assert_eq!(&server.output()[..], b"\x04\x0a\x05ERROR\x03400");
    assert!(!server.is_done());
}

#[test]
fn names_of_commands_are_exact() {
    for body in [&b"\x05hello\x00\x00"[..], b"\x06HELLO \x00\x00", b"\x04HELL\x00\x00"] {
        let fault = silent_fault(&mut server(), &command(body));
        assert!(matches!(fault, PeerFault::UnexpectedInHandshake { .. }), "{fault}");
    }
    assert_eq!(
        silent_fault(&mut server(), &command(b"\x09HELLO\0\0")),
        PeerFault::MalformedCommand
    );
}

#[test]
fn error_is_understood_at_each_stage() {
    for len in [0, 1, 3, 254, 255_u8] {
        let reason = "4".repeat(len.into());
        let error = command(&[b"\x05ERROR", &[len][..], reason.as_bytes()].concat());
        for (_, mut who) in stages() {
            let refused = PeerFault::RefusedUs { reason: reason.clone() };
            assert_eq!(silent_fault(&mut who, &error), refused);
        }
    }
    for malformed in [&b"\x05ERROR"[..], b"\x05ERROR\x01", b"\x05ERROR\x03400x"] {
        for (_, mut who) in stages() {
            let fault = silent_fault(&mut who, &command(malformed));
            assert_eq!(fault, PeerFault::MalformedCommand);
        }
    }
}

#[test]
fn the_error_of_libzmq_is_understood() {
    let error = command(b"^RROR\x03400");
    for (_, mut who) in stages() {
        let refused = PeerFault::RefusedUs { reason: "400".into() };
        assert_eq!(silent_fault(&mut who, &error), refused);
    }
    let malformed = command(b"^RROR\x04400");
    assert_eq!(silent_fault(&mut client(), &malformed), PeerFault::MalformedCommand);
    // Nobody else spells it so.
    let mut null = Handshake::new(config(SocketType::Push));
    null.output();
    null.feed(GREETING).unwrap();
    null.output();
    assert_eq!(silent_fault(&mut null, &error), PeerFault::MalformedCommand);
}

#[test]
fn a_denial_is_told_by_a_number_or_not_at_all() {
    for (how, told) in [
        (Denial::Temporary, &b""[..]),
        (Denial::Unauthorized, b"\x04\x0a\x05ERROR\x03400"),
        (Denial::Internal, b"\x04\x0a\x05ERROR\x03500"),
    ] {
        let mut server = server();
        server.feed(HELLO).unwrap();
        let denied = PeerFault::Denied { how, reason: "why".into() };
        assert_eq!(server.answer(Verdict::deny_with(how, "why")), Err(denied.clone()));
        assert_eq!(&server.output()[..], told);
        assert_eq!(server.answer(Verdict::accept()), Ok(()));
        assert_eq!(server.feed(INITIATE), Err(denied));
        assert!(server.output().is_empty() && !server.is_done());
    }
}

#[test]
fn bad_metadata_is_told_by_a_number_to_the_client_only() {
    let sub = b"\x0bSocket-Type\0\0\0\x03SUB";
    for metadata in [&b"\0"[..], b"\x01x\0\0\0\x05abc", b"\x01x\0\0\0\0\x01X\0\0\0\0", sub] {
        let mut server = welcoming();
        let initiate = command(&[&b"\x08INITIATE"[..], metadata].concat());
        server.feed(&initiate).unwrap_err();
        assert_eq!(&server.output()[..], b"\x04\x0a\x05ERROR\x03400");
        let ready = command(&[&b"\x05READY"[..], metadata].concat());
        silent_fault(&mut welcomed(), &ready);
    }
}

#[test]
fn a_judge_is_ready_when_the_client_is_admitted() {
    let security = Security::PlainServer(Policy::allow_any());
    let mut server =
        Handshake::new(HandshakeConfig { judges: true, security, ..config(SocketType::Pull) });
    server.output();
    server.feed(&[&PLAIN_GREETING[..], HELLO].concat()).unwrap();
    server.answer(Verdict::accept_as("admin")).unwrap();
    assert_eq!(&server.output()[..], WELCOME);
    server.feed(INITIATE).unwrap();
    assert!(server.output().is_empty());
    assert_eq!(server.peer().unwrap().user_id.as_deref(), Some("admin"));
    server.admit();
    assert_eq!(&server.output()[..], READY);
    assert!(server.is_done());
}

#[test]
fn little_is_held_whatever_comes() {
    for (stage, mut who) in stages() {
        let size = 8 * 1024_u64;
        let mut octets = [&[0x06][..], &size.to_be_bytes(), b"\x05HELLO"].concat();
        octets.resize(9 + 8 * 1024 - 1, 0);
        for piece in octets.chunks(1024) {
            who.feed(piece).unwrap();
            assert!(who.held() <= 16 * 1024, "{stage}: {}", who.held());
        }
        who.feed(b"\0").unwrap_err();
        assert_eq!(who.held(), 0);
    }
}

#[test]
fn other_mechanisms_are_refused_at_the_greeting() {
    let mut curve = *GREETING;
    curve[12..17].copy_from_slice(b"CURVE");
    for (greeting, name) in [(GREETING, "NULL"), (&curve, "CURVE")] {
        for mut who in [plain_server_untaken(), client_of(b"admin", b"secret")] {
            who.output();
            let fault = PeerFault::MechanismMismatch { ours: "PLAIN", theirs: name.to_owned() };
            assert_eq!(silent_fault(&mut who, greeting), fault);
        }
    }
}

#[test]
fn a_password_on_its_way_is_not_shown() {
    let mut said = client_of(b"admin", b"secret");
    said.feed(PLAIN_GREETING).unwrap();
    let (mut part, mut again) = (server(), welcoming());
    part.feed(&HELLO[..HELLO.len() - 1]).unwrap();
    again.feed(&[&INITIATE[..], HELLO].concat()).unwrap();
    for handshake in [said, part, again] {
        let shown = format!("{handshake:?}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

/// Such as comes of a HELLO whose lengths are wrong, or that was cut on the way.
#[test]
fn a_password_where_a_name_should_be_is_not_told() {
    for (stage, mut who) in stages() {
        let fault = silent_fault(&mut who, &command(b"\x06secret"));
        assert!(!format!("{fault} {fault:?} {who:?}").contains("secret"), "{stage}: {fault}");
    }
}
