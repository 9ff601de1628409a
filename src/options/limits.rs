//! What peers may take up of a socket, and all of that in one call.

use std::time::Duration;

use super::SocketOptions;
use crate::mark::Mark;
use crate::message::MAX_FRAMES;

/// What peers may take up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections of one bound endpoint.
    pub(crate) connections: Mark,
    /// Those of them that come from one address.
    pub(crate) connections_per_address: Mark,
    /// Topics of one peer, and their octets.
    pub(crate) subscriptions: Mark,
    pub(crate) subscription_octets: Mark,
    /// The same of all peers together.
    pub(crate) subscriptions_total: Mark,
    pub(crate) subscription_octets_total: Mark,
    /// Frames of a message.
    pub(crate) frames: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: Mark::UNLIMITED,
            connections_per_address: Mark::UNLIMITED,
            subscriptions: Mark::from_option(1_000_000),
            subscription_octets: Mark::from_option(64 << 20),
            subscriptions_total: Mark::UNLIMITED,
            subscription_octets_total: Mark::UNLIMITED,
            frames: MAX_FRAMES,
        }
    }
}

impl Limits {
    /// Whether there is a limit to connections.
    pub(crate) fn has_places(&self) -> bool {
        [self.connections, self.connections_per_address] != [Mark::UNLIMITED; 2]
    }
}

/// What peers may take up.
impl SocketOptions {
    /// Options for a socket whose peers are not trusted: each of them, and all
    /// together, take up so much and no more. Setters that are called on it change
    /// single values.
    ///
    /// | | by default | for untrusted peers |
    /// |---|---|---|
    /// | [`max_message_size`](Self::max_message_size) | no limit | 1 MiB |
    /// | [`max_message_frames`](Self::max_message_frames) | 1,000,000 | 1,000 |
    /// | [`recv_hwm`](Self::recv_hwm), [`send_hwm`](Self::send_hwm) | 1000 messages | 1000 messages |
    /// | [`recv_hwm_bytes`](Self::recv_hwm_bytes) | 16 MiB | 4 MiB |
    /// | [`send_hwm_bytes`](Self::send_hwm_bytes) | no limit | 16 MiB |
    /// | [`max_connections`](Self::max_connections) of an endpoint | no limit | 10,000 |
    /// | [`max_connections_per_address`](Self::max_connections_per_address) | no limit | 500 |
    /// | [`handshake_timeout`](Self::handshake_timeout) | 30 s | 5 s |
    /// | [`heartbeat_interval`](Self::heartbeat_interval) | never | 5 s |
    /// | [`heartbeat_timeout`](Self::heartbeat_timeout) | as the interval | 15 s |
    /// | [`heartbeat_ttl`](Self::heartbeat_ttl) | never | 15 s |
    /// | [`max_subscriptions`](Self::max_subscriptions) of a peer | 1,000,000 | 1,000 |
    /// | [`max_subscription_bytes`](Self::max_subscription_bytes) of a peer | 64 MiB | 64 KiB |
    /// | [`max_subscriptions_total`](Self::max_subscriptions_total) | no limit | 1,000,000 |
    /// | [`max_subscription_bytes_total`](Self::max_subscription_bytes_total) | no limit | 64 MiB |
    /// | notices of one peer that an XPUB keeps for its application, and their bytes | 1,000,000, 65 MiB | 2,000, 130 KiB |
    ///
    /// Of what an XPUB keeps for its application, notices and messages, all together have
    /// at most twice what one may. Of notices one has two for each topic that it may have,
    /// to come and to go, but no more than by default, unless it may have more topics.
    ///
    /// So nobody has all there is, be it one peer or all of one address.
    ///
    /// What holds in any case: at most 1,024 handshakes under way for each endpoint,
    /// and 8 KiB for each command of one.
    ///
    /// These are bounds, not a budget: one connection may hold 4 MiB of unread messages,
    /// and one more message that is under way, and of messages that it does not read
    /// 16 MiB of yours. Multiply by the connections that you expect, and lower what is too
    /// much for your machine. What is left to you: who may come in
    /// ([`guide::security`](crate::guide::security)), and [`linger`](Self::linger),
    /// since with [`Linger::Forever`](crate::Linger::Forever) a peer that reads slowly
    /// keeps `close` waiting.
    ///
    /// ```
    /// use std::time::Duration;
    /// use ferromq::{Linger, RouterSocket, SocketOptions};
    ///
    /// let options = SocketOptions::for_untrusted_peers()
    ///     .max_message_size(64 * 1024)
    ///     .linger(Linger::For(Duration::from_secs(1)));
    /// let router = RouterSocket::with_options(options);
    /// ```
    pub fn for_untrusted_peers() -> Self {
        Self::new()
            .max_message_size(1 << 20)
            .max_message_frames(1000)
            .send_hwm_bytes(16 << 20)
            .recv_hwm_bytes(4 << 20)
            .handshake_timeout(Duration::from_secs(5))
            .heartbeat_interval(Duration::from_secs(5))
            .heartbeat_timeout(Duration::from_secs(15))
            .heartbeat_ttl(Duration::from_secs(15))
            .max_connections(10_000)
            .max_connections_per_address(500)
            .max_subscriptions(1000)
            .max_subscription_bytes(64 << 10)
            .max_subscriptions_total(1_000_000)
            .max_subscription_bytes_total(64 << 20)
    }

    /// How many frames a message from a peer has at most. Default 1,000,000, and never
    /// more than that. A peer that sends more is disconnected. libzmq has no such option.
    ///
    /// It is for tcp and ipc, not for inproc. 0 stands for the default.
    ///
    /// Frames may be empty, so that the [size](Self::max_message_size) of a message says
    /// little of the work that it makes.
    ///
    /// ```
    /// use ferromq::{RouterSocket, SocketOptions};
    ///
    /// let router = RouterSocket::with_options(SocketOptions::new().max_message_frames(16));
    /// ```
    pub fn max_message_frames(mut self, frames: usize) -> Self {
        self.limits.frames = Mark::from_option(frames).limit().min(MAX_FRAMES);
        self
    }

    /// How many connections a bound endpoint has at most. Default 0, no limit.
    /// libzmq has no such option.
    ///
    /// A connection counts from when its handshake is done until it ends. (At most
    /// 1,024 handshakes of an endpoint are under way in any case.) One that is beyond
    /// the limit is turned away, with the event
    /// [`HandshakeFailed`](crate::MonitorEvent::HandshakeFailed) that names
    /// [`Unwelcome::TooManyConnections`](crate::Unwelcome); those that are there stay.
    /// A ferromq peer is told so and dials again once a second, until there is a
    /// place; others are closed after a second. What they have to send waits with them.
    ///
    /// It is for tcp and ipc, not for inproc. Each endpoint that is bound has so many
    /// places of its own; endpoints that this socket connects to do not count.
    ///
    /// ```
    /// use ferromq::{RepSocket, SocketOptions};
    ///
    /// let options = SocketOptions::new().max_connections(10_000).max_connections_per_address(100);
    /// let rep = RepSocket::with_options(options);
    /// ```
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.limits.connections = Mark::from_option(connections);
        self
    }

    /// How many [connections](Self::max_connections) of a bound endpoint may come from
    /// one IP address. Default 0, no limit. libzmq has no such option.
    ///
    /// One that is beyond it is turned away as
    /// [`Unwelcome::TooManyConnectionsOfAddress`](crate::Unwelcome). All peers over ipc
    /// count as one address. So do all that come through one proxy, and whoever has a
    /// network of IPv6 has as many addresses as he likes: set `max_connections` as well.
    pub fn max_connections_per_address(mut self, connections: usize) -> Self {
        self.limits.connections_per_address = Mark::from_option(connections);
        self
    }

    /// PUB, XPUB: how many topics one peer may be subscribed to. Default 1,000,000; 0
    /// for no limit. libzmq has no such option.
    ///
    /// They are a set: a topic that the peer has already costs nothing, and is never
    /// too much. A peer that goes beyond is disconnected, with the event
    /// [`Disconnected`](crate::MonitorEvent::Disconnected) that names
    /// [`Unwelcome::TooManySubscriptions`](crate::Unwelcome), and all it had is given
    /// back. What an XPUB in [manual mode](Self::xpub_manual) does with requests is its
    /// own affair: there this bounds what is requested.
    ///
    /// `subscribe` of a ferromq SUB refuses at once what is beyond the defaults; it
    /// does not know of a publisher that allows less.
    ///
    /// ```
    /// use ferromq::{PubSocket, SocketOptions};
    ///
    /// let options = SocketOptions::new().max_subscriptions(100).max_subscriptions_total(100_000);
    /// let publisher = PubSocket::with_options(options);
    /// ```
    pub fn max_subscriptions(mut self, topics: usize) -> Self {
        self.limits.subscriptions = Mark::from_option(topics);
        self
    }

    /// PUB, XPUB: how many octets the topics of one peer may have together. Default
    /// 64 MiB; 0 for no limit. libzmq has no such option.
    ///
    /// Beyond it, a peer is disconnected as by
    /// [`max_subscriptions`](Self::max_subscriptions), with
    /// [`Unwelcome::SubscriptionsTooLarge`](crate::Unwelcome). So that nothing larger is
    /// waited for, it also is the longest topic that any socket type takes from a peer
    /// (but never less than 64 KiB, nor more than 64 MiB): see
    /// [`PeerFault::TopicTooLong`](crate::PeerFault::TopicTooLong).
    pub fn max_subscription_bytes(mut self, octets: usize) -> Self {
        self.limits.subscription_octets = Mark::from_option(octets);
        self
    }

    /// PUB, XPUB: how many topics all peers together may be subscribed to; one that two
    /// peers have counts twice. Default 0, no limit. libzmq has no such option.
    ///
    /// The peer that wants one more is disconnected as by
    /// [`max_subscriptions`](Self::max_subscriptions), with
    /// [`Unwelcome::TooManySubscriptionsTotal`](crate::Unwelcome). So one peer should not
    /// be allowed all of them. What peers had that have left counts for nothing, though
    /// it takes a while to be forgotten.
    pub fn max_subscriptions_total(mut self, topics: usize) -> Self {
        self.limits.subscriptions_total = Mark::from_option(topics);
        self
    }

    /// PUB, XPUB: how many octets the topics of all peers together may have, counted as
    /// by [`max_subscriptions_total`](Self::max_subscriptions_total). Default 0, no
    /// limit. libzmq has no such option.
    ///
    /// The peer that goes beyond is disconnected, with
    /// [`Unwelcome::SubscriptionsTotalTooLarge`](crate::Unwelcome).
    pub fn max_subscription_bytes_total(mut self, octets: usize) -> Self {
        self.limits.subscription_octets_total = Mark::from_option(octets);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_untrusted_peers_everything_has_a_bound_that_can_be_changed() {
        let options = SocketOptions::for_untrusted_peers();
        let Limits { connections, connections_per_address, .. } = options.limits;
        let Limits { subscriptions, subscription_octets, .. } = options.limits;
        let Limits { subscriptions_total, subscription_octets_total, .. } = options.limits;
        let marks = [connections, connections_per_address, subscriptions, subscription_octets];
        let totals = [subscriptions_total, subscription_octets_total];
        let queues = [options.send_hwm, options.send_hwm_bytes, options.recv_hwm];
        for mark in [&marks[..], &totals, &queues, &[options.recv_hwm_bytes]].concat() {
            assert!(mark.limit() <= 64 << 20, "{mark:?}");
        }
        // Nobody has all there is, be it one peer or all of one address.
        let of_address = connections_per_address.limit();
        assert!(of_address < connections.limit());
        assert!(of_address * subscriptions.limit() < subscriptions_total.limit());
        assert!(of_address * subscription_octets.limit() < subscription_octets_total.limit());
        assert_eq!((options.max_message_size, options.limits.frames), (Some(1 << 20), 1000));
        assert_eq!(options.handshake_timeout, Some(Duration::from_secs(5)));
        assert_eq!(options.heartbeat_interval, Some(Duration::from_secs(5)));

        let options = options.max_message_size(7).max_connections(0).max_subscriptions(5);
        assert_eq!(options.max_message_size, Some(7));
        assert_eq!(options.limits.connections, Mark::UNLIMITED);
        let frames = |frames| SocketOptions::new().max_message_frames(frames).limits.frames;
        assert_eq!([1, 0, usize::MAX].map(frames), [1, MAX_FRAMES, MAX_FRAMES]);
        assert_eq!(options.limits.subscriptions.limit(), 5);
    }
}
