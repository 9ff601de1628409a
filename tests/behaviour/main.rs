//! How whole sockets behave, over tcp, ipc and inproc.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod backlog;
mod cancelling;
mod closing;
mod computing;
mod connections;
mod deadlines;
mod endings;
mod endpoints;
mod heartbeats;
mod leaving;
mod limits;
mod lingering;
mod lockstep;
mod long_work;
mod marks;
mod monitoring;
mod naming;
mod queues;
mod rebinding;
mod receivers;
mod reconnecting;
mod recv_marks;
mod redialling;
mod refusing;
mod release;
mod resources;
mod send_marks;
mod subscribing;
mod with_peer;
