//! [`Link`]: what goes from one end to the other, and who is between.

use std::collections::VecDeque;

use super::ends::cut;
use super::input::Input;

/// How many frames are remembered to be sent again.
const HISTORY: usize = 32;

/// One direction. What is on its way is in pieces: a greeting, or a frame.
#[derive(Debug, Default)]
pub(super) struct Link {
    queue: VecDeque<Vec<u8>>,
    history: Vec<Vec<u8>>,
    has_greeted: bool,
    /// Whether anything was done that an honest link does not do.
    pub(super) is_tampered: bool,
}

impl Link {
    /// What an end says in the handshake: its greeting, and frames.
    pub(super) fn say(&mut self, mut octets: &[u8]) {
        if let (false, Some((greeting, rest))) = (self.has_greeted, octets.split_at_checked(64)) {
            self.put(vec![greeting.to_vec()]);
            self.has_greeted = true;
            octets = rest;
        }
        self.put(cut(octets));
    }

    pub(super) fn put(&mut self, frames: Vec<Vec<u8>>) {
        self.queue.extend(frames);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// What arrives next, as it is.
    pub(super) fn pass(&mut self) -> Option<Vec<u8>> {
        let frame = self.queue.pop_front()?;
        if self.history.len() < HISTORY {
            self.history.push(frame.clone());
        }
        Some(frame)
    }

    /// Does one of the things that can be done to a link. Returns what arrives.
    pub(super) fn attack(&mut self, how: u8, input: &mut Input<'_>) -> Option<Vec<u8>> {
        if how < 4 {
            return self.pass();
        }
        self.is_tampered = true;
        match how {
            4 => {
                let (at, change) = (input.pair(), input.octet());
                let mut frame = self.pass()?;
                let at = at % frame.len();
                frame[at] ^= change;
                Some(frame)
            }
            5 => {
                let len = input.pair();
                let mut frame = self.pass()?;
                frame.truncate(len % frame.len());
                Some(frame)
            }
            6 => {
                let frame = self.queue.front()?.clone();
                self.queue.push_front(frame);
                self.pass()
            }
            7 => {
                self.pass();
                None
            }
            8 => {
                let at = 1 + usize::from(input.octet()) % 8;
                if at < self.queue.len() {
                    self.queue.swap(0, at);
                }
                self.pass()
            }
            9 => {
                let at = usize::from(input.octet());
                let len = self.history.len().max(1);
                self.history.get(at % len).cloned()
            }
            10 => {
                // The end of one frame with the start of the next.
                let (at, mut frame) = (input.pair(), self.pass()?);
                let next = self.pass().unwrap_or_default();
                let at = at % frame.len();
                frame.truncate(at);
                frame.extend_from_slice(&next[at.min(next.len())..]);
                Some(frame)
            }
            _ => {
                let count = usize::from(input.octet());
                Some(input.take(count).to_vec())
            }
        }
    }
}
