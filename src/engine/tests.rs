//! Lines between what a test does by hand: who writes, who reads, who is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::bell::Calls;
use super::clock::now;
use super::line::StreamLine;
use super::meeting::Role;
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
#[derive(Default)]
struct Side {
    /// Whether it always has something to tidy up, so that it is never done with a peer.
    is_busy: bool,
}

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
        self.is_busy
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
        let side: Arc<dyn SocketSide> = Arc::new(Side::default());
        let link = link(&side, traits, options);
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

fn link(side: &Arc<dyn SocketSide>, traits: &'static Traits, options: SocketOptions) -> Link {
    Link {
        side: Arc::clone(side),
        socket_type: SocketType::Dealer,
        traits,
        backlog: Arc::new(Backlog::new(&options)),
        options: Arc::new(options),
        endpoint: "tcp://127.0.0.1:1".parse().expect("an endpoint"),
        owner: EndpointKey::unique(),
    }
}

fn handshake() -> Handshake {
    Handshake::new(HandshakeConfig {
        socket_type: SocketType::Dealer,
        identity: None,
        metadata: Vec::new(),
        max_message_size: None,
        judges: false,
        pings: false,
        security: Default::default(),
    })
}

/// Both halves of a traffic, after a handshake.
fn traffic() -> (Receiving, Sending) {
    let (mut ours, mut theirs) = (handshake(), handshake());
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

/// Counts warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Too many handshakes, or the end of the listener: that is reported as what it is.
#[tokio::test]
async fn a_peer_that_is_given_up_while_it_is_judged_is_no_end_of_a_runtime() {
    let side: Arc<dyn SocketSide> = Arc::new(Side { is_busy: true });
    let link = link(&side, &Traits::PLAIN, SocketOptions::new());
    let (near, mut far) = memory::pair();
    let (mut theirs, mut octets) = (handshake(), [0; 1024]);
    let answering = async {
        while !theirs.is_done() {
            far.write.write_all(&theirs.output()).await.expect("written");
            let count = far.read.read(&mut octets).await.expect("read");
            theirs.feed(&octets[..count]).expect("no fault");
        }
    };
    let (met, ()) = tokio::join!(link.meet(near, Role::Accepting), answering);
    let Ok(met) = met else { panic!("they have met") };
    let mut taking_in = Box::pin(link.take_in(met, None));
    assert!(taking_in.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), || drop(taking_in));
    assert_eq!(warnings.0.load(Ordering::Relaxed), 0);
}
