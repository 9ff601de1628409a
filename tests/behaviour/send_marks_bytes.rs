//! `send_hwm_bytes` where no kernel hides anything: over inproc, and where nobody is
//! there yet. And messages that are larger than the mark, or tiny.

use std::time::Duration;

use ferromq::{
    DealerSocket, DropCause, Linger, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket,
    ReqSocket, RouterSocket, RoutingId, SendError, SocketOptions, SubSocket, XPubSocket,
    XSubSocket,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::events::Events;
use crate::common::raw::{self, TIGHT};
use crate::common::{Transport, quick, within};

const SIZE: usize = 10_000;

/// Room for three messages of this size: one more comes in below the mark.
fn sends() -> SocketOptions {
    quick().send_hwm(0).send_hwm_bytes(2 * SIZE).linger(Linger::For(Duration::ZERO))
}

/// The rest of the mark over inproc.
fn receives() -> SocketOptions {
    quick().recv_hwm(0).recv_hwm_bytes(SIZE / 2).linger(Linger::For(Duration::ZERO))
}

fn body() -> Vec<u8> {
    vec![b'x'; SIZE]
}

/// How many messages are taken before it would have to wait.
fn fill(mut try_send: impl FnMut(Vec<u8>) -> Result<(), SendError>, message: &[u8]) -> usize {
    for count in 0..100_000 {
        if let Err(error) = try_send(message.to_vec()) {
            assert!(error.is_would_block(), "{error}");
            assert_eq!(error.into_message().size(), message.len());
            return count;
        }
    }
    panic!("there is no mark");
}

/// A socket that waits at its mark, and how a message is received from it.
async fn waits(
    case: &str,
    mut try_send: impl FnMut(Vec<u8>) -> Result<(), SendError>,
    send: impl AsyncFnOnce(),
    mut recv: impl AsyncFnMut() -> usize,
) {
    assert_eq!(fill(&mut try_send, &body()), 3, "{case}");
    // Whoever is refused is told at half of the mark.
    for _ in 0..2 {
        assert_eq!(recv().await, SIZE, "{case}");
    }
    assert_eq!(fill(&mut try_send, &body()), 2, "{case}");
    let receiving = async {
        for _ in 0..4 {
            assert_eq!(recv().await, SIZE, "{case}");
        }
    };
    tokio::join!(send(), receiving);
    // The empty queue takes one of any size.
    try_send(vec![b'x'; 10_000_000]).unwrap();
    assert!(try_send(vec![b'x']).unwrap_err().is_would_block(), "{case}");
    assert_eq!(recv().await, 10_000_000, "{case}");
    assert_eq!(fill(&mut try_send, &body()), 3, "{case}");
}

/// Two sockets that meet over inproc.
macro_rules! meet {
    ($ours:ident, $options:expr, $theirs:ident) => {{
        let (ours, theirs) = ($ours::with_options($options), $theirs::with_options(receives()));
        ours.connect(theirs.bind(Transport::Inproc.any()).await.unwrap()).unwrap();
        (ours, theirs)
    }};
}

#[tokio::test]
async fn inproc_sockets_that_wait_take_the_sum_of_both_marks_and_one_more() {
    let (push, pull) = meet!(PushSocket, sends(), PullSocket);
    let recv = async || within(pull.recv()).await.unwrap().size();
    let send = async || within(push.send(body())).await.unwrap();
    waits("PUSH", |message| push.try_send(message), send, recv).await;

    let (dealer, other) = meet!(DealerSocket, sends(), DealerSocket);
    let recv = async || within(other.recv()).await.unwrap().size();
    let send = async || within(dealer.send(body())).await.unwrap();
    waits("DEALER", |message| dealer.try_send(message), send, recv).await;

    let (pair, other) = meet!(PairSocket, sends(), PairSocket);
    let recv = async || within(other.recv()).await.unwrap().size();
    let send = async || within(pair.send(body())).await.unwrap();
    waits("PAIR", |message| pair.try_send(message), send, recv).await;

    let (req, router) = meet!(ReqSocket, sends().req_relaxed(true), RouterSocket);
    let recv = async || within(router.recv()).await.unwrap().1.size();
    let send = async || within(req.send(body())).await.unwrap();
    waits("REQ", |message| req.try_send(message), send, recv).await;

    let name = RoutingId::new("A").unwrap();
    let router = RouterSocket::with_options(sends().router_mandatory(true));
    let dealer = DealerSocket::with_options(receives().routing_id(name.clone()));
    dealer.connect(router.bind(Transport::Inproc.any()).await.unwrap()).unwrap();
    let recv = async || within(dealer.recv()).await.unwrap().size();
    let send = async || within(router.send_to(&name, body())).await.unwrap();
    waits("ROUTER", |message| router.try_send_to(&name, message), send, recv).await;

    let publisher = XPubSocket::with_options(sends().xpub_nodrop(true));
    let sub = SubSocket::with_options(receives());
    sub.subscribe("").unwrap();
    sub.connect(publisher.bind(Transport::Inproc.any()).await.unwrap()).unwrap();
    within(publisher.recv()).await.unwrap();
    let recv = async || within(sub.recv()).await.unwrap().size();
    let send = async || within(publisher.send(body())).await.unwrap();
    waits("XPUB", |message| publisher.try_send(message), send, recv).await;
}

/// A socket that drops at its mark.
async fn drops(
    case: &str,
    mut send: impl AsyncFnMut(Vec<u8>),
    mut recv: impl AsyncFnMut() -> usize,
    dropped: impl Fn() -> u64,
) {
    for _ in 0..5 {
        send(body()).await;
    }
    assert_eq!(dropped(), 2, "{case}");
    for _ in 0..3 {
        assert_eq!(recv().await, SIZE, "{case}");
    }
    send(vec![b'x'; 10_000_000]).await;
    send(vec![b'x']).await;
    assert_eq!(dropped(), 3, "{case}");
    assert_eq!(recv().await, 10_000_000, "{case}");
    send(body()).await;
    assert_eq!(recv().await, SIZE, "{case}");
    assert_eq!(dropped(), 3, "{case}");
}

#[tokio::test]
async fn inproc_sockets_that_drop_count_each_message_beyond_that() {
    let full = DropCause::PeerFull;

    let publisher = PubSocket::with_options(sends());
    let sub = SubSocket::with_options(receives());
    sub.subscribe("").unwrap();
    sub.connect(publisher.bind(Transport::Inproc.any()).await.unwrap()).unwrap();
    let send = async |message| within(publisher.send(message)).await.unwrap();
    let recv = async || within(sub.recv()).await.unwrap().size();
    drops("PUB", send, recv, || publisher.dropped(full)).await;

    let publisher = XPubSocket::with_options(sends());
    let sub = SubSocket::with_options(receives());
    sub.subscribe("").unwrap();
    sub.connect(publisher.bind(Transport::Inproc.any()).await.unwrap()).unwrap();
    let send = async |message| within(publisher.send(message)).await.unwrap();
    let recv = async || within(sub.recv()).await.unwrap().size();
    drops("XPUB", send, recv, || publisher.dropped(full)).await;

    let name = RoutingId::new("A").unwrap();
    let router = RouterSocket::with_options(sends());
    let dealer = DealerSocket::with_options(receives().routing_id(name.clone()));
    dealer.connect(router.bind(Transport::Inproc.any()).await.unwrap()).unwrap();
    let send = async |message| within(router.send_to(&name, message)).await.unwrap();
    let recv = async || within(dealer.recv()).await.unwrap().size();
    drops("ROUTER", send, recv, || router.dropped(full)).await;

    let rep = RepSocket::with_options(sends());
    let dealer = DealerSocket::with_options(receives());
    dealer.connect(rep.bind(Transport::Inproc.any()).await.unwrap()).unwrap();
    let send = async |message| {
        within(dealer.send(vec!["", "?"])).await.unwrap();
        within(rep.recv()).await.unwrap();
        within(rep.send(message)).await.unwrap();
    };
    let recv = async || within(dealer.recv()).await.unwrap().size();
    drops("REP", send, recv, || rep.dropped(full)).await;

    // The only sockets that an XSUB sends to take all at once.
    let (xsub, publisher) = meet!(XSubSocket, sends(), XPubSocket);
    for _ in 0..5 {
        within(xsub.send(body())).await.unwrap();
    }
    assert_eq!(xsub.dropped(full), 0);
    drop(publisher);
}

#[tokio::test]
async fn what_waits_for_nobody_yet_is_no_more_than_the_mark_and_one_message() {
    for transport in Transport::ALL {
        let large = vec![b'x'; 10_000_000];
        for (mark, message, count) in
            [(1, &large[..], 1), (20_000_000, &large, 2), (3 * SIZE, &body(), 3)]
        {
            let options = || sends().send_hwm_bytes(mark);
            let push = PushSocket::with_options(options());
            push.connect(transport.known()).unwrap();
            assert_eq!(fill(|body| push.try_send(body), message), count, "{transport:?} PUSH");
            let dealer = DealerSocket::with_options(options());
            dealer.connect(transport.known()).unwrap();
            assert_eq!(fill(|body| dealer.try_send(body), message), count, "{transport:?} DEALER");
            let pair = PairSocket::with_options(options());
            pair.connect(transport.known()).unwrap();
            assert_eq!(fill(|body| pair.try_send(body), message), count, "{transport:?} PAIR");
            assert_eq!(within(pair.close()).await.undelivered, count as u64);
        }
    }
}

#[tokio::test]
async fn tiny_messages_count_with_what_surrounds_them() {
    for transport in Transport::STREAMS {
        for (body, octets) in [("", 2), ("x", 3)] {
            let push = PushSocket::with_options(sends().send_hwm_bytes(6000));
            push.connect(transport.known()).unwrap();
            let count = fill(|body| push.try_send(body), body.as_bytes());
            assert_eq!(count, 6000 / octets, "{transport:?}");
        }
    }
    // Over inproc they would weigh nothing but for what it takes to hold them.
    let push = PushSocket::with_options(sends().send_hwm_bytes(6000));
    push.connect(Transport::Inproc.known()).unwrap();
    assert!((1..=600).contains(&fill(|body| push.try_send(body), b"")));
}

#[tokio::test]
async fn both_marks_hold() {
    for transport in Transport::ALL {
        for (messages, octets, count) in [(5, 2 * SIZE, 2), (2, 9 * SIZE, 2), (0, 0, 50)] {
            let push = PushSocket::with_options(sends().send_hwm(messages).send_hwm_bytes(octets));
            push.connect(transport.known()).unwrap();
            let taken = (0..50).take_while(|_| push.try_send(body()).is_ok()).count();
            assert_eq!(taken, count, "{transport:?}, {messages}, {octets}");
        }
    }
}

#[tokio::test]
async fn what_conflates_keeps_the_newest_of_any_size() {
    for transport in Transport::ALL {
        let options = quick().conflate(true).send_hwm_bytes(1);
        let push = PushSocket::with_options(options);
        let at = transport.known();
        push.connect(&at).unwrap();
        for number in 0..20 {
            within(push.send(format!("{number}"))).await.unwrap();
        }
        let pull = PullSocket::with_options(SocketOptions::new().recv_hwm_bytes(1));
        pull.bind(&at).await.unwrap();
        assert_eq!(within(pull.recv()).await, Ok("19".into()), "{transport:?}");
    }
}

/// With nobody else to get a turn, each message but the first would find it full.
#[tokio::test]
async fn messages_larger_than_the_mark_reach_who_reads() {
    const COUNT: usize = 100;
    for transport in Transport::STREAMS {
        let publisher = XPubSocket::with_options(SocketOptions::new().send_hwm_bytes(100));
        let sub = SubSocket::new();
        sub.subscribe("").unwrap();
        sub.connect(publisher.bind(transport.any()).await.unwrap()).unwrap();
        within(publisher.recv()).await.unwrap();
        for _ in 0..COUNT {
            within(publisher.send(vec![b'x'; 1000])).await.unwrap();
        }
        assert_eq!(publisher.dropped(DropCause::PeerFull), 0, "{transport:?}");
        for _ in 0..COUNT {
            assert_eq!(within(sub.recv()).await.unwrap().size(), 1000);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_senders_that_wait_go_on_as_it_is_read() {
    const SENDERS: usize = 4;
    const EACH: usize = 200;
    for transport in Transport::ALL {
        // Smaller than most messages, a few of them, and more than is in the kernel.
        for mark in [1, 3 * SIZE, 1 << 20] {
            let push = PushSocket::with_options(SocketOptions::new().send_hwm_bytes(mark));
            let pull = PullSocket::with_options(SocketOptions::new().recv_hwm_bytes(1));
            push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
            let senders: Vec<_> = (0..SENDERS)
                .map(|_| {
                    let push = push.clone();
                    tokio::spawn(async move {
                        for number in 0..EACH {
                            push.send(vec![b'x'; number * number % (2 * SIZE)]).await.unwrap();
                        }
                    })
                })
                .collect();
            for _ in 0..SENDERS * EACH {
                within(pull.recv()).await.unwrap();
            }
            for sender in senders {
                within(sender).await.unwrap();
            }
            assert_eq!(within(push.close()).await.undelivered, 0, "{transport:?}, {mark}");
        }
    }
}

#[tokio::test]
async fn a_message_of_any_size_goes_out_and_comes_back_as_room() {
    for transport in Transport::STREAMS {
        let options = sends().send_hwm_bytes(1).send_buffer(TIGHT).recv_buffer(TIGHT);
        let push = PushSocket::with_options(options);
        let mut events = Events::from(push.monitor());
        let endpoint = push.bind(transport.any()).await.unwrap();
        let mut peer = raw::join_tightly(&endpoint, raw::READY_PULL).await;
        events.ready().await;
        let large = vec![b'x'; 10_000_000];
        push.try_send(large.clone()).unwrap();
        let sender = push.clone();
        let waiting = tokio::spawn(async move { sender.send("next").await });
        // All but the last octet is no room.
        let mut octets = vec![0; 9 + large.len() - 1_000_000];
        within(peer.read_exact(&mut octets)).await.unwrap();
        within(peer.write_all(raw::PING)).await.unwrap();
        assert!(!waiting.is_finished() && push.try_send("no").is_err(), "{transport:?}");
        octets.resize(1_000_000, 0);
        within(peer.read_exact(&mut octets)).await.unwrap();
        within(waiting).await.unwrap().unwrap();
        loop {
            let (flags, body) = raw::read_frame(&mut peer).await;
            if flags == 0 {
                assert_eq!(body, b"next");
                break;
            }
        }
    }
}

/// What a connection had not begun to write waits, and counts, for the next.
#[tokio::test]
async fn octets_of_a_broken_connection_wait_for_the_next() {
    const LARGE: usize = 1 << 20;
    let options = sends().send_hwm_bytes(3 * LARGE).send_buffer(TIGHT).recv_buffer(TIGHT);
    let push = PushSocket::with_options(options);
    let (listener, at) = raw::listener().await;
    push.connect(&at).unwrap();
    let message = |number: u8| vec![number; LARGE];
    (0..3).for_each(|number| push.try_send(message(number)).unwrap());
    let mut peer = raw::accept(&listener).await;
    raw::shake_hands(&mut peer, raw::READY_PULL).await;
    within(peer.read_u8()).await.unwrap();
    assert!(push.try_send(message(3)).unwrap_err().is_would_block());
    drop(peer);
    // The first was cut. Its room is there for another.
    within(push.send(message(3))).await.unwrap();
    assert_eq!(push.dropped(DropCause::CutInTransit), 1);
    assert!(push.try_send(message(4)).unwrap_err().is_would_block());
    let mut peer = raw::accept(&listener).await;
    raw::shake_hands(&mut peer, raw::READY_PULL).await;
    for number in 1..4 {
        assert_eq!(raw::read_message(&mut peer).await, [message(number)]);
    }
}
