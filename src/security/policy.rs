//! [`Policy`]: who decides whether a peer may come in.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::{Candidate, Verdict};

/// A [`Verdict`] to come.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// Decides whether a peer may come in. Closures from `&Candidate` to [`Verdict`]
/// do; [`Policy::from_async`] makes one of a closure that has to wait.
///
/// It is asked once for each handshake, within the time that
/// [`handshake_timeout`](crate::SocketOptions::handshake_timeout) allows for it
/// all, by as many connections at once as there are. If it panics the peer is not let
/// in ([`Denial::Internal`](crate::Denial::Internal)), and nobody else notices.
pub trait Authenticator: Send + Sync + 'static {
    /// Decides about one peer.
    ///
    /// # Cancel safety
    /// The future is dropped if the peer leaves, the time is over or the socket
    /// is closed.
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Answer<'a>;
}

impl<F: Fn(&Candidate) -> Verdict + Send + Sync + 'static> Authenticator for F {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Answer<'a> {
        Box::pin(std::future::ready(self(candidate)))
    }
}

/// One that several share.
impl<A: Authenticator + ?Sized> Authenticator for Arc<A> {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Answer<'a> {
        (**self).authenticate(candidate)
    }
}

/// Who decides whether a peer may come in: one or several [`Authenticator`]s, or
/// a ZAP handler. The default refuses everyone.
///
/// These are ready-made, and may change while sockets run:
///
/// | who may come in | by | mechanism, and feature |
/// |---|---|---|
/// | [`AddressList`](crate::AddressList) | address or network, allowed or denied | any |
/// | [`UserList`] | name and password | PLAIN, `plain` |
/// | [`KeyList`] | public key | CURVE, `curve` |
/// | [`CertificateDir`] | certificate, in a directory | CURVE, `curve` |
///
/// ```
/// use ferromq::{AddressList, Candidate, Policy, Verdict};
///
/// let open = Policy::from(|peer: &Candidate| match peer.domain() {
///     "closed" => Verdict::deny("come back tomorrow"),
///     _ => Verdict::accept(),
/// });
/// let both = Policy::from(AddressList::allow(["10.0.0.0/8"])?).and(open);
/// # Ok::<(), ferromq::NetworkError>(())
/// ```
///
// As at `Grant`.
#[cfg_attr(feature = "plain", doc = "[`UserList`]: super::UserList")]
#[cfg_attr(not(feature = "plain"), doc = "[`UserList`]: guide/security/index.html")]
#[cfg_attr(feature = "curve", doc = "[`KeyList`]: super::KeyList")]
#[cfg_attr(not(feature = "curve"), doc = "[`KeyList`]: guide/security/index.html")]
#[cfg_attr(feature = "curve", doc = "[`CertificateDir`]: super::CertificateDir")]
#[cfg_attr(not(feature = "curve"), doc = "[`CertificateDir`]: guide/security/index.html")]
#[derive(Clone, Default)]
pub struct Policy(Kind);

#[derive(Clone, Default)]
enum Kind {
    #[default]
    DenyAll,
    AllowAny,
    Zap,
    Asks(Arc<dyn Authenticator>),
    Both(Arc<[Policy; 2]>),
}

impl<A: Authenticator> From<A> for Policy {
    fn from(authenticator: A) -> Self {
        Self(Kind::Asks(Arc::new(authenticator)))
    }
}

impl Policy {
    /// Everyone may come in. With CURVE the traffic is still encrypted, and the
    /// client knows whom it talks to; with PLAIN any name and password will do.
    ///
    /// ```
    /// # #[cfg(feature = "curve")] fn main() -> std::io::Result<()> {
    /// use ferromq::{CurveKeypair, Policy, PubSocket, SocketOptions};
    ///
    /// let keys = CurveKeypair::generate()?;
    /// let options = SocketOptions::new().curve_server(keys, Policy::allow_any());
    /// let publisher = PubSocket::with_options(options); // Whoever knows its key may listen.
    /// # Ok(()) }
    /// # #[cfg(not(feature = "curve"))] fn main() {}
    /// ```
    pub fn allow_any() -> Self {
        Self(Kind::AllowAny)
    }

    /// Nobody may come in. This is the default.
    ///
    /// ```
    /// use ferromq::{Policy, RepSocket, SocketOptions};
    ///
    /// // Over inproc no policy is asked, so this one is for the process alone.
    /// let rep = RepSocket::with_options(SocketOptions::new().null_policy(Policy::deny_all()));
    /// ```
    pub fn deny_all() -> Self {
        Self(Kind::DenyAll)
    }

    /// Asks the ZAP handler (RFC 27) that is bound to `inproc://zeromq.zap.01` in
    /// the [`Context`](crate::Context) of the socket. If there is none, nobody
    /// may come in.
    ///
    /// A handler is a REP (or a ROUTER, to answer several at once). The frames are:
    ///
    /// ```text
    /// request  version "1.0", request id, domain, address, identity, mechanism, credentials:
    ///          name and password (PLAIN), or the 32 octets of the key (CURVE), or none (NULL)
    /// reply    version "1.0", request id, status code, status text, user id, metadata
    /// ```
    /// The code is 200 to let the peer in, 300, 400 or 500 (see [`Denial`](crate::Denial)) if
    /// not. Text, user id and metadata may be empty; metadata have the form of RFC 27. The
    /// password is an ordinary frame there: nobody wipes it, and the `Debug` of the message
    /// shows it.
    ///
    /// ```
    /// # #[cfg(all(feature = "plain", feature = "inproc", feature = "tcp"))] fn main() -> Result<(), ferromq::Error> {
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// use ferromq::{Error, Policy, RepSocket, ReqSocket, SocketOptions};
    ///
    /// async fn handle(handler: RepSocket) -> Result<(), Error> {
    ///     loop {
    ///         let request = handler.recv().await?;
    ///         let (version, id, mechanism) = (&request[0], &request[1], &request[5]);
    ///         let is_known =
    ///             mechanism == "PLAIN" && request[6] == "alice" && request[7] == "secret";
    ///         let (code, text, user) =
    ///             if is_known { ("200", "OK", "alice") } else { ("400", "unknown", "") };
    ///         let mut reply = ferromq::Message::from([version, id]);
    ///         for frame in [code, text, user, ""] {
    ///             reply.push_back(frame);
    ///         }
    ///         handler.send(reply).await?;
    ///     }
    /// }
    ///
    /// let handler = RepSocket::new();
    /// handler.bind("inproc://zeromq.zap.01").await?; // Before anybody is to come in.
    /// tokio::spawn(handle(handler));
    ///
    /// let rep = RepSocket::with_options(SocketOptions::new().plain_server(Policy::zap()));
    /// let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
    /// let req = ReqSocket::with_options(SocketOptions::new().plain_client("alice", "secret"));
    /// req.connect(endpoint)?;
    /// req.send("hello").await?;
    /// assert_eq!(rep.recv_with_peer().await?.1.user_id.as_deref(), Some("alice"));
    /// # Ok::<_, Error>(()) }) }
    /// # #[cfg(not(all(feature = "plain", feature = "inproc", feature = "tcp")))] fn main() {}
    /// ```
    pub fn zap() -> Self {
        Self(Kind::Zap)
    }

    /// A closure that decides at once. (`Policy::from` takes one as well, but has to be told
    /// the type of what it is given.)
    ///
    /// ```
    /// use ferromq::{Policy, Verdict};
    ///
    /// let policy = Policy::from_fn(|peer| match peer.ip() {
    ///     Some(ip) if ip.is_loopback() => Verdict::accept(),
    ///     _ => Verdict::deny("only from this machine"),
    /// });
    /// ```
    pub fn from_fn(decide: impl Fn(&Candidate) -> Verdict + Send + Sync + 'static) -> Self {
        Self::from(decide)
    }

    /// One that may wait before it decides.
    ///
    /// ```
    /// # #[cfg(feature = "plain")] {
    /// use ferromq::{Candidate, Credentials, Policy, Verdict};
    ///
    /// async fn is_known(user: &[u8], password: &[u8]) -> bool {
    ///     (user, password) == (b"alice", b"secret") // Asks a database, in earnest.
    /// }
    ///
    /// let policy = Policy::from_async(|peer: Candidate| async move {
    ///     match peer.credentials() {
    ///         Credentials::Plain(c) => match is_known(c.username(), c.password()).await {
    ///             true => Verdict::accept_as(String::from_utf8_lossy(c.username())),
    ///             false => Verdict::deny("wrong name or password"),
    ///         },
    ///         _ => Verdict::deny("neither name nor password"),
    ///     }
    /// });
    /// # }
    /// ```
    pub fn from_async<F, V>(decide: F) -> Self
    where
        F: Fn(Candidate) -> V + Send + Sync + 'static,
        V: Future<Output = Verdict> + Send + 'static,
    {
        Self::from(Waits(decide))
    }

    /// Both have to let the peer in; the second is asked if the first does. What
    /// both know of it comes together, and the user id is the second's unless it
    /// has none.
    ///
    /// ```
    /// # #[cfg(feature = "plain")] fn main() -> Result<(), ferromq::NetworkError> {
    /// use ferromq::{AddressList, Policy, SocketOptions, UserList};
    ///
    /// // From where, and who. Strangers elsewhere cannot even guess passwords.
    /// let ours = Policy::from(AddressList::allow(["10.0.0.0/8"])?);
    /// let policy = ours.and(UserList::new([("ada", "engine")]));
    /// let options = SocketOptions::new().plain_server(policy);
    /// # Ok(()) }
    /// # #[cfg(not(feature = "plain"))] fn main() {}
    /// ```
    #[must_use]
    pub fn and(self, other: impl Into<Self>) -> Self {
        Self(Kind::Both(Arc::new([self, other.into()])))
    }

    /// Decides about a peer; `zap` asks the ZAP handler.
    pub(crate) fn ask<'a>(
        &'a self,
        candidate: &'a Candidate,
        zap: &'a dyn Authenticator,
    ) -> Answer<'a> {
        match &self.0 {
            Kind::DenyAll => ready(Verdict::deny("this socket lets nobody in")),
            Kind::AllowAny => ready(Verdict::accept()),
            Kind::Zap => zap.authenticate(candidate),
            Kind::Asks(authenticator) => authenticator.authenticate(candidate),
            Kind::Both(both) => Box::pin(async move {
                match both[0].ask(candidate, zap).await.0 {
                    Ok(first) => both[1].ask(candidate, zap).await.after(first),
                    denied => Verdict(denied),
                }
            }),
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::DenyAll => "Policy::deny_all()",
            Kind::AllowAny => "Policy::allow_any()",
            Kind::Zap => "Policy::zap()",
            Kind::Asks(_) => "Policy(..)",
            Kind::Both(_) => "Policy(.. and ..)",
        })
    }
}

struct Waits<F>(F);

impl<F, V> Authenticator for Waits<F>
where
    F: Fn(Candidate) -> V + Send + Sync + 'static,
    V: Future<Output = Verdict> + Send + 'static,
{
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Answer<'a> {
        Box::pin((self.0)(candidate.clone()))
    }
}

fn ready<'a>(verdict: Verdict) -> Answer<'a> {
    Box::pin(std::future::ready(verdict))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::security::testing::{at_once, candidate};
    use crate::security::{Credentials, Denial};

    /// A ZAP handler.
    fn zap(_: &Candidate) -> Verdict {
        Verdict::accept_as("of zap").with_property("by", "zap")
    }

    /// What a policy decides about somebody, if it does at once.
    fn decide(policy: &Policy) -> Option<Verdict> {
        at_once(policy.ask(&candidate(Credentials::None), &zap))
    }

    /// One that always decides the same.
    fn always(verdict: Verdict) -> Policy {
        Policy::from(move |_: &Candidate| verdict.clone())
    }

    #[test]
    fn the_default_lets_nobody_in() {
        let denied = Some(Verdict::deny("this socket lets nobody in"));
        assert_eq!(decide(&Policy::default()), denied);
        assert_eq!(decide(&Policy::deny_all()), denied);
        assert_eq!(decide(&Policy::allow_any()), Some(Verdict::accept()));
        assert_eq!(decide(&Policy::zap()), Some(zap(&candidate(Credentials::None))));
    }

    #[test]
    fn a_policy_may_be_shared_or_without_a_name_for_its_type() {
        let no = || Verdict::deny("no");
        let policy = Policy::from_fn(move |peer| match peer.domain() {
            "open" => Verdict::accept(),
            _ => no(),
        });
        assert_eq!(decide(&policy), Some(no()));
        let shared: Arc<dyn Authenticator> = Arc::new(zap);
        let expected = Some(Verdict::accept_as("of zap").with_property("by", "zap"));
        assert_eq!(decide(&Arc::clone(&shared).into()), expected);
        assert_eq!(decide(&Arc::new(zap).into()), expected);
        assert_eq!(decide(&Policy::allow_any().and(shared)), expected);
    }

    #[test]
    fn what_both_know_of_a_peer_comes_together() {
        let one = || Verdict::accept_as("one").with_property("a", "1");
        let two = || Verdict::accept_as("two").with_property("b", "2");
        let nameless = || Verdict::accept().with_property("c", "3");
        let both = |first, second| decide(&always(first).and(always(second)));
        let merged = |user: &str| Verdict::accept_as(user).with_property("a", "1");
        assert_eq!(both(one(), two()), Some(merged("two").with_property("b", "2")));
        assert_eq!(both(one(), nameless()), Some(merged("one").with_property("c", "3")));
        let expected = Verdict::accept_as("one").with_property("c", "3").with_property("a", "1");
        assert_eq!(both(nameless(), one()), Some(expected));
        assert_eq!(both(Verdict::accept(), Verdict::accept()), Some(Verdict::accept()));
    }

    #[test]
    fn both_have_to_let_a_peer_in() {
        let no = || Verdict::deny_with(Denial::Temporary, "not now");
        let yes = || Verdict::accept_as("one");
        assert_eq!(decide(&always(yes()).and(always(no()))), Some(no()));
        assert_eq!(decide(&always(no()).and(always(yes()))), Some(no()));
        let denied = Verdict::deny("this socket lets nobody in");
        assert_eq!(decide(&Policy::allow_any().and(Policy::deny_all())), Some(denied));
        let expected = Verdict::accept_as("of zap").with_property("by", "zap");
        assert_eq!(decide(&always(yes()).and(Policy::zap())), Some(expected));
    }

    #[test]
    fn the_second_is_asked_if_the_first_lets_in() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let counts = Policy::from(move |_: &Candidate| {
            count.fetch_add(1, Ordering::Relaxed);
            Verdict::accept()
        });
        assert!(decide(&Policy::deny_all().and(counts.clone())).is_some());
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        assert!(decide(&counts.clone().and(counts)).is_some());
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn one_that_waits_decides_when_it_is_done() {
        let waits = || {
            Policy::from_async(|peer: Candidate| async move {
                tokio::task::yield_now().await;
                Verdict::accept_as(peer.peer().address.clone())
            })
        };
        let expected = Verdict::accept_as("tcp://127.0.0.1:5555");
        for policy in [waits(), waits().and(Policy::allow_any()), Policy::allow_any().and(waits())]
        {
            assert_eq!(decide(&policy), None);
            assert_eq!(policy.ask(&candidate(Credentials::None), &zap).await, expected);
        }
    }

    #[test]
    fn it_is_shown_without_what_it_knows() {
        let shown = [Policy::zap(), always(Verdict::accept()).and(Policy::zap())];
        let shown = shown.map(|policy| format!("{policy:?}"));
        assert_eq!(shown, ["Policy::zap()", "Policy(.. and ..)"]);
    }
}
