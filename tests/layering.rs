//! Imports only go down: the rule of CONTRIBUTING.md, "The house", kept by a
//! test since no crate keeps it by discipline.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file has at most this many lines, its tests not counted.
const LINES: usize = 500;

const VOCABULARY: &[&str] = &[
    "message",
    "routing_id",
    "endpoint",
    "socket_type",
    "peer",
    "fault",
    "mark",
    "options",
    "error",
    "monitor",
    "printable",
    "random",
    "sync",
];

/// Each room, what it may import from the crate besides the vocabulary and
/// itself, and which external crates it may use.
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    ("zmtp", &[], &["bytes", "thiserror", "tracing"]),
    ("pipe", &[], &[]),
    ("routing", &["pipe"], &["bytes"]),
    ("transport", &[], &["bytes", "tokio", "socket2", "if_addrs", "thiserror", "tracing"]),
    ("pattern", &["pipe", "routing"], &["bytes", "tracing"]),
    ("inproc", &["pipe"], &[]),
    ("tasks", &[], &["tokio"]),
    // The part of the engine that must not know any I/O. A rule for a folder in
    // a room stands before that of the room.
    ("engine/wire", &["zmtp", "pipe"], &["bytes"]),
    ("engine", &["zmtp", "pipe", "tasks", "transport"], &["bytes", "tokio", "tracing"]),
    (
        "socket",
        &["pipe", "routing", "transport", "pattern", "engine", "inproc", "tasks", "context"],
        &["bytes", "tokio", "tracing"],
    ),
    ("context", &["inproc", "tasks"], &["tokio"]),
    // Documentation only.
    ("guide", &[], &[]),
    // Only in tests and under cargo-fuzz; nothing imports it.
    (
        "fuzzing",
        &[
            "zmtp",
            "pipe",
            "routing",
            "transport",
            "pattern",
            "engine",
            "inproc",
            "socket",
            "context",
        ],
        &["bytes", "tokio"],
    ),
    // Only in tests; nothing imports it.
    (
        "simulation",
        &["zmtp", "pipe", "transport", "engine", "socket", "context", "tasks"],
        &["bytes", "tokio"],
    ),
];

const EXTERNAL: &[&str] =
    &["bytes", "thiserror", "tracing", "tokio", "socket2", "if_addrs", "futures_core"];

fn source_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The room a file is in: the first part of its path under `src`.
fn room_of(file: &Path) -> String {
    let first = file.strip_prefix("src").unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// Test modules may look at anything; they come last in a file.
fn without_tests(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = |line: &&str| !line.starts_with("#[cfg(test)]\nmod");
    let end = text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines().filter(code).enumerate().map(|(index, line)| (index + 1, line.trim()))
}

fn is_test_file(file: &Path) -> bool {
    file.components().any(|part| {
        let name = part.as_os_str().to_str().unwrap();
        name == "tests" || name == "tests.rs" || name == "testing.rs"
    })
}

/// The words that follow `marker` in a line of code.
fn names_after<'a>(line: &'a str, marker: &str) -> Vec<&'a str> {
    let code = line.split("//").next().unwrap_or(line);
    let mut names = Vec::new();
    for (index, _) in code.match_indices(marker) {
        let rest = &code[index + marker.len()..];
        let inner = rest.strip_prefix('{').map(|group| group.split('}').next().unwrap_or(group));
        match inner {
            Some(group) => names.extend(group.split(',').map(|name| first_word(name.trim()))),
            None => names.push(first_word(rest)),
        }
    }
    names
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

#[test]
fn imports_only_go_down() {
    let mut faults = Vec::new();
    let mut files = Vec::new();
    source_files(Path::new("src"), &mut files);
    for file in files.iter().filter(|file| !is_test_file(file)) {
        let room = room_of(file);
        if room == "lib" {
            continue;
        }
        let rule = ROOMS.iter().find(|rule| rule.0 == room);
        let vocabulary = VOCABULARY.contains(&room.as_str());
        assert!(rule.is_some() || vocabulary, "{} is in no known room", file.display());
        let text = fs::read_to_string(file).unwrap();
        for (number, line) in without_tests(&text) {
            for name in names_after(line, "crate::") {
                let lower = name.chars().next().is_some_and(char::is_lowercase);
                let own = name == room;
                let allowed = VOCABULARY.contains(&name) && !(room == "zmtp" && name == "monitor")
                    || rule.is_some_and(|rule| rule.1.contains(&name));
                if !lower && room != "fuzzing" && room != "simulation" {
                    // Through the root, nobody sees which room it is in.
                    faults.push(format!("{}:{number}: {name} without its room", file.display()));
                }
                if lower && !own && !allowed {
                    faults.push(format!("{}:{number}: {room} imports {name}", file.display()));
                }
            }
            for external in EXTERNAL {
                let used = line.starts_with(&format!("use {external}::"))
                    || line.contains(&format!(" {external}::"));
                let allowed = match rule {
                    Some(rule) => rule.2.contains(external),
                    None => {
                        ["bytes", "thiserror"].contains(external)
                            || room == "monitor" && *external == "tokio"
                    }
                };
                if used && !allowed && !line.starts_with("//") {
                    faults.push(format!("{}:{number}: {room} uses {external}", file.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn files_stay_short() {
    let mut files = Vec::new();
    source_files(Path::new("src"), &mut files);
    for file in files.iter().filter(|file| !is_test_file(file)) {
        let text = fs::read_to_string(file).unwrap();
        let lines = without_tests(&text).count();
        assert!(lines <= LINES, "{} has {lines} lines, more than {LINES}", file.display());
    }
}

#[test]
fn the_compiler_of_the_msrv_could_read_it() {
    // Chains of `let` in conditions came after 1.85 and are easy to write by
    // habit; no newer compiler warns of them.
    let mut files = Vec::new();
    source_files(Path::new("src"), &mut files);
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            assert!(
                !code.contains("&& let ") && !code.contains("|| let "),
                "{}:{}: a chain of lets needs a newer compiler than 1.85",
                file.display(),
                number + 1
            );
        }
    }
}
