//! [`Mechanism`]: how two peers come to trust each other, and what they tell
//! each other of themselves (RFC 37, "Security Mechanisms").
//!
//! A mechanism takes the commands of the handshake one by one and answers
//! each. PLAIN (RFC 24) and CURVE (RFC 26) fit here as further variants: each
//! is a state machine per role, with more steps than NULL. CURVE also goes on
//! after the handshake: it yields what opens the peer's frames and what seals
//! ours, one for each half of the connection.

mod null;

use bytes::BytesMut;

use self::null::Null;
use super::command::Command;
use super::metadata::Introduction;
use super::seal::Seals;
use crate::fault::PeerFault;
use crate::socket_type::SocketType;

/// A mechanism in the course of one handshake.
#[derive(Debug)]
pub(crate) enum Mechanism {
    Null(Null),
}

impl Mechanism {
    /// No authentication, no encryption. `properties` is our property list; with
    /// `judges` it is for those that we [`admit`](Self::admit) only.
    pub(crate) fn null(socket_type: SocketType, properties: BytesMut, judges: bool) -> Self {
        Self::Null(Null::new(socket_type, properties, judges))
    }

    /// Its name in the greeting.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Null(_) => "NULL",
        }
    }

    /// The mechanisms of both match: puts what is sent without being asked.
    pub(crate) fn start(&mut self, out: &mut BytesMut) {
        match self {
            Self::Null(null) => null.start(out),
        }
    }

    /// The peer is admitted: puts what only such a peer hears.
    pub(crate) fn admit(&mut self, out: &mut BytesMut) {
        match self {
            Self::Null(null) => null.admit(out),
        }
    }

    /// The peer sent a command other than ERROR: puts the answer, if there is
    /// one. Returns what the peer said of itself, once it has said all.
    ///
    /// # Errors
    /// When the command does not belong here or the peer is refused.
    pub(crate) fn on_command(
        &mut self,
        command: Command<'_>,
        _out: &mut BytesMut,
    ) -> Result<Option<Introduction>, PeerFault> {
        match self {
            Self::Null(null) => null.on_command(command).map(Some),
        }
    }

    /// What is done to each frame of the traffic, once the handshake is done.
    pub(crate) fn into_seals(self) -> Seals {
        match self {
            Self::Null(_) => Seals::default(),
        }
    }
}
