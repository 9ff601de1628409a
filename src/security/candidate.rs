//! [`Candidate`]: a peer that wants to come in, and what it presents.

use std::net::IpAddr;

#[cfg(feature = "curve")]
use super::CurvePublicKey;
use super::Mechanism;
#[cfg(feature = "plain")]
use super::PlainCredentials;
use crate::peer::PeerInfo;
use crate::routing_id::RoutingId;

/// What a peer presents to be let in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing: the mechanism is NULL.
    None,
    /// A name and a password. Feature `plain`.
    #[cfg(feature = "plain")]
    Plain(PlainCredentials),
    /// A public key, of which it has proved to have the secret one. Feature `curve`.
    #[cfg(feature = "curve")]
    Curve(CurvePublicKey),
}

impl Credentials {
    /// The mechanism that they are of.
    fn mechanism(&self) -> Mechanism {
        match self {
            Self::None => Mechanism::Null,
            #[cfg(feature = "plain")]
            Self::Plain(_) => Mechanism::Plain,
            #[cfg(feature = "curve")]
            Self::Curve(_) => Mechanism::Curve,
        }
    }
}

/// A peer that wants to come in, as a policy sees it.
///
/// ```
/// use ferromq::{Candidate, Credentials, Verdict};
///
/// fn judge(peer: &Candidate) -> Verdict {
///     if peer.domain() == "closed" {
///         return Verdict::deny("come back tomorrow");
///     }
///     let is_remote = peer.ip().is_some_and(|ip| !ip.is_loopback());
///     match peer.credentials() {
///         Credentials::None if is_remote => Verdict::deny("strangers have to say who they are"),
///         _ => Verdict::accept_as(format!("{} at {}", peer.mechanism(), peer.peer().address)),
///     }
/// }
/// # use ferromq::PeerInfo;
/// # let mut peer = PeerInfo::default();
/// # assert!(judge(&Candidate::new(Credentials::None, peer.clone())).is_accept());
/// # peer.address = "tcp://192.0.2.7:40112".into();
/// # let stranger = Candidate::new(Credentials::None, peer);
/// # assert!(!judge(&stranger).is_accept());
/// # assert_eq!(judge(&stranger.with_domain("closed")).reason(), Some("come back tomorrow"));
/// ```
#[derive(Debug, Clone)]
pub struct Candidate {
    pub(crate) credentials: Credentials,
    pub(crate) peer: PeerInfo,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) domain: String,
    /// What our own socket calls itself, which ZAP wants to know.
    pub(crate) own_id: Option<RoutingId>,
}

impl Candidate {
    /// Somebody who presents this, and is known as `peer`: for tests of policies. The
    /// mechanism is that of the credentials, the IP address that of the peer's
    /// [`address`](PeerInfo::address).
    ///
    /// A closure is called as it is, and whatever is an
    /// [`Authenticator`](super::Authenticator) is asked.
    ///
    /// ```
    /// # #[cfg(feature = "plain")] {
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use ferromq::{
    ///     Authenticator, Candidate, Credentials, PeerInfo, PlainCredentials, UserList, Verdict,
    /// };
    ///
    /// let policy = |peer: &Candidate| match peer.ip() {
    ///     Some(ip) if ip.is_loopback() => Verdict::accept(),
    ///     _ => Verdict::deny("only from this machine"),
    /// };
    /// let users = UserList::new([("ada", "engine")]);
    ///
    /// let mut peer = PeerInfo::default();
    /// peer.address = "tcp://192.0.2.7:40112".into();
    /// let ada = Credentials::Plain(PlainCredentials::new("ada", "engine"));
    /// let ada = Candidate::new(ada, peer);
    /// assert_eq!(policy(&ada), Verdict::deny("only from this machine"));
    /// assert_eq!(users.authenticate(&ada).await, Verdict::accept_as("ada"));
    /// # }) }
    /// ```
    pub fn new(credentials: Credentials, peer: PeerInfo) -> Self {
        let peer = PeerInfo { mechanism: credentials.mechanism(), ..peer };
        Self { credentials, ip: peer.ip(), peer, domain: String::new(), own_id: None }
    }

    /// The same, at a socket with this [domain](crate::SocketOptions::zap_domain).
    ///
    /// ```
    /// use ferromq::{Candidate, Credentials, PeerInfo};
    ///
    /// let peer = Candidate::new(Credentials::None, PeerInfo::default()).with_domain("billing");
    /// assert_eq!(peer.domain(), "billing");
    /// ```
    #[must_use]
    pub fn with_domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = domain.into();
        self
    }

    /// The mechanism of the handshake.
    pub fn mechanism(&self) -> Mechanism {
        self.peer.mechanism
    }

    /// What it presents.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Where it is; nothing over ipc, where it is on this machine.
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// The [domain](crate::SocketOptions::zap_domain) of our socket; empty
    /// unless it was set.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// What it has said of itself by now, and its address. Its socket type,
    /// routing id and properties are known with CURVE only; with NULL and PLAIN
    /// a peer says that later.
    pub fn peer(&self) -> &PeerInfo {
        &self.peer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_where_its_peer_is() {
        let peer = |address: &str| {
            let info = PeerInfo { address: address.into(), ..PeerInfo::default() };
            Candidate::new(Credentials::None, info).with_domain("billing")
        };
        let remote = peer("tcp://[::1]:40112");
        assert_eq!(remote.ip(), Some("::1".parse().expect("an address")));
        assert_eq!((remote.mechanism(), remote.domain()), (Mechanism::Null, "billing"));
        assert_eq!(remote.peer().address, "tcp://[::1]:40112");
        assert_eq!(peer("ipc:///tmp/socket").ip(), None);
    }

    #[test]
    #[cfg(all(feature = "plain", feature = "curve"))]
    fn the_mechanism_of_a_candidate_is_that_of_what_it_presents() {
        let plain = Credentials::Plain(PlainCredentials::new("ada", "engine"));
        let curve = Credentials::Curve(CurvePublicKey::from_bytes([1; 32]));
        for (credentials, mechanism) in [(plain, Mechanism::Plain), (curve, Mechanism::Curve)] {
            let candidate = Candidate::new(credentials, PeerInfo::default());
            assert_eq!((candidate.mechanism(), candidate.peer().mechanism), (mechanism, mechanism));
        }
    }
}
