//! Our client and our server, and what becomes of each command that is not as it was.

use super::*;

#[test]
fn commands_have_the_sizes_of_the_rfc() {
    let it = Dialogue::new();
    assert_eq!(it.hello.len(), 200);
    assert_eq!(it.welcome.len(), 168);
    assert_eq!(it.initiate.len(), 257 + PUSH.len());
    assert_eq!(it.ready.len(), 30 + PULL.len());
}

#[test]
fn hello_octet_by_octet() {
    let (_, hello) = client();
    assert_eq!(&hello[..8], b"\x05HELLO\x01\x00");
    assert_eq!(hello[8..80], [0; 72]);
    assert_eq!(hello[112..120], [0, 0, 0, 0, 0, 0, 0, 1]);
    let shared = shared(&keys(SERVER), &key(&hello[80..112]));
    let signature = shared.keyed(b"CurveZMQHELLO---").open_vec(1, &hello[120..]).unwrap();
    assert_eq!(signature[..], [0; 64]);
}

#[test]
fn welcome_octet_by_octet() {
    let it = Dialogue::new();
    assert_eq!(&it.welcome[..8], b"\x07WELCOME");
    // Only who has C' could do this, so our client has to be another.
    let (mut server, client) = (server(), ForgedClient::new());
    let welcome = ask(&mut server, &client.hello());
    let nonce = welcome[8..24].try_into().unwrap();
    let shared = shared(&client.short, keys(SERVER).public());
    let plain = shared.open((b"WELCOME-", &nonce), &welcome[24..]).unwrap();
    assert_eq!(plain.len(), 32 + 96);
}

#[test]
fn initiate_octet_by_octet() {
    let (mut client, hello) = client();
    let server = ForgedServer::new(&hello);
    let initiate = ask(&mut client, &server.welcome());
    assert_eq!(&initiate[..9], b"\x08INITIATE");
    assert_eq!(initiate[9..105], [9; 96]);
    assert_eq!(initiate[105..113], [0, 0, 0, 0, 0, 0, 0, 2]);
    let session = shared(&server.short, &server.client);
    let plain = session.keyed(b"CurveZMQINITIATE").open_vec(2, &initiate[113..]).unwrap();
    assert_eq!(plain[..32], *keys(CLIENT).public().as_bytes());
    let nonce = plain[32..48].try_into().unwrap();
    let by_client = shared(&server.short, keys(CLIENT).public());
    let vouch = by_client.open((b"VOUCH---", &nonce), &plain[48..128]).unwrap();
    assert_eq!(vouch[..32], *server.client.as_bytes());
    assert_eq!(vouch[32..], *keys(SERVER).public().as_bytes());
    assert_eq!(&plain[128..], PUSH);
}

#[test]
fn ready_octet_by_octet() {
    let (mut server, client) = (server(), ForgedClient::new());
    let welcome = ask(&mut server, &client.hello());
    let (short, _) = client.open_welcome(&welcome);
    let ready = ask(&mut server, &client.initiate(&welcome, |_| ()));
    assert_eq!(&ready[..14], b"\x05READY\0\0\0\0\0\0\0\x01");
    let session = shared(&client.short, &short);
    let plain = session.keyed(b"CurveZMQREADY---").open_vec(1, &ready[14..]).unwrap();
    assert_eq!(&plain[..], PULL);
}

#[test]
fn keys_nonces_and_cookies_are_new_each_time() {
    let (one, two) = (Dialogue::new(), Dialogue::new());
    assert_ne!(one.hello[80..112], two.hello[80..112], "C'");
    assert_ne!(one.welcome[8..24], two.welcome[8..24], "the nonce of WELCOME");
    assert_ne!(one.initiate[9..105], two.initiate[9..105], "the cookie");
    let opened = |number: u8| {
        let client = ForgedClient { short: keys(number), ..ForgedClient::new() };
        client.open_welcome(&ask(&mut server(), &client.hello())).0
    };
    assert_ne!(opened(10), opened(10), "S'");
}

#[test]
fn both_know_the_other() {
    let it = Dialogue::new();
    let (.., of_server) = it.client.into_traffic();
    assert_eq!(of_server.socket_type, Some(SocketType::Pull));
    let (.., of_client) = it.server.into_traffic();
    assert_eq!(of_client.socket_type, Some(SocketType::Push));
}

#[test]
fn the_server_says_that_it_is_one() {
    let mut server = server_of(keys(SERVER));
    assert_eq!(&server.output()[12..33], b"CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
    let mut client = client_of(keys(CLIENT), *keys(SERVER).public());
    assert_eq!(&client.output()[..], GREETING);
}

/// Carries what each side says to the other, split after `split` octets.
fn shake_hands_split(split: usize) {
    let mut client = client_of(keys(CLIENT), *keys(SERVER).public());
    let mut server = server_of(keys(SERVER));
    let deliver = |to: &mut Handshake, octets: BytesMut| {
        let (first, second) = octets.split_at(split.min(octets.len()));
        to.feed(first).unwrap();
        to.feed(second).unwrap();
    };
    for _ in 0..4 {
        let said = take(&mut client);
        deliver(&mut server, said);
        let said = take(&mut server);
        deliver(&mut client, said);
    }
    assert!(client.is_done() && server.is_done(), "{split}");
}

#[test]
fn everything_may_come_in_any_two_pieces() {
    // INITIATE is the longest, but for greeting and HELLO together.
    for split in 0..=9 + 257 + PUSH.len() {
        shake_hands_split(split);
    }
}

#[test]
fn everything_may_come_octet_by_octet() {
    let mut client = client_of(keys(CLIENT), *keys(SERVER).public());
    let mut server = server_of(keys(SERVER));
    for _ in 0..4 {
        for octet in take(&mut client) {
            server.feed(&[octet]).unwrap();
        }
        for octet in take(&mut server) {
            client.feed(&[octet]).unwrap();
        }
    }
    assert!(client.is_done() && server.is_done());
}

/// One of the four commands, and somebody who waits for it.
fn waiter(index: usize) -> (&'static str, Handshake, Vec<u8>) {
    match index {
        0 => ("HELLO", server(), client().1),
        1 => {
            let (client, hello) = client();
            let welcome = ask(&mut server(), &hello);
            ("WELCOME", client, welcome)
        }
        2 => {
            let (mut server, client) = (server(), ForgedClient::new());
            let welcome = ask(&mut server, &client.hello());
            ("INITIATE", server, client.initiate(&welcome, |_| ()))
        }
        _ => {
            let (mut client, hello) = client();
            let server = ForgedServer::new(&hello);
            ask(&mut client, &server.welcome());
            ("READY", client, server.ready(1, PULL))
        }
    }
}

fn waiting() -> [(&'static str, Handshake, Vec<u8>); 4] {
    [0, 1, 2, 3].map(waiter)
}

#[test]
fn each_of_them_is_what_is_waited_for() {
    for (name, mut who, command) in waiting() {
        assert!(say(&mut who, &command).is_ok(), "{name}");
    }
}

#[test]
fn a_command_that_is_cut_or_longer_is_refused() {
    for cut in [1, 2, 16, 17, 60] {
        for (name, mut who, command) in waiting() {
            if let Some(len) = command.len().checked_sub(cut) {
                silent_fault(&mut who, &command[..len]);
            }
            assert!(!who.is_done(), "{name}");
        }
    }
    for more in [1, 16] {
        for (_, mut who, command) in waiting() {
            let longer = [&command[..], &vec![0; more]].concat();
            silent_fault(&mut who, &longer);
        }
    }
}

#[test]
fn a_command_of_any_length_that_is_not_its_own_is_refused() {
    // Down to the name, and the name itself.
    for (_, _, command) in waiting() {
        for len in 0..command.len() {
            let mut who = match &command[..6] {
                b"\x05HELLO" | b"\x08INITI" => server(),
                _ => client().0,
            };
            let fault = silent_fault(&mut who, &command[..len]);
            let is_expected = matches!(
                fault,
                PeerFault::MalformedCommand
                    | PeerFault::UnexpectedInHandshake { .. }
                    | PeerFault::NotAuthentic { .. }
            );
            assert!(is_expected, "{len}: {fault}");
        }
    }
}

/// What happens if this bit of a command is another.
fn with_bit_flipped(index: usize, bit: usize) -> Option<(Handshake, Result<(), PeerFault>)> {
    let (_, mut who, mut command) = waiter(index);
    *command.get_mut(bit / 8)? ^= 1 << (bit % 8);
    let fed = who.feed(&frame(&command));
    Some((who, fed))
}

/// About every octet, and each of the eight bits in turn.
fn refuses_any_change(index: usize) {
    let mut bit = 0;
    while let Some((mut who, fed)) = with_bit_flipped(index, bit) {
        assert!(fed.is_err(), "{bit}");
        assert!(who.output().is_empty() && !who.is_done() && who.question().is_none(), "{bit}");
        bit += 8 + usize::from(bit % 3 == 0);
    }
    assert!(bit / 8 >= 65, "{bit}");
}

#[test]
fn no_bit_of_welcome_can_be_changed() {
    refuses_any_change(1);
}

#[test]
fn no_bit_of_initiate_can_be_changed() {
    refuses_any_change(2);
}

#[test]
fn no_bit_of_ready_can_be_changed() {
    refuses_any_change(3);
}

#[test]
fn no_bit_of_hello_can_be_changed_that_matters() {
    let (_, hello) = client();
    // The padding is not looked at, and the last bit of a key is no part of it.
    let top_of_key = 111 * 8 + 7;
    for bit in 0..hello.len() * 8 {
        let mut changed = hello.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if (8..80).contains(&(bit / 8)) || bit == top_of_key {
            assert!(say(&mut server(), &changed).unwrap().is_some(), "{bit}");
        } else {
            silent_fault(&mut server(), &changed);
        }
    }
}

#[test]
fn the_bit_that_is_no_part_of_a_key_is_found_by_the_vouch() {
    let ((mut client, mut hello), mut server) = (client(), server());
    hello[111] ^= 0x80;
    let welcome = ask(&mut server, &hello);
    let initiate = ask(&mut client, &welcome);
    let fault = silent_fault(&mut server, &initiate);
    assert_eq!(fault, PeerFault::NotAuthentic { command: "INITIATE" });
}

fn unexpected(command: &str) -> PeerFault {
    PeerFault::UnexpectedInHandshake { command: command.to_owned() }
}

#[test]
fn commands_in_another_order_are_refused() {
    let it = Dialogue::new();
    for (name, command) in
        [("WELCOME", &it.welcome), ("INITIATE", &it.initiate), ("READY", &it.ready)]
    {
        assert_eq!(silent_fault(&mut server(), command), unexpected(name));
    }
    for (name, command) in [("HELLO", &it.hello), ("INITIATE", &it.initiate), ("READY", &it.ready)]
    {
        assert_eq!(silent_fault(&mut client().0, command), unexpected(name));
    }
    // A step later.
    for (name, command) in [("HELLO", &it.hello), ("WELCOME", &it.welcome), ("READY", &it.ready)] {
        let mut server = server();
        ask(&mut server, &client().1);
        assert_eq!(silent_fault(&mut server, command), unexpected(name));
    }
    for (name, command) in
        [("HELLO", &it.hello), ("WELCOME", &it.welcome), ("INITIATE", &it.initiate)]
    {
        let (mut client, hello) = client();
        ask(&mut client, &ask(&mut server(), &hello));
        assert_eq!(silent_fault(&mut client, command), unexpected(name));
    }
}

#[test]
fn commands_of_other_mechanisms_and_of_the_traffic_are_refused() {
    for (name, command) in [
        ("READY", &b"\x05READY\x0bSocket-Type\0\0\0\x04PUSH"[..]),
        ("PING", b"\x04PING\0\0"),
        ("SUBSCRIBE", b"\x09SUBSCRIBE"),
        ("MESSAGE", b"\x07MESSAGE\0\0\0\0\0\0\0\x02000000000000000000"),
    ] {
        assert_eq!(silent_fault(&mut server(), command), unexpected(name));
        assert_eq!(silent_fault(&mut client().0, command), unexpected(name));
    }
    // HELLO of PLAIN is one of the wrong size.
    let plain = b"\x05HELLO\x05admin\x06secret";
    assert_eq!(silent_fault(&mut server(), plain), PeerFault::MalformedCommand);
}

#[test]
fn two_clients_do_not_take_each_other_for_a_server() {
    let (_, hello) = client();
    assert_eq!(silent_fault(&mut client().0, &hello), unexpected("HELLO"));
}

#[test]
fn what_comes_twice_in_one_piece_is_refused() {
    let (_, hello) = client();
    let mut server = server();
    let twice = [frame(&hello), frame(&hello)].concat();
    assert_eq!(server.feed(&twice), Err(unexpected("HELLO")));
    let (mut client, hello) = client();
    let welcome = frame(&ForgedServer::new(&hello).welcome());
    assert_eq!(client.feed(&[&welcome[..], &welcome].concat()), Err(unexpected("WELCOME")));
}

#[test]
fn after_the_handshake_its_commands_mean_nothing() {
    let it = Dialogue::new();
    let (mut server, mut client) = (it.server, it.client);
    server.feed(&frame(&it.initiate)).unwrap();
    assert_eq!(server.into_traffic().0.next(), Err(PeerFault::MalformedCommand));
    client.feed(&frame(&it.ready)).unwrap();
    assert_eq!(client.into_traffic().0.next(), Err(PeerFault::MalformedCommand));
}

#[test]
fn error_is_understood_at_each_stage() {
    for len in 0..=255_u8 {
        let reason = "4".repeat(len.into());
        let error = [b"\x05ERROR", &[len][..], reason.as_bytes()].concat();
        let whos = if len % 50 == 3 { Vec::from(waiting()) } else { Vec::new() };
        let whos = whos.into_iter().map(|(_, who, _)| who);
        for mut who in whos.chain([server(), client().0]) {
            let refused = PeerFault::RefusedUs { reason: reason.clone() };
            assert_eq!(silent_fault(&mut who, &error), refused);
        }
    }
    for malformed in [&b"\x05ERROR"[..], b"\x05ERROR\x01", b"\x05ERROR\x03400x"] {
        for (_, mut who, _) in waiting() {
            assert_eq!(silent_fault(&mut who, malformed), PeerFault::MalformedCommand);
        }
    }
}

#[test]
fn a_server_with_another_key_says_nothing() {
    let (_, hello) = client();
    let mut other = greeted(server_of(keys(OTHER_SERVER)));
    let fault = silent_fault(&mut other, &hello);
    assert_eq!(fault, PeerFault::NotAuthentic { command: "HELLO" });
}

#[test]
fn a_policy_that_denies_is_told_by_a_number() {
    use crate::security::Denial;
    for (how, told) in [
        (Denial::Temporary, None),
        (Denial::Unauthorized, Some(&b"\x05ERROR\x03400"[..])),
        (Denial::Internal, Some(b"\x05ERROR\x03500")),
    ] {
        let (mut server, fed) = initiated(|_| ());
        fed.unwrap();
        let question = server.question().unwrap();
        let is_key = matches!(&question.credentials,
            crate::security::Credentials::Curve(key) if key == keys(CLIENT).public());
        assert!(is_key, "{question:?}");
        assert_eq!(question.peer.socket_type, Some(SocketType::Push));
        let denied = PeerFault::Denied { how, reason: "why".into() };
        assert_eq!(server.answer(Verdict::deny_with(how, "why")), Err(denied.clone()));
        let said = server.output();
        assert_eq!((!said.is_empty()).then(|| body(&said)).as_deref(), told);
        assert!(!server.is_done());
        // It is over: nothing lets it in any more.
        assert_eq!(server.answer(Verdict::accept()), Ok(()));
        assert_eq!(server.feed(b"x"), Err(denied));
        assert!(!server.is_done() && server.output().is_empty());
    }
}

#[test]
fn what_comes_before_the_verdict_belongs_to_the_traffic() {
    // A client that seals its first MESSAGE without waiting for READY.
    let (mut server, client) = (server(), ForgedClient::new());
    let welcome = ask(&mut server, &client.hello());
    let (short, _) = client.open_welcome(&welcome);
    let initiate = client.initiate(&welcome, |_| ());
    let session = shared(&client.short, &short);
    let sealed = session.keyed(b"CurveZMQMESSAGEC").seal_vec(3, b"\0early");
    let message = [&b"\x07MESSAGE\0\0\0\0\0\0\0\x03"[..], &sealed].concat();
    server.feed(&[frame(&initiate), frame(&message)].concat()).unwrap();
    assert!(server.question().is_some() && server.output().is_empty());
    server.answer(Verdict::accept()).unwrap();
    server.output();
    let (mut receiving, ..) = server.into_traffic();
    let next = receiving.next().unwrap();
    assert_eq!(next, Some(crate::zmtp::Incoming::Message("early".into())));
}

#[test]
fn little_is_held_whatever_comes() {
    for (name, mut who, command) in waiting() {
        // The largest command that is admitted, all but its last octet.
        let size = 8 * 1024_u64;
        let mut octets = [&[0x06][..], &size.to_be_bytes(), &command].concat();
        octets.resize(9 + 8 * 1024 - 1, 0);
        for piece in octets.chunks(1024) {
            who.feed(piece).unwrap();
            assert!(who.held() <= 16 * 1024, "{name}: {}", who.held());
        }
        who.feed(b"\0").unwrap_err();
        assert_eq!(who.held(), 0);
        let size = 8 * 1024 + 1;
        let (_, mut who, _) = waiting().into_iter().find(|it| it.0 == name).unwrap();
        let fed = who.feed(&[&[0x06][..], &u64::to_be_bytes(size)].concat());
        assert_eq!(fed, Err(PeerFault::HandshakeTooLarge { size }));
    }
}
