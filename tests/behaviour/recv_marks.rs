//! `recv_hwm` and `recv_hwm_bytes` over tcp and ipc: while nobody receives, a
//! socket reads until one of them is reached, and no further.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ferromq::{
    DealerSocket, DropCause, PairSocket, PullSocket, PushSocket, RepSocket, RouterSocket,
    SocketOptions, SubSocket, XPubSocket, XSubSocket,
};
use tokio::io::{AsyncWriteExt, ReadHalf};
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

use crate::common::events::Events;
use crate::common::raw::{self, Stream, TIGHT};
use crate::common::{DEADLINE, Transport, within};

/// Options with buffers in the kernel that hold next to nothing.
fn tight(options: SocketOptions) -> SocketOptions {
    options.send_buffer(TIGHT).recv_buffer(TIGHT)
}

fn numbered(number: usize, size: usize) -> Vec<u8> {
    let mut body = vec![b'x'; size];
    body[..8].copy_from_slice(&(number as u64).to_be_bytes());
    body
}

/// Sends everything before any of it is received. That it is delivered says that
/// the receiving socket has it, since nothing else could hold as much.
macro_rules! takes_all {
    ($transport:expr, $messages:expr, $sender:expr, $receiver:expr) => {
        takes_all!($transport, $messages, $sender, $receiver, |receiver| receiver.recv())
    };
    ($transport:expr, $messages:expr, $sender:expr, $receiver:expr, |$name:ident| $recv:expr) => {{
        let (count, size) = $messages;
        let case = format!("{:?} {}", $transport, stringify!($receiver));
        let (sender, receiver) = ($sender, $receiver);
        let mut events = Events::from(sender.monitor());
        sender.connect(receiver.bind($transport.any()).await.unwrap()).unwrap();
        events.ready().await;
        for number in 0..count {
            within(sender.send(numbered(number, size))).await.expect(&case);
        }
        assert_eq!(within(sender.close()).await.undelivered, 0, "{case}");
        let $name = &receiver;
        for number in 0..count {
            let message = within($recv).await.expect(&case);
            assert_eq!(message, numbered(number, size).into(), "{case}");
        }
    }};
}

/// A publisher that knows of the subscription, and waits at its mark.
macro_rules! publishes_all {
    ($transport:expr, $messages:expr, $receiver:expr) => {{
        let (count, size) = $messages;
        let case = format!("{:?} {}", $transport, stringify!($receiver));
        let options = tight(SocketOptions::new()).xpub_nodrop(true);
        let (publisher, sub) = (XPubSocket::with_options(options), $receiver);
        sub.subscribe("").unwrap();
        publisher.connect(sub.bind($transport.any()).await.unwrap()).unwrap();
        within(publisher.recv()).await.unwrap();
        for number in 0..count {
            within(publisher.send(numbered(number, size))).await.expect(&case);
        }
        assert_eq!(within(publisher.close()).await.undelivered, 0, "{case}");
        for number in 0..count {
            let message = within(sub.recv()).await.expect(&case);
            assert_eq!(message, numbered(number, size).into(), "{case}");
        }
    }};
}

#[tokio::test]
async fn all_that_the_mark_allows_is_taken_while_nobody_receives() {
    let plain = || tight(SocketOptions::new());
    let many = || plain().recv_hwm(100_000);
    for transport in Transport::STREAMS {
        let messages = (10_000, 500);
        publishes_all!(transport, messages, SubSocket::with_options(many()));
        publishes_all!(transport, messages, XSubSocket::with_options(many()));
        let push = PushSocket::with_options(plain());
        takes_all!(transport, messages, push, PullSocket::with_options(many()));
        let dealer = DealerSocket::with_options(plain());
        takes_all!(transport, messages, dealer, DealerSocket::with_options(many()));
        let pair = PairSocket::with_options(plain());
        takes_all!(transport, messages, pair, PairSocket::with_options(many()));
        let dealer = DealerSocket::with_options(plain());
        takes_all!(
            transport,
            messages,
            dealer,
            RouterSocket::with_options(many()),
            |router| async { router.recv().await.map(|(_, message)| message) }
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_the_mark_allows_is_taken_on_several_threads() {
    let many = || tight(SocketOptions::new().recv_hwm(100_000));
    for transport in Transport::STREAMS {
        publishes_all!(transport, (10_000, 500), SubSocket::with_options(many()));
        let push = PushSocket::with_options(tight(SocketOptions::new()));
        takes_all!(transport, (10_000, 500), push, PullSocket::with_options(many()));
    }
}

#[tokio::test]
async fn without_marks_everything_is_taken() {
    let endless = || tight(SocketOptions::new().recv_hwm(0).recv_hwm_bytes(0));
    for transport in Transport::STREAMS {
        // 30 MB, more than the default of `recv_hwm_bytes`.
        publishes_all!(transport, (30_000, 1000), SubSocket::with_options(endless()));
        let push = PushSocket::with_options(tight(SocketOptions::new()));
        takes_all!(transport, (30_000, 1000), push, PullSocket::with_options(endless()));
    }
}

/// A subscriber that is busy while all else is sent, by a publisher in the runtime
/// `elsewhere`.
async fn busy_sub(
    transport: Transport,
    elsewhere: Handle,
    options: [SocketOptions; 2],
    busy: impl FnOnce(&JoinHandle<XPubSocket>),
) {
    const COUNT: usize = 50_000;
    let [publishing, subscribing] = options;
    let publisher = XPubSocket::with_options(publishing);
    let sub = SubSocket::with_options(subscribing.recv_hwm(100_000));
    sub.subscribe("").unwrap();
    let bound = elsewhere.spawn(async move {
        let endpoint = publisher.bind(transport.any()).await.unwrap();
        (publisher, endpoint)
    });
    let (publisher, endpoint) = within(bound).await.unwrap();
    sub.connect(endpoint).unwrap();
    within(publisher.recv()).await.unwrap();
    let sending = elsewhere.spawn(async move {
        for number in 0..COUNT {
            publisher.send(numbered(number, 100)).await.unwrap();
        }
        publisher
    });
    assert_eq!(within(sub.recv()).await.unwrap(), numbered(0, 100).into());
    busy(&sending);
    let publisher = within(sending).await.unwrap();
    assert_eq!(publisher.dropped(DropCause::PeerFull), 0, "{transport:?}");
    for number in 1..COUNT {
        let message = within(sub.recv()).await.unwrap();
        assert_eq!(message, numbered(number, 100).into(), "{transport:?}");
    }
}

/// What people meet: the publisher drops at its own mark.
#[tokio::test]
async fn a_sub_that_is_busy_for_a_while_loses_nothing() {
    for transport in Transport::STREAMS {
        let options = [SocketOptions::new(), SocketOptions::new()];
        busy_sub(transport, Handle::current(), options, |_| ()).await;
    }
}

/// Here it takes a thread for itself until all is sent. The publisher waits at its
/// mark: when the system lets which thread run is not to count. It has a runtime of
/// its own, since a sender that yields goes on only when the thread it ran on is idle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sub_that_blocks_its_thread_for_a_while_is_read_for() {
    let publishing = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for transport in Transport::STREAMS {
        let options = [SocketOptions::new().xpub_nodrop(true), SocketOptions::new()].map(tight);
        let busy = |sending: &JoinHandle<XPubSocket>| {
            let since = Instant::now();
            while !sending.is_finished() && since.elapsed() < DEADLINE / 2 {
                std::thread::sleep(Duration::from_millis(1));
            }
            assert!(sending.is_finished(), "nobody reads");
        };
        let elsewhere = publishing.handle().clone();
        within(tokio::spawn(busy_sub(transport, elsewhere, options, busy))).await.unwrap();
    }
    publishing.shutdown_background();
}

/// A peer that sends without end.
struct Flood {
    read: ReadHalf<Box<dyn Stream>>,
    taken: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Flood {
    fn start(stream: Box<dyn Stream>, message: Vec<u8>) -> Self {
        let (read, mut write) = tokio::io::split(stream);
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let task = tokio::spawn(async move {
            while write.write_all(&message).await.is_ok() {
                count.fetch_add(message.len(), Ordering::SeqCst);
            }
        });
        Self { read, taken, task }
    }

    /// Waits until the socket holds it back, which a PONG tells that nobody has
    /// asked for. A second one is sent later: it was not meant for times before.
    async fn held_back(&mut self) {
        for _ in 0..2 {
            // A subscriber says other things before.
            while raw::read_frame(&mut self.read).await != (4, b"\x04PONG".to_vec()) {}
        }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the kernel may hold of a flood beside what the socket has, and what the
/// socket has read and not decoded.
const HIDDEN: usize = 1 << 20;

/// A socket that is flooded and does not receive, nor does it go on after it has
/// received some: it holds so many messages.
macro_rules! holds {
    ($transport:expr, $expected:expr, $message:expr, $ready:expr, $socket:expr, $receive:expr) => {
        for received in [0, 1, $expected, $expected + 1] {
            let case = format!("{:?} {}, {received} received", $transport, stringify!($socket));
            let (socket, message, expected): (_, Vec<u8>, usize) = ($socket, $message, $expected);
            let mut events = Events::from(socket.monitor());
            let endpoint = socket.bind($transport.any()).await.unwrap();
            let mut peer = raw::join_tightly(&endpoint, $ready).await;
            // Two PINGs in short order, so that it wants to hear of us often.
            raw::barrier(&mut peer).await;
            raw::barrier(&mut peer).await;
            let mut flood = Flood::start(peer, message.clone());
            flood.held_back().await;
            for _ in 0..received {
                within($receive(&socket)).await;
            }
            flood.held_back().await;
            let most = (received + expected + 1) * message.len() + HIDDEN;
            let taken = flood.taken.load(Ordering::SeqCst);
            assert!(taken <= most, "{case}: {taken} octets");
            // What a socket holds is discarded with its endpoint, and counted.
            within(socket.unbind(&endpoint)).await.unwrap();
            drop(flood);
            events.disconnected().await;
            // What lay undecoded in the read buffer, or in the kernel, is counted on
            // top; how much that may be was asserted above.
            let held = socket.dropped(DropCause::Unread);
            assert!(held >= expected as u64, "{case}: {held}");
        }
    };
}

fn marked(messages: usize, octets: usize) -> SocketOptions {
    tight(SocketOptions::new().recv_hwm(messages).recv_hwm_bytes(octets))
}

#[tokio::test]
async fn a_socket_that_does_not_receive_holds_as_many_messages_as_the_mark_says() {
    for transport in Transport::STREAMS {
        for (mark, size) in [(10, 100), (10, 10_000), (3, 100_000)] {
            let (message, options) = (|| raw::frame(false, &vec![b'x'; size]), || marked(mark, 0));
            holds!(
                transport,
                mark,
                message(),
                raw::READY_PUSH,
                PullSocket::with_options(options()),
                async |pull: &PullSocket| drop(pull.recv().await.unwrap())
            );
        }
    }
}

#[tokio::test]
async fn each_type_that_receives_holds_as_many_messages_as_the_mark_says() {
    for transport in Transport::STREAMS {
        let (message, options) = (|| raw::frame(false, &[b'x'; 10_000]), || marked(5, 0));
        holds!(
            transport,
            5,
            message(),
            raw::READY_PUB,
            {
                let sub = SubSocket::with_options(options());
                sub.subscribe("").unwrap();
                sub
            },
            async |sub: &SubSocket| drop(sub.recv().await.unwrap())
        );
        holds!(
            transport,
            5,
            message(),
            raw::READY_PUB,
            {
                let sub = XSubSocket::with_options(options());
                sub.subscribe("").unwrap();
                sub
            },
            async |sub: &XSubSocket| drop(sub.recv().await.unwrap())
        );
        holds!(
            transport,
            5,
            message(),
            raw::READY_DEALER,
            DealerSocket::with_options(options()),
            async |dealer: &DealerSocket| drop(dealer.recv().await.unwrap())
        );
        holds!(
            transport,
            5,
            message(),
            raw::READY_DEALER,
            RouterSocket::with_options(options()),
            async |router: &RouterSocket| drop(router.recv().await.unwrap())
        );
        holds!(
            transport,
            5,
            message(),
            raw::READY_PAIR,
            PairSocket::with_options(options()),
            async |pair: &PairSocket| drop(pair.recv().await.unwrap())
        );
        holds!(
            transport,
            5,
            [raw::frame(true, b""), message()].concat(),
            raw::READY_DEALER,
            RepSocket::with_options(options()),
            async |rep: &RepSocket| {
                rep.recv().await.unwrap();
                rep.send("").await.unwrap();
            }
        );
    }
}

#[tokio::test]
async fn a_socket_that_does_not_receive_holds_as_many_octets_as_the_mark_says() {
    for transport in Transport::STREAMS {
        // Each time the last message reaches the mark.
        for (octets, size, expected) in
            [(100_000, 1000, 100), (200_000, 100, 2000), (1_000_000, 100_000, 10), (1, 1000, 1)]
        {
            let (message, options) =
                (|| raw::frame(false, &vec![b'x'; size]), || marked(0, octets));
            holds!(
                transport,
                expected,
                message(),
                raw::READY_PUSH,
                PullSocket::with_options(options()),
                async |pull: &PullSocket| drop(pull.recv().await.unwrap())
            );
        }
    }
}

/// Which of both is reached first counts.
#[tokio::test]
async fn the_mark_that_is_reached_first_holds() {
    for (mark, octets, expected) in [(7, 1_000_000, 7), (1000, 50_000, 5)] {
        let message = || raw::frame(false, &[b'x'; 10_000]);
        holds!(
            Transport::Tcp,
            expected,
            message(),
            raw::READY_PUSH,
            PullSocket::with_options(marked(mark, octets)),
            async |pull: &PullSocket| drop(pull.recv().await.unwrap())
        );
    }
}

/// The publisher is not ours to push back, but what it wrote to us is.
#[tokio::test]
async fn what_a_publisher_drops_is_what_nobody_could_hold() {
    let publisher = XPubSocket::with_options(tight(SocketOptions::new().send_hwm(5)));
    let sub = SubSocket::with_options(marked(10, 0));
    sub.subscribe("").unwrap();
    sub.connect(publisher.bind("tcp://127.0.0.1:0").await.unwrap()).unwrap();
    within(publisher.recv()).await.unwrap();
    let mut sent = 0;
    // Messages that the buffers of the kernel cannot hold.
    within(async {
        while publisher.dropped(DropCause::PeerFull) < 50 {
            publisher.send(numbered(sent, 1 << 20)).await.unwrap();
            sent += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let taken = sent as u64 - publisher.dropped(DropCause::PeerFull);
    let mut received = 0;
    while received < taken {
        within(sub.recv()).await.unwrap();
        received += 1;
    }
    // Five are on their way, ten were read, and one may have been between.
    assert!((15..=16).contains(&taken), "{taken}");
}

/// Messages that are next to nothing, each between commands, count for what it takes to
/// hold them: a peer must not take many times the mark by being tiresome.
#[tokio::test]
async fn tiny_messages_between_commands_reach_the_mark_early() {
    const MARK: usize = 4 << 20;
    // What answers them is not empty, so it is not what a held back peer hears.
    let batch = [&raw::frame(false, b"x")[..], b"\x04\x08\x04PING\0\0?"].concat().repeat(1000);
    let pull = PullSocket::with_options(marked(0, MARK));
    let endpoint = pull.bind("tcp://127.0.0.1:0").await.unwrap();
    let mut flood = Flood::start(raw::join_tightly(&endpoint, raw::READY_PUSH).await, batch);
    within(flood.held_back()).await;
    let taken = flood.taken.load(Ordering::SeqCst);
    assert!(taken < MARK / 2 + HIDDEN, "{taken}");
}
