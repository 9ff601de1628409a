//! What the fuzz targets run: each function takes any octets and panics when
//! something that must hold does not.
//!
//! Not part of the API: the module is there under `cfg(fuzzing)`, which
//! cargo-fuzz sets, and in the tests, which replay `fuzz/corpus`.
//!
//! ```text
//! cargo install cargo-fuzz
//! cargo +nightly fuzz run decoder
//! cargo +nightly fuzz run -s none decoder -- -max_total_time=300
//! cargo +nightly fuzz run decoder fuzz/artifacts/decoder/crash-…
//! ```
//!
//! Without the address sanitizer (`-s none`) it is several times as fast; with
//! it, `-malloc_limit_mb=32` also refuses an allocation that a peer claimed
//! and did not send.
//!
//! A file that broke something goes to `fuzz/corpus/<target>/`, under a name
//! that says what it is; `cargo test fuzzing` runs it from then on.
//!
//! Where there is no nightly toolchain, the replay goes on for as long as it is told,
//! each target with mutations of its own, which a seed makes the same everywhere:
//!
//! ```text
//! FERROMQ_FUZZ_SECONDS=600 cargo test --release --lib --all-features \
//!     fuzzing::tests::replay -- --nocapture --test-threads=1
//! ```
//! `FERROMQ_FUZZ_SEED` chooses the seed. It is not told what it reaches, so cargo-fuzz
//! finds more in the same time.
//!
//! A new target is a function here, a line in [`TARGETS`], its file in
//! `fuzz/fuzz_targets/` with its `[[bin]]` in `fuzz/Cargo.toml`, its test in `tests.rs`,
//! and its seeds and dictionary in `seeds.rs`, which
//! `FERROMQ_WRITE_CORPUS=1 cargo test --all-features fuzzing` writes.
//!
//! The first octets of an input choose the circumstances ([`Input`]), the rest
//! is what the target is about. Missing octets are zero.

mod adversary;
mod connection;
mod decoder;
mod endpoint;
mod ends;
mod handshake;
mod input;
#[cfg(feature = "curve")]
mod keys;
mod link;
mod network;
mod parsers;
mod receive;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod tests;
mod trie;
mod zap;

use input::Input;

/// Octets of a peer in its traffic: however they are cut, the same comes of
/// them, and encoding what came and decoding it again changes nothing.
pub fn decoder(data: &[u8]) {
    decoder::run(Input::new(data));
}

/// A connection from the greeting on: with a stranger who sends anything, or
/// between two of us with octets flipped on the way.
pub fn connection(data: &[u8]) {
    connection::run(Input::new(data));
}

/// Text as an endpoint: refused with an example, or printed as it was.
pub fn endpoint(data: &[u8]) {
    endpoint::run(data);
}

/// The subscription trie against a map of sets.
pub fn trie(data: &[u8]) {
    trie::run(Input::new(data));
}

/// A peer's greeting against a model of it, however it is cut.
pub fn greeting(data: &[u8]) {
    parsers::greeting(Input::new(data));
}

/// The body of a command: what is read of it is again what it was.
pub fn command(data: &[u8]) {
    parsers::command(Input::new(data));
}

/// The property list of a handshake: what is read of it can be said again.
pub fn metadata(data: &[u8]) {
    parsers::metadata(Input::new(data));
}

/// One of us with any mechanism in either part of it, whose peer is honest while what it
/// says is flipped, cut, doubled, dropped, swapped, replayed or made up on the way.
pub fn handshake(data: &[u8]) {
    handshake::run(Input::new(data));
}

/// Two of us with an adversary between, in the handshake and in the traffic.
pub fn adversary(data: &[u8]) {
    adversary::run(Input::new(data));
}

/// Octets and text as Z85 and as keys.
#[cfg(feature = "curve")]
pub fn z85(data: &[u8]) {
    keys::z85(data);
}

/// Text as a certificate: refused without telling a key, or read again as it is written.
#[cfg(feature = "curve")]
pub fn certificate(data: &[u8]) {
    keys::certificate(data);
}

/// An address, and text as a network: who is in it, and on lists that have it.
pub fn network(data: &[u8]) {
    network::run(Input::new(data));
}

/// The reply of a ZAP handler, against a model.
pub fn zap(data: &[u8]) {
    zap::run(Input::new(data));
}

/// A target.
#[cfg(test)]
type Target = fn(&[u8]);

/// Every target and its name in `fuzz/`.
#[cfg(test)]
const TARGETS: &[(&str, Target)] = &[
    ("adversary", adversary),
    #[cfg(feature = "curve")]
    ("certificate", certificate),
    ("command", command),
    ("connection", connection),
    ("decoder", decoder),
    ("endpoint", endpoint),
    ("greeting", greeting),
    ("handshake", handshake),
    ("metadata", metadata),
    ("network", network),
    ("trie", trie),
    #[cfg(feature = "curve")]
    ("z85", z85),
    ("zap", zap),
];
