//! Peers that are processes, and are killed in the middle of what they do.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ferromq::{
    DealerSocket, Endpoint, PushSocket, ReqSocket, SocketOptions, SubSocket, XSubSocket,
};

use super::ledger::{Ledger, Rule, message};
use super::scene::{Random, Scene};
use super::sockets::{Receives, Sends, Socket};
use super::stayers;
use crate::child::{self, Peer};
use crate::common::within;

pub(crate) const ROLE: &str = "killed";

/// Starts and kills peers of those who stay, at these endpoints, again and again.
pub(crate) fn start(scene: &Arc<Scene>, test: &'static str, at: [Endpoint; 5]) {
    let counted = Arc::clone(scene);
    scene.repeats(200, move |number| {
        let mut arguments = vec![format!("killed-{}-{number}", crate::common::unique())];
        arguments.extend(at.iter().map(Endpoint::to_string));
        let counted = Arc::clone(&counted);
        async move {
            let mut peer = Peer::start(test, ROLE, &arguments);
            assert_eq!(peer.says().await, "going");
            // In the middle of something, whatever that is.
            tokio::time::sleep(Duration::from_millis(20 + Random::new().below(200))).await;
            peer.kill().await;
            counted.killed.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// What such a process does until it is killed.
pub(crate) async fn run(arguments: &[String]) {
    child::end_with_parent();
    let Some((who, at)) = arguments.split_first().filter(|(_, at)| !at.is_empty()) else {
        // It has nobody to talk to, and is there to be killed.
        return std::future::pending().await;
    };
    let connect = |index: usize| at[index].parse::<Endpoint>().unwrap();
    let (going, mut have_begun) = tokio::sync::mpsc::channel(5);
    let all = async {
        tokio::join!(
            push(who, connect(0), going.clone()),
            ask::<DealerSocket>(connect(1), 8, going.clone()),
            listen::<SubSocket>(connect(2), going.clone()),
            listen::<XSubSocket>(connect(3), going.clone()),
            ask::<ReqSocket>(connect(4), 1, going.clone()),
        );
    };
    let say = async {
        for _ in 0..5 {
            within(have_begun.recv()).await;
        }
        child::say("going");
    };
    tokio::join!(all, say);
}

type Going = tokio::sync::mpsc::Sender<()>;

fn join<S: Socket>(at: &Endpoint) -> S {
    let socket = S::make(ferromq::Context::global(), SocketOptions::new());
    socket.connect(at).unwrap();
    socket
}

async fn push(who: &str, at: Endpoint, going: Going) {
    let (push, mut random) = (join::<PushSocket>(&at), Random::new());
    for number in 0.. {
        within(push.send(message(who, number, random.size()))).await.unwrap();
        if number == 10 {
            going.send(()).await.unwrap();
        }
        if number % 8 == 0 {
            // As the others, it leaves some of the processor.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn ask<S: Sends + Receives>(at: Endpoint, burst: u64, going: Going) {
    let (socket, mut random) = (join::<S>(&at), Random::new());
    let mut ledger = Ledger::new("to be killed", Rule::All);
    for round in 0.. {
        let numbers = round * burst..(round + 1) * burst;
        stayers::ask(&socket, &mut ledger, &mut random, "killed", numbers).await;
        if round == 1 {
            going.send(()).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn listen<R: Receives>(at: Endpoint, going: Going) {
    let (socket, mut ledger) = (join::<R>(&at), Ledger::new("to be killed", Rule::Ordered));
    loop {
        ledger.on(&within(socket.recv()).await.unwrap());
        if ledger.received == 2 {
            going.send(()).await.unwrap();
        }
    }
}
