//! [`Case`], a line of the matrix, and [`Pair`], the two sockets it is about.

use std::fmt;
use std::time::Duration;

use ferromq::{
    Message, Monitor, MonitorEvent, RoutingId, SocketOptions, SocketType, XPubVerbosity,
};

use tokio::time::timeout;

use crate::guard::Guard;
use crate::ours::Ours;
use crate::peer::{Peer, Remote, spell};
use crate::{event, within};

/// Between two messages that find out whether a PUB knows its subscriber.
const PROBE: Duration = Duration::from_millis(20);

/// The routing ids that both sides have.
const OURS: &str = "ours";
const THEIRS: &str = "theirs";

#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) ours: SocketType,
    pub(crate) theirs: SocketType,
    pub(crate) transport: Transport,
    pub(crate) we_bind: bool,
    pub(crate) guard: Guard,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Transport {
    Tcp,
    Ipc,
}

/// Who sends PING and how often, and how long either waits for an answer.
#[derive(Clone, Copy)]
pub(crate) struct Heartbeat {
    pub(crate) ours: Option<Duration>,
    pub(crate) theirs: Option<Duration>,
    pub(crate) timeout: Duration,
}

impl Heartbeat {
    /// PING and PONG among everything, but no peer is given up in vain.
    pub(crate) const LENIENT: Self = {
        let often = Some(Duration::from_millis(50));
        Self { ours: often, theirs: often, timeout: Duration::from_secs(60) }
    };
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ours, theirs, transport, .. } = self;
        let verb = if self.we_bind { "bound" } else { "connected" };
        write!(f, "our {ours} {verb} over {transport:?}, their {theirs}, {:?}", self.guard)
    }
}

impl Transport {
    /// An endpoint to bind, wherever there is room.
    pub(crate) fn anywhere(self) -> &'static str {
        match self {
            Self::Tcp => "tcp://127.0.0.1:*",
            Self::Ipc => "ipc://*",
        }
    }
}

impl Case {
    /// Every valid pair over every transport.
    pub(crate) fn all(we_bind: bool) -> impl Iterator<Item = Self> {
        SocketType::ALL.into_iter().flat_map(move |ours| Self::all_of(ours, we_bind))
    }

    /// Every valid peer of one of our types, over every transport.
    pub(crate) fn all_of(ours: SocketType, we_bind: bool) -> impl Iterator<Item = Self> {
        let fits = SocketType::ALL.into_iter().filter(move |theirs| ours.is_compatible(*theirs));
        fits.flat_map(move |theirs| {
            let transports = [Transport::Tcp, Transport::Ipc];
            let guard = Guard::Null;
            transports.map(|transport| Self { ours, theirs, transport, we_bind, guard })
        })
    }

    fn our_socket(&self, heartbeat: Heartbeat) -> Ours {
        let id = RoutingId::new(OURS).expect("a valid id");
        let options = SocketOptions::new()
            .routing_id(id)
            .router_mandatory(true)
            .xpub_verbosity(XPubVerbosity::Subscriptions)
            .heartbeat_interval(heartbeat.ours)
            .heartbeat_timeout(heartbeat.timeout);
        let socket = Ours::new(self.ours, self.guard.ours(options));
        socket.subscribe_to_all();
        socket
    }

    async fn their_socket(&self, peer: &mut Peer, heartbeat: Heartbeat) -> Remote {
        let only_for_this_type = match self.theirs {
            SocketType::Router => "ROUTER_MANDATORY=1",
            SocketType::XPub => "XPUB_VERBOSE=1",
            SocketType::Sub => "SUBSCRIBE=x",
            _ => "",
        };
        let options = format!(
            "ROUTING_ID={} HEARTBEAT_IVL={} HEARTBEAT_TIMEOUT={} {only_for_this_type} {}",
            spell(THEIRS.as_bytes()),
            heartbeat.theirs.unwrap_or_default().as_millis(),
            heartbeat.timeout.as_millis(),
            self.guard.theirs(),
        );
        let socket = peer.socket(self.theirs, &options).await;
        if self.theirs == SocketType::XSub {
            socket.send([&[1_u8]]).await;
        }
        socket
    }

    fn we_send(&self) -> bool {
        sends(self.ours) && receives(self.theirs)
    }

    fn they_send(&self) -> bool {
        sends(self.theirs) && receives(self.ours)
    }

    /// Whether the first message has to come from them: REP answers, and so
    /// does ROUTER, which knows only who has written.
    fn we_answer(&self) -> bool {
        use SocketType::{Rep, Router};
        self.ours == Rep || self.ours == Router && self.theirs != Router
    }
}

fn sends(socket: SocketType) -> bool {
    !matches!(socket, SocketType::Pull | SocketType::Sub)
}

fn receives(socket: SocketType) -> bool {
    !matches!(socket, SocketType::Push | SocketType::Pub)
}

/// The frames before a message, as `own` sends and receives it when its peer
/// is of the type `peer`.
fn envelope(own: SocketType, peer: SocketType, peer_id: &str, message: &Message) -> Message {
    use SocketType::{Dealer, Rep, Req, Router};
    let mut message = message.clone();
    if matches!((own, peer), (Router, Req) | (Dealer, Rep)) {
        message.push_front("");
    }
    if own == Router {
        message.push_front(peer_id);
    }
    message
}

/// One of our sockets and the libzmq socket it talks to.
pub(crate) struct Pair {
    pub(crate) case: Case,
    pub(crate) endpoint: String,
    pub(crate) monitor: Monitor,
    ours: Ours,
    theirs: Remote,
    heartbeat: Heartbeat,
}

impl Pair {
    /// Makes both sockets and waits until they know each other.
    pub(crate) async fn open(
        case: Case,
        peer: &mut Peer,
        endpoint: &str,
        heartbeat: Heartbeat,
    ) -> Self {
        let ours = case.our_socket(heartbeat);
        let theirs = case.their_socket(peer, heartbeat).await;
        let monitor = ours.monitor();
        let endpoint = if case.we_bind {
            let bound = ours.bind(endpoint).await.to_string();
            theirs.connect(&bound).await;
            bound
        } else {
            let bound = theirs.bind(endpoint).await;
            ours.connect(&bound);
            bound
        };
        let mut pair = Self { case, endpoint, monitor, ours, theirs, heartbeat };
        pair.ready().await;
        pair
    }

    /// Goes on with another process in the place of the one that ended.
    pub(crate) async fn they_restarted(&mut self, peer: &mut Peer) {
        self.disconnected().await;
        self.theirs = self.case.their_socket(peer, self.heartbeat).await;
        if self.case.we_bind {
            self.theirs.connect(&self.endpoint).await;
        } else {
            self.theirs.bind(&self.endpoint).await;
        }
        self.ready().await;
    }

    /// Goes on with another socket of ours, where theirs was connected to.
    pub(crate) async fn we_restart(&mut self) {
        self.close_ours().await;
        self.ours = self.case.our_socket(self.heartbeat);
        self.monitor = self.ours.monitor();
        self.ours.bind(&self.endpoint).await;
        self.ready().await;
    }

    /// Sends a message there and back, or in the one direction there is.
    pub(crate) async fn exchange(&self, message: &Message) {
        if self.case.we_send() && !self.case.we_answer() {
            self.send(message).await;
        }
        if self.case.they_send() {
            self.recv(message).await;
        }
        if self.case.we_send() && self.case.we_answer() {
            self.send(message).await;
        }
    }

    pub(crate) async fn close(self) {
        self.close_ours().await;
        self.theirs.close().await;
    }

    /// Whether libzmq saw a connection end.
    pub(crate) async fn they_disconnected(&self) -> bool {
        self.theirs.event("DISCONNECTED", Duration::ZERO).await
    }

    async fn send(&self, message: &Message) {
        let Case { ours, theirs, .. } = self.case;
        let sent = self.ours.send(envelope(ours, theirs, THEIRS, message));
        within(format_args!("{}: send {}", self.case, Shape(message)), sent).await;
        self.theirs.expect(envelope(theirs, ours, OURS, message)).await;
    }

    async fn recv(&self, message: &Message) {
        let Case { ours, theirs, .. } = self.case;
        self.theirs.send(envelope(theirs, ours, OURS, message)).await;
        let what = format!("{}: receive {}", self.case, Shape(message));
        let got = within(&what, self.ours.recv()).await;
        assert!(got == envelope(ours, theirs, THEIRS, message), "{what}, not {}", Shape(&got));
    }

    async fn close_ours(&self) {
        let closed = within(format_args!("{}: close", self.case), self.ours.close()).await;
        assert_eq!(closed.undelivered, 0, "{}", self.case);
    }

    async fn disconnected(&mut self) {
        let what = format_args!("{}: the connection ends", self.case);
        event(what, &mut self.monitor, |event| {
            matches!(event, MonitorEvent::Disconnected { .. }).then_some(())
        })
        .await;
    }

    /// Waits until messages can flow: the handshake is done, and what
    /// publishes knows of the subscription.
    async fn ready(&mut self) {
        let what = format_args!("{}: the handshake", self.case);
        event(what, &mut self.monitor, |event| {
            matches!(event, MonitorEvent::Ready { .. }).then_some(())
        })
        .await;
        let what = format_args!("{}: the subscription", self.case);
        within(what, self.subscribed()).await;
    }

    async fn subscribed(&self) {
        use SocketType::{Pub, XPub};
        match (self.case.ours, self.case.theirs) {
            // libzmq sends subscriptions on new connections only when the
            // application calls the socket.
            (XPub, _) => {
                let recv = async || {
                    self.theirs.poll(Duration::ZERO).await;
                    timeout(PROBE, self.recv_until(&Message::from(&[1]))).await
                };
                while recv().await.is_err() {}
            }
            (_, XPub) => self.receive_until(&Message::from(&[1])).await,
            // PUB does not tell. So messages are sent until one arrives; the
            // last one marks where they end.
            (Pub, _) => {
                while !self.theirs.poll(PROBE).await {
                    self.ours.send("probe".into()).await;
                }
                self.ours.send("end".into()).await;
                self.receive_until(&"end".into()).await;
            }
            (_, Pub) => {
                let probe = async || {
                    self.theirs.send("probe").await;
                    timeout(PROBE, self.ours.recv()).await
                };
                while probe().await.is_err() {}
                self.theirs.send("end").await;
                self.recv_until(&"end".into()).await;
            }
            _ => {}
        }
    }

    async fn recv_until(&self, last: &Message) {
        while self.ours.recv().await != *last {}
    }

    async fn receive_until(&self, last: &Message) {
        while self.theirs.receive().await != *last {}
    }
}

/// Prints the sizes of the frames.
struct Shape<'a>(&'a Message);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|frame| frame.len())).finish()
    }
}
