//! keygen, completions, monitor and bench.

use crate::scratch::Scratch;
use crate::tool::{run, start};

const ANY: &str = "tcp://127.0.0.1:0";

#[test]
fn keys_are_printed_as_z85() {
    let keys = run(&["keygen"]).succeed();
    let lines: Vec<_> = keys.lines().collect();
    assert!(lines[0].starts_with("public: ") && lines[1].starts_with("secret: "), "{keys}");
    assert!(lines.iter().all(|line| line.len() == 48), "{keys}");
}

#[test]
fn keys_are_written_and_never_over_others() {
    let scratch = Scratch::new("keygen");
    let path = scratch.path("ada.key");
    let keygen = ["keygen", &path, "--metadata", "name=Ada Lovelace"];
    run(&keygen).succeed();
    let read = |path: &str| std::fs::read_to_string(path).expect("a file");
    let (public, secret) = (read(&path), read(&format!("{path}_secret")));
    assert!(public.contains("Ada Lovelace") && !public.contains("secret-key"), "{public}");
    assert!(secret.contains("secret-key"), "{secret}");

    run(&keygen).fails(1, "is there already");
    std::fs::remove_file(&path).expect("it is there");
    run(&keygen).fails(1, "_secret is there already");
    assert_eq!(read(&format!("{path}_secret")), secret);
    run(&["keygen", &path, "--force"]).succeed();
    assert_ne!(read(&format!("{path}_secret")), secret);
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).succeed();
        assert!(script.contains("keygen") && script.contains("wait-for-peers"), "{shell}");
    }
    assert_eq!(run(&["completions", "cmd"]).code, Some(2));
}

#[test]
fn a_monitor_shows_events_and_traffic() {
    let mut monitor = start(&["monitor", "pull", "--bind", ANY, "--interval", "20ms"]);
    let listening = monitor.line();
    let endpoint = listening.strip_suffix(": listening").expect("an event").to_owned();
    let mut push = start(&["push", "--connect", &endpoint]);
    push.write("x\n");
    let mut until = |wanted: &str| loop {
        let line = monitor.line();
        if line.contains(wanted) {
            return line;
        }
    };
    until("ready: PUSH at tcp://127.0.0.1:");
    loop {
        let line = until("all, with those who have left");
        if line.split_whitespace().nth(6) == Some("1") {
            break;
        }
    }
    drop(push);
    until("is gone");
}

#[test]
fn a_monitor_writes_json() {
    let monitor = ["monitor", "sub", "--bind", ANY, "--format", "json", "--count", "2"];
    let printed = run(&[&monitor[..], &["--interval", "10ms"]].concat()).succeed();
    let parse = |line| serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    let lines: Vec<_> = printed.lines().map(parse).collect();
    assert!(lines[0]["event"].as_str().expect("text").ends_with("listening"), "{printed}");
    assert_eq!(lines[1]["traffic"]["messages_in"], 0);
    assert_eq!(lines.len(), 3, "{printed}");
}

#[test]
fn a_benchmark_is_kept_and_compared() {
    let scratch = Scratch::new("bench");
    let file = scratch.path("before.json");
    let bench = ["bench", "--duration", "50ms", "--transport", "inproc"];
    run(&[&bench[..], &["--save", &file]].concat()).succeed();
    let kept: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).expect("it was kept")).expect("JSON");
    assert!(kept["throughput"]["messages"].as_u64() > Some(0), "{kept}");
    assert!(kept["latency"]["p50"].as_u64() <= kept["latency"]["p99"].as_u64(), "{kept}");
    let compared = run(&[&bench[..], &["--compare", &file]].concat()).succeed();
    assert_eq!(compared.matches("before").count(), 9, "{compared}");
    run(&[&bench[..], &["--compare", "/no/such/file"]].concat()).fails(1, "/no/such/file");
}

#[test]
fn a_benchmark_against_another_process() {
    let scratch = Scratch::new("bench-serve");
    let server = scratch.keys("server.key");
    let keys = format!("{server}_secret");
    let serve = ["bench", "serve", "--bind", ANY, "--curve-server", &keys, "--allow", "any"];
    let mut serve = start(&serve);
    let endpoint = serve.endpoint();
    let bench = ["bench", "--connect", &endpoint, "--duration", "50ms", "--json"];
    let report = run(&[&bench[..], &["--curve-server-key", &server]].concat()).succeed();
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert!(report["latency"]["round_trips"].as_u64() > Some(0), "{report}");
    run(&["bench", "--connect", "tcp://127.0.0.1:1", "--deadline", "50ms"]).fails(3, "deadline");
}
