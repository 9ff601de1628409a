//! What one child process does: it is one end of one run. It talks to its
//! parent in lines on stdout: its endpoint if it binds; `start`, then the
//! figures, if it measures. The other end goes on until it is killed.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Builder;

use crate::options::{Cell, Contestant, Mode, Pattern};
use crate::peer::ferromq::Ferromq;
use crate::peer::libzmq::Libzmq;
use crate::peer::raw::Raw;
use crate::peer::{Kind, Peer, Receives, Sends, Socket};

/// The hidden subcommand.
pub const COMMAND: &str = "role";

/// What the parent waits for after the endpoint.
pub const START: &str = "start";

/// The clock is looked at once per so many messages.
const STRIDE: u64 = 64;

/// The arguments of [`main`]; the end that connects gets the endpoint as well.
pub fn arguments(contestant: Contestant, cell: Cell, seconds: f64) -> Vec<String> {
    let Contestant { kind, mode } = contestant;
    vec![COMMAND.into(), kind.to_string(), mode.to_string(), cell.to_string(), seconds.to_string()]
}

pub fn main(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [kind, mode, cell, seconds, endpoint @ ..] = arguments else {
        return Err("a role takes an implementation, a mode, a cell and a time".into());
    };
    let end = End {
        cell: cell.parse()?,
        window: Duration::from_secs_f64(seconds.parse()?),
        endpoint: endpoint.first().cloned(),
    };
    let mode: Mode = mode.parse()?;
    match kind.parse()? {
        Kind::Ferromq => drive(mode, end.run::<Ferromq>()),
        Kind::Libzmq => drive(mode, end.run::<Libzmq>()),
        Kind::Raw => drive(mode, end.run::<Raw>()),
        #[cfg(feature = "omq")]
        Kind::Omq => drive(mode, end.run::<crate::peer::omq::Omq>()),
        #[cfg(feature = "rzmq")]
        Kind::Rzmq => drive(mode, end.run::<crate::peer::rzmq::Rzmq>()),
        #[cfg(feature = "zmqrs")]
        Kind::ZmqRs => drive(mode, end.run::<crate::peer::zmqrs::ZmqRs>()),
    }
}

/// Runs an end as the mode says.
pub fn drive(
    mode: Mode,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let runtime = match mode {
        Mode::CurrentThread => Builder::new_current_thread().enable_all().build()?,
        Mode::MultiThread | Mode::BlockOn => Builder::new_multi_thread().enable_all().build()?,
    };
    match mode {
        Mode::BlockOn => runtime.block_on(end),
        _ => runtime.block_on(async { tokio::spawn(end).await })?,
    }
    // The parent ends the process: closing is not measured.
    loop {
        std::thread::park();
    }
}

/// One end of one run.
struct End {
    cell: Cell,
    window: Duration,
    /// Where to connect; the end without it binds.
    endpoint: Option<String>,
}

impl End {
    async fn run<P: Peer>(self) {
        let body = Bytes::from(vec![b'x'; self.cell.size]);
        P::prepare(self.cell.size);
        match (self.cell.pattern, &self.endpoint) {
            (Pattern::PushPull, None) => self.count(P::pull()).await,
            (Pattern::PushPull, Some(_)) => self.flood(P::push(), &body).await,
            (Pattern::PubSub, None) => self.count(P::sub()).await,
            (Pattern::PubSub, Some(_)) => self.flood(P::publisher(), &body).await,
            (Pattern::ReqRep, None) => self.answer(P::rep(), &body).await,
            (Pattern::ReqRep, Some(_)) => self.ask(P::req(), &body).await,
        }
    }

    /// Binds or connects.
    async fn attach(&self, socket: &mut impl Socket) {
        match &self.endpoint {
            Some(endpoint) => socket.connect(endpoint).await,
            None => println!("{}", socket.bind().await),
        }
    }

    async fn flood(&self, mut socket: impl Sends, body: &Bytes) {
        self.attach(&mut socket).await;
        loop {
            socket.send(body).await;
        }
    }

    async fn count(&self, mut socket: impl Receives) {
        self.attach(&mut socket).await;
        self.receive(&mut socket).await;
        self.receive_for(&mut socket, self.window / 4).await;
        println!("{START}");
        let (received, time) = self.receive_for(&mut socket, self.window).await;
        println!("{received} {}", time.as_secs_f64());
    }

    async fn receive(&self, socket: &mut impl Receives) {
        assert_eq!(black_box(socket.recv().await), self.cell.size);
    }

    async fn receive_for(&self, socket: &mut impl Receives, time: Duration) -> (u64, Duration) {
        let begin = Instant::now();
        let mut received = 0;
        loop {
            for _ in 0..STRIDE {
                self.receive(socket).await;
            }
            received += STRIDE;
            let passed = begin.elapsed();
            if passed >= time {
                return (received, passed);
            }
        }
    }

    async fn answer(&self, mut socket: impl Sends + Receives, body: &Bytes) {
        self.attach(&mut socket).await;
        loop {
            self.receive(&mut socket).await;
            socket.send(body).await;
        }
    }

    async fn ask(&self, mut socket: impl Sends + Receives, body: &Bytes) {
        self.attach(&mut socket).await;
        self.ask_for(&mut socket, body, self.window / 4).await;
        println!("{START}");
        let (mut trips, time) = self.ask_for(&mut socket, body, self.window).await;
        trips.sort_unstable();
        let percentile = |part: usize| trips[trips.len() * part / 100].as_secs_f64() * 1e6;
        let (half, most) = (percentile(50), percentile(99));
        println!("{} {} {half} {most}", trips.len(), time.as_secs_f64());
    }

    /// The round trips of so much time.
    async fn ask_for(
        &self,
        socket: &mut (impl Sends + Receives),
        body: &Bytes,
        time: Duration,
    ) -> (Vec<Duration>, Duration) {
        let begin = Instant::now();
        let mut sent = begin;
        let mut trips = Vec::new();
        while sent - begin < time {
            socket.send(body).await;
            self.receive(socket).await;
            let received = Instant::now();
            trips.push(received - sent);
            sent = received;
        }
        (trips, sent - begin)
    }
}
