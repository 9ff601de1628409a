//! Messages and frames after the handshake.

use bytes::Bytes;
use ferromq::{DisconnectReason, Message, SocketOptions};

use crate::case::{Case, Outcome, faulted, run, serves};
use crate::raw::{COMMAND, LONG, MORE, frame, header, noise, prelude};
use crate::victim::{End, Scene, Side, meet, next_end, next_ready, probe};

fn traffic(name: &str, octets: Vec<u8>, outcome: Outcome) -> Case {
    Case::new(name, [[prelude("PUSH"), octets].concat()], outcome)
}

#[tokio::test]
async fn the_size_limit_is_inclusive_and_counts_the_whole_message() {
    let limit = |name, octets, outcome| {
        traffic(name, octets, outcome).with(SocketOptions::new().max_message_size(100))
    };
    let exact = vec![b'x'; 100];
    let halves = [frame(MORE, [b'x'; 50]), frame(0, [b'x'; 50])].concat();
    let expected = Message::from([vec![b'x'; 50], vec![b'x'; 50]]);
    let too_large = "MessageTooLarge { limit: 100 }";
    run(vec![
        limit("exact", frame(0, &exact), Outcome::Serves(vec![exact.into()])),
        limit("one more", header(0, 101), faulted(too_large)),
        limit("one more, long", header(LONG, 101), faulted(too_large)),
        limit("halves", halves, Outcome::Serves(vec![expected])),
        limit("half and more", [frame(MORE, [0; 50]), header(0, 51)].concat(), faulted(too_large)),
        limit("after others", [frame(MORE, [0; 100]), header(0, 1)].concat(), faulted(too_large)),
    ])
    .await;
}

#[tokio::test]
async fn sizes_that_no_memory_can_hold_are_refused_at_the_header() {
    let case = |size: u64| traffic(&size.to_string(), header(0, size), faulted("MessageTooLarge"));
    run([1 << 63, u64::MAX].map(case).into()).await;
}

#[tokio::test]
async fn unusual_frames_are_accepted() {
    run(vec![
        traffic("short as long", frame(LONG, "five!"), Outcome::Serves(vec!["five!".into()])),
        traffic("reserved bits", frame(0xF8, "five!"), Outcome::Serves(vec!["five!".into()])),
        traffic("empty", frame(0, ""), Outcome::Serves(vec![Message::new()])),
        traffic("empty as long", frame(LONG, ""), Outcome::Serves(vec![Message::new()])),
    ])
    .await;
}

#[tokio::test]
async fn the_number_of_frames_is_bounded() {
    const FRAMES: usize = 1_000_000;
    let empty = |count: usize| frame(MORE, "").repeat(count);
    let most: Message = vec![Bytes::new(); FRAMES].into();
    run(vec![
        traffic("most", [empty(FRAMES - 1), frame(0, "")].concat(), Outcome::Serves(vec![most])),
        traffic("one more", [empty(FRAMES), header(0, 0)].concat(), faulted("TooManyFrames")),
        traffic("endless", empty(FRAMES + 1), faulted("TooManyFrames")),
    ])
    .await;
}

#[tokio::test]
async fn a_socket_may_take_fewer_frames() {
    let limit = |name, octets, outcome| {
        traffic(name, octets, outcome).with(SocketOptions::new().max_message_frames(3))
    };
    let empty = |count: usize| frame(MORE, "").repeat(count);
    let most: Message = vec![Bytes::new(); 3].into();
    run(vec![
        limit("most", [empty(2), frame(0, "")].concat(), Outcome::Serves(vec![most])),
        limit("one more", [empty(3), header(0, 0)].concat(), faulted("TooManyFrames { limit: 3 }")),
    ])
    .await;
}

#[tokio::test]
async fn messages_come_whole_or_not_at_all() {
    let first = [frame(MORE, "a"), frame(0, "b")].concat();
    let leaves = |name, rest: Vec<u8>| {
        let octets = [first.clone(), rest].concat();
        traffic(name, octets, Outcome::Leaves(vec![["a", "b"].into()]))
    };
    run(vec![
        leaves("nothing more", Vec::new()),
        leaves("after a flag", vec![0]),
        leaves("in a header", header(LONG, 5)[..4].to_vec()),
        leaves("after a header", header(0, 5)),
        leaves("in a body", [header(0, 5), b"four".to_vec()].concat()),
        leaves("in a large body", [header(0, 1 << 20), vec![0; 100_000]].concat()),
        leaves("between frames", frame(MORE, "c")),
        leaves("between large frames", frame(MORE, vec![0; 100_000])),
    ])
    .await;
}

#[tokio::test]
async fn bodies_come_in_any_segments() {
    let sizes = [0, 1, 254, 255, 256, 257, 8191, 65_535, 65_536, 65_537, 200_000];
    let bodies: Vec<_> = sizes.iter().map(|&size| noise(size as u64, size)).collect();
    let octets: Vec<u8> = bodies.iter().flat_map(|body| frame(0, body)).collect();
    let expected: Vec<_> = bodies.into_iter().map(Message::from).collect();
    let mut cases = Vec::new();
    for seed in 1..=4 {
        let mut lengths = noise(seed, 1 << 20).into_iter();
        let mut segments = vec![prelude("PUSH")];
        let mut rest = &octets[..];
        while !rest.is_empty() {
            // Often one octet, sometimes many: up to 64 KiB.
            let [high, low] = [lengths.next().unwrap(), lengths.next().unwrap()];
            let length = match high % 4 {
                0 => 1,
                1 => usize::from(low),
                _ => usize::from(high) << 8 | usize::from(low),
            };
            let (segment, after) = rest.split_at(length.clamp(1, rest.len()));
            segments.push(segment.to_vec());
            rest = after;
        }
        let name = format!("seed {seed}");
        cases.push(Case::new(name, segments, Outcome::Serves(expected.clone())));
    }
    run(cases).await;
}

/// What came before a fault is received, in order.
#[tokio::test]
async fn whole_messages_before_a_fault_are_received() {
    let messages: Vec<Message> = (0..500).map(|number| format!("{number}").into()).collect();
    let octets: Vec<u8> = (0..500).flat_map(|number| frame(0, format!("{number}"))).collect();
    let faults = [
        ("size", header(0, 1 << 63), "MessageTooLarge"),
        ("command and more", frame(COMMAND | MORE, "\x04PING\0\0"), "CommandWithMore"),
        ("command", frame(COMMAND, "\x09PING"), "MalformedCommand"),
        ("in a message", [frame(MORE, "a"), frame(COMMAND, "")].concat(), "MalformedCommand"),
    ];
    let case = |(name, fault, text): (&str, Vec<u8>, &str)| {
        let outcome = Outcome::Faulted(messages.clone(), text.into());
        traffic(name, [octets.clone(), fault].concat(), outcome)
    };
    run(faults.map(case).into()).await;
}

#[tokio::test]
async fn a_reset_in_the_middle_of_a_frame_costs_that_message_only() {
    for side in Side::BOTH {
        let Scene { pull, mut monitor, endpoint, mut raw } =
            meet(side, &SocketOptions::new()).await;
        raw.shake(&prelude("PUSH")).await;
        next_ready(&mut monitor).await;
        raw.send(&frame(0, "whole")).await;
        // The kernel may throw away what is unread when the reset comes.
        raw.barrier().await;
        raw.send(&[frame(MORE, "half"), header(0, 1000)].concat()).await;
        raw.reset();
        let end = next_end(&mut monitor).await;
        assert!(
            matches!(
                end,
                End::Traffic(DisconnectReason::Transport(_) | DisconnectReason::PeerClosed)
            ),
            "{end:?}"
        );
        assert_eq!(probe(&pull, &endpoint).await, ["whole".into()]);
    }
}

/// 64 KiB of the smallest frames at once are as many messages.
#[tokio::test]
async fn many_small_frames_in_one_segment() {
    let octets = frame(0, "").repeat(32 * 1024);
    let mut case = traffic("small", octets, Outcome::Serves(vec![Message::new(); 32 * 1024]));
    case = case.with(SocketOptions::new().recv_hwm(10));
    run(vec![case, traffic("none", Vec::new(), serves())]).await;
}
