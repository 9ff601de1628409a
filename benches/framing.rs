//! Messages to octets and back, without any socket.
//!
//! The codec is private: this takes its source files in as they are, so that
//! the library needs no door for it.

use std::hint::black_box;

use bytes::{BufMut, Bytes, BytesMut};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ferromq::Message;
use zmtp::framing::{Decoder, Encoded, Unit};

/// What the codec finds at `crate::`.
#[path = "../src/message"]
mod message {
    pub(crate) use ferromq::Message;
    #[allow(dead_code, unused_imports)]
    pub(crate) mod strip;
    pub(crate) const MAX_FRAMES: usize = 1_000_000;
}
mod fault {
    pub(crate) use ferromq::PeerFault;
}

#[path = "../src/zmtp"]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod zmtp {
    mod command;
    pub(crate) mod framing;
    mod seal;
}

const SIZES: [usize; 4] = [16, 64, 1024, 16 * 1024];

/// Messages in one batch: what the default mark lets gather.
const BATCH: usize = 1000;

fn messages(size: usize) -> Message {
    Message::from(Bytes::from(vec![b'x'; size]))
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("framing/encode");
    group.throughput(Throughput::Elements(BATCH as u64));
    for size in SIZES {
        let message = messages(size);
        let mut batch = Encoded::default();
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                batch.clear();
                for _ in 0..BATCH {
                    batch.push_shared(black_box(&message));
                }
                batch.remaining()
            });
        });
    }
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("framing/decode");
    group.throughput(Throughput::Elements(BATCH as u64));
    for size in SIZES {
        let octets = octets(size);
        let mut decoder = Decoder::new(BytesMut::new(), None, None);
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| decode_all(&mut decoder, black_box(&octets)));
        });
    }
}

/// A batch as it goes over the wire.
fn octets(size: usize) -> Vec<u8> {
    let mut batch = Encoded::default();
    for _ in 0..BATCH {
        batch.push_shared(&messages(size));
    }
    let mut octets = Vec::new();
    while batch.remaining() > 0 {
        let mut slices = [std::io::IoSlice::new(&[]); 64];
        let count = batch.chunks_vectored(&mut slices);
        let written = octets.len();
        slices[..count].iter().for_each(|slice| octets.extend_from_slice(slice));
        batch.advance(octets.len() - written);
    }
    octets
}

/// Reads the octets in whatever pieces the decoder has space for.
fn decode_all(decoder: &mut Decoder, mut octets: &[u8]) -> usize {
    let mut decoded = 0;
    while !octets.is_empty() {
        let mut space = decoder.space();
        let (now, later) = octets.split_at(octets.len().min(space.remaining_mut()));
        space.put_slice(now);
        octets = later;
        while let Some(unit) =
            decoder.next_within(&mut { usize::MAX }).expect("these octets are valid")
        {
            if let Unit::Message(message) = unit {
                decoded += message.size();
            }
        }
    }
    decoded
}

criterion_group!(benches, encode, decode);
criterion_main!(benches);
