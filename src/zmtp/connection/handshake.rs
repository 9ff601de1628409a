//! [`Handshake`]: from the first octet until traffic may begin.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use tracing::debug;

use super::{Incoming, Receiving, Sending};
use crate::fault::{ALREADY_PAIRED, PeerFault, ROUTING_ID_TAKEN, TOO_MANY_CONNECTIONS};
use crate::peer::{PeerInfo, Unwelcome};
use crate::security::{Denial, Grant, Mechanism, Security, Verdict};
use crate::socket_type::SocketType;
use crate::zmtp::command;
use crate::zmtp::framing::Header;
use crate::zmtp::greeting::{PeerGreeting, greeting};
use crate::zmtp::mechanism::{Exchange, Own, Question, Step, exchange};
use crate::zmtp::metadata::{self, Introduction};
use crate::zmtp::seal::Seals;

/// The largest command of a handshake.
const MAX_COMMAND: usize = 8 * 1024;

/// How the PLAIN of libzmq (4.3.5) spells the name of ERROR, size and all: in its
/// source that is "\x05ERROR", of which C++ makes an octet 0x5E.
const MISSPELT_ERROR: &[u8] = b"\x5ERROR";

/// What we are, and what we admit.
#[derive(Debug, Clone)]
pub(crate) struct HandshakeConfig {
    pub(crate) socket_type: SocketType,
    /// What we call ourselves, which may be nothing, if this socket type says so
    /// at all.
    pub(crate) identity: Option<Bytes>,
    /// Further properties, `X-…`.
    pub(crate) metadata: Vec<(String, Bytes)>,
    /// The largest message of the traffic. (libzmq applies it to the commands
    /// of the handshake as well; those have a bound of their own here.)
    pub(crate) max_message_size: Option<usize>,
    /// Whether our READY waits until the peer's was judged, so that a peer that
    /// is refused was never ready. Never on both sides: two such would wait for
    /// each other.
    pub(crate) judges: bool,
    /// Whether we send PINGs.
    pub(crate) pings: bool,
    /// The mechanism, and our part in it.
    pub(crate) security: Security,
}

/// Greeting and handshake of one connection.
///
/// Give it what comes with [`feed`](Self::feed) and write what
/// [`output`](Self::output) has, at first and after each `feed`, also after a
/// fault, until [`is_done`](Self::is_done). Before reading more, see whether it
/// has a [`question`](Self::question) for the policy, and
/// [`answer`](Self::answer) it. One that judges says with [`peer`](Self::peer)
/// when the socket is to say whether it has a place for the peer.
///
/// ```text
///           64 octets           all is said
/// Greeting ───────────► Commands ─────────────────────────► Done
///     │                  │ ▲ │ │ all is said, if we judge    ▲
///     │        accepted  ▼ │ │ └──────────────► Judging ─────┘
///     │                 Asking                   │    admit
///     └─────────┬────────┴───┘                   ▼ refuse
///               ▼ fault, denied               Refused
///            Failed
/// ```
///
/// Holds one command of the peer at most, 8 KiB, whatever it sends.
pub(crate) struct Handshake {
    stage: Stage,
    mechanism: Mechanism,
    exchange: Box<dyn Exchange>,
    /// What the policy has said of the peer.
    granted: Grant,
    is_client: bool,
    max_message_size: Option<usize>,
    judges: bool,
    output: BytesMut,
    /// A command that is not complete; at last what came after the handshake.
    input: BytesMut,
}

#[derive(Debug)]
enum Stage {
    Greeting(PeerGreeting),
    Commands { minor: u8 },
    Asking { minor: u8, question: Question },
    Judging { minor: u8, said: Introduction },
    Done { minor: u8, said: Introduction },
    Refused,
    Failed(PeerFault),
}

impl Handshake {
    pub(crate) fn new(config: HandshakeConfig) -> Self {
        let HandshakeConfig { socket_type, max_message_size, pings, security, .. } = config;
        let mut properties = BytesMut::new();
        let (identity, metadata) = (config.identity.as_deref(), &config.metadata);
        metadata::put(socket_type, identity, metadata, pings, &mut properties);
        let mechanism = security.mechanism();
        let is_client = security.is_client();
        // A client has said all of itself before it hears anything of the peer.
        let judges = config.judges && !is_client;
        let own = Own { socket_type, properties, judges };
        Self {
            stage: Stage::Greeting(PeerGreeting::new(mechanism.as_str())),
            output: BytesMut::from(&greeting(mechanism.as_str(), security.is_server())[..]),
            mechanism,
            exchange: exchange(&security, own),
            granted: Grant::default(),
            is_client,
            max_message_size,
            judges,
            input: BytesMut::new(),
        }
    }

    /// Takes what is to be written now.
    pub(crate) fn output(&mut self) -> BytesMut {
        self.output.split()
    }

    /// Takes what the peer sent. What belongs to the traffic is kept for it.
    ///
    /// # Errors
    /// When the peer is at fault, or refused us; the same again from then on.
    pub(crate) fn feed(&mut self, mut octets: &[u8]) -> Result<(), PeerFault> {
        while !octets.is_empty() {
            if let Err(fault) = self.step(&mut octets) {
                self.fail(&fault);
                return Err(fault);
            }
        }
        Ok(())
    }

    /// What the peer presents, while it waits for the verdict of our policy:
    /// [`answer`](Self::answer).
    pub(crate) fn question(&self) -> Option<&Question> {
        match &self.stage {
            Stage::Asking { question, .. } => Some(question),
            _ => None,
        }
    }

    /// The policy has decided.
    ///
    /// # Errors
    /// When it does not let the peer in, which is to be told so; or when what the
    /// peer had sent meanwhile is at fault.
    pub(crate) fn answer(&mut self, verdict: Verdict) -> Result<(), PeerFault> {
        let Stage::Asking { minor, .. } = self.stage else { return Ok(()) };
        self.stage = Stage::Commands { minor };
        let accepted = verdict.0.map_err(|(how, reason)| PeerFault::Denied { how, reason });
        let next = accepted.and_then(|granted| {
            self.granted = granted;
            let step = self.exchange.on_accepted(&mut self.output)?;
            self.take(step, minor);
            Ok(())
        });
        if let Err(fault) = next {
            self.fail(&fault);
            return Err(fault);
        }
        let held = self.input.split();
        self.feed(&held)
    }

    /// What the peer said of itself, while that is to be judged: answer with
    /// [`admit`](Self::admit) or [`refuse`](Self::refuse).
    pub(crate) fn peer(&self) -> Option<&PeerInfo> {
        match &self.stage {
            Stage::Judging { said, .. } => Some(&said.peer),
            _ => None,
        }
    }

    /// What the peer said of itself, once it has, to be judged or not.
    pub(crate) fn introduction(&self) -> Option<&PeerInfo> {
        match &self.stage {
            Stage::Done { said, .. } => Some(&said.peer),
            _ => self.peer(),
        }
    }

    /// How many messages came after the handshake that nobody will get. (The
    /// connection ends here.)
    pub(crate) fn unread_messages(&mut self) -> usize {
        let mut receiving = Receiving::new(self.input.split(), self.max_message_size, None);
        let messages = std::iter::from_fn(|| receiving.next().ok().flatten());
        messages.filter(|incoming| matches!(incoming, Incoming::Message(_))).count()
    }

    /// The peer that was to be judged may come in: puts our READY.
    pub(crate) fn admit(&mut self) {
        let Stage::Judging { minor, said } = &mut self.stage else { return };
        let (minor, said) = (*minor, std::mem::take(said));
        self.exchange.admit(&mut self.output);
        self.stage = Stage::Done { minor, said };
    }

    /// The peer that was to be judged may not come in. Returns whether there is
    /// an ERROR to tell it so.
    ///
    /// libzmq never dials again after an ERROR. So a refusal that may pass is
    /// told only to those that announce themselves as ours; others find the
    /// connection closed, which the caller delays a little, for they come back
    /// at once. A socket that is closing says nothing: the next may be open.
    pub(crate) fn refuse(&mut self, why: Unwelcome) -> bool {
        let Stage::Judging { said, .. } = &self.stage else { return false };
        let is_told = said.is_ferromq || !why.may_pass();
        let reason = unwelcome(why).filter(|_| is_told);
        if let Some(reason) = reason {
            command::put_error(reason, &mut self.output);
        }
        self.stage = Stage::Refused;
        self.input = BytesMut::new();
        reason.is_some()
    }

    /// The peer has closed the connection: what that says of it, if anything.
    pub(crate) fn on_closed(&self) -> Option<PeerFault> {
        let has_presented_us = self.is_client && matches!(self.stage, Stage::Commands { .. });
        has_presented_us.then_some(PeerFault::NotAnswered { mechanism: self.mechanism })
    }

    /// Whether both sides accepted each other and all our output was taken.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done { .. }) && self.output.is_empty()
    }

    /// How much memory holds what the peer sent.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn held(&self) -> usize {
        self.input.capacity()
    }

    /// The two halves of the traffic, and what the peer said of itself. Its
    /// address is for the caller to add.
    ///
    /// # Panics
    /// Unless [`is_done`](Self::is_done).
    #[allow(clippy::panic, reason = "a fault of ours: no peer chooses when this is called")]
    pub(crate) fn into_traffic(self) -> (Receiving, Sending, PeerInfo) {
        debug_assert!(self.output.is_empty(), "our READY was not sent");
        let Stage::Done { minor, said } = self.stage else {
            panic!("traffic begins after the handshake");
        };
        let Seals { seal, open } = self.exchange.into_seals();
        let receiving = Receiving::new(self.input, self.max_message_size, open);
        (receiving, Sending::new(minor, !said.never_pings, seal), said.peer)
    }

    /// Goes on by one stage or one command, and takes what that needed.
    fn step(&mut self, octets: &mut &[u8]) -> Result<(), PeerFault> {
        match &mut self.stage {
            Stage::Greeting(greeting) => {
                if let Some(minor) = greeting.feed(octets)? {
                    let step = self.exchange.start(&mut self.output)?;
                    self.stage = Stage::Commands { minor };
                    self.take(step, minor);
                }
            }
            Stage::Commands { minor } => {
                let minor = *minor;
                if let Some(body) = take_command(&mut self.input, octets)? {
                    self.on_command(&body, minor)?;
                }
            }
            Stage::Asking { .. } | Stage::Judging { .. } | Stage::Done { .. } => {
                self.input.extend_from_slice(octets);
                *octets = &[];
            }
            Stage::Refused => *octets = &[],
            Stage::Failed(fault) => return Err(fault.clone()),
        }
        Ok(())
    }

    fn on_command(&mut self, body: &[u8], minor: u8) -> Result<(), PeerFault> {
        let misspelt = body.strip_prefix(MISSPELT_ERROR);
        let (name, data) = match misspelt.filter(|_| self.mechanism == Mechanism::Plain) {
            Some(data) => (command::ERROR, data),
            None => command::parts(body)?,
        };
        if let Some(reason) = command::error(name, data)? {
            return Err(PeerFault::RefusedUs { reason: PeerFault::text(reason) });
        }
        let step = self.exchange.on_command(name, data, &mut self.output)?;
        self.take(step, minor);
        Ok(())
    }

    /// Goes where a step leads.
    fn take(&mut self, step: Step, minor: u8) {
        match step {
            Step::Next => {}
            Step::Ask(mut question) => {
                question.peer.mechanism = self.mechanism;
                self.stage = Stage::Asking { minor, question };
            }
            Step::Introduced(mut said) => {
                debug!(socket_type = ?said.peer.socket_type, minor, "the peer is introduced");
                let granted = std::mem::take(&mut self.granted);
                said.peer.mechanism = self.mechanism;
                said.peer.user_id = granted.user_id;
                said.peer.granted = granted.properties;
                self.stage = match self.judges {
                    true => Stage::Judging { minor, said },
                    false => Stage::Done { minor, said },
                };
            }
        }
    }

    fn fail(&mut self, fault: &PeerFault) {
        if matches!(self.stage, Stage::Failed(_)) {
            return;
        }
        if let Some(reason) = self.refusal(fault) {
            command::put_error(reason, &mut self.output);
        }
        self.stage = Stage::Failed(fault.clone());
        self.input = BytesMut::new();
    }

    /// What to tell a peer that we refuse. Whoever has to present something learns
    /// no more than a number, and a server nothing: it has said all by then.
    fn refusal(&self, fault: &PeerFault) -> Option<&'static str> {
        match (refusal(fault), self.mechanism) {
            (reason, Mechanism::Null) => reason,
            (Some(reason @ ("400" | "500")), _) => Some(reason),
            (Some(_), _) if !self.is_client => Some("400"),
            _ => None,
        }
    }
}

/// Without the octets that come and go: with PLAIN a password is among them.
impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("stage", &self.stage)
            .field("mechanism", &self.mechanism)
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}

/// Takes octets off the front of `input` until they make up one command;
/// returns its body. `buffered` keeps what is not complete.
fn take_command(buffered: &mut BytesMut, input: &mut &[u8]) -> Result<Option<BytesMut>, PeerFault> {
    loop {
        let missing = match Header::parse(buffered) {
            None => 1,
            Some((header, len)) => {
                let whole = len.saturating_add(admit(header)?);
                let missing = whole.saturating_sub(buffered.len());
                if missing == 0 {
                    buffered.advance(len);
                    return Ok(Some(buffered.split()));
                }
                missing
            }
        };
        if input.is_empty() {
            return Ok(None);
        }
        let (taken, rest) = input.split_at(missing.min(input.len()));
        buffered.extend_from_slice(taken);
        *input = rest;
    }
}

/// Judges a command by its header. Whether it has the flag COMMAND makes no
/// difference: libzmq does not look at it, so there are peers without.
fn admit(header: Header) -> Result<usize, PeerFault> {
    // RFC 37: a command is always one frame.
    if header.has_more() {
        return Err(PeerFault::CommandWithMore);
    }
    match usize::try_from(header.size()) {
        Ok(size) if size <= MAX_COMMAND => Ok(size),
        _ => Err(PeerFault::HandshakeTooLarge { size: header.size() }),
    }
}

/// What to tell a peer that we refuse for what its READY says. Other faults
/// have no answer that the peer would understand.
fn refusal(fault: &PeerFault) -> Option<&'static str> {
    // RFC 37: error-reason = OCTET *VCHAR, which has no blanks.
    match fault {
        PeerFault::MalformedMetadata
        | PeerFault::TooManyProperties { .. }
        | PeerFault::DuplicateProperty { .. } => Some("Invalid-Metadata"),
        PeerFault::InvalidRoutingId(_) => Some("Invalid-Identity"),
        PeerFault::UnknownSocketType { .. } => Some("Unknown-Socket-Type"),
        PeerFault::IncompatibleSocketType { .. } => Some("Incompatible-Socket-Type"),
        // RFC 27. libzmq is silent for 300, too: whoever gets an ERROR never
        // dials again.
        PeerFault::Denied { how: Denial::Temporary, .. } => None,
        PeerFault::Denied { how: Denial::Unauthorized, .. } => Some("400"),
        PeerFault::Denied { how: Denial::Internal, .. } => Some("500"),
        _ => None,
    }
}

/// What to tell a peer that the socket has no place for; nothing where that is
/// not about the peer, or not known before the traffic.
fn unwelcome(why: Unwelcome) -> Option<&'static str> {
    match why {
        Unwelcome::AlreadyPaired => Some(ALREADY_PAIRED),
        Unwelcome::RoutingIdTaken => Some(ROUTING_ID_TAKEN),
        // Not how many there may be, nor of whom there are too many.
        Unwelcome::TooManyConnections { .. } | Unwelcome::TooManyConnectionsOfAddress { .. } => {
            Some(TOO_MANY_CONNECTIONS)
        }
        Unwelcome::Incompatible { .. } => Some("Incompatible-Socket-Type"),
        Unwelcome::RoutingIdTakenOver
        | Unwelcome::TooManySubscriptions { .. }
        | Unwelcome::SubscriptionsTooLarge { .. }
        | Unwelcome::TooManySubscriptionsTotal { .. }
        | Unwelcome::SubscriptionsTotalTooLarge { .. }
        | Unwelcome::Closing => None,
    }
}
