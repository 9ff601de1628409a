//! [`SealedInput`]: the read buffer of a session that seals.

use bytes::BytesMut;
use bytes::buf::Limit;

use super::body::LARGE;
use super::header::Header;
use super::input::Input;
use crate::fault::PeerFault;
use crate::zmtp::seal::Open;

/// Opens the frames that were read, where they are, and moves them together: a frame
/// is shorter than its sealed form. So the rest of the decoder sees ordinary frames,
/// one behind the other, and nothing is allocated or copied elsewhere for them.
///
/// ```text
/// read    │flags size│MESSAGE nonce tag│flags body│flags size│MESSA…
/// opened  │flags size body│flags size body│       │flags size│MESSA…
///          ────────── cut off ────────────          still sealed
/// ```
#[derive(Debug)]
pub(super) struct SealedInput {
    input: Input,
    open: Box<dyn Open>,
    /// The largest sealed frame that could be anything.
    largest: usize,
    /// What the peer did wrong after the last frames that were opened.
    fault: Option<PeerFault>,
}

/// What comes next of a sealed input.
pub(super) enum Unsealed {
    /// Whole frames, in plain.
    Frames(BytesMut),
    /// The start of a large one, still sealed: header, size and octets.
    Large(Header, usize, BytesMut),
    /// Nothing before the next read.
    Nothing,
}

impl SealedInput {
    /// `largest` is the largest plain frame.
    pub(super) fn new(received: BytesMut, open: Box<dyn Open>, largest: usize) -> Self {
        let largest = largest.saturating_add(open.overhead());
        Self { input: Input::new(received), open, largest, fault: None }
    }

    /// From now on this is the largest plain frame.
    pub(super) fn limit(&mut self, largest: usize) {
        self.largest = largest.saturating_add(self.open.overhead());
    }

    pub(super) fn len(&self) -> usize {
        self.input.len()
    }

    pub(super) fn space(&mut self) -> Limit<&mut BytesMut> {
        self.input.space()
    }

    pub(super) fn rest(&mut self) {
        self.input.rest();
    }

    /// How large the chunks are that this cuts frames from.
    pub(super) fn chunk_size(&self) -> usize {
        self.input.chunk_size()
    }

    /// Opens all that is there as a whole: a chunk at most.
    ///
    /// # Errors
    /// When the first of them is at fault; of the others it is said after those before
    /// were given.
    pub(super) fn next(&mut self, limit: usize) -> Result<Unsealed, PeerFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let (mut plain, mut sealed) = (0, 0);
        loop {
            match self.open_frame(plain, sealed, limit) {
                Ok(Frame::Opened { plain: to, sealed: from }) => (plain, sealed) = (to, from),
                Ok(Frame::Incomplete) => break,
                Ok(Frame::Large(header, len, size)) if plain == 0 => {
                    return Ok(Unsealed::Large(
                        header,
                        size,
                        self.input.cut_all(sealed.saturating_add(len)),
                    ));
                }
                Ok(Frame::Large(..)) => break,
                Err(fault) if plain == 0 => {
                    self.fault = Some(fault.clone());
                    return Err(fault);
                }
                Err(fault) => {
                    self.fault = Some(fault);
                    break;
                }
            }
        }
        match plain {
            0 => Ok(Unsealed::Nothing),
            _ => Ok(Unsealed::Frames(self.input.cut_front(plain, sealed))),
        }
    }

    /// Opens a large frame that was received as a whole.
    pub(super) fn open_large(&mut self, mut sealed: BytesMut) -> Result<(u8, BytesMut), PeerFault> {
        let (flags, body) = self.open.open(&mut sealed)?;
        sealed.truncate(body.end);
        Ok((flags, sealed.split_off(body.start)))
    }

    /// Opens the frame at `sealed` and moves it to `plain`.
    fn open_frame(
        &mut self,
        plain: usize,
        sealed: usize,
        limit: usize,
    ) -> Result<Frame, PeerFault> {
        let octets = self.input.octets_mut();
        let Some((header, len)) = octets.get(sealed..).and_then(Header::parse) else {
            return Ok(Frame::Incomplete);
        };
        let size = match usize::try_from(header.size()) {
            Ok(size) if size <= self.largest => size,
            _ => return Err(PeerFault::MessageTooLarge { limit }),
        };
        let start = sealed.saturating_add(len);
        let Some(frame) = octets.get_mut(start..).and_then(|rest| rest.get_mut(..size)) else {
            return Ok(if size >= LARGE {
                Frame::Large(header, len, size)
            } else {
                Frame::Incomplete
            });
        };
        let (flags, body) = self.open.open(frame)?;
        // What seals adds more than a long header has over a short one, so there is room.
        let mut room = octets.get_mut(plain..).unwrap_or_default();
        Header::new(flags, body.len()).put(&mut room);
        let left = room.len();
        let moved = octets.len().saturating_sub(left);
        octets.copy_within(start.saturating_add(body.start)..start.saturating_add(body.end), moved);
        let plain = moved.saturating_add(body.len());
        Ok(Frame::Opened { plain, sealed: start.saturating_add(size) })
    }
}

/// What is at one place of the input.
enum Frame {
    /// It was opened: where its plain form ends, and its sealed one.
    Opened {
        plain: usize,
        sealed: usize,
    },
    Incomplete,
    /// Its header, the length of that, and its size.
    Large(Header, usize, usize),
}
