//! Large cases: long runs, many clients, runtimes and processes that stand still. Each
//! has a short form, which runs with all other tests, and a long one:
//!
//! ```text
//! ulimit -n 30000
//! FERROMQ_SOAK_SECONDS=600 cargo test --test large soak -- --nocapture
//! ```
//!
//! - [`child`]: processes for them: a test that counts descriptors, memory or processor
//!   time has one of its own, and peers that are killed or stopped are others.
//! - [`figures`]: what a process has and uses.
#![cfg(all(target_os = "linux", feature = "tcp", feature = "ipc", feature = "inproc"))]
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod bounce;
mod child;
mod figures;
mod soak;

/// The value of a variable that asks for the long form of a case.
fn long(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("a number"))
}
