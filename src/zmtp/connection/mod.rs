//! One connection, stage by stage, as a function of the octets that come.
//!
//! ```text
//!             greeting of the peer           READY of the peer
//!   greeting ──────────────────────► handshake ───────────────► traffic
//!   [Handshake]                     [Handshake]        │        [Receiving]
//!        │                               │        into_traffic  [Sending]
//!        ▼                               ▼                          ▼
//!        └───────────────────── PeerFault: close ───────────────────┘
//! ```

mod handshake;
mod receiving;
mod sending;

pub(crate) use handshake::{Handshake, HandshakeConfig};
pub(crate) use receiving::{Incoming, Receiving};
pub(crate) use sending::Sending;
