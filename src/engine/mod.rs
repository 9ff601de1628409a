//! Connections over byte streams: dialling, accepting, handshake, traffic.
//!
//! ```text
//!   dialer, acceptor ─► connection ─► shell          who connects; its life; its task
//!                                       │
//!                        line ──────────┤            where octets are moved: a
//!                         │  ▲          │            receiver reads, a caller writes,
//!                      writer │         bell         or the task that is rung for
//!                         │   │
//!                        wire/                       messages and octets, no I/O
//! ```
//! One task serves one connection. Receivers read for themselves and callers may
//! write; who does what is decided by [`Duty`](crate::pipe::Duty) and
//! [`Handover`](crate::pipe::Handover). What is read and written, and what that
//! means, is in [`wire`], which knows neither tokio nor any transport.

mod acceptor;
mod backoff;
mod bell;
mod clock;
mod connection;
mod dialer;
mod line;
mod nudge;
mod shell;
mod wire;
mod writer;

pub(crate) use acceptor::{Listening, listen};
pub(crate) use dialer::{Dialling, dial};
pub(crate) use nudge::nudge;
