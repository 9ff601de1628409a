//! Nothing arrives: what to look at, in this order.
//!
//! 1. **Is the other side there?** [`peers`](crate::PushSocket::peers) says who is connected
//!    now, [`wait_for_peers`](crate::PushSocket::wait_for_peers) waits for them.
//!    `connect` returns at once and never fails for a peer that is not there.
//! 2. **What happened to the connection?** Ask for a
//!    [`monitor`](crate::PushSocket::monitor) before `connect` or `bind`, and print its events:
//!    each is a line that says why. The log says the same, through `tracing`: at `warn` that a
//!    peer does not take us, at `info` that we do not let one in.
//!
//!    ```
//!    # tokio::runtime::Runtime::new().unwrap().block_on(async {
//!    use ferromq::PullSocket;
//!
//!    let pull = PullSocket::new();
//!    let mut monitor = pull.monitor();
//!    tokio::spawn(async move {
//!        while let Some(event) = monitor.recv().await {
//!            eprintln!("{event}");
//!        }
//!    });
//!    # });
//!    ```
//! 3. **Do both speak the same?** Types that do not fit, another mechanism, wrong keys or
//!    credentials are `HandshakeFailed` events, and the endpoint is dialled slowly.
//! 4. **A SUB that hears nothing**: it has subscribed to nothing, which is the default
//!    (`subscribe("")` is everything); or the publisher sent before the subscription had
//!    arrived: [`wait_for_subscribers`](crate::PubSocket::wait_for_subscribers).
//! 5. **Was it lost on our side?** [`stats`](crate::PushSocket::stats) prints what waits, what
//!    went out and what was lost, by cause ([`DropCause`](crate::DropCause)), for each peer.
//! 6. **A ROUTER drops** what is for an id that it does not know. With
//!    [`router_mandatory`](crate::SocketOptions::router_mandatory) that is an error.
//! 7. **The first worker got everything**: queues of 1,000 messages are filled before the
//!    others are there. Wait for them, and lower
//!    [`send_hwm`](crate::SocketOptions::send_hwm) here and
//!    [`recv_hwm`](crate::SocketOptions::recv_hwm) at the workers where tasks are long.
//! 8. **The program has ended too soon**: [`close`](crate::PushSocket::close) waits until all
//!    has gone out. A context with threads of its own does so by itself.
//! 9. **The task does not await**: on a `current_thread` runtime nothing is sent or heard
//!    meanwhile. [Tasks that compute](crate#tasks-that-compute).
//! 10. **REQ and REP are out of turn** after a reply that never came. A
//!     [`Requester`](crate::Requester) has no turns, but deadlines and retries.
//! 11. **The peer vanished without a word** (a cable, a suspended machine): nobody notices
//!     unless [`heartbeat_interval`](crate::SocketOptions::heartbeat_interval) is set.
