//! `monitor`: a table of a socket's peers with rates and losses, and what happens to its
//! connections.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use ferromq::{Monitor, MonitorEvent, SocketStats, Traffic};
use serde_json::{Value, json};
use tokio::task::coop::consume_budget;
use tokio::time::MissedTickBehavior;

use crate::args::{MonitorArgs, Table};
use crate::ending::{Deadline, End};
use crate::failure::Failure;
use crate::output::print;
use crate::socket::AnySocket;
use crate::units::figures;

/// How many events stand under a table.
const EVENTS: usize = 8;

pub(crate) async fn run(args: MonitorArgs) -> Result<(), Failure> {
    if args.interval.is_zero() {
        return Err(Failure::said("an interval is longer than nothing"));
    }
    let deadline = Deadline::new(args.deadline);
    let options = args.security.apply(args.tuning.options(None))?;
    let socket = AnySocket::new(args.socket_type, options)?;
    let events = socket.monitor();
    socket.subscribe(&args.subscribe)?;
    socket.open(&args.ends).await?;
    let work = async {
        tokio::select! {
            shown = show(&socket, events, &args) => shown,
            received = receive(&socket) => received,
        }
    };
    deadline.run(work).await?;
    deadline.close(&socket, End::Interrupted).await
}

/// Receives for ever, so that there is something to count; what cannot, waits. A REP has to
/// reply, or it would receive no more.
async fn receive(socket: &AnySocket) -> Result<(), Failure> {
    loop {
        match socket.recv().await {
            Ok(message) if matches!(socket, AnySocket::Rep(_)) => socket.send(message).await?,
            Ok(_) => consume_budget().await,
            // Of a type that does not, or whose turn it never is.
            Err(_) => std::future::pending().await,
        }
    }
}

async fn show(socket: &AnySocket, mut events: Monitor, args: &MonitorArgs) -> Result<(), Failure> {
    let mut screen = Screen::new(args.format);
    let mut ticks = tokio::time::interval(args.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await; // The first is at once, when there is nothing to show.
    let mut before = (Instant::now(), Traffic::default());
    let mut tables = 0;
    while args.count.is_none_or(|count| tables < count) {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => screen.on_event(&event)?,
                None => return Ok(()),
            },
            _ = ticks.tick() => {
                let (stats, now) = (socket.stats(), Instant::now());
                let rates = Rates::between(&before.1, &stats.traffic, now - before.0);
                before = (now, stats.traffic);
                screen.on_stats(&stats, &rates)?;
                tables += 1;
            }
        }
    }
    Ok(())
}

/// What went to and fro in a second.
struct Rates {
    messages_in: f64,
    messages_out: f64,
    bytes_in: f64,
    bytes_out: f64,
}

impl Rates {
    fn between(before: &Traffic, now: &Traffic, time: Duration) -> Self {
        let rate = |before: u64, now: u64| now.saturating_sub(before) as f64 / time.as_secs_f64();
        Self {
            messages_in: rate(before.messages_in, now.messages_in),
            messages_out: rate(before.messages_out, now.messages_out),
            bytes_in: rate(before.bytes_in, now.bytes_in),
            bytes_out: rate(before.bytes_out, now.bytes_out),
        }
    }
}

/// Where it is shown.
struct Screen {
    format: Table,
    /// Whether a table is written over the one before.
    in_place: bool,
    events: VecDeque<String>,
}

impl Screen {
    fn new(format: Table) -> Self {
        let in_place = format == Table::Table && std::io::stdout().is_terminal();
        Self { format, in_place, events: VecDeque::new() }
    }

    fn on_event(&mut self, event: &MonitorEvent) -> Result<(), Failure> {
        match self.format {
            Table::Json => print(&json!({ "event": event.to_string() }).to_string()),
            Table::Table if self.in_place => {
                if self.events.len() == EVENTS {
                    self.events.pop_front();
                }
                self.events.push_back(event.to_string());
                Ok(())
            }
            Table::Table => print(&event.to_string()),
        }
    }

    fn on_stats(&self, stats: &SocketStats, rates: &Rates) -> Result<(), Failure> {
        if self.format == Table::Json {
            return print(&as_json(stats, rates).to_string());
        }
        let mut text = String::new();
        if self.in_place {
            // Home, and all that was there is cleared.
            text += "\x1b[H\x1b[2J";
        }
        // Writing to a String does not fail.
        let _ = write!(text, "{stats}");
        let Rates { messages_in, messages_out, bytes_in, bytes_out } = rates;
        let _ = writeln!(
            text,
            "per second: in {}messages, {}B; out {}messages, {}B",
            figures(*messages_in),
            figures(*bytes_in),
            figures(*messages_out),
            figures(*bytes_out)
        );
        for event in &self.events {
            let _ = write!(text, "\n{event}");
        }
        print(&text)
    }
}

fn as_json(stats: &SocketStats, rates: &Rates) -> Value {
    let peer = |peer: &ferromq::PeerStats| {
        json!({
            "address": peer.info.address,
            "type": peer.info.socket_type.map(|socket_type| socket_type.as_str()),
            "user": peer.info.user_id,
            "connected": peer.is_connected,
            "reconnects": peer.reconnects,
            "traffic": traffic(&peer.traffic),
            "lost": peer.lost.total(),
        })
    };
    let lost: serde_json::Map<_, _> = stats
        .lost
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(cause, count)| (format!("{cause:?}"), Value::from(count)))
        .collect();
    json!({
        "peers": stats.peers.iter().map(peer).collect::<Vec<_>>(),
        "traffic": traffic(&stats.traffic),
        "per_second": {
            "messages_in": rates.messages_in,
            "messages_out": rates.messages_out,
            "bytes_in": rates.bytes_in,
            "bytes_out": rates.bytes_out,
        },
        "reconnects": stats.reconnects,
        "lost": lost,
    })
}

fn traffic(traffic: &Traffic) -> Value {
    json!({
        "messages_in": traffic.messages_in,
        "messages_out": traffic.messages_out,
        "bytes_in": traffic.bytes_in,
        "bytes_out": traffic.bytes_out,
        "queued": traffic.queued,
        "most_queued": traffic.most_queued,
    })
}
