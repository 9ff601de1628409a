//! [`dial`]: keeps one endpoint connected.

use std::sync::Arc;
use std::time::Instant as StdInstant;

use tokio::select;
use tracing::{debug, warn};

use super::backoff::{Backoff, Setback};
use super::clock::now;
use super::connection::{Attached, given_up, tidy};
use super::line::StreamLine;
use super::meeting::{Met, Refused, Role};
use super::nudge::nudge;
use super::wire::Flight;
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::peer::Unwelcome;
use crate::pipe::{Line, Link, Peer};
use crate::random::random;
use crate::tasks::{TaskGuard, spawn};
use crate::transport;

/// An endpoint that is kept connected.
pub(crate) struct Dialling(Arc<StreamLine>);

impl Dialling {
    /// Stops dialling once what was accepted is sent, until the deadline if there
    /// is one.
    pub(crate) fn close(&self, deadline: Option<StdInstant>) {
        self.0.close(deadline);
    }

    /// Whether nobody dials any more, since the runtime has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.0.outward.lock().is_gone()
    }
}

/// Connects to an endpoint, now and whenever the connection is lost, until what
/// is returned is closed.
///
/// Its peer takes part in routing at once, so what is sent waits for it; with
/// `immediate` each connection has a peer of its own instead.
pub(crate) fn dial(link: Link, guards: [TaskGuard; 2]) -> Result<Dialling, Unwelcome> {
    let immediate = link.options.immediate;
    let (peer, line) = StreamLine::new(&link);
    if !immediate {
        link.side.attach(&peer)?;
    }
    let dialling = Dialling(Arc::clone(&line));
    // However the task ends, with its runtime too, its peer does, and what was
    // left for it is counted.
    let attached = Endpoint {
        attached: (!immediate).then(|| Attached::new(link.clone(), &peer, &line)),
        link: link.clone(),
        line: Arc::clone(&line),
    };
    let (backoff, said) = (Backoff::new(&link.options), String::new());
    let dialer = Dialer { backoff, link, peer, line, immediate, said };
    spawn(async move {
        let _guards = guards;
        let _attached = attached;
        dialer.run().await;
    });
    nudge();
    Ok(dialling)
}

/// What ends with the task that dials.
struct Endpoint {
    attached: Option<Attached>,
    link: Link,
    line: Arc<StreamLine>,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        let was_open = !self.line.outward.lock().is_closing();
        drop(self.attached.take());
        let _ = self.line.outward.lock().end();
        if was_open {
            // Nobody wanted that: the task ended with its runtime.
            let endpoint = self.link.endpoint.clone();
            self.link.emit(MonitorEvent::Closed { endpoint });
            self.link.side.runtime_ended();
        }
    }
}

/// A connection whose handshake is under way. If it is dropped like that, that is
/// since nobody wants the connection any more.
struct Unsettled<'a> {
    link: &'a Link,
    /// Where its peer is; `None` once it is settled.
    address: Option<String>,
}

impl Unsettled<'_> {
    fn settle(mut self) {
        self.address = None;
    }
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        if let Some(address) = &self.address {
            self.link.say_failed(address, DisconnectReason::ByUs);
        }
    }
}

struct Dialer {
    link: Link,
    peer: Arc<Peer>,
    /// Lives as long as the endpoint; closing it ends this task.
    line: Arc<StreamLine>,
    backoff: Backoff,
    immediate: bool,
    /// What was last said in the log of why the peer does not take us, since it was up.
    said: String,
}

impl Dialer {
    async fn run(mut self) {
        loop {
            // In memory of its own, which the traffic does without.
            let attempt = Box::pin(self.attempt());
            let attempt = select! {
                biased;
                () = given_up(&self.line) => break,
                attempt = attempt => attempt,
            };
            let reason = match attempt {
                Err(reason) => reason,
                Ok(met) => self.traffic(met).await,
            };
            if matches!(reason, DisconnectReason::ByUs) || !self.pause(reason).await {
                break;
            }
        }
    }

    /// One attempt to connect and shake hands.
    async fn attempt(&self) -> Result<Box<Met>, DisconnectReason> {
        let (endpoint, options) = (&self.link.endpoint, &self.link.options);
        let connecting = transport::connect(endpoint, options);
        let stream = match options.connect_timeout {
            None => connecting.await,
            Some(limit) => tokio::time::timeout(limit, connecting)
                .await
                .map_err(|_| DisconnectReason::ConnectTimeout)?,
        }
        .map_err(|error| DisconnectReason::Transport(Arc::new(error)))?;
        let (endpoint, address) = (endpoint.clone(), stream.address.clone());
        self.link.emit(MonitorEvent::Connected { endpoint, address: address.clone() });
        let unsettled = Unsettled { link: &self.link, address: Some(address) };
        let met = self.link.meet(stream, Role::Dialling).await;
        unsettled.settle();
        match met {
            Ok(met) => Ok(met),
            Err(refused) => Err(refused.part().await),
        }
    }

    async fn traffic(&mut self, met: Box<Met>) -> DisconnectReason {
        self.backoff.on_up(now());
        self.said.clear();
        if self.immediate {
            return match self.link.take_in(met, None).await {
                Ok(taken) => self.link.serve(taken).await,
                Err(refused) => self.part(refused).await,
            };
        }
        let met = match self.link.judge(&self.peer, &self.line, met).await {
            Ok(met) => met,
            Err(refused) => {
                self.down(Flight::default());
                tidy(&*self.link.side).await;
                return self.part(refused).await;
            }
        };
        let end = self.link.run(&self.peer, &self.line, met).await;
        // What was not written waits for the next connection.
        self.down(end.flight);
        self.link.say_ended(&self.peer, &end.reason);
        tidy(&*self.link.side).await;
        end.reason
    }

    /// Parts from a peer that is not wanted, unless the endpoint is to end first.
    async fn part(&self, refused: Refused) -> DisconnectReason {
        let reason = refused.reason.clone();
        select! {
            biased;
            () = given_up(&self.line) => reason,
            reason = refused.part() => reason,
        }
    }

    /// The connection is lost, the peer stays.
    fn down(&self, flight: Flight) {
        if self.line.set_down(flight) {
            self.line.room();
        }
        self.link.side.down(&self.peer);
        // The end of the stream is something to see, too.
        self.line.event();
    }

    /// Waits before the next attempt; false when there is to be none.
    async fn pause(&mut self, reason: DisconnectReason) -> bool {
        let setback = Setback::of(&reason);
        let delay = self.backoff.on_setback(setback, now(), random());
        let endpoint = self.link.endpoint.clone();
        let text = reason.to_string();
        if setback != Setback::Lost && self.said != text {
            // No call fails for that, and nothing arrives until somebody mends it.
            warn!(%endpoint, %reason, ?delay, "dialling again later");
            self.said = text;
        } else {
            debug!(%endpoint, %reason, ?delay, "dialling again later");
        }
        self.link.emit(MonitorEvent::Retrying { endpoint, reason, delay });
        select! {
            biased;
            () = given_up(&self.line) => false,
            () = tokio::time::sleep(delay) => true,
        }
    }
}
