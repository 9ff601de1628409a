//! [`Decoder`]: octets to whole messages and commands.

use bytes::buf::Limit;
use bytes::{Bytes, BytesMut};

use super::body::{Body, LARGE};
use super::header::{COMMAND, Header, MORE};
use super::input::Input;
use super::sealed::{SealedInput, Unsealed};
use crate::fault::PeerFault;
use crate::message::strip::{Extent, Strip};
use crate::message::{MAX_FRAMES, Message};
use crate::zmtp::command::{self, MAX_TOPIC};
use crate::zmtp::seal::Open;

/// The largest body that memory can hold, and RFC 37 allows (2^63 - 1).
const MAX_SIZE: usize = isize::MAX as usize;

/// What a peer sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Message(Message),
    /// The body of a command, name and all.
    Command(Bytes),
}

/// Finds the frames in the octets of a peer and joins them to messages.
///
/// A message comes out whole or not at all. A frame is a slice of what was
/// read, except a large one: that is read straight into memory of its own,
/// which grows with the octets received and not with the size claimed. (It may begin
/// with as much as the last large one had, up to 1 MiB.)
///
/// In a session that seals, each frame is opened first ([`SealedInput`]). The flags
/// outside could be changed on the way, so only those inside mean anything.
///
/// ```text
///          space()              whole frame there            no MORE
/// read ──────────────► chunk ─────────────────────► partial ─────────► Message
///   │                    │ large and not all there     │ COMMAND
///   └──────────────────► body ────────────────────────►└─────────────► Command
/// ```
#[derive(Debug)]
pub(crate) struct Decoder {
    input: Input,
    /// What the input is filled from, if frames are sealed.
    sealed: Option<Box<SealedInput>>,
    /// A large frame that is not complete. Nothing is read into the chunk
    /// meanwhile, and the chunk is empty.
    body: Option<Body>,
    /// The size of the last one that was complete, unless it was quiet since: so much
    /// the peer is trusted to send again.
    proven: usize,
    /// The frames so far of a message that is not complete, and their size.
    partial: Option<Message>,
    partial_size: usize,
    /// The octets of commands between those frames.
    interrupted: usize,
    /// The largest sum of all frames of a message.
    max_message_size: usize,
    /// How many there may be.
    max_frames: usize,
    /// The longest topic of a subscription.
    longest_topic: usize,
}

impl Decoder {
    /// A decoder for a stream whose first octets are `received`.
    pub(crate) fn new(
        received: BytesMut,
        max_message_size: Option<usize>,
        open: Option<Box<dyn Open>>,
    ) -> Self {
        let max_message_size = max_message_size.unwrap_or(MAX_SIZE).min(MAX_SIZE);
        let (plain, sealed) = match open {
            None => (received, None),
            Some(open) => {
                let largest = largest(max_message_size, MAX_TOPIC);
                let sealed = SealedInput::new(received, open, largest);
                (BytesMut::new(), Some(Box::new(sealed)))
            }
        };
        Self {
            input: Input::new(plain),
            sealed,
            body: None,
            proven: 0,
            partial: None,
            partial_size: 0,
            interrupted: 0,
            max_message_size,
            max_frames: MAX_FRAMES,
            longest_topic: MAX_TOPIC,
        }
    }

    /// From now on no message may have more frames.
    pub(crate) fn limit_frames(&mut self, frames: usize) {
        self.max_frames = frames;
    }

    /// From now on no topic may be longer.
    pub(crate) fn limit_topics(&mut self, octets: usize) {
        self.longest_topic = octets.min(MAX_TOPIC);
        if let Some(sealed) = &mut self.sealed {
            sealed.limit(largest(self.max_message_size, self.longest_topic));
        }
    }

    /// Where the next read goes.
    pub(crate) fn space(&mut self) -> Limit<&mut BytesMut> {
        match (&mut self.body, &mut self.sealed) {
            (Some(body), _) => body.space(),
            (None, None) => self.input.space(),
            (None, Some(sealed)) => {
                self.input.release();
                sealed.space()
            }
        }
    }

    /// There is nothing more to read for now: gives memory back that holds
    /// nothing.
    pub(crate) fn rest(&mut self) {
        self.input.rest();
        if let Some(sealed) = &mut self.sealed {
            sealed.rest();
        }
        self.proven = 0;
    }

    /// Whether a frame or a message has begun and is not complete, or was not
    /// taken yet.
    #[cfg(test)]
    pub(crate) fn has_partial(&self) -> bool {
        self.partial.is_some() || !self.is_dry()
    }

    /// Whether nothing is held that a frame could come of.
    #[inline]
    pub(crate) fn is_dry(&self) -> bool {
        self.body.is_none() && self.input.len() == 0 && self.sealed_len() == 0
    }

    fn sealed_len(&self) -> usize {
        self.sealed.as_ref().map_or(0, |sealed| sealed.len())
    }

    /// How many octets are held: not understood yet, or of a message that is
    /// not complete. Each of its further frames counts for what it takes to hold
    /// one, as in [`Message::weight`].
    pub(crate) fn buffered(&self) -> usize {
        let frames = self.partial.as_ref().map_or(0, |partial| partial.len().saturating_sub(1));
        let body = self.body.as_ref().map_or(0, Body::len);
        self.input
            .len()
            .saturating_add(self.sealed_len())
            .saturating_add(body)
            .saturating_add(self.partial_size)
            .saturating_add(frames.saturating_mul(size_of::<Bytes>()))
    }

    /// The next message or command, if the octets so far hold one and it does not take
    /// more `frames` to find it: those it takes are subtracted.
    ///
    /// # Errors
    /// When the peer is at fault. There is no way to go on from there.
    pub(crate) fn next_within(&mut self, frames: &mut usize) -> Result<Option<Unit>, PeerFault> {
        loop {
            if let Some(unit) = self.next_plain(frames)? {
                return Ok(Some(unit));
            }
            if *frames == 0 || !self.unseal()? {
                return Ok(None);
            }
        }
    }

    /// The next message or command of what is there in plain.
    fn next_plain(&mut self, frames: &mut usize) -> Result<Option<Unit>, PeerFault> {
        if let Some(message) = self.next_delimited() {
            return Ok(Some(Unit::Message(message)));
        }
        while *frames > 0 {
            let Some((header, body)) = self.next_frame()? else { return Ok(None) };
            *frames = frames.saturating_sub(1);
            // libzmq sends a PING between the frames of a message where RFC 37
            // has commands between messages only; so commands stand alone.
            if header.is_command() {
                if self.partial.is_some() {
                    self.interrupted = self.interrupted.saturating_add(body.len());
                }
                return Ok(Some(Unit::Command(body)));
            }
            if let Some(message) = self.join(header, body) {
                return Ok(Some(Unit::Message(message)));
            }
        }
        Ok(None)
    }

    /// Opens frames, if they are sealed and there are some. Says whether there are more
    /// in plain now.
    fn unseal(&mut self) -> Result<bool, PeerFault> {
        let Some(sealed) = &mut self.sealed else { return Ok(false) };
        if self.body.is_some() {
            return Ok(false);
        }
        match sealed.next(self.max_message_size)? {
            Unsealed::Nothing => Ok(false),
            Unsealed::Frames(frames) => {
                self.input.refill(frames, sealed.chunk_size());
                Ok(true)
            }
            Unsealed::Large(header, size, received) => {
                self.body = Some(Body::new(header, size, &received, self.proven));
                Ok(false)
            }
        }
    }

    /// An empty frame and one more, there as a whole: most requests and replies are
    /// that.
    fn next_delimited(&mut self) -> Option<Message> {
        let rest = self.input.octets().strip_prefix(&[MORE, 0])?;
        if self.partial.is_some() {
            return None;
        }
        let extent = Extent::of(rest, self.max_message_size, 1, usize::MAX);
        if extent.messages == 0 {
            return None;
        }
        // With the two octets of the empty frame.
        let header_len = extent.len.saturating_sub(extent.bodies).saturating_add(2);
        let mut message = Message::new();
        message.push_back(self.input.cut(header_len, extent.bodies));
        Some(message)
    }

    /// Whether a message of one frame comes first.
    #[inline]
    pub(crate) fn is_single_next(&self) -> bool {
        self.input.octets().first().is_some_and(|flags| flags & (MORE | COMMAND) == 0)
    }

    /// The messages of one frame each that come first, as many as are there as a whole,
    /// but at most so many, and none after so many octets: the shortest way for the
    /// most common case. What follows them is for [`next`](Self::next), which also
    /// opens what is sealed.
    pub(crate) fn take_strip(&mut self, messages: usize, octets: usize) -> (Strip, Extent) {
        if self.partial.is_some() || self.body.is_some() {
            return Default::default();
        }
        let read = self.input.octets();
        let extent = Extent::of(read, self.max_message_size, messages, octets);
        (Strip::new(self.input.cut_strip(extent.len), extent.messages), extent)
    }

    /// The next frame, if all of it is there.
    fn next_frame(&mut self) -> Result<Option<(Header, Bytes)>, PeerFault> {
        if let Some(body) = &mut self.body {
            let header = body.header();
            let Some(octets) = body.complete() else { return Ok(None) };
            self.proven = body.size();
            self.body = None;
            return self.opened(header, octets).map(Some);
        }
        let Some((header, len)) = Header::parse(self.input.octets()) else { return Ok(None) };
        let start = self.input.octets().get(len..).unwrap_or_default();
        let received = start.len();
        let Some(size) = self.admit(header, start)? else { return Ok(None) };
        if received >= size {
            return Ok(Some((header, self.input.cut(len, size))));
        }
        if size >= LARGE {
            self.body = Some(Body::new(header, size, &self.input.cut_all(len), self.proven));
        }
        Ok(None)
    }

    /// Judges a frame by its header, before its body is waited for; of a large
    /// command also by its name. Returns the size of the body, once it is judged.
    fn admit(&self, header: Header, start: &[u8]) -> Result<Option<usize>, PeerFault> {
        if header.is_command() {
            // RFC 37: a command is always one frame, bit 0 SHALL be zero.
            if header.has_more() {
                return Err(PeerFault::CommandWithMore);
            }
            return command::admit(header.size(), start, self.longest_topic);
        }
        if self.partial.as_ref().is_some_and(|partial| partial.len() >= self.max_frames) {
            return Err(PeerFault::TooManyFrames { limit: self.max_frames });
        }
        let left = self.max_message_size.saturating_sub(self.partial_size);
        match usize::try_from(header.size()) {
            Ok(size) if size <= left => Ok(Some(size)),
            _ => Err(PeerFault::MessageTooLarge { limit: self.max_message_size }),
        }
    }

    /// The frame in a large one that is sealed, judged as any other; a plain one as it
    /// is.
    fn opened(&mut self, header: Header, octets: BytesMut) -> Result<(Header, Bytes), PeerFault> {
        let Some(sealed) = &mut self.sealed else { return Ok((header, octets.freeze())) };
        let (flags, body) = sealed.open_large(octets)?;
        let header = Header::new(flags, body.len());
        self.admit(header, &body)?;
        Ok((header, body.freeze()))
    }

    /// Adds a frame to the message it belongs to; the message if it was the
    /// last one.
    fn join(&mut self, header: Header, mut body: Bytes) -> Option<Message> {
        self.partial_size = self.partial_size.saturating_add(body.len());
        // A small frame keeps alive the whole chunk that it is cut from. With
        // commands in the rest of it, a small message would keep many chunks.
        if self.interrupted >= LARGE && body.len() < LARGE {
            body = Bytes::copy_from_slice(&body);
        }
        let message = match self.partial.take() {
            None => Message::from(body),
            Some(mut message) => {
                message.push_back(body);
                message
            }
        };
        if header.has_more() {
            self.partial = Some(message);
            return None;
        }
        self.partial_size = 0;
        self.interrupted = 0;
        Some(message)
    }
}

/// The largest frame that could be anything. What is in a sealed one shows only when
/// all of it is there: it may be the longest subscription.
fn largest(max_message_size: usize, longest_topic: usize) -> usize {
    max_message_size.clamp(command::largest(longest_topic), MAX_SIZE / 2)
}
