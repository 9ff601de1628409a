//! One connection from its first octet to its last: handshake, traffic, end.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tracing::debug;

use super::clock::now;
use super::link::Link;
use super::outbox::{Batch, Closing};
use super::stream_pipe::StreamPipe;
use super::traffic::Traffic;
use super::writer::Writer;
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::peer::{DropCause, PeerInfo};
use crate::pipe::Unwelcome;
use crate::transport::{ReadHalf, Stream};
use crate::zmtp::{Handshake, HandshakeConfig, Heartbeat, HeartbeatConfig, Receiving, Sending};

/// How long to wait for the peer to see that we closed, so that octets it has
/// not read yet are not destroyed by a reset.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection whose handshake is done.
pub(super) struct Established {
    read: Box<dyn ReadHalf>,
    write: Pin<Box<dyn AsyncWrite + Send>>,
    receiving: Receiving,
    sending: Sending,
    pub(super) peer: PeerInfo,
}

/// How a connection that had a pipe ended, and what it had not written.
pub(super) struct End {
    pub(super) reason: DisconnectReason,
    /// Whether the socket took the peer in, so that its end is an event.
    was_ready: bool,
    pub(super) batch: Batch,
}

impl Link {
    /// Does the handshake, within the time the options allow for all of it.
    pub(super) async fn handshake(&self, stream: Stream) -> Result<Established, DisconnectReason> {
        let handshake = self.shake_hands(stream);
        let result = match self.options.handshake_timeout {
            None => handshake.await,
            Some(limit) => tokio::time::timeout(limit, handshake)
                .await
                .unwrap_or(Err(DisconnectReason::HandshakeTimeout)),
        };
        if let Err(reason) = &result {
            debug!(endpoint = %self.endpoint, %reason, "handshake failed");
            let (endpoint, reason) = (self.endpoint.clone(), reason.clone());
            self.emit(MonitorEvent::HandshakeFailed { endpoint, reason });
        }
        result
    }

    async fn shake_hands(&self, mut stream: Stream) -> Result<Established, DisconnectReason> {
        let mut handshake = Handshake::new(HandshakeConfig {
            socket_type: self.socket_type,
            routing_id: self.options.routing_id.clone(),
            metadata: self.options.metadata.clone(),
            max_message_size: self.options.max_message_size,
        });
        let mut octets = [0; 1024];
        let transport = |error| DisconnectReason::Transport(Arc::new(error));
        loop {
            let output = handshake.output();
            stream.write.write_all(&output).await.map_err(transport)?;
            if handshake.is_done() {
                break;
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
        let (receiving, sending, mut peer) = handshake.into_traffic();
        peer.address = stream.address;
        Ok(Established {
            read: stream.read,
            write: Box::into_pin(stream.write),
            receiving,
            sending,
            peer,
        })
    }

    /// Runs a connection whose peer is attached to the socket already, until it
    /// ends. The caller does what follows and then calls
    /// [`say_ended`](Self::say_ended).
    pub(super) async fn run(&self, pipe: &Arc<StreamPipe>, connection: Established) -> End {
        let Established { read, write, receiving, sending, peer } = connection;
        pipe.inbox.session_up(read, receiving, |armed| pipe.read_waker(armed));
        pipe.session_up();
        let (endpoint, key) = (self.endpoint.clone(), pipe.key);
        debug!(%endpoint, address = %peer.address, "connection ready");
        if let Err(unwelcome) = self.side.up(key, &peer) {
            let reason = self.turn_away(unwelcome);
            drop(pipe.inbox.stop_reading(&reason));
            return End { reason, was_ready: false, batch: Batch::default() };
        }
        let ready = MonitorEvent::Ready { endpoint: endpoint.clone(), peer };
        let heartbeat = self.heartbeat(&sending);
        let ttl = self.options.heartbeat_ttl;
        *pipe.writer() = Some(Writer::new(write, sending, ready));
        let reason = Traffic::new(pipe, Arc::clone(&self.side), heartbeat, ttl).run().await;
        let (batch, write) = self.end_writing(pipe);
        debug!(%endpoint, %reason, "connection ended");
        let read = match reason {
            // A broken transport gives its reader what it still has, then says
            // so too.
            DisconnectReason::Transport(_) if !pipe.reads_at_once => None,
            _ => pipe.inbox.stop_reading(&reason),
        };
        let sent = batch.messages.remaining() == 0;
        if let (DisconnectReason::ByUs, true, Some(write)) = (&reason, sent, write) {
            let time = pipe.outbox.time_left(now()).min(FAREWELL);
            let _ = tokio::time::timeout(time, farewell(read, write)).await;
        }
        End { reason, was_ready: true, batch }
    }

    /// Takes the writer from those who might use it, and gives what it had.
    fn end_writing(&self, pipe: &StreamPipe) -> (Batch, Option<Pin<Box<dyn AsyncWrite + Send>>>) {
        let Some(mut writer) = pipe.writer().take() else { return (Batch::default(), None) };
        writer.announce(&*self.side);
        let (batch, transport) = writer.into_parts();
        (batch, Some(transport))
    }

    /// Says that a connection is over, once its peer is out of routing (or
    /// down) and what was lost is counted.
    pub(super) fn say_ended(&self, ended: &End) {
        if ended.was_ready {
            let (endpoint, reason) = (self.endpoint.clone(), ended.reason.clone());
            self.emit(MonitorEvent::Disconnected { endpoint, reason });
        }
    }

    /// Runs a connection that has a pipe of its own: accepted, or dialled with
    /// `immediate`.
    pub(super) async fn run_once(&self, connection: Established) -> DisconnectReason {
        let pipe = StreamPipe::new(self);
        if let Err(unwelcome) = self.side.attach(pipe.as_pipe(), self.owner) {
            return self.turn_away(unwelcome);
        }
        let mut attached = Attached::new(self.clone(), &pipe);
        let mut end = self.run(&pipe, connection).await;
        attached.reason = end.reason.clone();
        attached.batch = std::mem::take(&mut end.batch);
        drop(attached);
        self.say_ended(&end);
        end.reason
    }

    fn turn_away(&self, unwelcome: Unwelcome) -> DisconnectReason {
        let reason = match unwelcome {
            Unwelcome::AlreadyPaired => DisconnectReason::TurnedAway("PAIR has its peer already"),
            Unwelcome::DuplicateRoutingId => {
                DisconnectReason::TurnedAway("another peer has this routing id")
            }
            Unwelcome::Closing => DisconnectReason::ByUs,
        };
        let endpoint = self.endpoint.clone();
        self.emit(MonitorEvent::HandshakeFailed { endpoint, reason: reason.clone() });
        reason
    }

    fn heartbeat(&self, sending: &Sending) -> Heartbeat {
        let interval = self.options.heartbeat_interval.filter(|_| sending.has_heartbeats());
        let timeout = self.options.heartbeat_timeout;
        Heartbeat::new(HeartbeatConfig { interval, timeout }, now())
    }

    /// Ends a pipe for good and counts what it still held.
    fn finish(&self, pipe: &StreamPipe, reason: &DisconnectReason, batch: Batch) {
        let cut = pipe.outbox.session_down(batch);
        pipe.lost(DropCause::CutInTransit, usize::from(cut));
        let (left, conflated) = pipe.outbox.end();
        let cause = match reason {
            DisconnectReason::ByUs => DropCause::LingerExpired,
            _ => DropCause::PeerLeft,
        };
        pipe.lost(cause, left);
        pipe.lost(DropCause::Conflated, conflated);
        if matches!(reason, DisconnectReason::ByUs) {
            pipe.lost(DropCause::Unread, pipe.inbox.discard());
        }
        pipe.inbox.close();
        self.side.detach(pipe.key);
    }
}

/// A pipe that is attached to the socket. Dropping this ends it for good, which
/// happens as well when the runtime goes away in the middle of a connection.
pub(super) struct Attached {
    link: Link,
    pipe: Arc<StreamPipe>,
    reason: DisconnectReason,
    batch: Batch,
}

impl Attached {
    pub(super) fn new(link: Link, pipe: &Arc<StreamPipe>) -> Self {
        let (reason, batch) = (DisconnectReason::ByUs, Batch::default());
        Self { link, pipe: Arc::clone(pipe), reason, batch }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // The writer is still there if the task was ended by its runtime.
        let unwritten = self.pipe.writer().take().map(|writer| writer.into_parts().0);
        let batch = unwritten.unwrap_or_else(|| std::mem::take(&mut self.batch));
        self.link.finish(&self.pipe, &self.reason, batch);
    }
}

/// Ends our half of a connection and waits until the peer ends its own, so
/// that what we wrote is not destroyed by a reset over what we did not read.
async fn farewell(read: Option<Box<dyn ReadHalf>>, mut write: Pin<Box<dyn AsyncWrite + Send>>) {
    let Some(mut read) = read else { return };
    if write.shutdown().await.is_err() {
        return;
    }
    let mut unread = vec![0; 8 * 1024];
    while matches!(read.read(&mut unread).await, Ok(1..)) {}
}

/// Waits until closing a pipe is done: nothing left to send, or no time.
pub(super) async fn given_up(pipe: &StreamPipe) {
    loop {
        let rung = std::future::poll_fn(|cx| pipe.bell.poll_rung(cx));
        match pipe.outbox.closing(now(), false) {
            Closing::Done => return,
            Closing::Lingering(Some(deadline)) => {
                let _ = tokio::time::timeout_at(deadline.into(), rung).await;
            }
            Closing::No | Closing::Lingering(None) => rung.await,
        }
    }
}
