//! [`PlainCredentials`]: a name and a password.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// What a client of PLAIN presents (RFC 24). The password is wiped from memory
/// when this is dropped, and `Debug` does not show it. Feature `plain`.
#[derive(Clone)]
pub struct PlainCredentials {
    username: Vec<u8>,
    password: Zeroizing<Vec<u8>>,
}

impl PlainCredentials {
    /// A name and a password, as a client presents them: to
    /// [try a policy](crate::Candidate::new). The caller's own copy of the password is the
    /// caller's to wipe.
    ///
    /// ```
    /// # use ferromq::PlainCredentials;
    /// let ada = PlainCredentials::new("ada", "engine");
    /// assert_eq!((ada.username(), ada.password()), (&b"ada"[..], &b"engine"[..]));
    /// ```
    pub fn new(username: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        let (username, password) = (username.as_ref().to_vec(), password.as_ref().to_vec());
        Self { username, password: Zeroizing::new(password) }
    }

    /// The name, which need not be text: at most 255 octets.
    pub fn username(&self) -> &[u8] {
        &self.username
    }

    /// The password, which need not be text: at most 255 octets. To compare it
    /// use [`is`](Self::is).
    pub fn password(&self) -> &[u8] {
        &self.password
    }

    /// Whether name and password are these. How long it takes tells neither how much of
    /// them is right nor how long they are. What is longer than PLAIN can say, 255 octets,
    /// is nobody's.
    ///
    /// ```
    /// # use ferromq::PlainCredentials;
    /// let ada = PlainCredentials::new("ada", "engine");
    /// assert!(ada.is("ada", "engine") && !ada.is("ada", "engines"));
    /// ```
    pub fn is(&self, username: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> bool {
        let place = |octets: &[u8]| Place::new(octets).unwrap_or_default();
        let is_user = place(&self.username).is(username.as_ref());
        let is_password = place(&self.password).is(password.as_ref());
        (is_user & is_password).into()
    }
}

/// A name or a password in a place that is as large for any: its length, and its octets
/// with zeros after them, so that comparing two takes as long as comparing any other two.
/// (Slices of different lengths are compared in no time, which would tell how long the
/// right one is.)
#[derive(Clone)]
pub(super) struct Place(Zeroizing<Vec<u8>>);

impl Place {
    const SIZE: usize = 256;

    /// None if it is longer than PLAIN can say.
    pub(super) fn new(octets: &[u8]) -> Option<Self> {
        // Never grows: memory that grows leaves a copy where it was.
        let mut place = Zeroizing::new(vec![0; Self::SIZE]);
        place[0] = u8::try_from(octets.len()).ok()?;
        place[1..=octets.len()].copy_from_slice(octets);
        Some(Self(place))
    }

    pub(super) fn is(&self, octets: &[u8]) -> Choice {
        Self::new(octets).map_or(Choice::from(0), |other| self.0.ct_eq(&other.0))
    }
}

/// What nobody can present.
impl Default for Place {
    fn default() -> Self {
        let mut place = Zeroizing::new(vec![1; Self::SIZE]);
        place[0] = 0;
        Self(place)
    }
}

impl fmt::Debug for PlainCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let username = self.username.escape_ascii().to_string();
        f.debug_struct("PlainCredentials").field("username", &username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_must_be_right() {
        let credentials = PlainCredentials::new(b"admin", b"secret");
        assert!(credentials.is("admin", "secret"));
        for (username, password) in [("admin", "secre"), ("admi", "secret"), ("", ""), ("a", "b")] {
            assert!(!credentials.is(username, password));
        }
    }

    #[test]
    fn any_that_plain_can_say_are_told_apart() {
        let long = "p".repeat(256);
        // A zero, or the octets that no password is, are not what is missing.
        let all = ["", "\0", "\0\0", "\u{1}", "p", &long[1..]];
        for (own, credentials) in all.map(|own| (own, PlainCredentials::new(own, own))) {
            for other in all {
                assert_eq!(credentials.is(own, other), own == other);
                assert_eq!(credentials.is(other, own), own == other);
            }
            assert!(!credentials.is(own, &long) && !credentials.is(&long, own));
        }
        assert!(!PlainCredentials::new("ada", &long).is("ada", &long));
        assert!(!PlainCredentials::new("ada", &long).is("ada", ""));
        assert!(!PlainCredentials::new("ada", &long).is("ada", [1; 255]));
    }

    /// All of them are compared over the same octets, whatever their length.
    #[test]
    fn the_length_is_not_told() {
        for length in [0, 1, 32, 255] {
            let place = Place::new(&vec![b'p'; length]).expect("short enough");
            assert_eq!(place.0.len(), Place::SIZE);
        }
    }

    #[test]
    fn the_password_is_not_shown() {
        let shown = format!("{:?}", PlainCredentials::new(b"admin\n", b"secret"));
        assert_eq!(shown, r#"PlainCredentials { username: "admin\\n", .. }"#);
    }
}
