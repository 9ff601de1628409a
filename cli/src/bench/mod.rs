//! `bench`: throughput and latency from a DEALER to a ROUTER, here or elsewhere.

mod histogram;
mod report;

use std::time::{Duration, Instant};

use bytes::Bytes;
use ferromq::{CurveKeypair, Endpoint, Message, Policy, SocketOptions, SocketType};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::coop::consume_budget;

use crate::args::{BenchArgs, BenchCommand, Ends, Mode, RunArgs, ServeArgs, Transport};
use crate::ending::{Deadline, End, tell};
use crate::failure::Failure;
use crate::socket::AnySocket;
use histogram::Histogram;
use report::{Latency, Report, Throughput};

/// First octet of messages that the other end takes and forgets.
const SINK: u8 = b's';

/// First octet of messages that it sends back.
const ECHO: u8 = b'e';

/// Round trips before anything is measured: connections begin slowly.
const WARM_UP: usize = 200;

/// Messages between two looks at the clock, which costs as much as a small message.
const UNTIMED: u32 = 64;

pub(crate) async fn run(args: BenchArgs) -> Result<(), Failure> {
    match args.command {
        Some(BenchCommand::Serve(args)) => serve(args).await,
        None => measure(args.run).await,
    }
}

async fn serve(args: ServeArgs) -> Result<(), Failure> {
    let deadline = Deadline::new(args.deadline);
    let options = args.security.apply(SocketOptions::new())?;
    let socket = AnySocket::new(SocketType::Router, options)?;
    tell(&socket, false);
    socket.open(&args.ends).await?;
    deadline.run(answer(&socket)).await?;
    deadline.close(&socket, End::Interrupted).await
}

/// The other end: what is to be echoed goes back, the rest nowhere. What arrives after many
/// others and is echoed proves that these have arrived, so nothing need be counted here.
async fn answer(socket: &AnySocket) -> Result<(), Failure> {
    loop {
        let message = socket.recv().await?;
        if message.get(1).and_then(|body| body.first()) == Some(&ECHO) {
            socket.send(message).await?;
        }
        consume_budget().await;
    }
}

async fn measure(args: RunArgs) -> Result<(), Failure> {
    let deadline = Deadline::new(args.deadline);
    // A file that cannot be read is better known before than after.
    let before = args.compare.as_deref().map(Report::load).transpose()?;
    let (client, server) = sockets(&args)?;
    tell(&client, false);
    let endpoint = match (&args.connect, &server) {
        (Some(endpoint), _) => endpoint.clone(),
        (None, Some(server)) => server.bind(&own_endpoint(args.transport)?).await?,
        (None, None) => return Err(Failure::said("there is no other end")),
    };
    let other = server.map(|server| tokio::spawn(async move { answer(&server).await }));
    client.open(&Ends { bind: Vec::new(), connect: vec![endpoint.clone()] }).await?;

    let (socket, plan) = (client.clone(), Plan::of(&args));
    // Not in this task, which is not one that workers share.
    let measuring = tokio::spawn(async move { plan.run(&socket).await });
    let mut results = None;
    let work = async {
        let done = measuring.await.map_err(|error| Failure::said(error.to_string()))?;
        results = Some(done?);
        Ok(())
    };
    let end = deadline.run(work).await?;
    if let Some(other) = other {
        other.abort();
    }
    match (end, results) {
        (End::Done, Some((throughput, latency))) => {
            let transport = args.connect.as_ref().map_or(args.transport.name(), Endpoint::scheme);
            let report = Report::new(transport, args.curve, args.size, throughput, latency);
            report.publish(&args, before.as_ref())
        }
        (End::Deadline, _) => Err(deadline.failure()),
        // Nobody wants the result any more.
        (End::Done | End::Interrupted, _) => Ok(()),
    }
}

/// Our end, and the other one if it is here too.
fn sockets(args: &RunArgs) -> Result<(AnySocket, Option<AnySocket>), Failure> {
    let (mut ours, mut theirs) = (SocketOptions::new(), SocketOptions::new());
    if args.connect.is_some() {
        ours = args.security.apply(ours)?;
    } else if args.curve {
        let server = CurveKeypair::generate()?;
        ours = ours.curve_client(CurveKeypair::generate()?, *server.public());
        theirs = theirs.curve_server(server, Policy::allow_any());
    }
    let client = AnySocket::new(SocketType::Dealer, ours)?;
    let server = match args.connect {
        Some(_) => None,
        None => Some(AnySocket::new(SocketType::Router, theirs)?),
    };
    Ok((client, server))
}

fn own_endpoint(transport: Transport) -> Result<Endpoint, Failure> {
    let text = match transport {
        Transport::Tcp => "tcp://127.0.0.1:0",
        Transport::Ipc => "ipc://*",
        Transport::Inproc => "inproc://bench",
    };
    text.parse().map_err(|error: ferromq::EndpointError| error.into())
}

/// What is measured.
struct Plan {
    mode: Mode,
    size: usize,
    duration: Duration,
}

impl Plan {
    fn of(args: &RunArgs) -> Self {
        Self { mode: args.mode, size: args.size.max(1), duration: args.duration }
    }

    async fn run(
        &self,
        socket: &AnySocket,
    ) -> Result<(Option<Throughput>, Option<Latency>), Failure> {
        socket.wait_for_peers(1).await?;
        for _ in 0..WARM_UP {
            self.round_trip(socket).await?;
        }
        let throughput = match self.mode {
            Mode::Latency => None,
            _ => Some(self.throughput(socket).await?),
        };
        let latency = match self.mode {
            Mode::Throughput => None,
            _ => Some(self.latency(socket).await?),
        };
        if socket.stats().reconnects > 0 {
            return Err(Failure::said("the connection was lost, and with it the measurement"));
        }
        Ok((throughput, latency))
    }

    async fn throughput(&self, socket: &AnySocket) -> Result<Throughput, Failure> {
        let bar = self.bar("throughput");
        let message = self.message(SINK);
        let (start, mut messages) = (Instant::now(), 0);
        while start.elapsed() < self.duration {
            for _ in 0..UNTIMED {
                socket.send(message.clone()).await?;
            }
            messages += u64::from(UNTIMED);
            bar.set_position(millis(start.elapsed()));
            consume_budget().await;
        }
        self.round_trip(socket).await?; // All that was sent has arrived.
        bar.finish_and_clear();
        Ok(Throughput::new(messages, self.size, start.elapsed()))
    }

    async fn latency(&self, socket: &AnySocket) -> Result<Latency, Failure> {
        let bar = self.bar("latency");
        let mut histogram = Histogram::default();
        let start = Instant::now();
        while start.elapsed() < self.duration {
            let before = Instant::now();
            self.round_trip(socket).await?;
            histogram.record(before.elapsed());
            bar.set_position(millis(start.elapsed()));
        }
        bar.finish_and_clear();
        Ok(Latency::of(&histogram))
    }

    async fn round_trip(&self, socket: &AnySocket) -> Result<(), Failure> {
        socket.send(self.message(ECHO)).await?;
        socket.recv().await.map(drop)
    }

    fn message(&self, first: u8) -> Message {
        let mut octets = vec![b'.'; self.size];
        octets[0] = first;
        Message::from(Bytes::from(octets))
    }

    /// On stderr, and only if that is a terminal.
    fn bar(&self, name: &'static str) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg:<12} {wide_bar} {percent:>3} %");
        let bar = ProgressBar::new(millis(self.duration)).with_message(name);
        // The template is right, as a look at a terminal shows; if not, any will do.
        style.map_or(bar.clone(), |style| bar.with_style(style))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
