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
    "security",
    "socket_type",
    "peer",
    "fault",
    "mark",
    "options",
    "error",
    "monitor",
    "printable",
    "properties",
    "random",
    "stats",
    "sync",
];

/// What the vocabulary may use, unless a room of it has a row below.
const PLAIN: &[&str] = &["bytes", "thiserror"];

/// Each room, what it may import from the crate besides the vocabulary and
/// itself, and which external crates it may use.
///
/// A room is a folder or a file. A folder in a room may have a row of its own:
/// then it is another room, and what imports it, or is imported by it, has to
/// say so.
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    ("message", &[], &["bytes", "serde", "serde_json", "thiserror"]),
    ("sync", &[], &["parking_lot"]),
    ("monitor", &[], &["bytes", "futures_core", "thiserror", "tokio"]),
    ("random", &[], &["getrandom"]),
    ("security", &[], &["bytes", "subtle", "thiserror", "x25519_dalek", "zeroize"]),
    (
        "zmtp",
        &[],
        &[
            "bytes",
            "thiserror",
            "tracing",
            "cryptoxide",
            "salsa20",
            "subtle",
            "x25519_dalek",
            "zeroize",
        ],
    ),
    ("pipe", &[], &[]),
    ("routing", &["pipe"], &["bytes"]),
    ("pattern", &["pipe", "routing"], &["bytes", "tracing"]),
    ("inproc", &["pipe"], &[]),
    ("tasks", &[], &["tokio"]),
    ("threads", &["tasks"], &["tokio", "tracing"]),
    ("transport", &[], &["tokio", "socket2", "if_addrs", "thiserror", "tracing"]),
    ("engine/wire", &["zmtp", "pipe"], &["bytes"]),
    (
        "engine",
        &["engine/wire", "zmtp", "pipe", "tasks", "transport"],
        &["bytes", "tokio", "tracing"],
    ),
    ("context", &["inproc", "tasks", "threads"], &[]),
    (
        "socket",
        &["pipe", "routing", "pattern", "inproc", "tasks", "transport", "engine", "context"],
        &["bytes", "futures_core", "futures_sink", "tokio", "tracing"],
    ),
    ("request", &["context", "routing", "socket"], &["bytes", "thiserror", "tokio", "tracing"]),
    ("proxy", &["socket"], &["thiserror", "tokio"]),
    ("blocking", &["context", "socket"], &[]),
    // Documentation only.
    ("guide", &[], &[]),
    // Only in tests and under cargo-fuzz; nothing imports them.
    ("fuzzing", EVERYTHING, &["bytes", "tokio"]),
    ("simulation", EVERYTHING, &["bytes", "tokio"]),
];

const EVERYTHING: &[&str] = &[
    "zmtp",
    "pipe",
    "routing",
    "pattern",
    "inproc",
    "tasks",
    "threads",
    "transport",
    "engine/wire",
    "engine",
    "context",
    "socket",
];

const EXTERNAL: &[&str] = &[
    "bytes",
    "futures_core",
    "futures_sink",
    "thiserror",
    "tracing",
    "tokio",
    "socket2",
    "if_addrs",
    "parking_lot",
    "serde",
    "serde_json",
    "getrandom",
    "cryptoxide",
    "salsa20",
    "subtle",
    "x25519_dalek",
    "zeroize",
];

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

/// The module that a file is, as a path below `src`: `engine/wire` for its
/// `mod.rs`, `engine/wire/inward` for a file beside it.
fn module_of(file: &Path) -> String {
    let path = file.strip_prefix("src").unwrap().with_extension("");
    let path = path.to_str().unwrap().replace('\\', "/");
    path.strip_suffix("/mod").unwrap_or(&path).to_owned()
}

/// The room that a module is in: the one with the longest name that its path
/// begins with, so that `engine/wire/inward` is not in `engine`.
fn room_of(module: &str) -> Option<&'static str> {
    let is_in = |room: &&str| {
        let rest = module.strip_prefix(room);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let rooms = ROOMS.iter().map(|row| row.0).chain(VOCABULARY.iter().copied());
    rooms.filter(is_in).max_by_key(|room| room.len())
}

/// Test modules may look at anything; they come last in a file.
fn without_tests(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines().enumerate().map(|(index, line)| (index + 1, line))
}

fn is_test_file(file: &Path) -> bool {
    file.components().any(|part| {
        let name = part.as_os_str().to_str().unwrap();
        name == "tests" || name == "tests.rs" || name == "testing.rs"
    })
}

/// The paths in a line of code, each up to where a group begins: of
/// `use crate::pipe::{By, Rest};` it is `crate::pipe::`.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or(line);
    let is_other = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
    code.split(is_other).filter(|word| word.contains("::"))
}

/// The module or item that a path in `module` leads to, if it is one of ours and
/// begins at the root or above: `super::super::line` in `engine/wire/inward` is
/// `engine/line`. (Modules within a file are not known here. Seen from one, this
/// is a step too high, which may find a fault that is none.)
fn target(module: &str, path: &str) -> Option<String> {
    let mut place: Vec<&str> = module.split('/').collect();
    let mut names = path.split("::").filter(|name| !name.is_empty()).peekable();
    match *names.peek()? {
        "crate" => place.clear(),
        "self" | "super" => {}
        _ => return None,
    }
    for name in names {
        match name {
            "crate" | "self" => {}
            "super" => drop(place.pop()),
            name => place.push(name),
        }
    }
    Some(place.join("/"))
}

/// What one path in a module of `room` breaks, if anything.
fn fault(room: &str, module: &str, path: &str) -> Option<String> {
    let row = ROOMS.iter().find(|row| row.0 == room);
    let (rooms, crates) = row.map_or((&[][..], PLAIN), |row| (row.1, row.2));
    let Some(target) = target(module, path) else {
        let first = path.split("::").next()?;
        let is_refused = EXTERNAL.contains(&first) && !crates.contains(&first);
        return is_refused.then(|| format!("{room} uses {first}"));
    };
    let Some(other) = room_of(&target) else {
        // Through the root, nobody sees which room it is in.
        let is_refused = path.starts_with("crate::") && rooms != EVERYTHING;
        return is_refused.then(|| format!("{path} does not name its room"));
    };
    let is_word = VOCABULARY.contains(&other) && !(room == "zmtp" && other == "monitor");
    let is_allowed = other == room || is_word || rooms.contains(&other);
    (!is_allowed).then(|| format!("{room} imports {other}"))
}

/// What breaks the rule in a file with this text.
fn faults(file: &Path, text: &str) -> Vec<String> {
    let (module, file) = (module_of(file), file.display());
    let Some(room) = room_of(&module) else { return vec![format!("{file}: in no known room")] };
    let lines = without_tests(text);
    let paths = lines.flat_map(|(number, line)| paths(line).map(move |path| (number, path)));
    paths
        .filter_map(|(number, path)| Some((number, fault(room, &module, path)?)))
        .map(|(number, fault)| format!("{file}:{number}: {fault}"))
        .collect()
}

#[test]
fn imports_only_go_down() {
    let mut files = Vec::new();
    source_files(Path::new("src"), &mut files);
    files.retain(|file| !is_test_file(file) && module_of(file) != "lib");
    let of_file = |file: &PathBuf| faults(file, &fs::read_to_string(file).unwrap());
    let faults: Vec<_> = files.iter().flat_map(of_file).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn what_goes_up_is_found() {
    for (file, line, fault) in [
        ("engine/wire/made_up.rs", "use tokio::time::Sleep;", "engine/wire uses tokio"),
        ("engine/wire/made_up.rs", "    tokio::spawn(work);", "engine/wire uses tokio"),
        ("engine/wire/made_up.rs", "use crate::engine::listen;", "engine/wire imports engine"),
        ("engine/wire/made_up.rs", "use super::super::line::Pulled;", "engine/wire imports engine"),
        ("engine/wire/made_up.rs", "use super::super::{bell, line};", "engine/wire imports engine"),
        ("engine/wire/mod.rs", "use super::bell::Bell;", "engine/wire imports engine"),
        ("engine/made_up.rs", "use crate::socket::Core;", "engine imports socket"),
        ("socket/made_up.rs", "use crate::engine::wire::Flight;", "socket imports engine/wire"),
        ("pipe/made_up.rs", "    frame: Option<bytes::Bytes>,", "pipe uses bytes"),
        ("zmtp/made_up.rs", "use crate::monitor::Monitor;", "zmtp imports monitor"),
        ("mark.rs", "use super::pipe::{", "mark imports pipe"),
        ("mark.rs", "use tokio::sync::Notify;", "mark uses tokio"),
        ("peer.rs", "use x25519_dalek::PublicKey;", "peer uses x25519_dalek"),
        ("security/made_up.rs", "use salsa20::XSalsa20;", "security uses salsa20"),
        ("context.rs", "use crate::{Message, socket};", "crate:: does not name its room"),
        ("context.rs", "use crate::Message;", "crate::Message does not name its room"),
    ] {
        let text = format!("//! Made up.\n{line}\n");
        let found = faults(&Path::new("src").join(file), &text);
        assert_eq!(found, [format!("src/{file}:2: {fault}")], "{line}");
    }
    assert_eq!(faults(Path::new("src/cellar.rs"), ""), ["src/cellar.rs: in no known room"]);
}

#[test]
fn what_goes_down_is_let_pass() {
    for (file, text) in [
        ("engine/wire/made_up.rs", "use super::sinks::Sink;\nuse crate::pipe::{By, Rest};"),
        ("engine/wire/made_up.rs", "/// As in [`Line`](crate::engine) or tokio::io."),
        ("engine/wire/made_up.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n    use tokio::io;\n}"),
        ("engine/made_up.rs", "use super::wire::Flight;\nuse tokio::io;"),
        ("zmtp/made_up.rs", "pub(in crate::zmtp) use crate::fault::PeerFault;"),
        ("fuzzing/made_up.rs", "use crate::{Message, PeerFault};"),
    ] {
        let found = faults(&Path::new("src").join(file), text);
        assert!(found.is_empty(), "{found:?}");
    }
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
