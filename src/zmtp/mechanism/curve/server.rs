//! [`CurveServer`]: the one whose key is known, and who decides about clients by
//! theirs.

use std::sync::Arc;

use bytes::BytesMut;
use subtle::ConstantTimeEq;

use super::boxes::SharedKey;
use super::session::{Side, seals};
use super::{
    COOKIE, HELLO_NONCE, INITIATE_NONCE, KEY, PADDING, READY_NONCE, SIGNATURE, VERSION,
    VOUCH_NONCE, WELCOME_NONCE, not_authentic, random,
};
use crate::fault::PeerFault;
use crate::security::{Credentials, CurveKeypair, CurvePublicKey};
use crate::zmtp::command::{self, HELLO, INITIATE, READY, WELCOME};
use crate::zmtp::mechanism::{Exchange, Own, Question, Step, unexpected};
use crate::zmtp::metadata::{self, Introduction};
use crate::zmtp::seal::Seals;

/// Our number of READY; the traffic goes on.
const READY_NUMBER: u64 = 1;

/// ```text
///     ◄─ HELLO, WELCOME ─►          ◄─ INITIATE        accepted, READY ─►
/// New ────────────────────► Welcomed ───────────► Asking ────────────────► Done
/// ```
/// What a client has to prove: that it knows our key (HELLO), that it has the
/// short-term one (INITIATE), and by the vouch that this one belongs to the long-term
/// one, and is meant for us. Keys and cookie are new for each connection, so that
/// nothing of one means anything in another.
#[derive(Debug)]
pub(crate) struct CurveServer {
    own: Own,
    keys: Arc<CurveKeypair>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    New,
    Welcomed(Box<Welcomed>),
    Asking { session: SharedKey, last: u64, said: Introduction },
    Done { session: SharedKey, last: u64 },
}

/// A client that knows our key.
struct Welcomed {
    short: CurveKeypair,
    client: CurvePublicKey,
    /// RFC 26 has it hold what else we would have to keep. We keep the connection
    /// anyhow, so it is just something that only this client has heard.
    cookie: [u8; COOKIE],
    last: u64,
}

impl CurveServer {
    pub(in crate::zmtp::mechanism) fn new(own: Own, keys: Arc<CurveKeypair>) -> Self {
        Self { own, keys, stage: Stage::New }
    }

    fn on_hello(&mut self, data: &[u8], out: &mut BytesMut) -> Result<Step, PeerFault> {
        let hello = Hello::parse(data).ok_or(PeerFault::MalformedCommand)?;
        let shared =
            SharedKey::agree(self.keys.secret(), &hello.client).ok_or(PeerFault::WeakKey)?;
        let signature = shared
            .keyed(HELLO_NONCE)
            .open_vec(hello.number, hello.sealed)
            .map_err(|_| not_authentic("HELLO"))?;
        if signature[..] != SIGNATURE {
            return Err(PeerFault::MalformedCommand);
        }
        let short = CurveKeypair::generate().map_err(|_| PeerFault::NoRandomness)?;
        let (nonce, cookie): ([u8; 16], [u8; COOKIE]) = (random()?, random()?);
        let said = [&short.public().as_bytes()[..], &cookie].concat();
        let sealed = shared.seal((WELCOME_NONCE, &nonce), &said);
        command::put(WELCOME, &[&nonce, &sealed], out);
        let welcomed = Welcomed { short, client: hello.client, cookie, last: hello.number };
        self.stage = Stage::Welcomed(Box::new(welcomed));
        Ok(Step::Next)
    }

    fn on_initiate(&mut self, data: &[u8], welcomed: &Welcomed) -> Result<Step, PeerFault> {
        let Welcomed { short, client, cookie, last } = welcomed;
        let (theirs, rest) =
            data.split_first_chunk::<COOKIE>().ok_or(PeerFault::MalformedCommand)?;
        let (number, sealed) = rest.split_first_chunk().ok_or(PeerFault::MalformedCommand)?;
        if !bool::from(theirs.ct_eq(cookie)) {
            return Err(not_authentic("INITIATE"));
        }
        let number = u64::from_be_bytes(*number);
        if number <= *last {
            return Err(PeerFault::Replayed);
        }
        let session = SharedKey::agree(short.secret(), client).ok_or(PeerFault::WeakKey)?;
        let plain = session
            .keyed(INITIATE_NONCE)
            .open_vec(number, sealed)
            .map_err(|_| not_authentic("INITIATE"))?;
        let initiate = Initiate::parse(&plain).ok_or(PeerFault::MalformedCommand)?;
        self.check_vouch(&initiate, welcomed)?;
        let said = metadata::decode(initiate.metadata, self.own.socket_type)?;
        let question =
            Question { credentials: Credentials::Curve(initiate.client), peer: said.peer.clone() };
        self.stage = Stage::Asking { session, last: number, said };
        Ok(Step::Ask(question))
    }

    /// The owner of the long-term key says that the short-term one is its own, to us.
    /// (libzmq does not look at the latter.)
    fn check_vouch(&self, initiate: &Initiate<'_>, welcomed: &Welcomed) -> Result<(), PeerFault> {
        let fault = not_authentic("INITIATE");
        let shared = SharedKey::agree(welcomed.short.secret(), &initiate.client);
        let vouch = shared
            .ok_or(PeerFault::WeakKey)?
            .open((VOUCH_NONCE, initiate.nonce), initiate.vouch)
            .map_err(|_| fault.clone())?;
        let expected = [&welcomed.client.as_bytes()[..], self.keys.public().as_bytes()].concat();
        if bool::from(vouch.ct_eq(&expected)) { Ok(()) } else { Err(fault) }
    }

    fn put_ready(&self, out: &mut BytesMut) {
        let Stage::Done { session, .. } = &self.stage else { return };
        let sealed = session.keyed(READY_NONCE).seal_vec(READY_NUMBER, &self.own.properties);
        command::put(READY, &[&READY_NUMBER.to_be_bytes(), &sealed], out);
    }
}

impl Exchange for CurveServer {
    fn on_command(
        &mut self,
        name: &[u8],
        data: &[u8],
        out: &mut BytesMut,
    ) -> Result<Step, PeerFault> {
        match (name, std::mem::replace(&mut self.stage, Stage::New)) {
            (HELLO, Stage::New) => self.on_hello(data, out),
            (INITIATE, Stage::Welcomed(welcomed)) => self.on_initiate(data, &welcomed),
            (other, _) => Err(unexpected(other)),
        }
    }

    fn on_accepted(&mut self, out: &mut BytesMut) -> Result<Step, PeerFault> {
        let Stage::Asking { session, last, said } = std::mem::replace(&mut self.stage, Stage::New)
        else {
            return Ok(Step::Next);
        };
        self.stage = Stage::Done { session, last };
        if !self.own.judges {
            self.put_ready(out);
        }
        Ok(Step::Introduced(said))
    }

    fn admit(&mut self, out: &mut BytesMut) {
        if self.own.judges {
            self.put_ready(out);
        }
    }

    fn into_seals(self: Box<Self>) -> Seals {
        match self.stage {
            Stage::Done { session, last } => seals(&session, Side::Server, READY_NUMBER, last),
            _ => Seals::default(),
        }
    }
}

/// What a HELLO says.
struct Hello<'a> {
    client: CurvePublicKey,
    number: u64,
    sealed: &'a [u8],
}

impl<'a> Hello<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let rest = data.strip_prefix(&VERSION)?;
        // RFC 26: the padding SHALL be zero. libzmq does not look at it.
        let (_, rest) = rest.split_at_checked(PADDING)?;
        let (client, rest) = rest.split_first_chunk::<KEY>()?;
        let (number, sealed) = rest.split_first_chunk()?;
        let client = CurvePublicKey::from_bytes(*client);
        Some(Self { client, number: u64::from_be_bytes(*number), sealed })
    }
}

/// What the box of an INITIATE holds.
struct Initiate<'a> {
    client: CurvePublicKey,
    nonce: &'a [u8; 16],
    vouch: &'a [u8],
    metadata: &'a [u8],
}

impl<'a> Initiate<'a> {
    /// A box with two keys in it.
    const VOUCH: usize = super::boxes::TAG + 2 * KEY;

    fn parse(plain: &'a [u8]) -> Option<Self> {
        let (client, rest) = plain.split_first_chunk::<KEY>()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (vouch, metadata) = rest.split_at_checked(Self::VOUCH)?;
        Some(Self { client: CurvePublicKey::from_bytes(*client), nonce, vouch, metadata })
    }
}

impl std::fmt::Debug for Welcomed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Welcomed").field("client", &self.client).finish_non_exhaustive()
    }
}
