//! PLAIN and CURVE: every pair of types with either side as the server, and what
//! becomes of those with the wrong credentials.

use std::time::Duration;

use bytes::Bytes;
use ferromq::{
    Candidate, Context, CurveKeypair, CurvePublicKey, DealerSocket, Denial, DisconnectReason,
    Message, Monitor, MonitorEvent, PeerFault, Policy, RepSocket, SocketOptions, SocketType,
    Verdict,
};

use crate::guard::{Guard, Keys, Mechanism, PASSWORD, Server, USER, policy};
use crate::heartbeat::stay_while_idle;
use crate::pair::{Case, Heartbeat, Pair, Transport};
use crate::peer::{Peer, Remote, pattern, spell};
use crate::{event, interop, within};

/// Around the limits of the framing, with and without what seals add.
const SIZES: [usize; 9] = [0, 1, 222, 223, 255, 256, 8192, 65_503, 1 << 20];

fn messages() -> Vec<Message> {
    let single = SIZES.into_iter().zip(0..).map(|(size, seed)| pattern(size, seed).into());
    let several = [
        Message::from(["", "", ""]),
        Message::from([pattern(255, 1), pattern(0, 0), pattern(70_000, 2), pattern(0, 0)]),
    ];
    single.chain(several).collect()
}

/// Lets our clients in.
async fn authenticate(peer: &Peer) {
    let key = spell(Keys::new().client.public().as_bytes());
    peer.authenticate(&format!("user={USER}:{PASSWORD} key={key}")).await;
}

impl Server {
    /// A REQ of libzmq that is the server gets no replies, not from libzmq either
    /// (4.3.5).
    fn may_be(self, case: &Case) -> bool {
        self == Self::We || case.theirs != SocketType::Req
    }
}

fn every_pair(mechanism: Mechanism, server: Server) {
    interop(async |mut peer| {
        authenticate(&peer).await;
        let messages = messages();
        for we_bind in [true, false] {
            for case in Case::all(we_bind).filter(|case| server.may_be(case)) {
                let case = Case { guard: Guard::Secure(mechanism, server), ..case };
                let endpoint = case.transport.anywhere();
                let pair = Pair::open(case, &mut peer, endpoint, Heartbeat::LENIENT).await;
                for message in &messages {
                    pair.exchange(message).await;
                }
                pair.close().await;
            }
        }
    });
}

#[test]
fn plain_with_us_as_the_server() {
    every_pair(Mechanism::Plain, Server::We);
}

#[test]
fn plain_with_libzmq_as_the_server() {
    every_pair(Mechanism::Plain, Server::They);
}

#[test]
fn curve_with_us_as_the_server() {
    every_pair(Mechanism::Curve, Server::We);
}

#[test]
fn curve_with_libzmq_as_the_server() {
    every_pair(Mechanism::Curve, Server::They);
}

/// How long libzmq has to see something.
const SOON: Duration = Duration::from_secs(20);

/// Of zmq.h.
const CRYPTOGRAPHIC: u32 = 0x1100_0001;
const MECHANISM_MISMATCH: u32 = 0x1100_0002;
const UNEXPECTED_COMMAND: u32 = 0x1000_0001;

fn keys() -> CurveKeypair {
    CurveKeypair::generate().unwrap()
}

/// Options of our client with a key that nobody knows.
fn our_curve(server: &CurvePublicKey) -> SocketOptions {
    SocketOptions::new().curve_client(keys(), *server)
}

/// Those of libzmq's.
fn their_curve(client: &CurveKeypair, server: &CurvePublicKey) -> String {
    let (public, secret) = (client.public().as_bytes(), client.secret().as_bytes());
    format!(
        "CURVE_SERVERKEY={} CURVE_PUBLICKEY={} CURVE_SECRETKEY={}",
        spell(server.as_bytes()),
        spell(public),
        spell(secret)
    )
}

fn their_plain(password: &str) -> String {
    let (user, password) = (spell(USER.as_bytes()), spell(password.as_bytes()));
    format!("PLAIN_USERNAME={user} PLAIN_PASSWORD={password}")
}

fn server(mechanism: Mechanism) -> SocketOptions {
    Guard::Secure(mechanism, Server::We).ours(SocketOptions::new())
}

/// Our socket, which they connect to.
async fn bound(options: SocketOptions) -> (DealerSocket, Monitor, String) {
    let ours = DealerSocket::with_options(options);
    let monitor = ours.monitor();
    let endpoint = ours.bind("tcp://127.0.0.1:*").await.unwrap().to_string();
    (ours, monitor, endpoint)
}

/// Our socket, which connects to theirs.
async fn connecting(options: SocketOptions, theirs: &Remote) -> (DealerSocket, Monitor) {
    let endpoint = theirs.bind("tcp://127.0.0.1:*").await;
    let ours = DealerSocket::with_options(options);
    let monitor = ours.monitor();
    ours.connect(endpoint).unwrap();
    (ours, monitor)
}

async fn failed(monitor: &mut Monitor) -> DisconnectReason {
    event("a handshake fails", monitor, |event| match event {
        MonitorEvent::HandshakeFailed { reason, .. } => Some(reason.clone()),
        _ => None,
    })
    .await
}

async fn fault(monitor: &mut Monitor) -> PeerFault {
    match failed(monitor).await {
        DisconnectReason::Fault(fault) => fault,
        reason => panic!("{reason}"),
    }
}

async fn ready(monitor: &mut Monitor) {
    let is_ready = |event: &MonitorEvent| matches!(event, MonitorEvent::Ready { .. }).then_some(());
    event("the handshake", monitor, is_ready).await;
}

async fn talk(ours: &DealerSocket, theirs: &Remote) {
    within("send", ours.send("Hello")).await.unwrap();
    theirs.expect("Hello").await;
    theirs.send("World").await;
    assert_eq!(within("recv", ours.recv()).await.unwrap(), "World".into());
}

#[test]
fn we_deny_wrong_credentials_of_libzmq() {
    interop(async |mut peer| {
        let server_key = *Keys::new().server.public();
        for (mechanism, options) in [
            (Mechanism::Plain, their_plain("wrong")),
            (Mechanism::Plain, their_plain("Secret")),
            (Mechanism::Curve, their_curve(&keys(), &server_key)),
        ] {
            let (ours, mut monitor, endpoint) = bound(server(mechanism)).await;
            let theirs = peer.socket(SocketType::Dealer, &options).await;
            theirs.connect(&endpoint).await;
            let denied =
                PeerFault::Denied { how: Denial::Unauthorized, reason: "unknown".to_owned() };
            assert_eq!(fault(&mut monitor).await, denied, "{mechanism:?}");
            // The PLAIN of libzmq knows ERROR only as it spells it, which is not as RFC
            // 24 does; nor does it come back after this.
            let (event, value) = match mechanism {
                Mechanism::Plain => ("HANDSHAKE_FAILED_PROTOCOL", UNEXPECTED_COMMAND),
                Mechanism::Curve => ("HANDSHAKE_FAILED_AUTH", 400),
            };
            assert_eq!(theirs.event_value(event, SOON).await, Some(value), "{mechanism:?}");
            assert!(ours.try_recv().unwrap_err().is_would_block());
            theirs.close().await;
        }
    });
}

/// Our program, moved from libzmq, brings its ZAP handler; the clients stay.
#[test]
fn a_zap_handler_judges_clients_of_libzmq() {
    interop(async |mut peer| {
        let server_keys = Keys::new();
        let alice = keys();
        let known = alice.public().as_bytes().to_vec();
        let curve = |key| their_curve(key, server_keys.server.public());
        for (policed, right, wrong) in [
            (
                SocketOptions::new().plain_server(Policy::zap()),
                their_plain(PASSWORD),
                their_plain("wrong"),
            ),
            (
                SocketOptions::new().curve_server(Keys::new().server, Policy::zap()),
                curve(&alice),
                curve(&keys()),
            ),
        ] {
            let context = Context::new();
            let handler = RepSocket::new_in(&context, SocketOptions::new());
            handler.bind("inproc://zeromq.zap.01").await.unwrap();
            let handling = tokio::spawn(judge(handler, known.clone()));
            let ours = DealerSocket::new_in(&context, policed.zap_domain("global"));
            let mut monitor = ours.monitor();
            let endpoint = ours.bind("tcp://127.0.0.1:*").await.unwrap().to_string();
            let stranger = peer.socket(SocketType::Dealer, &wrong).await;
            stranger.connect(&endpoint).await;
            let denied = PeerFault::Denied { how: Denial::Unauthorized, reason: "no".to_owned() };
            assert_eq!(fault(&mut monitor).await, denied);
            stranger.close().await;
            let theirs = peer.socket(SocketType::Dealer, &right).await;
            theirs.connect(&endpoint).await;
            theirs.send("Hello").await;
            let (message, who) = within("recv", ours.recv_with_peer()).await.unwrap();
            assert_eq!((message, who.user_id.as_deref()), ("Hello".into(), Some("known")));
            talk(&ours, &theirs).await;
            theirs.close().await;
            handling.abort();
        }
    });
}

/// A handler as RFC 27 has it, with a name, a password and a key that it knows.
async fn judge(handler: RepSocket, known: Vec<u8>) {
    loop {
        let request = handler.recv().await.unwrap();
        let frames: Vec<_> = request.iter().collect();
        assert_eq!((&frames[0][..], &frames[2][..]), (&b"1.0"[..], &b"global"[..]));
        let is_known = match &frames[5][..] {
            b"PLAIN" => frames[6] == USER && frames[7] == PASSWORD,
            b"CURVE" => frames[6][..] == known,
            other => panic!("{other:?}"),
        };
        let (status, text, user) =
            if is_known { ("200", "yes", "known") } else { ("400", "no", "") };
        let reply = [&b"1.0"[..], &frames[1][..], status.as_bytes(), text.as_bytes()];
        let reply = [&reply[..], &[user.as_bytes(), b""]].concat();
        let reply = reply.into_iter().map(Bytes::copy_from_slice).collect::<Message>();
        handler.send(reply).await.unwrap();
    }
}

#[test]
fn libzmq_denies_our_wrong_credentials() {
    interop(async |mut peer| {
        authenticate(&peer).await;
        let server_key = *Keys::new().server.public();
        for (mechanism, options) in [
            (Mechanism::Plain, SocketOptions::new().plain_client(USER, "wrong")),
            (Mechanism::Curve, our_curve(&server_key)),
        ] {
            let guard = Guard::Secure(mechanism, Server::They);
            let theirs = peer.socket(SocketType::Dealer, &guard.theirs()).await;
            let (_ours, mut monitor) = connecting(options, &theirs).await;
            let refused = PeerFault::RefusedUs { reason: "400".to_owned() };
            assert_eq!(fault(&mut monitor).await, refused, "{mechanism:?}");
            let delay = event("it comes back", &mut monitor, |event| match event {
                MonitorEvent::Retrying { delay, .. } => Some(*delay),
                _ => None,
            });
            assert!(delay.await >= Duration::from_secs(1));
            assert_eq!(theirs.event_value("HANDSHAKE_FAILED_AUTH", SOON).await, Some(400));
            theirs.close().await;
        }
    });
}

#[test]
fn the_key_of_another_server_opens_nothing() {
    interop(async |mut peer| {
        let wrong = *keys().public();
        let (_ours, mut monitor, endpoint) = bound(server(Mechanism::Curve)).await;
        let theirs = peer.socket(SocketType::Dealer, &their_curve(&keys(), &wrong)).await;
        theirs.connect(&endpoint).await;
        assert_eq!(fault(&mut monitor).await, PeerFault::NotAuthentic { command: "HELLO" });
        theirs.close().await;
        let guard = Guard::Secure(Mechanism::Curve, Server::They);
        let theirs = peer.socket(SocketType::Dealer, &guard.theirs()).await;
        let (_ours, mut monitor) = connecting(our_curve(&wrong), &theirs).await;
        let reason = failed(&mut monitor).await;
        let not_answered = PeerFault::NotAnswered { mechanism: ferromq::Mechanism::Curve };
        assert!(
            matches!(&reason, DisconnectReason::Fault(fault) if *fault == not_answered),
            "{reason}"
        );
        let value = theirs.event_value("HANDSHAKE_FAILED_PROTOCOL", SOON).await;
        assert_eq!(value, Some(CRYPTOGRAPHIC));
        theirs.close().await;
    });
}

#[test]
fn another_mechanism_is_a_mismatch_to_both() {
    interop(async |mut peer| {
        let null = || (SocketOptions::new(), String::new());
        let secure = |mechanism, server| {
            let guard = Guard::Secure(mechanism, server);
            (guard.ours(SocketOptions::new()), guard.theirs())
        };
        let (curve, plain) = (Mechanism::Curve, Mechanism::Plain);
        for (ours, theirs) in [
            (secure(curve, Server::We), null()),
            (null(), secure(curve, Server::We)),
            (secure(curve, Server::They), null()),
            (null(), secure(curve, Server::They)),
            (secure(curve, Server::We), secure(plain, Server::We)),
            (secure(plain, Server::We), secure(curve, Server::We)),
            (secure(plain, Server::They), secure(curve, Server::They)),
        ] {
            let theirs = peer.socket(SocketType::Dealer, &theirs.1).await;
            let (ours, mut monitor, endpoint) = bound(ours.0).await;
            theirs.connect(&endpoint).await;
            // libzmq may close before it has said which mechanism it wants.
            let reason = failed(&mut monitor).await;
            let is_mismatch = matches!(
                reason,
                DisconnectReason::PeerClosed
                    | DisconnectReason::Fault(PeerFault::MechanismMismatch { .. })
            );
            assert!(is_mismatch, "{reason}");
            let value = theirs.event_value("HANDSHAKE_FAILED_PROTOCOL", SOON).await;
            assert_eq!(value, Some(MECHANISM_MISMATCH));
            assert!(ours.try_recv().unwrap_err().is_would_block());
            theirs.close().await;
        }
    });
}

/// "Stonehouse": the client knows the server, and the server does not ask.
#[test]
fn a_libzmq_server_without_a_handler_lets_any_key_in() {
    interop(async |mut peer| {
        let guard = Guard::Secure(Mechanism::Curve, Server::They);
        let theirs = peer.socket(SocketType::Dealer, &guard.theirs()).await;
        let (ours, mut monitor) = connecting(our_curve(Keys::new().server.public()), &theirs).await;
        ready(&mut monitor).await;
        talk(&ours, &theirs).await;
        assert!(theirs.event("HANDSHAKE_SUCCEEDED", SOON).await);
        theirs.close().await;
    });
}

/// The same with us as the server.
#[test]
fn our_server_that_allows_any_lets_any_key_of_libzmq_in() {
    interop(async |mut peer| {
        let Keys { server, .. } = Keys::new();
        let key = *server.public();
        let options = SocketOptions::new().curve_server(server, ferromq::Policy::allow_any());
        let (ours, mut monitor, endpoint) = bound(options).await;
        let theirs = peer.socket(SocketType::Dealer, &their_curve(&keys(), &key)).await;
        theirs.connect(&endpoint).await;
        ready(&mut monitor).await;
        talk(&ours, &theirs).await;
        theirs.close().await;
    });
}

/// libzmq never comes back after an ERROR; after 300, which is none, it does.
#[test]
fn who_is_denied_for_now_gets_in_later() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    interop(async |mut peer| {
        for mechanism in [Mechanism::Plain, Mechanism::Curve] {
            let is_open = Arc::new(AtomicBool::new(false));
            let decide = {
                let is_open = Arc::clone(&is_open);
                move |candidate: &Candidate| match is_open.load(Ordering::SeqCst) {
                    true => policy(candidate),
                    false => Verdict::deny_with(Denial::Temporary, "closed"),
                }
            };
            let options = match mechanism {
                Mechanism::Plain => SocketOptions::new().plain_server(decide),
                Mechanism::Curve => SocketOptions::new().curve_server(Keys::new().server, decide),
            };
            let (ours, mut monitor, endpoint) = bound(options).await;
            let guard = Guard::Secure(mechanism, Server::We);
            let theirs = peer.socket(SocketType::Dealer, &guard.theirs()).await;
            theirs.connect(&endpoint).await;
            for _ in 0..2 {
                let denied =
                    PeerFault::Denied { how: Denial::Temporary, reason: "closed".to_owned() };
                assert_eq!(fault(&mut monitor).await, denied);
            }
            is_open.store(true, Ordering::SeqCst);
            ready(&mut monitor).await;
            talk(&ours, &theirs).await;
            theirs.close().await;
        }
    });
}

#[test]
fn heartbeats_go_through_curve() {
    const INTERVAL: Duration = Duration::from_millis(50);
    interop(async |mut peer| {
        authenticate(&peer).await;
        let timeout = Duration::from_secs(2);
        let beats = [
            Heartbeat { ours: Some(INTERVAL), theirs: None, timeout },
            Heartbeat { ours: None, theirs: Some(INTERVAL), timeout },
        ];
        let mut pairs = Vec::new();
        for (server, beats) in [
            (Server::We, beats[0]),
            (Server::We, beats[1]),
            (Server::They, beats[0]),
            (Server::They, beats[1]),
        ] {
            let case = Case {
                ours: SocketType::Dealer,
                theirs: SocketType::Dealer,
                transport: Transport::Tcp,
                we_bind: true,
                guard: Guard::Secure(Mechanism::Curve, server),
            };
            pairs.push(Pair::open(case, &mut peer, "tcp://127.0.0.1:*", beats).await);
        }
        stay_while_idle(pairs, timeout + 10 * INTERVAL).await;
    });
}
