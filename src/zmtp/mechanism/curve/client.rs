//! [`CurveClient`]: the one who knows the server's key beforehand.

use std::sync::Arc;

use bytes::BytesMut;
use zeroize::Zeroizing;

use super::boxes::SharedKey;
use super::session::{Side, seals};
use super::{
    COOKIE, HELLO_NONCE, INITIATE_NONCE, KEY, PADDING, READY_NONCE, SIGNATURE, VERSION,
    VOUCH_NONCE, WELCOME_NONCE, not_authentic, random,
};
use crate::fault::PeerFault;
use crate::security::{CurveKeypair, CurvePublicKey};
use crate::zmtp::command::{self, HELLO, INITIATE, READY, WELCOME};
use crate::zmtp::mechanism::{Exchange, Own, Step, unexpected};
use crate::zmtp::metadata;
use crate::zmtp::seal::Seals;

/// Our numbers: HELLO has the first, INITIATE the second, the traffic goes on.
const HELLO_NUMBER: u64 = 1;
const INITIATE_NUMBER: u64 = 2;

/// ```text
///     HELLO ─►          ◄─ WELCOME, INITIATE ─►           ◄─ READY
/// New ────────► Greeted ──────────────────────► Initiated ─────────► Done
/// ```
#[derive(Debug)]
pub(crate) struct CurveClient {
    own: Own,
    keys: Arc<CurveKeypair>,
    server: CurvePublicKey,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    New,
    Greeted { short: CurveKeypair },
    Initiated { session: SharedKey },
    Done { session: SharedKey, last: u64 },
}

impl CurveClient {
    pub(in crate::zmtp::mechanism) fn new(
        own: Own,
        keys: Arc<CurveKeypair>,
        server: CurvePublicKey,
    ) -> Self {
        Self { own, keys, server, stage: Stage::New }
    }

    fn on_welcome(
        &mut self,
        data: &[u8],
        short: &CurveKeypair,
        out: &mut BytesMut,
    ) -> Result<Step, PeerFault> {
        let (nonce, sealed) = data.split_first_chunk().ok_or(PeerFault::MalformedCommand)?;
        let shared = SharedKey::agree(short.secret(), &self.server).ok_or(PeerFault::WeakKey)?;
        let plain =
            shared.open((WELCOME_NONCE, nonce), sealed).map_err(|_| not_authentic("WELCOME"))?;
        let Some((server, cookie)) = plain.split_first_chunk::<KEY>() else {
            return Err(PeerFault::MalformedCommand);
        };
        if cookie.len() != COOKIE {
            return Err(PeerFault::MalformedCommand);
        }
        let server = CurvePublicKey::from_bytes(*server);
        let session = SharedKey::agree(short.secret(), &server).ok_or(PeerFault::WeakKey)?;
        let said = self.initiate(short.public(), &server)?;
        let sealed = session.keyed(INITIATE_NONCE).seal_vec(INITIATE_NUMBER, &said);
        command::put(INITIATE, &[cookie, &INITIATE_NUMBER.to_be_bytes(), &sealed], out);
        self.stage = Stage::Initiated { session };
        Ok(Step::Next)
    }

    /// What the box of INITIATE holds: who we are, our word that the short-term key
    /// is ours, and our property list.
    fn initiate(
        &self,
        short: &CurvePublicKey,
        server: &CurvePublicKey,
    ) -> Result<Zeroizing<Vec<u8>>, PeerFault> {
        let nonce: [u8; 16] = random()?;
        let shared = SharedKey::agree(self.keys.secret(), server).ok_or(PeerFault::WeakKey)?;
        let said = [&short.as_bytes()[..], self.server.as_bytes()].concat();
        let vouch = shared.seal((VOUCH_NONCE, &nonce), &said);
        let own = self.keys.public().as_bytes();
        Ok(Zeroizing::new([&own[..], &nonce, &vouch, &self.own.properties].concat()))
    }

    fn on_ready(&mut self, data: &[u8], session: SharedKey) -> Result<Step, PeerFault> {
        let (number, sealed) = data.split_first_chunk().ok_or(PeerFault::MalformedCommand)?;
        let last = u64::from_be_bytes(*number);
        let plain = session
            .keyed(READY_NONCE)
            .open_vec(last, sealed)
            .map_err(|_| not_authentic("READY"))?;
        let said = metadata::decode(&plain, self.own.socket_type)?;
        self.stage = Stage::Done { session, last };
        Ok(Step::Introduced(said))
    }
}

impl Exchange for CurveClient {
    fn start(&mut self, out: &mut BytesMut) -> Result<Step, PeerFault> {
        let short = CurveKeypair::generate().map_err(|_| PeerFault::NoRandomness)?;
        let shared = SharedKey::agree(short.secret(), &self.server).ok_or(PeerFault::WeakKey)?;
        let signature = shared.keyed(HELLO_NONCE).seal_vec(HELLO_NUMBER, &SIGNATURE);
        let number = HELLO_NUMBER.to_be_bytes();
        let parts = [&VERSION[..], &[0; PADDING], short.public().as_bytes(), &number, &signature];
        command::put(HELLO, &parts, out);
        self.stage = Stage::Greeted { short };
        Ok(Step::Next)
    }

    fn on_command(
        &mut self,
        name: &[u8],
        data: &[u8],
        out: &mut BytesMut,
    ) -> Result<Step, PeerFault> {
        match (name, std::mem::replace(&mut self.stage, Stage::New)) {
            (WELCOME, Stage::Greeted { short }) => self.on_welcome(data, &short, out),
            (READY, Stage::Initiated { session }) => self.on_ready(data, session),
            (other, _) => Err(unexpected(other)),
        }
    }

    fn into_seals(self: Box<Self>) -> Seals {
        match self.stage {
            Stage::Done { session, last } => seals(&session, Side::Client, INITIATE_NUMBER, last),
            _ => Seals::default(),
        }
    }
}
