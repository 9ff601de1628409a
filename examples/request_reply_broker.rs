//! A broker lets any number of REQ clients share any number of REP workers,
//! none of which know of each other.
//!
//! ```text
//!   REQ client A ──┐          broker           ┌──► REP worker 1
//!   REQ client B ──┼──► ROUTER ◄───► DEALER ───┤
//!   REQ client C ──┘                           └──► REP worker 2
//! ```
//!
//! ROUTER notes in front of each request who asked, and DEALER gives it to the
//! next worker in turn. REP puts the note back in front of its answer, so that
//! ROUTER knows where the answer goes.
//!
//! Without arguments it plays all sides and ends:
//!
//! ```text
//! cargo run --example request_reply_broker
//! ```
//!
//! One side for each terminal, in any order; the client ends, the others stay:
//!
//! ```text
//! cargo run --example request_reply_broker broker tcp://127.0.0.1:5559 tcp://127.0.0.1:5560
//! cargo run --example request_reply_broker worker tcp://127.0.0.1:5560
//! cargo run --example request_reply_broker client tcp://127.0.0.1:5559
//! ```
//!
//! A worker and the broker in Python, with pyzmq:
//!
//! ```python
//! import zmq
//! with zmq.Context() as context, context.socket(zmq.REP) as rep:
//!     rep.connect("tcp://127.0.0.1:5560")
//!     while True:
//!         rep.send_string(f"{int(rep.recv_string()) ** 2} (by Python)")
//! ```
//!
//! ```python
//! import zmq
//! with zmq.Context() as context:
//!     with context.socket(zmq.ROUTER) as clients, context.socket(zmq.DEALER) as workers:
//!         clients.bind("tcp://127.0.0.1:5559")
//!         workers.bind("tcp://127.0.0.1:5560")
//!         zmq.proxy(clients, workers)
//! ```

use ferromq::{
    DealerSocket, Endpoint, Error, IntoEndpoint, Message, RepSocket, ReqSocket, RouterSocket,
};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => all().await,
        ["broker", clients, workers] => Broker::new(clients, workers).await?.run().await,
        ["worker", endpoint] => worker("worker", endpoint).await,
        ["client", endpoint] => client("client", endpoint, 1).await,
        _ => {
            eprintln!("usage: request_reply_broker [broker ENDPOINT ENDPOINT | worker ENDPOINT | client ENDPOINT]");
            std::process::exit(2)
        }
    }
}

/// All sides in one task: when the clients are done, so is the example.
async fn all() -> Result<(), Error> {
    let broker = Broker::new("tcp://127.0.0.1:0", "tcp://127.0.0.1:0").await?;
    let (front, back) = broker.endpoints.clone();
    let clients = async {
        let (a, b, c) = (front.clone(), front.clone(), front);
        tokio::try_join!(client("client A", a, 1), client("client B", b, 4), client("client C", c, 7))
    };
    tokio::select! {
        done = clients => done.map(drop),
        failed = broker.run() => failed,
        failed = worker("worker 1", back.clone()) => failed,
        failed = worker("worker 2", back.clone()) => failed,
    }
}

struct Broker {
    clients: RouterSocket,
    workers: DealerSocket,
    endpoints: (Endpoint, Endpoint),
}

impl Broker {
    async fn new(front: impl IntoEndpoint, back: impl IntoEndpoint) -> Result<Self, Error> {
        let (clients, workers) = (RouterSocket::new(), DealerSocket::new());
        let endpoints = (clients.bind(front).await?, workers.bind(back).await?);
        println!("broker    clients  {}", endpoints.0);
        println!("broker    workers  {}", endpoints.1);
        Ok(Self { clients, workers, endpoints })
    }

    /// The raw form keeps the note of who asked as the first frame. `select!`
    /// may drop a `recv` at any time: that loses nothing.
    async fn run(&self) -> Result<(), Error> {
        loop {
            tokio::select! {
                request = self.clients.recv_raw() => self.workers.send(request?).await?,
                answer = self.workers.recv() => self.clients.send_raw(answer?).await?,
            }
        }
    }
}

async fn worker(me: &str, endpoint: impl IntoEndpoint) -> Result<(), Error> {
    let rep = RepSocket::new();
    rep.connect(endpoint)?;
    loop {
        let number = text(&rep.recv().await?).parse::<u64>().unwrap_or(0);
        println!("{me:<8}  squares  {number}");
        rep.send((number * number).to_string()).await?;
    }
}

async fn client(me: &str, endpoint: impl IntoEndpoint, first: u64) -> Result<(), Error> {
    let req = ReqSocket::new();
    req.connect(endpoint)?;
    for number in first..first + 3 {
        req.send(number.to_string()).await?;
        println!("{me:<8}  hears    {number} squared is {}", text(&req.recv().await?));
    }
    Ok(())
}

fn text(message: &Message) -> String {
    String::from_utf8_lossy(message.first()).into_owned()
}
