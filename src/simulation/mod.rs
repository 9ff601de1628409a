//! Two or three sockets and a network that does what it likes, all from a seed.
//!
//! The sockets are real: their patterns, tasks, handshakes and reconnects are
//! those of every other program. The network is not: it takes octets in parts,
//! delivers them late, cuts connections at any octet; and the world polls whoever
//! is woken in any order, in a time of its own. What each socket accepted must be
//! written once and in order, or counted as lost; what it read must be delivered
//! once and in order, or counted; and whatever can arrive must arrive.
//!
//! ```text
//!   plan ──► world ──polls──► actors ──► sockets ──► transport = network ─► link
//!                              └─────────► ledger ◄────────────────────────┘
//! ```
//! ```text
//! cargo test --lib simulation
//! FERROMQ_SIM_SEEDS=100000 cargo test --release --lib simulation::what_goes_in
//! FERROMQ_SIM_SEED=17 cargo test --lib simulation::what_goes_in -- --nocapture
//! ```
//! The first runs 1,000 seeds, the second as many as it says, the third one of
//! them, telling what happens. A seed that found something goes to [`FOUND`].

mod actors;
mod ledger;
mod link;
mod network;
mod plan;
mod rng;
#[cfg(target_os = "linux")]
mod shortage;
mod stamp;
mod watch;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use actors::{Actor, endpoint_of};
use ledger::Books;
use network::Net;
use plan::{Ending, Part, Plan};
use rng::Rng;
use world::{Ran, World};

use crate::context::Context;
use crate::random::seeded;
#[cfg(feature = "curve")]
use crate::security::{CurveKeypair, Policy};
use crate::socket::Core;
use crate::tasks::adopted;
use crate::transport::simulated;

/// How many seeds the ordinary tests run.
const SEEDS: u64 = 1000;

/// Seeds that found something, and what.
const FOUND: &[(u64, &str)] = &[
    (21, "a message that was cut made room, and the sender that waited was not told"),
    (12, "what a peer had left unread before its socket closed was not counted"),
    (84, "what was read and not decoded when a socket closed was not counted"),
    (166, "what came while a closed connection waited for its end was not counted"),
];

/// How many failures are told of.
const FAILURES: usize = 10;

/// How long the network is bad, how long it may take until all is settled after
/// that, and until all is closed.
const BAD: Duration = Duration::from_secs(20);
const SETTLING: Duration = Duration::from_secs(120);
const CLOSING: Duration = Duration::from_secs(60);

/// What a world came to: the same for the same seed.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    steps: usize,
    time: Duration,
    chance: u64,
}

/// The mechanism of all sockets of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    Null,
    /// The one that listens is the server.
    #[cfg(feature = "curve")]
    Curve,
}

impl Guard {
    /// The test that runs worlds of this kind.
    fn test(self) -> &'static str {
        match self {
            Self::Null => "what_goes_in_comes_out_or",
            #[cfg(feature = "curve")]
            Self::Curve => "what_goes_in_comes_out_of_curve",
        }
    }

    fn apply(self, plan: &mut Plan) {
        match self {
            Self::Null => {}
            #[cfg(feature = "curve")]
            Self::Curve => {
                crate::zmtp::mechanism::curve::tap::forget();
                let server = CurveKeypair::generate().unwrap();
                let server_key = *server.public();
                for (index, party) in plan.parties.iter_mut().enumerate() {
                    let options = std::mem::take(&mut party.options);
                    let keys = CurveKeypair::generate().unwrap();
                    party.options = match index {
                        0 => options.curve_server(server.clone(), Policy::allow_any()),
                        _ => options.curve_client(keys, server_key),
                    };
                }
            }
        }
    }
}

/// Undoes what makes this thread live in a simulated world.
struct Undo;

impl Drop for Undo {
    fn drop(&mut self) {
        simulated::set(None);
        adopted::set(false);
        seeded::set(None);
    }
}

fn run(seed: u64, guard: Guard, traces: bool) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let rng = Rng::new(seed);
    let mut plan = Plan::new(seed, &rng);
    guard.apply(&mut plan);
    let plan = Arc::new(plan);
    if traces {
        println!("{plan:#?}");
    }
    let net = Net::new(plan.weather, rng.clone(), traces);
    let _undo = Undo;
    simulated::set(Some(Arc::new(net.clone())));
    adopted::set(true);
    seeded::set(Some(seed));
    runtime.unwrap().block_on(live(plan, net, rng))
}

/// From the first bind to the last close.
async fn live(plan: Arc<Plan>, net: Net, rng: Rng) -> Outcome {
    let began = tokio::time::Instant::now();
    let context = Context::new();
    let new = |party: &plan::Party| Core::new(party.socket_type, party.options.clone(), &context);
    let cores: Arc<Vec<_>> = Arc::new(plan.parties.iter().map(new).collect());
    let books = Books::new(net.clone(), Arc::clone(&plan), Arc::clone(&cores));
    let mut world = World::new(net.clone(), rng.clone(), books.clone());
    for (index, core) in cores.iter().enumerate() {
        let endpoint = endpoint_of(index).parse();
        match index {
            0 => drop(core.bind(endpoint).await.unwrap()),
            _ => core.connect(endpoint).unwrap(),
        }
        let actor = Actor::new(index, &plan, Arc::clone(core), books.clone(), rng.clone());
        actor.begin(&mut world);
    }
    let mut closing = (0..cores.len()).collect::<Vec<_>>();
    match plan.ending {
        Ending::Breaks { after } => drop(world.run(after, |_| false).await),
        Ending::Settles => settle(&mut world, &net, &books).await,
        Ending::Leaves(index) => {
            world.run(BAD, |_| books.has_sent(index)).await;
            net.clear_up();
            close(&mut world, &cores[index..=index], &books).await;
            arrive(&mut world, index, &plan, &books).await;
            closing.retain(|other| *other != index);
        }
    }
    let rest: Vec<_> = closing.iter().map(|index| Arc::clone(&cores[*index])).collect();
    close(&mut world, &rest, &books).await;
    let ended = world.run(CLOSING, |world| world.running().next().is_none()).await;
    assert!(ended == Ran::Done, "still running: {:?}", world.running().collect::<Vec<_>>());
    books.check(true).unwrap_or_else(|fault| panic!("{fault}\n{}", books.report()));
    Outcome { steps: world.steps(), time: began.elapsed(), chance: rng.next() }
}

/// Lets the network be bad for a while, and then everything arrive.
async fn settle(world: &mut World, net: &Net, books: &Books) {
    world.run(BAD, |_| books.unsettled().is_none()).await;
    net.clear_up();
    if world.run(SETTLING, |_| books.unsettled().is_none()).await == Ran::Late {
        let unsettled = books.unsettled();
        panic!("it is stuck: {unsettled:?}\n{}", books.report());
    }
    books.check(false).unwrap_or_else(|fault| panic!("{fault}\n{}", books.report()));
}

/// What one that has left had written before arrives.
async fn arrive(world: &mut World, from: usize, plan: &Plan, books: &Books) {
    let asks = plan.parties.iter().any(|party| party.part == Part::Asks);
    let may_cut = plan.weather.may_fall_silent || plan.parties.iter().any(|party| party.moves);
    let ran = world.run(CLOSING, |_| books.unread_of(from) == 0).await;
    if ran == Ran::Late && !asks && !may_cut {
        panic!("{} of {from} did not arrive\n{}", books.unread_of(from), books.report());
    }
}

async fn close(world: &mut World, cores: &[Arc<Core>], books: &Books) {
    let open = Arc::new(());
    for core in cores {
        let (core, open) = (Arc::clone(core), Arc::clone(&open));
        world.spawn("closes", async move {
            core.close().await;
            drop(open);
        });
    }
    if world.run(CLOSING, |_| Arc::strong_count(&open) == 1).await == Ran::Late {
        let running: Vec<_> = world.running().collect();
        panic!("it does not close: {running:?}\n{}", books.report());
    }
}

/// Runs a seed; a failure says how to have it again.
fn replayable(seed: u64, guard: Guard) -> Result<Outcome, String> {
    catch_unwind(AssertUnwindSafe(|| run(seed, guard, false))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?");
        format!(
            "seed {seed}: {text}\nto have it again: FERROMQ_SIM_SEED={seed} cargo test --lib \
             --all-features simulation::{} -- --nocapture\n",
            guard.test()
        )
    })
}

/// Runs many, and fails with the first few that do.
fn all(seeds: impl Iterator<Item = u64>, guard: Guard) {
    let failed = seeds.filter_map(|seed| replayable(seed, guard).err());
    let failed: Vec<_> = failed.take(FAILURES).collect();
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn seeds_of(guard: Guard, ordinarily: u64) {
    if let Some(seed) = from_environment("FERROMQ_SIM_SEED") {
        println!("{:?}", run(seed, guard, true));
        return;
    }
    all(0..from_environment("FERROMQ_SIM_SEEDS").unwrap_or(ordinarily), guard);
}

#[test]
fn what_goes_in_comes_out_or_is_counted() {
    seeds_of(Guard::Null, SEEDS);
}

#[cfg(feature = "curve")]
#[test]
fn what_goes_in_comes_out_of_curve_as_well() {
    seeds_of(Guard::Curve, SEEDS / 4);
}

#[test]
fn what_was_found_once_stays_mended() {
    all(FOUND.iter().map(|(seed, _)| *seed), Guard::Null);
}

#[test]
fn the_same_seed_is_the_same_world() {
    for seed in 0..24 {
        let [once, again] = [(); 2].map(|()| replayable(seed, Guard::Null));
        assert_eq!(once, again, "seed {seed}");
    }
}
