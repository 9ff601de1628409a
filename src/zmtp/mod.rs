//! The protocol tower: ZMTP 3.0 and 3.1 (RFC 23, RFC 37) as plain functions of
//! octets. No sockets, no runtime, no clock: whoever drives it reads, writes
//! and passes the time in.
//!
//! ```text
//! connection = greeting handshake traffic
//! greeting   = signature version mechanism as-server filler      64 octets
//! handshake  = READY both ways, in the end, or ERROR
//! traffic    = *(message / command)
//! message    = *frame-with-MORE frame
//! frame      = flags size body           size in 1 octet, or in 8 with LONG
//! command    = flags size name-length name data
//! ```
//!
//! - [`connection`]: the stages. [`Handshake`] takes octets and says what to
//!   write, then splits into [`Receiving`] and [`Sending`], so that one task
//!   can read while another writes.
//! - [`framing`]: messages to octets ([`Encoded`], a batch for one write) and
//!   back.
//! - [`command`], [`metadata`]: what READY, ERROR, SUBSCRIBE, CANCEL, PING and
//!   PONG carry.
//! - [`mechanism`]: NULL, PLAIN and CURVE.
//! - [`seal`]: what a mechanism does to each frame of the traffic.
//! - [`heartbeat`]: when to send PING and when to give a peer up.
//! - [`reassurance`]: when to send PONG to a peer whose PINGs we cannot see.
//!
//! Whatever a peer sends, the worst that comes of it is a
//! [`PeerFault`](crate::PeerFault).
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

pub(crate) mod command;
mod connection;
mod framing;
pub(crate) mod greeting;
mod heartbeat;
pub(crate) mod mechanism;
pub(crate) mod metadata;
mod reassurance;
mod seal;

pub(crate) use connection::{Handshake, HandshakeConfig, Incoming, Receiving, Sending};
pub(crate) use framing::{Encoded, Flight};
pub(crate) use heartbeat::{Heartbeat, HeartbeatAction, HeartbeatConfig};
pub(crate) use mechanism::Question;
pub(crate) use reassurance::Reassurance;

#[cfg(test)]
pub(crate) mod tests;
