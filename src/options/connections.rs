//! How connections are made, kept and watched.

use std::time::Duration;

use bytes::Bytes;

use super::SocketOptions;

/// Connections.
impl SocketOptions {
    /// How long to wait before a lost endpoint is dialled again; a random part
    /// of up to as much is added. Default 100 ms (`ZMQ_RECONNECT_IVL`).
    #[doc(alias = "ZMQ_RECONNECT_IVL")]
    pub fn reconnect_interval(mut self, interval: Duration) -> Self {
        self.reconnect_interval = interval;
        self
    }

    /// Doubles the wait up to this after each failure. Default zero: the wait
    /// does not grow (`ZMQ_RECONNECT_IVL_MAX`).
    #[doc(alias = "ZMQ_RECONNECT_IVL_MAX")]
    pub fn reconnect_interval_max(mut self, interval: Duration) -> Self {
        self.reconnect_interval_max = interval;
        self
    }

    /// How long one attempt to connect may take, for all addresses of a host
    /// together. Default `None`, as long as the system allows
    /// (`ZMQ_CONNECT_TIMEOUT`, where zero means that; here zero is no time at
    /// all).
    #[doc(alias = "ZMQ_CONNECT_TIMEOUT")]
    pub fn connect_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.connect_timeout = timeout.into();
        self
    }

    /// How long a handshake may take, from the connection to the last octet
    /// of it, whichever side is to send that. Once more as long, if the runtime was
    /// blocked, or the process stopped, when that was over. Default 30 s; `None` for no
    /// limit (`ZMQ_HANDSHAKE_IVL`, where zero means that; here zero is no time at all).
    #[doc(alias = "ZMQ_HANDSHAKE_IVL")]
    pub fn handshake_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.handshake_timeout = timeout.into();
        self
    }

    /// How often to send PING. Default `None`, never (`ZMQ_HEARTBEAT_IVL`).
    /// Without it, a peer that vanishes without a word goes unnoticed. Peers of
    /// ZMTP 3.0 get none, since they need not know it.
    ///
    /// A peer that is held back at a receive mark cannot be heard, and is not
    /// given up; it gets PONGs that it has not asked for.
    #[doc(alias = "ZMQ_HEARTBEAT_IVL")]
    pub fn heartbeat_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.heartbeat_interval = interval.into();
        self
    }

    /// How long after a PING the peer must be heard. Default `None`, as long
    /// as the heartbeat interval (`ZMQ_HEARTBEAT_TIMEOUT`).
    ///
    /// The time runs from when the system has taken the PING. While it takes no
    /// more, it runs from the last octet that it took, so a large message on a
    /// slow line ends no connection that moves.
    #[doc(alias = "ZMQ_HEARTBEAT_TIMEOUT")]
    pub fn heartbeat_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.heartbeat_timeout = timeout.into();
        self
    }

    /// After how much silence the peer is to give us up; sent with PING in
    /// tenths of a second, up to 6553.5 s. Default zero, never
    /// (`ZMQ_HEARTBEAT_TTL`). A ferromq peer does not count the time in which
    /// it holds us back.
    #[doc(alias = "ZMQ_HEARTBEAT_TTL")]
    pub fn heartbeat_ttl(mut self, ttl: Duration) -> Self {
        self.heartbeat_ttl = ttl;
        self
    }

    /// How many connections the system may hold for a listener until they are
    /// accepted. Default 100 (`ZMQ_BACKLOG`).
    #[doc(alias = "ZMQ_BACKLOG")]
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = connections;
        self
    }

    /// Turns TCP keepalive on or off. Default `None`, as the system has it
    /// (`ZMQ_TCP_KEEPALIVE`).
    #[doc(alias = "ZMQ_TCP_KEEPALIVE")]
    pub fn tcp_keepalive(mut self, keepalive: impl Into<Option<bool>>) -> Self {
        self.tcp_keepalive = keepalive.into();
        self
    }

    /// Silence before the first keepalive probe. Default `None`, the system's
    /// (`ZMQ_TCP_KEEPALIVE_IDLE`).
    #[doc(alias = "ZMQ_TCP_KEEPALIVE_IDLE")]
    pub fn tcp_keepalive_idle(mut self, idle: impl Into<Option<Duration>>) -> Self {
        self.tcp_keepalive_idle = idle.into();
        self
    }

    /// Time between keepalive probes. Default `None`, the system's
    /// (`ZMQ_TCP_KEEPALIVE_INTVL`).
    #[doc(alias = "ZMQ_TCP_KEEPALIVE_INTVL")]
    pub fn tcp_keepalive_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.tcp_keepalive_interval = interval.into();
        self
    }

    /// Unanswered probes after which a connection is dead. Default `None`, the
    /// system's (`ZMQ_TCP_KEEPALIVE_CNT`).
    #[doc(alias = "ZMQ_TCP_KEEPALIVE_CNT")]
    pub fn tcp_keepalive_count(mut self, probes: impl Into<Option<u32>>) -> Self {
        self.tcp_keepalive_count = probes.into();
        self
    }

    /// The kernel's send buffer, in octets. Default `None`, the system's
    /// (`ZMQ_SNDBUF`).
    #[doc(alias = "ZMQ_SNDBUF")]
    pub fn send_buffer(mut self, octets: impl Into<Option<usize>>) -> Self {
        self.send_buffer = octets.into();
        self
    }

    /// The kernel's receive buffer, in octets. Default `None`, the system's
    /// (`ZMQ_RCVBUF`).
    #[doc(alias = "ZMQ_RCVBUF")]
    pub fn recv_buffer(mut self, octets: impl Into<Option<usize>>) -> Self {
        self.recv_buffer = octets.into();
        self
    }

    /// Whether names and `*` may stand for IPv6 addresses. Default false
    /// (`ZMQ_IPV6`). Literal IPv6 addresses work either way.
    #[doc(alias = "ZMQ_IPV6")]
    pub fn ipv6(mut self, ipv6: bool) -> Self {
        self.ipv6 = ipv6;
        self
    }

    /// The type-of-service octet of IP packets. Default 0 (`ZMQ_TOS`).
    #[doc(alias = "ZMQ_TOS")]
    pub fn type_of_service(mut self, octet: u8) -> Self {
        self.type_of_service = octet;
        self
    }

    /// A property to announce in READY, for the peer to read; names by
    /// convention start with `X-` (RFC 37, `ZMQ_METADATA`). Default none.
    ///
    /// A name has 1 to 255 bytes, and each is there once, whatever the case of its
    /// letters; `Socket-Type` and `Identity` are taken. With others, `bind` and
    /// `connect` fail with an [`OptionError`](crate::OptionError). A peer may refuse a
    /// handshake with more than 64 properties, or with more than 8 KiB; ferromq does.
    #[doc(alias = "ZMQ_METADATA")]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.metadata.push((name.into(), value.into()));
        self
    }
}
