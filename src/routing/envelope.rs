//! [`Envelope`]: the frames in front of a request, that its reply needs too
//! (RFC 28).

use bytes::Bytes;

use crate::message::{MAX_FRAMES, Message};

/// The address envelope of a request or reply, with its delimiter: the frames
/// up to and including the first empty one.
///
/// Taking it off and putting it back are linear in its length, so that a peer
/// gains nothing by sending a long one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// The frames before the delimiter. None in the usual case, which then
    /// costs no allocation.
    addresses: Vec<Bytes>,
}

impl Envelope {
    /// Only the delimiter, as REQ sends it.
    pub(crate) fn minimal() -> Self {
        Self::default()
    }

    /// A number that the reply must repeat, then the delimiter.
    pub(crate) fn numbered(number: u32) -> Self {
        Self { addresses: vec![Bytes::copy_from_slice(&number.to_be_bytes())] }
    }

    /// Whether a peer takes a message with this in front: it counts the frames of
    /// both.
    pub(crate) fn fits(&self, message: &Message) -> bool {
        self.addresses.len() + 1 + message.len() <= MAX_FRAMES
    }

    /// Takes the envelope off. `None` leaves the message as it was: it has no
    /// delimiter, or nothing after it.
    pub(crate) fn take_off(message: &mut Message) -> Option<Self> {
        let delimiter = message.iter().position(Bytes::is_empty)?;
        // RFC 28: (after the delimiter) one or more data frames.
        if delimiter + 1 == message.len() {
            return None;
        }
        let addresses = (0..delimiter).map_while(|_| message.pop_front()).collect();
        message.pop_front();
        Some(Self { addresses })
    }

    /// Puts the envelope in front of a message.
    pub(crate) fn put_on(self, message: &mut Message) {
        message.push_front(Bytes::new());
        for address in self.addresses.into_iter().rev() {
            message.push_front(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::testing::message;

    #[test]
    fn minimal_envelope_is_the_delimiter() {
        let mut request = message(["", "a", "", "b"]);
        let envelope = Envelope::take_off(&mut request).unwrap();
        assert_eq!(envelope, Envelope::minimal());
        assert_eq!(request, message(["a", "", "b"]));
        envelope.put_on(&mut request);
        assert_eq!(request, message(["", "a", "", "b"]));
    }

    #[test]
    fn big_envelope_goes_off_and_on_in_order() {
        let mut request = message(["X", "Y", "", "body"]);
        let envelope = Envelope::take_off(&mut request).unwrap();
        assert_eq!(request, message(["body"]));
        let mut reply = message(["reply", ""]);
        envelope.put_on(&mut reply);
        assert_eq!(reply, message(["X", "Y", "", "reply", ""]));
    }

    #[test]
    fn malformed_message_stays_as_it_was() {
        for frames in [vec!["a"], vec![""], vec!["a", "b"], vec!["a", "b", ""]] {
            let mut malformed = message(frames.clone());
            assert_eq!(Envelope::take_off(&mut malformed), None);
            assert_eq!(malformed, message(frames));
        }
    }

    #[test]
    fn empty_body_is_a_body() {
        let mut request = message(["", ""]);
        assert!(Envelope::take_off(&mut request).is_some());
        assert_eq!(request, message([""]));
    }

    #[test]
    fn number_is_four_octets() {
        let mut request = message(["body"]);
        Envelope::numbered(0x0102_0304).put_on(&mut request);
        assert_eq!(request, message(["\x01\x02\x03\x04", "", "body"]));
    }

    #[test]
    fn longest_envelope_is_linear() {
        let mut frames = vec!["address"; 65_534];
        frames.extend(["", "body"]);
        let whole = message(frames);
        let mut request = whole.clone();
        // Quadratic work would take minutes here.
        for _ in 0..4 {
            let envelope = Envelope::take_off(&mut request).unwrap();
            assert_eq!(request, message(["body"]));
            envelope.put_on(&mut request);
        }
        assert_eq!(request, whole);
    }
}
