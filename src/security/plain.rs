//! [`PlainCredentials`]: a name and a password.

use std::fmt;

use subtle::ConstantTimeEq;
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

    /// Whether name and password are these. How long it takes does not tell how
    /// much of them is right.
    pub fn is(&self, username: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> bool {
        let is_user = place(&self.username).ct_eq(&*place(username.as_ref()));
        let is_password = place(&self.password).ct_eq(&*place(password.as_ref()));
        (is_user & is_password).into()
    }
}

/// Octets with their number, in a place of one size for all: slices of different lengths
/// are compared in no time, which would tell how long the right one is.
fn place(octets: &[u8]) -> Zeroizing<[u8; 264]> {
    let mut place = Zeroizing::new([0; 264]);
    let (head, rest) = place.split_at_mut(8);
    head.copy_from_slice(&(octets.len() as u64).to_be_bytes());
    for (to, from) in rest.iter_mut().zip(octets) {
        *to = *from;
    }
    place
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
    fn the_password_is_not_shown() {
        let shown = format!("{:?}", PlainCredentials::new(b"admin\n", b"secret"));
        assert_eq!(shown, r#"PlainCredentials { username: "admin\\n", .. }"#);
    }
}
