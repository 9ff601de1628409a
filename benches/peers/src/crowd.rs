//! One socket and a crowd of peers: what a message costs when there are many.
//! The two ends are two processes; `benches/instructions.py` starts them, bare
//! or under valgrind or strace.
//!
//! ```text
//! peers crowd CELL END PEERS SIZE MODE WARM_UP MESSAGES [ENDPOINT]
//! ```
//! The end `one` binds and prints its endpoint; the end `many` connects PEERS
//! sockets to it. After WARM_UP messages an end measures MESSAGES, prints their
//! number, the seconds they took and the seconds of processor time of all its
//! threads, and exits. With 0 and 0 it goes on until it is killed.

use std::error::Error;
use std::fs;
use std::future;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use ferromq::{
    DealerSocket, MonitorEvent, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, RoutingId, SocketOptions, SubSocket,
};

use crate::drive;
use crate::peer::ferromq::{Attach, RouterTo};

/// The hidden subcommand.
pub const COMMAND: &str = "crowd";

/// PUB's messages have so many topics, in turn, and each SUB wants one of them:
/// one in a hundred matches.
const TOPICS: usize = 100;

pub fn main(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [cell, end, peers, size, mode, warm_up, messages, endpoint @ ..] = arguments else {
        return Err("a crowd takes what src/crowd.rs says".into());
    };
    let crowd = Arc::new(Crowd {
        cell: cell.clone(),
        peers: peers.parse()?,
        size: size.parse()?,
        meter: Meter::new(warm_up.parse()?, messages.parse()?),
    });
    match (end.as_str(), endpoint.first()) {
        ("one", None) => drive::on_tokio(mode.parse()?, [crowd.one()]),
        ("many", Some(endpoint)) => drive::on_tokio(mode.parse()?, [crowd.many(endpoint.clone())]),
        _ => Err("the end is `one`, or `many` with an endpoint".into()),
    }
}

/// One end of one run.
struct Crowd {
    cell: String,
    peers: usize,
    size: usize,
    meter: Meter,
}

impl Crowd {
    async fn one(self: Arc<Self>) {
        match self.cell.as_str() {
            "push" => self.gather(PushSocket::new(), Self::flood).await,
            "pull" => self.gather(PullSocket::new(), Self::drain).await,
            "dealer-out" => self.gather(DealerSocket::new(), Self::flood).await,
            "dealer-in" => self.gather(DealerSocket::new(), Self::drain).await,
            "router-out" => {
                let ids = (0..self.peers).map(id).collect();
                self.gather(RouterTo::new(ids), Self::flood).await;
            }
            "router-in" => self.gather(RouterSocket::new(), Self::drain).await,
            "rep" => self.gather(RepSocket::new(), Self::answer).await,
            "pub" => self.gather(PubSocket::new(), Self::flood).await,
            cell => panic!("no such cell: {cell}"),
        }
    }

    async fn many(self: Arc<Self>, endpoint: String) {
        let dealer = |_| DealerSocket::new();
        match self.cell.as_str() {
            "push" => self.scatter(endpoint, |_| PullSocket::new(), Self::drain).await,
            "pull" => self.scatter(endpoint, |_| PushSocket::new(), Self::flood).await,
            "dealer-out" => self.scatter(endpoint, dealer, Self::drain).await,
            "router-out" => {
                let named = |number| SocketOptions::new().routing_id(id(number));
                let dealer = |number| DealerSocket::with_options(named(number));
                self.scatter(endpoint, dealer, Self::drain).await;
            }
            "dealer-in" | "router-in" => self.scatter(endpoint, dealer, Self::flood).await,
            "rep" => self.scatter(endpoint, |_| ReqSocket::new(), Self::ask).await,
            "pub" => {
                let sub = |number| {
                    let sub = SubSocket::new();
                    sub.subscribe(topic(number)).expect("a topic");
                    sub
                };
                self.scatter(endpoint, sub, Self::drain).await;
            }
            cell => panic!("no such cell: {cell}"),
        }
    }

    /// Binds, and runs once everybody is there.
    async fn gather<S: Attach, F: Future<Output = ()>>(
        self: Arc<Self>,
        socket: S,
        run: impl FnOnce(Arc<Self>, S) -> F,
    ) {
        let mut monitor = socket.monitor();
        println!("{}", socket.bind("tcp://127.0.0.1:0").await);
        let mut ready = 0;
        while ready < self.peers {
            match monitor.recv().await.expect("the socket is open") {
                MonitorEvent::Ready { .. } => ready += 1,
                MonitorEvent::Lagged { missed } => panic!("{missed} events missed"),
                _ => {}
            }
        }
        run(self, socket).await;
    }

    /// Connects the many, each in a task of its own.
    async fn scatter<S: Attach, F: Future<Output = ()> + Send + 'static>(
        self: Arc<Self>,
        endpoint: String,
        open: impl Fn(usize) -> S,
        run: impl Fn(Arc<Self>, S) -> F,
    ) {
        for number in 0..self.peers {
            let socket = open(number);
            socket.connect(&endpoint);
            tokio::spawn(run(self.clone(), socket));
        }
        future::pending().await
    }

    fn flood(self: Arc<Self>, socket: impl Floods) -> impl Future<Output = ()> + Send {
        socket.flood(self)
    }

    fn drain(self: Arc<Self>, socket: impl Drains) -> impl Future<Output = ()> + Send {
        socket.drain(self)
    }

    async fn answer(self: Arc<Self>, rep: RepSocket) {
        loop {
            let request = rep.recv().await.expect("recv");
            rep.send(request).await.expect("send");
            self.meter.pass();
        }
    }

    async fn ask(self: Arc<Self>, req: ReqSocket) {
        let bodies = self.bodies();
        for body in bodies.iter().cycle() {
            req.send(body).await.expect("send");
            let reply = req.recv().await.expect("recv");
            assert_eq!(black_box(reply.size()), self.size);
            self.meter.pass();
        }
    }

    /// What is sent, in turn.
    fn bodies(&self) -> Vec<Bytes> {
        let topics = if self.cell == "pub" { TOPICS } else { 1 };
        let body = |number| {
            let mut body = topic(number).into_bytes();
            body.resize(self.size, b'x');
            body.into()
        };
        (0..topics).map(body).collect()
    }
}

/// Sends for ever. Written out for each socket, since what is between a program and the
/// socket would be counted with it.
trait Floods {
    fn flood(self, crowd: Arc<Crowd>) -> impl Future<Output = ()> + Send;
}

/// Receives for ever.
trait Drains {
    fn drain(self, crowd: Arc<Crowd>) -> impl Future<Output = ()> + Send;
}

macro_rules! floods {
    ($($socket:ident),+) => {$(
        impl Floods for $socket {
            async fn flood(self, crowd: Arc<Crowd>) {
                let bodies = crowd.bodies();
                for body in bodies.iter().cycle() {
                    self.send(body).await.expect("send");
                    crowd.meter.pass();
                }
            }
        }
    )+};
}

macro_rules! drains {
    ($($socket:ident),+) => {$(
        impl Drains for $socket {
            async fn drain(self, crowd: Arc<Crowd>) {
                loop {
                    let message = self.recv().await.expect("recv");
                    assert_eq!(black_box(message.size()), crowd.size);
                    crowd.meter.pass();
                }
            }
        }
    )+};
}

floods!(PushSocket, DealerSocket, PubSocket);
drains!(PullSocket, DealerSocket, SubSocket);

impl Floods for RouterTo {
    async fn flood(mut self, crowd: Arc<Crowd>) {
        let bodies = crowd.bodies();
        for body in bodies.iter().cycle() {
            self.send(body).await;
            crowd.meter.pass();
        }
    }
}

impl Drains for RouterSocket {
    async fn drain(self, crowd: Arc<Crowd>) {
        loop {
            let (_, message) = self.recv().await.expect("recv");
            assert_eq!(black_box(message.size()), crowd.size);
            crowd.meter.pass();
        }
    }
}

fn topic(number: usize) -> String {
    format!("{:02}", number % TOPICS)
}

fn id(number: usize) -> RoutingId {
    RoutingId::new(format!("peer {number}")).expect("a short name")
}

/// Counts the messages of all sockets of this end.
struct Meter {
    warm_up: u64,
    messages: u64,
    passed: AtomicU64,
    begin: OnceLock<(Instant, f64)>,
}

impl Meter {
    fn new(warm_up: u64, messages: u64) -> Self {
        Self { warm_up, messages, passed: AtomicU64::new(0), begin: OnceLock::new() }
    }

    #[inline(always)] // Or the measuring costs more in one build than in the next.
    fn pass(&self) {
        let passed = self.passed.fetch_add(1, Ordering::Relaxed) + 1;
        if passed == self.warm_up {
            self.begin();
        } else if passed == self.warm_up + self.messages {
            self.end();
        }
    }

    /// Callgrind is told to forget what came before this call, so it must stay
    /// one.
    #[inline(never)]
    fn begin(&self) {
        self.begin.get_or_init(|| (Instant::now(), cpu()));
    }

    /// Exits without closing anything: that is not measured.
    fn end(&self) {
        let (begin, before) = self.begin.get().expect("the warm-up comes first");
        println!("{} {} {}", self.messages, begin.elapsed().as_secs_f64(), cpu() - before);
        std::process::exit(0);
    }
}

/// Processor time of all threads so far, in seconds (schedstat: "time spent on
/// the cpu (in nanoseconds)"). /proc/self/stat counts in hundredths of a second.
fn cpu() -> f64 {
    let threads = fs::read_dir("/proc/self/task").expect("proc(5)");
    let of_thread = |thread: fs::DirEntry| {
        let times = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        times.split(' ').next()?.parse::<f64>().ok()
    };
    threads.flatten().filter_map(of_thread).sum::<f64>() / 1e9
}
