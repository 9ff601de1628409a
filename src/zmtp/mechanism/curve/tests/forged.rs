//! Clients and servers that know what they should not, or say what they should not.

use super::*;

fn not_authentic(command: &'static str) -> PeerFault {
    PeerFault::NotAuthentic { command }
}

/// What an INITIATE leads to that was changed like this. Nothing is said to it.
fn fault_of(change: impl FnOnce(&mut Said)) -> PeerFault {
    let (mut server, fed) = initiated(change);
    assert!(server.output().is_empty() && server.question().is_none());
    fed.unwrap_err()
}

#[test]
fn what_is_forged_without_a_change_is_let_in() {
    let (mut server, fed) = initiated(|_| ());
    assert_eq!(fed, Ok(()));
    server.answer(Verdict::accept()).unwrap();
    assert!(!server.output().is_empty() && server.is_done());
    let (mut client, hello) = client();
    let server = ForgedServer::new(&hello);
    ask(&mut client, &server.welcome());
    assert_eq!(say(&mut client, &server.ready(1, PULL)), Ok(None));
    assert!(client.is_done());
}

#[test]
fn the_vouch_has_to_be_for_this_server() {
    // Another server, to which the client has connected, passes its vouch on.
    let fault = fault_of(|said| said.vouched[1] = *keys(OTHER_SERVER).public());
    assert_eq!(fault, not_authentic("INITIATE"));
}

#[test]
fn the_vouch_has_to_be_for_this_short_term_key() {
    let fault = fault_of(|said| said.vouched[0] = *keys(OTHER).public());
    assert_eq!(fault, not_authentic("INITIATE"));
}

#[test]
fn the_vouch_has_to_have_both_in_their_order() {
    assert_eq!(fault_of(|said| said.vouched.reverse()), not_authentic("INITIATE"));
}

#[test]
fn nobody_vouches_for_another() {
    // Who knows the public key of somebody that is let in.
    let fault = fault_of(|said| said.key = *keys(OTHER).public());
    assert_eq!(fault, not_authentic("INITIATE"));
    let fault = fault_of(|said| said.voucher = keys(OTHER));
    assert_eq!(fault, not_authentic("INITIATE"));
    // Both of another are just another client.
    let (server, fed) = initiated(|said| {
        said.key = *keys(OTHER).public();
        said.voucher = keys(OTHER);
    });
    assert_eq!(fed, Ok(()));
    assert!(server.question().is_some());
}

#[test]
fn a_cookie_means_nothing_in_another_connection() {
    let client = ForgedClient::new();
    let of_another = client.open_welcome(&ask(&mut server(), &client.hello())).1;
    assert_eq!(fault_of(|said| said.cookie = of_another), not_authentic("INITIATE"));
    assert_eq!(fault_of(|said| said.cookie = vec![0; COOKIE]), not_authentic("INITIATE"));
    assert_eq!(fault_of(|said| said.cookie[COOKIE - 1] ^= 1), not_authentic("INITIATE"));
}

#[test]
fn what_was_recorded_lets_nobody_in() {
    let it = Dialogue::new();
    let mut server = server();
    // HELLO alone says nothing of who sends it; it has an answer of its own.
    let welcome = ask(&mut server, &it.hello);
    assert_ne!(welcome, it.welcome);
    assert_eq!(silent_fault(&mut server, &it.initiate), not_authentic("INITIATE"));
    let (mut client, _) = client();
    assert_eq!(silent_fault(&mut client, &it.welcome), not_authentic("WELCOME"));
    let (mut client, hello) = super::client();
    ask(&mut client, &ForgedServer::new(&hello).welcome());
    assert_eq!(silent_fault(&mut client, &it.ready), not_authentic("READY"));
}

#[test]
fn the_number_of_initiate_has_to_be_larger_than_that_of_hello() {
    for (hello_number, number, is_larger) in [
        (1, 1, false),
        (1, 0, false),
        (7, 6, false),
        (7, 7, false),
        (u64::MAX, u64::MAX, false),
        (u64::MAX, 0, false),
        (1, 3, true),
        (7, 8, true),
        (0, 1, true),
    ] {
        let (mut server, client) = (server(), ForgedClient { hello_number, ..ForgedClient::new() });
        let welcome = ask(&mut server, &client.hello());
        let initiate = client.initiate(&welcome, |said| said.number = number);
        let expected = if is_larger { Ok(()) } else { Err(PeerFault::Replayed) };
        assert_eq!(server.feed(&frame(&initiate)), expected, "{hello_number} {number}");
    }
}

#[test]
fn a_signature_that_is_something_else_is_refused() {
    let client = ForgedClient::new();
    let mut signed = SIGNATURE;
    signed[63] = 1;
    for signed in [&signed[..], &SIGNATURE[..63], &[0; 65], &[]] {
        let hello = client.hello_of(signed);
        assert_eq!(silent_fault(&mut server(), &hello), PeerFault::MalformedCommand);
    }
}

#[test]
fn another_version_is_refused() {
    for version in [[0, 0], [1, 1], [2, 0], [0, 1], [1, 255]] {
        let mut hello = ForgedClient::new().hello();
        hello[6..8].copy_from_slice(&version);
        assert_eq!(silent_fault(&mut server(), &hello), PeerFault::MalformedCommand);
    }
}

#[test]
fn weak_keys_are_refused_wherever_they_come() {
    for octets in LOW_ORDER {
        let weak = CurvePublicKey::from_bytes(octets);
        // As C', whose boxes everybody could make.
        let mut hello = ForgedClient::new().hello();
        hello[80..112].copy_from_slice(&octets);
        assert_eq!(silent_fault(&mut server(), &hello), PeerFault::WeakKey);
        // As C: anybody could say that it is its own.
        assert_eq!(fault_of(|said| said.key = weak), PeerFault::WeakKey);
        // As S'.
        let (mut client, hello) = client();
        let welcome = ForgedServer::new(&hello).welcome_of(&[&octets[..], &[9; COOKIE]].concat());
        assert_eq!(silent_fault(&mut client, &welcome), PeerFault::WeakKey);
        // As S, from whoever has set it.
        let mut client = client_of(keys(CLIENT), weak);
        assert_eq!(client.output().len(), 64);
        assert_eq!(client.feed(GREETING), Err(PeerFault::WeakKey));
        assert!(client.output().is_empty());
    }
}

#[test]
fn a_welcome_with_another_cookie_is_refused() {
    let short = *keys(SHORT_SERVER).public();
    for len in [0, 95, 97, 192] {
        let (mut client, hello) = client();
        let plain = [&short.as_bytes()[..], &vec![9; len]].concat();
        let welcome = ForgedServer::new(&hello).welcome_of(&plain);
        assert_eq!(silent_fault(&mut client, &welcome), PeerFault::MalformedCommand);
    }
    let (mut client, hello) = client();
    let welcome = ForgedServer::new(&hello).welcome_of(&[1; 31]);
    assert_eq!(silent_fault(&mut client, &welcome), PeerFault::MalformedCommand);
}

#[test]
fn only_the_server_that_was_meant_is_believed() {
    // One in the middle, who has a key of its own, does not get to see who we are.
    let (mut client, hello) = client();
    let server = ForgedServer { keys: keys(OTHER_SERVER), ..ForgedServer::new(&hello) };
    assert_eq!(silent_fault(&mut client, &server.welcome()), not_authentic("WELCOME"));
    // READY has to come from S'.
    let (mut client, hello) = super::client();
    let server = ForgedServer::new(&hello);
    ask(&mut client, &server.welcome());
    let other = ForgedServer { short: keys(OTHER), ..ForgedServer::new(&hello) };
    assert_eq!(silent_fault(&mut client, &other.ready(1, PULL)), not_authentic("READY"));
}

#[test]
fn nothing_of_one_side_means_anything_from_the_other() {
    // The boxes of both sides have the same key and other nonces: what our client
    // has sealed comes back to it.
    let (mut client, hello) = client();
    let server = ForgedServer::new(&hello);
    let initiate = ask(&mut client, &server.welcome());
    let back = [&b"\x05READY"[..], &initiate[105..]].concat();
    assert_eq!(silent_fault(&mut client, &back), not_authentic("READY"));
}

#[test]
fn a_box_that_is_too_short_for_an_initiate_is_malformed() {
    let session_of = |welcome: &[u8], client: &ForgedClient| {
        let (short, cookie) = client.open_welcome(welcome);
        (shared(&client.short, &short), cookie)
    };
    for len in [0, 1, 31, 32, 47, 48, 127] {
        let (mut server, client) = (server(), ForgedClient::new());
        let welcome = ask(&mut server, &client.hello());
        let (session, cookie) = session_of(&welcome, &client);
        let sealed = session.keyed(INITIATE_NONCE).seal_vec(2, &vec![1; len]);
        let number = 2_u64.to_be_bytes();
        let initiate = [&b"\x08INITIATE"[..], &cookie, &number, &sealed].concat();
        assert_eq!(silent_fault(&mut server, &initiate), PeerFault::MalformedCommand);
    }
}
