//! One process of a run: one end, or over inproc both. It prints its endpoint if it
//! binds one for another process, and answers each line on its stdin with a
//! [`Reading`](crate::gauge::Reading). When stdin ends, so does it.

use std::error::Error;
use std::hint::black_box;
use std::io::BufRead;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io, panic, process, thread};

use bytes::Bytes;

use crate::cell::{Cell, IN_FLIGHT, Side, Transport};
use crate::contestant::{Contestant, Mode};
use crate::drive;
use crate::gauge::{Gauge, Gauges};
use crate::keys::Keys;
use crate::peer::channel::Channel;
use crate::peer::ferromq::Ferromq;
use crate::peer::libzmq::Libzmq;
use crate::peer::raw::Raw;
use crate::peer::{Echoes, Kind, Peer, Receives, Sends};
use crate::setup::{Place, Role, Setup};

/// The hidden subcommand.
pub const COMMAND: &str = "end";

/// What this process is, in its arguments.
const BINDS: &str = "binds";
const CONNECTS: &str = "connects";
const BOTH: &str = "both";

/// In place of keys, where nothing is encrypted.
const NO_KEYS: &str = "-";

/// What the parent writes into stdin.
pub const LOOK: &str = "look";
pub const ALL_THERE: &str = "all there";
pub const START: &str = "start";
pub const STOP: &str = "stop";

/// The arguments of [`main`] for the process that binds this.
pub fn to_bind(
    contestant: Contestant,
    cell: Cell,
    wanted: &str,
    keys: Option<&Keys>,
) -> Vec<String> {
    let what = if cell.transport == Transport::Inproc { BOTH } else { BINDS };
    arguments(contestant, cell, what, wanted, keys)
}

/// The arguments of [`main`] for the process that connects to this.
pub fn to_connect(
    contestant: Contestant,
    cell: Cell,
    endpoint: &str,
    keys: Option<&Keys>,
) -> Vec<String> {
    arguments(contestant, cell, CONNECTS, endpoint, keys)
}

fn arguments(
    contestant: Contestant,
    cell: Cell,
    what: &str,
    endpoint: &str,
    keys: Option<&Keys>,
) -> Vec<String> {
    let Contestant { kind, mode } = contestant;
    let (kind, mode, cell) = (kind.to_string(), mode.to_string(), cell.to_string());
    let keys = keys.map_or(NO_KEYS.into(), Keys::to_string);
    vec![COMMAND.into(), kind, mode, cell, what.into(), endpoint.into(), keys]
}

pub fn main(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [kind, mode, cell, what, endpoint, keys] = arguments else {
        return Err("an end takes what src/end.rs says".into());
    };
    let (kind, mode, cell): (Kind, Mode, Cell) = (kind.parse()?, mode.parse()?, cell.parse()?);
    let (place, one, many) = match what.as_str() {
        BINDS => (Place::to_bind(endpoint.clone()), 1, 0),
        BOTH => (Place::to_bind(endpoint.clone()), 1, cell.peers),
        CONNECTS => (Place::to_connect(endpoint.clone()), 0, cell.peers),
        what => return Err(format!("no such end: {what}").into()),
    };
    let keys = if keys == NO_KEYS { None } else { Some(keys.parse()?) };
    let end = End { cell, place, keys, gauges: Arc::new(Gauges::new(one, many)) };
    end_with_the_first_panic();
    end.answer_the_parent();
    match kind {
        Kind::Ferromq => drive::on_tokio(mode, end.tasks(work::<Ferromq>)),
        Kind::Libzmq => {
            drive::on_threads(end.tasks(|setup, gauges| move || work::<Libzmq>(setup, gauges)))
        }
        Kind::Raw if cell.transport == Transport::Inproc => {
            drive::on_tokio(mode, end.tasks(work::<Channel>))
        }
        Kind::Raw => drive::on_tokio(mode, end.tasks(work::<Raw>)),
        #[cfg(feature = "omq")]
        Kind::Omq => drive::on_tokio(mode, end.tasks(work::<crate::peer::omq::Omq>)),
        #[cfg(feature = "rzmq")]
        Kind::Rzmq => drive::on_tokio(mode, end.tasks(work::<crate::peer::rzmq::Rzmq>)),
        #[cfg(feature = "zmqrs")]
        Kind::ZmqRs => drive::on_tokio(mode, end.tasks(work::<crate::peer::zmqrs::ZmqRs>)),
        #[cfg(feature = "monocoque")]
        Kind::Monocoque if cell.transport == Transport::Ipc => {
            drive::on_one_thread(end.tasks(work::<crate::peer::monocoque::OverIpc>))
        }
        #[cfg(feature = "monocoque")]
        Kind::Monocoque => drive::on_one_thread(end.tasks(work::<crate::peer::monocoque::OverTcp>)),
    }
}

/// Whichever thread or task it is in: the parent sees that the run failed.
fn end_with_the_first_panic() {
    panic::set_hook(Box::new(|panic| {
        eprintln!("{}", panic.to_string().replace('\n', " "));
        process::exit(1);
    }));
}

struct End {
    cell: Cell,
    place: Arc<Place>,
    keys: Option<Keys>,
    gauges: Arc<Gauges>,
}

impl End {
    /// In a thread that sleeps as long as nothing is asked.
    fn answer_the_parent(&self) {
        let gauges = self.gauges.clone();
        thread::spawn(move || {
            for word in io::stdin().lock().lines().map_while(Result::ok) {
                let reading = match word.as_str() {
                    ALL_THERE => gauges.all_are_there(),
                    START => gauges.start(),
                    STOP => gauges.stop(),
                    _ => gauges.read(),
                };
                println!("{}", serde_json::to_string(&reading).expect("it is plain data"));
            }
            process::exit(0);
        });
    }

    /// A task for each socket of this process.
    fn tasks<T>(&self, work: impl Fn(Setup, Arc<Gauges>) -> T) -> Vec<T> {
        let one = self.gauges.one.iter().map(|_| (Side::One, 0));
        let many = (0..self.gauges.many.len()).map(|number| (Side::Many, number));
        let setup = |(side, number)| {
            let (place, keys) = (self.place.clone(), self.keys.clone());
            work(Setup { cell: self.cell, side, number, place, keys }, self.gauges.clone())
        };
        one.chain(many).map(setup).collect()
    }
}

/// What one socket does. Without an end: the process is.
async fn work<P: Peer>(setup: Setup, gauges: Arc<Gauges>) {
    let gauge = match setup.side {
        Side::One => &gauges.one[0],
        Side::Many => &gauges.many[setup.number],
    };
    match (setup.role(), setup.side) {
        (Role::Push, _) => flood::<P::Push>(&setup, gauge).await,
        (Role::Pull, _) => count::<P::Pull>(&setup, gauge).await,
        (Role::Pub, _) => publish::<P::Pub>(&setup, &gauges).await,
        (Role::Sub, _) => count::<P::Sub>(&setup, gauge).await,
        (Role::Rep, _) => answer::<P::Rep>(&setup, gauge).await,
        (Role::Req, _) => ask::<P::Req>(&setup, gauge).await,
        (Role::Router, _) => echo::<P::Router>(&setup, gauge).await,
        (Role::Dealer, _) => ask_many::<P::Dealer>(&setup, gauge).await,
        (Role::Pair, Side::One) => count::<P::Pair>(&setup, gauge).await,
        (Role::Pair, Side::Many) => flood::<P::Pair>(&setup, gauge).await,
    }
}

async fn flood<S: Sends>(setup: &Setup, gauge: &Gauge) {
    let mut socket = S::open(setup).await;
    send_for_ever(&mut socket, &setup.bodies(), gauge, 0).await;
}

async fn send_for_ever(socket: &mut impl Sends, bodies: &[Bytes], gauge: &Gauge, before: u64) {
    for (sent, body) in (before + 1..).zip(bodies.iter().cycle()) {
        socket.send(body).await;
        gauge.set(sent);
    }
}

/// Now and then until every subscriber has had a message, then as fast as it can.
async fn publish<S: Sends>(setup: &Setup, gauges: &Gauges) {
    let mut socket = S::open(setup).await;
    let (bodies, gauge) = (setup.bodies(), &gauges.one[0]);
    let mut sent = 0;
    while !gauges.are_all_there() {
        for body in &bodies {
            socket.send(body).await;
            sent += 1;
            gauge.set(sent);
        }
        socket.flush().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    send_for_ever(&mut socket, &bodies, gauge, sent).await;
}

async fn count<S: Receives>(setup: &Setup, gauge: &Gauge) {
    let mut socket = S::open(setup).await;
    for received in 1.. {
        receive(setup, &mut socket).await;
        gauge.set(received);
    }
}

async fn receive(setup: &Setup, socket: &mut impl Receives) {
    assert_eq!(black_box(socket.recv().await), setup.cell.size);
}

async fn answer<S: Sends + Receives>(setup: &Setup, gauge: &Gauge) {
    let mut socket = S::open(setup).await;
    let bodies = setup.bodies();
    for answered in 1.. {
        receive(setup, &mut socket).await;
        socket.send(&bodies[0]).await;
        gauge.set(answered);
    }
}

/// One request at a time.
async fn ask<S: Sends + Receives>(setup: &Setup, gauge: &Gauge) {
    let mut socket = S::open(setup).await;
    let bodies = setup.bodies();
    let mut sent = Instant::now();
    for asked in 1.. {
        socket.send(&bodies[0]).await;
        receive(setup, &mut socket).await;
        let received = Instant::now();
        gauge.trip(received - sent);
        gauge.set(asked);
        sent = received;
    }
}

async fn echo<S: Echoes>(setup: &Setup, gauge: &Gauge) {
    let mut socket = S::open(setup).await;
    for echoed in 1.. {
        assert_eq!(black_box(socket.echo().await), setup.cell.size);
        gauge.set(echoed);
    }
}

/// Some requests at a time, a new one for each reply.
async fn ask_many<S: Sends + Receives>(setup: &Setup, gauge: &Gauge) {
    let mut socket = S::open(setup).await;
    let bodies = setup.bodies();
    for _ in 0..IN_FLIGHT {
        socket.send(&bodies[0]).await;
    }
    for asked in 1.. {
        receive(setup, &mut socket).await;
        gauge.set(asked);
        socket.send(&bodies[0]).await;
    }
}
