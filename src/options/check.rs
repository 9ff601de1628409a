//! [`OptionError`]: options that contradict each other, or cannot be sent.

use thiserror::Error;

use super::SocketOptions;
use crate::properties::RESERVED;
use crate::security::Mechanism;
#[cfg(feature = "plain")]
use crate::security::Security;

/// The most bytes that one byte can count.
const MOST: usize = u8::MAX as usize;

/// Options that a socket cannot go by, since they contradict each other or what they say
/// cannot be sent. `bind` and `connect` refuse them, so that no peer is blamed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OptionError {
    /// The name or the password of
    /// [`plain_client`](SocketOptions::plain_client) is too long for PLAIN (RFC 24).
    /// Feature `plain`.
    #[cfg(feature = "plain")]
    #[error(
        "plain_client: {len} bytes are too many for a name or a password, which have at most 255"
    )]
    CredentialTooLong {
        /// How many bytes it has.
        len: usize,
    },
    /// A [`null_policy`](SocketOptions::null_policy) beside another mechanism, which does
    /// not ask it.
    #[error("null_policy: it is not asked with {mechanism}; Policy::and asks two policies")]
    NullPolicy {
        /// The mechanism.
        mechanism: Mechanism,
    },
    /// A property of [`metadata`](SocketOptions::metadata) has a name that cannot be sent:
    /// it is empty or too long.
    #[error("metadata: {len} bytes are no length for a name, which has 1 to 255")]
    MetadataName {
        /// How many bytes it has.
        len: usize,
    },
    /// The name of a property is taken: by RFC 37, by this library, or by another property.
    /// The case of letters makes no difference.
    #[error("metadata: the name {name:?} is taken")]
    MetadataTaken {
        /// The name.
        name: String,
    },
}

impl SocketOptions {
    /// Whether a socket can go by these options.
    pub(crate) fn check(&self) -> Result<(), OptionError> {
        #[cfg(feature = "plain")]
        if let Security::PlainClient(own) = &self.security {
            let len = own.username().len().max(own.password().len());
            if len > MOST {
                return Err(OptionError::CredentialTooLong { len });
            }
        }
        let mechanism = self.security.mechanism();
        if self.null_policy.is_some() && mechanism != Mechanism::Null {
            return Err(OptionError::NullPolicy { mechanism });
        }
        for (place, (name, _)) in self.metadata.iter().enumerate() {
            if name.is_empty() || name.len() > MOST {
                return Err(OptionError::MetadataName { len: name.len() });
            }
            let before = self.metadata.iter().take(place).map(|(before, _)| before.as_str());
            if RESERVED.into_iter().chain(before).any(|taken| taken.eq_ignore_ascii_case(name)) {
                return Err(OptionError::MetadataTaken { name: name.clone() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(names: &[&str]) -> Result<(), OptionError> {
        let options = SocketOptions::new();
        names.iter().fold(options, |options, name| options.metadata(*name, "value")).check()
    }

    #[test]
    fn names_of_properties_are_free_and_fit() {
        let long = "n".repeat(256);
        assert_eq!(with(&["X-a", &long[1..], "x"]), Ok(()));
        assert_eq!(with(&["X-a", ""]), Err(OptionError::MetadataName { len: 0 }));
        assert_eq!(with(&[&long]), Err(OptionError::MetadataName { len: 256 }));
        for taken in ["socket-type", "IDENTITY", "x-ferromq"] {
            assert_eq!(with(&["X", taken]), Err(OptionError::MetadataTaken { name: taken.into() }));
        }
        assert_eq!(with(&["X-a", "x-A"]), Err(OptionError::MetadataTaken { name: "x-A".into() }));
    }

    /// In either order: it is not to undo the other, nor to be undone.
    #[cfg(feature = "plain")]
    #[test]
    fn a_policy_of_null_is_for_null() {
        let list = crate::Policy::allow_any;
        let plain = |options: SocketOptions| options.plain_server(crate::Policy::allow_any());
        let refused = Err(OptionError::NullPolicy { mechanism: Mechanism::Plain });
        assert_eq!(plain(SocketOptions::new().null_policy(list())).check(), refused);
        assert_eq!(plain(SocketOptions::new()).null_policy(list()).check(), refused);
        assert_eq!(SocketOptions::new().null_policy(list()).check(), Ok(()));
    }

    #[cfg(feature = "plain")]
    #[test]
    fn credentials_fit() {
        let check = |user: usize, password: usize| {
            SocketOptions::new().plain_client("u".repeat(user), "p".repeat(password)).check()
        };
        assert_eq!(check(255, 255), Ok(()));
        assert_eq!(check(0, 0), Ok(()));
        assert_eq!(check(256, 1), Err(OptionError::CredentialTooLong { len: 256 }));
        assert_eq!(check(1, 300), Err(OptionError::CredentialTooLong { len: 300 }));
    }
}
