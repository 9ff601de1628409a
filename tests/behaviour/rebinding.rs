//! The address of a listener that is gone is free: at once, however and
//! wherever it went.

use std::net::{Shutdown, TcpListener};
use std::path::Path;
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use ferromq::{DealerSocket, Endpoint, PullSocket};
use tokio::runtime::{Builder, Runtime};

use crate::common::events::Events;
use crate::common::{Transport, quick, within};

/// The old fault lost a race: once is no proof.
const ROUNDS: usize = 50;

/// Binds a socket of its own and drops it again, right after the last one.
async fn bind_and_drop(transport: Transport) {
    let at = transport.known();
    for round in 0..ROUNDS {
        let socket = DealerSocket::new();
        let bound = within(socket.bind(&at)).await;
        assert_eq!(bound.unwrap_or_else(|error| panic!("{round}: {error}")), at);
        drop(socket);
    }
    assert_free(&at);
}

/// Whether others than this crate could bind there.
fn assert_free(at: &Endpoint) {
    match (at.socket_addr(), at.path()) {
        (Some(address), _) => {
            let listener = TcpListener::bind(address).unwrap();
            // A child process that is just being started has a copy.
            let _ = socket2::SockRef::from(&listener).shutdown(Shutdown::Both);
        }
        (None, Some(path)) => assert!(!path.exists(), "{at}"),
        (None, None) => {}
    }
}

#[tokio::test]
async fn a_dropped_listener_leaves_its_address_to_the_next_on_one_thread() {
    for transport in Transport::ALL {
        bind_and_drop(transport).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_listener_leaves_its_address_to_the_next_on_two_threads() {
    for transport in Transport::ALL {
        bind_and_drop(transport).await;
    }
}

/// A child process has a copy of every descriptor until it runs its program.
/// That would disturb other tests, so this one runs in a process of its own:
/// it starts itself again.
#[test]
fn also_while_other_programs_are_started() {
    const ALONE: &str = "FERROMQ_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return current_thread().block_on(rebind_while_starting_programs());
    }
    let name = "rebinding::also_while_other_programs_are_started";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
}

async fn rebind_while_starting_programs() {
    let done = Arc::new(AtomicBool::new(false));
    let starting = std::thread::spawn({
        let done = Arc::clone(&done);
        move || {
            while !done.load(Ordering::Relaxed) {
                let _ = Command::new("true").status();
            }
        }
    });
    let at = Transport::Tcp.known();
    let mut failed = 0;
    for _ in 0..20 * ROUNDS {
        failed += usize::from(within(PullSocket::new().bind(&at)).await.is_err());
        tokio::task::yield_now().await;
    }
    done.store(true, Ordering::Relaxed);
    starting.join().unwrap();
    assert_eq!(failed, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn also_with_a_peer_that_keeps_coming_back() {
    for transport in Transport::STREAMS {
        let at = transport.known();
        let peer = DealerSocket::with_options(quick());
        peer.connect(&at).unwrap();
        for round in 0..10 {
            let socket = DealerSocket::new();
            let mut events = Events::from(socket.monitor());
            let bound = within(socket.bind(&at)).await;
            bound.unwrap_or_else(|error| panic!("{transport:?}, {round}: {error}"));
            events.ready().await;
        }
    }
}

#[test]
fn a_listener_may_be_dropped_far_from_its_runtime() {
    for transport in Transport::STREAMS {
        // Nobody drives this one while the socket is dropped: its tasks do not
        // get a turn.
        let home = current_thread();
        let at = transport.known();
        let bind = || {
            let socket = PullSocket::new();
            home.block_on(within_bind(&socket, &at));
            socket
        };
        drop(bind());
        assert_free(&at);
        let socket = bind();
        std::thread::spawn(move || drop(socket)).join().unwrap();
        assert_free(&at);
        let socket = bind();
        current_thread().block_on(async move { drop(socket) });
        assert_free(&at);
        drop(bind());
    }
}

#[test]
fn a_listener_closes_with_its_runtime_and_its_socket_may_live_on() {
    for transport in Transport::STREAMS {
        let (socket, at) = (PullSocket::new(), transport.known());
        let home = current_thread();
        home.block_on(within_bind(&socket, &at));
        drop(home);
        assert_free(&at);
        current_thread().block_on(async {
            let next = PullSocket::new();
            within_bind(&next, &at).await;
            // What the first one still holds of its own is not the next one's.
            drop(socket);
            assert!(at.path().is_none_or(Path::exists));
            if let Some(address) = at.socket_addr() {
                TcpListener::bind(address).unwrap_err();
            }
        });
        assert_free(&at);
    }
}

#[tokio::test]
async fn an_unbind_and_a_close_that_are_given_up_free_the_address_all_the_same() {
    for transport in Transport::ALL {
        let (socket, at) = (PullSocket::new(), transport.known());
        within_bind(&socket, &at).await;
        poll_once(socket.unbind(&at));
        assert_free(&at);
        within_bind(&socket, &at).await;
        poll_once(socket.close());
        assert_free(&at);
        within_bind(&PullSocket::new(), &at).await;
    }
}

async fn within_bind(socket: &PullSocket, at: &Endpoint) {
    within(socket.bind(at)).await.unwrap();
}

fn poll_once(future: impl Future) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
