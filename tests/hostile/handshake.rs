//! The commands of the handshake, READY apart from its properties.

use ferromq::{DisconnectReason, PeerFault, PullSocket};

use crate::case::{Case, Outcome, refused, run, serves};
use crate::raw::{
    COMMAND, LONG, MORE, Raw, command, command_body, frame, greeting, header, property, ready,
};
use crate::victim::{End, next_end, probe};

fn after_greeting(name: &str, octets: Vec<u8>, outcome: Outcome) -> Case {
    Case::new(name, [[greeting(), octets].concat()], outcome)
}

fn ready_body() -> Vec<u8> {
    command_body("READY", property("Socket-Type", "PUSH"))
}

#[tokio::test]
async fn what_is_not_ready_is_refused() {
    let error_too_short = command("ERROR", b"\x05four");
    let error_too_long = command("ERROR", b"\x03four");
    run(vec![
        after_greeting("data", frame(0, "hello"), refused("MalformedCommand")),
        after_greeting("empty data", frame(0, ""), refused("MalformedCommand")),
        after_greeting("empty command", frame(COMMAND, ""), refused("MalformedCommand")),
        after_greeting("no name", frame(COMMAND, "\0"), refused("MalformedCommand")),
        after_greeting("hello", command("HELLO", ""), refused("UnexpectedInHandshake")),
        after_greeting("ping", command("PING", b"\0\0"), refused("UnexpectedInHandshake")),
        after_greeting("subscribe", command("SUBSCRIBE", "A"), refused("UnexpectedInHandshake")),
        after_greeting("lower case", command("ready", ""), refused("UnexpectedInHandshake")),
        after_greeting(
            "command and more",
            frame(COMMAND | MORE, ready_body()),
            refused("CommandWithMore"),
        ),
        after_greeting("data and more", frame(MORE, ready_body()), refused("CommandWithMore")),
        after_greeting("error too short", error_too_short, refused("MalformedCommand")),
        after_greeting("error too long", error_too_long, refused("MalformedCommand")),
        after_greeting("error without reason", command("ERROR", ""), refused("MalformedCommand")),
    ])
    .await;
}

#[tokio::test]
async fn ready_may_come_in_unusual_frames() {
    run(vec![
        after_greeting("as data", frame(0, ready_body()), serves()),
        after_greeting("reserved bits", frame(COMMAND | 0xF8, ready_body()), serves()),
        after_greeting("long", frame(COMMAND | LONG, ready_body()), serves()),
    ])
    .await;
}

#[tokio::test]
async fn large_commands_are_refused_at_the_header() {
    let case = |size: u64| {
        let fault = format!("HandshakeTooLarge {{ size: {size} }}");
        after_greeting(&size.to_string(), header(COMMAND, size), refused(&fault))
    };
    run([8193, 1 << 31, 1 << 45, 1 << 63, u64::MAX].map(case).into()).await;
    // The largest that is admitted.
    let mut body = ready_body();
    let name_and_length = 1 + 5 + 4;
    body.extend(property("X-Big", vec![b'x'; 8192 - body.len() - name_and_length]));
    assert_eq!(body.len(), 8192);
    run(vec![after_greeting("8 KiB", frame(COMMAND, body), serves())]).await;
}

#[tokio::test]
async fn ready_truncated_anywhere_is_refused() {
    let body = ready_body();
    let cases = (0..body.len()).map(|len| {
        let outcome = match len {
            0..6 => refused("MalformedCommand"),
            // A READY without properties: libzmq accepts it, and so do we.
            6 => serves(),
            _ => refused("MalformedMetadata"),
        };
        after_greeting(&format!("{len} octets"), frame(COMMAND, &body[..len]), outcome)
    });
    run(cases.collect()).await;
}

/// The reason is reported, and safe to print.
#[tokio::test]
async fn an_error_of_any_length_is_reported() {
    let pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    for len in 0..=255u8 {
        let reason = "4\x07".repeat(128)[..usize::from(len)].to_owned();
        let mut raw = Raw::connect(&endpoint).await;
        let error = command("ERROR", [&[len], reason.as_bytes()].concat());
        raw.send(&[greeting(), error].concat()).await;
        match next_end(&mut monitor).await {
            End::Handshake(DisconnectReason::Fault(PeerFault::RefusedUs { reason: text })) => {
                assert_eq!(text, reason.replace('\x07', "\\x07"));
            }
            other => panic!("{len}: {other:?}"),
        }
        raw.closed().await;
    }
    assert!(probe(&pull, &endpoint).await.is_empty());
}

/// A peer is told why its READY is refused.
#[tokio::test]
async fn a_refused_ready_is_answered_with_error() {
    let pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    for (octets, reason) in [
        (ready("SUB"), "Incompatible-Socket-Type"),
        (ready("PUSHER"), "Unknown-Socket-Type"),
        (command("READY", b"\0\0\0\0\0"), "Invalid-Metadata"),
    ] {
        let mut raw = Raw::connect(&endpoint).await;
        raw.send(&[greeting(), octets].concat()).await;
        let said = raw.closed().await;
        let error = command("ERROR", [&[reason.len() as u8], reason.as_bytes()].concat());
        assert!(said.ends_with(&error), "{reason}: {}", said[64..].escape_ascii());
    }
    assert!(probe(&pull, &endpoint).await.is_empty());
}
