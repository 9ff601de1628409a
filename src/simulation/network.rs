//! [`Net`]: the connections of a simulated world, and the transport that the
//! engine sees.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::link::{Connection, Cut, Event};
use super::rng::Rng;
use crate::endpoint::Endpoint;
use crate::transport::simulated::{Connecting, Network};
use crate::transport::{Origin, ReadHalf, Stream};

/// Where the socket listens that others dial; they dial the ports after it,
/// each its own, so that it is known who dials.
pub(super) const PORT: u16 = 1000;

/// How the network behaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    /// How many connections are cut, or refused, before it gets better.
    pub(super) cuts: usize,
    /// Whether peers notice when nothing passes, so that this may happen.
    pub(super) may_fall_silent: bool,
    /// Up to where a connection is cut.
    pub(super) reach: usize,
    /// Whether octets are held up for longer than it takes to look twice.
    pub(super) holds_up: bool,
}

/// A network that does what a seed tells.
#[derive(Debug, Clone)]
pub(super) struct Net {
    state: Arc<Mutex<State>>,
    rng: Rng,
    pub(super) traces: bool,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) connections: Vec<Connection>,
    /// Those that somebody holds.
    open: Vec<usize>,
    listeners: BTreeMap<u16, Listening>,
    /// Whoever is to be woken, in any order.
    wakers: Vec<Waker>,
    pub(super) weather: Weather,
}

#[derive(Debug, Default)]
struct Listening {
    backlog: VecDeque<usize>,
    waker: Option<Waker>,
}

impl Net {
    pub(super) fn new(weather: Weather, rng: Rng, traces: bool) -> Self {
        let state = State {
            connections: Vec::new(),
            open: Vec::new(),
            listeners: BTreeMap::new(),
            wakers: Vec::new(),
            weather,
        };
        Self { state: Arc::new(Mutex::new(state)), rng, traces }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if self.traces {
            println!("  {}", text());
        }
    }

    /// From now on nothing goes wrong any more.
    pub(super) fn clear_up(&self) {
        let mut state = self.state();
        state.weather = Weather { cuts: 0, holds_up: false, ..state.weather };
        for connection in &mut state.connections {
            connection.ways.iter_mut().for_each(|way| way.cut_at = None);
        }
    }

    /// Wakes somebody that is to be woken; false if there is nobody.
    pub(super) fn wake(&self) -> bool {
        let waker = {
            let mut state = self.state();
            match state.wakers.len() {
                0 => return false,
                count => state.wakers.swap_remove(self.rng.within(0..=count - 1)),
            }
        };
        waker.wake();
        true
    }

    pub(super) fn has_wakers(&self) -> bool {
        !self.state().wakers.is_empty()
    }

    /// Lets something happen that may; false if nothing can, for now.
    pub(super) fn happen(&self) -> bool {
        let (now, rng) = (Instant::now(), &self.rng);
        let mut state = self.state();
        let state = &mut *state;
        state.open.retain(|index| !state.connections[*index].is_over());
        let mut possible: Vec<(usize, usize, Event)> = Vec::new();
        for index in &state.open {
            for way in 0..2 {
                let events = state.connections[*index].possible(way, now);
                possible.extend(events.map(|event| (*index, way, event)));
            }
        }
        if possible.is_empty() {
            return false;
        }
        let (index, way, event) = rng.pick(&possible);
        if event == Event::Arrive && rng.one_in(12) {
            let longest = if state.weather.holds_up { 400 } else { 5 };
            let most = if rng.one_in(4) { longest } else { 3 };
            let pause = Duration::from_millis(rng.within(1..=most) as u64);
            state.connections[index].ways[way].paused_until = Some(now + pause);
            self.trace(|| format!("link {index}.{way} is held up for {pause:?}"));
            return true;
        }
        let woken = state.connections[index].happen(way, event, rng);
        let there = &state.connections[index].ways[way];
        self.trace(|| {
            format!("link {index}.{way} {event:?} {}/{}", there.arrived, there.log.len())
        });
        state.wakers.extend(woken);
        true
    }

    /// When something may happen that cannot now.
    pub(super) fn next_time(&self) -> Option<Instant> {
        let (now, state) = (Instant::now(), self.state());
        let ways = state.open.iter().flat_map(|index| &state.connections[*index].ways);
        ways.filter_map(|way| way.paused_until).filter(|until| *until > now).min()
    }

    /// A connection is made, and waits to be accepted.
    fn make(&self, dialler: usize) -> io::Result<Stream> {
        let (rng, mut state) = (&self.rng, self.state());
        let state = &mut *state;
        if state.weather.cuts > 0 && rng.one_in(8) {
            state.weather.cuts -= 1;
            return Err(ErrorKind::ConnectionRefused.into());
        }
        let index = state.connections.len();
        let listening = state.listeners.get_mut(&PORT).ok_or(ErrorKind::ConnectionRefused)?;
        listening.backlog.push_back(index);
        state.wakers.extend(listening.waker.take());
        let mut connection = Connection::new([dialler, 0], rng);
        if state.weather.cuts > 0 && !rng.one_in(4) {
            state.weather.cuts -= 1;
            let silent = if state.weather.may_fall_silent { 3 } else { 2 };
            let cut = [Cut::Reset, Cut::End, Cut::Silence][rng.within(0..=silent - 1)];
            // The greeting and READY are about 120 octets.
            let reach = if rng.one_in(4) { 150 } else { 100 + state.weather.reach };
            let at = rng.within(1..=reach);
            let way = rng.within(0..=1);
            connection.ways[way].cut_at = Some((at, cut));
            self.trace(|| format!("link {index}.{way} will be cut at {at}: {cut:?}"));
        }
        state.connections.push(connection);
        state.open.push(index);
        self.trace(|| format!("link {index} is made by socket {dialler}"));
        Ok(self.stream(index, 0))
    }

    fn stream(&self, connection: usize, end: usize) -> Stream {
        let half = || Half { net: self.clone(), connection, end };
        let address = format!("tcp://192.0.2.1:{connection}");
        let (read, write) = (Box::new(ReadEnd(half())), Box::new(WriteEnd(half())));
        Stream { read, write, address, origin: Origin::Local }
    }
}

impl Network for Net {
    fn connect(&self, endpoint: &Endpoint) -> Connecting {
        let (net, port) = (self.clone(), endpoint.port().expect("tcp endpoints have one"));
        Box::pin(async move {
            if net.rng.one_in(3) {
                let delay = net.rng.within(0..=20) as u64;
                tokio::time::sleep(Duration::from_millis(delay)).await;
            }
            net.make(usize::from(port - PORT))
        })
    }

    fn listen(&self, endpoint: &Endpoint) {
        assert_eq!(endpoint.port(), Some(PORT));
        self.state().listeners.insert(PORT, Listening::default());
    }

    fn poll_accept(&self, _: &Endpoint, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        let mut state = self.state();
        let listening = state.listeners.get_mut(&PORT).expect("somebody listens");
        match listening.backlog.pop_front() {
            Some(index) => {
                drop(state);
                Poll::Ready(Ok(self.stream(index, 1)))
            }
            None => {
                listening.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn stop_listening(&self, _: &Endpoint) {
        let listening = self.state().listeners.remove(&PORT);
        for index in listening.unwrap_or_default().backlog {
            drop(self.stream(index, 1));
        }
    }
}

/// What one end of a connection holds of it.
struct Half {
    net: Net,
    connection: usize,
    end: usize,
}

impl Half {
    fn with<T>(&self, work: impl FnOnce(&mut Connection, usize, &Rng) -> T) -> T {
        let mut state = self.net.state();
        work(&mut state.connections[self.connection], self.end, &self.net.rng)
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        self.with(|connection, end, rng| connection.let_go(end, rng));
    }
}

struct ReadEnd(Half);

impl AsyncRead for ReadEnd {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.with(|connection, end, rng| {
            let poll = connection.poll_read(1 - end, cx, buffer.remaining(), rng);
            poll.map_ok(|octets| buffer.put_slice(octets))
        })
    }
}

impl ReadHalf for ReadEnd {
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.with(|connection, end, _| connection.poll_readable(1 - end, cx))
    }

    fn read_now(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        self.0.with(|connection, end, _| {
            let there = connection.read_now(1 - end, octets.len())?;
            octets[..there.len()].copy_from_slice(there);
            Ok(there.len())
        })
    }
}

struct WriteEnd(Half);

impl AsyncWrite for WriteEnd {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(octets)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let half = &self.0;
        let written = half.with(|connection, end, rng| connection.poll_write(end, cx, octets, rng));
        half.net.trace(|| format!("link {}.{} writes {written:?}", half.connection, half.end));
        written
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.with(|connection, end, _| connection.shut_down(end));
        Poll::Ready(Ok(()))
    }
}

impl Drop for WriteEnd {
    fn drop(&mut self) {
        self.0.with(|connection, end, _| connection.shut_down(end));
    }
}
