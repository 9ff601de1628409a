//! A cable between a socket that connects and one that is bound: it can be cut.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromq::Endpoint;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

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

/// Makes dropping a stream a reset.
pub fn abrupt(stream: &TcpStream) {
    let stream = socket2::SockRef::from(stream);
    stream.set_linger(Some(Duration::ZERO)).expect("linger");
}
