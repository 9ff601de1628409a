//! [`ZapClient`]: asks the ZAP handler about peers (RFC 27).
//!
//! Each question has a socket of its own, so that as many can be under way as
//! there are handshakes, and none waits for another. The handler is in this
//! process and trusted: nothing of it is limited, but what does not fit the RFC
//! lets nobody in.

use std::time::Duration;

use super::Handle;
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::options::{Linger, SocketOptions};
use crate::security::{Answer, Authenticator, Candidate, Denial, Verdict, zap};
use crate::socket_type::SocketType;

/// Where the handler is bound.
const HANDLER: &str = "zeromq.zap.01";

/// Asks the handler that is bound in a context.
pub(super) struct ZapClient {
    context: Context,
    /// Whether a domain must be set.
    enforces_domain: bool,
}

impl ZapClient {
    pub(super) fn new(context: &Context, enforces_domain: bool) -> Self {
        Self { context: context.clone(), enforces_domain }
    }

    async fn ask(&self, candidate: &Candidate) -> Result<Verdict, &'static str> {
        if self.enforces_domain && candidate.domain.is_empty() {
            return Err("the socket has no ZAP domain");
        }
        if !self.context.registry().is_bound(HANDLER) {
            return Err("there is no ZAP handler");
        }
        let options = SocketOptions::new().linger(Linger::For(Duration::ZERO));
        let socket = Handle::new(SocketType::Dealer, options, &self.context);
        let endpoint: Result<Endpoint, _> = format!("inproc://{HANDLER}").parse();
        socket.connect(endpoint).map_err(|_| "the ZAP handler is of another socket type")?;
        socket.send(None, zap::request(candidate)).await.map_err(|_| "the ZAP handler has left")?;
        let reply = socket.recv().await.map_err(|_| "the ZAP handler has left")?;
        zap::verdict(reply.message).ok_or("the reply of the ZAP handler is malformed")
    }
}

impl Authenticator for ZapClient {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Answer<'a> {
        Box::pin(async move {
            self.ask(candidate)
                .await
                .unwrap_or_else(|why| Verdict::deny_with(Denial::Internal, why))
        })
    }
}
