//! [`listen`]: accepts connections on one endpoint.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::select;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;
use tracing::warn;

use super::connection::TakenIn;
use super::handshakes::{Entry, Pending};
use super::meeting::Role;
use super::nudge::nudge;
use super::places::Places;
use crate::monitor::MonitorEvent;
use crate::pipe::Link;
use crate::sync::{Lock, Rank};
use crate::tasks::{TaskGuard, Tasks, spawn};
use crate::transport::{Listener, Stream};

/// The pauses after the system could not accept.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);
const ACCEPT_AGAIN_MAX: Duration = Duration::from_secs(1);

/// A listener that runs; dropping it stops it. Either way its address is free
/// as soon as the call returns, wherever the call is made and whatever has
/// become of the runtime that accepts.
pub(crate) struct Listening {
    door: Door,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Listening {
    /// Whether nobody accepts any more, since the runtime has ended.
    pub(crate) fn is_over(&self) -> bool {
        // The task itself is finished only after it has said so.
        self.door.is_closed()
    }

    /// Stops listening and gives up the handshakes under way. Once this has
    /// been polled, the address is free.
    pub(crate) async fn stop(self) {
        let Self { door, stop, task } = self;
        drop((door, stop));
        // A task that the runtime has ended has stopped listening as well.
        let _ = task.await;
    }
}

/// The listener, held by whoever may stop it and by the task that accepts:
/// the first of them that goes closes it. Without the one, a dropped socket
/// would keep its address until the task gets its turn; without the other, a
/// runtime that has ended would leave a listener that accepts nobody.
#[derive(Clone)]
struct Door(
    /// `None` once closed. Locked for one look for a connection, or to close,
    /// so that whoever finds it closed finds the address free.
    Arc<Lock<Option<Listener>>>,
);

impl Door {
    fn new(listener: Listener) -> Self {
        Self(Arc::new(Lock::new(Rank::Leaf, Some(listener))))
    }

    /// The next connection. Once closed none comes any more: whoever closes it
    /// ends the task by other means.
    async fn accept(&self) -> io::Result<Stream> {
        poll_fn(|cx| match &*self.0.lock() {
            Some(listener) => listener.poll_accept(cx),
            None => Poll::Pending,
        })
        .await
    }

    fn is_closed(&self) -> bool {
        self.0.lock().is_none()
    }

    /// False if it was closed before.
    fn close(&self) -> bool {
        let mut listener = self.0.lock();
        listener.take().is_some()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.close();
    }
}

/// Accepts connections until the handle is dropped. Each connection is a task
/// of its own, and a peer enters routing only after its handshake: one that
/// does nothing costs nobody else.
pub(crate) fn listen(listener: Listener, link: Link, tasks: [Tasks; 2]) -> Listening {
    let (stop, stopped) = oneshot::channel();
    let guards = tasks.each_ref().map(Tasks::enter);
    link.emit(MonitorEvent::Listening { endpoint: link.endpoint.clone() });
    let door = Door::new(listener);
    let pending = Arc::new(Lock::new(Rank::Leaf, Pending::default()));
    let places = Places::new(&link.options);
    let mut acceptor =
        Acceptor { link, door: door.clone(), tasks, pending, places, pause: ACCEPT_AGAIN };
    let task = spawn(async move {
        let _guards = guards;
        select! {
            biased;
            _ = stopped => {}
            () = acceptor.run() => {}
        }
        drop(acceptor);
    });
    nudge();
    Listening { door, stop, task }
}

/// However it ends, with its runtime too, nobody listens any more.
struct Acceptor {
    link: Link,
    door: Door,
    tasks: [Tasks; 2],
    pending: Arc<Lock<Pending>>,
    places: Option<Arc<Places>>,
    pause: Duration,
}

impl Acceptor {
    async fn run(&mut self) {
        loop {
            self.have_place().await;
            match self.door.accept().await {
                Ok(stream) => {
                    self.pause = ACCEPT_AGAIN;
                    self.serve(stream);
                }
                Err(error) => self.recover(error).await,
            }
        }
    }

    /// Waits while nobody is to be accepted, since that would cost somebody else the
    /// handshake who most likely is about to end it.
    async fn have_place(&self) {
        loop {
            let Some((until, freed)) = self.pending.lock().is_full_until() else { return };
            select! {
                () = sleep_until(until) => {}
                _ = freed => {}
            }
        }
    }

    /// Starts the connection's task, which is pending until its handshake ends.
    fn serve(&self, stream: Stream) {
        let link = self.link.clone();
        let (endpoint, address) = (link.endpoint.clone(), stream.address.clone());
        link.emit(MonitorEvent::Accepted { endpoint, address });
        let guards: [TaskGuard; 2] = self.tasks.each_ref().map(Tasks::enter);
        let places = self.places.clone();
        let entry = Entry::new(&self.pending, stream.origin);
        spawn(async move {
            let _guards = guards;
            // In memory of its own, which the traffic does without.
            let taken_in = Box::pin(admit(&link, stream, entry, places)).await;
            if let Some(taken_in) = taken_in {
                link.serve(taken_in).await;
            }
        });
    }

    /// The system is short of something (descriptors, memory), or the peer was
    /// gone already: says so and gives it time.
    async fn recover(&mut self, error: io::Error) {
        let endpoint = self.link.endpoint.clone();
        let retry_in = self.pause;
        warn!(%endpoint, %error, ?retry_in, "cannot accept");
        let error = Arc::new(error);
        self.link.emit(MonitorEvent::AcceptFailed { endpoint, error, retry_in });
        tokio::time::sleep(retry_in).await;
        self.pause = (2 * self.pause).min(ACCEPT_AGAIN_MAX);
    }
}

/// Does the handshake of a connection that was accepted, and what is to be done if it
/// comes to nothing. Nothing, then.
async fn admit(
    link: &Link,
    stream: Stream,
    mut entry: Entry,
    places: Option<Arc<Places>>,
) -> Option<TakenIn> {
    let address = stream.address.clone();
    let taken_in = async {
        let met = link.meet(stream, Role::Accepting).await?;
        link.take_in(met, places.as_ref()).await
    };
    let taken_in = select! {
        biased;
        reason = entry.given_up() => {
            link.say_failed(&address, reason);
            return None;
        }
        taken_in = taken_in => taken_in,
    };
    match taken_in {
        Ok(taken_in) => {
            entry.came_in();
            Some(taken_in)
        }
        Err(refused) => {
            // It is pending as long as we are not done with it, and so are all of
            // them together no more than those may be.
            select! {
                biased;
                _ = entry.given_up() => {}
                _ = refused.part() => {}
            }
            None
        }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        let was_open = self.door.close();
        self.pending.lock().clear();
        let endpoint = self.link.endpoint.clone();
        self.link.emit(MonitorEvent::Closed { endpoint });
        if was_open {
            // Nobody wanted that: the task ended with its runtime.
            self.link.side.runtime_ended();
        }
    }
}

#[cfg(test)]
mod tests {
    /// Here and not with the other transports, for there child processes are
    /// started, and such a name is taken as long as one has a copy of it.
    #[cfg(all(target_os = "linux", feature = "ipc"))]
    #[tokio::test]
    async fn an_abstract_name_is_free_once_its_socket_is_dropped() {
        let name = format!("ipc://@ferromq-dropped-{}", std::process::id());
        for round in 0..50 {
            let socket = crate::socket::PullSocket::new();
            socket.bind(&*name).await.unwrap_or_else(|error| panic!("{round}: {error}"));
        }
    }
}
