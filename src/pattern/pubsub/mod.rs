//! Publish-subscribe (RFC 29): PUB and XPUB are one core, SUB and XSUB another.
//!
//! Departures from RFC 29, each on purpose:
//! - "SHALL silently discard messages if the queue for a publisher is full": a
//!   full subscriber stops reading instead, so that nothing is lost that the
//!   publisher does not know of; libzmq does the same.
//! - "SHALL silently drop", "SHALL NOT block on sending": every drop is counted,
//!   and with `xpub_nodrop` a publisher waits.
//! - "If this publisher disconnects, the SUB socket SHALL discard any
//!   messages": whole messages that arrived stay readable.
//! - "When closing a connection to a publisher SHOULD send CANCEL": the
//!   publisher forgets a subscriber that leaves, which comes to the same.

use bytes::{BufMut, Bytes, BytesMut};

use crate::message::Message;
use crate::peer::Subscription;

mod filter;
mod interest;
mod pending;
mod subscribers;
#[cfg(test)]
mod tests;
mod xpub;
mod xsub;

pub(crate) use xpub::XPub;
pub(crate) use xsub::XSub;

/// Begins a message that subscribes to the topic after it.
const SUBSCRIBE: u8 = 1;
/// Begins a message that cancels the topic after it.
const CANCEL: u8 = 0;

/// What a message asks for, if it is a single frame in the form of a
/// subscription.
fn as_subscription(message: &Message) -> Option<Subscription> {
    let frame = message.first();
    match frame.first() {
        Some(&SUBSCRIBE) if message.is_single() => Some(Subscription::Subscribe(frame.slice(1..))),
        Some(&CANCEL) if message.is_single() => Some(Subscription::Cancel(frame.slice(1..))),
        _ => None,
    }
}

/// The message in which an application gets a subscription (`SUBSCRIBE`) or a
/// cancellation (`CANCEL`).
fn notice(kind: u8, topic: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(1 + topic.len());
    frame.put_u8(kind);
    frame.put_slice(topic);
    frame.freeze()
}

/// A message of one frame.
fn single(frame: Bytes) -> Message {
    let mut message = Message::new();
    message.push_back(frame);
    message.pop_front();
    message
}
