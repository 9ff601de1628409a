//! [`Verdict`]: what a policy decides about a peer.

use std::fmt;

use bytes::Bytes;

/// What a policy decides.
///
/// ```
/// use ferromq::Verdict;
///
/// let known = Verdict::accept_as("alice").with_property("team", "blue");
/// let unknown = Verdict::deny("not on the list");
/// # assert!(known.is_accept() && !unknown.is_accept());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict(pub(crate) Result<Grant, (Denial, String)>);

/// What is known of a peer that was let in. A [`KeyList`] is given it with the key.
///
/// ```
/// use ferromq::Grant;
///
/// let alice = Grant::of("alice").with_property("team", "blue");
/// assert_eq!(alice.user_id.as_deref(), Some("alice"));
/// ```
///
// Without its feature a list is not there, and the guide says which mechanism needs which.
#[cfg_attr(feature = "curve", doc = "[`KeyList`]: super::KeyList")]
#[cfg_attr(not(feature = "curve"), doc = "[`KeyList`]: guide/security/index.html")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// Its [`PeerInfo::user_id`](crate::PeerInfo::user_id).
    pub user_id: Option<String>,
    /// Its [`PeerInfo::granted`](crate::PeerInfo::granted).
    pub properties: Vec<(String, Bytes)>,
}

impl Grant {
    /// Who the peer is, and nothing else yet. The default does not even say that.
    ///
    /// ```
    /// # use ferromq::Grant;
    /// assert!(Grant::of("alice").properties.is_empty());
    /// ```
    pub fn of(user_id: impl Into<String>) -> Self {
        Self { user_id: Some(user_id.into()), properties: Vec::new() }
    }

    /// Adds something that is to be known of the peer, for who receives its
    /// messages.
    ///
    /// ```
    /// # use ferromq::Grant;
    /// let somebody = Grant::default().with_property("team", "blue");
    /// assert_eq!(somebody.properties, [("team".into(), "blue".into())]);
    /// ```
    #[must_use]
    pub fn with_property(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.properties.push((name.into(), value.into()));
        self
    }
}

/// How a peer is refused. It learns the number at most (RFC 27).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Denial {
    /// 300: not now. The peer is told nothing and finds the connection closed, so
    /// that it comes again.
    Temporary,
    /// 400: it is not to come in.
    Unauthorized,
    /// 500: whoever should have decided could not.
    Internal,
}

impl Denial {
    /// The number.
    pub const fn code(self) -> u16 {
        match self {
            Self::Temporary => 300,
            Self::Unauthorized => 400,
            Self::Internal => 500,
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code().fmt(f)
    }
}

impl Verdict {
    /// It may come in.
    ///
    /// ```
    /// # use ferromq::Verdict;
    /// assert!(Verdict::accept().is_accept());
    /// ```
    pub fn accept() -> Self {
        Self(Ok(Grant::default()))
    }

    /// It may come in, and this is who it is: its
    /// [`PeerInfo::user_id`](crate::PeerInfo::user_id).
    ///
    /// ```
    /// # use ferromq::{Grant, Verdict};
    /// assert_eq!(Verdict::accept_as("ada"), Verdict::from(Grant::of("ada")));
    /// ```
    pub fn accept_as(user_id: impl Into<String>) -> Self {
        Self(Ok(Grant::of(user_id)))
    }

    /// Adds something that is to be known of the peer, for who receives its
    /// messages ([`PeerInfo::granted`](crate::PeerInfo::granted)). Nothing if it is refused.
    ///
    /// ```
    /// # use ferromq::Verdict;
    /// let verdict = Verdict::accept_as("ada").with_property("team", "blue");
    /// assert_eq!(verdict.grant().map(|grant| grant.properties.len()), Some(1));
    /// ```
    #[must_use]
    pub fn with_property(self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        Self(self.0.map(|grant| grant.with_property(name, value)))
    }

    /// It may not come in ([`Denial::Unauthorized`]). The reason is for our own
    /// side's monitor and log.
    ///
    /// ```
    /// # use ferromq::{Denial, Verdict};
    /// let verdict = Verdict::deny("who is that");
    /// assert_eq!(verdict, Verdict::deny_with(Denial::Unauthorized, "who is that"));
    /// ```
    pub fn deny(reason: impl Into<String>) -> Self {
        Self::deny_with(Denial::Unauthorized, reason)
    }

    /// The same, another way of it.
    ///
    /// ```
    /// # use ferromq::{Denial, Verdict};
    /// let verdict = Verdict::deny_with(Denial::Temporary, "the database is away");
    /// assert_eq!(verdict.denial(), Some(Denial::Temporary));
    /// ```
    pub fn deny_with(how: Denial, reason: impl Into<String>) -> Self {
        Self(Err((how, reason.into())))
    }

    /// Whether the peer may come in.
    pub fn is_accept(&self) -> bool {
        self.0.is_ok()
    }

    /// What is to be known of the peer, if it may come in. With [`denial`](Self::denial)
    /// and [`reason`](Self::reason) this is for policies that ask another one: to count, to
    /// remember, to log.
    ///
    /// ```
    /// use ferromq::{Denial, Verdict};
    ///
    /// let verdict = Verdict::accept_as("ada");
    /// assert_eq!(verdict.grant().and_then(|grant| grant.user_id.as_deref()), Some("ada"));
    /// let verdict = Verdict::deny("who is that");
    /// assert_eq!(verdict.denial(), Some(Denial::Unauthorized));
    /// assert_eq!(verdict.reason(), Some("who is that"));
    /// ```
    pub fn grant(&self) -> Option<&Grant> {
        self.0.as_ref().ok()
    }

    /// How the peer is refused, if it is.
    ///
    /// ```
    /// # use ferromq::{Denial, Verdict};
    /// assert_eq!(Verdict::deny("no").denial().map(Denial::code), Some(400));
    /// assert_eq!(Verdict::accept().denial(), None);
    /// ```
    pub fn denial(&self) -> Option<Denial> {
        self.0.as_ref().err().map(|(how, _)| *how)
    }

    /// Why it is refused, if it is, in the words of the policy.
    ///
    /// ```
    /// # use ferromq::Verdict;
    /// assert_eq!(Verdict::deny("not today").reason(), Some("not today"));
    /// assert_eq!(Verdict::accept().reason(), None);
    /// ```
    pub fn reason(&self) -> Option<&str> {
        self.0.as_ref().err().map(|(_, reason)| reason.as_str())
    }

    /// Of a policy that was asked after another one.
    pub(super) fn after(self, first: Grant) -> Self {
        Self(self.0.map(|second| Grant {
            user_id: second.user_id.or(first.user_id),
            properties: first.properties.into_iter().chain(second.properties).collect(),
        }))
    }
}

/// The peer may come in, and this is to be known of it.
///
/// ```
/// use ferromq::{Grant, Verdict};
///
/// let grant = Grant::of("ada").with_property("team", "blue");
/// assert_eq!(Verdict::from(grant.clone()).grant(), Some(&grant));
/// ```
impl From<Grant> for Verdict {
    fn from(grant: Grant) -> Self {
        Self(Ok(grant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_says_who_it_is_or_why_not() {
        let verdict = Verdict::accept().with_property("a", "1").with_property("a", "2");
        let properties = [("a".into(), "1".into()), ("a".into(), "2".into())].to_vec();
        assert_eq!(verdict.0, Ok(Grant { user_id: None, properties }));
        let denied = Verdict::deny("no").with_property("a", "1");
        assert_eq!(denied, Verdict::deny_with(Denial::Unauthorized, "no"));
        assert!(!denied.is_accept());
        let codes = [Denial::Temporary, Denial::Unauthorized, Denial::Internal];
        assert_eq!(codes.map(|denial| denial.to_string()), ["300", "400", "500"]);
    }

    #[test]
    fn a_verdict_is_read_as_it_was_made() {
        let grant = Grant::of("ada").with_property("team", "blue");
        let verdict = Verdict::from(grant.clone());
        assert_eq!(verdict, Verdict::accept_as("ada").with_property("team", "blue"));
        assert_eq!(verdict.grant(), Some(&grant));
        assert_eq!((verdict.denial(), verdict.reason()), (None, None));
        let denied = Verdict::deny_with(Denial::Internal, "no database");
        assert_eq!(denied.grant(), None);
        let expected = (Some(Denial::Internal), Some("no database"));
        assert_eq!((denied.denial(), denied.reason()), expected);
    }
}
