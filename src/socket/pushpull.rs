//! PUSH, PULL (RFC 30) and PAIR (RFC 31).

use std::sync::Arc;

use super::methods::{common_methods, recv_methods, send_methods};
use super::{Closed, CoreRef, Handle, HasCore, Receive, Socket, Transmit};
use crate::context::Context;
use crate::endpoint::{Endpoint, IntoEndpoint};
use crate::error::{BindError, ConnectError, RecvError, ReleaseError, SendError, WaitError};
use crate::message::Message;
use crate::monitor::Monitor;
use crate::options::{Linger, SocketOptions};
use crate::peer::{DropCause, PeerInfo};
use crate::socket_type::SocketType;
use crate::stats::SocketStats;

/// Sends work to any number of [`PullSocket`]s, in turn.
///
/// ```text
///              ┌──► PULL
///   PUSH ──1,4─┼2─► PULL        each message goes to one peer
///              └3─► PULL
/// ```
/// Peers take turns, message by message; one that is full is passed over.
/// With no peer, or with all of them full, `send` waits for whichever is free
/// first. A peer takes part from its handshake on: what is sent at once may all
/// go to the worker that came first, since queues hold 1,000 messages. So wait for the
/// workers ([`wait_for_peers`](Self::wait_for_peers)); and where tasks are long, let few
/// wait for each: [`send_hwm`](SocketOptions::send_hwm) here and
/// [`recv_hwm`](SocketOptions::recv_hwm) there.
///
/// | | |
/// |---|---|
/// | Peers | PULL |
/// | Direction | sends only |
/// | Outgoing | round-robin |
/// | In the mute state | waits |
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use ferromq::{PullSocket, PushSocket};
///
/// let (push, pull) = (PushSocket::new(), PullSocket::new());
/// push.connect(pull.bind("tcp://127.0.0.1:0").await?)?;
/// push.send("resize 1.png").await?;
/// assert_eq!(pull.recv().await?, "resize 1.png".into());
/// # Ok::<_, ferromq::Error>(()) }).unwrap();
/// ```
/// A wrong direction does not compile:
/// ```compile_fail,E0599
/// # async fn wrong(push: ferromq::PushSocket) {
/// push.recv().await;
/// # }
/// ```
#[derive(Clone)]
pub struct PushSocket(Handle);

common_methods!(PushSocket, Push);
send_methods!(PushSocket);

/// Receives work from any number of [`PushSocket`]s.
///
/// ```text
///   PUSH ──┐
///   PUSH ──┼──► PULL            fair-queued: one message from each in turn
///   PUSH ──┘
/// ```
///
/// | | |
/// |---|---|
/// | Peers | PUSH |
/// | Direction | receives only |
/// | Incoming | fair-queued |
/// | At the mark | stops reading, so that the sender waits |
///
/// There is an example at [`PushSocket`].
///
/// A wrong direction does not compile:
/// ```compile_fail,E0599
/// # async fn wrong(pull: ferromq::PullSocket) {
/// pull.send("no").await;
/// # }
/// ```
#[derive(Clone)]
pub struct PullSocket(Handle);

common_methods!(PullSocket, Pull);
recv_methods!(PullSocket);

/// Talks to exactly one other [`PairSocket`], usually over `inproc://`.
///
/// ```text
///   PAIR ◄────► PAIR
/// ```
/// The first peer has the socket to itself until it leaves; others are turned
/// away.
///
/// | | |
/// |---|---|
/// | Peers | PAIR |
/// | Direction | both |
/// | In the mute state | waits |
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use ferromq::PairSocket;
///
/// let (one, other) = (PairSocket::new(), PairSocket::new());
/// one.bind("inproc://pair-doc").await?;
/// other.connect("inproc://pair-doc")?;
/// other.send("ready").await?;
/// assert_eq!(one.recv().await?, "ready".into());
/// # Ok::<_, ferromq::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct PairSocket(Handle);

common_methods!(PairSocket, Pair);
send_methods!(PairSocket);
recv_methods!(PairSocket);
