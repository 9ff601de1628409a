//! The hostile peer: raw octets against bound and connecting sockets.
//!
//! No octets from a peer may panic, hang, or make the process allocate by a
//! claimed length. A bad peer costs its own connection and nobody else's, and
//! never fails a call of the application. After each case a good peer exchanges
//! 100 messages with the victim.
//!
//! - [`raw`]: a peer made of literal octets; [`victim`]: sockets to attack and
//!   the probe; [`case`]: tables of octets and what must come of them;
//!   [`child`]: tests that need a process of their own.
//! - The rest are the attacks, by stage of a connection and by pattern.
//!
//! Memory is measured for the whole process, so the tests that do are run in a
//! child of this binary.

// Helpers are tests, too, which clippy cannot know.
#![allow(clippy::unwrap_used)]

mod backpressure;
mod case;
mod child;
mod commands;
mod exhaustion;
mod fairness;
mod greeting;
mod handshake;
mod heartbeats;
mod limits;
mod metadata;
mod pubsub;
mod raw;
mod redial;
mod replies;
mod requests;
mod router;
mod stalling;
mod traffic;
mod versions;
mod victim;
