//! Those who stay: they talk all the time, and lose nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::ledger::{Ledger, Rule, end, message};
use super::scene::{Random, Scene, fickly};
use super::sockets::{Receives, Sends};
use crate::common::within;

/// How many messages are sent at a time, at most.
const BURST: u64 = 16;

/// One who sends numbered messages until all is over, and then says how many they were:
/// again until it is heard, since a publisher may drop that.
pub(crate) async fn send<S: Sends>(
    scene: Arc<Scene>,
    who: String,
    socket: S,
    heard: Arc<AtomicBool>,
) {
    let (mut random, mut number) = (Random::new(), 0);
    while scene.goes_on() {
        for _ in 0..random.below(BURST) {
            let message = message(&who, number, random.size());
            fickly(&mut random, || socket.send(message.clone())).await.unwrap();
            number += 1;
        }
        pause(&mut random).await;
    }
    loop {
        within(socket.send(end(&who, number))).await.unwrap();
        if heard.load(Ordering::SeqCst) {
            return;
        }
        pause(&mut random).await;
    }
}

/// It is not for speed: all of them together shall leave some of the processor.
async fn pause(random: &mut Random) {
    tokio::time::sleep(Duration::from_millis(5 + random.below(20))).await;
}

/// One who receives from `who` and from those who visit, until all have said that they
/// are done.
pub(crate) async fn receive<R: Receives>(
    scene: Arc<Scene>,
    mut ledger: Ledger,
    who: String,
    socket: R,
    visits: Arc<AtomicU64>,
) -> Ledger {
    let (mut random, mut ends, mut is_over) = (Random::new(), 0, false);
    while !is_over || ends < visits.load(Ordering::SeqCst) {
        let message = fickly(&mut random, || socket.recv()).await.unwrap();
        scene.received.fetch_add(1, Ordering::Relaxed);
        match ledger.on(&message) {
            Some(name) if name == who => is_over = true,
            Some(_) => ends += 1,
            None => {}
        }
    }
    ledger
}

/// Answers every request with itself.
pub(crate) async fn serve<S: Sends + Receives>(scene: Arc<Scene>, socket: S) {
    let mut random = Random::new();
    loop {
        let message = fickly(&mut random, || socket.recv()).await.unwrap();
        scene.received.fetch_add(1, Ordering::Relaxed);
        // Those who ask may have left, and who stays misses the answer.
        let _ = fickly(&mut random, || socket.send(message.clone())).await;
    }
}

/// Asks so many times in a row, and hears as many answers.
pub(crate) async fn ask<S: Sends + Receives>(
    socket: &S,
    ledger: &mut Ledger,
    random: &mut Random,
    who: &str,
    numbers: std::ops::Range<u64>,
) {
    for number in numbers.clone() {
        let message = message(who, number, random.size());
        fickly(random, || socket.send(message.clone())).await.unwrap();
    }
    for _ in numbers {
        let answer = fickly(random, || socket.recv()).await.unwrap();
        assert_eq!(ledger.on(&answer), None);
    }
}

/// One who asks until all is over; REQ can have one question at a time.
pub(crate) async fn ask_on<S: Sends + Receives>(
    scene: Arc<Scene>,
    case: String,
    socket: S,
    burst: u64,
) {
    let (mut random, mut ledger) = (Random::new(), Ledger::new(case, Rule::All));
    let mut number = 0;
    while scene.goes_on() {
        let count = 1 + random.below(burst);
        ask(&socket, &mut ledger, &mut random, "stays", number..number + count).await;
        number += count;
        scene.received.fetch_add(count, Ordering::Relaxed);
        pause(&mut random).await;
    }
}
