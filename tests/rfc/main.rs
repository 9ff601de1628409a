//! One test per SHALL, SHALL NOT and MUST of the RFCs 23 and 37 (ZMTP), 24 (PLAIN),
//! 25 and 26 (CURVE), 27 (ZAP), 28 (request-reply), 29 (publish-subscribe), 30
//! (pipeline) and 31 (exclusive pair), each with the sentence it is for. Where ferromq departs from the
//! sentence on purpose, the test shows what it does instead and begins with
//! `departs_`; `ferromq::guide::departures` has the reasons.
//!
//! What a socket does is tested through the public API over real transports;
//! what is on the wire against a plain TCP socket and literal octets.
#![allow(clippy::unwrap_used)]

#[macro_use]
mod support;
mod atomic;
mod checks;
#[cfg(feature = "curve")]
mod curve;
mod pair;
mod pipeline;
#[cfg(feature = "plain")]
mod plain;
mod pubsub;
mod reqrep;
mod sockets;
mod wire;
#[cfg(all(feature = "plain", feature = "curve"))]
mod zap;
mod zmtp;
