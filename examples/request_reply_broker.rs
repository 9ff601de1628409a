//! A broker lets any number of REQ clients share any number of REP workers,
//! none of which know of each other.
//!
//! ```text
//!   REQ client A ───┐         broker         ┌───► REP worker 1
//!                   ├──► ROUTER ◄──► DEALER ─┤
//!   REQ client B ───┘                        └───► REP worker 2
//! ```
//!
//! ROUTER notes in front of each request who asked, and DEALER gives it to the
//! next worker in turn. REP puts the note back in front of its answer, so that
//! ROUTER knows where the answer goes.
//!
//! Without arguments it plays all sides and ends; with a role it plays one of
//! them, in any order and each in its own terminal:
//!
//! ```text
//! cargo run --example request_reply_broker
//!
//! cargo run --example request_reply_broker broker tcp://127.0.0.1:5559 tcp://127.0.0.1:5560
//! cargo run --example request_reply_broker worker tcp://127.0.0.1:5560
//! cargo run --example request_reply_broker client tcp://127.0.0.1:5559
//! ```
//!
//! The client ends, the others stay. `examples/request_reply_broker.py` has the
//! same roles for Python with pyzmq; any side talks to any.

use ferromq::{
    DealerSocket, Endpoint, Error, IntoEndpoint, Message, RepSocket, ReqSocket, RouterSocket,
};

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if let Err(error) = play(&args).await {
        eprintln!("request_reply_broker: {error}");
        std::process::exit(1)
    }
}

async fn play(args: &[&str]) -> Result<(), Error> {
    match *args {
        [] => all().await,
        ["broker", clients, workers] => Broker::new(clients, workers).await?.run().await,
        ["worker", endpoint] => worker("worker", endpoint).await,
        ["client", endpoint] => client("client", endpoint, 1).await,
        _ => {
            eprintln!(
                "usage: request_reply_broker [broker FRONT BACK | worker BACK | client FRONT]"
            );
            std::process::exit(2)
        }
    }
}

/// All sides in one task: when the clients are done, so is the example.
async fn all() -> Result<(), Error> {
    let broker = Broker::new("tcp://127.0.0.1:0", "tcp://127.0.0.1:0").await?;
    let (front, back) = &broker.endpoints;
    let clients =
        async { tokio::try_join!(client("client A", front, 1), client("client B", front, 4)) };
    tokio::select! {
        done = clients => done.map(drop),
        failed = broker.run() => failed,
        failed = worker("worker 1", back) => failed,
        failed = worker("worker 2", back) => failed,
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

    /// Each direction moves by itself. In a loop that did both, a `send` that
    /// waits for busy workers would keep their answers waiting as well, and the
    /// workers with them.
    async fn run(&self) -> Result<(), Error> {
        tokio::try_join!(self.pass_requests(), self.pass_answers())?;
        Ok(())
    }

    /// The raw form keeps the note of who asked as the first frame.
    async fn pass_requests(&self) -> Result<(), Error> {
        loop {
            self.workers.send(self.clients.recv_raw().await?).await?;
        }
    }

    async fn pass_answers(&self) -> Result<(), Error> {
        loop {
            self.clients.send_raw(self.workers.recv().await?).await?;
        }
    }
}

async fn worker(me: &str, endpoint: impl IntoEndpoint) -> Result<(), Error> {
    let rep = RepSocket::new();
    rep.connect(endpoint)?;
    loop {
        let number = text(&rep.recv().await?).parse::<u32>().unwrap_or(0);
        println!("{me:<8}  squares  {number}");
        rep.send(u64::from(number).pow(2).to_string()).await?;
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
