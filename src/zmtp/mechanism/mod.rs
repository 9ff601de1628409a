//! [`Exchange`]: how two peers come to trust each other, and what they tell
//! each other of themselves (RFC 37, "Security Mechanisms").
//!
//! Each side of each mechanism is a state machine of its own that takes the
//! commands of the handshake one by one and answers them. Where a policy has to
//! decide about the peer it says so and waits for the verdict. CURVE also goes on
//! after the handshake: it yields what opens the peer's frames and what seals
//! ours, one for each half of the connection.
//!
//! ```text
//! NULL     both    READY                          READY
//! PLAIN    client  HELLO ─►        ◄─ WELCOME  INITIATE ─►        ◄─ READY
//! CURVE    client  HELLO ─►        ◄─ WELCOME  INITIATE ─►        ◄─ READY
//! policy is asked  NULL: at once   PLAIN: here            CURVE: here
//! ```

#[cfg(feature = "curve")]
pub(crate) mod curve;
mod null;
#[cfg(feature = "plain")]
mod plain;

use std::fmt::Debug;

use bytes::BytesMut;

#[cfg(feature = "curve")]
use self::curve::{CurveClient, CurveServer};
use self::null::Null;
#[cfg(feature = "plain")]
use self::plain::{PlainClient, PlainServer};
use super::metadata::Introduction;
use super::seal::Seals;
use crate::fault::PeerFault;
use crate::peer::PeerInfo;
use crate::security::{Credentials, Security};
use crate::socket_type::SocketType;

/// What a command of the peer, or a verdict about it, leads to.
#[derive(Debug)]
pub(crate) enum Step {
    /// The peer goes on.
    Next,
    /// Whether the peer may come in is to be decided.
    Ask(Question),
    /// The peer has said all of itself.
    Introduced(Introduction),
}

/// What a policy is asked about.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) credentials: Credentials,
    /// What the peer has said of itself so far.
    pub(crate) peer: PeerInfo,
}

impl Question {
    /// About a peer that has said nothing of itself yet.
    fn early(credentials: Credentials) -> Self {
        Self { credentials, peer: PeerInfo::default() }
    }
}

/// What we say of ourselves, and to whom.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) socket_type: SocketType,
    /// Our property list.
    pub(crate) properties: BytesMut,
    /// Whether our READY is for those only that were [admitted](Exchange::admit).
    pub(crate) judges: bool,
}

/// Our side of a mechanism in the course of one handshake.
pub(crate) trait Exchange: Debug + Send {
    /// The mechanisms of both match: puts what is sent without being asked.
    ///
    /// # Errors
    /// When the system has no randomness to make keys of.
    fn start(&mut self, _out: &mut BytesMut) -> Result<Step, PeerFault> {
        Ok(Step::Next)
    }

    /// The peer sent a command other than ERROR: puts the answer, if there is one.
    ///
    /// # Errors
    /// When the command does not belong here or the peer is refused.
    fn on_command(
        &mut self,
        name: &[u8],
        data: &[u8],
        out: &mut BytesMut,
    ) -> Result<Step, PeerFault>;

    /// The policy lets the peer in that was [to be decided about](Step::Ask).
    ///
    /// # Errors
    /// As [`on_command`](Self::on_command).
    fn on_accepted(&mut self, _out: &mut BytesMut) -> Result<Step, PeerFault> {
        Ok(Step::Next)
    }

    /// The socket takes the peer in: puts what only such a peer hears.
    fn admit(&mut self, _out: &mut BytesMut) {}

    /// What is done to each frame of the traffic, once the handshake is done.
    fn into_seals(self: Box<Self>) -> Seals {
        Seals::default()
    }
}

/// Our side of what the options ask for.
pub(crate) fn exchange(security: &Security, own: Own) -> Box<dyn Exchange> {
    match security {
        Security::Null { policy } => Box::new(Null::new(own, policy.is_some())),
        #[cfg(feature = "plain")]
        Security::PlainClient(credentials) => Box::new(PlainClient::new(own, credentials.clone())),
        #[cfg(feature = "plain")]
        Security::PlainServer(_) => Box::new(PlainServer::new(own)),
        #[cfg(feature = "curve")]
        Security::CurveClient { keys, server } => {
            Box::new(CurveClient::new(own, keys.clone(), *server))
        }
        #[cfg(feature = "curve")]
        Security::CurveServer { keys, .. } => Box::new(CurveServer::new(own, keys.clone())),
    }
}

/// A command that does not belong here.
fn unexpected(name: &[u8]) -> PeerFault {
    PeerFault::UnexpectedInHandshake { command: PeerFault::text(name) }
}
