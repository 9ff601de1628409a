//! Large cases: long runs, many clients, runtimes and processes that stand still. Each
//! has a short form, which runs with all other tests, and a long one:
//!
//! ```text
//! ulimit -n 20000
//! FERROMQ_SOAK_SECONDS=600 cargo test --test large soak -- --nocapture
//! FERROMQ_BOUNCE=2000 cargo test --release --test large bounce -- --nocapture
//! FERROMQ_ACTIVE=9900 cargo test --release --test large active -- --nocapture
//! ```
//!
//! - [`child`]: processes for them: a test that counts descriptors, memory or processor
//!   time has one of its own, and peers that are killed or stopped are others.
//! - [`figures`]: what a process has and uses.
#![cfg(all(target_os = "linux", feature = "tcp", feature = "ipc", feature = "inproc"))]
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod active;
mod bounce;
mod child;
mod figures;
mod soak;
mod suspended;

/// The value of a variable that asks for the long form of a case.
fn long(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("a number"))
}
