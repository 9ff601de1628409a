//! Pure-Rust, tokio-native ZeroMQ.
#![forbid(unsafe_code)]

mod endpoint;
mod fault;
mod message;
mod monitor;
mod options;
mod peer;
mod routing_id;
mod socket_type;

mod pipe;

mod pattern;
mod zmtp;

pub use endpoint::Endpoint;
pub use fault::PeerFault;
pub use message::Message;
pub use monitor::{DisconnectReason, Monitor, MonitorEvent};
pub use options::{Linger, SocketOptions, XPubVerbosity};
pub use peer::{DropCause, PeerInfo};
pub use routing_id::{InvalidRoutingId, RoutingId};
pub use socket_type::SocketType;
