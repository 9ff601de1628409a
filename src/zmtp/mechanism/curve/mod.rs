//! CURVE: both sides have a long-term keypair and make one for the connection;
//! all is encrypted by the latter (RFC 25, 26).
//!
//! With C, S the long-term and C', S' the short-term keys, and `Box[x](a→b)` what
//! the owners of a and b only can open:
//!
//! ```text
//! hello    = "\x05HELLO" %d1.0 72%d0 C' nonce8 Box[64%d0](C'→S)
//! welcome  = "\x07WELCOME" nonce16 Box[S' cookie](S→C')
//! initiate = "\x08INITIATE" cookie nonce8 Box[C nonce16 vouch metadata](C'→S')
//! vouch    = Box[C' S](C→S')
//! ready    = "\x05READY" nonce8 Box[metadata](S'→C')
//! ```
//! The numbers of eight octets are of one counter for each side, which goes on in
//! the traffic ([`session`]).

mod boxes;
mod client;
mod server;
mod session;
#[cfg(test)]
pub(crate) mod tap;
#[cfg(test)]
mod tests;

pub(crate) use client::CurveClient;
pub(crate) use server::CurveServer;

use crate::fault::PeerFault;
use crate::random::fill_secret;

/// What the numbers of a side's handshake commands belong to.
const HELLO_NONCE: &[u8; 16] = b"CurveZMQHELLO---";
const INITIATE_NONCE: &[u8; 16] = b"CurveZMQINITIATE";
const READY_NONCE: &[u8; 16] = b"CurveZMQREADY---";
/// What the random nonces are of.
const WELCOME_NONCE: &[u8; 8] = b"WELCOME-";
const VOUCH_NONCE: &[u8; 8] = b"VOUCH---";

/// The version of CURVE.
const VERSION: [u8; 2] = [1, 0];
/// So that a HELLO is larger than the WELCOME it asks for: nobody can use a server
/// to flood another.
const PADDING: usize = 72;
/// What the box of a HELLO holds.
const SIGNATURE: [u8; 64] = [0; 64];
const COOKIE: usize = 96;
/// A public key.
const KEY: usize = 32;

/// Octets that nobody can guess.
fn random<const N: usize>() -> Result<[u8; N], PeerFault> {
    let mut octets = [0; N];
    fill_secret(&mut octets).map_err(|_| PeerFault::NoRandomness)?;
    Ok(octets)
}

/// A command whose box does not open.
fn not_authentic(command: &'static str) -> PeerFault {
    PeerFault::NotAuthentic { command }
}
