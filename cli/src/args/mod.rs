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
  ferromq pull --bind 'tcp://*:5555'                       print what arrives
  ferromq push --connect tcp://localhost:5555 --data hi    send a message
  ferromq COMMAND --help                                   examples for each command

Exit codes:
  0  all is done, or Ctrl-C    1  an error    2  a wrong command line    3  too late (--deadline)
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
    Rep(Rep),
    /// Send requests to many and print what comes, in no order
    #[command(after_help = DEALER)]
    Dealer(Free),
    /// Send to peers by their ids, which stand before what is received
    #[command(after_help = ROUTER)]
    Router(Router),
    /// Send and receive, with one peer
    #[command(after_help = PAIR)]
    Pair(Free),
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
What is sent before anybody has subscribed is lost: see --wait-for-subscribers.

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

/// What every socket has beside its endpoints, which come first in `--help`.
#[derive(Args)]
pub(crate) struct Common {
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
    ends: Ends,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(crate) struct Pull {
    #[command(flatten)]
    ends: Ends,
    #[command(flatten)]
    receiving: Receiving,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(crate) struct Pub {
    #[command(flatten)]
    push: Push,
    #[command(flatten)]
    publishing: Publishing,
}

#[derive(Args)]
pub(crate) struct Sub {
    #[command(flatten)]
    pull: Pull,
    #[command(flatten)]
    subscribing: Subscribing,
}

/// Who sends and receives.
#[derive(Args)]
pub(crate) struct Both {
    #[command(flatten)]
    ends: Ends,
    #[command(flatten)]
    sending: Sending,
    #[command(flatten)]
    receiving: Receiving,
    #[command(flatten)]
    common: Common,
}

/// Who may leave it at receiving.
#[derive(Args)]
pub(crate) struct Free {
    #[command(flatten)]
    both: Both,
    /// Send nothing: standard input is not read
    #[arg(long, help_heading = "Sending", conflicts_with_all = ["data", "file", "interval"])]
    receive_only: bool,
}

#[derive(Args)]
pub(crate) struct Rep {
    #[command(flatten)]
    both: Both,
    #[command(flatten)]
    echo: Echo,
}

#[derive(Args)]
pub(crate) struct Router {
    #[command(flatten)]
    free: Free,
    #[command(flatten)]
    echo: Echo,
}

#[derive(Args)]
struct Echo {
    /// Send each message back to where it came from
    #[arg(long, help_heading = "Sending", conflicts_with_all = ["data", "file", "interval"])]
    echo: bool,
}

#[derive(Args)]
pub(crate) struct XPub {
    #[command(flatten)]
    free: Free,
    #[command(flatten)]
    publishing: Publishing,
}

#[derive(Args)]
pub(crate) struct XSub {
    #[command(flatten)]
    free: Free,
    #[command(flatten)]
    subscribing: Subscribing,
}

/// What publishers may do about subscribers that are late or slow.
#[derive(Args, Default)]
pub(crate) struct Publishing {
    /// Before anything is sent, wait for so many subscribers to the first frame of the first
    /// message
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Endpoints")]
    pub(crate) wait_for_subscribers: usize,
    /// Wait for subscribers that are full, rather than drop what they miss
    #[arg(long, help_heading = "Sending")]
    pub(crate) no_drop: bool,
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
    pub(crate) ends: Ends,
    pub(crate) work: Work,
    pub(crate) common: Common,
    pub(crate) subscribe: Vec<String>,
    pub(crate) publishing: Publishing,
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
    fn new(socket_type: SocketType, ends: Ends, work: Work, common: Common) -> Self {
        let (subscribe, publishing) = (Vec::new(), Publishing::default());
        Self { socket_type, ends, work, common, subscribe, publishing }
    }

    pub(crate) fn push(args: Push) -> Self {
        Self::new(SocketType::Push, args.ends, Work::Send(args.sending), args.common)
    }

    pub(crate) fn pull(args: Pull) -> Self {
        Self::new(SocketType::Pull, args.ends, Work::Receive(args.receiving), args.common)
    }

    pub(crate) fn publish(args: Pub) -> Self {
        let (socket_type, publishing) = (SocketType::Pub, args.publishing);
        Self { socket_type, publishing, ..Self::push(args.push) }
    }

    pub(crate) fn subscribe(args: Sub) -> Self {
        let (socket_type, subscribe) = (SocketType::Sub, args.subscribing.subscribe);
        Self { socket_type, subscribe, ..Self::pull(args.pull) }
    }

    pub(crate) fn ask(args: Both) -> Self {
        let work = Work::Ask(args.sending, args.receiving);
        Self::new(SocketType::Req, args.ends, work, args.common)
    }

    pub(crate) fn answer(args: Rep) -> Self {
        let Both { ends, sending, receiving, common } = args.both;
        let work = match args.echo.echo {
            true => Work::Echo(receiving),
            false => Work::Answer(sending, receiving),
        };
        Self::new(SocketType::Rep, ends, work, common)
    }

    pub(crate) fn route(args: Router) -> Self {
        let mut job = Self::free(SocketType::Router, args.free);
        job.work = match job.work {
            Work::Both(_, receiving) | Work::Receive(receiving) if args.echo.echo => {
                Work::Echo(receiving)
            }
            work => work,
        };
        job
    }

    pub(crate) fn free(socket_type: SocketType, args: Free) -> Self {
        let Both { ends, sending, receiving, common } = args.both;
        let work = match args.receive_only {
            true => Work::Receive(receiving),
            false => Work::Both(sending, receiving),
        };
        Self::new(socket_type, ends, work, common)
    }

    pub(crate) fn xpub(args: XPub) -> Self {
        Self { publishing: args.publishing, ..Self::free(SocketType::XPub, args.free) }
    }

    pub(crate) fn xsub(args: XSub) -> Self {
        let subscribe = args.subscribing.subscribe;
        Self { subscribe, ..Self::free(SocketType::XSub, args.free) }
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
