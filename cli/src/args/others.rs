//! The commands that are not a socket: proxy, monitor, keygen and completions.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, ValueEnum};
use clap_complete::Shell;
use ferromq::{Endpoint, SocketType};

use super::{Ends, Security, Tuning};
use crate::units::duration;

pub(super) const PROXY: &str = "\
Examples:
  # A queue between clients (REQ) and workers (REP):
  ferromq proxy router dealer --frontend 'tcp://*:5557' --backend 'tcp://*:5558'
  # A forwarder between publishers and subscribers:
  ferromq proxy xsub xpub --frontend 'tcp://*:5556' --backend 'tcp://*:5566'
  # A streamer whose source is elsewhere, with a copy of everything:
  ferromq proxy pull push --frontend-connect tcp://source:5555 --backend 'tcp://*:5565' \\
      --capture 'tcp://*:5575'
  ferromq sub --connect tcp://localhost:5575          the copy
";

/// Two sockets, and what is between them.
#[derive(Args)]
pub(crate) struct ProxyArgs {
    /// The type of the socket on one side
    #[arg(value_name = "FRONTEND", value_parser = socket_type())]
    pub(crate) frontend_type: SocketType,
    /// The type of the socket on the other
    #[arg(value_name = "BACKEND", value_parser = socket_type())]
    pub(crate) backend_type: SocketType,
    /// Where the frontend listens; may be repeated
    #[arg(long, value_name = "ENDPOINT", help_heading = "Endpoints")]
    #[arg(required_unless_present = "frontend_connect")]
    pub(crate) frontend: Vec<Endpoint>,
    /// Where the frontend connects to; may be repeated
    #[arg(long, value_name = "ENDPOINT", help_heading = "Endpoints")]
    pub(crate) frontend_connect: Vec<Endpoint>,
    /// Where the backend listens; may be repeated
    #[arg(long, value_name = "ENDPOINT", help_heading = "Endpoints")]
    #[arg(required_unless_present = "backend_connect")]
    pub(crate) backend: Vec<Endpoint>,
    /// Where the backend connects to; may be repeated
    #[arg(long, value_name = "ENDPOINT", help_heading = "Endpoints")]
    pub(crate) backend_connect: Vec<Endpoint>,
    /// Publish a copy of each message here
    #[arg(long, value_name = "ENDPOINT", help_heading = "Endpoints")]
    pub(crate) capture: Option<Endpoint>,
    /// The type of the socket that copies go to
    #[arg(long, value_name = "TYPE", default_value = "pub", help_heading = "Endpoints")]
    #[arg(value_parser = socket_type(), requires = "capture")]
    pub(crate) capture_type: SocketType,
    /// End after so long, with code 0
    #[arg(short, long, value_name = "DURATION", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,
    /// Tell on stderr what happens to connections, and at the end how much was forwarded
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Security holds for the frontend and the backend alike, not for the copies
    #[command(flatten)]
    pub(crate) security: Security,
}

pub(super) const MONITOR: &str = "\
Examples:
  ferromq monitor pull --bind 'tcp://*:5555'
  ferromq monitor sub --connect tcp://localhost:5556 --interval 250ms
  ferromq monitor dealer --connect tcp://localhost:5558 --format json --deadline 1m >log
";

/// A socket to be watched.
#[derive(Args)]
pub(crate) struct MonitorArgs {
    /// The type of the socket; what it receives is counted and thrown away (REP sends it back)
    #[arg(value_name = "TYPE", value_parser = socket_type())]
    pub(crate) socket_type: SocketType,
    #[command(flatten)]
    pub(crate) ends: Ends,
    #[command(flatten)]
    pub(crate) tuning: Tuning,
    #[command(flatten)]
    pub(crate) security: Security,
    /// SUB and XSUB: what is subscribed to; may be repeated [default: everything]
    #[arg(short, long, value_name = "PREFIX")]
    pub(crate) subscribe: Vec<String>,
    /// How often the table is made anew
    #[arg(short, long, value_name = "DURATION", value_parser = duration, default_value = "1s")]
    pub(crate) interval: Duration,
    /// End after so many tables
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// End after so long, with code 0
    #[arg(short, long, value_name = "DURATION", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,
    /// How it is shown
    #[arg(short, long, value_enum, value_name = "HOW", default_value_t)]
    pub(crate) format: Table,
}

/// How a monitor shows things.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Table {
    /// A table, which a terminal shows in one place, and the last events under it
    #[default]
    Table,
    /// A line for each event and for each table
    Json,
}

pub(super) const KEYGEN: &str = "\
Examples:
  ferromq keygen                                      print a pair of keys as Z85
  ferromq keygen server.key                           write server.key and server.key_secret
  ferromq keygen clients/ada.key --metadata 'name=Ada Lovelace'

The first of the two files is for others, the second for its owner alone. They are those of
czmq (zcert) and pyzmq (zmq.auth).
";

/// A pair of keys.
#[derive(Args)]
pub(crate) struct KeygenArgs {
    /// The file for the public key; that for both has _secret at its end. Name it *.key for
    /// a directory of certificates. Without it, both keys are printed
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// What is to be known of the owner; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = pair, requires = "file")]
    pub(crate) metadata: Vec<(String, String)>,
    /// Write also where there are such files
    #[arg(long)]
    pub(crate) force: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE is wanted")?;
    Ok((name.into(), value.into()))
}

pub(super) const COMPLETIONS: &str = "\
Examples:
  ferromq completions bash >~/.local/share/bash-completion/completions/ferromq
  ferromq completions fish >~/.config/fish/completions/ferromq.fish
";

/// For which shell.
#[derive(Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

/// A socket type by its name, in any case.
fn socket_type() -> impl clap::builder::TypedValueParser<Value = SocketType> {
    let names = ["req", "rep", "router", "dealer", "pub", "sub", "xpub", "xsub"];
    let names = names.into_iter().chain(["push", "pull", "pair"]);
    PossibleValuesParser::new(names).try_map(|name| {
        let found =
            SocketType::ALL.into_iter().find(|each| each.as_str().eq_ignore_ascii_case(&name));
        found.ok_or("there is no such type of socket")
    })
}
