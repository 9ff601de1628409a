//! What tests of policies need: somebody to decide about, and the decision.

use std::task::{Context, Poll, Waker};

use super::{Answer, Authenticator, Candidate, Credentials, Denial, Verdict};
use crate::peer::PeerInfo;

/// Somebody at 127.0.0.1 who presents this.
pub(crate) fn candidate(credentials: Credentials) -> Candidate {
    let address = "tcp://127.0.0.1:5555".into();
    Candidate::new(credentials, PeerInfo { address, ..PeerInfo::default() })
}

/// The answer, if it is there at once.
pub(crate) fn at_once(mut answer: Answer<'_>) -> Option<Verdict> {
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verdict) => Some(verdict),
        Poll::Pending => None,
    }
}

/// What somebody who never waits decides.
pub(crate) fn verdict(authenticator: &impl Authenticator, candidate: &Candidate) -> Verdict {
    at_once(authenticator.authenticate(candidate)).expect("it does not wait")
}

/// Why it does not let somebody in.
pub(crate) fn denied(authenticator: &impl Authenticator, candidate: &Candidate) -> String {
    let Err((how, reason)) = verdict(authenticator, candidate).0 else { panic!("it is let in") };
    assert_eq!(how, Denial::Unauthorized);
    reason
}
