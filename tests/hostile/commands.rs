//! Commands after the handshake.

use ferromq::{DisconnectReason, SocketOptions};

use crate::case::{Case, Outcome, faulted, run, serves};
use crate::raw::{COMMAND, MORE, command, command_body, frame, header, prelude, property, ready};
use crate::victim::{End, Scene, Side, meet, next_end, next_ready, probe};

fn traffic(name: &str, octets: Vec<u8>, outcome: Outcome) -> Case {
    Case::new(name, [[prelude("PUSH"), octets].concat()], outcome)
}

#[tokio::test]
async fn commands_that_mean_nothing_here_are_ignored() {
    let between = [frame(MORE, "a"), command("PING", b"\0\0"), frame(0, "b")].concat();
    run(vec![
        traffic("unknown", command("WHATEVER", "data"), serves()),
        traffic("nameless", frame(COMMAND, "\x01\0"), serves()),
        traffic("long name", command(&"N".repeat(255), "data"), serves()),
        traffic("join and leave", [command("JOIN", "a"), command("LEAVE", "a")].concat(), serves()),
        traffic("second ready", ready("PUSH"), serves()),
        traffic("ready of another", command("READY", property("Socket-Type", "SUB")), serves()),
        traffic("hello", command("HELLO", [0; 100]), serves()),
        traffic("error", command("ERROR", b"\x03400"), serves()),
        traffic("subscribe", command("SUBSCRIBE", "A"), serves()),
        traffic("cancel", command("CANCEL", "A"), serves()),
        traffic("pong", command("PONG", "unsolicited"), serves()),
        traffic("long pong", command("PONG", [0; 300]), serves()),
        traffic("in a message", between, Outcome::Serves(vec![["a", "b"].into()])),
        traffic("many", command("WHATEVER", "").repeat(50_000), serves()),
    ])
    .await;
}

#[tokio::test]
async fn commands_that_do_not_add_up_end_the_connection() {
    let large = |name: &str, size: u64, fault: &str| {
        let start = [header(COMMAND, size), command_body(name, "")].concat();
        traffic(&format!("{name} {size}"), start, faulted(fault))
    };
    run(vec![
        traffic("empty", frame(COMMAND, ""), faulted("MalformedCommand")),
        traffic("no name", frame(COMMAND, "\0"), faulted("MalformedCommand")),
        traffic("short name", frame(COMMAND, "\x05PING"), faulted("MalformedCommand")),
        traffic("ping of 5", command("PING", ""), faulted("MalformedCommand")),
        traffic("ping of 6", command("PING", "\0"), faulted("MalformedCommand")),
        traffic("error", command("ERROR", b"\x09four"), faulted("MalformedCommand")),
        traffic("ready", command("READY", b"\0\0\0\0\0"), faulted("MalformedMetadata")),
        traffic("and more", frame(COMMAND | MORE, "\x04PING\0\0"), faulted("CommandWithMore")),
        large("SUBSCRIBE", 65_793, "TopicTooLong"),
        large("CANCEL", 65_793, "TopicTooLong"),
        large("SUBSCRIBE", u64::MAX, "TopicTooLong"),
        large("WHATEVER", 65_793, "CommandTooLarge"),
        large("WHATEVER", 1 << 30, "CommandTooLarge"),
        large("SUBSCRIBED", 1 << 63, "CommandTooLarge"),
        large("PING", u64::MAX, "CommandTooLarge"),
    ])
    .await;
}

#[tokio::test]
async fn ping_is_answered_with_its_context_cut_to_16_octets() {
    for side in Side::BOTH {
        let Scene { pull, mut monitor, endpoint, mut raw } =
            meet(side, &SocketOptions::new()).await;
        raw.shake(&prelude("PUSH")).await;
        next_ready(&mut monitor).await;
        for size in 7..=70 {
            let context: Vec<u8> = (b'A'..).take(size - 7).collect();
            raw.send(&command("PING", [b"\0\0", &context[..]].concat())).await;
            let pong = raw.frame().await;
            let kept = &context[..context.len().min(16)];
            assert_eq!(pong, (COMMAND, command_body("PONG", kept)), "{size}");
        }
        assert!(probe(&pull, &endpoint).await.is_empty());
    }
}

/// A TTL is in tenths of a second and is not cut to 16 bits of milliseconds:
/// 656 would be 64 ms then.
#[tokio::test]
async fn a_long_ttl_does_not_wrap() {
    for ttl in [0u16, 655, 656, 1311, 65_535] {
        let Scene { pull, mut monitor, endpoint, mut raw } =
            meet(Side::Bound, &SocketOptions::new()).await;
        raw.shake(&prelude("PUSH")).await;
        next_ready(&mut monitor).await;
        raw.send(&command("PING", ttl.to_be_bytes())).await;
        raw.frame().await;
        // Longer than what any of them would have wrapped to.
        let silence = std::time::Duration::from_millis(300);
        let ended = tokio::time::timeout(silence, next_end(&mut monitor)).await;
        assert!(ended.is_err(), "{ttl}: {ended:?}");
        raw.send(&frame(0, "alive")).await;
        raw.barrier().await;
        assert_eq!(probe(&pull, &endpoint).await, ["alive".into()]);
    }
}

#[tokio::test]
async fn silence_beyond_the_ttl_ends_the_connection() {
    for side in Side::BOTH {
        let Scene { pull, mut monitor, endpoint, mut raw } =
            meet(side, &SocketOptions::new()).await;
        raw.shake(&prelude("PUSH")).await;
        next_ready(&mut monitor).await;
        raw.send(&[frame(0, "first"), command("PING", 1u16.to_be_bytes())].concat()).await;
        raw.frame().await;
        let end = next_end(&mut monitor).await;
        assert!(matches!(end, End::Traffic(DisconnectReason::HeartbeatTimeout)), "{end:?}");
        raw.closed().await;
        raw.refused(&frame(0, "too late")).await;
        assert_eq!(probe(&pull, &endpoint).await, ["first".into()]);
    }
}
