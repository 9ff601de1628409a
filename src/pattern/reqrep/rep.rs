//! REP (RFC 28): receives a request, then sends its reply.

use std::sync::Arc;

use crate::message::Message;
use crate::options::SocketOptions;
use crate::pattern::{Before, Delivery, Pattern, Routed, SendRefusal, Touched};
use crate::peer::{DropCause, PeerInfo, Unwelcome};
use crate::pipe::{Peer, Refused, Traits};
use crate::routing::Envelope;
use crate::sync::{Lock, Rank};

const TRAITS: Traits = Traits { drops: true, lockstep: true, ..Traits::PLAIN };

/// REP answers one request at a time.
///
/// ```text
///            accept: a request
///   ┌──────┐ ─────────────────► ┌──────────┐
///   │ Idle │                    │ Replying │
///   └──────┘ ◄───────────────── └──────────┘
///            send: its reply
/// ```
/// RFC 28: SHALL receive and then send exactly one message at a time. Sending
/// while idle and receiving while replying are out of turn and change nothing.
/// That the asker leaves changes nothing either: the reply is due, and dropped.
///
/// No `send` comes between [`Pattern::before_recv`] and [`Pattern::accept`]:
/// the socket sees to that.
pub(crate) struct Rep {
    /// Guards whose turn it is.
    turn: Lock<Turn>,
}

#[derive(Default)]
enum Turn {
    #[default]
    Idle,
    Replying {
        asker: Arc<Peer>,
        /// The session in which it asked.
        session: u32,
        envelope: Envelope,
    },
}

impl Turn {
    /// Whether a reply with its envelope is one that a peer takes.
    fn has_room_for(&self, reply: &Message) -> bool {
        match self {
            Self::Idle => true,
            Self::Replying { envelope, .. } => envelope.fits(reply),
        }
    }
}

impl Rep {
    pub(crate) fn new(_options: &SocketOptions) -> Self {
        Self { turn: Lock::new(Rank::Pattern, Turn::Idle) }
    }
}

// RFC 28: SHALL deliver this message back to the originating peer. SHALL
// silently discard the reply, or return an error, if the originating peer is no
// longer connected. SHALL not block on sending.
fn reply(asker: &Peer, session: u32, message: &mut Message, touched: &mut Touched) -> Routed {
    if !asker.is_still(session) {
        // Whoever is at its endpoint now did not ask.
        return Routed::Dropped { lost: 1, cause: DropCause::Unroutable };
    }
    match asker.line.push(message) {
        Ok(needs) => {
            touched.note(needs, &asker.line);
            Routed::Sent
        }
        Err(Refused::Full) => Routed::Dropped { lost: 1, cause: DropCause::PeerFull },
        Err(Refused::Gone) => Routed::Dropped { lost: 1, cause: DropCause::Unroutable },
    }
}

impl Pattern for Rep {
    fn traits(&self) -> &'static Traits {
        &TRAITS
    }

    // Nothing to note: a reply goes to its asker or nowhere.
    fn attach(&self, _peer: &Arc<Peer>) -> Result<(), Unwelcome> {
        Ok(())
    }

    // A reply that waits was not for this one if it is another. (One that is due is
    // looked at when it is sent.)
    fn up(&self, peer: &Arc<Peer>, _: &PeerInfo, _: &mut Touched) -> Result<(), Unwelcome> {
        let _turn = self.turn.lock();
        if peer.is_another() {
            peer.line.forget();
        }
        Ok(())
    }

    // Nothing here, either: the line of a peer that has left refuses the reply.
    fn detach(&self, _peer: &Arc<Peer>) {}

    fn send(&self, _to: Option<&[u8]>, message: &mut Message, touched: &mut Touched) -> Routed {
        let mut turn = self.turn.lock();
        match std::mem::take(&mut *turn) {
            Turn::Idle => Routed::Refused(SendRefusal::OutOfTurn),
            replying @ Turn::Replying { .. } if !replying.has_room_for(message) => {
                *turn = replying;
                Routed::Refused(SendRefusal::TooManyFrames)
            }
            Turn::Replying { asker, session, envelope } => {
                // RFC 28: SHALL prepend the address envelope and delimiter.
                envelope.put_on(message);
                reply(&asker, session, message, touched)
            }
        }
    }

    // RFC 28: SHALL wait for a single reply message from its calling
    // application.
    fn before_recv(&self) -> Before {
        match *self.turn.lock() {
            Turn::Idle => Before::Proceed,
            Turn::Replying { .. } => Before::OutOfTurn,
        }
    }

    fn is_receivers_turn(&self) -> bool {
        matches!(*self.turn.lock(), Turn::Idle)
    }

    fn accept(&self, from: &Arc<Peer>, delivery: &mut Delivery) -> bool {
        // RFC 28: SHALL remove and store the address envelope, including the
        // delimiter. (What has none, or no data frame after it, is no request.)
        let Some(envelope) = Envelope::take_off(&mut delivery.message) else { return false };
        let (asker, session) = (Arc::clone(from), from.session_in_hand());
        *self.turn.lock() = Turn::Replying { asker, session, envelope };
        // RFC 28: SHALL pass the remaining data frames to its calling
        // application.
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::testing::{accept, is_sent, send};
    use crate::routing::testing::{FakePeer, message};

    fn rep_with(peers: &[&FakePeer]) -> Rep {
        let rep = Rep::new(&SocketOptions::new());
        for peer in peers {
            rep.attach(peer).unwrap();
        }
        rep
    }

    /// Receives a request made of these frames and says what is seen of it.
    fn ask<'a>(
        rep: &Rep,
        peer: &FakePeer,
        frames: impl IntoIterator<Item = &'a str>,
    ) -> Option<Message> {
        assert!(matches!(rep.before_recv(), Before::Proceed));
        accept(rep, peer, message(frames)).map(|delivery| delivery.message)
    }

    fn is_idle(rep: &Rep) -> bool {
        matches!(rep.before_recv(), Before::Proceed)
    }

    #[test]
    fn rep_receives_and_then_sends_exactly_one_message_at_a_time() {
        let peer = FakePeer::accepted(10);
        let rep = rep_with(&[&peer]);
        let early = send(&rep, message(["early", "reply"]));
        assert_eq!(early, Routed::Refused(SendRefusal::OutOfTurn));
        for _ in 0..2 {
            assert_eq!(ask(&rep, &peer, ["", "request"]), Some(message(["request"])));
            assert!(matches!(rep.before_recv(), Before::OutOfTurn));
            assert!(is_sent(&send(&rep, message(["reply"]))));
            assert!(matches!(send(&rep, message(["again"])), Routed::Refused(..)));
        }
        assert_eq!(peer.take_sent(), vec![message(["", "reply"]); 2]);
    }

    #[test]
    fn rep_stores_the_envelope_and_prepends_it_to_the_reply() {
        let peer = FakePeer::accepted(10);
        let rep = rep_with(&[&peer]);
        assert_eq!(ask(&rep, &peer, ["X", "Y", "", "A", "", "B"]), Some(message(["A", "", "B"])));
        assert!(is_sent(&send(&rep, message(["reply", ""]))));
        assert_eq!(peer.take_sent(), [message(["X", "Y", "", "reply", ""])]);
    }

    #[test]
    fn rep_does_not_filter_or_modify_messages() {
        let peer = FakePeer::accepted(10);
        let rep = rep_with(&[&peer]);
        for (request, body) in [(vec!["", ""], vec![""]), (vec!["", "", "a"], vec!["", "a"])] {
            assert_eq!(ask(&rep, &peer, request.clone()), Some(message(body.clone())));
            assert!(is_sent(&send(&rep, message(body))));
            assert_eq!(peer.take_sent(), [message(request)]);
        }
    }

    #[test]
    fn rep_delivers_the_reply_to_the_originating_peer() {
        let [a, b] = [10, 10].map(FakePeer::accepted);
        let rep = rep_with(&[&a, &b]);
        for peer in [&b, &a, &b] {
            assert!(ask(&rep, peer, ["", "request"]).is_some());
            assert!(is_sent(&send(&rep, message(["reply"]))));
            assert_eq!(peer.take_sent(), [message(["", "reply"])]);
        }
        assert!(a.take_sent().is_empty());
    }

    #[test]
    fn rep_discards_the_reply_if_the_originating_peer_is_no_longer_connected() {
        let [detached, gone, next] = [10, 10, 10].map(FakePeer::accepted);
        let rep = rep_with(&[&detached, &gone, &next]);
        for peer in [&detached, &gone] {
            assert!(ask(&rep, peer, ["", "request"]).is_some());
            peer.depart();
            if Arc::ptr_eq(peer, &detached) {
                rep.detach(peer);
            }
            let lost = send(&rep, message(["reply"]));
            assert!(matches!(lost, Routed::Dropped { lost: 1, cause: DropCause::Unroutable }));
            assert!(is_idle(&rep));
        }
        assert!(ask(&rep, &next, ["", "request"]).is_some());
        assert!(is_sent(&send(&rep, message(["reply"]))));
    }

    #[test]
    fn rep_does_not_block_on_sending() {
        let peer = FakePeer::accepted(0);
        let rep = rep_with(&[&peer]);
        assert!(ask(&rep, &peer, ["", "request"]).is_some());
        let lost = send(&rep, message(["reply"]));
        assert!(matches!(lost, Routed::Dropped { lost: 1, cause: DropCause::PeerFull }));
        assert!(is_idle(&rep));
    }

    #[test]
    fn rep_skips_a_malformed_request_whole_and_serves_the_next() {
        let peer = FakePeer::accepted(10);
        let rep = rep_with(&[&peer]);
        for malformed in [vec!["x"], vec![""], vec!["x", "y"], vec!["x", ""]] {
            assert_eq!(ask(&rep, &peer, malformed), None);
            assert!(is_idle(&rep));
        }
        assert!(ask(&rep, &peer, ["", "request"]).is_some());
    }

    #[test]
    fn rep_serves_a_request_whose_asker_has_left() {
        let peer = FakePeer::accepted(10);
        let rep = rep_with(&[&peer]);
        peer.depart();
        rep.detach(&peer);
        assert_eq!(ask(&rep, &peer, ["", "request"]), Some(message(["request"])));
        assert!(matches!(send(&rep, message(["reply"])), Routed::Dropped { lost: 1, .. }));
    }
}
