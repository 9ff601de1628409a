//! `inproc://`: the names of a context, and the queues between two sockets of
//! one process. No octets and no task.

mod end;
mod registry;

pub(crate) use registry::{InprocRefusal, Registry};
