//! Who may come in, and what nobody else can read.
//!
//! # Which mechanism when
//!
//! | | Who is let in | What others on the way can read | Feature |
//! |---|---|---|---|
//! | NULL, the default | everyone, or [by address](crate::SocketOptions::null_policy) | everything | – |
//! | PLAIN | by name and password | everything, the password as well | `plain` |
//! | CURVE | by public key, and the client knows the server by its own | sizes and times only | `curve` |
//!
//! - Within one machine (`ipc`, `inproc`, loopback) NULL is enough if everybody on the
//!   machine may talk to you. Who may open an ipc socket is decided by the permissions of
//!   its directory.
//! - Across a network that is not all yours: CURVE. It needs keys to be handed out, and
//!   nothing else: no authority, no dates, no names of hosts.
//! - PLAIN is for tunnels, and for programs that have it already.
//!
//! All three work over tcp and ipc, in every socket type. Over inproc there is none: both
//! sides are one process, and whoever is in the [`Context`](crate::Context) of a socket
//! comes in, whatever its policy says. A socket has one mechanism, and refuses peers with another,
//! peers that ask for less and peers with versions of ZMTP before 3.0; there is nothing to
//! negotiate, and so nothing to be talked down to.
//!
//! Server and client mean who decides and who asks to be let in. That has nothing to do
//! with `bind` and `connect`, nor with the socket type: a PUSH that connects may be the
//! server. Each connection needs one of each.
//!
//! # Keys
//!
//! ```
//! # #[cfg(feature = "curve")] fn main() -> Result<(), ferromq::Error> {
//! use ferromq::{CurveCertificate, CurveKeypair};
//! # let directory = std::env::temp_dir().join(format!("ferromq-guide-{}", std::process::id()));
//! # std::fs::create_dir_all(&directory)?;
//!
//! // Once, on the machine that is to have the secret:
//! let keys = CurveKeypair::generate()?;
//! println!("public key: {}", keys.public());
//! let certificate = CurveCertificate::new(keys).with_metadata("name", "alice")?;
//! certificate.save_secret(directory.join("alice.key_secret"))?; // For the owner alone.
//! certificate.save_public(directory.join("alice.key"))?; // For whoever is to know alice.
//!
//! // At each start:
//! let own = CurveCertificate::load(directory.join("alice.key_secret"))?;
//! let keys = own.keypair().expect("the file has both");
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok(()) }
//! # #[cfg(not(feature = "curve"))] fn main() {}
//! ```
//!
//! A secret key never has to leave the machine that made it. Give the server's public key
//! to its clients, and the public keys of those who may come in to the server; neither is
//! a secret, but whoever can change them on the way can pose as the other side. The files
//! are those of czmq and of pyzmq's `zmq.auth`. (With czmq
//! save them under names that end with `.key`: `CertificateDir` looks for no others.)
//!
//! Where the server finds its clients by a directory (`CertificateDir`), give that
//! directory to the public keys of clients alone. Whatever lies there as `*.key` is let in:
//! beside the server's own keys, its `server.key` would be a client's as well.
//!
//! ```text
//! keys/server.key_secret     for the server alone
//! keys/server.key            to be given to clients
//! keys/clients/alice.key     whom the server lets in: CertificateDir::load("keys/clients")
//! ```
//!
//! # A server and its clients
//!
//! ```
//! # #[cfg(all(feature = "curve", feature = "tcp"))] fn main() -> Result<(), ferromq::Error> {
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use ferromq::{Candidate, Credentials, CurveKeypair, RepSocket, ReqSocket, SocketOptions, Verdict};
//!
//! let (server, alice) = (CurveKeypair::generate()?, CurveKeypair::generate()?);
//! let (server_key, alice_key) = (*server.public(), *alice.public());
//!
//! let policy = move |peer: &Candidate| match peer.credentials() {
//!     Credentials::Curve(key) if *key == alice_key => Verdict::accept_as("alice"),
//!     _ => Verdict::deny("unknown key"),
//! };
//! let rep = RepSocket::with_options(SocketOptions::new().curve_server(server, policy));
//! let endpoint = rep.bind("tcp://127.0.0.1:0").await?;
//!
//! let req = ReqSocket::with_options(SocketOptions::new().curve_client(alice, server_key));
//! req.connect(endpoint)?;
//! req.send("hello").await?;
//! assert_eq!(rep.recv().await?, "hello".into());
//! # Ok::<_, ferromq::Error>(()) }) }
//! # #[cfg(not(all(feature = "curve", feature = "tcp")))] fn main() {}
//! ```
//!
//! A [`Policy`](crate::Policy) decides. It is a closure, a type of yours that is an
//! [`Authenticator`](crate::Authenticator), or one that is ready-made; it may wait, for
//! instance for a database. What it says of a peer, a user id and properties, is in the
//! [`PeerInfo`](crate::PeerInfo) of the peer. Programs that have a ZAP handler
//! (RFC 27) keep it: [`Policy::zap`](crate::Policy::zap).
//!
//! The user id is what the policy says; a **routing id is what the peer says of itself**, and
//! who was let in may take any that is free (with
//! [`router_handover`](crate::SocketOptions::router_handover) any at all). Decide by the
//! user id, which `recv_with_peer` gives with each message.
//!
//! # Who is refused
//!
//! A peer that is not let in learns a number (RFC 27): 400 if it is not to come in, 500 if
//! the policy could not decide or panicked; with 300, for now, it is told nothing. The
//! reason is for our side only: in the event
//! [`HandshakeFailed`](crate::MonitorEvent::HandshakeFailed), as
//! [`PeerFault::Denied`](crate::PeerFault::Denied), and in the log at the level `info`,
//! both with the address of the peer. That is said before the peer hears of it, so that
//! no guess goes unseen.
//! A ferromq client that was refused for good dials again after a second, then two, and so on
//! up to a minute; so a key that was added later is enough. Whoever cannot present a
//! valid handshake at all (another server's key, a changed octet) finds the connection
//! closed, and a ferromq client guesses the rest
//! ([`NotAnswered`](crate::PeerFault::NotAnswered)).
//!
//! # Rotating keys
//!
//! - **A client's key**: add the new one to the list of the server, change the client,
//!   remove the old one.
//! - **A key or a user that is not to come in any more**: take it off the list. That alone
//!   does not end its connection, which is not asked again for as long as it stands. To end
//!   it, `unbind` the endpoint, which ends the connections of all who came to it, and `bind`
//!   it again: who is on the list dials again by itself and comes in. What has come of them
//!   and was not received yet is lost.
//! - **The server's key**: clients pin it, so bind a second socket with the new key at
//!   another endpoint, move the clients, then close the first.
//! - The keys that encrypt are made anew for each connection, by both sides.
//!
//! # What CURVE does not protect
//!
//! - **That, when and how much** is sent. Sizes of frames can be read off the wire, to the
//!   octet.
//! - **The public key of the server**, from somebody who knows a candidate for it: a HELLO
//!   tells whether it is right. The public key of a client is encrypted.
//! - **Old traffic**, as long as a connection stands: its keys live until it ends. After
//!   that they are gone, and neither long-term key helps to decrypt what was recorded.
//! - **A stolen secret key.** Whoever has the server's can pose as the server, and whoever
//!   has a client's as that client. There is no revocation but the list.
//! - **Messages at rest**, in queues of a broker or of a proxy: CURVE is between two
//!   sockets and not between two ends of a chain.
//! - **Against floods** ([`for_untrusted_peers`](crate::SocketOptions::for_untrusted_peers)
//!   bounds what each of them costs): a HELLO costs the server three curve operations. See
//!   [`handshake_timeout`](crate::SocketOptions::handshake_timeout); 1,024 handshakes at most
//!   are under way at a listener.
//!
//! - **The version** of ZMTP, which comes before: somebody on the way can make both speak
//!   3.0, in which there are no heartbeats.
//!
//! # A tunnel instead
//!
//! Where WireGuard, an SSH tunnel or a service mesh is there anyhow, use NULL inside of
//! it: bind to the address of the tunnel (`tcp://wg0:5555`) and not to `*`.
