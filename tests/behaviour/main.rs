//! How whole sockets behave, over tcp, ipc and inproc.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod endpoints;
mod deadlines;
mod lingering;
mod marks;
mod reconnecting;
mod monitoring;
mod queues;
mod redialling;
mod release;
