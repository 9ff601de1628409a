//! RFC 23 and 37: what a NULL-mechanism peer of ZMTP 3.0 or 3.1 can see. Where
//! the two differ in a sentence, the test says which one it is for.
//! Subscriptions are in `pubsub::filtering`, atomicity in `atomic`.

mod errors;
mod framing;
mod greeting;
mod heartbeat;
mod metadata;
mod null;
mod sockets;
