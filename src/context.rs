//! [`Context`]: the sockets that can reach each other over `inproc://`.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use crate::inproc::Registry;
use crate::tasks::Tasks;

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
#[derive(Clone, Default)]
pub struct Context(Arc<Inner>);

#[derive(Default)]
struct Inner {
    registry: Registry,
    tasks: Tasks,
    /// How many reads there were, of all its sockets.
    reads: AtomicU32,
}

impl Context {
    /// A context that shares nothing with any other.
    pub fn new() -> Self {
        Self::default()
    }

    /// The context of sockets that were not given one.
    pub fn global() -> &'static Self {
        static GLOBAL: OnceLock<Context> = OnceLock::new();
        GLOBAL.get_or_init(Self::new)
    }

    /// How many reads of receivers there were so far. Between two moments it tells how
    /// busy its sockets are.
    pub(crate) fn reads(&self) -> u32 {
        self.0.reads.load(Ordering::Relaxed)
    }

    /// There is one more; says how many there were before.
    pub(crate) fn note_read(&self) -> u32 {
        self.0.reads.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits until no socket of this context has anything left to do: all are
    /// closed or dropped, and what they had accepted is delivered or given up
    /// after their linger (`zmq_ctx_term`).
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
        self.0.tasks.wait().await;
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}
