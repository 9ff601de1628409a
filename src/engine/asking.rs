//! Asks the policy about a peer, which may take a while, and whether the peer is still
//! there meanwhile.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use tokio::io::AsyncReadExt;
use tracing::error;

use super::meeting::transport;
use crate::monitor::DisconnectReason;
use crate::pipe::Link;
use crate::security::{Answer, Candidate, Denial, Verdict};
use crate::transport::Stream;
use crate::zmtp::{Handshake, Question};

/// How many octets are read of one that waits for a verdict, to see whether it has
/// left: as many as the largest command of a handshake has. Octets and not reads, for
/// it may send them one by one.
const EARLY_OCTETS: usize = 8 * 1024;

/// What a policy panicked with. Its hook has said that already.
type Panic = Box<dyn Any + Send>;

impl Link {
    /// The peer as the policy is to see it, if that is to decide about it now.
    pub(super) fn candidate(&self, handshake: &Handshake, stream: &Stream) -> Option<Candidate> {
        let Question { credentials, peer } = handshake.question()?;
        let mut peer = peer.clone();
        peer.address.clone_from(&stream.address);
        Some(Candidate {
            credentials: credentials.clone(),
            peer,
            ip: stream.origin.ip(),
            domain: self.options.zap_domain.clone(),
            own_id: self.options.routing_id.clone(),
        })
    }

    /// Asks the policy about a peer. Where there is none nobody comes in, nor where it
    /// panics: that is code of the user, and what a peer presents may be what it fails
    /// over. The task it runs in has others to answer for.
    pub(super) async fn ask(&self, candidate: &Candidate) -> Verdict {
        let policy = self.options.security().policy().cloned().unwrap_or_default();
        let zap = self.side.zap();
        let asked = Asked::new(|| policy.ask(candidate, &*zap));
        let verdict = match asked {
            Ok(mut asked) => poll_fn(|cx| asked.poll(cx)).await,
            Err(panic) => Err(panic),
        };
        verdict.unwrap_or_else(|_| {
            let (endpoint, address) = (&self.endpoint, &candidate.peer.address);
            error!(%endpoint, %address, "the policy panicked, so the peer is not let in");
            Verdict::deny_with(Denial::Internal, "the policy panicked")
        })
    }
}

/// A policy that was asked. Whatever it panics in, nobody else does.
struct Asked<'a>(Option<Answer<'a>>);

impl<'a> Asked<'a> {
    fn new(ask: impl FnOnce() -> Answer<'a>) -> Result<Self, Panic> {
        catch_unwind(AssertUnwindSafe(ask)).map(|answer| Self(Some(answer)))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Verdict, Panic>> {
        let Some(answer) = &mut self.0 else { return Poll::Pending };
        // One that has panicked is not polled again.
        match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx))) {
            Ok(verdict) => verdict.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let answer = self.0.take();
        // The hook has said it, and nobody waits for the verdict any more.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(answer)));
    }
}

/// Waits until a peer leaves while a policy decides about it. What it says meanwhile
/// is kept: as much as a command may have, and no more is read.
pub(super) async fn until_left(stream: &mut Stream, handshake: &mut Handshake) -> DisconnectReason {
    let (mut octets, mut left) = ([0; 1024], EARLY_OCTETS);
    while left > 0 {
        let room = left.min(octets.len());
        match stream.read.read(&mut octets[..room]).await {
            Ok(0) => return DisconnectReason::PeerClosed,
            Ok(count) => {
                left -= count;
                if let Err(fault) = handshake.feed(&octets[..count]) {
                    return DisconnectReason::Fault(fault);
                }
            }
            Err(error) => return transport(error),
        }
    }
    std::future::pending().await
}
