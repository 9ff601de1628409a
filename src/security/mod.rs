//! What says who a peer is, and to whom: keys, and the files they are kept in.
//!
//! Nothing here does I/O but the certificates, and they only when asked. Secret
//! keys stand in one place in memory, are compared in constant time, are wiped
//! when the last owner is gone, and are in no `Debug`, `Display` or error.

#[cfg(feature = "curve")]
mod certificate;
#[cfg(feature = "curve")]
mod keys;
#[cfg(feature = "curve")]
pub mod z85;

#[cfg(feature = "curve")]
pub use certificate::{CertificateError, CertificateFault, CurveCertificate};
#[cfg(feature = "curve")]
pub use keys::{CurveKeypair, CurvePublicKey, CurveSecretKey, KeyError};
