//! PUB, SUB, XPUB and XSUB (RFC 29).

use std::sync::Arc;

use bytes::Bytes;

use super::methods::{common_methods, recv_methods, send_methods};
use super::{Closed, CoreRef, Handle, HasCore, Receive, Socket, Transmit};
use crate::context::Context;
use crate::endpoint::{Endpoint, IntoEndpoint};
use crate::error::{
    BindError, ConnectError, RecvError, ReleaseError, SendError, SubscribeError, WaitError,
};
use crate::message::Message;
use crate::monitor::Monitor;
use crate::options::{Linger, SocketOptions};
use crate::peer::{DropCause, PeerInfo, Subscription};
use crate::socket_type::SocketType;
use crate::stats::SocketStats;

/// `subscribe` and `unsubscribe` of SUB and XSUB.
macro_rules! subscribe_methods {
    ($name:ident) => {
        impl $name {
            /// Asks all publishers, present and future, for messages whose
            /// first frame starts with `prefix`; the empty prefix stands for
            /// all. Prefixes are counted: each needs as many
            /// [`unsubscribe`](Self::unsubscribe) as `subscribe`
            /// (`ZMQ_SUBSCRIBE`).
            ///
            /// It takes effect when the publisher has heard of it, so what is
            /// published until then is missed. On a `current_thread` runtime that
            /// is not before the task awaits something:
            /// [Tasks that compute](crate#tasks-that-compute).
            ///
            /// # Errors
            /// A publisher lets one subscriber have 1,000,000 prefixes, of 64 MiB
            /// together, and closes the connection of one that wants more. So
            /// this socket takes no more either, and nothing changes:
            /// [`SubscribeError::TooMany`], [`SubscribeError::TooLarge`]. There is
            /// no limit to a single prefix beside that.
            ///
            /// ```
            #[doc = concat!("use ferromq::{SubscribeError, ", stringify!($name), "};")]
            ///
            #[doc = concat!("let socket = ", stringify!($name), "::new();")]
            /// socket.subscribe("weather.")?;
            /// let refused = socket.subscribe(vec![b'w'; 64 << 20]);
            /// assert_eq!(refused, Err(SubscribeError::TooLarge { limit: 64 << 20 }));
            /// # Ok::<_, SubscribeError>(())
            /// ```
            #[doc(alias = "ZMQ_SUBSCRIBE")]
            pub fn subscribe(&self, prefix: impl AsRef<[u8]>) -> Result<(), SubscribeError> {
                let prefix = Bytes::copy_from_slice(prefix.as_ref());
                self.0.subscribe(Subscription::Subscribe(prefix))
            }

            /// Takes a [`subscribe`](Self::subscribe) back; without one, does
            /// nothing (`ZMQ_UNSUBSCRIBE`).
            ///
            /// # Errors
            /// None: it returns what the other calls do that change
            /// subscriptions.
            #[doc(alias = "ZMQ_UNSUBSCRIBE")]
            pub fn unsubscribe(&self, prefix: impl AsRef<[u8]>) -> Result<(), SubscribeError> {
                let prefix = Bytes::copy_from_slice(prefix.as_ref());
                self.0.subscribe(Subscription::Cancel(prefix))
            }
        }
    };
}

/// `wait_for_subscribers`.
macro_rules! publisher_methods {
    ($name:ident) => {
        impl $name {
            /// Waits until so many peers are subscribed to what a message with this topic
            /// as its first frame is for. Then none of them misses it, which a publisher
            /// that just begins to send cannot know (the "slow joiner").
            ///
            /// ```
            /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
            #[doc = concat!("use ferromq::{", stringify!($name), ", SubSocket};")]
            ///
            #[doc = concat!("let publisher = ", stringify!($name), "::new();")]
            /// let sub = SubSocket::new();
            /// sub.subscribe("weather.")?;
            /// sub.connect(publisher.bind("tcp://127.0.0.1:*").await?)?;
            /// publisher.wait_for_subscribers("weather.eu", 1).await?;
            /// publisher.send(["weather.eu", "sunny"]).await?;
            /// assert_eq!(sub.recv().await?.first(), "weather.eu");
            /// # Ok::<_, ferromq::Error>(()) }).unwrap();
            /// ```
            ///
            /// # Errors
            /// When the socket is closed, or every runtime in which it was bound or
            /// connected has ended.
            ///
            /// # Cancel safety
            /// Dropping the future changes nothing.
            pub async fn wait_for_subscribers(
                &self,
                topic: impl AsRef<[u8]>,
                count: usize,
            ) -> Result<(), WaitError> {
                self.0.wait_for_subscribers(topic.as_ref(), count).await
            }
        }
    };
}

/// Publishes to any number of subscribers.
///
/// ```text
///              ┌──► SUB "weather."
///   PUB ───────┼──► SUB "weather.eu"   each gets what starts with its prefix
///              └──► SUB ""
/// ```
/// `send` never waits: a subscriber that is full misses messages (counted here, as
/// [`DropCause::PeerFull`], see [`dropped`](Self::dropped)), and with no subscriber a
/// message goes nowhere. With the option
/// [`xpub_nodrop`](SocketOptions::xpub_nodrop), `send` waits instead.
///
/// To wait for subscribers before the first message, use [`XPubSocket`]: its
/// `recv` tells of each subscription. A connection that a monitor reports as
/// ready is not enough, the subscriptions come after the handshake.
///
/// | | |
/// |---|---|
/// | Peers | SUB, XSUB |
/// | Direction | sends only |
/// | Outgoing | to every subscriber whose prefix matches |
/// | In the mute state | drops |
///
/// There is an example at [`SubSocket`].
///
/// A wrong direction does not compile:
/// ```compile_fail,E0599
/// # async fn wrong(publisher: ferromq::PubSocket) {
/// publisher.recv().await;
/// # }
/// ```
/// ```compile_fail,E0599
/// # fn wrong(publisher: ferromq::PubSocket) {
/// publisher.subscribe("topic");
/// # }
/// ```
#[derive(Clone)]
pub struct PubSocket(Handle);

common_methods!(PubSocket, Pub);
send_methods!(PubSocket);
publisher_methods!(PubSocket);

/// Receives what publishers send under the prefixes it subscribes to; at first
/// it subscribes to nothing.
///
/// ```text
///   PUB ──┐
///   PUB ──┼──► SUB              fair-queued
///   PUB ──┘
/// ```
/// Subscriptions are sent again to each publisher that comes back, before it
/// counts as ready.
///
/// One that a publisher does not let in (wrong credentials, another mechanism) receives
/// nothing, and no call fails. Ask for the [`monitor`](Self::monitor) before `connect`:
/// its [`HandshakeFailed`](crate::MonitorEvent::HandshakeFailed) says so.
///
/// | | |
/// |---|---|
/// | Peers | PUB, XPUB |
/// | Direction | receives only |
/// | Incoming | fair-queued |
/// | At the mark | stops reading; then the publisher drops |
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use ferromq::{SubSocket, XPubSocket};
///
/// let (publisher, sub) = (XPubSocket::new(), SubSocket::new());
/// sub.subscribe("weather.")?;
/// sub.connect(publisher.bind("tcp://127.0.0.1:0").await?)?;
/// publisher.recv().await?; // The subscription has arrived.
/// publisher.send(["weather.eu", "sunny"]).await?;
/// assert_eq!(sub.recv().await?[1], "sunny");
/// # Ok::<_, ferromq::Error>(()) }).unwrap();
/// ```
/// A wrong direction does not compile:
/// ```compile_fail,E0599
/// # async fn wrong(sub: ferromq::SubSocket) {
/// sub.send("no").await;
/// # }
/// ```
#[derive(Clone)]
pub struct SubSocket(Handle);

common_methods!(SubSocket, Sub);
recv_methods!(SubSocket);
subscribe_methods!(SubSocket);

/// A PUB that also receives: the subscriptions of its peers, and messages that
/// XSUB peers send upstream.
///
/// A subscription arrives as a message of one frame: an octet 1 (subscribe) or
/// 0 (unsubscribe), then the prefix. The option
/// [`xpub_verbosity`](SocketOptions::xpub_verbosity) says which ones arrive, and
/// [`recv_with_peer`](Self::recv_with_peer) also whose they are. (Of those who have left only
/// the last 256 are known; for an earlier one, and for a cancellation that stands for
/// several who left, it gives an empty `PeerInfo`.)
///
/// What waits to be received is bounded, and nobody may have more of it than there is
/// room left: one that subscribes and cancels for ever costs others no notice. One peer has
/// at most 1,000,000 notices in store, or its
/// [`max_subscriptions`](SocketOptions::max_subscriptions) if they are more, and no more
/// than two for each topic that it may have; all together have twice as many.
///
/// A peer may have 1,000,000 subscriptions, of 64 MiB together; the connection
/// of one that wants more is closed, as a monitor will tell. The end of its
/// subscriptions arrives bit by bit when a peer with many of them leaves.
///
/// | | |
/// |---|---|
/// | Peers | SUB, XSUB |
/// | Direction | both |
/// | Outgoing | to every subscriber whose prefix matches |
/// | Incoming | subscriptions and messages, as they come |
/// | In the mute state | drops |
///
/// There are examples at [`SubSocket`] and [`XSubSocket`].
#[derive(Clone)]
pub struct XPubSocket(Handle);

common_methods!(XPubSocket, XPub);
send_methods!(XPubSocket);
recv_methods!(XPubSocket);
publisher_methods!(XPubSocket);

/// What an XPUB receives; from [`XPubSocket::recv_subscription`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Upstream {
    /// A peer subscribes to what begins with this.
    Subscribe(Bytes),
    /// A peer takes that back, or has left.
    Cancel(Bytes),
    /// A message that an XSUB has sent.
    Message(Message),
}

impl XPubSocket {
    /// Receives as [`recv`](Self::recv), and says what it is.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use ferromq::{SubSocket, Upstream, XPubSocket};
    ///
    /// let (publisher, sub) = (XPubSocket::new(), SubSocket::new());
    /// sub.connect(publisher.bind("tcp://127.0.0.1:*").await?)?;
    /// sub.subscribe("weather.")?;
    /// match publisher.recv_subscription().await? {
    ///     Upstream::Subscribe(topic) => assert_eq!(topic, "weather."),
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok::<_, ferromq::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn recv_subscription(&self) -> Result<Upstream, RecvError> {
        let message = self.recv().await?;
        let frame = message.first();
        Ok(match frame.first() {
            Some(1) if message.is_single() => Upstream::Subscribe(frame.slice(1..)),
            Some(0) if message.is_single() => Upstream::Cancel(frame.slice(1..)),
            _ => Upstream::Message(message),
        })
    }
}

impl XPubSocket {
    /// With the option [`xpub_manual`](SocketOptions::xpub_manual): subscribes
    /// the peer whose request was received last to `prefix`, whatever it asked
    /// for. If that peer has left, there is nobody to subscribe.
    ///
    /// # Errors
    /// [`SubscribeError::NotManual`] without that option: then peers decide for
    /// themselves.
    ///
    /// ```
    /// use ferromq::{SocketOptions, SubscribeError, XPubSocket};
    ///
    /// let xpub = XPubSocket::new();
    /// assert_eq!(xpub.subscribe("weather."), Err(SubscribeError::NotManual));
    /// let manual = XPubSocket::with_options(SocketOptions::new().xpub_manual(true));
    /// assert_eq!(manual.subscribe("weather."), Ok(()));
    /// ```
    pub fn subscribe(&self, prefix: impl AsRef<[u8]>) -> Result<(), SubscribeError> {
        let prefix = Bytes::copy_from_slice(prefix.as_ref());
        self.0.subscribe(Subscription::Subscribe(prefix))
    }

    /// With the option [`xpub_manual`](SocketOptions::xpub_manual): ends a
    /// subscription of the peer whose request was received last.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub fn unsubscribe(&self, prefix: impl AsRef<[u8]>) -> Result<(), SubscribeError> {
        let prefix = Bytes::copy_from_slice(prefix.as_ref());
        self.0.subscribe(Subscription::Cancel(prefix))
    }
}

/// A SUB that can also send: subscriptions in the form XPUB receives them, for
/// proxies, and messages upstream. It does not filter what it receives.
///
/// A message of one frame that starts with an octet 1 or 0 is a subscription or
/// its end; any other goes to all publishers. What [`subscribe`](Self::subscribe)
/// would refuse `send` refuses as well, and gives the message back
/// ([`SendError::is_subscription`](crate::SendError::is_subscription)).
///
/// | | |
/// |---|---|
/// | Peers | PUB, XPUB |
/// | Direction | both |
/// | Outgoing | to every publisher |
/// | Incoming | fair-queued |
/// | In the mute state | drops |
///
/// With an XPUB it makes a proxy. Each direction moves by itself: in a loop that
/// did both, a `send` that waits would keep the other direction waiting, perhaps
/// for the very room that this `send` waits for.
/// ```
/// use ferromq::{Error, XPubSocket, XSubSocket};
///
/// async fn forward(xsub: XSubSocket, xpub: XPubSocket) -> Result<(), Error> {
///     tokio::try_join!(messages(&xsub, &xpub), subscriptions(&xpub, &xsub))?;
///     Ok(())
/// }
///
/// async fn messages(from: &XSubSocket, to: &XPubSocket) -> Result<(), Error> {
///     loop {
///         to.send(from.recv().await?).await?;
///     }
/// }
///
/// async fn subscriptions(from: &XPubSocket, to: &XSubSocket) -> Result<(), Error> {
///     loop {
///         match to.send(from.recv().await?).await {
///             // All subscribers together want more than one may.
///             Err(error) if error.is_subscription() => {}
///             done => done?,
///         }
///     }
/// }
/// ```
#[derive(Clone)]
pub struct XSubSocket(Handle);

common_methods!(XSubSocket, XSub);
send_methods!(XSubSocket);
recv_methods!(XSubSocket);
subscribe_methods!(XSubSocket);
