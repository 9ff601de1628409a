//! [`Seal`] and [`Open`]: what a mechanism does to each frame of the traffic.
//!
//! NULL and PLAIN do nothing: their sessions have neither. CURVE (RFC 26) puts
//! each frame, of messages and commands alike, into a MESSAGE of its own:
//!
//! ```text
//! plain    flags size body
//! sealed   flags size "\x07MESSAGE" nonce box[flags body]
//!          0          8             8     16 + 1 + body
//! ```
//!
//! Though RFC 26 calls that a command, libzmq sends and wants an ordinary frame.
//! The flags in the box say what it is. They are not those of ZMTP: COMMAND is
//! 0x02 there, which is for the mechanism to know.
//!
//! Both halves count: frames are opened in the order in which they were sealed,
//! and that is the order on the wire. What was sealed for one session is of no
//! use to another, so what is to survive a session is kept in plain.

use std::fmt;
use std::ops::Range;

use crate::fault::PeerFault;

/// Makes frames of a session unreadable to others.
pub(crate) trait Seal: fmt::Debug + Send {
    /// How many octets more a sealed frame has in its body.
    fn overhead(&self) -> usize;

    /// Appends what the body of the sealed frame is, [`overhead`](Self::overhead)
    /// octets longer than `body`. Of `flags` there are MORE and COMMAND, as in
    /// the header of a frame.
    fn seal(&mut self, flags: u8, body: &[u8], out: &mut Vec<u8>);
}

/// Reads what the [`Seal`] of the peer has made.
pub(crate) trait Open: fmt::Debug + Send {
    /// How many octets less a frame has once it is opened.
    fn overhead(&self) -> usize;

    /// Opens the body of a sealed frame where it is. Gives the flags MORE and
    /// COMMAND of the frame in it, and where the body of that is.
    ///
    /// # Errors
    /// When the peer did not seal it, or not as the next.
    fn open(&mut self, sealed: &mut [u8]) -> Result<(u8, Range<usize>), PeerFault>;
}

/// Both halves of what a mechanism does after the handshake; none where frames
/// go as they are.
#[derive(Debug, Default)]
pub(crate) struct Seals {
    pub(crate) seal: Option<Box<dyn Seal>>,
    pub(crate) open: Option<Box<dyn Open>>,
}
