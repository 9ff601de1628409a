//! A transport, its peer's task, a sweep and a receiver: whatever they do at the
//! same time, octets that came lie unread only where somebody knows of them, and a
//! peer is in the list once.

use std::collections::VecDeque;

use loom::sync::{Arc, Mutex};

use crate::duty::{Duty, Who};

/// A peer as those see it who meet over it.
pub struct Peer {
    duty: Duty,
    transport: Mutex<Transport>,
    /// Read ahead of the receivers.
    ahead: Mutex<usize>,
    /// The socket's list of peers with something to read. There is one peer.
    list: Mutex<VecDeque<()>>,
    /// How often the task was rung for, and has not come yet.
    rung: Mutex<usize>,
}

#[derive(Default)]
struct Transport {
    unread: usize,
    /// Whether it will report what comes.
    is_armed: bool,
}

impl Peer {
    /// A peer whose transport is armed and has nothing.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            duty: Duty::of_receivers(),
            transport: Mutex::new(Transport { unread: 0, is_armed: true }),
            ahead: Mutex::new(0),
            list: Mutex::new(VecDeque::new()),
            rung: Mutex::new(0),
        })
    }

    /// Octets come.
    pub fn arrive(&self) {
        let fires = {
            let mut transport = self.transport.lock().unwrap();
            transport.unread += 1;
            std::mem::take(&mut transport.is_armed)
        };
        if fires {
            self.event();
        }
    }

    fn event(&self) {
        match self.duty.event() {
            Who::Receivers => self.list.lock().unwrap().push_back(()),
            Who::Task => *self.rung.lock().unwrap() += 1,
            Who::Nobody => {}
        }
    }

    /// Reads once; with nothing there, the transport is armed.
    fn poll_read(&self) -> usize {
        let mut transport = self.transport.lock().unwrap();
        let read = std::mem::take(&mut transport.unread);
        transport.is_armed = read == 0;
        read
    }

    /// A receiver looks once; says how much it got.
    pub fn receive(&self) -> usize {
        if self.list.lock().unwrap().pop_front().is_none() {
            return 0;
        }
        self.duty.take();
        let mut got = std::mem::take(&mut *self.ahead.lock().unwrap());
        let read = self.poll_read();
        got += read;
        if self.duty.give_back(read > 0) {
            self.list.lock().unwrap().push_back(());
        }
        got
    }

    /// The sweep hands the peer to its task.
    pub fn sweep(&self) {
        if self.duty.hand_over() {
            *self.rung.lock().unwrap() += 1;
        }
    }

    /// The task does what it was rung for.
    pub fn serve(&self) {
        if std::mem::take(&mut *self.rung.lock().unwrap()) == 0 || !self.duty.is_ahead() {
            return;
        }
        loop {
            let mut ahead = self.ahead.lock().unwrap();
            let read = self.poll_read();
            *ahead += read;
            drop(ahead);
            if read == 0 {
                return;
            }
            if self.duty.found() {
                self.list.lock().unwrap().push_back(());
            }
        }
    }

    /// What must hold when all have stopped: `came` octets, of which receivers
    /// `got` some.
    pub fn check(&self, came: usize, got: usize) {
        let unread = self.transport.lock().unwrap().unread;
        let ahead = *self.ahead.lock().unwrap();
        let listed = self.list.lock().unwrap().len();
        let rung = *self.rung.lock().unwrap();
        assert_eq!(unread + ahead + got, came, "octets are neither lost nor doubled");
        assert!(listed <= 1, "a peer is listed once");
        assert!(ahead == 0 || listed == 1, "what was read ahead is known to receivers");
        assert!(unread == 0 || listed == 1 || rung > 0, "what is unread is known to somebody");
    }
}
