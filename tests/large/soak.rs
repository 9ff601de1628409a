//! All types over all transports for a long time, while others come and go, connections
//! are cut, peers are killed and most futures are dropped before they are done.

mod broken;
mod killed;
mod ledger;
mod scene;
mod sockets;
mod stayers;
mod visitors;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ferromq::{
    DealerSocket, DropCause, Endpoint, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket,
    ReqSocket, RouterSocket, SocketOptions, SubSocket, XPubSocket, XSubSocket,
};
use tokio::time::{Instant, interval};

use self::ledger::{Ledger, Rule};
use self::scene::Scene;
use self::sockets::{Sends, Socket};
use crate::child;
use crate::common::events::Events;
use crate::common::{Transport, eventually, within};
use crate::figures::{Held, resident, slope};

/// How often each kind of visitor comes, about, in milliseconds.
const PAUSE: u64 = 100;

/// What the memory may grow by in a minute, in octets. (In the long form; a few seconds
/// tell nothing.)
const GROWTH: f64 = 1024.0 * 1024.0;

const NAME: &str = "soak::nothing_is_lost_doubled_disordered_or_leaked";

#[test]
fn nothing_is_lost_doubled_disordered_or_leaked() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().unwrap()
    };
    match child::role() {
        None => child::run_alone(NAME),
        Some((role, arguments)) if role == killed::ROLE => {
            child::runtime().block_on(killed::run(&arguments));
        }
        Some(_) => runtime().block_on(soak()),
    }
}

async fn soak() {
    let seconds = crate::long("FERROMQ_SOAK_SECONDS");
    let time = Duration::from_secs(seconds.unwrap_or(5));
    let warm_up = (time / 5).min(Duration::from_secs(60));
    let scene = Scene::new();
    // Nobody visits yet. What tokio needs to watch over processes comes with the first.
    let gate = scene.gate.write().await;
    child::Peer::start(NAME, killed::ROLE, &["-".into()]).kill().await;
    start(&scene).await;
    eventually(|| scene.received.load(Ordering::Relaxed) >= 2000).await;
    let quiet = Held::now();
    drop(gate);
    watch(&scene, warm_up).await;
    come_to_rest(&scene, quiet, "after the warm-up").await;
    let samples = watch(&scene, time - warm_up).await;
    come_to_rest(&scene, quiet, "at the end").await;
    within(scene.end()).await;
    report(&scene, quiet, &samples);
    if seconds >= Some(600) {
        let growth = slope(&samples) * 60.0;
        assert!(growth < GROWTH, "the memory grows by {growth:.0} octets a minute");
    }
}

/// Lets all go on for so long. Gives what is in memory, once a second.
async fn watch(scene: &Scene, time: Duration) -> Vec<(f64, f64)> {
    let (since, mut samples) = (Instant::now(), Vec::new());
    let mut ticks = interval(Duration::from_secs(1));
    while since.elapsed() < time {
        ticks.tick().await;
        scene.check();
        samples.push((since.elapsed().as_secs_f64(), resident() as f64));
    }
    samples
}

/// While nobody visits, is cut or killed, there are as many descriptors and tasks as before
/// anybody did.
async fn come_to_rest(scene: &Scene, quiet: Held, when: &str) {
    let _gate = within(scene.gate.write()).await;
    let rest = async {
        while Held::now() != quiet {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let is_at_rest = tokio::time::timeout(crate::common::DEADLINE, rest).await.is_ok();
    assert!(is_at_rest, "{when}: {:?} in place of {quiet:?}", Held::now());
}

fn report(scene: &Scene, quiet: Held, samples: &[(f64, f64)]) {
    let [received, visits, cuts, killed] =
        [&scene.received, &scene.visits, &scene.cuts, &scene.killed]
            .map(|count| count.load(Ordering::Relaxed));
    eprintln!(
        "soak: {received} messages received; {visits} visits, {cuts} cuts, {killed} killed; \
         {quiet:?} before and after; memory {:.1} MiB, growing by {:.3} MiB a minute",
        resident() as f64 / 1024.0 / 1024.0,
        slope(samples) * 60.0 / 1024.0 / 1024.0,
    );
    assert!(visits > 0 && cuts > 0 && killed > 0, "nothing happened");
}

/// All who take part.
async fn start(scene: &Arc<Scene>) {
    for transport in Transport::ALL {
        let pull = pushing(scene, transport).await;
        let router = asking::<RouterSocket, DealerSocket>(scene, transport, 8).await;
        let rep = asking::<RepSocket, ReqSocket>(scene, transport, 1).await;
        let publisher = publishing::<PubSocket, SubSocket>(scene, transport).await.1;
        let (xpub, at_xpub) = publishing::<XPubSocket, XSubSocket>(scene, transport).await;
        subscriptions(scene, xpub);
        pairing(scene, transport).await;
        if transport != Transport::Inproc {
            killed::start(scene, NAME, [pull, router, publisher, at_xpub, rep]);
        }
    }
    broken::start(scene).await;
}

/// Small marks, so that calls wait and are dropped while they do.
fn small() -> SocketOptions {
    SocketOptions::new().send_hwm(8).recv_hwm(8).router_mandatory(true)
}

/// Two sockets that stay, connected.
async fn join<B: Socket, C: Socket>(
    scene: &Scene,
    transport: Transport,
    options: SocketOptions,
) -> (B, C, Endpoint) {
    let bound = B::make(&scene.context, options.clone());
    let connecting = C::make(&scene.context, options);
    let mut events = Events::from(connecting.monitor());
    let at = bound.bind(&transport.any()).await.unwrap();
    connecting.connect(&at).unwrap();
    events.ready().await;
    (bound, connecting, at)
}

async fn pushing(scene: &Arc<Scene>, transport: Transport) -> Endpoint {
    let (pull, push, at) = join::<PullSocket, PushSocket>(scene, transport, small()).await;
    let visits = Arc::new(AtomicU64::new(0));
    let ledger = Ledger::new(format!("{transport:?}, PULL"), Rule::All);
    // What it sends is heard, so it is sent once.
    let heard = Arc::new(AtomicBool::new(true));
    scene.stays(stayers::send(Arc::clone(scene), "stays".into(), push.clone(), heard));
    let receiving =
        stayers::receive(Arc::clone(scene), ledger, "stays".into(), pull.clone(), visits.clone());
    scene.stays(async move {
        let ledger = receiving.await;
        assert_eq!(ledger.missing + lost(&push) + lost(&pull), 0);
    });
    let (visited, to) = (Arc::clone(scene), at.clone());
    scene.repeats(PAUSE, move |_| {
        let (scene, to, visits) = (Arc::clone(&visited), to.clone(), Arc::clone(&visits));
        async move {
            visitors::send::<PushSocket>(&scene, &to).await;
            visits.fetch_add(1, Ordering::SeqCst);
        }
    });
    at
}

/// How many messages a socket has lost, for whatever cause.
fn lost(socket: &impl Socket) -> u64 {
    DropCause::ALL.into_iter().map(|cause| socket.dropped(cause)).sum()
}

async fn asking<B, C>(scene: &Arc<Scene>, transport: Transport, burst: u64) -> Endpoint
where
    B: Sends + sockets::Receives,
    C: Sends + sockets::Receives,
{
    let (bound, connecting, at) = join::<B, C>(scene, transport, small()).await;
    let case = format!("{transport:?}, {}", std::any::type_name::<C>());
    scene.serves(stayers::serve(Arc::clone(scene), bound));
    scene.stays(stayers::ask_on(Arc::clone(scene), case, connecting, burst));
    let (visited, to) = (Arc::clone(scene), at.clone());
    scene.repeats(PAUSE, move |_| {
        let (scene, to) = (Arc::clone(&visited), to.clone());
        async move { visitors::ask::<C>(&scene, &to).await }
    });
    at
}

async fn publishing<B, C>(scene: &Arc<Scene>, transport: Transport) -> (B, Endpoint)
where
    B: Sends,
    C: sockets::Receives,
{
    let (publisher, sub, at) = join::<B, C>(scene, transport, SocketOptions::new()).await;
    let heard = Arc::new(AtomicBool::new(false));
    let ledger = Ledger::new(format!("{transport:?}, SUB"), Rule::Ordered);
    scene.stays(stayers::send(Arc::clone(scene), "stays".into(), publisher.clone(), heard.clone()));
    let visits = Arc::default();
    // Whoever watches over subscriptions sees that it stays.
    let receiver = sub.clone();
    let receiving = stayers::receive(Arc::clone(scene), ledger, "stays".into(), receiver, visits);
    scene.serves(async move {
        std::future::pending::<()>().await;
        drop(sub);
    });
    let sender = publisher.clone();
    scene.stays(async move {
        let ledger = receiving.await;
        heard.store(true, Ordering::SeqCst);
        // What is missing was dropped at the mark, and counted.
        let full = sender.dropped(DropCause::PeerFull);
        assert!(ledger.missing <= full, "{} are missing, {full} were dropped", ledger.missing);
    });
    let (visited, to) = (Arc::clone(scene), at.clone());
    scene.repeats(PAUSE, move |_| {
        let (scene, to) = (Arc::clone(&visited), to.clone());
        async move { visitors::receive::<C>(&scene, &to).await }
    });
    (publisher, at)
}

/// An XPUB hears of a topic when the first subscribes to it and when the last has left.
fn subscriptions(scene: &Arc<Scene>, xpub: XPubSocket) {
    scene.serves(async move {
        // All want the same, and one of them stays; so there is no more to be heard.
        assert_eq!(xpub.recv().await.unwrap(), "\u{1}".into());
        let more = xpub.recv().await.unwrap();
        panic!("a subscription that was there already, or its end: {more:?}");
    });
}

async fn pairing(scene: &Arc<Scene>, transport: Transport) {
    let (one, other, at) = join::<PairSocket, PairSocket>(scene, transport, small()).await;
    let case = format!("{transport:?}, PAIR");
    scene.serves(stayers::serve(Arc::clone(scene), one));
    scene.stays(stayers::ask_on(Arc::clone(scene), case, other, 8));
    let visited = Arc::clone(scene);
    scene.repeats(PAUSE, move |_| visitors::is_turned_away(Arc::clone(&visited), at.clone()));
}
