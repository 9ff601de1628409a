//! [`Incoming`] and [`Outgoing`]: a socket as a stream and as a sink.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;

use super::generic::{Receive, Transmit};
use crate::error::{RecvError, SendError};
use crate::message::Message;
use crate::sync::{Lock, Rank};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The messages of a socket as a [`Stream`], until it is closed; from
/// [`Receive::into_stream`].
///
/// # Cancel safety
/// Dropping it, or a future that awaits its next item, loses nothing.
#[must_use = "streams do nothing unless polled"]
pub struct Incoming {
    /// What was received in the poll that goes on.
    received: Arc<Lock<Option<Result<Message, RecvError>>>>,
    /// Receives for ever. One allocation for all messages. (The lock is never taken: it is
    /// what makes this `Sync`.)
    work: Option<Lock<Work>>,
}

impl Incoming {
    pub(super) fn new(socket: impl Receive + 'static) -> Self {
        let received = Arc::new(Lock::new(Rank::Leaf, None));
        let slot = Arc::clone(&received);
        let work: Work = Box::pin(async move {
            loop {
                let next = socket.recv_raw().await;
                let is_last = next.is_err();
                *slot.lock() = Some(next);
                if is_last {
                    return;
                }
                until_next_poll().await;
            }
        });
        Self { received, work: Some(Lock::new(Rank::Leaf, work)) }
    }
}

impl Stream for Incoming {
    type Item = Result<Message, RecvError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(work) = &mut self.work else { return Poll::Ready(None) };
        let is_over = work.get_mut().as_mut().poll(cx).is_ready();
        if is_over {
            self.work = None;
        }
        let next = self.received.lock().take();
        match next {
            Some(Err(RecvError::Closed)) => Poll::Ready(None),
            Some(next) => Poll::Ready(Some(next)),
            None => Poll::Pending,
        }
    }
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").finish_non_exhaustive()
    }
}

/// A socket as a [`Sink`] of messages; from [`Transmit::into_sink`]. Closing the sink sends
/// what it has; the socket stays open.
#[must_use = "sinks do nothing unless polled"]
pub struct Outgoing {
    state: Arc<Lock<Sent>>,
    work: Lock<Work>,
}

#[derive(Default)]
struct Sent {
    next: Option<Message>,
    is_sending: bool,
    error: Option<SendError>,
}

impl Outgoing {
    pub(super) fn new(socket: impl Transmit + 'static) -> Self {
        let state = Arc::new(Lock::new(Rank::Leaf, Sent::default()));
        let shared = Arc::clone(&state);
        let work: Work = Box::pin(async move {
            loop {
                let next = shared.lock().next.take();
                match next {
                    None => until_next_poll().await,
                    Some(message) => {
                        let sent = socket.send_raw(message).await;
                        let mut state = shared.lock();
                        state.is_sending = false;
                        state.error = sent.err();
                    }
                }
            }
        });
        Self { state, work: Lock::new(Rank::Leaf, work) }
    }

    /// Ready once what it was given is sent.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        // It never ends.
        let _ = self.work.get_mut().as_mut().poll(cx);
        let mut state = self.state.lock();
        match state.error.take() {
            Some(error) => Poll::Ready(Err(error)),
            None if state.is_sending => Poll::Pending,
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<M: Into<Message>> Sink<M> for Outgoing {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.get_mut().poll_sent(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: M) -> Result<(), SendError> {
        let mut state = self.state.lock();
        state.next = Some(message.into());
        state.is_sending = true;
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.get_mut().poll_sent(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.get_mut().poll_sent(cx)
    }
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").finish_non_exhaustive()
    }
}

/// Lets the poll that goes on return. Whoever polls again has looked at what there was.
async fn until_next_poll() {
    let mut has_returned = false;
    poll_fn(|_| match std::mem::replace(&mut has_returned, true) {
        false => Poll::Pending,
        true => Poll::Ready(()),
    })
    .await;
}
