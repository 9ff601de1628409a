//! [`Flight`]: a batch on its way to the transport.

use std::io::IoSlice;

use crate::zmtp::Encoded;

/// Octets that a session has to write: commands first, then messages.
///
/// Commands belong to the session and are lost with it. Messages do not: those
/// of which nothing was written go back to be written on the next one.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    pub(super) commands: Vec<u8>,
    commands_written: usize,
    pub(super) messages: Encoded,
    /// Where a PING among the commands ends.
    pub(super) ping_end: Option<usize>,
    /// Whether there is more in it than a PING and a PONG.
    pub(super) is_awaited: bool,
    /// Whether a request is in it, whose reply is yet to come.
    pub(super) is_request: bool,
}

/// What a write got done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// How many messages are wholly written with it.
    pub(crate) messages: usize,
    /// Whether a PING is.
    pub(crate) ping: bool,
}

impl Flight {
    /// Whether all of it is written.
    pub(crate) fn is_written(&self) -> bool {
        self.commands_written == self.commands.len() && self.messages.remaining() == 0
    }

    /// Whether what is left to write is at most two pieces of memory.
    pub(crate) fn has_few_pieces(&self) -> bool {
        self.messages.is_one_piece()
    }

    /// Whether a request is in it.
    pub(crate) fn is_request(&self) -> bool {
        self.is_request
    }

    /// Fills `slices` with what is to be written next; says how many it filled.
    pub(crate) fn chunks<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let commands = &self.commands[self.commands_written..];
        let first = usize::from(!commands.is_empty());
        slices[0] = IoSlice::new(commands);
        first + self.messages.chunks_vectored(&mut slices[first..])
    }

    /// Notes that the next `count` octets are written.
    pub(crate) fn advance(&mut self, count: usize) -> Progress {
        let of_commands = count.min(self.commands.len() - self.commands_written);
        self.commands_written += of_commands;
        let ping = self.ping_end.take_if(|end| *end <= self.commands_written).is_some();
        Progress { messages: self.messages.advance(count - of_commands), ping }
    }

    /// Makes it empty, to be filled again.
    pub(super) fn clear(&mut self) {
        self.commands.clear();
        self.commands_written = 0;
        self.messages.clear();
        self.ping_end = None;
        self.is_awaited = false;
        self.is_request = false;
    }
}
