//! A connection inside the process, for tests and simulation.

use tokio::io::{DuplexStream, duplex, split};

use super::{Origin, Stream};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_one_end_writes_the_other_reads() {
        let (left, right) = pair();
        crate::transport::tuning::tests::exchange(left, right).await;
    }
}
