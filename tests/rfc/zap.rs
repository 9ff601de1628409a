//! RFC 27, "Formal Specification": our sockets as the servers, and ours as handlers.

use std::time::Duration;

use ferromq::{
    CurveKeypair, DealerSocket, Denial, DisconnectReason, Message, MonitorEvent, PeerFault,
    PeerInfo, Policy, PullSocket, RepSocket, RouterSocket, RoutingId, SocketOptions,
};

use crate::support::{Net, Node, Receives, Sends, Socket, plain, soon};

const HANDLER: &str = "inproc://zeromq.zap.01";

fn server() -> SocketOptions {
    plain().plain_server(Policy::zap()).zap_domain("test")
}

fn client() -> SocketOptions {
    plain().plain_client("admin", "secret").reconnect_interval(Duration::from_millis(1))
}

/// The frames of a message.
fn frames(message: &Message) -> Vec<Vec<u8>> {
    message.iter().map(|frame| frame.to_vec()).collect()
}

fn texts(message: &Message) -> Vec<String> {
    frames(message).into_iter().map(|frame| frame.escape_ascii().to_string()).collect()
}

fn reply(status: &str, user_id: &str, metadata: &[u8]) -> Message {
    let frames: [&[u8]; 6] =
        [b"1.0", b"1", status.as_bytes(), b"why", user_id.as_bytes(), metadata];
    frames.into_iter().map(<[u8]>::to_vec).collect()
}

/// A server, a client that wants in, and the handler that has its request.
struct Scene {
    server: Node<DealerSocket>,
    client: Node<DealerSocket>,
    handler: Node<RepSocket>,
    request: Message,
}

impl Scene {
    async fn new(server: SocketOptions, client: SocketOptions) -> Self {
        let net = Net::tcp();
        let handler = net.bound_at::<RepSocket>(HANDLER, plain()).await;
        let server = net.bound::<DealerSocket>(server).await;
        let client = net.connecting::<DealerSocket>(client, &server.endpoint());
        let request = handler.get().await;
        Self { server, client, handler, request }
    }

    async fn answer(&mut self, reply: Message) {
        soon(self.handler.put(reply)).await.unwrap();
    }

    /// What the server knows of the client that was let in.
    async fn let_in(&mut self, reply: Message) -> PeerInfo {
        self.answer(reply).await;
        self.client.ready().await;
        self.server.ready().await
    }

    /// How the client was refused, and what it heard of that.
    async fn refused(&mut self, reply: Message) -> (Denial, String, DisconnectReason) {
        self.answer(reply).await;
        let (how, why) = denied(&mut self.server).await;
        (how, why, self.client.failed().await)
    }
}

async fn denied<S: Socket>(server: &mut Node<S>) -> (Denial, String) {
    match server.failed().await {
        DisconnectReason::Fault(PeerFault::Denied { how, reason }) => (how, reason),
        reason => panic!("{reason}"),
    }
}

fn told(reason: &DisconnectReason) -> Option<&str> {
    match reason {
        DisconnectReason::Fault(PeerFault::RefusedUs { reason }) => Some(reason),
        DisconnectReason::Fault(PeerFault::NotAnswered { .. }) => None,
        reason => panic!("{reason}"),
    }
}

/// "The server SHALL use a REQ or DEALER socket." "The handler SHALL use a REP or
/// ROUTER socket." "When using a REP socket, the handler SHALL not send nor receive
/// an address delimiter." "The handler SHALL bind to the endpoint
/// inproc://zeromq.zap.01" "The server SHALL connect to this endpoint."
#[tokio::test]
async fn a_rep_handler_shall_be_asked_at_its_endpoint() {
    let mut scene = Scene::new(server(), client()).await;
    let expected = ["1.0", "1", "test", "127.0.0.1", "", "PLAIN", "admin", "secret"];
    assert_eq!(texts(&scene.request), expected);
    scene.let_in(reply("200", "joe", b"")).await;
}

/// "When using a ROUTER socket, the handler SHALL receive an extra frame indicating
/// the routing ID of the peer that sent it the request. The handler MUST send this
/// routing ID frame at the start of its reply message." "If it uses a DEALER socket,
/// it SHALL send the delimiter frame."
#[tokio::test]
async fn a_router_handler_shall_receive_routing_id_and_delimiter() {
    let net = Net::tcp();
    let handler = net.bound_at::<RouterSocket>(HANDLER, plain()).await;
    let mut server = net.bound::<DealerSocket>(server()).await;
    let _client = net.connecting::<DealerSocket>(client(), &server.endpoint());
    let (id, request) = soon(handler.recv()).await.unwrap();
    let expected = ["", "1.0", "1", "test", "127.0.0.1", "", "PLAIN", "admin", "secret"];
    assert_eq!(texts(&request), expected);
    let mut answer = reply("200", "joe", b"");
    answer.push_front("");
    soon(handler.send_to(&id, answer)).await.unwrap();
    assert_eq!(server.ready().await.user_id.as_deref(), Some("joe"));
}

/// "An authentication dialog SHALL consist of one request from a server to the
/// handler, with one reply from the handler back to the server." Many may be under
/// way, and are answered in any order.
#[tokio::test]
async fn a_dialog_shall_be_one_request_and_one_reply() {
    let net = Net::tcp();
    let handler = net.bound_at::<RouterSocket>(HANDLER, plain()).await;
    let mut server = net.bound::<PullSocket>(server()).await;
    let options = |name: &str| plain().plain_client(name, "");
    let endpoint = server.endpoint();
    let push = |name: &str| net.connecting::<ferromq::PushSocket>(options(name), &endpoint);
    let _clients = ["a", "b", "c"].map(push);
    let mut requests = Vec::new();
    for _ in 0..3 {
        requests.push(soon(handler.recv()).await.unwrap());
    }
    // The last first.
    for (id, request) in requests.into_iter().rev() {
        let user = texts(&request)[7].clone();
        let mut answer = reply("200", &user, b"");
        answer.push_front("");
        soon(handler.send_to(&id, answer)).await.unwrap();
        assert_eq!(server.ready().await.user_id, Some(user));
    }
    assert!(handler.try_recv().unwrap_err().is_would_block());
}

/// "The reply SHALL echo the request id without modifying it." One that does not is
/// no reply to this request, and lets nobody in.
#[tokio::test]
async fn the_reply_shall_echo_the_request_id() {
    let mut scene = Scene::new(server(), client()).await;
    let mut answer = frames(&reply("200", "joe", b""));
    answer[1] = b"2".to_vec();
    let (how, _, heard) = scene.refused(answer.into_iter().collect()).await;
    assert_eq!((how, told(&heard)), (Denial::Internal, Some("500")));
}

/// "The version frame, which SHALL contain the three octets "1.0"." and what else the
/// reply message SHALL consist of.
#[tokio::test]
async fn a_reply_that_is_none_shall_let_nobody_in() {
    let good: [&[u8]; 6] = [b"1.0", b"1", b"200", b"OK", b"joe", b""];
    let with = |at: usize, frame: &'static [u8]| {
        let mut frames = good.to_vec();
        frames[at] = frame;
        frames
    };
    let bad: Vec<Vec<&[u8]>> = vec![
        vec![],
        vec![b""],
        good[..5].to_vec(),
        [&good[..], &[b""]].concat(),
        [&[&b""[..]][..], &good].concat(),
        with(0, b"2.0"),
        with(0, b""),
        with(0, b"1.0 "),
        with(2, b""),
        with(2, b"201"),
        with(2, b"20"),
        with(2, b"2000"),
        with(2, b"OK"),
        with(5, b"\x00"),
        with(5, b"\x04team"),
        with(5, b"\x04team\x00\x00\x00\x05blue"),
        with(5, b"\x04team\xFF\xFF\xFF\xFFblue"),
        with(5, b"\x01\xFF\x00\x00\x00\x00"),
    ];
    let net = Net::tcp();
    let handler = net.bound_at::<RepSocket>(HANDLER, plain()).await;
    let mut server = net.bound::<DealerSocket>(server()).await;
    for frames in bad {
        let shown = format!("{frames:?}");
        let mut client = net.connecting::<DealerSocket>(client(), &server.endpoint());
        handler.get().await;
        let answer: Message = frames.into_iter().map(<[u8]>::to_vec).collect();
        soon(handler.put(answer)).await.unwrap();
        let (how, why) = denied(&mut server).await;
        assert_eq!(how, Denial::Internal, "{shown}");
        assert_eq!(why, "the reply of the ZAP handler is malformed", "{shown}");
        assert_eq!(told(&client.failed().await), Some("500"), "{shown}");
        client.end().await;
    }
}

/// "The domain, which SHALL contain a (non-empty) string." With `zap_enforce_domain`
/// nobody is let in without, and nobody is asked.
#[tokio::test]
async fn the_domain_shall_not_be_empty_where_that_is_enforced() {
    let net = Net::tcp();
    let handler = net.bound_at::<RepSocket>(HANDLER, plain()).await;
    let options = plain().plain_server(Policy::zap()).zap_enforce_domain(true);
    let mut bound = net.bound::<DealerSocket>(options.clone()).await;
    let mut client_node = net.connecting::<DealerSocket>(client(), &bound.endpoint());
    let (how, why) = denied(&mut bound).await;
    assert_eq!((how, &*why), (Denial::Internal, "the socket has no ZAP domain"));
    assert_eq!(told(&client_node.failed().await), Some("500"));
    assert!(handler.try_get().unwrap_err().is_would_block());
    let mut bound = net.bound::<DealerSocket>(options.zap_domain("d")).await;
    let _client = net.connecting::<DealerSocket>(client(), &bound.endpoint());
    assert_eq!(texts(&handler.get().await)[2], "d");
    soon(handler.put(reply("200", "joe", b""))).await.unwrap();
    bound.ready().await;
}

/// The same sentence. Otherwise the handler is asked with an empty one, as libzmq
/// does.
#[tokio::test]
async fn departs_the_domain_may_be_empty() {
    let mut scene = Scene::new(plain().plain_server(Policy::zap()), client()).await;
    assert_eq!(texts(&scene.request)[2], "");
    scene.let_in(reply("200", "joe", b"")).await;
}

/// "address: this provides the IP address of the client […] It SHALL be an IPv4
/// dotted string, or an IPv6 canonical string representation."
#[tokio::test]
async fn the_address_shall_be_the_ip_of_the_client() {
    let scene = Scene::new(server(), client()).await;
    assert_eq!(texts(&scene.request)[3], "127.0.0.1");
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // This machine has no IPv6.
    }
    let net = Net::tcp();
    let handler = net.bound_at::<RepSocket>(HANDLER, plain()).await;
    let server = net.bound_at::<DealerSocket>("tcp://[::1]:*", server().ipv6(true)).await;
    let _client = net.connecting::<DealerSocket>(client().ipv6(true), &server.endpoint());
    assert_eq!(texts(&handler.get().await)[3], "::1");
}

/// "identity: this provides the Identity metadata property, if any, provided by the
/// connection. It SHALL be a binary string no longer than 255 bytes." As with libzmq
/// it is that of the server's own socket: with NULL and PLAIN that of the client is
/// not known yet.
#[tokio::test]
async fn departs_the_identity_is_that_of_the_server() {
    let id = RoutingId::new(vec![0xFF; 255]).unwrap();
    let scene = Scene::new(server().routing_id(id), client()).await;
    assert_eq!(frames(&scene.request)[4], [0xFF; 255]);
}

/// "The mechanism SHALL be the 4 characters "NULL"." "There SHALL be no credentials
/// frames." A domain is what makes a socket of NULL ask.
#[tokio::test]
async fn null_shall_have_no_credentials() {
    let mut scene = Scene::new(plain().zap_domain("test"), plain()).await;
    assert_eq!(texts(&scene.request), ["1.0", "1", "test", "127.0.0.1", "", "NULL"]);
    let peer = scene.let_in(reply("200", "joe", b"\x04team\x00\x00\x00\x04blue")).await;
    assert_eq!(peer.user_id.as_deref(), Some("joe"));
    assert_eq!(peer.granted, [("team".to_owned(), "blue".into())]);
    let mut scene = Scene::new(plain().zap_domain("test"), plain()).await;
    let (how, _, heard) = scene.refused(reply("400", "", b"")).await;
    assert_eq!((how, told(&heard)), (Denial::Unauthorized, Some("400")));
}

/// A socket of NULL without a domain asks nobody; and a policy of its own goes before.
#[tokio::test]
async fn null_without_a_domain_asks_nobody() {
    let net = Net::tcp();
    let handler = net.bound_at::<RepSocket>(HANDLER, plain()).await;
    for options in [plain(), plain().zap_domain("test").null_policy(Policy::allow_any())] {
        let mut server = net.bound::<DealerSocket>(options).await;
        net.connected::<DealerSocket>(plain(), &mut server).await;
    }
    assert!(handler.try_get().unwrap_err().is_would_block());
}

/// "The mechanism SHALL be the 5 characters "PLAIN"." "The credentials SHALL consist of
/// two string frames: a username and a password."
#[tokio::test]
async fn plain_shall_have_name_and_password() {
    let options = plain().plain_client([0_u8, 0xFF], vec![b'x'; 255]);
    let scene = Scene::new(server(), options).await;
    let frames = frames(&scene.request);
    assert_eq!(frames[5..], [b"PLAIN".to_vec(), vec![0, 0xFF], vec![b'x'; 255]]);
}

/// "The mechanism SHALL be the 5 characters "CURVE"." "The credentials SHALL consist of
/// a 32-byte long-term public key of the peer being authenticated."
#[tokio::test]
async fn curve_shall_have_the_long_term_key() {
    let (ours, theirs) = (CurveKeypair::generate().unwrap(), CurveKeypair::generate().unwrap());
    let key = *ours.public();
    let options = plain().curve_server(ours, Policy::zap()).zap_domain("test");
    let mut scene = Scene::new(options, plain().curve_client(theirs.clone(), key)).await;
    let asked = frames(&scene.request);
    assert_eq!(asked[5..], [b"CURVE".to_vec(), theirs.public().as_bytes().to_vec()]);
    assert_eq!(asked.len(), 7);
    let peer = scene.let_in(reply("200", "joe", b"")).await;
    assert_eq!(peer.user_id.as_deref(), Some("joe"));
}

/// "status code: this shall be "200" to indicate success, "300" to indicate a temporary
/// error, "400" to indicate authentication failure, and "500" to indicate an internal
/// error". The client is told of 400 and 500, and nothing at 300.
#[tokio::test]
async fn the_status_code_shall_say_how_the_client_is_refused() {
    for (status, denial, heard) in [
        ("300", Denial::Temporary, None),
        ("400", Denial::Unauthorized, Some("400")),
        ("500", Denial::Internal, Some("500")),
    ] {
        let mut scene = Scene::new(server(), client()).await;
        let (how, why, reason) = scene.refused(reply(status, "", b"")).await;
        assert_eq!((how, &*why), (denial, "why"));
        assert_eq!(told(&reason), heard);
        let delay = scene
            .client
            .event(|event| match event {
                MonitorEvent::Retrying { delay, .. } => Some(delay),
                _ => None,
            })
            .await;
        assert_eq!(delay >= Duration::from_secs(1), heard.is_some(), "{status}: {delay:?}");
    }
}

/// "user id: this MAY provide the user identity in case of a 200 status, for use by
/// applications." Nothing is none.
#[tokio::test]
async fn the_user_id_may_be_there() {
    for (user_id, expected) in [("joe", Some("joe")), ("", None)] {
        let mut scene = Scene::new(server(), client()).await;
        let peer = scene.let_in(reply("200", user_id, b"")).await;
        assert_eq!(peer.user_id.as_deref(), expected);
    }
}

/// "For other statuses, it SHALL be empty." What is there then is for nobody.
#[tokio::test]
async fn a_user_id_shall_mean_nothing_with_another_status() {
    let mut scene = Scene::new(server(), client()).await;
    let (how, ..) = scene.refused(reply("400", "joe", b"\x00")).await;
    assert_eq!(how, Denial::Unauthorized);
}

/// "The metadata SHALL use the ZMTP 3.0 format"
#[tokio::test]
async fn metadata_shall_be_a_property_list() {
    let mut scene = Scene::new(server(), client()).await;
    let metadata =
        b"\x04team\x00\x00\x00\x04blue\x05empty\x00\x00\x00\x00\x04TEAM\x00\x00\x00\x01\xFF";
    let peer = scene.let_in(reply("200", "joe", metadata)).await;
    let expected = [("team", &b"blue"[..]), ("empty", b""), ("TEAM", b"\xFF")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_vec().into()));
    assert_eq!(peer.granted, expected);
    assert_eq!(peer.metadata, [], "what the peer says itself is something else");
}

/// "The handler SHALL start before any server starts." Whoever comes before it is
/// refused with 500; and let in later.
#[tokio::test]
async fn without_a_handler_nobody_shall_come_in() {
    let net = Net::tcp();
    let null = plain().reconnect_interval(Duration::from_millis(1));
    for (options, dials) in [(server(), client()), (plain().zap_domain("test"), null)] {
        let mut bound = net.bound::<DealerSocket>(options).await;
        let mut dialler = net.connecting::<DealerSocket>(dials, &bound.endpoint());
        let (how, why) = denied(&mut bound).await;
        assert_eq!((how, &*why), (Denial::Internal, "there is no ZAP handler"));
        assert_eq!(told(&dialler.failed().await), Some("500"));
        let handler = net.bound_at::<RepSocket>(HANDLER, plain()).await;
        handler.get().await;
        soon(handler.put(reply("200", "joe", b""))).await.unwrap();
        bound.ready().await;
        handler.end().await;
    }
}

/// "The handler SHALL use a REP or ROUTER socket." One of another type is none.
#[tokio::test]
async fn a_handler_of_another_type_shall_let_nobody_in() {
    let net = Net::tcp();
    let handler = net.bound_at::<PullSocket>(HANDLER, plain()).await;
    let mut server = net.bound::<DealerSocket>(server()).await;
    let mut client = net.connecting::<DealerSocket>(client(), &server.endpoint());
    let (how, why) = denied(&mut server).await;
    assert_eq!((how, &*why), (Denial::Internal, "the ZAP handler is of another socket type"));
    assert_eq!(told(&client.failed().await), Some("500"));
    assert!(handler.try_get().unwrap_err().is_would_block());
}

/// "with one reply from the handler": one that never comes is waited for as long as a
/// handshake may take. Others are none the worse meanwhile.
#[tokio::test]
async fn a_handler_that_does_not_answer_shall_cost_its_client_only() {
    let net = Net::tcp();
    let handler = net.bound_at::<RouterSocket>(HANDLER, plain()).await;
    let options = server().handshake_timeout(Duration::from_millis(300));
    let mut server = net.bound::<DealerSocket>(options).await;
    let mut unlucky = net.connecting::<DealerSocket>(client(), &server.endpoint());
    soon(handler.recv()).await.unwrap();
    let reason = server.failed().await;
    assert!(matches!(reason, DisconnectReason::HandshakeTimeout), "{reason}");
    assert_eq!(told(&unlucky.failed().await), None);
    unlucky.end().await;
    // The next one that is answered gets in, however late the answer to the last was.
    let _client = net.connecting::<DealerSocket>(client(), &server.endpoint());
    let answering = async {
        loop {
            let (id, _) = handler.recv().await.unwrap();
            let mut answer = reply("200", "joe", b"");
            answer.push_front("");
            let _ = handler.send_to(&id, answer).await;
        }
    };
    tokio::select! {
        _ = answering => {}
        _ = server.ready() => {}
    }
}

/// There is one dialog for a client: over inproc, where both sides are one process,
/// none. (A handler that had to be asked about those who ask it would never end.)
#[tokio::test]
async fn over_inproc_nobody_is_asked() {
    let net = Net::inproc();
    let handler = net.bound_at::<RepSocket>(HANDLER, plain()).await;
    let mut bound = net.bound::<DealerSocket>(server()).await;
    let dealer = net.connected::<DealerSocket>(plain(), &mut bound).await;
    soon(dealer.put("Hello".into())).await.unwrap();
    assert_eq!(bound.get().await, "Hello".into());
    assert!(handler.try_get().unwrap_err().is_would_block());
}
