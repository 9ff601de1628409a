//! Groups of options that several commands have.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use ferromq::{Endpoint, Linger, RoutingId, SocketOptions};

use crate::units::duration;

/// Where to.
#[derive(Args)]
#[group(id = "ends", required = true, multiple = true)]
pub(crate) struct Ends {
    /// Listen here; may be repeated. With port 0 the system chooses, and stderr tells
    #[arg(short, long, value_name = "ENDPOINT", help_heading = "Endpoints")]
    pub(crate) bind: Vec<Endpoint>,
    /// Connect to this, and again whenever it is lost; may be repeated
    #[arg(short, long, value_name = "ENDPOINT", help_heading = "Endpoints")]
    pub(crate) connect: Vec<Endpoint>,
}

/// How long and how much.
#[derive(Args)]
pub(crate) struct Limits {
    /// End after so many messages. What is sent begins again from the first until then
    /// (0: for ever); with commands that do both, so many are sent and as many received
    #[arg(short = 'n', long, value_name = "N", help_heading = "When to end")]
    pub(crate) count: Option<u64>,
    /// End after so long, such as 250ms, 1.5s or 2m: with code 3 if something was still to be
    /// done, with 0 if that was only to receive without --count
    #[arg(short, long, value_name = "DURATION", value_parser = duration)]
    #[arg(help_heading = "When to end")]
    pub(crate) deadline: Option<Duration>,
    /// How long to wait at the end until all is delivered [default: for ever; 1s after Ctrl-C]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "When to end")]
    pub(crate) linger: Option<Duration>,
}

/// How a socket behaves.
#[derive(Args)]
pub(crate) struct Tuning {
    /// Wait until so many peers are connected before anything is sent
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Endpoints")]
    pub(crate) wait_for_peers: usize,
    /// The id under which a ROUTER shall know us, of 1 to 255 octets
    #[arg(long, value_name = "ID", value_parser = routing_id, help_heading = "Endpoints")]
    pub(crate) routing_id: Option<RoutingId>,
    /// How many messages may wait to be sent, and to be received, for each peer; 0: any number
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "Endpoints")]
    pub(crate) high_water_mark: usize,
    /// Tell on stderr what happens to connections
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

fn routing_id(text: &str) -> Result<RoutingId, String> {
    RoutingId::new(text.as_bytes().to_vec()).map_err(|error| error.to_string())
}

impl Tuning {
    /// These as options of a socket.
    pub(crate) fn options(&self, linger: Option<Duration>) -> SocketOptions {
        let mut options = SocketOptions::new()
            .send_hwm(self.high_water_mark)
            .recv_hwm(self.high_water_mark)
            // A message to a peer that is not there is an error that the user sees.
            .router_mandatory(true);
        if let Some(id) = &self.routing_id {
            options = options.routing_id(id.clone());
        }
        if let Some(linger) = linger {
            options = options.linger(Linger::For(linger));
        }
        options
    }
}

/// What is sent.
#[derive(Args)]
pub(crate) struct Sending {
    /// A message; may be repeated. Without --data and --file, standard input is sent
    #[arg(short = 'D', long, value_name = "TEXT", help_heading = "Sending")]
    #[arg(allow_hyphen_values = true)]
    pub(crate) data: Vec<String>,
    /// A file to send, after all --data; may be repeated
    #[arg(short = 'F', long, value_name = "PATH", help_heading = "Sending")]
    pub(crate) file: Vec<PathBuf>,
    /// How files and standard input become messages [default: files whole, standard input
    /// by lines]
    #[arg(long, value_enum, value_name = "HOW", help_heading = "Sending")]
    pub(crate) input: Option<Input>,
    /// Cut each message into frames where this stands
    #[arg(long, value_name = "TEXT", help_heading = "Sending")]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    pub(crate) split: Option<String>,
    /// Pause between two messages, such as 250ms
    #[arg(short, long, value_name = "DURATION", value_parser = duration, help_heading = "Sending")]
    pub(crate) interval: Option<Duration>,
}

/// How octets become messages.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Input {
    /// A message for each line, without its end
    Lines,
    /// All is one message
    Whole,
    /// A message for each line, as --format json prints them
    Json,
}

/// What becomes of messages that are received.
#[derive(Args)]
pub(crate) struct Receiving {
    /// How messages are printed
    #[arg(short, long, value_enum, value_name = "HOW", default_value_t, help_heading = "Output")]
    pub(crate) format: Format,
    /// Print nothing
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
}

/// How messages become octets.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line each, frames apart by a space, control characters escaped
    #[default]
    Text,
    /// The octets as they are, with nothing before, between or after them
    Raw,
    /// A line each, frames in quotes, all but printable ASCII escaped
    Quoted,
    /// A line each, frames in hexadecimal digits, apart by a space
    Hex,
    /// A line each: {"frames": ["text", {"hex": "00ff"}]}
    Json,
    /// An array of binary frames each, one after the other
    Msgpack,
}
