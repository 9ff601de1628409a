//! What is left when a socket is closed: nothing. And what happens without the
//! runtime: no panic.

use std::time::Duration;

use ferromq::{
    DealerSocket, DropCause, PairSocket, PubSocket, PullSocket, PushSocket, RouterSocket,
    SendErrorKind, SocketOptions, SubSocket,
};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;

use crate::common::cable::abrupt;
use crate::common::events::Events;
use crate::common::{Transport, quick, raw, temporary, within};

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn no_task_outlives_its_socket() {
    let before = tasks();
    for transport in Transport::ALL {
        let (router, dealer) = (RouterSocket::new(), DealerSocket::new());
        let mut events = Events::from(router.monitor());
        let endpoint = router.bind(transport.any()).await.unwrap();
        dealer.connect(&endpoint).unwrap();
        dealer.connect(transport.known()).unwrap();
        events.ready().await;
        within(dealer.send("m")).await.unwrap();
        within(router.recv()).await.unwrap();
        let _ = within(dealer.close()).await;
        let _ = within(router.close()).await;
        within(async {
            // A task that has ended may be counted until it is dropped.
            while tasks() > before {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn no_task_outlives_a_dropped_socket() {
    let before = tasks();
    for transport in Transport::ALL {
        let (publisher, sub) = (PubSocket::new(), SubSocket::new());
        let mut events = Events::from(publisher.monitor());
        let endpoint = publisher.bind(transport.any()).await.unwrap();
        sub.connect(&endpoint).unwrap();
        events.ready().await;
        drop((publisher, sub));
        within(async {
            while tasks() > before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
}

/// Descriptors belong to the process, so these tests run in one of their own:
/// this test starts itself again.
#[cfg(target_os = "linux")]
#[test]
fn no_descriptor_outlives_its_socket() {
    const ALONE: &str = "FERROMQ_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(descriptors());
        return;
    }
    let name = "resources::no_descriptor_outlives_its_socket";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{shown}");
}

#[cfg(target_os = "linux")]
fn open() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[cfg(target_os = "linux")]
async fn descriptors() {
    let before = open();
    for transport in Transport::STREAMS {
        let (pull, push) = (PullSocket::new(), PushSocket::new());
        push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        within(push.send("m")).await.unwrap();
        within(pull.recv()).await.unwrap();
        assert!(open() > before, "{transport:?}: nothing is counted");
        let _ = within(push.close()).await;
        let _ = within(pull.close()).await;
        baseline(before, "closed in order").await;

        let (pull, push) = (PullSocket::new(), PushSocket::new());
        push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        within(push.send("m")).await.unwrap();
        let _ = within(pull.close()).await;
        drop(push);
        baseline(before, "the other way round, with a message unread").await;
    }
    // A peer that was turned away, and one that fell silent.
    let bound = PairSocket::new();
    let mut events = Events::from(bound.monitor());
    let endpoint = bound.bind("tcp://127.0.0.1:0").await.unwrap();
    let (first, second) = (PairSocket::new(), PairSocket::new());
    first.connect(&endpoint).unwrap();
    events.ready().await;
    let with_one = open();
    second.connect(&endpoint).unwrap();
    events.handshake_failed().await;
    let _ = within(second.close()).await;
    baseline(with_one, "turned away").await;
    let _ = within(first.close()).await;
    let _ = within(bound.close()).await;
    baseline(before, "PAIR").await;

    let heartbeat = SocketOptions::new().heartbeat_interval(Duration::from_millis(20));
    let pull = PullSocket::with_options(heartbeat);
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let listening = open();
    let mut silent = raw::connect(&endpoint).await;
    raw::shake_hands(&mut silent, raw::READY_PUSH).await;
    events.disconnected().await;
    // Only the test's own end is left, though nobody receives.
    baseline(listening + 1, "silent").await;
    let _ = within(pull.close()).await;
    descriptors_of_the_reset().await;
}

/// Peers that take nothing, so that we are about to write when they reset their
/// connections; and nobody receives, who would hear of the end.
#[cfg(target_os = "linux")]
async fn descriptors_of_the_reset() {
    let dealer = DealerSocket::with_options(SocketOptions::new().send_buffer(raw::TIGHT));
    let mut events = Events::from(dealer.monitor());
    let endpoint = dealer.bind("tcp://127.0.0.1:0").await.unwrap();
    let listening = open();
    for _ in 0..20 {
        let mut peer = raw::connect(&endpoint).await;
        raw::shake_hands(&mut peer, raw::READY_DEALER).await;
        events.ready().await;
        for _ in 0..4 {
            within(dealer.send(vec![0; 1_000_000])).await.unwrap();
        }
        within(peer.write_all(&raw::frame(false, b"unread"))).await.unwrap();
        abrupt(&peer);
        drop(peer);
        events.disconnected().await;
    }
    baseline(listening, "reset").await;
    for _ in 0..20 {
        assert_eq!(within(dealer.recv()).await.unwrap(), "unread".into());
    }
    let _ = within(dealer.close()).await;
}

#[cfg(target_os = "linux")]
async fn baseline(before: usize, what: &str) {
    let waited = tokio::time::timeout(Duration::from_secs(5), async {
        while open() > before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}: {} descriptors, were {before}", open());
}

#[tokio::test]
async fn the_ipc_file_goes_with_its_socket() {
    let path = temporary("sock");
    let pull = PullSocket::new();
    pull.bind(&*path).await.unwrap();
    assert!(path.exists());
    let _ = within(pull.close()).await;
    assert!(!path.exists());

    let wild = PullSocket::new();
    let endpoint = wild.bind("ipc://*").await.unwrap();
    let path = endpoint.path().unwrap().to_owned();
    within(wild.unbind(&endpoint)).await.unwrap();
    assert!(!path.exists() && !path.parent().unwrap().exists());
}

#[tokio::test]
async fn a_file_that_is_not_ours_any_more_is_left() {
    let path = temporary("sock");
    let pull = PullSocket::new();
    pull.bind(&*path).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "somebody else's").unwrap();
    let _ = within(pull.close()).await;
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody else's");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_socket_may_outlive_its_runtime() {
    for multi in [false, true] {
        for transport in Transport::ALL {
            let runtime = if multi {
                tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
            } else {
                tokio::runtime::Builder::new_current_thread().enable_all().build()
            }
            .unwrap();
            let (push, pull, monitor) = runtime.block_on(async {
                let (push, pull) = (PushSocket::with_options(quick()), PullSocket::new());
                let monitor = push.monitor();
                let endpoint = pull.bind(transport.any()).await.unwrap();
                push.connect(&endpoint).unwrap();
                push.connect(transport.known()).unwrap();
                for number in 0..4 {
                    within(push.send(number.to_string())).await.unwrap();
                }
                within(pull.recv()).await.unwrap();
                (push, pull, monitor)
            });
            drop(runtime);
            let _ = (push.try_send("m"), pull.try_recv());
            let other = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            other.block_on(async {
                // What is left may come or not; that it ends is what counts.
                let brief = Duration::from_millis(10);
                let _ = tokio::time::timeout(brief, pull.recv()).await;
                let _ = tokio::time::timeout(brief, push.send("m")).await;
                let _ = within(push.close()).await;
                let _ = within(pull.close()).await;
            });
            drop((push, pull, monitor));
        }
    }
}

#[test]
fn what_goes_with_the_runtime_is_counted() {
    for immediate in [false, true] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (push, mut peer) = runtime.block_on(async {
            let push = PushSocket::with_options(quick().immediate(immediate).send_hwm(0));
            let mut events = Events::from(push.monitor());
            let (listener, endpoint) = raw::listener().await;
            push.connect(&endpoint).unwrap();
            let mut peer = raw::accept(&listener).await;
            raw::shake_hands(&mut peer, raw::READY_PULL).await;
            events.ready().await;
            for _ in 0..5 {
                push.try_send("m").unwrap();
            }
            (push, peer.into_std().unwrap())
        });
        drop(runtime);
        // What was written already is counted by nobody: the peer has it. Then the
        // connection has ended for it as well.
        use std::io::Read;
        peer.set_nonblocking(false).unwrap();
        let mut octets = Vec::new();
        let _ = peer.read_to_end(&mut octets);
        let written = octets.len() / 3;
        assert!(written <= 1, "the first message may be written by its sender, no other");
        let lost = push.dropped(DropCause::LingerExpired);
        assert_eq!(lost + written as u64, 5, "immediate: {immediate}");
    }
}

#[test]
fn what_was_queued_when_the_runtime_ended_is_counted_and_not_queued_for_ever() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (dealer, silent) = (DealerSocket::new(), Transport::Tcp.known());
    let peer = runtime.block_on(async {
        dealer.connect(&silent).unwrap();
        let mut events = Events::from(dealer.monitor());
        let endpoint = dealer.bind("tcp://127.0.0.1:0").await.unwrap();
        let mut peer = raw::connect(&endpoint).await;
        raw::shake_hands(&mut peer, raw::READY_DEALER).await;
        events.ready().await;
        for _ in 0..8 {
            within(dealer.send("m")).await.unwrap();
        }
        peer
    });
    drop(runtime);
    assert!(dealer.dropped(DropCause::LingerExpired) >= 4);
    let error = dealer.try_send("nobody").unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::RuntimeEnded);
    drop(peer);
}

#[test]
fn a_socket_that_is_dropped_after_its_runtime_does_not_panic() {
    for transport in Transport::ALL {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sockets = runtime.block_on(async {
            let (one, other) = (DealerSocket::new(), DealerSocket::new());
            one.connect(other.bind(transport.any()).await.unwrap()).unwrap();
            one.send("m").await.unwrap();
            (one, other)
        });
        drop(runtime);
        drop(sockets);
    }
}
