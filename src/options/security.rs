//! Mechanisms and policies.

use super::SocketOptions;
#[cfg(feature = "plain")]
use crate::security::PlainCredentials;
#[cfg(feature = "curve")]
use crate::security::{CurveKeypair, CurvePublicKey};
use crate::security::{Policy, Security};

/// Security. `plain_client`, `plain_server`, `curve_client` or `curve_server` decides the
/// mechanism, the last one that is called; without any it is NULL, and everyone may come in
/// unless `null_policy` or `zap_domain` says otherwise. Peers with another mechanism are
/// refused. Over inproc there is none, and no policy is asked: both sides are one process.
///
/// Server and client have nothing to do with `bind` and `connect`. Each
/// connection has one of each: two servers would wait for each other's client
/// until the handshake takes too long.
impl SocketOptions {
    /// Who may come in where the mechanism is NULL, by where it comes from: there
    /// are no credentials. Default none: everyone. [`AddressList`](crate::AddressList)
    /// is such a policy. With another mechanism it would mean nothing, and `bind` and
    /// `connect` fail with an [`OptionError`](crate::OptionError):
    /// [`Policy::and`](crate::Policy::and) asks for credentials and addresses.
    ///
    /// ```
    /// use ferromq::{AddressList, Candidate, SocketOptions, Verdict};
    ///
    /// let ours = AddressList::allow(["10.0.0.0/8", "127.0.0.1"])?;
    /// let options = SocketOptions::new().null_policy(ours);
    ///
    /// // Or one of your own:
    /// let options = SocketOptions::new().null_policy(|peer: &Candidate| match peer.ip() {
    ///     Some(ip) if !ip.is_loopback() => Verdict::deny("only from this machine"),
    ///     _ => Verdict::accept(),
    /// });
    /// # Ok::<(), ferromq::NetworkError>(())
    /// ```
    pub fn null_policy(mut self, policy: impl Into<Policy>) -> Self {
        self.null_policy = Some(policy.into());
        self
    }

    /// PLAIN, as the one who presents a name and a password, of at most 255 bytes
    /// each (`ZMQ_PLAIN_USERNAME`, `ZMQ_PLAIN_PASSWORD`); with more, `bind` and
    /// `connect` fail with an [`OptionError`](crate::OptionError). Feature `plain`.
    ///
    /// Both cross the network as they are, and so does all traffic: use it within a
    /// tunnel or a network that you trust.
    ///
    /// To be refused is no error of any call: what is sent waits, and the socket dials
    /// again, ever more slowly, since who may come in can change. Ask for a
    /// [`monitor`](crate::ReqSocket::monitor) before `connect`; it tells, and so does the
    /// log, at `warn`.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ferromq::Error> {
    /// use ferromq::{MonitorEvent, ReqSocket, SocketOptions};
    ///
    /// let req = ReqSocket::with_options(SocketOptions::new().plain_client("ada", "engine"));
    /// let mut monitor = req.monitor();
    /// tokio::spawn(async move {
    ///     while let Some(event) = monitor.recv().await {
    ///         if let MonitorEvent::HandshakeFailed { reason, .. } = event {
    ///             eprintln!("not let in: {reason}"); // With a number: 400.
    ///         }
    ///     }
    /// });
    /// req.connect("tcp://127.0.0.1:5555")?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "plain")]
    #[doc(alias = "ZMQ_PLAIN_USERNAME")]
    #[doc(alias = "ZMQ_PLAIN_PASSWORD")]
    pub fn plain_client(mut self, username: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        let credentials = PlainCredentials::new(username.as_ref(), password.as_ref());
        self.security = Security::PlainClient(credentials);
        self
    }

    /// PLAIN, as the one who lets peers in by name and password
    /// (`ZMQ_PLAIN_SERVER`). [`UserList`](crate::UserList) is such a policy, and may
    /// change while the socket runs. Feature `plain`.
    ///
    /// Over inproc nobody is asked for anything: what this socket binds or connects there
    /// is open to every socket of its [`Context`](crate::Context), and no message from
    /// there has a user id.
    ///
    /// ```
    /// use ferromq::{Candidate, Credentials, RepSocket, SocketOptions, UserList, Verdict};
    ///
    /// let users = UserList::new([("admin", "secret")]);
    /// let rep = RepSocket::with_options(SocketOptions::new().plain_server(users));
    ///
    /// // Or one of your own:
    /// let policy = |peer: &Candidate| match peer.credentials() {
    ///     Credentials::Plain(who) if who.is("admin", "secret") => Verdict::accept_as("admin"),
    ///     _ => Verdict::deny("wrong name or password"),
    /// };
    /// let rep = RepSocket::with_options(SocketOptions::new().plain_server(policy));
    /// ```
    #[cfg(feature = "plain")]
    #[doc(alias = "ZMQ_PLAIN_SERVER")]
    pub fn plain_server(mut self, policy: impl Into<Policy>) -> Self {
        self.security = Security::PlainServer(policy.into());
        self
    }

    /// CURVE, as the one who knows beforehand whom it wants to talk to: the public
    /// key of the server. `keys` are its own, by which the server knows it
    /// (`ZMQ_CURVE_PUBLICKEY`, `ZMQ_CURVE_SECRETKEY`, `ZMQ_CURVE_SERVERKEY`). Feature
    /// `curve`.
    ///
    /// To be refused is no error of any call: what is sent waits, and the socket dials
    /// again, since who may come in can change. Ask for a
    /// [`monitor`](crate::ReqSocket::monitor) before `connect`, and look for
    /// [`HandshakeFailed`](crate::MonitorEvent::HandshakeFailed). A server that does not
    /// know our key says a number, `400`. One whose own key is another than `server` says
    /// nothing and closes the connection
    /// ([`NotAnswered`](crate::PeerFault::NotAnswered)). There is an example at
    /// [`curve_server`](Self::curve_server); `examples/curve.rs` watches the monitor.
    #[cfg(feature = "curve")]
    #[doc(alias = "ZMQ_CURVE_PUBLICKEY")]
    #[doc(alias = "ZMQ_CURVE_SECRETKEY")]
    #[doc(alias = "ZMQ_CURVE_SERVERKEY")]
    pub fn curve_client(mut self, keys: CurveKeypair, server: CurvePublicKey) -> Self {
        self.security = Security::CurveClient { keys: keys.into(), server };
        self
    }

    /// CURVE, as the one who lets peers in by their public keys
    /// (`ZMQ_CURVE_SERVER`, `ZMQ_CURVE_SECRETKEY`). [`KeyList`](crate::KeyList) and
    /// [`CertificateDir`](crate::CertificateDir) are such policies, and may change
    /// while the socket runs; [`Policy::allow_any`] takes any key. Feature `curve`.
    ///
    /// Over inproc nobody is asked for a key, and nothing is encrypted: what this socket
    /// binds or connects there is open to every socket of its
    /// [`Context`](crate::Context), and no message from there has a user id.
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// use ferromq::{CurveKeypair, KeyList, RepSocket, ReqSocket, SocketOptions};
    ///
    /// let (server, client) = (CurveKeypair::generate()?, CurveKeypair::generate()?);
    /// let server_key = *server.public();
    /// let clients = KeyList::new([*client.public()]);
    /// let rep = RepSocket::with_options(SocketOptions::new().curve_server(server, clients));
    /// let req = ReqSocket::with_options(SocketOptions::new().curve_client(client, server_key));
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "curve")]
    #[doc(alias = "ZMQ_CURVE_SERVER")]
    #[doc(alias = "ZMQ_CURVE_SECRETKEY")]
    pub fn curve_server(mut self, keys: CurveKeypair, policy: impl Into<Policy>) -> Self {
        self.security = Security::CurveServer { keys: keys.into(), policy: policy.into() };
        self
    }

    /// What a policy, or a ZAP handler, is told as the domain: a part of your
    /// system, of your own naming. Default empty (`ZMQ_ZAP_DOMAIN`).
    ///
    /// As with libzmq, a socket of NULL with a domain asks the ZAP handler, unless it
    /// has a [policy](Self::null_policy) of its own.
    ///
    /// ```
    /// use ferromq::{Candidate, SocketOptions, Verdict};
    ///
    /// // One policy for several sockets.
    /// let judge = |peer: &Candidate| match peer.domain() {
    ///     "status" => Verdict::accept(),
    ///     _ => Verdict::deny("not from outside"),
    /// };
    /// let status = SocketOptions::new().null_policy(judge).zap_domain("status");
    /// let control = SocketOptions::new().null_policy(judge).zap_domain("control");
    /// ```
    #[doc(alias = "ZMQ_ZAP_DOMAIN")]
    pub fn zap_domain(mut self, domain: impl Into<String>) -> Self {
        self.zap_domain = domain.into();
        self
    }

    /// Whether [`Policy::zap`] lets nobody in unless a domain is set, as RFC 27
    /// wants it. Default false (`ZMQ_ZAP_ENFORCE_DOMAIN`).
    ///
    /// ```
    /// # #[cfg(feature = "plain")] {
    /// use ferromq::{Policy, SocketOptions};
    ///
    /// let enforced = SocketOptions::new().plain_server(Policy::zap()).zap_enforce_domain(true);
    /// let nobody = enforced.clone(); // The handler is not even asked.
    /// let some = enforced.zap_domain("billing");
    /// # }
    /// ```
    #[doc(alias = "ZMQ_ZAP_ENFORCE_DOMAIN")]
    pub fn zap_enforce_domain(mut self, enforce: bool) -> Self {
        self.zap_enforce_domain = enforce;
        self
    }

    /// Mechanism and policy as they hold.
    pub(crate) fn security(&self) -> Security {
        match &self.security {
            Security::Null { .. } => {
                let asks_handler = !self.zap_domain.is_empty();
                let policy = self.null_policy.clone();
                Security::Null { policy: policy.or_else(|| asks_handler.then(Policy::zap)) }
            }
            #[cfg(any(feature = "plain", feature = "curve"))]
            security => security.clone(),
        }
    }
}
