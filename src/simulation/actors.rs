//! [`Actor`]: an application with its socket. It sends and receives as its part
//! says, at leisure, and now and then drops what it waits for.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{sleep, timeout};

use super::ledger::Books;
use super::network::PORT;
use super::plan::{Part, Party, Plan, name_of};
use super::rng::Rng;
use super::stamp::{Id, PLAIN, Stamp, UNWANTED, WANTED};
use super::watch::Wait;
use super::world::World;
use crate::error::{RecvError, SendErrorKind};
use crate::pattern::Delivery;
use crate::peer::Subscription;
use crate::socket::Core;
use crate::socket_type::SocketType;

/// How long a request is waited for, where it may be asked again.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone)]
pub(super) struct Actor {
    index: usize,
    party: Party,
    core: Arc<Core>,
    books: Books,
    rng: Rng,
    drops: Option<u64>,
    /// How many sockets are at the other end.
    others: usize,
}

/// Somebody waits until this is dropped.
struct Waiting<'a> {
    books: &'a Books,
    socket: usize,
    wait: Wait,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.books.waits_no_more(self.socket, self.wait);
    }
}

/// The socket is closed.
struct IsClosed;

/// What a socket binds or connects to: the first listens, the others dial it, each
/// by a name of its own.
pub(super) fn endpoint_of(index: usize) -> String {
    format!("tcp://127.0.0.1:{}", usize::from(PORT) + index)
}

impl Actor {
    pub(super) fn new(index: usize, plan: &Plan, core: Arc<Core>, books: Books, rng: Rng) -> Self {
        let party = plan.parties[index].clone();
        let others = if index == 0 { plan.parties.len() - 1 } else { 1 };
        Self { index, party, core, books, rng, drops: plan.drops, others }
    }

    /// Subscribes, and begins to send and receive.
    pub(super) fn begin(self, world: &mut World) {
        let name = |what: &str| format!("{} {} {what}", self.party.socket_type, self.index);
        if matches!(self.party.socket_type, SocketType::Sub | SocketType::XSub) {
            let topic = Bytes::from_static(&[WANTED]);
            self.core.subscribe(Subscription::Subscribe(topic)).unwrap();
            let me = self.clone();
            world.spawn(name("subscribes"), async move { me.change_its_mind().await });
        }
        if self.party.moves {
            let me = self.clone();
            self.books.begins(self.index);
            world.spawn(name("moves"), async move {
                me.relocate().await;
                me.books.ends(me.index);
            });
        }
        match self.party.part {
            Part::Asks => {
                let me = self.clone();
                self.books.begins(self.index);
                world.spawn(name("asks"), async move { me.until_closed(me.ask()).await });
            }
            Part::Serves => {
                let me = self.clone();
                world.spawn(name("serves"), async move { drop(me.serve().await) });
            }
            Part::Talks { sends, receives } => {
                for _ in 0..self.party.tasks {
                    self.talk_and_listen(sends, receives, world);
                }
            }
        }
    }

    fn talk_and_listen(&self, sends: bool, receives: bool, world: &mut World) {
        let name = |what: &str| format!("{} {} {what}", self.party.socket_type, self.index);
        if sends {
            let me = self.clone();
            self.books.begins(self.index);
            world.spawn(name("sends"), async move { me.until_closed(me.talk()).await });
        }
        if receives {
            let me = self.clone();
            world.spawn(name("receives"), async move { drop(me.listen().await) });
        }
    }

    /// Subscribes to more and cancels it, which changes nothing: what it wants it
    /// wants all the time.
    async fn change_its_mind(&self) {
        // Only a SUB counts, so another one must not cancel what it wants.
        let topics: &[&'static [u8]] = match self.party.socket_type {
            SocketType::Sub => &[&[WANTED], b"aS", b"c", b"aSM"],
            _ => &[b"aS", b"c", b"aSM"],
        };
        for _ in 0..self.rng.within(0..=6) {
            let topic = Bytes::from_static(self.rng.pick(topics));
            let _ = self.core.subscribe(Subscription::Subscribe(topic.clone()));
            self.pause().await;
            let _ = self.core.subscribe(Subscription::Cancel(topic));
            self.doze().await;
        }
    }

    /// Takes the endpoint back in the middle of it, and binds or connects it again.
    async fn relocate(&self) {
        self.doze().await;
        let endpoint = || endpoint_of(self.index).parse();
        match self.index {
            0 => drop(self.core.unbind(endpoint()).await),
            _ => drop(self.core.disconnect(endpoint())),
        }
        loop {
            self.doze().await;
            let again = match self.index {
                0 => self.core.bind(endpoint()).await.map_err(drop).map(drop),
                _ => self.core.connect(endpoint()).map_err(drop),
            };
            // PAIR is occupied as long as the former one lingers.
            if again.is_ok() || self.core.is_shut() {
                return;
            }
        }
    }

    async fn doze(&self) {
        sleep(Duration::from_millis(self.rng.within(0..=200) as u64)).await;
    }

    async fn until_closed(&self, part: impl Future<Output = Result<(), IsClosed>>) {
        let _ = part.await;
        self.books.ends(self.index);
    }

    async fn talk(&self) -> Result<(), IsClosed> {
        for _ in 0..self.party.messages {
            self.pause().await;
            let to = self.names_peers().then(|| {
                let first = usize::from(self.index == 0);
                name_of(first * self.rng.within(1..=self.others))
            });
            self.send(to.as_ref().map(AsRef::as_ref), &[], None).await?;
        }
        Ok(())
    }

    fn names_peers(&self) -> bool {
        self.party.socket_type == SocketType::Router
    }

    async fn listen(&self) -> Result<(), IsClosed> {
        sleep(self.party.receives_after).await;
        loop {
            self.pause().await;
            let _ = self.receive().await?;
        }
    }

    async fn ask(&self) -> Result<(), IsClosed> {
        for _ in 0..self.party.messages {
            self.pause().await;
            let asked = self.send(None, &[], None).await?;
            let reply = async {
                loop {
                    self.pause().await;
                    match self.receive().await {
                        Ok(None) => {}
                        Ok(Some((_, answers))) => return Ok(answers),
                        Err(closed) => return Err(closed),
                    }
                    if self.has_left() {
                        return Ok(None);
                    }
                }
            };
            let answers = if self.party.options.req_relaxed {
                timeout(PATIENCE, reply).await.unwrap_or(Ok(None))?
            } else {
                reply.await?
            };
            if let Some(answers) = answers {
                assert_eq!(answers, asked, "the reply to another request");
            }
        }
        Ok(())
    }

    async fn serve(&self) -> Result<(), IsClosed> {
        sleep(self.party.receives_after).await;
        loop {
            self.pause().await;
            let Some((delivery, Some(_))) = self.receive_whole().await? else { continue };
            let frames = delivery.message.into_frames();
            let envelope = frames.iter().position(|frame| Stamp::of(frame).is_some()).unwrap();
            let asked = Stamp::of(&frames[envelope]).unwrap().id;
            self.send(delivery.from.as_ref().map(AsRef::as_ref), &frames[..envelope], Some(asked))
                .await?;
        }
    }

    /// Sends one message, with a new number for each try.
    async fn send(
        &self,
        to: Option<&[u8]>,
        envelope: &[Bytes],
        answers: Option<Id>,
    ) -> Result<Id, IsClosed> {
        loop {
            let stamp = self.stamp(answers);
            let mut message = stamp.message();
            for frame in envelope.iter().rev() {
                message.push_front(frame.clone());
            }
            if self.party.delimits {
                message.push_front(Bytes::new());
            }
            let octets = message.size();
            let sent = if self.rng.one_in(6) {
                Some(self.core.try_send(to, message))
            } else {
                self.flaky(Wait::Sends, self.core.send(to, message)).await
            };
            match sent {
                Some(Ok(())) => {
                    self.books.accepted(self.index, stamp, octets);
                    return Ok(stamp.id);
                }
                Some(Err(error)) if error.kind() == SendErrorKind::Closed => return Err(IsClosed),
                Some(Err(error))
                    if matches!(
                        error.kind(),
                        SendErrorKind::OutOfTurn | SendErrorKind::RuntimeEnded
                    ) =>
                {
                    panic!("{} {}: {error}", self.party.socket_type, self.index);
                }
                Some(Err(error)) if error.kind() == SendErrorKind::Unroutable => {
                    if answers.is_some() {
                        // Who asked has left.
                        return Ok(stamp.id);
                    }
                    sleep(Duration::from_millis(5)).await;
                }
                // It must not have been sent.
                Some(Err(_)) | None => self.pause().await,
            }
            tokio::task::yield_now().await;
        }
    }

    fn stamp(&self, answers: Option<Id>) -> Stamp {
        let shape = match self.party.options.conflate {
            true => PLAIN,
            false => self.rng.next() as u32,
        };
        let topic = if self.rng.one_in(5) { UNWANTED } else { WANTED };
        Stamp { topic, id: self.books.new_id(self.index), answers, shape }
    }

    /// Receives one message, unless the future is dropped: its number and what it
    /// answers. `None` twice if the peer that was asked has left.
    async fn receive(&self) -> Result<Option<(Id, Option<Id>)>, IsClosed> {
        Ok(self.receive_whole().await?.and_then(|(_, received)| received))
    }

    async fn receive_whole(
        &self,
    ) -> Result<Option<(Delivery, Option<(Id, Option<Id>)>)>, IsClosed> {
        let received = if self.rng.one_in(6) {
            Some(self.core.try_recv())
        } else {
            self.flaky(Wait::Receives, self.core.recv()).await
        };
        let delivery = match received {
            None => return Ok(None),
            Some(Ok(delivery)) => delivery,
            Some(Err(RecvError::Closed)) => return Err(IsClosed),
            Some(Err(RecvError::PeerLeft)) => {
                self.books.left(self.index);
                return Ok(None);
            }
            Some(Err(RecvError::WouldBlock)) => {
                tokio::task::yield_now().await;
                sleep(Duration::from_millis(1)).await;
                return Ok(None);
            }
            Some(Err(error)) => panic!("{} {}: {error}", self.party.socket_type, self.index),
        };
        let stamp = Stamp::of_whole(&delivery.message);
        let received = stamp.map(|stamp| {
            self.books.delivered(self.index, stamp);
            (stamp.id, stamp.answers)
        });
        Ok(Some((delivery, received)))
    }

    fn has_left(&self) -> bool {
        self.books.take_left(self.index)
    }

    /// Waits for a future, or drops it after a poll or before the next.
    async fn flaky<T>(&self, wait: Wait, future: impl Future<Output = T>) -> Option<T> {
        let _waiting = Waiting { books: &self.books, socket: self.index, wait };
        self.books.waits(self.index, wait);
        let mut future = pin!(future);
        let mut polled = false;
        let drops = || self.drops.is_some_and(|times| self.rng.one_in(times));
        poll_fn(|cx| {
            if polled && drops() {
                return Poll::Ready(None);
            }
            polled = true;
            match future.as_mut().poll(cx) {
                Poll::Ready(it) => Poll::Ready(Some(it)),
                Poll::Pending if drops() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    async fn pause(&self) {
        match self.rng.within(0..=15) {
            0..=2 => sleep(Duration::from_millis(self.rng.within(0..=8) as u64)).await,
            3 => sleep(Duration::from_millis(self.rng.within(0..=60) as u64)).await,
            4..=6 => tokio::task::yield_now().await,
            _ => {}
        }
    }
}
