//! [`Tuning`]: the options of a socket that the system applies.

use std::io;
#[cfg(feature = "tcp")]
use std::time::Duration;

use socket2::SockRef;

use crate::options::SocketOptions;

/// The longest time for keepalive that Linux takes.
#[cfg(feature = "tcp")]
const MAX_KEEPALIVE: Duration = Duration::from_secs(32_767);

/// What to set on every socket of an endpoint.
///
/// A refused option is logged and no more: it is a wish, the system has bounds
/// of its own, and some refuse any option of a connection that was just reset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    send_buffer: Option<usize>,
    recv_buffer: Option<usize>,
    #[cfg(feature = "tcp")]
    tcp: TcpTuning,
}

#[cfg(feature = "tcp")]
#[derive(Debug, Clone, Copy)]
struct TcpTuning {
    keepalive: Option<bool>,
    idle: Option<Duration>,
    interval: Option<Duration>,
    count: Option<u32>,
    type_of_service: u8,
}

impl Tuning {
    pub(super) fn new(options: &SocketOptions) -> Self {
        Self {
            send_buffer: options.send_buffer,
            recv_buffer: options.recv_buffer,
            #[cfg(feature = "tcp")]
            tcp: TcpTuning {
                keepalive: options.tcp_keepalive,
                idle: options.tcp_keepalive_idle,
                interval: options.tcp_keepalive_interval,
                count: options.tcp_keepalive_count,
                type_of_service: options.type_of_service,
            },
        }
    }

    /// Sets the kernel's buffers. For tcp before `listen` and `connect`, since
    /// the handshake agrees on how large the window can become.
    pub(super) fn set_buffers(&self, socket: &SockRef<'_>) {
        if let Some(octets) = self.send_buffer {
            wish("send_buffer", socket.set_send_buffer_size(octets));
        }
        if let Some(octets) = self.recv_buffer {
            wish("recv_buffer", socket.set_recv_buffer_size(octets));
        }
    }
}

#[cfg(feature = "tcp")]
impl Tuning {
    /// Sets what a tcp connection has beside its buffers.
    pub(super) fn set_tcp(&self, socket: &SockRef<'_>, is_ipv6: bool) {
        // We write whole batches, so waiting for more would only add delay.
        wish("nodelay", socket.set_tcp_nodelay(true));
        match self.tcp.keepalive {
            Some(true) => wish("tcp_keepalive", self.tcp.keep_alive(socket)),
            Some(false) => wish("tcp_keepalive", socket.set_keepalive(false)),
            None => {}
        }
        self.tcp.set_type_of_service(socket, is_ipv6);
    }
}

#[cfg(feature = "tcp")]
impl TcpTuning {
    #[cfg(any(
        target_os = "linux",
        target_os = "android",
        target_os = "macos",
        target_os = "ios",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "windows"
    ))]
    fn keep_alive(&self, socket: &SockRef<'_>) -> io::Result<()> {
        let bounded = |time: Duration| time.clamp(Duration::from_secs(1), MAX_KEEPALIVE);
        let mut keepalive = socket2::TcpKeepalive::new();
        if let Some(idle) = self.idle {
            keepalive = keepalive.with_time(bounded(idle));
        }
        if let Some(interval) = self.interval {
            keepalive = keepalive.with_interval(bounded(interval));
        }
        if let Some(count) = self.count {
            keepalive = keepalive.with_retries(count);
        }
        socket.set_tcp_keepalive(&keepalive)
    }

    /// Elsewhere the times cannot be set, or not for one socket.
    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_os = "macos",
        target_os = "ios",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "windows"
    )))]
    fn keep_alive(&self, socket: &SockRef<'_>) -> io::Result<()> {
        socket.set_keepalive(true)
    }

    fn set_type_of_service(&self, socket: &SockRef<'_>, is_ipv6: bool) {
        if self.type_of_service == 0 {
            return;
        }
        let octet = u32::from(self.type_of_service);
        // A socket for both families needs both.
        #[cfg(any(
            target_os = "linux",
            target_os = "android",
            target_os = "macos",
            target_os = "freebsd",
            target_os = "netbsd",
            target_os = "openbsd"
        ))]
        if is_ipv6 {
            wish("type_of_service", socket.set_tclass_v6(octet));
        }
        #[cfg(any(unix, windows))]
        if !is_ipv6 || cfg!(target_os = "linux") {
            wish("type_of_service", socket.set_tos_v4(octet));
        }
    }
}

fn wish(option: &'static str, result: io::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(option, %error, "the system refused a socket option");
    }
}
