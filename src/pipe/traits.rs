//! [`Traits`]: what a socket type is like, for the rooms that do not know the
//! patterns.

use crate::options::Linger;

/// How a socket type differs from others, besides what its pattern does. Each
/// pattern describes itself by a constant of this type.
#[derive(Debug)]
pub(crate) struct Traits {
    /// A full peer misses messages; `send` does not wait for it.
    pub(crate) drops: bool,
    /// What comes in is taken by the pattern as it comes, not by receivers.
    pub(crate) takes_at_once: bool,
    /// Peers subscribe to what it sends (PUB, XPUB).
    pub(crate) publishes: bool,
    /// Sending and receiving take turns (REQ, REP).
    pub(crate) lockstep: bool,
    /// Only what comes after a request was written may be its reply (REQ).
    pub(crate) asks: bool,
    /// Says from whom each message came, and is told to whom each goes (ROUTER).
    pub(crate) names_peers: bool,
    /// Names itself to its peers (RFC 37: REQ, DEALER and ROUTER MAY send an
    /// Identity. libzmq always does).
    pub(crate) identifies: bool,
    /// May turn away a peer that fits, for want of a place or a name; so where it
    /// accepts connections it judges the peer's READY before it sends its own.
    pub(crate) judges: bool,
    /// What it does not pass on was not meant for it, and is not lost (SUB).
    pub(crate) filters: bool,
    /// To connect to an endpoint once more would only double what there is, and
    /// is ignored, as libzmq does.
    pub(crate) connects_once: bool,
    /// Receivers get what comes as it is, at any time: nothing is asked before, kept
    /// back, or said beside it. So the pattern is not asked at all.
    pub(crate) passes: bool,
    /// How long to linger unless the options say so.
    pub(crate) linger: Linger,
}

impl Traits {
    /// What most types are like.
    pub(crate) const PLAIN: Self = Self {
        drops: false,
        takes_at_once: false,
        publishes: false,
        lockstep: false,
        asks: false,
        names_peers: false,
        identifies: false,
        judges: false,
        filters: false,
        connects_once: false,
        passes: false,
        linger: Linger::Forever,
    };
}
