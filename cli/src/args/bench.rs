//! The options of `bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use ferromq::Endpoint;

use super::{Ends, Security};
use crate::units::{duration, size};

pub(super) const BENCH: &str = "\
Examples:
  ferromq bench                                       both ends here, over tcp
  ferromq bench --transport ipc --size 1KiB --duration 5s
  ferromq bench serve --bind 'tcp://*:5560'           the other end, on another machine
  ferromq bench --connect tcp://there:5560
  ferromq bench --save before.json
  ferromq bench --compare before.json
";

/// What is measured: from a DEALER to a ROUTER and back.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) command: Option<BenchCommand>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Be the other end, until Ctrl-C
    Serve(ServeArgs),
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) ends: Ends,
    #[command(flatten)]
    pub(crate) security: Security,
    /// End after so long, with code 0
    #[arg(short, long, value_name = "DURATION", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,
}

#[derive(Args)]
pub(crate) struct RunArgs {
    /// Measure against `ferromq bench serve` there [default: both ends are here]
    #[arg(short, long, value_name = "ENDPOINT")]
    pub(crate) connect: Option<Endpoint>,
    /// What is between two ends that are here
    #[arg(short, long, value_enum, value_name = "WHAT", default_value_t)]
    #[arg(conflicts_with = "connect")]
    pub(crate) transport: Transport,
    /// Encrypt what is between two ends that are here
    #[arg(long, conflicts_with = "connect")]
    pub(crate) curve: bool,
    /// What is measured
    #[arg(short, long, value_enum, value_name = "WHAT", default_value_t)]
    pub(crate) mode: Mode,
    /// The octets of a message, such as 64, 16KiB or 1MiB
    #[arg(short, long, value_name = "SIZE", value_parser = size, default_value = "64")]
    pub(crate) size: usize,
    /// How long each of the two is measured
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2s")]
    pub(crate) duration: Duration,
    /// End with code 3 if all takes longer than this
    #[arg(short, long, value_name = "DURATION", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,
    /// Print the result as JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
    /// Keep the result in a file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) save: Option<PathBuf>,
    /// Say how the result differs from one that was kept
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) compare: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) security: Security,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// TCP over the loopback interface
    #[default]
    Tcp,
    /// A Unix domain socket
    Ipc,
    /// Within this process, with no octets on any wire
    Inproc,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    #[default]
    Both,
    /// Messages in one direction, as many as go
    Throughput,
    /// One message at a time, there and back
    Latency,
}

impl Transport {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Ipc => "ipc",
            Self::Inproc => "inproc",
        }
    }
}
