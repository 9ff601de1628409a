//! [`Link`]: what the connections of one endpoint have in common.

use std::sync::Arc;

use crate::endpoint::Endpoint;
use crate::monitor::MonitorEvent;
use crate::options::SocketOptions;
use crate::pipe::{EndpointKey, SocketSide};
use crate::socket_type::SocketType;

/// What the connections of one endpoint have in common. How they are run stands
/// in `connection`.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) side: Arc<dyn SocketSide>,
    pub(crate) socket_type: SocketType,
    pub(crate) options: Arc<SocketOptions>,
    /// Where we listen, or what was given to connect.
    pub(crate) endpoint: Endpoint,
    pub(crate) owner: EndpointKey,
}

impl Link {
    pub(super) fn emit(&self, event: MonitorEvent) {
        self.side.emit(event);
    }
}
