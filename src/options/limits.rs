//! What peers may take up of a socket.

use super::SocketOptions;
use crate::mark::Mark;

/// What peers may take up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections of one bound endpoint.
    pub(crate) connections: Mark,
    /// Those of them that come from one address.
    pub(crate) connections_per_address: Mark,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: Mark::UNLIMITED, connections_per_address: Mark::UNLIMITED }
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
}
