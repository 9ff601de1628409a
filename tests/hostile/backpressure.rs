//! Peers that never read, and sockets that do not receive. Memory is measured,
//! so each test is alone in its process.

use std::time::Duration;

use ferromq::{DropCause, PubSocket, PullSocket, PushSocket, SocketOptions, SubSocket, XPubSocket};

use crate::child::{alone, resident};
use crate::raw::{MORE, Raw, command, frame};
use crate::victim::{PROBES, eventually, within};

const MIB: usize = 1 << 20;

/// How long nothing happens before all buffers count as full.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the process may grow by beside what a test accounts for.
const SLACK: usize = 8 * MIB;

fn grown(since: usize) -> usize {
    resident().saturating_sub(since)
}

#[test]
fn push_waits_for_a_peer_that_never_reads() {
    alone("backpressure::push_waits_for_a_peer_that_never_reads", "", async {
        let push = PushSocket::with_options(SocketOptions::new().send_hwm(10));
        let endpoint = push.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut raw = Raw::join(&endpoint, "PULL").await;
        raw.barrier().await;
        let before = resident();
        let body = vec![b'x'; MIB / 4];
        let mut accepted = 0;
        while let Ok(sent) = tokio::time::timeout(PATIENCE, push.send(body.clone())).await {
            sent.unwrap();
            accepted += 1;
            assert!(accepted < 1000, "more than any buffer holds");
        }
        // 10 in the queue and 10 on their way, beside what the kernel has.
        assert!(grown(before) < 20 * MIB / 4 + SLACK, "{} octets", grown(before));
        // Others get what it could not.
        let pull = PullSocket::new();
        pull.connect(&endpoint).unwrap();
        for number in 0..PROBES {
            within(push.send(format!("{number}"))).await.unwrap();
            assert_eq!(within(pull.recv()).await.unwrap(), format!("{number}").into());
        }
        // And it gets what it was given, all of it and in order.
        for _ in 0..accepted {
            assert_eq!(raw.frame().await, (0, body.clone()));
        }
    });
}

#[test]
fn pub_drops_for_a_peer_that_never_reads() {
    alone("backpressure::pub_drops_for_a_peer_that_never_reads", "", async {
        let publisher = PubSocket::with_options(SocketOptions::new().send_hwm(10));
        let endpoint = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut raw = Raw::join(&endpoint, "SUB").await;
        raw.send(&command("SUBSCRIBE", "")).await;
        raw.barrier().await;
        let mut good = Raw::join(&endpoint, "SUB").await;
        good.send(&command("SUBSCRIBE", "")).await;
        good.barrier().await;
        let before = resident();
        for number in 0..400u32 {
            let body = [&number.to_be_bytes()[..], &vec![b'x'; MIB / 4]].concat();
            within(publisher.send(body.clone())).await.unwrap();
            assert_eq!(good.frame().await, (0, body));
        }
        assert!(publisher.dropped(DropCause::PeerFull) > 200);
        assert!(grown(before) < 20 * MIB / 4 + SLACK, "{} octets", grown(before));
    });
}

/// Nothing a peer sends is lost for want of room: it waits with it.
#[test]
fn pull_that_does_not_receive_pushes_back() {
    alone("backpressure::pull_that_does_not_receive_pushes_back", "", async {
        let pull = PullSocket::with_options(SocketOptions::new().recv_hwm(10));
        let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut raw = Raw::join(&endpoint, "PUSH").await;
        raw.barrier().await;
        let before = resident();
        let message = frame(0, [b'x'; 1000]);
        let taken = raw.flood(&message, PATIENCE).await.unwrap();
        assert!(grown(before) < SLACK, "{} octets", grown(before));
        for _ in 0..taken / message.len() {
            assert_eq!(*within(pull.recv()).await.unwrap().first(), [b'x'; 1000][..]);
        }
        // What was cut when the patience ended goes on where it stopped.
        let rest = message[taken % message.len()..].to_vec();
        raw.send(&[rest, frame(0, "last")].concat()).await;
        within(pull.recv()).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "last".into());
    });
}

#[test]
fn sub_that_does_not_receive_pushes_back() {
    alone("backpressure::sub_that_does_not_receive_pushes_back", "", async {
        let sub = SubSocket::with_options(SocketOptions::new().recv_hwm(10));
        sub.subscribe("").unwrap();
        let endpoint = sub.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut raw = Raw::join(&endpoint, "PUB").await;
        raw.barrier().await;
        let before = resident();
        let message = frame(0, [b'x'; 1000]);
        let taken = raw.flood(&message, PATIENCE).await.unwrap();
        assert!(grown(before) < SLACK, "{} octets", grown(before));
        for _ in 0..taken / message.len() {
            assert_eq!(*within(sub.recv()).await.unwrap().first(), [b'x'; 1000][..]);
        }
    });
}

/// A frame costs memory even if it is empty, and that counts.
#[test]
fn empty_frames_push_back_as_well() {
    alone("backpressure::empty_frames_push_back_as_well", "", async {
        let pull = PullSocket::new();
        let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut raw = Raw::join(&endpoint, "PUSH").await;
        raw.barrier().await;
        let before = resident();
        let message = [frame(MORE, "").repeat(65_535), frame(0, "")].concat();
        let taken = raw.flood(&message.repeat(4), PATIENCE).await.unwrap();
        // `recv_hwm_bytes` is 16 MiB; one such message may be over the bound, and
        // one not complete.
        assert!(grown(before) < 24 * MIB + SLACK, "{} of {taken} octets", grown(before));
        for _ in 0..taken / message.len() {
            assert_eq!(within(pull.recv()).await.unwrap().len(), 65_536);
        }
    });
}

/// The same for what an XPUB keeps for its application.
#[test]
fn empty_frames_sent_upstream_are_bounded() {
    alone("backpressure::empty_frames_sent_upstream_are_bounded", "", async {
        let publisher = XPubSocket::new();
        let endpoint = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut raw = Raw::join(&endpoint, "XSUB").await;
        raw.barrier().await;
        let before = resident();
        let message = [frame(MORE, "").repeat(65_535), frame(0, "")].concat();
        raw.send(&message.repeat(40)).await;
        raw.barrier().await;
        // `recv_hwm_bytes` is 16 MiB.
        assert!(grown(before) < 24 * MIB + SLACK, "{} octets", grown(before));
        assert!(publisher.dropped(DropCause::Discarded) > 0);
        assert_eq!(within(publisher.recv()).await.unwrap().len(), 65_536);
    });
}

/// What PUSH and PUB have no use for is not kept.
#[test]
fn messages_to_sockets_that_only_send_are_counted_and_not_kept() {
    alone("backpressure::messages_to_sockets_that_only_send_are_counted_and_not_kept", "", async {
        let push = PushSocket::new();
        let endpoint = push.bind("tcp://127.0.0.1:*").await.unwrap();
        let mut raw = Raw::join(&endpoint, "PULL").await;
        raw.barrier().await;
        let before = resident();
        let messages = frame(0, vec![b'x'; 1000]).repeat(1000);
        for _ in 0..64 {
            raw.send(&messages).await;
            raw.send(&command("SUBSCRIBE", "A")).await;
        }
        raw.barrier().await;
        eventually(|| push.dropped(DropCause::Discarded) == 64_000).await;
        assert!(grown(before) < SLACK, "{} octets", grown(before));
        within(push.send("work")).await.unwrap();
        assert_eq!(raw.frame().await, (0, b"work".to_vec()));
    });
}
