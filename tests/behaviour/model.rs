//! Random stories of sockets in one process, against the simplest model there is: what
//! was accepted is delivered once or counted as lost once, to somebody who was
//! connected to the sender, and in order. A story that fails is shrunk to a short one.
//!
//! Over inproc nothing happens by itself, so that a story is the same each time.
//! (What networks do is in `src/simulation`.)

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use ferromq::{
    Context, DealerSocket, DropCause, Linger, Message, PairSocket, PullSocket, PushSocket,
    RepSocket, ReqSocket, RouterSocket, RoutingId, SocketOptions, SocketType,
};
use proptest::prelude::*;

/// How many sockets there are at a time, and names to meet at.
const SOCKETS: usize = 4;
const NAMES: usize = 2;

/// What may happen. The numbers are of sockets and names.
#[derive(Debug, Clone)]
enum Step {
    Bind(usize, usize),
    Unbind(usize, usize),
    Connect(usize, usize),
    Disconnect(usize, usize),
    Send(usize),
    /// A send that is polled once and dropped.
    GiveUpSending(usize),
    Receive(usize),
    /// A receive that is polled once and dropped.
    GiveUpReceiving(usize),
    /// The socket is closed, and another of its type takes its place.
    Renew(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (socket, name) = (0..SOCKETS, 0..NAMES);
    let both = || (socket.clone(), name.clone());
    let one = || socket.clone();
    prop_oneof![
        2 => both().prop_map(|(socket, name)| Step::Bind(socket, name)),
        1 => both().prop_map(|(socket, name)| Step::Unbind(socket, name)),
        3 => both().prop_map(|(socket, name)| Step::Connect(socket, name)),
        1 => both().prop_map(|(socket, name)| Step::Disconnect(socket, name)),
        10 => one().prop_map(Step::Send),
        2 => one().prop_map(Step::GiveUpSending),
        8 => one().prop_map(Step::Receive),
        2 => one().prop_map(Step::GiveUpReceiving),
        1 => one().prop_map(Step::Renew),
    ]
}

/// Two types that talk to each other.
const PAIRS: [[SocketType; 2]; 6] = [
    [SocketType::Push, SocketType::Pull],
    [SocketType::Pair, SocketType::Pair],
    [SocketType::Dealer, SocketType::Dealer],
    [SocketType::Dealer, SocketType::Router],
    [SocketType::Req, SocketType::Rep],
    [SocketType::Req, SocketType::Router],
];

macro_rules! sockets {
    ($($kind:ident($socket:ident)),+) => {
        #[derive(Clone)]
        enum Socket { $($kind($socket)),+ }

        impl Socket {
            fn new(kind: SocketType, context: &Context, options: SocketOptions) -> Self {
                match kind {
                    $(SocketType::$kind => Self::$kind($socket::new_in(context, options)),)+
                    other => panic!("{other} has no part in these stories"),
                }
            }

            async fn bind(&self, at: &str) -> bool {
                match self { $(Self::$kind(socket) => socket.bind(at).await.is_ok()),+ }
            }

            async fn unbind(&self, at: &str) {
                match self { $(Self::$kind(socket) => drop(socket.unbind(at).await)),+ }
            }

            fn connect(&self, at: &str) -> bool {
                match self { $(Self::$kind(socket) => socket.connect(at).is_ok()),+ }
            }

            fn disconnect(&self, at: &str) {
                match self { $(Self::$kind(socket) => drop(socket.disconnect(at))),+ }
            }

            fn dropped(&self) -> u64 {
                let of = |cause| match self { $(Self::$kind(socket) => socket.dropped(cause)),+ };
                DropCause::ALL.into_iter().map(of).sum()
            }

            async fn close(&self) {
                match self { $(Self::$kind(socket) => drop(socket.close().await)),+ }
            }
        }
    };
}

sockets!(
    Push(PushSocket),
    Pull(PullSocket),
    Pair(PairSocket),
    Dealer(DealerSocket),
    Router(RouterSocket),
    Req(ReqSocket),
    Rep(RepSocket)
);

/// Whether a future has ended by its first poll; it is dropped.
fn once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// One socket of a story, or one that was closed.
struct Player {
    socket: Socket,
    /// Which one of all that there were.
    id: usize,
    /// To whom a ROUTER answers.
    asker: Option<RoutingId>,
    is_open: bool,
}

impl Player {
    fn send(&self, message: Message, gives_up: bool) -> bool {
        macro_rules! send {
            ($socket:expr) => {
                match gives_up {
                    false => $socket.try_send(message).is_ok(),
                    true => once($socket.send(message)).is_some_and(|sent| sent.is_ok()),
                }
            };
        }
        match &self.socket {
            Socket::Push(socket) => send!(socket),
            Socket::Pair(socket) => send!(socket),
            Socket::Dealer(socket) => send!(socket),
            Socket::Req(socket) => send!(socket),
            Socket::Rep(socket) => send!(socket),
            Socket::Router(socket) => match &self.asker {
                Some(asker) if gives_up => {
                    once(socket.send_to(asker, message)).is_some_and(|sent| sent.is_ok())
                }
                Some(asker) => socket.try_send_to(asker, message).is_ok(),
                None => false,
            },
            Socket::Pull(_) => false,
        }
    }

    fn receive(&mut self, gives_up: bool) -> Option<Message> {
        macro_rules! receive {
            ($socket:expr) => {
                match gives_up {
                    false => $socket.try_recv().ok(),
                    true => once($socket.recv()).and_then(Result::ok),
                }
            };
        }
        match &self.socket {
            Socket::Pull(socket) => receive!(socket),
            Socket::Pair(socket) => receive!(socket),
            Socket::Dealer(socket) => receive!(socket),
            Socket::Req(socket) => receive!(socket),
            Socket::Rep(socket) => receive!(socket),
            Socket::Router(socket) => {
                let (from, message) = receive!(socket)?;
                self.asker = Some(from);
                Some(message)
            }
            Socket::Push(_) => None,
        }
    }
}

/// A story as it goes.
struct World {
    context: Context,
    kinds: [SocketType; 2],
    players: Vec<Player>,
    /// Where each place of the story is among the players.
    places: [usize; SOCKETS],
    /// How often two players were connected; those of a player that it bound or
    /// connected are not known to be of one meeting.
    meetings: BTreeMap<(usize, usize), usize>,
    accepted: BTreeSet<(usize, u32)>,
    delivered: BTreeSet<(usize, u32)>,
    last: BTreeMap<(usize, usize), u32>,
    next: u32,
    bound: BTreeMap<usize, usize>,
    /// Who has connected to a name, as often as it did.
    connected: BTreeMap<usize, Vec<usize>>,
}

impl World {
    fn new(kinds: [SocketType; 2]) -> Self {
        let mut world = Self {
            context: Context::new(),
            kinds,
            players: Vec::new(),
            places: [0; SOCKETS],
            meetings: BTreeMap::new(),
            accepted: BTreeSet::new(),
            delivered: BTreeSet::new(),
            last: BTreeMap::new(),
            next: 0,
            bound: BTreeMap::new(),
            connected: BTreeMap::new(),
        };
        (0..SOCKETS).for_each(|place| world.open(place));
        world
    }

    fn open(&mut self, place: usize) {
        let options =
            SocketOptions::new().send_hwm(1).recv_hwm(2).linger(Linger::For(Duration::ZERO));
        let socket = Socket::new(self.kinds[place % 2], &self.context, options);
        let id = self.players.len();
        self.players.push(Player { socket, id, asker: None, is_open: true });
        self.places[place] = id;
    }

    /// Two have met at a name.
    fn meet(&mut self, binder: usize, connector: usize) {
        let both = (binder.min(connector), binder.max(connector));
        // One that has met itself is two peers to itself.
        *self.meetings.entry(both).or_default() += if binder == connector { 2 } else { 1 };
    }

    fn has_met(&self, one: usize, other: usize) -> usize {
        self.meetings.get(&(one.min(other), one.max(other))).copied().unwrap_or_default()
    }

    async fn go(&mut self, step: &Step) {
        let at = |name: &usize| format!("inproc://{name}");
        match step {
            Step::Bind(place, name) => {
                let id = self.places[*place];
                if self.players[id].socket.bind(&at(name)).await {
                    self.bound.insert(*name, id);
                    for connector in self.connected.get(name).cloned().unwrap_or_default() {
                        self.meet(id, connector);
                    }
                }
            }
            Step::Unbind(place, name) => {
                let id = self.places[*place];
                self.players[id].socket.unbind(&at(name)).await;
                if self.bound.get(name) == Some(&id) {
                    self.bound.remove(name);
                }
            }
            Step::Connect(place, name) => {
                let id = self.places[*place];
                self.players[id].socket.connect(&at(name));
                self.connected.entry(*name).or_default().push(id);
                if let Some(binder) = self.bound.get(name).copied() {
                    self.meet(binder, id);
                }
            }
            Step::Disconnect(place, name) => {
                self.players[self.places[*place]].socket.disconnect(&at(name));
            }
            Step::Send(place) => self.send(*place, false),
            Step::GiveUpSending(place) => self.send(*place, true),
            Step::Receive(place) => drop(self.receive(self.places[*place], false)),
            Step::GiveUpReceiving(place) => drop(self.receive(self.places[*place], true)),
            Step::Renew(place) => {
                self.close(self.places[*place]).await;
                self.open(*place);
            }
        }
    }

    async fn close(&mut self, id: usize) {
        self.players[id].socket.close().await;
        self.players[id].is_open = false;
        self.bound.retain(|_, binder| *binder != id);
        self.connected.values_mut().for_each(|connectors| connectors.retain(|it| *it != id));
    }

    fn send(&mut self, place: usize, gives_up: bool) {
        let id = self.places[place];
        self.next += 1;
        let mut message = Message::from(format!("{id} {}", self.next));
        if self.kinds == [SocketType::Req, SocketType::Router] && place % 2 == 1 {
            message.push_front("");
        }
        if self.players[id].send(message, gives_up) {
            self.accepted.insert((id, self.next));
        }
    }

    /// Receives a message, and sees whether it may be.
    fn receive(&mut self, id: usize, gives_up: bool) -> Option<()> {
        let message = self.players[id].receive(gives_up)?;
        // An envelope may be in front.
        let text = String::from_utf8(message[message.len() - 1].to_vec()).unwrap();
        let (from, number) = text.split_once(' ').unwrap();
        let (from, number) = (from.parse().unwrap(), number.parse().unwrap());
        assert!(self.accepted.contains(&(from, number)), "{text} was not accepted");
        assert!(self.delivered.insert((from, number)), "{text} was delivered twice");
        assert!(self.has_met(from, id) > 0, "{text} came to {id}, who never met the sender");
        if self.has_met(from, id) == 1 {
            let last = self.last.insert((from, id), number);
            assert!(last < Some(number), "{text} came to {id} after {last:?}");
        }
        Some(())
    }

    /// What is left is received, all close, and then it has to add up.
    async fn end(&mut self) {
        for id in 0..self.players.len() {
            while self.players[id].is_open && self.receive(id, false).is_some() {}
        }
        for id in 0..self.players.len() {
            self.close(id).await;
        }
        let lost: u64 = self.players.iter().map(|player| player.socket.dropped()).sum();
        let missing = self.accepted.len() - self.delivered.len();
        assert_eq!(missing as u64, lost, "missing, and counted as lost");
        assert!(self.players.iter().enumerate().all(|(id, player)| id == player.id));
    }
}

fn tell(kinds: [SocketType; 2], story: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(kinds);
        for step in story {
            world.go(step).await;
        }
        world.end().await;
    });
}

proptest! {
    #[test]
    fn whatever_happens_each_message_is_delivered_once_or_counted_once(
        pair in 0..PAIRS.len(),
        story in proptest::collection::vec(step(), 1..80),
    ) {
        tell(PAIRS[pair], &story);
    }
}

#[test]
fn a_second_reply_of_one_who_has_left_is_counted() {
    use Step::{Bind, Connect, Receive, Renew, Send};
    let story = [
        Connect(3, 1),
        Bind(2, 1),
        Connect(1, 1),
        Send(2),
        Receive(3),
        Send(3),
        Send(3),
        Renew(3),
        Receive(2),
        Send(2),
    ];
    tell([SocketType::Req, SocketType::Router], &story);
}
