//! How messages are printed, and read again.

use crate::scratch::Scratch;
use crate::tool::{run, start};

/// Frames with all that is difficult.
const LINE: &str = r#"{"frames":["a \"b\"",{"hex":"00ff"},"","ü\n"]}"#;

fn printed(format: &str) -> Vec<u8> {
    let scratch = Scratch::new(&format!("format-{format}"));
    let file = scratch.file("line", LINE);
    let mut pull =
        start(&["pull", "--bind", "tcp://127.0.0.1:0", "--count", "1", "--format", format]);
    run(&["push", "--connect", &pull.endpoint(), "--file", &file, "--input", "json"]).succeed();
    let pulled = pull.finish();
    assert_eq!(pulled.code, Some(0), "{}", pulled.stderr);
    pulled.stdout
}

#[test]
fn text_is_safe_for_a_terminal() {
    assert_eq!(printed("text"), "a \"b\" \\u{0}\u{fffd}  ü\\n\n".as_bytes());
}

#[test]
fn raw_adds_nothing() {
    assert_eq!(printed("raw"), b"a \"b\"\x00\xff\xc3\xbc\n");
}

#[test]
fn quoted_is_ascii() {
    assert_eq!(
        printed("quoted"),
        br#""a \"b\"" "\x00\xff" "" "\xc3\xbc\n"
"#
    );
}

#[test]
fn hex_is_digits() {
    assert_eq!(printed("hex"), b"6120226222 00ff  c3bc0a\n");
}

#[test]
fn json_can_be_read_again() {
    assert_eq!(printed("json"), format!("{LINE}\n").as_bytes());
}

#[test]
fn msgpack_is_binary() {
    assert_eq!(
        printed("msgpack"),
        b"\x94\xc4\x05a \"b\"\xc4\x02\x00\xff\xc4\x00\xc4\x03\xc3\xbc\n"
    );
}

#[test]
fn quiet_prints_nothing() {
    let mut pull = start(&["pull", "--bind", "tcp://127.0.0.1:0", "--count", "1", "--quiet"]);
    run(&["push", "--connect", &pull.endpoint(), "--data", "x"]).succeed();
    assert_eq!(pull.succeed(), "");
}
