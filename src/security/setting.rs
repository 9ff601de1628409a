//! [`Security`]: the mechanism of a socket, and its part in it.

#[cfg(feature = "curve")]
use std::sync::Arc;

#[cfg(feature = "plain")]
use super::PlainCredentials;
#[cfg(feature = "curve")]
use super::{CurveKeypair, CurvePublicKey};
use super::{Mechanism, Policy};

/// Which mechanism a socket speaks, on which side, and with what. Which side
/// connects has nothing to do with it.
#[derive(Debug, Clone)]
pub(crate) enum Security {
    Null {
        policy: Option<Policy>,
    },
    #[cfg(feature = "plain")]
    PlainClient(PlainCredentials),
    #[cfg(feature = "plain")]
    PlainServer(Policy),
    #[cfg(feature = "curve")]
    CurveClient {
        keys: Arc<CurveKeypair>,
        server: CurvePublicKey,
    },
    #[cfg(feature = "curve")]
    CurveServer {
        keys: Arc<CurveKeypair>,
        policy: Policy,
    },
}

impl Security {
    pub(crate) fn mechanism(&self) -> Mechanism {
        match self {
            Self::Null { .. } => Mechanism::Null,
            #[cfg(feature = "plain")]
            Self::PlainClient(_) | Self::PlainServer(_) => Mechanism::Plain,
            #[cfg(feature = "curve")]
            Self::CurveClient { .. } | Self::CurveServer { .. } => Mechanism::Curve,
        }
    }

    /// Who decides whether a peer may come in, if it is for us to decide.
    pub(crate) fn policy(&self) -> Option<&Policy> {
        match self {
            Self::Null { policy } => policy.as_ref(),
            #[cfg(feature = "plain")]
            Self::PlainServer(policy) => Some(policy),
            #[cfg(feature = "curve")]
            Self::CurveServer { policy, .. } => Some(policy),
            #[cfg(any(feature = "plain", feature = "curve"))]
            _ => None,
        }
    }

    /// Whether we are the one who presents something, and has said all of itself
    /// before the other does.
    pub(crate) fn is_client(&self) -> bool {
        match self {
            #[cfg(feature = "plain")]
            Self::PlainClient(_) => true,
            #[cfg(feature = "curve")]
            Self::CurveClient { .. } => true,
            _ => false,
        }
    }

    /// Whether we are the server of a mechanism that knows servers and clients.
    pub(crate) fn is_server(&self) -> bool {
        self.mechanism() != Mechanism::Null && !self.is_client()
    }
}

impl Default for Security {
    fn default() -> Self {
        Self::Null { policy: None }
    }
}
