//! [`SocketType`] and which types talk to each other (RFC 28 to 31).

use std::fmt;

/// The type of a socket, as READY announces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // The names are the RFCs'.
pub enum SocketType {
    Req,
    Rep,
    Router,
    Dealer,
    Pub,
    Sub,
    XPub,
    XSub,
    Push,
    Pull,
    Pair,
}

impl SocketType {
    /// Every type, in the order of the RFCs.
    pub const ALL: [Self; 11] = [
        Self::Req,
        Self::Rep,
        Self::Router,
        Self::Dealer,
        Self::Pub,
        Self::Sub,
        Self::XPub,
        Self::XSub,
        Self::Push,
        Self::Pull,
        Self::Pair,
    ];

    /// The value of the `Socket-Type` property.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Req => "REQ",
            Self::Rep => "REP",
            Self::Router => "ROUTER",
            Self::Dealer => "DEALER",
            Self::Pub => "PUB",
            Self::Sub => "SUB",
            Self::XPub => "XPUB",
            Self::XSub => "XSUB",
            Self::Push => "PUSH",
            Self::Pull => "PULL",
            Self::Pair => "PAIR",
        }
    }

    /// The type a `Socket-Type` property names.
    pub(crate) fn from_property(value: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str().as_bytes() == value)
    }

    /// Whether a socket of this type may talk to one of the `other`.
    ///
    /// ```
    /// use ferromq::SocketType;
    ///
    /// assert!(SocketType::Push.is_compatible(SocketType::Pull));
    /// assert!(!SocketType::Push.is_compatible(SocketType::Push));
    /// ```
    pub const fn is_compatible(self, other: Self) -> bool {
        use SocketType::*;
        match self {
            Req => matches!(other, Rep | Router),
            Rep => matches!(other, Req | Dealer),
            Dealer => matches!(other, Rep | Dealer | Router),
            Router => matches!(other, Req | Dealer | Router),
            Pub | XPub => matches!(other, Sub | XSub),
            Sub | XSub => matches!(other, Pub | XPub),
            Push => matches!(other, Pull),
            Pull => matches!(other, Push),
            Pair => matches!(other, Pair),
        }
    }
}

impl fmt::Display for SocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
