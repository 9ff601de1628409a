//! [`has_drivers`]: whether the runtime can do what an endpoint needs of it.

use std::io;
use std::panic::catch_unwind;
use std::time::Duration;

/// Whether the runtime that is entered has its drivers, for sockets and for
/// time. Without them the tasks of an endpoint would panic, where no caller
/// sees it.
///
/// Tokio tells in one way only, by a panic, which the program's panic hook sees
/// and prints; where panics abort, the program ends here. A runtime that has
/// its drivers notices nothing: a timer that is never armed, and a descriptor
/// that is opened and closed.
pub(crate) fn has_drivers() -> bool {
    catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok()
        && catch_unwind(|| drop(open_something())).is_ok()
}

/// The cheapest socket there is. That there is none to be had, for want of
/// descriptors, says nothing of the drivers.
#[cfg(unix)]
fn open_something() -> io::Result<tokio::net::UnixDatagram> {
    tokio::net::UnixDatagram::unbound()
}

#[cfg(not(unix))]
fn open_something() -> io::Result<tokio::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    tokio::net::UdpSocket::from_std(socket)
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn each_driver_that_is_missing_is_noticed() {
        for multi in [false, true] {
            for (io, time) in [(false, false), (false, true), (true, false), (true, true)] {
                let mut builder =
                    if multi { Builder::new_multi_thread() } else { Builder::new_current_thread() };
                if io {
                    builder.enable_io();
                }
                if time {
                    builder.enable_time();
                }
                let found =
                    builder.worker_threads(1).build().unwrap().block_on(async { has_drivers() });
                assert_eq!(found, io && time, "io: {io}, time: {time}");
            }
        }
    }
}
