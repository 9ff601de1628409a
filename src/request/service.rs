//! [`Service`]: answers many requests at a time.

use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::error;

use crate::error::RecvError;
use crate::message::Message;
use crate::routing::Envelope;
use crate::routing_id::RoutingId;
use crate::socket::{RepSocket, RouterSocket};

/// How many requests are worked on at a time unless it is said.
const CONCURRENCY: usize = 64;

/// Answers the requests of REQ, DEALER and [`Requester`](super::Requester) peers with a
/// function, several at a time: the other end of them, over a [`RouterSocket`].
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use ferromq::{Requester, RouterSocket, Service};
///
/// let router = RouterSocket::new();
/// let endpoint = router.bind("tcp://127.0.0.1:*").await?;
/// let service = Service::new(&router).concurrency(8);
/// tokio::spawn(service.run(|question| async move {
///     let name = question.into_text().unwrap_or_default();
///     format!("Hello {name}")
/// }));
///
/// let requester = Requester::new();
/// requester.connect(endpoint)?;
/// assert_eq!(requester.request("Ada").await.unwrap(), "Hello Ada".into());
/// # Ok::<_, ferromq::Error>(()) }).unwrap();
/// ```
/// What a peer sends is not always what was agreed on: answer that with an error of your
/// own, and do not panic. (A function that panics costs its own request the reply, which
/// is logged.)
#[must_use = "it does nothing before `run`"]
pub struct Service {
    router: RouterSocket,
    concurrency: usize,
}

impl Service {
    /// A service behind this socket, which has to be bound or connected.
    pub fn new(router: &RouterSocket) -> Self {
        Self { router: router.clone(), concurrency: CONCURRENCY }
    }

    /// How many requests are worked on at a time, at least one. Default 64. Others wait in
    /// the queues of the socket, up to its marks.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests.max(1);
        self
    }

    /// Answers until the socket is closed.
    ///
    /// # Errors
    /// When nothing can be received any more for another reason.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the requests that are worked on.
    pub async fn run<H, F, R>(self, handler: H) -> Result<(), RecvError>
    where
        H: Fn(Message) -> F + Send + Sync + 'static,
        F: Future<Output = R> + Send + 'static,
        R: Into<Message> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let mut working = JoinSet::new();
        loop {
            while working.len() >= self.concurrency {
                note(working.join_next().await);
            }
            let (id, question) = tokio::select! {
                received = self.router.recv() => match received {
                    Ok(received) => received,
                    Err(RecvError::Closed) => return Ok(()),
                    Err(error) => return Err(error),
                },
                Some(ended) = working.join_next() => {
                    note(Some(ended));
                    continue;
                }
            };
            let (router, handler) = (self.router.clone(), Arc::clone(&handler));
            working.spawn(async move { answer(&router, &id, question, &*handler).await });
        }
    }
}

/// Answers one request, in the envelope that it came in.
async fn answer<H, F, R>(router: &RouterSocket, id: &RoutingId, mut question: Message, handler: &H)
where
    H: Fn(Message) -> F,
    F: Future<Output = R>,
    R: Into<Message>,
{
    let envelope = Envelope::take_off(&mut question);
    let mut reply = handler(question).await.into();
    if let Some(envelope) = envelope {
        envelope.put_on(&mut reply);
    }
    // Whoever has left needs no answer; the socket counts it.
    let _ = router.send_to(id, reply).await;
}

fn note(ended: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(panic)) = ended {
        error!(%panic, "a request has no reply");
    }
}

impl RepSocket {
    /// Answers each request with a function, one after the other, until the socket is
    /// closed. For several at a time there is [`Service`].
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use ferromq::{RepSocket, ReqSocket};
    ///
    /// let (rep, req) = (RepSocket::new(), ReqSocket::new());
    /// req.connect(rep.bind("tcp://127.0.0.1:*").await?)?;
    /// tokio::spawn(async move { rep.serve(|question| async move { question }).await });
    /// req.send("echo").await?;
    /// assert_eq!(req.recv().await?, "echo".into());
    /// # Ok::<_, ferromq::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// When nothing can be received any more for another reason than that.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the request that is worked on. The socket still owes
    /// its reply: it has to be sent before another request is received.
    pub async fn serve<H, F, R>(&self, mut handler: H) -> Result<(), RecvError>
    where
        H: FnMut(Message) -> F,
        F: Future<Output = R>,
        R: Into<Message>,
    {
        loop {
            let question = match self.recv().await {
                Ok(question) => question,
                Err(RecvError::Closed) => return Ok(()),
                Err(error) => return Err(error),
            };
            // Whoever has left needs no answer; the socket counts it.
            let _ = self.send(handler(question).await).await;
        }
    }
}
