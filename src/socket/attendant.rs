//! [`Attendant`]: the one task of a socket that keeps the time for all of its
//! peers, and sees to what others leave.
//!
//! - **Messages that no receiver takes.** While a peer is listed for receivers,
//!   its octets are theirs to read. If none comes for about a millisecond (where there
//!   is one thread: by the time that all others had their turn), the
//!   peers' tasks read ahead of them, up to the marks; if receivers come but not
//!   to this peer, its task does so after [`PATIENCE`].
//! - **Messages that no task writes.** A sender leaves what it does not write
//!   itself to the connection's task, which runs when the sender awaits; a worker
//!   keeps the task it woke last for itself. If the sender computes instead, the
//!   attendant, on another worker, writes in its place after some milliseconds.
//!   (On `current_thread` there is no other worker.)
//!
//! It has a clock only while there is something to see to, and waits otherwise. The
//! clock runs [slowly](Pace::Slow) as long as somebody was woken who may be trusted
//! to come: in most cases all is done long before that. Short sleeps are dear, and so
//! is starting a clock, so it runs on for a while in traffic.
//! Over inproc there is nothing to see to.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Notify;

use super::core::Core;
use crate::pipe::Line;
use crate::sync::{Lock, Rank};
use crate::tasks::{TaskGuard, let_others_run, spawn_on};

/// The time between two looks.
const TICK: Duration = Duration::from_millis(1);

/// After how many ticks a slow clock looks.
const SLOW_TICKS: u32 = 4;

/// After how many ticks a peer's task reads ahead although receivers come, and
/// so sees its commands.
const PATIENCE: u32 = 20;

/// The same if receivers wait and do not come: they may not be polled.
const PATIENCE_IF_WAITING: u32 = 4;

/// How many peers are handed over at a time.
const AT_ONCE: usize = 1024;

/// How many lines it writes before others get their turn.
const WRITES: usize = 64;

/// How fast the clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Pace {
    /// Not at all.
    Stopped,
    /// Somebody was woken, and will come most likely.
    Slow,
    /// Nobody may come.
    Fast,
}

pub(super) struct Attendant {
    /// Wakes its task when there is something to see to.
    call: Arc<Notify>,
    /// Whether it has a task.
    is_there: AtomicBool,
    /// The [`Pace`] of its clock.
    pace: AtomicU8,
    /// Whether there are other workers than the one that sends.
    may_write: AtomicBool,
    /// How many receives there had been at the last tick of its clock.
    received: AtomicU32,
    /// Lines with something that was left to their tasks.
    left: Lock<Vec<Arc<dyn Line>>>,
    /// The runtimes that serve this socket.
    runtimes: Lock<Vec<Handle>>,
}

impl Default for Attendant {
    fn default() -> Self {
        Self {
            call: Arc::default(),
            is_there: AtomicBool::new(false),
            pace: AtomicU8::new(Pace::Stopped as u8),
            may_write: AtomicBool::new(false),
            received: AtomicU32::new(0),
            left: Lock::new(Rank::Leaf, Vec::new()),
            runtimes: Lock::new(Rank::Leaf, Vec::new()),
        }
    }
}

impl Attendant {
    /// Whether it sees to anything. Sockets that have only inproc peers need no runtime.
    pub(super) fn is_there(&self) -> bool {
        self.is_there.load(Ordering::Relaxed)
    }

    /// There is something to see to: the clock is to run, at least so fast. True if
    /// its task was woken for that.
    #[inline]
    pub(super) fn start(&self, pace: Pace) -> bool {
        // Most times it runs already, which a load finds out at no cost to others.
        self.pace.load(Ordering::SeqCst) < pace as u8 && self.start_clock(pace)
    }

    fn start_clock(&self, pace: Pace) -> bool {
        let pace = pace as u8;
        let starts = self.is_there.load(Ordering::SeqCst)
            && self.pace.fetch_max(pace, Ordering::SeqCst) < pace;
        if starts {
            self.call.notify_one();
        }
        starts
    }

    /// A line is about to be left to its task.
    pub(super) fn note(&self, line: &Arc<dyn Line>) {
        if !(self.may_write.load(Ordering::Relaxed) && line.leave()) {
            return;
        }
        // In this order, or its clock might have stopped in between. And before
        // that task is woken: the task woken last stays where it is, and this one
        // is taken by another worker.
        self.left.lock().push(Arc::clone(line));
        self.start(Pace::Slow);
    }

    /// It has no task any more: nobody looks at what is left.
    fn resign(&self) {
        self.may_write.store(false, Ordering::SeqCst);
        self.pace.store(Pace::Stopped as u8, Ordering::SeqCst);
        self.is_there.store(false, Ordering::SeqCst);
    }

    /// Ends its task.
    pub(super) fn dismiss(&self) {
        self.call.notify_one();
    }
}

impl Core {
    /// This socket is served by the present runtime from now on.
    pub(super) fn attend(&self) {
        let Ok(runtime) = Handle::try_current() else { return };
        {
            let mut runtimes = self.attendant.runtimes.lock();
            if runtimes.iter().all(|known| known.id() != runtime.id()) {
                runtimes.push(runtime.clone());
            }
        }
        self.appoint(&runtime);
    }

    /// Gives the attendant a task in a runtime, unless it has one.
    fn appoint(&self, runtime: &Handle) {
        if self.is_closed() || self.attendant.is_there.swap(true, Ordering::SeqCst) {
            return;
        }
        let is_multi = runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
        self.attendant.may_write.store(is_multi, Ordering::SeqCst);
        let appointed = Appointed {
            core: self.me.clone(),
            call: Arc::clone(&self.attendant.call),
            runtime: runtime.clone(),
            _guards: self.guards(),
        };
        spawn_on(runtime, appointed.run());
        if !self.attendant.left.lock().is_empty() {
            // By a runtime that has ended.
            self.attendant.start(Pace::Slow);
        }
    }

    /// One look, so many ticks after the last.
    pub(super) async fn look_after(&self, ticks: u32) {
        let (was_left, is_left) = self.watch().await;
        let (is_active, is_listed) = self.sweep(ticks);
        if !(is_left || is_listed) {
            self.slow_down((is_active && self.lockstep.is_none()) || was_left);
        }
    }

    /// Writes what was left to tasks that do not come; says whether anything was left,
    /// and whether to watch on.
    async fn watch(&self) -> (bool, bool) {
        let mut count = self.attendant.left.lock().len();
        let (was_left, mut is_left) = (count > 0, false);
        while count > 0 {
            // No more at a time than are looked at before others get their turn: if
            // the runtime ends meanwhile, the rest is still there.
            let lines: Vec<_> = {
                let mut left = self.attendant.left.lock();
                let now = count.min(WRITES).min(left.len());
                left.drain(..now).collect()
            };
            count = count.saturating_sub(WRITES);
            for line in lines.into_iter().filter(|line| line.watch()) {
                is_left = true;
                self.attendant.left.lock().push(line);
            }
            if count > 0 {
                let_others_run().await;
            }
        }
        (was_left, is_left)
    }

    /// Hands peers whose messages no receiver takes to their tasks. Says whether
    /// receivers came since the last time, and whether there are peers that are not
    /// handed over.
    fn sweep(&self, ticks: u32) -> (bool, bool) {
        let attendant = &self.attendant;
        let received = self.receipts.count();
        let is_active = attendant.received.swap(received, Ordering::Relaxed) != received;
        let patience = match (is_active, self.receivers.any()) {
            (true, _) => Some(PATIENCE),
            (false, true) => Some(PATIENCE_IF_WAITING),
            (false, false) => None,
        };
        let (late, is_listed) = {
            let mut ready = self.ready.lock();
            (ready.hand_over(ticks, patience, AT_ONCE), ready.has_listed())
        };
        let in_turns = self.lockstep.is_some();
        if !is_active && !late.is_empty() && !in_turns {
            // Nobody is woken for what the tasks read now, so whoever waits is to
            // look before: it may have been kept from some by those that were woken
            // and are not polled, however many these are.
            self.receivers.wake_all();
        }
        for peer in late {
            peer.line.read_ahead();
        }
        // The one that was woken does not come, so another is to.
        let is_called = in_turns && !is_active && self.call_in_turn();
        if !is_active && is_listed && !in_turns {
            self.receivers.wake_one();
        }
        (is_active, is_listed || is_called)
    }

    /// Where receivers take turns: wakes the next that waits, if something waits for one
    /// and it is a receiver's turn, or it would be an error to it.
    fn call_in_turn(&self) -> bool {
        let is_wanted = !self.ready.lock().is_empty() && self.pattern.is_receivers_turn();
        is_wanted && self.receivers.wake_next()
    }

    /// There is nothing to see to: stops the clock, unless there is something in this
    /// very moment. As long as there is traffic it only slows down, since more will
    /// come. (Where they take turns, receivers need it too seldom.)
    fn slow_down(&self, is_active: bool) {
        let slower = if is_active { Pace::Slow } else { Pace::Stopped };
        self.attendant.pace.store(slower as u8, Ordering::SeqCst);
        if self.ready.lock().has_listed() || !self.attendant.left.lock().is_empty() {
            self.attendant.pace.store(Pace::Fast as u8, Ordering::SeqCst);
        }
    }
}

/// The task of an attendant. However it ends, with its runtime too, another
/// runtime of the socket gets one, if there is another.
struct Appointed {
    core: Weak<Core>,
    call: Arc<Notify>,
    runtime: Handle,
    _guards: [TaskGuard; 2],
}

impl Appointed {
    async fn run(self) {
        loop {
            let pace = match self.core.upgrade() {
                Some(core) if !core.is_closed() => core.attendant.pace.load(Ordering::SeqCst),
                _ => return,
            };
            if pace == Pace::Stopped as u8 {
                self.call.notified().await;
                self.look_at_once().await;
                continue;
            }
            let ticks = self.wait(pace == Pace::Slow as u8).await;
            let Some(core) = self.core.upgrade() else { return };
            core.look_after(ticks).await;
        }
    }

    /// Where there is but one thread, no clock is needed to tell whether a receiver goes
    /// on at once: then it does before this task gets its next turn.
    async fn look_at_once(&self) {
        let Some(core) = self.core.upgrade() else { return };
        let has_others = core.attendant.may_write.load(Ordering::Relaxed)
            || core.attendant.runtimes.lock().len() > 1;
        if core.lockstep.is_some() || has_others {
            return;
        }
        let received = core.receipts.count();
        core.attendant.received.store(received, Ordering::Relaxed);
        tokio::task::yield_now().await;
        if core.receipts.count() == received {
            core.sweep(0);
        }
    }

    /// Waits until it is time for a look; says how many ticks that is.
    async fn wait(&self, is_slow: bool) -> u32 {
        if is_slow {
            // Until somebody hurries it.
            let hurried = tokio::time::timeout(TICK * SLOW_TICKS, self.call.notified());
            if hurried.await.is_err() {
                return SLOW_TICKS;
            }
            self.look_at_once().await;
        }
        tokio::time::sleep(TICK).await;
        1
    }
}

impl Drop for Appointed {
    fn drop(&mut self) {
        let Some(core) = self.core.upgrade() else { return };
        let attendant = &core.attendant;
        attendant.resign();
        let other = {
            let mut runtimes = attendant.runtimes.lock();
            runtimes.retain(|runtime| runtime.id() != self.runtime.id());
            runtimes.first().cloned()
        };
        if let Some(runtime) = other {
            core.appoint(&runtime);
            attendant.start(Pace::Fast);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::options::SocketOptions;
    use crate::routing::testing::FakePeer;
    use crate::socket_type::SocketType;

    fn runtime() -> tokio::runtime::Runtime {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a runtime")
    }

    #[test]
    fn nothing_is_left_to_an_attendant_that_is_gone() {
        let core = Core::new(SocketType::Pub, SocketOptions::new(), &Context::new());
        let runtime = runtime();
        runtime.block_on(async { core.attend() });
        assert!(core.attendant.may_write.load(Ordering::SeqCst));
        drop(runtime);
        core.attendant.note(&FakePeer::accepted(1).line);
        assert!(core.attendant.left.lock().is_empty());
    }
}
