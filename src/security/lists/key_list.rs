//! [`KeyList`]: who may come in, by public key.

use std::collections::HashMap;
use std::fmt;

use super::{Shared, no_such_credentials};
use crate::security::{
    Answer, Authenticator, Candidate, Credentials, CurvePublicKey, Grant, Mechanism, Verdict,
};

/// Keys, and what is known of who has them.
pub(super) type Keys = HashMap<CurvePublicKey, Grant>;

/// A policy for CURVE: peers with these public keys may come in. Feature `curve`.
///
/// They are known by the user id that is given with the key; without one it is
/// the key itself, as 40 characters of Z85 (as with pyzmq's `curve_user_id`). What
/// changes, holds for peers that come from then on, in all sockets that have a clone
/// of it; who is in stays in. The default is empty: nobody.
///
/// For keys that are in files there is [`CertificateDir`](crate::CertificateDir).
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use ferromq::{CurveKeypair, Grant, KeyList, RepSocket, SocketOptions};
///
/// # let [ada, bob, eve] = [(); 3].map(|()| *CurveKeypair::generate().unwrap().public());
/// let keys = KeyList::new([ada, eve]);
/// let options = SocketOptions::new().curve_server(CurveKeypair::generate()?, keys.clone());
/// let rep = RepSocket::with_options(options);
///
/// // While the socket runs:
/// keys.insert_with(bob, Grant::of("bob").with_property("team", "blue"));
/// keys.remove(&eve);
/// # assert!(keys.len() == 2);
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct KeyList(Shared<Keys>);

impl KeyList {
    /// A list of these keys.
    ///
    /// ```
    /// # use ferromq::{CurvePublicKey, KeyList};
    /// let key: CurvePublicKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID".parse()?;
    /// assert!(KeyList::new([key]).contains(&key));
    /// # Ok::<(), ferromq::KeyError>(())
    /// ```
    pub fn new(keys: impl IntoIterator<Item = CurvePublicKey>) -> Self {
        keys.into_iter().collect()
    }

    /// Puts a key on the list, in place of what was known of it.
    ///
    /// ```
    /// # use ferromq::{CurveKeypair, KeyList};
    /// let (keys, pair) = (KeyList::default(), CurveKeypair::generate()?);
    /// keys.insert(*pair.public());
    /// assert!(keys.contains(pair.public()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn insert(&self, key: CurvePublicKey) {
        self.insert_with(key, Grant::default());
    }

    /// The same, and who has the key: its
    /// [`PeerInfo::user_id`](crate::PeerInfo::user_id).
    ///
    /// ```
    /// # use ferromq::{CurveKeypair, KeyList};
    /// # let keys = KeyList::default();
    /// keys.insert_as(*CurveKeypair::generate()?.public(), "ada");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn insert_as(&self, key: CurvePublicKey, user_id: impl Into<String>) {
        self.insert_with(key, Grant::of(user_id));
    }

    /// The same, and all that is known of who has the key. If there is no user id
    /// in it, that is the key.
    ///
    /// ```
    /// # use ferromq::{CurveKeypair, Grant, KeyList};
    /// # let keys = KeyList::default();
    /// let ada = Grant::of("ada").with_property("team", "blue");
    /// keys.insert_with(*CurveKeypair::generate()?.public(), ada);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn insert_with(&self, key: CurvePublicKey, grant: Grant) {
        drop(self.0.change(|keys| keys.insert(key, grant)));
    }

    /// Takes a key off the list; whether it was there.
    ///
    /// ```
    /// # use ferromq::{CurveKeypair, KeyList};
    /// let pair = CurveKeypair::generate()?;
    /// let keys = KeyList::new([*pair.public()]);
    /// assert!(keys.remove(pair.public()) && !keys.remove(pair.public()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn remove(&self, key: &CurvePublicKey) -> bool {
        self.0.change(|keys| keys.remove(key)).is_some()
    }

    /// From now on what `list` holds, all of it at once. What changes in that one
    /// later is not taken over.
    ///
    /// ```
    /// # use ferromq::{CurveKeypair, KeyList};
    /// let (old, new) = (CurveKeypair::generate()?, CurveKeypair::generate()?);
    /// let keys = KeyList::new([*old.public()]);
    /// keys.replace(KeyList::new([*new.public()]));
    /// assert!(keys.contains(new.public()) && !keys.contains(old.public()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn replace(&self, list: Self) {
        self.0.replace(list.0.now());
    }

    /// Whether a key is on the list.
    ///
    /// ```
    /// # use ferromq::{CurveKeypair, KeyList};
    /// assert!(!KeyList::default().contains(CurveKeypair::generate()?.public()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn contains(&self, key: &CurvePublicKey) -> bool {
        self.0.now().contains_key(key)
    }

    /// The keys on the list, in the order of their octets.
    ///
    /// ```
    /// # use ferromq::{CurvePublicKey, KeyList};
    /// let [one, two] = [1, 2].map(|octet| CurvePublicKey::from_bytes([octet; 32]));
    /// assert_eq!(KeyList::new([two, one]).keys(), [one, two]);
    /// ```
    pub fn keys(&self) -> Vec<CurvePublicKey> {
        let mut keys: Vec<_> = self.0.now().keys().copied().collect();
        keys.sort_unstable();
        keys
    }

    /// How many keys are on the list.
    ///
    /// ```
    /// # use ferromq::{CurvePublicKey, KeyList};
    /// assert_eq!(KeyList::new([CurvePublicKey::from_bytes([1; 32])]).len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.0.now().len()
    }

    /// Whether there is none, so that nobody may come in.
    ///
    /// ```
    /// assert!(ferromq::KeyList::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a list of keys has to say of a peer.
pub(super) fn judge(keys: &Keys, candidate: &Candidate) -> Verdict {
    let Credentials::Curve(key) = candidate.credentials() else {
        return no_such_credentials(candidate, Mechanism::Curve);
    };
    match keys.get(key) {
        Some(grant) => {
            let mut grant = grant.clone();
            grant.user_id.get_or_insert_with(|| key.to_string());
            Verdict(Ok(grant))
        }
        None => Verdict::deny(format!("its key {key} is not on the list")),
    }
}

impl Authenticator for KeyList {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Answer<'a> {
        Box::pin(std::future::ready(judge(&self.0.now(), candidate)))
    }
}

impl FromIterator<CurvePublicKey> for KeyList {
    fn from_iter<I: IntoIterator<Item = CurvePublicKey>>(keys: I) -> Self {
        keys.into_iter().map(|key| (key, Grant::default())).collect()
    }
}

/// Keys, each with all that is known of who has it, as
/// [`insert_with`](KeyList::insert_with) takes it.
impl FromIterator<(CurvePublicKey, Grant)> for KeyList {
    fn from_iter<I: IntoIterator<Item = (CurvePublicKey, Grant)>>(keys: I) -> Self {
        Self(Shared::new(keys.into_iter().collect()))
    }
}

/// All of them at once.
impl Extend<CurvePublicKey> for KeyList {
    fn extend<I: IntoIterator<Item = CurvePublicKey>>(&mut self, keys: I) {
        self.extend(keys.into_iter().map(|key| (key, Grant::default())));
    }
}

/// All of them at once.
impl Extend<(CurvePublicKey, Grant)> for KeyList {
    fn extend<I: IntoIterator<Item = (CurvePublicKey, Grant)>>(&mut self, keys: I) {
        let new: Vec<_> = keys.into_iter().collect();
        let before = self.0.change(|keys| {
            new.into_iter().filter_map(|(key, grant)| keys.insert(key, grant)).collect()
        });
        drop::<Vec<Grant>>(before);
    }
}

impl fmt::Debug for KeyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyList({} keys)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::testing::{candidate, denied, verdict};

    fn key(number: u8) -> CurvePublicKey {
        CurvePublicKey::from_bytes([number; 32])
    }

    fn with(number: u8) -> Candidate {
        candidate(Credentials::Curve(key(number)))
    }

    #[test]
    fn who_has_a_key_is_known_by_it_or_by_what_was_given() {
        let keys = KeyList::new([key(1)]);
        keys.insert_as(key(2), "ada");
        let blue = || Grant::default().with_property("team", "blue");
        keys.insert_with(key(3), blue());
        assert_eq!(verdict(&keys, &with(1)), Verdict::accept_as(key(1).to_string()));
        assert_eq!(verdict(&keys, &with(2)), Verdict::accept_as("ada"));
        let expected = Verdict::accept_as(key(3).to_string()).with_property("team", "blue");
        assert_eq!(verdict(&keys, &with(3)), expected);
        let other: KeyList = [(key(3), blue())].into_iter().collect();
        assert_eq!(verdict(&other, &with(3)), expected);
        // The last word on a key is the one that holds.
        keys.insert(key(2));
        assert_eq!(verdict(&keys, &with(2)), Verdict::accept_as(key(2).to_string()));
    }

    #[test]
    fn other_keys_and_other_mechanisms_are_refused() {
        let keys = KeyList::new([key(1)]);
        assert_eq!(denied(&keys, &with(2)), format!("its key {} is not on the list", key(2)));
        let reason = "it comes with NULL, and only CURVE is on the list";
        assert_eq!(denied(&keys, &candidate(Credentials::None)), reason);
        assert!(!verdict(&KeyList::default(), &with(0)).is_accept());
    }

    #[test]
    #[cfg(feature = "plain")]
    fn passwords_are_no_keys() {
        let plain = crate::PlainCredentials::new(b"ada", b"secret");
        let reason = "it comes with PLAIN, and only CURVE is on the list";
        assert_eq!(denied(&KeyList::default(), &candidate(Credentials::Plain(plain))), reason);
    }

    #[test]
    fn it_changes_for_all_who_have_it() {
        let keys = KeyList::new([key(1)]);
        let policy = keys.clone();
        assert!(keys.remove(&key(1)) && !keys.remove(&key(1)));
        assert!(!verdict(&policy, &with(1)).is_accept());
        let new = KeyList::new([key(2), key(3)]);
        keys.replace(new.clone());
        assert!(verdict(&policy, &with(2)).is_accept() && policy.len() == 2);
        // From then on each is a list of its own.
        new.remove(&key(2));
        keys.insert(key(4));
        assert!(policy.contains(&key(2)) && !new.contains(&key(4)));
        keys.replace(keys.clone());
        assert_eq!(format!("{policy:?}"), "KeyList(3 keys)");
        keys.clone().extend([key(1), key(2)]);
        assert_eq!(policy.keys(), [key(1), key(2), key(3), key(4)]);
        keys.clone().extend([(key(2), Grant::of("ada"))]);
        assert_eq!(verdict(&policy, &with(2)), Verdict::accept_as("ada"));
    }
}
