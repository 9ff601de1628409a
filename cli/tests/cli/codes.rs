//! Exit codes, and what is said on stderr.

use crate::scratch::Scratch;
use crate::tool::{run, start};

const ANY: &str = "tcp://127.0.0.1:0";
/// Where nobody listens.
const NOBODY: &str = "tcp://127.0.0.1:1";

#[test]
fn a_wrong_command_line_is_2() {
    let wrong: [&[&str]; 8] = [
        &[],
        &["pull"],
        &["pull", "--bind", "tcp:/127.0.0.1:1"],
        &["pull", "--bind", ANY, "--data", "x"],
        &["push", "--connect", ANY, "--interval", "5"],
        &["rep", "--bind", ANY, "--echo", "--data", "x"],
        &["push", "--connect", ANY, "--plain-user", "ada"],
        &["proxy", "pull", "push", "--frontend", ANY],
    ];
    for args in wrong {
        assert_eq!(run(args).code, Some(2), "{args:?}");
    }
}

#[test]
fn what_cannot_be_done_is_1() {
    let scratch = Scratch::new("codes");
    let not_json = scratch.file("line", "{");
    let mut taken = start(&["pull", "--bind", ANY]);
    let endpoint = taken.endpoint();
    run(&["pull", "--bind", &endpoint]).fails(1, "in use");
    run(&["push", "--connect", NOBODY, "--file", "/no/such/file"]).fails(1, "/no/such/file");
    run(&["push", "--connect", NOBODY, "--input", "json", "--file", &not_json]).fails(1, "JSON");
    run(&["pull", "--bind", ANY, "--curve-server", "/no/such/key", "--allow", "any"])
        .fails(1, "/no/such/key");
    run(&["proxy", "pull", "pull", "--frontend", ANY, "--backend", ANY]).fails(1, "nothing");
}

#[test]
fn a_deadline_before_all_is_done_is_3() {
    run(&["pull", "--bind", ANY, "--count", "1", "--deadline", "50ms"]).fails(3, "deadline");
    // Accepted, and never delivered.
    run(&["push", "--connect", NOBODY, "--data", "x", "--deadline", "50ms"]).fails(3, "deadline");
    run(&["req", "--connect", NOBODY, "--data", "x", "--deadline", "50ms"]).fails(3, "deadline");
    let wait = ["--wait-for-peers", "1", "--deadline", "50ms"];
    run(&[&["push", "--bind", ANY, "--data", "x"], &wait[..]].concat()).fails(3, "deadline");
}

#[test]
fn a_deadline_ends_well_what_has_no_count() {
    assert_eq!(run(&["pull", "--bind", ANY, "--deadline", "50ms"]).code, Some(0));
    assert_eq!(run(&["rep", "--bind", ANY, "--echo", "--deadline", "50ms"]).code, Some(0));
    let proxy = ["proxy", "pull", "push", "--frontend", ANY, "--backend", ANY];
    assert_eq!(run(&[&proxy[..], &["--deadline", "50ms"]].concat()).code, Some(0));
}

#[test]
fn a_deadline_ends_a_flood() {
    let mut push = start(&["push", "--bind", ANY, "--data", "x", "--count", "0"]);
    let pull = ["pull", "--connect", &push.endpoint(), "--quiet", "--deadline", "200ms"];
    assert_eq!(run(&pull).code, Some(0));
}

#[test]
fn what_lingers_too_long_is_given_up() {
    run(&["push", "--connect", NOBODY, "--data", "x", "--linger", "50ms"])
        .fails(1, "1 message was not delivered");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let mut push = start(&["push", "--bind", ANY, "--data", "x", "--count", "0"]);
    let mut pull = start(&["pull", "--connect", &push.endpoint()]);
    assert_eq!(pull.line(), "x");
    pull.stop_reading();
    assert_eq!(pull.finish().code, Some(0));
}

#[cfg(unix)]
#[test]
fn signals_end_it_well() {
    for signal in ["-INT", "-TERM"] {
        let mut pull = start(&["pull", "--bind", ANY]);
        pull.endpoint();
        pull.signal(signal);
        let ended = pull.finish();
        assert_eq!(ended.code, Some(0), "{signal}: {}", ended.stderr);
    }
}

#[test]
fn help_has_examples_and_defaults() {
    let all = run(&["--help"]).succeed();
    assert!(all.contains("Exit codes:"), "{all}");
    let commands = ["push", "pull", "pub", "sub", "req", "rep", "router", "dealer", "pair"];
    let commands = commands.into_iter().chain(["xpub", "xsub", "proxy", "monitor", "bench"]);
    for command in commands.chain(["keygen", "completions"]) {
        assert!(all.contains(&format!("\n  {command} ")), "{all}");
        let help = run(&[command, "--help"]).succeed();
        assert!(help.contains("Examples:"), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_what_waits_for_standard_input() {
    let mut pull = start(&["pull", "--bind", ANY, "--count", "1"]);
    // Its standard input stays open, so it would go on for ever.
    let mut push = start(&["push", "--connect", &pull.endpoint(), "--verbose"]);
    push.write("x\n");
    assert_eq!(pull.line(), "x");
    push.signal("-INT");
    assert_eq!(push.finish().code, Some(0));
    pull.succeed();
}
