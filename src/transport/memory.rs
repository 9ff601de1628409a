//! A connection inside the process, for tests and simulation.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex, split};

use super::{Origin, ReadHalf, Stream};

/// How many octets may be under way in each direction.
const CAPACITY: usize = 64 * 1024;

/// The two ends of one connection.
pub(crate) fn pair() -> (Stream, Stream) {
    let (left, right) = duplex(CAPACITY);
    (end(left), end(right))
}

fn end(stream: DuplexStream) -> Stream {
    let (read, write) = split(stream);
    let (read, write) = (Box::new(read), Box::new(write));
    Stream { read, write, address: "memory".into(), origin: Origin::Local }
}

impl ReadHalf for tokio::io::ReadHalf<DuplexStream> {
    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn read_now(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(octets);
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(self).poll_read(&mut cx, &mut buffer) {
            Poll::Ready(result) => result.map(|()| buffer.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

/// Passes octets both ways between the ends of a connection.
pub(crate) async fn exchange(mut left: Stream, mut right: Stream) {
    let mut buffer = [0; 4];
    left.write.write_all(b"ping").await.unwrap();
    right.read.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"ping");
    right.write.write_all(b"pong").await.unwrap();
    left.read.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"pong");
}

#[tokio::test]
async fn what_one_end_writes_the_other_reads() {
    let (left, right) = pair();
    exchange(left, right).await;
}
