//! Guides: what does not belong to any one type.

pub mod departures;
pub mod security;
