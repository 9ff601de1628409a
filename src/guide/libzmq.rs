//! Coming from libzmq, or from pyzmq and others that are made of it: call by call, option
//! by option.
//!
//! The patterns, the queues, what waits and what drops are the same, and so are nearly all
//! defaults. What differs on purpose is in [`departures`](super::departures). What to know
//! first:
//!
//! - A socket may be used by many tasks and threads at once, and be cloned.
//! - Options are fixed when it is made. A timeout belongs to the call that it is for.
//! - Nothing aborts: what a peer does wrong costs its connection and is an event.
//! - A ROUTER's id is beside the message, not its first frame: `send_to(&id, message)`.
//!   `recv_raw` and `send_raw` have libzmq's form.
//! - A program that returns from `main` has not sent everything, unless it closes its sockets
//!   or they are in a context with threads of its own.
//!
//! # Calls
//!
//! | libzmq | here |
//! |---|---|
//! | `zmq_ctx_new` | none needed: sockets are made in a default context; [`Context`](crate::Context) for one of its own |
//! | `zmq_ctx_set(ZMQ_IO_THREADS)` | `Context::with_threads`; else the I/O is done by tasks of your runtime |
//! | `zmq_ctx_shutdown, zmq_ctx_term` | [`Context::shutdown`](crate::Context::shutdown), [`Context::close`](crate::Context::close) |
//! | `zmq_socket(ctx, ZMQ_PUSH)` | [`PushSocket::new`](crate::PushSocket::new); a type for each kind |
//! | `zmq_setsockopt` | [`SocketOptions`](crate::SocketOptions), before the socket is made |
//! | `zmq_bind, zmq_connect, zmq_unbind, zmq_disconnect` | the same names |
//! | `zmq_send, zmq_msg_send with ZMQ_SNDMORE` | `send(message).await`, whole: `send(("topic", body))` |
//! | `zmq_recv, zmq_msg_recv` | `recv().await` |
//! | `ZMQ_DONTWAIT, EAGAIN` | `try_send`, `try_recv`; [`is_would_block`](crate::RecvError::is_would_block) |
//! | `zmq_poll` | `tokio::select!` over any number of `recv`, [`into_stream`](crate::Receive::into_stream) |
//! | `zmq_msg_gets` | [`recv_with_peer`](crate::PullSocket::recv_with_peer) |
//! | `zmq_proxy, zmq_proxy_steerable` | [`proxy`](crate::proxy()), [`Proxy`](crate::Proxy) |
//! | `zmq_socket_monitor` | [`monitor`](crate::PullSocket::monitor), a stream of [`MonitorEvent`](crate::MonitorEvent)s |
//! | `zmq_curve_keypair, zmq_z85_encode` | `CurveKeypair::generate`, the module `z85` |
//! | `zmq_close` | [`close`](crate::PushSocket::close), or just drop it |
//!
//! # Options
//!
//! | libzmq | here |
//! |---|---|
//! | `ZMQ_AFFINITY` | none: which threads do the I/O is what the runtime, or the [context](crate::Context), says |
//! | `ZMQ_BACKLOG` | [`backlog`](crate::SocketOptions::backlog) |
//! | `ZMQ_BINDTODEVICE`, `ZMQ_PRIORITY`, `ZMQ_TCP_MAXRT` | not yet |
//! | `ZMQ_BUSY_POLL`, `ZMQ_IN_BATCH_SIZE`, `ZMQ_OUT_BATCH_SIZE` | none: batches are what has gathered |
//! | `ZMQ_CONFLATE` | [`conflate`](crate::SocketOptions::conflate) |
//! | `ZMQ_CONNECT_ROUTING_ID` | not yet |
//! | `ZMQ_CONNECT_TIMEOUT` | [`connect_timeout`](crate::SocketOptions::connect_timeout) |
//! | `ZMQ_CURVE_PUBLICKEY`, `ZMQ_CURVE_SECRETKEY`, `ZMQ_CURVE_SERVERKEY` | `curve_client`, feature `curve` |
//! | `ZMQ_CURVE_SERVER` | `curve_server`, feature `curve` |
//! | `ZMQ_EVENTS`, `ZMQ_FD` | none: futures tell when something can be done |
//! | `ZMQ_GSSAPI_*` | none |
//! | `ZMQ_HANDSHAKE_IVL` | [`handshake_timeout`](crate::SocketOptions::handshake_timeout) |
//! | `ZMQ_HEARTBEAT_IVL`, `ZMQ_HEARTBEAT_TIMEOUT`, `ZMQ_HEARTBEAT_TTL` | [`heartbeat_interval`](crate::SocketOptions::heartbeat_interval), [`heartbeat_timeout`](crate::SocketOptions::heartbeat_timeout), [`heartbeat_ttl`](crate::SocketOptions::heartbeat_ttl) |
//! | `ZMQ_HELLO_MSG`, `ZMQ_DISCONNECT_MSG`, `ZMQ_HICCUP_MSG` | not yet; an XPUB has [`xpub_welcome`](crate::SocketOptions::xpub_welcome) |
//! | `ZMQ_IMMEDIATE` | [`immediate`](crate::SocketOptions::immediate) |
//! | `ZMQ_INVERT_MATCHING`, `ZMQ_ONLY_FIRST_SUBSCRIBE`, `ZMQ_XPUB_MANUAL_LAST_VALUE` | not yet |
//! | `ZMQ_IPC_FILTER_*` | none: the permissions of the file decide |
//! | `ZMQ_IPV6` | [`ipv6`](crate::SocketOptions::ipv6) |
//! | `ZMQ_LAST_ENDPOINT` | what [`bind`](crate::PullSocket::bind) returns, and [`endpoints`](crate::PullSocket::endpoints) |
//! | `ZMQ_LINGER` | [`linger`](crate::SocketOptions::linger), [`close_with`](crate::PushSocket::close_with) |
//! | `ZMQ_MAXMSGSIZE` | [`max_message_size`](crate::SocketOptions::max_message_size) |
//! | `ZMQ_MECHANISM` | [`PeerInfo::mechanism`](crate::PeerInfo) |
//! | `ZMQ_METADATA` | [`metadata`](crate::SocketOptions::metadata) |
//! | `ZMQ_MULTICAST_*`, `ZMQ_RATE`, `ZMQ_RECOVERY_IVL` | none: no multicast |
//! | `ZMQ_PLAIN_USERNAME`, `ZMQ_PLAIN_PASSWORD` | `plain_client`, feature `plain` |
//! | `ZMQ_PLAIN_SERVER` | `plain_server`, feature `plain` |
//! | `ZMQ_PROBE_ROUTER` | [`probe_router`](crate::SocketOptions::probe_router) |
//! | `ZMQ_RCVHWM`, `ZMQ_SNDHWM` | [`recv_hwm`](crate::SocketOptions::recv_hwm), [`send_hwm`](crate::SocketOptions::send_hwm) |
//! | `ZMQ_RCVBUF`, `ZMQ_SNDBUF` | [`recv_buffer`](crate::SocketOptions::recv_buffer), [`send_buffer`](crate::SocketOptions::send_buffer) |
//! | `ZMQ_RCVMORE` | none: a [`Message`](crate::Message) is whole |
//! | `ZMQ_RCVTIMEO`, `ZMQ_SNDTIMEO` | `tokio::time::timeout`, which loses nothing; in `blocking`, `recv_timeout` and `send_timeout` |
//! | `ZMQ_RECONNECT_IVL`, `ZMQ_RECONNECT_IVL_MAX` | [`reconnect_interval`](crate::SocketOptions::reconnect_interval), [`reconnect_interval_max`](crate::SocketOptions::reconnect_interval_max) |
//! | `ZMQ_RECONNECT_STOP` | not yet: who refuses us is dialled slowly |
//! | `ZMQ_REQ_CORRELATE`, `ZMQ_REQ_RELAXED` | [`req_correlate`](crate::SocketOptions::req_correlate), [`req_relaxed`](crate::SocketOptions::req_relaxed); or a [`Requester`](crate::Requester) |
//! | `ZMQ_ROUTER_HANDOVER`, `ZMQ_ROUTER_MANDATORY` | [`router_handover`](crate::SocketOptions::router_handover), [`router_mandatory`](crate::SocketOptions::router_mandatory) |
//! | `ZMQ_ROUTER_NOTIFY` | not yet; [`monitor`](crate::RouterSocket::monitor) tells who comes and goes |
//! | `ZMQ_ROUTER_RAW`, `ZMQ_STREAM_NOTIFY` | none: no STREAM |
//! | `ZMQ_ROUTING_ID` | [`routing_id`](crate::SocketOptions::routing_id) |
//! | `ZMQ_SOCKS_*` | not yet |
//! | `ZMQ_SUBSCRIBE`, `ZMQ_UNSUBSCRIBE` | [`subscribe`](crate::SubSocket::subscribe), [`unsubscribe`](crate::SubSocket::unsubscribe) |
//! | `ZMQ_TCP_ACCEPT_FILTER` | [`AddressList`](crate::AddressList) as [`null_policy`](crate::SocketOptions::null_policy) |
//! | `ZMQ_TCP_KEEPALIVE`, `…_IDLE`, `…_INTVL`, `…_CNT` | [`tcp_keepalive`](crate::SocketOptions::tcp_keepalive), [`tcp_keepalive_idle`](crate::SocketOptions::tcp_keepalive_idle), [`tcp_keepalive_interval`](crate::SocketOptions::tcp_keepalive_interval), [`tcp_keepalive_count`](crate::SocketOptions::tcp_keepalive_count) |
//! | `ZMQ_THREAD_SAFE` | every socket is |
//! | `ZMQ_TOPICS_COUNT` | not yet |
//! | `ZMQ_TOS` | [`type_of_service`](crate::SocketOptions::type_of_service) |
//! | `ZMQ_TYPE` | the type of the socket, and [`socket_type`](crate::PullSocket::socket_type) |
//! | `ZMQ_USE_FD` | not yet |
//! | `ZMQ_XPUB_VERBOSE`, `ZMQ_XPUB_VERBOSER` | [`xpub_verbosity`](crate::SocketOptions::xpub_verbosity) |
//! | `ZMQ_XPUB_MANUAL` | [`xpub_manual`](crate::SocketOptions::xpub_manual) |
//! | `ZMQ_XPUB_NODROP` | [`xpub_nodrop`](crate::SocketOptions::xpub_nodrop) |
//! | `ZMQ_XPUB_WELCOME_MSG` | [`xpub_welcome`](crate::SocketOptions::xpub_welcome) |
//! | `ZMQ_ZAP_DOMAIN`, `ZMQ_ZAP_ENFORCE_DOMAIN` | [`zap_domain`](crate::SocketOptions::zap_domain), [`zap_enforce_domain`](crate::SocketOptions::zap_enforce_domain) |
//!
//! What libzmq has no option for: [`send_hwm_bytes`](crate::SocketOptions::send_hwm_bytes),
//! [`recv_hwm_bytes`](crate::SocketOptions::recv_hwm_bytes) and the limits of
//! [`for_untrusted_peers`](crate::SocketOptions::for_untrusted_peers).
