//! Connections over byte streams: dialling, accepting, handshake, traffic.
//!
//! ```text
//!   pattern ─ push ─► Outbox ─ take ─► Traffic ─ write ─►  transport
//!   receiver ◄────── try_next ── Inbox ◄───────── read ──  transport
//! ```
//! One task serves one connection: it writes what patterns pushed, a batch at
//! a time, and does everything that no receiver does. Receivers read for
//! themselves, see [`inbox`].

mod acceptor;
mod backoff;
mod clock;
mod connection;
mod dialer;
mod inbox;
mod lane;
mod link;
mod outbox;
mod session;
mod stream_pipe;
mod tasks;
mod traffic;
mod writer;

pub(crate) use acceptor::{Listening, listen};
pub(crate) use dialer::dial;
pub(crate) use link::Link;
pub(crate) use tasks::{TaskGuard, Tasks};
