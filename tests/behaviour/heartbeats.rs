//! Heartbeats over lines that are slow, and to peers that are held back.

use std::time::Duration;

use ferromq::{
    DealerSocket, DisconnectReason, DropCause, Linger, MonitorEvent, PairSocket, PullSocket,
    PushSocket, RouterSocket, SocketOptions,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::common::cable::Cable;
use crate::common::events::Events;
use crate::common::raw::{self, PING, PONG, Stream, TIGHT};
use crate::common::{Transport, within};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn beating(interval: u64, timeout: u64) -> SocketOptions {
    SocketOptions::new().heartbeat_interval(ms(interval)).heartbeat_timeout(ms(timeout))
}

fn tight(options: SocketOptions) -> SocketOptions {
    options.send_buffer(TIGHT).recv_buffer(TIGHT)
}

/// Nothing has happened to the connections of a socket.
async fn nothing_happened(events: &mut Events, case: &str) {
    while let Ok(event) = timeout(Duration::ZERO, events.next()).await {
        let is_end = matches!(
            event,
            MonitorEvent::Disconnected { .. } | MonitorEvent::HandshakeFailed { .. }
        );
        assert!(!is_end, "{case}: {event:?}");
    }
}

#[tokio::test]
async fn a_message_that_takes_longer_than_the_heartbeats_arrives() {
    for both in [false, true] {
        let options = || tight(beating(200, 400));
        let pull = match both {
            false => PullSocket::with_options(tight(SocketOptions::new())),
            true => PullSocket::with_options(options()),
        };
        let push = PushSocket::with_options(options());
        let mut events = Events::from(push.monitor());
        // 2 MB a second, so that this takes two of them.
        let slow = Cable::slow(&pull.bind("tcp://127.0.0.1:0").await.unwrap(), 2000).await;
        push.connect(slow.endpoint()).unwrap();
        events.ready().await;
        let since = Instant::now();
        within(push.send(vec![b'x'; 4_000_000])).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap()[0].len(), 4_000_000);
        assert!(since.elapsed() > ms(1000), "the line is not slow");
        assert_eq!(push.dropped(DropCause::CutInTransit), 0);
        nothing_happened(&mut events, "slow").await;
    }
}

#[tokio::test]
async fn a_peer_that_takes_nothing_at_all_is_given_up() {
    for transport in Transport::STREAMS {
        let push = PushSocket::with_options(tight(beating(100, 200)));
        let mut events = Events::from(push.monitor());
        let endpoint = push.bind(transport.any()).await.unwrap();
        let stuck = raw::join_tightly(&endpoint, raw::READY_PULL).await;
        events.ready().await;
        let since = Instant::now();
        // No PING comes through behind this.
        within(push.send(vec![b'x'; 4_000_000])).await.unwrap();
        let reason = events.disconnected().await;
        assert!(matches!(reason, DisconnectReason::HeartbeatTimeout), "{transport:?}: {reason:?}");
        assert!(since.elapsed() >= ms(200), "{transport:?}");
        drop(stuck);
    }
}

/// How long a receiver pauses, several times the timeout of the one who sends.
const PAUSE: Duration = Duration::from_millis(1500);

const COUNT: usize = 300;

fn numbered(number: usize) -> Vec<u8> {
    let mut body = vec![b'x'; 10_000];
    body[..8].copy_from_slice(&(number as u64).to_be_bytes());
    body
}

/// A pair, of which one has heartbeats and sends more than the other may hold,
/// while that one pauses.
macro_rules! pauses {
    ($transport:expr, $sender:ident, $receiver:ident, |$name:ident| $recv:expr) => {{
        let case = format!("{:?} {}", $transport, stringify!($receiver));
        let linger = Linger::For(Duration::ZERO);
        let options = tight(beating(100, 300)).send_hwm(20).linger(linger);
        let sender = $sender::with_options(options);
        let receiver = $receiver::with_options(tight(SocketOptions::new().recv_hwm(10)));
        let mut events = Events::from(sender.monitor());
        sender.connect(receiver.bind($transport.any()).await.unwrap()).unwrap();
        events.ready().await;
        async move {
            let sending = tokio::spawn(async move {
                for number in 0..COUNT {
                    sender.send(numbered(number)).await.unwrap();
                }
                sender
            });
            sleep(PAUSE).await;
            assert!(!sending.is_finished(), "{case}: it is not held back");
            let $name = &receiver;
            for number in 0..COUNT {
                let message = within($recv).await.unwrap();
                assert_eq!(message, numbered(number).into(), "{case}");
            }
            nothing_happened(&mut events, &case).await;
            drop(within(sending).await.unwrap());
        }
    }};
}

async fn receivers_that_pause() {
    for transport in Transport::STREAMS {
        tokio::join!(
            pauses!(transport, PushSocket, PullSocket, |pull| pull.recv()),
            pauses!(transport, DealerSocket, DealerSocket, |dealer| dealer.recv()),
            pauses!(transport, PairSocket, PairSocket, |pair| pair.recv()),
            pauses!(transport, DealerSocket, RouterSocket, |router| async {
                router.recv().await.map(|(_, message)| message)
            }),
        );
    }
}

#[tokio::test]
async fn a_receiver_that_pauses_keeps_its_peer() {
    receivers_that_pause().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_pauses_keeps_its_peer_on_several_threads() {
    receivers_that_pause().await;
}

const V3_0: [u8; 64] = {
    let mut greeting = raw::GREETING;
    greeting[11] = 0;
    greeting
};

/// A PULL with a mark of ten, and a PUSH with this greeting.
async fn meet(
    options: SocketOptions,
    transport: Transport,
    greeting: &[u8],
) -> (PullSocket, Events, Box<dyn Stream>) {
    let pull = PullSocket::with_options(options.recv_hwm(10));
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind(transport.any()).await.unwrap();
    let mut peer = raw::connect_tightly(&endpoint).await;
    within(peer.write_all(greeting)).await.unwrap();
    within(peer.read_exact(&mut [0; 64])).await.unwrap();
    within(peer.write_all(raw::READY_PUSH)).await.unwrap();
    raw::read_frame(&mut peer).await;
    events.ready().await;
    (pull, events, peer)
}

async fn send(peer: &mut Box<dyn Stream>, messages: usize) {
    within(peer.write_all(&raw::frame(false, b"m").repeat(messages))).await.unwrap();
}

/// The PONGs that come in so long, and no other frames do.
async fn count_pongs(peer: &mut Box<dyn Stream>, time: Duration) -> usize {
    let until = Instant::now() + time;
    let mut octets = Vec::new();
    while let Ok(count) = timeout_at(until, peer.read_buf(&mut octets)).await {
        assert_ne!(count.unwrap(), 0, "it is closed");
    }
    assert!(octets.chunks(PONG.len()).all(|frame| frame == PONG), "{}", octets.escape_ascii());
    octets.len() / PONG.len()
}

#[tokio::test]
async fn a_peer_that_is_held_back_hears_of_us() {
    for transport in Transport::STREAMS {
        let (pull, _, mut peer) = meet(SocketOptions::new(), transport, &raw::GREETING).await;
        send(&mut peer, 9).await;
        assert_eq!(count_pongs(&mut peer, ms(250)).await, 0, "{transport:?}: below the mark");
        send(&mut peer, 1).await;
        let pongs = count_pongs(&mut peer, ms(1050)).await;
        assert!((5..=10).contains(&pongs), "{transport:?}: {pongs}");
        // Held back again at once, it goes on.
        within(pull.recv()).await.unwrap();
        send(&mut peer, 1).await;
        let pongs = count_pongs(&mut peer, ms(450)).await;
        assert!((2..=5).contains(&pongs), "{transport:?}: {pongs}");
        for _ in 0..10 {
            within(pull.recv()).await.unwrap();
        }
        // It was released, so what it asks is answered, and nothing else is said.
        raw::barrier(&mut peer).await;
        assert_eq!(count_pongs(&mut peer, ms(250)).await, 0, "{transport:?}: released");
    }
}

#[tokio::test]
async fn a_peer_that_is_held_back_hears_of_us_twice_for_each_ping() {
    for transport in Transport::STREAMS {
        let (_pull, _, mut peer) = meet(SocketOptions::new(), transport, &raw::GREETING).await;
        for _ in 0..4 {
            within(peer.write_all(PING)).await.unwrap();
            assert_eq!(raw::read_frame(&mut peer).await, (4, PONG[2..].to_vec()));
            sleep(ms(60)).await;
        }
        send(&mut peer, 10).await;
        let pongs = count_pongs(&mut peer, ms(900)).await;
        // One each 30 ms; each 100 ms would be nine.
        assert!((13..=90).contains(&pongs), "{transport:?}: {pongs}");
    }
}

#[tokio::test]
async fn a_peer_of_3_0_that_is_held_back_hears_nothing_before_it_has_sent_a_ping() {
    for transport in Transport::STREAMS {
        let (_pull, _, mut peer) = meet(SocketOptions::new(), transport, &V3_0).await;
        send(&mut peer, 10).await;
        assert_eq!(count_pongs(&mut peer, ms(300)).await, 0, "{transport:?}");

        let (_pull, _, mut peer) = meet(SocketOptions::new(), transport, &V3_0).await;
        within(peer.write_all(PING)).await.unwrap();
        assert_eq!(raw::read_frame(&mut peer).await, (4, PONG[2..].to_vec()));
        send(&mut peer, 10).await;
        let pongs = count_pongs(&mut peer, ms(550)).await;
        assert!((2..=5).contains(&pongs), "{transport:?}: {pongs}");
    }
}

/// What it has to say lies behind what we do not read.
#[tokio::test]
async fn a_peer_that_is_held_back_is_not_given_up_for_its_silence() {
    // With our heartbeats, and with the TTL that it asked for.
    for (options, ttl) in [(beating(50, 100), false), (SocketOptions::new(), true)] {
        for transport in Transport::STREAMS {
            let case = format!("{transport:?}, TTL: {ttl}");
            let (pull, mut events, mut peer) =
                meet(options.clone(), transport, &raw::GREETING).await;
            if ttl {
                within(peer.write_all(b"\x04\x07\x04PING\0\x01")).await.unwrap();
            }
            send(&mut peer, 10).await;
            sleep(ms(800)).await;
            nothing_happened(&mut events, &case).await;
            // Once it is read from again, its silence counts.
            let since = Instant::now();
            for _ in 0..10 {
                within(pull.recv()).await.unwrap();
            }
            let reason = events.disconnected().await;
            assert!(matches!(reason, DisconnectReason::HeartbeatTimeout), "{case}: {reason:?}");
            assert!(since.elapsed() >= ms(90), "{case}: at once");
        }
    }
}

/// Wherever a PING lies, the time it asks for counts once it is read.
#[tokio::test]
async fn a_ttl_that_came_along_with_other_things_holds() {
    const SOON: &[u8] = b"\x04\x07\x04PING\0\x01";
    for transport in Transport::STREAMS {
        let pull = PullSocket::with_options(SocketOptions::new().recv_hwm(10));
        let mut events = Events::from(pull.monitor());
        let endpoint = pull.bind(transport.any()).await.unwrap();
        // Along with the end of the handshake.
        let mut peer = raw::connect_tightly(&endpoint).await;
        let all = [&raw::GREETING, raw::READY_PUSH, SOON].concat();
        within(peer.write_all(&all)).await.unwrap();
        let reason = events.disconnected().await;
        assert!(matches!(reason, DisconnectReason::HeartbeatTimeout), "{transport:?}: {reason:?}");
        // Behind messages that were held back.
        let mut peer = raw::join_tightly(&endpoint, raw::READY_PUSH).await;
        let all = [&raw::frame(false, b"m").repeat(20), SOON].concat();
        within(peer.write_all(&all)).await.unwrap();
        assert_eq!(raw::read_frame(&mut peer).await, (4, PONG[2..].to_vec()));
        for _ in 0..20 {
            within(pull.recv()).await.unwrap();
        }
        let reason = events.disconnected().await;
        assert!(matches!(reason, DisconnectReason::HeartbeatTimeout), "{transport:?}: {reason:?}");
    }
}

/// The peers that wait for their turn are many, and the receiver is slow; so the
/// PING behind the message of one would have to wait for long.
#[tokio::test]
async fn the_pings_of_those_that_wait_for_a_slow_receiver_are_answered() {
    const OTHERS: usize = 60;
    for transport in Transport::STREAMS {
        let pull = PullSocket::new();
        let endpoint = pull.bind(transport.any()).await.unwrap();
        let mut peers = Vec::new();
        for _ in 0..=OTHERS {
            let mut peer = raw::join_tightly(&endpoint, raw::READY_PUSH).await;
            // So that it is nobody's to read but the receiver's.
            send(&mut peer, 1).await;
            within(pull.recv()).await.unwrap();
            peers.push(peer);
        }
        for peer in &mut peers[..OTHERS] {
            send(peer, 100).await;
        }
        let peer = &mut peers[OTHERS];
        let hello = [&raw::frame(false, b"last"), PING].concat();
        within(peer.write_all(&hello)).await.unwrap();
        let mut received = 0;
        within(async {
            let mut answer = std::pin::pin!(raw::read_frame(peer));
            loop {
                tokio::select! {
                    biased;
                    answer = &mut answer => {
                        assert_eq!(answer, (4, PONG[2..].to_vec()));
                        return;
                    }
                    message = pull.recv() => {
                        assert_ne!(message.unwrap(), "last".into(), "after {received}");
                        received += 1;
                        // A receive is made about every tick.
                        sleep(ms(10)).await;
                    }
                }
            }
        })
        .await;
    }
}
