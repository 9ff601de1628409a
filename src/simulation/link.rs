//! [`Connection`]: octets on their way between two ends, as a network has them:
//! taken in parts, late, and not always to the end.
//!
//! ```text
//!   write ─► log ──arrive──► arrived ──hear──► heard ─► read
//!             │  (it takes time)       (the reader's runtime is told)
//!            cut: what has not arrived never will
//! ```
//! Plain functions; what happens next, and when, is chosen by the world. Wakers
//! are not called here, but given to the world to be called in any order.

use std::io::{self, ErrorKind};
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use super::rng::Rng;
use super::stamp::Reader;

/// How a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Both ends meet an error.
    Reset,
    /// Both ends meet the end of the stream.
    End,
    /// Nobody is told.
    Silence,
}

/// One way of a connection.
#[derive(Debug)]
pub(super) struct Way {
    /// All that the writer's system has taken.
    pub(super) log: Vec<u8>,
    /// What is in it.
    pub(super) messages: Reader,
    /// How much of it lies with the reader.
    pub(super) arrived: usize,
    pub(super) read: usize,
    /// Something arrived that the reader's runtime has not heard of.
    news: bool,
    /// The reader's runtime takes it to be readable.
    heard: bool,
    /// How much may be under way or unread.
    capacity: usize,
    /// What is beyond never arrives.
    lost_from: Option<usize>,
    /// How the stream ends once all has arrived.
    end: Option<ErrorKind>,
    /// The reader's system knows of the end.
    has_ended: bool,
    pub(super) cut_at: Option<(usize, Cut)>,
    pub(super) paused_until: Option<Instant>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The end of a stream that is none of an error.
const ORDERLY: ErrorKind = ErrorKind::UnexpectedEof;

impl Way {
    fn new(capacity: usize) -> Self {
        Self {
            log: Vec::new(),
            messages: Reader::default(),
            arrived: 0,
            read: 0,
            news: false,
            heard: true,
            capacity,
            lost_from: None,
            end: None,
            has_ended: false,
            cut_at: None,
            paused_until: None,
            reader: None,
            writer: None,
        }
    }

    fn limit(&self) -> usize {
        self.lost_from.unwrap_or(self.log.len())
    }

    fn space(&self) -> usize {
        // It widens, or a large message would take too long through a narrow one.
        let capacity = self.capacity.max(self.log.len() / 8);
        capacity.saturating_sub(self.log.len() - self.read)
    }

    /// Whether something is under way: octets, or the end.
    pub(super) fn is_moving(&self) -> bool {
        self.arrived < self.limit() || (self.end.is_some() && !self.has_ended)
    }

    /// Whether the reader has or will have more than it has read.
    pub(super) fn is_unread(&self) -> bool {
        self.read < self.limit()
    }

    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.heard {
            return Poll::Ready(());
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Something that may happen next to a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Arrive,
    Hear,
    /// The writer is told that it may go on.
    Writable,
}

/// One connection: the way of the end that dialled, and that of the other.
#[derive(Debug)]
pub(super) struct Connection {
    /// The sockets at its ends: who dialled, who accepted.
    pub(super) sockets: [usize; 2],
    pub(super) ways: [Way; 2],
    /// How many halves each end still holds.
    halves: [u8; 2],
    /// Whether it did not end by itself.
    pub(super) was_cut: bool,
}

impl Connection {
    pub(super) fn new(sockets: [usize; 2], rng: &Rng) -> Self {
        let capacity = || rng.pick(&[1, 7, 64, 500, 4096, 100_000, 100_000]);
        let ways = [Way::new(capacity()), Way::new(capacity())];
        Self { sockets, ways, halves: [2; 2], was_cut: false }
    }

    /// Whether nobody holds it any more.
    pub(super) fn is_over(&self) -> bool {
        self.halves == [0; 2]
    }

    /// Whether both ends hold it and nothing ended it.
    pub(super) fn is_up(&self) -> bool {
        self.halves == [2; 2]
            && self.ways.iter().all(|way| way.end.is_none() && way.lost_from.is_none())
    }

    /// Whether an end holds a half at least, and may still write.
    pub(super) fn is_half_held(&self, end: usize) -> bool {
        self.halves[end] > 0
    }

    /// Whether an end holds both its halves.
    pub(super) fn is_held(&self, end: usize) -> bool {
        self.halves[end] == 2
    }

    /// Whether an end has said and heard all of the handshake, and heard of no end.
    pub(super) fn is_in_traffic(&self, end: usize) -> bool {
        let (out, inward) = (&self.ways[end], &self.ways[1 - end]);
        let is_ready = |way: &Way, octets| way.messages.ready_at.is_some_and(|at| at <= octets);
        let goes_on = !inward.has_ended;
        self.is_held(end)
            && goes_on
            && is_ready(out, out.log.len())
            && is_ready(inward, inward.read)
    }

    /// Whether an end could write now.
    pub(super) fn would_take(&self, end: usize) -> bool {
        self.is_in_traffic(end) && self.ways[end].space() > 0
    }

    /// How many messages an end has read, or could read.
    pub(super) fn come(&self, end: usize) -> usize {
        let way = &self.ways[1 - end];
        way.messages.within(if self.is_held(end) { way.arrived } else { way.read })
    }

    /// Whether nothing passes and nobody is told.
    pub(super) fn is_silent(&self) -> bool {
        self.ways.iter().any(|way| way.lost_from.is_some() && way.end.is_none())
    }

    pub(super) fn poll_readable(
        &mut self,
        way: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.ways[way].poll_heard(cx).map(Ok)
    }

    /// Reads into a buffer that is not empty.
    pub(super) fn poll_read(
        &mut self,
        way: usize,
        cx: &mut Context<'_>,
        space: usize,
        rng: &Rng,
    ) -> Poll<io::Result<&[u8]>> {
        let way = &mut self.ways[way];
        if way.poll_heard(cx).is_pending() {
            return Poll::Pending;
        }
        let there = (way.arrived - way.read).min(space);
        if there == 0 {
            if way.has_ended {
                return Poll::Ready(way.ended().map(|()| &[][..]));
            }
            way.heard = false;
            way.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = if rng.one_in(3) { rng.within(1..=there) } else { there };
        // As a runtime does: a short read means that there is no more.
        way.heard &= way.has_ended || count < there || count == space;
        Poll::Ready(Ok(way.take(count)))
    }

    /// Reads what lies there, whether or not the runtime has heard of it.
    pub(super) fn read_now(&mut self, way: usize, space: usize) -> io::Result<&[u8]> {
        let way = &mut self.ways[way];
        let there = (way.arrived - way.read).min(space);
        if there > 0 {
            return Ok(way.take(there));
        }
        if way.has_ended {
            way.ended().map(|()| &[][..])
        } else {
            Err(ErrorKind::WouldBlock.into())
        }
    }

    /// Takes a part of what is to be written.
    pub(super) fn poll_write(
        &mut self,
        way: usize,
        cx: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
        rng: &Rng,
    ) -> Poll<io::Result<usize>> {
        if self.ways[1 - way].has_ended && self.ways[way].lost_from.is_some() {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let way = &mut self.ways[way];
        let total: usize = octets.iter().map(|slice| slice.len()).sum();
        let until_cut = way.cut_at.map_or(usize::MAX, |(at, _)| at.saturating_sub(way.log.len()));
        let possible = total.min(way.space()).min(until_cut.max(1));
        if possible == 0 || rng.one_in(8) {
            way.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = if rng.one_in(2) { rng.within(1..=possible) } else { possible };
        let mut left = count;
        for slice in octets {
            let taken = left.min(slice.len());
            way.log.extend_from_slice(&slice[..taken]);
            left -= taken;
        }
        way.messages.follow(&way.log);
        let cut = way.cut_at.filter(|(at, _)| way.log.len() >= *at);
        if let Some((_, cut)) = cut {
            self.cut(cut, rng);
        }
        Poll::Ready(Ok(count))
    }

    /// Breaks it, in both ways.
    pub(super) fn cut(&mut self, cut: Cut, rng: &Rng) {
        self.was_cut = true;
        for way in &mut self.ways {
            if way.has_ended || way.lost_from.is_some() {
                continue;
            }
            way.cut_at = None;
            let rest = way.log.len() - way.arrived;
            way.lost_from = Some(way.arrived + rng.within(0..=rest));
            way.end = match cut {
                Cut::Reset => Some(ErrorKind::ConnectionReset),
                Cut::End => Some(ORDERLY),
                Cut::Silence => None,
            };
        }
    }

    /// The writer will write no more.
    pub(super) fn shut_down(&mut self, way: usize) {
        let way = &mut self.ways[way];
        way.cut_at = None;
        if way.lost_from.is_none() {
            way.end.get_or_insert(ORDERLY);
        }
    }

    /// One end lets go of one of its halves.
    pub(super) fn let_go(&mut self, end: usize, rng: &Rng) {
        self.halves[end] -= 1;
        let coming = &self.ways[1 - end];
        if self.halves[end] == 0 && coming.arrived > coming.read {
            self.reset_by(end, rng);
        }
    }

    /// An end that is closed cannot take what comes: its system says so to the
    /// other, which destroys what is still on its way there.
    fn reset_by(&mut self, end: usize, rng: &Rng) {
        let coming = &mut self.ways[1 - end];
        coming.lost_from.get_or_insert(coming.arrived);
        let way = &mut self.ways[end];
        if way.lost_from.is_none() && !way.has_ended {
            way.lost_from = Some(way.arrived + rng.within(0..=way.log.len() - way.arrived));
            way.end = Some(ErrorKind::ConnectionReset);
        }
    }

    /// What may happen next to a way.
    pub(super) fn possible(&self, index: usize, now: Instant) -> impl Iterator<Item = Event> {
        let way = &self.ways[index];
        let is_paused = way.paused_until.is_some_and(|until| until > now);
        let can_go_on =
            way.space() > 0 || (self.ways[1 - index].has_ended && way.lost_from.is_some());
        [
            (way.is_moving() && !is_paused).then_some(Event::Arrive),
            way.news.then_some(Event::Hear),
            (way.writer.is_some() && can_go_on).then_some(Event::Writable),
        ]
        .into_iter()
        .flatten()
    }

    /// Lets it happen; gives whom to wake.
    pub(super) fn happen(&mut self, index: usize, event: Event, rng: &Rng) -> Option<Waker> {
        let way = &mut self.ways[index];
        match event {
            Event::Writable => way.writer.take(),
            Event::Hear => way.hear(),
            Event::Arrive => {
                let rest = way.limit() - way.arrived;
                match rest {
                    0 => way.has_ended = true,
                    _ if rng.one_in(2) => way.arrived += rest,
                    _ => way.arrived += rng.within(1..=rest),
                }
                way.news = true;
                let heard = if rng.one_in(2) { way.hear() } else { None };
                if rest > 0 && self.halves[1 - index] == 0 {
                    self.reset_by(1 - index, rng);
                }
                heard
            }
        }
    }
}

impl Way {
    fn hear(&mut self) -> Option<Waker> {
        self.news = false;
        self.heard = true;
        self.reader.take()
    }

    fn ended(&self) -> io::Result<()> {
        match self.end {
            None | Some(ORDERLY) => Ok(()),
            Some(kind) => Err(kind.into()),
        }
    }

    fn take(&mut self, count: usize) -> &[u8] {
        self.read += count;
        &self.log[self.read - count..self.read]
    }
}
