//! [`StreamPipe`]: both ends of the way to one peer over a byte stream.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::inbox::Inbox;
use super::link::Link;
use super::outbox::Outbox;
use super::session::Request;
use super::writer::Writer;
use crate::message::Message;
use crate::peer::{DropCause, Subscription};
use crate::pipe::{Bell, Inlet, NeedsFlush, Next, Outlet, PeerKey, Pipe, Refused, SocketSide};
use crate::socket_type::SocketType;

/// What the patterns push into and read from, and the connection's task works
/// on. It lives as long as its endpoint (one that we dial) or its connection
/// (one that we accepted, or dialled with `immediate`).
pub(super) struct StreamPipe {
    pub(super) key: PeerKey,
    pub(super) side: Weak<dyn SocketSide>,
    pub(super) outbox: Outbox,
    pub(super) inbox: Inbox,
    /// Wakes the one task that serves this pipe.
    pub(super) bell: Bell,
    /// Read ahead now: octets came and no receiver waits.
    pub(super) pump: AtomicBool,
    /// Look after the inbox from time to time.
    pub(super) watch: AtomicBool,
    /// The socket does not want this peer any more.
    pub(super) rejected: AtomicBool,
    /// After how much silence the peer asked to be given up.
    peer_ttl: Mutex<Option<Duration>>,
    /// Whether messages are read as they come, not when somebody receives.
    pub(super) reads_at_once: bool,
    /// The sending half of the session that is up. Locked while a batch is
    /// written, which never waits.
    writer: Mutex<Option<Writer>>,
    /// REQ and REP: `send` writes by itself when nothing is under way.
    writes_at_once: bool,
    /// REQ: what comes before a request is written is no reply to it, so it is
    /// dropped when that happens, and nothing is received until then.
    pub(super) asks: bool,
}

impl StreamPipe {
    pub(super) fn new(link: &Link) -> Arc<Self> {
        let (side, options) = (&link.side, &*link.options);
        Arc::new(Self {
            key: PeerKey::unique(),
            side: Arc::downgrade(side),
            outbox: Outbox::new(options),
            inbox: Inbox::new(options),
            bell: Bell::default(),
            pump: AtomicBool::new(false),
            watch: AtomicBool::new(false),
            rejected: AtomicBool::new(false),
            peer_ttl: Mutex::default(),
            reads_at_once: options.conflate || side.takes_at_once(),
            writer: Mutex::default(),
            writes_at_once: matches!(link.socket_type, SocketType::Req | SocketType::Rep),
            asks: link.socket_type == SocketType::Req,
        })
    }

    /// This pipe as a pattern sees it.
    pub(super) fn as_pipe(self: &Arc<Self>) -> Pipe {
        Pipe {
            key: self.key,
            outlet: Arc::clone(self) as Arc<dyn Outlet>,
            inlet: Arc::clone(self) as Arc<dyn Inlet>,
        }
    }

    /// The waker that this pipe's transport is read with.
    pub(super) fn read_waker(self: &Arc<Self>, armed: Arc<AtomicBool>) -> Waker {
        Waker::from(Arc::new(ReadWaker { pipe: Arc::downgrade(self), armed }))
    }

    /// Acts on what came in beside messages. Called under the inbox's lock.
    pub(super) fn on_request(&self, request: Request) {
        match request {
            Request::Pong(context) => {
                if self.outbox.pong(context) == NeedsFlush::No {
                    return;
                }
            }
            Request::Ttl(ttl) => {
                let mut known = self.peer_ttl.lock().unwrap_or_else(PoisonError::into_inner);
                if known.replace(ttl) == Some(ttl) {
                    return;
                }
            }
            Request::Ended => {}
            Request::Watch => self.watch.store(true, Ordering::SeqCst),
        }
        self.bell.ring();
    }

    /// A new connection: the peer has asked for nothing yet, and it is not the
    /// one that was rejected.
    pub(super) fn session_up(&self) {
        *self.peer_ttl.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.rejected.store(false, Ordering::SeqCst);
        self.outbox.session_up();
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what was pushed, unless the connection's task is at it, has yet to
    /// finish a batch, or the transport takes no more. Says whether all is out.
    fn write_now(&self) -> bool {
        let Ok(mut writer) = self.writer.try_lock() else { return false };
        let Some(writer) = writer.as_mut().filter(|writer| writer.is_idle()) else { return false };
        let Some(side) = self.side.upgrade() else { return false };
        // If the transport takes no more, the task will ask it again and wait.
        let mut cx = Context::from_waker(Waker::noop());
        matches!(writer.poll_write(self, &*side, &mut cx), Poll::Ready(Ok(())))
    }

    pub(super) fn peer_ttl(&self) -> Option<Duration> {
        *self.peer_ttl.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts lost messages, if any and if anybody is left to count them.
    pub(super) fn lost(&self, cause: DropCause, count: usize) {
        if count == 0 {
            return;
        }
        if let Some(side) = self.side.upgrade() {
            side.lost(cause, count);
        }
    }
}

impl Outlet for StreamPipe {
    fn has_room(&self) -> bool {
        self.outbox.has_room()
    }

    fn push(&self, message: Message) -> Result<NeedsFlush, Refused> {
        self.outbox.push(message)
    }

    fn control(&self, subscription: Subscription) -> NeedsFlush {
        self.outbox.control(subscription)
    }

    fn flush(&self) {
        if !(self.writes_at_once && self.write_now()) {
            self.bell.ring();
        }
    }

    fn close(&self, deadline: Option<Instant>) {
        self.outbox.close(deadline);
        self.bell.ring();
    }

    fn reject(&self) {
        self.rejected.store(true, Ordering::SeqCst);
        self.bell.ring();
    }
}

impl Inlet for StreamPipe {
    fn try_next(&self) -> Next {
        if self.asks && self.outbox.has_unsent() {
            return Next::Empty;
        }
        self.inbox.try_next(&mut |request| self.on_request(request))
    }

    fn try_batch(&self, rest: &mut VecDeque<Message>) -> Next {
        self.inbox.try_batch(rest, &mut |request| self.on_request(request))
    }

    fn is_spent(&self) -> bool {
        self.inbox.is_spent()
    }

    fn leave(&self) {
        self.inbox.watch(&mut |request| self.on_request(request));
    }

    fn discard(&self) -> usize {
        self.inbox.discard()
    }
}

/// What a transport calls when it has octets: the receiver that waits, or else
/// the connection's task.
///
/// It holds the pipe weakly, since the transport, which the pipe owns, holds it.
struct ReadWaker {
    pipe: Weak<StreamPipe>,
    armed: Arc<AtomicBool>,
}

impl Wake for ReadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.armed.store(false, Ordering::SeqCst);
        let Some(pipe) = self.pipe.upgrade() else { return };
        let side = if pipe.reads_at_once { None } else { pipe.side.upgrade() };
        let received = side.is_some_and(|side| side.readable(pipe.key));
        if !received {
            pipe.pump.store(true, Ordering::SeqCst);
            pipe.bell.ring();
        }
    }
}
