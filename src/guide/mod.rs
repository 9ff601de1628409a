//! Guides: what does not belong to any one type.

pub mod departures;
pub mod reliability;
pub mod security;
