//! What a box of CURVE costs with the ciphers that there are: processor time for each
//! of 65, 1,025 and 65,537 octets, which are the flags and the body of messages of
//! 64 B, 1 KiB and 64 KiB.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml --features boxes --example boxes
//! ```
//! All take turns, and the medians of many rounds are printed, with the least: what else
//! the machine does only adds. Those with a star know a key of XSalsa20 only and make
//! that of Salsa20 for each box; the others are given it, as a session has it.

use std::hint::black_box;

use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use rustix::time::{ClockId, clock_gettime};

/// The real one, taken in as it is: what ferromq seals with.
#[allow(dead_code)]
#[path = "../../../src/zmtp/mechanism/curve/boxes.rs"]
mod boxes;

/// What it finds at `crate::`.
mod security {
    pub use ferromq::{CurvePublicKey, CurveSecretKey};
}

const SIZES: [(usize, u64); 3] = [(65, 2000), (1025, 400), (65_537, 10)];
const ROUNDS: usize = 41;
const PREFIX: &[u8; 16] = b"CurveZMQMESSAGEC";

type Key = [u8; 32];
type Tag = [u8; 16];
type Seal = fn(&Keys, u64, &mut [u8]) -> Tag;

struct Keys {
    ferromq: boxes::Keyed,
    /// Of XSalsa20.
    shared: Key,
    /// Of Salsa20, for all nonces with the prefix.
    salsa: Key,
}

const ALL: [(&str, Seal); 11] = [
    ("ferromq: salsa20 0.11, poly1305 of cryptoxide 0.5", |keys, number, octets| {
        keys.ferromq.seal(number, octets)
    }),
    ("Salsa20 of cryptoxide", |keys, number, octets| {
        let mut cipher = cryptoxide::salsa20::Salsa20::new(&keys.salsa, &number.to_be_bytes());
        let mut key = [0; 32];
        cipher.process_mut(&mut key);
        cipher.process_mut(octets);
        cryptoxide_poly(&key, octets)
    }),
    ("Poly1305 of poly1305 0.9", |keys, number, octets| {
        let key = salsa20(keys, number, octets);
        Poly1305::new((&key).into()).compute_unpadded(octets).into()
    }),
    ("Poly1305 of orion 0.18", |keys, number, octets| {
        use orion::hazardous::mac::poly1305::{OneTimeKey, Poly1305};
        let key = OneTimeKey::try_from(&salsa20(keys, number, octets)).expect("32 octets");
        let tag = Poly1305::poly1305(&key, octets).expect("one key, one message");
        tag.unprotected_as_ref().try_into().expect("16 octets")
    }),
    ("Poly1305 of dryoc 0.7", |keys, number, octets| {
        let (key, mut tag) = (salsa20(keys, number, octets), [0; 16]);
        dryoc07::classic::crypto_onetimeauth::crypto_onetimeauth(&mut tag, octets, &key);
        tag
    }),
    ("Poly1305 of dryoc 2", |keys, number, octets| {
        let (key, mut tag) = (salsa20(keys, number, octets), [0; 16]);
        dryoc2::classic::crypto_onetimeauth::crypto_onetimeauth(&mut tag, octets, &key);
        tag
    }),
    ("crypto_secretbox 0.1 *", |keys, number, octets| {
        use crypto_secretbox::aead::AeadInPlace;
        use crypto_secretbox::{KeyInit, XSalsa20Poly1305};
        let cipher = XSalsa20Poly1305::new(&keys.shared.into());
        let tag = cipher.encrypt_in_place_detached(&nonce(number).into(), b"", octets);
        tag.expect("it is short").into()
    }),
    ("salsabox 0.1 *", |keys, number, octets| {
        salsabox::SecretBox::from_key(&keys.shared).encrypt_detached(&nonce(number), octets)
    }),
    ("dryoc 0.7 *, into other memory", |keys, number, octets| {
        use dryoc07::classic::crypto_secretbox::crypto_secretbox_detached;
        let (plain, mut tag) = (octets.to_vec(), [0; 16]);
        crypto_secretbox_detached(octets, &mut tag, &plain, &nonce(number), &keys.shared);
        tag
    }),
    ("dryoc 2 *, into other memory", |keys, number, octets| {
        use dryoc2::classic::crypto_secretbox::crypto_secretbox_detached;
        let (plain, mut tag) = (octets.to_vec(), [0; 16]);
        crypto_secretbox_detached(octets, &mut tag, &plain, &nonce(number), &keys.shared)
            .expect("it is short");
        tag
    }),
    ("of ferromq's, Poly1305 alone", |keys, _, octets| cryptoxide_poly(&keys.salsa, octets)),
];

fn cryptoxide_poly(key: &Key, octets: &[u8]) -> Tag {
    use cryptoxide::mac::Mac;
    let (mut mac, mut tag) = (cryptoxide::poly1305::Poly1305::new(key), [0; 16]);
    mac.input(octets);
    mac.raw_result(&mut tag);
    tag
}

/// Encrypts, and gives the key of the authenticator.
fn salsa20(keys: &Keys, number: u64, octets: &mut [u8]) -> Key {
    use salsa20::cipher::{KeyIvInit, StreamCipher};
    let mut cipher = salsa20::Salsa20::new(&keys.salsa.into(), &number.to_be_bytes().into());
    let mut key = [0; 32];
    cipher.apply_keystream(&mut key);
    cipher.apply_keystream(octets);
    key
}

fn nonce(number: u64) -> [u8; 24] {
    let mut nonce = [0; 24];
    nonce[..16].copy_from_slice(PREFIX);
    nonce[16..].copy_from_slice(&number.to_be_bytes());
    nonce
}

fn main() {
    let keys = keys();
    check(&keys);
    let mut times = vec![[const { Vec::new() }; SIZES.len()]; ALL.len()];
    for _ in 0..ROUNDS {
        for ((_, seal), times) in ALL.iter().zip(&mut times) {
            for (&(size, count), times) in SIZES.iter().zip(times) {
                times.push(measure(*seal, &keys, size, count));
            }
        }
    }
    println!("| ns | {} |", SIZES.map(|(size, _)| format!("{size} B")).join(" | "));
    println!("|---|--:|--:|--:|");
    for ((name, _), mut times) in ALL.iter().zip(times) {
        let columns = times.each_mut().map(|times| {
            times.sort_unstable_by(f64::total_cmp);
            format!("{:.0} ({:.0})", times[ROUNDS / 2], times[0])
        });
        println!("| {name} | {} |", columns.join(" | "));
    }
}

fn keys() -> Keys {
    let [ours, theirs] =
        [(); 2].map(|()| ferromq::CurveKeypair::generate().expect("random octets"));
    let (secret, public) = (ours.secret().as_bytes(), theirs.public().as_bytes());
    let shared = dryoc07::classic::crypto_box::crypto_box_beforenm(public, secret);
    let agreed = boxes::SharedKey::agree(ours.secret(), theirs.public());
    let ferromq = agreed.expect("these are keys").keyed(PREFIX);
    Keys { ferromq, shared, salsa: salsabox::hsalsa20(&shared, PREFIX) }
}

/// Whether all seal alike, but the last, which is a part.
fn check(keys: &Keys) {
    for (size, _) in SIZES {
        let sealed = |seal: Seal| {
            let mut octets = vec![1; size];
            (seal(keys, 7, &mut octets), octets)
        };
        let expected = sealed(ALL[0].1);
        for (name, seal) in &ALL[..ALL.len() - 1] {
            assert!(sealed(*seal) == expected, "{name} seals otherwise");
        }
    }
}

/// Nanoseconds of processor time for each box.
fn measure(seal: Seal, keys: &Keys, size: usize, count: u64) -> f64 {
    let mut octets = vec![1; size];
    black_box(seal(keys, 0, &mut octets));
    let start = cpu();
    for number in 0..count {
        black_box(seal(keys, number, black_box(&mut octets)));
    }
    (cpu() - start) / count as f64
}

fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
