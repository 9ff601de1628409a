//! What becomes a frame ([`IntoFrame`]) and what becomes a [`Message`].

use std::borrow::Cow;
use std::collections::VecDeque;

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
    note = "send several frames as an array, a `Vec` or a `Message`: `[\"topic\", \"body\"]`"
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
