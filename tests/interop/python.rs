//! A Python interpreter with the pinned pyzmq.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The directory of these tests.
pub(crate) const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");

/// The interpreter of a virtual environment in `target/`, which is made the
/// first time. `FERROMQ_INTEROP_PYTHON` names another one that has pyzmq.
///
/// Without Python this is `None`, which every test reports, loudly.
///
/// # Panics
/// If there is Python but no environment can be made, and with `CI=true` also
/// if there is no Python.
pub(crate) fn interpreter() -> Option<&'static Path> {
    static FOUND: OnceLock<Result<Option<PathBuf>, String>> = OnceLock::new();
    let find = || match std::env::var_os("FERROMQ_INTEROP_PYTHON") {
        Some(named) => Ok(Some(named.into())),
        None => system_python().map(environment).transpose(),
    };
    match FOUND.get_or_init(find) {
        Ok(Some(python)) => return Some(python),
        Ok(None) => missing(),
        Err(reason) => panic!("{reason}"),
    }
    None
}

fn system_python() -> Option<&'static str> {
    let is_python_3 = |name: &&str| {
        let check = "import sys; sys.exit(sys.version_info < (3,))";
        let status = Command::new(name).args(["-c", check]).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    ["python3", "python"].into_iter().find(is_python_3)
}

fn environment(python: &str) -> Result<PathBuf, String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop-venv");
    let setup = Command::new(python)
        .arg(Path::new(HERE).join("setup.py"))
        .arg(&directory)
        .output()
        .expect("Python was there a moment ago");
    if setup.status.success() {
        let path = String::from_utf8(setup.stdout).expect("a path in UTF-8");
        return Ok(path.trim_end().into());
    }
    let said = String::from_utf8_lossy(&setup.stderr);
    Err(format!("no pyzmq in {} (on Debian it needs python3-venv): {said}", directory.display()))
}

fn missing() {
    let ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!ci, "python3 is missing: the interop tests need it");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Not `eprintln`, which is not shown for tests that pass.
    let _ = writeln!(
        std::io::stderr(),
        "\n*** {test} NOT RUN: python3 is missing, so nothing was tested against libzmq ***"
    );
}
