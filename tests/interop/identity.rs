//! What each side knows of the other: routing ids and metadata, and the
//! options that depend on them.

use bytes::Bytes;
use ferromq::{
    DealerSocket, Message, MonitorEvent, RepSocket, ReqSocket, RouterSocket, RoutingId,
    SocketOptions, SocketType,
};

use crate::peer::{Peer, Remote, pattern, spell};
use crate::{event, interop, within};

const ANYWHERE: &str = "tcp://127.0.0.1:*";

/// The longest there is, and binary.
fn long_id() -> Bytes {
    pattern(255, 200)
}

#[test]
fn libzmq_sees_our_routing_id_type_and_metadata() {
    interop(async |mut peer| {
        let theirs = peer.socket(SocketType::Router, "").await;
        let options = SocketOptions::new()
            .routing_id(RoutingId::new("alice").expect("a valid id"))
            .metadata("X-Colour", "blue")
            .metadata("X-Size", "");
        let ours = DealerSocket::with_options(options);
        ours.connect(theirs.bind(ANYWHERE).await).expect("connect");
        ours.send("hello").await.expect("send");
        let seen = theirs.properties("Identity Socket-Type X-Colour X-Size").await;
        assert_eq!(seen, Message::from(["alice", "DEALER", "blue", ""]));
    });
}

#[test]
fn we_see_the_routing_id_type_and_metadata_of_libzmq() {
    interop(async |mut peer| {
        let id = long_id();
        let options = format!(
            "ROUTING_ID={} METADATA={} METADATA={}",
            spell(&id),
            spell(b"X-Colour:blue"),
            spell(b"X-Size:1")
        );
        let theirs = peer.socket(SocketType::Dealer, &options).await;
        let ours = RouterSocket::new();
        let mut monitor = ours.monitor();
        theirs.connect(&ours.bind(ANYWHERE).await.expect("bind").to_string()).await;
        let known = event("the handshake", &mut monitor, |event| match event {
            MonitorEvent::Ready { peer, .. } => Some(peer.clone()),
            _ => None,
        });
        let mut known = known.await;
        assert_eq!(known.socket_type, Some(SocketType::Dealer));
        assert_eq!(known.routing_id, Some(RoutingId::new(id.clone()).expect("a valid id")));
        assert!(known.address.starts_with("tcp://127.0.0.1:"), "{known:?}");
        known.metadata.sort();
        let wanted = [("X-Colour", "blue"), ("X-Size", "1")];
        assert_eq!(known.metadata, wanted.map(|(name, value)| (name.into(), value.into())));

        theirs.send("hello").await;
        let (from, _) = within("the message", ours.recv()).await.expect("recv");
        assert_eq!(from.as_bytes(), &id);
    });
}

#[test]
fn a_router_gives_an_id_to_those_that_have_none() {
    interop(async |mut peer| {
        let [theirs, their_router] = dealer_and_router(&mut peer).await;
        let router = RouterSocket::new();
        theirs.connect(&router.bind(ANYWHERE).await.expect("bind").to_string()).await;
        theirs.send("ping").await;
        let (id, message) = within("the ping", router.recv()).await.expect("recv");
        assert_eq!((id.as_bytes().len(), id.as_bytes()[0]), (5, 0));
        router.send_to(&id, message).await.expect("send");
        theirs.expect("ping").await;

        let dealer = DealerSocket::new();
        dealer.connect(their_router.bind(ANYWHERE).await).expect("connect");
        dealer.send("ping").await.expect("send");
        let message = their_router.receive().await;
        assert_eq!((message[0].len(), message[0][0]), (5, 0));
        their_router.send(message).await;
        assert_eq!(within("the pong", dealer.recv()).await, Ok("ping".into()));
    });
}

/// As those who number their peers name them.
#[test]
fn a_name_may_begin_with_zero_on_either_side() {
    interop(async |mut peer| {
        let router = RouterSocket::new();
        let endpoint = router.bind(ANYWHERE).await.expect("bind").to_string();
        let their_router = peer.socket(SocketType::Router, "").await;
        let their_endpoint = their_router.bind(ANYWHERE).await;
        for octets in [&b"\0\0"[..], b"\x01\0", b"\0\0\0\0\x01"] {
            let id = RoutingId::new(octets).expect("a valid id");
            let options = format!("ROUTING_ID={}", spell(octets));
            let theirs = peer.socket(SocketType::Dealer, &options).await;
            theirs.connect(&endpoint).await;
            theirs.send("ready").await;
            let from = within("the message", router.recv()).await.expect("recv");
            assert_eq!(from, (id.clone(), "ready".into()));
            router.send_to(&id, "job").await.expect("send");
            theirs.expect("job").await;

            let ours = DealerSocket::with_options(SocketOptions::new().routing_id(id));
            ours.connect(&their_endpoint).expect("connect");
            ours.send("ready").await.expect("send");
            their_router.expect([octets, b"ready"]).await;
            their_router.send([octets, b"job"]).await;
            assert_eq!(within("the job", ours.recv()).await, Ok("job".into()));
        }
    });
}

async fn dealer_and_router(peer: &mut Peer) -> [Remote; 2] {
    [peer.socket(SocketType::Dealer, "").await, peer.socket(SocketType::Router, "").await]
}

#[test]
fn a_probe_tells_a_router_of_us_and_of_libzmq() {
    interop(async |mut peer| {
        let their_router = peer.socket(SocketType::Router, "").await;
        let options = SocketOptions::new()
            .probe_router(true)
            .routing_id(RoutingId::new(long_id()).expect("a valid id"));
        let dealer = DealerSocket::with_options(options);
        dealer.connect(their_router.bind(ANYWHERE).await).expect("connect");
        their_router.expect([long_id(), Bytes::new()]).await;

        let theirs = peer.socket(SocketType::Req, "ROUTING_ID=x626f62 PROBE_ROUTER=1").await;
        let router = RouterSocket::new();
        theirs.connect(&router.bind(ANYWHERE).await.expect("bind").to_string()).await;
        let (id, message) = within("the probe", router.recv()).await.expect("recv");
        assert_eq!((&id.as_bytes()[..], message), (&b"bob"[..], Message::new()));
    });
}

#[test]
fn requests_may_carry_a_number_that_replies_repeat() {
    interop(async |mut peer| {
        let their_rep = peer.socket(SocketType::Rep, "").await;
        let req =
            ReqSocket::with_options(SocketOptions::new().req_correlate(true).req_relaxed(true));
        req.connect(their_rep.bind(ANYWHERE).await).expect("connect");
        let their_req = peer.socket(SocketType::Req, "REQ_CORRELATE=1 REQ_RELAXED=1").await;
        let rep = RepSocket::new();
        their_req.connect(&rep.bind(ANYWHERE).await.expect("bind").to_string()).await;

        // The first request is abandoned for the second, and its reply is not
        // taken for the second's.
        for request in ["first", "second"] {
            req.send(request).await.expect("send");
            their_req.send(request).await;
        }
        for request in ["first", "second"] {
            their_rep.expect(request).await;
            their_rep.send(["reply", request]).await;
            assert_eq!(within("a request", rep.recv()).await, Ok(request.into()));
            rep.send(["reply", request]).await.expect("send");
        }
        assert_eq!(within("the reply", req.recv()).await, Ok(["reply", "second"].into()));
        their_req.expect(["reply", "second"]).await;
    });
}
