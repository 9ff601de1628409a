//! [`Message`]: one or more frames, sent and delivered whole.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Index;

use bytes::Bytes;

/// A message of one or more frames.
///
/// ZeroMQ sends and delivers a message whole or not at all. A frame is a
/// [`Bytes`]: cloning it shares the octets, it does not copy them. A message
/// of one frame costs no allocation beside that frame.
///
/// ```
/// use ferromq::Message;
///
/// let single = Message::from("hello");
/// let several = Message::from(["topic", "body"]);
/// assert_eq!(single.len(), 1);
/// assert_eq!(&several[1], "body".as_bytes());
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Message {
    first: Bytes,
    /// The frames after the first. Boxed so that a message of one frame stays
    /// small, which is what moves through every queue; a deque so that
    /// envelopes can be put in front and taken off in constant time.
    rest: Option<Box<VecDeque<Bytes>>>,
}

impl Message {
    /// A message of one empty frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of frames, at least one.
    #[allow(clippy::len_without_is_empty)] // A message always has a frame.
    pub fn len(&self) -> usize {
        1 + self.rest.as_ref().map_or(0, |rest| rest.len())
    }

    /// The sum of the lengths of all frames, in octets.
    pub fn size(&self) -> usize {
        self.iter().map(Bytes::len).sum()
    }

    /// The first frame.
    pub fn first(&self) -> &Bytes {
        &self.first
    }

    /// The frame at `index`, if there is one.
    pub fn get(&self, index: usize) -> Option<&Bytes> {
        match index.checked_sub(1) {
            None => Some(&self.first),
            Some(index) => self.rest.as_ref()?.get(index),
        }
    }

    /// The frames in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Bytes> + '_ {
        (0..self.len()).map(|index| &self[index])
    }

    /// Puts a frame in front of the others.
    pub fn push_front(&mut self, frame: impl Into<Bytes>) {
        let second = std::mem::replace(&mut self.first, frame.into());
        self.rest.get_or_insert_default().push_front(second);
    }

    /// Adds a frame at the end.
    pub fn push_back(&mut self, frame: impl Into<Bytes>) {
        self.rest.get_or_insert_default().push_back(frame.into());
    }

    /// Takes the first frame off, unless it is the only one.
    pub fn pop_front(&mut self) -> Option<Bytes> {
        let rest = self.rest.as_mut()?;
        let second = rest.pop_front()?;
        if rest.is_empty() {
            self.rest = None;
        }
        Some(std::mem::replace(&mut self.first, second))
    }
}

impl From<Bytes> for Message {
    fn from(first: Bytes) -> Self {
        Self { first, rest: None }
    }
}

impl Index<usize> for Message {
    type Output = Bytes;

    /// # Panics
    /// When the message has no such frame; [`Message::get`] does not.
    fn index(&self, index: usize) -> &Bytes {
        self.get(index).expect("the message has no such frame")
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
