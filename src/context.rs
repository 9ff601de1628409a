//! [`Context`]: the sockets that can reach each other over `inproc://`, and where their
//! I/O is done.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use crate::inproc::Registry;
use crate::tasks::Tasks;
#[cfg(feature = "threads")]
use crate::threads::{Io, Threads};

/// A name space for `inproc://` endpoints, and the sockets made in it.
///
/// Ordinary programs need none: sockets are made in the default context. A
/// context of its own isolates a part of a program, or a test.
///
/// ```
/// use ferromq::{Context, PairSocket, SocketOptions};
///
/// let context = Context::new();
/// let pair = PairSocket::new_in(&context, SocketOptions::new());
/// ```
///
/// # Who does the I/O
/// The connections of a socket are tasks of the tokio runtime in which it was bound or
/// connected: they end with it, and what was not written by then is lost. Where that does
/// not suit (a plain `fn main`, another executor, tasks that compute and do not await) a
#[cfg_attr(feature = "threads", doc = "context [with threads](Self::with_threads)")]
#[cfg_attr(not(feature = "threads"), doc = "context with threads (feature `threads`)")]
/// does the I/O of its sockets itself, and sees to it that what they have accepted goes
/// out before the program ends.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
    /// Whoever has it, and be it as a socket, keeps the threads running. Those who work
    /// for sockets do without, or there would be no end.
    #[cfg(feature = "threads")]
    #[allow(dead_code, reason = "it is there to be dropped")]
    threads: Option<Arc<Threads>>,
}

#[derive(Default)]
struct Inner {
    registry: Registry,
    tasks: Tasks,
    /// How many reads there were, of all its sockets.
    reads: AtomicU32,
    sockets: Sockets,
    is_shut: AtomicBool,
    /// Where connections are served, if not where they are made.
    #[cfg(feature = "threads")]
    io: Option<Io>,
}

/// A socket, as its context knows it.
pub(crate) trait Shut: Send + Sync {
    /// Closes it, without waiting for what it has accepted.
    fn shut(&self);
}

impl Context {
    /// A context that shares nothing with any other.
    pub fn new() -> Self {
        Self::from(Inner::default())
    }

    /// A context that does the I/O of its sockets on so many threads of its own, at
    /// least one (`ZMQ_IO_THREADS`, which is 1 there). Its sockets work wherever they are
    /// used: in any executor, in a plain `fn main` with
    /// [`blocking`](crate::blocking), in a task that never awaits; and they outlive
    /// the runtime of the caller.
    ///
    /// When the last handle is dropped, of the context and of its sockets, that waits until
    /// what they have accepted has gone out: for as long as their
    /// [`linger`](crate::SocketOptions::linger) says, but 5 s at most, so that no program
    /// hangs as it ends. What is left is logged at `warn`, with counts.
    ///
    /// ```
    /// use ferromq::{Context, PullSocket, PushSocket, SocketOptions};
    ///
    /// # fn block_on<F: Future>(f: F) -> F::Output {
    /// #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(f)
    /// # }
    /// let context = Context::with_threads(1)?;
    /// let pull = PullSocket::new_in(&context, SocketOptions::new());
    /// let push = PushSocket::new_in(&context, SocketOptions::new());
    /// // `block_on` of any executor: it needs no tokio.
    /// block_on(async {
    ///     push.connect(pull.bind("tcp://127.0.0.1:0").await?)?;
    ///     push.send("hello").await?;
    ///     assert_eq!(pull.recv().await?, "hello".into());
    ///     Ok::<_, ferromq::Error>(())
    /// }).unwrap();
    /// # Ok::<_, std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the system does not give us the threads.
    #[cfg(feature = "threads")]
    #[doc(alias = "ZMQ_IO_THREADS")]
    pub fn with_threads(threads: usize) -> std::io::Result<Self> {
        let tasks = Tasks::default();
        let threads = Threads::start(threads.max(1), tasks.clone())?;
        let inner = Inner { tasks, io: Some(threads.io()), ..Inner::default() };
        Ok(Self { threads: Some(Arc::new(threads)), ..Self::from(inner) })
    }

    /// The context of sockets that were not given one.
    pub fn global() -> &'static Self {
        static GLOBAL: OnceLock<Context> = OnceLock::new();
        GLOBAL.get_or_init(Self::new)
    }

    /// Closes all its sockets, those that are yet to be made as well: from now on every
    /// call on one of them fails at once, and so do those that wait. What was accepted
    /// still goes out under linger (`zmq_ctx_shutdown`).
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use ferromq::{Context, PullSocket, RecvError, SocketOptions};
    ///
    /// let context = Context::new();
    /// let pull = PullSocket::new_in(&context, SocketOptions::new());
    /// let receiving = tokio::spawn(async move { pull.recv().await });
    /// context.shutdown();
    /// assert!(matches!(receiving.await, Ok(Err(RecvError::Closed))));
    /// # });
    /// ```
    #[doc(alias = "zmq_ctx_shutdown")]
    pub fn shutdown(&self) {
        self.inner.is_shut.store(true, Ordering::SeqCst);
        self.inner.sockets.shut();
    }

    /// Closes all its sockets and waits until what they had accepted is delivered, or
    /// given up after their linger: [`shutdown`](Self::shutdown), then
    /// [`wait_closed`](Self::wait_closed) (`zmq_ctx_term`).
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use ferromq::{Context, PushSocket, SocketOptions};
    ///
    /// let context = Context::new();
    /// let push = PushSocket::new_in(&context, SocketOptions::new());
    /// push.bind("tcp://127.0.0.1:0").await?;
    /// context.close().await;
    /// # Ok::<_, ferromq::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// Once polled, the sockets are closed; dropping the future leaves the rest to the
    /// background.
    #[doc(alias = "zmq_ctx_term")]
    pub async fn close(&self) {
        self.shutdown();
        self.wait_closed().await;
    }

    /// Waits until no socket of this context has anything left to do: all are
    /// closed or dropped, and what they had accepted is delivered or given up
    /// after their linger.
    ///
    /// With a socket that is open and bound or connected it waits for ever.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use ferromq::{Context, PushSocket, SocketOptions};
    ///
    /// let context = Context::new();
    /// let push = PushSocket::new_in(&context, SocketOptions::new());
    /// push.bind("tcp://127.0.0.1:0").await?;
    /// drop(push);
    /// context.wait_closed().await;
    /// # Ok::<_, ferromq::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn wait_closed(&self) {
        self.inner.tasks.wait().await;
    }

    /// The same context for those who work for its sockets: it keeps no threads running.
    pub(crate) fn unowned(&self) -> Self {
        Self::from_inner(Arc::clone(&self.inner))
    }

    /// Makes a socket known to it. Ask then whether it [is shut](Self::is_shut): whoever
    /// shuts it down later sees the socket.
    pub(crate) fn enroll(&self, socket: Weak<dyn Shut>) -> Enrolled {
        Enrolled { of: Arc::clone(&self.inner), number: self.inner.sockets.add(socket) }
    }

    /// Whether it was shut down.
    pub(crate) fn is_shut(&self) -> bool {
        self.inner.is_shut.load(Ordering::SeqCst)
    }

    /// How many reads of receivers there were so far. Between two moments it tells how
    /// busy its sockets are.
    pub(crate) fn reads(&self) -> u32 {
        self.inner.reads.load(Ordering::Relaxed)
    }

    /// There is one more; says how many there were before.
    pub(crate) fn note_read(&self) -> u32 {
        self.inner.reads.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.inner.tasks
    }

    /// Does something that starts tasks or uses a transport where this context does its
    /// I/O, which may be where we are.
    pub(crate) fn at_io<T>(&self, act: impl FnOnce() -> T) -> T {
        #[cfg(feature = "threads")]
        let _entered = self.inner.io.as_ref().map(Io::enter);
        act()
    }

    /// The same for what has to be awaited.
    pub(crate) async fn await_at_io<T>(&self, act: impl Future<Output = T>) -> T {
        let mut act = pin!(act);
        poll_fn(|cx| self.at_io(|| act.as_mut().poll(cx))).await
    }

    fn from_inner(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            #[cfg(feature = "threads")]
            threads: None,
        }
    }
}

impl From<Inner> for Context {
    fn from(inner: Inner) -> Self {
        Self::from_inner(Arc::new(inner))
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

/// The sockets of a context. Not in the order of locks: a socket may end wherever the last
/// who has it is, and takes itself off. Nothing else is locked or dropped meanwhile.
#[derive(Default)]
struct Sockets(Mutex<Numbered>);

#[derive(Default)]
struct Numbered {
    next: u64,
    sockets: BTreeMap<u64, Weak<dyn Shut>>,
}

impl Sockets {
    fn lock(&self) -> MutexGuard<'_, Numbered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, socket: Weak<dyn Shut>) -> u64 {
        let mut numbered = self.lock();
        let number = numbered.next;
        numbered.next += 1;
        numbered.sockets.insert(number, socket);
        number
    }

    fn shut(&self) {
        let sockets: Vec<_> = self.lock().sockets.values().cloned().collect();
        for socket in sockets.iter().filter_map(Weak::upgrade) {
            socket.shut();
        }
    }
}

/// A socket is known to its context as long as it has this: what is left of one that has
/// ended would keep its memory.
pub(crate) struct Enrolled {
    of: Arc<Inner>,
    number: u64,
}

impl Drop for Enrolled {
    fn drop(&mut self) {
        let gone = self.of.sockets.lock().sockets.remove(&self.number);
        drop(gone);
    }
}
