//! What becomes a frame ([`IntoFrame`]) and what becomes a [`Message`].

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

use bytes::{Bytes, BytesMut};

use super::{Flag, Message};

/// A value that becomes one frame of a [`Message`].
///
/// Text and octets do: `&str`, `String`, `&[u8]`, `&[u8; N]`, `Vec<u8>`,
/// [`Bytes`] and a few more. What is owned is moved, what is borrowed is
/// copied; for constant data that should not be copied there is
/// [`Bytes::from_static`].
///
/// Implement it for a type of your own to send it like any of these:
///
/// ```
/// use bytes::Bytes;
/// use ferromq::{IntoFrame, Message};
///
/// struct Celsius(f32);
///
/// impl IntoFrame for Celsius {
///     fn into_frame(self) -> Bytes {
///         Bytes::copy_from_slice(&self.0.to_be_bytes())
///     }
/// }
///
/// let mut message = Message::from("temperature");
/// message.push_back(Celsius(21.5));
/// assert_eq!(message.size(), 11 + 4);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a frame, nor a message",
    note = "send text or octets: `value.to_string()`, `&octets[..]`",
    note = "send several frames as a tuple, an array, a `Vec` or a `Message`: `(\"topic\", body)`"
)]
pub trait IntoFrame {
    /// The octets of the frame.
    fn into_frame(self) -> Bytes;
}

impl IntoFrame for Bytes {
    fn into_frame(self) -> Bytes {
        self
    }
}

impl IntoFrame for &Bytes {
    fn into_frame(self) -> Bytes {
        self.clone()
    }
}

/// The frame is the octets; for a type that `Bytes` takes over without a copy.
macro_rules! frame_from_owned {
    ($($owned:ty),+) => {$(
        impl IntoFrame for $owned {
            fn into_frame(self) -> Bytes {
                Bytes::from(self)
            }
        }
    )+};
}

frame_from_owned!(Vec<u8>, Box<[u8]>, BytesMut, String);

impl IntoFrame for &str {
    fn into_frame(self) -> Bytes {
        Bytes::copy_from_slice(self.as_bytes())
    }
}

impl IntoFrame for &String {
    fn into_frame(self) -> Bytes {
        self.as_str().into_frame()
    }
}

impl IntoFrame for Cow<'_, str> {
    fn into_frame(self) -> Bytes {
        Bytes::from(self.into_owned())
    }
}

impl IntoFrame for &[u8] {
    fn into_frame(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}

impl<const N: usize> IntoFrame for &[u8; N] {
    fn into_frame(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}

/// One frame.
impl<T: IntoFrame> From<T> for Message {
    fn from(frame: T) -> Self {
        Self { body: frame.into_frame(), delimited: Flag::No, rest: None }
    }
}

/// One frame for each element; one empty frame for none.
impl<T: IntoFrame, const N: usize> From<[T; N]> for Message {
    fn from(frames: [T; N]) -> Self {
        frames.into_iter().collect()
    }
}

/// One frame for each element; one empty frame for none. A `Vec<u8>` is one
/// frame.
impl<T: IntoFrame> From<Vec<T>> for Message {
    fn from(frames: Vec<T>) -> Self {
        frames.into_iter().collect()
    }
}

/// One frame for each element, which is cloned; one empty frame for none. A `&[u8]` is one
/// frame.
impl<T: IntoFrame + Clone> From<&[T]> for Message {
    fn from(frames: &[T]) -> Self {
        frames.iter().cloned().collect()
    }
}

/// The same message: its frames are shared, not copied.
impl From<&Self> for Message {
    fn from(message: &Self) -> Self {
        message.clone()
    }
}

/// A tuple is a message of a frame for each part, whatever types they are of; and the
/// other way round, if the message has just so many frames.
macro_rules! tuples {
    ($($name:ident)*) => {
        /// A frame for each part.
        impl<$($name: IntoFrame),*> From<($($name,)*)> for Message {
            #[allow(non_snake_case)]
            fn from(($($name,)*): ($($name,)*)) -> Self {
                [$($name.into_frame()),*].into()
            }
        }

        /// A part for each frame.
        impl TryFrom<Message> for ($(tuples!(@frame $name),)*) {
            type Error = FrameCountError;

            #[allow(non_snake_case)]
            fn try_from(message: Message) -> Result<Self, FrameCountError> {
                let [$($name),*] = message.try_into()?;
                Ok(($($name,)*))
            }
        }
    };
    (@frame $name:ident) => { Bytes };
}

tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);

/// A message with another number of frames than was wanted.
///
/// ```
/// use bytes::Bytes;
/// use ferromq::Message;
///
/// let (topic, body): (Bytes, Bytes) = Message::from(("weather", "sunny")).try_into()?;
/// assert_eq!((&topic[..], &body[..]), (&b"weather"[..], &b"sunny"[..]));
///
/// let error = <[Bytes; 3]>::try_from(Message::from("alone")).unwrap_err();
/// assert_eq!(error.to_string(), "the message has 1 frame, not 3");
/// assert_eq!("alone", error.into_message());
/// # Ok::<_, ferromq::FrameCountError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct FrameCountError {
    wanted: usize,
    message: Message,
}

impl FrameCountError {
    /// The message, as it was.
    pub fn into_message(self) -> Message {
        self.message
    }
}

impl fmt::Display for FrameCountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, wanted) = (self.message.len(), self.wanted);
        let frames = if count == 1 { "frame" } else { "frames" };
        write!(f, "the message has {count} {frames}, not {wanted}")
    }
}

impl fmt::Debug for FrameCountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for FrameCountError {}

/// An element for each frame.
impl<const N: usize> TryFrom<Message> for [Bytes; N] {
    type Error = FrameCountError;

    fn try_from(message: Message) -> Result<Self, FrameCountError> {
        if message.len() != N {
            return Err(FrameCountError { wanted: N, message });
        }
        let mut frames = message.into_iter();
        Ok(std::array::from_fn(|_| frames.next().unwrap_or_default()))
    }
}

/// A message of one frame that is just this text: `"sunny" == message`. (The other way
/// round it would make `message == "sunny".into()` ambiguous, which many programs have.)
impl PartialEq<Message> for str {
    fn eq(&self, message: &Message) -> bool {
        message.is_single() && message.first() == self.as_bytes()
    }
}

/// A message of one frame that is just this text.
impl PartialEq<Message> for &str {
    fn eq(&self, message: &Message) -> bool {
        **self == *message
    }
}

impl From<Message> for Vec<Bytes> {
    fn from(message: Message) -> Self {
        message.into_frames()
    }
}

/// One frame for each item; one empty frame for none.
impl<T: IntoFrame> FromIterator<T> for Message {
    fn from_iter<I: IntoIterator<Item = T>>(frames: I) -> Self {
        let mut frames = frames.into_iter();
        let mut message = Self::from(frames.next().map(T::into_frame).unwrap_or_default());
        message.extend(frames);
        message
    }
}

/// Adds frames at the end.
impl<T: IntoFrame> Extend<T> for Message {
    fn extend<I: IntoIterator<Item = T>>(&mut self, frames: I) {
        frames.into_iter().for_each(|frame| self.push_back(frame));
    }
}

/// The frames of a [`Message`] in order, borrowed; from [`Message::iter`].
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    message: &'a Message,
    range: std::ops::Range<usize>,
}

impl<'a> Frames<'a> {
    pub(super) fn new(message: &'a Message) -> Self {
        Self { message, range: 0..message.len() }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = &'a Bytes;

    fn next(&mut self) -> Option<&'a Bytes> {
        self.range.next().and_then(|index| self.message.get(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl DoubleEndedIterator for Frames<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.range.next_back().and_then(|index| self.message.get(index))
    }
}

impl ExactSizeIterator for Frames<'_> {}

impl<'a> IntoIterator for &'a Message {
    type Item = &'a Bytes;
    type IntoIter = Frames<'a>;

    fn into_iter(self) -> Frames<'a> {
        Frames::new(self)
    }
}

/// The frames of a [`Message`] in order, owned; from its `into_iter`.
#[derive(Debug, Clone)]
pub struct IntoFrames {
    delimiter: Option<Bytes>,
    body: Option<Bytes>,
    #[allow(clippy::box_collection)] // As in the message.
    rest: Option<Box<VecDeque<Bytes>>>,
}

impl Iterator for IntoFrames {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let first = self.delimiter.take().or_else(|| self.body.take());
        first.or_else(|| self.rest.as_mut()?.pop_front())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.rest.as_ref().map_or(0, |rest| rest.len());
        let left = usize::from(self.delimiter.is_some()) + usize::from(self.body.is_some()) + rest;
        (left, Some(left))
    }
}

impl DoubleEndedIterator for IntoFrames {
    fn next_back(&mut self) -> Option<Bytes> {
        let last = self.rest.as_mut().and_then(|rest| rest.pop_back());
        last.or_else(|| self.body.take()).or_else(|| self.delimiter.take())
    }
}

impl ExactSizeIterator for IntoFrames {}

impl IntoIterator for Message {
    type Item = Bytes;
    type IntoIter = IntoFrames;

    fn into_iter(mut self) -> IntoFrames {
        IntoFrames {
            delimiter: (self.delimited == Flag::Yes).then(Bytes::new),
            body: Some(std::mem::take(&mut self.body)),
            rest: self.rest.take(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tuples_of_all_lengths_are_messages_and_back() {
        let body = Bytes::from_static(b"body");
        let two = Message::from(("topic", body.clone()));
        assert_eq!(two, Message::from(["topic", "body"]));
        let eight =
            Message::from(("1", b"2", String::from("3"), vec![b'4'], &b"5"[..], "6", "7", body));
        assert_eq!(eight, Message::from(["1", "2", "3", "4", "5", "6", "7", "body"]));
        let parts: (Bytes, Bytes, Bytes, Bytes, Bytes, Bytes, Bytes, Bytes) =
            eight.clone().try_into().expect("eight frames");
        assert_eq!(Message::from(parts), eight);
        let (topic, _): (Bytes, Bytes) = two.clone().try_into().expect("two frames");
        assert_eq!(topic, "topic");
        let refused = <(Bytes, Bytes, Bytes)>::try_from(two.clone()).expect_err("it has two");
        assert_eq!(refused.to_string(), "the message has 2 frames, not 3");
        assert_eq!(refused.into_message(), two);
    }

    #[test]
    fn slices_and_references_are_messages() {
        let frames = ["a", "b"];
        assert_eq!(Message::from(&frames[..]), Message::from(frames));
        assert_eq!(Message::from(&Message::from(frames)), Message::from(frames));
        assert_eq!(Message::from(&b"octets"[..]), Message::from("octets"));
        // An empty first frame is kept in another way.
        let delimited = Message::from(("", "request"));
        let [first, second]: [Bytes; 2] = delimited.try_into().expect("two frames");
        assert_eq!((&first[..], &second[..]), (&b""[..], &b"request"[..]));
    }

    #[test]
    #[allow(clippy::cmp_owned, reason = "it is the comparison that is tested")]
    fn text_is_what_is_utf8() {
        let message = Message::from((&[0xff][..], "text", ""));
        assert_eq!(
            [0, 1, 2, 3].map(|index| message.text(index)),
            [None, Some("text"), Some(""), None]
        );
        assert_eq!(message.clone().into_text(), Err(message));
        assert!("text" == Message::from("text") && *"text" == Message::from("text"));
        assert!("text" != Message::from(["text", ""]) && "text" != Message::from("texts"));
    }
}
