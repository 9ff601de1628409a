//! The command line: every command and its options, as `--help` shows them.

mod bench;
mod others;
mod parts;
mod security;

use clap::{Args, Parser, Subcommand};
use ferromq::SocketType;

pub(crate) use bench::{BenchArgs, BenchCommand, Mode, RunArgs, ServeArgs, Transport};
pub(crate) use others::{CompletionsArgs, KeygenArgs, MonitorArgs, ProxyArgs, Table};
pub(crate) use parts::{Ends, Format, Input, Limits, Receiving, Sending, Tuning};
pub(crate) use security::Security;

/// ZeroMQ sockets on the command line
///
/// Sends, receives, forwards, watches and measures, over tcp and ipc, with peers in any
/// language that has ZeroMQ.
#[derive(Parser)]
#[command(name = "ferromq", version, arg_required_else_help = true, after_help = AFTER)]
#[command(disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER: &str = "\
Examples:
  ferromq pull --bind tcp://*:5555                         print what arrives
  ferromq push --connect tcp://localhost:5555 --data hi    send a message
  ferromq COMMAND --help                                   examples for each command

Exit codes:
  0  all is done    1  an error    2  a wrong command line    3  the deadline passed before
";

/// The commands, in the order in which `--help` lists them.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Send work, shared out among those who pull
    #[command(after_help = PUSH)]
    Push(Push),
    /// Receive work
    #[command(after_help = PULL)]
    Pull(Pull),
    /// Send to everybody who has subscribed
    #[command(after_help = PUB)]
    Pub(Pub),
    /// Receive what is published
    #[command(after_help = SUB)]
    Sub(Sub),
    /// Send requests and print the replies
    #[command(after_help = REQ)]
    Req(Both),
    /// Print requests and reply to them
    #[command(after_help = REP)]
    Rep(Answering),
    /// Send requests to many and print what comes, in no order
    #[command(after_help = DEALER)]
    Dealer(Both),
    /// Send to peers by their ids, which stand before what is received
    #[command(after_help = ROUTER)]
    Router(Answering),
    /// Send and receive, with one peer
    #[command(after_help = PAIR)]
    Pair(Both),
    /// Publish, and print who subscribes to what
    #[command(name = "xpub", after_help = XPUB)]
    XPub(XPub),
    /// Receive what is published, and send to publishers
    #[command(name = "xsub", after_help = XSUB)]
    XSub(XSub),
    /// Forward between two sockets
    #[command(after_help = others::PROXY)]
    Proxy(ProxyArgs),
    /// Watch a socket: its peers, rates, losses and events
    #[command(after_help = others::MONITOR)]
    Monitor(MonitorArgs),
    /// Measure throughput and latency
    #[command(after_help = bench::BENCH)]
    Bench(BenchArgs),
    /// Make a pair of CURVE keys
    #[command(after_help = others::KEYGEN)]
    Keygen(KeygenArgs),
    /// Print a script that completes commands in a shell
    #[command(after_help = others::COMPLETIONS)]
    Completions(CompletionsArgs),
}

const PUSH: &str = "\
Examples:
  ferromq push --connect tcp://localhost:5555 --data hello --data world
  seq 1000 | ferromq push --bind 'tcp://*:5555' --wait-for-peers 3
  ferromq push --connect ipc:///tmp/work --file picture.jpg --deadline 5s
  ferromq push --connect tcp://localhost:5555 --data tick --count 60 --interval 1s
";

const PULL: &str = "\
Examples:
  ferromq pull --bind 'tcp://*:5555'
  ferromq pull --connect tcp://localhost:5555 --count 1 --deadline 2s --format raw >picture.jpg
  ferromq pull --bind 'tcp://*:5555' --format json | jq .frames
";

const PUB: &str = "\
Examples:
  ferromq pub --bind 'tcp://*:5556' --split ' ' --data 'weather sunny' --wait-for-subscribers 1
  tail -f log | ferromq pub --bind 'tcp://*:5556'
";

const SUB: &str = "\
Examples:
  ferromq sub --connect tcp://localhost:5556
  ferromq sub --connect tcp://localhost:5556 --subscribe weather. --subscribe sport.
  ferromq sub --connect tcp://localhost:5556 --deadline 10s | wc -l
";

const REQ: &str = "\
Examples:
  ferromq req --connect tcp://localhost:5557 --data ping --deadline 1s
  ferromq req --connect tcp://localhost:5557          each line is a request
";

const REP: &str = "\
Examples:
  ferromq rep --bind 'tcp://*:5557' --data pong       the same reply to all
  ferromq rep --bind 'tcp://*:5557' --echo            the request as the reply
  ferromq rep --bind 'tcp://*:5557'                   type each reply yourself
";

const DEALER: &str = "\
Examples:
  ferromq dealer --connect tcp://localhost:5558 --data ping --count 1
  ferromq dealer --connect tcp://localhost:5558 --routing-id ada --receive-only
  # A REP peer wants an empty frame before the request:
  ferromq dealer --connect tcp://localhost:5557 --split '|' --data '|ping' --count 1
";

const ROUTER: &str = "\
Examples:
  ferromq router --bind 'tcp://*:5558' --echo
  ferromq router --bind 'tcp://*:5558' --split ' ' --data 'ada hello' --wait-for-peers 1
";

const PAIR: &str = "\
Examples:
  ferromq pair --bind 'tcp://*:5559'                  a chat: lines in, lines out
  ferromq pair --connect tcp://localhost:5559
";

const XPUB: &str = "\
Examples:
  ferromq xpub --bind 'tcp://*:5556' --receive-only --format quoted
  ferromq xpub --bind 'tcp://*:5556' --data news --wait-for-subscribers 2
";

const XSUB: &str = "\
Examples:
  ferromq xsub --connect tcp://localhost:5556 --subscribe weather. --receive-only
";

/// What every socket has.
#[derive(Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) ends: Ends,
    #[command(flatten)]
    pub(crate) limits: Limits,
    #[command(flatten)]
    pub(crate) tuning: Tuning,
    #[command(flatten)]
    pub(crate) security: Security,
}

#[derive(Args)]
pub(crate) struct Push {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Args)]
pub(crate) struct Pull {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    receiving: Receiving,
}

#[derive(Args)]
pub(crate) struct Pub {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    publishing: Publishing,
}

#[derive(Args)]
pub(crate) struct Sub {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    subscribing: Subscribing,
    #[command(flatten)]
    receiving: Receiving,
}

#[derive(Args)]
pub(crate) struct Both {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    receiving: Receiving,
    /// Send nothing: standard input is not read
    #[arg(long, help_heading = "Sending", conflicts_with_all = ["data", "file", "interval"])]
    receive_only: bool,
}

#[derive(Args)]
pub(crate) struct Answering {
    #[command(flatten)]
    both: Both,
    /// Send each message back to where it came from
    #[arg(long, help_heading = "Sending")]
    #[arg(conflicts_with_all = ["data", "file", "interval", "receive_only"])]
    echo: bool,
}

#[derive(Args)]
pub(crate) struct XPub {
    #[command(flatten)]
    both: Both,
    #[command(flatten)]
    publishing: Publishing,
}

#[derive(Args)]
pub(crate) struct XSub {
    #[command(flatten)]
    both: Both,
    #[command(flatten)]
    subscribing: Subscribing,
}

#[derive(Args)]
struct Publishing {
    /// Wait for so many subscribers to the first frame of the first message
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Endpoints")]
    wait_for_subscribers: usize,
}

#[derive(Args)]
struct Subscribing {
    /// Receive what begins with this; may be repeated [default: everything]
    #[arg(short, long, value_name = "PREFIX")]
    subscribe: Vec<String>,
}

/// What one of the socket commands shall do.
pub(crate) struct Job {
    pub(crate) socket_type: SocketType,
    pub(crate) common: Common,
    pub(crate) work: Work,
    pub(crate) subscribe: Vec<String>,
    pub(crate) wait_for_subscribers: usize,
}

/// In which order messages go to and fro.
pub(crate) enum Work {
    Send(Sending),
    Receive(Receiving),
    /// Each message is sent, then its reply is received.
    Ask(Sending, Receiving),
    /// Each message is received, then something is sent.
    Answer(Sending, Receiving),
    /// Each message is received, then sent back.
    Echo(Receiving),
    /// Both at once.
    Both(Sending, Receiving),
}

impl Job {
    fn new(socket_type: SocketType, common: Common, work: Work) -> Self {
        Self { socket_type, common, work, subscribe: Vec::new(), wait_for_subscribers: 0 }
    }

    pub(crate) fn push(args: Push) -> Self {
        Self::new(SocketType::Push, args.common, Work::Send(args.sending))
    }

    pub(crate) fn pull(args: Pull) -> Self {
        Self::new(SocketType::Pull, args.common, Work::Receive(args.receiving))
    }

    pub(crate) fn publish(args: Pub) -> Self {
        let mut job = Self::new(SocketType::Pub, args.common, Work::Send(args.sending));
        job.wait_for_subscribers = args.publishing.wait_for_subscribers;
        job
    }

    pub(crate) fn subscribe(args: Sub) -> Self {
        let mut job = Self::new(SocketType::Sub, args.common, Work::Receive(args.receiving));
        job.subscribe = args.subscribing.subscribe;
        job
    }

    pub(crate) fn xpub(args: XPub) -> Self {
        let mut job = Self::both(SocketType::XPub, args.both);
        job.wait_for_subscribers = args.publishing.wait_for_subscribers;
        job
    }

    pub(crate) fn xsub(args: XSub) -> Self {
        let mut job = Self::both(SocketType::XSub, args.both);
        job.subscribe = args.subscribing.subscribe;
        job
    }

    pub(crate) fn both(socket_type: SocketType, args: Both) -> Self {
        let Both { common, sending, receiving, receive_only } = args;
        let work = match socket_type {
            _ if receive_only => Work::Receive(receiving),
            SocketType::Req => Work::Ask(sending, receiving),
            SocketType::Rep => Work::Answer(sending, receiving),
            _ => Work::Both(sending, receiving),
        };
        Self::new(socket_type, common, work)
    }

    pub(crate) fn answering(socket_type: SocketType, args: Answering) -> Self {
        if args.echo {
            return Self::new(socket_type, args.both.common, Work::Echo(args.both.receiving));
        }
        Self::both(socket_type, args.both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
