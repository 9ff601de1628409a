//! What "raw" is over inproc: channels of tokio, one in each direction, with room
//! for as many messages as a ZeroMQ socket by default.

use std::sync::{LazyLock, Mutex};

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{Echoes, Missing, Peer, Receives, Sends, Socket};
use crate::cell::{Cell, Pattern};
use crate::setup::Setup;

const ROOM: usize = 1000;

/// A channel has one receiver and drops nothing.
pub fn can(cell: Cell) -> bool {
    cell.peers == 1 && cell.pattern != Pattern::PubSub
}

pub struct Channel;

pub struct ChannelEnd {
    sender: Sender<Bytes>,
    receiver: Receiver<Bytes>,
}

/// The two ends, until they are taken.
static ENDS: LazyLock<Mutex<Vec<ChannelEnd>>> = LazyLock::new(|| {
    let (there, here) = (mpsc::channel(ROOM), mpsc::channel(ROOM));
    let one = ChannelEnd { sender: there.0, receiver: here.1 };
    let other = ChannelEnd { sender: here.0, receiver: there.1 };
    Mutex::new(vec![one, other])
});

impl Socket for ChannelEnd {
    async fn open(_: &Setup) -> Self {
        ENDS.lock().expect("nobody panics").pop().expect("there are two")
    }
}

impl Sends for ChannelEnd {
    async fn send(&mut self, body: &Bytes) {
        self.sender.send(body.clone()).await.expect("send");
    }
}

impl Receives for ChannelEnd {
    async fn recv(&mut self) -> usize {
        self.receiver.recv().await.expect("recv").len()
    }
}

impl Echoes for ChannelEnd {
    async fn echo(&mut self) -> usize {
        let message = self.receiver.recv().await.expect("recv");
        let size = message.len();
        self.sender.send(message).await.expect("send");
        size
    }
}

impl Peer for Channel {
    type Push = ChannelEnd;
    type Pull = ChannelEnd;
    type Pub = Missing;
    type Sub = Missing;
    type Req = ChannelEnd;
    type Rep = ChannelEnd;
    type Dealer = ChannelEnd;
    type Router = ChannelEnd;
    type Pair = ChannelEnd;
}
