//! What both sides see of those who come in and of those who do not, and how soon
//! these come back.

use std::time::Duration;

use ferromq::{
    BindError, Candidate, ConnectError, Credentials, CurveKeypair, Denial, DisconnectReason,
    Endpoint, Linger, Mechanism, OptionError, PeerFault, PullSocket, PushSocket, SocketOptions,
    Verdict,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::common::events::Events;
use crate::common::{Transport, quick, raw, within};

fn keys() -> CurveKeypair {
    CurveKeypair::generate().unwrap()
}

/// Lets in `admin` with his password, and all who have a key.
fn policy(candidate: &Candidate) -> Verdict {
    match candidate.credentials() {
        Credentials::Plain(who) if who.is("admin", "secret") => Verdict::accept_as("admin"),
        Credentials::Curve(_) | Credentials::None => Verdict::accept(),
        _ => Verdict::deny("who is that"),
    }
}

/// Lets nobody in, like this.
fn denies(how: Denial) -> impl Fn(&Candidate) -> Verdict + Send + Sync + 'static {
    move |_| Verdict::deny_with(how, "nobody")
}

fn plain_server() -> SocketOptions {
    quick().plain_server(policy)
}

fn plain_client() -> SocketOptions {
    quick().plain_client("admin", "secret")
}

/// A PULL and a PUSH that has something to say to it.
struct Two {
    pull: PullSocket,
    push: PushSocket,
    ours: Events,
    theirs: Events,
}

impl Two {
    async fn new(transport: Transport, server: SocketOptions, client: SocketOptions) -> Self {
        let (pull, push) = (PullSocket::with_options(server), PushSocket::with_options(client));
        let (ours, theirs) = (pull.monitor().into(), push.monitor().into());
        let endpoint = pull.bind(transport.any()).await.unwrap();
        push.connect(endpoint).unwrap();
        push.try_send("Hello").unwrap();
        Self { pull, push, ours, theirs }
    }

    /// The faults by which the handshake fails on either side.
    async fn faults(&mut self) -> (DisconnectReason, DisconnectReason) {
        let failed = (self.ours.handshake_failed().await, self.theirs.handshake_failed().await);
        assert!(self.pull.try_recv().unwrap_err().is_would_block());
        failed
    }

    /// How soon the client comes back.
    async fn delay(&mut self) -> Duration {
        self.theirs.retrying().await.1
    }
}

fn fault(reason: &DisconnectReason) -> &PeerFault {
    match reason {
        DisconnectReason::Fault(fault) => fault,
        reason => panic!("{reason}"),
    }
}

fn refused_with(reason: &str) -> PeerFault {
    PeerFault::RefusedUs { reason: reason.to_owned() }
}

fn unexpected(command: &str) -> PeerFault {
    PeerFault::UnexpectedInHandshake { command: command.to_owned() }
}

const SLOW: Duration = Duration::from_secs(1);

#[tokio::test]
async fn the_right_ones_come_in_and_are_known() {
    let server = keys();
    let key = *server.public();
    for transport in Transport::STREAMS {
        let cases = [
            (Mechanism::Plain, plain_server(), plain_client(), Some("admin")),
            (
                Mechanism::Curve,
                quick().curve_server(server.clone(), policy),
                quick().curve_client(keys(), key),
                None,
            ),
            (Mechanism::Null, quick().null_policy(policy), quick().null_policy(policy), None),
        ];
        for (mechanism, server, client, user_id) in cases {
            let mut two = Two::new(transport, server, client).await;
            let (ours, theirs) = (two.ours.ready().await, two.theirs.ready().await);
            assert_eq!((ours.mechanism, theirs.mechanism), (mechanism, mechanism));
            assert_eq!((ours.user_id.as_deref(), theirs.user_id.as_deref()), (user_id, None));
            assert_eq!(within(two.pull.recv()).await.unwrap(), "Hello".into());
        }
    }
}

#[tokio::test]
async fn which_side_binds_has_nothing_to_do_with_it() {
    let server = keys();
    let key = *server.public();
    for (of_pull, of_push) in [
        (plain_client(), plain_server()),
        (quick().curve_client(keys(), key), quick().curve_server(server, policy)),
    ] {
        let two = Two::new(Transport::Tcp, of_pull, of_push).await;
        assert_eq!(within(two.pull.recv()).await.unwrap(), "Hello".into());
    }
}

#[tokio::test]
async fn who_is_denied_comes_back_slowly_unless_for_now() {
    let server = keys();
    let key = *server.public();
    for (how, told) in [
        (Denial::Temporary, None),
        (Denial::Unauthorized, Some("400")),
        (Denial::Internal, Some("500")),
    ] {
        let cases = [
            (Mechanism::Plain, quick().plain_server(denies(how)), plain_client()),
            (
                Mechanism::Curve,
                quick().curve_server(server.clone(), denies(how)),
                quick().curve_client(keys(), key),
            ),
            (Mechanism::Null, quick().null_policy(denies(how)), quick()),
        ];
        for (mechanism, server, client) in cases {
            let mut two = Two::new(Transport::Tcp, server, client).await;
            let (ours, theirs) = two.faults().await;
            assert_eq!(fault(&ours), &PeerFault::Denied { how, reason: "nobody".into() });
            match told {
                Some(told) => assert_eq!(fault(&theirs), &refused_with(told)),
                None if mechanism == Mechanism::Null => {
                    assert!(matches!(theirs, DisconnectReason::PeerClosed), "{theirs}");
                }
                None => assert_eq!(fault(&theirs), &PeerFault::NotAnswered { mechanism }),
            }
            let delay = two.delay().await;
            assert_eq!(delay >= SLOW, told.is_some(), "{how}: {delay:?}");
        }
    }
}

/// Also the one who dials may be the one who decides, and does not dial in vain.
#[tokio::test]
async fn a_server_that_dials_comes_back_slowly_to_who_it_denies() {
    let mut two = Two::new(
        Transport::Tcp,
        plain_client(),
        quick().plain_server(denies(Denial::Unauthorized)),
    )
    .await;
    let (ours, theirs) = two.faults().await;
    assert_eq!(fault(&ours), &refused_with("400"));
    assert!(matches!(fault(&theirs), PeerFault::Denied { .. }), "{theirs}");
    assert!(two.delay().await >= SLOW);
}

#[tokio::test]
async fn wrong_credentials_are_denied() {
    for (username, password) in [("admin", "Secret"), ("Admin", "secret"), ("", ""), ("admin", "")]
    {
        let client = quick().plain_client(username, password);
        let mut two = Two::new(Transport::Tcp, plain_server(), client).await;
        let (ours, theirs) = two.faults().await;
        let denied =
            PeerFault::Denied { how: Denial::Unauthorized, reason: "who is that".to_owned() };
        assert_eq!(fault(&ours), &denied);
        assert_eq!(fault(&theirs), &refused_with("400"));
    }
}

#[tokio::test]
async fn a_client_with_the_key_of_another_server_is_told_nothing_and_comes_back_slowly() {
    let client = quick().curve_client(keys(), *keys().public());
    let mut two = Two::new(Transport::Tcp, quick().curve_server(keys(), policy), client).await;
    let (ours, theirs) = two.faults().await;
    assert_eq!(fault(&ours), &PeerFault::NotAuthentic { command: "HELLO" });
    assert_eq!(fault(&theirs), &PeerFault::NotAnswered { mechanism: Mechanism::Curve });
    assert!(theirs.to_string().contains("are the keys or credentials right?"), "{theirs}");
    // It is not told, so it cannot know at once that it should.
    while two.delay().await < SLOW {}
}

#[tokio::test]
async fn a_client_whose_server_key_is_none_says_so() {
    let weak = ferromq::CurvePublicKey::from_bytes([0; 32]);
    let client = quick().curve_client(keys(), weak);
    let mut two = Two::new(Transport::Tcp, quick().curve_server(keys(), policy), client).await;
    assert_eq!(fault(&two.theirs.handshake_failed().await), &PeerFault::WeakKey);
    assert!(two.delay().await >= SLOW);
}

/// Every two that do not have the same mechanism.
#[tokio::test]
async fn another_mechanism_is_a_mismatch_on_both_sides() {
    let server = keys();
    let key = *server.public();
    let sides = [
        ("NULL", quick(), quick()),
        ("PLAIN", plain_server(), plain_client()),
        ("CURVE", quick().curve_server(server, policy), quick().curve_client(keys(), key)),
    ];
    for (own, server, _) in &sides {
        for (other, _, client) in sides.iter().filter(|side| side.0 != *own) {
            let mut two = Two::new(Transport::Tcp, server.clone(), client.clone()).await;
            let (ours, theirs) = two.faults().await;
            let mismatch = |ours: &'static str, theirs: &str| PeerFault::MechanismMismatch {
                ours,
                theirs: theirs.to_owned(),
            };
            assert_eq!(fault(&ours), &mismatch(own, other));
            assert_eq!(fault(&theirs), &mismatch(other, own));
            assert!(two.delay().await >= SLOW);
        }
    }
}

#[tokio::test]
async fn two_servers_wait_until_the_time_is_over() {
    let brief = |options: SocketOptions| options.handshake_timeout(Duration::from_millis(200));
    for (one, two) in [
        (brief(plain_server()), plain_server()),
        (brief(quick().curve_server(keys(), policy)), quick().curve_server(keys(), policy)),
    ] {
        let mut two = Two::new(Transport::Tcp, one, two).await;
        let (ours, theirs) = two.faults().await;
        assert!(matches!(ours, DisconnectReason::HandshakeTimeout), "{ours}");
        assert!(matches!(theirs, DisconnectReason::PeerClosed), "{theirs}");
    }
}

#[tokio::test]
async fn two_clients_refuse_each_other() {
    let key = *keys().public();
    let curve = || quick().curve_client(keys(), key);
    for client in [plain_client as fn() -> SocketOptions, || quick().plain_client("a", "b")] {
        let mut two = Two::new(Transport::Tcp, client(), client()).await;
        let reason = two.ours.handshake_failed().await;
        assert_eq!(fault(&reason), &unexpected("HELLO"));
    }
    let mut two = Two::new(Transport::Tcp, curve(), curve()).await;
    let reason = two.ours.handshake_failed().await;
    assert_eq!(fault(&reason), &unexpected("HELLO"));
}

#[tokio::test]
async fn the_right_one_comes_in_while_fifty_hammer() {
    // They are denied for now, so that they come back as soon as they can.
    let policy = |candidate: &Candidate| match candidate.credentials() {
        Credentials::Plain(who) if who.is("admin", "secret") => Verdict::accept(),
        _ => Verdict::deny_with(Denial::Temporary, "not now"),
    };
    let pull = PullSocket::with_options(quick().plain_server(policy));
    let mut events = Events::from(pull.monitor());
    let endpoint = pull.bind(Transport::Tcp.any()).await.unwrap();
    let bad: Vec<PushSocket> = (0..50)
        .map(|number| {
            let options = SocketOptions::new()
                .plain_client(format!("bad {number}"), "")
                .reconnect_interval(Duration::from_millis(1));
            let push = PushSocket::with_options(options);
            push.connect(&endpoint).unwrap();
            push.try_send("sneaky").unwrap();
            push
        })
        .collect();
    for _ in 0..200 {
        events.handshake_failed().await;
    }
    let push = PushSocket::with_options(plain_client());
    push.connect(&endpoint).unwrap();
    for number in 0..100 {
        within(push.send(number.to_string())).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
    }
    // And they go on.
    let mut events = Events::from(pull.monitor());
    for _ in 0..50 {
        events.handshake_failed().await;
    }
    assert!(pull.try_recv().unwrap_err().is_would_block());
    drop(bad);
}

#[tokio::test]
async fn what_a_client_has_waits_until_it_is_let_in() {
    let allowed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let policy = {
        let allowed = allowed.clone();
        move |_: &Candidate| match allowed.load(std::sync::atomic::Ordering::SeqCst) {
            true => Verdict::accept(),
            false => Verdict::deny_with(Denial::Temporary, "closed"),
        }
    };
    let mut two = Two::new(Transport::Tcp, quick().plain_server(policy), plain_client()).await;
    two.faults().await;
    allowed.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(within(two.pull.recv()).await.unwrap(), "Hello".into());
    drop(two.push);
}

/// Decides never; says when it was asked, and when nobody wants to know any more.
fn endless() -> (ferromq::Policy, tokio::sync::mpsc::UnboundedReceiver<&'static str>) {
    struct Says(tokio::sync::mpsc::UnboundedSender<&'static str>);
    impl Drop for Says {
        fn drop(&mut self) {
            let _ = self.0.send("dropped");
        }
    }
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let policy = ferromq::Policy::from_async(move |_: Candidate| {
        let says = Says(sender.clone());
        async move {
            let _ = says.0.send("asked");
            std::future::pending::<Verdict>().await
        }
    });
    (policy, receiver)
}

#[tokio::test]
async fn a_policy_that_never_decides_is_given_up_with_the_handshake() {
    let (policy, mut said) = endless();
    let server = quick().plain_server(policy).handshake_timeout(Duration::from_millis(200));
    let mut two = Two::new(Transport::Tcp, server, plain_client()).await;
    assert_eq!(within(said.recv()).await, Some("asked"));
    let (ours, theirs) = two.faults().await;
    assert!(matches!(ours, DisconnectReason::HandshakeTimeout), "{ours}");
    assert_eq!(fault(&theirs), &PeerFault::NotAnswered { mechanism: Mechanism::Plain });
    assert_eq!(within(said.recv()).await, Some("dropped"));
}

#[tokio::test]
async fn a_policy_is_given_up_when_the_socket_is_closed() {
    let (policy, mut said) = endless();
    let two = Two::new(Transport::Tcp, quick().plain_server(policy), plain_client()).await;
    assert_eq!(within(said.recv()).await, Some("asked"));
    within(two.pull.close()).await;
    assert_eq!(within(said.recv()).await, Some("dropped"));
}

#[tokio::test]
async fn a_policy_is_given_up_when_the_peer_leaves() {
    for transport in Transport::STREAMS {
        let (policy, mut said) = endless();
        let client = plain_client().linger(Linger::For(Duration::ZERO));
        let mut two = Two::new(transport, quick().plain_server(policy), client).await;
        assert_eq!(within(said.recv()).await, Some("asked"));
        within(two.push.close()).await;
        let reason = two.ours.handshake_failed().await;
        assert!(matches!(reason, DisconnectReason::PeerClosed), "{reason}");
        assert_eq!(within(said.recv()).await, Some("dropped"));
    }
}

/// What peers say that do not know the mechanism, or pretend not to.
fn downgrades() -> Vec<Vec<u8>> {
    let message = b"\x00\x06sneaky";
    let null = [&raw::GREETING[..], raw::READY_PUSH, message].concat();
    let mut plain = raw::GREETING;
    plain[12..17].copy_from_slice(b"PLAIN");
    let mut curve = raw::GREETING;
    curve[12..17].copy_from_slice(b"CURVE");
    let mut old = raw::GREETING;
    old[10] = 2;
    vec![
        // ZMTP 1.0, with and without a routing id, and 2.0.
        b"\x01\x00\x07\x00sneaky".to_vec(),
        b"\x02\x00X\x07\x00sneaky".to_vec(),
        b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\x00\x00\x00\x06sneaky".to_vec(),
        b"\xff\0\0\0\0\0\0\0\x01\x7f\x00\x08\x00\x00\x00\x06sneaky".to_vec(),
        // 3.0 that says it is an older one, and NULL.
        [&old[..], raw::READY_PUSH, message].concat(),
        null,
        // The right mechanism, and none of what belongs to it.
        [&plain[..], raw::READY_PUSH, message].concat(),
        [&curve[..], raw::READY_PUSH, message].concat(),
        [&plain[..], b"\x04\x08\x07WELCOME", raw::READY_PUSH, message].concat(),
        [&curve[..], b"\x00\x00", message].concat(),
        [&plain[..], message].concat(),
    ]
}

async fn failed(events: &mut Events) {
    match events.handshake_failed().await {
        DisconnectReason::Fault(
            PeerFault::NotZmtp
            | PeerFault::TooOld { .. }
            | PeerFault::MechanismMismatch { .. }
            | PeerFault::UnexpectedInHandshake { .. }
            | PeerFault::MalformedCommand,
        ) => {}
        reason => panic!("{reason}"),
    }
}

/// The octets that this peer hears.
async fn sneak(mut stream: tokio::net::TcpStream, said: &[u8]) -> Vec<u8> {
    // What is already closed does not take it.
    let _ = within(stream.write_all(said)).await;
    let mut heard = Vec::new();
    let _ = within(stream.read_to_end(&mut heard)).await;
    heard
}

fn secure() -> [(SocketOptions, SocketOptions); 2] {
    let server = keys();
    let key = *server.public();
    [
        (plain_server(), plain_client()),
        (quick().curve_server(server, policy), quick().curve_client(keys(), key)),
    ]
}

#[tokio::test]
async fn nobody_talks_a_server_out_of_its_mechanism() {
    for (server, client) in secure() {
        let pull = PullSocket::with_options(server);
        let mut events = Events::from(pull.monitor());
        let endpoint = pull.bind(Transport::Tcp.any()).await.unwrap();
        for said in downgrades() {
            let heard = sneak(raw::connect(&endpoint).await, &said).await;
            // Our greeting, at most.
            assert!(heard.len() <= 64, "{said:?}: {heard:?}");
            failed(&mut events).await;
        }
        let push = PushSocket::with_options(client);
        push.connect(&endpoint).unwrap();
        within(push.send("Hello")).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), "Hello".into());
        assert!(pull.try_recv().unwrap_err().is_would_block());
    }
}

/// As a server, for which a client of PLAIN has to take it that says WELCOME.
fn is_plain_server(said: &[u8]) -> bool {
    said.windows(8).any(|octets| octets == b"\x07WELCOME")
}

#[tokio::test]
async fn nobody_talks_a_client_out_of_its_mechanism() {
    for (_, client) in secure() {
        for said in downgrades().into_iter().filter(|said| !is_plain_server(said)) {
            let (listener, endpoint): (_, Endpoint) = raw::listener().await;
            let pull = PullSocket::with_options(client.clone());
            let mut events = Events::from(pull.monitor());
            pull.connect(&endpoint).unwrap();
            sneak(raw::accept(&listener).await, &said).await;
            failed(&mut events).await;
            assert!(pull.try_recv().unwrap_err().is_would_block());
            let (listener, endpoint): (_, Endpoint) = raw::listener().await;
            let options = client.clone().linger(Linger::For(Duration::ZERO));
            let push = PushSocket::with_options(options);
            let mut events = Events::from(push.monitor());
            push.connect(&endpoint).unwrap();
            push.try_send("confidential").unwrap();
            let heard = sneak(raw::accept(&listener).await, &said).await;
            assert!(!heard.windows(12).any(|octets| octets == b"confidential"));
            failed(&mut events).await;
        }
    }
}

/// Heartbeats go through the seal, both ways, and nobody is given up.
#[tokio::test]
async fn idle_under_curve_is_not_dead() {
    let server = keys();
    let key = *server.public();
    let beats = |options: SocketOptions| {
        options
            .heartbeat_interval(Duration::from_millis(20))
            .heartbeat_timeout(Duration::from_secs(2))
    };
    let mut two = Two::new(
        Transport::Tcp,
        beats(quick().curve_server(server, policy)),
        beats(quick().curve_client(keys(), key)),
    )
    .await;
    assert_eq!(within(two.pull.recv()).await.unwrap(), "Hello".into());
    two.ours.ready().await;
    two.theirs.ready().await;
    // No settling: this is the time in which a PONG that is missing would end it.
    let end = Instant::now() + Duration::from_millis(2500);
    for events in [&mut two.ours, &mut two.theirs] {
        let event = tokio::time::timeout_at(end, events.next()).await;
        assert!(event.is_err(), "while idle: {event:?}");
    }
    within(two.push.send("still here")).await.unwrap();
    assert_eq!(within(two.pull.recv()).await.unwrap(), "still here".into());
}

/// Where it could not be sent, no peer is blamed, nor is it cut to what could be.
#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anybody_is_told() {
    let long = "x".repeat(256);
    let taken = OptionError::MetadataTaken { name: "identity".to_owned() };
    for (options, why) in [
        (quick().plain_client("admin", &long), OptionError::CredentialTooLong { len: 256 }),
        (quick().metadata(long.clone(), "value"), OptionError::MetadataName { len: 256 }),
        (quick().metadata("identity", "value"), taken),
    ] {
        for transport in Transport::ALL {
            let push = PushSocket::with_options(options.clone());
            let Err(BindError::Options(refused)) = push.bind(transport.any()).await else {
                panic!("{transport:?}: {why}");
            };
            assert_eq!(refused, why);
            let Err(ConnectError::Options(refused)) = push.connect(transport.any()) else {
                panic!("{transport:?}: {why}");
            };
            assert_eq!(refused, why);
        }
    }
}
