//! PLAIN: a name and a password, as they are (RFC 24).
//!
//! ```text
//! hello    = "\x05HELLO" length username length password     length = OCTET
//! welcome  = "\x07WELCOME"
//! initiate = "\x08INITIATE" metadata
//! ready    = "\x05READY" metadata
//! ```

use bytes::BytesMut;

use super::{Exchange, Own, Question, Step};
use crate::fault::PeerFault;
use crate::security::{Credentials, PlainCredentials};
use crate::zmtp::command::{self, ERROR, HELLO, INITIATE, READY, WELCOME};
use crate::zmtp::metadata;

/// The one who presents a name and a password.
///
/// ```text
///       HELLO ─►          ◄─ WELCOME, INITIATE ─►          ◄─ READY
/// start ────────► Greeted ──────────────────────► Initiated ───────► introduced
/// ```
#[derive(Debug)]
pub(crate) struct PlainClient {
    own: Own,
    credentials: PlainCredentials,
    is_welcome: bool,
}

impl PlainClient {
    pub(super) fn new(own: Own, credentials: PlainCredentials) -> Self {
        Self { own, credentials, is_welcome: false }
    }
}

impl Exchange for PlainClient {
    fn start(&mut self, out: &mut BytesMut) -> Result<Step, PeerFault> {
        let username = self.credentials.username();
        let password = self.credentials.password();
        // Neither is longer than its length can say: the options are checked.
        let lengths = [username.len() as u8, password.len() as u8];
        let parts = [&lengths[..1], username, &lengths[1..], password];
        command::put(HELLO, &parts, out);
        Ok(Step::Next)
    }

    fn on_command(
        &mut self,
        name: &[u8],
        data: &[u8],
        out: &mut BytesMut,
    ) -> Result<Step, PeerFault> {
        match (name, self.is_welcome) {
            (WELCOME, false) if data.is_empty() => {
                self.is_welcome = true;
                command::put(INITIATE, &[&self.own.properties], out);
                Ok(Step::Next)
            }
            (WELCOME, false) => Err(PeerFault::MalformedCommand),
            (READY, true) => metadata::decode(data, self.own.socket_type).map(Step::Introduced),
            (other, _) => Err(unexpected(other)),
        }
    }
}

/// The one who asks for them.
///
/// ```text
///       ◄─ HELLO         accepted, WELCOME ─►         ◄─ INITIATE, READY ─►
/// Waiting ───────► Asking ──────────────────► Welcomed ───────────────────► introduced
/// ```
#[derive(Debug)]
pub(crate) struct PlainServer {
    own: Own,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Waiting,
    Asking,
    Welcomed,
}

impl PlainServer {
    pub(super) fn new(own: Own) -> Self {
        Self { own, stage: Stage::Waiting }
    }
}

impl Exchange for PlainServer {
    fn on_command(
        &mut self,
        name: &[u8],
        data: &[u8],
        out: &mut BytesMut,
    ) -> Result<Step, PeerFault> {
        match (name, &self.stage) {
            (HELLO, Stage::Waiting) => {
                let credentials = hello(data).ok_or(PeerFault::MalformedCommand)?;
                self.stage = Stage::Asking;
                Ok(Step::Ask(Question::early(Credentials::Plain(credentials))))
            }
            (INITIATE, Stage::Welcomed) => {
                let said = metadata::decode(data, self.own.socket_type)?;
                if !self.own.judges {
                    command::put_ready(&self.own.properties, out);
                }
                Ok(Step::Introduced(said))
            }
            (other, _) => Err(unexpected(other)),
        }
    }

    fn on_accepted(&mut self, out: &mut BytesMut) -> Result<Step, PeerFault> {
        self.stage = Stage::Welcomed;
        command::put(WELCOME, &[], out);
        Ok(Step::Next)
    }

    fn admit(&mut self, out: &mut BytesMut) {
        if self.own.judges {
            command::put_ready(&self.own.properties, out);
        }
    }
}

/// A command that does not belong here. By its name only if it has one of a handshake:
/// where the lengths of a peer are wrong, its password may stand in that place.
fn unexpected(name: &[u8]) -> PeerFault {
    let is_known = [HELLO, WELCOME, INITIATE, READY, ERROR].contains(&name);
    super::unexpected(if is_known { name } else { b"(unknown)" })
}

/// What a HELLO says; nothing, if its lengths do not add up.
fn hello(data: &[u8]) -> Option<PlainCredentials> {
    let (username, rest) = short(data)?;
    let (password, rest) = short(rest)?;
    rest.is_empty().then(|| PlainCredentials::new(username, password))
}

/// Octets with their length in front, and what comes behind.
fn short(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&len, rest) = octets.split_first()?;
    rest.split_at_checked(usize::from(len))
}
