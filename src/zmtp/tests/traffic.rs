//! RFC 37, "Traffic": commands.

use std::time::Duration;

use super::*;
use crate::peer::Subscription;

fn received(octets: &[u8]) -> Vec<Incoming> {
    let (whole, fault) = receive(&mut traffic(1, None).0, octets);
    assert_eq!(fault, None);
    let dribbled = receive_in(&mut traffic(1, None).0, octets, || 1);
    assert_eq!(dribbled, (whole.clone(), None));
    whole
}

fn subscribe(topic: &[u8]) -> Incoming {
    Incoming::Subscription(Subscription::Subscribe(Bytes::copy_from_slice(topic)))
}

fn cancel(topic: &[u8]) -> Incoming {
    Incoming::Subscription(Subscription::Cancel(Bytes::copy_from_slice(topic)))
}

fn ping(deciseconds: u64, context: &[u8]) -> Incoming {
    let ttl = Duration::from_millis(deciseconds * 100);
    Incoming::Ping { ttl, context: Bytes::copy_from_slice(context) }
}

fn put(put: impl FnOnce(&Sending, &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    put(&traffic(1, None).1, &mut out);
    out
}

#[test]
fn subscriptions_come_as_commands_and_as_messages_mixed() {
    let octets = b"\x04\x0b\x09SUBSCRIBEA\x00\x02\x01B\x04\x08\x06CANCELA\x00\x02\x00B";
    let expected = [
        subscribe(b"A"),
        Incoming::Message(message(&[b"\x01B"])),
        cancel(b"A"),
        Incoming::Message(message(&[b"\x00B"])),
    ];
    assert_eq!(received(octets), expected);
    assert_eq!(received(b"\x04\x0a\x09SUBSCRIBE\x04\x07\x06CANCEL"), [subscribe(b""), cancel(b"")]);
}

/// What a command of this name and `data` octets more begins with.
fn large(name: &[u8], data: usize) -> Vec<u8> {
    let size = (1 + name.len() + data) as u64;
    [&[0x06][..], &size.to_be_bytes(), &[name.len() as u8], name].concat()
}

#[test]
fn a_topic_has_at_most_64_mib() {
    const MOST: usize = 64 << 20;
    for (name, of) in [(&b"SUBSCRIBE"[..], subscribe as fn(&[u8]) -> _), (b"CANCEL", cancel)] {
        for size in [65_536, 65_537, 65_793, 1 << 20, MOST] {
            let topic = vec![b't'; size];
            let octets = [&large(name, size)[..], &topic].concat();
            let (received, fault) = receive(&mut traffic(1, None).0, &octets);
            assert!(received == [of(&topic)] && fault.is_none(), "{size}");
        }
        for size in [MOST + 1, 1 << 40] {
            assert_eq!(fault_of(&large(name, size)), PeerFault::TopicTooLong { size });
        }
    }
}

/// So that nobody claims what the pattern would not take.
#[test]
fn a_topic_has_at_most_what_the_options_say() {
    const MOST: usize = 100_000;
    for name in [&b"SUBSCRIBE"[..], b"CANCEL"] {
        let limited = || {
            let mut receiving = traffic(1, None).0;
            receiving.limit_topics(MOST);
            receiving
        };
        let octets = [&large(name, MOST)[..], &[b't'; MOST]].concat();
        let (received, fault) = receive(&mut limited(), &octets);
        assert!(received.len() == 1 && fault.is_none());
        let fault = receive(&mut limited(), &large(name, MOST + 1)).1;
        assert_eq!(fault, Some(PeerFault::TopicTooLong { size: MOST + 1 }));
    }
}

#[test]
fn a_large_command_that_is_no_subscription_is_refused_at_its_name() {
    let received = receive(&mut traffic(1, None).0, &large(b"WHATEVER", 65_792 - 9));
    assert_eq!(received, (vec![], None));
    for name in [&b"WHATEVER"[..], b"SUBSCRIBED", b"SUBSCRIB", b"CANCE", b"CANCELS", b"PING"] {
        for size in [65_793, 1 << 26, 1 << 40] {
            let octets = large(name, size - 1 - name.len());
            assert_eq!(fault_of(&octets), PeerFault::CommandTooLarge { size: size as u64 });
        }
    }
    for size in [65_793, u64::MAX] {
        let header = [&[0x06][..], &size.to_be_bytes()].concat();
        // Whatever it may become is not waited for longer than for its name.
        assert_eq!(receive(&mut traffic(1, None).0, &header), (vec![], None));
        let fault = fault_of(&[&header[..], b"\x09SUBSCRIBA"].concat());
        assert_eq!(fault, PeerFault::CommandTooLarge { size });
    }
}

#[test]
fn the_claim_of_a_long_topic_costs_no_memory() {
    let (mut receiving, ..) = traffic(1, None);
    let octets = [&large(b"SUBSCRIBE", 64 << 20)[..], b"t"].concat();
    assert_eq!(receive(&mut receiving, &octets), (vec![], None));
    assert_eq!(receiving.buffered(), 11);
    assert!(receiving.space().get_ref().capacity() <= 64 * 1024);
}

#[test]
fn a_command_with_more_is_refused_at_the_header() {
    assert_eq!(fault_of(b"\x05\x07"), PeerFault::CommandWithMore);
    assert_eq!(fault_of(b"\xfd\x07"), PeerFault::CommandWithMore);
}

#[test]
fn commands_whose_lengths_do_not_add_up_are_refused() {
    for body in [
        &b""[..],
        b"\0",
        b"\0PING",
        b"\x04PIN",
        b"\xffPING",
        b"\x04PING",
        b"\x04PING\0",
        b"\x05ERROR",
        b"\x05ERROR\x03no",
        b"\x05ERROR\x01no",
    ] {
        assert_eq!(fault_of(&frame(0x04, body)), PeerFault::MalformedCommand, "{body:?}");
    }
    let ready = frame(0x04, b"\x05READY\x0bSocket-Type\0\0\0\x07DEALER");
    assert_eq!(fault_of(&ready), PeerFault::MalformedMetadata);
}

#[test]
fn commands_that_mean_nothing_here_are_ignored() {
    let octets = [
        &b"\x04\x06\x04JOINg"[..],
        b"\x04\x05\x04what",
        b"\x04\x0a\x05ERROR\x03500",
        b"\x04\x05\x04ping",
        DEALER_READY,
        b"\x00\x01a",
    ];
    assert_eq!(received(&octets.concat()), [Incoming::Message(message(&[b"a"]))]);
}

#[test]
fn a_command_between_the_frames_of_a_message_stands_alone() {
    let octets = b"\x01\x01a\x04\x07\x04PING\0\0\x00\x01b";
    assert_eq!(received(octets), [ping(0, b""), Incoming::Message(message(&[b"a", b"b"]))]);
}

#[test]
fn the_ttl_does_not_wrap() {
    for ttl in [0, 1, 655, 656, 65_535_u16] {
        let body = [b"\x04PING", &ttl.to_be_bytes()[..]].concat();
        assert_eq!(received(&frame(0x04, &body)), [ping(u64::from(ttl), b"")]);
    }
}

#[test]
fn the_context_is_cut_to_16_octets() {
    let context = [b'c'; 63];
    for len in [0, 1, 15, 16, 17, 63] {
        let body = [b"\x04PING\0\x01", &context[..len]].concat();
        assert_eq!(received(&frame(0x04, &body)), [ping(1, &context[..len.min(16)])]);
    }
    let pong = put(|sending, out| sending.pong(&context, out));
    assert_eq!(pong, [b"\x04\x15\x04PONG", &context[..16]].concat());
}

#[test]
fn pong_comes_out_asked_for_or_not() {
    assert_eq!(received(b"\x04\x05\x04PONG\x04\x08\x04PONGLOL"), [Incoming::Pong, Incoming::Pong]);
}

#[test]
fn ping_and_pong_are_those_of_libzmq() {
    let ttl = |ms| put(|sending, out| sending.ping(Duration::from_millis(ms), out));
    assert_eq!(ttl(0), b"\x04\x07\x04PING\0\0");
    assert_eq!(ttl(199), b"\x04\x07\x04PING\0\x01");
    assert_eq!(ttl(6_553_599), b"\x04\x07\x04PING\xff\xff");
    assert_eq!(ttl(u64::MAX), b"\x04\x07\x04PING\xff\xff");
    assert_eq!(put(|sending, out| sending.pong(b"LOL", out)), b"\x04\x08\x04PONGLOL");
}

#[test]
fn subscriptions_are_commands_to_3_1_and_messages_to_3_0() {
    let both = [&b"A"[..], b""].map(Bytes::from_static);
    for (minor, expected) in [
        (0, &b"\x00\x02\x01A\x00\x02\x00A\x00\x01\x01\x00\x01\x00"[..]),
        (1, b"\x04\x0b\x09SUBSCRIBEA\x04\x08\x06CANCELA\x04\x0a\x09SUBSCRIBE\x04\x07\x06CANCEL"),
    ] {
        let (_, sending, _) = traffic(minor, None);
        assert_eq!(sending.has_heartbeats(), minor == 1);
        let mut out = Vec::new();
        for topic in both.clone() {
            sending.subscription(&Subscription::Subscribe(topic.clone()), &mut out);
            sending.subscription(&Subscription::Cancel(topic), &mut out);
        }
        assert_eq!(out, expected);
    }
}

#[test]
fn the_long_form_follows_from_the_size_with_the_name() {
    // The longest topics of short frames: the first octet and the name count.
    for (minor, subscribe, longest) in [(0, true, 254), (1, true, 245), (1, false, 248)] {
        for len in [longest, longest + 1] {
            let topic = Bytes::from(vec![b't'; len]);
            let subscription = match subscribe {
                true => Subscription::Subscribe(topic),
                false => Subscription::Cancel(topic),
            };
            let mut out = Vec::new();
            traffic(minor, None).1.subscription(&subscription, &mut out);
            let command = if minor == 1 { 0x04 } else { 0x00 };
            match len == longest {
                true => assert_eq!(out[..2], [command, 255]),
                false => assert_eq!(out[..9], [command | 0x02, 0, 0, 0, 0, 0, 0, 1, 0]),
            }
            assert_eq!(out.len(), if len == longest { 257 } else { 265 });
        }
    }
}

#[test]
fn topics_do_not_keep_the_read_buffer() {
    let (mut receiving, ..) = traffic(1, None);
    let start = receiving.space().get_mut().spare_capacity_mut().as_ptr() as usize;
    let (received, _) = receive(&mut receiving, b"\x04\x0b\x09SUBSCRIBEA");
    let [Incoming::Subscription(subscription)] = &received[..] else { panic!() };
    assert!(!(start..start + 8192).contains(&(subscription.topic().as_ptr() as usize)));
}
