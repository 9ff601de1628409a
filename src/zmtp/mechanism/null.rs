//! NULL: both sides send READY at once, and that is all (RFC 37, "The NULL
//! Security Mechanism").

use bytes::BytesMut;

use super::{Exchange, Own, Question, Step, unexpected};
use crate::fault::PeerFault;
use crate::security::Credentials;
use crate::zmtp::command::{self, READY};
use crate::zmtp::metadata;

/// Our side of NULL. It is symmetric: neither waits for the other's READY,
/// unless it judges it. (RFC 37 lets the client go first; libzmq does not wait,
/// either, and takes our READY whenever it comes.)
///
/// With a policy our READY waits for the verdict. The policy sees the address
/// only, and is not asked later: two that waited for each other's READY would
/// wait for ever.
#[derive(Debug)]
pub(crate) struct Null {
    own: Own,
    asks: bool,
}

impl Null {
    pub(super) fn new(own: Own, asks: bool) -> Self {
        Self { own, asks }
    }
}

impl Exchange for Null {
    fn start(&mut self, out: &mut BytesMut) -> Result<Step, PeerFault> {
        if self.asks {
            return Ok(Step::Ask(Question::early(Credentials::None)));
        }
        self.on_accepted(out)
    }

    fn on_accepted(&mut self, out: &mut BytesMut) -> Result<Step, PeerFault> {
        if !self.own.judges {
            command::put_ready(&self.own.properties, out);
        }
        Ok(Step::Next)
    }

    fn on_command(
        &mut self,
        name: &[u8],
        data: &[u8],
        _out: &mut BytesMut,
    ) -> Result<Step, PeerFault> {
        match name {
            READY => metadata::decode(data, self.own.socket_type).map(Step::Introduced),
            other => Err(unexpected(other)),
        }
    }

    fn admit(&mut self, out: &mut BytesMut) {
        if self.own.judges {
            command::put_ready(&self.own.properties, out);
        }
    }
}
