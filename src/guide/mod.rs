//! Guides: what does not belong to any one type.

pub mod debugging;
pub mod departures;
pub mod libzmq;
pub mod reliability;
pub mod security;
