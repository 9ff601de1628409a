//! How whole sockets behave, over tcp, ipc and inproc.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod backlog;
mod blocked;
mod cancelling;
mod closing;
mod computing;
mod connections;
#[cfg(feature = "threads")]
mod contexts;
mod deadlines;
#[cfg(feature = "plain")]
mod denied;
mod deserted;
mod endings;
mod endpoints;
mod heartbeats;
mod leaving;
mod limits;
mod lingering;
mod lockstep;
mod long_work;
mod marks;
mod model;
mod monitoring;
mod naming;
mod presence;
mod proxying;
mod queues;
mod rebinding;
mod receivers;
mod reconnecting;
mod recv_marks;
mod redialling;
mod refusing;
mod release;
mod requests;
mod resources;
#[cfg(all(feature = "plain", feature = "curve"))]
mod security;
mod send_marks;
mod send_marks_bytes;
mod stats;
mod streams;
mod subscribing;
mod successors;
mod with_peer;
