//! Those who stay while their connections are cut: over a cable, or since who is bound
//! unbinds and binds again. What was under way is lost with the connection; nothing comes
//! twice, and where the sender stays one peer to the receiver, nothing out of order.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ferromq::{
    DealerSocket, Endpoint, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, SocketOptions, SubSocket, XPubSocket, XSubSocket,
};

use super::ledger::{Ledger, Rule, message};
use super::scene::{Random, Scene};
use super::sockets::{Receives, Sends, Socket};
use super::stayers::serve;
use crate::common::cable::Cable;
use crate::common::events::Events;
use crate::common::{Transport, quick, within};

/// How often each connection is cut, about, in milliseconds.
const PAUSE: u64 = 400;

/// All of them are connected when this returns.
pub(crate) async fn start(scene: &Arc<Scene>) {
    for transport in Transport::STREAMS {
        let (pull, push) = join(scene, transport, quick()).await;
        one_way::<PushSocket, PullSocket>(scene, push, pull, Rule::Once);
        let (push, pull) = join(scene, transport, quick()).await;
        one_way::<PushSocket, PullSocket>(scene, push, pull, Rule::Ordered);
        let (publisher, sub) = join(scene, transport, quick()).await;
        one_way::<PubSocket, SubSocket>(scene, publisher, sub, Rule::Ordered);
        let (publisher, sub) = join(scene, transport, quick()).await;
        one_way::<XPubSocket, XSubSocket>(scene, publisher, sub, Rule::Ordered);
        let (one, other) = join(scene, transport, quick()).await;
        one_way::<PairSocket, PairSocket>(scene, one, other, Rule::Ordered);
        let (router, dealer) = join::<RouterSocket, DealerSocket>(scene, transport, quick()).await;
        scene.serves(serve(Arc::clone(scene), router));
        one_way::<DealerSocket, DealerSocket>(scene, dealer.clone(), dealer, Rule::Once);
        let options = quick().req_relaxed(true).req_correlate(true);
        let (rep, req) = join::<RepSocket, ReqSocket>(scene, transport, options).await;
        scene.serves(serve(Arc::clone(scene), rep));
        scene.serves(ask(Arc::clone(scene), req));
    }
}

/// One that is bound and one that connects to it, over something that is cut now and
/// then.
async fn join<B: Socket, C: Socket>(
    scene: &Arc<Scene>,
    transport: Transport,
    options: SocketOptions,
) -> (B, C) {
    let bound = B::make(&scene.context, SocketOptions::new());
    let connecting = C::make(&scene.context, options);
    let at = bound.bind(&transport.known()).await.unwrap();
    let mut events = Events::from(connecting.monitor());
    match transport {
        Transport::Tcp => {
            let cable = Cable::to(&at).await;
            connecting.connect(cable.endpoint()).unwrap();
            cut(scene, cable);
        }
        _ => {
            connecting.connect(&at).unwrap();
            bind_again(scene, bound.clone(), at);
        }
    }
    events.ready().await;
    (bound, connecting)
}

fn cut(scene: &Arc<Scene>, cable: Cable) {
    let (counted, cable) = (Arc::clone(scene), Arc::new(cable));
    // The cable is there until all is over.
    scene.serves({
        let cable = Arc::clone(&cable);
        async move {
            std::future::pending::<()>().await;
            drop(cable);
        }
    });
    scene.repeats(PAUSE, move |_| {
        cable.cut();
        counted.cuts.fetch_add(1, Ordering::Relaxed);
        async {}
    });
}

fn bind_again<B: Socket>(scene: &Arc<Scene>, bound: B, at: Endpoint) {
    let counted = Arc::clone(scene);
    scene.repeats(PAUSE, move |_| {
        let (bound, at) = (bound.clone(), at.clone());
        counted.cuts.fetch_add(1, Ordering::Relaxed);
        async move {
            within(bound.unbind(&at)).await.unwrap();
            within(bound.bind(&at)).await.unwrap();
        }
    });
}

/// One sends numbered messages, and one receives them by the rule.
fn one_way<S: Sends, R: Receives>(scene: &Arc<Scene>, sender: S, receiver: R, rule: Rule) {
    let case = format!("{}, cut", std::any::type_name::<R>());
    let receiving = Arc::clone(scene);
    scene.serves(async move {
        let mut random = Random::new();
        for number in 0.. {
            // While there is nobody it waits, or is dropped.
            sender.send(message("cut", number, random.size())).await.unwrap();
            if number % 8 == 0 {
                // So that the others have some of the processor, too.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    scene.serves(async move {
        let mut ledger = Ledger::new(case, rule);
        loop {
            let message = receiver.recv().await.unwrap();
            receiving.received.fetch_add(1, Ordering::Relaxed);
            ledger.on(&message);
        }
    });
}

/// A question may be lost, or its answer; then there is another one, and an answer is to
/// the last question.
async fn ask(scene: Arc<Scene>, req: ReqSocket) {
    let mut random = Random::new();
    for number in 0.. {
        let question = message("asks", number, random.size());
        within(req.send(question.clone())).await.unwrap();
        let patience = Duration::from_millis(500);
        if let Ok(answer) = tokio::time::timeout(patience, req.recv()).await {
            assert_eq!(answer.unwrap(), question);
            scene.received.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(random.below(20))).await;
    }
}
