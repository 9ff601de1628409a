//! Connections over byte streams: dialling, accepting, handshake, traffic.
//!
//! ```text
//!   dialer, acceptor ─► connection ─► shell ◄─ bell   who connects; its life; its
//!                                       │             task, and what that is rung for
//!                         line ◄────────┤             what patterns and tasks share
//!                        ╱    ╲         │
//!                  reader      writer ◄─┘             octets from and to a transport
//!                        ╲    ╱
//!                        wire/                        messages and octets, no I/O
//! ```
//! One task serves one connection. Receivers read for themselves and callers may
//! write; who does what is decided by [`Duty`](crate::pipe::Duty) and
//! [`Handover`](crate::pipe::Handover). What is read and written, and what that
//! means, is in [`wire`], which knows neither tokio nor any transport.

mod acceptor;
mod asking;
mod backoff;
mod bell;
mod clock;
mod connection;
mod dialer;
mod farewell;
mod handshakes;
mod line;
mod meeting;
mod nudge;
mod places;
mod reader;
mod shell;
#[cfg(test)]
mod tests;
mod wire;
mod writer;

pub(crate) use acceptor::{Listening, listen};
pub(crate) use dialer::{Dialling, dial};
pub(crate) use nudge::nudge;
