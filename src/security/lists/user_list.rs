//! [`UserList`]: who may come in, by name and password.

use std::collections::HashMap;
use std::fmt;

use super::{Shared, no_such_credentials};
use crate::printable::Printable;
use crate::security::plain::Place;
use crate::security::{
    Answer, Authenticator, Candidate, Credentials, Grant, Mechanism, PlainCredentials, Verdict,
};

/// The most octets of a name that a reason shows.
const SHOWN: usize = 64;

/// A policy for PLAIN: users with these names and passwords may come in
/// (`configure_plain` of pyzmq's `Authenticator`). Feature `plain`.
///
/// It is asked over tcp and ipc. Over inproc there is no mechanism: any socket of the same
/// [`Context`](crate::Context) comes in.
///
/// They are known by their names, unless another user id is given; what is no text in a
/// name is replaced by `U+FFFD` there. What changes, holds for peers that come from then on, in all sockets that
/// have a clone of it; who is in stays in. The default is empty: nobody.
///
/// How long an answer takes does not tell how much of a password is right, nor how
/// long it is. A name that is not on the list costs what a wrong password costs, but
/// for the look-up in a table. Passwords are wiped from memory when the last list
/// that has them lets go of them; the caller's own copy is the caller's to wipe.
///
/// ```
/// use ferromq::{Grant, RepSocket, SocketOptions, UserList};
///
/// let users = UserList::new([("ada", "engine"), ("eve", "apple")]);
/// let rep = RepSocket::with_options(SocketOptions::new().plain_server(users.clone()));
///
/// // While the socket runs:
/// users.insert("ada", "another one");
/// users.insert_with("bob", "builder", Grant::of("bob").with_property("team", "blue"));
/// users.remove("eve");
/// # assert_eq!(users.len(), 2);
/// ```
#[derive(Clone, Default)]
pub struct UserList(Shared<Users>);

#[derive(Clone, Default)]
struct Users {
    known: HashMap<Vec<u8>, User>,
    /// What is compared for a name that is not there.
    nobody: Place,
}

#[derive(Clone)]
struct User {
    password: Place,
    grant: Grant,
}

impl User {
    fn new(password: &[u8], grant: Grant) -> Self {
        // Nobody can present one that PLAIN cannot say.
        Self { password: Place::new(password).unwrap_or_default(), grant }
    }
}

impl UserList {
    /// A list of these names and passwords. The last of a name holds. With a name or a
    /// password of more than 255 bytes nobody comes in: PLAIN cannot say it.
    ///
    /// ```
    /// # use ferromq::UserList;
    /// assert!(UserList::new([("ada", "engine")]).contains("ada"));
    /// ```
    pub fn new<U, P>(users: impl IntoIterator<Item = (U, P)>) -> Self
    where
        U: AsRef<[u8]>,
        P: AsRef<[u8]>,
    {
        users.into_iter().collect()
    }

    /// Puts a user on the list, in place of what was known of it: also to give another
    /// password to one that is there. One of more than 255 bytes can never be presented,
    /// so with it nobody comes in.
    ///
    /// ```
    /// # use ferromq::UserList;
    /// let users = UserList::default();
    /// users.insert("ada", "engine");
    /// assert!(users.contains("ada"));
    /// ```
    pub fn insert(&self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) {
        self.insert_with(user, password, Grant::default());
    }

    /// The same, and who that is: its [`PeerInfo::user_id`](crate::PeerInfo::user_id), in
    /// place of the name.
    ///
    /// ```
    /// # use ferromq::UserList;
    /// # let users = UserList::default();
    /// users.insert_as("ada", "engine", "Ada Lovelace");
    /// ```
    pub fn insert_as(
        &self,
        user: impl AsRef<[u8]>,
        password: impl AsRef<[u8]>,
        user_id: impl Into<String>,
    ) {
        self.insert_with(user, password, Grant::of(user_id));
    }

    /// The same, and all that is known of the user. If there is no user id in it, that is
    /// the name.
    ///
    /// ```
    /// # use ferromq::{Grant, UserList};
    /// # let users = UserList::default();
    /// users.insert_with("ada", "engine", Grant::default().with_property("team", "blue"));
    /// ```
    pub fn insert_with(&self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>, grant: Grant) {
        let (name, user) = (user.as_ref().to_vec(), User::new(password.as_ref(), grant));
        drop(self.0.change(|users| users.known.insert(name, user)));
    }

    /// Takes a user off the list; whether it was there.
    ///
    /// ```
    /// # use ferromq::UserList;
    /// let users = UserList::new([("ada", "engine")]);
    /// assert!(users.remove("ada") && !users.remove("ada"));
    /// ```
    pub fn remove(&self, user: impl AsRef<[u8]>) -> bool {
        self.0.change(|users| users.known.remove(user.as_ref())).is_some()
    }

    /// From now on what `list` holds, all of it at once. What changes in that one
    /// later is not taken over.
    ///
    /// ```
    /// # use ferromq::UserList;
    /// let users = UserList::new([("eve", "apple")]);
    /// users.replace(UserList::new([("ada", "engine")]));
    /// assert!(users.contains("ada") && !users.contains("eve"));
    /// ```
    pub fn replace(&self, list: Self) {
        self.0.replace(list.0.now());
    }

    /// Whether a user is on the list.
    ///
    /// ```
    /// # use ferromq::UserList;
    /// assert!(!UserList::new([("ada", "engine")]).contains("eve"));
    /// ```
    pub fn contains(&self, user: impl AsRef<[u8]>) -> bool {
        self.0.now().known.contains_key(user.as_ref())
    }

    /// The names on the list, in their order. They need not be text.
    ///
    /// ```
    /// # use ferromq::UserList;
    /// let users = UserList::new([("eve", "apple"), ("ada", "engine")]);
    /// assert_eq!(users.names(), [b"ada", b"eve"]);
    /// ```
    pub fn names(&self) -> Vec<Vec<u8>> {
        let mut names: Vec<_> = self.0.now().known.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// How many users are on the list.
    ///
    /// ```
    /// # use ferromq::UserList;
    /// assert_eq!(UserList::new([("ada", "engine"), ("eve", "apple")]).len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        self.0.now().known.len()
    }

    /// Whether there is none, so that nobody may come in.
    ///
    /// ```
    /// assert!(ferromq::UserList::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Users {
    fn judge(&self, who: &PlainCredentials) -> Verdict {
        let known = self.known.get(who.username());
        // The same work, whether there is such a user or not.
        let password = known.map_or(&self.nobody, |user| &user.password);
        let is_right = password.is(who.password()).into();
        let why = match known {
            Some(user) if is_right => {
                let mut grant = user.grant.clone();
                let name = || String::from_utf8_lossy(who.username()).into_owned();
                grant.user_id.get_or_insert_with(name);
                return grant.into();
            }
            Some(_) => "wrong password of the user",
            None => "there is no user",
        };
        Verdict::deny(format!("{why} {:?}", Printable::new(who.username(), SHOWN)))
    }
}

impl Authenticator for UserList {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Answer<'a> {
        let verdict = match candidate.credentials() {
            Credentials::Plain(who) => self.0.now().judge(who),
            _ => no_such_credentials(candidate, Mechanism::Plain),
        };
        Box::pin(std::future::ready(verdict))
    }
}

impl<U: AsRef<[u8]>, P: AsRef<[u8]>> FromIterator<(U, P)> for UserList {
    fn from_iter<I: IntoIterator<Item = (U, P)>>(users: I) -> Self {
        let mut list = Self::default();
        list.extend(users);
        list
    }
}

/// All of them at once.
impl<U: AsRef<[u8]>, P: AsRef<[u8]>> Extend<(U, P)> for UserList {
    fn extend<I: IntoIterator<Item = (U, P)>>(&mut self, users: I) {
        let new = users.into_iter().map(|(name, password)| {
            (name.as_ref().to_vec(), User::new(password.as_ref(), Grant::default()))
        });
        let new: Vec<_> = new.collect();
        let before = self.0.change(|users| {
            new.into_iter().filter_map(|(name, user)| users.known.insert(name, user)).collect()
        });
        drop::<Vec<User>>(before);
    }
}

impl fmt::Debug for UserList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserList({} users)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::testing::{candidate, denied, verdict};

    fn who(user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Candidate {
        let plain = PlainCredentials::new(user.as_ref(), password.as_ref());
        candidate(Credentials::Plain(plain))
    }

    #[test]
    fn who_knows_the_password_is_known_by_its_name() {
        let users = UserList::new([("ada", "engine"), ("guest", "")]);
        users.insert(b"\xff", b"\0");
        assert_eq!(verdict(&users, &who("ada", "engine")), Verdict::accept_as("ada"));
        assert_eq!(verdict(&users, &who("guest", "")), Verdict::accept_as("guest"));
        assert_eq!(verdict(&users, &who(b"\xff", b"\0")), Verdict::accept_as("\u{fffd}"));
    }

    #[test]
    fn what_was_given_of_a_user_is_known_of_it() {
        let users = UserList::default();
        users.insert_as("ada", "engine", "Ada Lovelace");
        users.insert_with("bob", "builder", Grant::default().with_property("team", "blue"));
        assert_eq!(verdict(&users, &who("ada", "engine")), Verdict::accept_as("Ada Lovelace"));
        let expected = Verdict::accept_as("bob").with_property("team", "blue");
        assert_eq!(verdict(&users, &who("bob", "builder")), expected);
        let wrong = "wrong password of the user \"bob\"";
        assert_eq!(denied(&users, &who("bob", "engine")), wrong);
        // The last word on a user is the one that holds.
        users.insert("ada", "another");
        assert_eq!(verdict(&users, &who("ada", "another")), Verdict::accept_as("ada"));
    }

    #[test]
    fn others_are_refused_and_the_reason_does_not_show_what_they_said() {
        let users = UserList::new([("ada", "engine"), ("guest", "")]);
        let wrong = "wrong password of the user \"ada\"";
        for password in ["", "engin", "engine\0", "engine2", "Engine"] {
            assert_eq!(denied(&users, &who("ada", password)), wrong);
        }
        for password in ["\0", "\u{1}", "engine"] {
            assert!(!verdict(&users, &who("guest", password)).is_accept());
        }
        for password in [&b""[..], &[0], &[1], &[1; 255], b"engine"] {
            assert_eq!(denied(&users, &who("Ada", password)), "there is no user \"Ada\"");
        }
        assert_eq!(denied(&users, &who("a\n\u{202e}", "")), r#"there is no user "a\n\u{202e}""#);
        let long = format!("there is no user {:?}... (255 octets)", "a".repeat(64));
        assert_eq!(denied(&users, &who("a".repeat(255), "")), long);
    }

    #[test]
    fn other_mechanisms_are_refused() {
        let reason = "it comes with NULL, and only PLAIN is on the list";
        assert_eq!(denied(&UserList::default(), &candidate(Credentials::None)), reason);
    }

    #[test]
    #[cfg(feature = "curve")]
    fn keys_are_no_passwords() {
        let key = Credentials::Curve(crate::CurvePublicKey::from_bytes([1; 32]));
        let reason = "it comes with CURVE, and only PLAIN is on the list";
        assert_eq!(denied(&UserList::default(), &candidate(key)), reason);
    }

    #[test]
    fn a_password_that_plain_cannot_say_lets_nobody_in() {
        let password = "p".repeat(256);
        let users = UserList::new([("ada", &password[..]), ("eve", &password[1..])]);
        assert!(verdict(&users, &who("eve", &password[1..])).is_accept());
        for presented in [&password[..], &password[1..], ""] {
            assert!(!verdict(&users, &who("ada", presented)).is_accept());
        }
        assert!(users.contains("ada") && users.remove("ada"));
    }

    #[test]
    fn it_changes_for_all_who_have_it() {
        let users = UserList::new([("ada", "engine"), ("eve", "apple")]);
        let policy = users.clone();
        users.insert("ada", "another");
        assert!(users.remove("eve") && !users.remove("eve"));
        assert!(!verdict(&policy, &who("ada", "engine")).is_accept());
        assert!(!verdict(&policy, &who("eve", "apple")).is_accept());
        assert!(verdict(&policy, &who("ada", "another")).is_accept());
        let new = UserList::new([("bob", "b")]);
        users.replace(new.clone());
        new.insert("bob", "c");
        assert!(verdict(&policy, &who("bob", "b")).is_accept() && policy.len() == 1);
        let mut shared = policy.clone();
        shared.extend([("ada", "engine"), ("bob", "another")]);
        assert!(verdict(&policy, &who("bob", "another")).is_accept());
        assert_eq!(policy.names(), [b"ada", b"bob"]);
    }

    #[test]
    fn nothing_is_shown_of_the_users() {
        let users = UserList::new([("ada", "engine")]);
        assert_eq!(format!("{users:?}"), "UserList(1 users)");
    }
}
