//! [`World`]: runs the futures of a simulation, whoever is woken in any order.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

use super::ledger::Books;
use super::network::Net;
use super::rng::Rng;
use crate::tasks::adopted::{self, Task};

/// More steps than that without any time going by is running in circles.
const STEPS: usize = 200_000;

/// Futures, and which of them are woken.
pub(super) struct World {
    net: Net,
    rng: Rng,
    tasks: Vec<Entry>,
    woken: Arc<Woken>,
    steps: usize,
    books: Books,
    /// Whether nothing has moved since the runtime last had its turn.
    is_quiet: bool,
}

struct Entry {
    name: String,
    /// `None` once it has ended.
    task: Option<Task>,
    waker: Waker,
}

#[derive(Default)]
struct Woken(Mutex<WokenState>);

#[derive(Default)]
struct WokenState {
    tasks: Vec<usize>,
    world: Option<Waker>,
}

struct TaskWaker {
    task: usize,
    woken: Arc<Woken>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let world = {
            let mut woken = self.woken.0.lock().unwrap();
            if !woken.tasks.contains(&self.task) {
                woken.tasks.push(self.task);
            }
            woken.world.take()
        };
        if let Some(world) = world {
            world.wake();
        }
    }
}

/// How running has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    /// What it was run for has come about.
    Done,
    /// The time was up.
    Late,
}

impl World {
    pub(super) fn new(net: Net, rng: Rng, books: Books) -> Self {
        let (tasks, woken) = (Vec::new(), Arc::default());
        Self { net, rng, tasks, woken, steps: 0, books, is_quiet: false }
    }

    pub(super) fn spawn(
        &mut self,
        name: impl Into<String>,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.add(name.into(), Box::pin(task));
    }

    fn add(&mut self, name: String, task: Task) {
        let index = self.tasks.len();
        let waker = TaskWaker { task: index, woken: Arc::clone(&self.woken) };
        self.woken.0.lock().unwrap().tasks.push(index);
        self.tasks.push(Entry { name, task: Some(task), waker: Waker::from(Arc::new(waker)) });
    }

    /// The tasks that have not ended.
    pub(super) fn running(&self) -> impl Iterator<Item = &str> {
        self.tasks.iter().filter(|entry| entry.task.is_some()).map(|entry| entry.name.as_str())
    }

    /// How many steps it took so far.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// Runs until `done`, which is asked when nothing moves, or the time is up.
    pub(super) async fn run(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&Self) -> bool,
    ) -> Ran {
        let limit = Instant::now() + limit;
        let mut timer = Box::pin(sleep_until(limit));
        unconstrained(poll_fn(|cx| {
            if self.steps_in_a_moment() || !self.is_quiet {
                // What yields is woken by the runtime, which may have tasks of
                // its own, too.
                self.is_quiet = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.books.check_waiting().unwrap_or_else(|fault| {
                panic!("{fault}\n{}", self.books.report());
            });
            if done(self) {
                return Poll::Ready(Ran::Done);
            }
            if Instant::now() >= limit {
                return Poll::Ready(Ran::Late);
            }
            self.woken.0.lock().unwrap().world = Some(cx.waker().clone());
            self.is_quiet = false;
            self.wait(timer.as_mut(), limit, cx)
        }))
        .await
    }

    fn wait(
        &self,
        mut timer: std::pin::Pin<&mut Sleep>,
        limit: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Ran> {
        let next = self.net.next_time().map_or(limit, |next| next.min(limit));
        timer.as_mut().reset(next);
        if timer.poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn has_work(&self) -> bool {
        !self.woken.0.lock().unwrap().tasks.is_empty() || self.net.has_wakers()
    }

    /// Takes steps until nothing moves; false if there were none to take.
    fn steps_in_a_moment(&mut self) -> bool {
        for step in 0..STEPS {
            if !self.step() {
                return step > 0;
            }
            self.steps += 1;
        }
        let running: Vec<_> = self.running().collect();
        panic!("it runs in circles: {running:?}");
    }

    /// Does one thing of those that can be done; false if there is none.
    fn step(&mut self) -> bool {
        for task in adopted::take() {
            self.add("engine".into(), task);
        }
        match self.rng.within(0..=9) {
            0..=1 => self.net.happen() || self.poll_woken() || self.net.wake(),
            2..=4 => self.net.wake() || self.poll_woken() || self.net.happen(),
            5 if self.rng.one_in(4) && self.has_work() => self.poll_any(),
            _ => self.poll_woken() || self.net.wake() || self.net.happen(),
        }
    }

    fn poll_woken(&mut self) -> bool {
        let task = {
            let mut woken = self.woken.0.lock().unwrap();
            match woken.tasks.len() {
                0 => return false,
                count => woken.tasks.swap_remove(self.rng.within(0..=count - 1)),
            }
        };
        self.poll(task);
        true
    }

    /// Polls a task that may not have been woken.
    fn poll_any(&mut self) -> bool {
        let task = self.rng.within(0..=self.tasks.len() - 1);
        self.poll(task);
        true
    }

    fn poll(&mut self, index: usize) {
        let entry = &mut self.tasks[index];
        let Some(mut task) = entry.task.take() else { return };
        if self.net.traces {
            println!("{:?} poll {index} {}", Instant::now(), entry.name);
        }
        let mut cx = Context::from_waker(&entry.waker);
        match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut cx))) {
            Ok(Poll::Pending) => entry.task = Some(task),
            Ok(Poll::Ready(())) => drop(task),
            Err(panic) => {
                // What is dropped now could panic as well, and end the process
                // before the seed is told.
                std::mem::forget((task, std::mem::take(&mut self.tasks)));
                resume_unwind(panic);
            }
        }
    }
}
