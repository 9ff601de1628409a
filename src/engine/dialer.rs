//! [`dial`]: keeps one endpoint connected.

use std::sync::Arc;

use tokio::select;
use tracing::debug;

use super::backoff::{Backoff, Setback, random};
use super::clock::now;
use super::connection::{Attached, Established, given_up};
use super::link::Link;
use super::stream_pipe::StreamPipe;
use super::tasks::TaskGuard;
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::peer::DropCause;
use crate::pipe::{Outlet, Unwelcome};
use crate::transport;

/// Connects to an endpoint, now and whenever the connection is lost, until the
/// outlet that is returned is closed.
///
/// That outlet takes part in routing at once, so what is sent waits for the
/// peer; with `immediate` each connection has a pipe of its own instead.
pub(crate) fn dial(link: Link, guards: [TaskGuard; 2]) -> Result<Arc<dyn Outlet>, Unwelcome> {
    let immediate = link.options.immediate;
    let pipe = StreamPipe::new(&link);
    if !immediate {
        link.side.attach(pipe.as_pipe(), link.owner)?;
    }
    let outlet = Arc::clone(&pipe) as Arc<dyn Outlet>;
    // However the task ends, with its runtime too, its pipe does, and what was
    // left in it is counted.
    let attached = (!immediate).then(|| Attached::new(link.clone(), &pipe));
    let dialer = Dialer { backoff: Backoff::new(&link.options), link, pipe, immediate };
    tokio::spawn(async move {
        let _guards = guards;
        let _attached = attached;
        dialer.run().await;
    });
    Ok(outlet)
}

struct Dialer {
    link: Link,
    /// Lives as long as the endpoint; closing it ends this task.
    pipe: Arc<StreamPipe>,
    backoff: Backoff,
    immediate: bool,
}

impl Dialer {
    async fn run(mut self) {
        loop {
            let attempt = select! {
                biased;
                () = given_up(&self.pipe) => break,
                attempt = self.attempt() => attempt,
            };
            let reason = match attempt {
                Err(reason) => reason,
                Ok(connection) => self.traffic(connection).await,
            };
            if matches!(reason, DisconnectReason::ByUs) || !self.pause(reason).await {
                break;
            }
        }
    }

    /// One attempt to connect and shake hands.
    async fn attempt(&self) -> Result<Established, DisconnectReason> {
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
        self.link.emit(MonitorEvent::Connected { endpoint, address });
        self.link.handshake(stream).await
    }

    async fn traffic(&mut self, connection: Established) -> DisconnectReason {
        self.backoff.on_up(now());
        if self.immediate {
            return self.link.run_once(connection).await;
        }
        let mut end = self.link.run(&self.pipe, connection).await;
        // What was not written waits for the next connection.
        let cut = self.pipe.outbox.session_down(std::mem::take(&mut end.batch));
        self.pipe.lost(DropCause::CutInTransit, usize::from(cut));
        self.link.side.down(self.pipe.key);
        // The end of the stream is something to see, too.
        self.link.side.readable(self.pipe.key);
        self.link.say_ended(&end);
        end.reason
    }

    /// Waits before the next attempt; false when there is to be none.
    async fn pause(&mut self, reason: DisconnectReason) -> bool {
        let delay = self.backoff.on_setback(Setback::from(&reason), now(), random());
        let endpoint = self.link.endpoint.clone();
        debug!(%endpoint, %reason, ?delay, "dialling again later");
        self.link.emit(MonitorEvent::Retrying { endpoint, reason, delay });
        select! {
            biased;
            () = given_up(&self.pipe) => false,
            () = tokio::time::sleep(delay) => true,
        }
    }
}
