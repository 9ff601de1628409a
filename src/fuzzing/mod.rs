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
//! A new target is a function here, a line in [`TARGETS`], its file in
//! `fuzz/fuzz_targets/` with its `[[bin]]` in `fuzz/Cargo.toml`, and its seeds
//! in `seeds.rs`, which `FERROMQ_WRITE_CORPUS=1 cargo test fuzzing` writes.
//!
//! The first octets of an input choose the circumstances ([`Input`]), the rest
//! is what the target is about. Missing octets are zero.

mod connection;
mod decoder;
mod endpoint;
mod input;
mod receive;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod tests;
mod trie;

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

/// A target.
#[cfg(test)]
type Target = fn(&[u8]);

/// Every target and its name in `fuzz/`.
#[cfg(test)]
const TARGETS: &[(&str, Target)] =
    &[("decoder", decoder), ("connection", connection), ("endpoint", endpoint), ("trie", trie)];
