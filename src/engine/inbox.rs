//! [`Inbox`]: what comes from one peer, read by whoever needs it.
//!
//! The receiver reads: it decodes from the buffer, and when that is empty it
//! polls the transport itself, so octets are decoded while they are warm and
//! no task stands between. The engine reads too, with the same code
//! ([`Inbox::pump`]), when no receiver waits, so that PING, subscriptions and
//! the end of the stream are seen; it stops at a bound.
//!
//! Sessions form a chain: messages of a lost connection stay readable, before
//! those of the next one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use super::session::{Limits, Request, Session, Step};
use crate::message::Message;
use crate::monitor::DisconnectReason;
use crate::options::SocketOptions;
use crate::pipe::{Item, Next};
use crate::transport::ReadHalf;
use crate::zmtp::Receiving;

/// How much the engine reads ahead of the receiver at most, in octets. Reading
/// further would only move the queue out of the kernel into cold memory.
const READ_AHEAD: usize = 256 * 1024;

/// How many reads or commands one turn may take without coming to a message.
const TURN: usize = 64;

/// How many stale messages or reads are looked through at most.
const STALE: usize = 10_000;

/// How many lost connections of one endpoint may have unread messages; beyond
/// that the oldest loses what it still had in the kernel.
const ORPHANS: usize = 16;

pub(super) struct Inbox {
    limits: Limits,
    inner: Mutex<In>,
    /// Whether the engine looks after this inbox from time to time, since
    /// octets may have been left unread in it.
    watched: AtomicBool,
}

#[derive(Default)]
struct In {
    sessions: VecDeque<Session>,
    /// No session will come any more.
    gone: bool,
}

/// How [`Inbox::pump`] went.
#[derive(Debug, Default)]
pub(super) struct Pumped {
    /// Messages are there for receivers.
    pub(super) readable: bool,
    /// More can be read at once.
    pub(super) more: bool,
    /// Older messages replaced by newer ones.
    pub(super) conflated: usize,
}

/// How [`Inbox::pump_away`] went.
#[derive(Debug)]
pub(super) struct PumpedAway {
    pub(super) count: usize,
    /// More can be read at once.
    pub(super) more: bool,
}

/// What [`Inbox::next_item`] has.
#[derive(Debug)]
pub(super) enum NextItem {
    Item(Item),
    /// Nothing now: armed, or ended.
    Nothing,
    /// Enough work for one turn without coming to an item.
    Busy,
}

impl Inbox {
    pub(super) fn new(options: &SocketOptions) -> Self {
        let or_max = |limit: usize| if limit == 0 { usize::MAX } else { limit };
        Self {
            limits: Limits {
                messages: or_max(options.recv_hwm),
                octets: or_max(options.recv_hwm_bytes).min(READ_AHEAD),
                conflate: options.conflate,
            },
            inner: Mutex::default(),
            watched: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, In> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection: its messages come after those of the former ones.
    pub(super) fn session_up(
        &self,
        read: Box<dyn ReadHalf>,
        receiving: Receiving,
        waker: impl FnOnce(Arc<AtomicBool>) -> Waker,
    ) {
        let mut inner = self.lock();
        if inner.sessions.len() > ORPHANS {
            if let Some(oldest) = inner.sessions.front_mut() {
                // It is at its end, then, and is joined with the next one.
                drop(oldest.stop_reading(&DisconnectReason::PeerClosed, self.limits.conflate));
            }
        }
        inner.sessions.push_back(Session::new(read, receiving, waker));
        inner.merge_spent();
    }

    /// No further connection will come: once the rest is read, the inbox is
    /// spent.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.gone = true;
        inner.merge_spent();
    }

    pub(super) fn is_spent(&self) -> bool {
        let inner = self.lock();
        inner.gone && inner.sessions.iter().all(Session::is_spent)
    }

    /// Drops what was not received and reads no more.
    pub(super) fn discard(&self) -> usize {
        let mut inner = self.lock();
        inner.gone = true;
        inner.sessions.drain(..).map(|mut session| session.drop_ahead()).sum()
    }

    /// Ends the newest connection from our side and gives its reading half.
    /// Whole messages that were read stay readable.
    pub(super) fn stop_reading(&self, reason: &DisconnectReason) -> Option<Box<dyn ReadHalf>> {
        let mut inner = self.lock();
        inner.sessions.back_mut()?.stop_reading(reason, self.limits.conflate)
    }

    /// Drops every message that has come so far, also what the system holds;
    /// says how many. Stops at a bound, since a peer may send without end.
    pub(super) fn discard_stale(&self, requests: &mut dyn FnMut(Request)) -> usize {
        let mut inner = self.lock();
        let older = inner.sessions.len().saturating_sub(1);
        let mut count: usize = inner.sessions.drain(..older).map(|mut it| it.drop_ahead()).sum();
        let Some(session) = inner.sessions.back_mut() else { return count };
        count += session.drop_ahead();
        for _ in 0..STALE {
            match session.read_step(requests) {
                Step::Message(_) => count += 1,
                Step::Subscription(_) | Step::Progress => {}
                Step::Pending if session.read_now() => {}
                Step::Pending | Step::Ended => break,
            }
        }
        count
    }

    /// Reads and drops, for a socket that is closing. If neither of two closing
    /// sockets read, each would wait for the other to take its last messages.
    pub(super) fn pump_away(&self, requests: &mut dyn FnMut(Request)) -> PumpedAway {
        let mut inner = self.lock();
        let mut pumped = PumpedAway {
            count: inner.sessions.iter_mut().map(Session::drop_ahead).sum(),
            more: false,
        };
        let Some(session) = inner.sessions.back_mut() else { return pumped };
        for _ in 0..TURN * TURN {
            match session.read_step(requests) {
                Step::Message(_) => pumped.count += 1,
                Step::Subscription(_) | Step::Progress => {}
                Step::Pending | Step::Ended => return pumped,
            }
        }
        pumped.more = true;
        pumped
    }

    /// Why the newest connection ended, if it did.
    pub(super) fn ended(&self) -> Option<DisconnectReason> {
        self.lock().sessions.back().and_then(|session| session.ended().cloned())
    }

    /// When the peer was last heard since the last call, and whether octets may
    /// be waiting unread, in which case its silence means nothing.
    pub(super) fn heard(&self) -> (Option<Instant>, bool) {
        match self.lock().sessions.back_mut() {
            Some(session) => (session.take_heard(), !session.is_armed()),
            None => (None, false),
        }
    }

    /// The next message for a receiver.
    pub(super) fn try_next(&self, requests: &mut dyn FnMut(Request)) -> Next {
        self.try_some(None, requests)
    }

    /// The next message for a receiver, and those at hand behind it.
    pub(super) fn try_batch(
        &self,
        rest: &mut VecDeque<Message>,
        requests: &mut dyn FnMut(Request),
    ) -> Next {
        self.try_some(Some(rest), requests)
    }

    fn try_some(
        &self,
        rest: Option<&mut VecDeque<Message>>,
        requests: &mut dyn FnMut(Request),
    ) -> Next {
        let mut inner = self.lock();
        for _ in 0..TURN {
            let Some(session) = inner.sessions.front_mut() else {
                return if inner.gone { Next::Gone } else { Next::Empty };
            };
            match session.take_step(self.limits.conflate, requests) {
                Step::Message(message) => {
                    if let Some(rest) = rest {
                        session.take_decoded(rest, requests);
                    }
                    let more = match self.limits.conflate {
                        true => false,
                        false => session.has_more(requests) || inner.sessions.len() > 1,
                    };
                    drop(inner);
                    if more {
                        self.watch(requests);
                    }
                    return Next::Message { message, more };
                }
                Step::Subscription(_) | Step::Progress => {}
                Step::Pending => return Next::Empty,
                Step::Ended if inner.sessions.len() > 1 || inner.gone => {
                    inner.sessions.pop_front();
                }
                Step::Ended => return Next::Empty,
            }
        }
        drop(inner);
        self.watch(requests);
        Next::Busy
    }

    /// Asks the engine to look after octets that a receiver may leave unread.
    pub(super) fn watch(&self, requests: &mut dyn FnMut(Request)) {
        if !self.watched.swap(true, Ordering::SeqCst) {
            requests(Request::Watch);
        }
    }

    /// Whether the engine still has to look: not once the inbox is armed, or
    /// full, which a receiver that reads on will undo.
    pub(super) fn still_watched(&self) -> bool {
        // Cleared before the look: a receiver that changes things after it asks
        // for a watch again.
        self.watched.store(false, Ordering::SeqCst);
        let idle = self.lock().sessions.back().is_none_or(|session| {
            session.is_full(&self.limits) || session.is_armed() || session.ended().is_some()
        });
        if !idle {
            self.watched.store(true, Ordering::SeqCst);
        }
        !idle
    }

    /// Reads ahead for the receivers, up to the bound.
    pub(super) fn pump(&self, requests: &mut dyn FnMut(Request)) -> Pumped {
        let mut inner = self.lock();
        let mut pumped = Pumped::default();
        let Some(session) = inner.sessions.back_mut() else { return pumped };
        for _ in 0..TURN {
            if session.is_full(&self.limits) {
                break;
            }
            match session.read_step(requests) {
                Step::Message(message) => {
                    pumped.conflated += session.keep(message, self.limits.conflate);
                    pumped.readable = true;
                }
                Step::Subscription(_) => {}
                Step::Progress => pumped.more = true,
                Step::Pending | Step::Ended => {
                    pumped.more = false;
                    return pumped;
                }
            }
        }
        pumped.more = !session.is_full(&self.limits);
        pumped
    }

    /// Reads for a pattern that takes items as they come.
    pub(super) fn next_item(&self, requests: &mut dyn FnMut(Request)) -> NextItem {
        let mut inner = self.lock();
        let Some(session) = inner.sessions.back_mut() else { return NextItem::Nothing };
        for _ in 0..TURN {
            match session.read_step(requests) {
                Step::Message(message) => return NextItem::Item(Item::Message(message)),
                Step::Subscription(change) => return NextItem::Item(Item::Subscription(change)),
                Step::Progress => {}
                Step::Pending | Step::Ended => return NextItem::Nothing,
            }
        }
        NextItem::Busy
    }
}

impl In {
    /// Joins sessions that have ended and are wholly decoded with the next one,
    /// so that a peer which comes and goes does not pile them up.
    fn merge_spent(&mut self) {
        while self.sessions.len() > 1 && self.sessions[0].ended().is_some() {
            let Some(spent) = self.sessions.pop_front() else { return };
            let Some(next) = self.sessions.front_mut() else { return };
            next.put_ahead(spent);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::socket_type::SocketType;
    use crate::transport::memory;
    use crate::zmtp::{Handshake, HandshakeConfig};

    /// The reading side of traffic with a PUSH.
    fn receiving() -> Receiving {
        let mut ends = [SocketType::Pull, SocketType::Push].map(|socket_type| {
            Handshake::new(HandshakeConfig {
                socket_type,
                routing_id: None,
                metadata: Vec::new(),
                max_message_size: None,
            })
        });
        while !ends.iter().all(Handshake::is_done) {
            for (from, to) in [(0, 1), (1, 0)] {
                let output = ends[from].output();
                ends[to].feed(&output).unwrap();
            }
        }
        let [pull, _] = ends;
        pull.into_traffic().0
    }

    /// As many lost connections as asked for, none of which was seen to end,
    /// each with a message in it. The ends are to be kept.
    async fn lose(inbox: &Inbox, count: u8) -> Vec<crate::transport::Stream> {
        let mut ends = Vec::new();
        for number in 0..count {
            let (ours, mut theirs) = memory::pair();
            theirs.write.write_all(&[0, 1, number]).await.unwrap();
            inbox.session_up(ours.read, receiving(), |_| Waker::noop().clone());
            ends.push(theirs);
        }
        ends
    }

    #[tokio::test]
    async fn lost_connections_that_nobody_reads_do_not_pile_up() {
        let inbox = Inbox::new(&SocketOptions::new());
        let _ends = lose(&inbox, 60).await;
        assert!(inbox.lock().sessions.len() <= ORPHANS + 2);
        // The newest is still there, and what was read of the others.
        while inbox.pump(&mut |_| {}).more {}
        inbox.close();
        assert!(matches!(inbox.try_next(&mut |_| {}), Next::Message { .. }));
    }
}
