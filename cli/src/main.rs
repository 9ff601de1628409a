//! `ferromq`: ZeroMQ sockets on the command line.
//!
//! `args` says what there is, `cat` is every socket command, each other command has a file
//! of its own. What ends early, and how that is told, is in `ending` and `failure`.

mod args;
mod bench;
mod cat;
mod ending;
mod failure;
mod input;
mod keygen;
mod monitor;
mod output;
mod proxy;
mod signals;
mod socket;
mod units;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use clap_complete::Shell;
use ferromq::SocketType;

use args::{Cli, Command, Job};
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
    match command {
        Command::Push(args) => cat::run(Job::push(args)).await,
        Command::Pull(args) => cat::run(Job::pull(args)).await,
        Command::Pub(args) => cat::run(Job::publish(args)).await,
        Command::Sub(args) => cat::run(Job::subscribe(args)).await,
        Command::Req(args) => cat::run(Job::ask(args)).await,
        Command::Rep(args) => cat::run(Job::answer(args)).await,
        Command::Dealer(args) => cat::run(Job::free(SocketType::Dealer, args)).await,
        Command::Router(args) => cat::run(Job::route(args)).await,
        Command::Pair(args) => cat::run(Job::free(SocketType::Pair, args)).await,
        Command::XPub(args) => cat::run(Job::xpub(args)).await,
        Command::XSub(args) => cat::run(Job::xsub(args)).await,
        Command::Proxy(args) => proxy::run(args).await,
        Command::Monitor(args) => monitor::run(args).await,
        Command::Bench(args) => bench::run(args).await,
        Command::Keygen(args) => keygen::run(&args),
        Command::Completions(args) => completions(args.shell),
    }
}

fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ferromq", &mut script);
    output::print(String::from_utf8_lossy(&script).trim_end())
}
