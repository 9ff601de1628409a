//! `ferromq`: ZeroMQ sockets on the command line.
//!
//! `args` says what there is, `cat` is every socket command, each other command has a file
//! of its own. What ends early, and how that is told, is in `ending` and `failure`.

mod args;
mod cat;
mod ending;
mod failure;
mod input;
mod output;
mod socket;
mod units;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Runs a command to its end. What its sockets have left to do is seen to in there: the
/// runtime ends with it, and does not wait for a thread that reads standard input.
fn run(command: Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(dispatch(command));
    runtime.shutdown_background();
    done
}

async fn dispatch(command: Command) -> Result<(), Failure> {
    match command.into_job() {
        Ok(job) => cat::run(job).await,
        Err(_) => Err(Failure::said("not there yet")),
    }
}
