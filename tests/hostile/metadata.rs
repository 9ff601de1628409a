//! The properties of READY.

use crate::case::{Case, Outcome, refused, run, serves};
use crate::raw::{command, greeting, property};

fn with(name: &str, properties: &[Vec<u8>], outcome: Outcome) -> Case {
    let octets = [greeting(), command("READY", properties.concat())].concat();
    Case::new(name, [octets], outcome)
}

fn push() -> Vec<u8> {
    property("Socket-Type", "PUSH")
}

fn many(count: usize) -> Vec<Vec<u8>> {
    (1..count).map(|number| property(&format!("X-{number}"), "")).chain([push()]).collect()
}

#[tokio::test]
async fn lengths_that_do_not_add_up_are_refused() {
    let malformed =
        |octets: &[u8]| with("malformed", &[octets.to_vec()], refused("MalformedMetadata"));
    run(vec![
        malformed(b"\x0BSocket-Type\xFF\xFF\xFF\xFFPUSH"),
        malformed(b"\x0BSocket-Type\x7F\xFF\xFF\xFFPUSH"),
        malformed(b"\x0BSocket-Type\0\0\0\x05PUSH"),
        malformed(b"\0\0\0\0\x04PUSH"),
        malformed(b"\0"),
        malformed(b"\xFFX"),
        malformed(b"\x01X\0\0\0"),
        with("garbage at the end", &[push(), vec![7]], refused("MalformedMetadata")),
    ])
    .await;
}

#[tokio::test]
async fn the_number_of_properties_is_bounded() {
    run(vec![
        with("64", &many(64), serves()),
        with("65", &many(65), refused("TooManyProperties { limit: 64 }")),
        with("400", &many(400), refused("TooManyProperties { limit: 64 }")),
        with("one twice", &[push(), push()], refused("DuplicateProperty")),
        with(
            "one twice, in another case",
            &[push(), property("SOCKET-TYPE", "PUSH")],
            refused("DuplicateProperty"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn names_are_compared_without_case() {
    run(vec![
        with("lower", &[property("socket-type", "PUSH")], serves()),
        with("lower and wrong", &[property("socket-type", "SUB")], refused("Incompatible")),
        with("unknown names", &[push(), property("Resource", "x"), property("X-A", "")], serves()),
    ])
    .await;
}

#[tokio::test]
async fn the_socket_type_must_fit_if_there_is_one() {
    run(vec![
        with("none", &[property("Identity", "")], serves()),
        with("unknown", &[property("Socket-Type", "PUSHER")], refused("UnknownSocketType")),
        with("lower case", &[property("Socket-Type", "push")], refused("UnknownSocketType")),
        with("empty", &[property("Socket-Type", "")], refused("UnknownSocketType")),
        with("incompatible", &[property("Socket-Type", "PULL")], refused("Incompatible")),
        with("long", &[property("Socket-Type", [b'P'; 8000])], refused("UnknownSocketType")),
    ])
    .await;
}

#[tokio::test]
async fn an_identity_is_any_at_most_255_octets() {
    let identity = |octets: &[u8]| vec![push(), property("Identity", octets)];
    run(vec![
        with("empty", &identity(b""), serves()),
        with("1", &identity(b"a"), serves()),
        with("255", &identity(&[b'a'; 255]), serves()),
        with("256", &identity(&[b'a'; 256]), refused("InvalidRoutingId(TooLong(256))")),
        with("zero", &identity(b"\0"), serves()),
        with("like an automatic one", &identity(b"\0\0\0\0\x01"), serves()),
        with("255 zeros", &identity(&[0; 255]), serves()),
        with("256 zeros", &identity(&[0; 256]), refused("InvalidRoutingId(TooLong(256))")),
    ])
    .await;
}
