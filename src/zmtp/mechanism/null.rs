//! NULL: both sides send READY at once, and that is all (RFC 37, "The NULL
//! Security Mechanism").

use bytes::BytesMut;

use crate::fault::PeerFault;
use crate::socket_type::SocketType;
use crate::zmtp::command::{self, Command};
use crate::zmtp::metadata::{self, Introduction};

/// Our side of NULL. It is symmetric: neither waits for the other's READY,
/// unless it judges it. (RFC 37 lets the client go first; libzmq does not wait,
/// either, and takes our READY whenever it comes.)
#[derive(Debug)]
pub(crate) struct Null {
    socket_type: SocketType,
    properties: BytesMut,
    /// Whether our READY is for those that were admitted.
    judges: bool,
}

impl Null {
    pub(super) fn new(socket_type: SocketType, properties: BytesMut, judges: bool) -> Self {
        Self { socket_type, properties, judges }
    }

    pub(super) fn start(&mut self, out: &mut BytesMut) {
        if !self.judges {
            command::put_ready(&self.properties, out);
        }
    }

    pub(super) fn admit(&mut self, out: &mut BytesMut) {
        if self.judges {
            command::put_ready(&self.properties, out);
        }
    }

    pub(super) fn on_command(&mut self, command: Command<'_>) -> Result<Introduction, PeerFault> {
        match command {
            Command::Ready(properties) => metadata::decode(properties, self.socket_type),
            other => {
                let command = PeerFault::text(other.name());
                Err(PeerFault::UnexpectedInHandshake { command })
            }
        }
    }
}
