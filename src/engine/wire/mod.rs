//! The wire to one peer, without any I/O: what waits to be written, what was
//! taken to be written, what came, and the heart that beats between.
//!
//! ```text
//!   pattern ─ push ─► Outward ─ take ─► Flight ─ chunks ─►  (octets out)
//!                       Lane ─────────────┘
//!   receiver ◄─ drain ─┬─ Inward ◄────────────── space ──  (octets in)
//!   pattern  ◄─ drain ─┘
//! ```
//! Plain functions of octets and of the time that is passed in. What must happen
//! outside (a PONG to be written, room to be reported, messages to be counted) is
//! returned, for whoever called to do once all locks are released. Octets become
//! messages in [`inward`], messages become octets in [`outward`]; who reads is
//! decided by [`Duty`](crate::pipe::Duty), who writes by
//! [`Handover`](crate::pipe::Handover).
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

mod ahead;
mod flight;
mod inward;
mod lane;
mod orders;
mod outward;
mod pulse;
mod session;
mod sinks;
#[cfg(test)]
mod tests;

pub(super) use flight::Flight;
pub(super) use inward::Inward;
pub(super) use orders::{Budget, Drained, Orders, Uncounted};
pub(super) use outward::{Closing, Outward, Settled};
pub(super) use pulse::{Beat, Pulse, Signs};
pub(super) use sinks::{Counting, Filling, Items, Sink};
