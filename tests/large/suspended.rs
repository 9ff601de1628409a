//! A process that is stopped, as a machine that is suspended has it: its clocks stand
//! still or run on, its peers are elsewhere.
//!
//! What jumps with a suspension, or when somebody sets it, is the wall clock, and nothing
//! here looks at that: `clippy.toml` refuses it.

use std::collections::BTreeSet;
use std::time::Duration;

use ferromq::{
    DisconnectReason, Endpoint, Monitor, MonitorEvent, PullSocket, PushSocket, SocketOptions,
};
use tokio::time::{sleep, timeout};

use crate::child::{self, Peer};
use crate::common::events::{Events, name};
use crate::common::{Transport, quick, within};

/// The patience of the process that is stopped, and of a peer that is not to wait for it.
const INTERVAL: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_millis(250);

/// For how long the process is stopped.
const STOPPED: Duration = Duration::from_millis(1500);

/// How many messages are sent at a time.
const MESSAGES: u64 = 100;

const ROLE: &str = "stopped";

fn beating(patience: Duration) -> SocketOptions {
    quick().heartbeat_interval(INTERVAL).heartbeat_timeout(patience)
}

/// What the process does: it sends back all that it receives, and says whenever it loses a
/// peer.
fn run(arguments: &[String]) {
    child::end_with_parent();
    child::runtime().block_on(async {
        let (pull, push) = sockets(beating(PATIENCE));
        push.connect(arguments[0].as_str()).unwrap();
        for monitor in [pull.monitor(), push.monitor()] {
            tokio::spawn(tell_of_losses(monitor));
        }
        child::say(&pull.bind(Transport::Tcp.any()).await.unwrap().to_string());
        loop {
            let message = within(pull.recv()).await.unwrap();
            let is_end = message == "end".into();
            within(push.send(message)).await.unwrap();
            if is_end {
                child::say("ended");
                within(push.close()).await;
                return;
            }
        }
    });
}

async fn tell_of_losses(mut monitor: Monitor) {
    while let Some(event) = monitor.recv().await {
        if matches!(event, MonitorEvent::Disconnected { .. }) {
            child::say(&name(&event));
        }
    }
}

fn sockets(options: SocketOptions) -> (PullSocket, PushSocket) {
    (PullSocket::with_options(options.clone()), PushSocket::with_options(options))
}

/// The other process, and this one's sockets: all are connected.
struct Scene {
    peer: Peer,
    pull: PullSocket,
    push: PushSocket,
    pulls: Events,
    pushes: Events,
}

async fn meet(test: &str, options: SocketOptions) -> Scene {
    let (pull, push) = sockets(options);
    let (mut pulls, mut pushes) = (Events::from(pull.monitor()), Events::from(push.monitor()));
    let at = pull.bind(Transport::Tcp.any()).await.unwrap();
    let mut peer = Peer::start(test, ROLE, &[at.to_string()]);
    push.connect(peer.says().await.parse::<Endpoint>().unwrap()).unwrap();
    pulls.ready().await;
    pushes.ready().await;
    Scene { peer, pull, push, pulls, pushes }
}

impl Scene {
    async fn send(&self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            within(self.push.send(number.to_string())).await.unwrap();
        }
    }

    async fn receive(&self) -> u64 {
        let message = within(self.pull.recv()).await.unwrap();
        std::str::from_utf8(&message[0]).unwrap().parse().unwrap()
    }

    async fn receive_all(&self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            assert_eq!(self.receive().await, number);
        }
    }

    /// Ends it; what the process has said before that.
    async fn end(mut self) -> Vec<String> {
        within(self.push.send("end")).await.unwrap();
        assert_eq!(within(self.pull.recv()).await.unwrap(), "end".into());
        let mut said = Vec::new();
        loop {
            match self.peer.says().await {
                it if it == "ended" => return said,
                it => said.push(it),
            }
        }
    }
}

/// What this side does has time for that: it is patient, and what it sends waits.
#[test]
fn a_connection_survives_a_suspension_of_the_other_side() {
    if let Some((_, arguments)) = child::role() {
        return run(&arguments);
    }
    child::runtime().block_on(async {
        let test = "suspended::a_connection_survives_a_suspension_of_the_other_side";
        let mut scene = meet(test, beating(Duration::from_secs(60))).await;
        for round in 0..2 {
            let first = round * 2 * MESSAGES;
            scene.send(first..first + MESSAGES).await;
            scene.receive_all(first..first + MESSAGES).await;
            scene.peer.stop();
            scene.send(first + MESSAGES..first + 2 * MESSAGES).await;
            // The suspension.
            sleep(STOPPED).await;
            scene.peer.go_on();
            scene.receive_all(first + MESSAGES..first + 2 * MESSAGES).await;
            // Whose time seems to be over loses its patience about now.
            sleep(2 * PATIENCE).await;
        }
        for events in [&mut scene.pulls, &mut scene.pushes] {
            let event = timeout(Duration::ZERO, events.next()).await.map(|event| name(&event));
            assert!(event.is_err(), "{event:?}");
        }
        assert_eq!(scene.end().await, [""; 0]);
    });
}

/// This side gives the other up in its own time, and is connected again after that.
#[test]
fn peers_are_back_after_a_suspension_and_lose_nothing_that_was_sent_since() {
    if let Some((_, arguments)) = child::role() {
        return run(&arguments);
    }
    child::runtime().block_on(async {
        let test =
            "suspended::peers_are_back_after_a_suspension_and_lose_nothing_that_was_sent_since";
        // Whoever dials a process that is stopped is connected, and hears nothing.
        let options = beating(PATIENCE).handshake_timeout(Duration::from_millis(500));
        let mut scene = meet(test, options).await;
        scene.send(0..MESSAGES).await;
        scene.receive_all(0..MESSAGES).await;
        scene.peer.stop();
        // The system takes these, as it has not heard of a suspension either.
        scene.send(MESSAGES..2 * MESSAGES).await;
        for events in [&mut scene.pulls, &mut scene.pushes] {
            let reason = events.disconnected().await;
            assert!(matches!(reason, DisconnectReason::HeartbeatTimeout), "{reason:?}");
        }
        scene.send(2 * MESSAGES..3 * MESSAGES).await;
        // The suspension.
        sleep(STOPPED).await;
        scene.peer.go_on();
        scene.pulls.ready().await;
        scene.pushes.ready().await;
        let mut seen = BTreeSet::new();
        let mut next = 2 * MESSAGES;
        while next < 3 * MESSAGES {
            let number = scene.receive().await;
            assert!(seen.insert(number), "{number} came twice");
            if number >= 2 * MESSAGES {
                // All that was accepted since comes, in order.
                assert_eq!(number, next);
                next += 1;
            }
        }
    });
}
