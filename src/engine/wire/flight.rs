//! [`Flight`]: a batch on its way to the transport, and what waits for it.

use std::io::IoSlice;

use crate::zmtp::{self, Encoded, Sending};

/// Octets that a session has to write, and what others know of them.
///
/// Commands belong to the session and are lost with it. Messages do not: those
/// of which nothing was written go back to be written on the next one.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    batch: zmtp::Flight,
    /// Whether a PING is among the commands that are not all written.
    has_ping: bool,
    /// Whether there is more in it than a PING and a PONG.
    is_awaited: bool,
    /// Whether a request is in it, whose reply is yet to come.
    is_request: bool,
}

/// What a write got done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// How many messages are wholly written with it.
    pub(crate) messages: usize,
    pub(crate) octets: usize,
    /// Whether a PING is.
    pub(crate) ping: bool,
}

/// What is put into a flight besides messages.
pub(super) struct Cargo {
    pub(super) has_ping: bool,
    pub(super) is_awaited: bool,
    pub(super) is_request: bool,
}

impl Flight {
    /// Takes all that `queue` holds. All of the former batch must be written.
    pub(super) fn load(&mut self, queue: &mut Encoded) {
        self.batch.load(queue);
    }

    /// Where commands go, after [`load`](Self::load).
    pub(super) fn commands(&mut self) -> &mut Vec<u8> {
        self.batch.commands()
    }

    /// Says what is in it, at the end of loading.
    pub(super) fn label(&mut self, cargo: &Cargo) {
        self.has_ping = cargo.has_ping;
        self.is_awaited = cargo.is_awaited;
        self.is_request = cargo.is_request;
    }

    /// How many messages are not wholly written yet.
    pub(super) fn messages(&self) -> usize {
        self.batch.messages()
    }

    /// The octets of these messages, before they are sealed.
    pub(super) fn octets(&self) -> usize {
        self.batch.octets()
    }

    /// Whether closing waits for it.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_awaited && !self.is_written()
    }

    /// Whether all of it is written.
    pub(crate) fn is_written(&self) -> bool {
        self.batch.is_written()
    }

    /// Whether what is left to write is at most two pieces of memory.
    pub(crate) fn is_few_pieces(&self) -> bool {
        self.batch.is_few_pieces()
    }

    /// How many octets of commands are in it.
    pub(crate) fn command_octets(&self) -> usize {
        self.batch.command_octets()
    }

    /// Whether a request is in it.
    pub(crate) fn is_request(&self) -> bool {
        self.is_request
    }

    /// Fills `slices` with what is to be written next, sealed if the session
    /// seals; says how many it filled.
    pub(crate) fn chunks<'a>(
        &'a mut self,
        sending: &mut Sending,
        slices: &mut [IoSlice<'a>],
    ) -> usize {
        sending.chunks_vectored(&mut self.batch, slices)
    }

    /// Notes that the next `count` octets are written.
    pub(crate) fn advance(&mut self, count: usize) -> Progress {
        let messages = self.batch.advance(count);
        let ping = self.has_ping && !self.batch.has_commands();
        self.has_ping &= !ping;
        Progress { messages, octets: count, ping }
    }

    /// After the connection broke: the messages that can go out on the next one,
    /// and whether one was cut, which is not among them.
    pub(super) fn recover(self) -> (Encoded, bool) {
        self.batch.recover()
    }

    /// There is nothing more to write for now: gives memory back.
    pub(crate) fn rest(&mut self) {
        self.batch.rest();
    }
}
