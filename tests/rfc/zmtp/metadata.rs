//! "Connection Metadata", "The Socket-Type Property", "The Identity Property"
//! and "The Resource Property".

use ferromq::{
    BindError, DealerSocket, DisconnectReason, OptionError, PairSocket, PeerFault, PubSocket,
    PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, SocketOptions, SocketType,
    SubSocket, XPubSocket, XSubSocket,
};

use crate::support::{Net, Node, Receives, Socket, plain, soon};
use crate::wire::{Wire, ready};

over_inproc_and_tcp!(peers_shall_exchange_metadata);

/// "The security mechanism SHALL provide a way for peers to exchange metadata in
/// the form of a key-value dictionary."
async fn peers_shall_exchange_metadata(net: Net) {
    let with = |value: &'static str| SocketOptions::new().metadata("X-who", value);
    let mut pull = net.bound::<PullSocket>(with("pull")).await;
    let mut push = net.connecting::<PushSocket>(with("push"), &pull.endpoint());
    let (of_push, of_pull) = (pull.ready().await, push.ready().await);
    assert_eq!(of_push.socket_type, Some(SocketType::Push));
    assert_eq!(of_push.metadata, [("X-who".to_owned(), "push".into())]);
    assert_eq!(of_pull.socket_type, Some(SocketType::Pull));
    assert_eq!(of_pull.metadata, [("X-who".to_owned(), "pull".into())]);
}

/// "Metadata names starting with "X-" SHALL be reserved for application use."
/// All but one are; that says who we are, and no application sees or sets it.
#[tokio::test]
async fn departs_names_with_x_are_for_applications_but_one() {
    let net = Net::tcp();
    let taken = DealerSocket::with_options(plain().metadata("x-ferromq", "mine"));
    let refused = taken.bind("tcp://127.0.0.1:*").await.unwrap_err();
    assert!(matches!(refused, BindError::Options(OptionError::MetadataTaken { .. })));
    let mut dealer = net.bound::<DealerSocket>(plain()).await;
    let mut router = Wire::dial(&dealer.endpoint()).await;
    let body = router.shake_hands("ROUTER").await;
    let names = body.windows(2).filter(|octets| octets.eq_ignore_ascii_case(b"X-")).count();
    assert_eq!(names, 1, "{}", body.escape_ascii());
    assert!(body.ends_with(b"\x09X-Ferromq\x00\x00\x00\x011"));
    dealer.ready().await;
    let mut other = net.connecting::<DealerSocket>(plain(), &dealer.endpoint());
    assert_eq!(dealer.ready().await.metadata, []);
    assert_eq!(other.ready().await.metadata, []);
}

async fn announces<S: Socket>(net: &Net, peer: &str) {
    let socket = net.bound::<S>(plain()).await;
    let body = Wire::dial(&socket.endpoint()).await.shake_hands(peer).await;
    let mut start = b"\x05READY\x0BSocket-Type\x00\x00\x00".to_vec();
    start.push(S::TYPE.len() as u8);
    start.extend(S::TYPE.as_bytes());
    assert!(body.starts_with(&start), "{}", body.escape_ascii());
}

/// "The Socket-Type SHALL match this grammar: socket-type = "REQ" | "REP" |
/// "DEALER" | "ROUTER" | "PUB" | "XPUB" | "SUB" | "XSUB" | "PUSH" | "PULL" |
/// "PAIR""
#[tokio::test]
async fn the_socket_type_shall_match_the_grammar() {
    let net = Net::tcp();
    announces::<ReqSocket>(&net, "REP").await;
    announces::<RepSocket>(&net, "REQ").await;
    announces::<DealerSocket>(&net, "ROUTER").await;
    announces::<RouterSocket>(&net, "DEALER").await;
    announces::<PubSocket>(&net, "SUB").await;
    announces::<XPubSocket>(&net, "SUB").await;
    announces::<SubSocket>(&net, "PUB").await;
    announces::<XSubSocket>(&net, "PUB").await;
    announces::<PushSocket>(&net, "PULL").await;
    announces::<PullSocket>(&net, "PUSH").await;
    announces::<PairSocket>(&net, "PAIR").await;
}

/// Every type, against one of ours: whether it is taken.
async fn takes<S: Socket>(net: &Net, legal: &[&str]) {
    let mut socket: Node<S> = net.bound::<S>(plain()).await;
    for theirs in SocketType::ALL.map(SocketType::as_str).into_iter().chain(["CLIENT", "req", ""]) {
        let mut peer = Wire::dial(&socket.endpoint()).await;
        peer.greet().await;
        let ready = ready(&[("Socket-Type", theirs.as_bytes())]);
        peer.send(&ready).await;
        if legal.contains(&theirs) {
            peer.frame().await;
            let info = socket.ready().await;
            assert_eq!(info.socket_type.map(SocketType::as_str), Some(theirs));
            drop(peer);
            socket.left().await;
        } else {
            let reason = socket.failed().await;
            assert!(matches!(reason, DisconnectReason::Fault(_)), "{}: {reason}", S::TYPE);
            // "it SHOULD handle errors by returning an ERROR command, and then
            // disconnecting the peer." Some have said READY before.
            let mut said = peer.frame().await.body;
            if said.starts_with(b"\x05READY") {
                said = peer.frame().await.body;
            }
            assert!(said.starts_with(b"\x05ERROR"), "{}", said.escape_ascii());
            peer.end().await;
        }
    }
}

/// "The peer SHOULD enforce that the other peer is using a valid socket type."
/// The whole table.
#[tokio::test]
async fn a_peer_should_enforce_a_valid_socket_type() {
    let net = Net::tcp();
    takes::<ReqSocket>(&net, &["REP", "ROUTER"]).await;
    takes::<RepSocket>(&net, &["REQ", "DEALER"]).await;
    takes::<DealerSocket>(&net, &["REP", "DEALER", "ROUTER"]).await;
    takes::<RouterSocket>(&net, &["REQ", "DEALER", "ROUTER"]).await;
    takes::<PubSocket>(&net, &["SUB", "XSUB"]).await;
    takes::<XPubSocket>(&net, &["SUB", "XSUB"]).await;
    takes::<SubSocket>(&net, &["PUB", "XPUB"]).await;
    takes::<XSubSocket>(&net, &["PUB", "XPUB"]).await;
    takes::<PushSocket>(&net, &["PULL"]).await;
    takes::<PullSocket>(&net, &["PUSH"]).await;
    takes::<PairSocket>(&net, &["PAIR"]).await;
}

/// A ROUTER's peer with this Identity.
async fn identified(router: &Node<RouterSocket>, identity: &[u8]) -> Wire {
    let mut dealer = Wire::dial(&router.endpoint()).await;
    dealer.greet().await;
    dealer.send(&ready(&[("Socket-Type", b"DEALER"), ("Identity", identity)])).await;
    dealer.frame().await;
    dealer
}

/// "The Identity SHALL match this grammar: identity = 0*255OCTET" An empty one
/// is none; a longer one closes the connection.
#[tokio::test]
async fn the_identity_shall_have_0_to_255_octets() {
    let net = Net::tcp();
    let mut router = net.bound::<RouterSocket>(plain()).await;
    for size in [1, 255] {
        let identity = vec![b'i'; size];
        let mut dealer = identified(&router, &identity).await;
        dealer.send(b"\x00\x05Hello").await;
        let (id, _) = soon(router.recv()).await.unwrap();
        assert_eq!(id.as_bytes(), &identity);
    }
    let mut dealer = identified(&router, b"").await;
    dealer.send(b"\x00\x05Hello").await;
    assert_eq!(soon(router.recv()).await.unwrap().0.as_bytes()[0], 0);
    let mut dealer = identified(&router, &[b'i'; 256]).await;
    let reason = router.failed().await;
    assert!(matches!(reason, DisconnectReason::Fault(PeerFault::InvalidRoutingId(_))), "{reason}");
    dealer.end().await;
}

/// "The first octet of the Identity SHALL NOT be zero" (RFC 37) It may, in what a
/// peer sends and in what we send.
#[tokio::test]
async fn departs_the_identity_may_begin_with_zero() {
    let net = Net::tcp();
    let router = net.bound::<RouterSocket>(plain()).await;
    for identity in [&b"\x00"[..], b"\x00\x00", b"\x00\x00\x00\x00\x01"] {
        let mut dealer = identified(&router, identity).await;
        dealer.send(b"\x00\x05Hello").await;
        let (id, _) = soon(router.recv()).await.unwrap();
        assert_eq!(id.as_bytes(), identity);
        soon(router.send_to(&id, "World")).await.unwrap();
        assert_eq!(dealer.frame().await.body, b"World");
    }
    let id = ferromq::RoutingId::new(&b"\x00\x00"[..]).unwrap();
    let dealer = net.bound::<DealerSocket>(SocketOptions::new().routing_id(id)).await;
    let body = Wire::dial(&dealer.endpoint()).await.shake_hands("ROUTER").await;
    let property = b"\x08Identity\x00\x00\x00\x02\x00\x00";
    assert!(body.windows(property.len()).any(|it| it == property), "{}", body.escape_ascii());
}

/// "For all other socket types, the Identity property shall be ignored." Two
/// peers of a PULL may well have the same.
#[tokio::test]
async fn the_identity_shall_be_ignored_by_other_types() {
    let net = Net::tcp();
    let pull = net.bound::<PullSocket>(plain()).await;
    let id = ferromq::RoutingId::try_from("same").unwrap();
    let mut one = Wire::join_as(&pull.endpoint(), "PUSH", &id).await;
    let mut other = Wire::join_as(&pull.endpoint(), "PUSH", &id).await;
    for push in [&mut one, &mut other] {
        push.send(b"\x00\x05Hello").await;
        assert_eq!(pull.get().await, "Hello".into());
    }
}

/// "The implementation SHALL accept all resource requests" (RFC 37) ferromq has
/// no resources; a peer that asks for one is accepted, and the application can
/// read what it asked for.
#[tokio::test]
async fn departs_all_resource_requests_are_accepted_and_left_to_the_application() {
    let net = Net::tcp();
    let mut pull = net.bound::<PullSocket>(plain()).await;
    let mut push = Wire::dial(&pull.endpoint()).await;
    push.greet().await;
    push.send(&ready(&[("Socket-Type", b"PUSH"), ("Resource", b"system/name-service")])).await;
    let metadata = pull.ready().await.metadata;
    assert_eq!(metadata, [("Resource".to_owned(), "system/name-service".into())]);
    push.send(b"\x00\x05Hello").await;
    assert_eq!(pull.get().await, "Hello".into());
}
