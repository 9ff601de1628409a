//! [`AddressList`]: who may come in, by where it comes from.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Network, NetworkError, Shared};
use crate::security::{Answer, Authenticator, Candidate, Verdict};

/// A policy for any mechanism: only peers at these addresses may come in, or all
/// but those (`allow` and `deny` of pyzmq's `Authenticator`).
///
/// For NULL it is all there is to go by. Combine it with others by
/// [`Policy::and`](crate::Policy::and), also an allowing one with a denying one.
/// What changes, holds for peers that come from then on, in all sockets that have a
/// clone of it; who is in stays in.
///
/// Peers over ipc have no address. They come in, unless
/// [`also_local`](Self::also_local) says otherwise.
///
/// ```
/// # fn main() -> Result<(), ferromq::Error> {
/// use ferromq::{AddressList, Policy, RepSocket, SocketOptions};
///
/// let ours = AddressList::allow(["10.0.0.0/8", "127.0.0.1", "::1"])?;
/// let rep = RepSocket::with_options(SocketOptions::new().null_policy(ours.clone()));
/// ours.insert("192.168.1.0/24")?; // While the socket runs.
///
/// let all_but_one = Policy::from(ours).and(AddressList::deny(["10.6.6.6"])?);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct AddressList(Shared<Rules>);

#[derive(Clone)]
struct Rules {
    mode: Mode,
    networks: Vec<Network>,
    also_local: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Allow,
    Deny,
}

impl AddressList {
    /// Only peers at these addresses and in these networks may come in: nobody, if
    /// there are none. Each is a text, an [`IpAddr`] or a [`Network`].
    ///
    /// ```
    /// # use ferromq::AddressList;
    /// let list = AddressList::allow(["10.0.0.0/8", "::1"])?;
    /// assert!(list.lets_in([10, 1, 2, 3].into()) && !list.lets_in([8, 8, 8, 8].into()));
    /// assert!(AddressList::allow(["localhost"]).is_err());
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    ///
    /// # Errors
    /// When a text is neither an address nor a network.
    pub fn allow<I>(networks: I) -> Result<Self, NetworkError>
    where
        I: IntoIterator<Item: TryInto<Network, Error: Into<NetworkError>>>,
    {
        Self::new(Mode::Allow, networks)
    }

    /// All peers may come in but those at these addresses and in these networks.
    ///
    /// ```
    /// # use ferromq::AddressList;
    /// let list = AddressList::deny(["10.6.6.6", "fd00:666::/32"])?;
    /// assert!(list.lets_in([10, 1, 2, 3].into()) && !list.lets_in([10, 6, 6, 6].into()));
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    ///
    /// # Errors
    /// When a text is neither an address nor a network.
    pub fn deny<I>(networks: I) -> Result<Self, NetworkError>
    where
        I: IntoIterator<Item: TryInto<Network, Error: Into<NetworkError>>>,
    {
        Self::new(Mode::Deny, networks)
    }

    fn new<I>(mode: Mode, networks: I) -> Result<Self, NetworkError>
    where
        I: IntoIterator<Item: TryInto<Network, Error: Into<NetworkError>>>,
    {
        let networks = networks.into_iter().map(|network| network.try_into().map_err(Into::into));
        let networks = networks.collect::<Result<_, _>>()?;
        Ok(Self(Shared::new(Rules { mode, networks, also_local: true })))
    }

    /// Whether peers that have no address since they come over ipc, and so from this
    /// machine, may come in. Default true, whether the list allows or denies: who may
    /// open the socket's file is decided by its permissions. (pyzmq knows them as
    /// `localhost`, which its `allow` refuses unless told.)
    ///
    /// This is for a list that is being made. It gives back the same list and no copy, so
    /// what clones were made of it before have it too, as by
    /// [`set_also_local`](Self::set_also_local).
    ///
    /// ```
    /// # use ferromq::AddressList;
    /// let over_tcp_only = AddressList::allow(["10.0.0.0/8"])?.also_local(false);
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    #[must_use]
    pub fn also_local(self, also_local: bool) -> Self {
        self.set_also_local(also_local);
        self
    }

    /// The same for a list that is in use: as all that changes it holds in all its clones,
    /// for peers that come from then on.
    ///
    /// ```
    /// # use ferromq::AddressList;
    /// let list = AddressList::allow(["10.0.0.0/8"])?;
    /// let policy = list.clone();
    /// list.set_also_local(false); // Also for whoever has `policy`.
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    pub fn set_also_local(&self, also_local: bool) {
        self.0.change(|rules| rules.also_local = also_local);
    }

    /// Puts an address or a network on the list.
    ///
    /// ```
    /// # use ferromq::AddressList;
    /// let list = AddressList::deny(["10.6.6.6"])?;
    /// list.insert("10.7.0.0/16")?;
    /// assert!(!list.lets_in([10, 7, 7, 7].into()));
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    ///
    /// # Errors
    /// When a text is neither an address nor a network.
    pub fn insert<N>(&self, network: N) -> Result<(), NetworkError>
    where
        N: TryInto<Network, Error: Into<NetworkError>>,
    {
        let network = network.try_into().map_err(Into::into)?;
        self.0.change(|rules| rules.insert(network));
        Ok(())
    }

    /// Takes an address or a network off the list; whether it was there. A part of
    /// a network that is there is not.
    ///
    /// ```
    /// # use ferromq::AddressList;
    /// let list = AddressList::deny(["10.6.0.0/16"])?;
    /// assert!(!list.remove("10.6.6.6")?);
    /// assert!(list.remove("10.6.0.0/16")?);
    /// assert!(list.lets_in([10, 6, 6, 6].into()));
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    ///
    /// # Errors
    /// When a text is neither an address nor a network.
    pub fn remove<N>(&self, network: N) -> Result<bool, NetworkError>
    where
        N: TryInto<Network, Error: Into<NetworkError>>,
    {
        let network = network.try_into().map_err(Into::into)?;
        Ok(self.0.change(|rules| {
            let before = rules.networks.len();
            rules.networks.retain(|other| *other != network);
            rules.networks.len() < before
        }))
    }

    /// From now on what `list` holds, all of it at once: also whether it allows or
    /// denies, and what it does with local peers. What changes in that one later is
    /// not taken over.
    ///
    /// ```
    /// # use ferromq::AddressList;
    /// let list = AddressList::deny(["10.6.6.6"])?;
    /// list.replace(AddressList::allow(["10.1.0.0/16"])?);
    /// assert!(list.lets_in([10, 1, 2, 3].into()) && !list.lets_in([10, 2, 2, 3].into()));
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    pub fn replace(&self, list: Self) {
        self.0.replace(list.0.now());
    }

    /// Whether a peer at this address may come in.
    ///
    /// ```
    /// # use ferromq::AddressList;
    /// let list = AddressList::allow(["127.0.0.0/8"])?;
    /// assert!(list.lets_in("::ffff:127.0.0.1".parse().unwrap()));
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    pub fn lets_in(&self, address: IpAddr) -> bool {
        self.0.now().judge(Some(address)).is_accept()
    }

    /// The addresses and networks on the list, in the order in which they came.
    ///
    /// ```
    /// # use ferromq::AddressList;
    /// let list = AddressList::allow(["10.0.0.0/8", "::1"])?;
    /// let networks: Vec<String> = list.networks().iter().map(ToString::to_string).collect();
    /// assert_eq!(networks, ["10.0.0.0/8", "::1"]);
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    pub fn networks(&self) -> Vec<Network> {
        self.0.now().networks.clone()
    }

    /// How many addresses and networks are on the list.
    ///
    /// ```
    /// # use ferromq::AddressList;
    /// assert_eq!(AddressList::allow(["10.0.0.0/8", "::1"])?.len(), 2);
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    pub fn len(&self) -> usize {
        self.0.now().networks.len()
    }

    /// Whether there is none.
    ///
    /// ```
    /// # use ferromq::AddressList;
    /// assert!(!AddressList::deny(["::1"])?.is_empty());
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Rules {
    fn insert(&mut self, network: Network) {
        if !self.networks.contains(&network) {
            self.networks.push(network);
        }
    }

    fn judge(&self, address: Option<IpAddr>) -> Verdict {
        let Some(address) = address else { return self.judge_local() };
        let address = address.to_canonical();
        let found = self.networks.iter().find(|network| network.contains(address));
        match (self.mode, found) {
            (Mode::Allow, Some(_)) | (Mode::Deny, None) => Verdict::accept(),
            (Mode::Allow, None) => {
                Verdict::deny(format!("its address {address} is not among those allowed"))
            }
            (Mode::Deny, Some(network)) => {
                Verdict::deny(format!("its address {address} is denied by {network}"))
            }
        }
    }

    fn judge_local(&self) -> Verdict {
        match self.also_local {
            true => Verdict::accept(),
            false => Verdict::deny("it has no address: the list is not for local peers"),
        }
    }
}

impl Authenticator for AddressList {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Answer<'a> {
        let verdict = self.0.now().judge(candidate.ip());
        Box::pin(std::future::ready(verdict))
    }
}

/// All of them at once.
impl<N: Into<Network>> Extend<N> for AddressList {
    fn extend<I: IntoIterator<Item = N>>(&mut self, networks: I) {
        let new: Vec<Network> = networks.into_iter().map(Into::into).collect();
        self.0.change(|rules| new.into_iter().for_each(|network| rules.insert(network)));
    }
}

impl fmt::Debug for AddressList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Arc<Rules> = self.0.now();
        f.debug_struct("AddressList")
            .field("mode", &rules.mode)
            .field("networks", &rules.networks)
            .field("also_local", &rules.also_local)
            .finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::security::Credentials;
    use crate::security::testing::{candidate, denied, verdict};

    fn from(address: Option<&str>) -> Candidate {
        Candidate {
            ip: address.map(|address| address.parse().unwrap()),
            ..candidate(Credentials::None)
        }
    }

    #[test]
    fn only_those_allowed_come_in() {
        let list = AddressList::allow(["10.0.0.0/8", "fd00::1"]).unwrap();
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1"] {
            assert_eq!(verdict(&list, &from(Some(address))), Verdict::accept());
        }
        let reason = "its address 11.1.2.3 is not among those allowed";
        assert_eq!(denied(&list, &from(Some("11.1.2.3"))), reason);
        assert_eq!(denied(&list, &from(Some("::ffff:11.1.2.3"))), reason);
        assert!(!AddressList::allow([""; 0]).unwrap().lets_in([127, 0, 0, 1].into()));
    }

    #[test]
    fn those_denied_do_not() {
        let list = AddressList::deny(["10.0.0.0/8"]).unwrap();
        assert_eq!(verdict(&list, &from(Some("11.1.2.3"))), Verdict::accept());
        let reason = "its address 10.1.2.3 is denied by 10.0.0.0/8";
        assert_eq!(denied(&list, &from(Some("::ffff:10.1.2.3"))), reason);
    }

    #[test]
    fn local_peers_come_in_unless_the_list_is_not_for_them() {
        for list in [AddressList::allow(["10.0.0.1"]), AddressList::deny(["10.0.0.1"])] {
            let list = list.unwrap();
            assert_eq!(verdict(&list, &from(None)), Verdict::accept());
            let list = list.also_local(false);
            let reason = "it has no address: the list is not for local peers";
            assert_eq!(denied(&list, &from(None)), reason);
            let policy = list.clone();
            list.set_also_local(true);
            assert_eq!(verdict(&policy, &from(None)), Verdict::accept());
            // What looks like a setter of a new one is none.
            let same = list.clone().also_local(false);
            assert_eq!((denied(&policy, &from(None)), same.len()), (reason.into(), 1));
            list.replace(AddressList::deny([""; 0]).unwrap());
            assert_eq!(verdict(&list, &from(None)), Verdict::accept());
        }
    }

    #[test]
    fn all_kinds_of_networks_are_taken() {
        let ip = IpAddr::from([10, 0, 0, 1]);
        for list in [
            AddressList::allow([ip]).unwrap(),
            AddressList::allow([Network::from(ip)]).unwrap(),
            AddressList::allow(vec![String::from("10.0.0.1")]).unwrap(),
            AddressList::allow(&[String::from("10.0.0.1")]).unwrap(),
        ] {
            assert!(list.lets_in(ip));
        }
    }

    #[test]
    fn it_changes_for_all_who_have_it() {
        let list = AddressList::allow(["10.0.0.1"]).unwrap();
        let other = list.clone();
        list.insert("10.0.0.1").unwrap();
        list.insert("10.0.0.2").unwrap();
        assert!(list.insert("10.0.0").is_err());
        assert_eq!((other.len(), other.lets_in([10, 0, 0, 2].into())), (2, true));
        assert!(other.remove("10.0.0.1").unwrap() && !list.lets_in([10, 0, 0, 1].into()));
        let shown =
            r#"AddressList { mode: Allow, networks: [Network("10.0.0.2")], also_local: true }"#;
        assert_eq!(format!("{list:?}"), shown);
        let [one, two] = [1, 2].map(|octet| IpAddr::from([10, 0, 0, octet]));
        list.clone().extend([one, two, one]);
        assert_eq!(other.networks(), [two.into(), one.into()]);
    }
}
