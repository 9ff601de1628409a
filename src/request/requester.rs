//! [`Requester`]: any number of requests at once, each of them a future.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::future::IntoFuture;
use std::hash::{BuildHasher, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::context::Context;
use crate::endpoint::{Endpoint, IntoEndpoint};
use crate::error::{BindError, ConnectError, RecvError, SendError};
use crate::message::Message;
use crate::options::SocketOptions;
use crate::routing::Envelope;
use crate::socket::{Closed, DealerSocket};
use crate::sync::{Lock, Rank};

/// Asks services, with any number of requests in flight: each is a future with a deadline
/// of its own, and is given up when that is dropped.
///
/// It is a [`DealerSocket`] that numbers its requests, so that a late reply is never taken
/// for another one. Whatever keeps envelopes can answer: REP, [`Service`](super::Service),
/// libzmq's REP, a ROUTER that sends back the frames up to the empty one. Requests go to the
/// peers in turn.
///
/// Clones share the socket; any number of tasks may ask through one.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use std::time::Duration;
/// use ferromq::{RepSocket, Requester};
///
/// let rep = RepSocket::new();
/// let endpoint = rep.bind("tcp://127.0.0.1:*").await?;
/// tokio::spawn(async move { rep.serve(|question| async move { question }).await });
///
/// let requester = Requester::new();
/// requester.connect(endpoint)?;
/// let (one, two) = tokio::join!(
///     requester.request("one").timeout(Duration::from_secs(5)),
///     requester.request("two").timeout(Duration::from_secs(5)),
/// );
/// assert_eq!((one.unwrap(), two.unwrap()), ("one".into(), "two".into()));
/// # Ok::<_, ferromq::Error>(()) }).unwrap();
/// ```
///
/// # Requests may be done twice
/// With [`retry`](Request::retry) a request goes out again, and both may arrive: make them
/// such that doing one twice does no harm (idempotent).
#[derive(Clone)]
pub struct Requester(Arc<Inner>);

struct Inner {
    dealer: DealerSocket,
    state: Lock<State>,
}

struct State {
    /// The number of the next request. It begins anywhere, so that those of two requesters
    /// behind one broker are hardly the same.
    next: u32,
    /// Who waits for which reply.
    waiting: HashMap<u32, oneshot::Sender<Message>>,
    /// Replies that nobody waited for any more.
    late: u64,
}

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No reply came in time. It may still be done, or have been.
    #[error("no reply came in time")]
    TimedOut,
    /// The request could not be sent.
    #[error("the request was not sent: {0}")]
    Send(SendError),
    /// No reply can come any more: the socket is closed, say.
    #[error("no reply can be received: {0}")]
    Recv(RecvError),
}

impl Requester {
    /// A requester in the default context, whose requests wait until a service is there
    /// (the option [`immediate`](SocketOptions::immediate)).
    pub fn new() -> Self {
        Self::with_options(SocketOptions::new().immediate(true))
    }

    /// A requester with these options for its socket, in the default context.
    pub fn with_options(options: SocketOptions) -> Self {
        Self::new_in(Context::global(), options)
    }

    /// The same in a context of its own choice.
    pub fn new_in(context: &Context, options: SocketOptions) -> Self {
        let next = RandomState::new().build_hasher().finish() as u32;
        let state = State { next, waiting: HashMap::new(), late: 0 };
        let dealer = DealerSocket::new_in(context, options);
        Self(Arc::new(Inner { dealer, state: Lock::new(Rank::Leaf, state) }))
    }

    /// Connects to a service; to several, which are asked in turn.
    ///
    /// # Errors
    /// As [`connect`](DealerSocket::connect).
    pub fn connect(&self, endpoint: impl IntoEndpoint) -> Result<(), ConnectError> {
        self.0.dealer.connect(endpoint)
    }

    /// Listens for services that connect.
    ///
    /// # Errors
    /// As [`bind`](DealerSocket::bind).
    pub async fn bind(&self, endpoint: impl IntoEndpoint) -> Result<Endpoint, BindError> {
        self.0.dealer.bind(endpoint).await
    }

    /// The socket behind it, for its monitor, statistics and peers. Who receives from it
    /// takes replies away.
    pub fn socket(&self) -> &DealerSocket {
        &self.0.dealer
    }

    /// Asks: `.await` it for the reply.
    pub fn request(&self, message: impl Into<Message>) -> Request {
        let (requester, message) = (self.clone(), message.into());
        Request { requester, message, timeout: None, retry: None }
    }

    /// How many replies came for which nobody waited any more, or that are no replies.
    pub fn late_replies(&self) -> u64 {
        self.0.state.lock().late
    }

    /// Closes the socket; requests that wait fail.
    pub async fn close(&self) -> Closed {
        self.0.dealer.close().await
    }
}

impl Default for Requester {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Requester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let in_flight = self.0.state.lock().waiting.len();
        f.debug_struct("Requester").field("in_flight", &in_flight).finish_non_exhaustive()
    }
}

/// A request that is yet to be awaited; from [`Requester::request`].
///
/// # Cancel safety
/// Dropping it, or the future of it, gives the request up: a reply that comes later is
/// counted and dropped. It may have been sent.
#[must_use = "nothing is asked before it is awaited"]
pub struct Request {
    requester: Requester,
    message: Message,
    timeout: Option<Duration>,
    retry: Option<(Duration, u32)>,
}

impl Request {
    /// How long it may take altogether. Default: for ever.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Asks again, the next service if there is another, when no reply has come for so
    /// long, and so many times at most ("Lazy Pirate"). A reply to any of them is the reply.
    /// Once the last was given as long, it has timed out.
    pub fn retry(mut self, after: Duration, times: u32) -> Self {
        self.retry = Some((after, times));
        self
    }

    async fn run(self) -> Result<Message, RequestError> {
        let deadline = self.timeout.and_then(|limit| Instant::now().checked_add(limit));
        let answer = self.ask();
        match deadline {
            Some(deadline) => {
                timeout_at(deadline, answer).await.unwrap_or(Err(RequestError::TimedOut))
            }
            None => answer.await,
        }
    }

    /// Asks until there is a reply or no attempt is left.
    async fn ask(self) -> Result<Message, RequestError> {
        let (mut entry, mut reply) = Entry::new(&self.requester.0);
        let (after, mut left) = self.retry.map_or((None, 0), |(after, times)| (Some(after), times));
        loop {
            let until = after.and_then(|after| Instant::now().checked_add(after));
            match entry.attempt(self.message.clone(), &mut reply, until).await {
                Err(RequestError::TimedOut) if left > 0 => left -= 1,
                done => return done,
            }
        }
    }
}

impl IntoFuture for Request {
    type Output = Result<Message, RequestError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let requester = self.requester.clone();
            let context = requester.0.dealer.context();
            // Its clock is that of whoever does the I/O, if that is not the caller's.
            context.await_at_io(self.run()).await
        })
    }
}

/// One who waits for a reply; until this is dropped.
struct Entry<'a> {
    of: &'a Inner,
    number: u32,
}

impl<'a> Entry<'a> {
    fn new(of: &'a Inner) -> (Self, oneshot::Receiver<Message>) {
        let (sender, reply) = oneshot::channel();
        let mut state = of.state.lock();
        while state.waiting.contains_key(&state.next) {
            state.next = state.next.wrapping_add(1);
        }
        let number = state.next;
        state.next = number.wrapping_add(1);
        state.waiting.insert(number, sender);
        (Self { of, number }, reply)
    }

    /// Sends the request once and waits for the reply, to whichever attempt, until then.
    async fn attempt(
        &mut self,
        mut message: Message,
        reply: &mut oneshot::Receiver<Message>,
        until: Option<Instant>,
    ) -> Result<Message, RequestError> {
        Envelope::numbered(self.number).put_on(&mut message);
        let answered = async {
            self.of.dealer.send(message).await.map_err(RequestError::Send)?;
            loop {
                // Whoever waits receives for all: there is no task for that, and none to
                // be lost.
                tokio::select! {
                    biased;
                    Ok(message) = &mut *reply => return Ok(message),
                    received = self.of.dealer.recv() => match received {
                        Ok(message) => self.of.deliver(message),
                        Err(error) => return Err(RequestError::Recv(error)),
                    },
                }
            }
        };
        match until {
            None => answered.await,
            Some(until) => tokio::select! {
                biased;
                answered = answered => answered,
                () = sleep_until(until) => Err(RequestError::TimedOut),
            },
        }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.of.state.lock().waiting.remove(&self.number);
    }
}

impl Inner {
    /// Gives a reply to whoever waits for it.
    fn deliver(&self, mut reply: Message) {
        let number = number_of(&mut reply);
        let mut state = self.state.lock();
        let waiting = number.and_then(|number| state.waiting.remove(&number));
        if waiting.is_none_or(|waiting| waiting.send(reply).is_err()) {
            state.late += 1;
        }
    }
}

/// Takes the number off a reply, and the delimiter.
fn number_of(reply: &mut Message) -> Option<u32> {
    let number: [u8; 4] = reply.get(0)?.as_ref().try_into().ok()?;
    if !reply.get(1).is_some_and(Bytes::is_empty) || reply.len() < 3 {
        return None;
    }
    reply.pop_front();
    reply.pop_front();
    Some(u32::from_be_bytes(number))
}
