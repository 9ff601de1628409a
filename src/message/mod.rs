//! [`Message`]: one or more frames, sent and delivered whole.

mod convert;
#[cfg(feature = "json")]
mod json;
pub(crate) mod strip;

use std::collections::VecDeque;
use std::fmt;
use std::ops::Index;

use bytes::Bytes;

use crate::printable::Printable;

pub use convert::{FrameCountError, Frames, IntoFrame, IntoFrames};
#[cfg(feature = "json")]
pub use json::{Json, JsonError};

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
/// of one frame costs no allocation beside that frame, nor does one of an empty
/// frame and another, as REQ and REP exchange.
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
    /// The frames after `body`. Boxed so that a message of one frame stays
    /// small, which is what moves through every queue; a deque so that
    /// envelopes can be put in front and taken off in constant time.
    ///
    /// Before `body`, so that it is known to be none when the fields are dropped.
    rest: Option<Box<Rest>>,
    /// Whether an empty frame comes before `body`: the delimiter of RFC 28, which every
    /// request and reply has. It is always noted here and never lies in `body`
    /// with others behind it, so equal messages are equal in all fields.
    delimited: Flag,
    /// The first frame, or the one after the delimiter.
    body: Bytes,
}

type Rest = VecDeque<Bytes>;

/// A `bool` as wide as all else in a message. With padding behind it, each move of a
/// message costs ten instructions more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(usize)]
enum Flag {
    #[default]
    No,
    Yes,
}

/// The frame in front of a message that is delimited.
static DELIMITER: Bytes = Bytes::new();

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
        1 + self.delimited as usize + self.rest.as_ref().map_or(0, |rest| rest.len())
    }

    /// The sum of the lengths of all frames, in octets.
    pub fn size(&self) -> usize {
        let rest = self.rest.as_ref().map_or(0, |rest| rest.iter().map(Bytes::len).sum());
        self.body.len() + rest
    }

    /// Whether there is exactly one frame.
    #[inline]
    pub fn is_single(&self) -> bool {
        self.rest.is_none() && self.delimited == Flag::No
    }

    /// What the message counts for where the octets that wait are bounded: its
    /// own, and for each further frame what it takes to hold one, but no less than
    /// it takes to hold a message. Otherwise empty messages, and those of a million
    /// empty frames, two octets each on the wire, would weigh nothing.
    pub(crate) fn weight(&self) -> usize {
        let frames = self.size() + (self.len() - 1) * size_of::<Bytes>();
        // What a deque of them takes at first.
        let rest = self.rest.as_ref().map_or(0, |_| size_of::<Rest>() + 4 * size_of::<Bytes>());
        frames.max(size_of::<Self>() + rest)
    }

    /// The first frame.
    #[inline]
    pub fn first(&self) -> &Bytes {
        if self.delimited == Flag::Yes { &DELIMITER } else { &self.body }
    }

    /// The frame at `index`, if there is one.
    pub fn get(&self, index: usize) -> Option<&Bytes> {
        let after = index.checked_sub(self.delimited as usize);
        match after.map(|after| after.checked_sub(1)) {
            None => Some(&DELIMITER),
            Some(None) => Some(&self.body),
            Some(Some(index)) => self.rest.as_ref()?.get(index),
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
        let frame = frame.into_frame();
        if self.delimited == Flag::Yes {
            self.delimited = Flag::No;
            self.put_before_body(Bytes::new());
        }
        match frame.is_empty() {
            true => self.delimited = Flag::Yes,
            false => self.put_before_body(frame),
        }
    }

    fn put_before_body(&mut self, frame: Bytes) {
        let second = std::mem::replace(&mut self.body, frame);
        self.rest.get_or_insert_default().push_front(second);
    }

    /// Adds a frame at the end.
    pub fn push_back(&mut self, frame: impl IntoFrame) {
        let frame = frame.into_frame();
        if self.is_single() && self.body.is_empty() {
            self.delimited = Flag::Yes;
            self.body = frame;
        } else {
            self.rest.get_or_insert_default().push_back(frame);
        }
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
        let first = match std::mem::take(&mut self.delimited) {
            Flag::Yes => Bytes::new(),
            Flag::No => self.pop_body()?,
        };
        if self.body.is_empty() && self.rest.is_some() {
            self.pop_body();
            self.delimited = Flag::Yes;
        }
        Some(first)
    }

    /// Takes the body off if there are frames behind it; the next one is in its place.
    fn pop_body(&mut self) -> Option<Bytes> {
        let next = self.rest.as_mut()?.pop_front()?;
        self.forget_empty_rest();
        Some(std::mem::replace(&mut self.body, next))
    }

    /// Takes the last frame off, unless it is the only one.
    pub fn pop_back(&mut self) -> Option<Bytes> {
        if let Some(rest) = &mut self.rest {
            let last = rest.pop_back();
            self.forget_empty_rest();
            return last;
        }
        match std::mem::take(&mut self.delimited) {
            Flag::Yes => Some(std::mem::take(&mut self.body)),
            Flag::No => None,
        }
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
        if self.is_single() { Ok(std::mem::take(&mut self.body)) } else { Err(self) }
    }

    /// The text of the frame at `index`: nothing if there is no such frame, or if it is
    /// not UTF-8. What a peer sends is its own choice, so this never panics.
    ///
    /// ```
    /// # use ferromq::Message;
    /// let message = Message::from(("weather", "sunny"));
    /// assert_eq!((message.text(1), message.text(2)), (Some("sunny"), None));
    /// ```
    pub fn text(&self, index: usize) -> Option<&str> {
        std::str::from_utf8(self.get(index)?).ok()
    }

    /// The text of the only frame.
    ///
    /// ```
    /// # use ferromq::Message;
    /// assert_eq!(Message::from("sunny").into_text().unwrap(), "sunny");
    /// assert!(Message::from(&[0xff]).into_text().is_err());
    /// ```
    ///
    /// # Errors
    /// Gives the message back when it has more than one frame, or that is not UTF-8.
    pub fn into_text(self) -> Result<String, Self> {
        match self.text(0) {
            Some(text) if self.is_single() => Ok(text.to_owned()),
            _ => Err(self),
        }
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

    /// Equal messages are equal in all fields, so an empty `rest` is none.
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

    /// An empty frame in front is kept in another way than any other.
    #[test]
    fn however_a_message_came_about_it_is_the_same() {
        let lists: [&[&str]; 9] = [
            &["", ""],
            &["", "a"],
            &["a", ""],
            &["", "", ""],
            &["", "", "a"],
            &["", "a", ""],
            &["a", "", "b"],
            &["", "a", "b"],
            &["", "", "", "a"],
        ];
        for list in lists {
            let whole = Message::from_iter(list.iter().copied());
            assert_eq!(
                frames(&whole),
                list.iter().map(|frame| frame.as_bytes()).collect::<Vec<_>>()
            );
            let mut backwards = Message::from(list[list.len() - 1]);
            list.iter().rev().skip(1).for_each(|frame| backwards.push_front(*frame));
            let mut forwards = Message::from(list[0]);
            list.iter().skip(1).for_each(|frame| forwards.push_back(*frame));
            let mut longer_in_front = Message::from_iter(["", "x"].iter().chain(list).copied());
            assert_eq!(longer_in_front.pop_front().unwrap(), "");
            assert_eq!(longer_in_front.pop_front().unwrap(), "x");
            let mut longer_behind = Message::from_iter(list.iter().copied().chain(["x", ""]));
            assert_eq!(longer_behind.pop_back().unwrap(), "");
            assert_eq!(longer_behind.pop_back().unwrap(), "x");
            for message in [backwards, forwards, longer_in_front, longer_behind] {
                assert_eq!(message, whole);
                assert_eq!(message.len(), list.len());
                assert_eq!(message.first(), list[0]);
                assert_eq!(message.get(list.len()), None);
                let frames: Vec<_> = message.clone().into_iter().collect();
                assert_eq!(frames, list);
                let reversed: Vec<_> = message.into_iter().rev().collect();
                assert_eq!(reversed, list.iter().rev().copied().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_delimiter_costs_no_allocation() {
        let mut request = Message::from("a");
        request.push_front("");
        assert!(request.rest.is_none() && !request.is_single());
        let mut read = Message::from("");
        read.push_back("a");
        assert!(read.rest.is_none());
        assert_eq!(request, read);
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
