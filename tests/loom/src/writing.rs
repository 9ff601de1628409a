//! Callers that push and the task that writes: whatever they do at the same time,
//! what waits is written by one of them at a time, and nothing is left that nobody
//! was told of.

use loom::sync::{Arc, Mutex};

use crate::handover::{By, Handover, Rest};

/// What waits for a peer, as those see it who meet over it.
pub struct Line {
    outward: Mutex<Outward>,
    /// How many messages were written. Locked while one writes.
    writer: Mutex<usize>,
    /// Whether the task was rung for.
    rung: Mutex<bool>,
}

#[derive(Default)]
struct Outward {
    queued: usize,
    handover: Handover,
}

impl Line {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            outward: Mutex::new(Outward::default()),
            writer: Mutex::new(0),
            rung: Mutex::new(false),
        })
    }

    /// Pushes a message, then writes it or rings for the task.
    pub fn send(&self, writes: bool, blocks: bool) {
        let tell = {
            let mut outward = self.outward.lock().unwrap();
            outward.queued += 1;
            outward.handover.push()
        };
        if tell && !(writes && self.write(By::Caller, blocks)) {
            *self.rung.lock().unwrap() = true;
        }
    }

    /// The task does what it was rung for.
    pub fn serve(&self) {
        if std::mem::take(&mut *self.rung.lock().unwrap()) {
            self.write(By::Task, false);
        }
    }

    /// Says whether whoever wrote left nothing to the task.
    fn write(&self, by: By, blocks: bool) -> bool {
        if !self.outward.lock().unwrap().handover.claim(by) {
            // Somebody else is at it and will look, or the task waits.
            return true;
        }
        let mut written = self.writer.try_lock().expect("one writes at a time");
        loop {
            let taken = std::mem::take(&mut self.outward.lock().unwrap().queued);
            if taken == 0 || blocks {
                // What was taken by one whose transport is full is still its own,
                // and written later.
                *written += taken;
                break;
            }
            *written += taken;
        }
        drop(written);
        let how = if blocks { Rest::Blocked } else { Rest::Done };
        let tell = {
            let mut outward = self.outward.lock().unwrap();
            let is_empty = outward.queued == 0;
            outward.handover.rest(how, is_empty)
        };
        if tell {
            *self.rung.lock().unwrap() = true;
        }
        !tell
    }

    /// What must hold when all have stopped.
    pub fn check(&self, sent: usize) {
        let outward = self.outward.lock().unwrap();
        let written = *self.writer.lock().unwrap();
        assert_eq!(outward.queued + written, sent, "nothing is lost or doubled");
        let rung = *self.rung.lock().unwrap();
        assert!(outward.queued == 0 || rung, "what waits is known to the task");
    }
}
