//! The program at one end and libzmq, through pyzmq, at the other. The environment is that
//! of `tests/interop`, made by the same script; there it says what happens without Python.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::scratch::Scratch;
use crate::tool::{Tool, run, start};

const ANY: &str = "tcp://127.0.0.1:0";
const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// An interpreter with pyzmq; nothing, said loudly, if there is no Python.
fn interpreter() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || match std::env::var_os("FERROMQ_INTEROP_PYTHON") {
        Some(named) => Some(named.into()),
        None => environment(),
    };
    if let Some(python) = FOUND.get_or_init(find) {
        return Some(python);
    }
    let ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!ci, "python3 is missing: the tests against libzmq need it");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Not `eprintln`, which is not shown for tests that pass.
    let _ = writeln!(
        std::io::stderr(),
        "\n*** {test} NOT RUN: python3 is missing, so nothing was tested against libzmq ***"
    );
    None
}

fn environment() -> Option<PathBuf> {
    let is_there = |name: &&str| {
        let check = ["-c", "import sys; sys.exit(sys.version_info < (3,))"];
        let status = Command::new(name).args(check).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let python = ["python3", "python"].into_iter().find(is_there)?;
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop-venv");
    let script = Path::new(HERE).join("../tests/interop/setup.py");
    let setup = Command::new(python).arg(script).arg(&directory).output().expect("Python runs");
    let said = String::from_utf8_lossy(&setup.stderr);
    assert!(setup.status.success(), "no pyzmq (on Debian it needs python3-venv): {said}");
    Some(String::from_utf8_lossy(&setup.stdout).trim_end().into())
}

/// A peer that does these steps, see `peer.py`.
fn peer(python: &Path, args: &[&str]) -> Tool {
    let mut command = Command::new(python);
    command.arg(Path::new(HERE).join("tests/cli/peer.py")).args(args);
    Tool::spawn(command)
}

#[test]
fn push_to_libzmq() {
    let Some(python) = interpreter() else { return };
    let mut pull = peer(python, &["pull", "bind", ANY, "recv", "recv"]);
    let endpoint = pull.endpoint();
    run(&["push", "--connect", &endpoint, "--split", "/", "-D", "a/b", "-D", "c"]).succeed();
    assert_eq!(pull.succeed(), "a|b\nc\n");
}

#[test]
fn pull_from_libzmq() {
    let Some(python) = interpreter() else { return };
    let mut pull = start(&["pull", "--bind", ANY, "--count", "2"]);
    peer(python, &["push", "connect", &pull.endpoint(), "send:a|b", "send:c"]).succeed();
    assert_eq!(pull.succeed(), "a b\nc\n");
}

#[test]
fn ask_libzmq() {
    let Some(python) = interpreter() else { return };
    let mut rep = peer(python, &["rep", "bind", ANY, "recv", "send:pong"]);
    assert_eq!(run(&["req", "--connect", &rep.endpoint(), "-D", "ping"]).succeed(), "pong\n");
    assert_eq!(rep.succeed(), "ping\n");
}

#[test]
fn answer_libzmq() {
    let Some(python) = interpreter() else { return };
    let mut rep = start(&["rep", "--bind", ANY, "--count", "1", "--data", "pong"]);
    let req = peer(python, &["req", "connect", &rep.endpoint(), "send:ping", "recv"]);
    assert_eq!(req.succeed(), "pong\n");
    assert_eq!(rep.succeed(), "ping\n");
}

#[test]
fn publish_to_libzmq() {
    let Some(python) = interpreter() else { return };
    let publisher = ["pub", "--bind", ANY, "--wait-for-subscribers", "1"];
    let mut publisher =
        start(&[&publisher[..], &["-D", "news a", "-D", "x", "-D", "news b"]].concat());
    let endpoint = publisher.endpoint();
    let sub = peer(python, &["sub", "connect", &endpoint, "subscribe:news", "recv", "recv"]);
    assert_eq!(sub.succeed(), "news a\nnews b\n");
    publisher.succeed();
}

#[test]
fn subscribe_to_libzmq() {
    let Some(python) = interpreter() else { return };
    let steps = ["recv", "send:x", "send:news|a"];
    let mut xpub = peer(python, &[&["xpub", "bind", ANY], &steps[..]].concat());
    let endpoint = xpub.endpoint();
    let sub = ["sub", "--connect", &endpoint, "--subscribe", "news", "--count", "1"];
    assert_eq!(run(&sub).succeed(), "news a\n");
    assert_eq!(xpub.succeed(), "\\x01news\n");
}

#[test]
fn libzmq_through_a_proxy() {
    let Some(python) = interpreter() else { return };
    let mut proxy = start(&["proxy", "router", "dealer", "--frontend", ANY, "--backend", ANY]);
    let (front, back) = (proxy.endpoint(), proxy.endpoint());
    let rep = peer(python, &["rep", "connect", &back, "recv", "send:pong"]);
    let req = peer(python, &["req", "connect", &front, "send:ping", "recv"]);
    assert_eq!(req.succeed(), "pong\n");
    assert_eq!(rep.succeed(), "ping\n");
}

#[test]
fn plain_with_libzmq() {
    let Some(python) = interpreter() else { return };
    let mut server = peer(python, &["pull", "bind", ANY, "plain-server:ada:engine", "recv"]);
    let endpoint = server.endpoint();
    let push = ["push", "--connect", &endpoint, "-D", "x"];
    run(&[&push[..], &["--plain-user", "ada", "--plain-password", "engine"]].concat()).succeed();
    assert_eq!(server.succeed(), "x\n");

    let mut pull = start(&["pull", "--bind", ANY, "-n", "1", "--plain-server", "ada:engine"]);
    peer(python, &["push", "connect", &pull.endpoint(), "plain:ada:engine", "send:x"]).succeed();
    assert_eq!(pull.succeed(), "x\n");
}

#[test]
fn curve_with_libzmq() {
    let Some(python) = interpreter() else { return };
    // Files of ours that pyzmq reads. Both sides' public keys are where servers look.
    let scratch = Scratch::new("curve-pyzmq");
    let clients = scratch.directory("clients");
    let (server, ada) = (scratch.keys("server.key"), scratch.keys("clients/ada.key"));
    let (server_secret, ada_secret) = (format!("{server}_secret"), format!("{ada}_secret"));

    let theirs = format!("curve-server:{server_secret}:{clients}");
    let mut pull = peer(python, &["pull", "bind", ANY, &theirs, "recv"]);
    let endpoint = pull.endpoint();
    let ours = ["--curve-key", &ada_secret, "--curve-server-key", &server];
    run(&[&["push", "--connect", &endpoint, "-D", "x"], &ours[..]].concat()).succeed();
    assert_eq!(pull.succeed(), "x\n");

    let ours = ["--curve-server", &server_secret, "--allow", &clients];
    let mut pull = start(&[&["pull", "--bind", ANY, "-n", "1"], &ours[..]].concat());
    let theirs = format!("curve:{ada_secret}:{server}");
    peer(python, &["push", "connect", &pull.endpoint(), &theirs, "send:x"]).succeed();
    assert_eq!(pull.succeed(), "x\n");
}

#[test]
fn keys_of_pyzmq_are_read() {
    let Some(python) = interpreter() else { return };
    let scratch = Scratch::new("keys-pyzmq");
    let make = "import sys, zmq.auth; zmq.auth.create_certificates(sys.argv[1], 'server')";
    let made = Command::new(python).args(["-c", make, &scratch.directory("keys")]).status();
    assert!(made.expect("Python runs").success());
    let (key, secret) = (scratch.path("keys/server.key"), scratch.path("keys/server.key_secret"));
    let rep = ["rep", "--bind", ANY, "--echo", "-n", "1", "--curve-server", &secret];
    let mut rep = start(&[&rep[..], &["--allow", "any"]].concat());
    let endpoint = rep.endpoint();
    let req = ["req", "--connect", &endpoint, "-D", "x", "--curve-server-key", &key];
    assert_eq!(run(&req).succeed(), "x\n");
    rep.succeed();
}
