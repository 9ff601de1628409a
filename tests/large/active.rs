//! Many connections, all of which are used. (`tests/idle.rs` has as many that are not.)

use std::collections::HashMap;
use std::time::Duration;

use ferromq::{DealerSocket, Message, RouterSocket, SocketOptions};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::child::{self, Peer};

/// How many there are, where `FERROMQ_ACTIVE` does not say it.
const CONNECTIONS: u64 = 200;

/// How many messages each sends and receives.
const ROUNDS: u64 = 3;

/// How long all of it may take. Ten thousand need a while.
const DEADLINE: Duration = Duration::from_secs(300);

const NAME: &str = "active::each_of_many_connections_sends_and_receives";

const ROLE: &str = "dealers";

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.expect("this takes too long")
}

/// The other ends are in a process of their own, for the sake of descriptors.
#[test]
fn each_of_many_connections_sends_and_receives() {
    if let Some((_, arguments)) = child::role() {
        child::end_with_parent();
        let count = arguments[1].parse().unwrap();
        return child::runtime().block_on(ask(&arguments[0], count));
    }
    let count = crate::long("FERROMQ_ACTIVE").unwrap_or(CONNECTIONS);
    child::runtime().block_on(async {
        let backlog = u32::try_from(count).unwrap();
        let router = RouterSocket::with_options(SocketOptions::new().backlog(backlog));
        let at = router.bind("tcp://127.0.0.1:*").await.unwrap();
        let since = Instant::now();
        let mut peer = Peer::start(NAME, ROLE, &[at.to_string(), count.to_string()]);
        let mut heard = HashMap::new();
        for _ in 0..count * ROUNDS {
            let (id, message) = soon(router.recv()).await.unwrap();
            *heard.entry(id.clone()).or_insert(0) += 1;
            soon(router.send_to(&id, message)).await.unwrap();
        }
        assert_eq!(heard.len() as u64, count);
        assert!(heard.values().all(|&messages| messages == ROUNDS), "{heard:?}");
        assert_eq!(peer.says().await, "all are answered");
        println!("active: {count} connections, {ROUNDS} rounds in {:?}", since.elapsed());
    });
}

/// Each asks, waits for its own answer and asks again.
async fn ask(at: &str, count: u64) {
    let mut all = JoinSet::new();
    for number in 0..count {
        let dealer = DealerSocket::new();
        dealer.connect(at).unwrap();
        all.spawn(async move {
            for round in 0..ROUNDS {
                let question = Message::from(format!("{number} {round}"));
                soon(dealer.send(question.clone())).await.unwrap();
                assert_eq!(soon(dealer.recv()).await.unwrap(), question);
            }
            dealer
        });
    }
    // They stay connected until all have been answered.
    let dealers = soon(all.join_all()).await;
    child::say("all are answered");
    drop(dealers);
}
