//! RFC 28: REQ, REP, DEALER and ROUTER.

mod dealer;
mod rep;
mod req;
mod req_options;
mod router;
mod router_options;

use ferromq::RoutingId;

/// A routing id.
fn id(name: &str) -> RoutingId {
    RoutingId::try_from(name).unwrap()
}
