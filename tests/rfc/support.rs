//! Sockets on a network of their own, and waiting with a deadline.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use ferromq::{
    Context, DisconnectReason, Endpoint, Message, Monitor, MonitorEvent, PeerInfo, SocketOptions,
};
use tokio::net::TcpSocket;

pub(crate) use crate::sockets::{Receives, Sends, Socket};

/// Longer than anything takes on a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(30);

/// Waits for something, but not for ever.
#[track_caller]
pub(crate) fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let place = Location::caller();
    async move {
        match tokio::time::timeout(DEADLINE, future).await {
            Ok(output) => output,
            Err(_) => panic!("nothing came at {place}"),
        }
    }
}

/// Waits until something holds that no event tells of.
#[track_caller]
pub(crate) fn until(mut holds: impl FnMut() -> bool) -> impl Future<Output = ()> {
    soon(async move {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
}

/// Polls a future once; whether it has to wait.
pub(crate) async fn is_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// The default options.
pub(crate) fn plain() -> SocketOptions {
    SocketOptions::new()
}

/// Options with room for one message each way.
pub(crate) fn narrow() -> SocketOptions {
    SocketOptions::new().send_hwm(1).recv_hwm(1)
}

/// A message with a number.
pub(crate) fn numbered(number: usize) -> Message {
    number.to_string().into()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    Inproc,
    Tcp,
}

/// A context of its own, and the transport a test is to use.
pub(crate) struct Net {
    pub(crate) over: Over,
    context: Context,
    names: Cell<u32>,
}

/// An endpoint that is kept for this test.
pub(crate) struct Reserved {
    pub(crate) endpoint: Endpoint,
    /// Bound but not listening: whoever reuses addresses can listen there,
    /// while nobody else is given the port.
    _held: Option<TcpSocket>,
}

impl Net {
    pub(crate) fn new(over: Over) -> Self {
        Self { over, context: Context::new(), names: Cell::new(0) }
    }

    pub(crate) fn tcp() -> Self {
        Self::new(Over::Tcp)
    }

    pub(crate) fn inproc() -> Self {
        Self::new(Over::Inproc)
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// An endpoint to bind: any port, or a new name.
    fn any(&self) -> String {
        self.names.set(self.names.get() + 1);
        match self.over {
            Over::Inproc => format!("inproc://rfc-{}", self.names.get()),
            Over::Tcp => "tcp://127.0.0.1:*".to_owned(),
        }
    }

    /// An endpoint to connect to before it is bound, or to bind again.
    pub(crate) fn reserve(&self) -> Reserved {
        if self.over == Over::Inproc {
            return Reserved { endpoint: self.any().parse().unwrap(), _held: None };
        }
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        Reserved { endpoint: format!("tcp://{address}").parse().unwrap(), _held: Some(socket) }
    }

    fn node<S: Socket>(&self, options: SocketOptions) -> Node<S> {
        let socket = S::make(&self.context, options);
        Node { events: socket.watch(), socket, over: self.over, endpoint: None }
    }

    /// A socket that is bound.
    pub(crate) async fn bound<S: Socket>(&self, options: SocketOptions) -> Node<S> {
        self.bound_at(&self.any(), options).await
    }

    /// A socket that is bound where the test says.
    pub(crate) async fn bound_at<S: Socket>(
        &self,
        endpoint: &str,
        options: SocketOptions,
    ) -> Node<S> {
        let mut node = self.node::<S>(options);
        node.endpoint = Some(node.socket.listen(endpoint).await);
        node
    }

    /// A socket that has been told to connect.
    pub(crate) fn connecting<S: Socket>(
        &self,
        options: SocketOptions,
        endpoint: &Endpoint,
    ) -> Node<S> {
        let node = self.node::<S>(options);
        node.socket.join(endpoint);
        node
    }

    /// A socket that is connected to another, when both of them know it.
    pub(crate) async fn connected<S: Socket>(
        &self,
        options: SocketOptions,
        to: &mut Node<impl Socket>,
    ) -> Node<S> {
        let mut node = self.connecting::<S>(options, &to.endpoint());
        node.ready().await;
        to.ready().await;
        node
    }
}

/// A socket and what happens to it.
pub(crate) struct Node<S> {
    pub(crate) socket: S,
    events: Monitor,
    over: Over,
    endpoint: Option<Endpoint>,
}

impl<S> Deref for Node<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.socket
    }
}

impl<S> Node<S> {
    /// Where it is bound.
    pub(crate) fn endpoint(&self) -> Endpoint {
        self.endpoint.clone().unwrap()
    }

    /// Waits for an event.
    pub(crate) async fn event<T>(
        &mut self,
        mut wanted: impl FnMut(MonitorEvent) -> Option<T>,
    ) -> T {
        soon(async {
            loop {
                let event = self.events.recv().await.unwrap();
                if let Some(it) = wanted(event) {
                    return it;
                }
            }
        })
        .await
    }

    /// Waits until a handshake is done.
    pub(crate) async fn ready(&mut self) -> PeerInfo {
        self.event(|event| match event {
            MonitorEvent::Ready { peer, .. } => Some(peer),
            _ => None,
        })
        .await
    }

    /// Waits until a peer has left. Over inproc it has as soon as it is closed.
    pub(crate) async fn left(&mut self) {
        if self.over == Over::Inproc {
            return;
        }
        self.event(|event| match event {
            MonitorEvent::Disconnected { .. } => Some(()),
            _ => None,
        })
        .await;
    }

    /// Waits until a handshake fails.
    pub(crate) async fn failed(&mut self) -> DisconnectReason {
        self.event(|event| match event {
            MonitorEvent::HandshakeFailed { reason, .. } => Some(reason),
            _ => None,
        })
        .await
    }
}

/// Makes two tests of a function: one over inproc, one over tcp.
macro_rules! over_inproc_and_tcp {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            use crate::support::Net;

            #[tokio::test]
            async fn inproc() {
                super::$name(Net::inproc()).await;
            }

            #[tokio::test]
            async fn tcp() {
                super::$name(Net::tcp()).await;
            }
        }
    )*};
}
