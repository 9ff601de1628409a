//! What is known of a peer, what it subscribes to, and why it or a message was
//! lost.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use thiserror::Error;

use crate::routing_id::RoutingId;
use crate::security::Mechanism;
use crate::socket_type::SocketType;

/// What a peer said of itself in the handshake, and where it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerInfo {
    /// Its socket type; libzmq accepts a READY without one, and so do we.
    pub socket_type: Option<SocketType>,
    /// The routing id it chose for itself.
    pub routing_id: Option<RoutingId>,
    /// Its address as the transport prints it: `tcp://192.0.2.7:40112`, or over ipc and
    /// inproc the endpoint, since a peer has none of its own there.
    pub address: String,
    /// Its other properties, `X-…` among them, in the order they came.
    pub metadata: Vec<(String, Bytes)>,
    /// The mechanism of the handshake; NULL over inproc, where there is none.
    pub mechanism: Mechanism,
    /// Who it is, if a policy of ours has [said so](crate::Verdict::accept_as)
    /// (the property `User-Id` of libzmq).
    pub user_id: Option<String>,
    /// What a policy of ours, or a ZAP handler, had to say of it.
    pub granted: Vec<(String, Bytes)>,
}

impl PeerInfo {
    /// The IP address in its [`address`](Self::address). There is none over ipc and inproc,
    /// nor of a sender that is not known, as an XPUB may have
    /// ([`recv_with_peer`](crate::XPubSocket::recv_with_peer)).
    ///
    /// ```
    /// use ferromq::PeerInfo;
    ///
    /// fn log(peer: &PeerInfo) {
    ///     match peer.ip() {
    ///         Some(ip) => println!("a message from {ip}"),
    ///         None if peer.address.is_empty() => println!("a message of we know not whom"),
    ///         None => println!("a message from this machine"),
    ///     }
    /// }
    /// ```
    pub fn ip(&self) -> Option<IpAddr> {
        let address: SocketAddr = self.address.strip_prefix("tcp://")?.parse().ok()?;
        Some(address.ip())
    }
}

/// A change a subscriber makes to what it wants to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subscription {
    Subscribe(Bytes),
    Cancel(Bytes),
}

impl Subscription {
    /// The prefix that is subscribed to or cancelled.
    pub(crate) fn topic(&self) -> &Bytes {
        match self {
            Self::Subscribe(topic) | Self::Cancel(topic) => topic,
        }
    }
}

/// Why a socket does not take a peer in, or does not keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unwelcome {
    /// PAIR has its one peer already.
    #[error("PAIR has its peer already")]
    AlreadyPaired,
    /// Another peer of this ROUTER has the same routing id.
    #[error("another peer has this routing id")]
    RoutingIdTaken,
    /// Another peer took its routing id over (`router_handover`).
    #[error("another peer took over its routing id")]
    RoutingIdTakenOver,
    /// The endpoint has as many connections as it may (`max_connections`).
    #[error("there are {limit} connections already")]
    TooManyConnections {
        /// How many it may have.
        limit: usize,
    },
    /// As many connections as may come from its address
    /// (`max_connections_per_address`) are there.
    #[error("there are {limit} connections from its address already")]
    TooManyConnectionsOfAddress {
        /// How many may come from there.
        limit: usize,
    },
    /// It subscribed to more topics than one peer may (`max_subscriptions`).
    #[error("it subscribed to more than {limit} topics")]
    TooManySubscriptions {
        /// How many it may subscribe to.
        limit: usize,
    },
    /// The topics that it subscribed to are longer than those of one peer may
    /// be (`max_subscription_bytes`).
    #[error("the topics it subscribed to have more than {limit} bytes together")]
    SubscriptionsTooLarge {
        /// How many bytes they may have together.
        limit: usize,
    },
    /// It subscribed to one more topic when all peers together had as many as they
    /// may (`max_subscriptions_total`).
    #[error("all peers together subscribed to {limit} topics already")]
    TooManySubscriptionsTotal {
        /// How many they may subscribe to together.
        limit: usize,
    },
    /// With a topic that it subscribed to, those of all peers together would be
    /// longer than they may be (`max_subscription_bytes_total`).
    #[error("the topics of all peers together would have more than {limit} bytes")]
    SubscriptionsTotalTooLarge {
        /// How many bytes they may have together.
        limit: usize,
    },
    /// Socket types that do not talk to each other. (Over byte streams this is
    /// [`PeerFault::IncompatibleSocketType`](crate::PeerFault).)
    #[error("its socket type {theirs} does not talk to {ours}")]
    Incompatible {
        /// The type of this socket.
        ours: SocketType,
        /// The type of its socket.
        theirs: SocketType,
    },
    /// The socket is closing, or its bind or connect was taken back.
    #[error("the socket is closing")]
    Closing,
}

impl Unwelcome {
    /// Whether the same peer may be welcome a little later.
    pub(crate) fn may_pass(self) -> bool {
        match self {
            Self::AlreadyPaired
            | Self::RoutingIdTaken
            | Self::TooManyConnections { .. }
            | Self::TooManyConnectionsOfAddress { .. } => true,
            Self::RoutingIdTakenOver
            | Self::TooManySubscriptions { .. }
            | Self::SubscriptionsTooLarge { .. }
            | Self::TooManySubscriptionsTotal { .. }
            | Self::SubscriptionsTotalTooLarge { .. }
            | Self::Incompatible { .. }
            | Self::Closing => false,
        }
    }
}

/// Why messages were lost on our side; each cause has a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(usize)] // As wide as a word: see benches/LOG.md.
pub enum DropCause {
    /// The peer was at its high-water mark, or over inproc behind with what others that
    /// have left sent it, and this pattern does not wait.
    PeerFull,
    /// No peer had the routing id, or the asker had left.
    Unroutable,
    /// The peer left and what was queued for it was destroyed.
    PeerLeft,
    /// The connection broke in the middle of the message.
    CutInTransit,
    /// Linger ran out for what was accepted for a peer, or the tokio runtime
    /// ended first.
    LingerExpired,
    /// Unread input was discarded by our own `disconnect`, `unbind` or `close`.
    Unread,
    /// The pattern has no use for it: a stray reply, a malformed request, data
    /// sent to a socket that only sends; or its sender was turned away.
    Discarded,
    /// A newer message took its place (`conflate`).
    Conflated,
}

impl DropCause {
    /// Every cause.
    pub const ALL: [Self; 8] = [
        Self::PeerFull,
        Self::Unroutable,
        Self::PeerLeft,
        Self::CutInTransit,
        Self::LingerExpired,
        Self::Unread,
        Self::Discarded,
        Self::Conflated,
    ];

    /// Its name, as it is in metrics and logs; it stays what it is.
    ///
    /// ```
    /// use ferromq::DropCause;
    ///
    /// assert_eq!(DropCause::PeerFull.as_str(), "peer_full");
    /// assert_eq!(DropCause::ALL.map(|cause| cause.to_string())[7], "conflated");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PeerFull => "peer_full",
            Self::Unroutable => "unroutable",
            Self::PeerLeft => "peer_left",
            Self::CutInTransit => "cut_in_transit",
            Self::LingerExpired => "linger_expired",
            Self::Unread => "unread",
            Self::Discarded => "discarded",
            Self::Conflated => "conflated",
        }
    }
}

impl fmt::Display for DropCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever looks for one in the code finds it.
    #[test]
    fn a_cause_has_the_name_of_its_variant() {
        for cause in DropCause::ALL {
            let words = cause.as_str().split('_').map(|word| {
                let (first, rest) = word.split_at(1);
                first.to_uppercase() + rest
            });
            assert_eq!(words.collect::<String>(), format!("{cause:?}"));
        }
    }
}
