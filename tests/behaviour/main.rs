//! How whole sockets behave, over tcp, ipc and inproc.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod deadlines;
mod endpoints;
mod lingering;
mod marks;
mod monitoring;
mod queues;
mod reconnecting;
mod redialling;
mod release;
