//! However the octets of a peer are cut, they mean the same; and none of them
//! does harm.

use proptest::prelude::*;

use super::*;

/// Octets of a peer: well-formed pieces of traffic, and now and then noise.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        8 => 0..40_usize,
        2 => 250..260_usize,
        1 => 8000..9000_usize,
        1 => 60_000..70_000_usize,
    ];
    let data = (any::<u8>(), body).prop_map(|(flags, size)| {
        let body = vec![flags; size];
        match u8::try_from(size) {
            Ok(size) => [&[flags & 0x01, size][..], &body].concat(),
            Err(_) => [&[flags & 0x01 | 0x02][..], &(size as u64).to_be_bytes(), &body].concat(),
        }
    });
    let command = prop::sample::select(vec![
        &b"\x04\x0b\x09SUBSCRIBEA"[..],
        b"\x04\x08\x06CANCELA",
        b"\x04\x0a\x04PING\0\x0aLOL",
        b"\x04\x05\x04PONG",
        b"\x04\x05\x04what",
    ]);
    let noise = prop::collection::vec(any::<u8>(), 0..12);
    let piece = prop_oneof![
        20 => data,
        8 => command.prop_map(<[u8]>::to_vec),
        1 => noise,
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

fn plan() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1..10_usize, 1..3000_usize, 1..100_000_usize], 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn traffic_means_the_same_in_all_chunks(
        octets in octets(),
        first in plan(),
        second in plan(),
        max_message_size in prop::option::of(0..100_000_usize),
    ) {
        let run = |plan: Vec<usize>| {
            let mut steps = plan.into_iter().cycle();
            let (mut receiving, ..) = traffic(1, max_message_size);
            receive_in(&mut receiving, &octets, || steps.next().unwrap())
        };
        prop_assert_eq!(run(first), run(second));
    }

    #[test]
    fn a_handshake_means_the_same_in_all_chunks(
        mut octets in prop::collection::vec(any::<u8>(), 0..40),
        at in 0..200_usize,
        change in prop::option::of((0..107_usize, any::<u8>())),
        plan in plan(),
    ) {
        let mut handshake = [&GREETING[..], DEALER_READY].concat();
        if let Some((index, octet)) = change {
            handshake[index] = octet;
        }
        handshake.truncate(at);
        handshake.append(&mut octets);
        let mut whole = Handshake::new(config(SocketType::Router));
        let expected = whole.feed(&handshake);
        let mut chunked = Handshake::new(config(SocketType::Router));
        let mut rest = &handshake[..];
        let mut result = Ok(());
        for step in plan.into_iter().cycle() {
            if rest.is_empty() || result.is_err() {
                break;
            }
            let (now, later) = rest.split_at(step.min(rest.len()));
            result = chunked.feed(now);
            rest = later;
        }
        prop_assert_eq!(result, expected);
        prop_assert_eq!(whole.output(), chunked.output());
        prop_assert_eq!(whole.is_done(), chunked.is_done());
    }
}
