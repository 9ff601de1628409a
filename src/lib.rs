//! Pure-Rust, tokio-native ZeroMQ.
#![forbid(unsafe_code)]

// Vocabulary: what everything else talks about.
mod endpoint;
mod error;
mod fault;
mod message;
mod monitor;
mod options;
mod peer;
mod printable;
mod routing_id;
mod socket_type;

// The protocol tower: octets, no sockets.
mod zmtp;

// The pattern tower: messages, no octets.
mod pattern;
mod pipe;
mod routing;

// Byte streams and names, and what moves messages over them.
mod engine;
mod transport;

// Where the towers meet.
mod context;
mod socket;

pub use context::Context;
pub use endpoint::{Endpoint, EndpointError, EndpointFault, IntoEndpoint};
pub use error::{
    BindError, ConnectError, Error, RecvError, ReleaseError, SendError, SendErrorKind, Unsupported,
};
pub use fault::PeerFault;
pub use message::{Frames, IntoFrame, IntoFrames, Message};
pub use monitor::{DisconnectReason, Monitor, MonitorEvent};
pub use options::{Linger, SocketOptions, XPubVerbosity};
pub use peer::{DropCause, PeerInfo};
pub use routing_id::{InvalidRoutingId, RoutingId};
pub use socket::{
    Closed, DealerSocket, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, SubSocket, XPubSocket, XSubSocket,
};
pub use socket_type::SocketType;
