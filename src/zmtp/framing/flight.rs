//! [`Flight`]: a batch on its way to the transport, sealed if its session seals.

use std::io::IoSlice;

use super::Encoded;
use super::encoder::{KEPT_CAPACITY, RESTING_CAPACITY};
use super::header::{Header, LONG_HEADER};
use crate::zmtp::seal::Seal;

/// How much is sealed ahead of being written: whole messages, up to as many
/// octets. A message is sealed as a whole, however large.
const AT_ONCE: usize = 64 * 1024;

/// How many ends of messages one at rest has memory for.
const RESTING_ENDS: usize = 4;

/// A batch on its way to the transport: commands first, then whole messages.
///
/// [`load`](Self::load) it, put commands in front, and write what
/// [`Sending::chunks_vectored`](crate::zmtp::Sending::chunks_vectored) has until
/// it [`is_written`](Self::is_written). What was not written when the connection
/// breaks is [recovered](Self::recover) in plain.
///
/// ```text
///                            sealed a piece at a time
/// commands, messages (plain) ────────────────────────► sealed ──► transport
///         ▲     │            a message is written: room, │
///         │     │ recover    its plain octets are freed  │
///        load   ▼           ◄────────────────────────────┘
///           next session
/// ```
#[derive(Debug, Default)]
pub(crate) struct Flight {
    commands: Vec<u8>,
    commands_written: usize,
    messages: Encoded,
    /// What is written in place of them, if the session seals.
    sealed: Option<Sealed>,
}

/// The piece of a batch that was sealed last.
#[derive(Debug, Default)]
struct Sealed {
    octets: Vec<u8>,
    written: usize,
    /// How many plain octets of commands are in it that are not written.
    commands: usize,
    /// Where the commands end and messages begin.
    messages_at: usize,
    /// Where each message ends.
    ends: Vec<usize>,
    /// How many messages are written as a whole.
    done: usize,
}

impl Flight {
    /// Takes all that `queue` holds and gives it memory to fill in exchange. What
    /// was loaded before must be written.
    pub(crate) fn load(&mut self, queue: &mut Encoded) {
        debug_assert!(self.is_written(), "what is loaded would be lost");
        self.commands.clear();
        self.commands.shrink_to(KEPT_CAPACITY);
        self.commands_written = 0;
        self.messages.clear();
        std::mem::swap(&mut self.messages, queue);
    }

    /// Where the commands go that are to be written first: whole frames, put
    /// before anything is written.
    pub(crate) fn commands(&mut self) -> &mut Vec<u8> {
        debug_assert!(self.commands_written == 0, "commands go first");
        &mut self.commands
    }

    /// Whether commands are not written yet. PING is one.
    pub(crate) fn has_commands(&self) -> bool {
        self.commands_written < self.commands.len()
    }

    fn unwritten_commands(&self) -> &[u8] {
        self.commands.get(self.commands_written..).unwrap_or_default()
    }

    /// How many octets of commands were put in.
    pub(crate) fn command_octets(&self) -> usize {
        self.commands.len()
    }

    /// How many messages are not written as a whole yet.
    pub(crate) fn messages(&self) -> usize {
        self.messages.messages()
    }

    /// The octets of these messages in plain, with the headers of their frames.
    pub(crate) fn octets(&self) -> usize {
        self.messages.octets()
    }

    pub(crate) fn is_written(&self) -> bool {
        !self.has_commands() && self.messages.is_empty()
    }

    /// Whether what is left to write is two pieces of memory at most.
    pub(crate) fn is_few_pieces(&self) -> bool {
        self.sealed.is_some() || self.messages.is_one_piece()
    }

    /// Fills `slices` with what is to be written next, and returns how many it
    /// filled.
    pub(in crate::zmtp) fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let first = match &self.sealed {
            Some(sealed) => sealed.unwritten(),
            None => self.unwritten_commands(),
        };
        let filled = usize::from(!first.is_empty() && !slices.is_empty());
        let (of_first, others) = slices.split_at_mut(filled);
        if let [slice] = of_first {
            *slice = IoSlice::new(first);
        }
        match &self.sealed {
            Some(_) => filled,
            None => self.messages.chunks_vectored(others).saturating_add(filled),
        }
    }

    /// Notes that the next `count` octets are written. Returns how many messages
    /// are written as a whole with them, which makes so much room.
    pub(crate) fn advance(&mut self, count: usize) -> usize {
        let Some(sealed) = &mut self.sealed else {
            let of_commands = count.min(self.unwritten_commands().len());
            self.commands_written = self.commands_written.saturating_add(of_commands);
            return self.messages.advance(count.saturating_sub(of_commands));
        };
        let whole = sealed.advance(count);
        if sealed.written >= sealed.messages_at {
            let written = std::mem::take(&mut sealed.commands);
            self.commands_written = self.commands_written.saturating_add(written);
        }
        self.messages.advance_messages(whole);
        whole
    }

    /// After the connection broke: the messages that can go out on the next one,
    /// and whether one was cut, which is not among them.
    pub(crate) fn recover(self) -> (Encoded, bool) {
        let Some(sealed) = self.sealed else { return self.messages.recover() };
        let cut = sealed.is_cut();
        let begun = self.messages.done.saturating_add(usize::from(cut));
        (self.messages.recover_after(begun), cut)
    }

    /// There is nothing more to write for now: if all is written, gives the
    /// memory back.
    pub(crate) fn rest(&mut self) {
        if self.is_written() {
            self.commands.clear();
            self.commands.shrink_to(RESTING_CAPACITY);
            self.commands_written = 0;
            self.messages.rest();
            if let Some(sealed) = &mut self.sealed {
                sealed.rest();
            }
        }
    }

    /// Seals what is to be written next, once all that was sealed is written.
    pub(in crate::zmtp) fn seal_next(&mut self, seal: &mut dyn Seal) {
        let sealed = self.sealed.get_or_insert_default();
        if sealed.written < sealed.octets.len() {
            return;
        }
        sealed.clear();
        let commands = self.commands.get(self.commands_written..).unwrap_or_default();
        if sealed.put_commands(commands, seal) {
            sealed.put_messages(&self.messages, seal);
        }
    }
}

impl Sealed {
    fn clear(&mut self) {
        self.octets.clear();
        self.octets.shrink_to(KEPT_CAPACITY);
        self.ends.clear();
        self.written = 0;
        self.commands = 0;
        self.messages_at = 0;
        self.done = 0;
    }

    fn unwritten(&self) -> &[u8] {
        self.octets.get(self.written..).unwrap_or_default()
    }

    /// Keeps as much as the next request or heartbeat needs.
    fn rest(&mut self) {
        self.clear();
        self.octets.shrink_to(RESTING_CAPACITY);
        self.ends.shrink_to(RESTING_ENDS);
    }

    fn has_room(&self) -> bool {
        self.octets.len() < AT_ONCE
    }

    /// Seals commands; says whether these were all.
    fn put_commands(&mut self, mut plain: &[u8], seal: &mut dyn Seal) -> bool {
        while self.has_room() {
            let Some((header, len)) = Header::parse(plain) else { break };
            let size = header.size() as usize; // It was a usize when it was put.
            let Some((body, later)) = plain.get(len..).and_then(|it| it.split_at_checked(size))
            else {
                break;
            };
            self.put(header, body, seal);
            self.commands = self.commands.saturating_add(len).saturating_add(size);
            plain = later;
        }
        self.messages_at = self.octets.len();
        plain.is_empty()
    }

    fn put_messages(&mut self, plain: &Encoded, seal: &mut dyn Seal) {
        for (header, body) in plain.unwritten_frames() {
            self.put(header, body, seal);
            if !header.has_more() {
                self.ends.push(self.octets.len());
                if !self.has_room() {
                    return;
                }
            }
        }
    }

    fn put(&mut self, header: Header, body: &[u8], seal: &mut dyn Seal) {
        let size = body.len().saturating_add(seal.overhead());
        self.octets.reserve(size.saturating_add(LONG_HEADER));
        Header::new(0, size).put(&mut self.octets);
        let start = self.octets.len();
        seal.seal(header.flags(), body, &mut self.octets);
        debug_assert_eq!(self.octets.len(), start.saturating_add(size), "the header says so");
    }

    fn advance(&mut self, count: usize) -> usize {
        debug_assert!(count <= self.unwritten().len(), "more than there was");
        self.written = self.written.saturating_add(count).min(self.octets.len());
        let ends = self.ends.get(self.done..).unwrap_or_default();
        let whole = ends.partition_point(|end| *end <= self.written);
        self.done = self.done.saturating_add(whole);
        whole
    }

    /// Whether a message is written in part.
    fn is_cut(&self) -> bool {
        let last = self.done.checked_sub(1).and_then(|last| self.ends.get(last));
        self.written > *last.unwrap_or(&self.messages_at)
    }
}
