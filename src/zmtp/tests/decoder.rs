//! RFC 37, "Framing": octets to messages.

use super::*;

fn messages(octets: &[u8]) -> Vec<Message> {
    let (received, fault) = receive(&mut traffic(1, None).0, octets);
    assert_eq!(fault, None);
    let to_message = |incoming| match incoming {
        Incoming::Message(message) => message,
        other => panic!("{other:?}"),
    };
    received.into_iter().map(to_message).collect()
}

fn long(flags: u8, size: u64) -> Vec<u8> {
    [&[flags][..], &size.to_be_bytes()].concat()
}

#[test]
fn frames_as_libzmq_sends_them() {
    assert_eq!(messages(b"\x00\x05Hello"), [message(&[b"Hello"])]);
    assert_eq!(messages(b"\x00\x00"), [message(&[b""])]);
    assert_eq!(messages(b"\x01\x01a\x01\x00\x00\x02bc"), [message(&[b"a", b"", b"bc"])]);
    assert_eq!(messages(b"\x00\x01a\x00\x01b"), [message(&[b"a"]), message(&[b"b"])]);
}

#[test]
fn sizes_around_the_steps_of_encoding_and_buffering() {
    for size in [255, 256, 8191, 8192, 64_000, 65_535, 65_536, 65_537, 131_073, 1_000_003] {
        let body = vec![0x5A; size];
        let octets = match u8::try_from(size) {
            Ok(size) => [&[0, size][..], &body].concat(),
            Err(_) => [&long(0x02, size as u64)[..], &body].concat(),
        };
        let octets = [&octets[..], b"\x00\x03end"].concat();
        let expected = [message(&[&body]), message(&[b"end"])];
        assert_eq!(messages(&octets), expected, "{size}");
        let (received, fault) = receive_in(&mut traffic(1, None).0, &octets, || 1000);
        assert_eq!((received.len(), fault), (2, None));
    }
}

#[test]
fn a_small_frame_may_have_the_long_form() {
    let octets = [&long(0x02, 5)[..], b"Hello"].concat();
    assert_eq!(messages(&octets), [message(&[b"Hello"])]);
    assert_eq!(messages(&long(0x02, 0)), [message(&[b""])]);
}

#[test]
fn reserved_flags_are_ignored() {
    assert_eq!(messages(b"\xf9\x01a\xf8\x01b"), [message(&[b"a", b"b"])]);
}

#[test]
fn a_message_is_delivered_whole_or_not_at_all() {
    let (mut receiving, ..) = traffic(1, None);
    let (received, fault) = receive(&mut receiving, b"\x00\x01a\x01\x01b\x01\x01c\x00\x04par");
    assert_eq!(received, [Incoming::Message(message(&[b"a"]))]);
    assert_eq!(fault, None);
    assert!(receiving.has_partial());
    // The second frame takes memory to hold beside its octet.
    assert_eq!(receiving.buffered(), 2 + size_of::<Bytes>() + 5);
    let (received, _) = receive(&mut receiving, b"t");
    assert_eq!(received, [Incoming::Message(message(&[b"b", b"c", b"part"]))]);
    assert!(!receiving.has_partial());
    assert_eq!(receiving.buffered(), 0);
}

#[test]
fn a_claimed_size_costs_no_memory() {
    for size in [65_536, 1 << 30, 1 << 45, (1 << 63) - 1] {
        let (mut receiving, ..) = traffic(1, None);
        let octets = [&long(0x02, size)[..], b"0123456789"].concat();
        assert_eq!(receive(&mut receiving, &octets), (vec![], None));
        assert!(receiving.has_partial());
        assert_eq!(receiving.buffered(), 10);
        assert!(receiving.space().get_ref().capacity() <= 64 * 1024);
    }
}

#[test]
fn the_memory_of_a_large_body_grows_with_what_came_and_ends_at_its_size() {
    let size = 1_000_003;
    let (mut receiving, ..) = traffic(1, None);
    receive(&mut receiving, &long(0x02, size as u64));
    let mut received = 0;
    let body = vec![1; size];
    let mut octets = &body[..];
    while !octets.is_empty() {
        let capacity = receiving.space().get_ref().capacity();
        assert!(capacity <= (8 * received).max(64 * 1024), "{capacity} for {received}");
        assert!(capacity <= size);
        assert!(receiving.space().remaining_mut() <= size - received);
        received += read(&mut receiving, &mut octets);
    }
    assert_eq!(receiving.next(), Ok(Some(Incoming::Message(message(&[&body])))));
    assert!(!receiving.has_partial());
}

/// One that has sent as many before, and is not quiet since, need not prove it anew, up
/// to a mebibyte.
#[test]
fn a_peer_that_sends_large_bodies_is_trusted_with_little() {
    for (before, most) in [(100_000, 100_000), (1 << 20, 1 << 20), (10_000_000, 1 << 20)] {
        let (mut receiving, ..) = traffic(1, None);
        let body = vec![1; before];
        let (received, _) =
            receive(&mut receiving, &[&long(0x02, before as u64)[..], &body].concat());
        assert_eq!(received.len(), 1);
        for rests in [false, true] {
            receive(&mut receiving, &long(0x02, 1 << 30));
            let capacity = receiving.space().get_ref().capacity();
            let most = if rests { 64 * 1024 } else { most };
            assert!(capacity <= most, "{capacity} after {before}");
            // It sends something else, in time.
            let (mut other, ..) = traffic(1, None);
            receive(&mut other, &[&long(0x02, before as u64)[..], &body].concat());
            other.rest();
            receiving = other;
        }
    }
}

#[test]
fn a_large_body_is_read_no_further_than_its_end() {
    let (mut receiving, ..) = traffic(1, None);
    receive(&mut receiving, &long(0x02, 70_000));
    let body = [7; 70_000];
    let (received, _) = receive(&mut receiving, &body[..69_999]);
    assert_eq!(received, []);
    assert_eq!(receiving.space().remaining_mut(), 1);
}

#[test]
fn sizes_beyond_what_the_rfc_allows_are_refused_at_the_header() {
    for size in [1 << 63, u64::MAX] {
        let limit = isize::MAX as usize;
        assert_eq!(fault_of(&long(0x02, size)), PeerFault::MessageTooLarge { limit });
    }
    // The sum must not overflow.
    let octets = [b"\x01\x01a", &long(0x02, (1 << 63) - 1)[..]].concat();
    assert!(matches!(fault_of(&octets), PeerFault::MessageTooLarge { .. }));
}

#[test]
fn the_limit_is_inclusive_counts_all_frames_and_applies_at_the_header() {
    let too_large = Some(PeerFault::MessageTooLarge { limit: 10 });
    let fault = |octets: &[u8]| receive(&mut traffic(1, Some(10)).0, octets).1;
    assert_eq!(fault(b"\x00\x0a0123456789"), None);
    assert_eq!(fault(b"\x00\x0b"), too_large);
    assert_eq!(fault(b"\x00\x0b0123456789a"), too_large);
    assert_eq!(fault(&long(0x02, 10)), None);
    assert_eq!(fault(&long(0x02, 11)), too_large);
    assert_eq!(fault(b"\x01\x0501234\x00\x0556789"), None);
    assert_eq!(fault(b"\x01\x0501234\x00\x06"), too_large);
    assert_eq!(fault(b"\x01\x0501234\x01\x0556789\x00\x00"), None);
    assert_eq!(fault(b"\x01\x0501234\x01\x0556789\x01\x01"), too_large);
    // Each message counts anew, and commands do not count.
    assert_eq!(fault(b"\x01\x0501234\x00\x0556789\x00\x0a0123456789"), None);
    assert_eq!(fault(b"\x04\x0c\x09SUBSCRIBEab"), None);
}

#[test]
fn what_came_before_a_fault_comes_out_before_it() {
    let (mut receiving, ..) = traffic(1, Some(10));
    let (received, fault) = receive(&mut receiving, b"\x00\x01a\x00\x01b\x00\xff\x00\x01c");
    assert_eq!(received, [&b"a"[..], b"b"].map(|body| Incoming::Message(message(&[body]))));
    assert_eq!(fault, Some(PeerFault::MessageTooLarge { limit: 10 }));
}

#[test]
fn a_message_has_at_most_1_000_000_frames() {
    let most = [&b"\x01\x00".repeat(999_999)[..], b"\x00\x00"].concat();
    let received = messages(&most);
    assert_eq!((received.len(), received[0].len()), (1, 1_000_000));
    let (received, fault) = receive(&mut traffic(1, None).0, &b"\x01\x00".repeat(1_000_001));
    assert_eq!((received, fault), (vec![], Some(PeerFault::TooManyFrames { limit: 1_000_000 })));
}

#[test]
fn empty_frames_weigh_what_it_takes_to_hold_them() {
    let (mut receiving, ..) = traffic(1, None);
    receive(&mut receiving, &b"\x01\x00".repeat(10_000));
    let held = receiving.buffered();
    assert_eq!(held, 9_999 * size_of::<Bytes>());
    let (received, _) = receive(&mut receiving, b"\x00\x00");
    let [Incoming::Message(message)] = &received[..] else { panic!() };
    assert_eq!(message.weight(), held + size_of::<Bytes>());
    assert_eq!(receiving.buffered(), 0);
}

/// Of a message, and of commands that mean nothing.
#[test]
fn however_many_frames_there_are_no_more_are_looked_at_than_is_allowed() {
    for (octets, last) in [(&b"\x01\x00"[..], &b"\x00\x00"[..]), (b"\x04\x02\x01X", b"\x00\x00")] {
        let (mut receiving, ..) = traffic(1, None);
        let octets = [&octets.repeat(100), last].concat();
        assert_eq!(read(&mut receiving, &mut &octets[..]), octets.len());
        for _ in 0..10 {
            let mut frames = 10;
            assert_eq!((receiving.next_within(&mut frames), frames), (Ok(None), 0));
        }
        let mut frames = 10;
        let next = receiving.next_within(&mut frames);
        assert!(matches!(next, Ok(Some(Incoming::Message(_)))), "{next:?}");
        assert_eq!(receiving.next(), Ok(None));
    }
}

#[test]
fn small_frames_are_cut_from_the_read_buffer() {
    let (mut receiving, ..) = traffic(1, None);
    let mut octets: &[u8] = b"\x00\x05Hello\x00\x05World";
    let start = receiving.space().get_mut().spare_capacity_mut().as_ptr() as usize;
    read(&mut receiving, &mut octets);
    for (offset, body) in [(2, b"Hello"), (9, b"World")] {
        let Ok(Some(Incoming::Message(message))) = receiving.next() else { panic!() };
        assert_eq!(message.first(), &body[..]);
        assert_eq!(message.first().as_ptr() as usize, start + offset);
    }
}

#[test]
fn the_read_buffer_is_used_again_once_its_messages_are_dropped() {
    let (mut receiving, ..) = traffic(1, None);
    let mut starts = std::collections::HashSet::new();
    for _ in 0..100 {
        starts.insert(receiving.space().get_mut().spare_capacity_mut().as_ptr() as usize);
        let (received, _) = receive(&mut receiving, b"\x00\x05Hello\x00\x05World");
        assert_eq!(received.len(), 2);
    }
    assert_eq!(starts.len(), 1);
}

#[test]
fn the_read_buffer_grows_when_reads_fill_it() {
    let (mut receiving, ..) = traffic(1, None);
    assert_eq!(receiving.space().remaining_mut(), 8 * 1024);
    let flood = b"\x00\x01a".repeat(200_000);
    receive(&mut receiving, &flood[..8 * 1024]);
    assert!(receiving.space().remaining_mut() > 8 * 1024);
    receive(&mut receiving, &flood[8 * 1024..]);
    let limit = receiving.space().remaining_mut();
    assert!((48 * 1024..=80 * 1024).contains(&limit), "{limit}");
}

#[test]
fn a_frame_that_does_not_fit_the_read_buffer_gets_room_for_all_of_it() {
    let (mut receiving, ..) = traffic(1, None);
    receive(&mut receiving, &[&long(0x02, 60_000)[..], &[0; 1000]].concat());
    assert!(receiving.space().remaining_mut() >= 59_000);
    let (received, _) = receive(&mut receiving, &[0; 59_000]);
    assert_eq!(received, [Incoming::Message(message(&[&[0; 60_000]]))]);
}

#[test]
fn kept_messages_stay_as_they_were() {
    let (mut receiving, ..) = traffic(1, None);
    let mut octets = Vec::new();
    for n in 0..20_000_u32 {
        octets.extend_from_slice(b"\x00\x04");
        octets.extend_from_slice(&n.to_be_bytes());
    }
    let (received, _) = receive_in(&mut receiving, &octets, || 999);
    for (n, incoming) in (0..20_000_u32).zip(received) {
        assert_eq!(incoming, Incoming::Message(message(&[&n.to_be_bytes()])));
    }
}

#[test]
fn frames_between_many_commands_do_not_keep_what_was_read_along_with_them() {
    let (mut receiving, ..) = traffic(1, None);
    receive(&mut receiving, b"\x01\x01a");
    receive(&mut receiving, &b"\x04\x05\x04PONG".repeat(20_000));
    // No read buffer is freed before the frames are looked at.
    let start = receiving.space().get_mut().spare_capacity_mut().as_ptr() as usize;
    let (received, _) = receive(&mut receiving, b"\x01\x01b\0\x01c");
    let [Incoming::Message(message)] = &received[..] else { panic!() };
    assert_eq!(*message, self::message(&[b"a", b"b", b"c"]));
    assert!(!(start..start + 16).contains(&(message[1].as_ptr() as usize)));
}

#[test]
fn a_connection_rests_only_with_nothing_in_its_read_buffer() {
    let (mut receiving, ..) = traffic(1, None);
    receive(&mut receiving, b"\x00\x05Hel");
    receiving.rest();
    assert_eq!(receiving.buffered(), 5);
    let (received, _) = receive(&mut receiving, b"lo");
    assert_eq!(received, [Incoming::Message(message(&[b"Hello"]))]);
    // Half a message, and half of a large frame of it, are no obstacle.
    receive(&mut receiving, &[&b"\x01\x01a"[..], &long(0x02, 70_000), &[7; 100]].concat());
    receiving.rest();
    let (received, _) = receive(&mut receiving, &[7; 69_900]);
    assert_eq!(received, [Incoming::Message(message(&[b"a", &[7; 70_000]]))]);
}

#[test]
fn the_next_read_buffer_is_as_large_as_the_traffic_needs() {
    let (mut receiving, ..) = traffic(1, None);
    let room = |receiving: &mut Receiving| receiving.space().remaining_mut();
    let flood = b"\x00\x01a".repeat(200_000);
    receive(&mut receiving, &flood);
    receiving.rest();
    assert_eq!(room(&mut receiving), 64 * 1024);
    // It is needed still.
    for _ in 0..10 {
        receive(&mut receiving, &flood[..48 * 1024]);
        receiving.rest();
        assert_eq!(room(&mut receiving), 64 * 1024);
    }
    // It is not.
    for size in [32, 16, 8, 8] {
        receive(&mut receiving, b"\x00\x01a");
        receiving.rest();
        assert_eq!(room(&mut receiving), size * 1024);
    }
}

#[test]
fn resting_at_any_time_changes_nothing_of_what_is_received() {
    let octets: Vec<u8> = (0..300_u32)
        .flat_map(|n| {
            let body = vec![n as u8; (n as usize * 37) % 700];
            match u8::try_from(body.len()) {
                Ok(size) => [&[0, size][..], &body].concat(),
                Err(_) => [&long(0x02, body.len() as u64)[..], &body].concat(),
            }
        })
        .collect();
    let expected = messages(&octets);
    for step in [1, 2, 7, 100, 5000] {
        let (mut receiving, ..) = traffic(1, None);
        let mut received = Vec::new();
        for piece in octets.chunks(step) {
            received.extend(receive(&mut receiving, piece).0);
            receiving.rest();
        }
        let expected: Vec<_> = expected.iter().cloned().map(Incoming::Message).collect();
        assert!(received == expected, "{step}");
    }
}
