//! [`Message`]: one or more frames, sent and delivered whole.

mod convert;
pub(crate) mod strip;

use std::collections::VecDeque;
use std::fmt;
use std::ops::Index;

use bytes::Bytes;

use crate::printable::Printable;

pub use convert::{Frames, IntoFrame, IntoFrames};

/// The most frames of a message. Each costs memory beside its octets, so a peer
/// may not send more, and what a peer may not send is not accepted to be sent.
pub(crate) const MAX_FRAMES: usize = 1_000_000;

/// How many frames, and octets of each, `Debug` shows.
const SHOWN_FRAMES: usize = 8;
const SHOWN_OCTETS: usize = 64;

/// A message of one or more frames.
///
/// ZeroMQ sends and delivers a message whole or not at all. A frame is a
/// [`Bytes`]: cloning it shares the octets, it does not copy them. A message
/// of one frame costs no allocation beside that frame.
///
/// Anything that is a frame ([`IntoFrame`]) becomes a message of one frame;
/// arrays, vectors and iterators of such things become a message of several.
/// A `Vec<u8>` is one frame. There is no message without frames: from none
/// comes a message of one empty frame. One of more than 1,000,000 frames can be
/// made, but `send` refuses it, since no ferromq peer would take it; the frames
/// that REQ and REP put in front count.
///
/// ```
/// use bytes::Bytes;
/// use ferromq::Message;
///
/// let single = Message::from("hello");
/// let several = Message::from(["topic", "body"]);
/// assert_eq!(single.len(), 1);
/// assert_eq!(several[1], "body");
/// assert_eq!(std::str::from_utf8(&several[1])?, "body"); // As text.
///
/// assert_eq!(Message::from(vec![1u8, 2]).len(), 1);
/// assert_eq!(Message::from(vec![Bytes::from_static(b"a"), Bytes::new()]).len(), 2);
/// assert_eq!(Message::from_iter((1..=3).map(|n| n.to_string())).len(), 3);
///
/// let mut built = Message::from("topic");
/// built.push_back("body");
/// assert_eq!(built, several);
/// # Ok::<_, std::str::Utf8Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Message {
    /// The frames after the first. Boxed so that a message of one frame stays
    /// small, which is what moves through every queue; a deque so that
    /// envelopes can be put in front and taken off in constant time.
    ///
    /// Before `first`, so that it is known to be none when the fields are dropped.
    rest: Option<Box<Rest>>,
    first: Bytes,
}

type Rest = VecDeque<Bytes>;

/// A message of one frame, which most are, finds in place that it has no others.
impl Drop for Message {
    #[inline]
    fn drop(&mut self) {
        if let Some(rest) = self.rest.take() {
            drop_rest(rest);
        }
    }
}

#[inline(never)]
fn drop_rest(rest: Box<Rest>) {
    drop(rest);
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

    /// Whether there is exactly one frame.
    #[inline]
    pub fn is_single(&self) -> bool {
        self.rest.is_none()
    }

    /// What the message counts for where the octets that wait are bounded: its
    /// own, and for each further frame what it takes to hold one, but no less than
    /// it takes to hold a message. Otherwise empty messages, and those of a million
    /// empty frames, two octets each on the wire, would weigh nothing.
    pub(crate) fn weight(&self) -> usize {
        match &self.rest {
            None => self.first.len().max(size_of::<Self>()),
            Some(rest) => {
                let frames = self.size() + rest.len() * size_of::<Bytes>();
                // What a deque of them takes at first.
                frames.max(size_of::<Self>() + size_of::<Rest>() + 4 * size_of::<Bytes>())
            }
        }
    }

    /// The first frame.
    #[inline]
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
    ///
    /// ```
    /// # use ferromq::Message;
    /// let message = Message::from(["a", "bc"]);
    /// let lengths: Vec<usize> = message.iter().map(|frame| frame.len()).collect();
    /// assert_eq!(lengths, [1, 2]);
    /// ```
    pub fn iter(&self) -> Frames<'_> {
        Frames::new(self)
    }

    /// Puts a frame in front of the others.
    pub fn push_front(&mut self, frame: impl IntoFrame) {
        let second = std::mem::replace(&mut self.first, frame.into_frame());
        self.rest.get_or_insert_default().push_front(second);
    }

    /// Adds a frame at the end.
    pub fn push_back(&mut self, frame: impl IntoFrame) {
        let frame = frame.into_frame();
        self.rest.get_or_insert_default().push_back(frame);
    }

    /// Takes the first frame off, unless it is the only one.
    ///
    /// ```
    /// # use ferromq::Message;
    /// let mut message = Message::from(["a", "b"]);
    /// assert_eq!(message.pop_front().unwrap(), "a");
    /// assert_eq!(message.pop_front(), None);
    /// assert_eq!(message, Message::from("b"));
    /// ```
    pub fn pop_front(&mut self) -> Option<Bytes> {
        let second = self.rest.as_mut()?.pop_front()?;
        self.forget_empty_rest();
        Some(std::mem::replace(&mut self.first, second))
    }

    /// Takes the last frame off, unless it is the only one.
    pub fn pop_back(&mut self) -> Option<Bytes> {
        let last = self.rest.as_mut()?.pop_back()?;
        self.forget_empty_rest();
        Some(last)
    }

    /// The only frame.
    ///
    /// ```
    /// # use ferromq::Message;
    /// assert_eq!(Message::from("a").into_single().unwrap(), "a");
    ///
    /// let several = Message::from(["a", "b"]);
    /// assert_eq!(several.clone().into_single(), Err(several));
    /// ```
    ///
    /// # Errors
    /// Gives the message back when it has more than one frame.
    pub fn into_single(mut self) -> Result<Bytes, Self> {
        if self.is_single() { Ok(std::mem::take(&mut self.first)) } else { Err(self) }
    }

    /// The frames in order, as a vector. To go through them without one, use
    /// `into_iter`.
    pub fn into_frames(self) -> Vec<Bytes> {
        self.into_iter().collect()
    }

    /// The same message with frames of its own.
    ///
    /// A received frame is a part of a buffer with others, which lives as long as any
    /// frame of it does: up to 16 KiB for messages of less than some 250 bytes that come
    /// in a stream, up to 64 KiB for others. Use this for messages that are kept long,
    /// so that a small one does not hold on to a large buffer.
    ///
    /// ```
    /// # use ferromq::Message;
    /// # let received = Message::from(["key", "value"]);
    /// let kept = received.compact();
    /// # assert_eq!(kept, Message::from(["key", "value"]));
    /// ```
    pub fn compact(self) -> Self {
        self.iter().map(|frame| Bytes::copy_from_slice(frame)).collect()
    }

    /// Two messages of equal frames must be equal, so an empty `rest` is none.
    fn forget_empty_rest(&mut self) {
        if self.rest.as_ref().is_some_and(|rest| rest.is_empty()) {
            self.rest = None;
        }
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

/// Text frames are printed as text, others as escaped octets; long frames and
/// messages are cut, with the full length shown.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        list.entries(self.iter().take(SHOWN_FRAMES).map(|f| Printable::new(f, SHOWN_OCTETS)));
        if self.len() > SHOWN_FRAMES {
            list.entry(&format_args!("... ({} frames)", self.len()));
        }
        list.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(message: &Message) -> Vec<&[u8]> {
        message.iter().map(|frame| &frame[..]).collect()
    }

    #[test]
    fn one_frame_comes_from_text_and_octets() {
        let local = String::from("x");
        for message in [
            Message::from("x"),
            Message::from(local.as_str()),
            Message::from(&local),
            Message::from(local.clone()),
            Message::from(b"x"),
            Message::from(&b"x"[..]),
            Message::from(vec![b'x']),
            Message::from(Bytes::from_static(b"x")),
            Message::from(&Bytes::from_static(b"x")),
        ] {
            assert_eq!(frames(&message), [b"x"]);
            assert!(message.is_single());
        }
    }

    #[test]
    fn several_frames_come_from_collections() {
        for message in [
            Message::from(["a", "b"]),
            Message::from(vec!["a", "b"]),
            Message::from([vec![b'a'], vec![b'b']]),
            Message::from([b"a", b"b"]),
            Message::from(vec![Bytes::from_static(b"a"), Bytes::from_static(b"b")]),
            Message::from_iter(["a", "b"]),
            ["a", "b"].into_iter().map(String::from).collect(),
        ] {
            assert_eq!(frames(&message), [b"a", b"b"]);
        }
    }

    #[test]
    fn no_frames_make_one_empty_frame() {
        let none: [&str; 0] = [];
        assert_eq!(Message::from(none), Message::new());
        assert_eq!(Message::from(Vec::<Bytes>::new()), Message::new());
        assert_eq!(Message::from(Vec::<u8>::new()), Message::new());
        assert_eq!(frames(&Message::new()), [b""]);
    }

    #[test]
    fn frames_are_put_on_and_taken_off_at_both_ends() {
        let mut message = Message::from("b");
        message.push_front("a");
        message.extend(["c", "d"]);
        assert_eq!(frames(&message), [b"a", b"b", b"c", b"d"]);
        assert_eq!(message.pop_back().unwrap(), "d");
        assert_eq!(message.pop_front().unwrap(), "a");
        assert_eq!(message.pop_front().unwrap(), "b");
        assert_eq!((message.pop_front(), message.pop_back()), (None, None));
        assert_eq!(message, Message::from("c"));
    }

    #[test]
    fn extending_by_nothing_leaves_an_equal_message() {
        let mut message = Message::from("a");
        message.extend(Vec::<Bytes>::new());
        assert_eq!(message, Message::from("a"));
        assert_eq!(message.into_single().unwrap(), "a");
    }

    #[test]
    fn iterators_run_both_ways_and_know_their_length() {
        let message = Message::from(["a", "b", "c"]);
        let backwards: Vec<&Bytes> = message.iter().rev().collect();
        assert_eq!(backwards, ["c", "b", "a"]);
        let mut owned = message.into_iter();
        assert_eq!(owned.len(), 3);
        assert_eq!(owned.next_back().unwrap(), "c");
        assert_eq!(owned.next().unwrap(), "a");
        assert_eq!(owned.next_back().unwrap(), "b");
        assert_eq!((owned.next(), owned.next_back(), owned.len()), (None, None, 0));
    }

    #[test]
    fn taking_shares_octets_and_compacting_copies_them() {
        let chunk = Bytes::from(vec![7; 1024]);
        let message = Message::from([chunk.slice(..2), chunk.slice(2..4)]);
        assert_eq!(message[1].as_ptr(), chunk[2..].as_ptr());
        let compact = message.clone().compact();
        assert_eq!(compact, message);
        drop(message);
        assert!(chunk.is_unique());
    }

    #[test]
    fn debug_is_safe_and_short() {
        let message = Message::from([&b"topic"[..], b"\x00\xff"]);
        assert_eq!(format!("{message:?}"), r#"["topic", b"\x00\xff"]"#);
        let long = Message::from(vec![b'a'; 1000]);
        assert_eq!(format!("{long:?}"), format!("[\"{}\"... (1000 octets)]", "a".repeat(64)));
        let many = Message::from([""; 10]);
        assert!(format!("{many:?}").ends_with("\"\", ... (10 frames)]"));
    }
}
