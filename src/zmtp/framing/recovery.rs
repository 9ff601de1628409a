//! What of a batch survives the connection it was being written to.

use super::Encoded;
use super::encoder::SPLICE;
use super::header::Header;

/// A place between two messages of a batch.
#[derive(Clone, Copy)]
struct Boundary {
    /// The messages before it.
    messages: usize,
    /// The octets before it, and those of them that are in `buf`.
    bytes: usize,
    buffered: usize,
}

impl Encoded {
    /// After the connection broke: what can go out on the next one, and
    /// whether a message was cut.
    ///
    /// A message that was written in part may have arrived in part; it is
    /// dropped and not sent again. Those after it are kept, in order.
    pub(crate) fn recover(mut self) -> (Self, bool) {
        let mut boundary = Boundary { messages: 0, bytes: 0, buffered: 0 };
        while boundary.bytes < self.written {
            boundary = self.next_boundary(boundary);
        }
        let cut = boundary.bytes > self.written;
        while self.splices.front().is_some_and(|(offset, _)| *offset <= boundary.buffered) {
            self.splices.pop_front();
        }
        for (offset, _) in &mut self.splices {
            *offset -= boundary.buffered;
        }
        self.buf.drain(..boundary.buffered);
        let rest = Self {
            buf: self.buf,
            splices: self.splices,
            messages: self.messages - boundary.messages,
            bytes: self.bytes - boundary.bytes,
            ..Self::default()
        };
        (rest, cut)
    }

    /// The end of the message that starts at `from`, by our own headers.
    fn next_boundary(&self, from: Boundary) -> Boundary {
        let mut end = Boundary { messages: from.messages + 1, ..from };
        loop {
            let parsed = self.buf.get(end.buffered..).and_then(Header::parse);
            let (header, len) = parsed.expect("only whole frames were pushed");
            let body = header.size() as usize; // It was a usize when pushed.
            end.bytes += len + body;
            end.buffered += if body < SPLICE { len + body } else { len };
            if !header.has_more() {
                return end;
            }
        }
    }
}
