//! Measures ferromq beside other ZeroMQ implementations: two processes over
//! tcp loopback, interleaved, medians. One command builds and runs it:
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml
//! ```
//! Options, after `--`:
//!
//! | | default | |
//! |---|---|---|
//! | `--cell LIST` | all five | `push-pull/64`, `pub-sub/16384`, `req-rep/64`; any size will do |
//! | `--impl LIST` | all | see `peer/mod.rs` |
//! | `--mode LIST` | `ct` | how implementations on tokio run: see [`options::Mode`] |
//! | `--reps N` | 5 | runs of each cell and implementation |
//! | `--seconds S` | 2 | how long one run measures, after a quarter of that to warm up |
//! | `--quick` | | the same as `--reps 3 --seconds 0.5`: for a look, not for the log |
//! | `--json FILE` | beside the binary | where the figures go |
//!
//! Each run is two fresh processes of this binary: one binds port 0 and prints
//! the endpoint, the other connects. Every round runs all cells and
//! implementations once, in random order, so that drift of the machine hits
//! all alike. All sockets have their default options.
//!
//! - PUSH→PULL and PUB→SUB: messages received per second. What PUB drops at
//!   the mark is not counted.
//! - REQ↔REP: the median round trip (and the 99th percentile), one request at a
//!   time.
//! - CPU: processor time of both processes while measuring, per message (per
//!   round trip), in microseconds, which is seconds per million.

mod cell;
mod contestant;
mod crowd;
mod drive;
mod end;
mod gauge;
mod log;
mod options;
mod peer;
mod plan;
mod process;
mod report;
mod run;
mod setup;

use std::error::Error;

use log::Log;
use options::Options;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(end::COMMAND) => return end::main(&arguments.split_off(1)),
        Some(crowd::COMMAND) => return crowd::main(&arguments.split_off(1)),
        _ => {}
    }
    let options = Options::parse(&arguments)?;
    let runs = options.json.with_extension("runs");
    let mut log = Log::open(runs, &plan::identity(&options), options.fresh)?;
    plan::work_off(&options, &mut log)?;
    let results = report::collect(&options, &log);
    report::print_table(&options, &results);
    report::write_json(&options, &results)?;
    report::write_chart(&options, &results)?;
    log.done()
}
