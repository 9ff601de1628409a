//! "Socket Semantics": what applies to all sockets. That messages are atomic is
//! in `atomic`.

use std::time::Duration;

use ferromq::{
    DealerSocket, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, SocketOptions, SubSocket, XPubSocket, XSubSocket,
};

use crate::support::{Net, Receives, Socket, numbered, plain, soon};
use crate::wire::Trap;

over_inproc_and_tcp!(
    all_sockets_shall_accept_and_make_connections,
    all_sockets_shall_connect_opportunistically,
    messages_shall_be_delivered_in_order,
);

/// Binds the one and connects the other, and the other way round.
async fn both_ways<A: Socket, B: Socket>(net: &Net) {
    let mut bound = net.bound::<A>(plain()).await;
    net.connected::<B>(plain(), &mut bound).await;
    let mut bound = net.bound::<B>(plain()).await;
    net.connected::<A>(plain(), &mut bound).await;
}

/// "All sockets SHALL accept connections (binding to an address) and make
/// connections."
async fn all_sockets_shall_accept_and_make_connections(net: Net) {
    both_ways::<ReqSocket, RepSocket>(&net).await;
    both_ways::<DealerSocket, RouterSocket>(&net).await;
    both_ways::<PubSocket, SubSocket>(&net).await;
    both_ways::<XPubSocket, XSubSocket>(&net).await;
    both_ways::<PushSocket, PullSocket>(&net).await;
    both_ways::<PairSocket, PairSocket>(&net).await;
}

/// Connects to what is bound only afterwards.
async fn connect_then_bind<A: Socket, B: Socket>(net: &Net) {
    for _ in 0..2 {
        let place = net.reserve();
        let mut first = net.connecting::<A>(plain(), &place.endpoint);
        let _second = net.bound_at::<B>(&place.endpoint.to_string(), plain()).await;
        first.ready().await;
    }
}

/// "All sockets SHALL establish connections opportunistically, that is: they
/// connect to an endpoint asynchronously, and if the connection is broken,
/// SHOULD reconnect after a suitable delay."
async fn all_sockets_shall_connect_opportunistically(net: Net) {
    connect_then_bind::<ReqSocket, RepSocket>(&net).await;
    connect_then_bind::<RepSocket, ReqSocket>(&net).await;
    connect_then_bind::<DealerSocket, RouterSocket>(&net).await;
    connect_then_bind::<RouterSocket, DealerSocket>(&net).await;
    connect_then_bind::<PubSocket, SubSocket>(&net).await;
    connect_then_bind::<SubSocket, PubSocket>(&net).await;
    connect_then_bind::<XPubSocket, XSubSocket>(&net).await;
    connect_then_bind::<XSubSocket, XPubSocket>(&net).await;
    connect_then_bind::<PushSocket, PullSocket>(&net).await;
    connect_then_bind::<PullSocket, PushSocket>(&net).await;
    connect_then_bind::<PairSocket, PairSocket>(&net).await;
}

async fn reconnects<A: Socket>(net: &Net, peer: &str) {
    let trap = Trap::new().await;
    let eager = SocketOptions::new().reconnect_interval(Duration::from_millis(1));
    let mut socket = net.connecting::<A>(eager, &trap.endpoint());
    for _ in 0..3 {
        let mut wire = trap.accept().await;
        wire.shake_hands(peer).await;
        socket.ready().await;
        drop(wire);
        socket.left().await;
    }
}

/// The same sentence, when connections break.
#[tokio::test]
async fn all_sockets_should_reconnect() {
    let net = Net::tcp();
    reconnects::<ReqSocket>(&net, "REP").await;
    reconnects::<RepSocket>(&net, "REQ").await;
    reconnects::<DealerSocket>(&net, "ROUTER").await;
    reconnects::<RouterSocket>(&net, "DEALER").await;
    reconnects::<PubSocket>(&net, "SUB").await;
    reconnects::<SubSocket>(&net, "PUB").await;
    reconnects::<XPubSocket>(&net, "XSUB").await;
    reconnects::<XSubSocket>(&net, "XPUB").await;
    reconnects::<PushSocket>(&net, "PULL").await;
    reconnects::<PullSocket>(&net, "PUSH").await;
    reconnects::<PairSocket>(&net, "PAIR").await;
}

/// RFC 28 to 31: "SHALL maintain the queue whether or not the connection is
/// established." A socket that has left an inproc name is gone; another that
/// binds the name is another.
#[tokio::test]
async fn departs_there_is_no_coming_back_over_inproc() {
    let net = Net::inproc();
    let place = net.reserve();
    let name = place.endpoint.to_string();
    let mut former = net.bound_at::<PullSocket>(&name, plain()).await;
    let push = net.connected::<PushSocket>(plain(), &mut former).await;
    push.try_send("Hello").unwrap();
    former.end().await;
    let pull = net.bound_at::<PullSocket>(&name, plain()).await;
    assert!(push.try_send("again").unwrap_err().is_would_block());
    assert!(pull.try_recv().unwrap_err().is_would_block());
    push.disconnect(&place.endpoint).unwrap();
    push.connect(&place.endpoint).unwrap();
    push.try_send("anew").unwrap();
    assert_eq!(pull.get().await, "anew".into());
}

/// "A message SHALL NOT be delivered more than once to any peer." What went out
/// on one connection is not sent again on the next.
#[tokio::test]
async fn a_message_shall_not_be_delivered_twice() {
    let net = Net::tcp();
    let trap = Trap::new().await;
    let push = net.connecting::<PushSocket>(plain(), &trap.endpoint());
    for number in 0..5 {
        let mut pull = trap.accept().await;
        pull.shake_hands("PULL").await;
        push.try_send(numbered(number)).unwrap();
        pull.expect(format!("\x00\x01{number}").as_bytes()).await;
    }
}

/// "All messages between two immediate peers SHALL be delivered in order." Small
/// and large ones, of one and of many frames.
async fn messages_shall_be_delivered_in_order(net: Net) {
    let mut pull = net.bound::<PullSocket>(plain()).await;
    let push = net.connected::<PushSocket>(plain(), &mut pull).await;
    let sending = async {
        for number in 0..3000_usize {
            let mut message = numbered(number);
            for _ in 0..number % 5 {
                message.push_back(vec![0; (number * 7919) % 40_000]);
            }
            soon(push.send(message)).await.unwrap();
        }
    };
    let receiving = async {
        for number in 0..3000 {
            let message = pull.get().await;
            assert_eq!(message[0], number.to_string());
            assert_eq!(message.len(), 1 + number % 5);
        }
    };
    tokio::join!(sending, receiving);
}
