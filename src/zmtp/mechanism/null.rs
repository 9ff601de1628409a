//! NULL: both sides send READY at once, and that is all (RFC 37, "The NULL
//! Security Mechanism").

use bytes::BytesMut;

use crate::fault::PeerFault;
use crate::peer::PeerInfo;
use crate::socket_type::SocketType;
use crate::zmtp::command::{self, Command};
use crate::zmtp::metadata;

/// Our side of NULL. It is symmetric: neither waits for the other's READY.
/// (RFC 37 lets the client go first; libzmq does not wait, either.)
#[derive(Debug)]
pub(crate) struct Null {
    socket_type: SocketType,
    properties: BytesMut,
}

impl Null {
    pub(super) fn new(socket_type: SocketType, properties: BytesMut) -> Self {
        Self { socket_type, properties }
    }

    pub(super) fn start(&mut self, out: &mut BytesMut) {
        command::put_ready(&self.properties, out);
    }

    pub(super) fn on_command(&mut self, command: Command<'_>) -> Result<PeerInfo, PeerFault> {
        match command {
            Command::Ready(properties) => metadata::decode(properties, self.socket_type),
            other => {
                let command = PeerFault::text(other.name());
                Err(PeerFault::UnexpectedInHandshake { command })
            }
        }
    }
}
