//! `send_hwm` and `send_hwm_bytes` over tcp and ipc: they count what is not
//! written, also what a writer has taken, and room comes back as it is written.
//!
//! The peers read nothing unless they are told to, and no message fits into the
//! buffers of the kernel, so the counts are exact.

use std::time::Duration;

use ferromq::{
    DealerSocket, DropCause, Linger, PairSocket, PubSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, RoutingId, SendError, SocketOptions, XPubSocket, XSubSocket,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::events::Events;
use crate::common::raw::{self, Stream, TIGHT};
use crate::common::{Transport, within};

const SIZE: usize = 1 << 20;

/// The marks of the tests.
const MARKS: [usize; 2] = [1, 3];

/// What a mark is of.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Messages,
    Octets,
}

const UNITS: [Unit; 2] = [Unit::Messages, Unit::Octets];

impl Unit {
    /// Room for so many messages.
    fn mark(self, messages: usize) -> SocketOptions {
        let at_once = Linger::For(Duration::ZERO);
        let options = SocketOptions::new().send_buffer(TIGHT).recv_buffer(TIGHT).linger(at_once);
        match self {
            Self::Messages => options.send_hwm(messages),
            // The last one comes in below it.
            Self::Octets => options.send_hwm(0).send_hwm_bytes(messages * SIZE),
        }
    }
}

/// A message that is none of those before it, and no subscription.
fn big(number: usize) -> Vec<u8> {
    let mut body = vec![b'x'; SIZE];
    body[1..9].copy_from_slice(&(number as u64).to_be_bytes());
    body
}

/// Sends while there is room, trying for a moment; says how many found some.
async fn fill(
    from: usize,
    mut try_send: impl FnMut(Vec<u8>) -> Result<(), SendError>,
    at_least: usize,
) -> usize {
    let mut sent = 0;
    let mut refused = 0;
    within(async {
        // Once it has what it should take, it is to take no more of it.
        while sent < at_least || refused < 5 {
            match try_send(big(from + sent)) {
                Ok(()) => (sent, refused) = (sent + 1, 0),
                Err(error) => {
                    assert!(error.is_would_block(), "{error}");
                    refused += 1;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
    })
    .await;
    sent
}

/// A socket that waits at its mark, and its peer.
async fn waits(
    case: &str,
    mark: usize,
    mut peer: Box<dyn Stream>,
    mut try_send: impl FnMut(Vec<u8>) -> Result<(), SendError>,
) {
    let mut sent = fill(0, &mut try_send, mark).await;
    assert_eq!(sent, mark, "{case}: the peer reads nothing");
    // Something of the first message has come, so it was taken.
    let flags = [within(peer.read_u8()).await.unwrap()];
    sent += fill(sent, &mut try_send, 0).await;
    assert_eq!(sent, mark, "{case}: a writer has taken some");
    // So many are read, and so many more are taken.
    let mut peer = (&flags[..]).chain(&mut peer);
    for (number, read) in [1, mark, 2].into_iter().enumerate() {
        let from = sent - mark;
        for index in 0..read {
            let message = raw::read_message(&mut peer).await;
            assert!(message.ends_with(&[big(from + index)]), "{case}: {number}, {index}");
            // The next is not read by now, however much of it is written.
            let more = fill(sent, &mut try_send, 1).await;
            assert_eq!(more, 1, "{case}: one was read");
            sent += more;
        }
    }
    for index in sent - mark..sent {
        let message = raw::read_message(&mut peer).await;
        assert!(message.ends_with(&[big(index)]), "{case}: {index}");
    }
}

/// Binds a socket with these options and lets a raw peer join it.
macro_rules! meet {
    ($kind:ident, $options:expr, $transport:expr, $ready:expr) => {{
        let socket = $kind::with_options($options);
        let mut events = Events::from(socket.monitor());
        let endpoint = socket.bind($transport.any()).await.unwrap();
        let mut peer = raw::join_tightly(&endpoint, $ready).await;
        events.ready().await;
        raw::barrier(&mut peer).await;
        (socket, peer)
    }};
}

async fn those_that_wait(transport: Transport, unit: Unit, mark: usize) {
    let options = |mark| unit.mark(mark);
    let (push, peer) = meet!(PushSocket, options(mark), transport, raw::READY_PULL);
    waits("PUSH", mark, peer, |message| push.try_send(message)).await;

    let (dealer, peer) = meet!(DealerSocket, options(mark), transport, raw::READY_DEALER);
    waits("DEALER", mark, peer, |message| dealer.try_send(message)).await;

    let (pair, peer) = meet!(PairSocket, options(mark), transport, raw::READY_PAIR);
    waits("PAIR", mark, peer, |message| pair.try_send(message)).await;

    let mandatory = options(mark).router_mandatory(true);
    let (router, peer) = meet!(RouterSocket, mandatory, transport, raw::READY_DEALER_A);
    let name = RoutingId::try_from(&b"A"[..]).unwrap();
    waits("ROUTER", mark, peer, |message| router.try_send_to(&name, message)).await;

    let relaxed = options(mark).req_relaxed(true);
    let (req, peer) = meet!(ReqSocket, relaxed, transport, raw::READY_ROUTER);
    waits("REQ", mark, peer, |message| req.try_send(message)).await;

    let nodrop = options(mark).xpub_nodrop(true);
    let (publisher, mut peer) = meet!(XPubSocket, nodrop, transport, raw::READY_SUB);
    within(peer.write_all(raw::SUBSCRIBE)).await.unwrap();
    within(publisher.recv()).await.unwrap();
    waits("XPUB", mark, peer, |message| publisher.try_send(message)).await;
}

#[tokio::test]
async fn sockets_that_wait_take_as_many_as_the_mark_says() {
    for transport in Transport::STREAMS {
        for mark in MARKS {
            for unit in UNITS {
                those_that_wait(transport, unit, mark).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_wait_take_as_many_on_several_threads() {
    for transport in Transport::STREAMS {
        for unit in UNITS {
            those_that_wait(transport, unit, 2).await;
        }
    }
}

#[tokio::test]
async fn a_sender_that_waits_goes_on_when_one_message_is_written() {
    for (transport, unit) in
        Transport::STREAMS.into_iter().flat_map(|transport| UNITS.map(|unit| (transport, unit)))
    {
        let (push, mut peer) = meet!(PushSocket, unit.mark(2), transport, raw::READY_PULL);
        assert_eq!(fill(0, |message| push.try_send(message), 2).await, 2);
        let sender = push.clone();
        let waiting = tokio::spawn(async move { sender.send(big(2)).await });
        for number in 0..3 {
            assert_eq!(raw::read_message(&mut peer).await, [big(number)], "{transport:?}");
            if number == 0 {
                // The second and the third are all there is then.
                within(async {
                    while !waiting.is_finished() {
                        tokio::task::yield_now().await;
                    }
                })
                .await;
            }
        }
        within(waiting).await.unwrap().unwrap();
    }
}

/// A socket that drops at its mark, and its peer. `send` sends one more.
async fn drops(
    case: &str,
    mark: usize,
    mut peer: Box<dyn Stream>,
    mut send: impl AsyncFnMut(&mut dyn Stream, Vec<u8>),
    dropped: impl Fn() -> u64,
) {
    for number in 0..mark + 2 {
        send(&mut peer, big(number)).await;
    }
    assert_eq!(dropped(), 2, "{case}: the peer reads nothing");
    let flags = within(peer.read_u8()).await.unwrap();
    send(&mut peer, big(mark + 2)).await;
    assert_eq!(dropped(), 3, "{case}: a writer has taken some");
    let first = raw::read_message(&mut (&[flags][..]).chain(&mut peer)).await;
    assert!(first.ends_with(&[big(0)]), "{case}");
    // There is room for one more once that is known to be written.
    let mut number = mark + 3;
    within(async {
        loop {
            let before = dropped();
            send(&mut peer, big(number)).await;
            if dropped() == before {
                return;
            }
            number += 1;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let lost = dropped();
    send(&mut peer, big(number + 1)).await;
    assert_eq!(dropped(), lost + 1, "{case}: no more than one");
    // Those that were taken come, and no others.
    for expected in (1..mark).chain([number]) {
        let message = raw::read_message(&mut peer).await;
        assert!(message.ends_with(&[big(expected)]), "{case}: {expected}");
    }
}

async fn those_that_drop(transport: Transport, unit: Unit, mark: usize) {
    let options = |mark| unit.mark(mark);
    let full = DropCause::PeerFull;

    let (publisher, mut peer) = meet!(PubSocket, options(mark), transport, raw::READY_SUB);
    within(peer.write_all(raw::SUBSCRIBE)).await.unwrap();
    raw::barrier(&mut peer).await;
    let send = async |_: &mut dyn Stream, message| publisher.send(message).await.unwrap();
    drops("PUB", mark, peer, send, || publisher.dropped(full)).await;

    let (publisher, mut peer) = meet!(XPubSocket, options(mark), transport, raw::READY_SUB);
    within(peer.write_all(raw::SUBSCRIBE)).await.unwrap();
    within(publisher.recv()).await.unwrap();
    let send = async |_: &mut dyn Stream, message| publisher.try_send(message).unwrap();
    drops("XPUB", mark, peer, send, || publisher.dropped(full)).await;

    let (sub, peer) = meet!(XSubSocket, options(mark), transport, raw::READY_XPUB);
    let send = async |_: &mut dyn Stream, message| sub.send(message).await.unwrap();
    drops("XSUB", mark, peer, send, || sub.dropped(full)).await;

    let (router, peer) = meet!(RouterSocket, options(mark), transport, raw::READY_DEALER_A);
    let name = RoutingId::try_from(&b"A"[..]).unwrap();
    let send = async |_: &mut dyn Stream, message| router.send_to(&name, message).await.unwrap();
    drops("ROUTER", mark, peer, send, || router.dropped(full)).await;

    let (rep, peer) = meet!(RepSocket, options(mark), transport, raw::READY_DEALER);
    let request = [raw::frame(true, b""), raw::frame(false, b"?")].concat();
    let send = async |peer: &mut dyn Stream, message| {
        within(peer.write_all(&request)).await.unwrap();
        within(rep.recv()).await.unwrap();
        rep.send(message).await.unwrap();
    };
    drops("REP", mark, peer, send, || rep.dropped(full)).await;
}

#[tokio::test]
async fn sockets_that_drop_count_each_message_beyond_the_mark() {
    for transport in Transport::STREAMS {
        for mark in MARKS {
            for unit in UNITS {
                those_that_drop(transport, unit, mark).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_drop_count_each_message_on_several_threads() {
    for transport in Transport::STREAMS {
        for unit in UNITS {
            those_that_drop(transport, unit, 2).await;
        }
    }
}
