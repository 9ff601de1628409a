//! One strategy per socket type, over the shared blocks of `routing`.
//!
//! A pattern decides which peer a message goes to, which messages a receiver
//! may see, and what happens in the mute state. It never waits, knows no
//! octets, and wakes nobody: it says what happened and the socket acts.
//! Patterns are shared between tasks; each has its own short locks inside.

use std::sync::Arc;

use crate::error::SubscribeError;
use crate::message::Message;
use crate::options::SocketOptions;
use crate::peer::{DropCause, PeerInfo, Subscription, Unwelcome};
use crate::pipe::{Item, Peer, Traits};
use crate::routing_id::RoutingId;
use crate::socket_type::SocketType;

pub(crate) mod pair;
pub(crate) mod pipeline;
pub(crate) mod pubsub;
pub(crate) mod reqrep;
#[cfg(test)]
mod testing;

pub(crate) use crate::pipe::Touched;

/// The strategy of a socket type.
pub(crate) fn for_type(socket_type: SocketType, options: &SocketOptions) -> Box<dyn Pattern> {
    match socket_type {
        SocketType::Req => Box::new(reqrep::Req::new(options)),
        SocketType::Rep => Box::new(reqrep::Rep::new(options)),
        SocketType::Router => Box::new(reqrep::Router::new(options)),
        SocketType::Dealer => Box::new(reqrep::Dealer::new(options)),
        SocketType::Pub => Box::new(pubsub::XPub::publisher(options)),
        SocketType::Sub => Box::new(pubsub::XSub::sub()),
        SocketType::XPub => Box::new(pubsub::XPub::new(options)),
        SocketType::XSub => Box::new(pubsub::XSub::new()),
        SocketType::Push => Box::new(pipeline::Push::new(options)),
        SocketType::Pull => Box::new(pipeline::Pull::new(options)),
        SocketType::Pair => Box::new(pair::Pair::new(options)),
    }
}

/// What became of a message handed to [`Pattern::send`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Routed {
    /// It is on its way.
    Sent,
    /// The pattern dropped it for some peer, or all, as it prescribes: so many
    /// copies, for that cause. To the caller this is as good as sent.
    Dropped { lost: usize, cause: DropCause },
    /// The mute state: nobody can take it now, and it is as it was. The socket waits
    /// for room or a new peer and offers it again, or gives it back.
    Mute,
    /// It cannot be sent now, whatever comes, and is as it was.
    Refused(SendRefusal),
}

/// Why a pattern does not send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendRefusal {
    /// REQ must receive first, REP has no request to answer.
    OutOfTurn,
    /// ROUTER with `mandatory`: no such peer.
    Unroutable,
    /// A raw ROUTER message needs an id frame and at least one frame after it.
    NoRoutingId,
    /// With what the pattern puts in front it has more frames than a peer takes.
    TooManyFrames,
    /// XSUB: a subscription that a publisher would refuse.
    Subscription(SubscribeError),
}

/// A message as a receiver gets it.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) message: Message,
    /// Who sent it, where the pattern names peers (ROUTER).
    pub(crate) from: Option<RoutingId>,
    /// The same with all that is known of it, where the receiver asked for that.
    pub(crate) info: Option<Arc<PeerInfo>>,
}

/// What a receive finds out before it looks at any peer.
#[derive(Debug)]
pub(crate) enum Before {
    /// Look at the peers.
    Proceed,
    /// The pattern had this one in store.
    Ready(Delivery),
    /// This pattern delivers only from its own store, which is empty.
    Wait,
    /// This pattern delivers only from its own store, and has more to do before
    /// it knows whether that is empty: ask again, after others had their turn.
    Busy,
    /// Receiving is out of turn.
    OutOfTurn,
    /// The peer that was to answer has left; the socket may send again.
    PeerLeft,
}

/// The operations of a socket type. Those with a default mean nothing to most.
pub(crate) trait Pattern: Send + Sync {
    /// How this type differs from others.
    fn traits(&self) -> &'static Traits;

    /// A peer enters routing, before or (for accepted peers) just after its
    /// handshake; [`up`](Self::up) follows when a connection is ready.
    fn attach(&self, peer: &Arc<Peer>) -> Result<(), Unwelcome>;

    /// The peer finished its handshake (again, after a reconnect). Subscriptions
    /// are replayed and the probe and welcome messages are pushed here; a replay
    /// of many goes on in [`tidy`](Self::tidy). After an error the line is
    /// rejected; if it was accepted, `detach` follows.
    fn up(
        &self,
        peer: &Arc<Peer>,
        info: &PeerInfo,
        touched: &mut Touched,
    ) -> Result<(), Unwelcome> {
        let _ = (peer, info, touched);
        Ok(())
    }

    /// The connection of a peer that stays was lost.
    fn down(&self, peer: &Arc<Peer>) {
        let _ = peer;
    }

    /// The peer takes no more messages. What came in is still delivered.
    fn detach(&self, peer: &Arc<Peer>);

    /// Goes on with what is too much for one call, a bounded piece of it: telling
    /// peers that came up of the subscriptions, forgetting those of peers that
    /// went down. True if there is more.
    fn tidy(&self, touched: &mut Touched) -> bool {
        let _ = touched;
        false
    }

    /// The last of what came in from a detached peer was taken, or what was left
    /// is discarded. This ends every detached peer.
    fn drained(&self, peer: &Arc<Peer>) {
        let _ = peer;
    }

    /// A line that was full has room again.
    fn room(&self, peer: &Arc<Peer>) {
        let _ = peer;
    }

    /// Routes a message: to the peer `to` where the pattern names peers
    /// (ROUTER; without `to`, the first frame is the id). What is left of one that
    /// is sent or dropped is unspecified.
    fn send(&self, to: Option<&[u8]>, message: &mut Message, touched: &mut Touched) -> Routed;

    /// Called when a receive begins and whenever it looks again.
    fn before_recv(&self) -> Before {
        Before::Proceed
    }

    /// Where sending and receiving take turns: whether a receiver may get something now.
    fn is_receivers_turn(&self) -> bool {
        true
    }

    /// A receiver took a message that `from` sent. Makes of it what the
    /// receiver is to see, in place, since this is done for every message. False
    /// if the pattern discards it (the socket counts that).
    fn accept(&self, from: &Arc<Peer>, delivery: &mut Delivery) -> bool;

    /// An item that came in, for patterns that take them at once. Says whether
    /// a receiver has something to take now, and how many messages were dropped.
    fn deliver(&self, from: &Arc<Peer>, item: Item, touched: &mut Touched) -> Delivered {
        let _ = (from, touched);
        match item {
            Item::Message(_) => Delivered { readable: false, discarded: 1 },
            Item::Subscription(_) => Delivered::default(),
        }
    }

    /// The socket is closed, and nobody receives any more. Says how many messages
    /// the pattern has in store, which are lost.
    fn close(&self) -> usize {
        0
    }

    /// How many peers get messages with this topic.
    fn subscribers(&self, topic: &[u8]) -> usize {
        let _ = topic;
        0
    }

    /// Changes what the socket subscribes to (SUB, XSUB) or, for XPUB in
    /// manual mode, what the peer of the last request is subscribed to.
    ///
    /// # Errors
    /// When no peer of ours would accept it, or the socket has no use for it.
    fn subscribe(&self, change: Subscription, touched: &mut Touched) -> Result<(), SubscribeError> {
        let _ = (change, touched);
        Ok(())
    }
}

/// What [`Pattern::deliver`] did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) readable: bool,
    pub(crate) discarded: usize,
}
