//! `proxy`: forwards between two sockets, with a copy for a third.

use ferromq::SocketOptions;

use crate::args::{Ends, ProxyArgs};
use crate::ending::{Deadline, End, tell};
use crate::failure::{Failure, complain, messages};
use crate::socket::AnySocket;

pub(crate) async fn run(args: ProxyArgs) -> Result<(), Failure> {
    let deadline = Deadline::new(args.deadline);
    let options = args.security.apply(SocketOptions::new())?;
    let frontend = AnySocket::new(args.frontend_type, options.clone())?;
    let backend = AnySocket::new(args.backend_type, options)?;
    let copies = AnySocket::new(args.capture_type, SocketOptions::new())?;
    for socket in [&frontend, &backend, &copies] {
        tell(socket, args.verbose);
    }
    open("the frontend", &frontend, args.frontend, args.frontend_connect).await?;
    open("the backend", &backend, args.backend, args.backend_connect).await?;
    let captures = args.capture.is_some();
    open("copies", &copies, args.capture.into_iter().collect(), Vec::new()).await?;

    let proxy = frontend.proxy(&backend);
    let proxy = if captures { copies.capture(proxy)? } else { proxy };
    let control = proxy.control();
    let running = async { proxy.run().await.map_err(|error| Failure::said(error.to_string())) };
    let end = deadline.run(running).await?;
    if args.verbose {
        let stats = control.stats();
        let (there, back) = (stats.to_backend, stats.to_frontend);
        complain(&format!("forwarded {there} to the backend, {back} to the frontend"));
        complain(&format!("{} not captured", messages(stats.not_captured)));
    }
    // A proxy has no other end than these, so none of them is a failure.
    debug_assert_ne!(end, End::Done);
    for socket in [&frontend, &backend, &copies] {
        deadline.close(socket, End::Interrupted).await?;
    }
    Ok(())
}

/// Opens one of the sockets. Which of them the system has chosen an endpoint for has to be
/// said too.
async fn open(
    name: &str,
    socket: &AnySocket,
    bind: Vec<ferromq::Endpoint>,
    connect: Vec<ferromq::Endpoint>,
) -> Result<(), Failure> {
    socket.open_as(&format!("{name}: "), &Ends { bind, connect }).await
}
