//! What says who a peer is, and to whom: keys.
//!
//! Secret keys stand in one place in memory, are compared in constant time, are wiped
//! when the last owner is gone, and are in no `Debug`, `Display` or error.

#[cfg(feature = "curve")]
mod keys;
#[cfg(feature = "curve")]
pub mod z85;

#[cfg(feature = "curve")]
pub use keys::{CurveKeypair, CurvePublicKey, CurveSecretKey, KeyError};
