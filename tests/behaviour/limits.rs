//! How many frames a message may have: what a peer would refuse is refused at
//! once and given back, and all that a peer takes goes through.

use bytes::Bytes;
use ferromq::{
    Context, DealerSocket, Message, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket,
    ReqSocket, RouterSocket, RoutingId, SendError, SendErrorKind, SocketOptions, XPubSocket,
    XSubSocket,
};

use crate::common::{Transport, within};

/// So many a peer takes.
const MOST: usize = 1_000_000;

fn frames(count: usize) -> Message {
    vec![Bytes::from_static(b"f"); count].into_iter().collect()
}

/// The message that was given back for having too many frames.
#[track_caller]
fn back(sent: Result<(), SendError>, frames: usize) -> Message {
    let error = sent.unwrap_err();
    assert_eq!(error.kind(), SendErrorKind::TooManyFrames);
    let message = error.into_message();
    assert_eq!(message.len(), frames);
    message
}

macro_rules! refuse {
    ($message:ident, $($socket:expr),+) => {$(
        let socket = $socket;
        $message = back(socket.try_send($message), MOST + 1);
        $message = back(within(socket.send($message)).await, MOST + 1);
        // It does not depend on anybody being there, nor on how.
        for transport in Transport::ALL {
            socket.bind(transport.any()).await.unwrap();
            socket.connect(transport.known()).unwrap();
            $message = back(socket.try_send($message), MOST + 1);
            $message = back(within(socket.send($message)).await, MOST + 1);
        }
    )+};
}

#[tokio::test]
async fn a_message_of_too_many_frames_is_given_back_at_once_by_all_types() {
    let mut message = frames(MOST + 1);
    refuse!(message, PushSocket::new(), DealerSocket::new(), PubSocket::new());
    refuse!(message, XPubSocket::new(), XSubSocket::new(), ReqSocket::new());
    // PAIR has one peer, and is told of it at once.
    let pair = PairSocket::new();
    message = back(pair.try_send(message), MOST + 1);
    message = back(within(pair.send(message)).await, MOST + 1);
    let id = RoutingId::new("somebody").unwrap();
    for mandatory in [false, true] {
        let options = SocketOptions::new().router_mandatory(mandatory);
        let router = RouterSocket::with_options(options);
        message = back(router.try_send_to(&id, message), MOST + 1);
        message = back(within(router.send_to(&id, message)).await, MOST + 1);
        message.push_front("somebody");
        message = back(within(router.send_raw(message)).await, MOST + 2);
        message.pop_front();
    }
    assert_eq!(message.len(), MOST + 1);
}

#[tokio::test]
async fn as_many_frames_as_a_peer_takes_go_through() {
    for transport in Transport::ALL {
        let context = Context::new();
        let push = PushSocket::new_in(&context, SocketOptions::new());
        let pull = PullSocket::new_in(&context, SocketOptions::new());
        push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        for count in [65_537, MOST] {
            within(push.send(frames(count))).await.unwrap();
            let received = within(pull.recv()).await.unwrap();
            assert!(received == frames(count), "{transport:?}: {} frames", received.len());
        }
    }
}

/// REQ puts a delimiter in front, and a number if it correlates.
#[tokio::test]
async fn a_request_has_room_for_what_req_puts_in_front() {
    for (correlate, own) in [(false, 1), (true, 2)] {
        for transport in Transport::ALL {
            let req = ReqSocket::with_options(SocketOptions::new().req_correlate(correlate));
            let router = RouterSocket::new();
            req.connect(router.bind(transport.any()).await.unwrap()).unwrap();
            let request = frames(MOST - own + 1);
            let request = back(within(req.send(request)).await, MOST - own + 1);
            let mut request = back(req.try_send(request), MOST - own + 1);
            assert!(request == frames(MOST - own + 1), "it is as it was");
            // It is still this socket's turn.
            request.pop_front();
            within(req.send(request)).await.unwrap();
            let (id, request) = within(router.recv()).await.unwrap();
            assert_eq!(request.len(), MOST);
            within(router.send_to(&id, request)).await.unwrap();
            assert_eq!(within(req.recv()).await.unwrap().len(), MOST - own);
        }
    }
}

/// REP puts the envelope of the request in front.
#[tokio::test]
async fn a_reply_has_room_for_the_envelope_that_rep_puts_in_front() {
    const ENVELOPE: usize = 10;
    for transport in Transport::ALL {
        let (dealer, rep) = (DealerSocket::new(), RepSocket::new());
        dealer.connect(rep.bind(transport.any()).await.unwrap()).unwrap();
        let mut request: Message = frames(ENVELOPE - 1);
        request.push_back("");
        request.push_back("question");
        within(dealer.send(request)).await.unwrap();
        assert_eq!(within(rep.recv()).await.unwrap(), "question".into());
        let reply = back(within(rep.send(frames(MOST - 5))).await, MOST - 5);
        let reply = back(rep.try_send(reply), MOST - 5);
        assert!(reply == frames(MOST - 5), "it is as it was");
        // It is still this socket's turn.
        within(rep.send(frames(MOST - ENVELOPE))).await.unwrap();
        assert_eq!(within(dealer.recv()).await.unwrap().len(), MOST);
    }
}

/// The id that a ROUTER is told goes nowhere.
#[tokio::test]
async fn the_id_does_not_count_at_a_router() {
    for transport in Transport::ALL {
        let id = RoutingId::new("d").unwrap();
        let dealer = DealerSocket::with_options(SocketOptions::new().routing_id(id));
        let router = RouterSocket::new();
        dealer.connect(router.bind(transport.any()).await.unwrap()).unwrap();
        within(dealer.send(frames(MOST))).await.unwrap();
        let message = within(router.recv_raw()).await.unwrap();
        assert_eq!(message.len(), 1 + MOST);
        within(router.send_raw(message)).await.unwrap();
        assert_eq!(within(dealer.recv()).await.unwrap().len(), MOST);
    }
}
