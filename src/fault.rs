//! [`PeerFault`]: what a peer can do wrong. It costs the peer its connection
//! and becomes an event; it never fails a user's call.

use thiserror::Error;

use crate::routing_id::InvalidRoutingId;
use crate::security::{Denial, Mechanism};
use crate::socket_type::SocketType;

/// The reasons of an ERROR between two of us that may pass, so that the peer
/// dials again soon. RFC 37: error-reason = OCTET *VCHAR, which has no blanks.
pub(crate) const ALREADY_PAIRED: &str = "Already-Paired";
pub(crate) const ROUTING_ID_TAKEN: &str = "Routing-Id-Taken";
pub(crate) const TOO_MANY_CONNECTIONS: &str = "Too-Many-Connections";

/// What a peer did wrong, or why it and we do not come together.
///
/// Text that comes from the peer is limited in length and escaped: it can be
/// logged as it is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PeerFault {
    /// What it sent first is not a ZMTP greeting.
    #[error("this is not a ZMTP greeting")]
    NotZmtp,
    /// It speaks a ZMTP before 3.0.
    #[error("it speaks a ZMTP before 3.0 (the version octet of its greeting is {major})")]
    TooOld {
        /// The version octet of its greeting; ZMTP 2.0 sends 1.
        major: u8,
    },
    /// It wants another security mechanism.
    #[error("it wants the mechanism '{theirs}', we want '{ours}'")]
    MechanismMismatch {
        /// The mechanism of this socket.
        ours: &'static str,
        /// The mechanism its greeting names.
        theirs: String,
    },
    /// It refused us with an ERROR command.
    #[error("it refused us: '{reason}'{}", status(reason))]
    RefusedUs {
        /// The reason it gave; libzmq sends a status such as `400`, or nothing.
        /// With `Routing-Id-Taken`, `Already-Paired` and `Too-Many-Connections` a
        /// ferromq peer says that it may take us in later: it is dialled again once
        /// a second.
        reason: String,
    },
    /// A server closed the connection after we had presented ourselves. So it does if the
    /// key that we have for it is not its key, or ours not one that it knows; but it may
    /// also just have ended.
    #[error(
        "it closed the connection during the {mechanism} handshake: are the keys or \
         credentials right?"
    )]
    NotAnswered {
        /// The mechanism of the handshake.
        mechanism: Mechanism,
    },
    /// Our policy, or the ZAP handler, did not let it in.
    #[error("it is not let in: {how}, {reason}")]
    Denied {
        /// How; [`Denial`] says what it is told of that.
        how: Denial,
        /// Why, which it is not told: in the words of the policy, as they are. Those of a
        /// ZAP handler are limited and escaped as what a peer says.
        reason: String,
    },
    /// A sealed command or frame was not sealed for us by the peer that it says:
    /// it has another key in mind, or somebody has changed it on the way.
    #[error("its {command} is not authentic: sealed with other keys, or changed on the way")]
    NotAuthentic {
        /// Its name.
        command: &'static str,
    },
    /// A sealed frame came a second time, or not in its order, or one before it is missing.
    /// (CURVE counts them.)
    #[error("a sealed frame came again, or not in its order")]
    Replayed,
    /// One of its public keys is one of the few with which nothing is a secret.
    #[error("its public key is one with which nothing is a secret")]
    WeakKey,
    /// There was no randomness to make keys of. That is no fault of the peer,
    /// but ends its handshake.
    #[error("the system has no randomness for our keys")]
    NoRandomness,
    /// A command of the handshake is larger than any honest one.
    #[error("a handshake command of {size} octets is too large")]
    HandshakeTooLarge {
        /// The size that the header claims.
        size: u64,
    },
    /// The handshake needed another command, or a command at all.
    #[error("the handshake does not expect '{command}' here")]
    UnexpectedInHandshake {
        /// The name of the command that came.
        command: String,
    },
    /// The property list of its handshake does not add up.
    #[error("its metadata is malformed")]
    MalformedMetadata,
    /// Its handshake has more properties than any honest one.
    #[error("its metadata has more than {limit} properties")]
    TooManyProperties {
        /// How many are allowed.
        limit: usize,
    },
    /// It sent a property twice.
    #[error("its metadata has the property '{name}' twice")]
    DuplicateProperty {
        /// The name of the property, as it came the second time.
        name: String,
    },
    /// The routing id that it chose is not one that a peer may choose.
    #[error("its routing id is refused: {0}")]
    InvalidRoutingId(InvalidRoutingId),
    /// Its socket type is not one that we know.
    #[error("its socket type '{name}' is unknown")]
    UnknownSocketType {
        /// The type it named.
        name: String,
    },
    /// Its socket type does not talk to ours.
    #[error("its socket type {theirs} does not talk to {ours}")]
    IncompatibleSocketType {
        /// The type of this socket.
        ours: SocketType,
        /// The type of its socket.
        theirs: SocketType,
    },
    /// A message is larger than this socket admits.
    #[error("a message is larger than {limit} octets")]
    MessageTooLarge {
        /// The largest sum of all frames of a message.
        limit: usize,
    },
    /// A message has more frames than any honest one.
    #[error("a message has more than {limit} frames")]
    TooManyFrames {
        /// How many are allowed.
        limit: usize,
    },
    /// A frame is both a command and part of a message of several frames.
    #[error("a command has the flag MORE")]
    CommandWithMore,
    /// A command is larger than any honest one.
    #[error("a command of {size} octets is too large")]
    CommandTooLarge {
        /// The size that the header claims.
        size: u64,
    },
    /// The lengths inside of a command do not add up.
    #[error("a command is malformed")]
    MalformedCommand,
    /// The topic that it subscribes to, or cancels, is longer than all topics of
    /// a peer together may be: 64 MiB, or less with
    /// [`max_subscription_bytes`](crate::SocketOptions::max_subscription_bytes).
    #[error("a topic of {size} octets is too long")]
    TopicTooLong {
        /// The length of the topic.
        size: usize,
    },
}

/// What a status that servers send means to whoever gets it (RFC 27).
fn status(reason: &str) -> &'static str {
    match reason {
        "300" => " (it cannot decide at the moment)",
        "400" => " (it does not let us in with these keys or credentials)",
        "500" => " (whoever was to decide has failed)",
        _ => "",
    }
}

// Not by `#[from]`, which would also make it the source of what prints it.
impl From<InvalidRoutingId> for PeerFault {
    fn from(why: InvalidRoutingId) -> Self {
        Self::InvalidRoutingId(why)
    }
}

impl PeerFault {
    /// Whether the peer may take us in a little later, and told us so.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::RefusedUs { reason } => {
                let passing = [ALREADY_PAIRED, ROUTING_ID_TAKEN, TOO_MANY_CONNECTIONS, "300"];
                passing.contains(&&**reason)
            }
            Self::Denied { how, .. } => *how == Denial::Temporary,
            _ => false,
        }
    }

    /// Whether it is the peer that is to be mended. If it is not, one of us does not let the
    /// other in ([`RefusedUs`](Self::RefusedUs), [`NotAnswered`](Self::NotAnswered),
    /// [`Denied`](Self::Denied)), or our own system has failed
    /// ([`NoRandomness`](Self::NoRandomness)).
    ///
    /// ```
    /// use ferromq::PeerFault;
    ///
    /// assert!(PeerFault::NotZmtp.is_of_peer());
    /// assert!(!PeerFault::RefusedUs { reason: "400".into() }.is_of_peer());
    /// ```
    pub fn is_of_peer(&self) -> bool {
        !matches!(
            self,
            Self::RefusedUs { .. }
                | Self::NotAnswered { .. }
                | Self::Denied { .. }
                | Self::NoRandomness
        )
    }

    /// Octets of a peer as text for a fault: cut to what any honest text needs
    /// (an ERROR has at most 255), and escaped so that they cannot steer a
    /// terminal or a log.
    pub(crate) fn text(octets: &[u8]) -> String {
        let shown = octets.get(..255).unwrap_or(octets);
        shown.escape_ascii().to_string()
    }
}
