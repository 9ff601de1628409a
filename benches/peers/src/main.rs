//! Measures ferromq beside other implementations of ZeroMQ, and beside bare
//! streams: two processes over loopback, interleaved, medians. One command builds
//! and runs it, and takes less than half an hour:
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml --features peers
//! ```
//! Each implementation in Rust is a Cargo feature (`monocoque`, `omq`, `rzmq`,
//! `zmqrs`; `peers` is all of them); ferromq, libzmq and the bare streams are
//! always there. How each is set up, and why, is at the top of its module in
//! `peer/`. With the feature `curve` there are cells with CURVE, as
//! `push-pull/tcp+curve/64`; for libzmq it takes the feature `libsodium`, and how
//! that is built is in `peer/libzmq.rs`. Cells with 1,000 peers want 4,100 file descriptors (`ulimit -n 8192`).
//! Options, after `--`:
//!
//! | | default | |
//! |---|---|---|
//! | `--cell LIST` | the quick selection | names of cells, as [`cell`] has them, or how those begin that are wanted of the selection: `pub-sub:32/tcp/64,fan-in` |
//! | `--all` | | the selection is the whole matrix, in all modes: seven hours and more, with `--mode ct` three. `--cell` narrows it |
//! | `--impl LIST` | all built | `raw`, `ferromq`, `libzmq`, and the features |
//! | `--mode LIST` | `ct` | how implementations on tokio run: `ct`, `mt`, `bo`, see [`contestant::Mode`] |
//! | `--reps N` | 5 | runs of each cell and implementation |
//! | `--seconds S` | 1 | how long one run measures, after a quarter of that to warm up |
//! | `--quick` | | the same as `--reps 3 --seconds 0.5`: for a look, not for the log |
//! | `--syscalls` | | one more run of each under `strace -c -f`, for system calls |
//! | `--json FILE` | beside the binary | where the figures go; the chart goes beside it, as `.svg` |
//! | `--fresh` | | forget what a command that was cut off has measured |
//!
//! Every run is appended to a file beside the JSON, `.runs`, until all are done: the
//! same command continues where it was cut off.
//!
//! # What is measured
//!
//! Each run is fresh processes of this binary. One binds and prints the endpoint, the
//! other connects; over inproc one process does both. Each socket is a task
//! (libzmq: a thread), all of one end in the same process. Every round runs all cells
//! and implementations once, in random order, so that drift of the machine hits all
//! alike. Both ends count, and the parent asks them for their counts: a run begins
//! once every socket has had a message.
//!
//! - PUSH→PULL (`push-pull`, `fan-in:N`, `fan-out:N`) and `pair`: messages received
//!   per second, of all receivers together.
//! - `pub-sub:N`: deliveries per second to all subscribers together, and in the last
//!   column how many messages were published. With `:1%` the messages have 100
//!   topics in turn and each SUB wants one. PUB of ferromq, omq and rzmq waits for
//!   a subscriber that is full, as raw streams do; that of libzmq (through its
//!   crate), zmqrs and monocoque drops, and what it drops is published but not
//!   delivered.
//! - `req-rep`: the median round trip and the 99th percentile, one request at a time.
//! - `dealer-router:N`: round trips per second, [`cell::IN_FLIGHT`] requests of each
//!   DEALER at a time, which the ROUTER sends back.
//! - × raw: beside streams of tokio without any protocol, over inproc channels of
//!   tokio. They have no messages to keep apart: they are what there is to win.
//! - × best peer: beside the best in this cell that is neither ferromq nor raw.
//! - CPU: processor time of both ends while measuring, per message received (per
//!   round trip), in microseconds, which is seconds per million.
//! - System calls: of both ends from start to end, per message received, under
//!   strace, which slows them down and so changes how much they batch.
//!
//! What an implementation does not have is shown as –.

mod cell;
mod contestant;
mod crowd;
mod drive;
mod end;
mod gauge;
mod keys;
mod log;
mod options;
mod peer;
mod plan;
mod process;
mod report;
mod run;
mod setup;

use std::error::Error;
use std::process::ExitCode;

use log::Log;
use options::Options;

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(end::COMMAND) => return end::main(&arguments.split_off(1)),
        Some(crowd::COMMAND) => return crowd::main(&arguments.split_off(1)),
        _ => {}
    }
    let options = Options::parse(&arguments)?;
    plan::check_descriptors(&options)?;
    let runs = options.json.with_extension("runs");
    let mut log = Log::open(runs, &plan::identity(&options), options.fresh)?;
    plan::work_off(&options, &mut log)?;
    let results = report::collect(&options, &log);
    report::print_table(&options, &results);
    report::write_json(&options, &results)?;
    report::write_chart(&options, &results)?;
    log.done()
}
