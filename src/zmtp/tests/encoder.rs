//! RFC 37, "Framing": messages to octets, and what survives a broken
//! connection.

use std::io::IoSlice;

use proptest::prelude::*;

use super::*;
use crate::zmtp::Encoded;

/// Writes all of it, at most `step` octets and `slices` slices at a time.
fn write(encoded: &mut Encoded, step: usize, slices: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    while encoded.remaining() > 0 {
        octets.extend(write_once(encoded, step, slices));
    }
    octets
}

fn write_once(encoded: &mut Encoded, step: usize, slices: usize) -> Vec<u8> {
    let mut chunks = vec![IoSlice::new(&[]); slices];
    let filled = encoded.chunks_vectored(&mut chunks);
    assert!((1..=slices).contains(&filled) || encoded.remaining() == 0);
    assert!(chunks[..filled].iter().all(|chunk| !chunk.is_empty()));
    let octets = chunks[..filled].iter().flat_map(|chunk| chunk.iter());
    let octets: Vec<u8> = octets.take(step).copied().collect();
    encoded.advance(octets.len());
    octets
}

pub(super) fn encoded(messages: &[Message]) -> Encoded {
    let mut encoded = Encoded::new();
    messages.iter().for_each(|message| encoded.push_shared(message));
    encoded
}

/// What the messages look like on the wire, one by one, written down by hand.
pub(super) fn wire(message: &Message) -> Vec<u8> {
    let mut octets = Vec::new();
    for (index, frame) in message.iter().enumerate() {
        let more = u8::from(index + 1 < message.len());
        match u8::try_from(frame.len()) {
            Ok(size) => octets.extend([more, size]),
            Err(_) => {
                octets.push(more | 0x02);
                octets.extend((frame.len() as u64).to_be_bytes());
            }
        }
        octets.extend_from_slice(frame);
    }
    octets
}

/// Messages of all kinds: short, long, spliced; one frame and several.
pub(super) fn samples() -> Vec<Message> {
    let body = |size: usize| (0..size).map(|n| n as u8).collect::<Vec<_>>();
    let (small, long, large) = (body(5), body(256), body(2048));
    vec![
        message(&[&small]),
        message(&[&large]),
        message(&[b""]),
        message(&[b"a", &large, &large, b""]),
        message(&[&long, &small]),
        message(&[&large, b"", &large]),
        message(&[&large]),
    ]
}

#[test]
fn frames_are_those_of_libzmq() {
    let mut batch = encoded(&[message(&[b"Hello"]), message(&[b"", b"ab"])]);
    assert_eq!((batch.messages(), batch.bytes()), (2, 13));
    assert_eq!(write(&mut batch, 100, 16), b"\x00\x05Hello\x01\x00\x00\x02ab");
    let mut batch = encoded(&[message(&[&[b'x'; 255]]), message(&[&[b'x'; 256]])]);
    let octets = write(&mut batch, 1000, 16);
    assert_eq!(octets[..2], [0x00, 255]);
    assert_eq!(octets[257..266], [0x02, 0, 0, 0, 0, 0, 0, 1, 0]);
    assert_eq!(octets.len(), 2 + 255 + 9 + 256);
}

#[test]
fn bodies_of_2048_octets_are_shared_and_smaller_ones_copied() {
    for (size, shared) in [(2047, false), (2048, true)] {
        let body = Bytes::from(vec![1; size]);
        let mut batch = Encoded::new();
        batch.push_shared(&Message::from(body.clone()));
        let mut chunks = [IoSlice::new(&[]); 4];
        let filled = batch.chunks_vectored(&mut chunks);
        assert_eq!(filled, if shared { 2 } else { 1 });
        assert_eq!(chunks[filled - 1].as_ptr() == body.as_ptr(), shared);
        // A shared body is released as soon as it is written.
        assert_eq!(body.is_unique(), !shared);
        batch.advance(9 + size);
        assert!(body.is_unique());
    }
}

#[test]
fn any_way_of_writing_writes_the_same() {
    let expected: Vec<u8> = samples().iter().flat_map(wire).collect();
    for step in [1, 2, 3, 7, 100, 2048, 2057, 100_000] {
        for slices in [1, 2, 3, 256] {
            let mut batch = encoded(&samples());
            assert_eq!(batch.bytes(), expected.len());
            assert_eq!(write(&mut batch, step, slices), expected);
            assert_eq!((batch.remaining(), batch.written()), (0, expected.len()));
        }
    }
}

#[test]
fn room_comes_back_with_the_last_octet_of_a_message() {
    // 7, 2 and 2 + 4 octets.
    let messages = [message(&[b"Hello"]), message(&[b""]), message(&[b"", b"ab"])];
    let mut batch = encoded(&messages);
    assert_eq!((batch.advance(6), batch.messages()), (0, 3));
    assert_eq!((batch.advance(1), batch.messages()), (1, 2));
    assert_eq!((batch.advance(0), batch.messages()), (0, 2));
    assert_eq!((batch.advance(4), batch.messages()), (1, 1));
    assert!(!batch.is_empty());
    batch.push_shared(&message(&[b"more"]));
    assert_eq!((batch.advance(10), batch.messages()), (2, 0));
    assert!(batch.is_empty());
}

#[test]
fn however_it_is_written_each_message_makes_room_once() {
    let samples = samples();
    let ends: Vec<usize> = samples
        .iter()
        .scan(0, |end, message| {
            *end += wire(message).len();
            Some(*end)
        })
        .collect();
    for step in [1, 2, 3, 7, 100, 2048, 2057, 100_000] {
        let mut batch = encoded(&samples);
        let mut room = 0;
        while batch.remaining() > 0 {
            room += batch.advance(step.min(batch.remaining()));
            let whole = ends.iter().filter(|end| **end <= batch.written()).count();
            assert_eq!((room, batch.messages()), (whole, samples.len() - whole), "{step}");
        }
    }
}

#[test]
fn pushing_while_writing_is_fine() {
    let expected: Vec<u8> = samples().iter().flat_map(wire).collect();
    let mut batch = Encoded::new();
    let mut octets = Vec::new();
    for message in samples() {
        batch.push_shared(&message);
        octets.extend(write_once(&mut batch, 10, 3));
    }
    octets.extend(write(&mut batch, 99, 3));
    assert_eq!(octets, expected);
}

#[test]
fn a_cleared_batch_is_as_new() {
    let mut batch = encoded(&samples());
    write_once(&mut batch, 3000, 4);
    batch.clear();
    assert!(batch.is_empty());
    assert_eq!((batch.messages(), batch.bytes(), batch.written()), (0, 0, 0));
    batch.push_shared(&message(&[b"Hello"]));
    assert_eq!(write(&mut batch, 100, 4), b"\x00\x05Hello");
}

#[test]
fn recovery_drops_the_message_that_was_cut_and_no_other() {
    let samples = samples();
    let sizes: Vec<usize> = samples.iter().map(|message| wire(message).len()).collect();
    let total: usize = sizes.iter().sum();
    for written in 0..=total {
        let mut batch = encoded(&samples);
        batch.advance(written);
        let (mut rest, cut) = batch.recover();
        // Find by the sizes alone what should have come of it.
        let (mut end, mut touched) = (0, 0);
        while end < written {
            end += sizes[touched];
            touched += 1;
        }
        assert_eq!(cut, end != written, "{written}");
        assert_eq!(rest.messages(), samples.len() - touched);
        assert_eq!(rest.bytes(), total - end);
        assert_eq!(rest.written(), 0);
        let expected: Vec<u8> = samples[touched..].iter().flat_map(wire).collect();
        assert_eq!(write(&mut rest, 3000, 5), expected, "{written}");
    }
}

#[test]
fn a_recovered_batch_goes_in_front_of_what_is_queued() {
    let samples = samples();
    let mut batch = encoded(&samples);
    batch.advance(8);
    let (mut rest, cut) = batch.recover();
    assert!(cut);
    rest.append(encoded(&samples));
    rest.append(Encoded::new());
    assert_eq!(rest.messages(), 2 * samples.len() - 2);
    let expected: Vec<u8> = samples[2..].iter().chain(&samples).flat_map(wire).collect();
    assert_eq!(rest.bytes(), expected.len());
    assert_eq!(write(&mut rest, 3000, 5), expected);
    let (mut none, cut) = rest.recover();
    assert!(none.is_empty() && !cut);
    none.append(encoded(&samples));
    assert_eq!(none.messages(), samples.len());
}

#[test]
fn what_began_in_another_form_is_told_by_its_number() {
    let samples = samples();
    for begun in 0..=samples.len() {
        let mut rest = encoded(&samples).recover_after(begun);
        assert_eq!((rest.messages(), rest.written()), (samples.len() - begun, 0));
        let expected: Vec<u8> = samples[begun..].iter().flat_map(wire).collect();
        assert_eq!(rest.bytes(), expected.len());
        assert_eq!(write(&mut rest, 3000, 5), expected, "{begun}");
    }
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let size = prop_oneof![4 => 0..20_usize, 1 => 250..260_usize, 1 => 2040..2060_usize];
    let frames = prop::collection::vec(size.prop_map(|size| vec![0xAB; size]), 1..5);
    let message = frames.prop_map(|frames| {
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        message(&frames)
    });
    prop::collection::vec(message, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_encoded_is_decoded(messages in messages(), step in 1..5000_usize) {
        let mut batch = encoded(&messages);
        let octets = write(&mut batch, step, 7);
        let (received, fault) = receive_in(&mut traffic(1, None).0, &octets, || step);
        prop_assert_eq!(fault, None);
        let expected: Vec<_> = messages.into_iter().map(Incoming::Message).collect();
        prop_assert_eq!(received, expected);
    }

    #[test]
    fn a_batch_can_break_again_and_again(
        messages in messages(),
        breaks in prop::collection::vec(0..3000_usize, 1..6),
    ) {
        let mut batch = encoded(&messages);
        let mut lost = 0;
        let mut octets = Vec::new();
        for step in breaks {
            let before = batch.messages();
            let mut written = write_once(&mut batch, step, 9);
            let arrived = before - batch.messages();
            let (rest, cut) = batch.recover();
            lost += usize::from(cut);
            // What arrived whole is what is neither lost nor left.
            prop_assert_eq!(arrived + usize::from(cut) + rest.messages(), before);
            let (received, _) = receive(&mut traffic(1, None).0, &written);
            prop_assert_eq!(received.len(), arrived);
            octets.append(&mut written);
            batch = rest;
        }
        prop_assert!(lost + batch.messages() <= messages.len());
        let expected: usize = messages[messages.len() - batch.messages()..]
            .iter()
            .map(|message| wire(message).len())
            .sum();
        prop_assert_eq!(batch.bytes(), expected);
    }
}
