//! What `close`, `disconnect` and drop do with what was accepted.

use std::time::Duration;

use ferromq::{
    Closed, DealerSocket, DropCause, Linger, PullSocket, PushSocket, SocketOptions, SubSocket,
    XSubSocket,
};
use tokio::time::Instant;

use crate::common::events::Events;
use crate::common::{Transport, isolated, quick, within};

fn linger(time: Duration) -> SocketOptions {
    SocketOptions::new().send_hwm(0).linger(Linger::For(time))
}

#[tokio::test]
async fn close_flushes_everything() {
    const COUNT: usize = 10_000;
    for transport in Transport::ALL {
        let (push, pull) = (PushSocket::with_options(quick().send_hwm(0)), PullSocket::new());
        let endpoint = transport.known();
        push.connect(&endpoint).unwrap();
        for number in 0..COUNT {
            push.try_send(number.to_string()).unwrap();
        }
        pull.bind(&endpoint).await.unwrap();
        let closing = tokio::spawn(async move { push.close().await });
        for number in 0..COUNT {
            assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
        }
        assert_eq!(within(closing).await.unwrap().undelivered, 0, "{transport:?}");
    }
}

#[tokio::test]
async fn what_was_closed_before_it_was_read_is_still_there() {
    for transport in Transport::ALL {
        let (push, pull) = (PushSocket::with_options(quick()), PullSocket::new());
        push.connect(pull.bind(transport.any()).await.unwrap()).unwrap();
        for number in 0..1000 {
            within(push.send(number.to_string())).await.unwrap();
        }
        assert_eq!(within(push.close()).await.undelivered, 0, "{transport:?}");
        for number in 0..1000 {
            assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
        }
    }
}

#[tokio::test]
async fn without_linger_close_says_exactly_what_was_lost() {
    for transport in Transport::ALL {
        for count in [0, 1, 123] {
            let push = PushSocket::with_options(linger(Duration::ZERO));
            push.connect(transport.known()).unwrap();
            push.connect(transport.known()).unwrap();
            for _ in 0..count {
                push.try_send("m").unwrap();
            }
            let Closed { undelivered, .. } = within(push.close()).await;
            assert_eq!(undelivered, count, "{transport:?}");
            assert_eq!(push.dropped(DropCause::LingerExpired), count, "{transport:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn linger_ends_when_it_says() {
    for transport in Transport::STREAMS {
        let push = PushSocket::with_options(linger(Duration::from_secs(7)));
        push.connect(transport.known()).unwrap();
        for _ in 0..5 {
            push.try_send("m").unwrap();
        }
        let before = Instant::now();
        assert_eq!(push.close().await.undelivered, 5);
        let took = before.elapsed();
        let expected = Duration::from_secs(7)..Duration::from_millis(7100);
        assert!(expected.contains(&took), "{transport:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn disconnect_lingers_too() {
    let push = PushSocket::with_options(linger(Duration::from_secs(7)));
    let never = Transport::Tcp.known();
    push.connect(&never).unwrap();
    push.try_send("m").unwrap();
    push.disconnect(&never).unwrap();
    let before = Instant::now();
    while push.dropped(DropCause::LingerExpired) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = before.elapsed();
    assert!(took > Duration::from_millis(6900) && took < Duration::from_millis(7200), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn forever_is_forever() {
    let push = PushSocket::with_options(SocketOptions::new().reconnect_interval(DAY));
    push.connect(Transport::Tcp.known()).unwrap();
    push.try_send("m").unwrap();
    let year = tokio::time::timeout(365 * DAY, push.close()).await;
    assert!(year.is_err(), "close gave up");
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn a_dropped_socket_flushes_in_the_background() {
    for transport in Transport::ALL {
        let (push, pull) = (PushSocket::with_options(quick().send_hwm(0)), PullSocket::new());
        let endpoint = transport.known();
        if transport == Transport::Inproc {
            // There is no background where there is no task: see the guide.
            pull.bind(&endpoint).await.unwrap();
            push.connect(&endpoint).unwrap();
        } else {
            push.connect(&endpoint).unwrap();
        }
        for number in 0..2000 {
            push.try_send(number.to_string()).unwrap();
        }
        drop(push);
        if transport != Transport::Inproc {
            pull.bind(&endpoint).await.unwrap();
        }
        for number in 0..2000 {
            assert_eq!(within(pull.recv()).await.unwrap(), number.to_string().into());
        }
    }
}

#[tokio::test]
async fn a_clone_keeps_the_socket_open() {
    let (push, pull) = (PushSocket::new(), PullSocket::new());
    push.connect(pull.bind("tcp://127.0.0.1:0").await.unwrap()).unwrap();
    let clone = push.clone();
    drop(push);
    for body in ["a", "b"] {
        within(clone.send(body)).await.unwrap();
        assert_eq!(within(pull.recv()).await.unwrap(), body.into());
    }
}

#[tokio::test]
async fn subscribers_close_at_once() {
    let sub = SubSocket::new();
    sub.subscribe("topic").unwrap();
    sub.connect(Transport::Tcp.known()).unwrap();
    assert_eq!(within(sub.close()).await.undelivered, 0);
    let xsub = XSubSocket::new();
    xsub.connect(Transport::Tcp.known()).unwrap();
    xsub.try_send("to nobody yet").unwrap();
    // What it had queued does not hold it up; it is counted.
    assert_eq!(within(xsub.close()).await.undelivered, 1);
}

#[tokio::test]
async fn unread_input_is_counted_when_the_socket_closes() {
    // Over inproc, where no kernel has any of it.
    let (push, pull) = (PushSocket::new(), PullSocket::new());
    push.connect(pull.bind(Transport::Inproc.any()).await.unwrap()).unwrap();
    for _ in 0..7 {
        push.try_send("m").unwrap();
    }
    let _ = within(pull.close()).await;
    assert_eq!(pull.dropped(DropCause::Unread), 7);
}

#[tokio::test]
async fn the_context_waits_for_a_dropped_socket_that_lingers() {
    let context = isolated();
    let dealer = DealerSocket::new_in(&context, quick());
    let endpoint = Transport::Tcp.known();
    dealer.connect(&endpoint).unwrap();
    dealer.try_send("late").unwrap();
    drop(dealer);
    let other = DealerSocket::new();
    let mut events = Events::from(other.monitor());
    other.bind(&endpoint).await.unwrap();
    within(context.wait_closed()).await;
    events.ready().await;
    assert_eq!(within(other.recv()).await.unwrap(), "late".into());
}

/// Another linger for this once, whatever the options say.
#[tokio::test]
async fn close_with_has_the_last_word() {
    let at = "tcp://127.0.0.1:1";
    for (own, last) in
        [(Linger::Forever, Duration::ZERO), (Linger::Forever, Duration::from_millis(50))]
    {
        let push = PushSocket::with_options(SocketOptions::new().linger(own));
        push.connect(at).unwrap();
        push.send("m").await.unwrap();
        let since = tokio::time::Instant::now();
        assert_eq!(within(push.close_with(last)).await.undelivered, 1);
        assert!(since.elapsed() >= last);
    }
    let pull = PullSocket::new();
    let push = PushSocket::with_options(SocketOptions::new().linger(Duration::ZERO));
    push.connect(pull.bind("tcp://127.0.0.1:*").await.unwrap()).unwrap();
    assert_eq!(push.endpoints(), pull.endpoints());
    push.send("m").await.unwrap();
    assert_eq!(within(push.close_with(Linger::Forever)).await.undelivered, 0);
    assert_eq!(within(pull.recv()).await.unwrap(), "m".into());
    let debug = format!("{pull:?}");
    assert!(debug.starts_with("PullSocket { endpoints: [Endpoint(\"tcp://127.0.0.1:"), "{debug}");
}
