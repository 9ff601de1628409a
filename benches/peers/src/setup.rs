//! [`Setup`]: what a socket is for, and how it finds the other end.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use crate::cell::{Cell, Pattern, Side, Transport};
use crate::keys::Keys;

/// What one socket is told.
pub struct Setup {
    pub cell: Cell,
    pub side: Side,
    /// Which of the many it is.
    pub number: usize,
    pub place: Arc<Place>,
    /// If it is to encrypt.
    pub keys: Option<Keys>,
}

/// What one socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Push,
    Pull,
    Pub,
    Sub,
    Req,
    Rep,
    Dealer,
    Router,
    Pair,
}

/// Where the two ends meet.
pub struct Place {
    /// What to bind: it may be a wildcard.
    wanted: String,
    /// The endpoint, once it is bound.
    bound: watch::Sender<Option<String>>,
}

impl Setup {
    pub fn role(&self) -> Role {
        match (self.cell.pattern, self.side) {
            (Pattern::PushPull | Pattern::FanIn, Side::One) => Role::Pull,
            (Pattern::PushPull | Pattern::FanIn, Side::Many) => Role::Push,
            (Pattern::FanOut, Side::One) => Role::Push,
            (Pattern::FanOut, Side::Many) => Role::Pull,
            (Pattern::PubSub, Side::One) => Role::Pub,
            (Pattern::PubSub, Side::Many) => Role::Sub,
            (Pattern::ReqRep, Side::One) => Role::Rep,
            (Pattern::ReqRep, Side::Many) => Role::Req,
            (Pattern::DealerRouter, Side::One) => Role::Router,
            (Pattern::DealerRouter, Side::Many) => Role::Dealer,
            (Pattern::Pair, _) => Role::Pair,
        }
    }

    /// What this SUB wants: everything, or one of the topics.
    pub fn topic(&self) -> String {
        match self.cell.topics {
            1 => String::new(),
            topics => topic(self.number % topics),
        }
    }

    /// What is sent, in turn.
    pub fn bodies(&self) -> Vec<Bytes> {
        let body = |number| {
            let mut body = match self.cell.topics {
                1 => Vec::new(),
                _ => topic(number).into_bytes(),
            };
            body.resize(self.cell.size, b'x');
            body.into()
        };
        (0..self.cell.topics).map(body).collect()
    }

    /// What this socket is to bind, if it binds.
    pub fn binds(&self) -> Option<&str> {
        (self.side == Side::One).then_some(&self.place.wanted)
    }

    /// Makes known where this socket is bound.
    pub fn bound(&self, endpoint: String) {
        if self.cell.transport != Transport::Inproc {
            println!("{endpoint}");
        }
        self.place.bound.send_replace(Some(endpoint));
    }

    /// Where to connect, once it is known.
    pub async fn endpoint(&self) -> String {
        let mut bound = self.place.bound.subscribe();
        let bound = bound.wait_for(Option::is_some).await.expect("the sender is in the place");
        bound.clone().expect("it was waited for")
    }
}

fn topic(number: usize) -> String {
    format!("{number:02}")
}

impl Place {
    /// For an end that binds.
    pub fn to_bind(wanted: String) -> Arc<Self> {
        Arc::new(Self { wanted, bound: watch::Sender::new(None) })
    }

    /// For an end that connects to what another process has bound.
    pub fn to_connect(endpoint: String) -> Arc<Self> {
        Arc::new(Self { wanted: String::new(), bound: watch::Sender::new(Some(endpoint)) })
    }
}
