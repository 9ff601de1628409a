//! Claims and floods, and what they cost in memory. Each test is alone in its
//! process.

use ferromq::{PullSocket, SocketOptions};

use crate::child::{alone, resident};
use crate::raw::{COMMAND, LONG, Raw, command, command_body, header, prelude};
use crate::victim::{next_end, probe};

const MIB: usize = 1 << 20;

fn grown(since: usize) -> usize {
    resident().saturating_sub(since)
}

/// A claim costs nothing until octets follow.
#[test]
fn claims_of_1_gib_cost_no_memory() {
    alone("limits::claims_of_1_gib_cost_no_memory", "", async {
        let pull = PullSocket::new();
        let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
        assert!(probe(&pull, &endpoint).await.is_empty());
        let before = resident();
        let mut peers = Vec::new();
        for _ in 0..100 {
            let mut raw = Raw::join(&endpoint, "PUSH").await;
            raw.barrier().await;
            raw.send(&[header(LONG, 1 << 30), b"ten octets".to_vec()].concat()).await;
            peers.push(raw);
        }
        assert!(probe(&pull, &endpoint).await.is_empty());
        assert!(grown(before) < 20 * MIB, "{} octets", grown(before));
        drop(peers);
        assert!(probe(&pull, &endpoint).await.is_empty());
    });
}

/// The same before the handshake is done.
#[test]
fn handshakes_that_claim_much_cost_no_memory() {
    alone("limits::handshakes_that_claim_much_cost_no_memory", "", async {
        let pull = PullSocket::with_options(SocketOptions::new().max_message_size(1000));
        let mut monitor = pull.monitor();
        let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
        assert!(probe(&pull, &endpoint).await.is_empty());
        let before = resident();
        let mut peers = Vec::new();
        for _ in 0..200 {
            let mut raw = Raw::connect(&endpoint).await;
            raw.send(&[&prelude("PUSH")[..64], &header(COMMAND, 8192), &[0; 8000]].concat()).await;
            raw.read(64).await;
            peers.push(raw);
        }
        assert!(probe(&pull, &endpoint).await.is_empty());
        // 16 KiB for each, and the tasks.
        assert!(grown(before) < 16 * MIB, "{} octets", grown(before));
        drop(peers);
        next_end(&mut monitor).await;
    });
}

/// A peer that asks and does not read the answers is owed one of them.
#[test]
fn a_flood_of_pings_leaves_one_answer_owed() {
    alone("limits::a_flood_of_pings_leaves_one_answer_owed", "", async {
        let pull = PullSocket::new();
        let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
        assert!(probe(&pull, &endpoint).await.is_empty());
        let mut raw = Raw::join(&endpoint, "PUSH").await;
        let before = resident();
        let pings = command("PING", b"\0\0sixteen octets!!").repeat(10_000);
        // Far more than the kernel holds of answers.
        for _ in 0..100 {
            raw.send(&pings).await;
        }
        raw.send(&command("PING", b"\0\0the last one")).await;
        assert!(grown(before) < 4 * MIB, "{} octets", grown(before));
        // Others are served meanwhile.
        assert!(probe(&pull, &endpoint).await.is_empty());
        // Fewer answers come than there were questions, and the last is one.
        let mut answers = 0;
        loop {
            let (flags, body) = raw.frame().await;
            assert_eq!(flags, COMMAND);
            answers += 1;
            if body == command_body("PONG", "the last one") {
                break;
            }
            assert_eq!(body, command_body("PONG", "sixteen octets!!"));
        }
        assert!(answers < 1_000_000, "{answers}");
    });
}

/// Peers that come and go leave nothing behind.
#[test]
fn peers_that_come_and_go_leave_nothing() {
    alone("limits::peers_that_come_and_go_leave_nothing", "", async {
        let pull = PullSocket::new();
        let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
        let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        assert!(probe(&pull, &endpoint).await.is_empty());
        let (memory, open) = (resident(), descriptors());
        for round in 0..1000 {
            let mut raw = Raw::connect(&endpoint).await;
            raw.send(&prelude("PUSH")[..round % 90]).await;
            if round % 2 == 0 {
                raw.reset();
            }
        }
        assert!(probe(&pull, &endpoint).await.is_empty());
        crate::victim::eventually(|| descriptors() <= open).await;
        assert!(grown(memory) < 8 * MIB, "{} octets", grown(memory));
    });
}
