//! [`Outward`]: what waits to be written to one peer.
//!
//! It holds encoded frames of whole messages, which are the same octets in
//! every version and under every mechanism, so a reconnect encodes nothing
//! again. What belongs to one session (commands, the form of a subscription)
//! waits in the lane and is rendered when a batch is taken.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::flight::{Cargo, Flight, Progress};
use super::lane::Lane;
use crate::mark::Mark;
use crate::message::Message;
use crate::options::SocketOptions;
use crate::peer::Subscription;
use crate::pipe::{By, Handover, NeedsFlush, Refused, Rest, Traits, free, free_messages};
use crate::stats::Traffic;
use crate::zmtp::{Encoded, Sending};

/// From how many octets of commands on a batch takes no more of them, since they
/// are rendered under the lock.
const COMMANDS: usize = 16 * 1024;

/// What waits for one peer, and who writes it. Kept under one lock.
#[derive(Debug)]
pub(crate) struct Outward {
    mark: Mark,
    /// So many wait when those who write are to be let at it: half of the mark,
    /// three quarters, all.
    near_mark: [usize; 3],
    /// How many octets may wait. Nobody counts them if there is no such mark.
    octet_mark: Mark,
    conflate: bool,
    /// Whether every message is a request (REQ).
    asks: bool,
    queue: Encoded,
    lane: Lane,
    phase: Phase,
    handover: Handover,
    /// How many more messages may be pushed with nothing to be asked: somebody is told
    /// already, and no mark is near. Whatever changes that sets it to zero.
    unasked: usize,
    /// How many turns of writing have begun, and how many had when that was last
    /// [looked at](Self::overdue).
    begun: u32,
    begun_then: u32,
    /// Whether a session is up, which is when the lane takes anything.
    up: bool,
    /// Messages that were taken to be written and are not written yet. They
    /// count against the mark.
    in_flight: usize,
    /// Their octets in plain, if octets have a mark: a message that is written in part
    /// still counts as a whole.
    octets_in_flight: usize,
    /// Whether closing waits for what was taken.
    is_awaited: bool,
    /// Whether somebody was refused for want of room.
    wanted: bool,
    /// Messages that newer ones replaced and nobody counted yet.
    conflated: usize,
    /// What was written of it, and the most that ever waited for that.
    written: Written,
}

/// What was written to a peer.
#[derive(Debug, Default)]
struct Written {
    messages: u64,
    octets: u64,
    most: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Closing by the user: send what is queued, until then.
    Closing(Option<Instant>),
    Gone,
}

/// What closing has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    No,
    /// Something is left to send, until the deadline if there is one.
    Lingering(Option<Instant>),
    /// Nothing is left, or nothing may be sent any more.
    Done,
}

/// What a write, or the end of one, changed for others. To be acted on once no
/// lock is held.
#[derive(Debug, Default, PartialEq, Eq)]
#[must_use]
pub(crate) struct Settled {
    /// Somebody was refused before, and there is room now.
    pub(crate) room: bool,
    /// Messages replaced by newer ones, to be counted.
    pub(crate) conflated: usize,
    /// A message was cut in the middle and is lost.
    pub(crate) cut: bool,
}

impl Settled {
    pub(crate) fn add(&mut self, other: Self) {
        self.room |= other.room;
        self.conflated = self.conflated.saturating_add(other.conflated);
        self.cut |= other.cut;
    }
}

/// What is left when a peer is gone for good.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Leftover {
    /// Messages that nobody gets.
    pub(crate) unsent: usize,
    pub(crate) conflated: usize,
}

impl Outward {
    pub(crate) fn new(options: &SocketOptions, traits: &Traits) -> Self {
        Self {
            mark: options.send_hwm,
            near_mark: near(options.send_hwm.limit()),
            octet_mark: options.send_hwm_bytes,
            conflate: options.conflate,
            asks: traits.asks,
            queue: Encoded::default(),
            lane: Lane::default(),
            phase: Phase::Open,
            handover: Handover::default(),
            unasked: 0,
            begun: 0,
            begun_then: 0,
            up: false,
            in_flight: 0,
            octets_in_flight: 0,
            is_awaited: false,
            wanted: false,
            conflated: 0,
            written: Written::default(),
        }
    }

    /// What went out, and what waits.
    pub(crate) fn traffic(&self) -> Traffic {
        let (Written { messages, octets, most }, queued) = (&self.written, self.unsent());
        Traffic {
            messages_out: *messages,
            bytes_out: *octets,
            queued,
            most_queued: queued.max(*most),
            ..Traffic::default()
        }
    }

    /// Messages that are accepted and not written.
    fn unsent(&self) -> usize {
        self.queue.messages().saturating_add(self.in_flight)
    }

    /// Their octets, or none if these have no mark.
    fn unsent_octets(&self) -> usize {
        if self.octet_mark.is_unlimited() {
            return 0;
        }
        self.queue.octets().saturating_add(self.octets_in_flight)
    }

    fn is_below_mark(&self) -> bool {
        self.conflate
            || self.mark.admits(self.unsent()) && self.octet_mark.admits(self.unsent_octets())
    }

    fn is_half_free(&self) -> bool {
        self.mark.is_half_free(self.unsent()) && self.octet_mark.is_half_free(self.unsent_octets())
    }

    /// Whether a message would be taken now. Whoever asks and is told "no" waits
    /// for room just as one that was refused.
    pub(crate) fn has_room(&mut self) -> bool {
        let room = self.is_below_mark();
        self.wanted |= !room;
        room
    }

    pub(crate) fn push(&mut self, message: &mut Message) -> Result<NeedsFlush, Refused> {
        self.push_by(|queue| queue.push(message))
    }

    /// The same for a message that others get as well.
    pub(crate) fn push_shared(&mut self, message: &Message) -> Result<NeedsFlush, Refused> {
        self.push_by(|queue| queue.push_shared(message))
    }

    #[inline(always)] // Once for every message, and from two places.
    fn push_by(&mut self, put: impl FnOnce(&mut Encoded)) -> Result<NeedsFlush, Refused> {
        let Some(unasked) = self.unasked.checked_sub(1) else { return self.push_and_ask(put) };
        self.unasked = unasked;
        put(&mut self.queue);
        Ok(NeedsFlush::No)
    }

    #[inline(never)]
    fn push_and_ask(&mut self, put: impl FnOnce(&mut Encoded)) -> Result<NeedsFlush, Refused> {
        if self.phase != Phase::Open {
            return Err(Refused::Gone);
        }
        if !self.is_below_mark() {
            self.wanted = true;
            return Err(Refused::Full);
        }
        if self.conflate {
            self.conflated = self.conflated.saturating_add(self.queue.messages());
            self.queue.clear();
        }
        let octets_before = self.unsent_octets();
        put(&mut self.queue);
        let unsent = self.unsent();
        let needs = match self.tell() {
            NeedsFlush::No if self.near_mark.contains(&unsent) => NeedsFlush::NearMark,
            needs => needs,
        };
        if !self.octet_mark.is_unlimited() {
            // Each message is asked about: it may be of any size.
            return Ok(self.weigh(octets_before, needs));
        }
        let next = self.near_mark.into_iter().find(|mark| unsent < *mark);
        self.unasked = match (self.conflate, next) {
            (false, Some(next)) => next.saturating_sub(unsent).saturating_sub(1),
            _ => 0,
        };
        Ok(needs)
    }

    /// What a push needs where octets have a mark: it may have come near that one.
    fn weigh(&self, before: usize, needs: NeedsFlush) -> NeedsFlush {
        let after = self.unsent_octets();
        let mut near = near(self.octet_mark.limit()).into_iter();
        match near.any(|mark| before < mark && mark <= after) && !self.conflate {
            true => needs.and_near_mark(),
            false => needs,
        }
    }

    /// So much of what was taken is not written.
    fn note_flight(&mut self, messages: usize, flight: &Flight) {
        self.in_flight = messages;
        if !self.octet_mark.is_unlimited() {
            self.octets_in_flight = flight.octets();
        }
    }

    pub(crate) fn control(&mut self, change: Subscription) -> NeedsFlush {
        if !self.up {
            return NeedsFlush::No;
        }
        self.lane.subscription(change);
        self.tell()
    }

    /// Owes the peer an answer to its PING, or an unasked one.
    pub(crate) fn pong(&mut self, context: Bytes) -> NeedsFlush {
        if !self.up {
            // A receiver has come to the PING of a connection that is lost.
            return NeedsFlush::No;
        }
        self.lane.pong(context);
        self.tell()
    }

    /// Owes the peer a PING that asks to be given up after so much silence.
    pub(crate) fn ping(&mut self, ttl: Duration) -> NeedsFlush {
        self.lane.ping(ttl);
        self.tell()
    }

    fn tell(&mut self) -> NeedsFlush {
        NeedsFlush::when(self.handover.push())
    }

    /// Whether `by` is the one to write now. If so, a turn of writing ends with
    /// [`rest`](Self::rest).
    pub(crate) fn claim(&mut self, by: By) -> bool {
        let claimed = self.up && self.handover.claim(by);
        self.begun = self.begun.wrapping_add(u32::from(claimed));
        claimed
    }

    /// Whether something waits for which nobody has begun to write since this was
    /// last asked; `None` if nothing waits for somebody to begin.
    pub(crate) fn overdue(&mut self) -> Option<bool> {
        let then = std::mem::replace(&mut self.begun_then, self.begun);
        match self.handover {
            Handover::Idle | Handover::Blocked => None,
            _ if !self.up => None,
            Handover::Busy => Some(false),
            Handover::Due => Some(then == self.begun),
        }
    }

    /// A session is up: the lane takes subscriptions from now on, and its task
    /// looks for something to write by itself.
    pub(crate) fn session_up(&mut self) {
        self.up = true;
        self.handover = Handover::Due;
    }

    /// The session is over. What it had not begun to write goes back to the
    /// front. A message that was cut in the middle is lost, which makes room.
    pub(crate) fn session_lost(&mut self, flight: Flight) -> Settled {
        self.up = false;
        self.unasked = 0;
        self.in_flight = 0;
        self.octets_in_flight = 0;
        self.is_awaited = false;
        self.handover = Handover::Idle;
        self.drop_lane();
        let (mut rest, cut) = flight.recover();
        if self.conflate && !self.queue.is_empty() {
            self.conflated = self.conflated.saturating_add(rest.messages());
        } else if !rest.is_empty() {
            rest.append(std::mem::take(&mut self.queue));
            self.queue = rest;
        }
        let room = self.is_below_mark();
        Settled { cut, ..self.settle(room) }
    }

    /// Moves what waits into `flight`, all of which is written: all messages, and
    /// commands up to a bound. False if nothing waits.
    pub(crate) fn take(&mut self, flight: &mut Flight, sending: &Sending) -> bool {
        self.written.most = self.written.most.max(self.queue.messages());
        flight.load(&mut self.queue);
        self.note_flight(flight.messages(), flight);
        while flight.commands().len() < COMMANDS {
            let Some(change) = self.lane.take_subscription() else { break };
            sending.subscription(&change, flight.commands());
        }
        let subscribes = !flight.commands().is_empty();
        let ping = self.lane.take_ping();
        if let Some(ttl) = ping {
            sending.ping(ttl, flight.commands());
        }
        if let Some(context) = self.lane.take_pong() {
            sending.pong(&context, flight.commands());
        }
        flight.label(&Cargo {
            has_ping: ping.is_some(),
            is_awaited: self.in_flight > 0 || subscribes,
            is_request: self.asks && self.in_flight > 0,
        });
        self.is_awaited = flight.is_awaited();
        !flight.is_written()
    }

    /// Part of what was taken is written. Room comes back with it. Says also whether
    /// that was the last of all there is to write.
    pub(crate) fn written(&mut self, progress: Progress, flight: &Flight) -> (Settled, bool) {
        self.unasked = 0;
        self.written.messages = self.written.messages.wrapping_add(progress.messages as u64);
        self.written.octets = self.written.octets.wrapping_add(progress.octets as u64);
        self.note_flight(self.in_flight.saturating_sub(progress.messages), flight);
        self.is_awaited = flight.is_awaited();
        // Half of the mark at a time while writing goes on.
        let settled = self.settle(self.is_half_free());
        (settled, flight.is_written() && self.is_empty())
    }

    /// Whether nothing waits to be taken.
    fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.lane.is_empty()
    }

    fn settle(&mut self, room: bool) -> Settled {
        let conflated = std::mem::take(&mut self.conflated);
        Settled { room: self.grants(room), conflated, cut: false }
    }

    /// Whether to tell somebody who was refused, if there is `room`.
    fn grants(&mut self, room: bool) -> bool {
        let granted = self.wanted && room;
        self.wanted &= !granted;
        granted
    }

    /// A turn of writing is over. True if the connection's task must be told; and
    /// whether somebody who was refused is to be.
    pub(crate) fn rest(&mut self, how: Rest) -> (bool, bool) {
        self.unasked = 0;
        let is_empty = self.is_empty();
        let goes_on = how == Rest::Later;
        let room = self.grants(!goes_on && self.is_below_mark());
        (self.handover.rest(how, is_empty), room)
    }

    /// Gives back the memory of busy times, if nothing waits.
    pub(crate) fn shrink(&mut self) {
        self.queue.rest();
    }

    /// Lets what is queued go out until the deadline, and refuses the rest.
    pub(crate) fn close(&mut self, deadline: Option<Instant>) {
        self.unasked = 0;
        self.phase = match self.phase {
            Phase::Open => Phase::Closing(deadline),
            // An endpoint that was disconnected before its socket is closed
            // lingers no longer for that. Without a deadline is forever.
            Phase::Closing(former) => Phase::Closing(match (former, deadline) {
                (Some(former), Some(deadline)) => Some(former.min(deadline)),
                (former, deadline) => former.or(deadline),
            }),
            Phase::Gone => Phase::Gone,
        };
    }

    /// Whether the user has closed it.
    pub(crate) fn is_closing(&self) -> bool {
        self.phase != Phase::Open
    }

    /// Whether it has ended for good.
    pub(crate) fn is_gone(&self) -> bool {
        self.phase == Phase::Gone
    }

    /// How long closing may still take.
    pub(crate) fn time_left(&self, now: Instant) -> Duration {
        match self.phase {
            Phase::Closing(Some(deadline)) => deadline.saturating_duration_since(now),
            _ => Duration::MAX,
        }
    }

    /// Where closing stands. PING and PONG are not waited for: a peer that reads
    /// nothing would keep a socket that has nothing to say from closing.
    pub(crate) fn closing(&self, now: Instant) -> Closing {
        let empty = !self.is_awaited && self.queue.is_empty() && !self.lane.has_subscriptions();
        match self.phase {
            Phase::Open => Closing::No,
            Phase::Gone => Closing::Done,
            Phase::Closing(_) if empty => Closing::Done,
            Phase::Closing(Some(deadline)) if deadline <= now => Closing::Done,
            Phase::Closing(deadline) => Closing::Lingering(deadline),
        }
    }

    fn drop_lane(&mut self) {
        let lane = std::mem::take(&mut self.lane);
        free(lane.subscriptions(), lane);
    }

    /// Ends it for good.
    pub(crate) fn end(&mut self) -> Leftover {
        self.phase = Phase::Gone;
        self.unasked = 0;
        self.up = false;
        self.drop_lane();
        self.forget()
    }

    /// Drops what waits: it was meant for somebody who is not there any more.
    pub(crate) fn forget(&mut self) -> Leftover {
        let queue = std::mem::take(&mut self.queue);
        let unsent = queue.messages();
        self.written.most = self.written.most.max(unsent);
        free_messages(unsent, queue);
        Leftover { unsent, conflated: std::mem::take(&mut self.conflated) }
    }
}

/// Once is not enough: whoever makes room in the kernel, the one who writes, and
/// the one who sends may get their turns in any order.
fn near(mark: usize) -> [usize; 3] {
    [mark.div_ceil(2), mark.saturating_sub(mark / 4), mark]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outward(options: &SocketOptions) -> Outward {
        let mut outward = Outward::new(options, &Traits::PLAIN);
        outward.session_up();
        outward
    }

    fn sending() -> Sending {
        Sending::new(1, true, None)
    }

    fn refused(outward: &mut Outward) -> bool {
        matches!(outward.push_shared(&Message::from("m")), Err(Refused::Full))
    }

    #[test]
    fn what_is_taken_and_not_written_counts_against_the_mark() {
        let mut outward = outward(&SocketOptions::new().send_hwm(3));
        for _ in 0..3 {
            assert!(outward.push_shared(&Message::from("m")).is_ok());
        }
        let mut flight = Flight::default();
        assert!(outward.claim(By::Task) && outward.take(&mut flight, &sending()));
        assert!(refused(&mut outward));
        // Two and a half of the three, each of three octets.
        let progress = flight.advance(7);
        assert!(outward.written(progress, &flight).0.room);
        assert!(outward.push_shared(&Message::from("m")).is_ok());
        assert!(outward.push_shared(&Message::from("m")).is_ok());
        assert!(refused(&mut outward));
        // While writing goes on, nobody is told of room for less than half of them.
        let progress = flight.advance(2);
        assert!(!outward.written(progress, &flight).0.room);
        assert_eq!(outward.rest(Rest::Later), (true, false));
        assert!(outward.claim(By::Task));
        assert_eq!(outward.rest(Rest::Blocked), (true, true));
        assert!(outward.push_shared(&Message::from("m")).is_ok());
        assert!(refused(&mut outward));
        assert_eq!(outward.rest(Rest::Blocked), (true, false));
    }

    fn with_octets(octets: usize) -> SocketOptions {
        SocketOptions::new().send_hwm_bytes(octets)
    }

    fn large(size: usize) -> Message {
        vec![b'x'; size].into()
    }

    #[test]
    fn octets_that_are_taken_and_not_written_count_against_their_mark() {
        let mut outward = outward(&with_octets(9));
        for _ in 0..3 {
            assert!(outward.push_shared(&Message::from("m")).is_ok());
        }
        assert!(refused(&mut outward));
        let mut flight = Flight::default();
        assert!(outward.claim(By::Task) && outward.take(&mut flight, &sending()));
        assert!(refused(&mut outward));
        // A message that is written in part counts as a whole: six of nine are left.
        let progress = flight.advance(5);
        assert!(!outward.written(progress, &flight).0.room);
        let progress = flight.advance(1);
        assert!(outward.written(progress, &flight).0.room);
        assert!(outward.has_room());
        // Below the mark one of any size is taken.
        assert!(outward.push_shared(&large(100_000)).is_ok());
        assert!(refused(&mut outward) && !outward.has_room());
        let progress = flight.advance(3);
        assert!(!outward.written(progress, &flight).0.room);
        assert_eq!(outward.rest(Rest::Blocked), (true, false));
    }

    #[test]
    fn an_empty_queue_takes_one_message_of_any_size() {
        let mut outward = outward(&with_octets(1));
        for _ in 0..3 {
            assert!(outward.push_shared(&large(1 << 20)).is_ok());
            assert!(refused(&mut outward));
            let mut flight = Flight::default();
            assert!(outward.claim(By::Task) && outward.take(&mut flight, &sending()));
            let progress = flight.advance((1 << 20) + 8);
            assert!(!outward.written(progress, &flight).0.room);
            let progress = flight.advance(1);
            assert_eq!(
                outward.written(progress, &flight),
                (Settled { room: true, ..Settled::default() }, true)
            );
            assert_eq!(outward.rest(Rest::Done), (false, false));
        }
    }

    #[test]
    fn whoever_waits_for_octets_is_told_however_the_mark_in_messages_is() {
        // Two messages are one too many for half of the one mark, and not of the other.
        for (messages, octets, is_told) in [(1000, 12, true), (3, 12, false), (1000, 10, false)] {
            let mut outward = outward(&with_octets(octets).send_hwm(messages));
            while outward.push_shared(&Message::from("m")).is_ok() {}
            let count = outward.unsent();
            let mut flight = Flight::default();
            assert!(outward.claim(By::Task) && outward.take(&mut flight, &sending()));
            let progress = flight.advance(3 * (count - 2));
            assert_eq!(outward.written(progress, &flight).0.room, is_told, "{messages}, {octets}");
            // When writing ends any room is enough.
            assert_eq!(outward.rest(Rest::Blocked), (true, !is_told));
        }
    }

    #[test]
    fn others_are_let_at_it_near_the_mark_in_octets() {
        let push =
            |outward: &mut Outward, size| outward.push_shared(&large(size)).expect("there is room");
        let mut outward = outward(&with_octets(1000));
        assert_eq!(push(&mut outward, 98), NeedsFlush::No);
        assert_eq!(push(&mut outward, 398), NeedsFlush::NearMark);
        assert_eq!(push(&mut outward, 198), NeedsFlush::No);
        assert_eq!(push(&mut outward, 48), NeedsFlush::NearMark);
        assert_eq!(push(&mut outward, 198), NeedsFlush::No);
        assert_eq!(push(&mut outward, 1), NeedsFlush::No);
        assert_eq!(push(&mut outward, 100), NeedsFlush::NearMark);
        assert!(refused(&mut outward));
        // Also where one is enough.
        let mut outward = Outward::new(&with_octets(1000), &Traits::PLAIN);
        assert_eq!(push(&mut outward, 500), NeedsFlush::YesNearMark);
    }

    #[test]
    fn octets_of_a_broken_session_wait_for_the_next_but_for_what_was_cut() {
        let mut outward = outward(&with_octets(9));
        while outward.push_shared(&Message::from("m")).is_ok() {}
        let mut flight = Flight::default();
        assert!(outward.take(&mut flight, &sending()));
        let progress = flight.advance(4);
        let _ = outward.written(progress, &flight);
        assert_eq!(outward.unsent_octets(), 6);
        assert!(outward.session_lost(flight).cut);
        assert_eq!(outward.unsent_octets(), 3);
        assert!(outward.push_shared(&Message::from("m")).is_ok());
        assert!(outward.push_shared(&Message::from("m")).is_ok());
        assert!(refused(&mut outward));
    }

    #[test]
    fn what_conflates_has_no_mark_in_octets() {
        let mut outward = outward(&with_octets(1).conflate(true));
        for _ in 0..3 {
            assert!(outward.has_room());
            assert!(matches!(
                outward.push_shared(&large(100)),
                Ok(NeedsFlush::Yes | NeedsFlush::No)
            ));
        }
    }

    #[test]
    fn without_a_mark_in_octets_nobody_counts_them() {
        let mut outward = outward(&SocketOptions::new());
        assert!(outward.push_shared(&large(1 << 20)).is_ok());
        assert_eq!((outward.unsent_octets(), outward.unasked), (0, 498));
        let mut flight = Flight::default();
        assert!(outward.take(&mut flight, &sending()));
        assert_eq!(outward.octets_in_flight, 0);
    }

    #[test]
    fn what_a_broken_session_had_not_begun_waits_for_the_next() {
        let mut outward = outward(&SocketOptions::new().send_hwm(3));
        for _ in 0..3 {
            assert!(outward.push_shared(&Message::from("m")).is_ok());
        }
        let mut flight = Flight::default();
        assert!(outward.take(&mut flight, &sending()));
        let progress = flight.advance(4);
        let _ = outward.written(progress, &flight);
        assert!(outward.session_lost(flight).cut);
        // One is written, one was cut, one waits.
        for _ in 0..2 {
            assert!(outward.push_shared(&Message::from("m")).is_ok());
        }
        assert!(refused(&mut outward));
    }

    #[test]
    fn a_message_that_was_cut_makes_room_for_whoever_waits() {
        let mut outward = outward(&SocketOptions::new().send_hwm(1));
        assert!(outward.push_shared(&Message::from("m")).is_ok());
        let mut flight = Flight::default();
        assert!(outward.take(&mut flight, &sending()));
        let progress = flight.advance(1);
        assert!(!outward.written(progress, &flight).0.room);
        assert!(refused(&mut outward));
        assert!(outward.session_lost(flight).room);
    }

    #[test]
    fn a_pong_that_cannot_be_written_keeps_nobody_from_closing() {
        let mut outward = outward(&SocketOptions::new());
        let _ = outward.pong(Bytes::new());
        outward.close(None);
        assert_eq!(outward.closing(Instant::now()), Closing::Done);
    }

    #[test]
    fn the_ping_of_a_lost_connection_is_not_answered_on_the_next() {
        let mut outward = outward(&SocketOptions::new());
        assert!(!outward.session_lost(Flight::default()).cut);
        assert_eq!(outward.pong(Bytes::new()), NeedsFlush::No);
        assert!(outward.lane.take_pong().is_none());
    }

    #[test]
    fn closing_twice_does_not_linger_for_longer() {
        let mut outward = outward(&SocketOptions::new());
        let now = Instant::now();
        let [soon, later] = [1, 2].map(|seconds| now + Duration::from_secs(seconds));
        assert!(outward.push_shared(&Message::from("m")).is_ok());
        outward.close(None);
        outward.close(Some(soon));
        outward.close(Some(later));
        outward.close(None);
        assert_eq!(outward.closing(now), Closing::Lingering(Some(soon)));
        assert_eq!(outward.closing(soon), Closing::Done);
    }

    #[test]
    fn subscriptions_and_messages_are_waited_for() {
        let mut outward = outward(&SocketOptions::new());
        let _ = outward.control(Subscription::Subscribe(Bytes::new()));
        outward.close(None);
        assert_eq!(outward.closing(Instant::now()), Closing::Lingering(None));
        let mut flight = Flight::default();
        assert!(outward.take(&mut flight, &sending()));
        assert_eq!(outward.closing(Instant::now()), Closing::Lingering(None));
        let octets = flight.commands().len();
        let progress = flight.advance(octets);
        let _ = outward.written(progress, &flight);
        assert_eq!(outward.closing(Instant::now()), Closing::Done);
    }
}
