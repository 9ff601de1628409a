//! [`PeerFault`]: what a peer can do wrong. It costs the peer its connection
//! and becomes an event; it never fails a user's call.

use thiserror::Error;

/// What a peer did wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PeerFault {
    /// What it sent first is not a ZMTP greeting.
    #[error("this is not a ZMTP greeting")]
    NotZmtp,
}
