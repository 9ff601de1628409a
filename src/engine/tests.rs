//! Lines between what a test does by hand: who writes, who reads, who is told.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::bell::Calls;
use super::clock::now;
use super::line::StreamLine;
use super::wire::{Beat, Pulse};
use super::writer::{Writer, Wrote};
use crate::message::Message;
use crate::monitor::MonitorEvent;
use crate::options::SocketOptions;
use crate::peer::{DropCause, PeerInfo, Unwelcome};
use crate::pipe::{
    Backlog, By, EndpointKey, Flush, Item, Line, Link, NeedsFlush, Peer, SocketSide, Traits,
};
use crate::socket_type::SocketType;
use crate::transport::{Stream, memory};
use crate::zmtp::{Handshake, HandshakeConfig, Receiving, Sending};

/// A socket that takes what it is told for granted.
struct Side;

impl SocketSide for Side {
    fn attach(&self, _: &Arc<Peer>) -> Result<(), Unwelcome> {
        Ok(())
    }

    fn up(&self, _: &Arc<Peer>, _: &PeerInfo) -> Result<(), Unwelcome> {
        Ok(())
    }

    fn down(&self, _: &Arc<Peer>) {}

    fn detach(&self, _: &Arc<Peer>) {}

    fn tidy(&self) -> bool {
        false
    }

    fn readable(&self, _: &Arc<Peer>) {}

    fn room(&self, _: &Arc<Peer>) {}

    fn calm(&self) {}

    fn deliver(&self, _: &Arc<Peer>, _: Item) {}

    fn runtime_ended(&self) {}

    fn caught_up(&self) {}

    fn lost(&self, peer: &Arc<Peer>, cause: DropCause, count: usize) {
        peer.counters.lost.add(cause, count);
    }

    fn zap(&self) -> Arc<dyn crate::security::Authenticator> {
        unreachable!("nobody asks a ZAP handler here")
    }

    fn emit(&self, _: MonitorEvent) {}
}

/// A line whose session is up, and whose task is the test.
struct Fixture {
    line: Arc<StreamLine>,
    // The line holds neither of these.
    _side: Arc<dyn SocketSide>,
    _peer: Arc<Peer>,
    _far_end: Stream,
}

impl Fixture {
    fn new(traits: &'static Traits, options: SocketOptions) -> Self {
        let side: Arc<dyn SocketSide> = Arc::new(Side);
        let link = Link {
            side: Arc::clone(&side),
            socket_type: SocketType::Dealer,
            traits,
            backlog: Arc::new(Backlog::new(&options)),
            options: Arc::new(options),
            endpoint: "tcp://127.0.0.1:1".parse().expect("an endpoint"),
            owner: EndpointKey::unique(),
        };
        let (peer, line) = StreamLine::new(&link);
        let (near, far) = memory::pair();
        let (receiving, sending) = traffic();
        line.set_up();
        line.beat(Pulse::new(&link.options, &sending, now()), sending.may_ask());
        line.read_from(near.read, receiving, 0);
        let ready =
            MonitorEvent::Ready { endpoint: link.endpoint.clone(), peer: PeerInfo::default() };
        *line.writer.lock() = Some(Writer::new(Box::into_pin(near.write), sending, ready));
        let this = Self { line, _side: side, _peer: peer, _far_end: far };
        // The first turn of the task finds nothing.
        assert!(this.calls().is_some());
        assert!(matches!(this.write(), Wrote::All));
        this
    }

    /// What the task is called for, if it is.
    fn calls(&self) -> Option<Calls> {
        match self.line.bell.poll_rung(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(calls) => Some(calls),
            Poll::Pending => None,
        }
    }

    /// A turn of the task.
    fn write(&self) -> Wrote {
        self.line.write(By::Task, &mut Context::from_waker(Waker::noop()))
    }
}

/// Both halves of a traffic, after a handshake.
fn traffic() -> (Receiving, Sending) {
    let new = || {
        Handshake::new(HandshakeConfig {
            socket_type: SocketType::Dealer,
            identity: None,
            metadata: Vec::new(),
            max_message_size: None,
            judges: false,
            pings: false,
            security: Default::default(),
        })
    };
    let (mut ours, mut theirs) = (new(), new());
    while !ours.is_done() {
        theirs.feed(&ours.output()).expect("no fault");
        ours.feed(&theirs.output()).expect("no fault");
    }
    let (receiving, sending, _) = ours.into_traffic();
    (receiving, sending)
}

#[tokio::test(start_paused = true)]
async fn the_task_is_told_of_a_ping_that_a_caller_wrote() {
    let interval = Duration::from_secs(1);
    let options = SocketOptions::new().heartbeat_interval(interval);
    let fixture = Fixture::new(&Traits::PLAIN, options);
    let line = &fixture.line;
    // A caller is about to write, when a PING is due.
    assert_eq!(line.push(&mut Message::from("m")).expect("there is room"), NeedsFlush::Yes);
    tokio::time::advance(interval).await;
    assert_eq!(line.pulse.lock().as_mut().map(|pulse| pulse.poll(now())), Some(Beat::Ping));
    assert_eq!(line.outward.lock().ping(Duration::ZERO), NeedsFlush::No);
    // The task has nothing to wait for until that is out.
    assert_eq!(line.pulse.lock().as_ref().and_then(Pulse::next_deadline), None);
    assert!(fixture.calls().is_none());
    assert!(!line.flush(Flush::Here));
    assert!(fixture.calls().is_some_and(|calls| calls.has(Calls::LOOK)));
    assert!(line.pulse.lock().as_ref().and_then(Pulse::next_deadline).is_some());
}
