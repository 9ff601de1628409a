//! One connection from when its peer has said all of itself to its last octet:
//! routing, traffic, end.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout_at;
use tracing::{debug, warn};

use super::clock::now;
use super::farewell::bid_farewell;
use super::line::StreamLine;
use super::meeting::{Met, Refused};
use super::places::{Place, Places};
use super::shell::Shell;
use super::wire::{Closing, Flight, Pulse};
use super::writer::{Transport, Writer};
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::peer::DropCause;
use crate::pipe::{Line, Link, Peer, SocketSide};
use crate::tasks::let_others_run;

/// How long to wait for the peer to see that we closed, so that octets it has
/// not read yet are not destroyed by a reset.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// The longest topic that a socket without subscriptions reads to the end, to ignore it.
const STRAY_TOPIC: usize = 64 << 10;

/// A connection whose peer takes part in routing.
pub(super) struct TakenIn {
    attached: Attached,
    met: Box<Met>,
    /// Given up with the connection.
    place: Option<Place>,
}

/// How a connection ended, and what it had not written.
pub(super) struct End {
    pub(super) reason: DisconnectReason,
    pub(super) flight: Flight,
}

impl Link {
    /// Lets the socket judge a peer that is attached to it, and tells the peer.
    pub(super) async fn judge(
        &self,
        peer: &Arc<Peer>,
        line: &StreamLine,
        mut met: Box<Met>,
    ) -> Result<Box<Met>, Refused> {
        line.set_up();
        peer.begin_session(met.peer.clone());
        if let Err(unwelcome) = self.side.up(peer, &met.peer) {
            return Err(self.refuse(met, peer, unwelcome));
        }
        if !self.traits.takes_at_once {
            // A subscriber goes on to say what it wants, and is ready once it has.
            tidy(&*self.side).await;
        }
        match met.admit().await {
            Ok(()) => Ok(met),
            Err(reason) => Err(self.failed(&met.peer.address, reason)),
        }
    }

    /// Runs a connection whose peer was taken in, until it ends. The caller does
    /// what follows and then calls [`say_ended`](Self::say_ended).
    pub(super) async fn run(&self, peer: &Arc<Peer>, line: &StreamLine, met: Box<Met>) -> End {
        self.begin(peer, line, met);
        let side = Arc::clone(&self.side);
        let reason = Shell::new(line, peer, side, self.traits.takes_at_once).run().await;
        self.wind_up(line, reason).await
    }

    /// From the handshake to the traffic.
    fn begin(&self, peer: &Peer, line: &StreamLine, met: Box<Met>) {
        let (stream, mut receiving, sending, info) = met.into_traffic();
        receiving.limit_topics(self.longest_topic());
        receiving.limit_frames(self.options.limits.frames);
        debug!(endpoint = %self.endpoint, address = %info.address, "connection ready");
        line.beat(Pulse::new(&self.options, &sending, now()), sending.may_ask());
        let session = peer.session();
        let ready = MonitorEvent::Ready { endpoint: self.endpoint.clone(), peer: info };
        // Reading first: a request is written after what came before it was dropped.
        line.read_from(stream.read, receiving, session);
        *line.writer.lock() = Some(Writer::new(Box::into_pin(stream.write), sending, ready));
    }

    /// Subscriptions are bounded by themselves, also where nobody has a use for them.
    fn longest_topic(&self) -> usize {
        let limit = self.options.limits.subscription_octets.limit();
        if self.traits.publishes { limit } else { limit.min(STRAY_TOPIC) }
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

    /// Says that a connection is over, once its peer is out of routing (or
    /// down) and what was lost is counted.
    pub(super) fn say_ended(&self, peer: &Peer, reason: &DisconnectReason) {
        let (endpoint, address) = (self.endpoint.clone(), peer.address());
        self.emit(MonitorEvent::Disconnected { endpoint, address, reason: reason.clone() });
    }

    /// Makes a peer of a connection: accepted, or dialled with `immediate`.
    pub(super) async fn take_in(
        &self,
        met: Box<Met>,
        places: Option<&Arc<Places>>,
    ) -> Result<TakenIn, Refused> {
        let (peer, line) = StreamLine::new(self);
        let place = match places.map(|places| places.take(met.origin())).transpose() {
            Ok(place) => place,
            Err(unwelcome) => return Err(self.refuse(met, &peer, unwelcome)),
        };
        if let Err(unwelcome) = self.side.attach(&peer) {
            return Err(self.refuse(met, &peer, unwelcome));
        }
        let mut attached = Attached::new(self.clone(), &peer, &line);
        attached.is_taken_in = false;
        match self.judge(&peer, &line, met).await {
            Ok(met) => {
                attached.is_taken_in = true;
                Ok(TakenIn { attached, met, place })
            }
            Err(refused) => {
                attached.end(&refused.reason, Flight::default());
                Err(refused)
            }
        }
    }

    /// Runs a connection that has a peer of its own.
    pub(super) async fn serve(&self, taken_in: TakenIn) -> DisconnectReason {
        let TakenIn { attached, met, place } = taken_in;
        let peer = Arc::clone(&attached.peer);
        let end = self.run(&peer, &attached.line, met).await;
        attached.end(&end.reason, end.flight);
        // Whoever hears of the end finds the place free.
        drop(place);
        self.say_ended(&peer, &end.reason);
        tidy(&*self.side).await;
        end.reason
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
    /// Not as long as it is judged. Whoever gives it up by then says why.
    is_taken_in: bool,
}

impl Attached {
    pub(super) fn new(link: Link, peer: &Arc<Peer>, line: &Arc<StreamLine>) -> Self {
        Self {
            link,
            peer: Arc::clone(peer),
            line: Arc::clone(line),
            has_ended: false,
            is_taken_in: true,
        }
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
            self.link.say_ended(&self.peer, &DisconnectReason::RuntimeEnded);
        }
        let endpoint = &self.link.endpoint;
        if !self.is_taken_in {
            debug!(%endpoint, undelivered, "a peer was given up before it was taken in");
        } else if was_open || undelivered > 0 {
            warn!(%endpoint, undelivered, "the tokio runtime of this connection has ended before all was sent");
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
