//! [`Stamp`]: what tells the messages of a simulated world apart, and
//! [`Reader`]: finds them again in what was written.

use bytes::Bytes;

use crate::message::Message;
use crate::random::seeded::split_mix;

/// Which message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id {
    /// Which socket sends it.
    pub(super) socket: u8,
    pub(super) number: u32,
}

/// What stands in the first frame of a message, after any envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Its first octet: some are subscribed to.
    pub(super) topic: u8,
    pub(super) id: Id,
    /// Which one it answers, of whichever socket asked.
    pub(super) answers: Option<Id>,
    /// How many frames follow, and what size they have, follows from this.
    pub(super) shape: u32,
}

/// Subscribed to.
pub(super) const WANTED: u8 = b'a';
/// Not subscribed to.
pub(super) const UNWANTED: u8 = b'b';

const MARK: &[u8; 2] = b"SM";
const SIZE: usize = 18;

/// A shape of one frame that is not large.
pub(super) const PLAIN: u32 = 0;

/// The sizes that frames have: around the borders of short and long ones, of
/// what is copied and what is not, and of a chunk that is read.
const SIZES: [usize; 12] = [0, 0, 1, 3, 17, 40, 100, 254, 256, 1000, 8200, 66_000];

impl Stamp {
    /// The one message with this stamp.
    pub(super) fn message(self) -> Message {
        let mut state = u64::from(self.shape);
        let mut draw = |below: usize| (split_mix(&mut state) % below as u64) as usize;
        let (frames, large) = if self.shape == PLAIN { (0, 0) } else { (draw(4), draw(12)) };
        let mut size = || match draw(8) {
            0 if large == 0 => SIZES[draw(SIZES.len())],
            _ => SIZES[draw(7)],
        };
        let mut message = Message::from(self.first(size()));
        for index in 0..frames {
            message.push_back(self.filling(index, size()));
        }
        message
    }

    fn first(self, more: usize) -> Bytes {
        let mut octets = vec![self.topic];
        octets.extend_from_slice(MARK);
        octets.push(self.id.socket);
        octets.extend_from_slice(&self.id.number.to_be_bytes());
        let answers = self.answers.unwrap_or(Id { socket: u8::MAX, number: 0 });
        octets.push(answers.socket);
        octets.extend_from_slice(&answers.number.to_be_bytes());
        octets.extend_from_slice(&self.shape.to_be_bytes());
        octets.push(0);
        octets.extend(self.filling(100, more));
        Bytes::from(octets)
    }

    fn filling(self, index: usize, size: usize) -> Bytes {
        let first = self.id.number as usize + index;
        (first..first + size).map(|octet| octet as u8).collect()
    }

    /// The stamp of a frame, if it has one.
    pub(super) fn of(frame: &[u8]) -> Option<Self> {
        if frame.len() < SIZE || &frame[1..3] != MARK {
            return None;
        }
        let number = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|index| frame[at + index]));
        let id = |at: usize| Id { socket: frame[at], number: number(at + 1) };
        let answers = Some(id(8)).filter(|id| id.socket != u8::MAX);
        Some(Self { topic: frame[0], id: id(3), answers, shape: number(13) })
    }

    /// The stamp of a message, after its envelope.
    ///
    /// # Panics
    /// When the message is not whole, or not the one with this stamp.
    pub(super) fn of_whole(message: &Message) -> Option<Self> {
        let stamped = message.iter().position(|frame| Self::of(frame).is_some())?;
        let stamp = Self::of(message.get(stamped)?)?;
        let whole: Vec<_> = message.iter().skip(stamped).collect();
        let expected = stamp.message();
        assert!(expected.iter().eq(whole), "{stamp:?} is not as it was sent");
        Some(stamp)
    }
}

/// Follows what one side of a connection writes, and notes where each message
/// ends. By its own means, so that it errs otherwise than what it looks after.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Up to where it has read.
    at: usize,
    /// The stamp of the message that has begun.
    begun: Option<Id>,
    /// Messages with a stamp, and where each ends.
    pub(super) whole: Vec<(usize, Id)>,
    /// Where the handshake ends.
    pub(super) ready_at: Option<usize>,
    /// Where the first subscription ends.
    pub(super) subscribed_at: Option<usize>,
}

const GREETING: usize = 64;

impl Reader {
    /// `log` is all that was written so far.
    pub(super) fn follow(&mut self, log: &[u8]) {
        if self.at == 0 {
            if log.len() < GREETING {
                return;
            }
            self.at = GREETING;
        }
        while let Some((flags, body, end)) = frame(log, self.at) {
            self.at = end;
            let opened = opened(flags, body);
            let (flags, body) =
                opened.as_ref().map_or((flags, body), |(flags, body)| (*flags, body));
            let (is_command, has_more) = (flags & 4 != 0, flags & 1 != 0);
            if is_command {
                // The last of the handshake is INITIATE for the client of CURVE.
                if body.starts_with(b"\x05READY") || body.starts_with(b"\x08INITIATE") {
                    self.ready_at.get_or_insert(end);
                } else if body.starts_with(b"\x09SUBSCRIBE") {
                    self.subscribed_at.get_or_insert(end);
                }
                continue;
            }
            self.begun = self.begun.or(Stamp::of(body).map(|stamp| stamp.id));
            if !has_more {
                self.whole.extend(self.begun.take().map(|id| (end, id)));
            }
        }
    }

    /// How many whole messages are in the first `octets`.
    pub(super) fn within(&self, octets: usize) -> usize {
        self.whole.partition_point(|(end, _)| *end <= octets)
    }
}

/// What is in a frame of CURVE.
#[cfg(feature = "curve")]
fn opened(flags: u8, body: &[u8]) -> Option<(u8, Vec<u8>)> {
    if flags & 5 != 0 || !body.starts_with(b"\x07MESSAGE") {
        return None;
    }
    crate::zmtp::mechanism::curve::tap::open(body)
}

#[cfg(not(feature = "curve"))]
fn opened(_: u8, _: &[u8]) -> Option<(u8, Vec<u8>)> {
    None
}

/// The frame at `at`, if all of it is there: flags, body, and where it ends.
fn frame(log: &[u8], at: usize) -> Option<(u8, &[u8], usize)> {
    let flags = *log.get(at)?;
    let (size, start) = match flags & 2 {
        0 => (usize::from(*log.get(at + 1)?), at + 2),
        _ => {
            let size: [u8; 8] = log.get(at + 1..at + 9)?.try_into().ok()?;
            (u64::from_be_bytes(size) as usize, at + 9)
        }
    };
    Some((flags, log.get(start..start + size)?, start + size))
}

#[test]
fn a_stamp_is_found_again() {
    let id = Id { socket: 3, number: 77 };
    for shape in 0..200 {
        let stamp = Stamp { topic: WANTED, id, answers: (shape % 2 == 0).then_some(id), shape };
        let mut message = stamp.message();
        message.push_front("");
        assert_eq!(Stamp::of_whole(&message), Some(stamp));
    }
}
