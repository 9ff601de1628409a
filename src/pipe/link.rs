//! [`Link`]: what the connections of one endpoint have in common.

use std::sync::Arc;

use super::{Backlog, EndpointKey, SocketSide, Traits};
use crate::endpoint::Endpoint;
use crate::monitor::MonitorEvent;
use crate::options::SocketOptions;
use crate::peer::PeerInfo;
use crate::socket_type::SocketType;

/// One bind or connect of a socket, as those see it who make its connections.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) side: Arc<dyn SocketSide>,
    pub(crate) socket_type: SocketType,
    pub(crate) traits: &'static Traits,
    pub(crate) options: Arc<SocketOptions>,
    pub(crate) backlog: Arc<Backlog>,
    /// Where we listen, or what was given to connect.
    pub(crate) endpoint: Endpoint,
    pub(crate) owner: EndpointKey,
}

impl Link {
    pub(crate) fn emit(&self, event: MonitorEvent) {
        self.side.emit(event);
    }

    /// What a peer in this process learns of us without a handshake.
    pub(crate) fn info(&self) -> PeerInfo {
        PeerInfo {
            socket_type: Some(self.socket_type),
            routing_id: self.options.routing_id.clone(),
            address: self.endpoint.to_string(),
            metadata: self.options.metadata.clone(),
            ..PeerInfo::default()
        }
    }
}
