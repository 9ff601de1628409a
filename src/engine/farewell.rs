//! [`bid_farewell`]: the end of a connection that we close.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::line::StreamLine;
use super::writer::Transport;
use crate::peer::DropCause;
use crate::transport::ReadHalf;
use crate::zmtp::{Incoming, Receiving};

/// Ends a connection that we close, within a time, and counts what still came.
pub(super) async fn bid_farewell(
    line: &StreamLine,
    time: Duration,
    read: Option<Box<dyn ReadHalf>>,
    write: Transport,
) {
    let receiving = line.inward.lock().take_receiving();
    let mut farewell = Farewell { receiving, unread: 0 };
    let _ = timeout(time, farewell.bid(read, write)).await;
    line.lost(DropCause::Unread, farewell.unread);
}

/// What still comes on such a connection, which is for nobody.
struct Farewell {
    /// `None` once what comes means nothing.
    receiving: Option<Receiving>,
    /// How many messages came.
    unread: usize,
}

impl Farewell {
    /// Ends our half of a connection and waits until the peer ends its own, so
    /// that what we wrote is not destroyed by a reset over what we did not read.
    async fn bid(&mut self, read: Option<Box<dyn ReadHalf>>, mut write: Transport) {
        self.count();
        let Some(mut read) = read else { return };
        if write.shutdown().await.is_err() {
            return;
        }
        let mut beyond = Vec::new();
        loop {
            let reading = match &mut self.receiving {
                Some(receiving) => read.read_buf(&mut receiving.space()).await,
                None => {
                    beyond.resize(8 * 1024, 0);
                    read.read(&mut beyond).await
                }
            };
            if !matches!(reading, Ok(1..)) {
                return;
            }
            self.count();
        }
    }

    fn count(&mut self) {
        while let Some(receiving) = &mut self.receiving {
            match receiving.next() {
                Ok(Some(Incoming::Message(_))) => self.unread += 1,
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(_) => self.receiving = None,
            }
        }
    }
}
