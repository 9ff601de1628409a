//! REQ, REP, DEALER and ROUTER (RFC 28): requests to services and the replies.

mod dealer;
mod rep;
mod req;
mod router;

pub(crate) use dealer::Dealer;
pub(crate) use rep::Rep;
pub(crate) use req::Req;
pub(crate) use router::Router;
