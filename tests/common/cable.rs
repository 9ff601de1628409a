//! A cable between a socket that connects and one that is bound: it can be cut, or
//! be slow.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromq::Endpoint;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

use super::raw::TIGHT;

/// Forwards connections to `to`. Every end of a connection is abrupt for both
/// sides: a reset, nothing orderly.
pub struct Cable {
    endpoint: Endpoint,
    cut: watch::Sender<u64>,
    task: tokio::task::JoinHandle<()>,
    to: Arc<Mutex<SocketAddr>>,
}

impl Cable {
    pub async fn to(to: &Endpoint) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let to = Arc::new(Mutex::new(to.socket_addr().expect("an address")));
        let (cut, _) = watch::channel(0);
        let task = tokio::spawn(forward(listener, Arc::clone(&to), cut.clone()));
        let endpoint = format!("tcp://{address}").parse().expect("an endpoint");
        Self { endpoint, cut, task, to }
    }

    /// One that forwards so many octets in a millisecond and holds next to none.
    pub async fn slow(to: &Endpoint, octets_per_ms: usize) -> Self {
        let socket = tight_socket();
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let listener = socket.listen(16).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let to = Arc::new(Mutex::new(to.socket_addr().expect("an address")));
        let task = tokio::spawn(forward_slowly(listener, Arc::clone(&to), octets_per_ms));
        let endpoint = format!("tcp://{address}").parse().expect("an endpoint");
        let (cut, _) = watch::channel(0);
        Self { endpoint, cut, task, to }
    }

    /// Where to connect.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Ends all connections with a reset; new ones are forwarded again.
    pub fn cut(&self) {
        self.cut.send_modify(|count| *count += 1);
    }

    /// Forwards new connections to another address.
    pub fn redirect(&self, to: &Endpoint) {
        *self.to.lock().expect("no panic") = to.socket_addr().expect("an address");
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(listener: TcpListener, to: Arc<Mutex<SocketAddr>>, cut: watch::Sender<u64>) {
    loop {
        let Ok((mut near, _)) = listener.accept().await else { return };
        let (to, mut cut) = (*to.lock().expect("no panic"), cut.subscribe());
        tokio::spawn(async move {
            abrupt(&near);
            let Ok(mut far) = TcpStream::connect(to).await else { return };
            abrupt(&far);
            cut.mark_unchanged();
            tokio::select! {
                _ = cut.changed() => {}
                _ = copy_bidirectional(&mut near, &mut far) => {}
            }
        });
    }
}

/// How often a slow cable forwards something.
const STEP: Duration = Duration::from_millis(10);

fn tight_socket() -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_send_buffer_size(TIGHT as u32).expect("a buffer");
    socket.set_recv_buffer_size(TIGHT as u32).expect("a buffer");
    socket
}

async fn forward_slowly(listener: TcpListener, to: Arc<Mutex<SocketAddr>>, octets_per_ms: usize) {
    loop {
        let Ok((near, _)) = listener.accept().await else { return };
        let to = *to.lock().expect("no panic");
        tokio::spawn(async move {
            let Ok(far) = tight_socket().connect(to).await else { return };
            let (near, far) = (near.into_split(), far.into_split());
            tokio::join!(
                copy_slowly(near.0, far.1, octets_per_ms),
                copy_slowly(far.0, near.1, octets_per_ms)
            );
        });
    }
}

async fn copy_slowly(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    octets_per_ms: usize,
) {
    let mut octets = vec![0; octets_per_ms * STEP.as_millis() as usize];
    let mut steps = tokio::time::interval(STEP);
    loop {
        // Those that were missed are made up for: the line has its speed, however
        // busy the machine is.
        steps.tick().await;
        let Ok(count @ 1..) = from.read(&mut octets).await else { return };
        if to.write_all(&octets[..count]).await.is_err() {
            return;
        }
    }
}

/// Makes dropping a stream a reset.
pub fn abrupt(stream: &TcpStream) {
    let stream = socket2::SockRef::from(stream);
    stream.set_linger(Some(Duration::ZERO)).expect("linger");
}
