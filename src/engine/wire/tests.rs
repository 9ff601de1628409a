//! The wire between two sides, cut after each of its octets, in plain and sealed.

use std::io::IoSlice;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes};

use super::sinks::Taken;
use super::*;
use crate::mark::Mark;
use crate::message::Message;
use crate::monitor::DisconnectReason;
use crate::options::SocketOptions;
use crate::peer::Subscription;
use crate::pipe::{By, Hand, Refused, Rest, Traits};
use crate::zmtp::tests::seal::session;
use crate::zmtp::{Receiving, Sending};

/// A message with a number, of so many frames of a size.
fn message(number: usize, frames: usize, size: usize) -> Message {
    let mut message = Message::from(number.to_string());
    for frame in 0..frames {
        message.push_back(Bytes::from(vec![(number + frame) as u8; size]));
    }
    message
}

/// Small messages of all kinds: what is cut may be anything of them.
fn small() -> Vec<Message> {
    let shapes = [(0, 0), (1, 0), (2, 1), (1, 260), (0, 0), (3, 90), (1, 255), (1, 0)];
    shapes
        .iter()
        .enumerate()
        .map(|(number, (frames, size))| message(number, *frames, *size))
        .collect()
}

/// Such as are not copied, and sealed one at a time.
fn large() -> Vec<Message> {
    let shapes = [(1, 10), (2, 66_000), (0, 0), (1, 9000), (1, 70_000), (1, 1)];
    shapes
        .iter()
        .enumerate()
        .map(|(number, (frames, size))| message(number, *frames, *size))
        .collect()
}

/// One side's way out, and what it has written on the session that is up.
struct Writing {
    outward: Outward,
    sending: Sending,
    flight: Flight,
    written: Vec<u8>,
    messages: usize,
    pings: usize,
}

impl Writing {
    fn new(options: &SocketOptions, sending: Sending) -> Self {
        let mut outward = Outward::new(options, &Traits::PLAIN);
        outward.session_up();
        let (flight, written) = (Flight::default(), Vec::new());
        Self { outward, sending, flight, written, messages: 0, pings: 0 }
    }

    /// Writes until so many octets are written, or all.
    fn write(&mut self, octets: usize) {
        if !self.outward.claim(By::Task) {
            return;
        }
        loop {
            if self.flight.is_written() && !self.outward.take(&mut self.flight, &self.sending) {
                assert!(!self.outward.rest(Rest::Done).0);
                return;
            }
            let mut slices = [IoSlice::new(&[]); 16];
            let count = self.flight.chunks(&mut self.sending, &mut slices);
            let before = self.written.len();
            for slice in &slices[..count] {
                let space = octets - self.written.len();
                self.written.extend_from_slice(&slice[..space.min(slice.len())]);
            }
            if self.written.len() == before {
                assert!(self.outward.rest(Rest::Blocked).0);
                return;
            }
            let progress = self.flight.advance(self.written.len() - before);
            self.messages += progress.messages;
            self.pings += usize::from(progress.ping);
            let _ = self.outward.written(progress, &self.flight);
        }
    }

    /// How many messages it takes before it is full.
    fn fill(&mut self) -> usize {
        (0..).take_while(|_| self.outward.push_shared(&Message::from("x")).is_ok()).count()
    }
}

/// Of a message of very many frames, or of frames that mean nothing.
#[test]
fn a_look_ends_when_its_frames_are_spent() {
    let options = SocketOptions::new();
    for octets in [&b"\x01\x00"[..], b"\x04\x02\x01X"] {
        let mut inward = Inward::new(&options, &Traits::PLAIN);
        inward.session_up((), session(false, None).1, 0);
        let (mut counting, mut orders) = (Counting::default(), Orders::default());
        let many = octets.repeat(100);
        let (_, mut space) = inward.reading().unwrap();
        space.put_slice(&many);
        inward.received(many.len(), false, None, &mut orders);
        let mut look = || {
            let mut budget = Budget { items: 1000, frames: 60, octets: 1000 };
            inward.drain(&mut counting, &mut budget, &mut orders)
        };
        assert_eq!([look(), look()], [Drained::Enough, Drained::Starved]);
        assert_eq!(counting.messages, 0);
    }
}

/// Gives octets to a session, a few at a time, and takes what comes of them.
fn read(inward: &mut Inward<()>, mut octets: &[u8], step: usize) -> Vec<Message> {
    let (mut hand, mut orders) = (Hand::default(), Orders::default());
    loop {
        let mut budget = Budget { items: usize::MAX, frames: usize::MAX, octets: usize::MAX };
        let most_octets = Mark::UNLIMITED;
        let mut filling = Filling {
            hand: &mut hand,
            limit: usize::MAX,
            most_octets,
            taken: Taken::default(),
            session: 0,
        };
        let drained = inward.drain(&mut filling, &mut budget, &mut orders);
        if drained != Drained::Starved || octets.is_empty() {
            assert!(!orders.ended, "a prefix of what was written is no fault");
            return std::iter::from_fn(|| hand.pop()).collect();
        }
        let (_, mut space) = inward.reading().unwrap();
        let count = step.min(space.remaining_mut()).min(octets.len());
        space.put_slice(&octets[..count]);
        octets = &octets[count..];
        inward.received(count, false, None, &mut orders);
    }
}

fn cut_after(messages: &[Message], octets: usize, is_sealed: bool) {
    let options = SocketOptions::new().send_hwm(messages.len());
    let (sending, receiving) = session(is_sealed, None);
    let mut writing = Writing::new(&options, sending);
    let _ = writing.outward.control(Subscription::Subscribe(Bytes::from("topic")));
    let _ = writing.outward.ping(Duration::from_secs(1));
    for message in messages {
        assert!(!matches!(writing.outward.push_shared(message), Err(Refused::Full)));
    }
    writing.write(octets);
    let whole = writing.messages;

    // What was cut is dropped, the rest waits, and room is for all but that.
    let settled = writing.outward.session_lost(std::mem::take(&mut writing.flight));
    let begun = whole + usize::from(settled.cut);
    let (sending, again) = session(is_sealed, None);
    let (written, pings) = (std::mem::take(&mut writing.written), writing.pings);
    writing.sending = sending;
    writing.outward.session_up();
    assert_eq!(writing.fill(), begun, "cut after {octets}");
    writing.write(usize::MAX);
    assert_eq!((whole, writing.messages), (whole, whole + messages.len()));
    assert!(pings <= 1 && writing.pings == pings, "the PING of a session is lost with it");

    // Both sessions are read as one.
    let mut inward = Inward::<()>::new(&options, &Traits::PLAIN);
    let mut received = receive(&mut inward, receiving, &written);
    assert_eq!(received, messages[..whole], "cut after {octets}");
    received.extend(receive(&mut inward, again, &writing.written));
    let news = std::iter::repeat_n(Message::from("x"), begun);
    let expected: Vec<_> =
        messages[..whole].iter().chain(&messages[begun..]).cloned().chain(news).collect();
    assert_eq!(received, expected, "cut after {octets}");

    // Nothing is left.
    writing.outward.close(None);
    assert_eq!(writing.outward.closing(Instant::now()), Closing::Done);
    assert_eq!(writing.outward.end().unsent, 0);
    inward.close();
    assert!(inward.is_spent());
}

/// Reads a session to its end.
fn receive(inward: &mut Inward<()>, receiving: Receiving, octets: &[u8]) -> Vec<Message> {
    inward.session_up((), receiving, 0);
    let messages = read(inward, octets, 1 + octets.len() % 61);
    let mut orders = Orders::default();
    inward.end_reading(DisconnectReason::PeerClosed, &mut orders);
    assert!(orders.ended);
    messages
}

/// How many octets all of it is.
fn size_of(messages: &[Message], is_sealed: bool) -> usize {
    let mut writing = Writing::new(&SocketOptions::new(), session(is_sealed, None).0);
    let _ = writing.outward.control(Subscription::Subscribe(Bytes::from("topic")));
    let _ = writing.outward.ping(Duration::from_secs(1));
    for message in messages {
        assert!(writing.outward.push_shared(message).is_ok());
    }
    writing.write(usize::MAX);
    writing.written.len()
}

#[test]
fn a_session_may_be_cut_after_each_octet() {
    for is_sealed in [false, true] {
        let messages = small();
        for octets in 0..=size_of(&messages, is_sealed) {
            cut_after(&messages, octets, is_sealed);
        }
    }
}

#[test]
fn a_session_with_large_messages_may_be_cut_anywhere() {
    for is_sealed in [false, true] {
        let messages = large();
        let size = size_of(&messages, is_sealed);
        // Everywhere would take minutes.
        for octets in (0..=size).filter(|octets| octets % 4999 < 2 || size - octets < 3) {
            cut_after(&messages, octets, is_sealed);
        }
    }
}

/// Averages would hide it: with four small ones in front it weighs as one of five.
#[test]
fn a_large_message_counts_in_hand_until_it_is_received() {
    const MARK: usize = 100_000;
    let large = [vec![2, 0, 0, 0, 0, 0, 2, 0, 0], vec![b'x'; 1 << 17]].concat();
    let small = b"\0\x01x".repeat(4);
    for (case, octets, messages) in
        [("alone", &large, 1), ("last", &[small, large.clone()].concat(), 5)]
    {
        let options = SocketOptions::new().recv_hwm(0).recv_hwm_bytes(MARK);
        let mut inward = Inward::new(&options, &Traits::PLAIN);
        inward.session_up((), session(false, None).1, 0);
        let (mut hand, mut orders) = (Hand::default(), Orders::default());
        let mut filling = inward.filling(&mut hand, 64);
        let mut budget = Budget { items: usize::MAX, frames: usize::MAX, octets: usize::MAX };
        for piece in octets.chunks(1 << 12) {
            inward.drain(&mut filling, &mut budget, &mut orders);
            let (_, mut space) = inward.reading().unwrap();
            space.put_slice(piece);
            inward.received(piece.len(), true, None, &mut orders);
        }
        inward.drain(&mut filling, &mut budget, &mut orders);
        let taken = filling.taken;
        assert_eq!(hand.len(), messages, "{case}");
        inward.end_look(taken);
        assert!((1..=messages).all(|left| inward.is_full(left)), "{case}");
        assert!(!inward.is_full(0), "{case}");
    }
}

/// Room comes back by whole messages, and in plain octets also where they are sealed.
#[test]
fn octets_are_counted_before_they_are_sealed() {
    for is_sealed in [false, true] {
        // Three octets each on the wire, in plain.
        let options = SocketOptions::new().send_hwm_bytes(30);
        let mut writing = Writing::new(&options, session(is_sealed, None).0);
        assert_eq!(writing.fill(), 10, "sealed: {is_sealed}");
        let mut whole = 0;
        for octets in 1.. {
            writing.write(octets);
            if writing.messages > whole {
                assert_eq!(writing.fill(), writing.messages - whole, "sealed: {is_sealed}");
                whole = writing.messages;
            } else {
                assert_eq!(writing.fill(), 0, "sealed: {is_sealed}");
            }
            if whole >= 25 {
                break;
            }
        }
    }
}
