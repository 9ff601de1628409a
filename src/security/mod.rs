//! Who may come in: the mechanisms by name, keys and the files they are kept in, what
//! a peer presents, and the policies that judge it. (What goes over the wire is in
//! `zmtp/mechanism`.)
//!
//! Nothing here does I/O but the certificates, and they only when asked. Secret
//! keys stand in one place in memory, are compared in constant time, are wiped
//! when the last owner is gone, and are in no `Debug`, `Display` or error. So are
//! passwords, but for the buffers in which a HELLO crosses the network in plain, and the
//! request to a ZAP handler, which has the password as a frame.

mod candidate;
#[cfg(feature = "curve")]
mod certificate;
#[cfg(feature = "curve")]
mod keys;
mod lists;
#[cfg(feature = "plain")]
mod plain;
mod policy;
mod setting;
#[cfg(test)]
mod testing;
mod verdict;
#[cfg(feature = "curve")]
pub mod z85;
pub(crate) mod zap;

use std::fmt;

pub use candidate::{Candidate, Credentials};
#[cfg(feature = "curve")]
pub use certificate::{CertificateError, CertificateFault, CurveCertificate};
#[cfg(feature = "curve")]
pub use keys::{CurveKeypair, CurvePublicKey, CurveSecretKey, KeyError};
#[cfg(feature = "plain")]
pub use lists::UserList;
pub use lists::{AddressList, Network, NetworkError};
#[cfg(feature = "curve")]
pub use lists::{CertificateDir, KeyList};
#[cfg(feature = "plain")]
pub use plain::PlainCredentials;
pub use policy::{Answer, Authenticator, Policy};
pub(crate) use setting::Security;
pub use verdict::{Denial, Grant, Verdict};

/// How two peers come to trust each other (`ZMQ_MECHANISM`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// Not at all: no credentials, nothing is encrypted (RFC 37).
    #[default]
    Null,
    /// A name and a password, neither of them encrypted (RFC 24).
    Plain,
    /// Public keys; all traffic is encrypted (RFC 26).
    Curve,
}

impl Mechanism {
    /// Its name in the greeting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Plain => "PLAIN",
            Self::Curve => "CURVE",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
