//! Commands: READY, ERROR, SUBSCRIBE, CANCEL, PING and PONG (RFC 37,
//! "Commands").

use std::time::Duration;

use bytes::BufMut;

use super::framing::{COMMAND, Header};
use crate::fault::PeerFault;

/// The longest topic that a peer may subscribe to: as long as all its topics
/// together, if the options do not say otherwise.
pub(crate) const MAX_TOPIC: usize = 64 << 20;

/// The largest command that is no subscription: the longest name, and far more
/// data than any has.
const MAX_COMMAND: usize = 1 + 255 + 64 * 1024;

/// The longest context of a PING and a PONG.
const MAX_CONTEXT: usize = 16;

/// The largest command of all, if no topic is longer than this.
pub(crate) fn largest(longest_topic: usize) -> usize {
    MAX_COMMAND.max(longest_topic.saturating_add(1).saturating_add(SUBSCRIBE.len()))
}

#[cfg(any(feature = "plain", feature = "curve"))]
pub(crate) const HELLO: &[u8] = b"HELLO";
#[cfg(any(feature = "plain", feature = "curve"))]
pub(crate) const WELCOME: &[u8] = b"WELCOME";
#[cfg(any(feature = "plain", feature = "curve"))]
pub(crate) const INITIATE: &[u8] = b"INITIATE";
pub(crate) const READY: &[u8] = b"READY";
pub(crate) const ERROR: &[u8] = b"ERROR";
const SUBSCRIBE: &[u8] = b"SUBSCRIBE";
const CANCEL: &[u8] = b"CANCEL";
const PING: &[u8] = b"PING";
const PONG: &[u8] = b"PONG";

/// A command, borrowed from the body of its frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// The property list, not looked into.
    Ready(&'a [u8]),
    /// The reason.
    Error(&'a [u8]),
    /// The topic.
    Subscribe(&'a [u8]),
    /// The topic.
    Cancel(&'a [u8]),
    Ping {
        /// After how much silence to give the sender up; zero is never.
        ttl: Duration,
        /// To be sent back with PONG.
        context: &'a [u8],
    },
    Pong,
    /// One that we do not know, by its name.
    Other(&'a [u8]),
}

impl<'a> Command<'a> {
    /// The command in the body of a frame.
    ///
    /// # Errors
    /// When the lengths in it do not add up.
    pub(crate) fn decode(body: &'a [u8]) -> Result<Self, PeerFault> {
        let (name, data) = parts(body)?;
        Ok(match name {
            READY => Self::Ready(data),
            ERROR => Self::Error(reason(data)?),
            SUBSCRIBE => Self::Subscribe(data),
            CANCEL => Self::Cancel(data),
            PING => ping(data)?,
            PONG => Self::Pong,
            name => Self::Other(name),
        })
    }
}

/// The name and the data in the body of a command.
///
/// # Errors
/// When there is no name.
pub(crate) fn parts(body: &[u8]) -> Result<(&[u8], &[u8]), PeerFault> {
    let (&name_len, rest) = body.split_first().ok_or(PeerFault::MalformedCommand)?;
    // RFC 37: command-name = OCTET 1*255command-name-char
    match rest.split_at_checked(usize::from(name_len)) {
        Some((name @ [_, ..], data)) => Ok((name, data)),
        _ => Err(PeerFault::MalformedCommand),
    }
}

/// The reason that an ERROR gives; nothing, if the command is another one.
///
/// # Errors
/// When its lengths do not add up.
pub(crate) fn error<'a>(name: &[u8], data: &'a [u8]) -> Result<Option<&'a [u8]>, PeerFault> {
    if name == ERROR { reason(data).map(Some) } else { Ok(None) }
}

fn reason(data: &[u8]) -> Result<&[u8], PeerFault> {
    // RFC 37: error-reason = OCTET *VCHAR
    match data.split_first() {
        Some((&len, reason)) if usize::from(len) == reason.len() => Ok(reason),
        _ => Err(PeerFault::MalformedCommand),
    }
}

/// Judges the size that a command of the traffic claims, before all of it is
/// received. `start` is what is there of its body. Nothing comes of that while it
/// is too little to tell: only a topic may be long, so the name decides. Of what is no
/// larger than any other command may be, the pattern sees to the length of the topic.
///
/// # Errors
/// When the command is too large.
pub(crate) fn admit(
    size: u64,
    start: &[u8],
    longest_topic: usize,
) -> Result<Option<usize>, PeerFault> {
    let size = usize::try_from(size).map_err(|_| PeerFault::CommandTooLarge { size })?;
    if size <= MAX_COMMAND {
        return Ok(Some(size));
    }
    for name in [SUBSCRIBE, CANCEL] {
        let whole = name.len().saturating_add(1);
        let known = start.get(..whole).unwrap_or(start);
        let is_it = [&[name.len() as u8], name].concat().starts_with(known);
        match size.saturating_sub(whole) {
            _ if !is_it => {}
            _ if known.len() < whole => return Ok(None),
            topic if topic > longest_topic => return Err(PeerFault::TopicTooLong { size: topic }),
            _ => return Ok(Some(size)),
        }
    }
    Err(PeerFault::CommandTooLarge { size: size as u64 })
}

fn ping(data: &[u8]) -> Result<Command<'_>, PeerFault> {
    let (ttl, context) = data.split_first_chunk().ok_or(PeerFault::MalformedCommand)?;
    // RFC 37: ping-ttl is in tenths of a second.
    let ttl = Duration::from_millis(u64::from(u16::from_be_bytes(*ttl)) * 100);
    // RFC 37 limits the context to 16 octets. libzmq cuts a longer one, and
    // its tests send it one.
    Ok(Command::Ping { ttl, context: cut(context) })
}

fn cut(context: &[u8]) -> &[u8] {
    context.get(..MAX_CONTEXT).unwrap_or(context)
}

/// Puts a READY with the property list that `properties` holds.
pub(crate) fn put_ready(properties: &[u8], out: &mut impl BufMut) {
    put(READY, &[properties], out);
}

/// Puts an ERROR; a reason is at most 255 octets.
pub(crate) fn put_error(reason: &str, out: &mut impl BufMut) {
    let reason = reason.as_bytes();
    let reason = reason.get(..255).unwrap_or(reason);
    put(ERROR, &[&[reason.len() as u8], reason], out);
}

pub(crate) fn put_subscribe(topic: &[u8], out: &mut impl BufMut) {
    put(SUBSCRIBE, &[topic], out);
}

pub(crate) fn put_cancel(topic: &[u8], out: &mut impl BufMut) {
    put(CANCEL, &[topic], out);
}

/// Puts a PING without context; a TTL has tenths of a second, 6553.5 at most.
pub(crate) fn put_ping(ttl: Duration, out: &mut impl BufMut) {
    let deciseconds = u16::try_from(ttl.as_millis() / 100).unwrap_or(u16::MAX);
    put(PING, &[&deciseconds.to_be_bytes()], out);
}

pub(crate) fn put_pong(context: &[u8], out: &mut impl BufMut) {
    put(PONG, &[cut(context)], out);
}

/// Puts a command.
pub(crate) fn put(name: &[u8], data: &[&[u8]], out: &mut impl BufMut) {
    // Whether the size is a long one depends on the name, too.
    let size = data.iter().map(|part| part.len()).fold(name.len(), usize::saturating_add);
    let size = size.saturating_add(1);
    Header::new(COMMAND, size).put(out);
    out.put_u8(name.len() as u8); // All our names are short.
    out.put_slice(name);
    for part in data {
        out.put_slice(part);
    }
}
