//! [`Met`]: a connection whose handshake is under way, until the socket takes the
//! peer in or does not.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::select;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, info};

use super::asking::until_left;
use super::connection::FAREWELL;
use crate::fault::PeerFault;
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::peer::{DropCause, PeerInfo, Unwelcome};
use crate::pipe::{Link, Peer, SocketSide};
use crate::transport::{Origin, Stream};
use crate::zmtp::{Handshake, HandshakeConfig, Incoming, Receiving, Sending};

/// After what time a peer is closed that must not be told why, so that it does
/// not come back at once.
const REFUSED: Duration = Duration::from_secs(1);

/// How many reads look for what a peer that is not wanted has sent.
const LAST_READS: usize = 64;

/// How many octets are read of one that has been told to go, and may have sent
/// something before it knew.
const LAST_OCTETS: usize = 16 << 20;

/// Which side of a connection we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Accepting,
    Dialling,
}

/// A connection whose peer has said all of itself. Our READY is still to be
/// sent if the socket has to judge the peer first.
pub(super) struct Met {
    stream: Stream,
    handshake: Handshake,
    pub(super) peer: PeerInfo,
    /// What the handshake may take.
    time: Option<Allowance>,
}

/// How long a handshake may take, and when that is over.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    limit: Duration,
    until: Instant,
}

impl Allowance {
    /// From now on; `None` if it is never over.
    fn new(limit: Duration) -> Option<Self> {
        Some(Self { limit, until: Instant::now().checked_add(limit)? })
    }

    /// The same once more, if we are late ourselves: a process that was stopped, or whose
    /// runtime was blocked, finds the time of each handshake over, and what a healthy peer
    /// has sent waits to be answered. (As heartbeats have it.)
    fn again(self) -> Option<Self> {
        let late = Instant::now().saturating_duration_since(self.until);
        if late.saturating_mul(4) > self.limit { Self::new(self.limit) } else { None }
    }
}

/// A connection that came to nothing, which has been reported. What there is still to
/// be said to the peer is in it.
pub(super) struct Refused {
    pub(super) reason: DisconnectReason,
    rest: Option<Rest>,
}

/// What is still to be done about a connection that came to nothing. It is not in the
/// time of the handshake, which has ended. Few need this, and every connection would
/// have room for it.
enum Rest {
    Unwanted(Box<Unwanted>),
    Faulty(Box<Faulty>),
}

/// A peer that the socket does not want.
struct Unwanted {
    met: Box<Met>,
    why: Unwelcome,
    side: Arc<dyn SocketSide>,
    peer: Arc<Peer>,
}

/// A peer that is at fault, or that the policy does not let in.
struct Faulty {
    stream: Stream,
    handshake: Handshake,
    /// Whether it is to hear why, and not only may.
    is_denied: bool,
}

/// A handshake that came to nothing.
struct Failed {
    reason: DisconnectReason,
    faulty: Option<Box<Faulty>>,
}

impl From<DisconnectReason> for Failed {
    fn from(reason: DisconnectReason) -> Self {
        Self { reason, faulty: None }
    }
}

impl Refused {
    /// Tells the peer, as far as it may know, and counts what it had sent. Says
    /// why it was refused.
    pub(super) async fn part(self) -> DisconnectReason {
        match self.rest {
            Some(Rest::Unwanted(unwanted)) => Box::pin(unwanted.part()).await,
            Some(Rest::Faulty(faulty)) => Box::pin(faulty.part()).await,
            None => {}
        }
        self.reason
    }
}

impl Unwanted {
    async fn part(self) {
        let Self { mut met, why, side, peer } = self;
        let discarded = |count| side.lost(&peer, DropCause::Discarded, count);
        if met.handshake.is_done() {
            // Ours has gone out, so there is nothing to be told any more.
            met.hang_up(discarded).await;
        } else {
            discarded(met.count_unread());
            met.refuse(why).await;
        }
    }
}

impl Faulty {
    fn failed(self, fault: PeerFault) -> Failed {
        Failed { reason: DisconnectReason::Fault(fault), faulty: Some(Box::new(self)) }
    }

    /// Tells the peer, as far as it is to know.
    async fn part(mut self) {
        let output = self.handshake.output();
        let Stream { read, write, .. } = &mut self.stream;
        let telling = async {
            // What is still to be said (our greeting, an ERROR) may help whoever
            // looks at the other end; it need not arrive.
            write.write_all(&output).await?;
            if !self.is_denied {
                return Ok(());
            }
            // One that only has to present something else is given a while to hear
            // that: a reset, over what it has sent and nobody read, would destroy it.
            write.shutdown().await?;
            let mut octets = [0; 1024];
            for _ in 0..LAST_READS {
                if read.read(&mut octets).await? == 0 {
                    break;
                }
            }
            Ok::<_, std::io::Error>(())
        };
        let _ = timeout(FAREWELL, telling).await;
    }
}

impl Link {
    /// Does the handshake, within the time the options allow for all of it. If it fails
    /// that is reported before the peer hears of it: whatever ends the connection next
    /// is not to take the place of the reason.
    pub(super) async fn meet(&self, stream: Stream, role: Role) -> Result<Box<Met>, Refused> {
        let limit = self.options.handshake_timeout;
        let time = limit.and_then(Allowance::new);
        let address = stream.address.clone();
        let met = in_time(time, self.shake_hands(stream, role, time)).await;
        met.map(Box::new).map_err(|Failed { reason, faulty }| Refused {
            rest: faulty.map(Rest::Faulty),
            ..self.failed(&address, reason)
        })
    }

    pub(super) fn failed(&self, address: &str, reason: DisconnectReason) -> Refused {
        self.say_failed(address, reason.clone());
        Refused { reason, rest: None }
    }

    /// Says that a connection from there, or to there, came to nothing.
    pub(super) fn say_failed(&self, address: &str, reason: DisconnectReason) {
        let endpoint = self.endpoint.clone();
        match &reason {
            // Whoever guesses passwords or keys is to be found in any log.
            DisconnectReason::Fault(PeerFault::Denied { .. } | PeerFault::NotAuthentic { .. }) => {
                info!(%endpoint, %address, %reason, "handshake failed");
            }
            _ => debug!(%endpoint, %address, %reason, "handshake failed"),
        }
        let address = address.to_owned();
        self.emit(MonitorEvent::HandshakeFailed { endpoint, address, reason });
    }

    async fn shake_hands(
        &self,
        mut stream: Stream,
        role: Role,
        time: Option<Allowance>,
    ) -> Result<Met, Failed> {
        let mut handshake = Handshake::new(HandshakeConfig {
            socket_type: self.socket_type,
            identity: self
                .traits
                .identifies
                .then(|| self.options.routing_id.clone().map(Bytes::from).unwrap_or_default()),
            metadata: self.options.metadata.clone(),
            max_message_size: self.options.max_message_size,
            judges: self.judges(role),
            pings: self.options.heartbeat_interval.is_some(),
            security: self.options.security(),
        });
        let mut octets = [0; 1024];
        loop {
            let output = handshake.output();
            stream.write.write_all(&output).await.map_err(transport)?;
            if let Some(candidate) = self.candidate(&handshake, &stream) {
                let verdict = select! {
                    biased;
                    verdict = self.ask(&candidate) => verdict,
                    reason = until_left(&mut stream, &mut handshake) => return Err(reason.into()),
                };
                if let Err(fault) = handshake.answer(verdict) {
                    return Err(Faulty { stream, handshake, is_denied: true }.failed(fault));
                }
                continue;
            }
            if let Some(peer) = handshake.introduction() {
                let mut peer = peer.clone();
                peer.address.clone_from(&stream.address);
                return Ok(Met { stream, handshake, peer, time });
            }
            let count = match (stream.read.read(&mut octets).await, handshake.on_closed()) {
                (Ok(0) | Err(_), Some(fault)) => return Err(DisconnectReason::Fault(fault).into()),
                (Ok(0), None) => return Err(DisconnectReason::PeerClosed.into()),
                (read, _) => read.map_err(transport)?,
            };
            if let Err(fault) = handshake.feed(&octets[..count]) {
                return Err(Faulty { stream, handshake, is_denied: false }.failed(fault));
            }
        }
    }

    /// Whether our READY waits until it is known that there is a place for the peer.
    /// So one that is turned away was never ready, and keeps what it has to send.
    fn judges(&self, role: Role) -> bool {
        role == Role::Accepting && (self.traits.judges || self.options.limits.has_places())
    }

    /// The socket does not want the peer.
    pub(super) fn refuse(&self, met: Box<Met>, peer: &Arc<Peer>, why: Unwelcome) -> Refused {
        if why == Unwelcome::Closing {
            return self.failed(&met.peer.address, DisconnectReason::ByUs);
        }
        let failed = self.failed(&met.peer.address, DisconnectReason::TurnedAway(why));
        let (side, peer) = (Arc::clone(&self.side), Arc::clone(peer));
        let rest = Some(Rest::Unwanted(Box::new(Unwanted { met, why, side, peer })));
        Refused { rest, ..failed }
    }
}

impl Met {
    /// Whom the connection is charged to.
    pub(super) fn origin(&self) -> Origin {
        self.stream.origin
    }

    /// What the connection goes on with once the handshake is done.
    pub(super) fn into_traffic(self) -> (Stream, Receiving, Sending, PeerInfo) {
        let Self { stream, handshake, peer, .. } = self;
        let (receiving, sending, _) = handshake.into_traffic();
        (stream, receiving, sending, peer)
    }

    /// The socket takes the peer in: sends our READY if that is still to be done.
    pub(super) async fn admit(&mut self) -> Result<(), DisconnectReason> {
        self.handshake.admit();
        let output = self.handshake.output();
        if output.is_empty() {
            return Ok(());
        }
        let (write, time) = (&mut self.stream.write, self.time);
        in_time(time, async { write.write_all(&output).await.map_err(transport) }).await
    }

    /// Ends our half and waits a while until the peer ends its own. It may have sent
    /// something in good faith, which is counted.
    async fn hang_up(self, discarded: impl Fn(usize)) {
        let Stream { mut read, mut write, .. } = self.stream;
        let (mut receiving, ..) = self.handshake.into_traffic();
        let reading = async {
            let _ = write.shutdown().await;
            let mut octets = 0;
            while octets < LAST_OCTETS {
                // What comes after a fault means nothing.
                while let Some(incoming) = receiving.next()? {
                    discarded(usize::from(matches!(incoming, Incoming::Message(_))));
                }
                match read.read_buf(&mut receiving.space()).await {
                    Ok(count @ 1..) => octets += count,
                    _ => break,
                }
            }
            Ok::<_, PeerFault>(())
        };
        let _ = timeout(FAREWELL, reading).await;
    }

    /// How many messages the peer, which is not wanted, has sent already. (None, if
    /// it had to wait for our READY.)
    fn count_unread(&mut self) -> usize {
        let mut octets = [0; 4096];
        for _ in 0..LAST_READS {
            match self.stream.read.read_now(&mut octets) {
                // A fault does not matter any more.
                Ok(count @ 1..) => drop(self.handshake.feed(&octets[..count])),
                _ => break,
            }
        }
        self.handshake.unread_messages()
    }

    /// The socket does not want the peer. One that would never come back for
    /// being told, though it may be welcome later, is left in the dark for a
    /// while and closed.
    async fn refuse(&mut self, why: Unwelcome) {
        let is_told = self.handshake.refuse(why);
        let output = self.handshake.output();
        let write = &mut self.stream.write;
        if is_told {
            let told = async {
                write.write_all(&output).await?;
                write.shutdown().await
            };
            let _ = timeout(FAREWELL, told).await;
        } else {
            tokio::time::sleep(REFUSED).await;
        }
    }
}

pub(super) fn transport(error: std::io::Error) -> DisconnectReason {
    DisconnectReason::Transport(Arc::new(error))
}

async fn in_time<T, E: From<DisconnectReason>>(
    time: Option<Allowance>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let Some(time) = time else { return work.await };
    let mut work = pin!(work);
    if let Ok(done) = timeout_at(time.until, &mut work).await {
        return done;
    }
    let Some(again) = time.again() else {
        return Err(DisconnectReason::HandshakeTimeout.into());
    };
    let late = |_| Err(DisconnectReason::HandshakeTimeout.into());
    timeout_at(again.until, work).await.unwrap_or_else(late)
}
