//! [`listen`]: accepts connections on one endpoint.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::select;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{debug, warn};

use super::connection::TakenIn;
use super::meeting::Role;
use super::nudge::nudge;
use super::places::Places;
use crate::monitor::{DisconnectReason, MonitorEvent};
use crate::pipe::Link;
use crate::sync::{Lock, Rank};
use crate::tasks::{TaskGuard, Tasks, spawn};
use crate::transport::{Listener, Origin, Stream};

/// How many handshakes of one listener may be under way.
const PENDING: usize = 1024;

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
            match self.door.accept().await {
                Ok(stream) => {
                    self.pause = ACCEPT_AGAIN;
                    self.serve(stream);
                }
                Err(error) => self.recover(error).await,
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
        Ok(taken_in) => Some(taken_in),
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

/// One of the handshakes under way. It is none any more once this is dropped, however
/// its task ends.
struct Entry {
    of: Arc<Lock<Pending>>,
    number: u64,
    evicted: oneshot::Receiver<()>,
}

impl Entry {
    fn new(pending: &Arc<Lock<Pending>>, origin: Origin) -> Self {
        let (number, evicted) = pending.lock().enter(origin);
        Self { of: Arc::clone(pending), number, evicted }
    }

    /// Waits until the handshake has to end: why.
    async fn given_up(&mut self) -> DisconnectReason {
        match (&mut self.evicted).await {
            Ok(()) => DisconnectReason::TooManyPending,
            Err(_) => DisconnectReason::ByUs,
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.of.lock().leave(self.number);
    }
}

/// The handshakes under way, oldest first.
///
/// When there are too many, the oldest of the address that has most of them is
/// given up: whoever floods us pays, and a newcomer is never turned away.
#[derive(Default)]
struct Pending {
    next: u64,
    entries: VecDeque<(u64, Origin, oneshot::Sender<()>)>,
    by_origin: HashMap<Origin, usize>,
}

impl Pending {
    fn enter(&mut self, origin: Origin) -> (u64, oneshot::Receiver<()>) {
        if self.entries.len() >= PENDING {
            self.evict();
        }
        let (evict, evicted) = oneshot::channel();
        let number = self.next;
        self.next += 1;
        *self.by_origin.entry(origin).or_default() += 1;
        self.entries.push_back((number, origin, evict));
        (number, evicted)
    }

    fn leave(&mut self, number: u64) {
        if let Ok(index) = self.entries.binary_search_by_key(&number, |entry| entry.0) {
            self.remove(index);
        }
    }

    fn evict(&mut self) {
        let Some((origin, _)) = self.by_origin.iter().max_by_key(|(_, count)| **count) else {
            return;
        };
        if let Some(index) = self.entries.iter().position(|entry| entry.1 == *origin) {
            debug!(?origin, "too many handshakes are pending");
            if let Some(evict) = self.remove(index) {
                // It may have ended by itself.
                let _ = evict.send(());
            }
        }
    }

    /// Removes an entry. Its sender says that there were too many; dropping it
    /// ends the handshake since the listener ends.
    fn remove(&mut self, index: usize) -> Option<oneshot::Sender<()>> {
        let (_, origin, evict) = self.entries.remove(index)?;
        if let Some(count) = self.by_origin.get_mut(&origin) {
            *count -= 1;
            if *count == 0 {
                self.by_origin.remove(&origin);
            }
        }
        Some(evict)
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.by_origin.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn address(last: u8) -> Origin {
        Origin::Tcp(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)))
    }

    #[test]
    fn the_oldest_of_whoever_floods_is_given_up() {
        let mut pending = Pending::default();
        let (_, mut honest) = pending.enter(address(1));
        let mut flood: Vec<_> = (1..PENDING).map(|_| pending.enter(address(2)).1).collect();
        let (_, mut newcomer) = pending.enter(address(3));
        assert_eq!(flood[0].try_recv(), Ok(()));
        for kept in [&mut honest, &mut newcomer, &mut flood[1]] {
            assert_eq!(kept.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        }
        assert_eq!(pending.entries.len(), PENDING);
    }

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

    #[test]
    fn a_handshake_that_is_done_no_longer_counts() {
        let pending = Arc::new(Lock::new(Rank::Leaf, Pending::default()));
        drop(Entry::new(&pending, address(1)));
        // Also if its task does not get to say so.
        let entry = Entry::new(&pending, address(1));
        let panics = std::panic::AssertUnwindSafe(|| {
            let _entry = entry;
            panic!("on purpose");
        });
        std::panic::catch_unwind(panics).unwrap_err();
        // And one that was given up before does not count twice.
        let entry = Entry::new(&pending, address(1));
        let _kept = Entry::new(&pending, address(1));
        pending.lock().evict();
        drop(entry);
        let pending = pending.lock();
        assert_eq!((pending.entries.len(), pending.by_origin[&address(1)]), (1, 1));
    }
}
