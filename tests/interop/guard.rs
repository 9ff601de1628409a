//! [`Guard`]: the mechanism of a case, and who is its server.

/// Who asks whom for credentials; all of them are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    Null,
    #[cfg(all(feature = "plain", feature = "curve"))]
    Secure(Mechanism, Server),
}

#[cfg(all(feature = "plain", feature = "curve"))]
pub(crate) use secure::{Keys, Mechanism, PASSWORD, Server, USER, policy};

#[cfg(not(all(feature = "plain", feature = "curve")))]
impl Guard {
    pub(crate) fn ours(self, options: ferromq::SocketOptions) -> ferromq::SocketOptions {
        options
    }

    pub(crate) fn theirs(self) -> String {
        String::new()
    }
}

#[cfg(all(feature = "plain", feature = "curve"))]
mod secure {
    use ferromq::{Candidate, Credentials, CurveKeypair, SocketOptions, Verdict};

    use super::Guard;
    use crate::peer::spell;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Mechanism {
        Plain,
        Curve,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Server {
        We,
        They,
    }

    pub(crate) const USER: &str = "alice";
    pub(crate) const PASSWORD: &str = "secret";

    /// The keys of both sides: those of libzmq's own tests.
    pub(crate) struct Keys {
        pub(crate) server: CurveKeypair,
        pub(crate) client: CurveKeypair,
    }

    impl Keys {
        pub(crate) fn new() -> Self {
            let keys = |secret: &str| CurveKeypair::from_secret(secret.parse().expect("a key"));
            Self {
                server: keys("JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"),
                client: keys("D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"),
            }
        }
    }

    /// Lets in who is right.
    pub(crate) fn policy(candidate: &Candidate) -> Verdict {
        match candidate.credentials() {
            Credentials::Plain(who) if who.is(USER, PASSWORD) => Verdict::accept_as(USER),
            Credentials::Curve(key) if key == Keys::new().client.public() => {
                Verdict::accept_as(key.to_string())
            }
            _ => Verdict::deny("unknown"),
        }
    }

    impl Guard {
        pub(crate) fn ours(self, options: SocketOptions) -> SocketOptions {
            let Keys { server, client } = Keys::new();
            match self {
                Self::Null => options,
                Self::Secure(Mechanism::Plain, Server::We) => options.plain_server(policy),
                Self::Secure(Mechanism::Plain, Server::They) => {
                    options.plain_client(USER, PASSWORD)
                }
                Self::Secure(Mechanism::Curve, Server::We) => options.curve_server(server, policy),
                Self::Secure(Mechanism::Curve, Server::They) => {
                    options.curve_client(client, *server.public())
                }
            }
        }

        /// The options of libzmq's side.
        pub(crate) fn theirs(self) -> String {
            let Keys { server, client } = Keys::new();
            match self {
                Self::Null => String::new(),
                Self::Secure(Mechanism::Plain, Server::They) => "PLAIN_SERVER=1".into(),
                Self::Secure(Mechanism::Plain, Server::We) => format!(
                    "PLAIN_USERNAME={} PLAIN_PASSWORD={}",
                    spell(USER.as_bytes()),
                    spell(PASSWORD.as_bytes())
                ),
                Self::Secure(Mechanism::Curve, Server::They) => {
                    format!("CURVE_SERVER=1 CURVE_SECRETKEY={}", spell(server.secret().as_bytes()))
                }
                Self::Secure(Mechanism::Curve, Server::We) => format!(
                    "CURVE_SERVERKEY={} CURVE_PUBLICKEY={} CURVE_SECRETKEY={}",
                    spell(server.public().as_bytes()),
                    spell(client.public().as_bytes()),
                    spell(client.secret().as_bytes())
                ),
            }
        }
    }
}
