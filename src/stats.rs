//! [`SocketStats`]: what a socket has done, and what it does at the moment, in numbers.

use std::fmt;
use std::sync::Arc;

use crate::peer::{DropCause, PeerInfo};

/// Messages and bytes of one peer, or of all.
///
/// Bytes are those of the transport, with all that frames, commands and encryption add.
/// Over inproc nothing is transported, and they are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Messages that receivers, or the pattern, have taken of the peer.
    pub messages_in: u64,
    /// Messages that the system has taken, or over inproc the peer.
    pub messages_out: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Messages that wait to be sent at the moment.
    pub queued: usize,
    /// The most that have ever waited, as those who write found them.
    pub most_queued: usize,
}

impl Traffic {
    /// What both have done together.
    pub(crate) fn add(&mut self, other: &Self) {
        self.messages_in += other.messages_in;
        self.messages_out += other.messages_out;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.queued += other.queued;
        self.most_queued = self.most_queued.max(other.most_queued);
    }
}

/// Messages that were lost, by cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost([u64; DropCause::ALL.len()]);

impl Lost {
    pub(crate) fn new(of: impl Fn(DropCause) -> u64) -> Self {
        Self(DropCause::ALL.map(of))
    }

    /// How many were lost for a cause.
    pub fn of(&self, cause: DropCause) -> u64 {
        self.iter().find(|(other, _)| *other == cause).map_or(0, |(_, count)| count)
    }

    /// How many were lost for any cause.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Every cause, and how many were lost for it.
    pub fn iter(&self) -> impl Iterator<Item = (DropCause, u64)> + '_ {
        DropCause::ALL.into_iter().zip(self.0)
    }
}

/// One peer of a socket, in [`SocketStats`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerStats {
    /// Who it is, or was last; without an address as long as it never was connected.
    pub info: Arc<PeerInfo>,
    /// Whether it is connected. One that is dialled stays a peer while it is not.
    pub is_connected: bool,
    /// How often it was connected again.
    pub reconnects: u64,
    /// What went to and fro.
    pub traffic: Traffic,
    /// What was lost of it, or for it.
    pub lost: Lost,
}

/// What a socket has done, and what it does at the moment: a snapshot.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use ferromq::{PullSocket, PushSocket};
///
/// let (push, pull) = (PushSocket::new(), PullSocket::new());
/// push.connect(pull.bind("tcp://127.0.0.1:0").await?)?;
/// push.send("work").await?;
/// pull.recv().await?;
/// let stats = pull.stats();
/// assert_eq!((stats.traffic.messages_in, stats.lost.total()), (1, 0));
/// // A table with a line for each peer.
/// println!("{stats}");
/// # Ok::<_, ferromq::Error>(()) }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketStats {
    /// The peers that there are, in the order in which they came.
    pub peers: Vec<PeerStats>,
    /// What went to and fro, with that of peers that have left.
    pub traffic: Traffic,
    /// How often peers were connected again.
    pub reconnects: u64,
    /// What was lost altogether.
    pub lost: Lost,
}

impl fmt::Display for SocketStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<32} {:>12} {:>12} {:>14} {:>14} {:>8} {:>8}",
            "peer", "messages in", "out", "bytes in", "out", "queued", "lost"
        )?;
        for peer in &self.peers {
            row(f, &name(peer), &peer.traffic, &peer.lost)?;
        }
        row(f, "all, with those who have left", &self.traffic, &self.lost)?;
        for (cause, count) in self.lost.iter().filter(|(_, count)| *count > 0) {
            writeln!(f, "lost {count}: {cause:?}")?;
        }
        Ok(())
    }
}

fn name(peer: &PeerStats) -> String {
    let mut name = peer.info.routing_id.as_ref().map_or_else(String::new, |id| format!("{id} "));
    name += if peer.info.address.is_empty() { "(not there yet)" } else { &peer.info.address };
    if !peer.is_connected && !peer.info.address.is_empty() {
        name += " (away)";
    }
    name
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, traffic: &Traffic, lost: &Lost) -> fmt::Result {
    let Traffic { messages_in, messages_out, bytes_in, bytes_out, queued, .. } = traffic;
    writeln!(
        f,
        "{name:<32} {messages_in:>12} {messages_out:>12} {bytes_in:>14} {bytes_out:>14} {queued:>8} {:>8}",
        lost.total()
    )
}
