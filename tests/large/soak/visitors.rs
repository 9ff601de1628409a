//! Those who come and go.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ferromq::{Context, Endpoint, MonitorEvent, PairSocket, SocketOptions};

use super::ledger::{Ledger, Rule, end, message};
use super::scene::{Random, Scene, fickly};
use super::sockets::{Receives, Sends, Socket};
use super::stayers;
use crate::common::{unique, within};

/// A visitor of this context, so that it has gone when nothing of that is left; or of
/// that in which those who stay can be met over inproc.
fn context(scene: &Scene, at: &Endpoint) -> (Context, bool) {
    match at.to_string().starts_with("inproc") {
        true => (scene.context.clone(), false),
        false => (Context::new(), true),
    }
}

async fn leave<S: Socket>(scene: &Scene, socket: S, (context, is_own): (Context, bool)) {
    drop(socket);
    if is_own {
        within(context.wait_closed()).await;
    }
    scene.visits.fetch_add(1, Ordering::Relaxed);
}

/// Sends some messages and leaves properly, so all of them must arrive.
pub(crate) async fn send<S: Sends>(scene: &Scene, at: &Endpoint) {
    let (context, mut random) = (context(scene, at), Random::new());
    let socket = S::make(&context.0, SocketOptions::new());
    socket.connect(at).unwrap();
    let (who, count) = (format!("visitor-{}", unique()), random.below(30));
    for number in 0..count {
        let message = message(&who, number, random.size());
        fickly(&mut random, || socket.send(message.clone())).await.unwrap();
    }
    within(socket.send(end(&who, count))).await.unwrap();
    assert_eq!(within(socket.close()).await, 0, "a visitor's messages were given up");
    leave(scene, socket, context).await;
}

/// Receives some messages and leaves.
pub(crate) async fn receive<R: Receives>(scene: &Scene, at: &Endpoint) {
    let (context, mut random) = (context(scene, at), Random::new());
    let socket = R::make(&context.0, SocketOptions::new());
    socket.connect(at).unwrap();
    let mut ledger = Ledger::new(format!("a visitor of {at}"), Rule::Ordered);
    for _ in 0..random.below(10) {
        ledger.on(&fickly(&mut random, || socket.recv()).await.unwrap());
    }
    leave(scene, socket, context).await;
}

/// Asks some times, and may leave without hearing the last answer.
pub(crate) async fn ask<S: Sends + Receives>(scene: &Scene, at: &Endpoint) {
    let (context, mut random) = (context(scene, at), Random::new());
    let socket = S::make(&context.0, SocketOptions::new());
    socket.connect(at).unwrap();
    let mut ledger = Ledger::new(format!("a visitor of {at}"), Rule::All);
    for number in 0..random.below(5) {
        stayers::ask(&socket, &mut ledger, &mut random, "visitor", number..number + 1).await;
    }
    if random.below(2) == 0 {
        within(socket.send(message("visitor", 99, random.size()))).await.unwrap();
    }
    leave(scene, socket, context).await;
}

/// A PAIR that has its peer turns others away.
pub(crate) async fn is_turned_away(scene: Arc<Scene>, at: Endpoint) {
    let context = context(&scene, &at);
    let socket = PairSocket::new_in(&context.0, SocketOptions::new());
    let mut monitor = socket.monitor();
    // Over inproc that is an error at once.
    if socket.connect(&at).is_ok() {
        within(async {
            while !matches!(monitor.recv().await, Some(MonitorEvent::HandshakeFailed { .. })) {}
        })
        .await;
    }
    leave(&scene, socket, context).await;
}
