//! RFC 28, "The REP Socket Type".

use std::collections::HashSet;

use ferromq::{
    DealerSocket, DropCause, Message, RecvError, RepSocket, ReqSocket, SendErrorKind, SocketOptions,
};

use crate::support::{Net, Receives, narrow, numbered, plain, soon};
use crate::wire::Wire;

over_inproc_and_tcp!(
    rep_shall_not_filter_or_modify_messages,
    rep_shall_receive_and_then_send_one_message_at_a_time,
    rep_shall_receive_fair_queued,
    rep_shall_remove_the_envelope_and_pass_the_data_on,
    rep_shall_wait_for_a_single_reply,
    rep_shall_prepend_the_envelope_and_delimiter,
    rep_shall_deliver_the_reply_to_the_peer_that_asked,
    rep_shall_discard_the_reply_to_a_peer_that_has_left,
);

/// "SHALL not filter or modify outgoing or incoming messages in any way."
async fn rep_shall_not_filter_or_modify_messages(net: Net) {
    let rep = net.bound::<RepSocket>(plain()).await;
    let req = net.connecting::<ReqSocket>(plain(), &rep.endpoint());
    let large = Message::from(vec![7; 1 << 20]);
    let empty = Message::from(["", "", ""]);
    let messages =
        [Message::new(), empty, ["", "x"].into(), ["x", ""].into(), b"\0\xFF".into(), large];
    for message in messages {
        soon(req.send(message.clone())).await.unwrap();
        let request = rep.get().await;
        assert_eq!(request, message);
        rep.try_send(request).unwrap();
        assert_eq!(req.get().await, message);
    }
}

/// "SHALL receive and then send exactly one message at a time." Out of turn,
/// both fail at once and change nothing.
async fn rep_shall_receive_and_then_send_one_message_at_a_time(net: Net) {
    let rep = net.bound::<RepSocket>(plain()).await;
    let req = net.connecting::<ReqSocket>(plain(), &rep.endpoint());
    for number in 0..3 {
        let refused = soon(rep.send("early")).await.unwrap_err();
        assert_eq!(refused.kind(), SendErrorKind::OutOfTurn);
        assert_eq!(refused.into_message(), "early".into());
        soon(req.send(numbered(number))).await.unwrap();
        assert_eq!(rep.get().await, numbered(number));
        assert_eq!(rep.try_recv(), Err(RecvError::OutOfTurn));
        assert_eq!(soon(rep.recv()).await, Err(RecvError::OutOfTurn));
        rep.try_send("reply").unwrap();
        assert_eq!(rep.try_send("again").unwrap_err().kind(), SendErrorKind::OutOfTurn);
        assert_eq!(req.get().await, "reply".into());
    }
}

/// "The request and reply messages SHALL have this format on the wire: An
/// address envelope consisting of zero or more frames, each containing one
/// identity. A delimiter, consisting of an empty frame. One or more data
/// frames, comprising the message visible to the application."
#[tokio::test]
async fn requests_and_replies_shall_have_an_envelope_a_delimiter_and_data_frames() {
    let net = Net::tcp();
    let rep = net.bound::<RepSocket>(plain()).await;
    let mut dealer = Wire::join(&rep.endpoint(), "DEALER").await;
    // No frames before the delimiter, and an empty one among the data.
    dealer.send(b"\x01\x00\x01\x05Hello\x00\x00").await;
    assert_eq!(rep.get().await, Message::from(["Hello", ""]));
    rep.try_send("World").unwrap();
    dealer.expect(b"\x01\x00\x00\x05World").await;
    // Two.
    dealer.send(b"\x01\x01X\x01\x02YZ\x01\x00\x00\x05Hello").await;
    assert_eq!(rep.get().await, "Hello".into());
    rep.try_send(["World", "!"]).unwrap();
    dealer.expect(b"\x01\x01X\x01\x02YZ\x01\x00\x01\x05World\x00\x01!").await;
    // What has another format is no request: without delimiter, without data.
    dealer.send(b"\x00\x05Hello\x01\x01X\x00\x00\x01\x00\x00\x06really").await;
    assert_eq!(rep.get().await, "really".into());
    assert_eq!(rep.dropped(DropCause::Discarded), 2);
}

/// "SHALL receive incoming messages from its peers using a fair-queuing
/// strategy."
async fn rep_shall_receive_fair_queued(net: Net) {
    let mut rep = net.bound::<RepSocket>(plain()).await;
    let mut dealers = Vec::new();
    for _ in 0..5 {
        dealers.push(net.connected::<DealerSocket>(plain(), &mut rep).await);
    }
    for (who, dealer) in dealers.iter().enumerate() {
        for number in 0..3 {
            let request = ["".to_owned(), who.to_string(), number.to_string()];
            dealer.try_send(request).unwrap();
        }
    }
    // When all of them have left, all they asked is there.
    for dealer in &dealers {
        let _ = soon(dealer.close()).await;
        rep.left().await;
    }
    for number in 0..3 {
        let mut seen = HashSet::new();
        for _ in &dealers {
            let request = rep.get().await;
            assert_eq!(request[1], number.to_string());
            seen.insert(request[0].clone());
            rep.try_send("to nobody").unwrap();
        }
        assert_eq!(seen.len(), dealers.len(), "one of each");
    }
}

/// "SHALL remove and store the address envelope, including the delimiter."
/// "SHALL pass the remaining data frames to its calling application."
async fn rep_shall_remove_the_envelope_and_pass_the_data_on(net: Net) {
    let rep = net.bound::<RepSocket>(plain()).await;
    let dealer = net.connecting::<DealerSocket>(plain(), &rep.endpoint());
    dealer.try_send(["X", "Y", "", "one", "", "two"]).unwrap();
    assert_eq!(rep.get().await, Message::from(["one", "", "two"]));
}

/// "SHALL wait for a single reply message from its calling application." The
/// next request stays where it is until then.
async fn rep_shall_wait_for_a_single_reply(net: Net) {
    let rep = net.bound::<RepSocket>(plain()).await;
    let dealer = net.connecting::<DealerSocket>(plain(), &rep.endpoint());
    dealer.try_send(["", "first"]).unwrap();
    dealer.try_send(["", "second"]).unwrap();
    assert_eq!(rep.get().await, "first".into());
    assert_eq!(soon(rep.recv()).await, Err(RecvError::OutOfTurn));
    rep.try_send("reply to first").unwrap();
    assert_eq!(rep.get().await, "second".into());
    rep.try_send("reply to second").unwrap();
    for reply in ["reply to first", "reply to second"] {
        assert_eq!(dealer.get().await, Message::from(["", reply]));
    }
}

/// "SHALL prepend the address envelope and delimiter." libzmq's test_spec_rep:
/// a minimal envelope and a big one.
async fn rep_shall_prepend_the_envelope_and_delimiter(net: Net) {
    let rep = net.bound::<RepSocket>(plain()).await;
    let dealer = net.connecting::<DealerSocket>(plain(), &rep.endpoint());
    for envelope in [vec![""], vec!["X", "Y", ""], vec!["a long one".repeat(20).leak(), ""]] {
        let with = |data: &'static str| Message::from([&envelope[..], &[data]].concat());
        dealer.try_send(with("request")).unwrap();
        assert_eq!(rep.get().await, "request".into());
        rep.try_send("reply").unwrap();
        assert_eq!(dealer.get().await, with("reply"));
    }
}

/// "SHALL deliver this message back to the originating peer."
async fn rep_shall_deliver_the_reply_to_the_peer_that_asked(net: Net) {
    let mut rep = net.bound::<RepSocket>(plain()).await;
    let one = net.connected::<DealerSocket>(plain(), &mut rep).await;
    let other = net.connected::<DealerSocket>(plain(), &mut rep).await;
    for number in 0..6 {
        let asker = if number % 3 == 0 { &one } else { &other };
        asker.try_send(["", "request"]).unwrap();
        assert_eq!(rep.get().await, "request".into());
        rep.try_send(numbered(number)).unwrap();
        assert_eq!(asker.get().await[1], number.to_string());
    }
}

/// "SHALL silently discard the reply, or return an error, if the originating
/// peer is no longer connected." It is counted, and the next is served.
async fn rep_shall_discard_the_reply_to_a_peer_that_has_left(net: Net) {
    let mut rep = net.bound::<RepSocket>(plain()).await;
    let leaving = net.connected::<DealerSocket>(plain(), &mut rep).await;
    leaving.try_send(["", "request"]).unwrap();
    assert_eq!(rep.get().await, "request".into());
    let _ = soon(leaving.close()).await;
    rep.left().await;
    soon(rep.send("reply")).await.unwrap();
    assert_eq!(rep.dropped(DropCause::Unroutable), 1);
    let next = net.connected::<DealerSocket>(plain(), &mut rep).await;
    next.try_send(["", "next"]).unwrap();
    assert_eq!(rep.get().await, "next".into());
    rep.try_send("reply to next").unwrap();
    assert_eq!(next.get().await, Message::from(["", "reply to next"]));
}

/// "SHALL not block on sending." A peer that takes no replies has room for two
/// of them; the others are dropped for it and counted.
#[tokio::test]
async fn rep_shall_not_block_on_sending() {
    let net = Net::inproc();
    let rep = net.bound::<RepSocket>(SocketOptions::new().send_hwm(1)).await;
    let dealer = net.connecting::<DealerSocket>(narrow(), &rep.endpoint());
    for _ in 0..10 {
        dealer.try_send(["", "request"]).unwrap();
        assert_eq!(rep.get().await, "request".into());
        rep.try_send("reply").unwrap();
    }
    assert_eq!(rep.dropped(DropCause::PeerFull), 8);
}
