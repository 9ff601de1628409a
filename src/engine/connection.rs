//! One connection from its first octet to its last: handshake, traffic, end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, warn};

use super::clock::now;
use super::farewell::bid_farewell;
use super::line::StreamLine;
use super::shell::Shell;
use super::wire::{Closing, Flight, Pulse};
use super::writer::{Transport, Writer};
use crate::fault::PeerFault;
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::peer::{DropCause, PeerInfo, Unwelcome};
use crate::pipe::{Line, Link, Peer, SocketSide};
use crate::tasks::let_others_run;
use crate::transport::Stream;
use crate::zmtp::{Handshake, HandshakeConfig, Incoming};

/// How long to wait for the peer to see that we closed, so that octets it has
/// not read yet are not destroyed by a reset.
const FAREWELL: Duration = Duration::from_secs(1);

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
    peer: PeerInfo,
    /// When the handshake has taken too long.
    deadline: Option<Instant>,
}

/// A connection that came to nothing.
pub(super) struct Refused {
    pub(super) reason: DisconnectReason,
    unwanted: Option<Box<Unwanted>>,
}

/// A peer that the socket does not want.
struct Unwanted {
    met: Box<Met>,
    why: Unwelcome,
    side: Arc<dyn SocketSide>,
    peer: Arc<Peer>,
}

impl Refused {
    /// Tells the peer, as far as it may know, and counts what it had sent. Says
    /// why it was refused.
    pub(super) async fn part(self) -> DisconnectReason {
        if let Some(unwanted) = self.unwanted {
            // Few need this, and every connection would have room for it.
            Box::pin(unwanted.part()).await;
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

/// A connection whose peer takes part in routing.
pub(super) struct TakenIn {
    attached: Attached,
    met: Box<Met>,
}

/// How a connection ended, and what it had not written.
pub(super) struct End {
    pub(super) reason: DisconnectReason,
    pub(super) flight: Flight,
}

impl Link {
    /// Does the handshake, within the time the options allow for all of it.
    pub(super) async fn meet(&self, stream: Stream, role: Role) -> Result<Box<Met>, Refused> {
        let limit = self.options.handshake_timeout;
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let met = in_time(deadline, self.shake_hands(stream, role, deadline)).await;
        met.map(Box::new).map_err(|reason| self.failed(reason))
    }

    fn failed(&self, reason: DisconnectReason) -> Refused {
        self.say_failed(reason.clone());
        Refused { reason, unwanted: None }
    }

    pub(super) fn say_failed(&self, reason: DisconnectReason) {
        debug!(endpoint = %self.endpoint, %reason, "handshake failed");
        self.emit(MonitorEvent::HandshakeFailed { endpoint: self.endpoint.clone(), reason });
    }

    async fn shake_hands(
        &self,
        mut stream: Stream,
        role: Role,
        deadline: Option<Instant>,
    ) -> Result<Met, DisconnectReason> {
        let mut handshake = Handshake::new(HandshakeConfig {
            socket_type: self.socket_type,
            identity: self
                .traits
                .identifies
                .then(|| self.options.routing_id.clone().map(Bytes::from).unwrap_or_default()),
            metadata: self.options.metadata.clone(),
            max_message_size: self.options.max_message_size,
            judges: self.traits.judges && role == Role::Accepting,
            pings: self.options.heartbeat_interval.is_some(),
        });
        let mut octets = [0; 1024];
        loop {
            let output = handshake.output();
            stream.write.write_all(&output).await.map_err(transport)?;
            if let Some(peer) = handshake.introduction() {
                let mut peer = peer.clone();
                peer.address.clone_from(&stream.address);
                return Ok(Met { stream, handshake, peer, deadline });
            }
            let count = stream.read.read(&mut octets).await.map_err(transport)?;
            if count == 0 {
                return Err(DisconnectReason::PeerClosed);
            }
            if let Err(fault) = handshake.feed(&octets[..count]) {
                // What is still to be said (our greeting, an ERROR) may help
                // whoever looks at the other end; it need not arrive.
                let output = handshake.output();
                let _ = stream.write.write_all(&output).await;
                return Err(DisconnectReason::Fault(fault));
            }
        }
    }

    /// Lets the socket judge a peer that is attached to it, and tells the peer.
    pub(super) async fn judge(
        &self,
        peer: &Arc<Peer>,
        line: &StreamLine,
        mut met: Box<Met>,
    ) -> Result<Box<Met>, Refused> {
        line.set_up();
        if let Err(unwelcome) = self.side.up(peer, &met.peer) {
            return Err(self.refuse(met, peer, unwelcome));
        }
        if !self.traits.takes_at_once {
            // A subscriber goes on to say what it wants, and is ready once it has.
            tidy(&*self.side).await;
        }
        match met.admit().await {
            Ok(()) => Ok(met),
            Err(reason) => Err(self.failed(reason)),
        }
    }

    /// Runs a connection whose peer was taken in, until it ends. The caller does
    /// what follows and then calls [`say_ended`](Self::say_ended).
    pub(super) async fn run(&self, peer: &Arc<Peer>, line: &StreamLine, met: Box<Met>) -> End {
        self.begin(line, met);
        let side = Arc::clone(&self.side);
        let reason = Shell::new(line, peer, side, self.traits.takes_at_once).run().await;
        self.wind_up(line, reason).await
    }

    /// From the handshake to the traffic.
    fn begin(&self, line: &StreamLine, met: Box<Met>) {
        let Met { stream, handshake, peer: info, .. } = *met;
        let (receiving, sending, _) = handshake.into_traffic();
        debug!(endpoint = %self.endpoint, address = %info.address, "connection ready");
        line.beat(Pulse::new(&self.options, &sending, now()), sending.may_ask());
        let ready = MonitorEvent::Ready { endpoint: self.endpoint.clone(), peer: info };
        // Reading first: a request is written after what came before it was dropped.
        line.read_from(stream.read, receiving);
        *line.writer.lock() = Some(Writer::new(Box::into_pin(stream.write), sending, ready));
    }

    /// Ends what a connection in traffic had at work.
    async fn wind_up(&self, line: &StreamLine, reason: DisconnectReason) -> End {
        debug!(endpoint = %self.endpoint, %reason, "connection ended");
        let (flight, write) = self.end_writing(line);
        let read = match reason {
            // A broken transport gives its reader what it still has, then says
            // so too.
            DisconnectReason::Transport(_) if !line.is_read_alone() => None,
            _ => line.inward.lock().stop_reading(&reason),
        };
        if let (DisconnectReason::ByUs, true, Some(write)) = (&reason, flight.is_written(), write) {
            let time = line.outward.lock().time_left(now()).min(FAREWELL);
            Box::pin(bid_farewell(line, time, read, write)).await;
        }
        End { reason, flight }
    }

    fn end_writing(&self, line: &StreamLine) -> (Flight, Option<Transport>) {
        let Some(writer) = line.end_writing() else { return (Flight::default(), None) };
        let (flight, transport, ready) = writer.into_parts();
        if let Some(event) = ready {
            // Its handshake was done all the same.
            self.emit(event);
        }
        (flight, Some(transport))
    }

    /// The socket does not want the peer.
    fn refuse(&self, met: Box<Met>, peer: &Arc<Peer>, why: Unwelcome) -> Refused {
        if why == Unwelcome::Closing {
            return self.failed(DisconnectReason::ByUs);
        }
        let (side, peer) = (Arc::clone(&self.side), Arc::clone(peer));
        let unwanted = Some(Box::new(Unwanted { met, why, side, peer }));
        Refused { unwanted, ..self.failed(DisconnectReason::TurnedAway(why)) }
    }

    /// Says that a connection is over, once its peer is out of routing (or
    /// down) and what was lost is counted.
    pub(super) fn say_ended(&self, reason: &DisconnectReason) {
        let (endpoint, reason) = (self.endpoint.clone(), reason.clone());
        self.emit(MonitorEvent::Disconnected { endpoint, reason });
    }

    /// Makes a peer of a connection: accepted, or dialled with `immediate`.
    pub(super) async fn take_in(&self, met: Box<Met>) -> Result<TakenIn, Refused> {
        let (peer, line) = StreamLine::new(self);
        if let Err(unwelcome) = self.side.attach(&peer) {
            return Err(self.refuse(met, &peer, unwelcome));
        }
        let attached = Attached::new(self.clone(), &peer, &line);
        match self.judge(&peer, &line, met).await {
            Ok(met) => Ok(TakenIn { attached, met }),
            Err(refused) => {
                attached.end(&refused.reason, Flight::default());
                Err(refused)
            }
        }
    }

    /// Runs a connection that has a peer of its own.
    pub(super) async fn serve(&self, TakenIn { attached, met }: TakenIn) -> DisconnectReason {
        let end = self.run(&attached.peer, &attached.line, met).await;
        attached.end(&end.reason, end.flight);
        self.say_ended(&end.reason);
        tidy(&*self.side).await;
        end.reason
    }
}

impl Met {
    /// The socket takes the peer in: sends our READY if that is still to be done.
    async fn admit(&mut self) -> Result<(), DisconnectReason> {
        self.handshake.admit();
        let output = self.handshake.output();
        if output.is_empty() {
            return Ok(());
        }
        let (write, deadline) = (&mut self.stream.write, self.deadline);
        in_time(deadline, async { write.write_all(&output).await.map_err(transport) }).await
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

fn transport(error: std::io::Error) -> DisconnectReason {
    DisconnectReason::Transport(Arc::new(error))
}

async fn in_time<T>(
    deadline: Option<Instant>,
    work: impl Future<Output = Result<T, DisconnectReason>>,
) -> Result<T, DisconnectReason> {
    match deadline {
        None => work.await,
        Some(deadline) => {
            timeout_at(deadline, work).await.unwrap_or(Err(DisconnectReason::HandshakeTimeout))
        }
    }
}

/// Lets the socket forget what a peer that went down had subscribed to, piece by
/// piece.
pub(super) async fn tidy(side: &dyn SocketSide) {
    while side.tidy() {
        let_others_run().await;
    }
}

/// A peer that is attached to the socket. Dropping this ends it for good, which
/// happens as well when the runtime goes away in the middle of a connection.
pub(super) struct Attached {
    link: Link,
    peer: Arc<Peer>,
    line: Arc<StreamLine>,
    has_ended: bool,
}

impl Attached {
    pub(super) fn new(link: Link, peer: &Arc<Peer>, line: &Arc<StreamLine>) -> Self {
        Self { link, peer: Arc::clone(peer), line: Arc::clone(line), has_ended: false }
    }

    /// Ends the peer for good and counts what was still to be sent to it.
    pub(super) fn end(mut self, reason: &DisconnectReason, flight: Flight) {
        self.finish(reason, flight);
    }

    /// Says how many messages nobody gets.
    fn finish(&mut self, reason: &DisconnectReason, flight: Flight) -> usize {
        self.has_ended = true;
        let line = &self.line;
        // Whoever waits for room is not to push to a line that is about to end.
        let _ = line.set_down(flight);
        let (leftover, was_closing) = {
            let mut outward = line.outward.lock();
            let was_closing = outward.is_closing();
            (outward.end(), was_closing)
        };
        let cause = match reason {
            DisconnectReason::ByUs => DropCause::LingerExpired,
            _ => DropCause::PeerLeft,
        };
        line.lost(cause, leftover.unsent);
        line.lost(DropCause::Conflated, leftover.conflated);
        // Also if the peer was the first to hang up.
        if was_closing || matches!(reason, DisconnectReason::ByUs) {
            line.lost(DropCause::Unread, line.discard());
        }
        line.end_reading();
        self.link.side.detach(&self.peer);
        leftover.unsent
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        // The task was ended by its runtime, and the writer may still be there.
        let writer = self.line.end_writing();
        let (was_up, was_open) = (writer.is_some(), !self.line.outward.lock().is_closing());
        let flight = writer.map(|writer| writer.into_parts().0).unwrap_or_default();
        let undelivered = self.finish(&DisconnectReason::ByUs, flight);
        if was_up {
            self.link.say_ended(&DisconnectReason::RuntimeEnded);
        }
        if was_open || undelivered > 0 {
            let endpoint = &self.link.endpoint;
            warn!(%endpoint, undelivered, "the runtime of this connection has ended, and it with it");
        }
    }
}

/// Waits until closing a line is done: nothing left to send, or no time.
pub(super) async fn given_up(line: &StreamLine) {
    loop {
        let rung = std::future::poll_fn(|cx| line.bell.poll_rung(cx).map(drop));
        let closing = line.outward.lock().closing(now());
        match closing {
            Closing::Done => return,
            Closing::Lingering(Some(deadline)) => {
                let _ = timeout_at(deadline.into(), rung).await;
            }
            Closing::No | Closing::Lingering(None) => rung.await,
        }
    }
}
