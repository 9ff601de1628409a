//! `inproc://`: the names of a context, and the pipes between two sockets of
//! one process. No octets and no task: what one side pushes is what the other
//! takes, and whoever flushes tells the other socket by itself.
//!
//! The high-water mark of each direction is the sum of the sender's and the
//! receiver's. No lock of this room is held while a socket is told something.

mod end;
mod joint;
mod queue;
mod registry;
#[cfg(test)]
mod tests;
mod uncounted;
mod weights;

pub(crate) use registry::Registry;
