//! Sockets as streams and sinks.

use std::time::Duration;

use ferromq::{
    Context, DealerSocket, Linger, PullSocket, PushSocket, Receive, RepSocket, ReqSocket,
    RouterSocket, SocketOptions, Transmit,
};
use futures_util::{SinkExt, StreamExt, stream};

use crate::common::{Transport, within};

#[tokio::test]
async fn a_stream_has_every_message_and_ends_with_the_socket() {
    for transport in Transport::ALL {
        let context = Context::new();
        let push = PushSocket::new_in(&context, SocketOptions::new());
        let pull = PullSocket::new_in(&context, SocketOptions::new());
        push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        let mut messages = pull.clone().into_stream();
        // Waiting that is given up loses nothing.
        assert!(tokio::time::timeout(Duration::from_millis(10), messages.next()).await.is_err());
        let sending = tokio::spawn(async move {
            let mut sink = push.into_sink();
            let numbers = (0..5000).map(|number: u32| Ok(number.to_string()));
            sink.send_all(&mut stream::iter(numbers)).await.unwrap();
            SinkExt::<String>::close(&mut sink).await.unwrap();
            sink
        });
        for number in 0..5000 {
            let message = within(messages.next()).await.unwrap().unwrap();
            assert_eq!(message, number.to_string().into());
        }
        drop(within(sending).await.unwrap());
        within(pull.close()).await;
        assert!(within(messages.next()).await.is_none());
        assert!(messages.next().await.is_none());
    }
}

/// Merged with others, ended by time: what streams are for.
#[tokio::test]
async fn two_streams_are_merged() {
    let context = Context::new();
    let mut streams = Vec::new();
    for name in ["a", "b"] {
        let push = PushSocket::new_in(&context, SocketOptions::new());
        let pull = PullSocket::new_in(&context, SocketOptions::new());
        push.connect(pull.bind(format!("inproc://{name}")).await.unwrap()).unwrap();
        for _ in 0..10 {
            push.send(name).await.unwrap();
        }
        streams.push(pull.into_stream());
    }
    let merged = stream::select_all(streams).take(20).collect::<Vec<_>>();
    let heard = within(merged).await;
    for name in ["a", "b"] {
        let of_it = heard.iter().filter(|message| **message == Ok(name.into()));
        assert_eq!(of_it.count(), 10);
    }
}

#[tokio::test]
async fn a_sink_waits_for_room() {
    let context = Context::new();
    let small = || SocketOptions::new().send_hwm(1).recv_hwm(1).linger(Linger::For(Duration::ZERO));
    let push = PushSocket::new_in(&context, small());
    let pull = PullSocket::new_in(&context, small());
    push.connect(pull.bind("inproc://sink").await.unwrap()).unwrap();
    let mut sink = push.into_sink();
    let filling = async {
        for number in 0.. {
            sink.send(number.to_string()).await.unwrap();
        }
    };
    assert!(tokio::time::timeout(Duration::from_millis(50), filling).await.is_err());
    // The one that waited goes on to be sent.
    for number in 0..3 {
        assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
        within(SinkExt::<&str>::flush(&mut sink)).await.unwrap();
    }
}

/// With ids in front for a ROUTER, and in turn for REQ and REP.
#[tokio::test]
async fn every_type_that_receives_is_a_stream() {
    let context = Context::new();
    let router = RouterSocket::new_in(&context, SocketOptions::new());
    let dealer = DealerSocket::new_in(&context, SocketOptions::new());
    dealer.connect(router.bind("inproc://router").await.unwrap()).unwrap();
    let (mut asked, mut replies) = (router.clone().into_stream(), router.into_sink());
    dealer.send("ask").await.unwrap();
    let request = within(asked.next()).await.unwrap().unwrap();
    assert_eq!((request.len(), request.text(1)), (2, Some("ask")));
    within(replies.send(request)).await.unwrap();
    assert_eq!(within(dealer.recv()).await.unwrap(), "ask".into());

    let rep = RepSocket::new_in(&context, SocketOptions::new());
    let req = ReqSocket::new_in(&context, SocketOptions::new());
    req.connect(rep.bind("inproc://rep").await.unwrap()).unwrap();
    let mut questions = rep.clone().into_stream();
    for round in 0..3 {
        req.send(round.to_string()).await.unwrap();
        let question = within(questions.next()).await.unwrap().unwrap();
        rep.send(question).await.unwrap();
        assert_eq!(within(req.recv()).await.unwrap(), round.to_string().into());
    }
}
