//! How whole sockets behave, over tcp, ipc and inproc.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod cancelling;
mod closing;
mod deadlines;
mod endpoints;
mod heartbeats;
mod leaving;
mod lingering;
mod lockstep;
mod marks;
mod monitoring;
mod naming;
mod queues;
mod rebinding;
mod receivers;
mod reconnecting;
mod recv_marks;
mod redialling;
mod release;
mod resources;
mod send_marks;
mod subscribing;
