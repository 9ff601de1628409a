//! Frames: messages to octets and back (RFC 37, "Framing").

mod body;
mod decoder;
mod encoder;
mod flight;
mod header;
mod input;
mod recovery;
mod sealed;

pub(crate) use body::LARGE;
pub(crate) use decoder::{Decoder, Unit};
pub(crate) use encoder::Encoded;
pub(crate) use flight::Flight;
pub(crate) use header::{COMMAND, Header};
