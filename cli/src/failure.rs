//! [`Failure`]: why the program ends otherwise than well, and with which code.

use std::process::ExitCode;
use std::time::Duration;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It cannot be done, for a reason that is said here in full.
    #[error("{0}")]
    Said(String),
    /// A socket, or the system, said no. Its `Debug` has the sources too.
    #[error("{0:?}")]
    Library(ferromq::Error),
    /// Time was up before all was done.
    #[error("the deadline of {0:?} passed before all was done")]
    Deadline(Duration),
    /// Whoever read our output has left, as `head` does: an end like any other.
    #[error("nobody reads the output")]
    OutputClosed,
}

impl Failure {
    /// A failure in words.
    pub(crate) fn said(what: impl Into<String>) -> Self {
        Self::Said(what.into())
    }

    /// Tells the user in one line, and gives the code for scripts.
    pub(crate) fn report(&self) -> ExitCode {
        if matches!(self, Self::OutputClosed) {
            return ExitCode::SUCCESS;
        }
        let line = self.to_string().replace('\n', " ");
        complain(&line);
        match self {
            Self::Deadline(_) => ExitCode::from(3),
            _ => ExitCode::from(1),
        }
    }
}

/// So many messages, in words.
pub(crate) fn messages(count: u64) -> String {
    match count {
        1 => "1 message was".into(),
        count => format!("{count} messages were"),
    }
}

/// A line on standard error. Not `eprintln`, which panics if nobody reads it.
pub(crate) fn complain(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "ferromq: {line}");
}

impl<E: Into<ferromq::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Library(error.into())
    }
}
